//! The libp2p transport against real servers on the loopback interface, over TCP and QUIC, honest and hostile.

use crate::chain::{Chain, NOW, People};
use amulet_light_client::transport::libp2p::{AddressError, Libp2pTransport, NodeAddresses};
use amulet_light_client::{
    LIGHT_PROTOCOL, LightClient, LightCodec, MemoryStore, NodeIndex, NodeInfo, NodeVerdict, Transport,
    TransportError, TrustParams,
};
use amulet_protocol::codec::{DecodeError, decode, encode};
use amulet_protocol::history::HistoryHead;
use amulet_protocol::ids::Height;
use amulet_protocol::light::{LightRequest, LightResponse};
use amulet_protocol::limits::{LIGHT_REQUEST_BYTES_MAX, LIGHT_RESPONSE_BYTES_MAX};
use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, StreamExt};
use libp2p::request_response::{self, Behaviour, Codec, Event, Message, ProtocolSupport};
use libp2p::swarm::SwarmEvent;
use libp2p::{StreamProtocol, noise, tcp, yamux};
use std::io;
use std::sync::{Arc, Mutex};

pub const TCP: &str = "/ip4/127.0.0.1/tcp/0";
const QUIC: &str = "/ip4/127.0.0.1/udp/0/quic-v1";

/// Sends whatever bytes it is told to.
#[derive(Clone, Default)]
struct RawCodec;

impl Codec for RawCodec {
    type Protocol = StreamProtocol;
    type Request = Vec<u8>;
    type Response = Vec<u8>;

    async fn read_request<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        io: &mut T,
    ) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        io.take(LIGHT_REQUEST_BYTES_MAX as u64).read_to_end(&mut bytes).await?;
        Ok(bytes)
    }

    async fn read_response<T: AsyncRead + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        _: &mut T,
    ) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    async fn write_request<T: AsyncWrite + Unpin + Send>(
        &mut self,
        _: &StreamProtocol,
        _: &mut T,
        _: Vec<u8>,
    ) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
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

/// Starts a server on `listen`; gives its address with its identity.
pub async fn serve<C>(
    codec: C,
    protocol: StreamProtocol,
    listen: &str,
    answer: impl Fn(C::Request) -> C::Response + Send + 'static,
) -> String
where
    C: Codec<Protocol = StreamProtocol> + Clone + Send + 'static,
    C::Response: std::fmt::Debug,
{
    let mut swarm = libp2p::SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
        .unwrap()
        .with_quic()
        .with_behaviour(|_| {
            let config = request_response::Config::default();
            Behaviour::with_codec(codec, [(protocol, ProtocolSupport::Inbound)], config)
        })
        .unwrap()
        .build();
    swarm.listen_on(listen.parse().unwrap()).unwrap();
    let peer = *swarm.local_peer_id();
    let address = loop {
        if let SwarmEvent::NewListenAddr { address, .. } = swarm.select_next_some().await {
            break format!("{address}/p2p/{peer}");
        }
    };
    tokio::spawn(async move {
        loop {
            let event = swarm.select_next_some().await;
            if let SwarmEvent::Behaviour(Event::Message {
                message: Message::Request { request, channel, .. },
                ..
            }) = event
            {
                let _ = swarm.behaviour_mut().send_response(channel, answer(request));
            }
        }
    });
    address
}

pub async fn honest(chain: &Arc<Mutex<Chain>>, listen: &str) -> String {
    let chain = chain.clone();
    let answer = move |question: LightRequest| {
        let chain = chain.lock().unwrap();
        chain.answer(&question, chain.tip())
    };
    serve(LightCodec, LIGHT_PROTOCOL, listen, answer).await
}

async fn hostile(bytes: Vec<u8>) -> String {
    serve(RawCodec, LIGHT_PROTOCOL, TCP, move |_| bytes.clone()).await
}

fn transport(addresses: &[String]) -> Libp2pTransport {
    let nodes = addresses.iter().map(|address| NodeAddresses::parse(std::slice::from_ref(address)).unwrap());
    Libp2pTransport::start(nodes.collect()).unwrap()
}

async fn ask_one(address: String) -> Result<LightResponse, TransportError> {
    transport(&[address]).ask(NodeIndex(0), &LightRequest::Latest).await
}

#[tokio::test]
async fn a_wallet_synchronises_and_proves_its_history_over_tcp_and_quic() {
    let chain = Arc::new(Mutex::new(Chain::new(5)));
    let addresses =
        [honest(&chain, TCP).await, honest(&chain, QUIC).await, honest(&chain, TCP).await, dead().await];
    let genesis = People::new().genesis;
    let nodes =
        genesis.organisations.iter().map(|organisation| NodeInfo { organisation: organisation.did() });
    let (store, params) = (Box::new(MemoryStore::default()), TrustParams::default());
    let transport = Arc::new(transport(&addresses));
    let client = LightClient::new(&genesis, nodes.collect(), transport, store, params).unwrap();
    let report = client.sync(NOW).await.unwrap();
    assert_eq!((report.head.height(), report.agreeing, report.total), (Height(5), 3, 4));
    assert_eq!(report.nodes[3].1, NodeVerdict::Unreachable(TransportError::Connect));
    let history = client.history(People::new().patient_did(), HistoryHead::default()).await.unwrap();
    assert_eq!(history.entries, chain.lock().unwrap().entries());
}

/// An address where nobody listens.
async fn dead() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    format!("/ip4/127.0.0.1/tcp/{port}/p2p/{}", libp2p::PeerId::random())
}

#[tokio::test]
async fn a_node_with_another_identity_is_not_talked_to() {
    let address = honest(&Arc::new(Mutex::new(Chain::new(1))), TCP).await;
    let (place, _) = address.split_once("/p2p/").unwrap();
    let impostor = format!("{place}/p2p/{}", libp2p::PeerId::random());
    assert_eq!(ask_one(impostor).await, Err(TransportError::Connect));
}

#[tokio::test]
async fn an_oversized_answer_is_cut_off() {
    let address = hostile(vec![0; LIGHT_RESPONSE_BYTES_MAX + 1]).await;
    assert_eq!(ask_one(address).await, Err(TransportError::TooLarge { limit: LIGHT_RESPONSE_BYTES_MAX }));
}

#[tokio::test]
async fn an_answer_that_is_none_is_not_blamed_on_the_ledger() {
    for bytes in [vec![], vec![255; 40], [encode(&LightResponse::NotFound), vec![0]].concat()] {
        let malformed = DecodeError::Malformed { expected: "LightResponse" };
        assert_eq!(ask_one(hostile(bytes).await).await, Err(TransportError::Decode(malformed)));
    }
}

#[tokio::test]
async fn somebody_who_speaks_another_protocol_is_recognised() {
    let other = StreamProtocol::new("/something/else/1");
    let address = serve(RawCodec, other, TCP, |_| vec![]).await;
    assert_eq!(ask_one(address).await, Err(TransportError::Protocol));
}

#[tokio::test]
async fn a_node_that_comes_back_is_asked_again() {
    let chain = Arc::new(Mutex::new(Chain::new(1)));
    let addresses = [dead().await, honest(&chain, TCP).await];
    let transport = transport(&addresses);
    assert_eq!(transport.ask(NodeIndex(0), &LightRequest::Latest).await, Err(TransportError::Connect));
    for _ in 0..3 {
        assert!(transport.ask(NodeIndex(1), &LightRequest::Latest).await.is_ok());
    }
    let unknown = TransportError::UnknownNode { node: NodeIndex(2), known: 2 };
    assert_eq!(transport.ask(NodeIndex(2), &LightRequest::Latest).await, Err(unknown));
}

#[tokio::test]
async fn the_codec_refuses_questions_over_the_limit_before_it_reads_them_whole() {
    let mut endless = futures::io::repeat(0);
    let error = LightCodec.read_request(&LIGHT_PROTOCOL, &mut endless).await.unwrap_err();
    let found = LIGHT_REQUEST_BYTES_MAX + 1;
    let refused = DecodeError::TooLarge { found, limit: LIGHT_REQUEST_BYTES_MAX };
    assert_eq!(error.get_ref().unwrap().downcast_ref::<DecodeError>(), Some(&refused));
}

#[tokio::test]
async fn both_transports_carry_the_same_bytes() {
    let question = LightRequest::HeaderAt(Height(7));
    let mut wire = futures::io::Cursor::new(Vec::new());
    LightCodec.write_request(&LIGHT_PROTOCOL, &mut wire, question.clone()).await.unwrap();
    assert_eq!(wire.get_ref(), &encode(&question));
    assert_eq!(decode::<LightRequest>(wire.get_ref(), LIGHT_REQUEST_BYTES_MAX), Ok(question));
}

#[test]
fn addresses_without_or_with_two_identities_are_refused() {
    let (first, second) = (libp2p::PeerId::random(), libp2p::PeerId::random());
    let parse = |texts: &[String]| NodeAddresses::parse(texts).map(|_| ());
    assert_eq!(parse(&[]), Err(AddressError::None));
    let address = "http://localhost".to_owned();
    assert_eq!(parse(std::slice::from_ref(&address)), Err(AddressError::Malformed { address }));
    let bare = "/ip4/127.0.0.1/tcp/9101".to_owned();
    let refused = AddressError::NoPeer { address: bare.parse().unwrap() };
    assert_eq!(parse(std::slice::from_ref(&bare)), Err(refused));
    let two = [format!("{bare}/p2p/{first}"), format!("{bare}/p2p/{second}")];
    assert_eq!(parse(&two), Err(AddressError::TwoPeers { peers: Box::new([first, second]) }));
    assert_eq!(parse(&[two[0].clone(), two[0].clone()]), Ok(()));
}
