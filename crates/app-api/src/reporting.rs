//! Whether this wallet reports how well the hospitals' nodes served it.

use serde::{Deserialize, Serialize};

/// Ask whether this wallet reports.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Reporting {}

/// Turn reporting on or off. It is off until somebody turns it on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SetReporting {
    /// Whether to report.
    pub on: bool,
}

/// Report, if reporting is on, a week has passed since the last time, and there is something to say. The reply says whether a
/// report was sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SendReport {}

/// Whether this wallet reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportingView {
    /// Whether it does.
    pub on: bool,
}
