//! Amulet's light client: it checks for itself all that a wallet shows, and trusts no single hospital: not for what
//! happened, and not for what did not happen.
//!
//! Four layers, the lower knowing nothing of the upper: [`verifier`] (pure predicates, a crate of its own), [`store`] (the
//! trusted header, and what saves asking again), [`sync`] (several hospitals, witnesses, evidence), [`client`] (the facade:
//! proven queries). Below them the
//! [`transport`]: libp2p natively, `fetch` in a browser. `platform` alone knows what it runs on.
//!
//! What a header must pass is in its type: an `UntrustedSignedHeader` becomes a [`VerifiedHeader`] by the verifier's checks
//! and a [`TrustedHeader`] when hospitals of different organisations agree on it. See `README.md` for what this does not
//! protect against.

pub mod background;
pub mod checkpoint;
pub mod client;
pub mod error;
pub mod follow;
pub mod platform;
pub mod store;
pub mod sync;
pub mod transport;
#[cfg(not(target_arch = "wasm32"))]
pub mod wire;

mod header;

pub use amulet_verifier as verifier;
pub use amulet_verifier::{Link, TrustParams, TrustParamsError, TrustThreshold, VerifiedHeader, params};
pub use background::{Background, BackgroundStatus, SyncPolicy};
pub use client::{
    JOINED_MAX, LightClient, NodeInfo, Progress, ProvenHeader, ProvenHistory, ProvenReceipt, Stage, Wanted,
};
pub use error::{Disagreement, Forgery, LightError, NodeFailure, Question, Side};
pub use header::TrustedHeader;
pub use platform::{Clock, ProgressFn, SystemClock};
pub use store::{ClientStore, MemoryStore, StoreError};
pub use sync::{NodeVerdict, SyncReport};
pub use transport::{Interception, NodeIndex, Traffic, Transport, TransportError};
#[cfg(not(target_arch = "wasm32"))]
pub use wire::{LIGHT_PROTOCOL, LightCodec};
