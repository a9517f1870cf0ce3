#![allow(clippy::unwrap_used)]

use super::*;
use crate::ledger::{BLOCKS_PER_SNAPSHOT, Pruned};
use crate::testing::{NOW, World};
use amulet_contracts::testing::{
    Actor, DAY_MS, GENESIS_TIME, participation, practitioner, reading, record_id, records, staff, staff_key,
    study, unasked,
};
use amulet_crypto::content::ContentKey;
use amulet_protocol::calls::{KeyFlow, NarrowAccess, PauseAccess, RegisterPractitioner, RegisterRecords};
use amulet_protocol::consent::{Category, PractitionerRole};
use amulet_protocol::grantee::{Grantee, Staff};
use amulet_protocol::light::ReadRequest;
use amulet_protocol::receipt::Outcome;
use amulet_protocol::study::{EndStudy, RegisterStudy, ReviewStudy, StudyId, VoteBoard, Wording};

/// When grants of these tests end.
const UNTIL: Timestamp = Timestamp(NOW.0 + DAY_MS);

/// The key of a record in these tests.
fn key_of(number: u64) -> ContentKey {
    ContentKey::from_bytes(&[u8::try_from(number).unwrap(); 16])
}

fn keys_of(numbers: std::ops::Range<u64>) -> GrantKeys {
    GrantKeys::new(numbers.map(|number| (record_id(number), key_of(number))).collect())
}

/// A world in which hospital 0 published its key, holds records 0 to 3 of the patient, and employs the doctor.
fn world() -> World {
    let mut world = World::new();
    let key = staff_key(&world.hospitals[0]);
    apply(&mut world, |world| &mut world.hospitals[0], key);
    let call = records(0..4, world.hospitals[0].did, &world.patient);
    apply(&mut world, |world| &mut world.hospitals[0], Call::RegisterRecords(call));
    world
}

fn apply(world: &mut World, by: fn(&mut World) -> &mut Actor, call: Call) -> TxId {
    let chain = world.chain();
    let signed = by(world).sign(chain, call);
    let id = signed.id();
    for receipt in world.commit(vec![signed]) {
        assert!(matches!(receipt.outcome, Outcome::Applied { .. }), "{receipt:?}");
    }
    id
}

/// A grant of records 0 to 3 to these staff, and of laboratory results to come.
fn give(world: &mut World, to: Staff) -> GrantId {
    let mut call = unasked(Grantee::Staff(to), 0..4, UNTIL);
    call.standing = vec![Category::Labs];
    let binding = KeyBinding::Grant {
        patient: world.patient.did,
        grantee: call.grantee.clone(),
        purpose: call.purpose,
        request: None,
    };
    let to = world.hospitals[0].agreement.public_key();
    call.keys = keys_of(0..4).seal(to, &binding, &mut SystemEntropy).unwrap();
    GrantId(apply(world, |world| &mut world.patient, Call::GrantAccess(call)))
}

/// Lets the chain grow beyond a snapshot of its state.
fn grow(world: &World) {
    for _ in 0..=BLOCKS_PER_SNAPSHOT {
        world.commit(Vec::new());
    }
}

/// Removes the blocks below the newest snapshot.
fn prune(world: &World) {
    while world.ledger.prune(0).unwrap() == Pruned::More {}
    assert!(world.ledger.floor().unwrap() > Height(0));
}

fn ask(world: &World, reader: &Actor, ground: ReadGround) -> UntrustedReadRequest {
    let holder = world.hospitals[0].did;
    let request = ReadRequest {
        chain: world.chain(),
        reader: reader.did,
        holder,
        ground,
        blobs: Vec::new(),
        time: NOW,
    };
    request.sign(&reader.signing)
}

fn keys(world: &World, reader: &Actor, grant: GrantId, used_by: TxId) -> Result<GrantKeys, LightRefusal> {
    let sealed = world.staff().keys(NOW, &ask(world, reader, ReadGround::Grant { grant, used_by }))?;
    let binding = KeyBinding::Handover { grant, used_by, reader: reader.did };
    Ok(sealed.open(&reader.agreement, &binding).unwrap())
}

fn known(keys: &GrantKeys) -> Vec<RecordId> {
    let mut known: Vec<_> = (0..10).map(record_id).filter(|id| keys.get(*id).is_some()).collect();
    known.sort_unstable();
    known
}

fn not_allowed<T>(why: AccessRefusal) -> Result<T, LightRefusal> {
    Err(LightRefusal::NotAllowed(why))
}

#[test]
fn a_reader_gets_the_keys_of_what_they_stated_and_no_others() {
    let mut world = world();
    let all = staff(world.hospitals[0].did);
    let grant = give(&mut world, all);
    let used_by = apply(&mut world, |world| &mut world.doctor, Call::UseAccess(reading(grant, 0..2)));
    let keys = keys(&world, &world.doctor, grant, used_by).unwrap();
    let mut stated = [record_id(0), record_id(1)];
    stated.sort_unstable();
    assert_eq!(known(&keys), stated);
    assert_eq!(keys.get(record_id(1)).unwrap().expose_secret(), key_of(1).expose_secret());
}

#[test]
fn keys_of_records_that_came_later_are_passed_on_too() {
    let mut world = world();
    let all = staff(world.hospitals[0].did);
    let grant = give(&mut world, all);
    let provider = world.hospitals[1].did;
    let to = world.hospitals[0].agreement.public_key();
    let seal = |numbers, provider| {
        let binding = KeyBinding::Flow { grant, provider };
        vec![KeyFlow { grant, keys: keys_of(numbers).seal(to, &binding, &mut SystemEntropy).unwrap() }]
    };
    // Sealed as if somebody else registered it: it opens nothing, and hides nothing.
    let (bad, good) = (seal(4..5, world.hospitals[2].did), seal(5..6, provider));
    for (number, flows) in [(4, bad), (5, good)] {
        let call = RegisterRecords { flows, ..records(number..number + 1, provider, &world.patient) };
        apply(&mut world, |world| &mut world.hospitals[1], Call::RegisterRecords(call));
    }
    let used_by = apply(&mut world, |world| &mut world.doctor, Call::UseAccess(reading(grant, 3..6)));
    let keys = keys(&world, &world.doctor, grant, used_by).unwrap();
    let mut expected = [record_id(3), record_id(5)];
    expected.sort_unstable();
    assert_eq!(known(&keys), expected);
}

#[test]
fn a_hospital_cannot_replace_the_keys_of_what_others_registered() {
    let mut world = world();
    let all = staff(world.hospitals[0].did);
    let grant = give(&mut world, all);
    let provider = world.hospitals[1].did;
    let to = world.hospitals[0].agreement.public_key();
    let sealed = GrantKeys::new(vec![(record_id(0), key_of(9)), (record_id(4), key_of(4))]);
    let sealed = sealed.seal(to, &KeyBinding::Flow { grant, provider }, &mut SystemEntropy).unwrap();
    let flows = vec![KeyFlow { grant, keys: sealed }];
    let call = RegisterRecords { flows, ..records(4..5, provider, &world.patient) };
    apply(&mut world, |world| &mut world.hospitals[1], Call::RegisterRecords(call));
    let used_by = apply(&mut world, |world| &mut world.doctor, Call::UseAccess(reading(grant, 0..5)));
    let keys = keys(&world, &world.doctor, grant, used_by).unwrap();
    for number in [0, 4] {
        assert_eq!(keys.get(record_id(number)).unwrap().expose_secret(), key_of(number).expose_secret());
    }
}

#[test]
fn keys_of_records_that_the_patient_took_out_since_the_use_are_not_passed_on() {
    let mut world = world();
    let all = staff(world.hospitals[0].did);
    let grant = give(&mut world, all);
    let used_by = apply(&mut world, |world| &mut world.doctor, Call::UseAccess(reading(grant, 0..4)));
    let mut left = [record_id(1), record_id(2)];
    left.sort_unstable();
    let state: GrantState = world.ledger.read(&StateKey::Grant(grant)).unwrap().unwrap();
    let narrow = NarrowAccess { grant, records: left.to_vec(), standing: Vec::new(), term: state.term };
    apply(&mut world, |world| &mut world.patient, Call::NarrowAccess(narrow));
    assert_eq!(known(&keys(&world, &world.doctor, grant, used_by).unwrap()), left);
}

#[test]
fn keys_that_were_pruned_do_not_hide_those_that_came_later() {
    let mut world = world();
    let all = staff(world.hospitals[0].did);
    let grant = give(&mut world, all);
    world.index.catch_up(&world.ledger).unwrap();
    let given = world.ledger.tip().height;
    grow(&world);
    let provider = world.hospitals[1].did;
    let to = world.hospitals[0].agreement.public_key();
    let binding = KeyBinding::Flow { grant, provider };
    let flows = vec![KeyFlow { grant, keys: keys_of(5..6).seal(to, &binding, &mut SystemEntropy).unwrap() }];
    let call = RegisterRecords { flows, ..records(5..6, provider, &world.patient) };
    apply(&mut world, |world| &mut world.hospitals[1], Call::RegisterRecords(call));
    let used_by = apply(&mut world, |world| &mut world.doctor, Call::UseAccess(reading(grant, 0..4)));
    let mut later = reading(grant, 0..4);
    later.records.push(record_id(5));
    later.records.sort_unstable();
    let used_later = apply(&mut world, |world| &mut world.doctor, Call::UseAccess(later));
    prune(&world);
    assert_eq!(known(&keys(&world, &world.doctor, grant, used_later).unwrap()), [record_id(5)]);
    let gone = keys(&world, &world.doctor, grant, used_by).err();
    assert_eq!(gone, Some(LightRefusal::Pruned { height: given }), "nothing of it is left");
}

#[test]
fn nobody_gets_keys_whom_the_vault_would_give_nothing() {
    let mut world = world();
    let all = staff(world.hospitals[0].did);
    let grant = give(&mut world, all);
    let used_by = apply(&mut world, |world| &mut world.doctor, Call::UseAccess(reading(grant, 0..2)));
    let refused = |world: &World, by: &Actor, used_by| keys(world, by, grant, used_by).err();
    let unknown = not_allowed::<()>(AccessRefusal::Unknown).err();
    assert_eq!(refused(&world, &world.stranger, used_by), unknown, "no staff");
    assert_eq!(refused(&world, &world.patient, used_by), unknown, "the patient is no staff");
    let not_declared = not_allowed::<()>(AccessRefusal::NotDeclared).err();
    assert_eq!(refused(&world, &world.doctor, grant.0), not_declared, "a transaction that is no use");
    let forged = {
        let mut request = ask(&world, &world.stranger, ReadGround::Grant { grant, used_by });
        request.request.reader = world.doctor.did;
        request
    };
    let not_signed = LightRefusal::NotSigned { did: world.doctor.did };
    assert_eq!(world.staff().keys(NOW, &forged), Err(not_signed));
    let pause = Call::PauseAccess(PauseAccess { grant });
    apply(&mut world, |world| &mut world.patient, pause);
    assert_eq!(refused(&world, &world.doctor, used_by), not_allowed::<()>(AccessRefusal::Paused).err());
}

#[test]
fn a_grant_for_one_person_is_no_matter_for_the_hospital() {
    let mut world = world();
    let to_person = unasked(Grantee::Person(world.doctor.did), 0..2, UNTIL);
    let grant = GrantId(apply(&mut world, |world| &mut world.patient, Call::GrantAccess(to_person)));
    let used_by = apply(&mut world, |world| &mut world.doctor, Call::UseAccess(reading(grant, 0..2)));
    let refused = keys(&world, &world.doctor, grant, used_by).err();
    assert_eq!(refused, not_allowed::<()>(AccessRefusal::Unknown).err());
}

#[test]
fn staff_see_the_grants_that_are_for_them_newest_first() {
    let mut world = world();
    let all = staff(world.hospitals[0].did);
    let other = Staff { department: Some("Oncology".into()), ..all.clone() };
    let [first, _, second] = [all.clone(), other, all].map(|to| give(&mut world, to));
    let list = |world: &World, by: &Actor| world.staff().grants(NOW, &ask(world, by, ReadGround::Own));
    assert_eq!(list(&world, &world.doctor), Ok(vec![second, first]));
    assert_eq!(list(&world, &world.stranger), Ok(Vec::new()));
    let revoke = amulet_protocol::calls::RevokeAccess { grant: second };
    apply(&mut world, |world| &mut world.patient, Call::RevokeAccess(revoke));
    assert_eq!(list(&world, &world.doctor), Ok(vec![first]));
    let wrong = ask(&world, &world.doctor, ReadGround::Grant { grant: first, used_by: first.0 });
    assert_eq!(world.staff().grants(NOW, &wrong), Err(LightRefusal::Malformed));
}

#[test]
fn staff_see_their_grants_also_where_the_blocks_are_gone() {
    let mut world = world();
    let all = staff(world.hospitals[0].did);
    let first = give(&mut world, all.clone());
    // One index fell behind here, the other was lost.
    let behind = VaultIndex::open(&world.folder.path().join("behind.redb"), world.chain()).unwrap();
    behind.catch_up(&world.ledger).unwrap();
    let second = give(&mut world, all.clone());
    grow(&world);
    let third = give(&mut world, all);
    prune(&world);
    let list = |world: &World| world.staff().grants(NOW, &ask(world, &world.doctor, ReadGround::Own));
    let lost = VaultIndex::open(&world.folder.path().join("lost.redb"), world.chain()).unwrap();
    for index in [behind, lost] {
        world.index = index;
        assert_eq!(list(&world), Ok(vec![third, second, first]));
    }
}

#[tokio::test]
async fn the_key_is_published_once() {
    let world = World::new();
    world.run_consensus();
    let sender = world.sender(&world.network(&[]), &world.hospitals[0]);
    let key = world.staff().key();
    publish_key(sender.clone(), world.ledger.clone(), key.clone()).await;
    let known = world.ledger.read::<AgreementPublicKey>(&StateKey::StaffKey(world.hospitals[0].did)).unwrap();
    assert_eq!(known, Some(key.clone()));
    let height = world.ledger.tip().height;
    publish_key(sender, world.ledger.clone(), key).await;
    assert_eq!(world.ledger.tip().height, height);
}

/// Has three hospitals name the stranger an ethics board, which approves a study of hospital 0, whose researcher the doctor becomes.
fn approved_study(world: &mut World) -> StudyId {
    let board = world.stranger.did;
    let name = Some(Wording { zh: "伦理委员会".into(), en: "Ethics board".into() });
    let votes: [fn(&mut World) -> &mut Actor; 3] =
        [|world| &mut world.hospitals[0], |world| &mut world.hospitals[1], |world| &mut world.hospitals[2]];
    for by in votes {
        apply(world, by, Call::VoteBoard(VoteBoard { board, name: name.clone() }));
    }
    let role = PractitionerRole::Researcher;
    let researcher = RegisterPractitioner { role, ..practitioner(world.doctor.did, GENESIS_TIME) };
    apply(world, |world| &mut world.hospitals[0], Call::RegisterPractitioner(researcher));
    let terms = Box::new(study(board, NOW));
    let id = apply(world, |world| &mut world.hospitals[0], Call::RegisterStudy(RegisterStudy { terms }));
    let id = StudyId(id);
    apply(world, |world| &mut world.stranger, Call::ReviewStudy(ReviewStudy { study: id, approve: true }));
    id
}

#[test]
fn a_researcher_gets_keys_while_the_study_is_open_and_none_once_it_has_ended() {
    let mut world = world();
    let study = approved_study(&mut world);
    let mut call = participation(study, world.hospitals[0].did, 0..4, UNTIL);
    let binding = KeyBinding::Grant {
        patient: world.patient.did,
        grantee: call.grantee.clone(),
        purpose: call.purpose,
        request: None,
    };
    let to = world.hospitals[0].agreement.public_key();
    call.keys = keys_of(0..4).seal(to, &binding, &mut SystemEntropy).unwrap();
    let grant = GrantId(apply(&mut world, |world| &mut world.patient, Call::GrantAccess(call)));
    world.index.catch_up(&world.ledger).unwrap();
    let own = ask(&world, &world.doctor, ReadGround::Own);
    assert_eq!(world.staff().grants(NOW, &own).unwrap(), [grant]);
    let used_by = apply(&mut world, |world| &mut world.doctor, Call::UseAccess(reading(grant, 0..2)));
    assert_eq!(known(&keys(&world, &world.doctor, grant, used_by).unwrap()).len(), 2);
    apply(&mut world, |world| &mut world.stranger, Call::EndStudy(EndStudy { study }));
    let refused = keys(&world, &world.doctor, grant, used_by).err();
    assert_eq!(refused, not_allowed::<()>(AccessRefusal::Ended).err(), "not even what was stated before");
}
