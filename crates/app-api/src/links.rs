//! SMART Health Links: the patient summary for a clinic that has no Amulet.

use crate::wallet::{HospitalView, Language, TimeMs};
use serde::{Deserialize, Serialize};

/// Ask for the links that were handed out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HealthLinks {}

/// The links of all of the person's identities, by the word of the hospitals that serve them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthLinksView {
    /// Newest first.
    pub links: Vec<HealthLinkView>,
    /// Hospitals that did not answer: links may stand otherwise than is shown, and some may be missing.
    pub silent: Vec<HospitalView>,
    /// Whether a link can be made: some hospital has registered a record of the person.
    pub can_make: bool,
}

/// Whether a link can be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkStanding {
    /// It can.
    Open,
    /// Its time is over.
    Expired,
    /// The person took it back.
    Revoked,
    /// Too many wrong passcodes were tried.
    Guessed,
}

/// One link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthLinkView {
    /// Names it on this device; says nothing about its address.
    pub id: String,
    /// What the person called it; empty if another device made it.
    pub label: String,
    /// The hospital that serves it.
    pub hospital: HospitalView,
    /// When it was made.
    pub made_at: TimeMs,
    /// First moment at which it is over.
    pub ends: TimeMs,
    /// Whether it can be opened.
    pub standing: LinkStanding,
    /// Wrong passcodes that may still be tried in its whole life; `None` without a passcode.
    pub attempts_left: Option<u32>,
    /// The newest openings, newest first.
    pub openings: Vec<LinkOpeningView>,
    /// Openings in all.
    pub openings_total: u64,
    /// The link itself, while it is open and this device knows it.
    pub code: Option<LinkCodeView>,
}

/// Somebody opened a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkOpeningView {
    /// When.
    pub at: TimeMs,
    /// The name they gave, which nothing proves.
    pub recipient: String,
}

/// What is handed over. Whoever has it can read the summary, with the passcode if there is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkCodeView {
    /// `shlink:/…`
    pub text: String,
    /// The same as a QR code, SVG markup made by the wallet.
    pub qr_svg: String,
}

/// Make a link to the patient summary as it is now.
#[derive(Clone, Serialize, Deserialize)]
pub struct MakeHealthLink {
    /// What the person calls it; whoever has the link can read it. At most 80 characters.
    pub label: String,
    /// Days until it is over, 1 to 365.
    pub days: u64,
    /// At least six characters, if it is to ask for one.
    pub passcode: Option<String>,
    /// The language of the summary's titles.
    pub language: Language,
}

/// A passcode is for whom it is told.
impl std::fmt::Debug for MakeHealthLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MakeHealthLink").field("days", &self.days).finish_non_exhaustive()
    }
}

/// A link that was made, and what is in the summary behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeHealthLinkView {
    /// The link.
    pub link: HealthLinkView,
    /// Records that the summary lists.
    pub listed: u64,
    /// Records left out because there are many newer ones.
    pub left_out: u64,
    /// Records left out because they are of class core.
    pub core: u64,
    /// Records that could not be had or read.
    pub missing: u64,
}

/// Take a link back: its hospital gives nothing more for it and deletes the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RevokeHealthLink {
    /// From [`HealthLinkView`].
    pub id: String,
}
