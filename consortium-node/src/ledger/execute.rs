//! Executing transactions on top of a block: what a proposer does to make a block, and a backup to check one.

use super::base::Base;
use super::epoch::{self, EpochSet};
use super::error::LedgerError;
use super::range;
use super::state_tree::{self, TreeUpdate};
use amulet_contracts::{BlockContext, Changes, StateRead, Verdict, apply};
use amulet_crypto::digest::Digest;
use amulet_protocol::block::{UntrustedBlock, empty_root};
use amulet_protocol::genesis::{Genesis, GenesisError};
use amulet_protocol::header::{HEADER_VERSION, Header};
use amulet_protocol::history::HistoryEntry;
use amulet_protocol::ids::{ChainId, Did, HeaderHash, Height, ReplicaId, Timestamp, TxId, View};
use amulet_protocol::limits::{BLOCK_TRANSACTIONS_BYTES_MAX, BLOCK_TRANSACTIONS_MAX};
use amulet_protocol::merkle::{ListTree, leaf_hash, list_root};
use amulet_protocol::range::range_root;
use amulet_protocol::receipt::{Receipt, RefusalCode};
use amulet_protocol::state::StateKey;
use amulet_protocol::transaction::{SignedTransaction, UntrustedTransaction};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a proposer puts into a block.
#[derive(Clone, Debug)]
pub struct ProposalInput {
    /// Candidates, in order. Those that do not fit any more are left out, and so are inadmissible ones.
    pub transactions: Vec<SignedTransaction>,
    /// The proposer's clock. The block gets a later time if this is not after its parent's.
    pub time: Timestamp,
    /// Who proposes.
    pub proposer: ReplicaId,
    /// In which view.
    pub view: View,
}

/// A block with everything that its execution gave. Nothing of it is stored yet. It stays good until another block is
/// committed at its height or below: committing its parents changes nothing about it.
#[derive(Clone, Debug)]
pub struct ExecutedBlock {
    pub(super) block: UntrustedBlock,
    pub(super) hash: HeaderHash,
    pub(super) receipts: Vec<Receipt>,
    pub(super) history: Vec<(Did, HistoryEntry)>,
    /// Receipts in the form that is hashed and stored.
    pub(super) receipt_bytes: Vec<Vec<u8>>,
    pub(super) changes: Changes,
    pub(super) state: TreeUpdate,
    pub(super) range: Vec<(u64, Digest)>,
    pub(super) epoch: Arc<EpochSet>,
    pub(super) next_epoch: Arc<EpochSet>,
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

    /// The epoch whose validators certify this block.
    #[must_use]
    pub fn epoch(&self) -> &Arc<EpochSet> {
        &self.epoch
    }

    /// The epoch whose validators certify the block after this one.
    #[must_use]
    pub fn next_epoch(&self) -> &Arc<EpochSet> {
        &self.next_epoch
    }

    /// Whether another validator set certifies the block after this one.
    #[must_use]
    pub fn ends_epoch(&self) -> bool {
        self.block.header.validators_hash != self.block.header.next_validators_hash
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

    /// Candidates that were left out because their key or nonce is not good for their sender, judged by the state after
    /// the parents: a mempool should forget them once the parents are committed. Empty for a validated block.
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

/// The block that `candidates` make on top of `base`.
pub(super) fn execute(
    base: &Base<'_>,
    chain: ChainId,
    epoch: Arc<EpochSet>,
    candidates: Vec<SignedTransaction>,
    proposal: Proposal,
) -> Result<ExecutedBlock, LedgerError> {
    let parent = base.header();
    let previous = parent.hash();
    let height = parent.height.next();
    let context = BlockContext { chain, height, time: proposal.time };
    let mut run = Run::new(base);
    for candidate in candidates {
        run.take(candidate, &context)?;
    }
    let next_epoch = run.end(height, &epoch)?;
    let changes = run.overlay.changes;
    let (state_root, state) = state_tree::update(base, height, &changes)?;
    let range = range::extend(base, parent.height, previous)?;
    let receipt_bytes: Vec<_> = run.receipts.iter().map(Receipt::leaf).collect();
    let receipt_hashes: Vec<_> = receipt_bytes.iter().map(|leaf| leaf_hash(leaf)).collect();
    let header = Header {
        version: HEADER_VERSION,
        chain,
        height,
        time: proposal.time,
        previous,
        transactions_root: list_root(&run.leaves),
        receipts_root: list_root(&receipt_hashes),
        state_root,
        range_root: range.root,
        validators_hash: epoch.hash,
        next_validators_hash: next_epoch.hash,
        proposer: proposal.proposer,
        view: proposal.view,
    };
    Ok(ExecutedBlock {
        hash: header.hash(),
        block: UntrustedBlock { header, transactions: run.transactions },
        receipts: run.receipts,
        receipt_bytes,
        history: run.history,
        changes,
        state,
        range: range.nodes,
        epoch,
        next_epoch,
        inadmissible: run.inadmissible,
    })
}

/// The tree over a block's receipts.
pub(super) fn receipts_tree(receipts: &[Receipt]) -> ListTree {
    ListTree::new(receipts.iter().map(Receipt::leaf))
}

/// Header and state of block 0, which has no certificate: everybody computes it from the document they pinned.
pub(super) fn genesis_block(genesis: &Genesis) -> Result<(Header, Changes, TreeUpdate), LedgerError> {
    let validators = genesis.validate()?;
    let changes: Changes = amulet_contracts::genesis_state(genesis)?
        .into_iter()
        .map(|(key, value)| (key, Some(value)))
        .collect();
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
    Ok((header, changes, state))
}

/// The header of block 0.
///
/// # Errors
/// The document is no good.
pub fn genesis_header(genesis: &Genesis) -> Result<Header, GenesisError> {
    match genesis_block(genesis) {
        Ok((header, ..)) => Ok(header),
        Err(LedgerError::Genesis(error)) => Err(error),
        Err(error) => unreachable!("an empty tree in memory cannot fail: {error}"),
    }
}

/// Transactions in execution.
struct Run<'a> {
    overlay: Overlay<'a>,
    bytes: usize,
    transactions: Vec<UntrustedTransaction>,
    leaves: Vec<Digest>,
    receipts: Vec<Receipt>,
    history: Vec<(Did, HistoryEntry)>,
    inadmissible: Vec<(TxId, RefusalCode)>,
}

impl<'a> Run<'a> {
    fn new(base: &'a Base<'a>) -> Self {
        Self {
            overlay: Overlay { base, changes: BTreeMap::new() },
            bytes: 0,
            transactions: Vec::new(),
            leaves: Vec::new(),
            receipts: Vec::new(),
            history: Vec::new(),
            inadmissible: Vec::new(),
        }
    }

    /// Ends the block: a decided change of the validator set that is due is made. The epoch of the block after this one.
    fn end(&mut self, height: Height, epoch: &Arc<EpochSet>) -> Result<Arc<EpochSet>, LedgerError> {
        let changes = amulet_contracts::validators::advance(&self.overlay, height)?;
        if changes.is_empty() {
            return Ok(epoch.clone());
        }
        self.overlay.changes.extend(changes);
        Ok(Arc::new(epoch::current(&self.overlay)?))
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
                self.leaves.push(candidate.sealed_id().0);
                self.transactions.push(candidate.into_untrusted());
            }
        }
        Ok(())
    }
}

/// The state of the base with the changes of this block's transactions so far on top.
struct Overlay<'a> {
    base: &'a Base<'a>,
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
