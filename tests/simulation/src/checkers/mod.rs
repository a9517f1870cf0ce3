//! What must hold, looked at after each step.

mod chain;
mod conflicts;
mod duties;
mod epochs;
mod findings;
mod promises;
mod watch;

pub use chain::Chain;
pub use conflicts::Conflicts;
pub use findings::{Finding, Findings};
pub use promises::Promises;
pub use watch::{Standing, Watch};

use crate::time::Micros;
use serde::{Deserialize, Serialize};

/// Who found that something does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Checker {
    /// Correct replicas settle the same block at a height.
    Agreement,
    /// Blocks hold submitted transactions only, and an independent ledger finds the same in them, state roots included.
    Validity,
    /// What a client has a proof of stays.
    Acknowledged,
    /// A nonce of a client is executed at most once.
    AtMostOnce,
    /// What a replica has made durable is there after a restart.
    Durability,
    /// A correct replica never contradicts what it signed, and what it says follows from what it heard.
    Promises,
    /// A correct replica does at once what others count on.
    Duties,
    /// Blocks and sets of validators are certified by the set in force.
    Epochs,
    /// A transaction that a correct replica took waits there until it is settled or can never be.
    Custody,
    /// Nobody correct is accused, and evidence is proof.
    Evidence,
    /// A copied ledger is what was certified, pieces of honest peers are taken, and no more is removed than may be.
    Copies,
    /// Tables stay within their bounds.
    Memory,
    /// After healing everything submitted is committed, everywhere, in time.
    Liveness,
    /// A correct replica neither panics nor stops by itself.
    Health,
}

/// Something that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// When it was found.
    pub at: Micros,
    /// By whom.
    pub checker: Checker,
    /// What was found.
    pub detail: String,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} at {}: {}", self.checker, self.at, self.detail)
    }
}

/// What a checker says: nothing, or what does not hold.
pub type Checked = Result<(), (Checker, String)>;

/// A refusal of `checker` unless `holds`.
pub(crate) fn ensure(holds: bool, checker: Checker, detail: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err((checker, detail())) }
}
