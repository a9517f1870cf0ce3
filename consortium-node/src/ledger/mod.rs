//! The ledger: executes blocks, keeps them durably with their certificates, and proves to light clients what is in them.
//!
//! Order of things: a proposer [`execute`](Ledger::execute)s candidates and gets a block, the backups
//! [`validate`](Ledger::validate) it by executing it again, and once a quorum has signed the header's hash, everybody
//! [`commit`](Ledger::commit)s. Nothing is stored before. Both may be done on top of executed blocks that are not
//! committed yet; commits come in order of height. Reads see one moment of the ledger each.
//!
//! All calls block on the disk or the processor: from asynchronous code, call them where blocking is allowed.

mod arrived;
mod base;
mod commit;
mod epoch;
mod error;
mod execute;
mod moment;
mod prune;
mod queries;
mod range;
mod restore;
mod serve;
mod state_tree;
mod store;
#[cfg(test)]
mod tests;
mod transfer;
mod validate;

pub use arrived::{ArrivedBlock, KnownTransactions};
pub use epoch::EpochSet;
pub use error::{BlockRefusal, CommitError, Detached, ExecuteError, HeaderRoot, LedgerError};
pub use execute::{ExecutedBlock, ProposalInput, genesis_header};
pub use moment::Moment;
pub use prune::Pruned;
pub use restore::{Anchor, Refused, Restore, Survey, TakeError};
pub use transfer::{
    BLOCKS_PER_SNAPSHOT, ChunkSizes, EpochEnd, HistoryChunk, Standing, StateChunk, TransferRequest,
    TransferResponse,
};
pub use validate::{BLOCK_TIME_DRIFT_MAX_MS, VerifiedTransactions};

use amulet_contracts::StateRead;
use amulet_protocol::block::{UntrustedBlock, UntrustedCertifiedBlock, empty_root};
use amulet_protocol::certificate::{Sm2Votes, UntrustedCommitCertificate, UntrustedSignedHeader, VoteCheck};
use amulet_protocol::codec;
use amulet_protocol::genesis::Genesis;
use amulet_protocol::header::Header;
use amulet_protocol::ids::{ChainId, HeaderHash, Height, Timestamp, TxId};
use amulet_protocol::light::{LightRequest, LightResponse};
use amulet_protocol::receipt::Receipt;
use amulet_protocol::state::StateKey;
use amulet_protocol::transaction::{SignedTransaction, UntrustedTransaction};
use amulet_protocol::validators::ValidatorSet;
use base::Base;
use borsh::BorshDeserialize;
use epoch::EpochCache;
use execute::Proposal;
use redb::Database;
use state_tree::StateAt;
use std::path::Path;
use std::sync::Arc;
use store::Snapshot;
use tokio::sync::watch;

/// The newest committed block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tip {
    /// Its height.
    pub height: Height,
    /// Hash of its header.
    pub hash: HeaderHash,
    /// Its time.
    pub time: Timestamp,
}

impl Tip {
    fn of(header: &Header) -> Self {
        Self { height: header.height, hash: header.hash(), time: header.time }
    }
}

/// The ledger of one chain in one file. Clones share it.
#[derive(Clone)]
pub struct Ledger {
    inner: Arc<Inner>,
}

struct Inner {
    db: Database,
    chain: ChainId,
    epochs: EpochCache,
    votes: Box<dyn VoteCheck>,
    tip: watch::Sender<Tip>,
}

impl Ledger {
    /// Opens the ledger of the chain of `genesis`, or starts it with block 0 if the file is new.
    ///
    /// The newest block is checked against its own roots and certificate, so that a damaged file is noticed here.
    ///
    /// # Errors
    /// [`LedgerError`] by variant.
    pub fn open(path: &Path, genesis: &Genesis) -> Result<Self, LedgerError> {
        // Before the file is touched, so that a bad document leaves no empty ledger behind.
        genesis.validate()?;
        Self::over(store::open(path)?, genesis, Box::new(Sm2Votes))
    }

    /// As [`open`](Self::open), in a database that the caller opened on a store of its own, and with certificates whose
    /// votes `votes` checks.
    ///
    /// # Errors
    /// [`LedgerError`] by variant.
    pub fn over(db: Database, genesis: &Genesis, votes: Box<dyn VoteCheck>) -> Result<Self, LedgerError> {
        genesis.validate()?;
        let chain = genesis.chain_id();
        if store::is_new(&db)? {
            commit::start(&db, genesis)?;
        }
        let snapshot = Snapshot::new(&db)?;
        let tip = commit::check_file(&snapshot, chain, votes.as_ref())?;
        let epochs = EpochCache::new(epoch::current(&StateAt { snapshot: &snapshot, height: tip.height })?);
        let (tip, _) = watch::channel(tip);
        Ok(Self { inner: Arc::new(Inner { db, chain, epochs, votes, tip }) })
    }

    /// The chain.
    #[must_use]
    pub fn chain(&self) -> ChainId {
        self.inner.chain
    }

    /// The validators that certify the block after the tip.
    #[must_use]
    pub fn validators(&self) -> ValidatorSet {
        self.epoch().validators.clone()
    }

    /// The validators that certify block `height`; `None` above the block after the tip.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn validators_at(&self, height: Height) -> Result<Option<ValidatorSet>, LedgerError> {
        Ok(self.epoch_at(height)?.map(|epoch| epoch.validators))
    }

    /// The epoch of the block after the tip, with its validators.
    #[must_use]
    pub fn epoch(&self) -> Arc<EpochSet> {
        self.inner.epochs.newest()
    }

    /// The epoch in which block `height` is or will be certified; `None` above the block after the tip.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn epoch_at(&self, height: Height) -> Result<Option<EpochSet>, LedgerError> {
        epoch::at(&self.snapshot()?, height)
    }

    /// The newest committed block.
    #[must_use]
    pub fn tip(&self) -> Tip {
        *self.inner.tip.borrow()
    }

    /// Follows the tip.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<Tip> {
        self.inner.tip.subscribe()
    }

    /// Makes a block on top of `parents`: the uncommitted blocks from the tip up, in order; none for a block on the tip.
    /// Parents that have been committed meanwhile are passed over. Nothing is stored.
    ///
    /// # Errors
    /// [`ExecuteError`] by variant.
    pub fn execute(
        &self,
        parents: &[Arc<ExecutedBlock>],
        input: ProposalInput,
    ) -> Result<ExecutedBlock, ExecuteError> {
        let snapshot = self.snapshot()?;
        let base = Base::new(&snapshot, parents)??;
        let earliest = base.header().time.plus_millis(1);
        let ProposalInput { transactions, time, proposer, view } = input;
        let proposal = Proposal { time: time.max(earliest), proposer, view };
        let epoch = self.inner.epochs.on(&base)?;
        Ok(execute::execute(&base, self.inner.chain, epoch, transactions, proposal)?)
    }

    /// Judges a block on top of `parents`, as for [`Ledger::execute`], by executing it again. Nothing is stored.
    ///
    /// `now` is this node's clock, for a block that is newly proposed. It is `None` for a block that a quorum has prepared
    /// or committed already: its time was judged then, and a node whose clock is slow must still follow. `checked` knows
    /// the transactions whose signatures were verified here before; `&()` knows none.
    ///
    /// # Errors
    /// [`BlockRefusal`], the first rule that the block breaks; [`BlockRefusal::Detached`] and [`BlockRefusal::Ledger`]
    /// say nothing about the block.
    pub fn validate(
        &self,
        parents: &[Arc<ExecutedBlock>],
        block: impl Into<ArrivedBlock>,
        now: Option<Timestamp>,
        checked: &dyn VerifiedTransactions,
    ) -> Result<ExecutedBlock, BlockRefusal> {
        let snapshot = self.snapshot()?;
        let base = Base::new(&snapshot, parents)??;
        let epoch = self.inner.epochs.on(&base)?;
        validate::validate(&base, self.inner.chain, epoch, block.into(), now, checked)
    }

    /// Commits an executed block on top of the tip under its certificate, which is checked. On return it is on the disk.
    /// Blocks executed on top of this one stay good.
    ///
    /// # Errors
    /// [`CommitError`]; the ledger is then unchanged.
    pub fn commit(
        &self,
        block: &ExecutedBlock,
        certificate: UntrustedCommitCertificate,
    ) -> Result<Tip, CommitError> {
        let Inner { db, chain, epochs, votes, .. } = self.inner.as_ref();
        let signed = UntrustedSignedHeader { header: block.header().clone(), certificate };
        let certified = signed.verify_by(votes.as_ref(), *chain, &block.epoch.validators)?;
        let tip = commit::commit(db, block, &certified)?;
        epochs.keep(&block.next_epoch);
        self.inner.tip.send_if_modified(|current| {
            let newer = tip.height > current.height;
            if newer {
                *current = tip;
            }
            newer
        });
        Ok(tip)
    }

    /// A committed block with its certificate; `None` above the tip, below the floor, at the floor of a ledger that was copied,
    /// which has no transactions there, and at 0, which has no certificate.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn block(&self, height: Height) -> Result<Option<UntrustedCertifiedBlock>, LedgerError> {
        let snapshot = self.snapshot()?;
        // What is below may be half removed.
        if height < snapshot.floor()? {
            return Ok(None);
        }
        let Some(certificate) = snapshot.certificate(height)? else {
            return Ok(None);
        };
        let header = snapshot.header(height)?.ok_or(store::corrupt(&store::HEADERS))?;
        let transactions = snapshot.transactions(height)?;
        if transactions.is_empty() && header.transactions_root != empty_root() {
            return Ok(None);
        }
        Ok(Some(UntrustedCertifiedBlock { block: UntrustedBlock { header, transactions }, certificate }))
    }

    /// The commit certificate of a block; `None` where [`Ledger::block`] has none, but for the floor of a ledger that was copied.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn certificate(&self, height: Height) -> Result<Option<UntrustedCommitCertificate>, LedgerError> {
        self.snapshot()?.certificate(height)
    }

    /// A committed header; `None` above the tip.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn header(&self, height: Height) -> Result<Option<Header>, LedgerError> {
        self.snapshot()?.header(height)
    }

    /// The value at a key after the newest block.
    ///
    /// # Errors
    /// [`LedgerError`]; also when the value is not a `T`.
    pub fn read<T: BorshDeserialize>(&self, key: &StateKey) -> Result<Option<T>, LedgerError> {
        let snapshot = self.snapshot()?;
        let height = snapshot.tip()?.height;
        let bytes = StateAt { snapshot: &snapshot, height }.read(key)?;
        let decode = |bytes: Vec<u8>| codec::decode(&bytes, usize::MAX);
        bytes.map(decode).transpose().map_err(|_| store::corrupt(&store::STATE_VALUES))
    }

    /// The ledger as it is now, to judge transactions by.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn moment(&self) -> Result<Moment, LedgerError> {
        Moment::new(self.snapshot()?, self.inner.chain)
    }

    /// Of these transactions, those that no block on top of the tip may hold ([`Moment::refusal`]). A queue should forget
    /// them.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn inadmissible<'a>(
        &self,
        transactions: impl IntoIterator<Item = &'a SignedTransaction>,
    ) -> Result<Vec<TxId>, LedgerError> {
        let moment = self.moment()?;
        let mut found = Vec::new();
        for transaction in transactions {
            if moment.refusal(transaction)?.is_some() {
                found.push(transaction.id());
            }
        }
        Ok(found)
    }

    /// Whether a transaction is in a committed block, applied or refused.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn contains(&self, id: TxId) -> Result<bool, LedgerError> {
        Ok(self.snapshot()?.place(id)?.is_some())
    }

    /// The block of a committed transaction that was removed since; `None` for every other.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn removed(&self, id: TxId) -> Result<Option<Height>, LedgerError> {
        let snapshot = self.snapshot()?;
        let floor = snapshot.floor()?;
        Ok(snapshot.place(id)?.map(|(height, _)| Height(height)).filter(|height| *height < floor))
    }

    /// A committed transaction; `None` for one that was not committed, or that was removed.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn transaction(&self, id: TxId) -> Result<Option<UntrustedTransaction>, LedgerError> {
        let snapshot = self.snapshot()?;
        let Some(place) = snapshot.kept_place(id)? else {
            return Ok(None);
        };
        Ok(Some(snapshot.transaction(place)?))
    }

    /// What became of a committed transaction, and in which block; `None` as for [`Ledger::transaction`].
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn receipt(&self, id: TxId) -> Result<Option<(Height, Receipt)>, LedgerError> {
        let snapshot = self.snapshot()?;
        let Some(place) = snapshot.kept_place(id)? else {
            return Ok(None);
        };
        Ok(Some((Height(place.0), snapshot.receipt(place)?)))
    }

    /// Answers a light client's question about the ledger: [`LightRequest::Latest`], `LatestUnless`, `HeaderAt`,
    /// `RangeProof`, `State`, `History`, `Transactions`, `Receipt`. Other requests are refused as malformed.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn answer(&self, request: &LightRequest) -> Result<LightResponse, LedgerError> {
        queries::answer(&self.snapshot()?, request)
    }

    /// The lowest height that is here with its transactions and state; what lies below may have been removed.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn floor(&self) -> Result<Height, LedgerError> {
        self.snapshot()?.floor()
    }

    /// Does one bounded step towards keeping no more than `keep_blocks` blocks below the tip.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn prune(&self, keep_blocks: u64) -> Result<Pruned, LedgerError> {
        prune::step(&self.inner.db, keep_blocks)
    }

    /// As [`prune`](Self::prune), but removes what peers that copy still need: a deliberate bug.
    ///
    /// # Errors
    /// [`LedgerError`].
    #[cfg(feature = "planted")]
    pub fn prune_too_far(&self) -> Result<Pruned, LedgerError> {
        prune::step_too_far(&self.inner.db)
    }

    /// Answers a replica that is new or far behind.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn transfer(&self, request: &TransferRequest) -> Result<TransferResponse, LedgerError> {
        self.transfer_in(request, &ChunkSizes::MAX)
    }

    /// As [`transfer`](Self::transfer), in smaller pieces.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn transfer_in(
        &self,
        request: &TransferRequest,
        sizes: &ChunkSizes,
    ) -> Result<TransferResponse, LedgerError> {
        serve::answer(self.snapshot()?, request, sizes)
    }

    fn snapshot(&self) -> Result<Snapshot, LedgerError> {
        Snapshot::new(&self.inner.db)
    }
}
