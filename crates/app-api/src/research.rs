//! Studies that a patient can take part in.

use crate::access::{ShareView, StudyNameView};
use crate::records::{Category, RecordLineView};
use crate::wallet::{CheckedView, HospitalView, TimeMs};
use serde::{Deserialize, Serialize};

/// Ask for the studies that are open, and those in which the patient takes part.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Research {}

/// Studies. The list of open ones is proven: no hospital left one out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResearchView {
    /// Open studies in which the patient does not take part, the newest approval first.
    pub open: Vec<StudyView>,
    /// Those in which they do.
    pub joined: Vec<JoinedStudyView>,
    /// The check behind it.
    pub checked: Option<CheckedView>,
}

/// What the ledger says of a study, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StudyView {
    /// Its title and who answers for it.
    pub name: StudyNameView,
    /// What it wants to find out, in Chinese.
    pub aim_zh: String,
    /// The same in English.
    pub aim_en: String,
    /// Whose researchers read: only those of this department, if named.
    pub department: Option<String>,
    /// Categories that are read.
    pub categories: Vec<Category>,
    /// Earliest record date (`YYYY-MM-DD`), if limited.
    pub records_from: Option<String>,
    /// Latest record date, if limited; without it records to come can be opened too.
    pub records_to: Option<String>,
    /// First moment at which it is over.
    pub ends: TimeMs,
    /// The ethics board that approved it.
    pub board: BoardView,
    /// When it did.
    pub approved_at: TimeMs,
    /// How many take part.
    pub participants: u32,
    /// How many may.
    pub participants_max: u32,
}

/// An ethics board.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoardView {
    /// Name in Chinese; that which it has now, empty if it is no board any more.
    pub name_zh: String,
    /// Name in English.
    pub name_en: String,
}

/// A study and the patient's own grants for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinedStudyView {
    /// The study.
    pub study: StudyView,
    /// What it opens: a grant for each identity that takes part, at least one.
    pub shares: Vec<ShareView>,
}

/// Ask what taking part would open, without signing anything.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PreviewStudy {
    /// The study.
    pub study: String,
}

/// What taking part would open, by the patient's preferences and the study's terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StudyPreviewView {
    /// The study.
    pub study: StudyView,
    /// Records opened now.
    pub records: Vec<RecordLineView>,
    /// Categories of which records to come can be opened too; none if the study asks for a time that ends.
    pub standing: Vec<Category>,
    /// Categories that the study reads and the patient gives to nobody.
    pub withheld: Vec<Category>,
    /// Categories that the patient wants to be asked about: their records are to be left out unless chosen.
    pub ask: Vec<Category>,
    /// When access would end: with the study, or after a year.
    pub until: TimeMs,
    /// The hospitals whose records are opened: a grant is signed for each, and each counts as a participant.
    pub relationships: Vec<HospitalView>,
    /// Records of these categories that could not be had just now; none of them is opened.
    pub missing: u64,
}

/// Sign the grant by which the patient takes part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinStudy {
    /// The study.
    pub study: String,
    /// The records that were shown and are opened, by identifier; no other is, whatever was registered or found meanwhile. An
    /// identity none of whose records is among them does not take part, unless there are none at all.
    pub records: Vec<String>,
    /// Whether records to come are opened too, if the study asks for such.
    pub new_records: bool,
}

/// Withdraw from a study: all of the patient's grants for it end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaveStudy {
    /// The study.
    pub study: String,
}
