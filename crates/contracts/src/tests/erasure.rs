use super::*;
use crate::testing::{DAY_MS, reading, record_id, records, unasked};
use amulet_protocol::calls::{GrantId, NarrowAccess};
use amulet_protocol::erasure::{
    ConfirmErasure, Erased, ErasureGround, ErasureState, KeepReason, OrderErasure, RefuseErasure,
    RequestErasure,
};
use amulet_protocol::grant::GrantState;
use amulet_protocol::grantee::Grantee;
use amulet_protocol::ids::RecordId;
use amulet_protocol::limits::{ERASURE_KEPT_TIME_MAX_MS, ERASURE_TIME_MS, RECORDS_PER_ERASURE_MAX};
use amulet_protocol::state::RecordState;

/// Wang's records 0 to 3, registered by h0; the last of them is held by h3 too.
fn world() -> World {
    let mut world = World::new();
    let mut call = records(0..4, world.did("h0"), &world.actors["wang"]);
    call.records[3].holders.push(world.did("h3"));
    world.call("h0", Call::RegisterRecords(call)).unwrap();
    world
}

fn ids(numbers: impl IntoIterator<Item = u64>) -> Vec<RecordId> {
    let mut ids: Vec<_> = numbers.into_iter().map(record_id).collect();
    ids.sort_unstable();
    ids
}

fn ask(world: &mut World, by: &str, records: Vec<RecordId>) -> Result<TxId, RefusalCode> {
    world.call(by, Call::RequestErasure(RequestErasure { records }))
}

fn order(
    world: &mut World,
    by: &str,
    ground: ErasureGround,
    records: Vec<RecordId>,
) -> Result<TxId, RefusalCode> {
    world.call(by, Call::OrderErasure(OrderErasure { records, ground }))
}

fn refuse(world: &mut World, by: &str, records: Vec<RecordId>, days: u64) -> Result<TxId, RefusalCode> {
    let until = world.now.plus_millis(days * DAY_MS);
    world.call(by, Call::RefuseErasure(RefuseErasure { records, reason: KeepReason::Retention, until }))
}

fn confirm(world: &mut World, by: &str, records: Vec<RecordId>) -> Result<TxId, RefusalCode> {
    world.call(by, Call::ConfirmErasure(ConfirmErasure { records }))
}

fn state(world: &World, number: u64) -> Option<ErasureState> {
    world.read(&StateKey::Erasure(record_id(number)))
}

fn erased(world: &World, number: u64) -> Erased {
    match state(world, number) {
        Some(ErasureState::Erased(erased)) => erased,
        other => panic!("{other:?}"),
    }
}

#[test]
pub(super) fn what_is_ordered_is_told_to_patient_and_holders_who_each_sign_that_it_is_gone() {
    let mut world = world();
    let (h0, h3, ordered_at) = (world.did("h0"), world.did("h3"), world.now);
    order(&mut world, "h0", ErasureGround::RegisteredInError, ids([2, 3])).unwrap();
    let event = Event::ErasureOrdered {
        provider: h0,
        ground: ErasureGround::RegisteredInError,
        records: 2,
        confirm_by: ordered_at.plus_millis(ERASURE_TIME_MS),
    };
    for name in ["wang", "h0", "h3"] {
        assert_eq!(world.last_event(name), event);
    }
    assert_eq!(erased(&world, 2).receipts, [(h0, None)]);
    assert_eq!(erased(&world, 3).owing().collect::<Vec<_>>(), [h0, h3]);
    world.later(1_000);
    let confirmed_at = world.now;
    confirm(&mut world, "h3", ids([3])).unwrap();
    let event = Event::ErasureConfirmed { holder: h3, records: 1 };
    for name in ["wang", "h0", "h3"] {
        assert_eq!(world.last_event(name), event);
    }
    assert!(!erased(&world, 3).is_proven());
    // A receipt that is late is a receipt.
    world.later(ERASURE_TIME_MS);
    confirm(&mut world, "h0", ids([2, 3])).unwrap();
    let proof = erased(&world, 3);
    assert!(proof.is_proven());
    assert_eq!((proof.at, proof.receipts[1]), (ordered_at, (h3, Some(confirmed_at))));
    assert!(world.read::<RecordState>(&StateKey::Record(record_id(3))).is_some(), "that it was there stays");
}

#[test]
pub(super) fn a_patient_asks_and_the_hospital_erases_or_keeps_by_law_until_a_date() {
    let mut world = world();
    let (h0, asked_at) = (world.did("h0"), world.now);
    ask(&mut world, "wang", ids([0, 1])).unwrap();
    let asked = ErasureState::Asked { at: asked_at, provider: h0, patient: world.did("wang") };
    assert_eq!(state(&world, 0), Some(asked));
    let event = Event::ErasureRequested { provider: h0, records: 2 };
    assert_eq!((world.last_event("wang"), world.last_event("h0")), (event.clone(), event));
    assert_eq!(ask(&mut world, "wang", ids([1])), Err(RefusalCode::ErasureAsked));
    order(&mut world, "h0", ErasureGround::PatientAsked, ids([0])).unwrap();
    assert_eq!(ask(&mut world, "wang", ids([0])), Err(RefusalCode::RecordErased));
    refuse(&mut world, "h0", ids([1]), 30).unwrap();
    let until = world.now.plus_millis(30 * DAY_MS);
    let event = Event::ErasureRefused { provider: h0, reason: KeepReason::Retention, records: 1, until };
    assert_eq!((world.last_event("wang"), world.last_event("h0")), (event.clone(), event));
    assert_eq!(ask(&mut world, "wang", ids([1])), Err(RefusalCode::RecordKept));
    assert_eq!(refuse(&mut world, "h0", ids([1]), 60), Err(RefusalCode::NotAsked), "answered once");
    world.later(30 * DAY_MS);
    ask(&mut world, "wang", ids([1])).unwrap();
}

#[test]
pub(super) fn nobody_erases_or_keeps_what_another_hospital_registered() {
    let mut world = world();
    let wrong = ErasureGround::RegisteredInError;
    assert_eq!(ask(&mut world, "zhao", ids([0])), Err(RefusalCode::UnknownRecord));
    assert_eq!(ask(&mut world, "wang", ids([9])), Err(RefusalCode::UnknownRecord));
    for by in ["wang", "h1", "h3"] {
        assert_eq!(order(&mut world, by, wrong, ids([3])), Err(RefusalCode::NotYourRecord));
    }
    assert_eq!(order(&mut world, "h0", wrong, ids([9])), Err(RefusalCode::UnknownRecord));
    assert_eq!(
        order(&mut world, "h0", ErasureGround::PatientAsked, ids([3])),
        Err(RefusalCode::NotAsked),
        "no hospital says that a patient asked who did not"
    );
    ask(&mut world, "wang", ids([3])).unwrap();
    assert_eq!(refuse(&mut world, "h3", ids([3]), 30), Err(RefusalCode::NotYourRecord));
    assert_eq!(refuse(&mut world, "h0", ids([9]), 30), Err(RefusalCode::UnknownRecord));
    assert_eq!(refuse(&mut world, "h0", ids([2]), 30), Err(RefusalCode::NotAsked));
    assert_eq!(refuse(&mut world, "h0", ids([3]), 0), Err(RefusalCode::BadDuration));
    let too_far = ERASURE_KEPT_TIME_MAX_MS / DAY_MS + 1;
    assert_eq!(refuse(&mut world, "h0", ids([3]), too_far), Err(RefusalCode::BadDuration));
    order(&mut world, "h0", wrong, ids([3])).unwrap();
    assert_eq!(order(&mut world, "h0", wrong, ids([2, 3])), Err(RefusalCode::RecordErased));
    assert_eq!(state(&world, 2), None, "all or none");
}

#[test]
pub(super) fn only_holders_confirm_only_what_is_erased_and_once() {
    let mut world = world();
    assert_eq!(confirm(&mut world, "h0", ids([9])), Err(RefusalCode::UnknownRecord));
    assert_eq!(confirm(&mut world, "h0", ids([2])), Err(RefusalCode::NotToErase));
    order(&mut world, "h0", ErasureGround::Ordered, ids([2, 3])).unwrap();
    for by in ["h1", "wang"] {
        assert_eq!(confirm(&mut world, by, ids([3])), Err(RefusalCode::NotToErase));
    }
    assert_eq!(confirm(&mut world, "h3", ids([2, 3])), Err(RefusalCode::NotToErase), "h3 never held 2");
    confirm(&mut world, "h3", ids([3])).unwrap();
    assert_eq!(confirm(&mut world, "h3", ids([3])), Err(RefusalCode::ErasureConfirmed));
}

#[test]
pub(super) fn lists_are_of_one_patient_and_one_hospital_in_order_and_not_endless() {
    let mut world = world();
    let call = records(10..11, world.did("h1"), &world.actors["wang"]);
    world.call("h1", Call::RegisterRecords(call)).unwrap();
    let call = records(20..21, world.did("h0"), &world.actors["zhao"]);
    world.call("h0", Call::RegisterRecords(call)).unwrap();
    let mut backwards = ids([0, 1]);
    backwards.reverse();
    let endless = ids(0..=RECORDS_PER_ERASURE_MAX as u64);
    for list in [Vec::new(), backwards, endless, ids([0, 10])] {
        assert_eq!(ask(&mut world, "wang", list.clone()), Err(RefusalCode::BadList));
        assert_eq!(refuse(&mut world, "h0", list.clone(), 1), Err(RefusalCode::BadList));
        assert_eq!(confirm(&mut world, "h0", list), Err(RefusalCode::BadList));
    }
    let wrong = ErasureGround::RegisteredInError;
    assert_eq!(order(&mut world, "h0", wrong, ids([0, 20])), Err(RefusalCode::BadList));
}

#[test]
pub(super) fn an_erased_record_is_neither_granted_nor_read_and_never_comes_back() {
    let mut world = world();
    let (li, until) = (Grantee::Person(world.did("li")), world.now.plus_millis(DAY_MS));
    let given = world.call("wang", Call::GrantAccess(unasked(li.clone(), 0..2, until))).unwrap();
    let grant = GrantId(given);
    world.call("li", Call::UseAccess(reading(grant, 0..2))).unwrap();
    order(&mut world, "h0", ErasureGround::RegisteredInError, ids([0])).unwrap();
    let read = world.call("li", Call::UseAccess(reading(grant, 0..2)));
    assert_eq!(read, Err(RefusalCode::RecordErased));
    world.call("li", Call::UseAccess(reading(grant, 1..2))).unwrap();
    let again = world.call("wang", Call::GrantAccess(unasked(li, 0..2, until)));
    assert_eq!(again, Err(RefusalCode::RecordErased));
    let back = records(0..1, world.did("h0"), &world.actors["wang"]);
    assert_eq!(world.call("h0", Call::RegisterRecords(back)), Err(RefusalCode::RecordExists));
    // The patient can still change the grant as it stands.
    let standing: GrantState = world.read(&StateKey::Grant(grant)).unwrap();
    let narrowed = NarrowAccess { grant, records: ids([0]), standing: Vec::new(), term: standing.term };
    world.call("wang", Call::NarrowAccess(narrowed)).unwrap();
}
