//! What the tests of the whole share: a consortium of real processes, wallets that talk to it over real sockets, and raw
//! questions to single nodes.
//!
//! Everything here panics with a sentence when it cannot go on, because a test is its only caller.

pub mod audit;
pub mod chain;
pub mod choices;
pub mod colluders;
pub mod consortium;
pub mod hospital;
pub mod http;
pub mod kill_loop;
pub mod lies;
pub mod links;
pub mod load;
pub mod localnet;
pub mod people;
pub mod samples;
pub mod scan;
pub mod tight_disk;
pub mod wait;
pub mod wallet;

#[cfg(feature = "e2e")]
pub mod e2e;

/// Runs a test's asynchronous part.
///
/// # Panics
/// When there is no runtime to be had.
pub fn run<F: Future>(work: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.expect("a runtime can be made").block_on(work)
}

/// Tells whoever reads the test's output where it is, and since when, in seconds.
pub fn step(text: impl std::fmt::Display) {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    eprintln!("— {:5.1} {text}", START.get_or_init(std::time::Instant::now).elapsed().as_secs_f32());
}
