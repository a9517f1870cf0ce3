//! What the two HTTP transports share: where questions go, and how to tell a hospital from what a network puts in its place.

use super::reach::Vicinity;
use super::{Interception, NodeIndex, TransportError};
use amulet_protocol::addresses::NodeAddress;
use amulet_protocol::codec;
use amulet_protocol::light::LightResponse;
use std::sync::{PoisonError, RwLock};

/// Where a node takes questions, below its address.
pub const LIGHT_PATH: &str = "/api/v1/light";
/// Type of the bodies.
pub const CONTENT_TYPE: &str = "application/octet-stream";
/// Web addresses of one node that are tried.
pub const URLS_MAX: usize = 8;

const STATUS_OK: u16 = 200;
/// RFC 6585 section 6: sent by what intercepts, never by the server that was asked.
const STATUS_SIGN_IN: u16 = 511;

/// The addresses of all nodes.
#[derive(Debug)]
pub(super) struct Urls {
    nodes: RwLock<Vec<NodeUrls>>,
    vicinity: Vicinity,
}

#[derive(Debug, Default)]
struct NodeUrls {
    given: Vec<String>,
    published: Vec<String>,
}

impl Urls {
    pub(super) fn new(addresses: Vec<Vec<String>>) -> Self {
        let vicinity = Vicinity::of(addresses.iter().flatten().map(String::as_str));
        let urls = |addresses: Vec<String>| NodeUrls {
            given: addresses.iter().map(|address| url(address)).collect(),
            published: Vec::new(),
        };
        Self { nodes: RwLock::new(addresses.into_iter().map(urls).collect()), vicinity }
    }

    /// Those that were given first.
    pub(super) fn of(&self, node: NodeIndex) -> Result<Vec<String>, TransportError> {
        let nodes = self.nodes.read().unwrap_or_else(PoisonError::into_inner);
        let known = nodes.len();
        let NodeUrls { given, published } =
            nodes.get(node.0).ok_or(TransportError::UnknownNode { node, known })?;
        let new = published.iter().filter(|url| !given.contains(url));
        Ok(given.iter().chain(new).take(URLS_MAX).cloned().collect())
    }

    pub(super) fn learn(&self, node: NodeIndex, addresses: &[NodeAddress]) {
        let mut nodes = self.nodes.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(urls) = nodes.get_mut(node.0) {
            urls.published = self.usable(addresses);
        }
    }

    pub(super) fn join(&self, node: NodeIndex, addresses: &[NodeAddress]) {
        let mut nodes = self.nodes.write().unwrap_or_else(PoisonError::into_inner);
        let joined = NodeUrls { given: Vec::new(), published: self.usable(addresses) };
        let next = nodes.len();
        match nodes.get_mut(node.0) {
            Some(place) => *place = joined,
            None if node.0 == next => nodes.push(joined),
            None => {}
        }
    }

    /// The URLs of the web addresses that may be dialled, each once.
    fn usable(&self, addresses: &[NodeAddress]) -> Vec<String> {
        let mut urls = Vec::new();
        for address in addresses {
            let NodeAddress::Https(text) = address else { continue };
            let url = url(text);
            if urls.len() < URLS_MAX && !urls.contains(&url) && self.vicinity.allows(address) {
                urls.push(url);
            }
        }
        urls
    }
}

fn url(address: &str) -> String {
    format!("{}{LIGHT_PATH}", address.trim_end_matches('/'))
}

/// Refuses an answer by its status and type.
pub(super) fn check_head(status: u16, content_type: Option<&str>) -> Result<(), TransportError> {
    match status {
        STATUS_OK if content_type.is_some_and(is_page) => {
            Err(TransportError::Intercepted { by: Interception::Page })
        }
        STATUS_OK => Ok(()),
        300..=399 => Err(TransportError::Intercepted { by: Interception::Redirect }),
        STATUS_SIGN_IN => Err(TransportError::Intercepted { by: Interception::SignIn }),
        code => Err(TransportError::Status { code }),
    }
}

/// Reads an answer. What is none and looks like a page is one, whatever type it was sent with. An answer may begin like that
/// too: a list of sixty things does, after a number that is a line feed in a text.
pub(super) fn read_answer(body: &[u8], limit: usize) -> Result<LightResponse, TransportError> {
    codec::decode(body, limit).map_err(|error| match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'<') => TransportError::Intercepted { by: Interception::Page },
        _ => error.into(),
    })
}

fn is_page(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("text/html") || kind.eq_ignore_ascii_case("application/xhtml+xml")
}
