//! Messages for views and heights that this replica has not reached: a few of each sender.

use std::collections::{BTreeMap, VecDeque};

use amulet_protocol::ids::ReplicaId;

use crate::limits::{FUTURE_MESSAGES_PER_REPLICA, FUTURE_PAYLOADS_PER_REPLICA};
use crate::message::Message;
use crate::verify::VerifiedMessage;

/// A bounded buffer for each sender (rule PBFT-MB-7). The newest messages win: an older one is more likely to be
/// overtaken, and what is lost is sent again after a status message.
#[derive(Debug, Default)]
pub(crate) struct FutureMessages(BTreeMap<ReplicaId, VecDeque<VerifiedMessage>>);

impl FutureMessages {
    pub(crate) fn keep(&mut self, message: VerifiedMessage) {
        let buffer = self.0.entry(message.sender()).or_default();
        if buffer.contains(&message) {
            return;
        }
        if has_payload(&message) {
            let payloads = buffer.iter().filter(|kept| has_payload(kept)).count();
            if payloads >= FUTURE_PAYLOADS_PER_REPLICA
                && let Some(oldest) = buffer.iter().position(has_payload)
            {
                buffer.remove(oldest);
            }
        }
        if buffer.len() == FUTURE_MESSAGES_PER_REPLICA {
            buffer.pop_front();
        }
        buffer.push_back(message);
    }

    /// Takes all out, to be looked at again.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = VerifiedMessage> + use<> {
        std::mem::take(&mut self.0).into_values().flatten()
    }
}

fn has_payload(message: &VerifiedMessage) -> bool {
    matches!(message.message(), Message::PrePrepare(..) | Message::PayloadReply(..))
}
