//! The one-line judgement of a file, for checking bundles without a chain.

use serde::Serialize;

use crate::bundle::{label, open};
use crate::intake::judge;
use crate::json::pick;
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
    /// Records kept.
    pub records_out: usize,
    /// Entries refused.
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
pub fn check_line(file: &str, bytes: &[u8]) -> CheckLine {
    let entries = match open(bytes) {
        Ok(entries) => entries,
        Err(FileRefusal::NoEntries) => return refused_file(file, Vec::new(), &FileRefusal::NoEntries),
        Err(refusal) => return refused_file(file, vec![file.to_owned()], &refusal),
    };
    match judge(&entries) {
        Ok(intake) => CheckLine {
            file: file.to_owned(),
            resources_in: intake.resources_in,
            records_out: intake.records.len(),
            refused: intake
                .refused
                .into_iter()
                .map(|refusal| CheckRefusal {
                    resource: refusal.resource,
                    reason: refusal.reason.to_string(),
                })
                .collect(),
            error: None,
        },
        Err(refusal) => {
            let labels = entries.iter().enumerate().map(|(index, entry)| {
                let resource = pick(entry.get(), ["resource"]).ok().and_then(|[resource]| resource);
                label(index, resource.map(|raw| raw.get())).0
            });
            refused_file(file, labels.collect(), &refusal)
        }
    }
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
