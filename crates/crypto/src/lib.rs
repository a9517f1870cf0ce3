//! Amulet's cryptography: the Chinese commercial algorithms SM2, SM3 and SM4, and what is built from them.
//!
//! | module | for |
//! | --- | --- |
//! | [`digest`] | SM3, domain-separated hashing, HMAC-SM3 |
//! | [`entropy`] | where randomness comes from: the system, or a seed in tests |
//! | [`signing`] | SM2 signatures bound to a message type and a chain |
//! | [`sealed_box`] | SM2 public-key encryption of small secrets to a person |
//! | [`content`] | SM4-GCM encryption of records, whole or streamed in chunks |
//! | [`kdf`] | HKDF-SM3, recovery words and the keys derived from them |
//! | [`passphrase`] | Argon2id from a passphrase to a wrapping key |
//!
//! Secret types are wiped on drop, print redacted, are not `Clone` and have no serde form; the only way to their
//! bytes is a method whose name starts with `expose`. The formats are specified in `docs/spec/crypto.md`.
//!
//! Without the feature `std` (on unless switched off) the crate needs no operating system; it then lacks streams
//! (`ChunkedSealer`, `ChunkedOpener`) and `SystemEntropy`.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod content;
pub mod digest;
pub mod entropy;
pub mod kdf;
pub mod passphrase;
pub mod sealed_box;
pub mod signing;

mod curve;
mod heap_secret;
mod hex_text;
mod lazy;
mod point;
mod residue;
mod secret_box;

pub use hex_text::HexError;
pub use residue::wipe_stack;
