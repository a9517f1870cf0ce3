//! A cheap look at a message before its signatures are checked.

use amulet_protocol::consensus::{Content, Signed};

use crate::message::{Message, UntrustedMessage};
use crate::replica::{Mode, Replica};
use crate::slot::{Progress, Votes};

impl Replica {
    /// Whether the message would change nothing, whoever signed it: of another epoch, behind this replica, beyond its window,
    /// or known. The driver asks before it checks signatures, so that what is repeated or late costs a look-up (rule
    /// PBFT-MB-8). A message that is not stale may still be ignored.
    #[must_use]
    pub fn is_stale(&self, message: &UntrustedMessage) -> bool {
        if message.epoch() != self.config.epoch() || self.mode == Mode::Ended {
            return true;
        }
        if message.claimed_sender() == self.config.replica() {
            return true;
        }
        let message = message.message();
        if let Some((view, height)) = message.place() {
            return self.check_place(view, height).is_err() || self.is_known(message);
        }
        match message {
            Message::Checkpoint(signed) => {
                let (low, high) = (self.checkpoints.low, self.checkpoints.high(&self.config));
                let height = signed.content.height;
                height <= low || height > high || !self.config.is_checkpoint(height)
            }
            Message::ViewChange(signed) => {
                let known = self.view_changes.get(&signed.sender).map(|known| known.content.new_view);
                let asked = signed.content.new_view;
                asked <= self.view || known.is_some_and(|known| asked <= known)
            }
            Message::NewView(signed) => {
                signed.content.view <= self.view || signed.content.view < self.target()
            }
            Message::PayloadReply(signed, _) => {
                let slot = self.slots.get(&signed.content.height);
                !slot.is_some_and(|slot| matches!(slot.progress, Progress::AwaitingPayload(_)))
            }
            _ => false,
        }
    }

    /// Whether this very content of this sender counts already.
    fn is_known(&self, message: &Message) -> bool {
        fn has<T: Content + Copy + PartialEq>(votes: &Votes<T>, vote: &Signed<T>) -> bool {
            votes.get(vote.sender).is_some_and(|known| known.content == vote.content)
        }
        let Some((_, height)) = message.place() else { return false };
        let Some(slot) = self.slots.get(&height) else { return false };
        match message {
            Message::PrePrepare(signed, _) => {
                let is_awaited = matches!(slot.progress, Progress::AwaitingPayload(_));
                !is_awaited
                    && slot.progress.pre_prepare().is_some_and(|known| known.content == signed.content)
            }
            Message::Prepare(signed) => has(&slot.prepares, signed),
            Message::Commit(signed) => has(&slot.commits, signed),
            _ => false,
        }
    }
}
