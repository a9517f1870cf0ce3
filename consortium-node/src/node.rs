//! Wires the tasks of one node together, and stops them together.

use std::time::{SystemTime, UNIX_EPOCH};
use amulet_protocol::ids::Timestamp;

/// The system's clock.
#[must_use]
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
