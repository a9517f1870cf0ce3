//! A study's terms as a file that people write.

use amulet_protocol::consent::{Category, RecordDates};
use amulet_protocol::ids::{Did, Timestamp};
use amulet_protocol::study::{StudyTerms, Wording};
use amulet_wallet::dates;
use serde::Deserialize;
use std::io::Read;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

/// Bytes of such a file: all texts at their longest, written with escapes.
const STUDY_FILE_BYTES_MAX: u64 = 64 * 1024;
const DAY_MS: u64 = 86_400_000;

/// Why a file holds no terms.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error("{path}: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{path} is longer than {STUDY_FILE_BYTES_MAX} bytes")]
    TooLong { path: PathBuf },
    #[error("{path} holds no study: {source}")]
    Json { path: PathBuf, source: serde_json::Error },
    #[error("`{field}` holds no date as YYYY-MM-DD, or no board's DID")]
    Value { field: &'static str },
}

/// The terms of a study.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StudyFile {
    /// DID of the ethics board.
    pub board: String,
    pub title_zh: String,
    pub title_en: String,
    pub aim_zh: String,
    pub aim_en: String,
    /// Only the sponsor's researchers of this department read.
    pub department: Option<String>,
    pub categories: Vec<Category>,
    /// First record date, YYYY-MM-DD.
    pub records_from: Option<String>,
    /// Last record date, YYYY-MM-DD. Without it records to come are read too, if a patient agrees.
    pub records_to: Option<String>,
    /// Days from the registration to the end.
    pub days: u32,
    pub participants_max: NonZeroU32,
}

pub(crate) fn load(path: &Path) -> Result<StudyFile, FileError> {
    let failed = |source| FileError::Read { path: path.to_owned(), source };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    // One byte more, so that what is too long is found to be.
    file.take(STUDY_FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > STUDY_FILE_BYTES_MAX {
        return Err(FileError::TooLong { path: path.to_owned() });
    }
    serde_json::from_str(&text).map_err(|source| FileError::Json { path: path.to_owned(), source })
}

impl StudyFile {
    /// The terms, if they are registered about `now`. The ledger judges them.
    pub(crate) fn terms(self, now: Timestamp) -> Result<StudyTerms, FileError> {
        let day = |text: &Option<String>, field| {
            text.as_ref().map(|text| dates::day_of(text).ok_or(FileError::Value { field })).transpose()
        };
        let record_dates = RecordDates {
            from: day(&self.records_from, "records_from")?,
            to: day(&self.records_to, "records_to")?,
        };
        let board: Did = self.board.parse().map_err(|_| FileError::Value { field: "board" })?;
        let mut categories = self.categories;
        categories.sort_unstable();
        Ok(StudyTerms {
            board,
            title: Wording { zh: self.title_zh, en: self.title_en },
            aim: Wording { zh: self.aim_zh, en: self.aim_en },
            department: self.department,
            categories,
            record_dates,
            ends: now.plus_millis(u64::from(self.days) * DAY_MS),
            participants_max: self.participants_max,
        })
    }
}
