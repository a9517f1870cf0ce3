//! Amulet's verifier for web pages and Node: an npm package with TypeScript types (`cargo xtask wasm-package`).
//!
//! This file only converts: bytes in, plain objects out, whose types are in `types.ts`. [`check`] holds what is checked, by the
//! same code as everywhere else; [`view`] is how the answers look. Nothing here reads a clock, a network or a store.

pub mod check;
pub mod view;

use check::{Start, StartError};
use serde::Serialize;
use view::Refused;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("types.ts");

/// What the page trusts and everything is checked against: the consortium's genesis document, or a checkpoint that a person
/// compared with another device.
#[wasm_bindgen]
pub struct Trust(Result<Start, StartError>);

#[wasm_bindgen]
impl Trust {
    /// The genesis document (`genesis.bin`), from a source you trust. A bad one makes every answer `refused`, code `genesis`.
    #[must_use]
    pub fn genesis(document: &[u8]) -> Self {
        Self(Start::genesis(document))
    }

    /// A checkpoint: the text that another device shows (`amulet-checkpoint:1:…`), and the header and the validators that it
    /// names, which may come from anybody. If they are not what the text names, every answer is `refused`, code `checkpoint`.
    #[must_use]
    pub fn checkpoint(pin: &str, header: &[u8], validators: &[u8]) -> Self {
        Self(Start::checkpoint(pin, header, validators))
    }

    /// Checks a proof file (`.amuletproof`).
    #[wasm_bindgen(js_name = verifyProof, unchecked_return_type = "ProofVerdict")]
    #[must_use]
    pub fn verify_proof(&self, file: &[u8]) -> JsValue {
        answer(self.start().and_then(|start| check::proof(start, file)))
    }

    /// What a proof file says about a transaction in somebody's history.
    #[wasm_bindgen(js_name = findEvent, unchecked_return_type = "EventVerdict")]
    #[must_use]
    pub fn find_event(&self, file: &[u8], did: &str, transaction: &str) -> JsValue {
        answer(self.start().and_then(|start| check::event(start, file, did, transaction)))
    }

    /// Checks a signed header, as a hospital hands it out. `now` is `Date.now()`: a header from the future is refused.
    #[wasm_bindgen(js_name = verifyHeader, unchecked_return_type = "HeaderVerdict")]
    #[must_use]
    pub fn verify_header(&self, header: &[u8], now: f64) -> JsValue {
        // A cast of a float saturates: no clock makes this panic.
        answer(self.start().and_then(|start| check::header(start, header, now as u64)))
    }

    fn start(&self) -> Result<&Start, Refused> {
        self.0.as_ref().map_err(Refused::from)
    }
}

fn answer<T: Serialize>(verdict: Result<T, Refused>) -> JsValue {
    let text = match verdict {
        Ok(verdict) => serde_json::to_string(&verdict),
        Err(refused) => serde_json::to_string(&refused),
    };
    let text = text.expect("the views have only texts for keys");
    js_sys::JSON::parse(&text).expect("JSON that was just written can be read")
}
