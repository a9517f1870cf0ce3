//! Who may read under a grant: a person, or those who practise at an organisation.

use crate::consent::{PractitionerRole, Purpose};
use crate::ids::{Did, Timestamp};
use crate::limits::NAME_BYTES_MAX;
use crate::state::Practitioner;
use crate::study::StudyId;
use alloc::string::String;
use borsh::{BorshDeserialize, BorshSerialize};

/// Who may read under a grant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub enum Grantee {
    /// One person.
    Person(Did),
    /// Everybody who practises at an organisation, or a part of them.
    Staff(Staff),
    /// Those who read for a study in which the patient takes part.
    Study(Participation),
}

/// A patient's part in a study.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct Participation {
    /// The study.
    pub study: StudyId,
    /// Who reads for it, as the study says.
    pub staff: Staff,
}

/// Those who practise at an organisation, whoever that is at the time of reading (FHIR `PractitionerRole`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct Staff {
    /// The organisation; it answers for what its staff do with the grant.
    pub organisation: Did,
    /// Only those of this department, written as in their registration.
    pub department: Option<String>,
    /// Only those in this role.
    pub role: Option<PractitionerRole>,
}

impl Grantee {
    /// Who answers for the grant: the person, or the organisation.
    #[must_use]
    pub fn did(&self) -> Did {
        match self {
            Self::Person(did) => *did,
            Self::Staff(staff) | Self::Study(Participation { staff, .. }) => staff.organisation,
        }
    }

    /// The staff, unless it is a person.
    #[must_use]
    pub fn staff(&self) -> Option<&Staff> {
        match self {
            Self::Person(_) => None,
            Self::Staff(staff) | Self::Study(Participation { staff, .. }) => Some(staff),
        }
    }

    /// The study, if it is one.
    #[must_use]
    pub fn study(&self) -> Option<StudyId> {
        match self {
            Self::Person(_) | Self::Staff(_) => None,
            Self::Study(participation) => Some(participation.study),
        }
    }

    /// Whether `reader`, registered as `registration` or not at all, may read for this purpose at `now`. Only a person who
    /// cares for a relative need not be registered.
    #[must_use]
    pub fn includes(
        &self,
        reader: Did,
        registration: Option<&Practitioner>,
        purpose: Purpose,
        now: Timestamp,
    ) -> bool {
        let counts = registration.filter(|registration| registration.counts_at(now));
        match self {
            Self::Person(did) => *did == reader && (counts.is_some() || purpose.is_for_laypeople()),
            Self::Staff(staff) | Self::Study(Participation { staff, .. }) => {
                counts.is_some_and(|registration| staff.includes(registration))
            }
        }
    }
}

impl Staff {
    /// Whether a registration is of one of them.
    #[must_use]
    pub fn includes(&self, registration: &Practitioner) -> bool {
        registration.organisation == self.organisation
            && self.department.as_ref().is_none_or(|department| *department == registration.department)
            && self.role.is_none_or(|role| role == registration.role)
    }

    /// Whether the department, if there is one, has a name that a registration could have.
    #[must_use]
    pub fn is_well_formed(&self) -> bool {
        self.department.as_ref().is_none_or(|department| (1..=NAME_BYTES_MAX).contains(&department.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use amulet_crypto::entropy::SeededEntropy;
    use amulet_crypto::signing::SigningKey;

    fn did(seed: u64) -> Did {
        Did::of_key(SigningKey::generate(&mut SeededEntropy::new(seed)).public_key())
    }

    fn registered(department: &str, role: PractitionerRole) -> Practitioner {
        Practitioner {
            organisation: did(1),
            name: "Li Min".into(),
            department: department.into(),
            role,
            valid_from: Timestamp(100),
            valid_until: Timestamp(200),
        }
    }

    #[test]
    fn a_person_reads_while_registered_and_a_carer_without() {
        let grantee = Grantee::Person(did(2));
        let doctor = registered("Cardiology", PractitionerRole::Attending);
        let reads = |reader, registration, purpose, now| {
            grantee.includes(reader, registration, purpose, Timestamp(now))
        };
        assert!(reads(did(2), Some(&doctor), Purpose::Treatment, 100));
        assert!(!reads(did(3), Some(&doctor), Purpose::Treatment, 100), "somebody else");
        assert!(!reads(did(2), Some(&doctor), Purpose::Treatment, 200), "no longer registered");
        assert!(!reads(did(2), None, Purpose::Treatment, 100), "never registered");
        assert!(reads(did(2), None, Purpose::FamilyCarer, 100));
        assert!(!reads(did(3), None, Purpose::FamilyCarer, 100), "somebody else's relative");
    }

    #[test]
    fn staff_are_those_of_the_organisation_the_department_and_the_role() {
        let nurse = registered("Cardiology", PractitionerRole::Nurse);
        let staff = |organisation, department: Option<&str>, role| {
            let department = department.map(Into::into);
            Grantee::Staff(Staff { organisation: did(organisation), department, role })
        };
        let reads =
            |grantee: Grantee, purpose| grantee.includes(did(9), Some(&nurse), purpose, Timestamp(150));
        assert!(reads(staff(1, None, None), Purpose::Treatment));
        assert!(reads(staff(1, Some("Cardiology"), Some(PractitionerRole::Nurse)), Purpose::Treatment));
        assert!(!reads(staff(2, None, None), Purpose::Treatment));
        assert!(!reads(staff(1, Some("Oncology"), None), Purpose::Treatment));
        assert!(!reads(staff(1, None, Some(PractitionerRole::Intern)), Purpose::Treatment));
        let carer = staff(1, None, None);
        assert!(!carer.includes(did(9), None, Purpose::FamilyCarer, Timestamp(150)), "no staff, no relative");
    }
}
