//! Every answer stands up to the light client's own checks, and says what really happened.

use super::*;
use amulet_contracts::{BlockContext, MemoryState, Verdict, apply, genesis_state};
use amulet_protocol::certificate::{CertificateError, CertifiedHeader};
use amulet_protocol::header::Header;
use amulet_protocol::history::{HistoryEntry, HistoryHead};
use amulet_protocol::ids::{Did, Epoch};
use amulet_protocol::light::LightRefusal;
use amulet_protocol::limits::{STATE_KEYS_PER_REQUEST_MAX, TRANSACTIONS_PER_REQUEST_MAX};
use amulet_protocol::receipt::Receipt;
use amulet_protocol::state_tree::Proven;
use std::collections::BTreeMap;

fn header_at(chain: &Chain, height: Height) -> CertifiedHeader {
    let LightResponse::Header(signed) = chain.ledger.answer(&LightRequest::HeaderAt(height)).unwrap() else {
        panic!("no header at {height}")
    };
    signed.verify(chain.ledger.chain(), &chain.ledger.validators()).unwrap()
}

fn root_at(chain: &Chain, height: Height) -> Header {
    if height == Height(0) {
        genesis_header(&chain.genesis).unwrap()
    } else {
        header_at(chain, height).header().clone()
    }
}

/// The whole state after each height, computed by the contracts alone over a plain map.
fn states(chain: &Chain) -> BTreeMap<Height, MemoryState> {
    let mut state = genesis_state(&chain.genesis).unwrap();
    let mut states = BTreeMap::from([(Height(0), state.clone())]);
    for height in (1..=chain.ledger.tip().height.0).map(Height) {
        let block = chain.ledger.block(height).unwrap().unwrap().block;
        let context = BlockContext { chain: chain.ledger.chain(), height, time: block.header.time };
        for transaction in block.transactions {
            let transaction = transaction.verify(context.chain).unwrap();
            let Verdict::Executed(applied) = apply(&state, &transaction, &context).unwrap() else {
                panic!("an inadmissible transaction in a block")
            };
            for (key, value) in applied.changes {
                match value {
                    Some(value) => state.insert(key, value),
                    None => state.remove(&key),
                };
            }
        }
        states.insert(height, state.clone());
    }
    states
}

#[test]
fn the_state_is_proven_at_every_height_present_or_absent() {
    let mut chain = Chain::new();
    chain.story();
    let states = states(&chain);
    let keys: Vec<StateKey> = states.values().flat_map(|state| state.keys().cloned()).collect();
    let keys: Vec<_> = keys.into_iter().collect::<std::collections::BTreeSet<_>>().into_iter().collect();
    let (mut present, mut absent) = (0, 0);
    for (height, state) in &states {
        let root = root_at(&chain, *height).state_root;
        for keys in keys.chunks(STATE_KEYS_PER_REQUEST_MAX) {
            let request = LightRequest::State { height: *height, keys: keys.to_vec() };
            let LightResponse::State(proofs) = chain.ledger.answer(&request).unwrap() else {
                panic!("no proofs at {height}")
            };
            let request = LightRequest::StateBatch { height: *height, keys: keys.to_vec() };
            let LightResponse::StateBatch(together) = chain.ledger.answer(&request).unwrap() else {
                panic!("no proof of all at {height}")
            };
            let together = together.verify(root, keys).unwrap();
            for key in keys {
                let value = together.iter().find(|(found, _)| *found == key).unwrap().1;
                assert_eq!(value, state.get(key).map(Vec::as_slice), "{key:?} at {height}");
            }
            assert_eq!(proofs.len(), keys.len());
            for (key, proof) in keys.iter().zip(proofs) {
                assert_eq!(proof.value.as_ref(), state.get(key), "{key:?} at {height}");
                let mut lie = proof.clone();
                lie.value = if proof.value.is_some() { None } else { Some(vec![1]) };
                assert!(lie.verify::<Raw>(root, key).is_err());
                match proof.verify::<Raw>(root, key).unwrap() {
                    Proven::Present(_) => present += 1,
                    Proven::Absent => absent += 1,
                }
            }
        }
    }
    assert!(present > 100 && absent > 100, "{present} present, {absent} absent");
    let gone = StateKey::CardOf(chain.wang.did);
    let had = |height| states[&Height(height)].contains_key(&gone);
    assert!((1..30).any(|height| had(height) && !had(height + 1)), "the story removes an entry");
}

/// A value of any type.
struct Raw;

impl borsh::BorshDeserialize for Raw {
    fn deserialize_reader<R: std::io::Read>(reader: &mut R) -> std::io::Result<Self> {
        std::io::copy(reader, &mut std::io::sink()).map(|_| Self)
    }
}

#[test]
fn every_header_is_certified_and_proves_every_older_one() {
    let mut chain = Chain::new();
    chain.story();
    let tip = chain.ledger.tip();
    let LightResponse::Header(latest) = chain.ledger.answer(&LightRequest::Latest).unwrap() else {
        panic!("no latest header")
    };
    assert_eq!(Tip::of(&latest.header), tip);
    let genesis_hash = genesis_header(&chain.genesis).unwrap().hash();
    for newer in (1..=tip.height.0).map(Height) {
        let header = header_at(&chain, newer);
        for older in (0..newer.0).map(Height) {
            let request = LightRequest::RangeProof { older, newer };
            let LightResponse::RangeProof(proof) = chain.ledger.answer(&request).unwrap() else {
                panic!("no proof of {older} in {newer}")
            };
            let hash = root_at(&chain, older).hash();
            let root = header.header().range_root;
            assert_eq!(proof.height, older);
            assert_eq!(proof.verify(newer, root, hash), Ok(()));
            assert!(proof.verify(newer, root, header.hash()).is_err());
        }
    }
    let LightResponse::Header(first) = chain.ledger.answer(&LightRequest::HeaderAt(Height(0))).unwrap()
    else {
        panic!("no header 0")
    };
    assert_eq!(first.header.hash(), genesis_hash);
    let refused = first.verify(chain.ledger.chain(), &chain.ledger.validators());
    assert!(matches!(refused, Err(CertificateError::TooFew { found: 0, .. })));
}

#[test]
fn histories_are_complete_at_every_height() {
    let mut chain = Chain::new();
    chain.story();
    let mut longest = 0;
    for did in [chain.wang.did, chain.li.did] {
        let mut known: Vec<HistoryEntry> = Vec::new();
        for height in (1..=chain.ledger.tip().height.0).map(Height) {
            let head = proven_head(&chain, did, height);
            let from = known.len() as u64 + 1;
            let LightResponse::History(new) =
                chain.ledger.answer(&LightRequest::History { did, from, height }).unwrap()
            else {
                panic!("no history")
            };
            let whole = chain.ledger.answer(&LightRequest::History { did, from: 1, height }).unwrap();
            known.extend(new);
            assert_eq!(HistoryHead::default().extend_to(head, &known), Ok(()));
            assert_eq!(whole, LightResponse::History(known.clone()));
        }
        longest = longest.max(known.len());
    }
    assert!(longest > 20, "the story tells {longest} things");
    let nobody = Actor::new(99).did;
    let height = chain.ledger.tip().height;
    let empty = chain.ledger.answer(&LightRequest::History { did: nobody, from: 1, height }).unwrap();
    assert_eq!(empty, LightResponse::History(vec![]));
}

fn proven_head(chain: &Chain, did: Did, height: Height) -> HistoryHead {
    let key = StateKey::History(did);
    let request = LightRequest::State { height, keys: vec![key.clone()] };
    let LightResponse::State(proofs) = chain.ledger.answer(&request).unwrap() else { panic!("no proof") };
    let root = root_at(chain, height).state_root;
    proofs[0].verify::<HistoryHead>(root, &key).unwrap().into_option().unwrap_or_default()
}

#[test]
fn every_transaction_and_its_receipt_are_found_and_proven() {
    let mut chain = Chain::new();
    chain.story();
    let mut seen = 0;
    for height in (1..=chain.ledger.tip().height.0).map(Height) {
        let block = chain.ledger.block(height).unwrap().unwrap().block;
        for transaction in block.transactions {
            let id = transaction.transaction.id();
            assert!(chain.ledger.contains(id).unwrap());
            assert_eq!(chain.ledger.transaction(id).unwrap(), Some(transaction.clone()));
            let LightResponse::Receipt(proven) = chain.ledger.answer(&LightRequest::Receipt(id)).unwrap()
            else {
                panic!("no receipt")
            };
            let header = proven.header.verify(chain.ledger.chain(), &chain.ledger.validators()).unwrap();
            let root = header.header().receipts_root;
            assert_eq!((header.header().height, proven.receipt.transaction), (height, id));
            assert_eq!(proven.proof.verify(root, &proven.receipt.leaf()), Ok(()));
            assert_eq!(chain.ledger.receipt(id).unwrap(), Some((height, proven.receipt)));
            let found = chain.ledger.answer(&LightRequest::Transactions(vec![id])).unwrap();
            assert_eq!(found, LightResponse::Transactions(vec![transaction]));
            seen += 1;
        }
    }
    assert!(seen > 30);
}

#[test]
fn the_newest_header_is_spared_whoever_has_it_and_nobody_else() {
    let mut chain = Chain::new();
    chain.enrol();
    let before = chain.ledger.tip().hash;
    let ask = |chain: &Chain, known| chain.ledger.answer(&LightRequest::LatestUnless(known)).unwrap();
    assert_eq!(ask(&chain, before), LightResponse::Unchanged);
    chain.commit(vec![]);
    let newest = chain.ledger.answer(&LightRequest::Latest).unwrap();
    assert_eq!(ask(&chain, before), newest);
    assert_eq!(ask(&chain, chain.ledger.tip().hash), LightResponse::Unchanged);
}

#[test]
fn what_is_not_there_is_not_found_and_what_breaks_a_limit_is_malformed() {
    let mut chain = Chain::new();
    let answer = |chain: &Chain, request| chain.ledger.answer(&request).unwrap();
    assert_eq!(answer(&chain, LightRequest::Latest), LightResponse::NotFound, "block 0 is not certified");
    let genesis = LightRequest::LatestUnless(chain.ledger.tip().hash);
    assert_eq!(answer(&chain, genesis), LightResponse::NotFound, "nor is it there for who has it");
    chain.enrol();
    let (height, did, key) = (Height(3), chain.wang.did, StateKey::Identity(chain.wang.did));
    let unknown = TxId(amulet_crypto::digest::sm3(b"nothing"));
    let known = chain.ledger.block(Height(1)).unwrap().unwrap().block.transactions[0].clone();
    let absent = [
        LightRequest::HeaderAt(height),
        LightRequest::RangeProof { older: Height(1), newer: height },
        LightRequest::State { height, keys: vec![key.clone()] },
        LightRequest::History { did, from: 1, height },
        LightRequest::Transactions(vec![unknown]),
        LightRequest::Receipt(unknown),
    ];
    for request in absent {
        assert_eq!(answer(&chain, request.clone()), LightResponse::NotFound, "{request:?}");
    }
    let height = Height(2);
    let malformed = [
        LightRequest::RangeProof { older: height, newer: height },
        LightRequest::State { height, keys: vec![] },
        LightRequest::State { height, keys: vec![key; STATE_KEYS_PER_REQUEST_MAX + 1] },
        LightRequest::History { did, from: 0, height },
        LightRequest::Transactions(vec![]),
        LightRequest::Transactions(vec![unknown; TRANSACTIONS_PER_REQUEST_MAX + 1]),
        LightRequest::Submit(known.clone()),
    ];
    for request in malformed {
        let refused = LightResponse::Refused(LightRefusal::Malformed);
        assert_eq!(answer(&chain, request.clone()), refused, "{request:?}");
    }
    let prefix = LightRequest::Transactions(vec![known.transaction.id(), unknown]);
    assert_eq!(answer(&chain, prefix), LightResponse::Transactions(vec![known]));
}

#[test]
fn a_reopened_ledger_says_the_same_and_goes_on() {
    let mut chain = Chain::new();
    chain.story();
    let tip = chain.ledger.tip();
    let questions: Vec<_> = (0..=tip.height.0)
        .map(Height)
        .flat_map(|height| {
            let keys = vec![StateKey::History(chain.wang.did), StateKey::CardOf(chain.wang.did)];
            [LightRequest::HeaderAt(height), LightRequest::State { height, keys }]
        })
        .collect();
    let answers: Vec<_> = questions.iter().map(|question| chain.ledger.answer(question).unwrap()).collect();
    let path = chain.folder.path().join("ledger");
    let Chain { ledger, folder, genesis, hospitals, wang, li } = chain;
    drop(ledger);
    let ledger = Ledger::open(&path, &genesis).unwrap();
    assert_eq!(ledger.tip(), tip);
    for (question, answer) in questions.iter().zip(answers) {
        assert_eq!(ledger.answer(question).unwrap(), answer);
    }
    let mut chain = Chain { ledger, folder, genesis, hospitals, wang, li };
    let mut follower = chain.ledger.subscribe();
    let revoke = chain.wang(Call::RevokeCard(RevokeCard { locator: CardLocator([2; 5]) }));
    chain.commit(vec![revoke]);
    assert!(follower.has_changed().unwrap());
    assert_eq!(follower.borrow_and_update().height, tip.height.next());
}

#[test]
fn the_same_story_has_the_same_hash_on_every_machine() {
    let (mut one, mut other) = (Chain::new(), Chain::new());
    one.story();
    other.story();
    assert_eq!(one.ledger.tip(), other.ledger.tip());
    // Changes with any format or rule: then every existing chain is cut off, and LEDGER_FORMAT has to tell.
    assert_eq!(
        genesis_header(&one.genesis).unwrap().hash().to_string(),
        "8609798f474309b4df14c6ecd47b75e49cb21812cb8f31281f9efe1aab889185"
    );
    assert_eq!(
        one.ledger.tip().hash.to_string(),
        "bb6d754324bb1c9614b81789b53026d78a3424689810437dbc9e90132c74164a"
    );
}

/// Receipts of a block, each as it is answered by itself.
fn receipts_of(chain: &Chain, height: Height) -> Vec<Receipt> {
    let block = chain.ledger.block(height).unwrap().unwrap().block;
    let ids = block.transactions.iter().map(|transaction| transaction.transaction.id());
    ids.map(|id| chain.ledger.receipt(id).unwrap().unwrap().1).collect()
}

#[test]
fn headers_and_receipts_are_proven_together() {
    let mut chain = Chain::new();
    chain.story();
    let tip = chain.ledger.tip();
    let heights: Vec<Height> = (1..tip.height.0).step_by(3).map(Height).collect();
    let request = LightRequest::Headers { heights: heights.clone(), newer: tip.height };
    let LightResponse::Headers(answer) = chain.ledger.answer(&request).unwrap() else { panic!("no headers") };
    let hashes: Vec<_> = answer.headers.iter().map(|signed| signed.header.hash()).collect();
    assert_eq!(answer.proof.heights, heights);
    answer.proof.verify(tip.height, root_at(&chain, tip.height).range_root, &hashes).unwrap();
    let alone = LightRequest::RangeBatch { heights, newer: tip.height };
    assert_eq!(chain.ledger.answer(&alone).unwrap(), LightResponse::RangeBatch(answer.proof));

    for height in (1..=tip.height.0).map(Height) {
        let all = receipts_of(&chain, height);
        if all.is_empty() {
            continue;
        }
        let ids: Vec<_> = all.iter().rev().map(|receipt| receipt.transaction).collect();
        let request = LightRequest::Receipts { height, transactions: ids };
        let LightResponse::Receipts(answer) = chain.ledger.answer(&request).unwrap() else {
            panic!("no receipts at {height}")
        };
        assert_eq!(answer.receipts, all);
        let leaves: Vec<_> = answer.receipts.iter().map(Receipt::leaf).collect();
        answer.proof.verify(answer.header.header.receipts_root, &leaves).unwrap();
    }
}

#[test]
fn questions_for_several_things_are_bounded_and_must_not_repeat() {
    let mut chain = Chain::new();
    chain.story();
    let tip = chain.ledger.tip().height;
    let refused = |request| {
        let answer = chain.ledger.answer(&request).unwrap();
        assert_eq!(answer, LightResponse::Refused(LightRefusal::Malformed), "{request:?}");
    };
    let keys = |keys: Vec<StateKey>| LightRequest::StateBatch { height: tip, keys };
    refused(keys(vec![]));
    refused(keys(vec![StateKey::Membership; 2]));
    refused(keys(
        (0..=STATE_KEYS_PER_REQUEST_MAX as u64).map(|epoch| StateKey::Epoch(Epoch(epoch))).collect(),
    ));
    for heights in [vec![], vec![0, 1], vec![2, 1], vec![1, 1], vec![1, tip.0]] {
        let heights: Vec<Height> = heights.into_iter().map(Height).collect();
        refused(LightRequest::Headers { heights: heights.clone(), newer: tip });
        refused(LightRequest::RangeBatch { heights, newer: tip });
    }
    refused(LightRequest::Receipts { height: tip, transactions: vec![] });
    let id =
        (2..=tip.0).rev().find_map(|height| receipts_of(&chain, Height(height)).pop()).unwrap().transaction;
    refused(LightRequest::Receipts { height: tip, transactions: vec![id, id] });
    let elsewhere = LightRequest::Receipts { height: Height(1), transactions: vec![id] };
    assert_eq!(chain.ledger.answer(&elsewhere).unwrap(), LightResponse::NotFound);
}
