//! Consensus in a node: the pure core of `amulet-pbft`, the [`Engine`] that gives it blocks, and the [`Driver`] that gives
//! both a clock, a disk and a network.

mod admission;
mod batching;
mod credentials;
mod driver;
mod engine;
mod event;
mod gate;
mod job;
mod log;
mod offence;
mod reporter;
mod speculation;
mod sync;
mod transfer;

pub use batching::{BATCH_BYTES, BATCH_DELAY_MAX, BATCH_DELAY_STEP, BATCH_TRANSACTIONS};
pub use credentials::{Credentials, SharedVerifier, ValidatorKey};
pub use driver::{Driver, DriverError, DriverParts};
pub use engine::{ConsensusStatus, Engine, EngineError, EngineParts, EpochInForce, Settings};
pub use event::{Action, EngineTimer, Event, Now, TimerName};
pub use gate::{Gate, GateRefusal};
pub use job::{Job, JobResult};
pub use log::{ConsensusLog, LOG_FILE, Log, LogError};
pub use offence::Offence;
pub use reporter::{EvidenceOutlet, Reporter};
pub use speculation::SPECULATIVE_BLOCKS_MAX;
pub use transfer::{
    Answer, Copier, CopierParts, CopyFiles, FolderFiles, LEDGER_FILE, Next, Transfer, TransferError, install,
    put_copy_in_place,
};

#[cfg(test)]
mod cluster_tests;
#[cfg(test)]
mod tests;
