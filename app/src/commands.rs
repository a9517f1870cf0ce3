//! The one command of the bridge: a request in, the wallet's answer out.

use amulet_app_api::{ApiError, ErrorCode, Request};
use amulet_wallet::service::Service;
use std::sync::Arc;
use tauri::{AppHandle, State};

use crate::links::OpenedLinks;
use crate::start::StartFailure;
use crate::{notices, tray};

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
    app: AppHandle,
    shell: State<'_, Shell>,
    links: State<'_, OpenedLinks>,
    request: serde_json::Value,
) -> Result<serde_json::Value, ApiError> {
    let request = read(request)?;
    if let Request::OpenedLink(_) = request {
        return serde_json::to_value(links.take()).map_err(internal);
    }
    let asks_news = matches!(request, Request::Inbox(_));
    let language = if let Request::SetLanguage(call) = &request { Some(call.language) } else { None };
    let answer = answer(&shell, request).await?;
    if let Some(language) = language {
        tray::speak(&app, language);
    }
    if let Shell::Ready(service) = &*shell
        && asks_news
    {
        notices::tell_news(&app, service);
    }
    Ok(answer)
}

fn read(request: serde_json::Value) -> Result<Request, ApiError> {
    // What serde says may quote the request, which may hold a passphrase.
    serde_json::from_value(request).map_err(|_| ApiError::new(ErrorCode::BadRequest))
}

async fn answer(shell: &Shell, request: Request) -> Result<serde_json::Value, ApiError> {
    match shell {
        Shell::Ready(service) => service.answer(request).await,
        Shell::Failed(failure) => Err(internal(failure)),
    }
}

fn internal(message: impl std::fmt::Display) -> ApiError {
    ApiError::new(ErrorCode::Internal).with("message", message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use amulet_app_api::wallet::Status;
    use std::path::PathBuf;

    #[test]
    fn a_request_that_is_none_is_refused_without_quoting_it() {
        let request = serde_json::json!({"call": "unlock", "with": {"passphrase": 7, "id": "secret words"}});
        assert_eq!(read(request).err(), Some(ErrorCode::BadRequest.into()));
    }

    #[test]
    fn without_a_network_file_every_call_says_why() {
        let shell = Shell::Failed(StartFailure::NoNetwork { path: PathBuf::from("/x/network.json") });
        let refused = tauri::async_runtime::block_on(answer(&shell, Status {}.into()));
        let message = refused.err().and_then(|error| error.details.get("message").cloned());
        assert!(message.is_some_and(|message| message.contains("/x/network.json")));
    }
}
