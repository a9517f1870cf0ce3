//! The native transport: libp2p over TCP or QUIC, Noise, Yamux, and the request-response protocol of [`crate::wire`].
//!
//! One task owns the swarm; questions reach it through a bounded queue and their answers come back through a channel each.

use super::backoff::Backoff;
use super::reach::Vicinity;
use super::wake::WakeWatch;
use super::{ANSWER_TIME_MAX, NodeIndex, Transport, TransportError, timed_out};
use crate::platform::{self, Clock, SystemClock};
use crate::wire::{LIGHT_PROTOCOL, LightCodec};
use amulet_crypto::entropy::Entropy;
use amulet_protocol::addresses::NodeAddress;
use amulet_protocol::codec::DecodeError;
use amulet_protocol::light::{LightRequest, LightResponse};
use futures::StreamExt;
use libp2p::multiaddr::Protocol;
use libp2p::request_response::{self, Message, OutboundFailure, OutboundRequestId, ProtocolSupport};
use libp2p::swarm::SwarmEvent;
use libp2p::{Multiaddr, PeerId, Swarm, noise, tcp, yamux};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

/// Questions that may wait for the swarm's task; more wait with their askers.
const QUEUE_MAX: usize = 64;
/// How long an idle connection is kept: the next question of a person who reads comes within a minute.
const IDLE_TIME: Duration = Duration::from_secs(60);

/// Addresses of one node that are kept; libp2p tries all at once.
const ADDRESSES_MAX: usize = 16;

/// A node's identity and addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeAddresses {
    peer: PeerId,
    addresses: Vec<Multiaddr>,
}

/// Why addresses are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// No address at all.
    #[error("the node has no libp2p address")]
    None,
    /// An address is no multiaddress.
    #[error("{address} is no libp2p address")]
    Malformed {
        /// The text.
        address: String,
    },
    /// An address does not end with the node's identity.
    #[error("{address} does not end with /p2p/ and the node's identity")]
    NoPeer {
        /// The address.
        address: Multiaddr,
    },
    /// Two addresses of one node name different identities.
    #[error("the node's addresses name two identities, {} and {}", .peers[0], .peers[1])]
    TwoPeers {
        /// The identities.
        peers: Box<[PeerId; 2]>,
    },
}

/// Why the transport could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The Noise keys could not be made.
    #[error(transparent)]
    Noise(#[from] noise::Error),
}

impl NodeAddresses {
    /// Reads a node's addresses, each ending with `/p2p/` and the same identity.
    ///
    /// # Errors
    /// [`AddressError`] by variant.
    pub fn parse(texts: &[String]) -> Result<Self, AddressError> {
        let mut addresses = Vec::with_capacity(texts.len());
        let mut known: Option<PeerId> = None;
        for text in texts {
            let address: Multiaddr =
                text.parse().map_err(|_| AddressError::Malformed { address: text.clone() })?;
            let Some(Protocol::P2p(second)) = address.iter().last() else {
                return Err(AddressError::NoPeer { address });
            };
            match known {
                Some(first) if first != second => {
                    return Err(AddressError::TwoPeers { peers: Box::new([first, second]) });
                }
                _ => known = Some(second),
            }
            addresses.push(address);
        }
        Ok(Self { peer: known.ok_or(AddressError::None)?, addresses })
    }

    /// The node's identity, as genesis documents and validator sets have it.
    #[must_use]
    pub fn peer_id_bytes(&self) -> Vec<u8> {
        self.peer.to_bytes()
    }
}

/// Asks nodes over libp2p. Dropping it ends its task and its connections.
pub struct Libp2pTransport {
    questions: mpsc::Sender<Asked>,
    nodes: Nodes,
    vicinity: Vicinity,
}

/// Shared with the task that asks them.
type Nodes = Arc<Mutex<Vec<Node>>>;

struct Asked {
    node: NodeIndex,
    request: LightRequest,
    reply: Reply,
    /// Whether it was asked before, on a connection that turned out to be dead.
    again: bool,
}

type Reply = oneshot::Sender<Result<LightResponse, TransportError>>;
type Behaviour = request_response::Behaviour<LightCodec>;

impl Libp2pTransport {
    /// Starts the transport on the current tokio runtime, with an identity made for this run. The nodes are in the order
    /// of the light client's.
    ///
    /// # Errors
    /// [`StartError`].
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn start(nodes: Vec<NodeAddresses>) -> Result<Self, StartError> {
        Self::start_with(nodes, Arc::new(SystemClock), Box::new(amulet_crypto::entropy::SystemEntropy))
    }

    /// The same with another clock, by which it notices that the device slept, and other randomness, from which it draws
    /// how long it leaves a node alone that it cannot reach.
    ///
    /// # Errors
    /// [`StartError`].
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn start_with(
        nodes: Vec<NodeAddresses>,
        clock: Arc<dyn Clock>,
        entropy: Box<dyn Entropy + Send>,
    ) -> Result<Self, StartError> {
        let swarm = libp2p::SwarmBuilder::with_new_identity()
            .with_tokio()
            .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, yamux::Config::default)?
            .with_quic()
            .with_behaviour(|_| behaviour())
            .expect("making the behaviour does not fail")
            .with_swarm_config(|config| config.with_idle_connection_timeout(IDLE_TIME))
            .build();
        let (questions, inbox) = mpsc::channel(QUEUE_MAX);
        let started = Instant::now();
        let wake = WakeWatch::new(clock.now(), Duration::ZERO);
        let texts: Vec<String> =
            nodes.iter().flat_map(|node| &node.addresses).map(Multiaddr::to_string).collect();
        let vicinity = Vicinity::of(texts.iter().map(String::as_str));
        let given = |addresses| Node { given: Some(addresses), ..Node::default() };
        let nodes: Nodes = Arc::new(Mutex::new(nodes.into_iter().map(given).collect()));
        let (paused, resumed) = mpsc::channel(QUEUE_MAX);
        let waiting = BTreeMap::new();
        let shared = Arc::clone(&nodes);
        let task =
            Task { swarm, nodes: shared, inbox, waiting, clock, entropy, started, wake, paused, resumed };
        tokio::spawn(task.run());
        Ok(Self { questions, nodes, vicinity })
    }

    /// What of a node's published addresses libp2p can use and may dial.
    fn usable(&self, addresses: &[NodeAddress]) -> Vec<NodeAddresses> {
        let usable = addresses.iter().filter_map(|address| match address {
            NodeAddress::Libp2p { text, .. } if self.vicinity.allows(address) => {
                NodeAddresses::parse(std::slice::from_ref(text)).ok()
            }
            _ => None,
        });
        usable.take(ADDRESSES_MAX).collect()
    }
}

#[async_trait::async_trait]
impl Transport for Libp2pTransport {
    async fn ask(&self, node: NodeIndex, request: &LightRequest) -> Result<LightResponse, TransportError> {
        let known = nodes_of(&self.nodes).len();
        if node.0 >= known {
            return Err(TransportError::UnknownNode { node, known });
        }
        let (reply, answer) = oneshot::channel();
        let asked = Asked { node, request: request.clone(), reply, again: false };
        let asked = async {
            self.questions.send(asked).await.map_err(|_| TransportError::Stopped)?;
            answer.await.map_err(|_| TransportError::Stopped)?
        };
        platform::timeout(ANSWER_TIME_MAX, asked).await.unwrap_or(Err(timed_out(ANSWER_TIME_MAX)))
    }

    fn learn(&self, node: NodeIndex, addresses: &[NodeAddress]) {
        if let Some(node) = nodes_of(&self.nodes).get_mut(node.0) {
            node.publish(self.usable(addresses));
        }
    }

    fn join(&self, node: NodeIndex, addresses: &[NodeAddress]) {
        let mut nodes = nodes_of(&self.nodes);
        let mut joined = Node::default();
        joined.publish(self.usable(addresses));
        let next = nodes.len();
        match nodes.get_mut(node.0) {
            Some(place) => *place = joined,
            None if node.0 == next => nodes.push(joined),
            None => {}
        }
    }
}

fn nodes_of(nodes: &Nodes) -> MutexGuard<'_, Vec<Node>> {
    nodes.lock().unwrap_or_else(PoisonError::into_inner)
}

fn behaviour() -> Behaviour {
    let config = request_response::Config::default().with_request_timeout(ANSWER_TIME_MAX);
    Behaviour::with_codec(LightCodec, [(LIGHT_PROTOCOL, ProtocolSupport::Outbound)], config)
}

#[derive(Default)]
struct Node {
    /// What the transport was started with.
    given: Option<NodeAddresses>,
    /// What the ledger has.
    published: Option<NodeAddresses>,
    backoff: Backoff,
}

impl Node {
    /// Takes what is published now, in the place of what was before. A node has one identity: the given one as long as
    /// anything is published of it, else that of the first address, for a hospital that replaced its machine.
    fn publish(&mut self, published: Vec<NodeAddresses>) {
        let first = published.first().map(|one| one.peer);
        let given = self.given.as_ref().map(|given| given.peer);
        let peer = given.filter(|given| published.iter().any(|one| one.peer == *given)).or(first);
        let now = peer.map(|peer| {
            let own = published.into_iter().filter(|one| one.peer == peer);
            NodeAddresses { peer, addresses: own.flat_map(|one| one.addresses).collect() }
        });
        if now != self.published {
            self.published = now;
            // What could not be reached was somewhere else.
            self.backoff.on_success();
        }
    }

    /// Where to dial.
    fn addresses(&self) -> Option<NodeAddresses> {
        let Some(published) = &self.published else { return self.given.clone() };
        let mut all = published.clone();
        if let Some(given) = self.given.as_ref().filter(|given| given.peer == all.peer) {
            let new = all.addresses.iter().filter(|address| !given.addresses.contains(address));
            all.addresses = given.addresses.iter().chain(new).take(ADDRESSES_MAX).cloned().collect();
        }
        Some(all)
    }
}

struct Task {
    swarm: Swarm<Behaviour>,
    nodes: Nodes,
    inbox: mpsc::Receiver<Asked>,
    waiting: BTreeMap<OutboundRequestId, Asked>,
    clock: Arc<dyn Clock>,
    entropy: Box<dyn Entropy + Send>,
    started: Instant,
    wake: WakeWatch,
    /// Questions to nodes that are left alone for a moment, and those whose moment is over.
    paused: mpsc::Sender<Asked>,
    resumed: mpsc::Receiver<Asked>,
}

impl Task {
    async fn run(mut self) {
        loop {
            tokio::select! {
                asked = self.inbox.recv() => match asked {
                    Some(asked) => self.ask(asked),
                    None => return,
                },
                Some(asked) = self.resumed.recv() => self.send(asked),
                event = self.swarm.select_next_some() => self.on_event(event),
            }
        }
    }

    fn ask(&mut self, asked: Asked) {
        if self.wake.slept(self.clock.now(), self.started.elapsed()) {
            self.forget_connections();
        }
        let now = self.clock.now();
        let pause = nodes_of(&self.nodes).get(asked.node.0).map(|node| node.backoff.wait(now));
        let pause = pause.unwrap_or_default();
        if pause.is_zero() {
            return self.send(asked);
        }
        let resume = self.paused.clone();
        tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            // If the task has ended, so has whoever asked.
            let _ = resume.send(asked).await;
        });
    }

    /// Whatever was open before the device slept is dead, or will be found to be after a long wait.
    fn forget_connections(&mut self) {
        let peers: Vec<PeerId> = self.swarm.connected_peers().copied().collect();
        tracing::debug!(connections = peers.len(), "the device slept; dialling anew");
        for peer in peers {
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        for node in nodes_of(&self.nodes).iter_mut() {
            node.backoff.on_success();
        }
    }

    fn send(&mut self, asked: Asked) {
        let addresses = nodes_of(&self.nodes).get(asked.node.0).and_then(Node::addresses);
        let Some(NodeAddresses { peer, addresses }) = addresses else {
            // Whoever asked may have given up.
            let _ = asked.reply.send(Err(TransportError::NoAddress));
            return;
        };
        let behaviour = self.swarm.behaviour_mut();
        let id = behaviour.send_request_with_addresses(&peer, asked.request.clone(), addresses);
        // Those who gave up waiting are forgotten here, so that the map does not grow with them.
        self.waiting.retain(|_, asked| !asked.reply.is_closed());
        self.waiting.insert(id, asked);
    }

    fn on_event(&mut self, event: SwarmEvent<request_response::Event<LightRequest, LightResponse>>) {
        match event {
            SwarmEvent::Behaviour(request_response::Event::Message {
                message: Message::Response { request_id, response },
                ..
            }) => self.on_answer(request_id, Ok(response)),
            SwarmEvent::Behaviour(request_response::Event::OutboundFailure {
                request_id,
                error,
                peer,
                ..
            }) => {
                tracing::debug!(%peer, %error, "a question was not answered");
                self.on_failure(request_id, peer, &error);
            }
            _ => {}
        }
    }

    fn on_failure(&mut self, id: OutboundRequestId, peer: PeerId, failure: &OutboundFailure) {
        match failure {
            // It was open when the question was asked, and perhaps dead since long: the question deserves a new one.
            OutboundFailure::ConnectionClosed => {
                if let Some(asked) = self.waiting.remove(&id) {
                    if asked.again {
                        let _ = asked.reply.send(Err(TransportError::Closed));
                    } else {
                        self.send(Asked { again: true, ..asked });
                    }
                }
                return;
            }
            // A connection on which nothing comes back may be half open; the next question finds out.
            OutboundFailure::Timeout => {
                let _ = self.swarm.disconnect_peer_id(peer);
            }
            _ => {}
        }
        self.on_answer(id, Err(transport_error(failure)));
    }

    fn on_answer(&mut self, id: OutboundRequestId, answer: Result<LightResponse, TransportError>) {
        let Some(asked) = self.waiting.remove(&id) else { return };
        if let Some(node) = nodes_of(&self.nodes).get_mut(asked.node.0) {
            if matches!(answer, Err(TransportError::Connect)) {
                let mut drawn = [0; 2];
                self.entropy.fill(&mut drawn);
                node.backoff.on_failure(self.clock.now(), u16::from_be_bytes(drawn));
            } else {
                node.backoff.on_success();
            }
        }
        // Whoever asked may have given up.
        let _ = asked.reply.send(answer);
    }
}

fn transport_error(failure: &OutboundFailure) -> TransportError {
    match failure {
        OutboundFailure::DialFailure => TransportError::Connect,
        OutboundFailure::Timeout => timed_out(ANSWER_TIME_MAX),
        OutboundFailure::ConnectionClosed => TransportError::Closed,
        OutboundFailure::UnsupportedProtocols => TransportError::Protocol,
        OutboundFailure::Io(error) => {
            match error.get_ref().and_then(|inner| inner.downcast_ref::<DecodeError>()) {
                Some(DecodeError::TooLarge { limit, .. }) => TransportError::TooLarge { limit: *limit },
                Some(error) => TransportError::Decode(error.clone()),
                None => TransportError::Closed,
            }
        }
    }
}
