//! What goes wrong: said in a sentence, with what to do next, and by an exit code that a script can tell apart.

use amulet_light_client::LightError;
use amulet_protocol::fork_file::ForkFileError;
use amulet_protocol::proof_file::ProofFileError;
use serde_json::json;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

/// Why the program ends without an answer.
#[derive(Debug)]
pub struct Failure {
    exit: u8,
    /// A short name for programs.
    code: String,
    what: String,
    next: &'static str,
}

/// Refused as false.
const FALSE: u8 = 1;
/// Wrong use, or a file that cannot be read.
const USE: u8 = 2;
/// Nothing can be said now.
const UNKNOWN: u8 = 3;
/// Hospitals contradict each other.
const CONTRADICTION: u8 = 4;

impl Failure {
    fn new(exit: u8, code: impl Into<String>, what: impl ToString, next: &'static str) -> Self {
        Self { exit, code: code.into(), what: what.to_string(), next }
    }

    /// A file that cannot be read or written.
    pub fn file(path: &Path, error: impl std::fmt::Display) -> Self {
        let what = format!("{}: {error}", path.display());
        Self::new(USE, "file", what, "give the path of a file that you may read")
    }

    /// A genesis document that is none.
    pub fn genesis(path: &Path, error: impl std::fmt::Display) -> Self {
        let what = format!("{} is no genesis document: {error}", path.display());
        Self::new(USE, "genesis", what, "give the genesis.bin that the consortium published")
    }

    /// An address that cannot be used.
    pub fn address(what: impl ToString) -> Self {
        Self::new(USE, "address", what, "give addresses like /ip4/192.0.2.1/tcp/9101/p2p/12D3Koo…")
    }

    /// A checkpoint that cannot be read.
    pub fn checkpoint(what: impl ToString) -> Self {
        let next = "give \"BLOCK WORD1 … WORD10\", the code amulet-checkpoint:1:…, or a file with either, as `checkpoint` prints them";
        Self::new(USE, "checkpoint", format!("--checkpoint: {}", what.to_string()), next)
    }

    /// A block that is another than the checkpoint.
    pub fn other_checkpoint(what: impl ToString) -> Self {
        let next = "compare the checkpoint with the device it comes from again; if it is right, rely on nothing here";
        Self::new(FALSE, "other-checkpoint", what, next)
    }

    /// A proof that does not show the checkpoint's block.
    pub fn beside_checkpoint() -> Self {
        let what = "the proof is good under the genesis document, but does not show the checkpoint's block";
        let next = "check it without --checkpoint, or compare its newest block with a client that runs `sync --checkpoint`";
        Self::new(UNKNOWN, "beside-checkpoint", what, next)
    }

    /// A proof file that is refused.
    pub fn proof(error: &ProofFileError) -> Self {
        let next = match error {
            ProofFileError::Magic => "give a file that a wallet exported (.amuletproof)",
            ProofFileError::Version { .. } => "use a newer amulet-light",
            ProofFileError::Chain { .. } => "give the genesis document of the chain that the proof is about",
            ProofFileError::Decode(_) => "get the file again; it was damaged or cut off on the way",
            _ => "do not rely on this file; ask whoever gave it to you for a new one",
        };
        Self::new(FALSE, error.rule(), error, next)
    }

    /// A fork file that is refused.
    pub fn fork(error: &ForkFileError) -> Self {
        let next = match error {
            ForkFileError::Magic => "give a file that a wallet saved (.amuletfork)",
            ForkFileError::Version { .. } => "use a newer amulet-light",
            ForkFileError::Decode(_) => "get the file again; it was damaged or cut off on the way",
            _ => "it accuses nobody; ask whoever gave it to you for a new one",
        };
        Self::new(FALSE, error.rule(), error, next)
    }

    /// A signed header that is refused.
    pub fn header(code: &str, error: impl ToString) -> Self {
        let next = "do not rely on it; a proof file also shows how later validators follow from the first";
        Self::new(FALSE, code, error, next)
    }

    /// A program that cannot work here.
    pub fn start(error: impl ToString) -> Self {
        Self::new(UNKNOWN, "start", error, "see whether this machine allows network connections")
    }

    /// What hinders the program.
    pub fn report(&self, json: bool) -> ExitCode {
        let said = if json {
            let error = json!({ "code": self.code, "message": self.what, "next": self.next });
            writeln!(std::io::stdout(), "{}", json!({ "ok": false, "error": error }))
        } else {
            writeln!(std::io::stderr(), "amulet-light: {}; {}", self.what, self.next)
        };
        // Whoever closed the output does not read why, and the exit code says it too.
        drop(said);
        ExitCode::from(self.exit)
    }
}

impl From<LightError> for Failure {
    fn from(error: LightError) -> Self {
        let (exit, code, next) = match &error {
            LightError::Genesis(_) => (USE, "genesis", "give the genesis.bin that the consortium published"),
            LightError::TooFewNodes { .. } => {
                (USE, "too-few-nodes", "give --node for hospitals of at least two organisations")
            }
            LightError::Unreachable { .. } => {
                (UNKNOWN, "unreachable", "check the addresses and the network, and try again")
            }
            LightError::TooFewWitnesses { .. } => {
                (UNKNOWN, "too-few-witnesses", "give --node for more hospitals, or try again later")
            }
            LightError::NothingYet => (UNKNOWN, "nothing-yet", "try again when the chain has a first block"),
            LightError::TrustExpired(_) => (
                UNKNOWN,
                "trust-expired",
                "compare the genesis document with its source and start with an empty --store",
            ),
            LightError::CheckpointWords(_) => {
                return Self::other_checkpoint(format!("the hospitals' block: {error}"));
            }
            LightError::Checkpoint(_) => {
                (USE, "checkpoint", "give the genesis document and the checkpoint of one chain")
            }
            LightError::NotFound { .. } => (
                UNKNOWN,
                "not-found",
                "see whether the number is right; hospitals may not have it yet or no more",
            ),
            LightError::Disagreement(_) => (
                CONTRADICTION,
                "disagreement",
                "rely on nothing newer than this height, and tell the consortium",
            ),
            LightError::Forged { .. } => (
                FALSE,
                "forged",
                "ask other hospitals: this one's answer is false, and no other gave a good one",
            ),
            _ => (UNKNOWN, "no-answer", "try again, or ask other hospitals with --node"),
        };
        Self::new(exit, code, error, next)
    }
}
