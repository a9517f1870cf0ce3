//! The native transport: libp2p over TCP or QUIC, Noise, Yamux, and the request-response protocol of [`crate::wire`].
//!
//! One task owns the swarm; questions reach it through a bounded queue and their answers come back through a channel each.

use super::{ANSWER_TIME_MAX, NodeIndex, Transport, TransportError};
use crate::platform;
use crate::wire::{LIGHT_PROTOCOL, LightCodec};
use amulet_protocol::codec::DecodeError;
use amulet_protocol::light::{LightRequest, LightResponse};
use futures::StreamExt;
use libp2p::multiaddr::Protocol;
use libp2p::request_response::{self, Message, OutboundFailure, OutboundRequestId, ProtocolSupport};
use libp2p::swarm::SwarmEvent;
use libp2p::{Multiaddr, PeerId, Swarm, noise, tcp, yamux};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Questions that may wait for the swarm's task; more wait with their askers.
const QUEUE_MAX: usize = 64;
/// How long an idle connection is kept: the next question of a person who reads comes within a minute.
const IDLE_TIME: Duration = Duration::from_secs(60);

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
}

/// Asks nodes over libp2p. Dropping it ends its task and its connections.
#[derive(Debug)]
pub struct Libp2pTransport {
    commands: mpsc::Sender<Command>,
    known: usize,
}

struct Command {
    node: NodeIndex,
    request: LightRequest,
    reply: Reply,
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
        let swarm = libp2p::SwarmBuilder::with_new_identity()
            .with_tokio()
            .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, yamux::Config::default)?
            .with_quic()
            .with_behaviour(|_| behaviour())
            .expect("making the behaviour does not fail")
            .with_swarm_config(|config| config.with_idle_connection_timeout(IDLE_TIME))
            .build();
        let (commands, inbox) = mpsc::channel(QUEUE_MAX);
        let known = nodes.len();
        tokio::spawn(Task { swarm, nodes, inbox, waiting: BTreeMap::new() }.run());
        Ok(Self { commands, known })
    }
}

#[async_trait::async_trait]
impl Transport for Libp2pTransport {
    async fn ask(&self, node: NodeIndex, request: &LightRequest) -> Result<LightResponse, TransportError> {
        if node.0 >= self.known {
            return Err(TransportError::UnknownNode { node, known: self.known });
        }
        let (reply, answer) = oneshot::channel();
        let command = Command { node, request: request.clone(), reply };
        let asked = async {
            self.commands.send(command).await.map_err(|_| TransportError::Stopped)?;
            answer.await.map_err(|_| TransportError::Stopped)?
        };
        let millis = u64::try_from(ANSWER_TIME_MAX.as_millis()).unwrap_or(u64::MAX);
        platform::timeout(ANSWER_TIME_MAX, asked).await.unwrap_or(Err(TransportError::Timeout { millis }))
    }
}

fn behaviour() -> Behaviour {
    let config = request_response::Config::default().with_request_timeout(ANSWER_TIME_MAX);
    Behaviour::with_codec(LightCodec, [(LIGHT_PROTOCOL, ProtocolSupport::Outbound)], config)
}

struct Task {
    swarm: Swarm<Behaviour>,
    nodes: Vec<NodeAddresses>,
    inbox: mpsc::Receiver<Command>,
    waiting: BTreeMap<OutboundRequestId, Reply>,
}

impl Task {
    async fn run(mut self) {
        loop {
            tokio::select! {
                command = self.inbox.recv() => match command {
                    Some(command) => self.send(command),
                    None => return,
                },
                event = self.swarm.select_next_some() => self.on_event(event),
            }
        }
    }

    fn send(&mut self, command: Command) {
        let Some(NodeAddresses { peer, addresses }) = self.nodes.get(command.node.0) else { return };
        let behaviour = self.swarm.behaviour_mut();
        let id = behaviour.send_request_with_addresses(peer, command.request, addresses.clone());
        // Those who gave up waiting are forgotten here, so that the map does not grow with them.
        self.waiting.retain(|_, reply| !reply.is_closed());
        self.waiting.insert(id, command.reply);
    }

    fn on_event(&mut self, event: SwarmEvent<request_response::Event<LightRequest, LightResponse>>) {
        let (id, answer) = match event {
            SwarmEvent::Behaviour(request_response::Event::Message {
                message: Message::Response { request_id, response },
                ..
            }) => (request_id, Ok(response)),
            SwarmEvent::Behaviour(request_response::Event::OutboundFailure {
                request_id,
                error,
                peer,
                ..
            }) => {
                tracing::debug!(%peer, %error, "a question was not answered");
                (request_id, Err(transport_error(&error)))
            }
            _ => return,
        };
        if let Some(reply) = self.waiting.remove(&id) {
            // Whoever asked may have given up.
            let _ = reply.send(answer);
        }
    }
}

fn transport_error(failure: &OutboundFailure) -> TransportError {
    match failure {
        OutboundFailure::DialFailure => TransportError::Connect,
        OutboundFailure::Timeout => {
            TransportError::Timeout { millis: u64::try_from(ANSWER_TIME_MAX.as_millis()).unwrap_or(u64::MAX) }
        }
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
