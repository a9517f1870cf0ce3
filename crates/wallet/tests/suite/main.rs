//! The wallet without any hospital in reach: what it must do all the same, and what it must not do by halves. The same cases
//! run natively and, by `wasm-bindgen-test`, in a browser.
#![allow(clippy::unwrap_used, missing_docs)]

mod device;
mod locking;
#[cfg(target_os = "linux")]
mod memory;
mod offline;
mod recovery;
mod setup;
mod words;

#[cfg(target_arch = "wasm32")]
mod browser;

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

/// The attribute of a case, on either platform.
#[cfg(not(target_arch = "wasm32"))]
pub use tokio::test;
#[cfg(target_arch = "wasm32")]
pub use wasm_bindgen_test::wasm_bindgen_test as test;
