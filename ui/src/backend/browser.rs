//! The wallet compiled to wasm, in this page: for a shared workstation and a first try with no install.

use super::Backend;
use amulet_app_api::ApiError;
use std::rc::Rc;

/// Starts the in-browser wallet.
///
/// # Errors
/// When no hospital answers, or its description of the network is bad.
#[cfg(target_arch = "wasm32")]
pub async fn start() -> Result<Rc<dyn Backend>, ApiError> {
    use amulet_app_api::Request;
    use amulet_wallet::web::BrowserWallet;

    /// The wallet of this page.
    struct InPage(BrowserWallet);

    #[async_trait::async_trait(?Send)]
    impl Backend for InPage {
        async fn send(&self, request: Request) -> Result<serde_json::Value, ApiError> {
            self.0.send(request).await
        }
    }

    Ok(Rc::new(InPage(BrowserWallet::start().await?)))
}

/// Outside a browser there is no page; this build only serves the unit tests.
///
/// # Errors
/// Always.
#[cfg(not(target_arch = "wasm32"))]
pub async fn start() -> Result<Rc<dyn Backend>, ApiError> {
    Err(amulet_app_api::ErrorCode::Unreachable.into())
}
