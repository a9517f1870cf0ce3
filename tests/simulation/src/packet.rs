//! A message on its way. It is encoded by its sender, and decoded and verified once for all who receive the same bytes.

use amulet_node::consensus::SharedVerifier;
use amulet_pbft::message::ViewChange;
use amulet_pbft::{Message, UntrustedMessage, VerifiedMessage};
use amulet_protocol::ids::Epoch;
use std::cell::OnceCell;
use std::rc::Rc;
use std::sync::Arc;

/// Bytes on the wire, and what they say once somebody looked.
#[derive(Clone)]
pub struct Packet(Rc<Inner>);

struct Inner {
    bytes: Arc<Vec<u8>>,
    kind: &'static str,
    epoch: Epoch,
    signatures: u64,
    verified: OnceCell<Option<VerifiedMessage>>,
}

impl Packet {
    /// What a replica puts on the wire; `None` if it is no message.
    #[must_use]
    pub fn new(bytes: Arc<Vec<u8>>) -> Option<Self> {
        let message = UntrustedMessage::decode(&bytes).ok()?;
        let kind = kind_of(&message);
        Some(Self(Rc::new(Inner {
            signatures: signatures_in(message.message()),
            epoch: message.epoch(),
            bytes,
            kind,
            verified: OnceCell::new(),
        })))
    }

    /// The kind's name.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.0.kind
    }

    /// The epoch that it names.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.0.epoch
    }

    /// Signatures that a receiver checks: its author's, and those of votes inside, each once.
    #[must_use]
    pub fn signatures(&self) -> u64 {
        self.0.signatures
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &Arc<Vec<u8>> {
        &self.0.bytes
    }

    /// The message, whether or not its signatures hold.
    #[must_use]
    pub fn untrusted(&self) -> Option<Message> {
        UntrustedMessage::decode(&self.0.bytes).ok().map(|untrusted| untrusted.message().clone())
    }

    /// The message, if its signatures hold. Checked once for all, as the verifiers of one epoch are alike.
    #[must_use]
    pub fn verified(&self, verifier: &SharedVerifier) -> Option<VerifiedMessage> {
        if verifier.epoch() != self.0.epoch {
            return None;
        }
        let verify = || UntrustedMessage::decode(&self.0.bytes).ok()?.verify(verifier.as_ref()).ok();
        self.0.verified.get_or_init(verify).clone()
    }
}

fn kind_of(message: &UntrustedMessage) -> &'static str {
    message.message().kind()
}

fn signatures_in(message: &Message) -> u64 {
    let in_view_change = |wish: &ViewChange| {
        let base = wish.base.as_ref().map_or(0, |base| base.signatures.len());
        let prepared: usize = wish.prepared.iter().map(|shown| shown.signers().count()).sum();
        1 + (base + prepared) as u64
    };
    match message {
        Message::ViewChange(signed) => in_view_change(&signed.content),
        Message::NewView(signed) => {
            let wishes: u64 =
                signed.content.view_changes.iter().map(|wish| in_view_change(&wish.content)).sum();
            1 + signed.content.pre_prepares.len() as u64 + wishes
        }
        _ => 1,
    }
}
