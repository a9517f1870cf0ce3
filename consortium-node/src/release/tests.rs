#![allow(clippy::unwrap_used)]

use super::*;
use crate::testing::{NOW, World};
use amulet_contracts::testing::{
    Actor, DAY_MS, GENESIS_TIME, emergency, grant, practitioner, reading, record, record_id, request, term,
};
use amulet_crypto::digest::Digest;
use amulet_protocol::calls::{
    CardLocator, ConfirmDeletion, NarrowAccess, PauseAccess, PublishCard, RegisterRecords, RequestId,
    ResumeAccess, RevokeAccess, RevokeCard, UseLimit,
};
use amulet_protocol::ids::{ChainId, Nonce};
use amulet_protocol::light::Upload;
use amulet_protocol::receipt::RefusalCode;
use std::num::NonZeroU32;

/// When grants of these tests end.
const UNTIL: Timestamp = Timestamp(NOW.0 + DAY_MS);

fn ciphertext(number: u64) -> Vec<u8> {
    format!("ciphertext {number}").into_bytes()
}

fn blob(number: u64) -> BlobId {
    blob_id(&ciphertext(number))
}

/// A world in which hospital 0 holds records 1 to 4 of the patient.
async fn world() -> World {
    let mut world = World::new();
    let provider = world.hospitals[0].did;
    let mut records = Vec::new();
    for number in 1..=4 {
        world.vault.put(ciphertext(number)).await.unwrap();
        let mut entry = record(number, provider, &world.patient);
        entry.blob = blob(number);
        records.push(entry);
    }
    let call =
        Call::RegisterRecords(RegisterRecords { patient: world.patient.did, records, flows: Vec::new() });
    apply(&mut world, |world| &mut world.hospitals[0], call);
    world
}

fn assert_applied(receipts: Vec<amulet_protocol::receipt::Receipt>) {
    for receipt in receipts {
        assert!(matches!(receipt.outcome, Outcome::Applied { .. }), "{receipt:?}");
    }
}

fn apply(world: &mut World, by: fn(&mut World) -> &mut Actor, call: Call) -> TxId {
    let chain = world.chain();
    let signed = by(world).sign(chain, call);
    let id = signed.id();
    assert_applied(world.commit(vec![signed]));
    id
}

fn ask(world: &World, ground: ReadGround, numbers: &[u64]) -> ReadRequest {
    ReadRequest {
        chain: world.chain(),
        reader: world.doctor.did,
        holder: world.hospitals[0].did,
        ground,
        blobs: numbers.iter().map(|number| blob(*number)).collect(),
        time: NOW,
    }
}

fn ask_own(world: &World, numbers: &[u64]) -> ReadRequest {
    ReadRequest { reader: world.patient.did, ..ask(world, ReadGround::Own, numbers) }
}

async fn read(world: &World, request: ReadRequest, by: &Actor) -> Result<Vec<Option<Vec<u8>>>, LightRefusal> {
    read_at(world, NOW, request, by).await
}

async fn read_at(
    world: &World,
    now: Timestamp,
    request: ReadRequest,
    by: &Actor,
) -> Result<Vec<Option<Vec<u8>>>, LightRefusal> {
    world.release().read(now, ReadRequest { time: now, ..request }.sign(&by.signing)).await
}

fn not_allowed(why: AccessRefusal) -> Result<Vec<Option<Vec<u8>>>, LightRefusal> {
    Err(LightRefusal::NotAllowed(why))
}

/// A grant of records 1 to 3 to the doctor, who has stated to read records 1 and 2.
fn granted(world: &mut World) -> (GrantId, TxId) {
    let asked = apply(world, |world| &mut world.doctor, Call::RequestAccess(request(world.patient.did, NOW)));
    let given = grant(RequestId(asked), 1..4, &world.doctor, UNTIL);
    let id = GrantId(apply(world, |world| &mut world.patient, Call::GrantAccess(given)));
    let used_by = apply(world, |world| &mut world.doctor, Call::UseAccess(reading(id, 1..3)));
    (id, used_by)
}

/// States at this time that the doctor reads records 1 and 2.
fn use_at(world: &mut World, time: Timestamp, grant: GrantId) -> TxId {
    let chain = world.chain();
    let signed = world.doctor.sign(chain, Call::UseAccess(reading(grant, 1..3)));
    let id = signed.id();
    assert_applied(world.commit_at(time, vec![signed]));
    id
}

fn publish_card(world: &mut World, locator: u8, of: BlobId) {
    let holders = vec![world.hospitals[0].did];
    let call = PublishCard { locator: CardLocator([locator; 5]), blob: of, holders, access_ms: DAY_MS };
    apply(world, |world| &mut world.patient, Call::PublishCard(call));
}

fn declare(world: &mut World, locator: u8) -> DeclarationId {
    let id = apply(world, |world| &mut world.doctor, Call::DeclareEmergency(emergency(locator)));
    DeclarationId(id)
}

#[tokio::test]
async fn a_patient_reads_their_own_records_in_the_order_asked() {
    let world = world().await;
    world.vault.remove(blob(2)).await.unwrap();
    let found = read(&world, ask_own(&world, &[3, 2, 1]), &world.patient).await;
    assert_eq!(found, Ok(vec![Some(ciphertext(3)), None, Some(ciphertext(1))]));
}

#[tokio::test]
async fn nobody_elses_records_are_ones_own() {
    let world = world().await;
    let request = ReadRequest { reader: world.stranger.did, ..ask_own(&world, &[1]) };
    assert_eq!(read(&world, request, &world.stranger).await, not_allowed(AccessRefusal::NotCovered));
    let unknown = ask_own(&world, &[1, 99]);
    assert_eq!(read(&world, unknown, &world.patient).await, not_allowed(AccessRefusal::NotCovered));
}

#[tokio::test]
async fn a_card_that_points_at_somebody_elses_record_opens_nothing() {
    let mut world = world().await;
    let holders = vec![world.hospitals[0].did];
    let call = PublishCard { locator: CardLocator([9; 5]), blob: blob(1), holders, access_ms: DAY_MS };
    apply(&mut world, |world| &mut world.stranger, Call::PublishCard(call));
    let request = ReadRequest { reader: world.stranger.did, ..ask_own(&world, &[1]) };
    assert_eq!(read(&world, request, &world.stranger).await, not_allowed(AccessRefusal::NotCovered));
    let declaration = declare(&mut world, 9);
    let request = ask(&world, ReadGround::Emergency(declaration), &[1]);
    assert_eq!(read(&world, request, &world.doctor).await, not_allowed(AccessRefusal::NotCovered));
    assert!(read(&world, ask_own(&world, &[1]), &world.patient).await.is_ok());
}

#[tokio::test]
async fn the_signature_the_key_the_addressee_and_the_chain_must_be_right() {
    let world = world().await;
    let did = world.patient.did;
    let not_signed = Err(LightRefusal::NotSigned { did });
    let request = ask_own(&world, &[1]);
    assert_eq!(read(&world, request.clone(), &world.stranger).await, not_signed, "signed by somebody else");
    let elsewhere = ReadRequest { holder: world.hospitals[1].did, ..request.clone() };
    assert_eq!(read(&world, elsewhere, &world.patient).await, not_signed, "addressed to another hospital");
    let other_chain = ReadRequest { chain: ChainId(Digest::ZERO), ..request.clone() };
    assert_eq!(read(&world, other_chain, &world.patient).await, not_signed, "signed for another chain");
    let mut changed = request.clone().sign(&world.patient.signing);
    changed.request.blobs.push(blob(2));
    assert_eq!(world.release().read(NOW, changed).await, not_signed, "changed after signing");
    let nobody = Actor::new(99);
    let request = ReadRequest { reader: nobody.did, ..request };
    assert_eq!(read(&world, request, &nobody).await, Err(LightRefusal::NotSigned { did: nobody.did }));
}

#[tokio::test]
async fn a_request_from_another_time_or_for_too_much_is_refused() {
    let world = world().await;
    let signed = |time| ReadRequest { time, ..ask_own(&world, &[1]) }.sign(&world.patient.signing);
    let edge = Timestamp(NOW.0 - READ_REQUEST_AGE_MAX_MS);
    assert!(world.release().read(NOW, signed(edge)).await.is_ok());
    for dated in [Timestamp(edge.0 - 1), NOW.plus_millis(READ_REQUEST_AGE_MAX_MS + 1)] {
        let refused = world.release().read(NOW, signed(dated)).await;
        assert_eq!(refused, Err(LightRefusal::Clock { dated, now: NOW }));
    }
    let many = vec![1; BLOBS_PER_REQUEST_MAX + 1];
    assert_eq!(read(&world, ask_own(&world, &many), &world.patient).await, Err(LightRefusal::Malformed));
}

#[tokio::test]
async fn a_grant_opens_what_its_reader_stated_to_read() {
    let mut world = world().await;
    let (grant, used_by) = granted(&mut world);
    let ground = ReadGround::Grant { grant, used_by };
    let found = read(&world, ask(&world, ground, &[2, 1]), &world.doctor).await;
    assert_eq!(found, Ok(vec![Some(ciphertext(2)), Some(ciphertext(1))]));
    // Granted but not stated; and not even granted.
    for number in [3, 4] {
        let refused = read(&world, ask(&world, ground, &[1, number]), &world.doctor).await;
        assert_eq!(refused, not_allowed(AccessRefusal::NotCovered));
    }
}

#[tokio::test]
async fn without_a_committed_use_by_the_reader_a_grant_opens_nothing() {
    let mut world = world().await;
    let (grant, used_by) = granted(&mut world);
    // A use that exists but was never committed.
    let call = Call::UseAccess(reading(grant, 1..2));
    let uncommitted = world.doctor.sign_numbered(world.chain(), Nonce(50), call).id();
    // A committed transaction of another kind.
    let other = apply_request(&mut world);
    // A committed use that was refused, for it names a record that was not granted.
    let signed = world.doctor.sign_numbered(world.chain(), Nonce(60), Call::UseAccess(reading(grant, 4..5)));
    let refused = signed.id();
    let receipts = world.commit(vec![signed]);
    assert_eq!(receipts[0].outcome, Outcome::Refused { code: RefusalCode::NotGranted });
    for used_by in [uncommitted, other, refused] {
        let ground = ReadGround::Grant { grant, used_by };
        let found = read(&world, ask(&world, ground, &[1]), &world.doctor).await;
        assert_eq!(found, not_allowed(AccessRefusal::NotDeclared));
    }
    // The use of one grant is none of another.
    let unknown = GrantId(used_by);
    let ground = ReadGround::Grant { grant: unknown, used_by };
    let found = read(&world, ask(&world, ground, &[1]), &world.doctor).await;
    assert_eq!(found, not_allowed(AccessRefusal::Unknown));
}

fn apply_request(world: &mut World) -> TxId {
    let signed = world.doctor.sign_numbered(
        world.chain(),
        Nonce(40),
        Call::RequestAccess(request(world.patient.did, NOW)),
    );
    let id = signed.id();
    assert_applied(world.commit(vec![signed]));
    id
}

#[tokio::test]
async fn a_grant_is_of_no_use_to_somebody_else() {
    let mut world = world().await;
    let (grant, used_by) = granted(&mut world);
    let request =
        ReadRequest { reader: world.stranger.did, ..ask(&world, ReadGround::Grant { grant, used_by }, &[1]) };
    assert_eq!(read(&world, request, &world.stranger).await, not_allowed(AccessRefusal::Unknown));
}

#[tokio::test]
async fn a_grant_that_has_ended_or_was_taken_back_opens_nothing() {
    let mut world = world().await;
    let (grant, _) = granted(&mut world);
    let last = Timestamp(UNTIL.0 - 1);
    let used_by = use_at(&mut world, Timestamp(last.0 - 1), grant);
    let request = ask(&world, ReadGround::Grant { grant, used_by }, &[1]);
    assert!(read_at(&world, last, request.clone(), &world.doctor).await.is_ok());
    let ended = read_at(&world, UNTIL, request.clone(), &world.doctor).await;
    assert_eq!(ended, not_allowed(AccessRefusal::Ended));
    apply(&mut world, |world| &mut world.patient, Call::RevokeAccess(RevokeAccess { grant }));
    assert_eq!(read(&world, request, &world.doctor).await, not_allowed(AccessRefusal::Revoked));
}

#[tokio::test]
async fn a_use_is_good_for_an_hour_by_the_chains_clock_if_the_hospitals_is_behind() {
    let mut world = world().await;
    let (grant, _) = granted(&mut world);
    let used_by = use_at(&mut world, NOW, grant);
    let request = ask(&world, ReadGround::Grant { grant, used_by }, &[1]);
    let end = NOW.plus_millis(USE_TIME_MS);
    assert!(read_at(&world, Timestamp(end.0 - 1), request.clone(), &world.doctor).await.is_ok());
    let late = read_at(&world, end, request.clone(), &world.doctor).await;
    assert_eq!(late, not_allowed(AccessRefusal::Ended));
    world.commit_at(end, Vec::new());
    let late = read_at(&world, NOW, request, &world.doctor).await;
    assert_eq!(late, not_allowed(AccessRefusal::Ended));
}

#[tokio::test]
async fn who_has_signed_that_all_is_deleted_gets_nothing_more() {
    let mut world = world().await;
    let call = Call::RequestAccess(request(world.patient.did, NOW));
    let asked = apply(&mut world, |world| &mut world.doctor, call);
    let mut given = grant(RequestId(asked), 1..4, &world.doctor, UNTIL);
    given.term.uses_max = NonZeroU32::new(1).map(UseLimit);
    let grant = GrantId(apply(&mut world, |world| &mut world.patient, Call::GrantAccess(given)));
    let used_by = use_at(&mut world, NOW, grant);
    let request = ask(&world, ReadGround::Grant { grant, used_by }, &[1]);
    assert!(read(&world, request.clone(), &world.doctor).await.is_ok());
    let confirm = Call::ConfirmDeletion(ConfirmDeletion { grant });
    apply(&mut world, |world| &mut world.doctor, confirm);
    assert_eq!(read(&world, request, &world.doctor).await, not_allowed(AccessRefusal::Ended));
}

#[tokio::test]
async fn a_paused_grant_opens_nothing_until_it_is_resumed() {
    let mut world = world().await;
    let (grant, used_by) = granted(&mut world);
    let request = ask(&world, ReadGround::Grant { grant, used_by }, &[1]);
    apply(&mut world, |world| &mut world.patient, Call::PauseAccess(PauseAccess { grant }));
    assert_eq!(read(&world, request.clone(), &world.doctor).await, not_allowed(AccessRefusal::Paused));
    apply(&mut world, |world| &mut world.patient, Call::ResumeAccess(ResumeAccess { grant }));
    assert!(read(&world, request, &world.doctor).await.is_ok());
}

#[tokio::test]
async fn a_record_that_was_taken_out_of_a_grant_is_not_given_even_if_its_use_was_declared_before() {
    let mut world = world().await;
    let (grant, used_by) = granted(&mut world);
    let records = vec![record_id(1)];
    let call = NarrowAccess { grant, records, standing: Vec::new(), term: term(UNTIL) };
    apply(&mut world, |world| &mut world.patient, Call::NarrowAccess(call));
    let ground = ReadGround::Grant { grant, used_by };
    assert!(read(&world, ask(&world, ground, &[1]), &world.doctor).await.is_ok());
    let found = read(&world, ask(&world, ground, &[1, 2]), &world.doctor).await;
    assert_eq!(found, not_allowed(AccessRefusal::NotCovered));
}

#[tokio::test]
async fn what_the_last_use_of_a_grant_named_is_given_although_it_is_used_up() {
    let mut world = world().await;
    let call = Call::RequestAccess(request(world.patient.did, NOW));
    let asked = apply(&mut world, |world| &mut world.doctor, call);
    let mut given = grant(RequestId(asked), 1..4, &world.doctor, UNTIL);
    given.term.uses_max = NonZeroU32::new(1).map(UseLimit);
    let grant = GrantId(apply(&mut world, |world| &mut world.patient, Call::GrantAccess(given)));
    let used_by = apply(&mut world, |world| &mut world.doctor, Call::UseAccess(reading(grant, 1..3)));
    let ground = ReadGround::Grant { grant, used_by };
    assert!(read(&world, ask(&world, ground, &[1, 2]), &world.doctor).await.is_ok());
    assert_eq!(
        read(&world, ask(&world, ground, &[3]), &world.doctor).await,
        not_allowed(AccessRefusal::NotCovered)
    );
}

#[tokio::test]
async fn what_the_rules_say_is_told_to_the_reader_of_a_grant_alone() {
    let mut world = world().await;
    let (grant, _) = granted(&mut world);
    let ask = |world: &World, by: &Actor, ground| {
        ReadRequest { reader: by.did, ..ask(world, ground, &[]) }.sign(&by.signing)
    };
    let release = world.release();
    let own = ask(&world, &world.doctor, ReadGround::Own);
    let explained = release.explain(NOW, grant, &own).unwrap();
    let [kind] = explained.kinds.as_slice() else { panic!("{explained:?}") };
    assert!(kind.allowed && kind.records.len() == 3 && !kind.spoke.is_empty(), "{kind:?}");
    let unknown = Err(LightRefusal::NotAllowed(AccessRefusal::Unknown));
    for other in [&world.stranger, &world.patient] {
        let request = ask(&world, other, ReadGround::Own);
        assert_eq!(release.explain(NOW, grant, &request), unknown, "somebody else's reading");
    }
    let nothing = GrantId(TxId(Digest::ZERO));
    assert_eq!(release.explain(NOW, nothing, &own), unknown);
    let ground = ReadGround::Grant { grant, used_by: grant.0 };
    let wrong = ask(&world, &world.doctor, ground);
    assert_eq!(release.explain(NOW, grant, &wrong), Err(LightRefusal::Malformed));
    let mut forged = own;
    forged.request.time = NOW.plus_millis(1);
    let unsigned = Err(LightRefusal::NotSigned { did: world.doctor.did });
    assert_eq!(release.explain(NOW, grant, &forged), unsigned);
}

#[tokio::test]
async fn a_practitioner_whose_registration_has_ended_reads_nothing() {
    let mut world = world().await;
    let (grant, used_by) = granted(&mut world);
    world.vault.put(ciphertext(100)).await.unwrap();
    publish_card(&mut world, 1, blob(100));
    let declaration = declare(&mut world, 1);
    let mut call = practitioner(world.doctor.did, GENESIS_TIME);
    call.valid_until = NOW;
    apply(&mut world, |world| &mut world.hospitals[0], Call::RegisterPractitioner(call));
    for (ground, number) in
        [(ReadGround::Grant { grant, used_by }, 1), (ReadGround::Emergency(declaration), 100)]
    {
        let request = ask(&world, ground, &[number]);
        assert_eq!(read(&world, request.clone(), &world.doctor).await, not_allowed(AccessRefusal::Ended));
        let before = Timestamp(NOW.0 - 1);
        assert!(read_at(&world, before, request, &world.doctor).await.is_ok());
    }
}

#[tokio::test]
async fn a_declared_emergency_opens_the_card_and_nothing_else() {
    let mut world = world().await;
    world.vault.put(ciphertext(100)).await.unwrap();
    publish_card(&mut world, 1, blob(100));
    let declaration = declare(&mut world, 1);
    let ground = ReadGround::Emergency(declaration);
    let found = read(&world, ask(&world, ground, &[100]), &world.doctor).await;
    assert_eq!(found, Ok(vec![Some(ciphertext(100))]));
    let record = read(&world, ask(&world, ground, &[1]), &world.doctor).await;
    assert_eq!(record, not_allowed(AccessRefusal::NotCovered));
    let request = ReadRequest { reader: world.stranger.did, ..ask(&world, ground, &[100]) };
    assert_eq!(read(&world, request, &world.stranger).await, not_allowed(AccessRefusal::Unknown));
    let made_up = ReadGround::Emergency(DeclarationId(TxId(Digest::ZERO)));
    let found = read(&world, ask(&world, made_up, &[100]), &world.doctor).await;
    assert_eq!(found, not_allowed(AccessRefusal::Unknown));
    assert!(read(&world, ask_own(&world, &[100]), &world.patient).await.is_ok(), "the patient's own card");
}

#[tokio::test]
async fn emergency_access_ends_by_itself_and_with_the_card() {
    let mut world = world().await;
    world.vault.put(ciphertext(100)).await.unwrap();
    publish_card(&mut world, 1, blob(100));
    let declaration = declare(&mut world, 1);
    let until = world.ledger.tip().time.plus_millis(DAY_MS);
    let request = ask(&world, ReadGround::Emergency(declaration), &[100]);
    assert!(read_at(&world, Timestamp(until.0 - 1), request.clone(), &world.doctor).await.is_ok());
    let ended = read_at(&world, until, request.clone(), &world.doctor).await;
    assert_eq!(ended, not_allowed(AccessRefusal::Ended));
    apply(
        &mut world,
        |world| &mut world.patient,
        Call::RevokeCard(RevokeCard { locator: CardLocator([1; 5]) }),
    );
    assert_eq!(read(&world, request, &world.doctor).await, not_allowed(AccessRefusal::Revoked));
}

#[tokio::test]
async fn an_answer_holds_as_much_as_fits_and_at_least_one() {
    let mut world = World::new();
    let provider = world.hospitals[0].did;
    let large = |number: u8| vec![number; 2_500_000];
    let mut records = Vec::new();
    for number in 1..=3 {
        let mut entry = record(number.into(), provider, &world.patient);
        entry.blob = world.vault.put(large(number)).await.unwrap();
        records.push(entry);
    }
    let blobs: Vec<BlobId> = records.iter().map(|entry| entry.blob).collect();
    let patient = world.patient.did;
    let call = Call::RegisterRecords(RegisterRecords { patient, records, flows: Vec::new() });
    apply(&mut world, |world| &mut world.hospitals[0], call);
    let request = ReadRequest { blobs, ..ask_own(&world, &[]) };
    let found = read(&world, request, &world.patient).await.unwrap();
    assert_eq!(found.len(), 2, "two of 2.5 MB fit into 6 MiB, three do not");
    assert_eq!(found[1], Some(large(2)));
}

fn upload(world: &World, ciphertext: Vec<u8>) -> Upload {
    Upload {
        chain: world.chain(),
        owner: world.patient.did,
        holder: world.hospitals[0].did,
        time: NOW,
        ciphertext,
    }
}

async fn put(world: &World, upload: Upload, by: &Actor) -> Result<BlobId, LightRefusal> {
    world.release().upload(NOW, upload.sign(&by.signing)).await
}

#[tokio::test]
async fn a_registered_identity_uploads_a_few_ciphertexts_and_the_oldest_gives_way() {
    let mut world = World::new();
    let keep = put(&world, upload(&world, ciphertext(0)), &world.patient).await.unwrap();
    assert_eq!(keep, blob(0));
    publish_card(&mut world, 1, keep);
    for number in 1..=5 {
        put(&world, upload(&world, ciphertext(number)), &world.patient).await.unwrap();
    }
    assert!(!world.vault.has(blob(1)).await.unwrap(), "the oldest upload that no card names has gone");
    for number in [0, 2, 3, 4, 5] {
        assert!(world.vault.has(blob(number)).await.unwrap(), "{number}");
    }
}

#[tokio::test]
async fn an_upload_by_a_stranger_of_the_ledger_or_too_large_is_not_kept() {
    let world = World::new();
    let nobody = Actor::new(99);
    let wish = Upload { owner: nobody.did, ..upload(&world, ciphertext(1)) };
    assert_eq!(put(&world, wish, &nobody).await, Err(LightRefusal::NotSigned { did: nobody.did }));
    let did = world.patient.did;
    let forged = upload(&world, ciphertext(1));
    assert_eq!(put(&world, forged, &world.stranger).await, Err(LightRefusal::NotSigned { did }));
    let elsewhere = Upload { holder: world.hospitals[1].did, ..upload(&world, ciphertext(1)) };
    assert_eq!(put(&world, elsewhere, &world.patient).await, Err(LightRefusal::NotSigned { did }));
    let dated = Timestamp(NOW.0 - READ_REQUEST_AGE_MAX_MS - 1);
    let old = Upload { time: dated, ..upload(&world, ciphertext(1)) };
    assert_eq!(put(&world, old, &world.patient).await, Err(LightRefusal::Clock { dated, now: NOW }));
    for ciphertext in [Vec::new(), vec![0; UPLOAD_BYTES_MAX + 1]] {
        assert_eq!(
            put(&world, upload(&world, ciphertext), &world.patient).await,
            Err(LightRefusal::Malformed)
        );
    }
    assert!(!world.vault.has(blob(1)).await.unwrap());
}

#[tokio::test]
async fn a_sweep_removes_old_ciphertexts_that_nobody_names_once_the_ledger_has_gone_on() {
    let world = world().await;
    let unnamed = world.vault.put(ciphertext(50)).await.unwrap();
    assert_eq!(
        world.vault.sweep(&world.index, &world.ledger).await.unwrap(),
        0,
        "the ledger is behind the clock"
    );
    let later = Timestamp(crate::node::now().0 + 2 * crate::vault::UNNAMED_KEPT_MS);
    world.commit_at(later, Vec::new());
    assert_eq!(world.vault.sweep(&world.index, &world.ledger).await.unwrap(), 1);
    assert!(!world.vault.has(unnamed).await.unwrap());
    assert!(world.vault.has(blob(1)).await.unwrap());
}

#[tokio::test]
async fn a_piece_is_given_on_the_same_grounds_as_the_whole_and_never_more_than_one() {
    let mut world = World::new();
    let ciphertext: Vec<u8> = (0..3_000u32).flat_map(u32::to_le_bytes).collect();
    let id = world.vault.put(ciphertext.clone()).await.unwrap();
    let mut entry = amulet_contracts::testing::record(1, world.hospitals[0].did, &world.patient);
    entry.blob = id;
    let (chain, patient) = (world.chain(), world.patient.did);
    let call = amulet_protocol::calls::RegisterRecords { patient, records: vec![entry], flows: Vec::new() };
    let signed = world.hospitals[0].sign(chain, Call::RegisterRecords(call));
    world.commit(vec![signed]);
    let holder = world.hospitals[0].did;
    let piece = async |by: &Actor, blobs: Vec<BlobId>, from: u64, length: u32| {
        let ground = ReadGround::Own;
        let request = ReadRequest { chain, reader: by.did, holder, ground, blobs, time: NOW };
        world.release().piece(NOW, request.sign(&by.signing), from, length).await
    };
    let own = &world.patient;
    let size = ciphertext.len() as u64;
    for (from, length) in [(0, 5), (11_995, 100), (0, PIECE_BYTES_MAX)] {
        let start = usize::try_from(from).unwrap();
        let end = ciphertext.len().min(start + length as usize);
        let expected = LightResponse::Piece { size, bytes: ciphertext[start..end].to_vec() };
        assert_eq!(piece(own, vec![id], from, length).await, Ok(expected));
    }
    assert_eq!(piece(own, vec![id], size, 1).await, Ok(LightResponse::NotFound));
    for (blobs, length) in
        [(vec![id], 0), (vec![id], PIECE_BYTES_MAX + 1), (Vec::new(), 1), (vec![id, id], 1)]
    {
        assert_eq!(piece(own, blobs, 0, length).await, Err(LightRefusal::Malformed));
    }
    let stranger = piece(&world.stranger, vec![id], 0, 5).await;
    assert_eq!(stranger, Err(LightRefusal::NotAllowed(AccessRefusal::NotCovered)));
}
