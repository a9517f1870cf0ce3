//! Attacks on the light client, each against real nodes over real sockets, with somebody in between who lies, or with the
//! keys of hospitals that collude. Each ends in the verdict and the message that `docs/spec/light-client.md` promises.

#![allow(clippy::unwrap_used)]

mod eclipses;
mod equivocates;
mod forges_range_proofs;
mod makes_a_lunatic_block;
mod rewrites_history;
mod serves_stale_heads;
mod sets_the_clock;

use amulet_light_client::{LightClient, MemoryStore, NodeInfo, TrustParams};
use amulet_tests::lies::{self, Twist};
use amulet_tests::localnet::Localnet;
use amulet_tests::wallet::HttpTransport;
use amulet_tests::{run, step};
use amulet_wallet::network::Network;
use std::sync::Arc;

#[test]
fn every_attack_ends_in_its_verdict() {
    let net = Localnet::start();
    run(async {
        step("stale heads");
        serves_stale_heads::by_all_but_one(&net).await;
        serves_stale_heads::by_everybody_the_device_reaches(&net).await;
        step("eclipse");
        eclipses::with_forged_heads(&net).await;
        step("histories");
        rewrites_history::in_another_order(&net).await;
        rewrites_history::without_an_entry_by_everybody(&net).await;
        step("range proofs");
        forges_range_proofs::of_one_hospital(&net).await;
        step("clocks");
        sets_the_clock::back(&net).await;
        sets_the_clock::forward(&net).await;
        step("a lunatic block");
        makes_a_lunatic_block::above_the_head(&net).await;
        step("equivocation");
        equivocates::in_one_view(&net).await;
        equivocates::in_two_views(&net).await;
    });
}

/// A client with this store, of the hospitals at the addresses in this network file.
fn client_in(network: &[u8], store: Arc<MemoryStore>) -> LightClient {
    let network = Network::parse(network).unwrap();
    let nodes = network.nodes().iter().map(|node| NodeInfo { organisation: node.organisation }).collect();
    let transport = Arc::new(HttpTransport::new(&network));
    LightClient::new(network.genesis(), nodes, transport, Box::new(store), TrustParams::default()).unwrap()
}

fn client(network: &[u8]) -> LightClient {
    client_in(network, Arc::default())
}

/// The network file in which somebody is before these hospitals, by their numbers from 1.
async fn between(net: &Localnet, numbers: &[usize], twist: Twist) -> Vec<u8> {
    let mut to = Vec::new();
    for number in numbers {
        to.push((*number, lies::start_twisting(&net.hospital(*number).http, Arc::clone(&twist)).await));
    }
    lies::redirect(net.network(), &to)
}
