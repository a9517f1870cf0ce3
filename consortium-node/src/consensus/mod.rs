//! PBFT's driver: gives the pure core a clock, a disk, a network and a ledger.

mod driver;
mod log;
mod sync;

pub use driver::{ConsensusStatus, Driver, DriverError, DriverParts};
pub use log::{ConsensusLog, LogError};

#[cfg(test)]
mod tests;
