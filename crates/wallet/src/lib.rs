//! What the Amulet app does, without window or operating system: it keeps keys, finds and opens records, answers requests,
//! makes the emergency card, and speaks for clinicians.
//!
//! The same code runs natively inside the app's process and, compiled to wasm, in a browser page. [`service::Service`]
//! answers every call of [`amulet_app_api`]; the host gives it storage, a way to reach the hospitals, a clock and
//! randomness ([`service::Host`]). Whatever comes from a hospital is checked by the light client before it is used.

pub mod backup;
pub mod card;
pub mod card_code;
#[cfg(all(test, not(target_arch = "wasm32")))]
mod card_print;
pub mod code_text;
mod convert;
pub mod dates;
pub mod device_state;
pub mod guard;
pub mod identity;
pub mod keyfile;
pub mod moving;
pub mod network;
pub mod qr;
pub mod service;
pub mod sheets;
pub mod store;
pub mod strength;
#[cfg(target_arch = "wasm32")]
pub mod web;
