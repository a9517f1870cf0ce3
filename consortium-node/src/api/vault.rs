//! `/api/v1/vault` and `/api/v1/files`: large files in and out, and keeping the vault whole.

use super::ApiState;
use super::auth::hospital_only;
use super::body::read_body;
use super::error::{ApiError, ErrorBody};
use crate::intake::review::class_named;
use crate::intake::{FileBrought, FileReport, IntakeError};
use crate::vault::{ErasedView, HeldView, ScrubReport};
use amulet_fhir::Category;
use amulet_protocol::codec;
use amulet_protocol::ids::BlobId;
use amulet_protocol::light::UntrustedReadRequest;
use axum::Json;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use serde::Deserialize;
use std::num::NonZeroU64;
use std::time::Duration;

/// Bytes of a signed read request for one ciphertext; it has about 350.
const READ_REQUEST_BYTES_MAX: usize = 1_024;
/// Longest time for which one ciphertext is streamed; whoever needs longer asks for the rest.
const STREAM_TIME_MAX: Duration = Duration::from_secs(2 * 3_600);
/// Where a stream goes on.
const FROM: &str = "x-amulet-from";
/// Bytes of the whole ciphertext.
const SIZE: &str = "x-amulet-size";

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct FileQuery {
    /// DID of the patient.
    patient: String,
    /// The file's id at the hospital; the same id again is the next version.
    id: String,
    /// Text for a list.
    title: String,
    /// Clinically relevant date, as FHIR writes it.
    date: Option<String>,
    /// Category; `imaging` without it.
    category: Option<String>,
    /// Class; `sensitive` without it.
    class: Option<String>,
}

/// Takes a file of up to 4 GiB in as one record, such as an imaging study; it is encrypted as it comes.
#[utoipa::path(post, path = "/api/v1/files", tag = "hospital", params(FileQuery), security(("token" = [])),
    request_body(content_type = "application/dicom", content = Vec<u8>, description = "the file; its length is announced"),
    responses((status = 200, description = "it is registered", body = FileReport),
        (status = 400, description = "no length, no patient, or words that cannot be", body = ErrorBody),
        (status = 401, description = "no token or a wrong one", body = ErrorBody),
        (status = 404, description = "the patient has no wallet yet", body = ErrorBody),
        (status = 413, description = "larger than 4 GiB", body = ErrorBody),
        (status = 503, description = "busy, or too few hospitals are running", body = ErrorBody)))]
pub(super) async fn file(
    State(state): State<ApiState>,
    Query(query): Query<FileQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<FileReport>, ApiError> {
    hospital_only(&state, &headers).await?;
    let patient = query.patient.parse().map_err(ApiError::PatientMalformed)?;
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let bytes = text(CONTENT_LENGTH).and_then(|bytes| bytes.parse().ok()).ok_or(ApiError::LengthMissing)?;
    let category = query.category.as_deref().unwrap_or(Category::Imaging.code());
    let category = Category::ALL.into_iter().find(|known| known.code() == category);
    let class = query.class.as_deref().unwrap_or("sensitive");
    let brought = FileBrought {
        id: query.id,
        title: query.title,
        content_type: text(CONTENT_TYPE).unwrap_or("application/octet-stream").to_owned(),
        date: query.date,
        category: category.ok_or(ApiError::CategoryUnknown)?,
        class: class_named(class).map_err(IntakeError::from)?,
        bytes,
    };
    let intake = state.parts.intake.clone();
    // In a task of its own, so that what has come whole is registered even if the caller goes away.
    let taken =
        tokio::spawn(async move { intake.take_file(patient, brought, body.into_data_stream()).await });
    Ok(Json(taken.await.map_err(ApiError::internal)??))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ReadQuery {
    /// The first byte wanted, for a stream that was cut off.
    #[serde(default)]
    from: u64,
}

/// Gives one ciphertext of any size to who may have it. What comes has to be held against the digest that the ledger names.
#[utoipa::path(post, path = "/api/v1/vault/read", tag = "wallets", params(ReadQuery),
    request_body(content_type = "application/octet-stream", content = Vec<u8>,
        description = "borsh encoding of a signed ReadRequest for one ciphertext"),
    responses((status = 200, description = "the ciphertext", content_type = "application/octet-stream", body = Vec<u8>),
        (status = 400, description = "no such request", body = ErrorBody),
        (status = 403, description = "it is refused, and why", body = ErrorBody),
        (status = 404, description = "there is no copy here, or it has no such byte", body = ErrorBody)))]
pub(super) async fn read(
    State(state): State<ApiState>,
    Query(ReadQuery { from }): Query<ReadQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let limit = READ_REQUEST_BYTES_MAX;
    let bytes = read_body(&headers, body, limit).await.map_err(|error| error.with_limit(limit))?;
    let request: UntrustedReadRequest = codec::decode(&bytes, limit).map_err(|_| ApiError::NotAQuestion)?;
    let slot = state.streams.clone().try_acquire_owned().map_err(|_| ApiError::Busy)?;
    let release = state.parts.light.release();
    let found = release.stream((state.parts.now)(), request, from).await.map_err(ApiError::Refused)?;
    let outgoing = found.ok_or(ApiError::NotFound)?;
    let headers = [
        (CONTENT_TYPE.as_str(), "application/octet-stream".to_owned()),
        (CONTENT_LENGTH.as_str(), (outgoing.size - from).to_string()),
        (FROM, from.to_string()),
        (SIZE, outgoing.size.to_string()),
    ];
    // The place is free again when the stream has ended, or was given up.
    let pieces = outgoing.pieces.take_until(tokio::time::sleep(STREAM_TIME_MAX)).map(move |piece| {
        let _held = &slot;
        piece
    });
    Ok((headers, Body::from_stream(pieces)).into_response())
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ScrubQuery {
    /// Bytes read a second; as fast as it goes without it.
    #[param(value_type = Option<u64>)]
    bytes_per_second: Option<NonZeroU64>,
}

/// How the scrub of the vault goes, or how the last one went.
#[utoipa::path(get, path = "/api/v1/vault/scrub", tag = "hospital", security(("token" = [])),
    responses((status = 200, description = "how it goes", body = ScrubReport),
        (status = 401, description = "no token or a wrong one", body = ErrorBody)))]
pub(super) async fn scrub(
    State(state): State<ApiState>,
    headers: HeaderMap,
) -> Result<Json<ScrubReport>, ApiError> {
    hospital_only(&state, &headers).await?;
    Ok(Json(state.parts.scrubber.report()))
}

/// Begins a scrub of the vault: every ciphertext that this hospital has to have is read and held against its digest, and what is
/// damaged or missing is fetched again from the other holder.
#[utoipa::path(post, path = "/api/v1/vault/scrub", tag = "hospital", params(ScrubQuery), security(("token" = [])),
    responses((status = 202, description = "it has begun", body = ScrubReport),
        (status = 401, description = "no token or a wrong one", body = ErrorBody),
        (status = 409, description = "one is running", body = ErrorBody)))]
pub(super) async fn begin_scrub(
    State(state): State<ApiState>,
    Query(query): Query<ScrubQuery>,
    headers: HeaderMap,
) -> Result<(StatusCode, Json<ScrubReport>), ApiError> {
    hospital_only(&state, &headers).await?;
    let scrubber = state.parts.scrubber.clone();
    let started = scrubber.begin(query.bytes_per_second).map_err(|_| ApiError::ScrubRunning)?;
    Ok((StatusCode::ACCEPTED, Json(started)))
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct HeldQuery {
    /// Ciphertexts after this one, hex; the first ones without it.
    after: Option<String>,
}

/// The ciphertexts that this hospital has to have, as the ledger says; some at a time, in the order of their digests.
#[utoipa::path(get, path = "/api/v1/vault/held", tag = "hospital", params(HeldQuery), security(("token" = [])),
    responses((status = 200, description = "the ciphertexts", body = HeldView),
        (status = 400, description = "not a digest", body = ErrorBody),
        (status = 401, description = "no token or a wrong one", body = ErrorBody)))]
pub(super) async fn held(
    State(state): State<ApiState>,
    Query(query): Query<HeldQuery>,
    headers: HeaderMap,
) -> Result<Json<HeldView>, ApiError> {
    hospital_only(&state, &headers).await?;
    let after = query.after.map(|text| text.parse().map(BlobId).map_err(|_| ApiError::DigestMalformed));
    let (after, parts) = (after.transpose()?, &state.parts);
    let (index, ledger, organisation) = (parts.index.clone(), parts.ledger.clone(), parts.site.organisation);
    let view = tokio::task::spawn_blocking(move || HeldView::read(&index, &ledger, organisation, after));
    Ok(Json(view.await.map_err(ApiError::internal)?.map_err(ApiError::internal)?))
}

/// The ciphertexts that the ledger says are erased, in all hospitals; some at a time, in the order of their digests. A restore leaves
/// them out.
#[utoipa::path(get, path = "/api/v1/vault/erased", tag = "hospital", params(HeldQuery), security(("token" = [])),
    responses((status = 200, description = "the ciphertexts", body = ErasedView),
        (status = 400, description = "not a digest", body = ErrorBody),
        (status = 401, description = "no token or a wrong one", body = ErrorBody)))]
pub(super) async fn erased(
    State(state): State<ApiState>,
    Query(query): Query<HeldQuery>,
    headers: HeaderMap,
) -> Result<Json<ErasedView>, ApiError> {
    hospital_only(&state, &headers).await?;
    let after = query.after.map(|text| text.parse().map(BlobId).map_err(|_| ApiError::DigestMalformed));
    let (after, index, ledger) = (after.transpose()?, state.parts.index.clone(), state.parts.ledger.clone());
    let view = tokio::task::spawn_blocking(move || ErasedView::read(&index, &ledger, after));
    Ok(Json(view.await.map_err(ApiError::internal)?.map_err(ApiError::internal)?))
}
