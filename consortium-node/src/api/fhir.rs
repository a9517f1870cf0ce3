//! `POST /fhir`: a patient's bundle, from the hospital's own systems or from one of its practitioners.

use super::ApiState;
use super::auth::{Caller, authenticate};
use super::body::{BodyError, read_body};
use super::error::{ApiError, ErrorBody};
use crate::intake::review::class_named;
use crate::intake::{Brought, IntakeError, IntakeReport};
use amulet_crypto::digest::sm3;
use amulet_fhir::limits::{MAX_BUNDLE_BYTES, MAX_CLASSES_GIVEN};
use amulet_fhir::{DataClass, FileRefusal};
use amulet_protocol::ids::Did;
use axum::Json;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// How long the file of somebody who may not bring any is read.
const THROWN_AWAY_WITHIN: Duration = Duration::from_secs(10);

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct FhirQuery {
    /// DID of the patient whose records these are.
    patient: Option<String>,
    /// FHIR id of the Patient whose records are wanted, for a file with several patients (a bulk export) or with none.
    subject: Option<String>,
    /// Classes set by the hospital, as `Observation/1:core,Condition/2:sensitive`.
    classes: Option<String>,
}

/// Takes a FHIR file in: splits it into records, encrypts each to the patient, keeps the ciphertexts in two hospitals (those
/// of class core in this one alone) and registers the records on the ledger. Answers once they are registered. What a quality
/// rule flags waits for a person (`/api/v1/review`); what can't be right refuses the file. With
/// `Accept: application/fhir+json` a refusal is an OperationOutcome.
#[utoipa::path(post, path = "/fhir", tag = "hospital", params(FhirQuery),
    request_body(content_type = "application/fhir+json", content = serde_json::Value, description = "a FHIR Bundle, a single resource, or NDJSON with one resource a line"),
    security(("token" = []), ("practitioner" = [])),
    responses(
        (status = 200, description = "what became of each entry", body = IntakeReport),
        (status = 400, description = "no patient given, or a file that cannot be read", body = ErrorBody),
        (status = 401, description = "no token, a wrong one, or a signature from another time", body = ErrorBody),
        (status = 403, description = "the practitioner is not this hospital's", body = ErrorBody),
        (status = 404, description = "the patient has no wallet yet", body = ErrorBody),
        (status = 413, description = "larger than 32 MiB", body = ErrorBody),
        (status = 415, description = "XML", body = ErrorBody),
        (status = 422, description = "not one patient's file, or one that can't be right", body = ErrorBody),
        (status = 503, description = "busy, or too few hospitals are running", body = ErrorBody)))]
pub(super) async fn fhir(
    State(state): State<ApiState>,
    Query(query): Query<FhirQuery>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let wants_fhir = accepts_fhir(&headers);
    match take_in(state, query, headers, body).await {
        Ok(report) => Json(report).into_response(),
        Err(refusal) if wants_fhir => refusal.into_operation_outcome(),
        Err(refusal) => refusal.into_response(),
    }
}

async fn take_in(
    state: ApiState,
    query: FhirQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<IntakeReport, ApiError> {
    let (patient, caller) = match judge(&state, query.patient.as_deref(), &headers).await {
        Ok(judged) => judged,
        Err(refusal) => {
            // Read all the same, to throw it away: many clients lose an answer that comes before the body was read. Who
            // never ends gets no more time than that, for a place is held meanwhile.
            let _ = tokio::time::timeout(THROWN_AWAY_WITHIN, read_body(&headers, body, 0)).await;
            return Err(refusal);
        }
    };
    let body = read_body(&headers, body, MAX_BUNDLE_BYTES).await;
    let file = body.map_err(|error| match error {
        BodyError::TooLarge { bytes } => {
            refused(FileRefusal::TooLarge { bytes: bytes.unwrap_or(MAX_BUNDLE_BYTES + 1) })
        }
        BodyError::CutOff => ApiError::BodyCutOff,
    })?;
    if is_xml(&headers) {
        return Err(refused(FileRefusal::Xml));
    }
    if let Caller::Practitioner { body_digest } = caller
        && sm3(&file) != body_digest
    {
        return Err(ApiError::OtherFile);
    }
    let classes = query.classes.as_deref().map(read_classes).transpose()?.unwrap_or_default();
    let brought = Brought { file, subject: query.subject.filter(|subject| !subject.is_empty()), classes };
    // In a task of its own, so that it is not cut off in the middle when the caller goes away.
    let intake = state.parts.intake.clone();
    let taken = tokio::spawn(async move { intake.take_in(patient, brought).await }).await;
    Ok(taken.map_err(ApiError::internal)??)
}

/// Reads `Type/id:class` with commas between.
fn read_classes(text: &str) -> Result<BTreeMap<String, DataClass>, ApiError> {
    let mut classes = BTreeMap::new();
    for pair in text.split(',').filter(|pair| !pair.is_empty()) {
        let (label, class) = pair.rsplit_once(':').ok_or(ApiError::ClassesMalformed)?;
        classes.insert(label.to_owned(), class_named(class).map_err(IntakeError::from)?);
        if classes.len() > MAX_CLASSES_GIVEN {
            return Err(ApiError::ClassesMalformed);
        }
    }
    Ok(classes)
}

fn accepts_fhir(headers: &HeaderMap) -> bool {
    headers
        .get(ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("application/fhir+json"))
}

async fn judge(
    state: &ApiState,
    patient: Option<&str>,
    headers: &HeaderMap,
) -> Result<(Did, Caller), ApiError> {
    let patient = match patient {
        None | Some("") => Err(ApiError::PatientMissing),
        Some(text) => text.parse().map_err(ApiError::PatientMalformed),
    };
    // The token comes first: who has none learns nothing else.
    let caller = authenticate(state, headers, patient.as_ref().ok().copied()).await?;
    Ok((patient?, caller))
}

fn refused(refusal: FileRefusal) -> ApiError {
    ApiError::Intake(IntakeError::File(refusal))
}

fn is_xml(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|value| {
        value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().ends_with("xml")
    })
}
