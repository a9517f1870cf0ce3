//! What asks the hospitals.

use crate::args::Network;
use crate::failure::Failure;
use crate::{offline, say, start};
use amulet_crypto::kdf::Language;
use amulet_light_client::checkpoint;
use amulet_light_client::store::{ClientStore, MemoryStore, SledStore};
use amulet_light_client::transport::libp2p::{Libp2pTransport, NodeAddresses};
use amulet_light_client::{
    Clock, LightClient, NodeIndex, NodeInfo, SyncReport, SystemClock, TrustParams, Wanted,
};
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

async fn client(network: &Network) -> Result<LightClient, Failure> {
    let genesis = offline::genesis(&network.genesis)?;
    let named = network.checkpoint.as_deref().map(start::read).transpose()?;
    let parse = |text| NodeAddresses::parse(std::slice::from_ref(text)).map_err(Failure::address);
    let addresses: Vec<NodeAddresses> = network.nodes.iter().map(parse).collect::<Result<_, _>>()?;
    let peers: Vec<Vec<u8>> = addresses.iter().map(NodeAddresses::peer_id_bytes).collect();
    let transport = Arc::new(Libp2pTransport::start(addresses).map_err(Failure::start)?);
    let checkpoint = match named {
        Some(named) => Some(checkpoint::fetch(&*transport, peers.len(), &named).await?),
        None => None,
    };
    let later = checkpoint.as_ref().map(|checkpoint| checkpoint.next().members()).unwrap_or_default();
    let mut nodes = Vec::new();
    for (text, peer) in network.nodes.iter().zip(&peers) {
        let known = genesis.validators.iter().chain(later).find(|validator| validator.peer_id == *peer);
        let validator = known.ok_or_else(|| {
            let of = if checkpoint.is_some() { " or the checkpoint" } else { "" };
            Failure::address(format!("{text}: no hospital of the genesis document{of} has this identity"))
        })?;
        nodes.push(NodeInfo { organisation: validator.organisation });
    }
    let store: Box<dyn ClientStore> = match &network.store {
        Some(folder) => Box::new(SledStore::open(folder).map_err(|error| Failure::file(folder, error))?),
        None => Box::new(MemoryStore::default()),
    };
    let params = TrustParams::default();
    Ok(match checkpoint {
        Some(checkpoint) => {
            LightClient::from_checkpoint(&genesis, &checkpoint, nodes, transport, store, params)?
        }
        None => LightClient::new(&genesis, nodes, transport, store, params)?,
    })
}

async fn report(client: &LightClient) -> Result<SyncReport, Failure> {
    let report = client.sync(SystemClock.now()).await?;
    // Where else the hospitals can be asked from now on; without it, those that were given do.
    let _ = client.read_addresses().await;
    Ok(report)
}

/// `checkpoint`.
pub async fn checkpoint(network: &Network, to: Option<&Path>, json: bool) -> Result<(), Failure> {
    let client = client(network).await?;
    let report = report(&client).await?;
    let pin = client.pin()?;
    if let Some(path) = to {
        std::fs::write(path, format!("{pin}\n")).map_err(|error| Failure::file(path, error))?;
    }
    let [english, chinese] =
        [Language::English, Language::SimplifiedChinese].map(|language| checkpoint::words(&pin, language));
    let (height, time) = (report.head.height(), report.head.time());
    let value = json!({
        "ok": true, "chain": pin.chain.to_string(), "height": height.0, "hash": pin.header.to_string(), "time": time.0,
        "signed": report.signed, "validators": report.validators, "agreeing": report.agreeing,
        "words": { "en": english, "zh": chinese }, "code": pin.to_string(),
    });
    let text = format!(
        "Block {height} of {}, signed by {} of {} validators; {} hospitals agree.\n\
         Words:   {height} {}\n\
         Chinese: {height} {}\n\
         Code:    {pin}",
        say::moment(time),
        report.signed,
        report.validators,
        report.agreeing,
        english.join(" "),
        chinese.join(" "),
    );
    say::result(json, &value, &text);
    Ok(())
}

async fn save(client: &LightClient, wanted: Wanted, path: &Path) -> Result<(), Failure> {
    let file = client.export(&[wanted]).await?;
    std::fs::write(path, file.encode()).map_err(|error| Failure::file(path, error))
}

/// `sync`.
pub async fn sync(network: &Network, to: Option<&Path>, json: bool) -> Result<(), Failure> {
    let client = client(network).await?;
    let report = report(&client).await?;
    let head = &report.head;
    if let Some(path) = to {
        save(&client, Wanted::Header(head.height()), path).await?;
    }
    let known = client.nodes();
    let organisation = |node: NodeIndex| known[node.0].organisation.to_string();
    let nodes = report.nodes.iter().map(|(node, verdict)| {
        json!({
            "address": network.nodes.get(node.0), "organisation": organisation(*node),
            "verdict": format!("{verdict:?}"),
        })
    });
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
        let found = || format!("{} (found on the ledger)", organisation(*node));
        let address = network.nodes.get(node.0).cloned().unwrap_or_else(found);
        text += &format!("\n  {address}: {verdict:?}");
    }
    say::result(json, &value, &text);
    Ok(())
}

/// `watch`.
pub async fn watch(network: &Network, watch: &Watch, json: bool) -> Result<(), Failure> {
    let client = client(network).await?;
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
