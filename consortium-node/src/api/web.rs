//! Files: the wallet's web pages, the network description, and the demonstration's people.

use super::ApiState;
use super::error::{ApiError, ErrorBody};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use std::path::Path;
use tower_http::services::ServeDir;

/// Bytes of a network description that are read; a hundred hospitals need about 100 KB.
const NETWORK_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Paths below which nothing is a page of the wallet.
const NOT_PAGES: [&str; 3] = ["/api/", "/demo/", "/fhir"];

/// The network description that wallets start from.
#[utoipa::path(get, path = "/network.json", tag = "wallets",
    responses(
        (status = 200, description = "genesis document and hospitals", content_type = "application/json",
            body = serde_json::Value),
        (status = 404, description = "this node has none", body = ErrorBody)))]
pub(super) async fn network(State(state): State<ApiState>) -> Result<Response, ApiError> {
    let path = state.parts.site.network_file.as_deref().ok_or(ApiError::NotFound)?;
    let size = tokio::fs::metadata(path).await.map_err(|_| ApiError::NotFound)?.len();
    if size > NETWORK_BYTES_MAX {
        return Err(ApiError::internal(format!("network description of {size} bytes")));
    }
    let text = tokio::fs::read(path).await.map_err(ApiError::internal)?;
    Ok(([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-cache")], text).into_response())
}

/// A file of the demonstration's people: the list, or one's encrypted wallet. Only in demonstrations.
#[utoipa::path(get, path = "/demo/{file}", tag = "demonstration",
    params(("file" = String, Path, description = "people.json, or a file it names")),
    responses(
        (status = 200, description = "the file", content_type = "application/octet-stream", body = Vec<u8>),
        (status = 404, description = "no such file, or no demonstration", body = ErrorBody)))]
pub(super) async fn demo(State(state): State<ApiState>, request: Request) -> Response {
    let Some(folder) = state.parts.site.demo.as_deref() else {
        return ApiError::NotFound.into_response();
    };
    let path = request.uri().path().strip_prefix("/demo").unwrap_or_default().to_owned();
    file(folder, &path, request).await.unwrap_or_else(|| ApiError::NotFound.into_response())
}

/// Everything that no other route takes: the wallet's pages. A path that is no file is a page inside the wallet, and gets
/// the start page, which shows it.
pub(super) async fn page(State(state): State<ApiState>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let Some(folder) = state.parts.site.web.as_deref() else {
        return ApiError::NotFound.into_response();
    };
    if NOT_PAGES.iter().any(|prefix| path.starts_with(prefix)) {
        return ApiError::NotFound.into_response();
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return ApiError::Method { method: request.method().to_string() }.into_response();
    }
    let method = request.method().clone();
    if let Some(found) = file(folder, &path, request).await {
        return found;
    }
    let names_a_file = path.rsplit('/').next().is_some_and(|last| last.contains('.'));
    let mut start = Request::new(Body::empty());
    *start.method_mut() = method;
    match names_a_file {
        true => ApiError::NotFound.into_response(),
        false => {
            file(folder, "/index.html", start).await.unwrap_or_else(|| ApiError::NotFound.into_response())
        }
    }
}

/// A file below a folder, never outside of it; `None` if there is none.
async fn file(folder: &Path, path: &str, mut request: Request) -> Option<Response> {
    *request.uri_mut() = path.parse::<Uri>().ok()?;
    let Ok(found) = ServeDir::new(folder).try_call(request).await.inspect_err(|error| {
        tracing::warn!(%error, "file cannot be read");
    }) else {
        return None;
    };
    // A redirection to a folder with a slash would be to a path of the folder's, not of this site.
    if matches!(
        found.status(),
        StatusCode::NOT_FOUND | StatusCode::TEMPORARY_REDIRECT | StatusCode::BAD_REQUEST
    ) {
        return None;
    }
    let mut response = found.map(Body::new);
    // Pages change with the node: asked for again each time, and sent again only when they have changed.
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Some(response)
}
