//! A rule book that was found good, and what it decides.

use super::access::{Access, Reader};
use super::shape;
use super::words::Word;
use cedar_policy::{
    Authorizer, Context, Decision, Effect, Entities, Entity, EntityId, EntityTypeName, EntityUid, Policy,
    PolicyId, PolicySet, Request, RestrictedExpression, Schema, ValidationMode, Validator,
};
use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex, PoisonError};

/// What rules can speak of.
pub const SCHEMA: &str = include_str!("schema.cedarschema");
/// The rule book of the genesis state.
pub const DEFAULT_RULES: &str = include_str!("default.cedar");
/// Decisions kept of one rule book: some hundred readers with ten kinds of records each, in about a megabyte.
const DECISIONS_MAX: usize = 4_096;
/// Bytes of a rule's name.
const NAME_BYTES_MAX: usize = 64;

static PARSED_SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let (schema, _) = Schema::from_cedarschema_str(SCHEMA).expect("the schema is fixed and tested");
    schema
});
static TYPES: LazyLock<Types> = LazyLock::new(Types::new);

/// Why a text is no rule book.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRules {
    /// The text is too long.
    #[error("{bytes} bytes, more than {max}")]
    TooLong {
        /// Its bytes.
        bytes: usize,
        /// How many may be.
        max: usize,
    },
    /// There are too many rules.
    #[error("more than {max} rules")]
    TooMany {
        /// How many may be.
        max: usize,
    },
    /// One rule is too long.
    #[error("rule {number} has more than {max} bytes")]
    RuleTooLong {
        /// Which, from 1.
        number: usize,
        /// How many bytes it may have, with its sentences and the comments before it.
        max: usize,
    },
    /// One rule is too deep.
    #[error("rule {number} nests deeper than {nesting} or has more than {operators} operators")]
    TooDeep {
        /// Which, from 1.
        number: usize,
        /// How deep brackets may nest.
        nesting: usize,
        /// How many operators there may be.
        operators: usize,
    },
    /// A rule calls a function that is no part of Cedar's core.
    #[error("rule {number} uses an extension function (ip, decimal, datetime, duration)")]
    Extension {
        /// Which, from 1.
        number: usize,
    },
    /// The text does not follow Cedar's grammar.
    #[error("not Cedar: {0}")]
    Unreadable(String),
    /// A template, which leaves open whom it is for.
    #[error("templates are not allowed")]
    Template,
    /// A rule without a name in `@id`, or with one that is not of small letters, digits and hyphens.
    #[error("a rule has no good @id: {0:?}")]
    Unnamed(String),
    /// A rule without its plain sentence.
    #[error("rule {0} does not say in @zh and @en what it means")]
    Unsaid(String),
    /// Two rules of one name.
    #[error("two rules have the id {0}")]
    Twice(String),
    /// A rule that the validator refuses: it speaks of what is not in the schema, or compares what is not alike.
    #[error("against the schema: {0}")]
    IllTyped(String),
}

/// A rule book that was found good.
#[derive(Debug)]
pub struct RuleBook {
    text: String,
    policies: PolicySet,
    tells_time: bool,
    decided: Mutex<BTreeMap<Access, bool>>,
}

/// One rule, in words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule {
    /// Its name.
    pub id: String,
    /// Whether it forbids; else it permits.
    pub forbids: bool,
    /// What it says, in Chinese.
    pub zh: String,
    /// What it says, in English.
    pub en: String,
}

/// A decision and the rules that speak to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Whether the records may be read, if a live grant opens them.
    pub allowed: bool,
    /// Rules that permit it, by name. None of them counts if one forbids it.
    pub permitting: Vec<Rule>,
    /// Rules that forbid it, by name. Without any, and with none that permits it, it is denied too.
    pub forbidding: Vec<Rule>,
    /// Rules that could not be evaluated, by name. One is enough for a denial.
    pub failing: Vec<Rule>,
}

impl RuleBook {
    /// Reads and checks a rule book.
    ///
    /// # Errors
    /// [`BadRules`]. Whether there is an error depends on the text alone; its wording is for people.
    pub fn parse(text: &str) -> Result<Self, BadRules> {
        shape::check(text)?;
        let parsed: PolicySet = text
            .parse()
            .map_err(|error: cedar_policy::ParseErrors| BadRules::Unreadable(error.to_string()))?;
        if parsed.templates().next().is_some() {
            return Err(BadRules::Template);
        }
        let mut policies = PolicySet::new();
        for policy in parsed.policies() {
            let id = named(policy)?;
            policies.add(policy.new_id(PolicyId::new(&id))).map_err(|_| BadRules::Twice(id))?;
        }
        let validation = Validator::new(PARSED_SCHEMA.clone()).validate(&policies, ValidationMode::Strict);
        if !validation.validation_passed() {
            let mut errors: Vec<String> = validation.validation_errors().map(ToString::to_string).collect();
            errors.sort();
            return Err(BadRules::IllTyped(errors.join("; ")));
        }
        let tells_time = text.contains("hour");
        Ok(Self { text: text.to_owned(), policies, tells_time, decided: Mutex::default() })
    }

    /// The text it was read from.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether a decision can depend on the hour of the day.
    #[must_use]
    pub fn tells_time(&self) -> bool {
        self.tells_time
    }

    /// The rules, by name.
    #[must_use]
    pub fn rules(&self) -> Vec<Rule> {
        let mut rules: Vec<Rule> = self.policies.policies().map(rule).collect();
        rules.sort();
        rules
    }

    /// Whether an access is allowed: a rule permits it, none forbids it, and none failed.
    ///
    /// The same readers ask for the same kinds of records again and again, so what was decided is kept. It follows from the access
    /// alone, so nobody can tell what was kept and what was decided anew.
    #[must_use]
    pub fn allows(&self, access: &Access) -> bool {
        let kept = || self.decided.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(allowed) = kept().get(access) {
            return *allowed;
        }
        let allowed = self.decide(access);
        let mut kept = kept();
        if kept.len() == DECISIONS_MAX {
            kept.clear();
        }
        kept.insert(access.clone(), allowed);
        allowed
    }

    fn decide(&self, access: &Access) -> bool {
        let Some((request, entities)) = question(access) else { return false };
        let response = Authorizer::new().is_authorized(&request, &self.policies, &entities);
        response.decision() == Decision::Allow && response.diagnostics().errors().next().is_none()
    }

    /// Which rules speak to an access, and how.
    #[must_use]
    pub fn explain(&self, access: &Access) -> Explanation {
        let mut explanation = Explanation {
            allowed: self.allows(access),
            permitting: Vec::new(),
            forbidding: Vec::new(),
            failing: Vec::new(),
        };
        let Some((request, entities)) = question(access) else { return explanation };
        for policy in self.policies.policies() {
            // Alone, or a rule that forbids would hide those that permit.
            let alone = PolicySet::from_policies([policy.clone()]).expect("one rule has one name");
            let response = Authorizer::new().is_authorized(&request, &alone, &entities);
            if response.diagnostics().errors().next().is_some() {
                explanation.failing.push(rule(policy));
            } else if response.diagnostics().reason().next().is_some() {
                let side = match policy.effect() {
                    Effect::Permit => &mut explanation.permitting,
                    Effect::Forbid => &mut explanation.forbidding,
                };
                side.push(rule(policy));
            }
        }
        for side in [&mut explanation.permitting, &mut explanation.forbidding, &mut explanation.failing] {
            side.sort();
        }
        explanation
    }
}

/// A rule's name, if it has a good one and says what it means.
fn named(policy: &Policy) -> Result<String, BadRules> {
    let id = policy.annotation("id").unwrap_or_default();
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if !(1..=NAME_BYTES_MAX).contains(&id.len()) || !id.bytes().all(plain) {
        return Err(BadRules::Unnamed(id.to_owned()));
    }
    if ["zh", "en"].iter().any(|language| policy.annotation(language).unwrap_or_default().is_empty()) {
        return Err(BadRules::Unsaid(id.to_owned()));
    }
    Ok(id.to_owned())
}

fn rule(policy: &Policy) -> Rule {
    let said = |language| policy.annotation(language).unwrap_or_default().to_owned();
    let forbids = policy.effect() == Effect::Forbid;
    Rule { id: said("id"), forbids, zh: said("zh"), en: said("en") }
}

/// The schema's types, parsed once: parsing a name costs more than a decision.
struct Types {
    role: EntityTypeName,
    category: EntityTypeName,
    class: EntityTypeName,
    purpose: EntityTypeName,
    grantee: EntityTypeName,
    organisation: EntityTypeName,
    practitioner: EntityUid,
    layperson: EntityUid,
    records: EntityUid,
    read: EntityUid,
}

impl Types {
    fn new() -> Self {
        let name = |name: &str| name.parse::<EntityTypeName>().expect("a constant that is a name");
        let thing = |kind: &str, id: &str| EntityUid::from_type_name_and_id(name(kind), EntityId::new(id));
        Self {
            role: name("Role"),
            category: name("Category"),
            class: name("DataClass"),
            purpose: name("Purpose"),
            grantee: name("Grantee"),
            organisation: name("Organisation"),
            practitioner: thing("Practitioner", "reader"),
            layperson: thing("Layperson", "reader"),
            records: thing("RecordKind", "records"),
            read: thing("Action", "read"),
        }
    }
}

/// The question in Cedar's terms; none if it cannot be put, which no access that a contract asks about is.
fn question(access: &Access) -> Option<(Request, Entities)> {
    let types = &*TYPES;
    let value = |kind: &EntityTypeName, id: &str| {
        let thing = EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id));
        RestrictedExpression::new_entity_uid(thing)
    };
    let attribute = |name: &str, value| (name.to_owned(), value);
    let (principal, attributes) = match &access.reader {
        Reader::Practitioner { organisation, department, role } => (
            &types.practitioner,
            vec![
                attribute("organisation", value(&types.organisation, &organisation.to_string())),
                attribute("department", RestrictedExpression::new_string(department.clone())),
                attribute("role", value(&types.role, role.word())),
            ],
        ),
        Reader::Layperson => (&types.layperson, Vec::new()),
    };
    let kind = &access.kind;
    let records = [
        attribute("category", value(&types.category, kind.category.word())),
        attribute("class", value(&types.class, kind.class.word())),
        attribute("provider", value(&types.organisation, &kind.provider.to_string())),
    ];
    let same = access.reader.organisation() == Some(kind.provider);
    let context = Context::from_pairs([
        attribute("purpose", value(&types.purpose, access.purpose.word())),
        attribute("grantee", value(&types.grantee, access.given_to.word())),
        attribute("byName", RestrictedExpression::new_bool(kind.by_name)),
        attribute("sameOrganisation", RestrictedExpression::new_bool(same)),
        attribute("hour", RestrictedExpression::new_long(i64::from(access.hour))),
    ]);
    let none = || std::iter::empty().collect();
    let reader = Entity::new(principal.clone(), attributes.into_iter().collect(), none()).ok()?;
    let record = Entity::new(types.records.clone(), records.into_iter().collect(), none()).ok()?;
    let entities = Entities::from_entities([reader, record], None).ok()?;
    let (action, resource) = (types.read.clone(), types.records.clone());
    let request = Request::new(principal.clone(), action, resource, context.ok()?, None).ok()?;
    Some((request, entities))
}
