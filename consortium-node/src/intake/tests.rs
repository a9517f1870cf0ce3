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

fn brought(bundle: &Value) -> Brought {
    brought_bytes(bytes(bundle))
}

fn brought_bytes(file: Vec<u8>) -> Brought {
    Brought { file, ..Brought::default() }
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
        reviews: world.reviews.clone(),
        network: network.clone(),
        copies: world.copies(network),
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
    let report = service(&world, &network).take_in(world.patient.did, brought(&bundle)).await.unwrap();
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

/// Opens a record as the patient does, after checking that its holders, and nobody else, hold the same.
async fn open(world: &World, entry: &RecordEntry) -> RecordPlain {
    let ciphertext = world.vault.get(entry.blob).await.unwrap().unwrap();
    let there = world.others_vault.get(entry.blob).await.unwrap();
    assert_eq!(there.as_ref(), Some(&ciphertext).filter(|_| entry.holders.len() == 2));
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
        let report = intake.take_in(world.patient.did, brought_bytes(file)).await.unwrap();
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
    intake.take_in(world.patient.did, brought(&bundle(&["INR", "Hb"]))).await.unwrap();
    let (height, kept) = (world.ledger.tip().height, files_here(&world));
    let again = intake.take_in(world.patient.did, brought(&bundle(&["INR", "Hb"]))).await.unwrap();
    assert_eq!((again.resources_in, again.records_out, again.refused.len()), (3, 0, 3));
    assert!(again.refused.iter().all(|refused| refused.code == "already_registered"), "{again:?}");
    assert_eq!((world.ledger.tip().height, files_here(&world)), (height, kept));
    // A restarted node remembers.
    let longer =
        service(&world, &network).take_in(world.patient.did, brought(&bundle(&["INR", "Hb", "K"]))).await;
    let longer = longer.unwrap();
    assert_eq!((longer.resources_in, longer.records_out, longer.refused.len()), (4, 1, 3));
    assert_eq!(newest_records(&world).len(), 1);
    // The same content is another patient's own.
    let other = intake.take_in(world.stranger.did, brought(&bundle(&["INR"]))).await.unwrap();
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
    let report = service(&world, &network).take_in(world.patient.did, brought_bytes(file)).await.unwrap();
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
    let report = service(&world, &network).take_in(world.patient.did, brought(&bundle)).await.unwrap();
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
    let unknown = intake.take_in(nobody, brought(&bundle(&["INR"]))).await;
    assert!(matches!(unknown, Err(IntakeError::UnknownPatient { patient }) if patient == nobody));
    let bad = intake.take_in(world.patient.did, brought_bytes(b"<Bundle/>".to_vec())).await;
    assert!(matches!(bad, Err(IntakeError::File(FileRefusal::Xml))));
    assert_eq!((files_here(&world), world.ledger.tip().height), (0, Height(1)));
}

#[tokio::test]
async fn another_hospital_holds_the_copies_when_the_first_is_down_and_none_is_an_error() {
    let world = World::new();
    world.run_consensus();
    let network = world.network(&[2]);
    service(&world, &network).take_in(world.patient.did, brought(&bundle(&["INR"]))).await.unwrap();
    assert_eq!(newest_records(&world)[0].holders, [world.hospitals[0].did, world.hospitals[2].did]);
    let (here, height) = (files_here(&world), world.ledger.tip().height);
    let network = world.network(&[]);
    let alone = service(&world, &network).take_in(world.patient.did, brought(&bundle(&["K"]))).await;
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
    let refused = intake.take_in(world.patient.did, brought(&bundle(&["INR"]))).await;
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
    let running = tokio::spawn(async move { intake.take_in(patient, brought_bytes(file)).await });
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
        async move { intake.take_in(patient, brought_bytes(file)).await }
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
    let again = intake.take_in(patient, brought_bytes(file)).await.unwrap();
    assert_eq!((again.records_out, again.refused.len()), (0, 2));
}

#[tokio::test]
async fn two_files_of_one_patient_at_once_and_too_many_files_are_turned_away() {
    let world = World::new();
    let network = world.network(EVERYBODY);
    let intake = service(&world, &network);
    let start = |patient| {
        let (intake, file) = (intake.clone(), bytes(&bundle(&["INR"])));
        tokio::spawn(async move { intake.take_in(patient, brought_bytes(file)).await })
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
    service(&world, &network).take_in(world.patient.did, brought(&bundle(&["INR"]))).await.unwrap();
    let blobs: Vec<BlobId> = newest_records(&world).iter().map(|entry| entry.blob).collect();
    use crate::network::PeerRequest;
    network.ask(ReplicaId(1), PeerRequest::DropBlobs(blobs.clone())).await.unwrap();
    for blob in blobs {
        assert!(world.others_vault.has(blob).await.unwrap());
    }
    assert!(NOW > world.ledger.tip().time, "the clock of these tests is ahead of their ledger");
}

fn flagged(id: &str) -> Value {
    json!({"resource": {"resourceType": "Observation", "id": id, "status": "final", "subject": {"reference": "Patient/p"},
        "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]},
        "component": [part("8480-6", 12), part("8462-4", 8)]}})
}

fn part(code: &str, value: u32) -> Value {
    json!({"code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "valueQuantity": {"value": value, "unit": "mm[Hg]"}})
}

fn with(extra: &[Value]) -> Value {
    let mut bundle = bundle(&["INR"]);
    bundle["entry"].as_array_mut().unwrap().extend_from_slice(extra);
    bundle
}

fn decision(verdict: review::Verdict) -> DecisionRequest {
    DecisionRequest { verdict, who: "Dr. Chen".to_owned(), reason: "asked the ward".to_owned(), class: None }
}

#[tokio::test]
async fn a_flagged_record_waits_over_a_restart_until_a_person_approves_it() {
    let world = World::new();
    world.run_consensus();
    let network = world.network(EVERYBODY);
    let intake = service(&world, &network);
    let (patient, file) = (world.patient.did, with(&[flagged("bp")]));
    let report = intake.take_in(patient, brought(&file)).await.unwrap();
    assert_eq!((report.resources_in, report.records_out), (3, 2));
    assert_eq!(report.refused[0].code, "held_for_review");
    assert_eq!(report.findings[0].code, "blood_pressure_scale");
    let id = report.refused[0].review.unwrap();
    // What a crash leaves is the file on the disk.
    let copy = world.folder.path().join("left.redb");
    std::fs::copy(world.folder.path().join("review.redb"), &copy).unwrap();
    let left = ReviewStore::open(&copy).unwrap();
    assert_eq!(
        (left.waiting().unwrap(), left.item(id).unwrap().0.record.label().as_str()),
        (1, "Observation/bp")
    );
    // The file sent again adds nothing to the queue.
    let again = intake.take_in(patient, brought(&file)).await.unwrap();
    assert_eq!(again.refused.iter().find_map(|refused| refused.review), Some(id));
    assert_eq!(intake.reviews(0, false).await.unwrap().len(), 1);
    let shown = intake.review(id).await.unwrap();
    let expected = serde_json::to_string(&file["entry"][2]["resource"]).unwrap();
    assert_eq!(shown.content.as_deref(), Some(expected.as_str()));
    let decided = intake.decide(id, decision(review::Verdict::Approve)).await.unwrap();
    let entry = newest_records(&world).remove(0);
    assert_eq!(decided.decision.as_ref().unwrap().record, Some(entry.id.to_string()));
    assert_eq!(open(&world, &entry).await.content, expected.as_bytes(), "byte for byte");
    assert!(intake.reviews(0, false).await.unwrap().is_empty());
    assert_eq!(intake.reviews(0, true).await.unwrap()[0].decision.as_ref().unwrap().who, "Dr. Chen");
    let twice = intake.decide(id, decision(review::Verdict::Reject)).await;
    assert!(matches!(twice, Err(IntakeError::Review(ReviewError::Decided { .. }))), "{twice:?}");
}

#[tokio::test]
async fn an_approval_that_was_cut_off_after_registering_registers_nothing_twice() {
    let world = World::new();
    world.run_consensus();
    let network = world.network(EVERYBODY);
    let intake = service(&world, &network);
    let report = intake.take_in(world.patient.did, brought(&with(&[flagged("bp")]))).await.unwrap();
    let id = report.refused[0].review.unwrap();
    let before = world.folder.path().join("before.redb");
    std::fs::copy(world.folder.path().join("review.redb"), &before).unwrap();
    let first = intake.decide(id, decision(review::Verdict::Approve)).await.unwrap();
    let height = world.ledger.tip().height;
    let mut parts = intake.parts.clone();
    parts.reviews = ReviewStore::open(&before).unwrap();
    let second = IntakeService::new(parts).decide(id, decision(review::Verdict::Approve)).await.unwrap();
    assert_eq!(second.decision.unwrap().record, first.decision.unwrap().record);
    assert_eq!(world.ledger.tip().height, height);
}

#[tokio::test]
async fn a_rejected_record_stays_out_and_decisions_name_who_and_why() {
    let world = World::new();
    world.run_consensus();
    let network = world.network(EVERYBODY);
    let intake = service(&world, &network);
    let file = with(&[flagged("bp")]);
    let report = intake.take_in(world.patient.did, brought(&file)).await.unwrap();
    let id = report.refused[0].review.unwrap();
    let nameless = DecisionRequest { who: " ".to_owned(), ..decision(review::Verdict::Reject) };
    let refused = intake.decide(id, nameless).await;
    assert!(matches!(refused, Err(IntakeError::Review(ReviewError::Incomplete { field: "who", .. }))));
    intake.decide(id, decision(review::Verdict::Reject)).await.unwrap();
    let again = intake.take_in(world.patient.did, brought(&file)).await.unwrap();
    let rejected = again.refused.iter().find(|refused| refused.resource == "Observation/bp").unwrap();
    assert_eq!((rejected.code.as_str(), rejected.review), ("rejected_in_review", Some(id)));
    assert!(rejected.reason.contains("asked the ward"));
    let nothing = intake.decide(id + 1, decision(review::Verdict::Reject)).await;
    assert!(matches!(nothing, Err(IntakeError::Review(ReviewError::NoSuchItem { .. }))));
}

#[tokio::test]
async fn a_blood_group_that_changed_since_the_last_file_waits() {
    let world = World::new();
    world.run_consensus();
    let network = world.network(EVERYBODY);
    let intake = service(&world, &network);
    let group = |id: &str, text: &str| {
        with(&[json!({"resource": {"resourceType": "Observation", "id": id, "status": "final",
            "subject": {"reference": "Patient/p"}, "valueString": text,
            "code": {"coding": [{"system": "http://loinc.org", "code": "882-1"}]}}})])
    };
    intake.take_in(world.patient.did, brought(&group("a", "A Rh+"))).await.unwrap();
    let report = intake.take_in(world.patient.did, brought(&group("b", "B Rh+"))).await.unwrap();
    let held = report.refused.iter().find(|refused| refused.code == "held_for_review").unwrap();
    assert_eq!((held.resource.as_str(), report.records_out), ("Observation/b", 0));
    let other = intake.take_in(world.stranger.did, brought(&group("b", "B Rh+"))).await.unwrap();
    assert_eq!(other.records_out, 3, "another patient's blood group is their own");
}

#[tokio::test]
async fn core_records_stay_at_the_hospital_and_classes_can_be_corrected() {
    let world = World::new();
    world.run_consensus();
    let network = world.network(EVERYBODY);
    let intake = service(&world, &network);
    let classes = [("Observation/o-INR".to_owned(), DataClass::Core)].into();
    let file = bytes(&bundle(&["INR", "Hb"]));
    let report = intake.take_in(world.patient.did, Brought { file, subject: None, classes }).await.unwrap();
    assert_eq!(report.classes, [("core".to_owned(), 1), ("sensitive".to_owned(), 2)].into());
    let records = newest_records(&world);
    assert_eq!(records[1].holders, [world.hospitals[0].did]);
    assert!(world.vault.get(records[1].blob).await.unwrap().is_some());
    assert!(
        world.others_vault.get(records[1].blob).await.unwrap().is_none(),
        "not even its ciphertext leaves"
    );
    assert_eq!(records[2].holders, [world.hospitals[0].did, world.hospitals[1].did]);
    // Alone, it needs no other hospital.
    let network = world.network(&[]);
    let core = json!({"resourceType": "Patient", "id": "p", "meta": {"security": [{"code": "V"}]}});
    let alone = service(&world, &network).take_in(world.patient.did, brought(&core)).await.unwrap();
    assert_eq!(alone.records_out, 1);
}

#[tokio::test]
async fn a_new_version_is_linked_to_the_one_before() {
    let world = World::new();
    world.run_consensus();
    let network = world.network(EVERYBODY);
    let intake = service(&world, &network);
    intake.take_in(world.patient.did, brought(&bundle(&["INR"]))).await.unwrap();
    let first = newest_records(&world).remove(1);
    assert_eq!(open(&world, &first).await.replaces, None);
    let mut amended = bundle(&["INR"]);
    amended["entry"][1]["resource"]["status"] = json!("amended");
    let report = intake.take_in(world.patient.did, brought(&amended)).await.unwrap();
    assert_eq!(report.records_out, 1);
    let second = newest_records(&world).remove(0);
    assert_eq!(open(&world, &second).await.replaces, Some(first.id));
}
