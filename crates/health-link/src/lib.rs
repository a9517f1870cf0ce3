//! SMART Health Links 1.0: what a patient hands to a clinic abroad that knows nothing of this network.
//!
//! A link holds an address and a key ([`Link`]). At the address a server keeps the files ([`seal`], [`open`]) and says which
//! there are ([`Manifest`]); it never has the key. The link's holder has both, and so whoever gets hold of the link can
//! read, with the passcode if it asks for one.
//!
//! [`ServedLink`] is what the server remembers of a link and how it answers: passcode, guesses in the link's whole life, end,
//! revocation, who opened it.
//!
//! The standard fixes the cipher: AES-256 in GCM, as a compact JWE. What this crate makes and opens is that and nothing
//! else; Amulet's own SM4 is never used under this name.
//!
//! Source: HL7 "SMART Health Cards and Links" 1.0.0 (STU 1), SMART Health Links; RFC 7516 (JWE), RFC 7518 sections 4.5 and
//! 5.3 (`dir`, `A256GCM`).

mod jwe;
mod link;
mod manifest;
mod served;

pub use jwe::{CIPHERTEXT_CHARS_MAX, JweError, PLAIN_BYTES_MAX, SealedFile, open, seal};
pub use link::{
    Flags, KEY_CHARS, LABEL_CHARS_MAX, LINK_CHARS_MAX, Link, LinkError, LinkKey, SCHEME, URL_CHARS_MAX,
};
pub use manifest::{
    FILES_MAX, File, Manifest, ManifestError, ManifestRequest, PASSCODE_CHARS_MAX, RECIPIENT_CHARS_MAX,
    REQUEST_BYTES_MAX, Status, WrongPasscode,
};
pub use served::{
    ATTEMPTS_MAX, Answer, Closed, OPENINGS_KEPT_MAX, Opening, PasscodeHash, REQUESTS_PER_MINUTE_MAX,
    ServedLink,
};
