//! What each validator may have waiting here, so that none can crowd out the others.

use super::{BYTES_PER_PLACE, CONSENSUS_SHARE, PEER_SHARE};
use amulet_protocol::ids::ReplicaId;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A share for each validator, of consensus messages and of questions.
pub(super) struct Shares(BTreeMap<ReplicaId, Share>);

struct Share {
    consensus: Arc<Semaphore>,
    questions: Arc<Semaphore>,
}

impl Shares {
    /// Empty shares of these validators.
    pub fn new(validators: impl IntoIterator<Item = ReplicaId>) -> Self {
        let share = || Share {
            consensus: Arc::new(Semaphore::new(CONSENSUS_SHARE as usize)),
            questions: Arc::new(Semaphore::new(PEER_SHARE as usize)),
        };
        Self(validators.into_iter().map(|replica| (replica, share())).collect())
    }

    /// A place for a consensus message of so many bytes, if the sender's share has one left.
    pub fn consensus(&self, from: ReplicaId, bytes: usize) -> Option<OwnedSemaphorePermit> {
        take(&self.0.get(&from)?.consensus, bytes)
    }

    /// A place for a question of so many bytes, if the asker's share has one left.
    pub fn question(&self, from: ReplicaId, bytes: usize) -> Option<OwnedSemaphorePermit> {
        take(&self.0.get(&from)?.questions, bytes)
    }
}

fn take(share: &Arc<Semaphore>, bytes: usize) -> Option<OwnedSemaphorePermit> {
    let places = u32::try_from(bytes.div_ceil(BYTES_PER_PLACE)).ok()?.max(1);
    share.clone().try_acquire_many_owned(places).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::network::PEER_MESSAGE_BYTES_MAX;
    use amulet_pbft::limits::MESSAGE_BYTES_MAX;

    #[test]
    fn a_flood_of_one_validator_takes_nothing_from_the_others_and_ends_when_it_is_worked_off() {
        let (loud, quiet) = (ReplicaId(0), ReplicaId(1));
        let shares = Shares::new([loud, quiet]);
        let taken: Vec<_> = std::iter::from_fn(|| shares.consensus(loud, 100)).collect();
        assert_eq!(taken.len(), CONSENSUS_SHARE as usize);
        assert!(shares.consensus(quiet, 100).is_some() && shares.question(loud, 100).is_some());
        drop(taken);
        assert!(shares.consensus(loud, 100).is_some());
    }

    #[test]
    fn the_largest_message_has_a_place_and_only_a_few_of_them_have() {
        let (loud, stranger) = (ReplicaId(0), ReplicaId(9));
        let shares = Shares::new([loud]);
        let messages: Vec<_> = std::iter::from_fn(|| shares.consensus(loud, MESSAGE_BYTES_MAX)).collect();
        let questions: Vec<_> =
            std::iter::from_fn(|| shares.question(loud, PEER_MESSAGE_BYTES_MAX)).collect();
        assert_eq!((messages.len(), questions.len()), (3, 3));
        assert!(shares.consensus(stranger, 1).is_none());
    }
}
