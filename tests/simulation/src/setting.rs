//! What all replicas of a run have in common.

use crate::cast::Cast;
use crate::schedule::{HEARTBEAT, PROGRESS, PROGRESS_MAX, Plan};
use crate::signatures::{Domain, QuickSigner, QuickVerifier, QuickVotes};
use crate::time::Micros;
use amulet_crypto::signing::PublicKey;
use amulet_node::consensus::{Credentials, Settings, SharedVerifier};
use amulet_node::ledger::{EpochSet, VerifiedTransactions};
use amulet_node::mempool::Mempool;
use amulet_pbft::{Millis, Signer, Timeouts};
use amulet_protocol::certificate::VoteCheck;
use amulet_protocol::genesis::Genesis;
use amulet_protocol::ids::{ChainId, Did, Epoch, ReplicaId};
use amulet_protocol::transaction::{SealedId, SignedTransaction};
use amulet_protocol::validators::ValidatorSet;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// Heights from one checkpoint to the next: few, so that water marks and garbage collection are at work all the time.
const BLOCKS_PER_CHECKPOINT: u64 = 8;
/// Heights from the low to the high water mark.
const WINDOW: u64 = 32;
/// Heights in flight at once.
pub const DEPTH: u64 = 4;

/// What all replicas share: the genesis document, the settings, and one memory of checked transaction signatures.
pub struct Setting {
    /// The genesis document.
    pub genesis: Genesis,
    /// Times and sizes.
    pub consensus: Settings,
    /// The hospitals, by number.
    pub hospitals: Vec<Did>,
    /// Their keys at the start.
    pub keys: Vec<PublicKey>,
    /// Transactions whose signatures were checked, once for all replicas.
    pub checked: SharedChecks,
    /// Whether ledgers are pruned, and copied by who is too far behind.
    pub copies_ledgers: bool,
    /// The deliberate bug of correct replicas.
    #[cfg(feature = "planted")]
    pub planted: Option<amulet_pbft::planted::Bug>,
}

impl Setting {
    /// The setting of a cast in a plan.
    #[must_use]
    pub fn new(cast: &Cast, plan: &Plan) -> Self {
        #[cfg(not(feature = "planted"))]
        assert!(plan.planted.is_none(), "this build has no deliberate bugs");
        let millis = |time: Micros| Millis(time.as_millis());
        let timeouts = Timeouts {
            progress: millis(PROGRESS),
            progress_max: millis(PROGRESS_MAX),
            heartbeat: millis(HEARTBEAT),
        };
        Self {
            genesis: cast.genesis.clone(),
            consensus: Settings {
                timeouts,
                blocks_per_checkpoint: BLOCKS_PER_CHECKPOINT,
                window: WINDOW,
                depth: DEPTH,
            },
            hospitals: cast.hospitals.iter().map(|hospital| hospital.did).collect(),
            keys: cast.hospitals.iter().map(|hospital| hospital.signing.public_key().clone()).collect(),
            checked: SharedChecks::default(),
            copies_ledgers: plan.upkeep.copies_ledgers,
            #[cfg(feature = "planted")]
            planted: plan.planted.as_deref().and_then(|name| name.parse().ok()),
        }
    }

    /// Whether the shell of correct replicas has a deliberate bug.
    #[must_use]
    pub fn has_bug(&self, name: &str) -> bool {
        #[cfg(feature = "planted")]
        return self.planted.is_some_and(|bug| bug.name() == name);
        #[cfg(not(feature = "planted"))]
        {
            let _ = name;
            false
        }
    }

    /// An empty queue for a replica.
    #[must_use]
    pub fn mempool(&self, is_correct: bool) -> Mempool {
        #[cfg(feature = "planted")]
        if is_correct && self.has_bug("unbounded-queue") {
            return Mempool::without_bounds();
        }
        let _ = is_correct;
        Mempool::default()
    }

    /// How ledgers check commit votes.
    #[must_use]
    pub fn votes(&self) -> Box<dyn VoteCheck> {
        Box::new(QuickVotes)
    }

    /// How an honest onlooker checks what the members of an epoch sign, whatever bug these have.
    #[must_use]
    pub fn honest_verifier(&self, set: &EpochSet) -> SharedVerifier {
        let domain = Domain { chain: self.genesis.chain_id(), epoch: set.epoch };
        Arc::new(QuickVerifier { validators: Arc::new(set.validators.clone()), domain, is_blind: false })
    }

    /// How a liar signs, with its own key.
    #[must_use]
    pub fn quick_signer(&self, replica: u16, epoch: Epoch) -> QuickSigner {
        let domain = Domain { chain: self.genesis.chain_id(), epoch };
        QuickSigner { key: self.keys[usize::from(replica)].clone(), domain }
    }

    /// How a replica signs and checks.
    #[must_use]
    pub fn credentials(&self, replica: u16) -> Arc<dyn Credentials> {
        let number = usize::from(replica);
        let key = Mutex::new(self.keys[number].clone());
        let is_blind = self.has_bug("skip-signatures");
        Arc::new(QuickCredentials { organisation: self.hospitals[number], key, is_blind })
    }

    /// Which hospital this is.
    #[must_use]
    pub fn number_of(&self, organisation: &Did) -> Option<u16> {
        self.hospitals.iter().position(|hospital| hospital == organisation)?.try_into().ok()
    }
}

/// A hospital that has whatever key the validator set says it has, for cheap signatures.
struct QuickCredentials {
    organisation: Did,
    key: Mutex<PublicKey>,
    is_blind: bool,
}

impl Credentials for QuickCredentials {
    fn replica(&self, validators: &ValidatorSet) -> Option<ReplicaId> {
        let index =
            validators.members().iter().position(|member| member.organisation == self.organisation)?;
        let replica = ReplicaId(u16::try_from(index).ok()?);
        let member = validators.get(replica)?;
        *self.key.lock().unwrap_or_else(PoisonError::into_inner) = member.key.clone();
        Some(replica)
    }

    fn signer(&self, chain: ChainId, epoch: Epoch) -> Box<dyn Signer> {
        let key = self.key.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Box::new(QuickSigner { key, domain: Domain { chain, epoch } })
    }

    fn verifier(&self, chain: ChainId, epoch: Epoch, validators: &ValidatorSet) -> SharedVerifier {
        let domain = Domain { chain, epoch };
        let is_blind = self.is_blind;
        Arc::new(QuickVerifier { validators: Arc::new(validators.clone()), domain, is_blind })
    }
}

/// Transactions whose signatures were checked; clones share it.
#[derive(Clone, Default)]
pub struct SharedChecks(Arc<Mutex<BTreeSet<SealedId>>>);

impl SharedChecks {
    /// A transaction that was signed, or whose signature was checked.
    pub fn insert(&self, transaction: &SignedTransaction) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(transaction.sealed_id());
    }
}

impl VerifiedTransactions for SharedChecks {
    fn contains(&self, id: SealedId) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&id)
    }
}
