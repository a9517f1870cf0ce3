//! A light client in a program of one's own: follows the chain, proves somebody's history, and keeps the proof as a file.
//!
//!     cargo run -p amulet-light-client --example embed -- genesis.bin did:amulet:… /ip4/…/tcp/…/p2p/… /ip4/…
#![allow(clippy::print_stdout)]

use amulet_light_client::transport::libp2p::{Libp2pTransport, NodeAddresses};
use amulet_light_client::{Clock, LightClient, MemoryStore, NodeInfo, SystemClock, TrustParams, Wanted};
use amulet_protocol::{codec, genesis::Genesis, history::HistoryHead, ids::Did, limits::GENESIS_BYTES_MAX};
use amulet_protocol::{state::Identity, state::StateKey, state_tree::Proven};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or("give GENESIS, DID and the addresses of two hospitals or more");
    let genesis: Genesis = codec::decode(&std::fs::read(next()?)?, GENESIS_BYTES_MAX)?;
    let did: Did = next()?.parse()?;
    let addresses = arguments.map(|text| NodeAddresses::parse(&[text])).collect::<Result<Vec<_>, _>>()?;
    let node = |address: &NodeAddresses| {
        let validator = genesis.validators.iter().find(|one| one.peer_id == address.peer_id_bytes())?;
        Some(NodeInfo { organisation: validator.organisation })
    };
    let nodes = addresses.iter().map(node).collect::<Option<_>>().ok_or("a stranger's address")?;

    let transport = std::sync::Arc::new(Libp2pTransport::start(addresses)?);
    let store = Box::new(MemoryStore::default()); // SledStore keeps what was verified between starts
    let client = LightClient::new(&genesis, nodes, transport, store, TrustParams::default())?;

    let report = client.sync(SystemClock.now()).await?;
    println!("block {}, signed by {} of {}", report.head.height(), report.signed, report.validators);
    match client.state::<Identity>(&StateKey::Identity(did)).await? {
        Proven::Present(identity) => println!("{did} is registered since block {}", identity.registered),
        Proven::Absent => println!("{did} is proven not to be registered"),
    }
    let history = client.history(did, HistoryHead::default()).await?; // complete, or an error
    println!("{} entries, none left out: {:#?}", history.entries.len(), history.entries);
    let proof = client.export(&[Wanted::History(did)]).await?; // anybody can check it without a network
    std::fs::write("history.amuletproof", proof.encode())?;
    Ok(())
}
