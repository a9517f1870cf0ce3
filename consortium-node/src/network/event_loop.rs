//! Runs the swarm: translates its events into domain events, and commands into its calls.

use super::behaviour::{Behaviour, BehaviourEvent};
use super::messages::{PEER_MESSAGE_BYTES_MAX, PeerRequest, PeerResponse};
use super::outbox::{self, Outbox};
use super::shares::Shares;
use super::{Command, ConsensusMessage, Inboxes, LightQuestion, Network, Outlets, PeerQuestion, Traffic};
use amulet_pbft::limits::MESSAGE_BYTES_MAX;
use amulet_protocol::codec;
use amulet_protocol::ids::ReplicaId;
use amulet_protocol::light::{LightRefusal, LightRequest, LightResponse};
use amulet_protocol::limits::LIGHT_REQUEST_BYTES_MAX;
use amulet_protocol::validators::ValidatorSet;
use futures::StreamExt;
use libp2p::core::upgrade::Version;
use libp2p::request_response::{Event, Message, OutboundRequestId, ResponseChannel};
use libp2p::swarm::SwarmEvent;
use libp2p::swarm::dial_opts::DialOpts;
use libp2p::{Multiaddr, PeerId, Swarm, identity, noise, tcp, yamux};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// Answers ready to be sent back.
const ANSWERS_MAX: usize = 1_024;
/// Commands taken at once before what they say is sent, so that messages to one peer go together.
const COMMANDS_AT_ONCE: usize = 256;
/// How often peers that are not connected are dialled again.
pub(super) const REDIAL_EVERY: Duration = Duration::from_millis(500);
/// How long an idle connection is kept.
const IDLE: Duration = Duration::from_secs(300);

/// What the network needs to know.
pub struct NetworkConfig {
    /// The node's libp2p identity.
    pub identity: identity::Keypair,
    /// Where to listen.
    pub listen: Vec<Multiaddr>,
    /// Where other nodes are; those that are no validators are not dialled.
    pub peers: Vec<(PeerId, Multiaddr)>,
    /// This node's place among the validators, if it has one.
    pub own: Option<ReplicaId>,
}

/// Why the network could not start.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// A validator's peer identity on the ledger is no libp2p identity.
    #[error("the ledger gives validator {replica} a peer identity that is none")]
    PeerId {
        /// Which.
        replica: ReplicaId,
    },
    /// The transport could not be set up.
    #[error("libp2p could not be set up: {0}")]
    Setup(String),
    /// An address cannot be listened on.
    #[error(
        "cannot listen on {address}: {reason}. Is another program using the port? Choose another in node.toml"
    )]
    Listen {
        /// Which.
        address: Multiaddr,
        /// The system's words.
        reason: String,
    },
}

enum Answer {
    Peer(ResponseChannel<Vec<u8>>, Vec<u8>),
    Light(ResponseChannel<Vec<u8>>, Vec<u8>),
}

/// The task that owns the swarm.
pub struct EventLoop {
    swarm: Swarm<Behaviour>,
    commands: mpsc::Receiver<Command>,
    outlets: Outlets,
    answers: (mpsc::Sender<Answer>, mpsc::Receiver<Answer>),
    replicas: BTreeMap<PeerId, ReplicaId>,
    peers: BTreeMap<ReplicaId, PeerId>,
    /// Kept here, because libp2p forgets an address that it could not reach once.
    addresses: BTreeMap<PeerId, Vec<Multiaddr>>,
    asked: BTreeMap<OutboundRequestId, oneshot::Sender<PeerResponse>>,
    outboxes: BTreeMap<ReplicaId, Outbox>,
    shares: Shares,
    connected: watch::Sender<usize>,
    traffic: Arc<Traffic>,
}

impl EventLoop {
    /// Sets the swarm up and starts listening.
    ///
    /// # Errors
    /// [`NetworkError`] by variant.
    pub fn start(
        config: NetworkConfig,
        validators: &ValidatorSet,
    ) -> Result<(Self, Network, Inboxes, watch::Receiver<usize>), NetworkError> {
        let mut peers = BTreeMap::new();
        for (index, validator) in validators.members().iter().enumerate() {
            let replica = ReplicaId(u16::try_from(index).unwrap_or(u16::MAX));
            let peer =
                PeerId::from_bytes(&validator.peer_id).map_err(|_| NetworkError::PeerId { replica })?;
            peers.insert(replica, peer);
        }
        let mut swarm = swarm(config.identity, peers.values().copied().collect())?;
        for address in config.listen {
            swarm
                .listen_on(address.clone())
                .map_err(|error| NetworkError::Listen { address, reason: error.to_string() })?;
        }
        let mut addresses: BTreeMap<PeerId, Vec<Multiaddr>> = BTreeMap::new();
        for (peer, address) in config.peers {
            addresses.entry(peer).or_default().push(address);
        }
        let replicas = peers.iter().map(|(replica, peer)| (*peer, *replica)).collect();
        let shares = Shares::new(peers.keys().copied());
        if let Some(own) = config.own {
            peers.remove(&own);
        }
        let (network, commands, outlets, inboxes) = Network::channels();
        let (connected, count) = watch::channel(0);
        let answers = mpsc::channel(ANSWERS_MAX);
        let outboxes = peers.keys().map(|replica| (*replica, Outbox::default())).collect();
        let event_loop = Self {
            swarm,
            commands,
            outlets,
            answers,
            replicas,
            peers,
            addresses,
            asked: BTreeMap::new(),
            outboxes,
            shares,
            connected,
            traffic: network.traffic().clone(),
        };
        Ok((event_loop, network, inboxes, count))
    }

    /// Waits until every listening address is bound.
    ///
    /// # Errors
    /// [`NetworkError::Listen`] for the first that cannot be.
    pub async fn listening(&mut self, addresses: usize) -> Result<(), NetworkError> {
        let mut bound = 0;
        while bound < addresses {
            match self.swarm.select_next_some().await {
                SwarmEvent::NewListenAddr { .. } => bound += 1,
                SwarmEvent::ListenerClosed { addresses, reason: Err(error), .. } => {
                    let address = addresses.into_iter().next().unwrap_or_else(Multiaddr::empty);
                    return Err(NetworkError::Listen { address, reason: error.to_string() });
                }
                SwarmEvent::ListenerError { error, .. } => {
                    return Err(NetworkError::Listen {
                        address: Multiaddr::empty(),
                        reason: error.to_string(),
                    });
                }
                other => self.on_event(other),
            }
        }
        Ok(())
    }

    /// Addresses that are bound.
    #[cfg(test)]
    pub(super) fn addresses(&self) -> Vec<Multiaddr> {
        self.swarm.listeners().cloned().collect()
    }

    /// Runs until every handle is dropped.
    pub async fn run(mut self) {
        let mut redial = tokio::time::interval(REDIAL_EVERY);
        loop {
            tokio::select! {
                event = self.swarm.select_next_some() => self.on_event(event),
                command = self.commands.recv() => match command {
                    Some(command) => self.on_commands(command),
                    None => return,
                },
                Some(answer) = self.answers.1.recv() => self.on_answer(answer),
                _ = redial.tick() => self.redial(),
            }
        }
    }

    fn redial(&mut self) {
        let missing: Vec<PeerId> =
            self.peers.values().filter(|peer| !self.swarm.is_connected(peer)).copied().collect();
        self.connected.send_if_modified(|count| {
            let now = self.peers.len() - missing.len();
            std::mem::replace(count, now) != now
        });
        for peer in missing {
            let Some(addresses) = self.addresses.get(&peer) else { continue };
            // A dial that cannot even start (one is under way) is tried again at the next tick.
            let _ = self.swarm.dial(DialOpts::peer_id(peer).addresses(addresses.clone()).build());
        }
    }

    /// Carries out a command, and those that wait behind it.
    fn on_commands(&mut self, first: Command) {
        self.on_command(first);
        for _ in 1..COMMANDS_AT_ONCE {
            let Ok(command) = self.commands.try_recv() else { break };
            self.on_command(command);
        }
        let waiting: Vec<ReplicaId> = self.outboxes.keys().copied().collect();
        waiting.into_iter().for_each(|replica| self.send_waiting(replica));
    }

    /// Sends what waits for a replica, as far as it may go now.
    fn send_waiting(&mut self, replica: ReplicaId) {
        let (Some(peer), Some(outbox)) = (self.peers.get(&replica), self.outboxes.get_mut(&replica)) else {
            return;
        };
        if !self.swarm.is_connected(peer) {
            return outbox.clear();
        }
        while let Some(envelope) = outbox.next() {
            self.traffic.count(envelope.len());
            self.swarm.behaviour_mut().consensus.send_request(peer, envelope);
        }
    }

    fn on_command(&mut self, command: Command) {
        match command {
            Command::Consensus { to, bytes } => {
                if bytes.len() > MESSAGE_BYTES_MAX {
                    tracing::error!(bytes = bytes.len(), "consensus message over its own limit");
                } else if let Some(outbox) = self.outboxes.get_mut(&to)
                    && !outbox.push(bytes)
                {
                    tracing::debug!(replica = to.0, "too much waits for this peer, message dropped");
                }
            }
            Command::Ask { to, request, reply } => {
                let bytes = codec::encode(&*request);
                if let Some(peer) = self.peers.get(&to)
                    && self.swarm.is_connected(peer)
                    && bytes.len() <= PEER_MESSAGE_BYTES_MAX
                {
                    self.traffic.count(bytes.len());
                    let id = self.swarm.behaviour_mut().peer.send_request(peer, bytes);
                    self.asked.insert(id, reply);
                }
            }
        }
    }

    fn on_answer(&mut self, answer: Answer) {
        let (Answer::Peer(_, bytes) | Answer::Light(_, bytes)) = &answer;
        self.traffic.count(bytes.len());
        // A closed channel means that the asker has gone or given up; the answer has no other use.
        let _ = match answer {
            Answer::Peer(channel, bytes) => self.swarm.behaviour_mut().peer.send_response(channel, bytes),
            Answer::Light(channel, bytes) => self.swarm.behaviour_mut().light.send_response(channel, bytes),
        };
    }

    fn on_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(BehaviourEvent::Consensus(event)) => self.on_consensus(event),
            SwarmEvent::Behaviour(BehaviourEvent::Peer(event)) => self.on_peer(event),
            SwarmEvent::Behaviour(BehaviourEvent::Light(Event::Message { message, .. })) => {
                self.on_light(message)
            }
            SwarmEvent::NewListenAddr { address, .. } => tracing::info!(%address, "listening"),
            SwarmEvent::ConnectionEstablished { peer_id, endpoint, .. } => {
                tracing::debug!(%peer_id, dialled = endpoint.is_dialer(), "connected");
            }
            SwarmEvent::ConnectionClosed { peer_id, num_established, cause, .. } => {
                tracing::debug!(%peer_id, left = num_established, ?cause, "connection closed");
            }
            SwarmEvent::OutgoingConnectionError { peer_id: Some(peer_id), error, .. } => {
                tracing::debug!(%peer_id, %error, "cannot connect");
            }
            _ => {}
        }
    }

    fn on_consensus(&mut self, event: Event<Vec<u8>, Vec<u8>>) {
        match event {
            Event::Message { peer, message: Message::Request { request, channel, .. }, .. } => {
                let Some(from) = self.replicas.get(&peer).copied() else { return };
                let _ = self.swarm.behaviour_mut().consensus.send_response(channel, Vec::new());
                match outbox::open(&request) {
                    Ok(messages) => messages.into_iter().for_each(|bytes| self.hand_in(from, bytes)),
                    Err(error) => tracing::warn!(replica = from.0, %error, "envelope refused"),
                }
            }
            Event::Message { peer, message: Message::Response { .. }, .. }
            | Event::OutboundFailure { peer, .. } => {
                let Some(replica) = self.replicas.get(&peer).copied() else { return };
                if let Some(outbox) = self.outboxes.get_mut(&replica) {
                    outbox.settled();
                }
                self.send_waiting(replica);
            }
            Event::InboundFailure { .. } | Event::ResponseSent { .. } => {}
        }
    }

    /// Hands a consensus message to the driver, if its sender's share has room for it.
    fn hand_in(&self, from: ReplicaId, bytes: Vec<u8>) {
        let Some(place) = self.shares.consensus(from, bytes.len()) else {
            tracing::debug!(replica = from.0, "share of the consensus inbox full, message dropped");
            return;
        };
        let message = ConsensusMessage { from, bytes, place: Some(place) };
        if self.outlets.consensus.try_send(message).is_err() {
            tracing::debug!(replica = from.0, "consensus inbox full, message dropped");
        }
    }

    fn on_peer(&mut self, event: Event<Vec<u8>, Vec<u8>>) {
        match event {
            Event::Message { peer, message: Message::Request { request, channel, .. }, .. } => {
                let Some(from) = self.replicas.get(&peer).copied() else { return };
                let Some(place) = self.shares.question(from, request.len()) else { return };
                let (questions, answers) = (self.outlets.peers.clone(), self.answers.0.clone());
                // Not here: each key in it is checked to be one when it is decoded, and votes must not wait for hundreds.
                tokio::spawn(async move {
                    let Ok(request) = codec::decode::<PeerRequest>(&request, PEER_MESSAGE_BYTES_MAX) else {
                        return;
                    };
                    let (reply, answer) = oneshot::channel();
                    if questions.try_send(PeerQuestion { from, request, reply }).is_err() {
                        return;
                    }
                    if let Ok(response) = answer.await {
                        let _ = answers.send(Answer::Peer(channel, codec::encode(&response))).await;
                    }
                    drop(place);
                });
            }
            Event::Message { message: Message::Response { request_id, response }, .. } => {
                let Some(reply) = self.asked.remove(&request_id) else { return };
                if let Ok(response) = codec::decode(&response, PEER_MESSAGE_BYTES_MAX) {
                    let _ = reply.send(response);
                }
            }
            Event::OutboundFailure { request_id, .. } => {
                self.asked.remove(&request_id);
            }
            Event::InboundFailure { .. } | Event::ResponseSent { .. } => {}
        }
    }

    fn on_light(&mut self, message: Message<Vec<u8>, Vec<u8>>) {
        let Message::Request { request, channel, .. } = message else { return };
        let (reply, answer) = oneshot::channel();
        let refusal = match codec::decode::<LightRequest>(&request, LIGHT_REQUEST_BYTES_MAX) {
            Err(_) => Some(LightRefusal::Malformed),
            Ok(request) => self
                .outlets
                .light
                .try_send(LightQuestion { request, reply })
                .err()
                .map(|_| LightRefusal::Busy),
        };
        if let Some(refusal) = refusal {
            let bytes = codec::encode(&LightResponse::Refused(refusal));
            let _ = self.swarm.behaviour_mut().light.send_response(channel, bytes);
            return;
        }
        let answers = self.answers.0.clone();
        tokio::spawn(async move {
            if let Ok(response) = answer.await {
                let _ = answers.send(Answer::Light(channel, codec::encode(&response))).await;
            }
        });
    }
}

fn swarm(
    identity: identity::Keypair,
    validators: BTreeSet<PeerId>,
) -> Result<Swarm<Behaviour>, NetworkError> {
    let setup = |error: &dyn std::fmt::Display| NetworkError::Setup(error.to_string());
    Ok(libp2p::SwarmBuilder::with_existing_identity(identity)
        .with_tokio()
        .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, yamux::Config::default)
        .map_err(|error| setup(&error))?
        .with_quic()
        .with_behaviour(|_| Behaviour::new(&validators))
        .map_err(|error| setup(&error))?
        // Each protocol has one version, so a question goes out with its protocol's name and does not wait until that is
        // agreed on, which would cost every message a way there and back.
        .with_swarm_config(|config| {
            config
                .with_idle_connection_timeout(IDLE)
                .with_substream_upgrade_protocol_override(Version::V1Lazy)
        })
        .build())
}
