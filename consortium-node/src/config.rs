//! The node's configuration: one TOML file in the data folder, parsed once into types that are valid.

use crate::vault::VaultConfig;
use amulet_protocol::ids::ReplicaId;
use libp2p::Multiaddr;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Name of the configuration file in the data folder.
pub const CONFIG_FILE: &str = "node.toml";
/// Blocks that every node keeps: those that replicas may be apart in the ordinary course, which is the window of heights in
/// which they vote.
pub const KEEP_BLOCKS_MIN: u64 = 64;
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
    /// Where wallets reach this node from outside: `https://host:port`, or
    /// multiaddresses that end with the node's identity. They are announced on the ledger; an empty list takes back what was
    /// announced, and without the key nothing is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<Vec<String>>,
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
    /// How much of the ledger is kept.
    #[serde(default)]
    pub ledger: LedgerConfig,
    /// Where the ciphertexts lie.
    #[serde(default)]
    pub vault: VaultConfig,
}

/// How much of the ledger a node keeps: `archive = true`, or `keep_blocks = N`. Everything, if nothing is said: what only
/// one hospital removed can be asked of the others, what all removed is lost to every wallet that comes back without its
/// own copy. So to remove anything is a decision, and nobody makes it by leaving out a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "LedgerTable", into = "LedgerTable")]
pub enum LedgerConfig {
    /// Everything.
    #[default]
    Archive,
    /// Transactions, receipts and states of this many blocks below the newest.
    Keep {
        /// How many.
        blocks: u64,
    },
}

/// The form in the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LedgerTable {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    archive: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keep_blocks: Option<u64>,
}

/// Why `[ledger]` cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LedgerConfigError {
    /// Neither, or both.
    #[error("[ledger] takes archive = true or keep_blocks = N, one of them")]
    Ambiguous,
    /// Too few to help a node that was away for minutes.
    #[error("keep_blocks is {found}; at least {KEEP_BLOCKS_MIN} are kept")]
    TooFew {
        /// Given.
        found: u64,
    },
}

impl TryFrom<LedgerTable> for LedgerConfig {
    type Error = LedgerConfigError;

    fn try_from(table: LedgerTable) -> Result<Self, LedgerConfigError> {
        match (table.archive, table.keep_blocks) {
            (Some(true), None) => Ok(Self::Archive),
            (None | Some(false), Some(blocks)) if blocks >= KEEP_BLOCKS_MIN => Ok(Self::Keep { blocks }),
            (None | Some(false), Some(found)) => Err(LedgerConfigError::TooFew { found }),
            _ => Err(LedgerConfigError::Ambiguous),
        }
    }
}

impl From<LedgerConfig> for LedgerTable {
    fn from(config: LedgerConfig) -> Self {
        match config {
            LedgerConfig::Archive => Self { archive: Some(true), keep_blocks: None },
            LedgerConfig::Keep { blocks } => Self { archive: None, keep_blocks: Some(blocks) },
        }
    }
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
    fn everything_is_kept_unless_the_file_says_how_much() {
        let parse = |ledger: &str| {
            let text = format!("http = \"127.0.0.1:8101\"\nlisten = []\n{ledger}");
            toml::from_str::<NodeConfig>(&text).map(|config| config.ledger)
        };
        assert_eq!(parse("").unwrap(), LedgerConfig::Archive);
        assert_eq!(parse("[ledger]\narchive = true").unwrap(), LedgerConfig::Archive);
        assert_eq!(parse("[ledger]\nkeep_blocks = 64").unwrap(), LedgerConfig::Keep { blocks: 64 });
        for (table, words) in [
            ("keep_blocks = 63", "at least 64"),
            ("archive = true\nkeep_blocks = 100", "one of them"),
            ("archive = false", "one of them"),
            ("keep = 100", "unknown field"),
        ] {
            let error = parse(&format!("[ledger]\n{table}")).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn a_missing_file_says_how_to_make_one() {
        let folder = tempfile::tempdir().unwrap();
        let error = NodeConfig::load(folder.path()).unwrap_err().to_string();
        assert!(error.contains("amulet-node init"), "{error}");
    }
}
