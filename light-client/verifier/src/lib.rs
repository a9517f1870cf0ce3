//! The pure core of Amulet's light client: what makes a header of a stranger one to rely on. The same natively, in a
//! browser and on a device without an operating system.
//!
//! Nothing here knows a clock, a network or a store: `now` is an argument, and what arrives is judged as it is. Each rule is
//! a named predicate; [`Verifier`] composes them, cheap checks first, those whose cost the sender controls last.
//!
//! A verifier relies on the validator sets it knows. It learns others by [steps](Verifier::take): from a header of a known
//! set that names the next (adjacent), or from any later header that enough of a known set signed (skipping). What it starts
//! from, a person has pinned: the genesis document, or a [`Checkpoint`].
#![no_std]

extern crate alloc;

pub mod params;

mod checkpoint;
mod epochs;
mod header;
mod known_keys;
mod predicates;
mod run;
mod verifier;

pub use checkpoint::{Checkpoint, CheckpointError, Pin, PinTextError};
pub use epochs::InvalidStep;
pub use header::{Link, VerifiedHeader};
pub use params::{TrustParams, TrustParamsError, TrustThreshold};
pub use run::InvalidRun;
pub use verifier::{
    InvalidHeader, Overlap, SkipVerdict, StepVerdict, TrustExpired, Verdict, Verifier, link_adjacent,
    link_range, range_contains,
};
