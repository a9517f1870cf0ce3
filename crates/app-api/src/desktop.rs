//! What the system around the window says, and what it is told: links that other programs hand over, and system notices.

use serde::{Deserialize, Serialize};

/// Take the link that the system handed over last. Only a window is ever handed one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OpenedLink {}

/// Where a link leads. Nothing is signed, sent or looked up because of it: that takes a press on the page it opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "to", rename_all = "snake_case")]
pub enum LinkView {
    /// The inbox.
    Inbox,
    /// The emergency card.
    Card,
    /// Reading somebody's emergency card.
    Scan,
    /// Asking a patient for access, with their code filled in.
    Code {
        /// The patient's DID.
        did: String,
    },
    /// Nowhere: it is none of these.
    Unknown,
}

/// Ask whether this device shows system notices.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Notices {}

/// Show system notices on this device, or show none.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SetNotices {
    /// Whether to show them.
    pub on: bool,
}

/// Whether this device shows system notices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticesView {
    /// Whether it shows them.
    pub on: bool,
}
