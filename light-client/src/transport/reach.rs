//! Which addresses of the ledger are dialled at all.
//!
//! Whoever publishes an address decides where the devices of all patients connect to. What they hear there is checked, but
//! the connection itself must not be turned against what is on the device, or in the home or hospital around it. So an
//! address that leads there is used only if this transport was given such an address itself: by a demonstration on one
//! machine, by a consortium in a network of its own.

use amulet_protocol::addresses::NodeAddress;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How far an address leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    /// To no single machine, or nobody knows where to.
    Nowhere,
    /// To the device itself.
    Device,
    /// To the network around it.
    Surroundings,
    /// To the world. A name counts as such: where it resolves to is not known here, but who answers there has to prove the
    /// name, or the identity that was dialled.
    World,
}

/// The nearest place that a transport was given.
#[derive(Clone, Copy, Debug)]
pub(super) struct Vicinity(Reach);

impl Vicinity {
    /// Of these addresses, each a URL or a multiaddress.
    pub(super) fn of<'a>(given: impl IntoIterator<Item = &'a str>) -> Self {
        let nearest = given.into_iter().map(|text| reach(host(text)));
        Self(nearest.filter(|reach| *reach != Reach::Nowhere).min().unwrap_or(Reach::World))
    }

    /// Whether an address of the ledger may be dialled.
    pub(super) fn allows(self, address: &NodeAddress) -> bool {
        let (NodeAddress::Https(text) | NodeAddress::Libp2p { text, .. }) = address;
        let reach = reach(host(text));
        reach != Reach::Nowhere && reach >= self.0
    }
}

/// The host in `https://host:port/…` or `/ip4/host/tcp/…`; nothing in anything else.
fn host(address: &str) -> &str {
    if let Some(multiaddress) = address.strip_prefix('/') {
        return multiaddress.split('/').nth(1).unwrap_or_default();
    }
    let authority = address.split_once("://").map_or("", |(_, rest)| rest);
    let authority = authority.split('/').next().unwrap_or_default();
    match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    }
}

fn reach(host: &str) -> Reach {
    match host.parse() {
        Ok(IpAddr::V4(address)) => reach_v4(address),
        Ok(IpAddr::V6(address)) => reach_v6(address),
        Err(_) => reach_of_name(&host.to_ascii_lowercase()),
    }
}

fn reach_v4(address: Ipv4Addr) -> Reach {
    let [first, second, ..] = address.octets();
    if address.is_loopback() {
        Reach::Device
    } else if first == 0 || address.is_multicast() || address.is_broadcast() {
        Reach::Nowhere
    // RFC 6598 section 7: shared between a provider's customers.
    } else if address.is_private() || address.is_link_local() || (first == 100 && second & 0xC0 == 64) {
        Reach::Surroundings
    } else {
        Reach::World
    }
}

fn reach_v6(address: Ipv6Addr) -> Reach {
    if address.is_loopback() {
        Reach::Device
    } else if address.is_unspecified() || address.is_multicast() {
        Reach::Nowhere
    } else if let Some(address) = address.to_ipv4() {
        reach_v4(address)
    } else if address.is_unique_local() || address.is_unicast_link_local() {
        Reach::Surroundings
    } else {
        Reach::World
    }
}

fn reach_of_name(name: &str) -> Reach {
    let last = name.rsplit('.').next().unwrap_or_default();
    // Browsers and resolvers read names that end in a number as addresses, in more ways than one.
    if last.is_empty() || last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x") {
        return Reach::Nowhere;
    }
    match last {
        "localhost" => Reach::Device,
        "local" | "internal" | "lan" | "home" => Reach::Surroundings,
        _ => Reach::World,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const PEER: &str = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";

    fn allowed(given: &str, published: &str) -> bool {
        Vicinity::of([given]).allows(&NodeAddress::parse(published).unwrap())
    }

    fn places(hosts: &[&str]) -> Vec<String> {
        hosts.iter().map(|host| format!("https://{host}:8443")).collect()
    }

    #[test]
    fn the_ledger_cannot_send_devices_to_themselves_or_into_the_network_around_them() {
        let given = "https://h.example";
        let device =
            places(&["127.0.0.1", "127.9.9.9", "[::1]", "[::ffff:127.0.0.1]", "localhost", "A.LOCALHOST"]);
        let around = places(&[
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "[fd00::1]",
            "[fe80::1]",
            "[::ffff:10.0.0.1]",
            "printer.local",
            "vault.internal",
        ]);
        let nowhere = places(&[
            "0.0.0.0",
            "0.1.2.3",
            "255.255.255.255",
            "224.0.0.1",
            "[::]",
            "[ff02::1]",
            "127.1",
            "2130706433",
            "0x7f000001",
            "1.0x7f",
        ]);
        for near in device.iter().chain(&around).chain(&nowhere) {
            assert!(!allowed(given, near), "{near}");
        }
        let multiaddress = |place: &str| format!("/{place}/tcp/9101/p2p/{PEER}");
        for near in ["ip4/127.0.0.1", "ip4/10.0.0.1", "ip6/::1", "dns4/localhost"].map(multiaddress) {
            assert!(!allowed(given, &near), "{near}");
        }
        for far in ["https://other.example", "https://9.9.9.9", "https://[2620:fe::fe]:1"] {
            assert!(allowed(given, far), "{far}");
        }
        assert!(allowed(given, &multiaddress("ip4/9.9.9.9")));
        // Whoever was given a near address is in a demonstration or in a network of its own.
        let (own, vpn) = ("http://127.0.0.1:8101", &multiaddress("ip4/10.8.0.1"));
        assert!(device.iter().chain(&around).all(|near| allowed(own, near)));
        assert!(around.iter().all(|near| allowed(vpn, near)));
        assert!(!device.iter().any(|near| allowed(vpn, near)));
        assert!(!nowhere.iter().any(|near| allowed(own, near)), "nothing leads there on purpose");
    }

    #[test]
    fn without_a_given_address_only_the_world_is_dialled() {
        let near = NodeAddress::parse("https://10.0.0.1").unwrap();
        assert!(!Vicinity::of([]).allows(&near));
        assert!(!Vicinity::of(["", "nonsense", "http://"]).allows(&near));
    }
}
