//! Judging a block that somebody else proposed: cheap checks first, then every signature, then everything again from
//! the transactions.

use super::arrived::{Arrived, ArrivedBlock, of_chain};
use super::base::Base;
use super::epoch::EpochSet;
use super::error::{BlockRefusal, HeaderRoot};
use super::execute::{ExecutedBlock, Proposal, execute};
use amulet_crypto::digest::Digest;
use amulet_protocol::header::{HEADER_VERSION, Header};
use amulet_protocol::ids::{ChainId, Timestamp};
use amulet_protocol::limits::{BLOCK_TRANSACTIONS_BYTES_MAX, BLOCK_TRANSACTIONS_MAX};
use amulet_protocol::merkle::list_root;
use amulet_protocol::transaction::{HashedTransaction, SealedId, SignedTransaction, TransactionError};
use std::sync::Arc;

/// How far a block's time may be ahead of a backup's clock, in milliseconds: more than well-kept clocks differ, and
/// little against the shortest time limit, an emergency access of one hour.
pub const BLOCK_TIME_DRIFT_MAX_MS: u64 = 10_000;

/// Transactions whose signatures this node has checked already, so that none is checked twice.
///
/// They are known by their [`SealedId`], which covers key and signature. A [`TxId`](amulet_protocol::ids::TxId) would not
/// do: it leaves the signature out, so a primary could pair a known transaction with a wrong signature, replicas that know
/// the transaction would accept the block, the others would not, and a block that some correct replicas can never execute
/// could be committed.
pub trait VerifiedTransactions: Send + Sync {
    /// Whether this very transaction, key and signature included, was verified for this ledger's chain. Forgetting one
    /// costs a check; claiming one wrongly lets a forged transaction in.
    fn contains(&self, id: SealedId) -> bool;
}

/// Nothing was checked before.
impl VerifiedTransactions for () {
    fn contains(&self, _: SealedId) -> bool {
        false
    }
}

/// Executes `block` on top of `base`, if it is exactly what an honest proposer would have made.
pub(super) fn validate(
    base: &Base<'_>,
    chain: ChainId,
    epoch: Arc<EpochSet>,
    block: ArrivedBlock,
    now: Option<Timestamp>,
    checked: &dyn VerifiedTransactions,
) -> Result<ExecutedBlock, BlockRefusal> {
    let ArrivedBlock { header, transactions } = block;
    let parent = base.header();
    check_place(&header, chain, parent)?;
    check_time(&header, parent, now)?;
    check_membership(&header, &epoch)?;
    check_size(&transactions)?;
    let leaves: Vec<_> = transactions.iter().map(|transaction| transaction.sealed_id().0).collect();
    same(HeaderRoot::Transactions, header.transactions_root, list_root(&leaves))?;
    let transactions = verify_all(transactions, chain, checked)?;
    let proposal = Proposal { time: header.time, proposer: header.proposer, view: header.view };
    let executed = execute(base, chain, epoch, transactions, proposal)?;
    if let Some((transaction, code)) = executed.inadmissible.first() {
        return Err(BlockRefusal::Inadmissible { transaction: *transaction, code: *code });
    }
    same(HeaderRoot::Receipts, header.receipts_root, executed.block.header.receipts_root)?;
    let next = executed.block.header.next_validators_hash;
    same(HeaderRoot::NextValidators, header.next_validators_hash, next)?;
    same(HeaderRoot::State, header.state_root, executed.block.header.state_root)?;
    same(HeaderRoot::Range, header.range_root, executed.block.header.range_root)?;
    assert_eq!(header, executed.block.header, "every field was compared or copied above");
    Ok(executed)
}

fn check_place(header: &Header, chain: ChainId, parent: &Header) -> Result<(), BlockRefusal> {
    if header.version != HEADER_VERSION {
        return Err(BlockRefusal::Version { found: header.version, expected: HEADER_VERSION });
    }
    if header.chain != chain {
        return Err(BlockRefusal::Chain { found: header.chain, expected: chain });
    }
    let expected = parent.height.next();
    if header.height != expected {
        return Err(BlockRefusal::Height { found: header.height, expected });
    }
    let expected = parent.hash();
    if header.previous != expected {
        return Err(BlockRefusal::Previous { found: header.previous, expected });
    }
    Ok(())
}

fn check_time(header: &Header, parent: &Header, now: Option<Timestamp>) -> Result<(), BlockRefusal> {
    if header.time <= parent.time {
        return Err(BlockRefusal::NotLater { found: header.time, previous: parent.time });
    }
    match now {
        Some(now) if header.time > now.plus_millis(BLOCK_TIME_DRIFT_MAX_MS) => {
            Err(BlockRefusal::FromTheFuture { found: header.time, now })
        }
        _ => Ok(()),
    }
}

fn check_membership(header: &Header, epoch: &EpochSet) -> Result<(), BlockRefusal> {
    same(HeaderRoot::Validators, header.validators_hash, epoch.hash)?;
    let expected = epoch.validators.primary(header.view);
    if header.proposer != expected {
        return Err(BlockRefusal::Proposer { found: header.proposer, view: header.view, expected });
    }
    Ok(())
}

/// Whether the block has room for its transactions.
fn check_size(transactions: &[Arrived]) -> Result<(), BlockRefusal> {
    if transactions.len() > BLOCK_TRANSACTIONS_MAX {
        return Err(BlockRefusal::TooMany { found: transactions.len() });
    }
    let found = transactions.iter().map(Arrived::size).sum();
    if found > BLOCK_TRANSACTIONS_BYTES_MAX {
        return Err(BlockRefusal::TooLarge { found });
    }
    Ok(())
}

fn same(root: HeaderRoot, found: Digest, computed: Digest) -> Result<(), BlockRefusal> {
    if found == computed { Ok(()) } else { Err(BlockRefusal::Root { root, found, computed }) }
}

/// Checks every transaction by itself, those that nobody checked before on all processors. The first that fails, in the
/// block's order, is reported.
fn verify_all(
    transactions: Vec<Arrived>,
    chain: ChainId,
    checked: &dyn VerifiedTransactions,
) -> Result<Vec<SignedTransaction>, BlockRefusal> {
    type Verified = Result<SignedTransaction, TransactionError>;
    let is_checked = |found: &Arrived| match found {
        Arrived::Known(_) => true,
        Arrived::New(new) => checked.contains(new.sealed_id()),
    };
    let known: Vec<bool> = transactions.iter().map(is_checked).collect();
    let unknown = transactions.iter().zip(&known).filter_map(|(found, is_checked)| match found {
        Arrived::New(new) if !is_checked => Some(new.as_ref()),
        _ => None,
    });
    let unknown: Vec<&HashedTransaction> = unknown.collect();
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let share = unknown.len().div_ceil(processors).max(1);
    let verify = |share: &[&HashedTransaction]| -> Vec<Verified> {
        share.iter().map(|transaction| (*transaction).clone().verify(chain)).collect()
    };
    let verified: Vec<Verified> = std::thread::scope(|scope| {
        let workers: Vec<_> = unknown.chunks(share).map(|share| scope.spawn(move || verify(share))).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("verifying does not panic")).collect()
    });
    let mut verified = verified.into_iter();
    let judge = |(index, (transaction, is_checked)): (usize, (Arrived, bool))| {
        let judged = match transaction {
            Arrived::Known(known) => of_chain(known, chain),
            Arrived::New(new) if is_checked => new.verified_before(chain),
            Arrived::New(_) => verified.next().expect("each unknown one was verified"),
        };
        judged.map_err(|source| BlockRefusal::Transaction { index, source })
    };
    transactions.into_iter().zip(known).enumerate().map(judge).collect()
}
