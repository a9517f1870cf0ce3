#![allow(clippy::unwrap_used)]
//! Each rule of the default rule book, and what is no rule book at all.

use super::words::Word;
use super::*;
use crate::testing::Actor;
use amulet_protocol::consent::{Category, PractitionerRole as Role, Purpose};
use amulet_protocol::ids::{Did, Timestamp};
use amulet_protocol::limits::{
    RULE_BOOK_BYTES_MAX, RULE_BYTES_MAX, RULE_NESTING_MAX, RULE_OPERATORS_MAX, RULES_MAX,
};

const CARE: [Purpose; 3] = [Purpose::Treatment, Purpose::SecondOpinion, Purpose::OngoingCare];
const ANYBODY: [GivenTo; 4] = [GivenTo::Person, GivenTo::Department, GivenTo::Role, GivenTo::Organisation];

fn did(seed: u64) -> Did {
    Actor::new(seed).did
}

fn practising(role: Role) -> Reader {
    Reader::Practitioner { organisation: did(0), department: "Cardiology".into(), role }
}

/// Sensitive laboratory results of another hospital, under a grant to the reader, by day.
fn access(reader: Reader, purpose: Purpose) -> Access {
    let kind =
        RecordKind { category: Category::Labs, class: DataClass::Sensitive, provider: did(1), by_name: true };
    Access { reader, kind, purpose, given_to: GivenTo::Person, hour: 10 }
}

fn of(category: Category, access: Access) -> Access {
    Access { kind: RecordKind { category, ..access.kind }, ..access }
}

fn default_book() -> RuleBook {
    RuleBook::parse(DEFAULT_RULES).unwrap()
}

/// A rule with its name and sentences.
fn rule(id: &str, body: &str) -> String {
    format!("@id(\"{id}\") @zh(\"规则\") @en(\"A rule.\")\n{body};\n")
}

const EVERYTHING: &str = "permit (principal, action, resource)";

/// The names of the rules that permit and of those that forbid.
fn said(book: &RuleBook, access: &Access) -> (Vec<String>, Vec<String>) {
    let explanation = book.explain(access);
    assert_eq!(explanation.allowed, book.allows(access));
    assert!(explanation.failing.is_empty());
    let names = |rules: Vec<Rule>| rules.into_iter().map(|rule| rule.id).collect();
    (names(explanation.permitting), names(explanation.forbidding))
}

/// Asserts who in `CATEGORIES` a reader may read, by exactly one permitting rule.
fn reads_only(reader: &Reader, purpose: Purpose, given_to: GivenTo, by: &str, categories: &[Category]) {
    let book = default_book();
    for category in Category::ALL {
        let access = Access { given_to, ..of(*category, access(reader.clone(), purpose)) };
        let (permitting, forbidding) = said(&book, &access);
        if categories.contains(category) {
            assert!(book.allows(&access), "{access:?}");
            assert_eq!((permitting, forbidding), (vec![by.to_owned()], vec![]));
        } else {
            assert!(!book.allows(&access), "{access:?}");
        }
    }
}

#[test]
fn attendings_and_residents_read_for_care_under_any_grant_and_nurses_give_no_second_opinion() {
    for given_to in ANYBODY {
        for purpose in CARE {
            reads_only(&practising(Role::Attending), purpose, given_to, "attending-cares", Category::ALL);
            reads_only(&practising(Role::Resident), purpose, given_to, "resident-cares", Category::ALL);
        }
        for purpose in [Purpose::Treatment, Purpose::OngoingCare] {
            reads_only(&practising(Role::Nurse), purpose, given_to, "nurse-cares", Category::ALL);
        }
        reads_only(&practising(Role::Nurse), Purpose::SecondOpinion, given_to, "", &[]);
    }
}

#[test]
fn an_intern_reads_under_a_grant_to_the_department_and_no_other() {
    let intern = practising(Role::Intern);
    for purpose in [Purpose::Treatment, Purpose::OngoingCare] {
        reads_only(&intern, purpose, GivenTo::Department, "intern-in-department", Category::ALL);
        for given_to in [GivenTo::Person, GivenTo::Role, GivenTo::Organisation] {
            reads_only(&intern, purpose, given_to, "", &[]);
        }
    }
    reads_only(&intern, Purpose::SecondOpinion, GivenTo::Department, "", &[]);
}

#[test]
fn pharmacists_and_technicians_read_what_their_work_needs() {
    use Category::{
        Allergies, CarePlans, Conditions, Devices, Imaging, Labs, Medicines, Procedures, VitalSigns,
    };
    let cases: [(Role, &str, &[Category]); 2] = [
        (Role::Pharmacist, "pharmacist-checks", &[Medicines, Allergies, Conditions, Labs, VitalSigns]),
        (Role::Technician, "technician-works", &[Labs, Imaging, Devices, Procedures, CarePlans, Allergies]),
    ];
    for (role, by, categories) in cases {
        for purpose in [Purpose::Treatment, Purpose::OngoingCare] {
            reads_only(&practising(role), purpose, GivenTo::Organisation, by, categories);
        }
        reads_only(&practising(role), Purpose::SecondOpinion, GivenTo::Organisation, "", &[]);
    }
}

#[test]
fn assessors_read_for_claims_only_and_nobody_else_does() {
    let categories = [Category::Billing, Category::Visits, Category::Procedures, Category::Conditions];
    let assessor = practising(Role::Assessor);
    reads_only(&assessor, Purpose::InsuranceClaim, GivenTo::Person, "assessor-settles", &categories);
    for role in Role::ALL.iter().filter(|role| **role != Role::Assessor) {
        reads_only(&practising(*role), Purpose::InsuranceClaim, GivenTo::Department, "", &[]);
    }
    for purpose in CARE {
        reads_only(&assessor, purpose, GivenTo::Department, "", &[]);
    }
    let bills = of(Category::Billing, access(practising(Role::Attending), Purpose::InsuranceClaim));
    assert_eq!(said(&default_book(), &bills).1, ["claims-by-assessors-only"]);
}

#[test]
fn research_is_for_researchers_and_sees_no_direct_identifiers() {
    let named = [Category::Administrative, Category::Documents, Category::Billing];
    let rest: Vec<Category> = Category::ALL.iter().copied().filter(|c| !named.contains(c)).collect();
    let researcher = practising(Role::Researcher);
    reads_only(&researcher, Purpose::Research, GivenTo::Organisation, "researcher-studies", &rest);
    for role in Role::ALL.iter().filter(|role| **role != Role::Researcher) {
        reads_only(&practising(*role), Purpose::Research, GivenTo::Department, "", &[]);
    }
    reads_only(&researcher, Purpose::Treatment, GivenTo::Person, "", &[]);
    let name = of(Category::Administrative, access(researcher, Purpose::Research));
    let (permitting, forbidding) = said(&default_book(), &name);
    assert_eq!(permitting, ["researcher-studies"], "what forbids wins");
    assert_eq!(forbidding, ["research-no-identifiers"]);
}

#[test]
fn a_relative_reads_what_was_granted_but_not_what_was_said_in_confidence() {
    let rest: Vec<Category> = Category::ALL.iter().copied().filter(|c| *c != Category::Social).collect();
    reads_only(&Reader::Layperson, Purpose::FamilyCarer, GivenTo::Person, "carer-reads", &rest);
    for purpose in Purpose::ALL.iter().filter(|purpose| **purpose != Purpose::FamilyCarer) {
        reads_only(&Reader::Layperson, *purpose, GivenTo::Person, "", &[]);
    }
    for role in Role::ALL {
        reads_only(&practising(*role), Purpose::FamilyCarer, GivenTo::Organisation, "", &[]);
    }
}

#[test]
fn core_records_stay_at_home_and_take_a_grant_of_these_very_ones() {
    let book = default_book();
    let core = |provider, by_name| {
        let access = access(practising(Role::Attending), Purpose::Treatment);
        Access { kind: RecordKind { class: DataClass::Core, provider, by_name, ..access.kind }, ..access }
    };
    assert!(book.allows(&core(did(0), true)));
    assert_eq!(said(&book, &core(did(0), false)).1, ["core-by-name"]);
    assert_eq!(said(&book, &core(did(1), true)).1, ["core-at-home"]);
    let mut other = core(did(1), false);
    other.kind.class = DataClass::Sensitive;
    assert!(book.allows(&other), "only core records do");
}

#[test]
fn no_grant_serves_an_emergency() {
    for reader in [practising(Role::Attending), Reader::Layperson] {
        let access = access(reader, Purpose::Emergency);
        assert!(!default_book().allows(&access));
        assert!(said(&default_book(), &access).1.contains(&"emergency-by-declaration".to_owned()));
    }
}

#[test]
fn every_word_of_the_ledger_is_one_of_the_schema() {
    let words = |kind: &str, words: Vec<&str>, place: &str| {
        for word in words {
            let body = format!("{EVERYTHING} when {{ {place} == {kind}::\"{word}\" }}");
            RuleBook::parse(&rule("a", &body)).unwrap();
        }
    };
    words("Category", Category::ALL.iter().map(|c| c.word()).collect(), "resource.category");
    words("DataClass", DataClass::ALL.iter().map(|c| c.word()).collect(), "resource.class");
    words("Purpose", Purpose::ALL.iter().map(|p| p.word()).collect(), "context.purpose");
    words("Grantee", ANYBODY.iter().map(|g| g.word()).collect(), "context.grantee");
    let roles = Role::ALL.iter().map(|r| r.word()).collect();
    words("Role", roles, "principal is Practitioner && principal.role");
}

#[test]
fn what_is_not_by_the_schema_is_no_rule_book() {
    let ill_typed = [
        "permit (principal, action, resource) when { context.purpose == Purpose::\"treatmnt\" }",
        "permit (principal, action, resource) when { context.purpose == \"treatment\" }",
        "permit (principal, action, resource) when { principal.role == Role::\"nurse\" }",
        "permit (principal, action, resource) when { context.weather }",
        "permit (principal, action, resource) when { context.hour }",
        "permit (principal, action == Action::\"write\", resource)",
        "permit (principal == Patient::\"wang\", action, resource)",
    ];
    for body in ill_typed {
        let error = RuleBook::parse(&rule("a", body)).unwrap_err();
        assert!(matches!(error, BadRules::IllTyped(_) | BadRules::Unreadable(_)), "{body}: {error}");
    }
    assert!(matches!(RuleBook::parse("permit"), Err(BadRules::Unreadable(_))));
    for call in ["ip(\"10.0.0.1\").isLoopback()", "decimal (\"1.0\").lessThan(decimal(\"2.0\"))"] {
        let text = rule("a", &format!("{EVERYTHING} when {{ {call} }}"));
        assert_eq!(RuleBook::parse(&text).unwrap_err(), BadRules::Extension { number: 1 });
    }
    let template = rule("a", "permit (principal == ?principal, action, resource)");
    assert_eq!(RuleBook::parse(&template).unwrap_err(), BadRules::Template);
    let twice = rule("a", EVERYTHING) + &rule("a", EVERYTHING);
    assert_eq!(RuleBook::parse(&twice).unwrap_err(), BadRules::Twice("a".into()));
    for id in ["", "Big", "a b", &"x".repeat(65)] {
        assert_eq!(RuleBook::parse(&rule(id, EVERYTHING)).unwrap_err(), BadRules::Unnamed(id.into()));
    }
    let unsaid = format!("@id(\"a\") @en(\"A rule.\")\n{EVERYTHING};");
    assert_eq!(RuleBook::parse(&unsaid).unwrap_err(), BadRules::Unsaid("a".into()));
}

#[test]
fn what_is_too_long_or_too_deep_is_no_rule_book() {
    let parse = |text: &str| RuleBook::parse(text).map(|_| ());
    let long = " ".repeat(RULE_BOOK_BYTES_MAX + 1);
    assert_eq!(
        parse(&long),
        Err(BadRules::TooLong { bytes: RULE_BOOK_BYTES_MAX + 1, max: RULE_BOOK_BYTES_MAX })
    );
    let many = |count: usize| -> String { (0..count).map(|n| rule(&format!("r{n}"), EVERYTHING)).collect() };
    assert_eq!(parse(&many(RULES_MAX - 1)), Ok(()));
    assert_eq!(parse(&many(RULES_MAX + 1)), Err(BadRules::TooMany { max: RULES_MAX }));
    let wordy = rule("a", &format!("// {}\n{EVERYTHING}", "x".repeat(RULE_BYTES_MAX)));
    assert_eq!(parse(&wordy), Err(BadRules::RuleTooLong { number: 1, max: RULE_BYTES_MAX }));
    let too_deep =
        |number| Err(BadRules::TooDeep { number, nesting: RULE_NESTING_MAX, operators: RULE_OPERATORS_MAX });
    let nested = |depth: usize| {
        rule("b", &format!("{EVERYTHING} when {{ {}true{} }}", "(".repeat(depth), ")".repeat(depth)))
    };
    assert_eq!(parse(&(rule("a", EVERYTHING) + &nested(RULE_NESTING_MAX - 1))), Ok(()));
    assert_eq!(parse(&(rule("a", EVERYTHING) + &nested(RULE_NESTING_MAX))), too_deep(2));
    let chained = rule("a", &format!("{EVERYTHING} when {{ true{} }}", "&&true".repeat(RULE_OPERATORS_MAX)));
    assert_eq!(parse(&chained), too_deep(1));
    let quoted = rule("a", &format!("{EVERYTHING} when {{ \"((((((((((((((((((;;\\\";\" == \"\" }}"));
    assert_eq!(parse(&quoted), Ok(()), "brackets in quotes are none");
}

#[test]
fn a_rule_that_fails_denies() {
    let fails = format!("{EVERYTHING} when {{ 9223372036854775807 + context.hour > 0 }}");
    let book = RuleBook::parse(&(rule("all", EVERYTHING) + &rule("sum", &fails))).unwrap();
    let mut access = access(practising(Role::Attending), Purpose::Treatment);
    let explanation = book.explain(&access);
    assert!(!explanation.allowed && !book.allows(&access));
    assert_eq!(explanation.permitting[0].id, "all");
    assert_eq!(explanation.failing[0].id, "sum");
    access.hour = 0;
    assert!(book.allows(&access), "no sum is too large at midnight");
}

#[test]
fn a_rule_can_go_by_the_hour_in_china() {
    let night = format!("{EVERYTHING} when {{ context.hour < 6 }}");
    let book = RuleBook::parse(&rule("night", &night)).unwrap();
    assert!(book.tells_time() && !default_book().tells_time());
    let at = |hours: u64| {
        let hour = hour_of_day(Timestamp(hours * 3_600_000));
        book.allows(&Access { hour, ..access(Reader::Layperson, Purpose::Treatment) })
    };
    assert_eq!([15, 16, 21, 22].map(at), [false, true, true, false], "midnight there is 16:00 UTC");
}

#[test]
fn what_was_decided_is_decided_the_same_again() {
    let book = default_book();
    for role in Role::ALL.iter().chain(Role::ALL) {
        for purpose in Purpose::ALL {
            let access = access(practising(*role), *purpose);
            assert_eq!(book.allows(&access), default_book_says(&access), "{access:?}");
        }
    }
}

/// What a rule book says that has decided nothing before.
fn default_book_says(access: &Access) -> bool {
    default_book().allows(access)
}

#[test]
fn nothing_is_allowed_by_no_rules() {
    let empty = RuleBook::parse("// none").unwrap();
    assert!(!empty.allows(&access(practising(Role::Attending), Purpose::Treatment)));
}

#[test]
fn each_rule_is_named_and_says_what_it_means() {
    let rules = default_book().rules();
    assert_eq!(rules.len(), 16);
    assert_eq!(rules.iter().filter(|rule| rule.forbids).count(), 7);
    let page = include_str!("../../../../docs/rule-book.md");
    for Rule { id, zh, en, .. } in rules {
        for part in [format!("`{id}`"), zh, en] {
            assert!(page.contains(&part), "docs/rule-book.md lacks {part}");
        }
    }
}
