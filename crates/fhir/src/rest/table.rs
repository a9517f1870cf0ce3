//! The one table of what is served: the router, the search and the CapabilityStatement all read it.

/// A resource type that is served.
#[derive(Debug, PartialEq, Eq)]
pub struct Served {
    /// The type.
    pub name: &'static str,
    /// Where it comes from.
    pub source: Source,
    /// What can be searched for, beside `_id` and `_lastUpdated`.
    pub parameters: &'static [Parameter],
}

/// Where resources of a type come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Records, which are read under a grant.
    Records,
    /// The ledger.
    Ledger,
}

/// A search parameter of R4.
#[derive(Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// How it is compared.
    pub kind: ParameterKind,
    /// Where its values stand: paths of element names from the resource on. The last name of a path may begin a choice
    /// (`effective` for `effectiveDateTime`).
    pub paths: &'static [&'static str],
}

/// How a parameter is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// A code, with its system or without.
    Token,
    /// A moment or a time.
    Date,
    /// The patient. Compared by who asks, never here: everything on a shelf is of one patient.
    Patient,
}

impl ParameterKind {
    /// R4's name of the kind.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Date => "date",
            Self::Patient => "reference",
        }
    }
}

const fn token(name: &'static str, paths: &'static [&'static str]) -> Parameter {
    Parameter { name, kind: ParameterKind::Token, paths }
}

const fn date(name: &'static str, paths: &'static [&'static str]) -> Parameter {
    Parameter { name, kind: ParameterKind::Date, paths }
}

const PATIENT: Parameter = Parameter { name: "patient", kind: ParameterKind::Patient, paths: &[] };
const CODE: Parameter = token("code", &["code"]);
const CATEGORY: Parameter = token("category", &["category"]);
const STATUS: Parameter = token("status", &["status"]);
const IDENTIFIER: Parameter = token("identifier", &["identifier"]);

const fn records(name: &'static str, parameters: &'static [Parameter]) -> Served {
    Served { name, source: Source::Records, parameters }
}

/// What is served.
pub static SERVED: &[Served] = &[
    records("Patient", &[IDENTIFIER]),
    records(
        "AllergyIntolerance",
        &[
            PATIENT,
            token("code", &["code", "reaction.substance"]),
            CATEGORY,
            date("date", &["recordedDate"]),
            token("clinical-status", &["clinicalStatus"]),
            token("verification-status", &["verificationStatus"]),
            token("criticality", &["criticality"]),
        ],
    ),
    records(
        "Condition",
        &[
            PATIENT,
            CODE,
            CATEGORY,
            date("onset-date", &["onset"]),
            date("recorded-date", &["recordedDate"]),
            token("clinical-status", &["clinicalStatus"]),
            token("verification-status", &["verificationStatus"]),
        ],
    ),
    records("DiagnosticReport", &[PATIENT, CODE, CATEGORY, date("date", &["effective"]), STATUS]),
    records(
        "Encounter",
        &[PATIENT, token("class", &["class"]), token("type", &["type"]), date("date", &["period"]), STATUS],
    ),
    records(
        "Immunization",
        &[PATIENT, token("vaccine-code", &["vaccineCode"]), date("date", &["occurrence"]), STATUS],
    ),
    records(
        "MedicationRequest",
        &[
            PATIENT,
            token("code", &["medicationCodeableConcept"]),
            token("intent", &["intent"]),
            date("authoredon", &["authoredOn"]),
            date("date", &["dosageInstruction.timing.event"]),
            STATUS,
        ],
    ),
    records("Observation", &[PATIENT, CODE, CATEGORY, date("date", &["effective"]), STATUS]),
    records("Procedure", &[PATIENT, CODE, CATEGORY, date("date", &["performed"]), STATUS]),
    Served {
        name: "AuditEvent",
        source: Source::Ledger,
        parameters: &[
            PATIENT,
            date("date", &["recorded"]),
            token("action", &["action"]),
            token("type", &["type"]),
        ],
    },
    Served {
        name: "Consent",
        source: Source::Ledger,
        parameters: &[PATIENT, CATEGORY, date("date", &["dateTime"]), STATUS],
    },
];

/// What is served of a type, if it is.
#[must_use]
pub fn served(name: &str) -> Option<&'static Served> {
    SERVED.iter().find(|served| served.name == name)
}

impl Served {
    /// A parameter of this type.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&'static Parameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }
}
