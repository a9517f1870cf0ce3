//! What goes with every answer: the rules a browser has to keep, and a count.

use super::ApiState;
use super::error::ApiError;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName};
use axum::http::{HeaderValue, Method, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::time::Duration;
use tower_http::cors::{AllowOrigin, CorsLayer};

/// How long a browser remembers that it may ask.
const PREFLIGHT_AGE: Duration = Duration::from_secs(3_600);

/// An origin that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{origin:?} is not a web origin; write it like https://hospital.example or http://127.0.0.1:8101")]
pub struct OriginError {
    /// As it was given.
    pub origin: String,
}

/// The site's own header values.
pub(super) struct SiteHeaders {
    policy: HeaderValue,
    origins: Vec<HeaderValue>,
}

impl SiteHeaders {
    pub(super) fn new(origins: &[String]) -> Result<Self, OriginError> {
        for origin in origins {
            check(origin)?;
        }
        let hospitals = origins.join(" ");
        // The wallet is WebAssembly with its data in the page; what it talks to are hospitals, and nothing else.
        let policy = format!(
            "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' {hospitals}; \
             img-src 'self' data: blob:; media-src 'self' blob:; style-src 'self' 'unsafe-inline'; \
             object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
        );
        let value =
            |text: &str| HeaderValue::from_str(text).map_err(|_| OriginError { origin: text.to_owned() });
        let origins = origins.iter().map(|origin| value(origin)).collect::<Result<_, _>>()?;
        Ok(Self { policy: value(&policy)?, origins })
    }

    /// Lets the other hospitals' pages ask.
    pub(super) fn cors(&self) -> CorsLayer {
        CorsLayer::new()
            .allow_origin(AllowOrigin::list(self.origins.clone()))
            .allow_methods([Method::GET, Method::POST])
            .allow_headers([AUTHORIZATION, CONTENT_TYPE])
            .max_age(PREFLIGHT_AGE)
    }
}

/// An origin is a scheme, a host and perhaps a port; anything else could smuggle rules into the policy.
fn check(origin: &str) -> Result<(), OriginError> {
    let uri: Option<Uri> = origin.parse().ok();
    let plain = uri.is_some_and(|uri| {
        let scheme = uri.scheme_str().unwrap_or_default();
        let authority = uri.authority().map(ToString::to_string).unwrap_or_default();
        let host = authority
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']'));
        matches!(scheme, "http" | "https") && host && origin == format!("{scheme}://{authority}")
    });
    if plain { Ok(()) } else { Err(OriginError { origin: origin.to_owned() }) }
}

/// Adds the headers, and counts the request.
pub(super) async fn finish(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    // By route, not by path: paths are without number.
    let route = request.extensions().get::<MatchedPath>().map_or("page", MatchedPath::as_str).to_owned();
    let mut response = match state.slots.try_acquire() {
        Ok(_slot) => next.run(request).await,
        Err(_) => ApiError::Busy.into_response(),
    };
    state.http.count(&route, response.status().as_u16());
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, state.headers.policy.clone());
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("permissions-policy", "camera=(self), microphone=(), geolocation=()"),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}
