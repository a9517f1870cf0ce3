//! What keeps a wallet safe on its device: locking, passphrase, keys, erasing.

pub mod erase;
pub mod overview;
pub mod passphrase;
pub mod replace_keys;
