//! Errors of the HTTP interface: always JSON, always with a stable code.

use crate::intake::IntakeError;
use crate::intake::review::{FindingView, ReviewError};
use amulet_fhir::FileRefusal;
use amulet_fhir::limits::MAX_CLASSES_GIVEN;
use amulet_fhir::quality::{operation_outcome, operation_outcome_of};
use amulet_protocol::ids::DidError;
use amulet_protocol::light::LightRefusal;
use axum::Json;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// Body of every answer that is an error.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct ErrorBody {
    /// What went wrong.
    error: ErrorDetail,
}

/// Code and message of an error.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ErrorDetail {
    /// Stable, for programs and translations.
    #[schema(example = "file_is_xml")]
    code: &'static str,
    /// For people: what is wrong and what to do next.
    message: String,
    /// What the quality rules found, where they refused the file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<FindingView>,
}

/// Why a request is not answered as asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApiError {
    #[error("there is nothing at this address")]
    NotFound,
    #[error("this address does not take {method}")]
    Method { method: String },
    #[error("the body has more than {limit} bytes, which is the limit here")]
    BodyTooLarge { limit: usize },
    #[error("the body could not be read to its end; send it again")]
    BodyCutOff,
    #[error("the body is no question of a light client (borsh, application/octet-stream)")]
    NotAQuestion,
    #[error("say whose records these are: POST /fhir?patient=did:amulet:…")]
    PatientMissing,
    #[error("the patient given is not an identity: {0}")]
    PatientMalformed(DidError),
    #[error(
        "say who you are: Authorization: Bearer <token of this hospital>, or a practitioner's signed request"
    )]
    Unauthenticated,
    #[error("the token is not this hospital's")]
    WrongToken,
    #[error("the signed request cannot be read: {reason}")]
    SignatureMalformed { reason: &'static str },
    #[error("the signed request is not good here: {reason}")]
    NotEntitled { reason: &'static str },
    #[error(
        "the signed request is dated {dated}, this node's clock says {now}; check the clock and sign again"
    )]
    Clock { dated: u64, now: u64 },
    #[error("the file is not the one that was signed for; sign again")]
    OtherFile,
    #[error("classes are given as Type/id:class with commas between, at most {MAX_CLASSES_GIVEN}")]
    ClassesMalformed,
    #[error("only the hospital's own systems may do this")]
    HospitalOnly,
    #[error("a file is sent with its length (Content-Length)")]
    LengthMissing,
    #[error("there is no such category; see docs/intake.md")]
    CategoryUnknown,
    #[error("a digest is 64 hexadecimal digits")]
    DigestMalformed,
    #[error("the ciphertext is not released: {0}")]
    Refused(LightRefusal),
    #[error("a scrub of the vault is running; see how it goes, or wait for its end")]
    ScrubRunning,
    #[error("the decision cannot be read: {0}")]
    DecisionMalformed(String),
    #[error("the number of an item is a whole number")]
    ItemMalformed,
    #[error(transparent)]
    Intake(#[from] IntakeError),
    #[error(
        "say who you are: Authorization: Bearer <token>, which is in keys/console.token of the node's folder"
    )]
    ConsoleTokenMissing,
    #[error("a page is a whole number, from 1")]
    PageMalformed,
    #[error("a height is a whole number")]
    HeightMalformed,
    #[error("there is no block {height} yet")]
    NoSuchBlock { height: u64 },
    #[error("block 0 is the genesis document, which /network.json holds")]
    GenesisBlock,
    #[error("the node answers as many requests as it can; try again in a moment")]
    Busy,
    #[error("the request took too long")]
    TimedOut,
    #[error("the node made an error; its log says more")]
    Internal,
}

impl ApiError {
    /// Logs this node's own failure; the asker is told no details.
    pub(super) fn internal(error: impl std::fmt::Display) -> Self {
        tracing::error!(%error, "request failed");
        Self::Internal
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::NotFound | Self::NoSuchBlock { .. } | Self::GenesisBlock => StatusCode::NOT_FOUND,
            Self::Method { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyCutOff
            | Self::NotAQuestion
            | Self::PatientMissing
            | Self::PatientMalformed(_)
            | Self::HeightMalformed
            | Self::PageMalformed
            | Self::ClassesMalformed
            | Self::DecisionMalformed(_)
            | Self::ItemMalformed
            | Self::LengthMissing
            | Self::CategoryUnknown
            | Self::DigestMalformed
            | Self::SignatureMalformed { .. }
            | Self::OtherFile => StatusCode::BAD_REQUEST,
            Self::Unauthenticated | Self::ConsoleTokenMissing | Self::WrongToken | Self::Clock { .. } => {
                StatusCode::UNAUTHORIZED
            }
            Self::NotEntitled { .. } | Self::HospitalOnly => StatusCode::FORBIDDEN,
            Self::Refused(LightRefusal::Busy) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Refused(LightRefusal::Malformed) => StatusCode::BAD_REQUEST,
            Self::Refused(_) => StatusCode::FORBIDDEN,
            Self::ScrubRunning => StatusCode::CONFLICT,
            Self::Intake(error) => intake_status(error),
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::TimedOut => StatusCode::GATEWAY_TIMEOUT,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Method { .. } => "method_not_allowed",
            Self::BodyTooLarge { .. } => "body_too_large",
            Self::BodyCutOff => "body_cut_off",
            Self::NotAQuestion => "malformed_request",
            Self::PatientMissing => "patient_missing",
            Self::PatientMalformed(_) => "patient_malformed",
            Self::Unauthenticated | Self::ConsoleTokenMissing => "unauthenticated",
            Self::WrongToken => "wrong_token",
            Self::SignatureMalformed { .. } => "signature_malformed",
            Self::NotEntitled { .. } => "not_entitled",
            Self::Clock { .. } => "clock",
            Self::OtherFile => "other_file",
            Self::ClassesMalformed => "classes_malformed",
            Self::HospitalOnly => "hospital_only",
            Self::LengthMissing => "length_missing",
            Self::CategoryUnknown => "category_unknown",
            Self::DigestMalformed => "digest_malformed",
            Self::Refused(_) => "not_released",
            Self::ScrubRunning => "scrub_running",
            Self::DecisionMalformed(_) => "decision_malformed",
            Self::ItemMalformed => "item_malformed",
            Self::Intake(error) => intake_code(error),
            Self::HeightMalformed => "height_malformed",
            Self::PageMalformed => "page_malformed",
            Self::NoSuchBlock { .. } => "no_such_block",
            Self::GenesisBlock => "genesis_block",
            Self::Busy => "busy",
            Self::TimedOut => "timed_out",
            Self::Internal => "internal",
        }
    }
}

fn intake_status(error: &IntakeError) -> StatusCode {
    match error {
        IntakeError::Busy | IntakeError::NoMirror | IntakeError::Unfinished { .. } => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        IntakeError::UnknownPatient { .. } | IntakeError::Review(ReviewError::NoSuchItem { .. }) => {
            StatusCode::NOT_FOUND
        }
        IntakeError::FileTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        IntakeError::Words { .. } | IntakeError::OtherLength { .. } | IntakeError::CutOff => {
            StatusCode::BAD_REQUEST
        }
        IntakeError::Review(ReviewError::Full { .. }) => StatusCode::SERVICE_UNAVAILABLE,
        IntakeError::Review(ReviewError::Decided { .. }) => StatusCode::CONFLICT,
        IntakeError::Review(ReviewError::Incomplete { .. } | ReviewError::UnknownClass { .. }) => {
            StatusCode::BAD_REQUEST
        }
        IntakeError::File(refusal) => match refusal {
            FileRefusal::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            FileRefusal::Xml | FileRefusal::Cda | FileRefusal::Hl7V2 => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            FileRefusal::Empty | FileRefusal::NotUtf8 { .. } | FileRefusal::NotJson { .. } => {
                StatusCode::BAD_REQUEST
            }
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        },
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn intake_code(error: &IntakeError) -> &'static str {
    match error {
        IntakeError::Busy => "busy",
        IntakeError::UnknownPatient { .. } => "patient_unknown",
        IntakeError::File(refusal) => refusal.code(),
        IntakeError::NoMirror => "no_mirror",
        IntakeError::FileTooLarge { .. } => "file_too_large",
        IntakeError::Words { .. } => "words_too_long",
        IntakeError::OtherLength { .. } => "other_length",
        IntakeError::CutOff => "body_cut_off",
        IntakeError::Unfinished { .. } => "unfinished",
        IntakeError::Review(error) => match error {
            ReviewError::NoSuchItem { .. } => "no_such_item",
            ReviewError::Full { .. } => "review_queue_full",
            ReviewError::Decided { .. } => "decided_already",
            ReviewError::Incomplete { .. } => "decision_incomplete",
            ReviewError::UnknownClass { .. } => "unknown_class",
            _ => "internal",
        },
        _ => "internal",
    }
}

impl ApiError {
    /// The error as FHIR says it.
    pub(super) fn into_operation_outcome(self) -> Response {
        let outcome = match &self {
            Self::Intake(IntakeError::File(FileRefusal::Quality { findings, more })) => {
                operation_outcome(findings, *more)
            }
            _ if self.status() == StatusCode::INTERNAL_SERVER_ERROR => return self.into_response(),
            _ => operation_outcome_of(self.code(), &self.to_string()),
        };
        let kind = [(CONTENT_TYPE, "application/fhir+json")];
        (self.status(), kind, outcome.to_string()).into_response()
    }

    fn findings(&self) -> Vec<FindingView> {
        match self {
            Self::Intake(IntakeError::File(FileRefusal::Quality { findings, .. })) => {
                findings.iter().map(Into::into).collect()
            }
            _ => Vec::new(),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let findings = self.findings();
        let (status, code) = (self.status(), self.code());
        let mut message = self.to_string();
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            // What failed inside is for the log alone.
            tracing::error!(error = %message, "request failed");
            message = Self::Internal.to_string();
        }
        (status, Json(ErrorBody { error: ErrorDetail { code, message, findings } })).into_response()
    }
}
