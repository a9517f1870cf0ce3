//! Attacks on the score of hospitals' nodes, over virtual months, with the contracts that real nodes execute.
//!
//! Clients of seven hospitals measure nodes that serve well, slowly, or lie, and report each week; some slander or flatter.
//! [`scenarios`] says what is played, [`play`] plays it on a [`ledger`], [`plot`] draws it. `cargo run -p amulet-reputation`
//! writes the picture of `docs/spec/reputation.md`; a test compares the two.

pub mod clients;
pub mod ledger;
pub mod play;
pub mod plot;
pub mod scenarios;
