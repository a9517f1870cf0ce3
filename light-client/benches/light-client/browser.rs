//! The same in a page of Chromium: `cargo xtask bench light-client-browser`. A browser has no clock but that on the wall, so this
//! wants a quiet machine.
#![cfg(target_arch = "wasm32")]
// What is measured natively is measured in part here.
#![allow(clippy::unwrap_used, dead_code)]

mod certificate;
mod clock;
mod consortium;
mod first_sync;
mod network;
mod proofs;

use certificate::Certificate;
use consortium::{Change, LongChain};
use proofs::Checked;
use wasm_bindgen_test::{console_log, wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

/// The page makes the chain too, which takes far longer than the sync.
const BLOCKS: u64 = 100_000;
const VALIDATORS: usize = 4;

#[wasm_bindgen_test]
async fn certificates_proofs_and_a_first_sync() {
    let certificate = Certificate::measure();
    let ms = |seconds: f64| seconds * 1e3;
    console_log!(
        "certificate of 67 signatures: {:.1} ms, {:.2} x 67 bare checks; known keys {:.1} ms, {:.2} x; preparing a key {:.2} ms",
        ms(certificate.checked),
        certificate.ratio(),
        ms(certificate.checked_known),
        certificate.ratio_known(),
        ms(certificate.prepare),
    );
    for Checked { name, bytes, seconds } in proofs::measure() {
        console_log!("{name}: {bytes} B, {:.3} ms", ms(seconds));
    }
    for change in [Change::OneAndTheSame, Change::InTurn] {
        let chain = LongChain::new(BLOCKS, VALIDATORS, change);
        for sync in first_sync::measure(chain, change).await {
            console_log!(
                "first sync of {BLOCKS} blocks, {VALIDATORS} validators, {} changes ({change:?}), {:?}: {} steps, {} B, {:.1} ms",
                sync.changes,
                sync.policy,
                sync.steps,
                sync.bytes(),
                ms(sync.seconds),
            );
        }
    }
}
