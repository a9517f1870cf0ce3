//! Random sequences of calls, sensible or not.

use super::*;
use crate::Due;
use crate::flows_due;
use crate::rules::{Access, DEFAULT_RULES, GivenTo, Reader, RecordKind, hour_of_day, in_force};
use crate::testing::{
    card, emergency, grant, participation, reading, record_id, records, request, sealed_keys, staff,
    staff_key, study, unasked,
};
use amulet_protocol::calls::{
    CardLocator, ConfirmDeletion, DeclineAccess, ExtendAccess, GrantId, KeyFlow, NarrowAccess, PauseAccess,
    RegisterPractitioner, RegisterRecords, RequestId, ResumeAccess, RevokeAccess, RevokeCard, UseAccess,
    UseLimit,
};
use amulet_protocol::consent::{Category, PractitionerRole};
use amulet_protocol::erasure::{
    ConfirmErasure, ErasureGround, ErasureState, KeepReason, OrderErasure, RefuseErasure, RequestErasure,
};
use amulet_protocol::governance::ProposalId;
use amulet_protocol::grant::{GrantState, Standing, Term};
use amulet_protocol::grantee::Grantee;
use amulet_protocol::ids::{Nonce, RecordId};
use amulet_protocol::rules::{ApproveRules, ProposeRules, RuleBookState};
use amulet_protocol::state::{Account, CardState, Practitioner, RecordState, RequestState};
use amulet_protocol::study::{EndStudy, RegisterStudy, ReviewStudy, StudyId, StudyState, VoteBoard, Wording};
use amulet_protocol::transaction::Transaction;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::num::NonZeroU32;

const PATIENTS: [&str; 2] = ["wang", "zhao"];
const DOCTORS: [&str; 2] = ["li", "chen"];
const HOSPITALS: [&str; 4] = ["h0", "h1", "h2", "h3"];
const HOUR_MS: u64 = 3_600_000;
/// Rule books that come into force by turns: the default one, one that closes some categories' doors, one of the night.
const BOOKS: [&str; 3] = [
    DEFAULT_RULES,
    r#"@id("own") @zh("本院") @en("Own.") permit (principal, action, resource) when { context.sameOrganisation };"#,
    r#"@id("night") @zh("夜") @en("Night.") permit (principal, action, resource) when { context.hour < 12 };"#,
];

/// What somebody tries. Numbers choose among what there is; `stray` is somebody who has no business there.
#[derive(Clone, Debug)]
enum Attempt {
    Records { patient: usize, first: u64, count: u64 },
    Request { patient: usize, doctor: usize },
    Grant { stray: bool, request: usize, first: u64, count: u64, hours: u64, standing: bool },
    Unasked { patient: usize, reader: usize, first: u64, count: u64, hours: u64, standing: bool },
    Decline { stray: bool, request: usize },
    Revoke { stray: bool, grant: usize },
    Narrow { stray: bool, grant: usize, drop: bool, hours: u64, uses: u32 },
    Extend { stray: bool, grant: usize, hours: u64, uses: u32 },
    Pause { stray: bool, grant: usize },
    Resume { stray: bool, grant: usize },
    Confirm { stray: bool, grant: usize },
    Use { stray: bool, grant: usize, first: u64, count: u64 },
    Card { patient: usize, locator: u8 },
    RevokeCard { patient: usize, locator: u8 },
    Emergency { doctor: usize, locator: u8 },
    Rules { book: usize },
    Board { by: usize, yes: bool },
    Study { by: usize },
    Review { stray: bool, study: usize, approve: bool },
    EndStudy { stray: bool, study: usize },
    Erase { how: usize, by: usize, patient: usize, number: u64 },
    Join { patient: usize, study: usize, first: u64, count: u64, hours: u64, standing: bool },
    Wait { hours: u64 },
}

fn attempt() -> impl Strategy<Value = Attempt> {
    let (who, which, first, count) = (0usize..2, 0usize..3, 0u64..3, 1u64..3);
    let (stray, locator) = (prop::bool::weighted(0.1), 0u8..5);
    let part = (stray, which.clone(), first.clone(), count.clone());
    prop_oneof![
        1 => (who.clone(), first, count)
            .prop_map(|(patient, first, count)| Attempt::Records { patient, first, count }),
        3 => (who.clone(), who.clone()).prop_map(|(patient, doctor)| Attempt::Request { patient, doctor }),
        4 => (part.clone(), 0u64..170, any::<bool>())
            .prop_map(|((stray, request, first, count), hours, standing)| {
                Attempt::Grant { stray, request, first, count, hours, standing }
            }),
        3 => (part.clone(), 0usize..4, 0u64..170, any::<bool>())
            .prop_map(|((_, patient, first, count), reader, hours, standing)| {
                Attempt::Unasked { patient: patient % 2, reader, first, count, hours, standing }
            }),
        1 => (stray, which.clone()).prop_map(|(stray, request)| Attempt::Decline { stray, request }),
        2 => (stray, which.clone()).prop_map(|(stray, grant)| Attempt::Revoke { stray, grant }),
        2 => (stray, which.clone(), prop::bool::ANY, 0u64..100, 0u32..5).prop_map(
            |(stray, grant, drop, hours, uses)| Attempt::Narrow { stray, grant, drop, hours, uses }
        ),
        2 => (stray, which.clone(), 0u64..300, 0u32..5)
            .prop_map(|(stray, grant, hours, uses)| Attempt::Extend { stray, grant, hours, uses }),
        2 => (stray, which.clone()).prop_map(|(stray, grant)| Attempt::Pause { stray, grant }),
        2 => (stray, which.clone()).prop_map(|(stray, grant)| Attempt::Resume { stray, grant }),
        3 => (stray, which.clone()).prop_map(|(stray, grant)| Attempt::Confirm { stray, grant }),
        1 => (0usize..4, prop::bool::weighted(0.8)).prop_map(|(by, yes)| Attempt::Board { by, yes }),
        2 => (0usize..3).prop_map(|by| Attempt::Study { by: by / 2 }),
        2 => (stray, which.clone(), prop::bool::weighted(0.8))
            .prop_map(|(stray, study, approve)| Attempt::Review { stray, study, approve }),
        1 => (stray, which).prop_map(|(stray, study)| Attempt::EndStudy { stray, study }),
        4 => (part.clone(), 0u64..170, any::<bool>())
            .prop_map(|((_, study, first, count), hours, standing)| {
                Attempt::Join { patient: usize::from(hours % 2 == 0), study, first, count, hours, standing }
            }),
        6 => part.prop_map(|(stray, grant, first, count)| Attempt::Use { stray, grant, first, count }),
        2 => (who.clone(), locator.clone()).prop_map(|(patient, locator)| Attempt::Card { patient, locator }),
        1 => (who.clone(), locator.clone())
            .prop_map(|(patient, locator)| Attempt::RevokeCard { patient, locator }),
        3 => (who, locator).prop_map(|(doctor, locator)| Attempt::Emergency { doctor, locator }),
        1 => (0..BOOKS.len()).prop_map(|book| Attempt::Rules { book }),
        4 => (0usize..4, 0usize..2, 0usize..2, 0u64..3)
            .prop_map(|(how, by, patient, number)| Attempt::Erase { how, by, patient, number }),
        2 => (1u64..20).prop_map(|hours| Attempt::Wait { hours }),
    ]
}

/// Identities made so far, newest last.
#[derive(Default)]
struct Made {
    requests: Vec<RequestId>,
    grants: Vec<GrantId>,
    studies: Vec<StudyId>,
}

/// The number of the first record of a patient; each has three.
fn base(patient: usize) -> u64 {
    patient as u64 * 10
}

/// The name of one of `names` who has this DID, or of the other one for a stray attempt.
fn name_of(world: &World, names: [&'static str; 2], did: Did, stray: bool) -> (usize, &'static str) {
    let index = usize::from(world.did(names[0]) != did);
    (index, names[if stray { 1 - index } else { index }])
}

/// The caller and the call; `None` where there is nothing to try it on.
fn call_of(world: &World, made: &Made, attempt: &Attempt) -> Option<(&'static str, Call)> {
    let request_state = |back: usize| {
        let id = made.requests.iter().rev().nth(back).copied()?;
        Some((id, world.read::<RequestState>(&StateKey::Request(id)).unwrap()))
    };
    let grant_state = |back: usize| {
        let id = made.grants.iter().rev().nth(back).copied()?;
        Some((id, world.read::<GrantState>(&StateKey::Grant(id)).unwrap()))
    };
    Some(match *attempt {
        Attempt::Records { patient, first, count } => {
            let first = base(patient) + first + 2;
            let mut call = records(first..first + count, world.did("h0"), &world.actors[PATIENTS[patient]]);
            call.flows = flows(world, &call);
            ("h0", Call::RegisterRecords(call))
        }
        Attempt::Request { patient, doctor } => {
            let call = request(world.did(PATIENTS[patient]), world.now);
            (DOCTORS[doctor], Call::RequestAccess(call))
        }
        Attempt::Grant { stray, request, first, count, hours, standing } => {
            let (id, state) = request_state(request)?;
            let (patient, name) = name_of(world, PATIENTS, state.patient, stray);
            let until = world.now.plus_millis(hours * HOUR_MS);
            let first = base(patient) + first;
            let (_, reader) = name_of(world, DOCTORS, state.practitioner, false);
            let mut call = grant(id, first..first + count, &world.actors[reader], until);
            call.standing.extend(standing.then_some(Category::Labs));
            (name, Call::GrantAccess(call))
        }
        Attempt::Unasked { patient, reader, first, count, hours, standing } => {
            let until = world.now.plus_millis(hours * HOUR_MS);
            let first = base(patient) + first;
            let mut call = unasked(reader_of(world, reader), first..first + count, until);
            call.standing.extend(standing.then_some(Category::Labs));
            (PATIENTS[patient], Call::GrantAccess(call))
        }
        Attempt::Decline { stray, request } => {
            let (request, state) = request_state(request)?;
            let (_, name) = name_of(world, PATIENTS, state.patient, stray);
            (name, Call::DeclineAccess(DeclineAccess { request }))
        }
        Attempt::Revoke { stray, grant } => {
            let (grant, state) = grant_state(grant)?;
            let (_, name) = name_of(world, PATIENTS, state.patient, stray);
            (name, Call::RevokeAccess(RevokeAccess { grant }))
        }
        Attempt::Narrow { stray, grant, drop, hours, uses } => {
            let (grant, state) = grant_state(grant)?;
            let (_, name) = name_of(world, PATIENTS, state.patient, stray);
            let records = state.records.iter().skip(usize::from(drop)).copied().collect();
            (
                name,
                Call::NarrowAccess(NarrowAccess {
                    grant,
                    records,
                    standing: state.standing.into_iter().filter(|_| !drop).collect(),
                    term: term_of(world, hours, uses),
                }),
            )
        }
        Attempt::Extend { stray, grant, hours, uses } => {
            let (grant, state) = grant_state(grant)?;
            let (_, name) = name_of(world, PATIENTS, state.patient, stray);
            (name, Call::ExtendAccess(ExtendAccess { grant, term: term_of(world, hours, uses) }))
        }
        Attempt::Pause { stray, grant } => {
            let (grant, state) = grant_state(grant)?;
            let (_, name) = name_of(world, PATIENTS, state.patient, stray);
            (name, Call::PauseAccess(PauseAccess { grant }))
        }
        Attempt::Resume { stray, grant } => {
            let (grant, state) = grant_state(grant)?;
            let (_, name) = name_of(world, PATIENTS, state.patient, stray);
            (name, Call::ResumeAccess(ResumeAccess { grant }))
        }
        Attempt::Confirm { stray, grant } => {
            let (grant, state) = grant_state(grant)?;
            let name = if stray { "h1" } else { answerable(world, &state) };
            (name, Call::ConfirmDeletion(ConfirmDeletion { grant }))
        }
        Attempt::Use { stray, grant, first, count } => {
            let (grant, state) = grant_state(grant)?;
            let (patient, _) = name_of(world, PATIENTS, state.patient, false);
            // Li is of h0, whose staff some grants are for; Ren reads for its studies.
            let (_, name) = match state.grantee.study() {
                Some(_) if !stray => (0, "ren"),
                _ => name_of(world, DOCTORS, state.grantee.did(), stray),
            };
            let first = base(patient) + first;
            (name, Call::UseAccess(reading(grant, first..first + count)))
        }
        Attempt::Card { patient, locator } => {
            (PATIENTS[patient], Call::PublishCard(card(locator, world.did("h1"))))
        }
        Attempt::RevokeCard { patient, locator } => {
            let locator = CardLocator([locator; 5]);
            (PATIENTS[patient], Call::RevokeCard(RevokeCard { locator }))
        }
        Attempt::Emergency { doctor, locator } => {
            (DOCTORS[doctor], Call::DeclareEmergency(emergency(locator)))
        }
        Attempt::Board { by, yes } => {
            let name = yes.then(|| Wording { zh: "伦理委员会".into(), en: "Ethics board".into() });
            (HOSPITALS[by], Call::VoteBoard(VoteBoard { board: world.did("board"), name }))
        }
        Attempt::Study { by } => {
            let terms = Box::new(study(world.did("board"), world.now));
            (HOSPITALS[by], Call::RegisterStudy(RegisterStudy { terms }))
        }
        Attempt::Review { stray, study, approve } => {
            let study = *made.studies.iter().rev().nth(study)?;
            (if stray { "h0" } else { "board" }, Call::ReviewStudy(ReviewStudy { study, approve }))
        }
        Attempt::EndStudy { stray, study } => {
            let study = *made.studies.iter().rev().nth(study)?;
            (if stray { "h1" } else { "h0" }, Call::EndStudy(EndStudy { study }))
        }
        Attempt::Join { patient, study, first, count, hours, standing } => {
            let study = *made.studies.iter().rev().nth(study)?;
            let until = world.now.plus_millis(hours * HOUR_MS);
            let first = base(patient) + first;
            let mut call = participation(study, world.did("h0"), first..first + count, until);
            call.standing.extend(standing.then_some(Category::Labs));
            (PATIENTS[patient], Call::GrantAccess(call))
        }
        Attempt::Erase { how, by, patient, number } => {
            let records = vec![record_id(base(patient) + number)];
            let until = world.now.plus_millis(HOUR_MS);
            match how {
                0 => (PATIENTS[by], Call::RequestErasure(RequestErasure { records })),
                1 => {
                    let ground = ErasureGround::PatientAsked;
                    (HOSPITALS[by], Call::OrderErasure(OrderErasure { records, ground }))
                }
                2 => {
                    let reason = KeepReason::Dispute;
                    (HOSPITALS[by], Call::RefuseErasure(RefuseErasure { records, reason, until }))
                }
                _ => (HOSPITALS[by], Call::ConfirmErasure(ConfirmErasure { records })),
            }
        }
        Attempt::Rules { .. } | Attempt::Wait { .. } => return None,
    })
}

/// One of those a patient may give access unasked: the doctors, all of a hospital, a hospital without a key.
fn reader_of(world: &World, reader: usize) -> Grantee {
    match reader {
        0 | 1 => Grantee::Person(world.did(DOCTORS[reader])),
        2 => Grantee::Staff(staff(world.did("h0"))),
        _ => Grantee::Staff(staff(world.did("h2"))),
    }
}

/// The name of whoever answers for a grant.
fn answerable(world: &World, grant: &GrantState) -> &'static str {
    world.actors.iter().find(|(_, actor)| actor.did == grant.grantee.did()).unwrap().0
}

/// What the hospital seals to the readers of standing grants with these records.
fn flows(world: &World, call: &RegisterRecords) -> Vec<KeyFlow> {
    let due = flows_due(&world.state, call.patient, &call.records, world.now).unwrap();
    let flow = |due: Due| KeyFlow { grant: due.grant, keys: sealed_keys(&world.actors["li"]) };
    due.into_iter().map(flow).collect()
}

/// A term from now on; no limit of uses for 0.
fn term_of(world: &World, hours: u64, uses: u32) -> Term {
    let valid_until = world.now.plus_millis(hours * HOUR_MS);
    Term { valid_until, uses_max: NonZeroU32::new(uses).map(UseLimit), erase_by: None }
}

/// Whom an event concerns, read from the call and from the state that the event speaks of, not from the contracts.
fn concerned(world: &World, transaction: &Transaction, event: &Event) -> BTreeSet<Did> {
    let patient_of_grant =
        |grant| world.read::<GrantState>(&StateKey::Grant(grant)).map(|grant| grant.patient).unwrap();
    let patient_of_request =
        |request| world.read::<RequestState>(&StateKey::Request(request)).map(|r| r.patient).unwrap();
    match event {
        Event::AccessRequested { practitioner, patient, .. } => [*practitioner, *patient].into(),
        Event::AccessDeclined { practitioner, request } => {
            [*practitioner, patient_of_request(*request)].into()
        }
        Event::AccessGranted { grantee, grant, .. }
        | Event::AccessRevoked { grantee, grant, .. }
        | Event::AccessNarrowed { grantee, grant }
        | Event::AccessExtended { grantee, grant, .. }
        | Event::AccessPaused { grantee, grant }
        | Event::AccessResumed { grantee, grant }
        | Event::DeletionConfirmed { grantee, grant }
        | Event::RecordsOpened { grantee, grant, .. } => [*grantee, patient_of_grant(*grant)].into(),
        Event::RecordsRead { practitioner, grant, .. } => {
            let grant: GrantState = world.read(&StateKey::Grant(*grant)).unwrap();
            [*practitioner, grant.grantee.did(), grant.patient].into()
        }
        Event::EmergencyDeclared { practitioner, locator, .. } => {
            let card: CardState = world.read(&StateKey::Card(*locator)).unwrap();
            let employer: Practitioner = world.read(&StateKey::Practitioner(*practitioner)).unwrap();
            [*practitioner, card.patient, employer.organisation].into()
        }
        Event::ManyEmergencies { practitioner, .. } => {
            let employer: Practitioner = world.read(&StateKey::Practitioner(*practitioner)).unwrap();
            [*practitioner, employer.organisation].into()
        }
        Event::CardPublished { .. } | Event::CardRevoked { .. } => [transaction.sender].into(),
        Event::RecordsRegistered { .. } => match &transaction.call {
            Call::RegisterRecords(call) => [call.patient].into(),
            call => panic!("{event:?} from {call:?}"),
        },
        Event::BoardVoted { board, organisation } => [*board, *organisation].into(),
        Event::BoardNamed { board } | Event::BoardDismissed { board } => {
            HOSPITALS.map(|name| world.did(name)).into_iter().chain([*board]).collect()
        }
        Event::StudyRegistered { study, .. }
        | Event::StudyReviewed { study, .. }
        | Event::StudyEnded { study, .. } => {
            let study: StudyState = world.read(&StateKey::Study(*study)).unwrap();
            [study.sponsor, study.terms.board].into()
        }
        Event::ErasureRequested { .. } | Event::ErasureRefused { .. } => {
            let record = erased_record(world, &transaction.call);
            [record.patient, record.provider].into()
        }
        Event::ErasureOrdered { .. } => {
            let record = erased_record(world, &transaction.call);
            record.holders.into_iter().chain([record.patient]).collect()
        }
        Event::ErasureConfirmed { holder, .. } => {
            let record = erased_record(world, &transaction.call);
            [*holder, record.patient, record.provider].into()
        }
        Event::IdentityRegistered
        | Event::PractitionerRegistered { .. }
        | Event::MembershipProposed { .. }
        | Event::MembershipApproved { .. }
        | Event::MembershipWithdrawn { .. }
        | Event::MembershipDecided { .. }
        | Event::StaffKeyPublished
        | Event::RulesProposed { .. }
        | Event::RulesApproved { .. }
        | Event::RulesWithdrawn { .. }
        | Event::RulesAdopted { .. }
        | Event::EmergencyDisputed { .. }
        | Event::EmergencyReviewed { .. }
        | Event::ValidatorKeyRotated { .. }
        | Event::KeysReplaced { .. }
        | Event::EvidenceRecorded { .. } => unreachable!("nobody tries that here"),
    }
}

/// The one record that a call about an erasure names.
fn erased_record(world: &World, call: &Call) -> RecordState {
    let (Call::RequestErasure(RequestErasure { records })
    | Call::OrderErasure(OrderErasure { records, .. })
    | Call::RefuseErasure(RefuseErasure { records, .. })
    | Call::ConfirmErasure(ConfirmErasure { records })) = call
    else {
        panic!("no erasure: {call:?}")
    };
    world.read(&StateKey::Record(records[0])).unwrap()
}

/// Whether a transaction, if it is a reading, has a live grant and the rule book on its side: each record by itself, as the rules
/// are now.
fn readable(world: &World, transaction: &Transaction) -> bool {
    let Call::UseAccess(call) = &transaction.call else { return true };
    let Some(grant) = world.read::<GrantState>(&StateKey::Grant(call.grant)) else { return false };
    let registration: Option<Practitioner> = world.read(&StateKey::Practitioner(transaction.sender));
    let book = in_force(&world.state).unwrap();
    let allowed = |id| {
        let Some(record) = world.read::<RecordState>(&StateKey::Record(id)) else { return false };
        let RecordState { category, class, provider, registered, .. } = record;
        book.allows(&Access {
            reader: Reader::under(&grant.grantee, grant.purpose, registration.as_ref()),
            kind: RecordKind { category, class, provider, by_name: registered <= grant.granted },
            purpose: grant.purpose,
            given_to: GivenTo::of(&grant.grantee),
            hour: hour_of_day(world.now),
        })
    };
    let open = grant.grantee.study().is_none_or(|study| is_open(world, study));
    let erased = |id: &RecordId| matches!(world.read(&StateKey::Erasure(*id)), Some(ErasureState::Erased(_)));
    open && !call.records.iter().any(erased)
        && grant.standing(world.now) == Standing::Active
        && call.records.iter().all(|id| allowed(*id))
}

fn is_open(world: &World, study: StudyId) -> bool {
    let study: StudyState = world.read(&StateKey::Study(study)).unwrap();
    study.approved_at().is_some() && study.is_open(world.now)
}

/// No study has more participants than it may, or counts them wrongly.
fn studies_are_not_overfull(world: &World, made: &Made) {
    for id in &made.studies {
        let study: StudyState = world.read(&StateKey::Study(*id)).unwrap();
        let takes_part =
            |name: &&str| world.read::<GrantId>(&StateKey::Enrolment(*id, world.did(name))).is_some();
        let counted = PATIENTS.iter().copied().filter(|name| takes_part(name)).count();
        assert_eq!(study.participants as usize, counted);
        assert!(study.participants <= study.terms.participants_max.get());
    }
}

/// Has three of the four hospitals adopt a rule book.
fn adopt(world: &mut World, policies: &str) {
    let RuleBookState { version, .. } = world.read(&StateKey::RuleBook).unwrap();
    let call = ProposeRules { policies: policies.to_owned(), replaces: version };
    let proposal = ProposalId(world.call("h0", Call::ProposeRules(call)).unwrap());
    for by in ["h1", "h2"] {
        world.call(by, Call::ApproveRules(ApproveRules { proposal })).unwrap();
    }
}

/// Executes one transaction and checks what must hold for every one.
fn run(world: &mut World, transaction: &SignedTransaction) -> bool {
    let first = apply(&world.state, transaction, &world.context()).unwrap();
    let readable = readable(world, transaction.transaction());
    assert_eq!(world.execute(transaction), first, "the same input gives the same bytes");
    let Verdict::Executed(applied) = first else { panic!("every attempt is numbered and signed well") };
    let sender = transaction.transaction().sender;
    match applied.outcome {
        Outcome::Refused { .. } => {
            let keys: Vec<_> = applied.changes.keys().collect();
            assert_eq!(keys, [&StateKey::Account(sender)], "a refusal changes the nonce only");
            assert!(applied.history.is_empty());
            false
        }
        Outcome::Applied { events } => {
            assert!(readable, "a reading has a live grant and the rules on its side");
            assert!(!events.is_empty(), "nothing happens unseen");
            for (_, _, event) in &events {
                let told: BTreeSet<_> =
                    events.iter().filter(|(_, _, other)| other == event).map(|(did, _, _)| *did).collect();
                assert_eq!(told, concerned(world, transaction.transaction(), event), "{event:?}");
            }
            true
        }
    }
}

/// No grant that has ended, was taken back or is paused lets its grantee read.
fn ended_grants_are_shut(world: &World, made: &Made) {
    for id in &made.grants {
        let mut state: GrantState = world.read(&StateKey::Grant(*id)).unwrap();
        if let Some(study) = state.grantee.study() {
            state = state.ended_with(&world.read(&StateKey::Study(study)).unwrap());
        }
        let code = match state.standing(world.now) {
            Standing::Active | Standing::NotYet => continue,
            Standing::Paused => RefusalCode::GrantPaused,
            Standing::UsedUp => RefusalCode::GrantUsedUp,
            Standing::Expired => RefusalCode::GrantExpired,
            Standing::Revoked => RefusalCode::GrantRevoked,
        };
        let reader = match &state.grantee {
            Grantee::Person(did) => *did,
            Grantee::Staff(_) => world.did("li"),
            Grantee::Study(_) => world.did("ren"),
        };
        let grantee = world.actors.values().find(|actor| actor.did == reader).unwrap();
        let call = UseAccess { grant: *id, records: state.records.clone() };
        let nonce: Account = world.read(&StateKey::Account(grantee.did)).unwrap_or_default();
        let next = Nonce(nonce.highest.0 + 1);
        let transaction = grantee.sign_numbered(world.chain, next, Call::UseAccess(call));
        let verdict = apply(&world.state, &transaction, &world.context()).unwrap();
        let Verdict::Executed(applied) = verdict else { panic!("numbered and signed well") };
        assert_eq!(applied.outcome, Outcome::Refused { code });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn histories_are_complete_runs_repeat_and_ended_grants_stay_shut(
        attempts in prop::collection::vec(attempt(), 1..100)
    ) {
        let (mut world, mut made) = (World::new(), Made::default());
        let key = staff_key(&world.actors["h0"]);
        world.call("h0", key).unwrap();
        for (name, seed) in [("board", 50), ("ren", 51)] {
            world.actors.insert(name, Actor::new(seed));
            let call = world.actors[name].registration();
            world.call(name, call).unwrap();
        }
        let role = PractitionerRole::Researcher;
        let call = RegisterPractitioner { role, ..practitioner(world.did("ren"), world.now) };
        world.call("h0", Call::RegisterPractitioner(call)).unwrap();
        for (patient, name) in PATIENTS.into_iter().enumerate() {
            let first = base(patient);
            let setup = records(first..first + 3, world.did("h0"), &world.actors[name]);
            world.call("h0", Call::RegisterRecords(setup)).unwrap();
        }
        for attempt in &attempts {
            if let Attempt::Wait { hours } = attempt {
                world.later(hours * HOUR_MS);
            }
            if let Attempt::Rules { book } = attempt {
                adopt(&mut world, BOOKS[*book]);
            }
            if let Some((name, call)) = call_of(&world, &made, attempt) {
                let transaction = world.sign(name, call.clone());
                if run(&mut world, &transaction) {
                    match call {
                        Call::RequestAccess(_) => made.requests.push(RequestId(transaction.id())),
                        Call::GrantAccess(_) => made.grants.push(GrantId(transaction.id())),
                        Call::RegisterStudy(_) => made.studies.push(StudyId(transaction.id())),
                        _ => {}
                    }
                }
            }
            ended_grants_are_shut(&world, &made);
            studies_are_not_overfull(&world, &made);
        }
        for name in PATIENTS.into_iter().chain(DOCTORS).chain(["board", "ren"]) {
            world.events(name);
        }
    }
}
