//! libp2p between the hospitals' nodes, and for light clients.
//!
//! Three protocols, each with its own size limit: consensus messages (one way, acknowledged), questions between nodes
//! (blocks, ciphertexts, transactions), and light clients' questions. Only the validators of the genesis document, known
//! by their libp2p identity, are heard on the first two.

mod behaviour;
mod codec;
mod event_loop;
mod members;
mod messages;
mod outbox;
mod shares;
#[cfg(test)]
mod tests;

pub use codec::BytesCodec;
pub use event_loop::{EventLoop, NetworkConfig, NetworkError};
pub use messages::{
    BLOBS_PER_PEER_REQUEST_MAX, BLOCKS_PER_PEER_RESPONSE_MAX, PEER_MESSAGE_BYTES_MAX, PeerRequest,
    PeerResponse,
};

use amulet_protocol::ids::ReplicaId;
use amulet_protocol::light::{LightRequest, LightResponse};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

/// Commands waiting for the event loop.
const COMMANDS_MAX: usize = 4_096;
/// Consensus messages of one validator waiting for the driver; more are dropped, as a network may. Each validator has its
/// own share, so that a faulty one cannot crowd out the votes of the others, or fill the memory with blocks.
const CONSENSUS_SHARE: u32 = 64;
/// Bytes that one place of a share holds; a larger message takes several.
const BYTES_PER_PLACE: usize = 256 * 1024;
/// Validators that a set can have.
const VALIDATORS_MAX: usize = 100;
/// Questions of one validator under way; more are refused.
const PEER_SHARE: u32 = 128;
/// Questions of light clients waiting for an answer; more are refused.
const QUESTIONS_INBOX_MAX: usize = 256;

/// What other tasks ask of the event loop.
pub(crate) enum Command {
    Consensus { to: ReplicaId, bytes: Arc<Vec<u8>> },
    Ask { to: ReplicaId, request: Box<PeerRequest>, reply: oneshot::Sender<PeerResponse> },
}

/// A consensus message as received: who sent it, on libp2p's word, and its bytes.
pub struct ConsensusMessage {
    /// The validator whose libp2p identity sent it.
    pub from: ReplicaId,
    /// The encoded message.
    pub bytes: Vec<u8>,
    /// Its place in the sender's share of the inbox; `None` in tests.
    pub(crate) place: Option<OwnedSemaphorePermit>,
}

/// A question of another node, with the place for the answer. Dropping the place refuses.
pub struct PeerQuestion {
    /// Who asks.
    pub from: ReplicaId,
    /// What.
    pub request: PeerRequest,
    /// Where the answer goes.
    pub reply: oneshot::Sender<PeerResponse>,
}

/// A question of a light client.
pub struct LightQuestion {
    /// What.
    pub request: LightRequest,
    /// Where the answer goes.
    pub reply: oneshot::Sender<LightResponse>,
}

/// What the event loop hands to the other tasks.
pub struct Inboxes {
    /// For the consensus driver.
    pub consensus: mpsc::Receiver<ConsensusMessage>,
    /// For the answerer of peers.
    pub peers: mpsc::Receiver<PeerQuestion>,
    /// For the answerer of light clients.
    pub light: mpsc::Receiver<LightQuestion>,
}

pub(crate) struct Outlets {
    pub consensus: mpsc::Sender<ConsensusMessage>,
    pub peers: mpsc::Sender<PeerQuestion>,
    pub light: mpsc::Sender<LightQuestion>,
}

/// What a node has handed to libp2p since it started: consensus messages, questions to other nodes, and answers.
#[derive(Debug, Default)]
pub struct Traffic {
    messages: AtomicU64,
    bytes: AtomicU64,
}

impl Traffic {
    pub(crate) fn count(&self, bytes: usize) {
        self.messages.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Messages.
    #[must_use]
    pub fn messages(&self) -> u64 {
        self.messages.load(Ordering::Relaxed)
    }

    /// Their bytes, without what libp2p and the transport add.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }
}

/// Handle to the network; cheap to clone.
#[derive(Clone)]
pub struct Network {
    commands: mpsc::Sender<Command>,
    traffic: Arc<Traffic>,
}

impl Network {
    /// The handle, the command queue for the event loop, and both ends of the inboxes.
    pub(crate) fn channels() -> (Self, mpsc::Receiver<Command>, Outlets, Inboxes) {
        let (commands, queue) = mpsc::channel(COMMANDS_MAX);
        let (consensus_in, consensus) = mpsc::channel(CONSENSUS_SHARE as usize * VALIDATORS_MAX);
        let (peers_in, peers) = mpsc::channel(PEER_SHARE as usize * VALIDATORS_MAX);
        let (light_in, light) = mpsc::channel(QUESTIONS_INBOX_MAX);
        let outlets = Outlets { consensus: consensus_in, peers: peers_in, light: light_in };
        (Self { commands, traffic: Arc::default() }, queue, outlets, Inboxes { consensus, peers, light })
    }

    /// What this node has sent.
    #[must_use]
    pub fn traffic(&self) -> &Arc<Traffic> {
        &self.traffic
    }

    /// Sends a consensus message. It may be lost, as on any network: the protocol bears that.
    pub fn send(&self, to: ReplicaId, bytes: Arc<Vec<u8>>) {
        if self.commands.try_send(Command::Consensus { to, bytes }).is_err() {
            tracing::debug!(replica = to.0, "network queue full, message dropped");
        }
    }

    /// Asks another node; `None` if it cannot be reached, refuses, or does not answer in time.
    pub async fn ask(&self, to: ReplicaId, request: PeerRequest) -> Option<PeerResponse> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(Command::Ask { to, request: Box::new(request), reply }).await.ok()?;
        answer.await.ok()
    }
}
