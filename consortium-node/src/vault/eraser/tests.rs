#![allow(clippy::unwrap_used)]

use super::*;
use crate::ledger::Pruned;
use crate::network::PeerResponse;
use crate::testing::{NOW, World};
use crate::vault::backup::{BackupReader, BackupWriter, Restored};
use crate::vault::{BLOB_BYTES_MAX, ErasedView, HeldView};
use amulet_contracts::testing::{record, record_id};
use amulet_protocol::calls::RegisterRecords;
use amulet_protocol::erasure::{Erased, ErasureGround, ErasureState, OrderErasure};
use amulet_protocol::ids::{ReplicaId, Timestamp};
use amulet_protocol::light::{ReadGround, ReadRequest, Upload};
use amulet_protocol::receipt::Outcome;
use amulet_protocol::record::blob_id;
use amulet_protocol::state::StateKey;

const SECRET: &str = "a passphrase of several words";

/// Records 0 and 1 are small, record 2 is an object that is only given as a stream.
fn ciphertext(number: u64) -> Vec<u8> {
    match number {
        2 => vec![2; BLOB_BYTES_MAX + 70_000],
        _ => format!("ciphertext {number}").into_bytes(),
    }
}

fn blob(number: u64) -> BlobId {
    blob_id(&ciphertext(number))
}

async fn keep(vault: &Vault, number: u64) {
    let mut incoming = vault.begin().await.unwrap();
    incoming.write(&ciphertext(number)).await.unwrap();
    incoming.finish_as(blob(number)).await.unwrap();
}

/// Hospital `by` registers a record of the patient.
fn register(world: &mut World, by: usize, number: u64, named: BlobId, holders: &[usize]) {
    let holders: Vec<Did> = holders.iter().map(|holder| world.hospitals[*holder].did).collect();
    let mut entry = record(number, holders[0], &world.patient);
    (entry.blob, entry.holders) = (named, holders);
    let (chain, patient) = (world.chain(), world.patient.did);
    let call = RegisterRecords { patient, records: vec![entry], flows: Vec::new() };
    let signed = world.hospitals[by].sign(chain, Call::RegisterRecords(call));
    applied(world, signed);
}

fn order(world: &mut World, by: usize, numbers: &[u64]) {
    let mut records: Vec<RecordId> = numbers.iter().map(|number| record_id(*number)).collect();
    records.sort_unstable();
    let call = OrderErasure { records, ground: ErasureGround::RegisteredInError };
    let chain = world.chain();
    let signed = world.hospitals[by].sign(chain, Call::OrderErasure(call));
    applied(world, signed);
}

fn applied(world: &World, signed: amulet_protocol::transaction::SignedTransaction) {
    let receipts = world.commit(vec![signed]);
    assert!(matches!(receipts[0].outcome, Outcome::Applied { .. }), "{receipts:?}");
}

/// Hospitals 0 and 1 hold records 0 to 2.
async fn world() -> World {
    let mut world = World::new();
    for number in 0..3 {
        keep(&world.vault, number).await;
        keep(&world.others_vault, number).await;
        register(&mut world, 0, number, blob(number), &[0, 1]);
    }
    world
}

/// The eraser of hospital 0 or 1.
fn eraser(world: &World, hospital: usize) -> Eraser {
    let sender = world.sender(&world.network(&[]), &world.hospitals[hospital]);
    let (vault, index) = match hospital {
        0 => (world.vault.clone(), world.index.clone()),
        _ => {
            let path = world.folder.path().join("eraser of the others.redb");
            (world.others_vault.clone(), VaultIndex::open(&path, world.chain()).unwrap())
        }
    };
    Eraser::new(world.ledger.clone(), vault, index, sender)
}

fn erased(world: &World, number: u64) -> Erased {
    match world.ledger.read(&StateKey::Erasure(record_id(number))).unwrap() {
        Some(ErasureState::Erased(erased)) => erased,
        other => panic!("{other:?}"),
    }
}

/// What the patient is given of their own.
async fn given(world: &World, number: u64) -> (bool, bool) {
    let request = || {
        let (chain, reader, holder) = (world.chain(), world.patient.did, world.hospitals[0].did);
        let ground = ReadGround::Own;
        ReadRequest { chain, reader, holder, ground, blobs: vec![blob(number)], time: NOW }
            .sign(&world.patient.signing)
    };
    let whole = world.release().read(NOW, request()).await.unwrap();
    let stream = world.release().stream(NOW, request(), 0).await.unwrap();
    (whole != [None], stream.is_some())
}

#[tokio::test]
async fn every_holder_erases_small_and_large_and_signs_it_and_nothing_is_given_from_the_order_on() {
    let mut world = world().await;
    assert_eq!(given(&world, 1).await, (true, true));
    order(&mut world, 0, &[1, 2]);
    for number in [1, 2] {
        assert_eq!(given(&world, number).await, (false, false), "though it is there still");
    }
    assert_eq!(given(&world, 0).await, (true, true), "what was not ordered stays");
    world.run_consensus();
    eraser(&world, 0).erase(Look::Waiting).await.unwrap();
    for number in [1, 2] {
        assert!(!world.vault.has(blob(number)).await.unwrap());
        assert_eq!(erased(&world, number).owing().collect::<Vec<_>>(), [world.hospitals[1].did]);
    }
    eraser(&world, 1).erase(Look::Waiting).await.unwrap();
    for number in [1, 2] {
        assert!(!world.others_vault.has(blob(number)).await.unwrap());
        assert!(erased(&world, number).is_proven());
    }
    assert!(world.vault.has(blob(0)).await.unwrap() && world.others_vault.has(blob(0)).await.unwrap());
    let height = world.ledger.tip().height;
    eraser(&world, 0).erase(Look::All).await.unwrap();
    assert_eq!(world.ledger.tip().height, height, "a receipt is given once");
}

#[tokio::test]
async fn neither_a_scrub_nor_another_hospital_brings_an_erased_ciphertext_back() {
    let mut world = world().await;
    order(&mut world, 0, &[1]);
    world.run_consensus();
    eraser(&world, 0).erase(Look::Waiting).await.unwrap();
    assert!(world.others_vault.has(blob(1)).await.unwrap(), "the other hospital is slower");
    let network = world.network(&[1]);
    let report = world.scrubber(&network).scrub(None).await.unwrap();
    assert_eq!((report.checked, report.missing, report.repaired, report.lost), (2, 0, 0, 0));
    let copies = world.copies(&network);
    let holders = [world.hospitals[0].did, world.hospitals[1].did];
    assert!(copies.repair(blob(1), &holders).await.is_err(), "not even if it is asked for");
    let bytes = ciphertext(1).len() as u64;
    copies.keep(ReplicaId(1), blob(1), bytes).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!world.vault.has(blob(1)).await.unwrap());
    keep(&world.vault, 1).await;
    let refused = copies.piece(ReplicaId(1), blob(1), 0).await.unwrap();
    assert!(matches!(refused, PeerResponse::Refused), "nor is it given to a holder");
    eraser(&world, 0).erase(Look::All).await.unwrap();
    assert!(!world.vault.has(blob(1)).await.unwrap(), "whatever way it came");
}

#[tokio::test]
async fn a_restore_never_brings_an_erased_ciphertext_back() {
    let mut world = world().await;
    let backup = world.folder.path().join("backup");
    let mut writer = BackupWriter::begin(&backup, SECRET, world.chain(), Timestamp(5)).unwrap();
    for number in 0..3 {
        writer.add(&world.vault, blob(number)).await.unwrap();
    }
    writer.finish().unwrap();
    order(&mut world, 0, &[1, 2]);
    world.run_consensus();
    eraser(&world, 0).erase(Look::Waiting).await.unwrap();
    world.vault.remove(blob(0)).await.unwrap();

    let view = ErasedView::read(&world.index, &world.ledger, None).unwrap();
    let known: BTreeSet<BlobId> = view.blobs.iter().map(|text| BlobId(text.parse().unwrap())).collect();
    assert_eq!(known, [blob(1), blob(2)].into());
    let mut reader = BackupReader::open(&backup, SECRET, world.chain()).unwrap();
    let mut erased = Vec::new();
    loop {
        match reader.next(&world.vault, &known).await.unwrap() {
            Restored::Erased { blob } => erased.push(blob),
            Restored::Put { blob: put, .. } => assert_eq!(put, blob(0)),
            Restored::There { .. } => panic!("the vault was empty"),
            Restored::End { entries, .. } => break assert_eq!(entries, 3, "it is whole"),
        }
    }
    assert_eq!(erased, [blob(1), blob(2)]);

    // A node that lost its ledger too restores first and learns later what is erased.
    let mut reader = BackupReader::open(&backup, SECRET, world.chain()).unwrap();
    while !matches!(reader.next(&world.vault, &BTreeSet::new()).await.unwrap(), Restored::End { .. }) {}
    assert!(world.vault.has(blob(1)).await.unwrap() && world.vault.has(blob(2)).await.unwrap());
    let fresh = VaultIndex::open(&world.folder.path().join("fresh.redb"), world.chain()).unwrap();
    let sender = world.sender(&world.network(&[]), &world.hospitals[0]);
    let eraser = Eraser::new(world.ledger.clone(), world.vault.clone(), fresh, sender);
    eraser.erase(Look::All).await.unwrap();
    assert!(!world.vault.has(blob(1)).await.unwrap() && !world.vault.has(blob(2)).await.unwrap());
    assert!(world.vault.has(blob(0)).await.unwrap());
    let organisation = world.hospitals[0].did;
    let held = HeldView::read(&world.index, &world.ledger, organisation, None).unwrap();
    assert_eq!(held.blobs, [blob(0).to_string()], "and the next backup has it no more");
}

#[tokio::test]
async fn what_is_erased_is_known_from_the_state_when_the_blocks_are_gone() {
    let mut world = world().await;
    order(&mut world, 0, &[1]);
    world.commit(Vec::new());
    while world.ledger.prune(0).unwrap() == Pruned::More {}
    let fresh = VaultIndex::open(&world.folder.path().join("fresh.redb"), world.chain()).unwrap();
    fresh.catch_up(&world.ledger).unwrap();
    assert!(fresh.is_erased(&world.ledger, blob(1)).unwrap());
    assert!(!fresh.is_erased(&world.ledger, blob(0)).unwrap());
    assert_eq!(fresh.noted_erased(None, true).unwrap().0, [blob(1)]);
}

#[tokio::test]
async fn no_hospital_has_anothers_ciphertext_erased_by_naming_it_as_its_own() {
    let mut world = world().await;
    register(&mut world, 3, 9, blob(1), &[3, 0]);
    order(&mut world, 3, &[9]);
    world.run_consensus();
    eraser(&world, 0).erase(Look::Waiting).await.unwrap();
    assert!(world.vault.has(blob(1)).await.unwrap());
    assert_eq!(given(&world, 1).await, (true, true));
    assert_eq!(erased(&world, 9).owing().count(), 2, "nobody says that it is gone");
    order(&mut world, 0, &[1]);
    eraser(&world, 0).erase(Look::Waiting).await.unwrap();
    assert!(!world.vault.has(blob(1)).await.unwrap());
    let owing: Vec<Did> = erased(&world, 9).owing().collect();
    assert_eq!(owing, [world.hospitals[3].did], "now it is gone under every name");
}

#[tokio::test]
async fn an_erased_ciphertext_is_not_uploaded_again() {
    let mut world = world().await;
    order(&mut world, 0, &[1]);
    let (chain, owner, holder) = (world.chain(), world.patient.did, world.hospitals[0].did);
    let upload = Upload { chain, owner, holder, ciphertext: ciphertext(1), time: NOW };
    let refused = world.release().upload(NOW, upload.sign(&world.patient.signing)).await;
    assert!(refused.is_err(), "{refused:?}");
}
