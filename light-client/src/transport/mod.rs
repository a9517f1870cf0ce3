//! How questions reach hospitals: one trait, the same bytes over libp2p and over HTTP.

#[cfg(target_arch = "wasm32")]
pub mod http;
#[cfg(not(target_arch = "wasm32"))]
pub mod libp2p;

use amulet_protocol::codec::DecodeError;
use amulet_protocol::light::{LightRequest, LightResponse};
use std::fmt;
use std::time::Duration;

/// How long a node has to answer: a cold phone link takes seconds, a dead node must not hold a person up for long.
pub const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);

/// One of the nodes a client was given, by its place in that list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeIndex(pub usize);

impl fmt::Display for NodeIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Why no answer came. None of these accuses the node: lines drop, and a captive portal answers in its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// No such node in the transport's list.
    #[error("node {node} is not one of the {known} that are known")]
    UnknownNode {
        /// Asked for.
        node: NodeIndex,
        /// Nodes known.
        known: usize,
    },
    /// No answer in time.
    #[error("no answer within {millis} ms")]
    Timeout {
        /// How long was waited.
        millis: u64,
    },
    /// No connection could be made.
    #[error("no connection could be made")]
    Connect,
    /// The connection broke off before the answer was complete.
    #[error("the connection broke off")]
    Closed,
    /// Whoever answers there speaks another protocol.
    #[error("the node does not speak this protocol")]
    Protocol,
    /// The HTTP server answered with another status than 200.
    #[error("the server answered with status {code}")]
    Status {
        /// The status.
        code: u16,
    },
    /// The answer is larger than any answer may be.
    #[error("the answer has more than {limit} bytes")]
    TooLarge {
        /// Accepted.
        limit: usize,
    },
    /// The answer is no answer of a node.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The transport was shut down.
    #[error("the transport was shut down")]
    Stopped,
}

/// Carries a question to a node and its answer back, within a time limit of its own. Nothing it returns is to be
/// believed.
#[cfg_attr(target_arch = "wasm32", async_trait::async_trait(?Send))]
#[cfg_attr(not(target_arch = "wasm32"), async_trait::async_trait)]
pub trait Transport: Send + Sync {
    /// Asks one node.
    ///
    /// # Errors
    /// [`TransportError`]: no answer came, or none that can be read.
    async fn ask(&self, node: NodeIndex, request: &LightRequest) -> Result<LightResponse, TransportError>;
}
