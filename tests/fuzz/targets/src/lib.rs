//! What is fuzzed: every function that takes bytes from outside, and the consensus core under arbitrary inputs.
//!
//! A [`Target`] is a function that must not panic whatever bytes it gets, and checks what must hold beside that. The same
//! functions run in two ways: for hours under libFuzzer (`tests/fuzz`, `cargo fuzz run`), which finds new paths by coverage,
//! and in the ordinary tests for some seconds, on valid encodings that a seeded generator damages ([`mutate`]).

pub mod mutate;

mod decoders;
mod files;
mod forks;
mod peer;
mod proofs;
mod seeds;
mod step;

#[cfg(feature = "planted")]
pub use step::replica_step_with;
pub use step::{Reached, replica_step};

/// One thing to be fuzzed.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name; the libFuzzer target has the same.
    pub name: &'static str,
    /// Must not panic, whatever the bytes are.
    pub run: fn(&[u8]),
    /// Valid inputs to start from.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// All targets.
#[must_use]
pub fn targets() -> Vec<Target> {
    let mut all = decoders::targets();
    all.extend(files::targets());
    all.extend(forks::targets());
    all.extend(peer::targets());
    all.extend(proofs::targets());
    all.extend(step::targets());
    all
}

/// The target of this name.
///
/// # Panics
/// When there is none: the libFuzzer targets and this list differ.
#[must_use]
pub fn target(name: &str) -> Target {
    targets().into_iter().find(|target| target.name == name).expect("the list has every libFuzzer target")
}
