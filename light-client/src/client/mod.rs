//! The facade: what a wallet calls. Every answer it returns is proven against a trusted header, or the call fails with what
//! was wrong and whose fault it is.

mod ask;
mod blobs;
mod export;
mod headers;
mod history;
mod keeping;
mod reputation;
mod state;
mod submit;

pub use export::Wanted;
pub use headers::ProvenHeader;
pub use history::ProvenHistory;
pub use reputation::{LedgerScore, Measured};
pub use submit::ProvenReceipt;

use crate::error::{Forgery, LightError};
use crate::header::TrustedHeader;
use crate::params::TrustParams;
use crate::platform::{Clock, ProgressFn, SystemClock};
use crate::store::{ClientStore, Kept, StoreError};
use crate::transport::{NodeIndex, Transport};
use crate::verifier::Verifier;
use amulet_protocol::genesis::Genesis;
use amulet_protocol::ids::{ChainId, Did, Epoch, Height, Timestamp};
use amulet_protocol::validators::ValidatorSet;
use reputation::Merits;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

/// A hospital's node that can be asked. The transport knows its addresses, under the same index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeInfo {
    /// The organisation that runs it; one of the genesis document's.
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
    /// Knows the pinned validator set only.
    genesis: Verifier,
    pub(crate) nodes: Vec<NodeInfo>,
    transport: Arc<dyn Transport>,
    kept: Kept,
    clock: Arc<dyn Clock>,
    progress: Option<Arc<ProgressFn>>,
    state: Mutex<State>,
    /// Held during a sync, so that two at once cannot each extend the trusted header another way.
    pub(crate) syncing: futures::lock::Mutex<()>,
}

struct State {
    verifier: Arc<Verifier>,
    trusted: Option<TrustedHeader>,
    /// The newest epoch known when the sync under way, or the last one, began.
    syncing_from: Epoch,
    /// Whether the store was looked into.
    restored: bool,
    store_trouble: Option<StoreError>,
    standings: Vec<Standing>,
    merits: Merits,
    proven: BTreeMap<Height, ProvenHeader>,
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
        for (index, node) in nodes.iter().enumerate() {
            if !genesis.organisations.iter().any(|organisation| organisation.did() == node.organisation) {
                let node_index = NodeIndex(index);
                return Err(LightError::UnknownOrganisation {
                    node: node_index,
                    organisation: node.organisation,
                });
            }
        }
        let organisations: BTreeSet<Did> = nodes.iter().map(|node| node.organisation).collect();
        if organisations.len() < params.witnesses() {
            return Err(LightError::TooFewNodes { found: organisations.len(), needed: params.witnesses() });
        }
        let genesis = Verifier::new(genesis.chain_id(), validators, params);
        let standings = vec![Standing::default(); nodes.len()];
        let state = State {
            verifier: Arc::new(genesis.clone()),
            trusted: None,
            syncing_from: Epoch(0),
            restored: false,
            store_trouble: None,
            standings,
            merits: Merits::new(nodes.len()),
            proven: BTreeMap::new(),
        };
        Ok(Self {
            genesis,
            nodes,
            transport,
            kept: Kept::new(store),
            clock: Arc::new(SystemClock),
            progress: None,
            state: Mutex::new(state),
            syncing: futures::lock::Mutex::new(()),
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
        self.genesis.chain()
    }

    /// The validators that certify the block at a height, as far as this client has followed them; its signers are
    /// positions in this set.
    #[must_use]
    pub fn validators_at(&self, height: Height) -> ValidatorSet {
        self.verifier().validators_at(height).clone()
    }

    /// The newest validators that this client has followed.
    #[must_use]
    pub fn validators(&self) -> ValidatorSet {
        self.verifier().validators().clone()
    }

    /// The newest epoch that this client has followed the validators to.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.verifier().epoch()
    }

    /// The nodes.
    #[must_use]
    pub fn nodes(&self) -> &[NodeInfo] {
        &self.nodes
    }

    /// The first node of an organisation: where ciphertexts that it holds are asked for.
    #[must_use]
    pub fn node_of(&self, organisation: Did) -> Option<NodeIndex> {
        self.nodes.iter().position(|node| node.organisation == organisation).map(NodeIndex)
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

    /// Judges headers by the epochs known now.
    pub(crate) fn verifier(&self) -> Arc<Verifier> {
        self.inner().verifier.clone()
    }

    /// The parameters of trust.
    pub(crate) fn params(&self) -> &TrustParams {
        self.genesis.params()
    }

    /// Goes on with a verifier that knows more epochs, unless as many are known meanwhile.
    pub(crate) fn extend_verifier(&self, verifier: Verifier) {
        let mut state = self.inner();
        if verifier.epoch() > state.verifier.epoch() {
            state.verifier = Arc::new(verifier);
        }
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
