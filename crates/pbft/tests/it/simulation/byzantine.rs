//! A replica that lies with its own key: what it sends is bent before it leaves.

use amulet_pbft::message::{PrePrepare, Prepare, Signed, ViewChange};
use amulet_pbft::{Message, Payload};
use amulet_protocol::certificate::CommitVote;
use amulet_protocol::ids::ReplicaId;

use super::node::decode;
use crate::support::{FakeSigner, header_hash};

/// What the messages to one receiver become.
pub fn bend(message: Message, from: ReplicaId, to: ReplicaId) -> Vec<Message> {
    let signer = FakeSigner(from);
    match message {
        // Two blocks at one place: the odd receivers get another one, and one of them by mistake gets both.
        Message::PrePrepare(signed, payload) if to.0 % 2 == 1 => {
            let other = twin(&payload);
            let mut proposal = signed.content.proposal;
            proposal.header_hash = header_hash(other.bytes());
            proposal.payload_digest = other.digest();
            let vote = CommitVote {
                height: proposal.height,
                view: proposal.view,
                header_hash: proposal.header_hash,
            };
            let honest = (to.0 == 3).then_some(Message::PrePrepare(signed, payload));
            let lies = vec![
                Message::PrePrepare(Signed::new(PrePrepare { proposal }, from, &signer), other),
                Message::Prepare(Signed::new(Prepare { proposal }, from, &signer)),
                Message::Commit(Signed::new(vote, from, &signer)),
            ];
            lies.into_iter().chain(honest).collect()
        }
        // A commit vote for what it merely saw proposed, early.
        Message::Prepare(signed) => {
            let proposal = signed.content.proposal;
            let vote = CommitVote {
                height: proposal.height,
                view: proposal.view,
                header_hash: proposal.header_hash,
            };
            vec![Message::Prepare(signed), Message::Commit(Signed::new(vote, from, &signer))]
        }
        // A view-change that has forgotten everything.
        Message::ViewChange(signed) => {
            let forgotten =
                ViewChange { new_view: signed.content.new_view, base: None, prepared: Vec::new() };
            vec![Message::ViewChange(Signed::new(forgotten, from, &signer))]
        }
        other => vec![other],
    }
}

/// Another valid block for the same place.
fn twin(payload: &Payload) -> Payload {
    let mut block = decode(payload).unwrap();
    block.requests.reverse();
    block.requests.push(u64::MAX - block.height.0);
    Payload::new(borsh::to_vec(&block).unwrap()).unwrap()
}
