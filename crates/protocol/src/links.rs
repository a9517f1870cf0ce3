//! SMART Health Links that a hospital serves for a patient: what the patient orders, and how a link stands.
//!
//! The hospital gets the file sealed and never its key, which is in the link alone.

use crate::ids::{ChainId, Did, RecordId, Timestamp};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use amulet_crypto::digest::Digest;
use amulet_crypto::signing::{PublicKey, Signature};
use borsh::{BorshDeserialize, BorshSerialize};
use core::fmt;

/// Bytes of a link's identifier: as many as the standard wants in its address.
pub const LINK_ID_BYTES: usize = 32;
/// Bytes of a sealed file: a summary of some thousand entries, compressed.
pub const LINK_FILE_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of the address of a link.
pub const LINK_URL_BYTES_MAX: usize = 128;
/// Links that a hospital keeps of one patient, closed ones among them; the oldest closed one gives way.
pub const LINKS_PER_PATIENT_MAX: usize = 20;
/// Who opened a link, at most; the oldest are forgotten.
pub const LINK_OPENINGS_MAX: usize = 100;
/// Bytes of the name that somebody gave when they opened a link.
pub const LINK_RECIPIENT_BYTES_MAX: usize = 800;
/// Bytes of a passcode's salt.
pub const PASSCODE_SALT_BYTES: usize = 16;

/// What names a link at its hospital: random, and part of its address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct LinkId(pub [u8; LINK_ID_BYTES]);

/// Whoever knows it can ask for the files, so it is not printed.
impl fmt::Debug for LinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkId(…)")
    }
}

/// By what a passcode is recognised: HMAC-SM3 of it under the salt.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PasscodeCheck {
    /// Random.
    pub salt: [u8; PASSCODE_SALT_BYTES],
    /// The HMAC.
    pub hash: Digest,
}

/// A link to be served.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ServeLink {
    /// Its identifier.
    pub id: LinkId,
    /// The address in the link, at most [`LINK_URL_BYTES_MAX`]: what the hospital's answers build addresses on.
    pub url: String,
    /// First moment at which it is over.
    pub ends: Timestamp,
    /// The passcode, if it asks for one.
    pub passcode: Option<PasscodeCheck>,
    /// Whether its address gives the file itself (flag `U`); then it has no passcode.
    pub single_file: bool,
    /// The file as a compact JWE, at most [`LINK_FILE_BYTES_MAX`].
    pub file: Vec<u8>,
    /// A record of the patient that this hospital registered: it serves its own patients.
    pub voucher: RecordId,
}

/// What a patient orders.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum LinkOrder {
    /// Serve a link.
    Serve(Box<ServeLink>),
    /// Say how all links stand.
    List,
    /// Serve a link no longer, and delete its file.
    Revoke(LinkId),
}

/// An order for a hospital. Its answer is how all of the patient's links stand.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct LinkRequest {
    /// The chain.
    pub chain: ChainId,
    /// Who orders.
    pub patient: Did,
    /// The organisation that is asked, so that the order is worth nothing elsewhere.
    pub holder: Did,
    /// When it was signed.
    pub time: Timestamp,
    /// The order.
    pub order: LinkOrder,
}

/// A signed order as received.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct UntrustedLinkRequest {
    /// The request.
    pub request: LinkRequest,
    /// Key said to have signed.
    pub key: PublicKey,
    /// Signature.
    pub signature: Signature,
}

/// How a link stands, by the word of the hospital that serves it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct LinkStatus {
    /// Which.
    pub id: LinkId,
    /// When it was ordered.
    pub made_at: Timestamp,
    /// First moment at which it is over.
    pub ends: Timestamp,
    /// Whether it can be opened.
    pub standing: LinkStanding,
    /// Wrong passcodes that are still allowed in its whole life; `None` without a passcode.
    pub attempts_left: Option<u32>,
    /// The newest openings, oldest first, at most [`LINK_OPENINGS_MAX`].
    pub openings: Vec<LinkOpening>,
    /// Openings in all.
    pub openings_total: u64,
}

/// Whether a link can be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum LinkStanding {
    /// It can.
    Open,
    /// Its time is over.
    Expired,
    /// The patient took it back.
    Revoked,
    /// Too many wrong passcodes were tried.
    Guessed,
}

/// Somebody opened a link.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct LinkOpening {
    /// When.
    pub at: Timestamp,
    /// The name they gave, which nothing proves; at most [`LINK_RECIPIENT_BYTES_MAX`] bytes.
    pub recipient: String,
}

/// Why an order was not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, thiserror::Error)]
pub enum LinkRefusal {
    /// The record that vouches is not one that this hospital registered for the patient.
    #[error("the hospital has registered no such record for the patient")]
    NotAPatient,
    /// There are as many open links as there may be.
    #[error("the patient has {max} open links, as many as there may be")]
    TooMany {
        /// How many.
        max: u16,
    },
    /// The hospital keeps as many links as it can.
    #[error("the hospital keeps as many links as it can")]
    Full,
    /// There is no such link of this patient, or its identifier is taken.
    #[error("no such link of this patient, or its identifier is taken")]
    NoSuchLink,
}
