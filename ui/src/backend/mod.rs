//! Where the wallet runs: in the native process behind Tauri's bridge, or in this page. No page knows which.

mod browser;
mod tauri;

use amulet_app_api::{ApiError, Call, ErrorCode, Request};
use async_trait::async_trait;
use std::rc::Rc;

/// The wallet as the interface sees it: one request in, one reply or one typed error out.
#[async_trait(?Send)]
pub trait Backend {
    /// Sends a request and waits for the reply's JSON.
    ///
    /// # Errors
    /// Whatever the wallet refuses, or [`ErrorCode::Internal`] when the bridge itself fails.
    async fn send(&self, request: Request) -> Result<serde_json::Value, ApiError>;
}

/// Whether the window's own process stands behind this page, and not only a browser.
pub fn is_window() -> bool {
    tauri::is_present()
}

/// Picks the backend of this host and starts it.
///
/// # Errors
/// When the in-browser wallet cannot start, for example because no hospital answers or storage is forbidden.
pub async fn start() -> Result<Rc<dyn Backend>, ApiError> {
    if tauri::is_present() { Ok(Rc::new(tauri::Tauri)) } else { browser::start().await }
}

/// Sends a typed call and reads its typed reply.
///
/// The work is detached from the page that asked: leaving the page must not cut a signature or a write in half.
///
/// # Errors
/// Those of [`Backend::send`], and [`ErrorCode::Internal`] when the reply has another shape than promised.
pub async fn call<C: Call>(backend: Rc<dyn Backend>, call: C) -> Result<C::Reply, ApiError> {
    let (reply, waiting) = futures_channel::oneshot::channel();
    let request = call.into();
    wasm_bindgen_futures::spawn_local(async move {
        // The page may be gone; then nobody waits for the reply, and that is fine.
        let _ = reply.send(backend.send(request).await);
    });
    let value = waiting.await.map_err(|_| internal("the wallet stopped"))??;
    serde_json::from_value(value).map_err(internal)
}

fn internal(message: impl std::fmt::Display) -> ApiError {
    ApiError::new(ErrorCode::Internal).with("message", message)
}
