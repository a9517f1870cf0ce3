//! A TCP proxy in each link.

use crate::consortium::Place;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, SocketAddrV4, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

const CHUNK_BYTES: usize = 64 * 1024;
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// One direction between two hospitals, whichever of them dialled.
#[derive(Default)]
struct Direction {
    is_cut: AtomicBool,
    delay_ms: AtomicU64,
}

/// All of them. The threads end with the test's process.
pub(super) struct Proxies {
    directions: Arc<BTreeMap<(usize, usize), Direction>>,
    addresses: BTreeMap<(usize, usize), SocketAddrV4>,
}

impl Proxies {
    pub(super) fn new(places: &[Place]) -> Self {
        let size = places.len();
        let pairs = (0..size).flat_map(|from| (0..size).map(move |to| (from, to)));
        let pairs: Vec<_> = pairs.filter(|(from, to)| from != to).collect();
        let directions = Arc::new(pairs.iter().map(|pair| (*pair, Direction::default())).collect());
        let addresses = pairs.iter().map(|pair| (*pair, listen(*pair, places[pair.1].libp2p, &directions)));
        let addresses = addresses.collect();
        Self { directions, addresses }
    }

    /// Where `from` finds `to`.
    pub(super) fn address(&self, from: usize, to: usize) -> SocketAddrV4 {
        self.addresses[&(from, to)]
    }

    pub(super) fn cut(&self, from: usize, to: usize, is_cut: bool) {
        self.directions[&(from, to)].is_cut.store(is_cut, Ordering::Relaxed);
    }

    pub(super) fn delay(&self, by: Duration) {
        let ms = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.directions.values().for_each(|direction| direction.delay_ms.store(ms, Ordering::Relaxed));
    }
}

type Directions = Arc<BTreeMap<(usize, usize), Direction>>;

fn listen((from, to): (usize, usize), target: SocketAddrV4, directions: &Directions) -> SocketAddrV4 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port can be had");
    let Ok(SocketAddr::V4(address)) = listener.local_addr() else {
        panic!("an IPv4 listener has such an address")
    };
    let directions = directions.clone();
    std::thread::spawn(move || {
        for dialled in listener.incoming().flatten() {
            let Ok(reached) = TcpStream::connect(target) else { continue };
            let (Ok(back_in), Ok(back_out)) = (reached.try_clone(), dialled.try_clone()) else { continue };
            for (input, output, way) in [(dialled, reached, (from, to)), (back_in, back_out, (to, from))] {
                let directions = directions.clone();
                std::thread::spawn(move || carry(input, output, &directions[&way]));
            }
        }
    });
    address
}

/// Carries bytes one way until either end closes. A cut holds them back: to drop bytes would break the stream, which no
/// network does.
fn carry(mut input: TcpStream, mut output: TcpStream, direction: &Direction) {
    let mut chunk = vec![0; CHUNK_BYTES];
    while let Ok(count @ 1..) = input.read(&mut chunk) {
        std::thread::sleep(Duration::from_millis(direction.delay_ms.load(Ordering::Relaxed)));
        while direction.is_cut.load(Ordering::Relaxed) {
            std::thread::sleep(LOOK_AGAIN);
        }
        if output.write_all(&chunk[..count]).is_err() {
            break;
        }
    }
    // Either may be closed already.
    let _ = output.shutdown(Shutdown::Both);
    let _ = input.shutdown(Shutdown::Both);
}
