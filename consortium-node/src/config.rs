//! The node's configuration: one TOML file in the data folder, parsed once into types that are valid.

use amulet_protocol::ids::ReplicaId;
use libp2p::Multiaddr;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Name of the configuration file in the data folder.
pub const CONFIG_FILE: &str = "node.toml";
/// Bytes of a configuration file that are read.
const CONFIG_BYTES_MAX: u64 = 256 * 1024;

/// What `node.toml` holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeConfig {
    /// Address of the HTTP interface.
    pub http: SocketAddr,
    /// Addresses to listen on for other nodes and for light clients.
    pub listen: Vec<Multiaddr>,
    /// The other validators' addresses, by their number in the genesis document.
    #[serde(default)]
    pub peers: Vec<PeerConfig>,
    /// Web origins whose pages may ask this node, such as another hospital's wallet page.
    #[serde(default)]
    pub origins: Vec<String>,
    /// Folder of the wallet's web pages; none are served without it.
    #[serde(default)]
    pub web: Option<PathBuf>,
    /// Folder of the demonstration's people; only for demonstrations.
    #[serde(default)]
    pub demo: Option<PathBuf>,
    /// The network description that wallets fetch.
    #[serde(default)]
    pub network: Option<PathBuf>,
}

/// Where another validator is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeerConfig {
    /// Its number among the validators, from 0.
    pub replica: u16,
    /// Its address.
    pub address: Multiaddr,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}. `amulet-node init` makes one")]
    Read {
        /// Which.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
    },
    /// The file is far larger than a configuration.
    #[error("{path} has {bytes} bytes; a configuration has at most {CONFIG_BYTES_MAX}")]
    TooLarge {
        /// Which.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
    /// A key is unknown, missing or has a wrong value; the message names it with its line.
    #[error("{path} is not a configuration: {message}")]
    Parse {
        /// Which.
        path: PathBuf,
        /// Key, line and reason.
        message: String,
    },
    /// The file cannot be written.
    #[error("cannot write {path}: {source}. Is the disk full?")]
    Write {
        /// Which.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
    },
}

impl NodeConfig {
    /// Reads `node.toml` of a data folder.
    ///
    /// # Errors
    /// [`ConfigError`] by variant.
    pub fn load(data: &Path) -> Result<Self, ConfigError> {
        let path = data.join(CONFIG_FILE);
        let read = |source| ConfigError::Read { path: path.clone(), source };
        let bytes = std::fs::metadata(&path).map_err(read)?.len();
        if bytes > CONFIG_BYTES_MAX {
            return Err(ConfigError::TooLarge { path, bytes });
        }
        let text = std::fs::read_to_string(&path).map_err(read)?;
        toml::from_str(&text).map_err(|error| ConfigError::Parse { path, message: error.to_string() })
    }

    /// Writes `node.toml` of a data folder.
    ///
    /// # Errors
    /// [`ConfigError::Write`].
    pub fn save(&self, data: &Path) -> Result<(), ConfigError> {
        let path = data.join(CONFIG_FILE);
        let text = toml::to_string_pretty(self).expect("the configuration's types all have a TOML form");
        std::fs::write(&path, text).map_err(|source| ConfigError::Write { path, source })
    }

    /// The peers in the form the network wants.
    #[must_use]
    pub fn peer_addresses(&self) -> Vec<(ReplicaId, Multiaddr)> {
        self.peers.iter().map(|peer| (ReplicaId(peer.replica), peer.address.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_unknown_key_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let text = "http = \"127.0.0.1:8101\"\nlisten = []\nhtpp = 1\n";
        std::fs::write(folder.path().join(CONFIG_FILE), text).unwrap();
        let error = NodeConfig::load(folder.path()).unwrap_err().to_string();
        assert!(error.contains("htpp"), "{error}");
    }

    #[test]
    fn a_missing_file_says_how_to_make_one() {
        let folder = tempfile::tempdir().unwrap();
        let error = NodeConfig::load(folder.path()).unwrap_err().to_string();
        assert!(error.contains("amulet-node init"), "{error}");
    }
}
