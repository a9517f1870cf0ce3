//! Which libp2p protocols the node speaks; nothing else happens here.

use super::codec::BytesCodec;
use super::members::MembersOnly;
use super::messages::PEER_MESSAGE_BYTES_MAX;
use super::outbox::ENVELOPE_BYTES_MAX;
use amulet_protocol::limits::{LIGHT_REQUEST_BYTES_MAX, LIGHT_RESPONSE_BYTES_MAX};
use libp2p::connection_limits::{self, ConnectionLimits};
use libp2p::request_response::{self, ProtocolSupport};
use libp2p::swarm::NetworkBehaviour;
use libp2p::{PeerId, StreamProtocol};
use std::collections::BTreeSet;
use std::time::Duration;

const CONSENSUS: StreamProtocol = StreamProtocol::new("/amulet/consensus/2");
const PEER: StreamProtocol = StreamProtocol::new("/amulet/peer/1");
const LIGHT: StreamProtocol = StreamProtocol::new("/amulet/light/1");

/// Open connections of others than validators, for whom there is always room: identities are free, and nobody may keep the
/// hospitals from each other.
const CONNECTIONS_MAX: u32 = 500;
/// Open connections of one peer that is no validator.
const CONNECTIONS_PER_PEER_MAX: u32 = 4;
/// Incoming connections whose peer is not known yet.
const HANDSHAKES_MAX: u32 = 128;
/// Streams of one protocol open at once on one connection.
const STREAMS_MAX: usize = 128;
const TIMEOUT: Duration = Duration::from_secs(10);

pub(super) type Bytes = request_response::Behaviour<BytesCodec>;

#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
    pub limits: connection_limits::Behaviour,
    pub consensus: MembersOnly<Bytes>,
    pub peer: MembersOnly<Bytes>,
    pub light: Bytes,
}

impl Behaviour {
    /// The first two protocols are spoken with `validators` only.
    pub fn new(validators: &BTreeSet<PeerId>) -> Self {
        let limits = ConnectionLimits::default()
            .with_max_pending_incoming(Some(HANDSHAKES_MAX))
            .with_max_established(Some(CONNECTIONS_MAX))
            .with_max_established_per_peer(Some(CONNECTIONS_PER_PEER_MAX));
        let mut limits = connection_limits::Behaviour::new(limits);
        for validator in validators {
            limits.bypass_peer_id(validator);
        }
        let consensus = bytes(CONSENSUS, ENVELOPE_BYTES_MAX, 1, ProtocolSupport::Full);
        let peer = bytes(PEER, PEER_MESSAGE_BYTES_MAX, PEER_MESSAGE_BYTES_MAX, ProtocolSupport::Full);
        Self {
            limits,
            consensus: MembersOnly::new(consensus, validators.clone()),
            peer: MembersOnly::new(peer, validators.clone()),
            light: light(ProtocolSupport::Inbound),
        }
    }
}

pub(super) fn light(support: ProtocolSupport) -> Bytes {
    bytes(LIGHT, LIGHT_REQUEST_BYTES_MAX, LIGHT_RESPONSE_BYTES_MAX, support)
}

fn bytes(
    protocol: StreamProtocol,
    request_max: usize,
    response_max: usize,
    support: ProtocolSupport,
) -> Bytes {
    let config = request_response::Config::default()
        .with_request_timeout(TIMEOUT)
        .with_max_concurrent_streams(STREAMS_MAX);
    Bytes::with_codec(BytesCodec { request_max, response_max }, [(protocol, support)], config)
}
