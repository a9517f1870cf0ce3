//! The wallet compiled to wasm, in this page: for a shared workstation and a first try with no install.

use super::Backend;
use amulet_app_api::{ApiError, ErrorCode};
use std::rc::Rc;

/// Starts the in-browser wallet.
#[cfg_attr(feature = "fixture", allow(dead_code))]
pub async fn start() -> Result<Rc<dyn Backend>, ApiError> {
    Err(ErrorCode::Unreachable.into())
}
