//! Keys from other secrets: HKDF-SM3, recovery words, and the tree of keys derived from them.

mod guardians;
mod phrase;
mod seed;

use hkdf::Hkdf;
use sm3::Sm3;

pub use guardians::{
    CombineError, GUARDIANS_MAX, GuardianShare, MAX_SHARE_BYTES, SHARE_WORDS, ShareError, ShareSet,
    SplitError, THRESHOLD_MIN,
};
pub use phrase::{Language, MAX_PHRASE_BYTES, PHRASE_WORDS, PhraseError, SeedPhrase};
pub use seed::{KeyPath, SEED_BYTES, Seed};

/// HKDF (RFC 5869) over SM3: fills `out` from `ikm`. An empty salt is 32 zero bytes, as the RFC has it.
///
/// # Panics
/// When `out` is longer than 8160 bytes (255 digests), which no caller asks for.
pub fn hkdf_sm3(ikm: &[u8], salt: &[u8], info: &[u8], out: &mut [u8]) {
    Hkdf::<Sm3>::new(Some(salt), ikm).expand(info, out).expect("at most 255 digests are asked for");
}
