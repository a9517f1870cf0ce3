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
    // 240.0.0.0/4 is reserved, RFC 1112 section 4.
    } else if first == 0 || first >= 240 || address.is_multicast() {
        Reach::Nowhere
    } else if address.is_private() || address.is_link_local() || is_of_a_network(first, second) {
        Reach::Surroundings
    } else {
        Reach::World
    }
}

/// 100.64.0.0/10, shared between a provider's customers (RFC 6598 section 7); 198.18.0.0/15, for tests within a network (RFC 2544).
fn is_of_a_network(first: u8, second: u8) -> bool {
    first == 100 && second & 0xC0 == 64 || first == 198 && second & 0xFE == 18
}

/// The IPv4 address that a translator or tunnel takes out of this one: NAT64 (RFC 6052 section 2.1, RFC 8215) or 6to4 (RFC 3056).
fn translated(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let parts = address.segments();
    let [high, low] = match parts {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x64, 0xff9b, 1, _, _, _, high, low] => [high, low],
        [0x2002, high, low, ..] => [high, low],
        _ => return None,
    };
    Some(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)))
}

fn reach_v6(address: Ipv6Addr) -> Reach {
    if address.is_loopback() {
        Reach::Device
    } else if address.is_unspecified() || address.is_multicast() {
        Reach::Nowhere
    } else if let Some(address) = address.to_ipv4().or_else(|| translated(address)) {
        reach_v4(address)
    // fec0::/10 was for sites, RFC 3879 section 4.
    } else if address.is_unique_local()
        || address.is_unicast_link_local()
        || address.segments()[0] & 0xFFC0 == 0xFEC0
    {
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
        "localdomain" if name.starts_with("localhost") => Reach::Device,
        "local" | "internal" | "lan" | "home" | "localdomain" | "intranet" | "private" | "corp" => {
            Reach::Surroundings
        }
        // RFC 8375: the home's own; nothing else below it is a host.
        "arpa" => Reach::Surroundings,
        // A name without a dot is looked up in the network around.
        _ if name == last => Reach::Surroundings,
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
        let device = places(&[
            "127.0.0.1",
            "127.9.9.9",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "localhost",
            "A.LOCALHOST",
            "localhost.localdomain",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
        ]);
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
            "router",
            "nas.home.arpa",
            "files.corp",
            "198.18.0.1",
            "[fec0::1]",
            "[64:ff9b::10.0.0.1]",
            "[64:ff9b:1::192.168.0.1]",
            "[2002:a00:1::1]",
        ]);
        let nowhere = places(&[
            "0.0.0.0",
            "0.1.2.3",
            "255.255.255.255",
            "240.0.0.1",
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
        for far in [
            "https://other.example",
            "https://9.9.9.9",
            "https://[2620:fe::fe]:1",
            "https://[64:ff9b::909:909]",
        ] {
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
