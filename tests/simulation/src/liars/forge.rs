//! What liars put together: blocks, certificates, view changes.

use crate::rng::Rng;
use amulet_crypto::signing::Signature;
use amulet_pbft::message::{NewView, Proposal, ViewChange};
use amulet_pbft::{Payload, PreparedCertificate};
use amulet_protocol::block::UntrustedBlock;
use amulet_protocol::codec;
use amulet_protocol::ids::{HeaderHash, ReplicaId, View};
use amulet_protocol::limits::BLOCK_BYTES_MAX;
use amulet_protocol::quorum::Quorum;

/// A different block for the same place: a millisecond later, else the same.
pub(super) fn another_block(proposal: &Proposal, payload: &Payload) -> Option<(Proposal, Payload)> {
    let mut block = codec::decode::<UntrustedBlock>(payload.bytes(), BLOCK_BYTES_MAX).ok()?;
    block.header.time = block.header.time.plus_millis(1);
    propose(proposal, &block)
}

/// The same block as its proposer would have made it in another view.
pub(super) fn in_view(
    proposal: &Proposal,
    payload: &Payload,
    view: View,
    proposer: ReplicaId,
) -> Option<(Proposal, Payload)> {
    let mut block = codec::decode::<UntrustedBlock>(payload.bytes(), BLOCK_BYTES_MAX).ok()?;
    (block.header.view, block.header.proposer) = (view, proposer);
    propose(&Proposal { view, ..*proposal }, &block)
}

fn propose(proposal: &Proposal, block: &UntrustedBlock) -> Option<(Proposal, Payload)> {
    let payload = Payload::new(codec::encode(block)).ok()?;
    let other = Proposal { header_hash: block.hash(), payload_digest: payload.digest(), ..*proposal };
    Some((other, payload))
}

/// A block that no correct replica may accept.
pub(super) fn invalid_block(rng: &mut Rng, proposal: &Proposal, payload: &Payload) -> (Proposal, Payload) {
    let junk = || {
        let payload = Payload::new(vec![0xa5; 64]).expect("a small payload");
        (Proposal { payload_digest: payload.digest(), ..*proposal }, payload)
    };
    let Ok(mut block) = codec::decode::<UntrustedBlock>(payload.bytes(), BLOCK_BYTES_MAX) else {
        return junk();
    };
    match rng.range(0, 6) {
        0 => return junk(),
        1 => block.header.state_root = block.header.transactions_root,
        2 => block.header.time = block.header.time.plus_millis(3_600_000),
        3 => {
            // A client's transaction, changed: its signature is then wrong.
            if let Some(first) = block.transactions.first_mut() {
                first.signature = Signature::from_bytes([7; 64]);
            }
        }
        4 => {
            if let Some(first) = block.transactions.first().cloned() {
                block.transactions.push(first);
            }
        }
        _ => block.header.previous = HeaderHash(block.header.state_root),
    }
    block.header.transactions_root = amulet_protocol::block::transactions_tree(&block.transactions).root();
    propose(proposal, &block).unwrap_or_else(junk)
}

/// A view-change whose certificates do not hold.
pub(super) fn view_change(rng: &mut Rng, honest: &ViewChange, quorum: Quorum) -> ViewChange {
    let mut forged = honest.clone();
    if let Some(base) = &mut forged.base {
        match rng.range(0, 4) {
            0 => base.vote.height = base.vote.height.next(),
            1 => base.signatures.truncate(quorum.threshold() - 1),
            2 => {
                let first = base.signatures.first().copied();
                base.signatures.fill(first.unwrap_or((ReplicaId(0), Signature::from_bytes([1; 64]))));
            }
            _ => base.vote.header_hash = HeaderHash(amulet_crypto::digest::sm3(b"forged")),
        }
    }
    forged.prepared = forged.prepared.iter().filter_map(|honest| prepared(rng, honest)).collect();
    forged
}

/// A prepared certificate with its parts in disorder.
fn prepared(rng: &mut Rng, honest: &PreparedCertificate) -> Option<PreparedCertificate> {
    type Parts = (amulet_pbft::Signed<amulet_pbft::message::PrePrepare>, Vec<(ReplicaId, Signature)>);
    let (mut pre_prepare, mut votes): Parts = borsh::from_slice(&borsh::to_vec(honest).ok()?).ok()?;
    match rng.range(0, 4) {
        0 => pre_prepare.content.proposal.header_hash = HeaderHash(amulet_crypto::digest::sm3(b"forged")),
        1 => {
            let first = votes.first().copied()?;
            votes.fill(first);
        }
        2 => {
            votes.pop();
        }
        _ => pre_prepare.content.proposal.view = pre_prepare.content.proposal.view.next(),
    }
    borsh::from_slice(&borsh::to_vec(&(pre_prepare, votes)).ok()?).ok()
}

/// A new-view whose view-changes do not hold.
pub(super) fn new_view(rng: &mut Rng, honest: &NewView, quorum: Quorum) -> NewView {
    let mut forged = honest.clone();
    match rng.range(0, 3) {
        0 => {
            let first = forged.view_changes.first().cloned();
            forged.view_changes = first.into_iter().cycle().take(quorum.threshold()).collect();
        }
        1 => {
            for view_change in &mut forged.view_changes {
                view_change.content.prepared.clear();
            }
            forged.pre_prepares.clear();
        }
        _ => forged.view_changes.truncate(1),
    }
    forged
}
