use super::*;
use crate::testing::{DAY_MS, grant, reading, record, record_id, records, request, sealed};
use amulet_protocol::calls::{
    DeclineAccess, GrantAccess, GrantId, RegisterRecords, RequestAccess, RequestId, RevokeAccess,
};
use amulet_protocol::consent::{Category, DataClass, Day, RecordDates};
use amulet_protocol::grant::GrantState;
use amulet_protocol::grantee::Grantee;
use amulet_protocol::limits::{
    ACCESS_TIME_MAX_MS, ANSWER_TIME_MAX_MS, DELETION_NOTICE_MS, GRANT_ENVELOPE_BYTES_MAX,
    KEEPING_TIME_MAX_MS, RECORDS_PER_GRANT_MAX,
};
use amulet_protocol::state::{Answer, RequestState};

/// A world in which `h0` registered records 0 to 3 of `wang` and `li` asked for them.
pub(super) fn asked() -> (World, RequestId) {
    let mut world = World::new();
    let call = records(0..4, world.did("h0"), &world.actors["wang"]);
    world.call("h0", Call::RegisterRecords(call)).unwrap();
    let call = Call::RequestAccess(request(world.did("wang"), world.now));
    let id = world.call("li", call).unwrap();
    (world, RequestId(id))
}

/// The same, granted for a day.
pub(super) fn granted() -> (World, GrantId) {
    let (mut world, request) = asked();
    let call = good_grant(&world, request);
    let id = world.call("wang", Call::GrantAccess(call)).unwrap();
    (world, GrantId(id))
}

pub(super) fn good_grant(world: &World, request: RequestId) -> GrantAccess {
    grant(request, 0..4, &world.actors["li"], world.now.plus_millis(DAY_MS))
}

#[test]
pub(super) fn a_request_waits_for_its_patient_and_both_know() {
    let (world, id) = asked();
    let state: RequestState = world.read(&StateKey::Request(id)).unwrap();
    assert_eq!((state.patient, state.practitioner), (world.did("wang"), world.did("li")));
    assert_eq!((state.asked_at, state.answer), (world.now, Answer::Waiting));
    let (practitioner, patient) = (world.did("li"), world.did("wang"));
    let event = Event::AccessRequested { request: id, practitioner, patient };
    assert_eq!(world.last_event("wang"), event);
    assert_eq!(world.last_event("li"), event);
}

#[test]
pub(super) fn only_practitioners_within_their_validity_ask_and_only_somebody_else() {
    let (mut world, _) = asked();
    let call = Call::RequestAccess(request(world.did("zhao"), world.now));
    assert_eq!(world.call("wang", call.clone()), Err(RefusalCode::NotAPractitioner));
    assert_eq!(world.call("h0", call), Err(RefusalCode::NotAPractitioner));
    let own = Call::RequestAccess(request(world.did("li"), world.now));
    assert_eq!(world.call("li", own), Err(RefusalCode::SelfDealing));
    let stranger = Call::RequestAccess(request(Actor::new(90).did, world.now));
    assert_eq!(world.call("li", stranger), Err(RefusalCode::UnknownPatient));
    world.later(365 * DAY_MS);
    let call = Call::RequestAccess(request(world.did("wang"), world.now));
    assert_eq!(world.call("li", call), Err(RefusalCode::NotAPractitioner));
}

#[test]
pub(super) fn a_request_keeps_to_its_limits() {
    let (mut world, _) = asked();
    let now = world.now;
    let good = request(world.did("wang"), now);
    let backwards = RecordDates { from: Some(Day(2)), to: Some(Day(1)) };
    let cases: [Case<RequestAccess, Result<(), RefusalCode>>; 11] = [
        (&|call| call.categories.clear(), Err(RefusalCode::BadList)),
        (&|call| call.categories = vec![Category::Labs; 2], Err(RefusalCode::BadList)),
        (&|call| call.categories = vec![Category::Labs, Category::Allergies], Err(RefusalCode::BadList)),
        (&|call| call.categories = Category::ALL.to_vec(), Ok(())),
        (&|call| call.record_dates = backwards, Err(RefusalCode::BadValidity)),
        (&|call| call.access_ms = 0, Err(RefusalCode::BadDuration)),
        (&|call| call.access_ms = ACCESS_TIME_MAX_MS + 1, Err(RefusalCode::BadDuration)),
        (&|call| call.access_ms = ACCESS_TIME_MAX_MS, Ok(())),
        (&|call| call.answer_by = now, Err(RefusalCode::BadDuration)),
        (&|call| call.answer_by = now.plus_millis(ANSWER_TIME_MAX_MS + 1), Err(RefusalCode::BadDuration)),
        (&|call| call.answer_by = now.plus_millis(ANSWER_TIME_MAX_MS), Ok(())),
    ];
    for (index, (change, expected)) in cases.into_iter().enumerate() {
        let mut call = good.clone();
        change(&mut call);
        assert_eq!(world.call("li", Call::RequestAccess(call)).map(|_| ()), expected, "case {index}");
    }
}

#[test]
pub(super) fn a_grant_opens_its_records_from_now_until_its_end() {
    let (world, id) = granted();
    let state: GrantState = world.read(&StateKey::Grant(id)).unwrap();
    assert_eq!((state.patient, state.grantee), (world.did("wang"), Grantee::Person(world.did("li"))));
    assert_eq!((state.valid_from, state.term.valid_until), (world.now, world.now.plus_millis(DAY_MS)));
    assert_eq!(state.records.len(), 4);
    let request: RequestState = world.read(&StateKey::Request(state.request.unwrap())).unwrap();
    assert_eq!(request.answer, Answer::Granted(id));
    let event = Event::AccessGranted { grant: id, request: state.request, grantee: world.did("li") };
    assert_eq!(world.last_event("wang"), event);
    assert_eq!(world.last_event("li"), event);
}

#[test]
pub(super) fn only_the_patient_asked_answers_and_only_once() {
    let (mut world, request) = asked();
    let unknown = RequestId(TxId(amulet_crypto::digest::sm3(b"no request")));
    for (name, id, code) in
        [("wang", unknown, RefusalCode::UnknownRequest), ("zhao", request, RefusalCode::NotAddressed)]
    {
        let call = Call::GrantAccess(good_grant(&world, id));
        assert_eq!(world.call(name, call), Err(code));
        assert_eq!(world.call(name, Call::DeclineAccess(DeclineAccess { request: id })), Err(code));
    }
    let decline = Call::DeclineAccess(DeclineAccess { request });
    world.call("wang", decline.clone()).unwrap();
    let state: RequestState = world.read(&StateKey::Request(request)).unwrap();
    assert_eq!(state.answer, Answer::Declined(world.now));
    let event = Event::AccessDeclined { request, practitioner: world.did("li") };
    assert_eq!(world.last_event("wang"), event);
    assert_eq!(world.last_event("li"), event);
    assert_eq!(world.call("wang", decline), Err(RefusalCode::AlreadyAnswered));
    let grant = Call::GrantAccess(good_grant(&world, request));
    assert_eq!(world.call("wang", grant), Err(RefusalCode::AlreadyAnswered));
}

#[test]
pub(super) fn an_answer_counts_up_to_the_last_moment_and_not_after() {
    let (mut world, request) = asked();
    world.later(DAY_MS + 1);
    let call = Call::GrantAccess(good_grant(&world, request));
    assert_eq!(world.call("wang", call.clone()), Err(RefusalCode::AnswerTooLate));
    let decline = Call::DeclineAccess(DeclineAccess { request });
    assert_eq!(world.call("wang", decline), Err(RefusalCode::AnswerTooLate));
    world.now = Timestamp(world.now.0 - 1);
    world.call("wang", call).unwrap();
}

#[test]
pub(super) fn a_grant_opens_no_more_than_was_asked_and_nothing_of_somebody_else() {
    let (mut world, request) = asked();
    let h0 = world.did("h0");
    let mut extra = records(10..13, h0, &world.actors["wang"]);
    extra.records[0].category = Category::Imaging;
    extra.records[1].class = DataClass::Core;
    world.call("h0", Call::RegisterRecords(extra)).unwrap();
    let foreign = RegisterRecords {
        patient: world.did("zhao"),
        records: vec![record(20, h0, &world.actors["zhao"])],
        flows: Vec::new(),
    };
    world.call("h0", Call::RegisterRecords(foreign)).unwrap();
    let now = world.now;
    let large = vec![0; GRANT_ENVELOPE_BYTES_MAX + 1];
    let late = now.plus_millis(ANSWER_TIME_MAX_MS + 1);
    let cases: [Case<GrantAccess, RefusalCode>; 17] = [
        (&|call| call.records.clear(), RefusalCode::BadList),
        (&|call| call.records.reverse(), RefusalCode::BadList),
        (&|call| call.records[1] = call.records[0], RefusalCode::BadList),
        (&|call| call.records = vec![record_id(0); RECORDS_PER_GRANT_MAX + 1], RefusalCode::BadList),
        (&|call| call.records = vec![record_id(99)], RefusalCode::UnknownRecord),
        (&|call| call.records = vec![record_id(20)], RefusalCode::UnknownRecord),
        (&|call| call.records = vec![record_id(10)], RefusalCode::BeyondRequest),
        (&|call| call.records = vec![record_id(11)], RefusalCode::CoreRecord),
        (&|call| call.term.valid_until = now, RefusalCode::BadDuration),
        (&|call| call.term.valid_until = now.plus_millis(7 * DAY_MS + 1), RefusalCode::BadDuration),
        (&|call| call.valid_from = Some(now.plus_millis(DAY_MS)), RefusalCode::BadDuration),
        (
            &|call| (call.valid_from, call.term.valid_until) = (Some(late), late.plus_millis(1)),
            RefusalCode::BadDuration,
        ),
        (
            &|call| call.term.erase_by = Some(now.plus_millis(DAY_MS + DELETION_NOTICE_MS - 1)),
            RefusalCode::BadEraseBy,
        ),
        (
            &|call| call.term.erase_by = Some(now.plus_millis(DAY_MS + KEEPING_TIME_MAX_MS + 1)),
            RefusalCode::BadEraseBy,
        ),
        (&|call| call.keys.sealed_key = sealed(&Actor::new(90), 200), RefusalCode::BadSealed),
        (&|call| call.keys.envelope.clear(), RefusalCode::BadSealed),
        (&|call| call.keys.envelope.clone_from(&large), RefusalCode::BadSealed),
    ];
    for (index, (change, code)) in cases.into_iter().enumerate() {
        let mut call = good_grant(&world, request);
        change(&mut call);
        assert_eq!(world.call("wang", Call::GrantAccess(call)), Err(code), "case {index}");
    }
    let mut longest = good_grant(&world, request);
    longest.term.valid_until = now.plus_millis(7 * DAY_MS);
    world.call("wang", Call::GrantAccess(longest)).unwrap();
}

#[test]
pub(super) fn keys_are_not_handed_to_somebody_who_practises_no_more() {
    let (mut world, request) = asked();
    let mut ended = practitioner(world.did("li"), world.now);
    ended.valid_until = world.now.plus_millis(1);
    world.call("h0", Call::RegisterPractitioner(ended)).unwrap();
    world.later(1);
    let call = Call::GrantAccess(good_grant(&world, request));
    assert_eq!(world.call("wang", call), Err(RefusalCode::UnknownPractitioner));
}

#[test]
pub(super) fn each_reading_is_counted_and_told_to_both() {
    let (mut world, id) = granted();
    world.call("li", Call::UseAccess(reading(id, 1..3))).unwrap();
    world.call("li", Call::UseAccess(reading(id, 0..4))).unwrap();
    assert_eq!(world.read::<GrantState>(&StateKey::Grant(id)).unwrap().uses, 2);
    let event = Event::RecordsRead { grant: id, practitioner: world.did("li"), records: 4 };
    assert_eq!(world.last_event("wang"), event);
    assert_eq!(world.last_event("li"), event);
}

#[test]
pub(super) fn a_grant_is_good_for_its_grantee_and_its_records_only() {
    let (mut world, id) = granted();
    let unknown = GrantId(TxId(amulet_crypto::digest::sm3(b"no grant")));
    let reads = [
        ("li", reading(unknown, 0..1), RefusalCode::UnknownGrant),
        ("chen", reading(id, 0..1), RefusalCode::NotYourGrant),
        ("wang", reading(id, 0..1), RefusalCode::NotYourGrant),
        ("li", reading(id, 3..5), RefusalCode::NotGranted),
        ("li", reading(id, 0..0), RefusalCode::BadList),
    ];
    for (name, call, code) in reads {
        assert_eq!(world.call(name, Call::UseAccess(call)), Err(code));
    }
    let mut ended = practitioner(world.did("li"), world.now);
    ended.valid_until = world.now.plus_millis(1);
    world.call("h0", Call::RegisterPractitioner(ended)).unwrap();
    world.later(1);
    let call = Call::UseAccess(reading(id, 0..1));
    assert_eq!(world.call("li", call), Err(RefusalCode::NotAPractitioner));
}

#[test]
pub(super) fn a_grant_opens_nothing_at_its_end() {
    let (mut world, id) = granted();
    world.later(DAY_MS - 1);
    world.call("li", Call::UseAccess(reading(id, 0..1))).unwrap();
    world.later(1);
    let call = Call::UseAccess(reading(id, 0..1));
    assert_eq!(world.call("li", call), Err(RefusalCode::GrantExpired));
    let revoke = Call::RevokeAccess(RevokeAccess { grant: id });
    assert_eq!(world.call("wang", revoke), Err(RefusalCode::GrantExpired));
}

#[test]
pub(super) fn a_grant_taken_back_opens_nothing_from_that_moment() {
    let (mut world, id) = granted();
    let revoke = Call::RevokeAccess(RevokeAccess { grant: id });
    for name in ["zhao", "li"] {
        assert_eq!(world.call(name, revoke.clone()), Err(RefusalCode::NotYourGrant));
    }
    let unknown = GrantId(TxId(amulet_crypto::digest::sm3(b"no grant")));
    let nothing = Call::RevokeAccess(RevokeAccess { grant: unknown });
    assert_eq!(world.call("wang", nothing), Err(RefusalCode::UnknownGrant));
    world.call("wang", revoke.clone()).unwrap();
    let event = Event::AccessRevoked { grant: id, grantee: world.did("li"), erase_by: None };
    assert_eq!(world.last_event("wang"), event);
    assert_eq!(world.last_event("li"), event);
    let call = Call::UseAccess(reading(id, 0..1));
    assert_eq!(world.call("li", call), Err(RefusalCode::GrantRevoked));
    assert_eq!(world.call("wang", revoke), Err(RefusalCode::GrantRevoked));
}
