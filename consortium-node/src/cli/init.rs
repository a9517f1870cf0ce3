//! `init` and `genesis`: what a hospital and a new consortium start with.

use super::say;
use crate::config::{ConfigError, LedgerConfig, NodeConfig};
use crate::genesis_file::{self, GENESIS_FILE, GenesisFileError, JOIN_FILE, JoinRequest};
use crate::keys::{KeyError, NodeKeys};
use crate::node::now;
use crate::vault::VaultConfig;
use amulet_protocol::genesis::GenesisError;
use libp2p::Multiaddr;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

/// Why a node's folder or a genesis document could not be made.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// The folder cannot be made.
    #[error("cannot make {path}: {source}")]
    Folder {
        /// Which.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
    },
    /// Keys.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// Configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Genesis document or join request.
    #[error(transparent)]
    Genesis(#[from] GenesisFileError),
    /// The members do not make a consortium.
    #[error("these members do not make a consortium: {0}")]
    Members(#[from] GenesisError),
}

/// A node's folder, just made.
pub struct NodeSetup {
    /// Its keys.
    pub keys: NodeKeys,
    /// Its configuration.
    pub config: NodeConfig,
    /// Its join request.
    pub join: JoinRequest,
}

impl NodeSetup {
    /// Makes folder, keys, configuration and join request.
    ///
    /// # Errors
    /// [`InitError`] by variant; existing keys are never touched.
    pub fn create(
        data: &Path,
        name_en: &str,
        name_zh: &str,
        http: SocketAddr,
        port: u16,
    ) -> Result<Self, InitError> {
        std::fs::create_dir_all(data)
            .map_err(|source| InitError::Folder { path: data.to_owned(), source })?;
        let keys = NodeKeys::create(data)?;
        let config = NodeConfig {
            http,
            listen: listen_addresses(http.ip(), port),
            peers: Vec::new(),
            public: None,
            origins: Vec::new(),
            web: None,
            demo: None,
            network: None,
            ledger: LedgerConfig::default(),
            vault: VaultConfig::default(),
        };
        config.save(data)?;
        let join = JoinRequest::new(name_en, name_zh, &keys);
        genesis_file::save(&data.join(JOIN_FILE), &join)?;
        Ok(Self { keys, config, join })
    }
}

/// TCP and QUIC on one port number.
pub(crate) fn listen_addresses(ip: IpAddr, port: u16) -> Vec<Multiaddr> {
    let base = Multiaddr::from(ip);
    let tcp = base.clone().with(libp2p::multiaddr::Protocol::Tcp(port));
    let quic = base.with(libp2p::multiaddr::Protocol::Udp(port)).with(libp2p::multiaddr::Protocol::QuicV1);
    vec![tcp, quic]
}

pub(super) fn init(
    data: &Path,
    name_en: &str,
    name_zh: &str,
    http: SocketAddr,
    port: u16,
) -> Result<(), InitError> {
    let setup = NodeSetup::create(data, name_en, name_zh, http, port)?;
    let folder = data.display();
    say(format_args!("Made {folder} for {name_en} ({name_zh}), {}.", setup.join.did()));
    say(format_args!("Back up {folder}/keys: whoever has it can act as this hospital."));
    say(format_args!(
        "Give {folder}/{JOIN_FILE} to the consortium; put the {GENESIS_FILE} you get back into {folder},"
    ));
    say("enter the other members' addresses into node.toml, and start with: amulet-node run --data …");
    Ok(())
}

pub(super) fn genesis(network: &str, joins: &[PathBuf], out: &Path) -> Result<(), InitError> {
    let joins: Vec<JoinRequest> =
        joins.iter().map(|path| genesis_file::load(path)).collect::<Result<_, _>>()?;
    let genesis = genesis_file::assemble(network, now(), &joins);
    genesis.validate()?;
    genesis_file::save(out, &genesis)?;
    say(format_args!(
        "Wrote {} for {} members; the chain is {}.",
        out.display(),
        joins.len(),
        genesis.chain_id()
    ));
    Ok(())
}
