//! The closed vocabularies of consent: categories, classes, purposes, reasons.

use borsh::{BorshDeserialize, BorshSerialize};
use serde::{Deserialize, Serialize};

macro_rules! vocabulary {
    ($(#[$meta:meta])* $name:ident { $($(#[$item:meta])* $variant:ident,)* }) => {
        $(#[$meta])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
            BorshSerialize, BorshDeserialize, Serialize, Deserialize,
        )]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$item])* $variant,)* }

        impl $name {
            /// Every value, in the order of display.
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];
        }
    };
}

vocabulary!(
    /// What kind of record it is, as the wallet's timeline sorts it. Encoded by position: append only.
    Category {
        /// AllergyIntolerance.
        Allergies,
        /// Condition.
        Conditions,
        /// MedicationRequest, MedicationStatement and their like.
        Medicines,
        /// Laboratory observations and reports.
        Labs,
        /// Vital signs.
        VitalSigns,
        /// Immunization.
        Immunizations,
        /// Procedure.
        Procedures,
        /// ImagingStudy and imaging reports.
        Imaging,
        /// Encounter.
        Visits,
        /// CarePlan, CareTeam, Goal.
        CarePlans,
        /// Composition, DocumentReference.
        Documents,
        /// Device, DeviceUseStatement.
        Devices,
        /// Social history and surveys.
        Social,
        /// Patient, Organization, Practitioner, Location.
        Administrative,
        /// Claim, ExplanationOfBenefit, Coverage.
        Billing,
        /// Everything else.
        Other,
    }
);

vocabulary!(
    /// How sensitive a record is (Data Security Law, graded protection). Encoded by position: append only.
    DataClass {
        /// May be published.
        Public,
        /// For the running of the hospital.
        Internal,
        /// Personal health information.
        Sensitive,
        /// Never leaves the hospital that made it.
        Core,
    }
);

vocabulary!(
    /// Why data is read: a selection of HL7 PurposeOfUse. Encoded by position: append only.
    Purpose {
        /// A visit or treatment (TREAT).
        Treatment,
        /// A second opinion (TREAT, once).
        SecondOpinion,
        /// Ongoing care by a team (COC).
        OngoingCare,
        /// A family member who cares (FAMRQT).
        FamilyCarer,
        /// Emergency treatment (ETREAT).
        Emergency,
        /// An insurance claim (CLMATTCH).
        InsuranceClaim,
        /// Research in a registered study (HRESCH).
        Research,
    }
);

impl Purpose {
    /// Whether somebody who is no practitioner can read for it.
    #[must_use]
    pub fn is_for_laypeople(self) -> bool {
        self == Self::FamilyCarer
    }
}

vocabulary!(
    /// What a practitioner is at their organisation (FHIR `PractitionerRole.code`, coarse). Encoded by position: append only.
    PractitionerRole {
        /// A senior physician who answers for patients across departments.
        Attending,
        /// A physician in specialist training.
        Resident,
        /// Somebody in their first training, under supervision.
        Intern,
        /// A nurse.
        Nurse,
        /// A pharmacist.
        Pharmacist,
        /// A technician or therapist.
        Technician,
        /// A researcher.
        Researcher,
        /// A claims assessor of an insurer.
        Assessor,
    }
);

vocabulary!(
    /// The ground a clinician states for an emergency declaration. Encoded by position: append only.
    EmergencyReason {
        /// The patient is unconscious.
        Unconscious,
        /// The patient cannot communicate.
        CannotCommunicate,
        /// Life or limb is in danger and there is no time to ask.
        LifeThreatening,
        /// Another ground, given in the note.
        Other,
    }
);

vocabulary!(
    /// What the review of an emergency declaration found. Encoded by position: append only.
    ReviewFinding {
        /// There was an emergency, or it had to be taken for one.
        Justified,
        /// There was none.
        NotJustified,
    }
);

/// A calendar date in the Gregorian calendar, as days since 1970-01-01; may be negative.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    BorshSerialize,
    BorshDeserialize,
    Serialize,
    Deserialize,
)]
#[serde(transparent)]
pub struct Day(pub i32);

/// Which record dates a request or grant covers, both ends included; `None` leaves an end open.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize, Serialize, Deserialize,
)]
pub struct RecordDates {
    /// First day covered.
    pub from: Option<Day>,
    /// Last day covered.
    pub to: Option<Day>,
}
