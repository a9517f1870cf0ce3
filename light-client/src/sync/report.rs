//! What a sync says: of the head, and of each hospital.

use crate::error::{Forgery, NodeFailure};
use crate::header::TrustedHeader;
use crate::store::StoreError;
use crate::transport::{NodeIndex, Traffic, TransportError};
use amulet_crypto::digest::Digest;
use amulet_protocol::ids::{Height, Timestamp};
use amulet_protocol::light::LightRefusal;
use amulet_verifier::{InvalidHeader, Link};

/// What one node did during a sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeVerdict {
    /// Its newest header is certified, and is the trusted one or in its range.
    Agrees {
        /// Height of its newest header.
        height: Height,
    },
    /// Its newest header is certified, but nobody could show that it is in the trusted one's range.
    Unproven {
        /// Height of its newest header.
        height: Height,
    },
    /// It has no block after the genesis yet.
    NothingYet,
    /// It did not answer.
    Unreachable(TransportError),
    /// It was not asked, to spare a metered link.
    NotAsked,
    /// It refused to answer.
    Refused(LightRefusal),
    /// Its newest header is dated further ahead of this device's clock than clocks may differ. One of the two clocks is
    /// wrong, which is no lie; nothing else about the header is known.
    AheadOfClock {
        /// Date of its header.
        time: Timestamp,
    },
    /// It sent what no honest node sends.
    Forged(Forgery),
    /// Its header names a validator set that this client does not know.
    UnknownValidators {
        /// Named.
        found: Digest,
        /// Known.
        known: Digest,
    },
}

/// What a sync found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncReport {
    /// The trusted header.
    pub head: TrustedHeader,
    /// How many validators signed it.
    pub signed: usize,
    /// How many validators there are.
    pub validators: usize,
    /// Organisations that agree on it.
    pub agreeing: usize,
    /// Nodes asked.
    pub total: usize,
    /// How it continues what this device trusted before; `None` at the first sync, when the pinned genesis vouches for the
    /// validators that signed it.
    pub link: Option<Link>,
    /// What each node did.
    pub nodes: Vec<(NodeIndex, NodeVerdict)>,
    /// What was exchanged with each node meanwhile, other questions at the same time included.
    pub traffic: Vec<Traffic>,
    /// What was wrong with the store; it was reset, or could not be written. The sync is good all the same.
    pub store_trouble: Option<StoreError>,
}

impl From<NodeFailure> for NodeVerdict {
    fn from(failure: NodeFailure) -> Self {
        match failure {
            NodeFailure::Unreachable(error) => Self::Unreachable(error),
            NodeFailure::Forged(Forgery::Header(InvalidHeader::FromFuture { time, .. })) => {
                Self::AheadOfClock { time }
            }
            NodeFailure::Forged(forgery) => Self::Forged(forgery),
            NodeFailure::NotFound => Self::NothingYet,
            NodeFailure::Refused(refusal) => Self::Refused(refusal),
            NodeFailure::UnknownValidators { found, known } => Self::UnknownValidators { found, known },
        }
    }
}
