//! The consensus protocol of `docs/spec/consensus.md`, abstract enough to be explored completely for small bounds: normal
//! case with two heights in flight, view change, loss, reordering, restarts, and one Byzantine replica among four.
//!
//! **What is modelled.** Each [`Action`] cites the rules that it stands for. Blocks are ids that name their parents. Messages
//! are never moved about: what a correct replica signed may be acted on by anyone at any later time, or never. Timers may
//! fire at any time. The Byzantine replica may send whatever it can sign, to each receiver something else: two
//! different pre-prepares at each place, votes for everything, view-changes with any certificates that exist, new-views
//! with any of the view-changes that exist. Certificates exist as soon as the votes of correct replicas in them do.
//!
//! **What is not.** Payloads and their transfer, checkpoints and water marks, timers' lengths, signatures, epochs. Those are
//! for the simulation of whole replicas. Liveness is checked in one form: from every state correct replicas that
//! exchange their certificates can go on ([`properties::CAN_GO_ON`]).
//!
//! **What keeps it small.** Votes of a view in which nobody can vote any more are replaced by the certificates they make;
//! correct replicas that are no longer to be a primary are interchangeable; see also [`Interleaving`]. A consequence:
//! in a printed execution a replica's number may change from one action to the next, where two of them were swapped.
//!
//! **How it is known that it can fail.** Each [`Mutation`] is a fault built into the rules, and a test shows the violation
//! that the checker finds. The search is Stateright's, breadth first, so violations come with a shortest execution.
//! Stateright tells states apart by 64-bit fingerprints: with 10 million states, the chance that two share one, and so
//! that a state is missed, is about one in 370,000.
//!
//! `cargo xtask model --views 3 --heights 2` explores more than the tests do.

mod block;
mod check;
mod config;
mod model;
pub mod properties;
mod selection;
mod state;
mod walk;

pub use block::{Block, HEIGHTS_MAX, VIEWS_MAX};
pub use check::{Report, Violation, check};
pub use config::{Config, Interleaving, Mutation, REPLICAS};
pub use model::Action;
pub use selection::Plan;
pub use walk::{NotPossible, walk};
