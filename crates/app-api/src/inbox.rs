//! One list of what needs the person, or is worth knowing.

use serde::{Deserialize, Serialize};

use crate::access::{GranteeView, LogLineView, RequestView};
use crate::wallet::TimeMs;

/// Most items of an inbox; the oldest are left out.
pub const INBOX_ITEMS_MAX: usize = 100;

/// Ask for the inbox.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Inbox {}

/// Items count as read from now on, on this device.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReadInbox {
    /// [`InboxItemView::key`] of each, at most [`INBOX_ITEMS_MAX`]; what is in the inbox no more is ignored.
    pub keys: Vec<String>,
}

/// The inbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxView {
    /// Newest first, at most [`INBOX_ITEMS_MAX`].
    pub items: Vec<InboxItemView>,
    /// How many of them were not read yet.
    pub unread: u64,
}

/// One item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboxItemView {
    /// Names it on this device, hex; the same for as long as it says the same.
    pub key: String,
    /// Since when it is so.
    pub at: TimeMs,
    /// What it says.
    pub what: InboxNews,
    /// Whether it was not read yet.
    pub unread: bool,
}

/// What an item says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum InboxNews {
    /// A clinician opened the emergency summary.
    EmergencyAccess {
        /// The line of the log.
        line: LogLineView,
    },
    /// Somebody asks for access, and waits for an answer.
    RequestWaiting {
        /// What they ask.
        request: RequestView,
    },
    /// An access that this person gave ends soon.
    AccessEnding {
        /// To whom.
        to: GranteeView,
        /// When.
        until: TimeMs,
    },
    /// An access that this person gave has run out.
    AccessEnded {
        /// To whom.
        to: GranteeView,
    },
    /// A reader should have confirmed the deletion, and has not.
    DeletionOverdue {
        /// Who.
        to: GranteeView,
    },
    /// A hospital should have erased a record, or answered, and has not.
    ErasureOverdue {
        /// The record, hex.
        record: String,
    },
    /// Hospitals signed things that cannot both be true.
    HospitalsDisagree,
    /// Somebody replaced keys of this person, and not with this wallet.
    KeysReplaced,
    /// An access that this person was given ends soon.
    MyAccessEnding {
        /// The grant, hex.
        grant: String,
        /// When.
        until: TimeMs,
    },
    /// This person owes a receipt of deletion.
    ReceiptDue {
        /// By when.
        by: TimeMs,
        /// Whether that is over.
        overdue: bool,
    },
    /// This person's hospital owes a review of an emergency that this person declared.
    ReviewDue {
        /// By when.
        by: TimeMs,
        /// Whether that is over.
        overdue: bool,
    },
}
