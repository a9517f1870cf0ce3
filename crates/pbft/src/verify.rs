//! The gate: the only way from a received message to a [`VerifiedMessage`], which is all that `step` takes.
//!
//! Cheap checks come first and signatures last, because the sender chooses how much there is to check. Everything that
//! is nested (the certificates in a view-change, the view-changes in a new-view) is checked too.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use amulet_crypto::signing::{PreparedKey, PublicKey, Signature, SigningContext};
use amulet_protocol::consensus::signing_domain;
use amulet_protocol::ids::{ChainId, Epoch, HeaderHash, Height, ReplicaId, View};
use amulet_protocol::quorum::Quorum;
use amulet_protocol::validators::{Validator, ValidatorSet};

use crate::certificate::{check_ascending, check_commit_certificate};
use crate::config::primary_of;
use crate::limits::PIPELINE_DEPTH_MAX;
use crate::message::{Content, Message, NewView, Proposal, Signed, UntrustedMessage, ViewChange};
use crate::payload::{Payload, PayloadDigest};

/// Who the validators are, and whether they signed. A narrow seam, so that faster verification or a simulator's cheap
/// signatures can stand in.
pub trait Verifier {
    /// The epoch in which the set is in force.
    fn epoch(&self) -> Epoch;

    /// The quorum system of the set.
    fn quorum(&self) -> Quorum;

    /// Whether `signature` is `signer`'s over `message` in `context`. `signer` is below the set's size.
    fn is_valid(
        &self,
        signer: ReplicaId,
        context: SigningContext,
        message: &[u8],
        signature: &Signature,
    ) -> bool;
}

/// The validators' SM2 keys in one epoch of a chain. Clones share what is prepared for each key.
#[derive(Clone, Debug)]
pub struct ValidatorKeys {
    chain: ChainId,
    epoch: Epoch,
    quorum: Quorum,
    keys: Arc<[ValidatorKey]>,
}

/// Prepared when its validator is first heard of: that takes as long as checking ten signatures without.
#[derive(Debug)]
struct ValidatorKey {
    key: PublicKey,
    prepared: OnceLock<PreparedKey>,
}

impl ValidatorKeys {
    /// The keys of `validators`, for messages in their epoch of `chain`.
    #[must_use]
    pub fn new(chain: ChainId, epoch: Epoch, validators: ValidatorSet) -> Self {
        let key = |member: &Validator| ValidatorKey { key: member.key.clone(), prepared: OnceLock::new() };
        let keys = validators.members().iter().map(key).collect();
        Self { chain, epoch, quorum: validators.quorum(), keys }
    }
}

impl Verifier for ValidatorKeys {
    fn epoch(&self) -> Epoch {
        self.epoch
    }

    fn quorum(&self) -> Quorum {
        self.quorum
    }

    fn is_valid(
        &self,
        signer: ReplicaId,
        context: SigningContext,
        message: &[u8],
        signature: &Signature,
    ) -> bool {
        let domain = signing_domain(context, self.chain, self.epoch);
        self.keys.get(usize::from(signer.0)).is_some_and(|ValidatorKey { key, prepared }| {
            let prepared = prepared.get_or_init(|| PreparedKey::new(key.clone()));
            prepared.verify(context, &domain, message, signature).is_ok()
        })
    }
}

/// A message whose sender, shape and signatures were checked, nested ones included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedMessage {
    epoch: Epoch,
    message: Message,
}

impl VerifiedMessage {
    /// The replica that signed it.
    #[must_use]
    pub fn sender(&self) -> ReplicaId {
        self.message.sender()
    }

    /// The epoch whose validators it was checked against.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// What it says.
    #[must_use]
    pub fn message(&self) -> &Message {
        &self.message
    }

    pub(crate) fn into_message(self) -> Message {
        self.message
    }
}

/// Why a message is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The message belongs to another epoch.
    #[error("the message is of epoch {found}, not {expected}")]
    Epoch {
        /// The epoch that it names, or that its view belongs to.
        found: Epoch,
        /// The verifier's.
        expected: Epoch,
    },
    /// There is no such replica.
    #[error("replica {replica} is not one of {size}")]
    UnknownReplica {
        /// The number given.
        replica: ReplicaId,
        /// Members in the set.
        size: usize,
    },
    /// A signature is not the replica's over this content.
    #[error("the signature of replica {replica} in context {context:?} is wrong")]
    Signature {
        /// Who is said to have signed.
        replica: ReplicaId,
        /// What the signature is for.
        context: SigningContext,
    },
    /// Too few or too many votes in a certificate.
    #[error("a certificate has {found} votes; it needs {needed} and can have {size}")]
    Signers {
        /// Votes found.
        found: usize,
        /// Votes needed.
        needed: usize,
        /// Members in the set.
        size: usize,
    },
    /// Voters are not strictly ascending, so one may count twice.
    #[error("replica {next} follows replica {previous} in a certificate")]
    Order {
        /// The earlier number.
        previous: ReplicaId,
        /// The number after it.
        next: ReplicaId,
    },
    /// The message is one for the primary of its view to send.
    #[error("replica {sender} is not the primary, {primary}")]
    NotPrimary {
        /// Who signed.
        sender: ReplicaId,
        /// The primary of the view.
        primary: ReplicaId,
    },
    /// A prepared certificate counts the primary's prepare beside its pre-prepare.
    #[error("the primary {primary} votes twice in a prepared certificate")]
    PrimaryVotedTwice {
        /// The primary of the view.
        primary: ReplicaId,
    },
    /// The payload is not the one that the signed content names.
    #[error("the payload's digest differs from the signed one")]
    Payload {
        /// The signed digest.
        signed: PayloadDigest,
        /// The digest of the payload received.
        found: PayloadDigest,
    },
    /// A view-change or new-view names more heights than can be in flight.
    #[error("{found} heights in flight, at most {PIPELINE_DEPTH_MAX}")]
    TooManyHeights {
        /// Heights found.
        found: usize,
    },
    /// A prepared certificate is not for the height that follows.
    #[error("a certificate for height {found} stands where {expected} belongs")]
    PreparedHeight {
        /// The height found.
        found: Height,
        /// The height that follows the one before.
        expected: Height,
    },
    /// A prepared certificate's block does not stand on the block below it.
    #[error("the certificate for height {height} is for a block on top of {found}, below it is {expected}")]
    PreparedParent {
        /// The height.
        height: Height,
        /// The parent that the certificate names.
        found: HeaderHash,
        /// The block that was shown below.
        expected: HeaderHash,
    },
    /// Something nested belongs to another view than its place demands.
    #[error("view {found} inside a message for view {outer}")]
    NestedView {
        /// The nested view.
        found: View,
        /// The view of the message.
        outer: View,
    },
}

impl UntrustedMessage {
    /// Checks the message against the validators (rules PBFT-MB-2 to PBFT-MB-6).
    ///
    /// Costs one signature check, and for view-change and new-view messages one for each different vote inside; these are
    /// bounded
    /// by the set's size and by `PIPELINE_DEPTH_MAX` before the first signature is looked at.
    ///
    /// # Errors
    /// [`VerifyError`] by the first check that fails.
    pub fn verify(self, verifier: &dyn Verifier) -> Result<VerifiedMessage, VerifyError> {
        let expected = verifier.epoch();
        let stray = |view: &View| view.epoch() != expected;
        if let Some(found) = views(&self.message).into_iter().find(stray).map(View::epoch) {
            return Err(VerifyError::Epoch { found, expected });
        }
        if self.epoch != expected {
            return Err(VerifyError::Epoch { found: self.epoch, expected });
        }
        match &self.message {
            Message::PrePrepare(signed, payload) => {
                check_payload(signed.content.proposal.payload_digest, payload)?;
                check_signed(signed, verifier)?;
            }
            Message::Prepare(signed) => check_signed(signed, verifier)?,
            Message::Commit(signed) => check_signed(signed, verifier)?,
            Message::Checkpoint(signed) => check_signed(signed, verifier)?,
            Message::ViewChange(signed) => check_view_change(signed, &CheckedVotes::new(verifier))?,
            Message::NewView(signed) => check_new_view(signed, &CheckedVotes::new(verifier))?,
            Message::Status(signed) => {
                check_depth(signed.content.phases.len())?;
                check_signed(signed, verifier)?;
            }
            Message::PayloadRequest(signed) => check_signed(signed, verifier)?,
            Message::PayloadReply(signed, payload) => {
                check_payload(signed.content.payload_digest, payload)?;
                check_signed(signed, verifier)?;
            }
        }
        Ok(VerifiedMessage { epoch: self.epoch, message: self.message })
    }
}

/// Remembers which votes of the message at hand were found valid: most view-changes of a new-view show the same ones in
/// different certificates. A new-view of n replicas thus costs one check for each *different* vote in it, however many
/// certificates it is shown in (rule PBFT-MB-9). What is remembered is that this replica signed this content, so another
/// signature beside the same vote of the same signer is not looked at: it could prove nothing else.
struct CheckedVotes<'a> {
    verifier: &'a dyn Verifier,
    valid: RefCell<BTreeMap<SigningContext, Voters>>,
}

/// Who signed what, by the signed bytes.
type Voters = BTreeMap<Vec<u8>, BTreeSet<ReplicaId>>;

impl<'a> CheckedVotes<'a> {
    fn new(verifier: &'a dyn Verifier) -> Self {
        Self { verifier, valid: RefCell::default() }
    }
}

impl Verifier for CheckedVotes<'_> {
    fn epoch(&self) -> Epoch {
        self.verifier.epoch()
    }

    fn quorum(&self) -> Quorum {
        self.verifier.quorum()
    }

    fn is_valid(
        &self,
        signer: ReplicaId,
        context: SigningContext,
        message: &[u8],
        signature: &Signature,
    ) -> bool {
        let mut valid = self.valid.borrow_mut();
        let of_context = valid.entry(context).or_default();
        if of_context.get(message).is_some_and(|signers| signers.contains(&signer)) {
            return true;
        }
        let is_valid = self.verifier.is_valid(signer, context, message, signature);
        if is_valid {
            of_context.entry(message.to_vec()).or_default().insert(signer);
        }
        is_valid
    }
}

/// Rule PBFT-MB-4: prepared heights follow the base without a gap, each on top of the block below it, in views before the
/// new one.
fn check_view_change(signed: &Signed<ViewChange>, verifier: &dyn Verifier) -> Result<(), VerifyError> {
    let ViewChange { new_view, base, prepared } = &signed.content;
    check_depth(prepared.len())?;
    let mut below = base.as_ref().map(|base| (base.vote.height, base.vote.header_hash));
    for certificate in prepared {
        let Proposal { view, height, parent, header_hash, .. } = *certificate.proposal();
        // Without a base the sender stands at the start of the epoch, and the core knows where that is.
        if let Some((last, tip)) = below {
            let expected = Height(last.0.saturating_add(1));
            if height != expected {
                return Err(VerifyError::PreparedHeight { found: height, expected });
            }
            if parent != tip {
                return Err(VerifyError::PreparedParent { height, found: parent, expected: tip });
            }
        }
        if view >= *new_view {
            return Err(VerifyError::NestedView { found: view, outer: *new_view });
        }
        below = Some((height, header_hash));
    }
    check_signed(signed, verifier)?;
    if let Some(base) = base {
        let (found, expected) = (base.vote.view.epoch(), verifier.epoch());
        if found != expected {
            return Err(VerifyError::Epoch { found, expected });
        }
        check_commit_certificate(base, verifier)?;
    }
    prepared.iter().try_for_each(|certificate| certificate.check(verifier))
}

/// Rules PBFT-MB-5 and PBFT-MB-6: a quorum of view-changes for this view, and proposals in this view by its primary.
/// Whether the proposals are the right ones is for the core to recompute.
fn check_new_view(signed: &Signed<NewView>, verifier: &dyn Verifier) -> Result<(), VerifyError> {
    let NewView { view, view_changes, pre_prepares } = &signed.content;
    let quorum = verifier.quorum();
    let primary = primary_of(*view, quorum);
    if signed.sender != primary {
        return Err(VerifyError::NotPrimary { sender: signed.sender, primary });
    }
    let (found, needed, size) = (view_changes.len(), quorum.threshold(), quorum.size());
    if found < needed || found > size {
        return Err(VerifyError::Signers { found, needed, size });
    }
    check_ascending(view_changes.iter().map(|view_change| view_change.sender))?;
    check_depth(pre_prepares.len())?;
    let nested_views = view_changes.iter().map(|view_change| view_change.content.new_view);
    let proposed_views = pre_prepares.iter().map(|pre_prepare| pre_prepare.content.proposal.view);
    if let Some(found) = nested_views.chain(proposed_views).find(|found| found != view) {
        return Err(VerifyError::NestedView { found, outer: *view });
    }
    if let Some(other) = pre_prepares.iter().find(|pre_prepare| pre_prepare.sender != primary) {
        return Err(VerifyError::NotPrimary { sender: other.sender, primary });
    }
    check_signed(signed, verifier)?;
    pre_prepares.iter().try_for_each(|pre_prepare| check_signed(pre_prepare, verifier))?;
    view_changes.iter().try_for_each(|view_change| check_view_change(view_change, verifier))
}

/// The views that a message speaks of, other than in nested messages, which speak of lower ones.
fn views(message: &Message) -> Vec<View> {
    match message {
        Message::PrePrepare(signed, _) => vec![signed.content.proposal.view],
        Message::Prepare(signed) => vec![signed.content.proposal.view],
        Message::Commit(signed) => vec![signed.content.view],
        Message::ViewChange(signed) => vec![signed.content.new_view],
        Message::NewView(signed) => vec![signed.content.view],
        Message::Status(signed) => vec![signed.content.view, signed.content.target],
        Message::Checkpoint(_) | Message::PayloadRequest(_) | Message::PayloadReply(..) => Vec::new(),
    }
}

fn check_depth(found: usize) -> Result<(), VerifyError> {
    if found as u64 > PIPELINE_DEPTH_MAX {
        return Err(VerifyError::TooManyHeights { found });
    }
    Ok(())
}

fn check_payload(signed: PayloadDigest, payload: &Payload) -> Result<(), VerifyError> {
    let found = payload.digest();
    if found != signed {
        return Err(VerifyError::Payload { signed, found });
    }
    Ok(())
}

pub(crate) fn check_signed<T: Content>(
    signed: &Signed<T>,
    verifier: &dyn Verifier,
) -> Result<(), VerifyError> {
    check_signature(signed.sender, T::CONTEXT, &signed.content.signing_bytes(), &signed.signature, verifier)
}

/// Rule PBFT-MB-2: the sender is a validator, and the signature is the sender's.
pub(crate) fn check_signature(
    replica: ReplicaId,
    context: SigningContext,
    bytes: &[u8],
    signature: &Signature,
    verifier: &dyn Verifier,
) -> Result<(), VerifyError> {
    let size = verifier.quorum().size();
    if usize::from(replica.0) >= size {
        return Err(VerifyError::UnknownReplica { replica, size });
    }
    if !verifier.is_valid(replica, context, bytes, signature) {
        return Err(VerifyError::Signature { replica, context });
    }
    Ok(())
}
