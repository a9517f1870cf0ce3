//! `/api/v1/vault`: for the hospital's own systems, which keep the vault whole.

use super::ApiState;
use super::auth::{Caller, authenticate};
use super::error::{ApiError, ErrorBody};
use crate::vault::ScrubReport;
use axum::Json;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use std::num::NonZeroU64;

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

async fn hospital_only(state: &ApiState, headers: &HeaderMap) -> Result<(), ApiError> {
    match authenticate(state, headers, None).await? {
        Caller::Hospital => Ok(()),
        Caller::Practitioner { .. } => Err(ApiError::HospitalOnly),
    }
}
