//! A record that is too large to be shown: it is in the list, and saved as a file that was checked to its last byte.

use crate::World;
use amulet_app_api::ErrorCode;
use amulet_app_api::access::ProofCheck;
use amulet_app_api::files::{CancelSaving, SaveLarge};
use amulet_app_api::records::{Category, LargeView, Record, RecordLineView, Records};
use amulet_protocol::ids::BlobId;
use amulet_tests::hospital::did;
use amulet_tests::wallet::Newcomer;
use amulet_tests::{chain, http};
use std::path::PathBuf;

/// More than any record that travels whole, and no whole number of chunks.
const BYTES: usize = 9 * 1024 * 1024 + 12_345;
/// Bytes before the first chunk of a stream, and of a whole chunk with its tag.
const HEADER: usize = 17;
const CHUNK: usize = 64 * 1024 + 16;

/// The content of the study.
fn content() -> Vec<u8> {
    (0..BYTES).map(|at| at.to_le_bytes()[at % 3]).collect()
}

/// An imaging study arrives, is listed by its head, and is saved; a copy that is damaged is refused by the chunk.
pub async fn is_listed_and_saved(world: &World, patient: &Newcomer) {
    let before = patient.wallet.must(Records {}).await.records.len();
    take_in(world, patient.session.did());
    let timeline = patient.wallet.must(Records {}).await;
    assert_eq!((timeline.records.len(), timeline.missing), (before + 1, 0), "it is not called missing");
    let line = timeline.records.into_iter().find(|line| line.large.is_some()).expect("it is listed");
    let large = LargeView { bytes: BYTES as u64, content_type: "application/dicom".to_owned() };
    assert_eq!(line.large, Some(large));
    let RecordLineView { title, date, category, .. } = &line;
    assert_eq!(
        (title.as_str(), date.as_deref(), *category),
        ("CT chest", Some("2026-03-01"), Category::Imaging)
    );
    let shown = patient.wallet.must(Record { id: line.id.clone() }).await;
    assert!(!shown.proof.checks.contains(&ProofCheck::Ciphertext), "all of it was not seen yet");

    let save = || SaveLarge { id: line.id.clone() };
    let saved = patient.wallet.must(save()).await.expect("nobody cancels it");
    assert_eq!(saved.bytes, BYTES as u64);
    assert!(saved.name.ends_with(".dcm") && !saved.name.contains("chest"), "{}", saved.name);
    assert!(patient.wallet.saved(&saved.name) == content(), "byte for byte");

    let (saving, cancelled) = tokio::join!(patient.wallet.must(save()), async {
        tokio::task::yield_now().await;
        patient.wallet.must(CancelSaving {}).await;
    });
    assert_eq!((saving, cancelled), (None, ()), "cancelled in the midst");

    let copies = copies_of(world, patient, &line.id);
    assert_eq!(copies.len(), 2, "two hospitals have it");
    damage(&copies[0], 70);
    let saved = patient.wallet.must(save()).await.expect("the other hospital's copy is good");
    assert!(patient.wallet.saved(&saved.name) == content());
    damage(&copies[1], 101);
    let refused = patient.wallet.fails(save()).await;
    assert_eq!(refused.code, ErrorCode::Forged);
    assert!(matches!(refused.details["chunk"].as_str(), "70" | "101"), "{refused:?}");
    for (copy, chunk) in copies.iter().zip([70, 101]) {
        damage(copy, chunk);
    }
    patient.wallet.must(save()).await.expect("mended");
}

fn take_in(world: &World, patient: &str) {
    let hospital = world.net.hospital(1);
    let url =
        format!("{}/api/v1/files?patient={patient}&id=ct-1&title=CT%20chest&date=2026-03-01", hospital.http);
    let token = format!("Bearer {}", hospital.intake_token);
    let headers = [("authorization", token.as_str()), ("content-type", "application/dicom")];
    let answer = http::post(&url, &headers, &content()).expect("the hospital answers");
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
}

/// Flips a bit of a chunk in a vault's file; a second time it is whole again.
fn damage(file: &PathBuf, chunk: usize) {
    let mut bytes = std::fs::read(file).unwrap();
    bytes[HEADER + chunk * CHUNK + 1_000] ^= 1;
    std::fs::write(file, bytes).unwrap();
}

/// The files in which the hospitals' vaults hold a record, the provider's first.
fn copies_of(world: &World, patient: &Newcomer, id: &str) -> Vec<PathBuf> {
    let entries = chain::records(world.net.hospital(1), &world.genesis, did(patient.session.did()));
    let blob: BlobId = entries.iter().find(|entry| entry.id.to_string() == id).expect("the record").blob;
    let name = blob.to_string();
    let place = |folder: &PathBuf| folder.join("vault").join(&name[..2]).join(&name);
    let hospitals = world.net.hospitals();
    hospitals.iter().map(|hospital| place(&hospital.folder)).filter(|file| file.exists()).collect()
}
