//! Cheap stand-ins for SM2, so that thousands of runs fit into seconds, and helpers to build messages.
//!
//! A fake signature is a keyed checksum of signer, context and message. It is wrong for any other of these three, which
//! is all that the core relies on; the tests in `keys.rs` use real keys.

use amulet_crypto::digest::{Digest, Tag, tagged};
use amulet_crypto::signing::{Signature, SigningContext};
use amulet_pbft::{Config, Evidence, Signer, Timeouts, Verifier};
use amulet_protocol::ids::{Epoch, HeaderHash, ReplicaId};
use amulet_protocol::quorum::Quorum;

/// Checks fake signatures of a set of `n` in an epoch.
#[derive(Clone, Copy)]
pub struct FakeKeys(pub Quorum, pub Epoch);

/// Signs as one replica in an epoch.
#[derive(Clone, Copy)]
pub struct FakeSigner(pub ReplicaId, pub Epoch);

pub fn keys(n: usize) -> FakeKeys {
    FakeKeys(Quorum::for_size(n).unwrap(), Epoch(0))
}

fn checksum(signer: ReplicaId, epoch: Epoch, context: SigningContext, message: &[u8]) -> Signature {
    let epoch = if context == SigningContext::Commit { 0 } else { epoch.0 };
    let mut state = 0xcbf2_9ce4_8422_2325_u64 ^ u64::from(signer.0) ^ (epoch << 16);
    for byte in context.tag().as_bytes().iter().chain(message) {
        state = (state ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    let mut bytes = [0; 64];
    bytes[..8].copy_from_slice(&state.to_be_bytes());
    bytes[8..10].copy_from_slice(&signer.0.to_be_bytes());
    Signature::from_bytes(bytes)
}

impl Signer for FakeSigner {
    fn sign(&self, context: SigningContext, message: &[u8]) -> Signature {
        checksum(self.0, self.1, context, message)
    }
}

impl Verifier for FakeKeys {
    fn epoch(&self) -> Epoch {
        self.1
    }

    fn quorum(&self) -> Quorum {
        self.0
    }

    fn is_valid(
        &self,
        signer: ReplicaId,
        context: SigningContext,
        message: &[u8],
        signature: &Signature,
    ) -> bool {
        checksum(signer, self.1, context, message) == *signature
    }
}

pub const BLOCKS_PER_CHECKPOINT: u64 = 4;
pub const WINDOW: u64 = 16;

pub fn config(replica: u16, n: usize, timeouts: Timeouts) -> Config {
    config_with_window(replica, n, timeouts, WINDOW)
}

pub fn config_with_window(replica: u16, n: usize, timeouts: Timeouts, window: u64) -> Config {
    let quorum = Quorum::for_size(n).unwrap();
    let config = Config::new(ReplicaId(replica), quorum, timeouts, BLOCKS_PER_CHECKPOINT, window).unwrap();
    #[cfg(feature = "planted")]
    let config = config.with_planted(PLANTED.get().into_iter().collect());
    config
}

#[cfg(feature = "planted")]
thread_local! {
    /// The deliberate bug of all replicas that this thread makes.
    pub static PLANTED: std::cell::Cell<Option<amulet_pbft::planted::Bug>> = const { std::cell::Cell::new(None) };
}

/// The header hash that a block with these bytes has here.
pub fn header_hash(block: &[u8]) -> HeaderHash {
    HeaderHash(digest(block))
}

/// Whether anybody with the keys is convinced.
pub fn is_proof(evidence: &Evidence, keys: &FakeKeys) -> bool {
    let check = evidence.check_by(keys.epoch(), &|signer, context, message, signature| {
        keys.is_valid(signer, context, message, signature)
    });
    check == Ok(evidence.offender())
}

pub fn digest(bytes: &[u8]) -> Digest {
    tagged(Tag::new("amulet/test/header"), &[bytes])
}

/// The header hash of the block at height 0.
pub fn genesis_hash() -> HeaderHash {
    header_hash(b"genesis")
}
