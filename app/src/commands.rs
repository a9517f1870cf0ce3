//! The one command of the bridge: a request in, the wallet's answer out.

use amulet_app_api::{ApiError, ErrorCode, Request};
use amulet_wallet::service::Service;
use std::sync::Arc;
use tauri::State;

use crate::start::StartFailure;

/// What the window talks to.
pub enum Shell {
    /// The wallet.
    Ready(Arc<Service>),
    /// Why there is none.
    Failed(StartFailure),
}

/// Answers one request of the page.
#[tauri::command]
pub async fn amulet(
    shell: State<'_, Shell>,
    request: serde_json::Value,
) -> Result<serde_json::Value, ApiError> {
    answer(&shell, request).await
}

async fn answer(shell: &Shell, request: serde_json::Value) -> Result<serde_json::Value, ApiError> {
    // What serde says may quote the request, which may hold a passphrase.
    let request: Request =
        serde_json::from_value(request).map_err(|_| ApiError::new(ErrorCode::BadRequest))?;
    match shell {
        Shell::Ready(service) => service.answer(request).await,
        Shell::Failed(failure) => Err(ApiError::new(ErrorCode::Internal).with("message", failure)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    #[test]
    fn a_request_that_is_none_is_refused_without_quoting_it() {
        let failure = StartFailure::NoNetwork { path: PathBuf::from("network.json") };
        let shell = Shell::Failed(failure);
        let request = serde_json::json!({"call": "unlock", "with": {"passphrase": 7, "id": "secret words"}});
        let refused = tauri::async_runtime::block_on(answer(&shell, request));
        assert_eq!(refused, Err(ErrorCode::BadRequest.into()));
    }

    #[test]
    fn without_a_network_file_every_call_says_why() {
        let shell = Shell::Failed(StartFailure::NoNetwork { path: PathBuf::from("/x/network.json") });
        let request = serde_json::json!({"call": "status", "with": {}});
        let refused = tauri::async_runtime::block_on(answer(&shell, request));
        let message = refused.err().and_then(|error| error.details.get("message").cloned());
        assert!(message.is_some_and(|message| message.contains("/x/network.json")));
    }
}
