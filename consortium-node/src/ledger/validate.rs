//! Judging a block that somebody else proposed: cheap checks first, then every signature, then everything again from
//! the transactions.

use super::error::{BlockRefusal, HeaderRoot};
use super::execute::{ExecutedBlock, Proposal, execute};
use super::store::Snapshot;
use amulet_crypto::digest::Digest;
use amulet_protocol::block::{UntrustedBlock, transactions_tree};
use amulet_protocol::codec;
use amulet_protocol::header::{HEADER_VERSION, Header};
use amulet_protocol::ids::{ChainId, Timestamp};
use amulet_protocol::limits::{BLOCK_TRANSACTIONS_BYTES_MAX, BLOCK_TRANSACTIONS_MAX};
use amulet_protocol::transaction::{SignedTransaction, TransactionError, UntrustedTransaction};
use amulet_protocol::validators::ValidatorSet;

/// How far a block's time may be ahead of a backup's clock, in milliseconds: more than well-kept clocks differ, and
/// little against the shortest time limit, an emergency access of one hour.
pub const BLOCK_TIME_DRIFT_MAX_MS: u64 = 10_000;

/// Executes `block` on top of the snapshot's tip, if it is exactly what an honest proposer would have made.
pub(super) fn validate(
    snapshot: &Snapshot,
    chain: ChainId,
    validators: &ValidatorSet,
    block: UntrustedBlock,
    now: Option<Timestamp>,
) -> Result<ExecutedBlock, BlockRefusal> {
    let UntrustedBlock { header, transactions } = block;
    let tip = snapshot.tip()?;
    check_place(&header, chain, &tip)?;
    check_time(&header, &tip, now)?;
    check_membership(&header, validators)?;
    check_size(&transactions)?;
    let computed = transactions_tree(&transactions).root();
    same(HeaderRoot::Transactions, header.transactions_root, computed)?;
    let transactions = verify_all(transactions, chain)?;
    let proposal = Proposal { time: header.time, proposer: header.proposer, view: header.view };
    let executed = execute(snapshot, chain, validators, transactions, proposal)?;
    if let Some((transaction, code)) = executed.inadmissible.first() {
        return Err(BlockRefusal::Inadmissible { transaction: *transaction, code: *code });
    }
    same(HeaderRoot::Receipts, header.receipts_root, executed.block.header.receipts_root)?;
    same(HeaderRoot::State, header.state_root, executed.block.header.state_root)?;
    same(HeaderRoot::Range, header.range_root, executed.block.header.range_root)?;
    assert_eq!(header, executed.block.header, "every field was compared or copied above");
    Ok(executed)
}

fn check_place(header: &Header, chain: ChainId, tip: &Header) -> Result<(), BlockRefusal> {
    if header.version != HEADER_VERSION {
        return Err(BlockRefusal::Version { found: header.version, expected: HEADER_VERSION });
    }
    if header.chain != chain {
        return Err(BlockRefusal::Chain { found: header.chain, expected: chain });
    }
    let expected = tip.height.next();
    if header.height != expected {
        return Err(BlockRefusal::Height { found: header.height, expected });
    }
    let expected = tip.hash();
    if header.previous != expected {
        return Err(BlockRefusal::Previous { found: header.previous, expected });
    }
    Ok(())
}

fn check_time(header: &Header, tip: &Header, now: Option<Timestamp>) -> Result<(), BlockRefusal> {
    if header.time <= tip.time {
        return Err(BlockRefusal::NotLater { found: header.time, previous: tip.time });
    }
    match now {
        Some(now) if header.time > now.plus_millis(BLOCK_TIME_DRIFT_MAX_MS) => {
            Err(BlockRefusal::FromTheFuture { found: header.time, now })
        }
        _ => Ok(()),
    }
}

fn check_membership(header: &Header, validators: &ValidatorSet) -> Result<(), BlockRefusal> {
    let computed = validators.hash();
    same(HeaderRoot::Validators, header.validators_hash, computed)?;
    // Until governance changes the set, each block is certified by the set of the genesis document.
    same(HeaderRoot::NextValidators, header.next_validators_hash, computed)?;
    let expected = validators.primary(header.view);
    if header.proposer != expected {
        return Err(BlockRefusal::Proposer { found: header.proposer, view: header.view, expected });
    }
    Ok(())
}

fn check_size(transactions: &[UntrustedTransaction]) -> Result<(), BlockRefusal> {
    if transactions.len() > BLOCK_TRANSACTIONS_MAX {
        return Err(BlockRefusal::TooMany { found: transactions.len() });
    }
    let found = transactions.iter().map(|transaction| codec::encode(transaction).len()).sum();
    if found > BLOCK_TRANSACTIONS_BYTES_MAX {
        return Err(BlockRefusal::TooLarge { found });
    }
    Ok(())
}

fn same(root: HeaderRoot, found: Digest, computed: Digest) -> Result<(), BlockRefusal> {
    if found == computed { Ok(()) } else { Err(BlockRefusal::Root { root, found, computed }) }
}

/// Checks every transaction by itself, on all processors. The first that fails, in the block's order, is reported.
fn verify_all(
    transactions: Vec<UntrustedTransaction>,
    chain: ChainId,
) -> Result<Vec<SignedTransaction>, BlockRefusal> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let share = transactions.len().div_ceil(processors).max(1);
    let verify = |share: &[UntrustedTransaction]| -> Vec<Result<SignedTransaction, TransactionError>> {
        share.iter().map(|transaction| transaction.clone().verify(chain)).collect()
    };
    let verified: Vec<_> = std::thread::scope(|scope| {
        let workers: Vec<_> =
            transactions.chunks(share).map(|share| scope.spawn(move || verify(share))).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("verifying does not panic")).collect()
    });
    let refuse = |(index, result): (usize, Result<_, _>)| {
        result.map_err(|source| BlockRefusal::Transaction { index, source })
    };
    verified.into_iter().enumerate().map(refuse).collect()
}
