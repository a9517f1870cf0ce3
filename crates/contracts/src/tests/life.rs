use super::consent::{asked, good_grant, granted};
use super::*;
use crate::testing::{DAY_MS, reading, record_id, term};
use amulet_protocol::calls::{
    ConfirmDeletion, ExtendAccess, GrantId, NarrowAccess, PauseAccess, ResumeAccess, RevokeAccess, UseLimit,
};
use amulet_protocol::grant::{Deletion, GrantState, Hold, Standing, Term};
use amulet_protocol::limits::{
    ACCESS_TIME_MAX_MS, CHANGES_PER_GRANT_MAX, DELETION_NOTICE_MS, DELETION_TIME_MS, RECORDS_PER_GRANT_MAX,
};
use std::num::NonZeroU32;

fn state(world: &World, id: GrantId) -> GrantState {
    world.read(&StateKey::Grant(id)).unwrap()
}

fn at_most(uses: u32) -> Option<UseLimit> {
    NonZeroU32::new(uses).map(UseLimit)
}

fn narrowing(world: &World, id: GrantId) -> NarrowAccess {
    let state = state(world, id);
    NarrowAccess { grant: id, records: state.records[1..].to_vec(), standing: Vec::new(), term: state.term }
}

fn extension(world: &World, id: GrantId) -> ExtendAccess {
    ExtendAccess { grant: id, term: term(world.now.plus_millis(3 * DAY_MS)) }
}

fn read_once(world: &mut World, id: GrantId) -> Result<TxId, RefusalCode> {
    world.call("li", Call::UseAccess(reading(id, 0..1)))
}

/// Every call by which a patient changes a grant.
fn changes(world: &World, id: GrantId) -> [Call; 5] {
    [
        Call::NarrowAccess(narrowing(world, id)),
        Call::ExtendAccess(extension(world, id)),
        Call::PauseAccess(PauseAccess { grant: id }),
        Call::ResumeAccess(ResumeAccess { grant: id }),
        Call::RevokeAccess(RevokeAccess { grant: id }),
    ]
}

#[test]
pub(super) fn only_the_patient_changes_a_grant_and_only_one_there_is() {
    let (mut world, id) = granted();
    for call in changes(&world, id) {
        for name in ["li", "zhao", "h0"] {
            assert_eq!(world.call(name, call.clone()), Err(RefusalCode::NotYourGrant), "{call:?}");
        }
    }
    let unknown = GrantId(TxId(amulet_crypto::digest::sm3(b"no grant")));
    let record = vec![record_id(0)];
    for call in [
        Call::NarrowAccess(NarrowAccess {
            grant: unknown,
            records: record,
            standing: Vec::new(),
            term: term(world.now),
        }),
        Call::ExtendAccess(ExtendAccess { grant: unknown, term: term(world.now) }),
        Call::PauseAccess(PauseAccess { grant: unknown }),
        Call::ResumeAccess(ResumeAccess { grant: unknown }),
    ] {
        assert_eq!(world.call("wang", call), Err(RefusalCode::UnknownGrant));
    }
}

#[test]
pub(super) fn what_has_ended_is_changed_no_more() {
    let (mut world, id) = granted();
    let calls = changes(&world, id);
    world.later(DAY_MS);
    for call in calls.clone() {
        assert_eq!(world.call("wang", call), Err(RefusalCode::GrantExpired));
    }
    let (mut world, id) = granted();
    world.call("wang", Call::RevokeAccess(RevokeAccess { grant: id })).unwrap();
    for call in calls {
        assert_eq!(world.call("wang", call), Err(RefusalCode::GrantRevoked));
    }
    assert_eq!(read_once(&mut world, id), Err(RefusalCode::GrantRevoked));
}

#[test]
pub(super) fn a_narrowed_grant_opens_what_is_left_and_both_know() {
    let (mut world, id) = granted();
    let left = state(&world, id).records[1..].to_vec();
    let gone = state(&world, id).records[0];
    let until = world.now.plus_millis(3_600_000);
    let call = NarrowAccess { grant: id, records: left.clone(), standing: Vec::new(), term: term(until) };
    world.call("wang", Call::NarrowAccess(call)).unwrap();
    let event = Event::AccessNarrowed { grant: id, grantee: world.did("li") };
    assert_eq!((world.last_event("wang"), world.last_event("li")), (event.clone(), event));
    let reads = |records| Call::UseAccess(amulet_protocol::calls::UseAccess { grant: id, records });
    assert_eq!(world.call("li", reads(vec![gone])), Err(RefusalCode::NotGranted));
    world.call("li", reads(left.clone())).unwrap();
    world.later(3_600_000);
    assert_eq!(world.call("li", reads(left)), Err(RefusalCode::GrantExpired));
}

#[test]
pub(super) fn narrowing_never_widens_and_takes_something_away() {
    let (mut world, id) = granted();
    read_once(&mut world, id).unwrap();
    let now = world.now;
    let later = now.plus_millis(DAY_MS + 1);
    let cases: [Case<NarrowAccess, RefusalCode>; 11] = [
        (&|call| call.records.clear(), RefusalCode::BadList),
        (&|call| call.records.reverse(), RefusalCode::BadList),
        (&|call| call.records = vec![record_id(0); RECORDS_PER_GRANT_MAX + 1], RefusalCode::BadList),
        (&|call| call.records = vec![record_id(99)], RefusalCode::NotNarrower),
        (&|call| call.term.valid_until = now, RefusalCode::BadDuration),
        (&|call| call.term.valid_until = later, RefusalCode::NotNarrower),
        (&|call| call.term.valid_until = now.plus_millis(ACCESS_TIME_MAX_MS + 1), RefusalCode::BadDuration),
        (&|call| call.term.uses_max = at_most(1), RefusalCode::NotNarrower),
        (
            &|call| call.term.erase_by = Some(now.plus_millis(DAY_MS + DELETION_NOTICE_MS - 1)),
            RefusalCode::BadEraseBy,
        ),
        (
            &|call| call.term.erase_by = Some(now.plus_millis(DAY_MS + DELETION_TIME_MS + 1)),
            RefusalCode::NotNarrower,
        ),
        (&|call| call.grant = GrantId(TxId(amulet_crypto::digest::Digest::ZERO)), RefusalCode::UnknownGrant),
    ];
    for (index, (change, code)) in cases.into_iter().enumerate() {
        let mut call = narrowing(&world, id);
        change(&mut call);
        assert_eq!(world.call("wang", Call::NarrowAccess(call)), Err(code), "case {index}");
    }
    let GrantState { records, term, .. } = state(&world, id);
    let nothing = NarrowAccess { grant: id, records: records.clone(), standing: Vec::new(), term };
    assert_eq!(world.call("wang", Call::NarrowAccess(nothing)), Err(RefusalCode::NotNarrower));
    let once_more = NarrowAccess {
        grant: id,
        records,
        standing: Vec::new(),
        term: Term { uses_max: at_most(2), ..term },
    };
    world.call("wang", Call::NarrowAccess(once_more)).unwrap();
    read_once(&mut world, id).unwrap();
    assert_eq!(read_once(&mut world, id), Err(RefusalCode::GrantUsedUp));
}

#[test]
pub(super) fn an_extended_grant_lasts_longer_and_opens_no_more_records() {
    let (mut world, id) = granted();
    let before = state(&world, id);
    let call = extension(&world, id);
    let until = call.term.valid_until;
    world.call("wang", Call::ExtendAccess(call)).unwrap();
    let event = Event::AccessExtended { grant: id, grantee: world.did("li"), until };
    assert_eq!((world.last_event("wang"), world.last_event("li")), (event.clone(), event));
    assert_eq!(state(&world, id), GrantState { term: term(until), changes: 1, ..before });
    world.later(3 * DAY_MS - 1);
    read_once(&mut world, id).unwrap();
    world.later(1);
    assert_eq!(read_once(&mut world, id), Err(RefusalCode::GrantExpired));
}

#[test]
pub(super) fn extending_never_shortens_and_adds_something() {
    let (mut world, id) = granted();
    let (now, term) = (world.now, state(&world, id).term);
    let first = Term { uses_max: at_most(2), ..term };
    let records = state(&world, id).records;
    world
        .call(
            "wang",
            Call::NarrowAccess(NarrowAccess { grant: id, records, standing: Vec::new(), term: first }),
        )
        .unwrap();
    let cases: [Case<ExtendAccess, RefusalCode>; 6] = [
        (&|call| call.term = first, RefusalCode::NotLonger),
        (&|call| call.term.uses_max = at_most(1), RefusalCode::NotLonger),
        (&|call| call.term.valid_until = now.plus_millis(DAY_MS - 1), RefusalCode::NotLonger),
        (&|call| call.term.valid_until = now, RefusalCode::BadDuration),
        (&|call| call.term.valid_until = now.plus_millis(ACCESS_TIME_MAX_MS + 1), RefusalCode::BadDuration),
        (&|call| call.term.erase_by = Some(now.plus_millis(1)), RefusalCode::BadEraseBy),
    ];
    for (index, (change, code)) in cases.into_iter().enumerate() {
        let mut call = extension(&world, id);
        change(&mut call);
        assert_eq!(world.call("wang", Call::ExtendAccess(call)), Err(code), "case {index}");
    }
    let mut ended = practitioner(world.did("li"), world.now);
    ended.valid_until = world.now.plus_millis(1);
    world.call("h0", Call::RegisterPractitioner(ended)).unwrap();
    world.later(1);
    let call = Call::ExtendAccess(extension(&world, id));
    assert_eq!(world.call("wang", call), Err(RefusalCode::UnknownPractitioner));
}

/// A second implementation that decided otherwise would have another receipt.
#[test]
pub(super) fn what_ends_a_grant_is_told_before_a_pause_and_a_pause_before_the_beginning() {
    let (mut world, request) = asked();
    let mut call = good_grant(&world, request);
    call.valid_from = Some(world.now.plus_millis(DAY_MS));
    call.term = term(world.now.plus_millis(2 * DAY_MS));
    let id = GrantId(world.call("wang", Call::GrantAccess(call)).unwrap());
    world.call("wang", Call::PauseAccess(PauseAccess { grant: id })).unwrap();
    assert_eq!(read_once(&mut world, id), Err(RefusalCode::GrantPaused));
    world.later(2 * DAY_MS);
    assert_eq!(read_once(&mut world, id), Err(RefusalCode::GrantExpired));
    let (mut world, request) = asked();
    let mut call = good_grant(&world, request);
    call.valid_from = Some(world.now.plus_millis(DAY_MS));
    call.term = term(world.now.plus_millis(2 * DAY_MS));
    let id = GrantId(world.call("wang", Call::GrantAccess(call)).unwrap());
    world.call("wang", Call::RevokeAccess(RevokeAccess { grant: id })).unwrap();
    assert_eq!(read_once(&mut world, id), Err(RefusalCode::GrantRevoked));
}

#[test]
pub(super) fn a_date_or_a_number_that_is_the_same_in_other_words_is_no_change() {
    let (mut world, id) = granted();
    let GrantState { records, term, .. } = state(&world, id);
    let same = [
        Term { erase_by: Some(term.valid_until.plus_millis(DELETION_TIME_MS)), ..term },
        Term { uses_max: at_most(u32::MAX), ..term },
    ];
    for term in same {
        let narrow = NarrowAccess { grant: id, records: records.clone(), standing: Vec::new(), term };
        assert_eq!(world.call("wang", Call::NarrowAccess(narrow)), Err(RefusalCode::NotNarrower));
        let extend = ExtendAccess { grant: id, term };
        assert_eq!(world.call("wang", Call::ExtendAccess(extend)), Err(RefusalCode::NotLonger));
    }
}

#[test]
pub(super) fn a_patient_cannot_fill_a_readers_history_by_changing_a_grant_without_end() {
    let (mut world, id) = granted();
    let calls =
        [Call::PauseAccess(PauseAccess { grant: id }), Call::ResumeAccess(ResumeAccess { grant: id })];
    for change in 0..CHANGES_PER_GRANT_MAX as usize {
        world.call("wang", calls[change % 2].clone()).unwrap();
    }
    for call in changes(&world, id)[..3].iter().chain(&calls) {
        assert_eq!(world.call("wang", call.clone()), Err(RefusalCode::TooManyChanges));
    }
    world.call("wang", Call::RevokeAccess(RevokeAccess { grant: id })).unwrap();
}

#[test]
pub(super) fn a_paused_grant_opens_nothing_until_it_is_resumed_and_its_time_goes_on() {
    let (mut world, id) = granted();
    let resume = Call::ResumeAccess(ResumeAccess { grant: id });
    let pause = Call::PauseAccess(PauseAccess { grant: id });
    assert_eq!(world.call("wang", resume.clone()), Err(RefusalCode::NotPaused));
    world.call("wang", pause.clone()).unwrap();
    let grantee = world.did("li");
    let event = Event::AccessPaused { grant: id, grantee };
    assert_eq!((world.last_event("wang"), world.last_event("li")), (event.clone(), event));
    assert_eq!(read_once(&mut world, id), Err(RefusalCode::GrantPaused));
    assert_eq!(world.call("wang", pause.clone()), Err(RefusalCode::GrantPaused));
    world.later(DAY_MS / 2);
    world.call("wang", resume).unwrap();
    let event = Event::AccessResumed { grant: id, grantee };
    assert_eq!((world.last_event("wang"), world.last_event("li")), (event.clone(), event));
    read_once(&mut world, id).unwrap();
    world.call("wang", pause).unwrap();
    world.later(DAY_MS / 2);
    assert_eq!(state(&world, id).standing(world.now), Standing::Expired);
}

#[test]
pub(super) fn a_grant_of_one_use_is_used_once_and_can_still_be_taken_back() {
    let (mut world, request) = asked();
    let mut call = good_grant(&world, request);
    call.term.uses_max = at_most(1);
    let id = GrantId(world.call("wang", Call::GrantAccess(call)).unwrap());
    read_once(&mut world, id).unwrap();
    assert_eq!(read_once(&mut world, id), Err(RefusalCode::GrantUsedUp));
    let calls = changes(&world, id);
    for call in &calls[..4] {
        assert_eq!(world.call("wang", call.clone()), Err(RefusalCode::GrantUsedUp));
    }
    world.call("wang", calls[4].clone()).unwrap();
    assert_eq!(state(&world, id).hold, Hold::Revoked { at: world.now });
}

#[test]
pub(super) fn a_grant_that_begins_later_opens_nothing_before() {
    let (mut world, request) = asked();
    let mut call = good_grant(&world, request);
    call.valid_from = Some(world.now.plus_millis(DAY_MS));
    call.term = term(world.now.plus_millis(8 * DAY_MS));
    let id = GrantId(world.call("wang", Call::GrantAccess(call)).unwrap());
    assert_eq!(read_once(&mut world, id), Err(RefusalCode::GrantNotBegun));
    world.later(DAY_MS);
    read_once(&mut world, id).unwrap();
}

#[test]
pub(super) fn a_recall_tells_by_when_to_delete_and_the_receipt_settles_it() {
    let (mut world, id) = granted();
    let confirm = Call::ConfirmDeletion(ConfirmDeletion { grant: id });
    read_once(&mut world, id).unwrap();
    assert_eq!(world.call("li", confirm.clone()), Err(RefusalCode::NotEnded));
    world.call("wang", Call::RevokeAccess(RevokeAccess { grant: id })).unwrap();
    let by = world.now.plus_millis(DELETION_TIME_MS);
    let grantee = world.did("li");
    let event = Event::AccessRevoked { grant: id, grantee, erase_by: Some(by) };
    assert_eq!((world.last_event("wang"), world.last_event("li")), (event.clone(), event));
    assert_eq!(state(&world, id).deletion(world.now), Deletion::Owed { by });
    for name in ["wang", "chen", "h0"] {
        assert_eq!(world.call(name, confirm.clone()), Err(RefusalCode::NotYourGrant));
    }
    // Overdue, and no practitioner any more: the receipt is still owed and still taken.
    world.later(366 * DAY_MS);
    assert_eq!(state(&world, id).deletion(world.now), Deletion::Overdue { by });
    world.call("li", confirm.clone()).unwrap();
    let event = Event::DeletionConfirmed { grant: id, grantee };
    assert_eq!((world.last_event("wang"), world.last_event("li")), (event.clone(), event));
    assert_eq!(state(&world, id).deletion(world.now), Deletion::Confirmed { at: world.now });
    assert_eq!(world.call("li", confirm), Err(RefusalCode::DeletionConfirmed));
}

#[test]
pub(super) fn nothing_is_owed_for_what_was_never_read() {
    let (mut world, id) = granted();
    world.later(DAY_MS);
    let confirm = Call::ConfirmDeletion(ConfirmDeletion { grant: id });
    assert_eq!(world.call("li", confirm), Err(RefusalCode::NothingRead));
    let unknown = GrantId(TxId(amulet_crypto::digest::sm3(b"no grant")));
    let confirm = Call::ConfirmDeletion(ConfirmDeletion { grant: unknown });
    assert_eq!(world.call("li", confirm), Err(RefusalCode::UnknownGrant));
}
