//! Every document holds against the base definitions of R4 by a validator that somebody else wrote.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::making::{SAMPLES, of_file, options};

/// A finding without the place of the entry in its Bundle.
fn without_entry(finding: &str) -> String {
    match finding.split_once("Bundle.entry[") {
        Some((by, rest)) => format!("{by}{}", rest.split_once(']').map_or(rest, |(_, rest)| rest)),
        None => finding.to_owned(),
    }
}

/// What the validator finds wrong, a list for each document; `None` where it is not installed.
pub fn findings(documents: &[Value]) -> Option<Vec<Vec<String>>> {
    let script =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/conformance/node/fhir_validate.mjs");
    if !script.exists() {
        let required = std::env::var("AMULET_REQUIRE_CONFORMANCE").is_ok_and(|value| value == "1");
        assert!(!required, "the FHIR validator is not installed; run tests/conformance/install.sh");
        println!("skipped: the FHIR validator is not installed; run tests/conformance/install.sh");
        return None;
    }
    let mut child =
        Command::new("node").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(json!(documents).to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// What the validator of R5 finds wrong, a list for each resource; `None` where it is not installed.
pub fn findings_r5(resources: &[Value]) -> Option<Vec<Vec<String>>> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let python = root.join("target/conformance/venv/bin/python");
    let installed = python.exists()
        && Command::new(&python).args(["-c", "import fhir.resources"]).status().is_ok_and(|s| s.success());
    if !installed {
        let required = std::env::var("AMULET_REQUIRE_CONFORMANCE").is_ok_and(|value| value == "1");
        assert!(!required, "fhir.resources is not installed; run tests/conformance/install.sh");
        println!("skipped: fhir.resources is not installed; run tests/conformance/install.sh");
        return None;
    }
    let mut child = Command::new(python)
        .arg(root.join("tests/conformance/python/fhir_r5.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(json!(resources).to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

fn parsed(document: &[u8]) -> Value {
    serde_json::from_slice(document).unwrap()
}

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

/// The samples, and the bundles of the folders that `AMULET_FHIR_DATA` names.
fn files() -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> =
        SAMPLES.iter().enumerate().map(|(at, sample)| (format!("sample {at}"), sample.to_vec())).collect();
    let folders = std::env::var_os("AMULET_FHIR_DATA").unwrap_or_default();
    let mut paths = Vec::new();
    for folder in std::env::split_paths(&folders).filter(|folder| !folder.as_os_str().is_empty()) {
        json_files(&folder, &mut paths);
    }
    paths.sort();
    files.extend(paths.iter().map(|path| {
        (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(path).unwrap())
    }));
    files
}

#[test]
fn every_document_is_valid_r4() {
    let mut names = Vec::new();
    let mut documents = Vec::new();
    let mut sources = Vec::new();
    for (name, bytes) in files() {
        let Some(made) = of_file(&bytes) else {
            println!("{name}: refused at intake");
            continue;
        };
        println!("{name}: {} KB, {:?}, {} left out", made.json.len() / 1024, made.sections, made.left_out);
        names.push(name);
        documents.push(parsed(&made.json));
        sources.push(parsed(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes)));
    }
    names.push("nothing".to_owned());
    documents.push(parsed(&amulet_fhir::ips::ips_document([], &options()).json));
    names.push("incomplete".to_owned());
    let incomplete = amulet_fhir::ips::IpsOptions { missing: 1, ..options() };
    documents.push(parsed(&amulet_fhir::ips::ips_document([], &incomplete).json));
    let Some(found) = findings(&documents) else { return };
    let in_sources = findings(&sources).unwrap();
    assert_eq!((found.len(), in_sources.len()), (documents.len(), sources.len()));
    let mut wrong = Vec::new();
    for (at, (name, findings)) in names.iter().zip(&found).enumerate() {
        // A record is carried as it is: what the hospital wrote wrongly is still wrong, and is not this document's doing.
        let inherited: Vec<String> =
            in_sources.get(at).into_iter().flatten().map(|finding| without_entry(finding)).collect();
        for finding in findings {
            if inherited.contains(&without_entry(finding)) {
                println!("{name}: wrong in its source: {finding}");
            } else {
                wrong.push(format!("{name}: {finding}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} findings:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_validator_finds_what_is_broken() {
    let good = parsed(&of_file(SAMPLES[0]).unwrap().json);
    let broken = |change: fn(&mut Value)| {
        let mut document = good.clone();
        change(&mut document);
        document
    };
    let documents = [
        good.clone(),
        broken(|document| drop(document["entry"][0]["resource"].as_object_mut().unwrap().remove("title"))),
        broken(|document| document["entry"][0]["resource"]["status"] = json!("finished")),
        broken(|document| document["entry"][0]["resource"]["section"][0]["text"] = json!("none")),
        broken(|document| document["entry"][1]["resource"]["favourite"] = json!(true)),
        broken(|document| document["type"] = json!("paper")),
        broken(|document| document["timestamp"] = json!("yesterday")),
        broken(|document| {
            document["entry"][3]["fullUrl"] = json!("urn:uuid:00000000-0000-4000-8000-000000000000")
        }),
    ];
    let Some(found) = findings(&documents) else { return };
    assert_eq!(found[0], Vec::<String>::new());
    for (at, findings) in found.iter().enumerate().skip(1) {
        assert!(!findings.is_empty(), "document {at} is broken and passed");
    }
}
