#![allow(clippy::unwrap_used)]

use super::*;
use crate::org_sender::SendError;
use crate::testing::{NOW, World};
use amulet_contracts::testing::{Actor, GENESIS_TIME, practitioner};
use amulet_crypto::content::ContentKey;
use amulet_fhir::FileRefusal;
use amulet_protocol::calls::{Call, RecordEntry};
use amulet_protocol::ids::{BlobId, Height, Nonce};
use amulet_protocol::receipt::RefusalCode;
use amulet_protocol::record::{RecordPlain, record_key_context};
use serde_json::{Value, json};
use std::time::Duration;

const EVERYBODY: &[u16] = &[1, 2, 3];

fn bundle(observations: &[&str]) -> Value {
    let observation = |text: &&str| {
        json!({"resource": {"resourceType": "Observation", "id": format!("o-{text}"), "status": "final",
            "subject": {"reference": "Patient/p"}, "code": {"text": text}}})
    };
    let mut entries = vec![json!({"resource": {"resourceType": "Patient", "id": "p"}})];
    entries.extend(observations.iter().map(observation));
    json!({"resourceType": "Bundle", "type": "collection", "entry": entries})
}

fn bytes(bundle: &Value) -> Vec<u8> {
    serde_json::to_vec(bundle).unwrap()
}

fn service(world: &World, network: &Network) -> IntakeService {
    service_as(world, network, &world.hospitals[0])
}

fn service_as(world: &World, network: &Network, actor: &Actor) -> IntakeService {
    IntakeService::new(IntakeParts {
        ledger: world.ledger.clone(),
        vault: world.vault.clone(),
        index: world.index.clone(),
        network: network.clone(),
        sender: world.sender(network, actor),
        own: ReplicaId(0),
        now: crate::testing::now,
    })
}

/// The records registered by the newest block.
fn newest_records(world: &World) -> Vec<RecordEntry> {
    let block = world.ledger.block(world.ledger.tip().height).unwrap().unwrap().block;
    let calls = block.transactions.into_iter().map(|transaction| transaction.transaction.call);
    calls
        .filter_map(|call| match call {
            Call::RegisterRecords(call) => Some(call.records),
            _ => None,
        })
        .flatten()
        .collect()
}

fn files(folder: &std::path::Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries.map(|entry| entry.unwrap().path()).map(|path| if path.is_dir() { files(&path) } else { 1 }).sum()
}

fn files_here(world: &World) -> usize {
    files(&world.folder.path().join("vault"))
}

fn files_there(world: &World) -> usize {
    files(&world.folder.path().join("others"))
}

#[tokio::test]
async fn every_resource_becomes_a_record_that_only_the_patient_opens() {
    let world = World::new();
    world.run_consensus();
    let network = world.network(EVERYBODY);
    let bundle = bundle(&["INR", "Hb", "K"]);
    let report = service(&world, &network).take_in(world.patient.did, bytes(&bundle)).await.unwrap();
    assert_eq!((report.resources_in, report.records_out, report.refused.len()), (4, 4, 0));
    let records = newest_records(&world);
    assert_eq!(records.len(), 4);
    for (entry, resource) in records.iter().zip(bundle["entry"].as_array().unwrap()) {
        assert_eq!(entry.holders, [world.hospitals[0].did, world.hospitals[1].did]);
        let plain = open(&world, entry).await;
        assert_eq!(serde_json::from_slice::<Value>(&plain.content).unwrap(), resource["resource"]);
        assert!(entry.sealed_key.open(&world.stranger.agreement, &record_key_context(entry.id)).is_err());
    }
}

/// Opens a record as the patient does, after checking that both hospitals hold the same.
async fn open(world: &World, entry: &RecordEntry) -> RecordPlain {
    let ciphertext = world.vault.get(entry.blob).await.unwrap().unwrap();
    assert_eq!(world.others_vault.get(entry.blob).await.unwrap().as_ref(), Some(&ciphertext));
    let key = entry.sealed_key.open(&world.patient.agreement, &record_key_context(entry.id)).unwrap();
    let key = ContentKey::from_bytes(key.as_slice().try_into().unwrap());
    let patient = world.patient.did;
    RecordPlain::open(&ciphertext, &key, entry.id, patient, entry.blob, entry.commitment).unwrap()
}

/// Every bundle below the folders named by `AMULET_FHIR_DATA` (separated by `:`); none without it.
fn shared_bundles() -> Vec<std::path::PathBuf> {
    let Some(folders) = std::env::var_os("AMULET_FHIR_DATA") else { return Vec::new() };
    let mut waiting: Vec<_> = std::env::split_paths(&folders).collect();
    let mut found = Vec::new();
    while let Some(folder) = waiting.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            match path.extension() {
                _ if path.is_dir() => waiting.push(path),
                Some(extension) if extension == "json" => found.push(path),
                _ => {}
            }
        }
    }
    found.sort();
    found
}

#[tokio::test]
#[allow(clippy::print_stdout)]
async fn real_bundles_lose_and_change_nothing_on_their_way_to_the_patient() {
    let files = shared_bundles();
    if files.is_empty() {
        println!("skipped: set AMULET_FHIR_DATA to one or more folders of FHIR bundles");
    }
    for path in files {
        // Each for a patient of its own, or what two hospitals' files share would count as registered already.
        let world = World::new();
        world.run_consensus();
        let network = world.network(EVERYBODY);
        let intake = service(&world, &network);
        let file = std::fs::read(&path).unwrap();
        let expected = amulet_fhir::intake(&file, &Given::default()).unwrap();
        let report = intake.take_in(world.patient.did, file).await.unwrap();
        println!("{}: {} in, {} out", path.display(), report.resources_in, report.records_out);
        assert_eq!(report.resources_in, report.records_out + report.refused.len());
        assert_eq!(
            (report.resources_in, report.records_out),
            (expected.resources_in, expected.records.len())
        );
        let registered = newest_records(&world);
        assert_eq!(registered.len(), expected.records.len());
        for (entry, record) in registered.iter().zip(expected.records) {
            let plain = open(&world, entry).await;
            assert_eq!((plain.resource_type, plain.content), (record.resource_type, record.content));
        }
    }
}

#[tokio::test]
async fn a_bundle_sent_twice_registers_nothing_twice_and_a_longer_one_only_what_is_new() {
    let world = World::new();
    world.run_consensus();
    let network = world.network(EVERYBODY);
    let intake = service(&world, &network);
    intake.take_in(world.patient.did, bytes(&bundle(&["INR", "Hb"]))).await.unwrap();
    let (height, kept) = (world.ledger.tip().height, files_here(&world));
    let again = intake.take_in(world.patient.did, bytes(&bundle(&["INR", "Hb"]))).await.unwrap();
    assert_eq!((again.resources_in, again.records_out, again.refused.len()), (3, 0, 3));
    assert!(again.refused.iter().all(|refused| refused.code == "already_registered"), "{again:?}");
    assert_eq!((world.ledger.tip().height, files_here(&world)), (height, kept));
    // A restarted node remembers.
    let longer =
        service(&world, &network).take_in(world.patient.did, bytes(&bundle(&["INR", "Hb", "K"]))).await;
    let longer = longer.unwrap();
    assert_eq!((longer.resources_in, longer.records_out, longer.refused.len()), (4, 1, 3));
    assert_eq!(newest_records(&world).len(), 1);
    // The same content is another patient's own.
    let other = intake.take_in(world.stranger.did, bytes(&bundle(&["INR"]))).await.unwrap();
    assert_eq!(other.records_out, 2);
}

#[tokio::test]
async fn what_a_crash_left_noted_but_not_registered_is_taken_in() {
    let world = World::new();
    world.run_consensus();
    let network = world.network(EVERYBODY);
    let file = bytes(&bundle(&["INR"]));
    let parsed = amulet_fhir::intake(&file, &Given::default()).unwrap();
    let lost = RecordId(amulet_crypto::digest::sm3(b"never registered"));
    let notes = parsed
        .records
        .iter()
        .map(|record| content_digest(world.patient.did, &record.label(), &record.content));
    world.index.note_taken(notes.map(|content| (content, lost)).collect::<Vec<_>>()).unwrap();
    let report = service(&world, &network).take_in(world.patient.did, file).await.unwrap();
    assert_eq!(report.records_out, 2);
}

#[tokio::test]
async fn refused_resources_are_named_and_counted() {
    let world = World::new();
    world.run_consensus();
    let network = world.network(EVERYBODY);
    let mut bundle = bundle(&["INR"]);
    let entries = bundle["entry"].as_array_mut().unwrap();
    entries.push(json!({"resource": {"id": "no type"}}));
    entries.push(json!({"resource": {"resourceType": "Observation", "id": "x",
        "subject": {"reference": "Patient/somebody-else"}}}));
    let report = service(&world, &network).take_in(world.patient.did, bytes(&bundle)).await.unwrap();
    assert_eq!((report.resources_in, report.records_out, report.refused.len()), (4, 2, 2));
    assert_eq!(report.refused[0].code, "no_resource_type");
    assert_eq!(report.refused[1].resource, "Observation/x");
}

#[tokio::test]
async fn bad_files_and_unknown_patients_leave_nothing_behind() {
    let world = World::new();
    let network = world.network(EVERYBODY);
    let intake = service(&world, &network);
    let nobody = Actor::new(99).did;
    let unknown = intake.take_in(nobody, bytes(&bundle(&["INR"]))).await;
    assert!(matches!(unknown, Err(IntakeError::UnknownPatient { patient }) if patient == nobody));
    let bad = intake.take_in(world.patient.did, b"<Bundle/>".to_vec()).await;
    assert!(matches!(bad, Err(IntakeError::File(FileRefusal::Xml))));
    assert_eq!((files_here(&world), world.ledger.tip().height), (0, Height(1)));
}

#[tokio::test]
async fn another_hospital_holds_the_copies_when_the_first_is_down_and_none_is_an_error() {
    let world = World::new();
    world.run_consensus();
    let network = world.network(&[2]);
    service(&world, &network).take_in(world.patient.did, bytes(&bundle(&["INR"]))).await.unwrap();
    assert_eq!(newest_records(&world)[0].holders, [world.hospitals[0].did, world.hospitals[2].did]);
    let (here, height) = (files_here(&world), world.ledger.tip().height);
    let network = world.network(&[]);
    let alone = service(&world, &network).take_in(world.patient.did, bytes(&bundle(&["K"]))).await;
    assert!(matches!(alone, Err(IntakeError::NoMirror)), "{alone:?}");
    assert_eq!((files_here(&world), world.ledger.tip().height), (here, height));
}

#[tokio::test]
async fn a_refused_registration_leaves_no_ciphertexts() {
    let world = World::new();
    world.run_consensus();
    let network = world.network(EVERYBODY);
    // Registered, but no hospital.
    let intake = service_as(&world, &network, &Actor::new(12));
    // Nonce 1 of this actor is used by its registration.
    let refused = intake.take_in(world.patient.did, bytes(&bundle(&["INR"]))).await;
    let Err(IntakeError::Unfinished { registered: 0, records: 2, source }) = refused else {
        panic!("{refused:?}")
    };
    assert!(matches!(source, SendError::Refused(RefusalCode::NotAnOrganisation)), "{source:?}");
    assert_eq!((files_here(&world), files_there(&world)), (0, 0));
}

#[tokio::test]
async fn a_number_taken_by_another_transaction_is_replaced() {
    let world = World::new();
    let network = world.network(EVERYBODY);
    let intake = service(&world, &network);
    let (patient, file) = (world.patient.did, bytes(&bundle(&["INR"])));
    let running = tokio::spawn(async move { intake.take_in(patient, file).await });
    let mut waiting = world.mempool.subscribe();
    waiting.wait_for(|count| *count == 1).await.unwrap();
    let first = world.mempool.batch()[0].transaction().nonce;
    let employ = Call::RegisterPractitioner(practitioner(world.doctor.did, GENESIS_TIME));
    world.commit(vec![world.hospitals[0].sign_numbered(world.chain(), first, employ)]);
    // Until the registration waits again under another number.
    while world.mempool.batch().first().is_none_or(|waiting| waiting.transaction().nonce == first) {
        waiting.changed().await.unwrap();
    }
    world.run_consensus();
    assert_eq!(running.await.unwrap().unwrap().records_out, 2);
    assert_eq!(newest_records(&world).len(), 2);
}

#[tokio::test]
async fn after_a_time_out_the_ciphertexts_stay_and_the_file_sent_again_registers_nothing_twice() {
    let world = World { patience: Duration::from_millis(500), ..World::new() };
    let network = world.network(EVERYBODY);
    let intake = service(&world, &network);
    let (patient, file) = (world.patient.did, bytes(&bundle(&["INR"])));
    let running = tokio::spawn({
        let (intake, file) = (intake.clone(), file.clone());
        async move { intake.take_in(patient, file).await }
    });
    world.mempool.subscribe().wait_for(|count| *count == 1).await.unwrap();
    let late = world.mempool.batch();
    let timed_out = running.await.unwrap();
    let unfinished = matches!(
        timed_out,
        Err(IntakeError::Unfinished { registered: 0, records: 2, source: SendError::TimedOut })
    );
    assert!(unfinished, "{timed_out:?}");
    assert!(world.mempool.is_empty());
    // Some other hospital still had it, and it is committed after all.
    world.commit(late.into_iter().map(std::sync::Arc::unwrap_or_clone).collect());
    for entry in newest_records(&world) {
        assert!(world.vault.has(entry.blob).await.unwrap());
        assert!(world.others_vault.has(entry.blob).await.unwrap());
    }
    let again = intake.take_in(patient, file).await.unwrap();
    assert_eq!((again.records_out, again.refused.len()), (0, 2));
}

#[tokio::test]
async fn two_files_of_one_patient_at_once_and_too_many_files_are_turned_away() {
    let world = World::new();
    let network = world.network(EVERYBODY);
    let intake = service(&world, &network);
    let start = |patient| {
        let (intake, file) = (intake.clone(), bytes(&bundle(&["INR"])));
        tokio::spawn(async move { intake.take_in(patient, file).await })
    };
    let first = start(world.patient.did);
    let mut waiting = world.mempool.subscribe();
    waiting.wait_for(|count| *count == 1).await.unwrap();
    assert!(matches!(start(world.patient.did).await.unwrap(), Err(IntakeError::Busy)));
    let second = start(world.stranger.did);
    waiting.wait_for(|count| *count == 2).await.unwrap();
    assert!(matches!(start(world.doctor.did).await.unwrap(), Err(IntakeError::Busy)));
    world.run_consensus();
    assert_eq!(first.await.unwrap().unwrap().records_out, 2);
    assert_eq!(second.await.unwrap().unwrap().records_out, 2);
    assert_eq!(start(world.doctor.did).await.unwrap().unwrap().records_out, 2);
}

#[tokio::test]
async fn a_cancelled_wait_gives_its_number_back() {
    let world = World::new();
    let network = world.network(EVERYBODY);
    let sender = world.sender(&network, &world.hospitals[0]);
    let call = || Call::RegisterPractitioner(practitioner(world.doctor.did, GENESIS_TIME));
    let given_up = tokio::time::timeout(Duration::from_millis(300), sender.send(call())).await;
    assert!(given_up.is_err());
    let first = world.mempool.batch()[0].transaction().nonce;
    world.mempool.remove([&world.mempool.batch()[0].id()]);
    world.run_consensus();
    sender.send(call()).await.unwrap();
    let block = world.ledger.block(world.ledger.tip().height).unwrap().unwrap().block;
    assert_eq!(block.transactions[0].transaction.nonce, first);
    assert_eq!(first, Nonce(2), "the first was used to employ the doctor");
}

#[tokio::test]
async fn a_peer_cannot_drop_what_the_ledger_names() {
    let world = World::new();
    world.run_consensus();
    let network = world.network(EVERYBODY);
    service(&world, &network).take_in(world.patient.did, bytes(&bundle(&["INR"]))).await.unwrap();
    let blobs: Vec<BlobId> = newest_records(&world).iter().map(|entry| entry.blob).collect();
    use crate::network::PeerRequest;
    network.ask(ReplicaId(1), PeerRequest::DropBlobs(blobs.clone())).await.unwrap();
    for blob in blobs {
        assert!(world.others_vault.has(blob).await.unwrap());
    }
    assert!(NOW > world.ledger.tip().time, "the clock of these tests is ahead of their ledger");
}
