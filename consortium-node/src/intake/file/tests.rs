#![allow(clippy::unwrap_used)]

use super::*;
use crate::network::Network;
use crate::testing::World;
use crate::vault::Found;
use crate::vault::fake_s3::FakeS3;
use amulet_protocol::calls::Call;
use amulet_protocol::large::LargeOpener;
use futures::TryStreamExt;
use futures::stream;
use std::convert::Infallible;

const PIECE: usize = 64 * 1024;

fn service(world: &World, network: &Network) -> IntakeService {
    IntakeService::new(super::super::IntakeParts {
        ledger: world.ledger.clone(),
        vault: world.vault.clone(),
        index: world.index.clone(),
        reviews: world.reviews.clone(),
        network: network.clone(),
        copies: world.copies(network),
        sender: world.sender(network, &world.hospitals[0]),
        own: ReplicaId(0),
        now: crate::testing::now,
    })
}

fn brought(bytes: usize) -> FileBrought {
    FileBrought {
        id: "ct-1".to_owned(),
        title: "CT chest".to_owned(),
        content_type: "application/dicom".to_owned(),
        date: None,
        category: Category::Imaging,
        class: DataClass::Sensitive,
        bytes: bytes as u64,
    }
}

fn piece(number: usize) -> Bytes {
    let mut piece = vec![0; PIECE];
    piece[..8].copy_from_slice(&number.to_le_bytes());
    piece.into()
}

/// A file that is made as it is read.
fn body(pieces: usize) -> impl Stream<Item = Result<Bytes, Infallible>> + Unpin {
    stream::iter((0..pieces).map(|number| Ok(piece(number))))
}

fn registered(world: &World) -> Vec<RecordEntry> {
    let block = world.ledger.block(world.ledger.tip().height).unwrap().unwrap().block;
    let calls = block.transactions.into_iter().map(|transaction| transaction.transaction.call);
    let records = calls.filter_map(|call| match call {
        Call::RegisterRecords(call) => Some(call.records),
        _ => None,
    });
    records.flatten().collect()
}

#[tokio::test]
async fn a_file_is_in_two_vaults_and_only_the_patient_opens_it() {
    let world = World::new();
    world.run_consensus();
    let network = world.network(&[1, 2, 3]);
    let intake = service(&world, &network);
    let report = intake.take_file(world.patient.did, brought(80 * PIECE), body(80)).await.unwrap();
    assert!(!report.already_registered);
    let [entry] = &registered(&world)[..] else { panic!("one record") };
    assert_eq!(entry.id.to_string(), report.record);
    assert_eq!(entry.holders, [world.hospitals[0].did, world.hospitals[1].did]);
    for vault in [&world.vault, &world.others_vault] {
        let outgoing = vault.stream(entry.blob, 0).await.unwrap().unwrap();
        assert_eq!(outgoing.size, report.ciphertext_bytes);
        let ciphertext = outgoing.pieces.try_collect::<Vec<_>>().await.unwrap().concat();
        let key = entry.sealed_key.open(&world.patient.agreement, &record_key_context(entry.id)).unwrap();
        let key = ContentKey::from_bytes(key.as_slice().try_into().unwrap());
        let opener = LargeOpener::new(&ciphertext[..], &key, entry.id, world.patient.did).unwrap();
        let mut plain = Vec::new();
        assert_eq!(opener.copy_to(&mut plain, entry.commitment).unwrap().title, "CT chest");
        assert!(plain == (0..80).flat_map(piece).collect::<Vec<_>>());
    }
    let height = world.ledger.tip().height;
    let again = intake.take_file(world.patient.did, brought(80 * PIECE), body(80)).await.unwrap();
    assert!(again.already_registered);
    assert_eq!((again.record, world.ledger.tip().height), (report.record, height));
}

#[tokio::test]
async fn a_hospital_whose_vault_is_a_bucket_takes_in_gives_copies_and_repairs() {
    let mut world = World::new();
    let (bucket, vault) = FakeS3::start_with_vault(world.folder.path()).await;
    world.vault = vault;
    world.run_consensus();
    let network = world.network(&[1]);
    let intake = service(&world, &network);
    intake.take_file(world.patient.did, brought(200 * PIECE), body(200)).await.unwrap();
    let blob = registered(&world)[0].blob;
    let name = format!("b/city/{}/{blob}", &blob.to_string()[..2]);
    assert_eq!((bucket.names(), bucket.unended()), (vec![name.clone()], 0));
    bucket.replace(&name, b"rotten");
    let report = world.scrubber(&network).scrub(None).await.unwrap();
    assert_eq!((report.checked, report.damaged, report.repaired, report.lost), (1, 1, 1, 0));
    assert!(matches!(world.vault.check(blob, None).await.unwrap(), Found::Whole(_)));
}

#[tokio::test]
async fn a_file_of_class_core_stays_and_one_that_nobody_mirrors_is_not_registered() {
    let world = World::new();
    world.run_consensus();
    let network = world.network(&[]);
    let intake = service(&world, &network);
    let height = world.ledger.tip().height;
    // Nobody answers, so each hospital in turn is waited for.
    let core = FileBrought { class: DataClass::Core, ..brought(PIECE) };
    let report = intake.take_file(world.patient.did, core, body(1)).await.unwrap();
    assert_eq!(report.holders, [world.hospitals[0].did.to_string()]);
    assert!(!world.others_vault.has(registered(&world)[0].blob).await.unwrap());
    assert!(world.ledger.tip().height > height);
}

#[tokio::test]
async fn a_file_of_another_length_than_announced_or_cut_off_leaves_nothing() {
    let world = World::new();
    let network = world.network(&[1]);
    let intake = service(&world, &network);
    let patient = world.patient.did;
    let long = intake.take_file(patient, brought(PIECE), body(2)).await.unwrap_err();
    assert!(matches!(long, IntakeError::OtherLength { stated, .. } if stated == PIECE as u64), "{long}");
    let short = intake.take_file(patient, brought(3 * PIECE), body(2)).await.unwrap_err();
    assert!(matches!(short, IntakeError::OtherLength { found, .. } if found == 2 * PIECE as u64), "{short}");
    let broken = stream::iter([Ok(piece(0)), Err(())]);
    let cut = intake.take_file(patient, brought(2 * PIECE), broken).await.unwrap_err();
    assert!(matches!(cut, IntakeError::CutOff), "{cut}");
    let huge = FileBrought { bytes: FILE_BYTES_MAX + 1, ..brought(0) };
    let huge = intake.take_file(patient, huge, body(0)).await.unwrap_err();
    assert!(matches!(huge, IntakeError::FileTooLarge { .. }), "{huge}");
    let stranger = amulet_contracts::testing::Actor::new(99).did;
    let unknown = intake.take_file(stranger, brought(PIECE), body(1)).await.unwrap_err();
    assert!(matches!(unknown, IntakeError::UnknownPatient { .. }), "{unknown}");
    let left = std::fs::read_dir(world.folder.path().join("vault")).unwrap().flatten();
    let files = left.flat_map(|part| std::fs::read_dir(part.path()).unwrap()).count();
    assert_eq!(files, 0);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_stops_coming_is_given_up_and_others_are_taken_in_meanwhile() {
    let world = World::new();
    world.run_consensus();
    let network = world.network(&[1]);
    let intake = service(&world, &network);
    let patient = world.patient.did;
    let stalled = || stream::iter([Ok::<_, Infallible>(piece(0))]).chain(stream::pending());
    let waits = |number: usize| {
        let (intake, body) = (intake.clone(), stalled());
        let brought = FileBrought { id: format!("ct-{number}"), ..brought(2 * PIECE) };
        tokio::spawn(async move { intake.take_file(patient, brought, body).await })
    };
    let waiting = [waits(1), waits(2)];
    tokio::task::yield_now().await;
    let third = intake.take_file(patient, brought(PIECE), body(1)).await.unwrap_err();
    assert!(matches!(third, IntakeError::Busy), "{third}");
    let fhir = br#"{"resourceType": "Patient", "id": "p"}"#.to_vec();
    let fhir = super::super::Brought { file: fhir, ..Default::default() };
    assert_eq!(intake.take_in(patient, fhir).await.unwrap().records_out, 1);
    for file in waiting {
        let refused = file.await.unwrap().unwrap_err();
        assert!(matches!(refused, IntakeError::CutOff), "{refused}");
    }
}

/// Most memory that this process has had, in KiB.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse().unwrap()
}

/// MiB of the file; `AMULET_VAULT_MIB=1024` tries an imaging study of 1 GiB, `--no-capture` prints the peak.
fn mib() -> usize {
    std::env::var("AMULET_VAULT_MIB").map_or(192, |mib| mib.parse().unwrap())
}

/// Most that the file may add to the memory of both hospitals together, in KiB: what they have on its way to their disks.
const MEMORY_KIB_MAX: u64 = 96 * 1024;

#[tokio::test]
async fn memory_does_not_grow_with_the_file() {
    let world = World::new();
    world.run_consensus();
    let network = world.network(&[1, 2, 3]);
    let (intake, pieces) = (service(&world, &network), mib() * 1024 * 1024 / PIECE);
    intake.take_file(world.patient.did, brought(PIECE), body(1)).await.unwrap();
    let (before, began) = (peak_kib(), std::time::Instant::now());
    let large = FileBrought { id: "ct-2".to_owned(), ..brought(pieces * PIECE) };
    intake.take_file(world.patient.did, large, body(pieces)).await.unwrap();
    let grown = peak_kib() - before;
    println!(
        "{} MiB taken in and copied to a second hospital in {:?}; peak memory {} MiB, {} MiB of it for the file",
        mib(),
        began.elapsed(),
        peak_kib() / 1024,
        grown / 1024
    );
    assert!(grown < MEMORY_KIB_MAX, "{grown} KiB more");
}
