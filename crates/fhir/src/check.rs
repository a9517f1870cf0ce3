//! The one-line judgement of a file, for checking bundles without a chain.

use serde::Serialize;

use crate::bundle::open;
use crate::intake::judge;
use crate::quality::{Given, Language, Severity};
use crate::record::{Intake, Record};
use crate::refusal::FileRefusal;

/// What intake makes of one file. Always `resources_in == records_out + refused.len()`.
///
/// For a file that is refused as a whole: when its entries can be counted, each is listed as refused with the file's
/// reason. When they cannot (not JSON, too large, not a Bundle, …) the file itself counts as one refused resource, named
/// by its path. A Bundle with no entries has 0 in and 0 refused. In all three cases `error` says what is wrong with
/// the file; it is absent otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckLine {
    /// The file's name, as given.
    pub file: String,
    /// Entries in the bundle.
    pub resources_in: usize,
    /// Records that would be registered at once.
    pub records_out: usize,
    /// Entries refused, then records that would wait for a person's review.
    pub refused: Vec<CheckRefusal>,
    /// Why the whole file was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<CheckError>,
}

/// One refused entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckRefusal {
    /// `Type/id`, `entry[n]`, or the file.
    pub resource: String,
    /// Why, in plain English.
    pub reason: String,
}

/// Why a whole file was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckError {
    /// [`FileRefusal::code`].
    pub code: &'static str,
    /// In plain English: what is wrong and what to do next.
    pub message: String,
}

/// Judges one file.
#[must_use]
pub fn check_line(file: &str, bytes: &[u8], given: &Given) -> CheckLine {
    let opened = match open(bytes) {
        Ok(opened) => opened,
        Err(FileRefusal::NoEntries) => return refused_file(file, Vec::new(), &FileRefusal::NoEntries),
        Err(refusal) => return refused_file(file, vec![file.to_owned()], &refusal),
    };
    match judge(&opened, given) {
        Ok(intake) => judged(file, intake),
        Err(refusal) => {
            let labels = opened.entries.iter().enumerate().map(|(index, entry)| entry.label(index));
            refused_file(file, labels.collect(), &refusal)
        }
    }
}

fn judged(file: &str, intake: Intake) -> CheckLine {
    let holds_all = intake.is_patient_in_doubt();
    let held = intake.records.iter().filter(|record| holds_all || record.is_flagged());
    let held: Vec<CheckRefusal> = held.map(held_back).collect();
    let refusals = intake
        .refused
        .into_iter()
        .map(|refusal| CheckRefusal { resource: refusal.resource, reason: refusal.reason.to_string() });
    CheckLine {
        file: file.to_owned(),
        resources_in: intake.resources_in,
        records_out: intake.records.len() - held.len(),
        refused: refusals.chain(held).collect(),
        error: None,
    }
}

fn held_back(record: &Record) -> CheckRefusal {
    let flags = record.findings.iter().filter(|finding| finding.severity() == Severity::Flag);
    let flags: Vec<String> = flags
        .map(|finding| {
            format!("{} ({}): {}", finding.rule.code(), finding.path, finding.sentence(Language::En))
        })
        .collect();
    let why =
        if flags.is_empty() { "there is a doubt about the patient".to_owned() } else { flags.join("; ") };
    CheckRefusal { resource: record.label(), reason: format!("it waits for a person's review: {why}") }
}

fn refused_file(file: &str, resources: Vec<String>, refusal: &FileRefusal) -> CheckLine {
    let message = refusal.to_string();
    let refused: Vec<CheckRefusal> =
        resources.into_iter().map(|resource| CheckRefusal { resource, reason: message.clone() }).collect();
    CheckLine {
        file: file.to_owned(),
        resources_in: refused.len(),
        records_out: 0,
        refused,
        error: Some(CheckError { code: refusal.code(), message }),
    }
}
