//! The rule book as it decides accesses, and how it is changed.

use super::*;
use crate::rules::{DEFAULT_RULES, explain_reading, in_force};
use crate::testing::{DAY_MS, reading, record_id, records, staff, staff_key, unasked};
use amulet_protocol::calls::{GrantAccess, GrantId, RegisterPractitioner, UseAccess};
use amulet_protocol::consent::{Category, PractitionerRole, Purpose};
use amulet_protocol::governance::{ProposalId, ProposalStage};
use amulet_protocol::grant::GrantState;
use amulet_protocol::grantee::{Grantee, Staff};
use amulet_protocol::limits::{PROPOSAL_TIME_MS, PROPOSALS_PER_ORGANISATION_MAX};
use amulet_protocol::rules::{
    ApproveRules, ProposeRules, RuleBookState, RuledKind, RulesProposalState, WithdrawRules,
};

const NOBODY_READS: &str = "// No rules.";

/// A world in which `h0` registered records 0 to 3 of `wang`, laboratory results, and published a key for its staff.
fn world() -> World {
    let mut world = World::new();
    let call = records(0..4, world.did("h0"), &world.actors["wang"]);
    world.call("h0", Call::RegisterRecords(call)).unwrap();
    let key = staff_key(&world.actors["h0"]);
    world.call("h0", key).unwrap();
    world
}

/// `li` of `h0` in another role.
fn become_one(world: &mut World, role: PractitionerRole) {
    let registration = practitioner(world.did("li"), world.now);
    let call = RegisterPractitioner { role, ..registration };
    world.call("h0", Call::RegisterPractitioner(call)).unwrap();
}

fn give(world: &mut World, grantee: Grantee, purpose: Purpose) -> Result<GrantId, RefusalCode> {
    let call = GrantAccess { purpose, ..unasked(grantee, 0..2, world.now.plus_millis(DAY_MS)) };
    world.call("wang", Call::GrantAccess(call)).map(GrantId)
}

fn read(world: &mut World, grant: GrantId) -> Result<TxId, RefusalCode> {
    world.call("li", Call::UseAccess(reading(grant, 0..2)))
}

fn propose(world: &mut World, by: &str, policies: &str) -> Result<ProposalId, RefusalCode> {
    let replaces = book(world).version;
    let call = ProposeRules { policies: policies.to_owned(), replaces };
    world.call(by, Call::ProposeRules(call)).map(ProposalId)
}

fn approve(world: &mut World, by: &str, proposal: ProposalId) -> Result<TxId, RefusalCode> {
    world.call(by, Call::ApproveRules(ApproveRules { proposal }))
}

fn withdraw(world: &mut World, by: &str, proposal: ProposalId) -> Result<TxId, RefusalCode> {
    world.call(by, Call::WithdrawRules(WithdrawRules { proposal }))
}

fn book(world: &World) -> RuleBookState {
    world.read(&StateKey::RuleBook).unwrap()
}

fn adopt(world: &mut World, policies: &str) {
    let proposal = propose(world, "h0", policies).unwrap();
    for by in ["h1", "h2"] {
        approve(world, by, proposal).unwrap();
    }
}

#[test]
pub(super) fn an_intern_reads_under_a_grant_to_the_department_and_not_under_one_to_the_hospital() {
    let mut world = world();
    become_one(&mut world, PractitionerRole::Intern);
    let all = staff(world.did("h0"));
    let department = Staff { department: Some("Emergency".into()), ..all.clone() };
    let [all, department] =
        [all, department].map(|staff| give(&mut world, Grantee::Staff(staff), Purpose::Treatment).unwrap());
    let before: GrantState = world.read(&StateKey::Grant(all)).unwrap();
    assert_eq!(read(&mut world, all), Err(RefusalCode::NotByRules));
    assert_eq!(world.read::<GrantState>(&StateKey::Grant(all)), Some(before), "nothing is counted");
    read(&mut world, department).unwrap();
}

#[test]
pub(super) fn a_reader_learns_beforehand_what_the_rules_let_them_read_and_which_rule_it_is() {
    let mut world = world();
    let mut other = records(4..5, world.did("h1"), &world.actors["wang"]);
    other.records[0].category = Category::Imaging;
    world.call("h1", Call::RegisterRecords(other)).unwrap();
    let li = world.did("li");
    let mut call = unasked(Grantee::Person(li), 0..2, world.now.plus_millis(DAY_MS));
    call.records.push(record_id(4));
    call.records.sort_unstable();
    let grant = GrantId(world.call("wang", Call::GrantAccess(call)).unwrap());
    adopt(
        &mut world,
        r#"@id("all") @zh("均可") @en("Everybody.") permit (principal, action, resource);
@id("own") @zh("仅限本院") @en("Own records only.") forbid (principal, action, resource) unless { context.sameOrganisation };"#,
    );
    let explained = explain_reading(&world.state, grant, li, world.now).unwrap().unwrap();
    let said = |kind: &RuledKind| -> Vec<&str> {
        kind.spoke.iter().map(|place| explained.rules[usize::from(*place)].id.as_str()).collect()
    };
    for kind in &explained.kinds {
        let call = UseAccess { grant, records: kind.records.clone() };
        let outcome = world.call("li", Call::UseAccess(call)).map(|_| ());
        let own = kind.category == Category::Labs;
        assert_eq!(
            (kind.allowed, outcome),
            if own { (true, Ok(())) } else { (false, Err(RefusalCode::NotByRules)) }
        );
        assert_eq!(said(kind), if own { vec!["all"] } else { vec!["own", "all"] });
    }
    let mut records: Vec<_> = explained.kinds.iter().flat_map(|kind| kind.records.clone()).collect();
    records.sort_unstable();
    let state: GrantState = world.read(&StateKey::Grant(grant)).unwrap();
    assert_eq!(records, state.records, "each record is of one kind");
    let nothing = GrantId(world.call("h0", staff_key(&Actor::new(0))).unwrap());
    assert_eq!(explain_reading(&world.state, nothing, li, world.now), Ok(None));
}

#[test]
pub(super) fn whoever_could_read_nothing_is_given_nothing() {
    let mut world = world();
    let li = Grantee::Person(world.did("li"));
    for (role, purpose) in [
        (PractitionerRole::Intern, Purpose::Treatment),
        (PractitionerRole::Researcher, Purpose::Treatment),
        (PractitionerRole::Assessor, Purpose::InsuranceClaim),
        (PractitionerRole::Attending, Purpose::Emergency),
    ] {
        become_one(&mut world, role);
        assert_eq!(give(&mut world, li.clone(), purpose), Err(RefusalCode::NotByRules), "{role:?}");
    }
    become_one(&mut world, PractitionerRole::Assessor);
    let mut bills = records(5..6, world.did("h0"), &world.actors["wang"]);
    bills.records[0].category = Category::Billing;
    world.call("h0", Call::RegisterRecords(bills)).unwrap();
    let until = world.now.plus_millis(DAY_MS);
    let mut call = GrantAccess { purpose: Purpose::InsuranceClaim, ..unasked(li, 0..2, until) };
    call.records.push(record_id(5));
    call.records.sort();
    let grant = GrantId(world.call("wang", Call::GrantAccess(call)).unwrap());
    assert_eq!(read(&mut world, grant), Err(RefusalCode::NotByRules), "the laboratory results");
    world.call("li", Call::UseAccess(reading(grant, 5..6))).unwrap();
}

#[test]
pub(super) fn records_to_come_count_for_what_could_be_read() {
    let mut world = world();
    become_one(&mut world, PractitionerRole::Pharmacist);
    let until = world.now.plus_millis(DAY_MS);
    let call = |world: &World, category| {
        let call = unasked(Grantee::Person(world.did("li")), 0..0, until);
        Call::GrantAccess(GrantAccess { standing: vec![category], ..call })
    };
    let imaging = call(&world, Category::Imaging);
    assert_eq!(world.call("wang", imaging), Err(RefusalCode::NotByRules));
    let medicines = call(&world, Category::Medicines);
    world.call("wang", medicines).unwrap();
}

#[test]
pub(super) fn a_nurse_who_cares_for_a_relative_reads_as_a_relative() {
    let mut world = world();
    become_one(&mut world, PractitionerRole::Nurse);
    let li = Grantee::Person(world.did("li"));
    let grant = give(&mut world, li, Purpose::FamilyCarer).unwrap();
    read(&mut world, grant).unwrap();
    let staff = Grantee::Staff(staff(world.did("h0")));
    let grant = give(&mut world, staff, Purpose::FamilyCarer).unwrap();
    assert_eq!(read(&mut world, grant), Err(RefusalCode::NotByRules), "staff are no relatives");
}

#[test]
pub(super) fn a_quorum_of_the_organisations_changes_the_rules_and_grants_that_stand_obey_them() {
    let mut world = world();
    let li = Grantee::Person(world.did("li"));
    let grant = give(&mut world, li.clone(), Purpose::Treatment).unwrap();
    read(&mut world, grant).unwrap();
    let proposal = propose(&mut world, "h0", NOBODY_READS).unwrap();
    approve(&mut world, "h1", proposal).unwrap();
    assert_eq!((book(&world).version, &*book(&world).policies), (1, DEFAULT_RULES));
    read(&mut world, grant).unwrap();
    approve(&mut world, "h2", proposal).unwrap();
    let adopted = Height(world.height.0 - 1);
    assert_eq!(book(&world), RuleBookState { version: 2, policies: NOBODY_READS.into(), adopted });
    let state: RulesProposalState = world.read(&StateKey::RulesProposal(proposal)).unwrap();
    assert_eq!(state.stage, ProposalStage::Decided { first: adopted });
    for hospital in ["h0", "h1", "h2", "h3"] {
        let events = world.events(hospital);
        let told = |event| assert!(events.contains(&event), "{hospital}: {event:?}");
        told(Event::RulesProposed { proposal, organisation: world.did("h0") });
        told(Event::RulesApproved { proposal, organisation: world.did("h1") });
        told(Event::RulesAdopted { proposal, version: 2 });
    }
    assert_eq!(read(&mut world, grant), Err(RefusalCode::NotByRules));
    assert_eq!(give(&mut world, li, Purpose::Treatment), Err(RefusalCode::NotByRules));
    adopt(&mut world, DEFAULT_RULES);
    assert_eq!(book(&world).version, 3);
    read(&mut world, grant).unwrap();
}

#[test]
pub(super) fn nobody_else_changes_the_rules() {
    let mut world = world();
    let before = world.state.get(&StateKey::RuleBook).cloned();
    for name in ["wang", "li"] {
        assert_eq!(propose(&mut world, name, NOBODY_READS), Err(RefusalCode::NotAValidator));
    }
    let proposal = propose(&mut world, "h0", NOBODY_READS).unwrap();
    assert_eq!(approve(&mut world, "li", proposal), Err(RefusalCode::NotAValidator));
    assert_eq!(approve(&mut world, "h0", proposal), Err(RefusalCode::AlreadyApproved));
    assert_eq!(withdraw(&mut world, "h1", proposal), Err(RefusalCode::NotYourProposal));
    let unknown = ProposalId(proposal.0);
    assert_eq!(world.state.get(&StateKey::RuleBook).cloned(), before);
    withdraw(&mut world, "h0", unknown).unwrap();
    assert_eq!(approve(&mut world, "h1", proposal), Err(RefusalCode::ProposalClosed));
    assert_eq!(world.state.get(&StateKey::RuleBook).cloned(), before);
}

#[test]
pub(super) fn a_text_that_is_no_rule_book_is_not_even_proposed() {
    let mut world = world();
    let all = "permit (principal, action, resource)";
    let misspelt = format!("@id(\"a\") @zh(\"甲\") @en(\"A.\") {all} when {{ context.purpos == 1 }};");
    for policies in ["permit", all, &misspelt, &" ".repeat(200_000)] {
        assert_eq!(propose(&mut world, "h0", policies), Err(RefusalCode::BadRules));
    }
}

#[test]
pub(super) fn a_proposed_rule_book_is_approved_in_time_or_not_at_all() {
    let mut world = world();
    let proposal = propose(&mut world, "h0", NOBODY_READS).unwrap();
    approve(&mut world, "h1", proposal).unwrap();
    withdraw(&mut world, "h1", proposal).unwrap();
    world.later(PROPOSAL_TIME_MS);
    assert_eq!(approve(&mut world, "h1", proposal), Err(RefusalCode::ProposalExpired));
    for _ in 0..PROPOSALS_PER_ORGANISATION_MAX {
        propose(&mut world, "h0", NOBODY_READS).unwrap();
    }
    assert_eq!(propose(&mut world, "h0", NOBODY_READS), Err(RefusalCode::TooManyProposals));
    propose(&mut world, "h1", NOBODY_READS).unwrap();
}

#[test]
pub(super) fn an_approval_does_not_undo_what_was_adopted_meanwhile() {
    let mut world = world();
    let overtaken = propose(&mut world, "h1", DEFAULT_RULES).unwrap();
    adopt(&mut world, NOBODY_READS);
    assert_eq!(approve(&mut world, "h2", overtaken), Err(RefusalCode::RulesChanged));
    let stale = Call::ProposeRules(ProposeRules { policies: DEFAULT_RULES.into(), replaces: 1 });
    assert_eq!(world.call("h1", stale), Err(RefusalCode::RulesChanged));
    let unknown =
        ProposalId(world.sign("h0", Call::WithdrawRules(WithdrawRules { proposal: overtaken })).id());
    assert_eq!(approve(&mut world, "h1", unknown), Err(RefusalCode::UnknownProposal));
    assert_eq!(withdraw(&mut world, "h1", unknown), Err(RefusalCode::UnknownProposal));
    withdraw(&mut world, "h1", overtaken).unwrap();
    assert_eq!(withdraw(&mut world, "h1", overtaken), Err(RefusalCode::ProposalClosed));
}

#[test]
pub(super) fn a_rule_book_that_cannot_be_read_is_an_error_and_no_refusal() {
    let mut world = world();
    let li = Grantee::Person(world.did("li"));
    let grant = give(&mut world, li, Purpose::Treatment).unwrap();
    let damaged = RuleBookState { policies: "permit".into(), ..book(&world) };
    world.state.insert(StateKey::RuleBook, codec::encode(&damaged));
    let transaction = world.sign("li", Call::UseAccess(reading(grant, 0..1)));
    let result = apply(&world.state, &transaction, &world.context());
    assert_eq!(result, Err(crate::ApplyError::Corrupt { key: StateKey::RuleBook }));
    assert!(in_force(&world.state).is_err());
}
