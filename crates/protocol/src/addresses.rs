//! Where an organisation's nodes can be asked, as it says so on the ledger.
//!
//! An address is a hint: a wrong one can make a client fail, not believe. What is checked here keeps clients from being sent
//! to places that are nobody's node: a web address is HTTPS and nothing but a host and a port, a libp2p address ends with the
//! identity of a validator of the organisation, so that who listens there must have its key.

use crate::ids::{Height, Timestamp};
use crate::limits::ADDRESS_BYTES_MAX;
use crate::validators::PEER_ID_BYTES_MAX;
use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr};

/// Publish where the sender's nodes can be asked, in the place of what it published before.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PublishAddresses {
    /// The addresses, ascending as text; none withdraws those that are published.
    pub addresses: Vec<String>,
    /// First moment at which they no longer count.
    pub valid_until: Timestamp,
}

/// The addresses of an organisation's nodes; the value of its state entry. It is removed when the organisation has no
/// validator any more.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct AddressesState {
    /// The addresses, as published.
    pub addresses: Vec<String>,
    /// Block of the publication.
    pub published: Height,
    /// First moment at which they no longer count.
    pub valid_until: Timestamp,
}

/// One address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NodeAddress {
    /// Base address of the HTTP interface: `https://host` or `https://host:port`.
    Https(String),
    /// A libp2p multiaddress over TCP or QUIC that ends with a peer identity.
    Libp2p {
        /// The text.
        text: String,
        /// The identity's bytes.
        peer: Vec<u8>,
    },
}

/// Why a text is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Too long.
    #[error("an address has {found} bytes, at most {ADDRESS_BYTES_MAX} are accepted")]
    TooLong {
        /// Bytes found.
        found: usize,
    },
    /// Neither of the two kinds.
    #[error("neither https://host:port nor a multiaddress over TCP or QUIC")]
    Kind,
    /// The host is neither a name nor an IP address.
    #[error("the host is neither a name nor an IP address")]
    Host,
    /// The port is none.
    #[error("the port is none")]
    Port,
    /// The peer identity at the end is missing or none.
    #[error("the address does not end with /p2p/ and a peer identity")]
    Peer,
}

impl NodeAddress {
    /// Reads an address.
    ///
    /// # Errors
    /// [`AddressError`] by variant.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        if text.len() > ADDRESS_BYTES_MAX {
            return Err(AddressError::TooLong { found: text.len() });
        }
        if let Some(authority) = text.strip_prefix("https://") {
            check_authority(authority)?;
            return Ok(Self::Https(text.to_owned()));
        }
        let peer = parse_multiaddr(text)?;
        Ok(Self::Libp2p { text: text.to_owned(), peer })
    }
}

impl fmt::Display for NodeAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Https(text) | Self::Libp2p { text, .. } => f.write_str(text),
        }
    }
}

/// `host`, `host:port`, `[ipv6]` or `[ipv6]:port`, and nothing else: no user, no path, no query.
fn check_authority(authority: &str) -> Result<(), AddressError> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or(AddressError::Host)?;
            host.parse::<Ipv6Addr>().map_err(|_| AddressError::Host)?;
            let port = match port {
                "" => None,
                port => Some(port.strip_prefix(':').ok_or(AddressError::Port)?),
            };
            return port.map_or(Ok(()), check_port);
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    check_name(host)?;
    port.map_or(Ok(()), check_port)
}

/// `/ip4/…/tcp/…/p2p/…` and its like; gives the identity.
fn parse_multiaddr(text: &str) -> Result<Vec<u8>, AddressError> {
    let mut parts = text.split('/');
    let mut next = || parts.next().unwrap_or_default();
    if !next().is_empty() {
        return Err(AddressError::Kind);
    }
    let (family, host) = (next(), next());
    match family {
        "ip4" => host.parse::<Ipv4Addr>().map(drop).map_err(|_| AddressError::Host)?,
        "ip6" => host.parse::<Ipv6Addr>().map(drop).map_err(|_| AddressError::Host)?,
        "dns" | "dns4" | "dns6" => check_name(host)?,
        _ => return Err(AddressError::Kind),
    }
    let (transport, port) = (next(), next());
    check_port(port)?;
    match transport {
        "tcp" => {}
        "udp" if next() == "quic-v1" => {}
        _ => return Err(AddressError::Kind),
    }
    let (protocol, peer) = (next(), next());
    if protocol != "p2p" || parts.next().is_some() {
        return Err(AddressError::Peer);
    }
    let mut bytes = [0; PEER_ID_BYTES_MAX];
    let length = bs58::decode(peer).onto(&mut bytes[..]).map_err(|_| AddressError::Peer)?;
    if length == 0 {
        return Err(AddressError::Peer);
    }
    Ok(bytes[..length].to_vec())
}

/// A host name of letters, digits and hyphens between dots (RFC 1123 section 2.1), or an IPv4 address.
fn check_name(host: &str) -> Result<(), AddressError> {
    let is_label = |label: &str| {
        let plain = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        (1..=63).contains(&label.len()) && plain && !label.starts_with('-') && !label.ends_with('-')
    };
    if host.len() <= 253 && host.split('.').all(is_label) { Ok(()) } else { Err(AddressError::Host) }
}

/// A decimal number of 1 to 65535, in the one way to write it.
fn check_port(port: &str) -> Result<(), AddressError> {
    match port.parse::<u16>() {
        Ok(number) if number > 0 && number.to_string() == port => Ok(()),
        _ => Err(AddressError::Port),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const PEER: &str = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";

    #[test]
    fn addresses_of_both_kinds_are_read() {
        for good in ["https://h.example", "https://h.example:8443", "https://[::1]:1", "https://10.0.0.1"] {
            assert_eq!(NodeAddress::parse(good), Ok(NodeAddress::Https(good.into())));
        }
        let place = ["ip4/10.0.0.1/tcp/9101", "ip6/::1/udp/9/quic-v1", "dns/h.example/tcp/65535"];
        for good in place.map(|place| format!("/{place}/p2p/{PEER}")) {
            match NodeAddress::parse(&good) {
                Ok(NodeAddress::Libp2p { text, peer }) => assert_eq!((text, peer.len()), (good, 38)),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn whatever_could_lead_elsewhere_is_refused() {
        let long = "x".repeat(ADDRESS_BYTES_MAX);
        let cases: Vec<(String, AddressError)> = [
            ("http://h.example", AddressError::Kind),
            ("javascript:alert(1)", AddressError::Kind),
            ("", AddressError::Kind),
            ("https://", AddressError::Host),
            ("https://user@h.example", AddressError::Host),
            ("https://h.example/path", AddressError::Host),
            ("https://h.example?q", AddressError::Host),
            ("https://h..example", AddressError::Host),
            ("https://-h.example", AddressError::Host),
            ("https://h\u{e9}.example", AddressError::Host),
            ("https://h.example:", AddressError::Port),
            ("https://h.example:080", AddressError::Port),
            ("https://h.example:0", AddressError::Port),
            ("https://h.example:65536", AddressError::Port),
            ("https://[::1", AddressError::Host),
            ("https://[::1]9", AddressError::Port),
            ("/ip4/10.0.0/tcp/1/p2p/11", AddressError::Host),
            ("/unix/x/tcp/1/p2p/11", AddressError::Kind),
            ("/ip4/10.0.0.1/udp/1/p2p/11", AddressError::Kind),
            ("/ip4/10.0.0.1/tcp/x/p2p/11", AddressError::Port),
            ("/ip4/10.0.0.1/tcp/1", AddressError::Peer),
            ("/ip4/10.0.0.1/tcp/1/p2p/", AddressError::Peer),
            ("/ip4/10.0.0.1/tcp/1/p2p/0OIl", AddressError::Peer),
        ]
        .map(|(text, error)| (text.to_owned(), error))
        .into();
        for (text, error) in cases {
            assert_eq!(NodeAddress::parse(&text), Err(error), "{text}");
        }
        let found = "https://".len() + long.len();
        assert_eq!(NodeAddress::parse(&format!("https://{long}")), Err(AddressError::TooLong { found }));
        let relayed = format!("/ip4/10.0.0.1/tcp/1/p2p/{PEER}/p2p-circuit");
        assert_eq!(NodeAddress::parse(&relayed), Err(AddressError::Peer));
        let too_large = format!("/ip4/10.0.0.1/tcp/1/p2p/{}", "z".repeat(100));
        assert_eq!(NodeAddress::parse(&too_large), Err(AddressError::Peer));
    }
}
