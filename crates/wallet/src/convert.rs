//! The same closed lists as the ledger, the wallet's formats and the bridge each have them. Kept apart on purpose: a change
//! on the ledger must not change the bridge by accident; a missing case does not compile.

use amulet_app_api::{access, card as card_api, records, wallet};
use amulet_protocol::consent;

use crate::card::{FactKind, SummaryPart};
use crate::keyfile::Role;

macro_rules! same_names {
    ($to_left:ident: $left:path, $to_right:ident: $right:path, [$($variant:ident),* $(,)?]) => {
        /// Converts by name.
        pub(crate) fn $to_left(value: $right) -> $left {
            use $left as Left;
            use $right as Right;
            match value { $(Right::$variant => Left::$variant,)* }
        }

        /// Converts by name.
        #[allow(dead_code, reason = "some lists are only shown, never taken")]
        pub(crate) fn $to_right(value: $left) -> $right {
            use $left as Left;
            use $right as Right;
            match value { $(Left::$variant => Right::$variant,)* }
        }
    };
}

same_names!(category: records::Category, ledger_category: consent::Category, [
    Allergies, Conditions, Medicines, Labs, VitalSigns, Immunizations, Procedures, Imaging, Visits, CarePlans,
    Documents, Devices, Social, Administrative, Billing, Other,
]);
same_names!(class: records::DataClass, ledger_class: consent::DataClass, [Public, Internal, Sensitive, Core]);
same_names!(fhir_class: amulet_fhir::DataClass, class_of_fhir: consent::DataClass, [Public, Internal, Sensitive, Core]);
same_names!(purpose: access::Purpose, ledger_purpose: consent::Purpose, [
    Treatment, SecondOpinion, OngoingCare, FamilyCarer, Emergency, InsuranceClaim, Research,
]);
same_names!(practitioner_role: access::PractitionerRole, ledger_practitioner_role: consent::PractitionerRole, [
    Attending, Resident, Intern, Nurse, Pharmacist, Technician, Researcher, Assessor,
]);
same_names!(reason: access::EmergencyReason, ledger_reason: consent::EmergencyReason, [
    Unconscious, CannotCommunicate, LifeThreatening, Other,
]);
same_names!(fact_kind: card_api::FactKind, card_fact_kind: FactKind, [
    Name, BirthYear, BloodGroup, Allergy, Medicine, Condition, Device, Contact,
]);
same_names!(section: card_api::SummarySection, part: SummaryPart, [
    Allergies, BloodGroup, Medicines, Conditions, Devices, Immunizations, Contacts,
]);
same_names!(role: wallet::Role, file_role: Role, [Patient, Clinician]);

/// Facts as the bridge has them.
pub(crate) fn facts(facts: &[crate::card::Fact]) -> Vec<card_api::CardFact> {
    facts
        .iter()
        .map(|fact| card_api::CardFact { kind: fact_kind(fact.kind), text: fact.text.clone() })
        .collect()
}
