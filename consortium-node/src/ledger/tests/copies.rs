//! Taking over the ledger of others: from liars, through restarts, after pruning, across epochs.

use super::epochs::admit;
use super::*;
use amulet_protocol::history::HistoryEntry;
use redb::backends::InMemoryBackend;
use redb::{Builder, Database};

/// A chain of some fifty blocks in which a hospital was admitted, so that a newcomer has two sets to follow.
fn grown() -> Chain {
    let mut chain = Chain::new();
    chain.story();
    admit(&mut chain);
    for seed in 0..20 {
        let newcomer = Actor::new(500 + seed);
        let registration = newcomer.registration();
        chain.commit(vec![newcomer.sign_numbered(
            chain.ledger.chain(),
            amulet_protocol::ids::Nonce(1),
            registration,
        )]);
    }
    chain
}

fn empty() -> Database {
    Builder::new().create_with_backend(InMemoryBackend::new()).unwrap()
}

fn standing(ledger: &Ledger) -> Standing {
    match ledger.transfer(&TransferRequest::Standing).unwrap() {
        TransferResponse::Standing(standing) => *standing,
        other => panic!("{other:?}"),
    }
}

fn anchor(chain: &Chain) -> Anchor {
    let mut survey = Survey::new(&chain.genesis, &Sm2Votes).unwrap();
    let ends = TransferRequest::EpochEnds { from: survey.epoch() };
    let TransferResponse::EpochEnds(ends) = chain.ledger.transfer(&ends).unwrap() else { panic!("no ends") };
    assert!(!survey.follow(ends).unwrap());
    survey.offer(standing(&chain.ledger).snapshot.unwrap()).unwrap();
    survey.anchor().unwrap()
}

/// Asks the chain's own ledger for everything; `between` may spoil answers, or end the process.
fn copy(
    chain: &Chain,
    mut restore: Restore,
    mut between: impl FnMut(Restore, TransferRequest, TransferResponse) -> Restore,
) -> Ledger {
    while let Some(request) = restore.next().unwrap() {
        let answer = chain.ledger.transfer(&request).unwrap();
        restore = between(restore, request, answer);
    }
    Ledger::over(restore.finish().unwrap(), &chain.genesis, Box::new(Sm2Votes)).unwrap()
}

fn honest(restore: Restore, _: TransferRequest, answer: TransferResponse) -> Restore {
    restore.take(answer).unwrap();
    restore
}

/// Commits the blocks after the copy's on it.
fn follow(chain: &Chain, copied: &Ledger) {
    for height in (copied.tip().height.0 + 1..=chain.ledger.tip().height.0).map(Height) {
        let UntrustedCertifiedBlock { block, certificate } = chain.ledger.block(height).unwrap().unwrap();
        let executed = copied.validate(&[], block, None, &()).unwrap();
        copied.commit(&executed, certificate).unwrap();
    }
}

/// Both give the same answers to everything that a copy can know.
fn compare(chain: &Chain, copied: &Ledger, floor: Height) {
    let tip = chain.ledger.tip();
    assert_eq!(copied.tip(), tip);
    assert_eq!(copied.epoch(), chain.ledger.epoch());
    let same = |request: LightRequest| {
        assert_eq!(copied.answer(&request).unwrap(), chain.ledger.answer(&request).unwrap(), "{request:?}");
    };
    let dids = [chain.wang.did, chain.li.did, chain.hospitals[0].did];
    for did in dids {
        same(LightRequest::History { did, from: 1, height: tip.height });
    }
    for older in (0..tip.height.0).map(Height) {
        same(LightRequest::RangeProof { older, newer: tip.height });
        assert_eq!(copied.header(older).unwrap(), chain.ledger.header(older).unwrap());
    }
    let keys: Vec<_> =
        dids.iter().flat_map(|did| [StateKey::History(*did), StateKey::CardOf(*did)]).collect();
    for height in (floor.0..=tip.height.0).map(Height) {
        same(LightRequest::State { height, keys: keys.clone() });
        same(LightRequest::HeaderAt(height));
    }
    let last_of_epoch = Height(chain.ledger.epoch().first.0 - 1);
    same(LightRequest::HeaderAt(last_of_epoch));
}

#[test]
fn a_newcomer_takes_over_the_ledger_and_goes_on() {
    let chain = grown();
    let anchor = anchor(&chain);
    let height = anchor.height();
    assert!(
        height.0 > 0 && height.0.is_multiple_of(BLOCKS_PER_SNAPSHOT) && height < chain.ledger.tip().height
    );
    let mut asked = [0; 3];
    let restore = Restore::begin(empty(), &chain.genesis, &anchor).unwrap();
    let copied = copy(&chain, restore, |restore, request, answer| {
        match &request {
            TransferRequest::Headers { .. } => asked[0] += 1,
            TransferRequest::State { .. } => asked[1] += 1,
            TransferRequest::Histories(_) => asked[2] += 1,
            other => panic!("{other:?}"),
        }
        honest(restore, request, answer)
    });
    assert!(asked.iter().all(|count| *count > 3), "several pieces of each kind: {asked:?}");
    assert_eq!((copied.tip().height, copied.floor().unwrap()), (height, height));
    assert!(!chain.ledger.block(height).unwrap().unwrap().block.transactions.is_empty());
    assert_eq!(copied.block(height).unwrap(), None, "nobody is given a block without its transactions");
    follow(&chain, &copied);
    compare(&chain, &copied, height);
    let first = chain.ledger.block(Height(1)).unwrap().unwrap().block.transactions[0].transaction.id();
    assert_eq!(copied.block(Height(1)).unwrap(), None);
    assert_eq!(copied.transaction(first).unwrap(), None);
    let below = LightRequest::State { height: Height(3), keys: vec![StateKey::Membership] };
    let pruned = LightResponse::Refused(amulet_protocol::light::LightRefusal::Pruned { height: Height(3) });
    assert_eq!(copied.answer(&below).unwrap(), pruned);
    assert_eq!(copied.answer(&LightRequest::HeaderAt(Height(3))).unwrap(), pruned);
}

#[test]
fn a_copy_goes_on_where_it_was_cut_off_and_is_no_ledger_before() {
    let chain = grown();
    let anchor = anchor(&chain);
    let restore = Restore::begin(empty(), &chain.genesis, &anchor).unwrap();
    let mut pieces = 0;
    let copied = copy(&chain, restore, |restore, request, answer| {
        pieces += 1;
        // The process ends after each piece: once before it is written, once after.
        let restore = killed(restore, &chain);
        assert_eq!(restore.next().unwrap(), Some(request));
        restore.take(answer).unwrap();
        killed(restore, &chain)
    });
    assert!(pieces > 12, "{pieces}");
    follow(&chain, &copied);
    compare(&chain, &copied, anchor.height());
}

/// What another process finds: the file alone.
fn killed(restore: Restore, chain: &Chain) -> Restore {
    let db = restore.into_database();
    let snapshot = Snapshot::new(&db).unwrap();
    let refused = commit::check_file(&snapshot, chain.ledger.chain(), &Sm2Votes);
    assert!(matches!(refused, Err(LedgerError::Unfinished)));
    drop(snapshot);
    Restore::resume(db, &chain.genesis).unwrap().ok().unwrap()
}

type Lie = fn(&mut TransferResponse) -> bool;

fn lies() -> Vec<(&'static str, Lie)> {
    fn rows(answer: &mut TransferResponse) -> Option<&mut StateChunk> {
        if let TransferResponse::State(chunk) = answer { Some(chunk) } else { None }
    }
    fn entries(answer: &mut TransferResponse) -> Option<&mut HistoryChunk> {
        if let TransferResponse::Histories(chunks) = answer { chunks.last_mut() } else { None }
    }
    vec![
        ("another header", |answer| match answer {
            TransferResponse::Headers(headers) => {
                headers.last_mut().unwrap().time.0 += 1;
                true
            }
            _ => false,
        }),
        ("a header left out", |answer| match answer {
            TransferResponse::Headers(headers) => {
                headers.remove(0);
                true
            }
            _ => false,
        }),
        ("no headers", |answer| match answer {
            TransferResponse::Headers(headers) => {
                headers.clear();
                true
            }
            _ => false,
        }),
        ("another value", |answer| rows(answer).map(|chunk| chunk.rows[0].1.push(0)).is_some()),
        ("a row left out", |answer| {
            rows(answer).filter(|chunk| chunk.rows.len() > 1).map(|chunk| chunk.rows.remove(0)).is_some()
        }),
        ("a row twice", |answer| {
            rows(answer).map(|chunk| chunk.rows.insert(0, chunk.rows[0].clone())).is_some()
        }),
        ("rows out of order", |answer| {
            rows(answer).filter(|chunk| chunk.rows.len() > 1).map(|chunk| chunk.rows.reverse()).is_some()
        }),
        ("no proof", |answer| rows(answer).map(|chunk| chunk.proof.clear()).is_some()),
        ("the end too early", |answer| {
            rows(answer).filter(|chunk| !chunk.is_last).map(|chunk| chunk.is_last = true).is_some()
        }),
        ("nothing, as if it were the end", |answer| {
            rows(answer)
                .map(|chunk| *chunk = StateChunk { rows: vec![], proof: vec![], is_last: true })
                .is_some()
        }),
        ("nothing, as if there were more", |answer| {
            rows(answer)
                .map(|chunk| *chunk = StateChunk { rows: vec![], proof: vec![], is_last: false })
                .is_some()
        }),
        ("another entry", |answer| entries(answer).map(|chunk| chunk.entries[0].time.0 += 1).is_some()),
        ("an entry left out", |answer| entries(answer).map(|chunk| chunk.entries.remove(0)).is_some()),
        ("another beginning", |answer| {
            entries(answer).map(|chunk| chunk.below.head = amulet_crypto::digest::sm3(b"lie")).is_some()
        }),
        ("no answer", |answer| {
            *answer = TransferResponse::NotHere;
            true
        }),
    ]
}

#[test]
fn no_lie_is_taken_and_each_costs_one_question() {
    let chain = grown();
    let anchor = anchor(&chain);
    for (name, lie) in lies() {
        let restore = Restore::begin(empty(), &chain.genesis, &anchor).unwrap();
        let (mut told, mut asked) = (0, 0);
        let copied = copy(&chain, restore, |restore, request, answer| {
            let mut spoiled = answer.clone();
            asked += 1;
            if asked % 2 == 1 && lie(&mut spoiled) {
                told += 1;
                let refused = restore.take(spoiled);
                assert!(matches!(refused, Err(TakeError::Refused(_))), "{name} to {request:?}: {refused:?}");
                return restore;
            }
            honest(restore, request, answer)
        });
        assert!(told > 0, "{name} was never told");
        follow(&chain, &copied);
        compare(&chain, &copied, anchor.height());
    }
}

#[test]
fn an_anchor_needs_a_quorum_of_the_set_that_the_chain_leads_to() {
    let chain = grown();
    let TransferResponse::EpochEnds(ends) =
        chain.ledger.transfer(&TransferRequest::EpochEnds { from: amulet_protocol::ids::Epoch(0) }).unwrap()
    else {
        panic!("no ends")
    };
    let offered = standing(&chain.ledger).snapshot.unwrap();
    let mut unaware = Survey::new(&chain.genesis, &Sm2Votes).unwrap();
    assert!(
        matches!(unaware.offer(offered.clone()), Err(Refused::Certificate(_))),
        "epoch 0 did not sign it"
    );
    let mut survey = Survey::new(&chain.genesis, &Sm2Votes).unwrap();
    let mut other_set = ends.clone();
    other_set[0].validators = chain.genesis.validate().unwrap();
    assert_eq!(survey.follow(other_set), Err(Refused::ValidatorSet));
    let mut unsigned = ends.clone();
    unsigned[0].signed.certificate.signatures.truncate(2);
    assert!(matches!(survey.follow(unsigned), Err(Refused::Certificate(_))));
    survey.follow(ends).unwrap();
    let mut few = offered.clone();
    few.certificate.signatures.truncate(3);
    assert!(matches!(survey.offer(few), Err(Refused::Certificate(_))));
    let LightResponse::Header(tip) = chain.ledger.answer(&LightRequest::Latest).unwrap() else { panic!() };
    assert!(!tip.header.height.0.is_multiple_of(BLOCKS_PER_SNAPSHOT));
    assert_eq!(survey.offer(*tip), Err(Refused::Height));
    survey.offer(offered).unwrap();
    assert!(survey.anchor().is_some());
}

/// Right after an epoch began the newest snapshot is one of the epoch before, and with a silent validator no newer one may come
/// before somebody has copied it.
#[test]
fn a_snapshot_from_before_the_last_change_of_the_validators_can_be_copied() {
    let mut chain = Chain::new();
    while chain.ledger.tip().height.0 < BLOCKS_PER_SNAPSHOT + 2 {
        chain.commit(vec![]);
    }
    let last = admit(&mut chain);
    chain.commit(vec![]);
    let anchor = anchor(&chain);
    assert!(anchor.height().0 == BLOCKS_PER_SNAPSHOT && anchor.height() < last);
    let restore = Restore::begin(empty(), &chain.genesis, &anchor).unwrap();
    let copied = copy(&chain, restore, honest);
    follow(&chain, &copied);
    compare(&chain, &copied, anchor.height());
}

fn prune(ledger: &Ledger, keep: u64) {
    while ledger.prune(keep).unwrap() == Pruned::More {}
}

#[test]
fn pruning_keeps_every_proof_above_the_floor_and_says_what_is_gone() {
    let (chain, whole) = (grown(), grown());
    let tip = chain.ledger.tip();
    let rows = |chain: &Chain| chain.ledger.rows();
    let before = rows(&chain);
    prune(&chain.ledger, 10);
    let floor = chain.ledger.floor().unwrap();
    assert_eq!(floor.0, (tip.height.0 - 10) / BLOCKS_PER_SNAPSHOT * BLOCKS_PER_SNAPSHOT);
    let after = rows(&chain);
    for table in ["transactions", "receipts", "certificates", "state_nodes", "state_values", "stale"] {
        assert!(after[table] < before[table], "{table}: {before:?} {after:?}");
    }
    for table in ["headers", "history", "range", "places"] {
        assert_eq!(after[table], before[table], "{table}");
    }
    compare(&whole, &chain.ledger, floor);
    let gone = whole.ledger.block(Height(2)).unwrap().unwrap().block.transactions[0].transaction.id();
    let pruned = |height| {
        LightResponse::Refused(amulet_protocol::light::LightRefusal::Pruned { height: Height(height) })
    };
    let answer = |request| chain.ledger.answer(&request).unwrap();
    assert_eq!(answer(LightRequest::Receipt(gone)), pruned(2));
    assert_eq!(answer(LightRequest::Transactions(vec![gone])), pruned(2));
    assert_eq!(answer(LightRequest::HeaderAt(Height(2))), pruned(2));
    let keys = vec![StateKey::Membership];
    assert_eq!(answer(LightRequest::State { height: Height(floor.0 - 1), keys }), pruned(floor.0 - 1));
    assert!(chain.ledger.contains(gone).unwrap(), "it cannot come again");
    // Everything but what the state after the floor and the blocks since have is gone: a copy of it has as many rows.
    let anchor = anchor(&chain);
    assert_eq!(anchor.height(), Height(tip.height.0 / BLOCKS_PER_SNAPSHOT * BLOCKS_PER_SNAPSHOT));
    let restore = Restore::begin(empty(), &chain.genesis, &anchor).unwrap();
    let copied = copy(&chain, restore, honest);
    follow(&whole, &copied);
    compare(&whole, &copied, anchor.height());
    prune(&chain.ledger, 0);
    prune(&copied, 0);
    let (pruned, copied) = (chain.ledger.rows(), copied.rows());
    for table in ["state_nodes", "state_values", "history", "headers", "range"] {
        assert_eq!(pruned[table], copied[table], "{table}");
    }
}

#[test]
fn a_pruned_ledger_reopens_and_goes_on() {
    let mut chain = grown();
    prune(&chain.ledger, 1);
    let path = chain.folder.path().join("ledger");
    let tip = chain.ledger.tip();
    let Chain { ledger, folder, genesis, hospitals, wang, li } = chain;
    drop(ledger);
    let ledger = Ledger::open(&path, &genesis).unwrap();
    chain = Chain { ledger, folder, genesis, hospitals, wang, li };
    assert_eq!(chain.ledger.tip(), tip);
    let entries = |chain: &Chain| -> Vec<HistoryEntry> {
        let request = LightRequest::History { did: chain.li.did, from: 1, height: chain.ledger.tip().height };
        match chain.ledger.answer(&request).unwrap() {
            LightResponse::History(entries) => entries,
            other => panic!("{other:?}"),
        }
    };
    let before = entries(&chain).len();
    for _ in 0..40 {
        let asked = chain.li(Call::RequestAccess(request(chain.wang.did, chain.now())));
        chain.commit(vec![asked]);
        prune(&chain.ledger, 1);
    }
    assert_eq!(entries(&chain).len(), before + 40);
}
