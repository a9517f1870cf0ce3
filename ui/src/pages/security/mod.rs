//! What keeps a wallet safe on its device: locking, passphrase, keys, erasing.

pub mod backup;
pub mod erase;
pub mod guardians;
pub mod hand_over;
pub mod overview;
pub mod passphrase;
pub mod replace_keys;
mod sheet_paper;
