//! `/api/v1/overdue`: what is overdue in the whole consortium. For the hospital's own systems alone: it reads the whole state.

use super::ApiState;
use super::auth::hospital_only;
use super::error::{ApiError, ErrorBody};
use crate::overdue::{self, Overdue};
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;

/// Reviews and deletion receipts that were not given in time, the longest overdue first.
#[utoipa::path(get, path = "/api/v1/overdue", tag = "hospital", security(("token" = [])),
    responses((status = 200, description = "what is overdue", body = Overdue),
        (status = 401, description = "no token or a wrong one", body = ErrorBody)))]
pub(super) async fn overdue(
    State(state): State<ApiState>,
    headers: HeaderMap,
) -> Result<Json<Overdue>, ApiError> {
    hospital_only(&state, &headers).await?;
    let (ledger, now) = (state.parts.ledger.clone(), (state.parts.now)());
    let found = tokio::task::spawn_blocking(move || overdue::overdue(&ledger, now)).await;
    Ok(Json(found.map_err(ApiError::internal)?.map_err(ApiError::internal)?))
}
