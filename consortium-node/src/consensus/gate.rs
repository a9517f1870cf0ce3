//! What a received message must pass before the engine sees it: cheap checks first, signatures last.
//!
//! The checks here refuse only what the core would ignore anyway, or what no correct replica sends. They cost a look-up and
//! need nothing but a moment's view of the engine, so they are made wherever messages come in, before a signature is
//! looked at: a flood of old, repeated or far-off messages costs no signature checks.

use super::credentials::SharedVerifier;
use super::engine::EpochInForce;
use amulet_pbft::message::DecodeError;
use amulet_pbft::{Horizon, Message, UntrustedMessage, VerifiedMessage, VerifyError};
use amulet_protocol::ids::{Epoch, ReplicaId};
use std::sync::Arc;

/// One moment's view of an engine; cheap to clone.
#[derive(Clone)]
pub struct Gate {
    epoch: Epoch,
    own: Option<ReplicaId>,
    verifier: SharedVerifier,
    /// `None` while the node is no validator: nothing that is not a block is of use to it.
    horizon: Option<Arc<Horizon>>,
}

/// Why a message goes no further.
#[derive(Debug, thiserror::Error)]
pub enum GateRefusal {
    /// The bytes are no message.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// It belongs to an epoch that is over.
    #[error("the message is of epoch {found}, which is over; epoch {current} is in force")]
    EpochOver {
        /// The message's.
        found: Epoch,
        /// The one in force.
        current: Epoch,
    },
    /// It belongs to an epoch that has not begun here: there are blocks to catch up with.
    #[error("the message is of epoch {found}, here {current} is in force")]
    EpochAhead {
        /// The message's.
        found: Epoch,
        /// The one in force.
        current: Epoch,
    },
    /// It is said to be this node's own.
    #[error("a message of this replica, {own}, came from outside")]
    Own {
        /// This replica.
        own: ReplicaId,
    },
    /// A peer handed over somebody else's message, of a kind that is not passed on.
    #[error("replica {from} handed over a {kind} of replica {sender}")]
    Forwarded {
        /// Who is said to have signed it.
        sender: ReplicaId,
        /// The peer.
        from: ReplicaId,
        /// The kind of message.
        kind: &'static str,
    },
    /// It would change nothing, whoever signed it: it is about a view or height that is over or far away, or known.
    #[error("the {kind} is of no use here, or known")]
    Stale {
        /// The kind of message.
        kind: &'static str,
    },
    /// A check of its content or a signature failed.
    #[error(transparent)]
    Verify(#[from] VerifyError),
}

impl Gate {
    pub(super) fn new(epoch: &EpochInForce, horizon: Option<Horizon>) -> Self {
        let EpochInForce { set, own, verifier } = epoch.clone();
        Self { epoch: set.epoch, own, verifier, horizon: horizon.map(Arc::new) }
    }

    /// Checks a message that `from` handed over; `None` if the way it came says nothing about who that was.
    ///
    /// # Errors
    /// [`GateRefusal`] by the first check that fails; signatures are checked last.
    pub fn admit(&self, from: Option<ReplicaId>, bytes: &[u8]) -> Result<VerifiedMessage, GateRefusal> {
        Ok(self.screen(from, UntrustedMessage::decode(bytes)?)?.verify(self.verifier.as_ref())?)
    }

    /// The checks that need no signature.
    fn screen(
        &self,
        from: Option<ReplicaId>,
        message: UntrustedMessage,
    ) -> Result<UntrustedMessage, GateRefusal> {
        let (found, current) = (message.epoch(), self.epoch);
        if found < current {
            return Err(GateRefusal::EpochOver { found, current });
        }
        if found > current {
            return Err(GateRefusal::EpochAhead { found, current });
        }
        let (sender, kind) = (message.claimed_sender(), message.message().kind());
        if let Some(own) = self.own.filter(|own| *own == sender) {
            return Err(GateRefusal::Own { own });
        }
        // A new-view proves itself: it is sent on to whoever missed it. Everything else comes from its author.
        let may_be_passed_on = matches!(message.message(), Message::NewView(_));
        if let Some(from) = from.filter(|from| *from != sender && !may_be_passed_on) {
            return Err(GateRefusal::Forwarded { sender, from, kind });
        }
        if self.horizon.as_ref().is_none_or(|horizon| horizon.is_stale(&message)) {
            return Err(GateRefusal::Stale { kind });
        }
        Ok(message)
    }
}
