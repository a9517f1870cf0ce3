//! Hostile messages at the gate: rules PBFT-MB-1 to PBFT-MB-7.

use std::sync::Arc;

use amulet_crypto::digest::Digest;
use amulet_crypto::entropy::SeededEntropy;
use amulet_crypto::signing::{SigningContext, SigningKey};
use amulet_pbft::limits::MESSAGE_BYTES_MAX;
use amulet_pbft::message::{Checkpoint, DecodeError, Phase, Prepare, Signed, UntrustedMessage};
use amulet_pbft::{KeySigner, Message, Rejection, ValidatorKeys, VerifyError};
use amulet_protocol::certificate::verify_signatures;
use amulet_protocol::ids::{ChainId, Did, Epoch, Height, ReplicaId, View};
use amulet_protocol::validators::{Validator, ValidatorSet};

use crate::bench::*;
use crate::support::{header_hash, keys};

const A: &[u8] = b"block a";
const B: &[u8] = b"block b";

fn refusal(message: Message) -> VerifyError {
    UntrustedMessage::new(Epoch(0), message).verify(&keys(4)).unwrap_err()
}

fn view_change_message(from: u16, base: Option<amulet_pbft::CommitCertificate>) -> Message {
    Message::ViewChange(view_change(from, 5, base, vec![]))
}

/// PBFT-MB-1: size and shape, before anything else.
#[test]
fn bytes_that_are_no_message_are_refused() {
    let whole = commit(1, 0, 1, A).encode(Epoch(0));
    assert!(UntrustedMessage::decode(&whole).is_ok());
    for wrong in [&whole[..whole.len() - 1], &[whole.as_slice(), &[0]].concat(), &[99][..], &[][..]] {
        assert!(matches!(UntrustedMessage::decode(wrong), Err(DecodeError::Malformed(_))));
    }
    let bytes = MESSAGE_BYTES_MAX + 1;
    assert!(
        matches!(UntrustedMessage::decode(&vec![0; bytes]), Err(DecodeError::TooLarge { bytes: found }) if found == bytes)
    );
}

/// PBFT-MB-1: a length that promises more than there is costs no memory.
#[test]
fn a_promised_length_is_not_believed() {
    let honest = Message::ViewChange(view_change(1, 1, None, vec![])).encode(Epoch(0));
    let mut lying = honest.clone();
    let prepared_length = honest.len() - 64 - 4;
    lying[prepared_length..prepared_length + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(matches!(UntrustedMessage::decode(&lying), Err(DecodeError::Malformed(_))));
}

/// PBFT-MB-2: unknown senders, borrowed names, votes shown as votes of another kind.
#[test]
fn a_signature_counts_for_its_signer_and_kind() {
    let mut borrowed = signed(2, vote(0, 1, A));
    borrowed.sender = ReplicaId(3);
    let context = SigningContext::Commit;
    assert_eq!(refusal(Message::Commit(borrowed)), VerifyError::Signature { replica: ReplicaId(3), context });
    assert_eq!(
        refusal(Message::Commit(signed(4, vote(0, 1, A)))),
        VerifyError::UnknownReplica { replica: ReplicaId(4), size: 4 }
    );
    let pre_prepare = signed_pre_prepare(0, 1, A, 4);
    let as_prepare = Signed {
        sender: pre_prepare.sender,
        content: Prepare { proposal: pre_prepare.content.proposal },
        signature: pre_prepare.signature,
    };
    let context = SigningContext::Prepare;
    assert_eq!(
        refusal(Message::Prepare(as_prepare)),
        VerifyError::Signature { replica: ReplicaId(0), context }
    );
}

#[test]
fn a_payload_must_be_the_signed_one() {
    let swapped = Message::PrePrepare(signed_pre_prepare(0, 1, A, 4), payload(B));
    assert_eq!(
        refusal(swapped),
        VerifyError::Payload { signed: payload(A).digest(), found: payload(B).digest() }
    );
}

/// PBFT-MB-3: forged, thin, padded and doubled certificates inside a view-change.
#[test]
fn a_forged_base_is_refused() {
    let (context, size) = (SigningContext::Commit, 4);
    let thin = commit_certificate(0, 1, A, &[0, 1]);
    assert_eq!(
        refusal(view_change_message(1, Some(thin))),
        VerifyError::Signers { found: 2, needed: 3, size }
    );
    let doubled = commit_certificate(0, 1, A, &[0, 1, 1]);
    let order = VerifyError::Order { previous: ReplicaId(1), next: ReplicaId(1) };
    assert_eq!(refusal(view_change_message(1, Some(doubled))), order);
    let padded = commit_certificate(0, 1, A, &[0, 1, 2, 3, 4]);
    assert_eq!(
        refusal(view_change_message(1, Some(padded))),
        VerifyError::Signers { found: 5, needed: 3, size }
    );
    let mut moved = commit_certificate(0, 1, A, &[0, 1, 2]);
    moved.vote.height = Height(2);
    assert_eq!(
        refusal(view_change_message(1, Some(moved))),
        VerifyError::Signature { replica: ReplicaId(0), context }
    );
}

/// PBFT-MB-3, PBFT-MB-4: a prepared certificate counts the primary once, and stands at the height after the base.
#[test]
fn a_forged_prepared_certificate_is_refused() {
    let message = |base, certificate| Message::ViewChange(view_change(1, 5, base, vec![certificate]));
    assert_eq!(
        refusal(message(None, prepared_certificate(0, 1, A, &[0, 1], 4))),
        VerifyError::PrimaryVotedTwice { primary: ReplicaId(0) }
    );
    assert_eq!(
        refusal(message(None, prepared_certificate(0, 1, A, &[1], 4))),
        VerifyError::Signers { found: 1, needed: 2, size: 4 }
    );
    let base = commit_certificate(0, 1, A, &[0, 1, 2]);
    assert_eq!(
        refusal(message(Some(base), prepared_certificate(0, 3, B, &[1, 2], 4))),
        VerifyError::PreparedHeight { found: Height(3), expected: Height(2) }
    );
    assert_eq!(
        refusal(message(None, prepared_certificate(5, 1, A, &[2, 3], 4))),
        VerifyError::NestedView { found: View(5), outer: View(5) }
    );
    let many: Vec<_> = (1..=17).map(|height| prepared_certificate(0, height, A, &[1, 2], 4)).collect();
    assert_eq!(
        refusal(Message::ViewChange(view_change(1, 5, None, many))),
        VerifyError::TooManyHeights { found: 17 }
    );
    // At height 2, A stands on B.
    let unlinked = vec![prepared_certificate(0, 1, A, &[1, 2], 4), prepared_certificate(0, 2, A, &[1, 2], 4)];
    let (found, expected) = (header_hash(B), header_hash(A));
    assert_eq!(
        refusal(Message::ViewChange(view_change(1, 5, None, unlinked))),
        VerifyError::PreparedParent { height: Height(2), found, expected }
    );
}

/// PBFT-MB-5, PBFT-MB-6: a new-view needs its primary, a quorum of requests for this very view, and own proposals.
#[test]
fn a_forged_new_view_is_refused() {
    let asking = |from: u16, view| view_change(from, view, None, vec![]);
    let three = || [0, 1, 2].map(|from| asking(from, 1)).to_vec();
    let refuse = |view_changes, pre_prepares| refusal(new_view(1, view_changes, pre_prepares, 4));
    assert_eq!(refuse(three()[..2].to_vec(), vec![]), VerifyError::Signers { found: 2, needed: 3, size: 4 });
    assert_eq!(
        refuse(vec![asking(0, 1), asking(0, 1), asking(2, 1)], vec![]),
        VerifyError::Order { previous: ReplicaId(0), next: ReplicaId(0) }
    );
    assert_eq!(
        refuse(vec![asking(0, 1), asking(1, 1), asking(2, 5)], vec![]),
        VerifyError::NestedView { found: View(5), outer: View(1) }
    );
    let mut unsigned = three();
    unsigned[2].signature = unsigned[1].signature;
    assert_eq!(
        refuse(unsigned, vec![]),
        VerifyError::Signature { replica: ReplicaId(2), context: SigningContext::ViewChange }
    );
    let mut foreign = signed_pre_prepare(1, 1, A, 4);
    foreign.sender = ReplicaId(2);
    assert_eq!(
        refuse(three(), vec![foreign]),
        VerifyError::NotPrimary { sender: ReplicaId(2), primary: ReplicaId(1) }
    );
    let content =
        amulet_pbft::message::NewView { view: View(1), view_changes: three(), pre_prepares: vec![] };
    assert_eq!(
        refusal(Message::NewView(signed(3, content))),
        VerifyError::NotPrimary { sender: ReplicaId(3), primary: ReplicaId(1) }
    );
}

/// PBFT-MB-7: a peer that runs ahead fills its own buffer only, and only so far.
#[test]
fn what_is_kept_for_later_is_bounded_by_sender() {
    let mut backup = Bench::new(1, 4);
    // With one height in flight, votes at heights 1 and 2 have their place already.
    backup.hear(prepare(2, 0, 3, A));
    for view in 0..8 {
        for height in 3..=16 {
            backup.hear(commit(3, view, height, A));
        }
    }
    // The flood of replica 3 has pushed out its own oldest votes, and nothing of replica 2.
    backup.take(synced(commit_certificate(0, 1, B, &[0, 2, 3])));
    let refused = backup.refusal_of(prepare(2, 0, 3, A));
    assert_eq!(refused, Rejection::Duplicate { sender: ReplicaId(2) });
    assert_eq!(
        kinds(&backup.hear(commit(3, 0, 3, A))),
        Vec::<String>::new(),
        "its early vote had been dropped"
    );
}

/// A replica's own name on a message from outside is refused.
#[test]
fn an_own_message_from_outside_is_refused() {
    let mut backup = Bench::new(1, 4);
    assert_eq!(
        backup.refusal_of(status(1, 0, 0, Phase::AwaitingProposal)),
        Rejection::OwnMessage { replica: ReplicaId(1) }
    );
}

/// The same with SM2: a commit vote is what light clients check, on this chain only.
#[test]
fn real_signatures_make_the_certificate_that_light_clients_check() {
    let (chain, other_chain) = (ChainId(Digest::from([7; 32])), ChainId(Digest::from([8; 32])));
    let mut entropy = SeededEntropy::new(1);
    let secret: Vec<_> = (0..4).map(|_| Arc::new(SigningKey::generate(&mut entropy))).collect();
    let member = |key: &Arc<SigningKey>| Validator {
        organisation: Did::of_key(key.public_key()),
        key: key.public_key().clone(),
        peer_id: Vec::new(),
    };
    let validators = ValidatorSet::new(secret.iter().map(member).collect()).unwrap();
    let vote = vote(0, 1, A);
    let commits: Vec<_> = (0..3_u16)
        .map(|from| {
            let signer = KeySigner::new(secret[usize::from(from)].clone(), chain, Epoch(0));
            Signed::new(vote, ReplicaId(from), &signer)
        })
        .collect();
    let keys = ValidatorKeys::new(chain, Epoch(0), validators.clone());
    for commit in &commits {
        assert!(UntrustedMessage::new(Epoch(0), Message::Commit(commit.clone())).verify(&keys).is_ok());
        let elsewhere = ValidatorKeys::new(other_chain, Epoch(0), validators.clone());
        assert_eq!(
            UntrustedMessage::new(Epoch(0), Message::Commit(commit.clone())).verify(&elsewhere),
            Err(VerifyError::Signature { replica: commit.sender, context: SigningContext::Commit })
        );
    }
    let signatures = commits.iter().map(|commit| (commit.sender, commit.signature)).collect();
    let certificate = amulet_pbft::CommitCertificate { vote, signatures };
    assert_eq!(verify_signatures(&certificate, chain, &validators), Ok(()));
}

/// PBFT-MB-2, PBFT-EP-1: the same key at the same place in another epoch or on another chain, and an envelope that says so:
/// what was signed here counts nowhere else.
#[test]
fn what_was_signed_in_another_epoch_or_chain_is_refused() {
    let (chain, other_chain) = (ChainId(Digest::from([7; 32])), ChainId(Digest::from([8; 32])));
    let mut entropy = SeededEntropy::new(1);
    let secret: Vec<_> = (0..4).map(|_| Arc::new(SigningKey::generate(&mut entropy))).collect();
    let member = |key: &Arc<SigningKey>| Validator {
        organisation: Did::of_key(key.public_key()),
        key: key.public_key().clone(),
        peer_id: Vec::new(),
    };
    let validators = ValidatorSet::new(secret.iter().map(member).collect()).unwrap();
    let signer = KeySigner::new(secret[1].clone(), chain, Epoch(0));
    let checkpoint = Checkpoint { height: Height(4), header_hash: header_hash(A) };
    let checkpoint = Message::Checkpoint(Signed::new(checkpoint, ReplicaId(1), &signer));
    let prepare =
        Message::Prepare(Signed::new(Prepare { proposal: proposal(0, 1, A) }, ReplicaId(1), &signer));
    for (message, context) in
        [(checkpoint, SigningContext::Checkpoint), (prepare.clone(), SigningContext::Prepare)]
    {
        let verify = |chain, epoch| {
            let keys = ValidatorKeys::new(chain, epoch, validators.clone());
            UntrustedMessage::new(epoch, message.clone()).verify(&keys).map(|_| ())
        };
        assert_eq!(verify(chain, Epoch(0)), Ok(()));
        let refused = Err(VerifyError::Signature { replica: ReplicaId(1), context });
        assert_eq!(verify(other_chain, Epoch(0)), refused);
        // A message that names a view says its epoch twice, in the view and by the signature.
        let named = Err(VerifyError::Epoch { found: Epoch(0), expected: Epoch(1) });
        let expected = if context == SigningContext::Prepare { named } else { refused };
        assert_eq!(verify(chain, Epoch(1)), expected);
    }
    let next = ValidatorKeys::new(chain, Epoch(1), validators);
    let as_sent = UntrustedMessage::new(Epoch(0), prepare).verify(&next).map(|_| ());
    assert_eq!(as_sent, Err(VerifyError::Epoch { found: Epoch(0), expected: Epoch(1) }));
}
