//! Folders, keys, genesis document and configurations of the four hospitals; made once, then taken up again.

use super::{HOSPITALS, LocalnetError, LocalnetOptions};
use crate::cli::{NodeSetup, listen_addresses};
use crate::config::{LedgerConfig, NodeConfig, PeerConfig};
use crate::genesis_file::{self, GENESIS_FILE, JOIN_FILE, JoinRequest};
use crate::keys::NodeKeys;
use crate::network_file::{NetworkFile, NetworkNode};
use crate::node::now;
use crate::vault::VaultConfig;
use amulet_protocol::genesis::Genesis;
use amulet_protocol::ids::Did;
use libp2p::multiaddr::Protocol;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// Folder of the people, served by the nodes.
pub(super) const DEMO_FOLDER: &str = "demo";
const NETWORK_FILE: &str = "network.json";

/// One hospital of the demonstration.
pub(super) struct Hospital {
    pub folder: PathBuf,
    pub did: Did,
    pub name_en: &'static str,
    pub name_zh: &'static str,
    pub http: String,
    pub console: Option<SocketAddr>,
    pub keys: NodeKeys,
}

/// The demonstration, ready to start.
pub(super) struct Setup {
    pub data: PathBuf,
    pub genesis: Genesis,
    pub hospitals: Vec<Hospital>,
}

pub(super) fn prepare(data: &Path, options: &LocalnetOptions) -> Result<Setup, LocalnetError> {
    let mut hospitals = Vec::new();
    let mut joins = Vec::new();
    for (index, (name_en, name_zh)) in HOSPITALS.into_iter().enumerate() {
        let folder = data.join(format!("hospital-{}", index + 1));
        let http = http_address(options, index);
        if !folder.join(JOIN_FILE).exists() {
            NodeSetup::create(&folder, name_en, name_zh, http, libp2p_port(options, index))?;
        }
        let join: JoinRequest = genesis_file::load(&folder.join(JOIN_FILE))?;
        let keys = NodeKeys::load(&folder)?;
        let did = join.did();
        let console = options.console_port.map(|first| (Ipv4Addr::LOCALHOST, port(first, index)).into());
        let http = format!("http://{http}");
        hospitals.push(Hospital { folder, did, name_en, name_zh, http, console, keys });
        joins.push(join);
    }
    let genesis_path = data.join(GENESIS_FILE);
    if !genesis_path.exists() {
        genesis_file::save(&genesis_path, &genesis_file::assemble("Amulet demonstration", now(), &joins))?;
    }
    let (genesis, _) = genesis_file::load_genesis(data)?;
    fs::create_dir_all(data.join(DEMO_FOLDER))
        .map_err(|source| LocalnetError::File { path: data.join(DEMO_FOLDER), source })?;
    let setup = Setup { data: data.to_owned(), genesis, hospitals };
    setup.write_configurations(options)?;
    setup.write_network_file(options)?;
    Ok(setup)
}

impl Setup {
    fn write_configurations(&self, options: &LocalnetOptions) -> Result<(), LocalnetError> {
        let origins: Vec<String> = self.hospitals.iter().map(|hospital| hospital.http.clone()).collect();
        let web = options.web.as_ref().map(|web| web.canonicalize().unwrap_or_else(|_| web.clone()));
        for (index, hospital) in self.hospitals.iter().enumerate() {
            let others = (0..self.hospitals.len()).filter(|other| *other != index);
            let peers = others.flat_map(|other| {
                let replica = u16::try_from(other).expect("there are four hospitals");
                listen_addresses(Ipv4Addr::LOCALHOST.into(), libp2p_port(options, other))
                    .into_iter()
                    .map(move |address| PeerConfig { replica, address })
            });
            let config = NodeConfig {
                http: http_address(options, index),
                listen: listen_addresses(Ipv4Addr::LOCALHOST.into(), libp2p_port(options, index)),
                peers: peers.collect(),
                public: None,
                origins: origins.clone(),
                web: web.clone(),
                demo: Some(self.data.join(DEMO_FOLDER)),
                network: Some(self.data.join(NETWORK_FILE)),
                ledger: LedgerConfig::default(),
                vault: VaultConfig::default(),
            };
            config.save(&hospital.folder)?;
            genesis_file::save(&hospital.folder.join(GENESIS_FILE), &self.genesis)?;
        }
        Ok(())
    }

    fn write_network_file(&self, options: &LocalnetOptions) -> Result<(), LocalnetError> {
        let nodes = self.hospitals.iter().enumerate().map(|(index, hospital)| {
            let peer = hospital.keys.network.public().to_peer_id();
            let addresses = listen_addresses(Ipv4Addr::LOCALHOST.into(), libp2p_port(options, index));
            NetworkNode {
                organisation: hospital.did.to_string(),
                name_en: hospital.name_en.to_owned(),
                name_zh: hospital.name_zh.to_owned(),
                http: hospital.http.clone(),
                libp2p: addresses
                    .into_iter()
                    .map(|address| address.with(Protocol::P2p(peer)).to_string())
                    .collect(),
            }
        });
        let file = NetworkFile::new(&self.genesis, nodes.collect(), true);
        let path = self.data.join(NETWORK_FILE);
        let json = serde_json::to_vec_pretty(&file).expect("the file's types all have a JSON form");
        fs::write(&path, json).map_err(|source| LocalnetError::File { path, source })
    }
}

fn http_address(options: &LocalnetOptions, index: usize) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port(options.http_port, index)).into()
}

fn libp2p_port(options: &LocalnetOptions, index: usize) -> u16 {
    port(options.libp2p_port, index)
}

fn port(first: u16, index: usize) -> u16 {
    first.saturating_add(u16::try_from(index).expect("there are four hospitals"))
}
