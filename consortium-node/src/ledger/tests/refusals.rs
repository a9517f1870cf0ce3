//! What the ledger takes no part in.

use super::*;
use amulet_contracts::testing::record_id;
use amulet_crypto::digest::{Digest, sm3};
use amulet_protocol::block::transactions_tree;
use amulet_protocol::calls::UseAccess;
use amulet_protocol::certificate::CertificateError;
use amulet_protocol::header::Header;
use amulet_protocol::limits::{BLOCK_TRANSACTIONS_MAX, TRANSACTION_BYTES_MAX};
use amulet_protocol::receipt::RefusalCode;
use amulet_protocol::transaction::TransactionError;

/// A chain, and a good block for it.
fn proposed() -> (Chain, UntrustedBlock) {
    let mut chain = Chain::new();
    chain.enrol();
    let asked = chain.li(Call::RequestAccess(request(chain.wang.did, chain.now())));
    let block = chain.propose(vec![asked]).block().clone();
    (chain, block)
}

fn refusal(chain: &Chain, block: UntrustedBlock) -> BlockRefusal {
    let tip = chain.ledger.tip();
    let refusal = chain.ledger.validate(&[], block, Some(chain.now()), &()).unwrap_err();
    assert_eq!(chain.ledger.tip(), tip);
    refusal
}

#[test]
fn a_block_with_any_field_of_its_header_changed_is_refused_for_that_field() {
    use BlockRefusal as R;
    let (chain, good) = proposed();
    let other = sm3(b"another");
    let root = |root: HeaderRoot| move |refusal: &R| matches!(refusal, R::Root { root: r, found, .. } if *r == root && *found == sm3(b"another"));
    type Change = Box<dyn Fn(&mut Header)>;
    type Check = Box<dyn Fn(&R) -> bool>;
    let cases: Vec<(Change, Check)> = vec![
        (Box::new(|h| h.version += 1), Box::new(|r| matches!(r, R::Version { found: 2, expected: 1 }))),
        (Box::new(move |h| h.chain = ChainId(other)), Box::new(|r| matches!(r, R::Chain { .. }))),
        (
            Box::new(|h| h.height = Height(4)),
            Box::new(|r| matches!(r, R::Height { expected: Height(3), .. })),
        ),
        (Box::new(move |h| h.previous = HeaderHash(other)), Box::new(|r| matches!(r, R::Previous { .. }))),
        (Box::new(|h| h.time = Timestamp(h.time.0 - 1_000)), Box::new(|r| matches!(r, R::NotLater { .. }))),
        (
            Box::new(|h| h.time = h.time.plus_millis(BLOCK_TIME_DRIFT_MAX_MS + 1)),
            Box::new(|r| matches!(r, R::FromTheFuture { .. })),
        ),
        (Box::new(move |h| h.transactions_root = other), Box::new(root(HeaderRoot::Transactions))),
        (Box::new(move |h| h.receipts_root = other), Box::new(root(HeaderRoot::Receipts))),
        (Box::new(move |h| h.state_root = other), Box::new(root(HeaderRoot::State))),
        (Box::new(move |h| h.range_root = other), Box::new(root(HeaderRoot::Range))),
        (Box::new(move |h| h.validators_hash = other), Box::new(root(HeaderRoot::Validators))),
        (Box::new(move |h| h.next_validators_hash = other), Box::new(root(HeaderRoot::NextValidators))),
        (
            Box::new(|h| h.proposer = ReplicaId(1)),
            Box::new(|r| matches!(r, R::Proposer { found: ReplicaId(1), expected: ReplicaId(0), .. })),
        ),
        (
            Box::new(|h| h.view = View(1)),
            Box::new(|r| matches!(r, R::Proposer { view: View(1), expected: ReplicaId(1), .. })),
        ),
    ];
    for (index, (change, expected)) in cases.into_iter().enumerate() {
        let mut block = good.clone();
        change(&mut block.header);
        let refusal = refusal(&chain, block);
        assert!(expected(&refusal), "case {index}: {refusal}");
    }
    assert!(chain.ledger.validate(&[], good, Some(chain.now()), &()).is_ok());
}

#[test]
fn a_changed_time_within_reason_still_does_not_fit_the_state() {
    let (chain, mut block) = proposed();
    block.header.time = block.header.time.plus_millis(1);
    let refusal = refusal(&chain, block);
    assert!(matches!(refusal, BlockRefusal::Root { root: HeaderRoot::State, .. }), "{refusal}");
}

#[test]
fn a_block_that_is_agreed_already_is_not_judged_by_this_nodes_clock() {
    let (chain, block) = proposed();
    let slow = Timestamp(block.header.time.0 - BLOCK_TIME_DRIFT_MAX_MS - 1);
    let refused = chain.ledger.validate(&[], block.clone(), Some(slow), &());
    assert!(matches!(refused, Err(BlockRefusal::FromTheFuture { .. })));
    assert!(chain.ledger.validate(&[], block, None, &()).is_ok());
}

/// The block with other transactions, whose root its header carries.
fn with(block: &UntrustedBlock, transactions: Vec<UntrustedTransaction>) -> UntrustedBlock {
    let mut header = block.header.clone();
    header.transactions_root = transactions_tree(&transactions).root();
    UntrustedBlock { header, transactions }
}

#[test]
fn left_out_added_and_exchanged_transactions_are_refused() {
    let (mut chain, block) = proposed();
    let chain_id = chain.ledger.chain();
    let mut fewer = block.clone();
    fewer.transactions.clear();
    assert!(matches!(refusal(&chain, fewer), BlockRefusal::Root { root: HeaderRoot::Transactions, .. }));
    let another = chain.li(Call::RequestAccess(request(chain.wang.did, chain.now())));
    let exchanged = with(&block, vec![another.as_untrusted().clone()]);
    assert!(matches!(refusal(&chain, exchanged), BlockRefusal::Root { root: HeaderRoot::Receipts, .. }));
    let mut forged = block.transactions[0].clone();
    forged.transaction.nonce.0 += 1;
    let forged = with(&block, vec![block.transactions[0].clone(), forged]);
    let signature = TransactionError::Signature;
    assert!(matches!(
        refusal(&chain, forged),
        BlockRefusal::Transaction { index: 1, source } if source == signature
    ));
    let elsewhere = ChainId(sm3(b"another chain"));
    let foreign = chain.li.sign(
        elsewhere,
        Call::UseAccess(UseAccess { grant: GrantId(another.id()), records: vec![record_id(0)] }),
    );
    let foreign = with(&block, vec![foreign.as_untrusted().clone()]);
    assert!(matches!(
        refusal(&chain, foreign),
        BlockRefusal::Transaction { index: 0, source: TransactionError::Chain { found, expected } }
            if found == elsewhere && expected == chain_id
    ));
}

#[test]
fn a_block_holds_no_transaction_twice_and_none_that_is_committed() {
    let (chain, block) = proposed();
    let twice = with(&block, vec![block.transactions[0].clone(); 2]);
    let id = block.transactions[0].transaction.id();
    assert!(matches!(
        refusal(&chain, twice),
        BlockRefusal::Inadmissible { transaction, code: RefusalCode::NonceUsed } if transaction == id
    ));
    let old = chain.ledger.block(Height(1)).unwrap().unwrap().block.transactions;
    let again = with(&block, old);
    assert!(matches!(
        refusal(&chain, again),
        BlockRefusal::Inadmissible { code: RefusalCode::NonceUsed, .. }
    ));
}

#[test]
fn a_block_over_a_limit_is_refused_before_any_signature_is_checked() {
    let (chain, block) = proposed();
    let count = BLOCK_TRANSACTIONS_MAX + 1;
    let many = with(&block, vec![block.transactions[0].clone(); count]);
    assert!(matches!(refusal(&chain, many), BlockRefusal::TooMany { found } if found == count));
    let mut large = block.transactions[0].clone();
    large.transaction.call =
        Call::GrantAccess(grant(RequestId(TxId(Digest::ZERO)), 0..1, &chain.li, chain.now()));
    if let Call::GrantAccess(call) = &mut large.transaction.call {
        call.keys.envelope = vec![0; TRANSACTION_BYTES_MAX];
    }
    let large = with(&block, vec![large; 2]);
    assert!(
        matches!(refusal(&chain, large), BlockRefusal::TooLarge { found } if found > 2 * TRANSACTION_BYTES_MAX)
    );
}

#[test]
fn a_proposer_leaves_out_what_has_no_place_or_no_room() {
    let mut chain = Chain::new();
    chain.enrol();
    let stranger =
        Actor::new(90).sign(chain.ledger.chain(), Call::RequestAccess(request(chain.wang.did, chain.now())));
    let refused = chain.li(Call::RequestAccess(request(chain.li.did, chain.now())));
    let good = chain.li(Call::RequestAccess(request(chain.wang.did, chain.now())));
    let candidates = vec![stranger.clone(), refused.clone(), good.clone(), good.clone()];
    let block = chain.propose(candidates);
    let ids: Vec<_> = block.transaction_ids().collect();
    assert_eq!(ids, [refused.id(), good.id()], "a refusal by a contract is part of the block");
    assert_eq!(block.receipts()[0].outcome, Outcome::Refused { code: RefusalCode::SelfDealing });
    let dropped = [(stranger.id(), RefusalCode::UnknownSender), (good.id(), RefusalCode::NonceUsed)];
    assert_eq!(block.inadmissible(), dropped);
    assert!(chain.ledger.validate(&[], block.block().clone(), Some(chain.now()), &()).is_ok());
}

#[test]
fn a_proposers_slow_clock_does_not_turn_time_back() {
    let chain = Chain::new();
    let (time, proposer, view) = (Timestamp(5), ReplicaId(0), View(0));
    let block =
        chain.ledger.execute(&[], ProposalInput { transactions: vec![], time, proposer, view }).unwrap();
    assert_eq!(block.header().time, chain.ledger.tip().time.plus_millis(1));
}

#[test]
fn what_no_block_may_hold_is_known_before_and_a_refused_call_is_left_to_the_block() {
    let mut chain = Chain::new();
    chain.enrol();
    let now = chain.now();
    let good = chain.li(Call::RequestAccess(request(chain.wang.did, now)));
    let refusal = |chain: &Chain, transaction| chain.ledger.moment().unwrap().refusal(transaction).unwrap();
    assert_eq!(refusal(&chain, &good), None);
    let late = chain.li(Call::RequestAccess(request(chain.wang.did, now.plus_millis(10 * DAY_MS))));
    assert_eq!(refusal(&chain, &late), None);
    let stranger =
        Actor::new(90).sign(chain.ledger.chain(), Call::RequestAccess(request(chain.wang.did, now)));
    assert_eq!(refusal(&chain, &stranger), Some(RefusalCode::UnknownSender));
    let before = chain.ledger.moment().unwrap();
    chain.commit(vec![good.clone()]);
    assert_eq!(refusal(&chain, &good), Some(RefusalCode::NonceUsed));
    assert_eq!((before.contains(good.id()).unwrap(), before.refusal(&good).unwrap()), (false, None));
}

#[test]
fn only_a_quorum_for_this_very_block_on_this_very_tip_commits_it() {
    let (chain, block) = proposed();
    let (tip, now) = (chain.ledger.tip(), Some(chain.now()));
    let executed = chain.ledger.validate(&[], block, now, &()).unwrap();
    let good = chain.certificate(&executed);
    let mut few = good.clone();
    few.signatures.truncate(2);
    let error = chain.ledger.commit(&executed, few).unwrap_err();
    assert!(matches!(error, CommitError::Certificate(CertificateError::TooFew { found: 2, needed: 3 })));
    let other = chain.propose(vec![]);
    let error = chain.ledger.commit(&executed, chain.certificate(&other)).unwrap_err();
    assert!(matches!(error, CommitError::Certificate(CertificateError::HeaderHash { .. })));
    assert_eq!(chain.ledger.tip(), tip);
    let certificate = chain.certificate(&other);
    chain.ledger.commit(&other, certificate).unwrap();
    let moved = chain.ledger.tip();
    let error = chain.ledger.commit(&executed, good).unwrap_err();
    assert!(matches!(error, CommitError::NotOnTip { height: Height(3), tip, .. } if tip == moved));
    assert_eq!(chain.ledger.tip(), moved);
}
