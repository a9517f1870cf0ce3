//! Blocks on top of blocks that are not committed yet.

use super::*;
use crate::mempool::Mempool;
use amulet_protocol::codec;
use amulet_protocol::ids::Nonce;
use amulet_protocol::receipt::RefusalCode;
use amulet_protocol::transaction::SealedId;
use std::collections::BTreeSet;

/// Knows these.
struct Known(BTreeSet<SealedId>);

impl VerifiedTransactions for Known {
    fn contains(&self, id: SealedId) -> bool {
        self.0.contains(&id)
    }
}

fn input(chain: &Chain, height: u64, transactions: Vec<SignedTransaction>) -> ProposalInput {
    let time = Timestamp(chain.ledger.tip().time.0 + height * 1_000);
    ProposalInput { transactions, time, proposer: ReplicaId(0), view: View(0) }
}

/// Transactions for each of some blocks: values made, changed and removed again, some blocks empty, and each block
/// dependent on those before it.
fn batches(chain: &mut Chain, blocks: u64) -> Vec<Vec<SignedTransaction>> {
    let (wang, li) = (chain.wang.registration(), chain.li.registration());
    let mut batches = vec![vec![chain.wang(wang), chain.li(li)]];
    for block in 1..blocks {
        let holder = chain.hospitals[1].did;
        let locator = u8::try_from(block).unwrap();
        batches.push(match block % 4 {
            0 => vec![],
            1 => vec![chain.wang(Call::PublishCard(card(locator, holder)))],
            2 => {
                let revoke = Call::RevokeCard(RevokeCard { locator: CardLocator([locator - 1; 5]) });
                vec![chain.wang(revoke), chain.wang(Call::PublishCard(card(locator, holder)))]
            }
            _ => (0..block)
                .map(|number| {
                    let newcomer = Actor::new(1_000 * block + number);
                    newcomer.sign_numbered(chain.ledger.chain(), Nonce(1), newcomer.registration())
                })
                .collect(),
        });
    }
    batches
}

fn same(one: &ExecutedBlock, other: &ExecutedBlock) {
    assert_eq!(codec::encode(one.block()), codec::encode(other.block()));
    assert_eq!(one.receipts(), other.receipts());
    assert_eq!(
        (&one.changes, &one.state, &one.range, &one.history),
        (&other.changes, &other.state, &other.range, &other.history)
    );
}

#[test]
fn a_block_on_uncommitted_parents_is_the_block_on_committed_ones() {
    for committed in [0, 1, 5] {
        let mut chain = Chain::new();
        let base = chain.ledger.tip();
        let batches = batches(&mut chain, 16);
        let mut blocks: Vec<Arc<ExecutedBlock>> = Vec::new();
        for (height, batch) in (1..).zip(batches.clone()) {
            // Some are committed on the way: those built on them are good all the same.
            if blocks.len() == committed {
                for block in &blocks {
                    chain.ledger.commit(block, chain.certificate(block)).unwrap();
                }
            }
            let time = Timestamp(base.time.0 + height * 1_000);
            let input = ProposalInput { transactions: batch, time, proposer: ReplicaId(0), view: View(0) };
            let proposed = chain.ledger.execute(&blocks, input).unwrap();
            assert!(proposed.inadmissible().is_empty());
            let block = proposed.block().clone();
            let validated = chain.ledger.validate(&blocks, block, Some(time), &()).unwrap();
            same(&proposed, &validated);
            blocks.push(Arc::new(validated));
        }
        for block in &blocks[committed..] {
            let input = input_like(block, &batches);
            let alone = chain.ledger.execute(&[], input).unwrap();
            same(block, &alone);
            chain.ledger.commit(block, chain.certificate(block)).unwrap();
        }
        assert_eq!(chain.ledger.tip().height, Height(16));
    }
}

fn input_like(block: &ExecutedBlock, batches: &[Vec<SignedTransaction>]) -> ProposalInput {
    let transactions = batches[usize::try_from(block.height().0).unwrap() - 1].clone();
    ProposalInput { transactions, time: block.header().time, proposer: ReplicaId(0), view: View(0) }
}

#[test]
fn a_nonce_used_in_an_uncommitted_parent_is_used() {
    let mut chain = Chain::new();
    let registration = chain.wang.registration();
    let once = chain.wang(registration);
    let parent = chain.ledger.execute(&[], input(&chain, 1, vec![once.clone()])).unwrap();
    let parents = [Arc::new(parent)];
    let again = chain.ledger.execute(&parents, input(&chain, 2, vec![once.clone()])).unwrap();
    assert_eq!(again.inadmissible(), [(once.id(), RefusalCode::NonceUsed)]);
    let (time, proposer, view) = (Timestamp(1), ReplicaId(0), View(0));
    let slow = ProposalInput { transactions: vec![], time, proposer, view };
    let next = chain.ledger.execute(&parents, slow).unwrap();
    assert_eq!(next.header().time, parents[0].header().time.plus_millis(1), "later than its parent");
}

#[test]
fn parents_that_do_not_continue_the_ledger_are_told() {
    let chain = Chain::new();
    let one = Arc::new(chain.ledger.execute(&[], input(&chain, 1, vec![])).unwrap());
    let other = Arc::new(chain.ledger.execute(&[], input(&chain, 2, vec![])).unwrap());
    let above = Arc::new(chain.ledger.execute(std::slice::from_ref(&one), input(&chain, 3, vec![])).unwrap());
    let block = above.block().clone();
    let gap = chain.ledger.execute(std::slice::from_ref(&above), input(&chain, 4, vec![]));
    assert!(matches!(gap, Err(ExecuteError::Detached(_))));
    let unlinked = chain.ledger.execute(&[other.clone(), above.clone()], input(&chain, 4, vec![]));
    assert!(matches!(unlinked, Err(ExecuteError::Detached(_))));
    chain.ledger.commit(&other, chain.certificate(&other)).unwrap();
    let overtaken = chain.ledger.validate(std::slice::from_ref(&one), block, None, &());
    let tip = chain.ledger.tip();
    assert!(matches!(
        overtaken,
        Err(BlockRefusal::Detached(Detached { height: Height(1), tip: found })) if found == tip.hash
    ));
    let late = chain.ledger.commit(&one, chain.certificate(&one)).unwrap_err();
    assert!(matches!(late, CommitError::NotOnTip { .. }));
    let orphan = chain.ledger.commit(&above, chain.certificate(&above)).unwrap_err();
    assert!(matches!(orphan, CommitError::NotOnTip { .. }));
}

/// A primary that pairs a transaction everybody knows with a signature nobody has checked finds no replica that takes it
/// on trust: otherwise those that know the transaction would commit a block that the others can never execute.
#[test]
fn knowing_a_transaction_vouches_for_no_other_signature() {
    let mut chain = Chain::new();
    let (wang, li) = (chain.wang.registration(), chain.li.registration());
    let (good, other) = (chain.wang(wang), chain.li(li));
    let known = Known(BTreeSet::from([good.sealed_id()]));
    let block = chain.propose(vec![good.clone()]).block().clone();
    assert!(chain.ledger.validate(&[], block.clone(), None, &known).is_ok());
    let mut forged = block;
    forged.transactions[0].signature = other.as_untrusted().signature;
    forged.header.transactions_root = amulet_protocol::block::transactions_tree(&forged.transactions).root();
    let refused = chain.ledger.validate(&[], forged.clone(), None, &known);
    assert!(matches!(refused, Err(BlockRefusal::Transaction { index: 0, .. })));
    // And one that is known is not checked again.
    let claimed = Known(BTreeSet::from([forged.transactions[0].clone().hashed().sealed_id()]));
    assert!(chain.ledger.validate(&[], forged, None, &claimed).is_ok());
}

/// The same as above, for a transaction that waits in the queue and is taken from there instead of being read.
#[test]
fn a_block_is_read_the_same_with_and_without_a_queue_and_a_forged_copy_is_not_taken_for_the_one_in_it() {
    let mut chain = Chain::new();
    let (wang, li) = (chain.wang.registration(), chain.li.registration());
    let (good, other) = (chain.wang(wang), chain.li(li));
    let (queue, none) = (Mempool::default(), Mempool::default());
    queue.insert(good.clone()).unwrap();
    let block = chain.propose(vec![good.clone(), other.clone()]).block().clone();
    let bytes = codec::encode(&block);
    for known in [&queue, &none] {
        let read = ArrivedBlock::decode(&bytes, known).unwrap();
        let executed = chain.ledger.validate(&[], read, None, &()).unwrap();
        assert_eq!(executed.block(), &block);
        assert!(ArrivedBlock::decode(&bytes[..bytes.len() - 1], known).is_none());
        assert!(ArrivedBlock::decode(&[bytes.as_slice(), &[0]].concat(), known).is_none());
    }
    let mut forged = block;
    forged.transactions[0].signature = other.as_untrusted().signature;
    forged.header.transactions_root = amulet_protocol::block::transactions_tree(&forged.transactions).root();
    let read = ArrivedBlock::decode(&codec::encode(&forged), &queue).unwrap();
    let refused = chain.ledger.validate(&[], read, None, &());
    assert!(matches!(refused, Err(BlockRefusal::Transaction { index: 0, .. })));
}
