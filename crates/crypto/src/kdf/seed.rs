//! The tree of keys under one seed. Every step is hardened: a child tells nothing about its parent or siblings.
//!
//! ```text
//! root  = HKDF-SM3(seed,  salt "amulet/v1/seed", info "root")                                        32 bytes
//! child = HKDF-SM3(node,  salt "amulet/v1/seed", info "child" || len(purpose) || purpose || index)   32 bytes
//! key   = HKDF-SM3(node,  salt "amulet/v1/seed", info kind || retry)
//! ```
//!
//! `len` and `retry` take one byte, `index` four, big-endian. `kind` is `signing-key`, `agreement-key` or
//! `content-key`; `retry` counts from zero until the number is in range.

use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use super::hkdf_sm3;
use crate::content::{CONTENT_KEY_BYTES, ContentKey};
use crate::heap_secret::HeapSecret;
use crate::sealed_box::AgreementKey;
use crate::signing::{SecretKeyError, SigningKey};

/// Bytes in a seed, as BIP-39 makes it.
pub const SEED_BYTES: usize = 64;

const SALT: &[u8] = b"amulet/v1/seed";

type Node = Zeroizing<[u8; 32]>;

/// Where a key sits under a seed: steps from the root, each a purpose and an index.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyPath(Vec<(&'static str, u32)>);

impl KeyPath {
    /// A path of one step.
    ///
    /// # Panics
    /// When the purpose has no or more than 255 bytes: purposes are names in the code, not input.
    pub fn new(purpose: &'static str, index: u32) -> Self {
        Self(Vec::new()).child(purpose, index)
    }

    /// This path with one more step.
    ///
    /// # Panics
    /// As [`KeyPath::new`].
    #[must_use]
    pub fn child(mut self, purpose: &'static str, index: u32) -> Self {
        assert!((1..=255).contains(&purpose.len()), "a purpose has 1 to 255 bytes");
        self.0.push((purpose, index));
        self
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(purpose, index)| write!(f, "/{purpose}'{index}"))
    }
}

/// The secret that all keys of a wallet come from. Wiped on drop, redacted, neither `Clone` nor serialisable.
pub struct Seed(HeapSecret<SEED_BYTES>);

impl Seed {
    /// Takes 64 bytes as a seed.
    pub fn from_bytes(bytes: &[u8; SEED_BYTES]) -> Self {
        Self(HeapSecret::copied(bytes))
    }

    /// The seed's bytes: whoever has them has every key of the wallet.
    ///
    /// Only for writing a key file that is itself encrypted; the copy wipes itself.
    pub fn expose_secret(&self) -> Zeroizing<[u8; SEED_BYTES]> {
        Zeroizing::new(*self.0)
    }

    /// The signing key at `path`.
    pub fn derive_signing_key(&self, path: &KeyPath) -> SigningKey {
        scalar_key(&self.node(path), b"signing-key", SigningKey::from_bytes)
    }

    /// The agreement key at `path`.
    pub fn derive_agreement_key(&self, path: &KeyPath) -> AgreementKey {
        scalar_key(&self.node(path), b"agreement-key", AgreementKey::from_bytes)
    }

    /// The content key at `path`.
    pub fn derive_content_key(&self, path: &KeyPath) -> ContentKey {
        let mut bytes = Zeroizing::new([0; CONTENT_KEY_BYTES]);
        hkdf_sm3(&*self.node(path), SALT, b"content-key\x00", &mut *bytes);
        ContentKey::from_bytes(&bytes)
    }

    fn node(&self, path: &KeyPath) -> Node {
        let mut node = Node::default();
        hkdf_sm3(&*self.0, SALT, b"root", &mut *node);
        for (purpose, index) in &path.0 {
            let length = u8::try_from(purpose.len()).expect("checked when the path was made");
            let info = [b"child", &[length][..], purpose.as_bytes(), &index.to_be_bytes()].concat();
            let mut child = Node::default();
            hkdf_sm3(&*node, SALT, &info, &mut *child);
            node = child;
        }
        node
    }
}

/// Derives numbers until one is a secret key; the first nearly always is (all but 1 in 2^32).
fn scalar_key<K>(node: &Node, kind: &[u8], make: impl Fn(&[u8; 32]) -> Result<K, SecretKeyError>) -> K {
    (0..=u8::MAX)
        .find_map(|retry| {
            let mut bytes = Zeroizing::new([0; 32]);
            hkdf_sm3(&**node, SALT, &[kind, &[retry]].concat(), &mut *bytes);
            make(&bytes).ok()
        })
        .expect("256 draws that all miss have a chance of 2^-8192")
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(…)")
    }
}
