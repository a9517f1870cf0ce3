//! Signatures that cost next to nothing: a checksum of key, context, domain and message.
//!
//! Anybody could make anybody's, so only the simulator may use them: its liars sign with their own keys alone, and the
//! checkers' claims hold for an adversary that cannot forge, as the paper's do.

use amulet_crypto::signing::{PublicKey, Signature, SigningContext};
use amulet_pbft::{Signer, Verifier};
use amulet_protocol::certificate::VoteCheck;
use amulet_protocol::ids::{ChainId, Epoch, ReplicaId};
use amulet_protocol::quorum::Quorum;
use amulet_protocol::validators::ValidatorSet;
use std::sync::Arc;

/// What a replica's signatures count for: its chain and, but for commit votes, its epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Domain {
    /// The chain.
    pub chain: ChainId,
    /// The epoch.
    pub epoch: Epoch,
}

impl Domain {
    fn salt(self, context: SigningContext) -> u64 {
        let mut sum = Checksum::default();
        sum.add(&self.chain.tag().0);
        sum.add(context.tag().as_bytes());
        // Light clients check commit votes, and know no epoch.
        if context != SigningContext::Commit {
            sum.add(&self.epoch.0.to_le_bytes());
        }
        sum.0
    }
}

/// A multiply-and-rotate checksum over eight bytes at a time.
#[derive(Clone, Copy)]
struct Checksum(u64);

impl Default for Checksum {
    fn default() -> Self {
        Self(0x243f_6a88_85a3_08d3)
    }
}

impl Checksum {
    fn add(&mut self, bytes: &[u8]) {
        let mut chunks = bytes.chunks_exact(8);
        for chunk in &mut chunks {
            self.mix(u64::from_le_bytes(chunk.try_into().expect("a chunk has eight bytes")));
        }
        let mut last = [0; 8];
        last[..chunks.remainder().len()].copy_from_slice(chunks.remainder());
        self.mix(u64::from_le_bytes(last));
        self.mix(bytes.len() as u64);
    }

    fn mix(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    }
}

/// The signature of the holder of `key`.
#[must_use]
pub fn sign(key: &PublicKey, domain: Domain, context: SigningContext, message: &[u8]) -> Signature {
    let mut sum = Checksum(domain.salt(context));
    sum.add(&key.to_bytes());
    sum.add(message);
    let mut bytes = [0; 64];
    for part in bytes.chunks_exact_mut(8) {
        sum.mix(0x1319_8a2e_0370_7344);
        part.copy_from_slice(&sum.0.to_le_bytes());
    }
    Signature::from_bytes(bytes)
}

/// Signs as one validator.
#[derive(Clone)]
pub struct QuickSigner {
    /// The validator's key.
    pub key: PublicKey,
    /// What the signatures count for.
    pub domain: Domain,
}

impl Signer for QuickSigner {
    fn sign(&self, context: SigningContext, message: &[u8]) -> Signature {
        sign(&self.key, self.domain, context, message)
    }
}

/// Checks the signatures of a validator set.
#[derive(Clone)]
pub struct QuickVerifier {
    /// The validators.
    pub validators: Arc<ValidatorSet>,
    /// What the signatures must count for.
    pub domain: Domain,
    /// Takes every signature for right: a deliberate bug.
    pub is_blind: bool,
}

impl Verifier for QuickVerifier {
    fn quorum(&self) -> Quorum {
        self.validators.quorum()
    }

    fn epoch(&self) -> Epoch {
        self.domain.epoch
    }

    fn is_valid(
        &self,
        signer: ReplicaId,
        context: SigningContext,
        message: &[u8],
        signature: &Signature,
    ) -> bool {
        let member = self.validators.get(signer);
        member.is_some_and(|member| {
            self.is_blind || sign(&member.key, self.domain, context, message) == *signature
        })
    }
}

/// Checks commit votes for the ledger.
pub struct QuickVotes;

impl VoteCheck for QuickVotes {
    fn is_valid(&self, key: &PublicKey, chain: ChainId, message: &[u8], signature: &Signature) -> bool {
        let domain = Domain { chain, epoch: Epoch::default() };
        sign(key, domain, SigningContext::Commit, message) == *signature
    }
}
