//! The words of the vocabularies as the schema writes them.

use super::access::GivenTo;
use amulet_protocol::consent::{Category, DataClass, PractitionerRole, Purpose};

/// A value that the schema has an enumerated entity type for.
pub(super) trait Word {
    fn word(self) -> &'static str;
}

impl Word for PractitionerRole {
    fn word(self) -> &'static str {
        match self {
            Self::Attending => "attending",
            Self::Resident => "resident",
            Self::Intern => "intern",
            Self::Nurse => "nurse",
            Self::Pharmacist => "pharmacist",
            Self::Technician => "technician",
            Self::Researcher => "researcher",
            Self::Assessor => "assessor",
        }
    }
}

impl Word for Category {
    fn word(self) -> &'static str {
        match self {
            Self::Allergies => "allergies",
            Self::Conditions => "conditions",
            Self::Medicines => "medicines",
            Self::Labs => "labs",
            Self::VitalSigns => "vital_signs",
            Self::Immunizations => "immunizations",
            Self::Procedures => "procedures",
            Self::Imaging => "imaging",
            Self::Visits => "visits",
            Self::CarePlans => "care_plans",
            Self::Documents => "documents",
            Self::Devices => "devices",
            Self::Social => "social",
            Self::Administrative => "administrative",
            Self::Billing => "billing",
            Self::Other => "other",
        }
    }
}

impl Word for DataClass {
    fn word(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Internal => "internal",
            Self::Sensitive => "sensitive",
            Self::Core => "core",
        }
    }
}

impl Word for Purpose {
    fn word(self) -> &'static str {
        match self {
            Self::Treatment => "treatment",
            Self::SecondOpinion => "second_opinion",
            Self::OngoingCare => "ongoing_care",
            Self::FamilyCarer => "family_carer",
            Self::Emergency => "emergency",
            Self::InsuranceClaim => "insurance_claim",
            Self::Research => "research",
        }
    }
}

impl Word for GivenTo {
    fn word(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Department => "department",
            Self::Role => "role",
            Self::Organisation => "organisation",
        }
    }
}
