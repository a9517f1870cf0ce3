//! How questions reach hospitals: one trait, the same bytes over libp2p and over HTTP.

pub mod backoff;
mod fallback;
#[cfg(target_arch = "wasm32")]
pub mod http;
#[cfg(not(target_arch = "wasm32"))]
pub mod https;
#[cfg(not(target_arch = "wasm32"))]
pub mod libp2p;
mod metered;
mod race;
mod reach;
pub mod wake;
mod web;

pub use fallback::FallbackTransport;
pub(crate) use metered::MeteredTransport;
pub use metered::{IN_FLIGHT_MAX, Traffic};
pub use web::{CONTENT_TYPE, LIGHT_PATH};

use amulet_protocol::addresses::NodeAddress;
use amulet_protocol::codec::DecodeError;
use amulet_protocol::light::{LightRequest, LightResponse};
use amulet_protocol::limits::LIGHT_RESPONSE_BYTES_MAX;
use std::fmt;
use std::time::Duration;

/// How long a node has to answer: a cold phone link takes seconds, a dead node must not hold a person up for long.
pub const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);

/// Bytes of an answer that is one header or a proof about headers. With 100 validators, a header has about 8,000 and the end of
/// an epoch about 20,000: a node that lies must not cost somebody on a metered link megabytes.
pub const SMALL_ANSWER_BYTES_MAX: usize = 64 * 1024;

/// How many bytes the answer to a question may have.
#[must_use]
pub fn answer_bytes_max(request: &LightRequest) -> usize {
    match request {
        LightRequest::Latest
        | LightRequest::LatestUnless(_)
        | LightRequest::HeaderAt(_)
        | LightRequest::RangeProof { .. }
        | LightRequest::EpochEnd(_)
        | LightRequest::EpochEndWithSet(_)
        | LightRequest::Submit(_)
        | LightRequest::Upload(_) => SMALL_ANSWER_BYTES_MAX,
        _ => LIGHT_RESPONSE_BYTES_MAX,
    }
}

/// One of the nodes a client was given or has found on the ledger, by its place in that list. A place is never given to another
/// node while a client runs.
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
    /// Something else answers in the hospital's place, as a network does that wants people to sign in first.
    #[error("something else answers in the hospital's place: {by}")]
    Intercepted {
        /// How that shows.
        by: Interception,
    },
    /// No address of the node is known that this transport can use.
    #[error("no address of the node can be used here")]
    NoAddress,
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

/// How it shows that something else answers in a hospital's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interception {
    /// It sends the question elsewhere.
    Redirect,
    /// It says that the network wants a sign-in (HTTP status 511).
    SignIn,
    /// It answers with a page for people.
    Page,
}

impl fmt::Display for Interception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Redirect => "it sends questions elsewhere",
            Self::SignIn => "the network wants a sign-in",
            Self::Page => "it answers with a web page",
        })
    }
}

pub(crate) fn timed_out(limit: Duration) -> TransportError {
    TransportError::Timeout { millis: u64::try_from(limit.as_millis()).unwrap_or(u64::MAX) }
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

    /// Learns the addresses that the ledger has of a node now, in the place of those learnt before; they are tried beside the
    /// ones it was given. One that cannot use them ignores them.
    fn learn(&self, node: NodeIndex, addresses: &[NodeAddress]) {
        let _ = (node, addresses);
    }

    /// Takes up a node that joined later, known by the addresses that the ledger has of it. `node` is the next place in the
    /// list, or one that another client gave to a node that joined, which this one replaces. A transport that can use none
    /// of the addresses takes it up all the same, and says [`TransportError::NoAddress`] when it is asked.
    fn join(&self, node: NodeIndex, addresses: &[NodeAddress]) {
        let _ = (node, addresses);
    }
}
