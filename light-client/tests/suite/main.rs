//! The light client against chains made in memory with real signatures, certificates, trees and proofs, and against
//! hospitals that lie. The same cases run natively and, by `wasm-bindgen-test`, in a browser.
#![allow(clippy::unwrap_used, missing_docs)]

mod background;
mod chain;
mod checkpoint;
mod epochs;
mod headers;
mod joining;
mod long_range;
mod network;
mod newest;
mod peers;
mod queries;
mod reputation;
mod resume;
mod run;
mod skipping;
mod skipping_sync;
mod stores;
mod submit;
mod sync;
mod verifier;
mod witness;

#[cfg(target_arch = "wasm32")]
mod browser;
#[cfg(not(target_arch = "wasm32"))]
mod native;

#[cfg(target_arch = "wasm32")]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);

/// The attribute of a case, on either platform.
#[cfg(not(target_arch = "wasm32"))]
pub use tokio::test;
#[cfg(target_arch = "wasm32")]
pub use wasm_bindgen_test::wasm_bindgen_test as test;
