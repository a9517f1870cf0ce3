//! Whether a correct replica keeps to what it signed, also across restarts.
//!
//! Counted is what left the replica: a signature that a crash kept from leaving binds nobody.

use super::{Checked, Checker};
use amulet_pbft::Message;
use amulet_pbft::message::{Proposal, ViewChange};
use amulet_protocol::header::Header;
use amulet_protocol::ids::{HeaderHash, Height, ReplicaId, View};
use borsh::BorshDeserialize;
use std::collections::{BTreeMap, BTreeSet};

/// What each replica has said so far in one epoch.
#[derive(Default)]
pub struct Promises {
    said: BTreeMap<(u64, ReplicaId), Said>,
    /// Blocks that were proposed and end their epoch, with its number.
    endings: BTreeSet<(u64, HeaderHash)>,
}

#[derive(Default)]
struct Said {
    proposed: BTreeMap<(View, Height), Proposal>,
    prepared: BTreeMap<(View, Height), Proposal>,
    committed: BTreeMap<(View, Height), HeaderHash>,
    checkpoints: BTreeMap<Height, HeaderHash>,
    /// Of each height the newest view in which a commit vote left, and for what.
    last_vote: BTreeMap<Height, (View, HeaderHash)>,
    /// The highest view asked for.
    asked: View,
}

impl Promises {
    /// Takes note that a correct replica has this block committed. If it had voted for another one at this height, what it
    /// voted for above stood on that other one, and is given up with it.
    pub fn on_committed(&mut self, epoch: u64, replica: ReplicaId, height: Height, hash: HeaderHash) {
        let Some(said) = self.said.get_mut(&(epoch, replica)) else { return };
        if said.last_vote.get(&height).is_some_and(|(_, voted)| *voted != hash) {
            said.last_vote.split_off(&height.next());
        }
    }

    /// Takes note of a message that leaves a correct replica.
    ///
    /// # Errors
    /// When it contradicts an earlier one.
    pub fn on_sent(&mut self, epoch: u64, sender: ReplicaId, message: &Message) -> Checked {
        if message.sender() != sender {
            // Passed on for another.
            return Ok(());
        }
        self.check_endings(epoch, sender, message)?;
        let said = self.said.entry((epoch, sender)).or_default();
        let refuse = |detail: String| Err((Checker::Promises, format!("replica {sender}: {detail}")));
        let outcome = match message {
            Message::PrePrepare(signed, _) => said.on_pre_prepare(signed.content.proposal),
            Message::Prepare(signed) => said.on_prepare(signed.content.proposal),
            Message::Commit(signed) => {
                let vote = signed.content;
                said.on_commit(vote.view, vote.height, vote.header_hash)
            }
            Message::Checkpoint(signed) => {
                let checkpoint = signed.content;
                let first = said.checkpoints.entry(checkpoint.height).or_insert(checkpoint.header_hash);
                if *first == checkpoint.header_hash {
                    Ok(())
                } else {
                    Err(format!("two checkpoints at height {}", checkpoint.height))
                }
            }
            Message::ViewChange(signed) => said.on_view_change(&signed.content),
            Message::NewView(signed) => {
                let mut proposals = signed.content.pre_prepares.iter();
                proposals.try_for_each(|signed| said.on_pre_prepare(signed.content.proposal))
            }
            _ => Ok(()),
        };
        outcome.or_else(refuse)
    }

    /// Nothing is proposed or voted for on top of a block that ends the epoch.
    fn check_endings(&mut self, epoch: u64, sender: ReplicaId, message: &Message) -> Checked {
        let proposals: Vec<Proposal> = match message {
            Message::PrePrepare(signed, payload) => {
                let proposal = signed.content.proposal;
                let mut bytes = payload.bytes();
                if Header::deserialize(&mut bytes)
                    .is_ok_and(|header| header.validators_hash != header.next_validators_hash)
                {
                    self.endings.insert((epoch, proposal.header_hash));
                }
                vec![proposal]
            }
            Message::Prepare(signed) => vec![signed.content.proposal],
            Message::NewView(signed) => {
                signed.content.pre_prepares.iter().map(|signed| signed.content.proposal).collect()
            }
            _ => Vec::new(),
        };
        let outlives = proposals.iter().find(|proposal| self.endings.contains(&(epoch, proposal.parent)));
        outlives.map_or(Ok(()), |proposal| {
            let height = proposal.height;
            let detail =
                format!("replica {sender} proposes or prepares block {height} on one that ends the epoch");
            Err((Checker::Promises, detail))
        })
    }

    /// Forgets what was said of heights that are long settled.
    pub fn forget_below(&mut self, height: Height) {
        for said in self.said.values_mut() {
            said.proposed.retain(|(_, at), _| *at >= height);
            said.prepared.retain(|(_, at), _| *at >= height);
            said.committed.retain(|(_, at), _| *at >= height);
            said.last_vote.retain(|at, _| *at >= height);
        }
    }
}

impl Said {
    fn on_pre_prepare(&mut self, proposal: Proposal) -> Result<(), String> {
        if self.proposed.get(&(proposal.view, proposal.height)) != Some(&proposal) {
            self.check_view(proposal.view, "proposes")?;
        }
        once(&mut self.proposed, proposal, "proposes")
    }

    fn on_prepare(&mut self, proposal: Proposal) -> Result<(), String> {
        if self.prepared.get(&(proposal.view, proposal.height)) != Some(&proposal) {
            self.check_view(proposal.view, "prepares")?;
        }
        once(&mut self.prepared, proposal, "prepares")
    }

    fn on_commit(&mut self, view: View, height: Height, hash: HeaderHash) -> Result<(), String> {
        if self.committed.get(&(view, height)) != Some(&hash) {
            self.check_view(view, "votes to commit")?;
        }
        let first = *self.committed.entry((view, height)).or_insert(hash);
        if first != hash {
            return Err(format!("votes to commit {first} and {hash} at height {height} in view {view}"));
        }
        let before = self.last_vote.get(&height).copied();
        if before.is_none_or(|(newest, _)| view >= newest) {
            self.last_vote.insert(height, (view, hash));
            // What was prepared above the block that went before stood on it, and was given up with it.
            if before.is_some_and(|(_, other)| other != hash) {
                self.last_vote.split_off(&height.next());
            }
        }
        Ok(())
    }

    /// A replica that asked for a view says nothing new in one below; what it said before it may repeat.
    fn check_view(&self, view: View, what: &str) -> Result<(), String> {
        if view < self.asked {
            return Err(format!("{what} in view {view} after asking for view {}", self.asked));
        }
        Ok(())
    }

    /// A vote to commit says that its block is prepared here; whoever asks for a later view shows it, or something newer.
    /// Above the first height at which something newer is shown, what was prepared stood on another block.
    fn on_view_change(&mut self, wish: &ViewChange) -> Result<(), String> {
        self.asked = self.asked.max(wish.new_view);
        let base = wish.base_height();
        let mut height = base;
        loop {
            height = height.next();
            let Some((view, hash)) = self.last_vote.get(&height) else { return Ok(()) };
            let shown =
                wish.prepared.iter().map(|shown| shown.proposal()).find(|shown| shown.height == height);
            match shown {
                None => {
                    return Err(format!(
                        "asks for view {} from height {base} without block {height}, which it voted to commit in view {view}",
                        wish.new_view
                    ));
                }
                Some(shown) if shown.view < *view => {
                    return Err(format!(
                        "asks for view {} with block {height} of view {}, but voted to commit in view {view}",
                        wish.new_view, shown.view
                    ));
                }
                Some(shown) if shown.header_hash != *hash => return Ok(()),
                Some(_) => {}
            }
        }
    }
}

fn once(said: &mut BTreeMap<(View, Height), Proposal>, proposal: Proposal, what: &str) -> Result<(), String> {
    let first = *said.entry((proposal.view, proposal.height)).or_insert(proposal);
    if first == proposal {
        return Ok(());
    }
    Err(format!(
        "{what} {} and {} at height {} in view {}",
        first.header_hash, proposal.header_hash, proposal.height, proposal.view
    ))
}
