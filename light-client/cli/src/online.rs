//! What asks the hospitals.

use crate::args::Network;
use crate::failure::Failure;
use crate::{offline, say};
use amulet_light_client::store::{ClientStore, MemoryStore, SledStore};
use amulet_light_client::transport::libp2p::{Libp2pTransport, NodeAddresses};
use amulet_light_client::{Clock, LightClient, NodeInfo, SyncReport, SystemClock, TrustParams, Wanted};
use amulet_protocol::history::HistoryHead;
use amulet_protocol::ids::Did;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// What is watched, and how.
pub struct Watch {
    pub did: Did,
    pub once: bool,
    /// Seconds between two looks.
    pub every: u64,
    pub save: Option<PathBuf>,
}

fn client(network: &Network) -> Result<LightClient, Failure> {
    let genesis = offline::genesis(&network.genesis)?;
    let (mut nodes, mut addresses) = (Vec::new(), Vec::new());
    for text in &network.nodes {
        let parsed = NodeAddresses::parse(std::slice::from_ref(text)).map_err(Failure::address)?;
        let peer = parsed.peer_id_bytes();
        let validator = genesis.validators.iter().find(|validator| validator.peer_id == peer);
        let validator = validator.ok_or_else(|| {
            Failure::address(format!("{text}: no hospital of the genesis document has this identity"))
        })?;
        nodes.push(NodeInfo { organisation: validator.organisation });
        addresses.push(parsed);
    }
    let store: Box<dyn ClientStore> = match &network.store {
        Some(folder) => Box::new(SledStore::open(folder).map_err(|error| Failure::file(folder, error))?),
        None => Box::new(MemoryStore::default()),
    };
    let transport = Libp2pTransport::start(addresses).map_err(Failure::start)?;
    Ok(LightClient::new(&genesis, nodes, Arc::new(transport), store, TrustParams::default())?)
}

async fn report(client: &LightClient) -> Result<SyncReport, Failure> {
    Ok(client.sync(SystemClock.now()).await?)
}

async fn save(client: &LightClient, wanted: Wanted, path: &Path) -> Result<(), Failure> {
    let file = client.export(&[wanted]).await?;
    std::fs::write(path, file.encode()).map_err(|error| Failure::file(path, error))
}

/// `sync`.
pub async fn sync(network: &Network, to: Option<&Path>, json: bool) -> Result<(), Failure> {
    let client = client(network)?;
    let report = report(&client).await?;
    let head = &report.head;
    if let Some(path) = to {
        save(&client, Wanted::Header(head.height()), path).await?;
    }
    let nodes = report.nodes.iter().map(
        |(node, verdict)| json!({ "address": network.nodes.get(node.0), "verdict": format!("{verdict:?}") }),
    );
    let nodes: Vec<_> = nodes.collect();
    let value = json!({
        "ok": true, "chain": client.chain().to_string(), "height": head.height().0, "hash": head.hash().to_string(),
        "time": head.time().0, "epoch": client.epoch().0, "signed": report.signed, "validators": report.validators,
        "agreeing": report.agreeing, "nodes": nodes,
    });
    let mut text = format!(
        "Block {} of {}, signed by {} of {} validators; {} hospitals agree.\nIts hash is {}.",
        head.height(),
        say::moment(head.time()),
        report.signed,
        report.validators,
        report.agreeing,
        head.hash()
    );
    for (node, verdict) in &report.nodes {
        let address = network.nodes.get(node.0).map_or("?", String::as_str);
        text += &format!("\n  {address}: {verdict:?}");
    }
    say::result(json, &value, &text);
    Ok(())
}

/// `watch`.
pub async fn watch(network: &Network, watch: &Watch, json: bool) -> Result<(), Failure> {
    let client = client(network)?;
    let mut known = HistoryHead::default();
    loop {
        report(&client).await?;
        let history = client.history(watch.did, known).await?;
        for entry in &history.entries {
            let (value, text) = say::entry(entry);
            say::result(json, &value, &text);
        }
        let is_first = known == HistoryHead::default();
        if is_first || history.head != known {
            let value = json!({ "ok": true, "complete": true, "count": history.head.count, "height": history.height.0 });
            let text = format!("Complete up to block {}: {} entries.", history.height, history.head.count);
            say::result(json, &value, &text);
        }
        if let Some(path) = &watch.save {
            save(&client, Wanted::History(watch.did), path).await?;
        }
        if watch.once {
            return Ok(());
        }
        known = history.head;
        tokio::time::sleep(Duration::from_secs(watch.every)).await;
    }
}
