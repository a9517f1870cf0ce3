//! Light clients' questions over HTTP: the same bytes as over libp2p.

use super::ApiState;
use super::body::read_body;
use super::error::{ApiError, ErrorBody};
use amulet_protocol::codec;
use amulet_protocol::light::LightRequest;
use amulet_protocol::limits::LIGHT_REQUEST_BYTES_MAX;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

/// Type of questions and answers.
const BYTES: &str = "application/octet-stream";

/// Answers a light client's question. Refusals by the node are answers too, with status 200.
#[utoipa::path(post, path = "/api/v1/light", tag = "wallets",
    request_body(content_type = "application/octet-stream", content = Vec<u8>,
        description = "borsh encoding of LightRequest, see docs/spec"),
    responses(
        (status = 200, description = "borsh encoding of LightResponse", content_type = "application/octet-stream",
            body = Vec<u8>),
        (status = 400, description = "not a LightRequest", body = ErrorBody),
        (status = 413, description = "larger than any question", body = ErrorBody)))]
pub(super) async fn light(
    State(state): State<ApiState>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let limit = LIGHT_REQUEST_BYTES_MAX;
    let bytes = read_body(&headers, body, limit).await.map_err(|error| error.with_limit(limit))?;
    let request: LightRequest = codec::decode(&bytes, limit).map_err(|_| ApiError::NotAQuestion)?;
    let answer = codec::encode(&state.parts.light.answer(request).await);
    Ok(([(CONTENT_TYPE, BYTES)], answer).into_response())
}
