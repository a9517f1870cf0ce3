//! `status`: asks a running node.

use super::say;
use crate::http_client::{self, HttpError};

pub(super) async fn status(node: &str) -> Result<(), HttpError> {
    let answer = http_client::get(&format!("{}/api/v1/status", node.trim_end_matches('/'))).await?;
    say(String::from_utf8_lossy(&answer.body));
    Ok(())
}
