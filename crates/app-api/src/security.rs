//! What keeps a wallet safe on its device: when it locks by itself, its passphrase, and erasing it.

use serde::{Deserialize, Serialize};

/// Say that the person is using the app. Other calls do not count: the page asks for news by itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Touch {}

/// Ask when the wallet locks by itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AutoLock {}

/// Choose when wallets of this device lock by themselves.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SetAutoLock {
    /// After how many minutes without use; one of [`AutoLockView::choices`].
    pub minutes: u32,
    /// Also when the person switches to another app or tab.
    pub away: bool,
}

/// When the wallet locks by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutoLockView {
    /// After how many minutes without use.
    pub minutes: u32,
    /// Whether it also does when the person switches to another app or tab.
    pub away: bool,
    /// Minutes that can be chosen, ascending.
    pub choices: Vec<u32>,
}

/// Change the passphrase of the open wallet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChangePassphrase {
    /// The passphrase now.
    pub passphrase: String,
    /// The passphrase from now on.
    pub new: String,
}
