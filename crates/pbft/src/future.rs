//! Messages for views and heights that this replica has not reached: a few of each sender.

use std::collections::{BTreeMap, VecDeque};

use amulet_protocol::ids::{Height, ReplicaId, View};

use crate::limits::{FUTURE_MESSAGES_PER_REPLICA, FUTURE_PAYLOADS_PER_REPLICA};
use crate::message::Message;
use crate::verify::VerifiedMessage;

/// A message and its place in the order.
#[derive(Debug)]
struct Kept {
    view: View,
    height: Height,
    message: VerifiedMessage,
}

/// A bounded buffer for each sender (rule PBFT-MB-7). The newest messages win: an older one is more likely to be
/// overtaken, and what is lost is sent again after a status message.
#[derive(Debug, Default)]
pub(crate) struct FutureMessages(BTreeMap<ReplicaId, VecDeque<Kept>>);

impl FutureMessages {
    pub(crate) fn keep(&mut self, view: View, height: Height, message: VerifiedMessage) {
        let buffer = self.0.entry(message.sender()).or_default();
        if buffer.iter().any(|kept| (kept.view, kept.height) == (view, height) && kept.message == message) {
            return;
        }
        if has_payload(&message) {
            let payloads = buffer.iter().filter(|kept| has_payload(&kept.message)).count();
            if payloads >= FUTURE_PAYLOADS_PER_REPLICA
                && let Some(oldest) = buffer.iter().position(|kept| has_payload(&kept.message))
            {
                buffer.remove(oldest);
            }
        }
        if buffer.len() == FUTURE_MESSAGES_PER_REPLICA {
            buffer.pop_front();
        }
        buffer.push_back(Kept { view, height, message });
    }

    /// Messages of the replica of which most are kept.
    pub(crate) fn most(&self) -> usize {
        self.0.values().map(VecDeque::len).max().unwrap_or(0)
    }

    /// Takes out those whose time may have come: up to this view and height.
    pub(crate) fn take(&mut self, view: View, height: Height) -> Vec<VerifiedMessage> {
        let mut ready = Vec::new();
        for buffer in self.0.values_mut() {
            let is_ready = |kept: &Kept| kept.view <= view && kept.height <= height;
            if buffer.iter().any(is_ready) {
                let (now, later) = std::mem::take(buffer).into_iter().partition::<VecDeque<_>, _>(is_ready);
                *buffer = later;
                ready.extend(now.into_iter().map(|kept| kept.message));
            }
        }
        ready
    }
}

fn has_payload(message: &VerifiedMessage) -> bool {
    matches!(message.message(), Message::PrePrepare(..))
}
