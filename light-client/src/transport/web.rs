//! What the two HTTP transports share: where questions go, and how to tell a hospital from what a network puts in its place.

use super::{Interception, NodeIndex, TransportError};
use amulet_protocol::addresses::NodeAddress;
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
pub(super) struct Urls(RwLock<Vec<Vec<String>>>);

impl Urls {
    pub(super) fn new(addresses: Vec<Vec<String>>) -> Self {
        let urls = |addresses: Vec<String>| addresses.iter().map(|address| url(address)).collect();
        Self(RwLock::new(addresses.into_iter().map(urls).collect()))
    }

    pub(super) fn of(&self, node: NodeIndex) -> Result<Vec<String>, TransportError> {
        let nodes = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let known = nodes.len();
        nodes.get(node.0).cloned().ok_or(TransportError::UnknownNode { node, known })
    }

    /// Adds those that are new, behind the others.
    pub(super) fn learn(&self, node: NodeIndex, addresses: &[NodeAddress]) {
        let mut nodes = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let Some(urls) = nodes.get_mut(node.0) else { return };
        for address in addresses {
            let NodeAddress::Https(address) = address else { continue };
            let url = url(address);
            if urls.len() < URLS_MAX && !urls.contains(&url) {
                urls.push(url);
            }
        }
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

/// Refuses a body that is a page, whatever type it was sent with. No answer begins like that.
pub(super) fn check_body(body: &[u8]) -> Result<(), TransportError> {
    match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'<') => Err(TransportError::Intercepted { by: Interception::Page }),
        _ => Ok(()),
    }
}

fn is_page(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("text/html") || kind.eq_ignore_ascii_case("application/xhtml+xml")
}
