//! Which libp2p protocols the node speaks; nothing else happens here.

use super::codec::BytesCodec;
use super::messages::PEER_MESSAGE_BYTES_MAX;
use amulet_pbft::limits::MESSAGE_BYTES_MAX;
use amulet_protocol::limits::{LIGHT_REQUEST_BYTES_MAX, LIGHT_RESPONSE_BYTES_MAX};
use libp2p::StreamProtocol;
use libp2p::connection_limits::{self, ConnectionLimits};
use libp2p::request_response::{self, ProtocolSupport};
use libp2p::swarm::NetworkBehaviour;
use std::time::Duration;

const CONSENSUS: StreamProtocol = StreamProtocol::new("/amulet/consensus/1");
const PEER: StreamProtocol = StreamProtocol::new("/amulet/peer/1");
const LIGHT: StreamProtocol = StreamProtocol::new("/amulet/light/1");

/// Open connections in all; 100 validators and some hundred wallets at once.
const CONNECTIONS_MAX: u32 = 600;
/// Open connections of one peer.
const CONNECTIONS_PER_PEER_MAX: u32 = 4;
/// Streams of one protocol open at once on one connection.
const STREAMS_MAX: usize = 128;
const TIMEOUT: Duration = Duration::from_secs(10);

pub(super) type Bytes = request_response::Behaviour<BytesCodec>;

#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
    pub limits: connection_limits::Behaviour,
    pub consensus: Bytes,
    pub peer: Bytes,
    pub light: Bytes,
}

impl Behaviour {
    pub fn new() -> Self {
        let limits = ConnectionLimits::default()
            .with_max_established(Some(CONNECTIONS_MAX))
            .with_max_established_per_peer(Some(CONNECTIONS_PER_PEER_MAX));
        Self {
            limits: connection_limits::Behaviour::new(limits),
            consensus: bytes(CONSENSUS, MESSAGE_BYTES_MAX, 1, ProtocolSupport::Full),
            peer: bytes(PEER, PEER_MESSAGE_BYTES_MAX, PEER_MESSAGE_BYTES_MAX, ProtocolSupport::Full),
            light: bytes(LIGHT, LIGHT_REQUEST_BYTES_MAX, LIGHT_RESPONSE_BYTES_MAX, ProtocolSupport::Inbound),
        }
    }
}

fn bytes(protocol: StreamProtocol, request_max: usize, response_max: usize, support: ProtocolSupport) -> Bytes {
    let config =
        request_response::Config::default().with_request_timeout(TIMEOUT).with_max_concurrent_streams(STREAMS_MAX);
    Bytes::with_codec(BytesCodec { request_max, response_max }, [(protocol, support)], config)
}
