//! The facade: what a wallet calls. Every answer it returns is proven against a trusted header, or the call fails with what
//! was wrong and whose fault it is.

mod ask;
mod blobs;
mod export;
mod headers;
mod history;
mod keeping;
mod members;
mod peers;
mod reputation;
mod state;
mod submit;
mod witness;

pub(crate) use ask::judge_by;
pub use export::Wanted;
pub use headers::ProvenHeader;
pub(crate) use headers::check_range;
pub use history::ProvenHistory;
pub use members::JOINED_MAX;
pub(crate) use members::Published;
pub use reputation::{LedgerScore, Measured};
pub use submit::ProvenReceipt;

use crate::error::{Forgery, LightError};
use crate::header::TrustedHeader;
use crate::params::TrustParams;
use crate::platform::{Clock, ProgressFn, SystemClock};
use crate::store::{ClientStore, Kept, StoreError, StoredFork};
use crate::transport::{MeteredTransport, NodeIndex, Transport};
use crate::verifier::{Checkpoint, CheckpointError, Verifier};
use amulet_crypto::digest::Digest;
use amulet_protocol::certificate::UntrustedSignedHeader;
use amulet_protocol::genesis::Genesis;
use amulet_protocol::ids::{ChainId, Did, Epoch, Height, Timestamp};
use amulet_protocol::validators::ValidatorSet;
use reputation::Merits;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

/// A hospital's node that can be asked. The transport knows its addresses, under the same index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeInfo {
    /// The organisation that runs it: one of the genesis document's, or one that validates since.
    pub organisation: Did,
}

/// What is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Asking hospitals for the newest header; counts hospitals.
    Sync,
    /// Proving state; counts keys.
    State,
    /// Fetching a personal history; counts entries.
    History,
    /// Fetching transactions; counts them.
    Transactions,
    /// Fetching ciphertexts; counts them.
    Blobs,
}

/// How far something long has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What.
    pub stage: Stage,
    /// Done so far.
    pub done: u64,
    /// Of how many.
    pub total: u64,
}

/// What this client has seen of a node; decides whom it asks first.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Standing {
    /// Answers, and had the newest header at the last sync, or was not asked yet.
    #[default]
    Good,
    /// Answers, but was behind.
    Behind,
    /// Did not answer.
    Unreachable,
    /// Was caught in a lie; asked only when nobody else is left, and its word alone counts for nothing anyway.
    Lied(Forgery),
}

/// A light client of one chain. All methods take `&self`; it can be shared.
pub struct LightClient {
    /// Knows the pinned validator set only: the genesis document's, or a checkpoint's.
    start: Mutex<Arc<Verifier>>,
    params: TrustParams,
    /// The genesis document's validators: what readers of a proof file start from.
    founders: ValidatorSet,
    /// How many nodes it was started with: the first of the list.
    given: usize,
    pub(crate) transport: MeteredTransport,
    kept: Kept,
    clock: Arc<dyn Clock>,
    progress: Option<Arc<ProgressFn>>,
    state: Mutex<State>,
    /// Held during a sync, so that two at once cannot each extend the trusted header another way.
    pub(crate) syncing: futures::lock::Mutex<()>,
    /// Held while one node leads along the validator sets, so that the others need not send them too.
    pub(crate) following: futures::lock::Mutex<()>,
}

/// What a verifier had learnt when a sync began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SyncStart {
    /// Height of the header that the validator sets known then rest on.
    pub(crate) base: Height,
    /// Steps that had led there.
    pub(crate) steps: usize,
}

impl SyncStart {
    pub(crate) fn of(verifier: &Verifier) -> Self {
        Self { base: verifier.base(), steps: verifier.trail().len() }
    }
}

struct State {
    verifier: Arc<Verifier>,
    trusted: Option<TrustedHeader>,
    /// What was known when the sync under way, or the last one, began.
    syncing_from: SyncStart,
    /// Headers that do not fit what others led to in the sync under way, or the last one.
    doubts: BTreeMap<NodeIndex, UntrustedSignedHeader>,
    /// Whether the store was looked into.
    restored: bool,
    store_trouble: Option<StoreError>,
    nodes: Vec<NodeInfo>,
    /// Nodes that are not asked, because their organisation no longer validates.
    left: BTreeSet<NodeIndex>,
    /// Where the ledger has the validators' nodes.
    published: Published,
    /// The validators for whose nodes was last looked, and when.
    looked_for: (BTreeSet<(Did, Vec<u8>)>, Timestamp),
    standings: Vec<Standing>,
    /// Forks that were found, with who was told.
    forks: Vec<StoredFork>,
    merits: Merits,
    proven: BTreeMap<Height, ProvenHeader>,
    /// Sets of skipped epochs that old headers were proven with, by their digests.
    skipped_sets: BTreeMap<Digest, Arc<ValidatorSet>>,
}

impl LightClient {
    /// A client that starts from a pinned genesis document and from what the store holds, which
    /// [`restore`](LightClient::restore) or the first sync reads.
    ///
    /// # Errors
    /// [`LightError::Genesis`], [`LightError::UnknownOrganisation`], [`LightError::TooFewNodes`].
    pub fn new(
        genesis: &Genesis,
        nodes: Vec<NodeInfo>,
        transport: Arc<dyn Transport>,
        store: Box<dyn ClientStore>,
        params: TrustParams,
    ) -> Result<Self, LightError> {
        let validators = genesis.validate()?;
        let start = Verifier::new(genesis.chain_id(), validators.clone(), params);
        Self::starting(start, validators, genesis, nodes, transport, store)
    }

    /// A client that starts from a checkpoint instead of the genesis document's validators, some of whom may have left long
    /// ago. The document still names the chain; nodes may be those of its organisations and of the checkpoint's validators.
    ///
    /// # Errors
    /// As [`LightClient::new`], and [`LightError::Checkpoint`] for a checkpoint of another chain.
    pub fn from_checkpoint(
        genesis: &Genesis,
        checkpoint: &Checkpoint,
        nodes: Vec<NodeInfo>,
        transport: Arc<dyn Transport>,
        store: Box<dyn ClientStore>,
        params: TrustParams,
    ) -> Result<Self, LightError> {
        let founders = genesis.validate()?;
        let (found, expected) = (checkpoint.header().chain, genesis.chain_id());
        if found != expected {
            return Err(CheckpointError::Chain { found, expected }.into());
        }
        Self::starting(
            Verifier::from_checkpoint(checkpoint, params),
            founders,
            genesis,
            nodes,
            transport,
            store,
        )
    }

    fn starting(
        start: Verifier,
        founders: ValidatorSet,
        genesis: &Genesis,
        nodes: Vec<NodeInfo>,
        transport: Arc<dyn Transport>,
        store: Box<dyn ClientStore>,
    ) -> Result<Self, LightError> {
        for (index, node) in nodes.iter().enumerate() {
            let is_founder =
                genesis.organisations.iter().any(|organisation| organisation.did() == node.organisation);
            if !is_founder && !members::organisations(start.validators()).contains(&node.organisation) {
                let node_index = NodeIndex(index);
                return Err(LightError::UnknownOrganisation {
                    node: node_index,
                    organisation: node.organisation,
                });
            }
        }
        let organisations: BTreeSet<Did> = nodes.iter().map(|node| node.organisation).collect();
        let (found, needed) = (organisations.len(), start.params().witnesses());
        if found < needed {
            return Err(LightError::TooFewNodes { found, needed });
        }
        let given = nodes.len();
        let state = State {
            verifier: Arc::new(start.clone()),
            trusted: None,
            syncing_from: SyncStart::of(&start),
            doubts: BTreeMap::new(),
            restored: false,
            store_trouble: None,
            standings: vec![Standing::default(); given],
            left: BTreeSet::new(),
            published: BTreeMap::new(),
            // Whoever gave the nodes knew of these validators.
            looked_for: (peers::roster(&founders), Timestamp(0)),
            forks: Vec::new(),
            merits: Merits::new(given),
            nodes,
            proven: BTreeMap::new(),
            skipped_sets: BTreeMap::new(),
        };
        let transport = MeteredTransport::new(transport, given);
        Ok(Self {
            params: *start.params(),
            start: Mutex::new(Arc::new(start)),
            founders,
            given,
            transport,
            kept: Kept::new(store),
            clock: Arc::new(SystemClock),
            progress: None,
            state: Mutex::new(state),
            syncing: futures::lock::Mutex::new(()),
            following: futures::lock::Mutex::new(()),
        })
    }

    /// Uses another clock than the device's.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Calls `progress` while something long is under way.
    #[must_use]
    pub fn with_progress(mut self, progress: Arc<ProgressFn>) -> Self {
        self.progress = Some(progress);
        self
    }

    /// The chain.
    #[must_use]
    pub fn chain(&self) -> ChainId {
        self.start().chain()
    }

    /// The validators that certify the block at a height; `None` where this client skipped their epoch. A header that was
    /// proven knows its own: [`VerifiedHeader::validator_set`](amulet_verifier::VerifiedHeader::validator_set).
    #[must_use]
    pub fn validators_at(&self, height: Height) -> Option<Arc<ValidatorSet>> {
        self.verifier().validators_at(height).cloned()
    }

    /// The newest validators that this client knows.
    #[must_use]
    pub fn validators(&self) -> Arc<ValidatorSet> {
        self.verifier().validators().clone()
    }

    /// The newest epoch whose validators this client knows.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.verifier().epoch()
    }

    /// The newest trusted header; `None` before the first successful sync, and before the store was read.
    #[must_use]
    pub fn trusted(&self) -> Option<TrustedHeader> {
        self.inner().trusted.clone()
    }

    /// Until when this client goes on from what it knows, if no sync succeeds before; `None` before the first.
    #[must_use]
    pub fn trusts_until(&self) -> Option<Timestamp> {
        let checked_at = self.inner().trusted.as_ref()?.checked_at();
        Some(checked_at.plus_millis(self.params().trust_period_ms()))
    }

    /// What this client has seen of each node.
    #[must_use]
    pub fn standings(&self) -> Vec<Standing> {
        self.inner().standings.clone()
    }

    /// What this client starts from.
    pub(crate) fn start(&self) -> Arc<Verifier> {
        Arc::clone(&self.start.lock().expect("nothing panics while it holds the start"))
    }

    /// Starts from somewhere else.
    pub(crate) fn set_start(&self, start: Verifier) {
        *self.start.lock().expect("nothing panics while it holds the start") = Arc::new(start);
    }

    /// Judges headers by the epochs known now.
    pub(crate) fn verifier(&self) -> Arc<Verifier> {
        self.inner().verifier.clone()
    }

    /// The parameters of trust.
    pub(crate) fn params(&self) -> &TrustParams {
        &self.params
    }

    /// Goes on with a verifier that leads further, unless one leads as far meanwhile.
    pub(crate) fn extend_verifier(&self, verifier: Verifier) {
        let mut state = self.inner();
        if verifier.base() > state.verifier.base() {
            state.verifier = Arc::new(verifier);
        }
    }

    /// Whether somebody led to other validator sets since the sync under way began.
    pub(crate) fn was_led(&self) -> bool {
        let state = self.inner();
        state.verifier.base() > state.syncing_from.base
    }

    /// Puts a header aside that does not fit what others led to.
    pub(crate) fn note_doubt(&self, node: NodeIndex, header: UntrustedSignedHeader) {
        self.inner().doubts.insert(node, header);
    }

    /// What was put aside.
    pub(crate) fn take_doubts(&self) -> BTreeMap<NodeIndex, UntrustedSignedHeader> {
        std::mem::take(&mut self.inner().doubts)
    }

    /// Goes on with another verifier of this chain.
    pub(crate) fn set_verifier(&self, verifier: Arc<Verifier>) {
        self.inner().verifier = verifier;
    }

    /// The trusted header, or the error that says there is none.
    pub(crate) fn head(&self) -> Result<TrustedHeader, LightError> {
        self.trusted().ok_or(LightError::NotSynced)
    }

    fn inner(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds the client's state")
    }

    pub(crate) fn report(&self, stage: Stage, done: usize, total: usize) {
        if let Some(progress) = &self.progress {
            progress(Progress { stage, done: done as u64, total: total as u64 });
        }
    }
}
