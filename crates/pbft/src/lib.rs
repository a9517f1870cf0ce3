//! PBFT as a pure state machine: the consensus core of Amulet.
//!
//! [`Replica::step`] takes one [`Input`] and returns a [`Step`]: an ordered list of [`Effect`]s for the driver to carry
//! out, and whether the input was accepted. The crate reads no clock, draws no random number, opens no file and spawns
//! nothing, so a run is a function of its inputs and can be replayed, simulated and checked.
//!
//! **Execute, then agree.** Replicas agree on the hash of the header of a fully executed block. The driver builds and
//! executes a block when the core says [`Effect::Propose`]; a backup's driver executes a proposed block
//! ([`Effect::Validate`]) before the core prepares it. A quorum of commit votes is therefore the certificate that a
//! light client checks. The decision is argued in `docs/decisions/0001-execute-then-agree.md`.
//!
//! **One sequence number is one height**, and up to [`Config::depth`] heights are in flight at once.
//!
//! **One [`Replica`] lives for one epoch**, that is for one validator set. The driver makes another one when the epoch
//! ended ([`Mode::Ended`]).
//!
//! The rules have ids (`PBFT-NC-1`, …) that `docs/spec/consensus.md` states, the code cites where it applies them, and
//! the tests cite where they check them. `NC` is the normal case, `CP` checkpoints, `VC` view changes, `TM` timers,
//! `RT` retransmission and catching up, `RC` recovery, `MB` message bounds, `EV` evidence.
//!
//! | module | what is there |
//! | --- | --- |
//! | [`message`], [`certificate`] | what replicas send, and what quorums of it prove |
//! | [`verify`] | the only way from a received message to one that `step` takes |
//! | [`input`], [`effect`], [`record`] | the border to the driver |
//! | [`replica`] | the state and the dispatch; the rules are in the private modules beside it |

pub mod certificate;
pub mod config;
pub mod effect;
pub mod fitness;
pub mod input;
pub mod limits;
pub mod message;
pub mod payload;
pub mod planted;
pub mod record;
pub mod rejection;
pub mod replica;
pub mod signer;
pub mod timer;
pub mod verify;

mod checkpoint;
mod future;
mod new_view;
mod normal_case;
mod recovery;
mod slot;
mod stale;
mod status;
mod tables;
mod view_change;

pub use amulet_protocol::evidence::{Evidence, EvidenceError, EvidenceKind};
pub use certificate::{CheckpointCertificate, CommitCertificate, PreparedCertificate};
pub use config::{Config, ConfigError, Millis, Timeouts};
pub use effect::{Effect, Outcome, Provenance, Step};
pub use fitness::{Cause, Suspicion};
pub use input::{Input, ProposedBlock, Requests, Verdict};
pub use message::{Message, Signed, UntrustedMessage};
pub use payload::{Payload, PayloadDigest};
pub use record::{LogEntry, LogRecord, RecordKey};
pub use recovery::{RecoverError, Tip, check_epochs, is_lost, lost_keys};
pub use rejection::Rejection;
pub use replica::{Mode, Replica};
pub use signer::{KeySigner, Signer};
pub use stale::Horizon;
pub use tables::Table;
pub use timer::{Timer, TimerKind};
pub use verify::{ValidatorKeys, VerifiedMessage, Verifier, VerifyError};
