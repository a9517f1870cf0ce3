//! What hospitals say on the ledger about where their nodes are.

use crate::chain::{Chain, NOW};
use crate::network::Network;
use crate::test;
use amulet_light_client::{LightError, MemoryStore, NodeIndex, Transport, TransportError};
use amulet_protocol::addresses::{AddressesState, NodeAddress};
use amulet_protocol::ids::{Did, Height, Timestamp};
use amulet_protocol::light::{LightRequest, LightResponse};
use amulet_protocol::state::StateKey;
use std::sync::{Arc, Mutex};

/// Notes what it is taught.
struct Taught {
    network: Arc<Network>,
    learned: Mutex<Vec<(NodeIndex, Vec<String>)>>,
}

#[cfg_attr(target_arch = "wasm32", async_trait::async_trait(?Send))]
#[cfg_attr(not(target_arch = "wasm32"), async_trait::async_trait)]
impl Transport for Taught {
    async fn ask(&self, node: NodeIndex, request: &LightRequest) -> Result<LightResponse, TransportError> {
        self.network.ask(node, request).await
    }

    fn learn(&self, node: NodeIndex, addresses: &[NodeAddress]) {
        let texts = addresses.iter().map(ToString::to_string).collect();
        self.learned.lock().unwrap().push((node, texts));
    }
}

fn publish(chain: &mut Chain, organisation: Did, addresses: &[&str], valid_until: Timestamp) {
    let addresses = addresses.iter().map(|&address| address.to_owned()).collect();
    let state = AddressesState { addresses, published: Height(1), valid_until };
    chain.write(StateKey::Addresses(organisation), &state);
}

#[test]
async fn addresses_that_count_are_proven_and_taught_to_the_transport() {
    let mut chain = Chain::new(1);
    let organisations: Vec<Did> =
        chain.people.genesis.organisations.iter().map(|organisation| organisation.did()).collect();
    let later = NOW.plus_millis(1);
    let foreign = "/ip4/10.0.0.1/tcp/1/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";
    publish(&mut chain, organisations[0], &["https://a.example", foreign, "http://b.example"], later);
    publish(&mut chain, organisations[1], &["https://gone.example"], NOW);
    chain.push(vec![], NOW);
    let network = Arc::new(Network::honest(chain));
    let taught = Arc::new(Taught { network: network.clone(), learned: Mutex::default() });
    let client = network.client_over(taught.clone(), Box::new(MemoryStore::default()));
    assert_eq!(client.read_addresses().await, Err(LightError::NotSynced));
    client.sync(NOW).await.unwrap();
    let found = client.read_addresses().await.unwrap();
    let own = NodeAddress::Https("https://a.example".into());
    assert_eq!(found.into_iter().collect::<Vec<_>>(), [(organisations[0], vec![own])]);
    let mut learned = taught.learned.lock().unwrap().clone();
    learned.sort();
    let of_first = vec!["https://a.example".to_owned()];
    let expected = [of_first, vec![], vec![], vec![]];
    assert_eq!(
        learned,
        expected.into_iter().enumerate().map(|(n, texts)| (NodeIndex(n), texts)).collect::<Vec<_>>()
    );
}

#[test]
async fn what_is_exchanged_is_counted_by_node() {
    let network = Arc::new(Network::honest(Chain::new(3)).with(3, crate::network::silent()));
    let client = network.client();
    let report = client.sync(NOW).await.unwrap();
    assert_eq!(report.traffic, client.traffic());
    let asked = network.asked(|_| true);
    for (index, traffic) in report.traffic.iter().enumerate() {
        let questions = asked.iter().filter(|node| node.0 == index).count() as u64;
        assert_eq!(traffic.questions, questions, "node {index}");
        assert!(traffic.sent >= questions);
    }
    let silent = report.traffic[3];
    assert_eq!((silent.answers, silent.received), (0, 0));
    let header = amulet_protocol::codec::encode(&LightResponse::Header(Box::new(
        network.chain().lock().unwrap().signed_at(3),
    )));
    assert!(report.traffic[0].received >= header.len() as u64);
    let again = client.sync(NOW).await.unwrap();
    assert_eq!(again.traffic[0].questions, 1, "each sync counts its own");
}

#[test]
async fn an_answer_larger_than_its_question_warrants_is_not_taken() {
    use amulet_light_client::transport::{SMALL_ANSWER_BYTES_MAX, answer_bytes_max};
    assert_eq!(answer_bytes_max(&LightRequest::Latest), SMALL_ANSWER_BYTES_MAX);
    let bloated = crate::network::lying(|question, answer| match (question, answer.clone()) {
        (LightRequest::Latest, LightResponse::Header(mut header)) => {
            let signature = header.certificate.signatures[0];
            header.certificate.signatures = vec![signature; 2_000];
            Some(LightResponse::Header(header))
        }
        _ => None,
    });
    let network = Arc::new(Network::honest(Chain::new(3)).with(0, bloated));
    let report = network.client().sync(NOW).await.unwrap();
    let limit = SMALL_ANSWER_BYTES_MAX;
    let too_large = amulet_light_client::NodeVerdict::Unreachable(TransportError::TooLarge { limit });
    assert_eq!(report.nodes[0].1, too_large);
}
