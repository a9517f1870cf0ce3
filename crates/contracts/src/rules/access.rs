//! What the rule book is asked: who would read records of which kind, under what grant, and what for.

use amulet_protocol::consent::{Category, DataClass, PractitionerRole, Purpose};
use amulet_protocol::grantee::Grantee;
use amulet_protocol::ids::{Did, Timestamp};
use amulet_protocol::state::Practitioner;

const HOUR_MS: u64 = 3_600_000;
const HOURS_PER_DAY: u64 = 24;
/// China keeps one time, eight hours ahead of UTC, the whole year.
const CHINA_AHEAD_HOURS: u64 = 8;

/// One question to the rule book.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Access {
    /// Who would read.
    pub reader: Reader,
    /// What.
    pub kind: RecordKind,
    /// What for.
    pub purpose: Purpose,
    /// Whom the grant is for.
    pub given_to: GivenTo,
    /// Hour of the day in China, 0 to 23.
    pub hour: u8,
}

/// Who would read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reader {
    /// Somebody who practises, as their employer registered them.
    Practitioner {
        /// Employer.
        organisation: Did,
        /// Department.
        department: String,
        /// Role.
        role: PractitionerRole,
    },
    /// A relative who cares for the patient.
    Layperson,
}

/// Records that no rule can tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordKind {
    /// Category.
    pub category: Category,
    /// Class.
    pub class: DataClass,
    /// Who registered them.
    pub provider: Did,
    /// Whether the patient chose these very records; not so if a standing grant opened them later.
    pub by_name: bool,
}

/// Whom a grant is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GivenTo {
    /// One person.
    Person,
    /// The staff of a department, or those of them in a role.
    Department,
    /// All of an organisation's staff in a role.
    Role,
    /// All of an organisation's staff.
    Organisation,
}

impl Reader {
    /// Somebody who practises.
    #[must_use]
    pub fn practising(registration: &Practitioner) -> Self {
        let Practitioner { organisation, department, role, .. } = registration.clone();
        Self::Practitioner { organisation, department, role }
    }

    /// Whoever reads under a grant: who cares for a relative does so as a relative, whatever else they are.
    #[must_use]
    pub fn under(grantee: &Grantee, purpose: Purpose, registration: Option<&Practitioner>) -> Self {
        let as_relative = purpose.is_for_laypeople() && GivenTo::of(grantee) == GivenTo::Person;
        registration.filter(|_| !as_relative).map_or(Self::Layperson, Self::practising)
    }

    /// The reader's employer.
    #[must_use]
    pub fn organisation(&self) -> Option<Did> {
        match self {
            Self::Practitioner { organisation, .. } => Some(*organisation),
            Self::Layperson => None,
        }
    }
}

impl GivenTo {
    /// The narrowest thing that a grant names.
    #[must_use]
    pub fn of(grantee: &Grantee) -> Self {
        match grantee.staff() {
            None => Self::Person,
            Some(staff) if staff.department.is_some() => Self::Department,
            Some(staff) if staff.role.is_some() => Self::Role,
            Some(_) => Self::Organisation,
        }
    }
}

/// Hour of the day in China at a moment, 0 to 23.
#[must_use]
pub fn hour_of_day(at: Timestamp) -> u8 {
    let hour = (at.0 / HOUR_MS + CHINA_AHEAD_HOURS) % HOURS_PER_DAY;
    u8::try_from(hour).expect("a day has 24 hours")
}
