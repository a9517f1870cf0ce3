//! Are the ports free?

use super::{HOSPITALS, LocalnetError};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};

pub(super) fn check(http: u16, libp2p: u16, console: Option<u16>) -> Result<(), LocalnetError> {
    let count = HOSPITALS.len() as u16;
    for port in (0..count).map(|number| http.saturating_add(number)) {
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_err() {
            return Err(LocalnetError::PortTaken { kind: "HTTP", port, option: "--http-port" });
        }
    }
    for port in
        console.into_iter().flat_map(|first| (0..count).map(move |number| first.saturating_add(number)))
    {
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_err() {
            return Err(LocalnetError::PortTaken { kind: "console", port, option: "--console-port" });
        }
    }
    for port in (0..count).map(|number| libp2p.saturating_add(number)) {
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, port));
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, port));
        if tcp.is_err() || udp.is_err() {
            return Err(LocalnetError::PortTaken { kind: "libp2p", port, option: "--libp2p-port" });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_taken_port_is_named_with_the_option_that_changes_it() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = check(port, 9_000, None).unwrap_err().to_string();
        assert!(error.contains(&port.to_string()) && error.contains("--http-port"), "{error}");
    }
}
