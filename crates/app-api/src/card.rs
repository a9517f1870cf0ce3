//! The emergency card.

use crate::wallet::TimeMs;
use serde::{Deserialize, Serialize};

/// Ask what the card could show.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CardDraft {}

/// What the card could show, taken from the records, the most important ones chosen already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardDraftView {
    /// Facts anyone who scans may read without a network.
    pub facts: Vec<DraftFactView>,
    /// The summary behind the check: sections with their number of entries.
    pub summary: Vec<(SummarySection, u64)>,
    /// Bytes of facts that fit into the code.
    pub bytes_max: u64,
}

/// One fact that could be on the card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftFactView {
    /// Kind.
    pub kind: FactKind,
    /// Text as it would be shown.
    pub text: String,
    /// Whether it is chosen to begin with.
    pub chosen: bool,
}

/// Kinds of offline facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactKind {
    /// Name.
    Name,
    /// Year of birth.
    BirthYear,
    /// Blood group.
    BloodGroup,
    /// An allergy.
    Allergy,
    /// A medicine that matters in an emergency.
    Medicine,
    /// A condition.
    Condition,
    /// An implanted device.
    Device,
    /// Somebody to call.
    Contact,
}

/// Sections of the summary, in the order they are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum SummarySection {
    Allergies,
    BloodGroup,
    Medicines,
    Conditions,
    Devices,
    Immunizations,
    Contacts,
}

/// Make or replace the card.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MakeCard {
    /// Facts to show offline, in order; may hold facts the person typed.
    pub facts: Vec<CardFact>,
    /// Sections of the summary to leave out.
    pub without: Vec<SummarySection>,
}

/// One fact on the card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardFact {
    /// Kind.
    pub kind: FactKind,
    /// Text, at most 60 bytes.
    pub text: String,
}

/// Ask for the card in force.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Card {}

/// Revoke the card in force.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RevokeCard {}

/// A card in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardView {
    /// The QR code as SVG markup, made by the wallet.
    pub qr_svg: String,
    /// The text inside the QR code.
    pub qr_text: String,
    /// A coarse QR code as SVG markup: read from farther, without the facts.
    pub far_svg: String,
    /// The code to type where nothing can be scanned, in groups of five.
    pub typed_code: String,
    /// Facts shown offline.
    pub facts: Vec<CardFact>,
    /// The owner's name.
    pub name: String,
    /// When it was committed.
    pub made_at: TimeMs,
    /// Hours an emergency access lasts.
    pub access_hours: u64,
}

/// Save a picture of the card, drawn by the page, for the lock screen of a phone.
#[derive(Clone, Serialize, Deserialize)]
pub struct SaveCardPicture {
    /// A PNG as base64.
    pub png: String,
}

/// Its content is the card's.
impl std::fmt::Debug for SaveCardPicture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SaveCardPicture").field("characters", &self.png.len()).finish()
    }
}
