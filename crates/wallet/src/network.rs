//! The network a wallet belongs to: a file that names a genesis document and where the hospitals can be asked.
//!
//! Only the genesis document is relied on, and it is pinned by whoever hands the file out. Addresses are hints: a wrong one
//! can make the wallet fail, not believe.

use amulet_app_api::wallet::HospitalView;
use amulet_protocol::codec::{self, DecodeError};
use amulet_protocol::genesis::{Genesis, GenesisError};
use amulet_protocol::ids::{ChainId, Did};
use amulet_protocol::limits::{GENESIS_BYTES_MAX, ORGANISATIONS_MAX};
use amulet_protocol::validators::ValidatorSet;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

/// Bytes of a network file: a full genesis document as base64, and addresses.
pub const NETWORK_FILE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Addresses of one node.
pub const ADDRESSES_MAX: usize = 8;
/// Bytes of one address.
pub const ADDRESS_BYTES_MAX: usize = 256;

/// A network, checked.
#[derive(Clone, Debug)]
pub struct Network {
    genesis: Genesis,
    chain: ChainId,
    validators: ValidatorSet,
    demo: bool,
    nodes: Vec<Node>,
}

/// Where one hospital's node can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The hospital.
    pub organisation: Did,
    /// Base address of its HTTP interface, without a slash at the end.
    pub http: String,
    /// libp2p addresses.
    pub libp2p: Vec<String>,
}

/// Why a network file is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// Too large.
    #[error("the network file has {found} bytes, at most {NETWORK_FILE_BYTES_MAX} are read")]
    TooLarge {
        /// Bytes found.
        found: usize,
    },
    /// Not JSON of the expected shape.
    #[error("the network file cannot be read: {message}")]
    Json {
        /// The parser's words: place and kind of the mistake.
        message: String,
    },
    /// The genesis document is not base64.
    #[error("the genesis document is not base64")]
    Base64,
    /// The genesis document cannot be decoded.
    #[error("the genesis document: {0}")]
    Decode(#[from] DecodeError),
    /// The genesis document is not acceptable.
    #[error("the genesis document: {0}")]
    Genesis(#[from] GenesisError),
    /// The file names another chain than its own genesis document makes.
    #[error("the file says chain {said}, its genesis document is {computed}")]
    Chain {
        /// In the file.
        said: String,
        /// Computed.
        computed: ChainId,
    },
    /// A node belongs to no organisation of the genesis document.
    #[error("node {index} belongs to {organisation}, which is not in the genesis document")]
    Stranger {
        /// Which, from 0.
        index: usize,
        /// The organisation named.
        organisation: String,
    },
    /// Too few nodes to check one against another, or too many.
    #[error("{found} nodes, from 2 to {ORGANISATIONS_MAX} are accepted")]
    Nodes {
        /// Found.
        found: usize,
    },
    /// Two nodes of one organisation, which would count as two witnesses.
    #[error("{organisation} has two nodes")]
    Repeated {
        /// Whose.
        organisation: Did,
    },
    /// An address is no address.
    #[error("node {index} has an address that cannot be used: {address}")]
    Address {
        /// Which, from 0.
        index: usize,
        /// The address, cut to what is safe to show.
        address: String,
    },
}

#[derive(Deserialize)]
struct NetworkFile {
    genesis: String,
    chain: String,
    #[serde(default)]
    demo: bool,
    nodes: Vec<NodeEntry>,
}

#[derive(Deserialize)]
struct NodeEntry {
    organisation: String,
    http: String,
    #[serde(default)]
    libp2p: Vec<String>,
}

impl Network {
    /// Reads and checks a network file.
    ///
    /// # Errors
    /// [`NetworkError`] by variant.
    pub fn parse(bytes: &[u8]) -> Result<Self, NetworkError> {
        if bytes.len() > NETWORK_FILE_BYTES_MAX {
            return Err(NetworkError::TooLarge { found: bytes.len() });
        }
        let file: NetworkFile = serde_json::from_slice(bytes)
            .map_err(|error| NetworkError::Json { message: error.to_string() })?;
        let encoded = STANDARD.decode(&file.genesis).map_err(|_| NetworkError::Base64)?;
        let genesis: Genesis = codec::decode(&encoded, GENESIS_BYTES_MAX)?;
        let validators = genesis.validate()?;
        let chain = genesis.chain_id();
        if file.chain != chain.to_string() {
            return Err(NetworkError::Chain { said: shown(&file.chain), computed: chain });
        }
        let nodes = check_nodes(file.nodes, &genesis)?;
        Ok(Self { genesis, chain, validators, demo: file.demo, nodes })
    }

    /// The pinned genesis document.
    #[must_use]
    pub fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// The chain.
    #[must_use]
    pub fn chain(&self) -> ChainId {
        self.chain
    }

    /// The validators of the genesis document.
    #[must_use]
    pub fn validators(&self) -> &ValidatorSet {
        &self.validators
    }

    /// Whether this is a demonstration, with people whose wallets can be copied.
    #[must_use]
    pub fn is_demo(&self) -> bool {
        self.demo
    }

    /// The nodes, one for each organisation.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The node of an organisation.
    #[must_use]
    pub fn node(&self, organisation: &Did) -> Option<&Node> {
        self.nodes.iter().find(|node| node.organisation == *organisation)
    }

    /// All hospitals, in the order of the genesis document.
    #[must_use]
    pub fn hospitals(&self) -> Vec<HospitalView> {
        self.genesis.organisations.iter().map(|organisation| self.hospital(&organisation.did())).collect()
    }

    /// A hospital for people. One that the genesis document does not know has no name.
    #[must_use]
    pub fn hospital(&self, did: &Did) -> HospitalView {
        let known = self.genesis.organisations.iter().find(|organisation| organisation.did() == *did);
        let text = did.to_string();
        match known {
            Some(known) => {
                HospitalView { did: text, name_en: known.name_en.clone(), name_zh: known.name_zh.clone() }
            }
            None => HospitalView { did: text, name_en: String::new(), name_zh: String::new() },
        }
    }

    /// Whether an organisation is in the genesis document.
    #[must_use]
    pub fn knows(&self, did: &Did) -> bool {
        self.genesis.organisations.iter().any(|organisation| organisation.did() == *did)
    }
}

fn check_nodes(entries: Vec<NodeEntry>, genesis: &Genesis) -> Result<Vec<Node>, NetworkError> {
    if !(2..=ORGANISATIONS_MAX).contains(&entries.len()) {
        return Err(NetworkError::Nodes { found: entries.len() });
    }
    let mut nodes: Vec<Node> = Vec::with_capacity(entries.len());
    for (index, entry) in entries.into_iter().enumerate() {
        let known = |did: &Did| genesis.organisations.iter().any(|organisation| organisation.did() == *did);
        let Some(organisation) = entry.organisation.parse().ok().filter(known) else {
            return Err(NetworkError::Stranger { index, organisation: shown(&entry.organisation) });
        };
        if nodes.iter().any(|node| node.organisation == organisation) {
            return Err(NetworkError::Repeated { organisation });
        }
        let http = entry.http.trim_end_matches('/').to_owned();
        let is_http = http.starts_with("http://") || http.starts_with("https://");
        if !is_http || !is_address(&http) {
            return Err(NetworkError::Address { index, address: shown(&http) });
        }
        if entry.libp2p.len() > ADDRESSES_MAX {
            return Err(NetworkError::Address {
                index,
                address: format!("{} addresses", entry.libp2p.len()),
            });
        }
        if let Some(bad) =
            entry.libp2p.iter().find(|address| !address.starts_with('/') || !is_address(address))
        {
            return Err(NetworkError::Address { index, address: shown(bad) });
        }
        nodes.push(Node { organisation, http, libp2p: entry.libp2p });
    }
    Ok(nodes)
}

fn is_address(text: &str) -> bool {
    text.len() <= ADDRESS_BYTES_MAX && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(80).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use amulet_crypto::entropy::SeededEntropy;
    use amulet_crypto::signing::SigningKey;
    use amulet_protocol::genesis::{GENESIS_VERSION, Organisation};
    use amulet_protocol::ids::Timestamp;
    use amulet_protocol::validators::Validator;

    pub(crate) fn genesis() -> Genesis {
        let mut entropy = SeededEntropy::new(11);
        let organisations: Vec<_> = (1..=4)
            .map(|n| Organisation {
                name_en: format!("Hospital {n}"),
                name_zh: format!("第{n}医院"),
                key: SigningKey::generate(&mut entropy).public_key().clone(),
            })
            .collect();
        let validators = organisations
            .iter()
            .map(|organisation| Validator {
                organisation: organisation.did(),
                key: SigningKey::generate(&mut entropy).public_key().clone(),
                peer_id: vec![],
            })
            .collect();
        Genesis {
            version: GENESIS_VERSION,
            network: "test".into(),
            time: Timestamp(1),
            organisations,
            validators,
        }
    }

    pub(crate) fn file(genesis: &Genesis) -> serde_json::Value {
        let nodes: Vec<_> = genesis
            .organisations
            .iter()
            .enumerate()
            .map(|(i, organisation)| {
                serde_json::json!({
                    "organisation": organisation.did(),
                    "name_en": "not relied on",
                    "http": format!("http://127.0.0.1:810{}/", i + 1),
                    "libp2p": [format!("/ip4/127.0.0.1/tcp/910{}", i + 1)],
                })
            })
            .collect();
        let encoded = STANDARD.encode(codec::encode(genesis));
        serde_json::json!({ "genesis": encoded, "chain": genesis.chain_id(), "demo": true, "nodes": nodes })
    }

    fn parse(value: &serde_json::Value) -> Result<Network, NetworkError> {
        Network::parse(&serde_json::to_vec(value).unwrap())
    }

    #[test]
    fn a_network_file_gives_hospitals_by_the_names_of_the_genesis_document() {
        let genesis = genesis();
        let network = parse(&file(&genesis)).unwrap();
        assert_eq!(network.chain(), genesis.chain_id());
        assert_eq!(network.hospitals()[1].name_zh, "第2医院");
        assert_eq!(network.nodes()[0].http, "http://127.0.0.1:8101");
        assert!(network.is_demo());
    }

    #[test]
    fn files_that_contradict_themselves_are_refused() {
        let genesis = genesis();
        let good = file(&genesis);
        let changed = |change: &dyn Fn(&mut serde_json::Value)| {
            let mut value = good.clone();
            change(&mut value);
            parse(&value).unwrap_err()
        };
        let other = changed(&|file| file["chain"] = "00".repeat(32).into());
        assert_eq!(other, NetworkError::Chain { said: "00".repeat(32), computed: genesis.chain_id() });
        let one = changed(&|file| file["nodes"].as_array_mut().unwrap().truncate(1));
        assert_eq!(one, NetworkError::Nodes { found: 1 });
        let twice = changed(&|file| file["nodes"][1] = file["nodes"][0].clone());
        assert_eq!(twice, NetworkError::Repeated { organisation: genesis.organisations[0].did() });
        let stranger = changed(&|file| file["nodes"][2]["organisation"] = "did:amulet:x".into());
        assert_eq!(stranger, NetworkError::Stranger { index: 2, organisation: "did:amulet:x".into() });
        let script = changed(&|file| file["nodes"][3]["http"] = "javascript:alert(1)".into());
        assert_eq!(script, NetworkError::Address { index: 3, address: "javascript:alert(1)".into() });
        assert_eq!(changed(&|file| file["genesis"] = "?".into()), NetworkError::Base64);
        assert!(matches!(changed(&|file| file["genesis"] = "AAAA".into()), NetworkError::Decode(_)));
        assert!(matches!(Network::parse(b"<html>"), Err(NetworkError::Json { .. })));
        let found = NETWORK_FILE_BYTES_MAX + 1;
        assert_eq!(Network::parse(&vec![b' '; found]).unwrap_err(), NetworkError::TooLarge { found });
    }
}
