//! Executing transactions on top of a block: what a proposer does to make a block, and a backup to check one.

use super::error::LedgerError;
use super::range;
use super::state_tree::{self, StateAt};
use super::store::Snapshot;
use amulet_contracts::{BlockContext, Changes, StateRead, Verdict, apply};
use amulet_crypto::digest::Digest;
use amulet_protocol::block::{UntrustedBlock, empty_root, transactions_tree};
use amulet_protocol::genesis::{Genesis, GenesisError};
use amulet_protocol::header::{HEADER_VERSION, Header};
use amulet_protocol::history::HistoryEntry;
use amulet_protocol::ids::{ChainId, Did, HeaderHash, Height, ReplicaId, Timestamp, TxId, View};
use amulet_protocol::limits::{BLOCK_TRANSACTIONS_BYTES_MAX, BLOCK_TRANSACTIONS_MAX};
use amulet_protocol::merkle::ListTree;
use amulet_protocol::range::range_root;
use amulet_protocol::receipt::{Receipt, RefusalCode};
use amulet_protocol::state::StateKey;
use amulet_protocol::transaction::{SignedTransaction, UntrustedTransaction};
use amulet_protocol::validators::ValidatorSet;
use jmt::storage::NodeBatch;
use std::collections::BTreeMap;

/// What a proposer puts into a block.
#[derive(Clone, Debug)]
pub struct ProposalInput {
    /// Candidates, in order. Those that do not fit any more are left out, and so are inadmissible ones.
    pub transactions: Vec<SignedTransaction>,
    /// The proposer's clock. The block gets a later time if this is not after the tip's.
    pub time: Timestamp,
    /// Who proposes.
    pub proposer: ReplicaId,
    /// In which view.
    pub view: View,
}

/// A block with everything that its execution on top of the tip gave. Nothing of it is stored yet.
#[derive(Clone, Debug)]
pub struct ExecutedBlock {
    pub(super) block: UntrustedBlock,
    pub(super) hash: HeaderHash,
    pub(super) receipts: Vec<Receipt>,
    pub(super) history: Vec<(Did, HistoryEntry)>,
    pub(super) state: NodeBatch,
    pub(super) range: Vec<(u64, Digest)>,
    pub(super) inadmissible: Vec<(TxId, RefusalCode)>,
}

impl ExecutedBlock {
    /// The header; its hash is what the consortium agrees on.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.block.header
    }

    /// Hash of the header.
    #[must_use]
    pub fn hash(&self) -> HeaderHash {
        self.hash
    }

    /// Height of the block.
    #[must_use]
    pub fn height(&self) -> Height {
        self.block.header.height
    }

    /// Identities of the block's transactions, in order.
    pub fn transaction_ids(&self) -> impl Iterator<Item = TxId> + '_ {
        self.receipts.iter().map(|receipt| receipt.transaction)
    }

    /// The receipts, in the order of the transactions.
    #[must_use]
    pub fn receipts(&self) -> &[Receipt] {
        &self.receipts
    }

    /// Candidates that were left out because their key or nonce is not good for their sender: a mempool should forget
    /// them. Empty for a validated block.
    #[must_use]
    pub fn inadmissible(&self) -> &[(TxId, RefusalCode)] {
        &self.inadmissible
    }

    /// The block in the form that travels.
    #[must_use]
    pub fn block(&self) -> &UntrustedBlock {
        &self.block
    }
}

/// What stands in a header beside what execution gives.
#[derive(Clone, Copy)]
pub(super) struct Proposal {
    pub(super) time: Timestamp,
    pub(super) proposer: ReplicaId,
    pub(super) view: View,
}

/// The block that `candidates` make on top of the snapshot's tip.
pub(super) fn execute(
    snapshot: &Snapshot,
    chain: ChainId,
    validators: &ValidatorSet,
    candidates: Vec<SignedTransaction>,
    proposal: Proposal,
) -> Result<ExecutedBlock, LedgerError> {
    let tip = snapshot.tip()?;
    let previous = tip.hash();
    let height = tip.height.next();
    let context = BlockContext { chain, height, time: proposal.time };
    let mut run = Run::new(StateAt { snapshot, height: tip.height });
    for candidate in candidates {
        run.take(candidate, &context)?;
    }
    let (state_root, state) = state_tree::update(snapshot, height, &run.overlay.changes)?;
    let range = range::extend(snapshot, tip.height, previous)?;
    let header = Header {
        version: HEADER_VERSION,
        chain,
        height,
        time: proposal.time,
        previous,
        transactions_root: transactions_tree(&run.transactions).root(),
        receipts_root: receipts_tree(&run.receipts).root(),
        state_root,
        range_root: range.root,
        validators_hash: validators.hash(),
        next_validators_hash: validators.hash(),
        proposer: proposal.proposer,
        view: proposal.view,
    };
    Ok(ExecutedBlock {
        hash: header.hash(),
        block: UntrustedBlock { header, transactions: run.transactions },
        receipts: run.receipts,
        history: run.history,
        state,
        range: range.nodes,
        inadmissible: run.inadmissible,
    })
}

/// The tree over a block's receipts.
pub(super) fn receipts_tree(receipts: &[Receipt]) -> ListTree {
    ListTree::new(receipts.iter().map(Receipt::leaf))
}

/// Header and state of block 0, which has no certificate: everybody computes it from the document they pinned.
pub(super) fn genesis_block(genesis: &Genesis) -> Result<(Header, NodeBatch), LedgerError> {
    let validators = genesis.validate()?;
    let changes: Changes =
        amulet_contracts::genesis_state(genesis).into_iter().map(|(key, value)| (key, Some(value))).collect();
    let (state_root, state) = state_tree::update(&state_tree::EmptyTree, Height(0), &changes)?;
    let header = Header {
        version: HEADER_VERSION,
        chain: genesis.chain_id(),
        height: Height(0),
        time: genesis.time,
        previous: HeaderHash(Digest::ZERO),
        transactions_root: empty_root(),
        receipts_root: empty_root(),
        state_root,
        range_root: range_root(0, None),
        validators_hash: validators.hash(),
        next_validators_hash: validators.hash(),
        proposer: ReplicaId(0),
        view: View(0),
    };
    Ok((header, state))
}

/// The header of block 0.
///
/// # Errors
/// The document is no good.
pub fn genesis_header(genesis: &Genesis) -> Result<Header, GenesisError> {
    match genesis_block(genesis) {
        Ok((header, _)) => Ok(header),
        Err(LedgerError::Genesis(error)) => Err(error),
        Err(error) => unreachable!("an empty tree in memory cannot fail: {error}"),
    }
}

/// Transactions in execution.
struct Run<'a> {
    overlay: Overlay<'a>,
    bytes: usize,
    transactions: Vec<UntrustedTransaction>,
    receipts: Vec<Receipt>,
    history: Vec<(Did, HistoryEntry)>,
    inadmissible: Vec<(TxId, RefusalCode)>,
}

impl<'a> Run<'a> {
    fn new(base: StateAt<'a>) -> Self {
        Self {
            overlay: Overlay { base, changes: BTreeMap::new() },
            bytes: 0,
            transactions: Vec::new(),
            receipts: Vec::new(),
            history: Vec::new(),
            inadmissible: Vec::new(),
        }
    }

    /// Executes one candidate, unless the block has no room for it.
    fn take(&mut self, candidate: SignedTransaction, context: &BlockContext) -> Result<(), LedgerError> {
        let bytes = self.bytes + candidate.size();
        if self.transactions.len() == BLOCK_TRANSACTIONS_MAX || bytes > BLOCK_TRANSACTIONS_BYTES_MAX {
            return Ok(());
        }
        match apply(&self.overlay, &candidate, context)? {
            Verdict::Inadmissible(code) => self.inadmissible.push((candidate.id(), code)),
            Verdict::Executed(applied) => {
                self.bytes = bytes;
                self.overlay.changes.extend(applied.changes);
                self.history.extend(applied.history);
                self.receipts.push(Receipt { transaction: candidate.id(), outcome: applied.outcome });
                self.transactions.push(candidate.as_untrusted().clone());
            }
        }
        Ok(())
    }
}

/// The state of the tip with the changes of this block's transactions so far on top.
struct Overlay<'a> {
    base: StateAt<'a>,
    changes: Changes,
}

impl StateRead for Overlay<'_> {
    type Error = LedgerError;

    fn read(&self, key: &StateKey) -> Result<Option<Vec<u8>>, LedgerError> {
        match self.changes.get(key) {
            Some(changed) => Ok(changed.clone()),
            None => self.base.read(key),
        }
    }
}
