//! `network.json`: what a wallet needs to find the hospitals and to pin the chain. Nothing in it is secret; only the
//! genesis document in it is trusted, and only because a person or the app's maker chose it.

use amulet_protocol::codec;
use amulet_protocol::genesis::Genesis;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

/// The file.
#[derive(Debug, Serialize)]
pub struct NetworkFile {
    /// Encoded genesis document, base64.
    pub genesis: String,
    /// Chain id, hex.
    pub chain: String,
    /// Whether demonstration people can be opened.
    pub demo: bool,
    /// The hospitals' nodes, in the order of the validators.
    pub nodes: Vec<NetworkNode>,
}

/// One node.
#[derive(Debug, Clone, Serialize)]
pub struct NetworkNode {
    /// DID of the hospital.
    pub organisation: String,
    /// Its name in English.
    pub name_en: String,
    /// Its name in Chinese.
    pub name_zh: String,
    /// Base URL of its HTTP interface.
    pub http: String,
    /// libp2p addresses, with peer identity.
    pub libp2p: Vec<String>,
}

impl NetworkFile {
    /// The file for a chain.
    #[must_use]
    pub fn new(genesis: &Genesis, nodes: Vec<NetworkNode>, demo: bool) -> Self {
        Self {
            genesis: STANDARD.encode(codec::encode(genesis)),
            chain: genesis.chain_id().to_string(),
            demo,
            nodes,
        }
    }
}
