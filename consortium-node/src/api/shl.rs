//! SMART Health Links: what a viewer anywhere asks of a link's address. No other route may be asked by pages of any origin.
//!
//! Source: HL7 "SMART Health Cards and Links" 1.0.0 (STU 1), SMART Health Links, "SHL Receiving Application".

use super::ApiState;
use super::body::{BodyError, read_body};
use crate::links::{LinkDesk, LinkStoreError, Opened, TICKET_BYTES};
use amulet_health_link::{
    Answer, File, Manifest, ManifestError, ManifestRequest, RECIPIENT_CHARS_MAX, REQUEST_BYTES_MAX, Status,
    WrongPasscode,
};
use amulet_protocol::links::LinkId;
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use tower_http::cors::{Any, CorsLayer};

/// What the one file of a link is, inside.
const FILE_TYPE: &str = "application/fhir+json";
/// What it is while it is sealed.
const SEALED_TYPE: &str = "application/jose";

/// Any page may ask: a clinic's viewer runs wherever it runs, and nothing is given that the asker could not have by other means.
pub(super) fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([CONTENT_TYPE])
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct SingleFileQuery {
    /// Who asks, as shown to the patient.
    recipient: Option<String>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct LinkError {
    /// What is wrong.
    error: &'static str,
}

/// The manifest of a link.
#[utoipa::path(post, path = "/shl/{link}", tag = "health links", params(("link" = String, Path, description = "identifier, base64url")),
    request_body(content_type = "application/json", content = serde_json::Value, description = "recipient, passcode, embeddedLengthMax"),
    responses(
        (status = 200, description = "the manifest", body = serde_json::Value),
        (status = 400, description = "not a manifest request", body = LinkError),
        (status = 401, description = "no passcode or a wrong one; how many may still be tried", body = serde_json::Value),
        (status = 404, description = "there is no such link, or it is over", body = LinkError),
        (status = 429, description = "asked too often; when to come back", body = LinkError)))]
pub(super) async fn manifest(
    State(state): State<ApiState>,
    Path(link): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let body = match read_body(&headers, body, REQUEST_BYTES_MAX).await {
        Ok(body) => body,
        Err(BodyError::TooLarge { .. }) => {
            return refuse(StatusCode::PAYLOAD_TOO_LARGE, "the request is too large");
        }
        Err(BodyError::CutOff) => return refuse(StatusCode::BAD_REQUEST, "the request was cut off"),
    };
    let request = match ManifestRequest::parse(&body) {
        Ok(request) => request,
        Err(ManifestError::Recipient) => {
            return refuse(StatusCode::BAD_REQUEST, "the request must name its recipient");
        }
        Err(_) => return refuse(StatusCode::BAD_REQUEST, "this is no manifest request"),
    };
    let Some(id) = link_id(&link) else { return unknown() };
    let desk = state.parts.light.links().clone();
    let now = (state.parts.now)();
    answer(move || {
        let opened = desk.open(now, id, false, &request.recipient, request.passcode.as_deref())?;
        Ok(match opened {
            Opened::File { file, url } => {
                let fits = request.embedded_length_max.is_none_or(|max| file.len() as u64 <= max);
                manifest_of(&desk, now, id, &url, file, fits)
            }
            other => closed(&other),
        })
    })
    .await
}

/// The one file of a link with the flag U.
#[utoipa::path(get, path = "/shl/{link}", tag = "health links",
    params(("link" = String, Path, description = "identifier, base64url"), SingleFileQuery),
    responses(
        (status = 200, description = "the sealed file", content_type = "application/jose", body = String),
        (status = 400, description = "nobody is named", body = LinkError),
        (status = 404, description = "there is no such link, it is over, or it has a manifest", body = LinkError),
        (status = 429, description = "asked too often; when to come back", body = LinkError)))]
pub(super) async fn single_file(
    State(state): State<ApiState>,
    Path(link): Path<String>,
    Query(query): Query<SingleFileQuery>,
) -> Response {
    let recipient = query.recipient.unwrap_or_default().trim().to_owned();
    if recipient.is_empty() || recipient.chars().count() > RECIPIENT_CHARS_MAX {
        return refuse(StatusCode::BAD_REQUEST, "the request must name its recipient");
    }
    let Some(id) = link_id(&link) else { return unknown() };
    let desk = state.parts.light.links().clone();
    let now = (state.parts.now)();
    answer(move || {
        Ok(match desk.open(now, id, true, &recipient, None)? {
            Opened::File { file, .. } => sealed(file),
            other => closed(&other),
        })
    })
    .await
}

/// A file that a manifest gave the address of, once.
#[utoipa::path(get, path = "/shl/files/{ticket}", tag = "health links", params(("ticket" = String, Path, description = "from a manifest")),
    responses(
        (status = 200, description = "the sealed file", content_type = "application/jose", body = String),
        (status = 404, description = "used up, too old, or the link is over", body = LinkError)))]
pub(super) async fn file(State(state): State<ApiState>, Path(ticket): Path<String>) -> Response {
    let Some(ticket) = bytes_of::<TICKET_BYTES>(&ticket) else { return unknown() };
    let desk = state.parts.light.links().clone();
    let now = (state.parts.now)();
    answer(move || Ok(desk.fetch(now, ticket)?.map_or_else(unknown, sealed))).await
}

/// Asks the desk where it may block.
async fn answer(ask: impl FnOnce() -> Result<Response, LinkStoreError> + Send + 'static) -> Response {
    let answered = tokio::task::spawn_blocking(ask).await;
    let mut response = match answered {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => failed(&error),
        Err(error) => failed(&error),
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn manifest_of(
    desk: &LinkDesk,
    now: amulet_protocol::ids::Timestamp,
    id: LinkId,
    url: &str,
    file: Vec<u8>,
    embedded: bool,
) -> Response {
    let (embedded, location) = match embedded {
        true => (String::from_utf8(file).ok(), None),
        false => {
            let ticket = URL_SAFE_NO_PAD.encode(desk.ticket(now, id));
            let base = url.rsplit_once('/').map_or(url, |(base, _)| base);
            (None, Some(format!("{base}/files/{ticket}")))
        }
    };
    let file = File { content_type: FILE_TYPE.to_owned(), embedded, location, last_updated: None };
    Json(Manifest { status: Some(Status::Finalized), files: vec![file] }).into_response()
}

fn sealed(file: Vec<u8>) -> Response {
    ([(CONTENT_TYPE, SEALED_TYPE)], file).into_response()
}

/// Why a link gives nothing. That one was taken back, or is over, is nobody's business but the patient's.
fn closed(opened: &Opened) -> Response {
    match opened {
        Opened::Not(Answer::Passcode { remaining }) => {
            let body = Json(WrongPasscode { remaining_attempts: *remaining });
            (StatusCode::UNAUTHORIZED, body).into_response()
        }
        Opened::Not(Answer::Later { seconds }) => {
            let mut response = refuse(StatusCode::TOO_MANY_REQUESTS, "this link is asked for too often");
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(*seconds));
            response
        }
        Opened::Not(Answer::Closed(_) | Answer::Files) | Opened::Unknown | Opened::File { .. } => unknown(),
    }
}

fn unknown() -> Response {
    refuse(StatusCode::NOT_FOUND, "there is no such link, or it is over")
}

fn refuse(status: StatusCode, error: &'static str) -> Response {
    (status, Json(LinkError { error })).into_response()
}

fn failed(error: &impl std::fmt::Display) -> Response {
    tracing::error!(%error, "a link could not be answered");
    refuse(StatusCode::INTERNAL_SERVER_ERROR, "the hospital's computer made an error; try again later")
}

fn link_id(text: &str) -> Option<LinkId> {
    bytes_of(text).map(LinkId)
}

fn bytes_of<const N: usize>(text: &str) -> Option<[u8; N]> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}
