//! Contradictions that replicas are shown: they have to be noticed.

use super::{Checked, Checker, ensure};
use amulet_pbft::Message;
use amulet_protocol::ids::{HeaderHash, Height, ReplicaId, View};
use std::collections::BTreeMap;

/// Contradictions shown to single replicas, of which not one may go unreported for a whole run. Single ones may: by the time
/// the second vote arrives its height may be settled.
const UNNOTICED_MAX: u64 = 40;

type Place = (usize, u64, ReplicaId, &'static str, View, Height);

/// What each replica has heard, and where it heard a contradiction.
#[derive(Default)]
pub struct Conflicts {
    heard: BTreeMap<Place, HeaderHash>,
    shown: u64,
}

impl Conflicts {
    /// A replica takes in a message.
    pub fn on_heard(&mut self, node: usize, epoch: u64, message: &Message) {
        let (view, height, hash) = match message {
            Message::PrePrepare(signed, _) => place(&signed.content.proposal),
            Message::Prepare(signed) => place(&signed.content.proposal),
            Message::Commit(signed) => {
                let vote = signed.content;
                (vote.view, vote.height, vote.header_hash)
            }
            _ => return,
        };
        let at = (node, epoch, message.sender(), message.kind(), view, height);
        if *self.heard.entry(at).or_insert(hash) != hash {
            self.shown += 1;
        }
    }

    /// At the end of a run in which so much evidence was reported.
    ///
    /// # Errors
    /// When nobody noticed anything.
    pub fn check(&self, evidence: u64) -> Checked {
        ensure(evidence > 0 || self.shown <= UNNOTICED_MAX, Checker::Evidence, || {
            format!("replicas were shown {} contradictions and reported none", self.shown)
        })
    }
}

fn place(proposal: &amulet_pbft::message::Proposal) -> (View, Height, HeaderHash) {
    (proposal.view, proposal.height, proposal.header_hash)
}
