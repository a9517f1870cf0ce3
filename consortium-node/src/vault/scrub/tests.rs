#![allow(clippy::unwrap_used)]

use super::*;
use crate::testing::World;
use amulet_contracts::testing::record;
use amulet_protocol::calls::{Call, RegisterRecords};
use amulet_protocol::consent::DataClass;
use amulet_protocol::record::blob_id;
use std::path::PathBuf;

fn ciphertext(number: u64) -> Vec<u8> {
    format!("ciphertext {number}").into_bytes()
}

fn blob(number: u64) -> BlobId {
    blob_id(&ciphertext(number))
}

/// A world in which hospitals 0 and 1 hold records 1 to 3, hospital 0 alone record 4, of class core, and hospital 1 alone record 5.
async fn world() -> World {
    let mut world = World::new();
    let (own, other) = (world.hospitals[0].did, world.hospitals[1].did);
    let entry = |world: &World, number, holders: &[Did]| {
        let mut entry = record(number, holders[0], &world.patient);
        (entry.blob, entry.holders) = (blob(number), holders.to_vec());
        entry
    };
    let mut ours: Vec<_> = (1..=3).map(|number| entry(&world, number, &[own, other])).collect();
    ours.push(entry(&world, 4, &[own]));
    ours[3].class = DataClass::Core;
    let theirs = vec![entry(&world, 5, &[other])];
    for number in 1..=4 {
        world.vault.put(ciphertext(number)).await.unwrap();
    }
    for number in [1, 2, 3, 5] {
        world.others_vault.put(ciphertext(number)).await.unwrap();
    }
    let (chain, patient) = (world.chain(), world.patient.did);
    let call = |records| Call::RegisterRecords(RegisterRecords { patient, records, flows: Vec::new() });
    let signed =
        vec![world.hospitals[0].sign(chain, call(ours)), world.hospitals[1].sign(chain, call(theirs))];
    world.commit(signed);
    world
}

fn scrubber(world: &World, reachable: &'static [u16]) -> Scrubber {
    world.scrubber(&world.network(reachable))
}

fn damage(world: &World, folder: &str, number: u64) {
    let name = blob(number).to_string();
    let file: PathBuf = world.folder.path().join(folder).join(&name[..2]).join(&name);
    std::fs::write(file, b"rotten").unwrap();
}

#[tokio::test]
async fn a_whole_vault_is_read_and_nothing_is_done() {
    let world = world().await;
    let report = scrubber(&world, &[1]).scrub(None).await.unwrap();
    assert_eq!((report.seen, report.named, report.checked), (5, 5, 4));
    assert_eq!((report.damaged, report.missing, report.repaired, report.lost), (0, 0, 0, 0));
    assert_eq!(report.bytes, 4 * ciphertext(1).len() as u64);
    assert!(!world.vault.has(blob(5)).await.unwrap(), "what others hold is theirs");
}

#[tokio::test]
async fn damaged_and_missing_ciphertexts_come_back_from_the_other_holder() {
    let world = world().await;
    damage(&world, "vault", 1);
    world.vault.remove(blob(2)).await.unwrap();
    let scrubber = scrubber(&world, &[1]);
    let report = scrubber.scrub(None).await.unwrap();
    assert_eq!((report.damaged, report.missing, report.repaired, report.lost), (1, 1, 2, 0));
    for number in 1..=3 {
        assert_eq!(world.vault.get(blob(number)).await.unwrap(), Some(ciphertext(number)));
    }
    let again = scrubber.scrub(None).await.unwrap();
    assert_eq!((again.damaged, again.missing), (0, 0));
    let totals = ScrubTotals { checked: 8, damaged: 1, missing: 1, repaired: 2 };
    assert_eq!(scrubber.totals(), totals);
}

#[tokio::test]
async fn what_no_other_holder_gives_is_reported_as_lost_and_a_bad_copy_is_not_taken() {
    let world = world().await;
    damage(&world, "vault", 1);
    damage(&world, "others", 1);
    world.vault.remove(blob(4)).await.unwrap();
    world.others_vault.put(ciphertext(4)).await.unwrap();
    let report = scrubber(&world, &[1]).scrub(None).await.unwrap();
    assert_eq!((report.damaged, report.missing, report.repaired, report.lost), (1, 1, 0, 2));
    let mut lost = vec![blob(1).to_string(), blob(4).to_string()];
    lost.sort();
    let mut named = report.lost_blobs;
    named.sort();
    assert_eq!(named, lost, "a hospital that is no holder is not asked");
    assert!(world.vault.get(blob(1)).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn with_no_hospital_reachable_nothing_is_repaired_and_later_it_is() {
    let world = world().await;
    world.vault.remove(blob(2)).await.unwrap();
    assert_eq!(scrubber(&world, &[]).scrub(None).await.unwrap().lost, 1);
    assert_eq!(scrubber(&world, &[1]).scrub(None).await.unwrap().repaired, 1);
}

#[tokio::test]
async fn a_second_scrub_does_not_begin_beside_the_first() {
    let world = world().await;
    let scrubber = scrubber(&world, &[1]);
    assert!(scrubber.begin(None).unwrap().running);
    assert!(matches!(scrubber.begin(None), Err(ScrubError::Running)));
}
