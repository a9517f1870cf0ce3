//! Verification compared with the crate `sm2`: some thousand cases here, as many as wanted by
//! `cargo xtask bench sm2 --cases N`.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)]

#[path = "support/differential.rs"]
mod differential;

const CASES: u64 = 4_000;

#[test]
fn every_signature_is_judged_as_the_crate_sm2_judges_it() {
    let compared = differential::compare(1, CASES);
    // About half are right as they are; one eighth is changed in each of four ways, one ends in infinity.
    assert!(compared.accepted > CASES / 3 && compared.refused > CASES / 4, "{compared:?}");
}
