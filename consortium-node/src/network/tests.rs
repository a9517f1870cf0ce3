//! Two event loops, or one and a stranger, on loopback.

#![allow(clippy::unwrap_used)]

use super::behaviour::{Behaviour, BehaviourEvent};
use super::*;
use amulet_contracts::testing::Actor;
use amulet_protocol::codec;
use amulet_protocol::ids::Height;
use amulet_protocol::light::{LightRefusal, LightResponse};
use amulet_protocol::validators::{Validator, ValidatorSet};
use futures::StreamExt;
use libp2p::identity::Keypair;
use libp2p::request_response::{Event, Message, OutboundFailure, ProtocolSupport};
use libp2p::swarm::SwarmEvent;
use libp2p::{Multiaddr, PeerId, Swarm, noise, tcp, yamux};
use std::collections::BTreeSet;

fn validators(keys: &[Keypair]) -> ValidatorSet {
    let member = |(seed, key): (u64, &Keypair)| {
        let hospital = Actor::new(seed);
        Validator {
            organisation: hospital.did,
            key: hospital.signing.public_key().clone(),
            peer_id: key.public().to_peer_id().to_bytes(),
        }
    };
    ValidatorSet::new((0..).zip(keys).map(member).collect()).unwrap()
}

fn keys() -> Vec<Keypair> {
    (0..4).map(|_| Keypair::generate_ed25519()).collect()
}

/// A node on a free port, and where it listens.
async fn node(
    keys: &[Keypair],
    own: u16,
    peers: Vec<(ReplicaId, Multiaddr)>,
) -> (Network, Inboxes, Multiaddr) {
    node_at(keys, own, "/ip4/127.0.0.1/tcp/0".parse().unwrap(), peers).await
}

async fn node_at(
    keys: &[Keypair],
    own: u16,
    listen: Multiaddr,
    peers: Vec<(ReplicaId, Multiaddr)>,
) -> (Network, Inboxes, Multiaddr) {
    let peer = |replica: ReplicaId| keys[usize::from(replica.0)].public().to_peer_id();
    let config = NetworkConfig {
        identity: keys[usize::from(own)].clone(),
        listen: vec![listen],
        peers: peers.into_iter().map(|(replica, address)| (peer(replica), address)).collect(),
        own: Some(ReplicaId(own)),
    };
    let (mut event_loop, network, inboxes, _) = EventLoop::start(config, &validators(keys)).unwrap();
    event_loop.listening(1).await.unwrap();
    let address = event_loop.addresses().remove(0);
    tokio::spawn(event_loop.run());
    (network, inboxes, address)
}

/// A peer that is no validator, and speaks all protocols with everybody.
fn stranger(with: PeerId) -> Swarm<Behaviour> {
    libp2p::SwarmBuilder::with_new_identity()
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
        .unwrap()
        .with_behaviour(|_| Behaviour {
            light: super::behaviour::light(ProtocolSupport::Full),
            ..Behaviour::new(&BTreeSet::from([with]))
        })
        .unwrap()
        .build()
}

#[tokio::test]
async fn validators_ask_each_other_and_a_stranger_is_offered_the_light_protocol_alone() {
    let keys = keys();
    let (_running, mut inboxes, address) = node(&keys, 0, Vec::new()).await;
    let (network, _other_inboxes, _) = node(&keys, 1, vec![(ReplicaId(0), address.clone())]).await;
    let answering = tokio::spawn(async move {
        let asked = inboxes.peers.recv().await.unwrap();
        asked.reply.send(PeerResponse::Noted).unwrap();
        let from = asked.from;
        while let Some(question) = inboxes.light.recv().await {
            let _ = question.reply.send(LightResponse::Refused(LightRefusal::Busy));
        }
        from
    });
    let answer = loop {
        // Until the two have found each other.
        if let Some(answer) = network.ask(ReplicaId(0), PeerRequest::Blocks { from: Height(1) }).await {
            break answer;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    };
    assert!(matches!(answer, PeerResponse::Noted));

    let peer = keys[0].public().to_peer_id();
    let mut stranger = stranger(peer);
    stranger.add_peer_address(peer, address);
    let question = codec::encode(&LightRequest::Latest);
    stranger.behaviour_mut().consensus.send_request(&peer, vec![0; 8]);
    stranger
        .behaviour_mut()
        .peer
        .send_request(&peer, codec::encode(&PeerRequest::Blocks { from: Height(1) }));
    stranger.behaviour_mut().light.send_request(&peer, question);
    let (mut refused, mut answered) = (0, false);
    while refused < 2 || !answered {
        match stranger.select_next_some().await {
            SwarmEvent::Behaviour(
                BehaviourEvent::Consensus(Event::OutboundFailure { error, .. })
                | BehaviourEvent::Peer(Event::OutboundFailure { error, .. }),
            ) => {
                assert!(matches!(error, OutboundFailure::UnsupportedProtocols), "{error:?}");
                refused += 1;
            }
            SwarmEvent::Behaviour(BehaviourEvent::Light(Event::Message {
                message: Message::Response { response, .. },
                ..
            })) => {
                let expected = LightResponse::Refused(LightRefusal::Busy);
                assert_eq!(codec::decode::<LightResponse>(&response, 1_024), Ok(expected));
                answered = true;
            }
            _ => {}
        }
    }
    answering.abort();
}

/// Two hospitals that restarted at once once gave each other up for ever: libp2p forgets an address at the first failure.
#[tokio::test]
async fn a_hospital_that_could_not_be_reached_is_dialled_until_it_is_there() {
    let keys = keys();
    let nobody_there = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address: Multiaddr =
        format!("/ip4/127.0.0.1/tcp/{}", nobody_there.local_addr().unwrap().port()).parse().unwrap();
    drop(nobody_there);
    let (network, _inboxes, _) = node(&keys, 1, vec![(ReplicaId(0), address.clone())]).await;
    let message = Arc::new(vec![7]);
    let refused = tokio::time::sleep(2 * event_loop::REDIAL_EVERY + event_loop::REDIAL_EVERY / 2);
    refused.await;
    let (_other, mut inboxes, _) = node_at(&keys, 0, address, Vec::new()).await;
    let arrived = async {
        loop {
            network.send(ReplicaId(0), message.clone());
            let wait = tokio::time::timeout(event_loop::REDIAL_EVERY, inboxes.consensus.recv());
            if let Ok(Some(message)) = wait.await {
                return message;
            }
        }
    };
    let message =
        tokio::time::timeout(20 * event_loop::REDIAL_EVERY, arrived).await.expect("never dialled again");
    assert_eq!((message.from, message.bytes), (ReplicaId(1), vec![7]));
}
