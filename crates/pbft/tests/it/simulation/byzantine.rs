//! A replica that lies with its own key: what it sends is bent before it leaves.

use amulet_pbft::message::{NewView, PrePrepare, Prepare, Proposal, Signed, Status, ViewChange};
use amulet_pbft::{Message, Payload, PreparedCertificate};
use amulet_protocol::certificate::CommitVote;
use amulet_protocol::ids::{Height, ReplicaId};

use super::node::decode;
use crate::support::{FakeSigner, header_hash};

/// What a liar does.
#[derive(Clone, Copy, Debug)]
pub enum Lies {
    /// Proposes two blocks at one place, votes for both, and forgets what it prepared.
    Equivocate,
    /// Proposes blocks on top of blocks that are not there, and empty ones.
    WrongParent,
    /// Leaves out every third height, and every second receiver.
    Gaps,
    /// Shows only the lowest of what it has prepared, and starts views that carry nothing.
    Amnesia,
    /// Claims to be far ahead, and votes to commit what it has merely seen.
    Boast,
}

impl Lies {
    pub const ALL: [Self; 5] = [Self::Equivocate, Self::WrongParent, Self::Gaps, Self::Amnesia, Self::Boast];
}

/// What the messages to one receiver become.
pub fn bend(lies: Lies, message: Message, signer: FakeSigner, to: ReplicaId) -> Vec<Message> {
    match lies {
        Lies::Equivocate => equivocate(message, signer, to),
        Lies::WrongParent => match message {
            Message::PrePrepare(signed, payload) if signed.content.proposal.height.0 % 4 == 0 => {
                let mut proposal = signed.content.proposal;
                proposal.parent = header_hash(b"nowhere");
                vec![Message::PrePrepare(sign(PrePrepare { proposal }, signer), payload)]
            }
            Message::PrePrepare(signed, payload) if signed.content.proposal.height.0 % 4 == 2 => {
                let mut block = decode(&payload).unwrap();
                block.requests.clear();
                let empty = Payload::new(borsh::to_vec(&block).unwrap()).unwrap();
                let mut proposal = signed.content.proposal;
                proposal.header_hash = header_hash(empty.bytes());
                proposal.payload_digest = empty.digest();
                vec![Message::PrePrepare(sign(PrePrepare { proposal }, signer), empty)]
            }
            other => vec![other],
        },
        Lies::Gaps => match message {
            Message::PrePrepare(signed, _) if signed.content.proposal.height.0 % 3 == 0 => Vec::new(),
            Message::PrePrepare(signed, payload)
                if (signed.content.proposal.height.0 + u64::from(to.0)) % 2 == 0 =>
            {
                vec![Message::PrePrepare(signed, payload)]
            }
            Message::PrePrepare(..) => Vec::new(),
            other => vec![other],
        },
        Lies::Amnesia => match message {
            Message::ViewChange(signed) => {
                let ViewChange { new_view, base, prepared } = signed.content;
                let prepared: Vec<PreparedCertificate> = prepared.into_iter().take(1).collect();
                vec![Message::ViewChange(sign(ViewChange { new_view, base, prepared }, signer))]
            }
            Message::NewView(signed) if signed.sender == signer.0 => {
                let NewView { view, view_changes, .. } = signed.content;
                vec![Message::NewView(sign(NewView { view, view_changes, pre_prepares: Vec::new() }, signer))]
            }
            other => vec![other],
        },
        Lies::Boast => match message {
            Message::Status(signed) => {
                let height = Height(signed.content.height.0 + 1_000);
                vec![Message::Status(sign(Status { height, ..signed.content }, signer))]
            }
            Message::Prepare(signed) => {
                let commit = commit(&signed.content.proposal);
                vec![Message::Prepare(signed), Message::Commit(sign(commit, signer))]
            }
            other => vec![other],
        },
    }
}

fn equivocate(message: Message, signer: FakeSigner, to: ReplicaId) -> Vec<Message> {
    match message {
        // Two blocks at one place: the odd receivers get another one, and one of them by mistake gets both.
        Message::PrePrepare(signed, payload) if to.0 % 2 == 1 => {
            let other = twin(&payload);
            let mut proposal = signed.content.proposal;
            proposal.header_hash = header_hash(other.bytes());
            proposal.payload_digest = other.digest();
            let honest = (to.0 == 3).then_some(Message::PrePrepare(signed, payload));
            let lies = vec![
                Message::PrePrepare(sign(PrePrepare { proposal }, signer), other),
                Message::Prepare(sign(Prepare { proposal }, signer)),
                Message::Commit(sign(commit(&proposal), signer)),
            ];
            lies.into_iter().chain(honest).collect()
        }
        // A commit vote for what it merely saw proposed, early.
        Message::Prepare(signed) => {
            let commit = commit(&signed.content.proposal);
            vec![Message::Prepare(signed), Message::Commit(sign(commit, signer))]
        }
        // A view-change that has forgotten everything.
        Message::ViewChange(signed) => {
            let forgotten =
                ViewChange { new_view: signed.content.new_view, base: None, prepared: Vec::new() };
            vec![Message::ViewChange(sign(forgotten, signer))]
        }
        other => vec![other],
    }
}

fn sign<T: amulet_pbft::message::Content>(content: T, signer: FakeSigner) -> Signed<T> {
    Signed::new(content, signer.0, &signer)
}

fn commit(proposal: &Proposal) -> CommitVote {
    CommitVote { height: proposal.height, view: proposal.view, header_hash: proposal.header_hash }
}

/// Another valid block for the same place.
fn twin(payload: &Payload) -> Payload {
    let mut block = decode(payload).unwrap();
    block.requests.reverse();
    block.requests.push(u64::MAX - block.height.0);
    Payload::new(borsh::to_vec(&block).unwrap()).unwrap()
}
