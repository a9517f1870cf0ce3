//! Every bundle under the folders named by `AMULET_FHIR_DATA` (separated by `:`) goes in with nothing lost or changed.
//! Without the variable the test says that it was skipped.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::path::{Path, PathBuf};

use amulet_fhir::quality::{Given, Language};
use amulet_fhir::summary::{RecordRef, SectionState, offline_facts, summarize};
use amulet_fhir::view::describe;
use amulet_fhir::{check_line, intake};

fn json_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            json_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.push(path);
        }
    }
}

/// 2026-11-23.
const TODAY: i64 = 1_795_392_000;

#[test]
fn all_shared_bundles_go_in_whole() {
    let Some(folders) = std::env::var_os("AMULET_FHIR_DATA") else {
        println!("skipped: set AMULET_FHIR_DATA to one or more folders of FHIR bundles");
        return;
    };
    let mut files = Vec::new();
    for folder in std::env::split_paths(&folders) {
        assert!(folder.is_dir(), "AMULET_FHIR_DATA names {}, which is no folder", folder.display());
        json_files(&folder, &mut files);
    }
    files.sort();
    assert!(!files.is_empty(), "AMULET_FHIR_DATA has no .json files");
    for path in files {
        let bytes = std::fs::read(&path).unwrap();
        let line = check_line(&path.display().to_string(), &bytes, &Given::default());
        assert_eq!(line.resources_in, line.records_out + line.refused.len());
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let given = Given { today: Some(TODAY), ..Given::default() };
        let Ok(intake) = intake(&bytes, &given) else {
            println!("{name}: refused as a whole: {}", line.error.unwrap().message);
            continue;
        };
        let text = std::str::from_utf8(&bytes).unwrap();
        // Independent of the crate's own reader: every content parses to the same value as its entry in the whole.
        let whole: serde_json::Value =
            serde_json::from_slice(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes)).unwrap();
        let mut entries: Vec<&serde_json::Value> =
            whole["entry"].as_array().unwrap().iter().map(|entry| &entry["resource"]).collect();
        assert_eq!(entries.len(), intake.resources_in);
        for record in &intake.records {
            assert!(text.contains(std::str::from_utf8(&record.content).unwrap()), "exact bytes");
            let value: serde_json::Value = serde_json::from_slice(&record.content).unwrap();
            let at =
                entries.iter().position(|entry| **entry == value).expect("a record is one of the entries");
            entries.remove(at);
            let detail = describe(&record.content).unwrap();
            assert_eq!(detail.resource_type, record.resource_type);
        }
        let contents = intake.records.iter().map(|record| {
            (
                RecordRef { hospital: "h", resource_type: &record.resource_type, id: &record.id },
                record.content.as_slice(),
            )
        });
        let summary = summarize(contents);
        assert_eq!(summary.unreadable, 0);
        assert!(summary.person.is_some());
        if summary.allergies.state == SectionState::Listed {
            assert!(!offline_facts(&summary).is_empty());
        }
        println!(
            "{name}: {} in, {} kept, {} refused; summary: {} allergies ({:?}), {} medicines, {} conditions, {} devices",
            intake.resources_in,
            intake.records.len(),
            intake.refused.len(),
            summary.allergies.entries.len(),
            summary.allergies.state,
            summary.medicines.entries.len(),
            summary.conditions.entries.len(),
            summary.devices.entries.len(),
        );
        for finding in intake.records.iter().flat_map(|record| &record.findings) {
            let (code, severity) = (finding.rule.code(), finding.severity().code());
            let sentence = finding.sentence(Language::En);
            println!("    {severity} {code} {} {}: {sentence}", finding.resource, finding.path);
        }
        for refusal in &intake.refused {
            println!("    {}: {}", refusal.resource, refusal.reason);
        }
    }
}
