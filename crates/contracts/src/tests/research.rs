//! Ethics boards, studies, and who takes part.

use super::*;
use crate::flows_due;
use crate::testing::{
    DAY_MS, participation, reading, record, records, request, sealed_keys, staff_key, study, term, unasked,
};
use amulet_protocol::calls::{ConfirmDeletion, ExtendAccess, GrantAccess, GrantId, KeyFlow, RevokeAccess};
use amulet_protocol::consent::{Category, Day, PractitionerRole, Purpose, RecordDates};
use amulet_protocol::grant::{Deletion, GrantState};
use amulet_protocol::grantee::Grantee;
use amulet_protocol::limits::{
    DELETION_TIME_MS, NAME_BYTES_MAX, STUDIES_OPEN_MAX, STUDY_AIM_BYTES_MAX, STUDY_TIME_MAX_MS,
    STUDY_TITLE_BYTES_MAX,
};
use amulet_protocol::study::{
    BoardState, EndStudy, RegisterStudy, ReviewStudy, StudyId, StudyStage, StudyState, StudyTerms, VoteBoard,
    Wording,
};

fn name() -> Wording {
    Wording { zh: "区域伦理委员会".into(), en: "Regional ethics board".into() }
}

fn vote(world: &mut World, by: &str, name: Option<Wording>) -> Result<TxId, RefusalCode> {
    let board = world.did("board");
    world.call(by, Call::VoteBoard(VoteBoard { board, name }))
}

/// A world with the identity of a `board` that is none yet; `ren`, a researcher of `h0`, which has a key for its staff; and three records
/// of `wang` and `zhao` each, laboratory results but the third, a vital sign.
fn prepared() -> World {
    let mut world = World::new();
    for (name, seed) in [("board", 50), ("ren", 51)] {
        world.actors.insert(name, Actor::new(seed));
        let call = world.actors[name].registration();
        world.call(name, call).unwrap();
    }
    let researcher = amulet_protocol::calls::RegisterPractitioner {
        role: PractitionerRole::Researcher,
        ..practitioner(world.did("ren"), world.now)
    };
    world.call("h0", Call::RegisterPractitioner(researcher)).unwrap();
    let key = staff_key(&world.actors["h0"]);
    world.call("h0", key).unwrap();
    for (first, patient) in [(0, "wang"), (10, "zhao")] {
        let mut call = records(first..first + 3, world.did("h0"), &world.actors[patient]);
        call.records[2].category = Category::VitalSigns;
        world.call("h0", Call::RegisterRecords(call)).unwrap();
    }
    world
}

/// The same with the board in office.
fn with_board() -> World {
    let mut world = prepared();
    for by in ["h1", "h2", "h3"] {
        vote(&mut world, by, Some(name())).unwrap();
    }
    world
}

fn register(
    world: &mut World,
    by: &str,
    change: impl FnOnce(&mut StudyTerms),
) -> Result<StudyId, RefusalCode> {
    let mut terms = study(world.did("board"), world.now);
    change(&mut terms);
    world.call(by, Call::RegisterStudy(RegisterStudy { terms: Box::new(terms) })).map(StudyId)
}

fn review(world: &mut World, by: &str, study: StudyId, approve: bool) -> Result<TxId, RefusalCode> {
    world.call(by, Call::ReviewStudy(ReviewStudy { study, approve }))
}

fn end(world: &mut World, by: &str, study: StudyId) -> Result<TxId, RefusalCode> {
    world.call(by, Call::EndStudy(EndStudy { study }))
}

/// A world with an approved study.
fn approved() -> (World, StudyId) {
    let mut world = with_board();
    let id = register(&mut world, "h0", |_| {}).unwrap();
    review(&mut world, "board", id, true).unwrap();
    (world, id)
}

/// Joins with the two laboratory results of a patient, for a month.
fn join(
    world: &mut World,
    patient: &str,
    id: StudyId,
    change: impl FnOnce(&mut GrantAccess),
) -> Result<GrantId, RefusalCode> {
    let first = if patient == "zhao" { 10 } else { 0 };
    let until = world.now.plus_millis(30 * DAY_MS);
    let mut call = participation(id, world.did("h0"), first..first + 2, until);
    change(&mut call);
    world.call(patient, Call::GrantAccess(call)).map(GrantId)
}

fn state(world: &World, id: StudyId) -> StudyState {
    world.read(&StateKey::Study(id)).unwrap()
}

fn withdraw(world: &mut World, patient: &str, grant: GrantId) -> Result<TxId, RefusalCode> {
    world.call(patient, Call::RevokeAccess(RevokeAccess { grant }))
}

#[test]
pub(super) fn it_takes_a_quorum_under_one_name_to_make_a_board_and_to_dismiss_it() {
    let mut world = prepared();
    let office = |world: &World| {
        let state: BoardState = world.read(&StateKey::Board(world.did("board"))).unwrap();
        state.office.map(|office| office.name)
    };
    let other = Wording { en: "Another".into(), ..name() };
    for (by, name) in [("h0", other), ("h1", name()), ("h2", name())] {
        vote(&mut world, by, Some(name)).unwrap();
    }
    assert_eq!(office(&world), None, "three voted, for two names");
    let voted = Event::BoardVoted { board: world.did("board"), organisation: world.did("h2") };
    assert_eq!((world.last_event("h2"), world.last_event("board")), (voted.clone(), voted));
    vote(&mut world, "h0", Some(name())).unwrap();
    assert_eq!(office(&world), Some(name()));
    let named = Event::BoardNamed { board: world.did("board") };
    for told in ["board", "h0", "h1", "h2", "h3"] {
        assert_eq!(world.last_event(told), named, "{told}");
    }
    for by in ["h0", "h1"] {
        vote(&mut world, by, None).unwrap();
        assert_eq!(office(&world), Some(name()));
    }
    vote(&mut world, "h3", None).unwrap();
    assert_eq!(office(&world), None);
    assert_eq!(world.last_event("board"), Event::BoardDismissed { board: world.did("board") });
}

#[test]
pub(super) fn votes_that_are_no_good_are_refused() {
    let mut world = prepared();
    assert_eq!(vote(&mut world, "li", Some(name())), Err(RefusalCode::NotAValidator));
    let long = Wording { en: "x".repeat(NAME_BYTES_MAX + 1), ..name() };
    let turned = Wording { en: "\u{202e}draob".into(), ..name() };
    for bad in [long, turned] {
        assert_eq!(vote(&mut world, "h0", Some(bad)), Err(RefusalCode::BadName));
    }
    vote(&mut world, "h0", Some(name())).unwrap();
    assert_eq!(vote(&mut world, "h0", Some(name())), Err(RefusalCode::AlreadyVoted));
    let stranger = VoteBoard { board: Actor::new(99).did, name: Some(name()) };
    assert_eq!(world.call("h0", Call::VoteBoard(stranger)), Err(RefusalCode::UnknownBoard));
}

#[test]
pub(super) fn a_study_is_told_to_its_board_and_waits_for_it() {
    let mut world = with_board();
    let id = register(&mut world, "h0", |_| {}).unwrap();
    let (sponsor, board) = (world.did("h0"), world.did("board"));
    let registered = Event::StudyRegistered { study: id, sponsor, board };
    assert_eq!((world.last_event("h0"), world.last_event("board")), (registered.clone(), registered));
    assert_eq!(state(&world, id).stage, StudyStage::Waiting);
    assert_eq!(join(&mut world, "wang", id, |_| {}), Err(RefusalCode::StudyClosed));
    review(&mut world, "board", id, true).unwrap();
    let reviewed = Event::StudyReviewed { study: id, board, approved: true };
    assert_eq!((world.last_event("h0"), world.last_event("board")), (reviewed.clone(), reviewed));
    assert_eq!(world.read::<Vec<StudyId>>(&StateKey::OpenStudies), Some(vec![id]));
}

#[test]
pub(super) fn studies_that_are_no_good_are_refused() {
    let mut world = with_board();
    let (now, h0) = (world.now, world.did("h0"));
    let days = |from, to| RecordDates { from: Some(Day(from)), to: Some(Day(to)) };
    let cases: [Case<StudyTerms, RefusalCode>; 14] = [
        (&|terms| terms.title.zh.clear(), RefusalCode::BadText),
        (&|terms| terms.title.en = "x".repeat(STUDY_TITLE_BYTES_MAX + 1), RefusalCode::BadText),
        (&|terms| terms.aim.en = "x".repeat(STUDY_AIM_BYTES_MAX + 1), RefusalCode::BadText),
        (&|terms| terms.aim.zh.push('\u{7}'), RefusalCode::BadText),
        (&|terms| terms.board = h0, RefusalCode::SelfDealing),
        (&|terms| terms.board = Actor::new(99).did, RefusalCode::UnknownBoard),
        (&|terms| terms.categories.clear(), RefusalCode::BadList),
        (&|terms| terms.record_dates = days(8, 7), RefusalCode::BadValidity),
        (&|terms| terms.ends = now, RefusalCode::BadDuration),
        (&|terms| terms.ends = now.plus_millis(STUDY_TIME_MAX_MS + 1), RefusalCode::BadDuration),
        (&|terms| terms.department = Some(String::new()), RefusalCode::BadGrantee),
        (&|terms| terms.categories.push(Category::Documents), RefusalCode::NotByRules),
        (&|terms| terms.categories.push(Category::Administrative), RefusalCode::NotByRules),
        (&|terms| terms.categories.push(Category::Billing), RefusalCode::NotByRules),
    ];
    for (index, (change, code)) in cases.into_iter().enumerate() {
        assert_eq!(register(&mut world, "h0", change), Err(code), "case {index}");
    }
    assert_eq!(register(&mut world, "li", |_| {}), Err(RefusalCode::NotAnOrganisation));
    assert_eq!(register(&mut world, "h1", |_| {}), Err(RefusalCode::BadGrantee), "no key for its staff");
}

#[test]
pub(super) fn only_the_board_of_a_study_decides_on_it_once_and_while_in_office() {
    let mut world = with_board();
    let id = register(&mut world, "h0", |_| {}).unwrap();
    for by in ["h0", "h1", "wang"] {
        assert_eq!(review(&mut world, by, id, true), Err(RefusalCode::NotYourStudy), "{by}");
    }
    let other = register(&mut world, "h0", |_| {}).unwrap();
    let nothing = StudyId(world.call("h0", staff_key(&Actor::new(0))).unwrap());
    assert_eq!(review(&mut world, "board", nothing, true), Err(RefusalCode::UnknownStudy));
    assert_eq!(end(&mut world, "board", nothing), Err(RefusalCode::UnknownStudy));
    review(&mut world, "board", id, false).unwrap();
    assert_eq!(review(&mut world, "board", id, true), Err(RefusalCode::StudyClosed));
    assert_eq!(world.read::<Vec<StudyId>>(&StateKey::OpenStudies), None, "a rejected one is not listed");
    for by in ["h1", "h2", "h3"] {
        vote(&mut world, by, None).unwrap();
    }
    assert_eq!(review(&mut world, "board", other, true), Err(RefusalCode::UnknownBoard));
}

#[test]
pub(super) fn so_many_studies_are_open_at_once_and_one_that_ended_makes_room() {
    let mut world = with_board();
    let open = |world: &mut World| {
        let id = register(world, "h0", |_| {}).unwrap();
        review(world, "board", id, true).map(|_| id)
    };
    let first = open(&mut world).unwrap();
    for _ in 1..STUDIES_OPEN_MAX {
        open(&mut world).unwrap();
    }
    assert_eq!(open(&mut world), Err(RefusalCode::TooManyStudies));
    end(&mut world, "h0", first).unwrap();
    open(&mut world).unwrap();
}

#[test]
pub(super) fn who_joins_is_read_by_researchers_of_the_sponsor_and_can_withdraw() {
    let (mut world, id) = approved();
    let grant = join(&mut world, "wang", id, |_| {}).unwrap();
    let granted = Event::AccessGranted { grant, request: None, grantee: world.did("h0") };
    assert_eq!((world.last_event("wang"), world.last_event("h0")), (granted.clone(), granted));
    assert_eq!(state(&world, id).participants, 1);
    let reads = |world: &mut World, by| world.call(by, Call::UseAccess(reading(grant, 0..2)));
    for by in ["li", "chen"] {
        assert_eq!(reads(&mut world, by), Err(RefusalCode::NotYourGrant), "{by} is no researcher there");
    }
    reads(&mut world, "ren").unwrap();
    let read = Event::RecordsRead { grant, practitioner: world.did("ren"), records: 2 };
    assert_eq!(world.last_event("wang"), read);
    assert_eq!(join(&mut world, "wang", id, |_| {}), Err(RefusalCode::AlreadyEnrolled));
    withdraw(&mut world, "wang", grant).unwrap();
    let Event::AccessRevoked { erase_by: Some(_), .. } = world.last_event("h0") else {
        panic!("the sponsor is told to delete")
    };
    assert_eq!(reads(&mut world, "ren"), Err(RefusalCode::GrantRevoked));
    assert_eq!(state(&world, id).participants, 0);
    assert_eq!(world.read::<GrantId>(&StateKey::Enrolment(id, world.did("wang"))), None);
    join(&mut world, "wang", id, |_| {}).unwrap();
}

#[test]
pub(super) fn a_full_study_takes_nobody_until_somebody_withdraws() {
    let mut world = with_board();
    let one = std::num::NonZeroU32::MIN;
    let id = register(&mut world, "h0", |terms| terms.participants_max = one).unwrap();
    review(&mut world, "board", id, true).unwrap();
    let grant = join(&mut world, "wang", id, |_| {}).unwrap();
    assert_eq!(join(&mut world, "zhao", id, |_| {}), Err(RefusalCode::StudyFull));
    withdraw(&mut world, "wang", grant).unwrap();
    join(&mut world, "zhao", id, |_| {}).unwrap();
}

#[test]
pub(super) fn who_joins_again_after_the_grant_ran_out_keeps_the_place() {
    let (mut world, id) = approved();
    let first = join(&mut world, "wang", id, |_| {}).unwrap();
    world.later(31 * DAY_MS);
    let second = join(&mut world, "wang", id, |_| {}).unwrap();
    assert_eq!(state(&world, id).participants, 1);
    assert_eq!(withdraw(&mut world, "wang", first), Err(RefusalCode::GrantExpired));
    withdraw(&mut world, "wang", second).unwrap();
    assert_eq!(state(&world, id).participants, 0);
}

#[test]
pub(super) fn joining_opens_no_more_than_was_approved() {
    let (mut world, id) = approved();
    let ends = state(&world, id).terms.ends;
    let vital = record(2, world.did("h0"), &world.actors["wang"]).id;
    let doctor = Grantee::Person(world.did("li"));
    let cases: [Case<GrantAccess, RefusalCode>; 7] = [
        (&|call| call.records = vec![vital], RefusalCode::BeyondStudy),
        (&|call| call.standing = vec![Category::VitalSigns], RefusalCode::BeyondStudy),
        (&|call| call.term = term(ends.plus_millis(1)), RefusalCode::BeyondStudy),
        (&|call| call.purpose = Purpose::Treatment, RefusalCode::StudyNeeded),
        (&|call| call.grantee = doctor.clone(), RefusalCode::StudyNeeded),
        (
            &|call| {
                let Grantee::Study(participation) = &mut call.grantee else { unreachable!() };
                participation.staff.role = None;
            },
            RefusalCode::BadGrantee,
        ),
        (
            &|call| {
                let Grantee::Study(participation) = &mut call.grantee else { unreachable!() };
                participation.study = StudyId(amulet_protocol::ids::TxId(amulet_crypto::digest::sm3(b"no")));
            },
            RefusalCode::UnknownStudy,
        ),
    ];
    for (index, (change, code)) in cases.into_iter().enumerate() {
        assert_eq!(join(&mut world, "wang", id, change), Err(code), "case {index}");
    }
    let asked = amulet_protocol::calls::RequestAccess {
        purpose: Purpose::Research,
        ..request(world.did("wang"), world.now)
    };
    assert_eq!(world.call("li", Call::RequestAccess(asked)), Err(RefusalCode::StudyNeeded));
    let unnamed = unasked(doctor, 0..2, world.now.plus_millis(DAY_MS));
    world.call("wang", Call::GrantAccess(unnamed)).unwrap();
    let grant = join(&mut world, "wang", id, |_| {}).unwrap();
    let longer = ExtendAccess { grant, term: term(ends.plus_millis(1)) };
    assert_eq!(world.call("wang", Call::ExtendAccess(longer)), Err(RefusalCode::BeyondStudy));
    world.call("wang", Call::ExtendAccess(ExtendAccess { grant, term: term(ends) })).unwrap();
}

#[test]
pub(super) fn a_study_of_past_records_gets_none_to_come() {
    let mut world = with_board();
    let past = RecordDates { from: None, to: Some(Day(20_000)) };
    let id = register(&mut world, "h0", |terms| terms.record_dates = past).unwrap();
    review(&mut world, "board", id, true).unwrap();
    let refused = join(&mut world, "wang", id, |call| call.standing = vec![Category::Labs]);
    assert_eq!(refused, Err(RefusalCode::BeyondStudy));
}

#[test]
pub(super) fn a_study_that_has_ended_opens_nothing_and_no_key_flows() {
    let (mut world, id) = approved();
    let grant = join(&mut world, "wang", id, |call| call.standing = vec![Category::Labs]).unwrap();
    let fresh = |world: &World, number: u64| {
        let call = records(number..number + 1, world.did("h0"), &world.actors["wang"]);
        let due = flows_due(&world.state, call.patient, &call.records, world.now).unwrap();
        let keys = sealed_keys(&world.actors["h0"]);
        let flows = due.into_iter().map(|due| KeyFlow { grant: due.grant, keys: keys.clone() }).collect();
        amulet_protocol::calls::RegisterRecords { flows, ..call }
    };
    let call = fresh(&world, 20);
    assert_eq!(call.flows.len(), 1, "while it is open new results come");
    world.call("h0", Call::RegisterRecords(call)).unwrap();
    for by in ["h1", "wang"] {
        assert_eq!(end(&mut world, by, id), Err(RefusalCode::NotYourStudy), "{by}");
    }
    end(&mut world, "board", id).unwrap();
    let ended = Event::StudyEnded { study: id, by: world.did("board") };
    assert_eq!((world.last_event("h0"), world.last_event("board")), (ended.clone(), ended));
    assert_eq!(end(&mut world, "h0", id), Err(RefusalCode::StudyClosed));
    assert_eq!(world.read::<Vec<StudyId>>(&StateKey::OpenStudies), Some(vec![]));
    let reads = world.call("ren", Call::UseAccess(reading(grant, 0..2)));
    assert_eq!(reads, Err(RefusalCode::GrantExpired));
    assert_eq!(fresh(&world, 21).flows.len(), 0);
    let later = ExtendAccess { grant, term: term(world.now.plus_millis(40 * DAY_MS)) };
    assert_eq!(world.call("wang", Call::ExtendAccess(later)), Err(RefusalCode::GrantExpired));
    assert_eq!(join(&mut world, "zhao", id, |_| {}), Err(RefusalCode::StudyClosed));
    assert_eq!(withdraw(&mut world, "wang", grant), Err(RefusalCode::GrantExpired));
}

#[test]
fn what_was_read_for_a_study_is_to_be_deleted_from_its_early_end_on() {
    let (mut world, id) = approved();
    let [read, unread] = ["wang", "zhao"].map(|patient| join(&mut world, patient, id, |_| {}).unwrap());
    let confirm =
        |world: &mut World, grant| world.call("h0", Call::ConfirmDeletion(ConfirmDeletion { grant }));
    world.call("ren", Call::UseAccess(reading(read, 0..2))).unwrap();
    assert_eq!(confirm(&mut world, read), Err(RefusalCode::NotEnded));
    world.later(1_000);
    end(&mut world, "h0", id).unwrap();
    let state: GrantState = world.read(&StateKey::Grant(read)).unwrap();
    let study: StudyState = world.read(&StateKey::Study(id)).unwrap();
    let due = Deletion::Owed { by: world.now.plus_millis(DELETION_TIME_MS) };
    assert_eq!(state.ended_with(&study).deletion(world.now), due);
    confirm(&mut world, read).unwrap();
    assert_eq!(confirm(&mut world, unread), Err(RefusalCode::NothingRead));
}

#[test]
pub(super) fn a_study_is_over_at_its_end_by_itself() {
    let (mut world, id) = approved();
    let ends = state(&world, id).terms.ends;
    world.now = ends;
    assert_eq!(join(&mut world, "wang", id, |_| {}), Err(RefusalCode::StudyClosed));
    assert_eq!(end(&mut world, "h0", id), Err(RefusalCode::StudyClosed));
    let next = register(&mut world, "h0", |_| {}).unwrap();
    review(&mut world, "board", next, true).unwrap();
    assert_eq!(world.read::<Vec<StudyId>>(&StateKey::OpenStudies), Some(vec![next]), "the list forgets it");
    world.now = state(&world, next).terms.ends;
    let late = register(&mut world, "h0", |_| {}).unwrap();
    world.now = state(&world, late).terms.ends;
    assert_eq!(review(&mut world, "board", late, true), Err(RefusalCode::StudyClosed));
}
