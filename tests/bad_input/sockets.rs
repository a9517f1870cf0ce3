//! More bytes than a message may have, on every socket a node listens on.

use amulet_protocol::codec;
use amulet_protocol::light::{LightRequest, LightResponse};
use amulet_protocol::limits::LIGHT_REQUEST_BYTES_MAX;
use amulet_tests::http;
use amulet_tests::localnet::Localnet;
use amulet_wallet::network::Network;
use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, StreamExt};
use libp2p::multiaddr::Protocol;
use libp2p::request_response::{self, Event, Message, ProtocolSupport};
use libp2p::swarm::SwarmEvent;
use libp2p::{Multiaddr, PeerId, StreamProtocol, Swarm, noise, tcp, yamux};
use std::io;
use std::time::Duration;

/// Larger than any message of any protocol of a node.
const FAR_TOO_LARGE: usize = 40 * 1024 * 1024;

/// Every address that takes a body refuses one that is too large, and goes on.
pub fn over_http(net: &Localnet) {
    for hospital in net.hospitals() {
        let question = hospital.post_light(&vec![7; LIGHT_REQUEST_BYTES_MAX + 1]).unwrap();
        assert_eq!(question.status, 413, "{}", question.text());
        assert_eq!(question.json()["error"]["code"], "body_too_large");
        let nonsense = hospital.post_light(&[255; 100]).unwrap();
        assert_eq!(nonsense.status, 400, "{}", nonsense.text());
        let nowhere = http::post(&format!("{}/nowhere", hospital.http), &[], &[0; 100]).unwrap();
        assert!((400..500).contains(&nowhere.status), "{}", nowhere.text());
        assert!(hospital.head().is_some(), "hospital {} answers on", hospital.number);
    }
}

/// A stranger floods each libp2p protocol of each hospital: no answer, no harm, and honest questions are answered after it.
pub async fn over_libp2p(net: &Localnet) {
    let network = Network::parse(net.network()).unwrap();
    for (index, node) in network.nodes().iter().enumerate() {
        let tcp: Multiaddr =
            node.libp2p.iter().find(|address| address.contains("/tcp/")).unwrap().parse().unwrap();
        for protocol in ["/amulet/light/1", "/amulet/consensus/1", "/amulet/peer/1"] {
            for bytes in [vec![7; FAR_TOO_LARGE], vec![255; 1_000]] {
                let answer = ask(tcp.clone(), StreamProtocol::new(protocol), bytes).await;
                let refused = answer.as_ref().is_none_or(|answer| is_refusal(protocol, answer));
                assert!(refused, "hospital {}: {protocol}: {answer:?}", index + 1);
            }
        }
        let question = codec::encode(&LightRequest::Latest);
        let answer = ask(tcp, StreamProtocol::new("/amulet/light/1"), question).await;
        let answer: LightResponse =
            codec::decode(&answer.expect("an honest question is answered"), 1 << 20).unwrap();
        assert!(matches!(answer, LightResponse::Header(_)));
        assert!(net.hospital(index + 1).head().is_some());
    }
}

/// A light client may be told why; strangers on the nodes' own protocols learn no more than that something arrived.
fn is_refusal(protocol: &str, answer: &[u8]) -> bool {
    let told = codec::decode::<LightResponse>(answer, 1 << 20);
    match protocol {
        "/amulet/light/1" => matches!(told, Ok(LightResponse::Refused(_))),
        _ => answer.len() <= 1,
    }
}

/// Sends bytes as one request; the answer's bytes if one came.
async fn ask(address: Multiaddr, protocol: StreamProtocol, bytes: Vec<u8>) -> Option<Vec<u8>> {
    let peer = address.iter().find_map(|part| if let Protocol::P2p(peer) = part { Some(peer) } else { None });
    let mut swarm = stranger(protocol);
    swarm.behaviour_mut().send_request_with_addresses(&peer.unwrap(), bytes, vec![address]);
    tokio::time::timeout(Duration::from_secs(20), answer(&mut swarm, peer.unwrap())).await.unwrap_or(None)
}

async fn answer(swarm: &mut Swarm<request_response::Behaviour<RawCodec>>, _: PeerId) -> Option<Vec<u8>> {
    loop {
        match swarm.select_next_some().await {
            SwarmEvent::Behaviour(Event::Message { message: Message::Response { response, .. }, .. }) => {
                return Some(response);
            }
            SwarmEvent::Behaviour(Event::OutboundFailure { .. }) => return None,
            _ => {}
        }
    }
}

fn stranger(protocol: StreamProtocol) -> Swarm<request_response::Behaviour<RawCodec>> {
    let config = request_response::Config::default().with_request_timeout(Duration::from_secs(15));
    libp2p::SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, yamux::Config::default)
        .unwrap()
        .with_behaviour(|_| {
            request_response::Behaviour::with_codec(RawCodec, [(protocol, ProtocolSupport::Outbound)], config)
        })
        .unwrap()
        .build()
}

/// Writes whatever it is given.
#[derive(Clone, Copy)]
struct RawCodec;

impl request_response::Codec for RawCodec {
    type Protocol = StreamProtocol;
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    async fn read_request<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
    ) -> io::Result<Vec<u8>> {
        read(io).await
    }

    async fn read_response<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
    ) -> io::Result<Vec<u8>> {
        read(io).await
    }

    async fn write_request<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        bytes: Vec<u8>,
    ) -> io::Result<()> {
        io.write_all(&bytes).await?;
        io.close().await
    }

    async fn write_response<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
        bytes: Vec<u8>,
    ) -> io::Result<()> {
        io.write_all(&bytes).await?;
        io.close().await
    }
}

async fn read<T: AsyncRead + Unpin + Send>(io: &mut T) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    io.take(1 << 20).read_to_end(&mut bytes).await?;
    Ok(bytes)
}
