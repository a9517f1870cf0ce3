//! Before a wallet is open: welcome, create, restore, unlock.

pub mod create;
pub mod from_device;
pub mod from_file;
pub mod from_sheets;
pub mod not_found;
pub mod owner;
pub mod restore;
pub mod unlock;
mod ways;
pub mod welcome;
pub mod words;
