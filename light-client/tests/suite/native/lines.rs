//! Lines to an honest libp2p node that fail: after sleep, half open, with only one of several addresses alive.

use super::libp2p::{TCP, honest};
use crate::chain::{Chain, NOW};
use amulet_crypto::entropy::SeededEntropy;
use amulet_light_client::transport::libp2p::{Libp2pTransport, NodeAddresses};
use amulet_light_client::{Clock, NodeIndex, Transport, TransportError};
use amulet_protocol::addresses::NodeAddress;
use amulet_protocol::ids::Timestamp;
use amulet_protocol::light::LightRequest;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A clock that a test sets.
#[derive(Clone)]
struct Wall(Arc<AtomicU64>);

impl Clock for Wall {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

/// A line to a server that counts connections, and can be made to swallow what is sent on those that are open.
struct Line {
    address: String,
    opened: Arc<AtomicUsize>,
    cut: watch::Sender<usize>,
}

impl Line {
    async fn to(server: &str) -> Self {
        let (place, peer) = server.split_once("/p2p/").unwrap();
        let port: u16 = place.rsplit('/').next().unwrap().parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap().port();
        let (opened, (cut, cuts)) = (Arc::new(AtomicUsize::new(0)), watch::channel(0));
        let count = opened.clone();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let number = count.fetch_add(1, Ordering::Relaxed) + 1;
                let far = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                tokio::spawn(carry(near, far, number, cuts.clone()));
            }
        });
        Self { address: format!("/ip4/127.0.0.1/tcp/{own}/p2p/{peer}"), opened, cut }
    }

    fn opened(&self) -> usize {
        self.opened.load(Ordering::Relaxed)
    }

    /// From now on nothing comes through on the connections made so far, and nobody is told.
    fn swallow(&self) {
        self.cut.send_replace(self.opened());
    }
}

async fn carry(mut near: TcpStream, mut far: TcpStream, number: usize, mut cuts: watch::Receiver<usize>) {
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
        () = is_cut(&mut cuts, number) => std::future::pending::<()>().await,
    }
}

async fn is_cut(cuts: &mut watch::Receiver<usize>, number: usize) {
    let _ = cuts.wait_for(|cut| *cut >= number).await;
}

async fn server() -> String {
    honest(&Arc::new(Mutex::new(Chain::new(1))), TCP).await
}

fn transport(address: &str, wall: &Wall) -> Libp2pTransport {
    let addresses = NodeAddresses::parse(&[address.to_owned()]).unwrap();
    let entropy = Box::new(SeededEntropy::new(1));
    Libp2pTransport::start_with(vec![addresses], Arc::new(wall.clone()), entropy).unwrap()
}

#[tokio::test]
async fn after_sleep_dead_connections_are_not_waited_for() {
    let line = Line::to(&server().await).await;
    let wall = Wall(Arc::new(AtomicU64::new(NOW.0)));
    let transport = transport(&line.address, &wall);
    for _ in 0..2 {
        transport.ask(NodeIndex(0), &LightRequest::Latest).await.unwrap();
    }
    assert_eq!(line.opened(), 1, "awake, one connection does");
    line.swallow();
    wall.0.fetch_add(3_600_000, Ordering::Relaxed);
    transport.ask(NodeIndex(0), &LightRequest::Latest).await.unwrap();
    assert_eq!(line.opened(), 2);
}

#[tokio::test]
async fn one_address_that_lives_is_enough() {
    let line = Line::to(&server().await).await;
    let (_, peer) = line.address.split_once("/p2p/").unwrap();
    let mut texts = vec![];
    for _ in 0..3 {
        // Two that refuse, and one that takes the connection and says nothing.
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        texts.push(format!("/ip4/127.0.0.1/tcp/{}/p2p/{peer}", listener.local_addr().unwrap().port()));
        if texts.len() == 3 {
            tokio::spawn(async move {
                let _held = listener.accept().await;
                std::future::pending::<()>().await;
            });
        }
    }
    texts.push(line.address.clone());
    let transport = Libp2pTransport::start(vec![NodeAddresses::parse(&texts).unwrap()]).unwrap();
    transport.ask(NodeIndex(0), &LightRequest::Latest).await.unwrap();
}

/// An address of a line, read as the ledger's.
fn published(address: &str) -> NodeAddress {
    NodeAddress::parse(address).unwrap()
}

#[tokio::test]
async fn an_address_learned_later_is_used_and_a_machine_that_was_replaced_is_left_for_the_new_one() {
    let line = Line::to(&server().await).await;
    let (_, peer) = line.address.split_once("/p2p/").unwrap();
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let wall = Wall(Arc::new(AtomicU64::new(NOW.0)));
    let transport = transport(&format!("/ip4/127.0.0.1/tcp/{gone}/p2p/{peer}"), &wall);
    let asked = async || transport.ask(NodeIndex(0), &LightRequest::Latest).await.map(|_| ());
    assert_eq!(asked().await, Err(TransportError::Connect));
    let new = Line::to(&server().await).await;
    transport.learn(NodeIndex(0), &[published(&new.address), published(&line.address)]);
    assert_eq!(asked().await, Ok(()));
    assert_eq!((line.opened(), new.opened()), (1, 0), "as long as the old identity is published, it is that");
    transport.learn(NodeIndex(0), &[published(&new.address)]);
    assert_eq!(asked().await, Ok(()));
    assert_eq!(new.opened(), 1);
    transport.learn(NodeIndex(0), &[]);
    new.swallow();
    assert_eq!(asked().await, Ok(()), "what is withdrawn is not used any more; the old connection is");
}

#[tokio::test]
async fn one_that_joins_has_to_prove_the_identity_that_is_published() {
    let line = Line::to(&server().await).await;
    let wall = Wall(Arc::new(AtomicU64::new(NOW.0)));
    let transport = transport(&line.address, &wall);
    let ask = async |node: usize| transport.ask(NodeIndex(node), &LightRequest::Latest).await.map(|_| ());
    assert_eq!(ask(1).await, Err(TransportError::UnknownNode { node: NodeIndex(1), known: 1 }));
    let (other, stranger) = (Line::to(&server().await).await, Line::to(&server().await).await);
    let (_, identity) = other.address.split_once("/p2p/").unwrap();
    let (place, _) = stranger.address.split_once("/p2p/").unwrap();
    transport.join(NodeIndex(1), &[published(&format!("{place}/p2p/{identity}"))]);
    assert_eq!(ask(1).await, Err(TransportError::Connect), "somebody else listens there");
    transport.join(NodeIndex(1), &[published(&other.address)]);
    assert_eq!(ask(1).await, Ok(()));
    transport.join(NodeIndex(2), &[published("https://h.example")]);
    assert_eq!(ask(2).await, Err(TransportError::NoAddress));
    transport.join(NodeIndex(9), &[published(&other.address)]);
    assert_eq!(ask(9).await, Err(TransportError::UnknownNode { node: NodeIndex(9), known: 3 }));
}
