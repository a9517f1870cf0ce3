//! Before a wallet is open: welcome, create, restore, unlock.

pub mod create;
pub mod not_found;
pub mod owner;
pub mod restore;
pub mod unlock;
pub mod welcome;
pub mod words;
