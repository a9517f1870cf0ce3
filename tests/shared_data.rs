//! Every bundle under the folders named by `AMULET_FHIR_DATA` (separated by `:`): judged by the node's program, and the
//! largest taken in by a hospital, with nothing lost on the way to the wallet.

#![allow(clippy::unwrap_used)]

use amulet_app_api::records::Records;
use amulet_tests::localnet::{Localnet, node_output};
use amulet_tests::people::keys_from_words;
use amulet_tests::samples::Sample;
use amulet_tests::wallet::new_patient;
use amulet_tests::{chain, run, scan, step};
use std::ffi::OsString;
use std::path::PathBuf;

#[test]
fn every_bundle_goes_in_with_nothing_lost() {
    let Some(folders) = std::env::var_os("AMULET_FHIR_DATA") else {
        return step("skipped: set AMULET_FHIR_DATA to one or more folders of FHIR bundles");
    };
    let mut files: Vec<PathBuf> =
        std::env::split_paths(&folders).flat_map(|folder| scan::files_below(&folder)).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    assert!(!files.is_empty(), "AMULET_FHIR_DATA has no .json files");
    step(format_args!("{} files are judged", files.len()));
    let largest = judged(&files);
    step(format_args!("{} is taken in", largest.display()));
    taken_in(&Sample::of(&std::fs::read(&largest).unwrap()));
}

/// Each file gets one line whose counts add up; gives the largest bundle that is acceptable.
fn judged(files: &[PathBuf]) -> PathBuf {
    let mut arguments: Vec<OsString> = vec!["intake".into(), "--check".into()];
    arguments.extend(files.iter().map(|path| path.clone().into_os_string()));
    let output = node_output(&arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), files.len(), "one line for each file");
    let mut best = (0, None);
    for (path, line) in files.iter().zip(&lines) {
        assert_eq!(line["file"].as_str(), path.to_str());
        let count = |name: &str| line[name].as_u64().unwrap();
        let refused = line["refused"].as_array().unwrap();
        assert_eq!(count("resources_in"), count("records_out") + refused.len() as u64, "{line}");
        assert!(refused.iter().all(|refused| !refused["reason"].as_str().unwrap().is_empty()), "{line}");
        if count("records_out") > best.0 {
            best = (count("records_out"), Some(path.clone()));
        }
    }
    best.1.expect("one bundle at least is acceptable")
}

/// What the hospital says it kept, what the ledger has, what the wallet shows and what is in the vaults is the same.
fn taken_in(sample: &Sample) {
    let net = Localnet::start();
    let genesis = net.genesis();
    run(async {
        let owner = new_patient(&net, "Everything", 1).await;
        let counted = net.hospital(1).must_take_in(owner.session.did(), &sample.bundle);
        let records = sample.records.len();
        assert_eq!(counted, (sample.resources_in as u64, records as u64));
        net.same_head(std::time::Duration::from_secs(20));
        let keys = keys_from_words(&owner.words, genesis.organisations[0].did());
        assert_eq!(chain::records(net.hospital(3), &genesis, keys.did).len(), records, "on the ledger");
        let timeline = owner.wallet.must(Records {}).await;
        assert_eq!((timeline.records.len(), timeline.missing), (records, 0), "in the wallet");
        assert_eq!(chain::opened_records(net.hospitals(), &genesis, &keys), sample.records, "byte for byte");
    });
}
