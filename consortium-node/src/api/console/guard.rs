//! Who may see the console: whoever has its token.

use crate::api::error::ApiError;
use amulet_crypto::digest::{Digest, constant_time_eq, sm3};
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::HeaderValue;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL};
use axum::middleware::Next;
use axum::response::Response;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;

/// How long the answer to a wrong token takes.
pub(super) const WRONG_TOKEN_WAIT: Duration = Duration::from_secs(1);
/// Wrong tokens that wait at once; more are turned away unheard. Whoever has the right one never stands in this queue.
pub(super) const WRONG_TOKENS_AT_ONCE: usize = 8;

/// Compares tokens, and counts the wrong ones.
pub(super) struct Guard {
    /// Digests are compared, so that not even the token's length shows in the time it takes.
    token: Digest,
    wrong: AtomicU64,
    waiting: Semaphore,
}

impl Guard {
    pub(super) fn new(token: &str) -> Self {
        let waiting = Semaphore::new(WRONG_TOKENS_AT_ONCE);
        Self { token: sm3(token.as_bytes()), wrong: AtomicU64::new(0), waiting }
    }

    /// Requests with a wrong token since the start.
    pub(super) fn wrong(&self) -> u64 {
        self.wrong.load(Ordering::Relaxed)
    }

    pub(super) async fn admit(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        let given = bearer(headers).ok_or(ApiError::ConsoleTokenMissing)?;
        if constant_time_eq(sm3(given.as_bytes()).as_ref(), self.token.as_ref()) {
            return Ok(());
        }
        let count = self.wrong.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        let Ok(_slot) = self.waiting.try_acquire() else { return Err(ApiError::Busy) };
        tracing::warn!(count, "wrong token at the console");
        tokio::time::sleep(WRONG_TOKEN_WAIT).await;
        Err(ApiError::WrongToken)
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim())
}

/// Lets only requests with the token through; answers stay in no cache.
pub(super) async fn guarded(
    State(guard): State<Arc<Guard>>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    guard.admit(request.headers()).await?;
    let mut response = next.run(request).await;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
