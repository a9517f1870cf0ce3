//! What a patient has settled beforehand, whoever asks.

use crate::records::Category;
use serde::{Deserialize, Serialize};

/// Ask for the preferences.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Preferences {}

/// The preferences. They are kept on this device, sealed; nobody else learns of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreferencesView {
    /// Categories that this wallet gives to nobody: no grant that it signs opens any of them.
    pub never: Vec<Category>,
    /// Categories that are never chosen beforehand, and that no grant opens records to come of.
    pub ask: Vec<Category>,
}

/// Replace the preferences. Grants that stand are not changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetPreferences {
    /// All of them.
    pub preferences: PreferencesView,
}
