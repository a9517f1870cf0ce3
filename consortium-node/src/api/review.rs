//! `/api/v1/review`: what waits for a person, and the decisions about it. For the hospital's own systems alone: it shows what
//! records say.

use super::ApiState;
use super::auth::hospital_only;
use super::body::{BodyError, read_body};
use super::error::{ApiError, ErrorBody};
use crate::intake::review::{DecisionRequest, ReviewItem};
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use serde::Deserialize;

/// Bytes of a decision that are read: who and why, both bounded, with what JSON adds.
const DECISION_BYTES_MAX: usize = 16 * 1024;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Items after this number; 0 for the first.
    #[serde(default)]
    after: u64,
    /// Decided ones as well.
    #[serde(default)]
    all: bool,
}

/// Records that wait for a person's decision, oldest first, at most 200 at once.
#[utoipa::path(get, path = "/api/v1/review", tag = "hospital", params(ListQuery), security(("token" = [])),
    responses((status = 200, description = "the items", body = Vec<ReviewItem>),
        (status = 401, description = "no token or a wrong one", body = ErrorBody)))]
pub(super) async fn list(
    State(state): State<ApiState>,
    Query(query): Query<ListQuery>,
    headers: HeaderMap,
) -> Result<Json<Vec<ReviewItem>>, ApiError> {
    hospital_only(&state, &headers).await?;
    Ok(Json(state.parts.intake.reviews(query.after, query.all).await?))
}

/// One item, with the resource as it came while it waits.
#[utoipa::path(get, path = "/api/v1/review/{id}", tag = "hospital", security(("token" = [])),
    params(("id" = u64, Path, description = "its number")),
    responses((status = 200, description = "the item", body = ReviewItem),
        (status = 401, description = "no token or a wrong one", body = ErrorBody),
        (status = 404, description = "no such item", body = ErrorBody)))]
pub(super) async fn show(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<ReviewItem>, ApiError> {
    hospital_only(&state, &headers).await?;
    Ok(Json(state.parts.intake.review(number(&id)?).await?))
}

/// Decides about an item. An approved record is on the ledger when the answer comes.
#[utoipa::path(post, path = "/api/v1/review/{id}", tag = "hospital", security(("token" = [])),
    params(("id" = u64, Path, description = "its number")), request_body = DecisionRequest,
    responses((status = 200, description = "the item with its decision", body = ReviewItem),
        (status = 400, description = "a decision without who or why", body = ErrorBody),
        (status = 401, description = "no token or a wrong one", body = ErrorBody),
        (status = 404, description = "no such item", body = ErrorBody),
        (status = 409, description = "it was decided before", body = ErrorBody)))]
pub(super) async fn decide(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<ReviewItem>, ApiError> {
    hospital_only(&state, &headers).await?;
    let body = read_body(&headers, body, DECISION_BYTES_MAX).await.map_err(|error| match error {
        BodyError::TooLarge { .. } => ApiError::BodyTooLarge { limit: DECISION_BYTES_MAX },
        BodyError::CutOff => ApiError::BodyCutOff,
    })?;
    let request: DecisionRequest =
        serde_json::from_slice(&body).map_err(|error| ApiError::DecisionMalformed(error.to_string()))?;
    let (id, intake) = (number(&id)?, state.parts.intake.clone());
    // In a task of its own, so that it is not cut off in the middle when the caller goes away.
    let decided = tokio::spawn(async move { intake.decide(id, request).await }).await;
    Ok(Json(decided.map_err(ApiError::internal)??))
}

fn number(id: &str) -> Result<u64, ApiError> {
    id.parse().map_err(|_| ApiError::ItemMalformed)
}
