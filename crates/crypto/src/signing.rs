//! SM2 signatures (GB/T 32918.2), each bound to what it is for and to one chain.
//!
//! Nothing is signed bare: [`SigningKey::sign`] takes a [`SigningContext`], one per message type, and the
//! [`ChainTag`] of the chain, and both are covered by the signature. A prepare vote can therefore never be shown as
//! a commit vote, nor a vote of a test chain on a real one. The signed bytes are
//! `len(tag) || tag || chain (32 bytes) || message` with the length in one byte.
//!
//! Checking is done by this crate's own arithmetic, which is fast and not constant-time, for all it sees is public;
//! signing by the crate `sm2`, which is constant-time.
//!
//! A value that travels with its signature is a [`Signed<T>`]; its payload is reached only by verifying it.

mod context;
mod identity;
mod public_key;
#[doc(hidden)]
pub mod raw;
mod signature;
mod signed;
mod signing_key;

pub use crate::point::{PUBLIC_KEY_BYTES, PublicKeyError};
pub use context::{ChainTag, SigningContext};
pub use public_key::{PreparedKey, PublicKey};
pub use signature::{SIGNATURE_BYTES, Signature, SignatureError};
pub use signed::{Signed, Verified};
pub use signing_key::{SECRET_KEY_BYTES, SecretKeyError, SigningKey};

pub(crate) use signing_key::is_secret_scalar;

/// The user id that goes into every signature's Z value: the default of GM/T 0009-2012 section 10.
pub const USER_ID: &str = "1234567812345678";
