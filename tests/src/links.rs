//! Links between the hospitals' processes that can be cut, one direction at a time.
//!
//! Where the machine allows it, each hospital has a network namespace of its own and the test's namespace is the router
//! between them: a cut link loses packets, as a broken line does. Elsewhere a TCP proxy stands in each link and holds
//! the bytes back: libp2p sees the same silence, but nothing of TCP's own retransmission is tried. The test's output says
//! which it was.

mod namespaces;
mod proxies;

use crate::consortium::{Consortium, Founding};
use crate::step;
use namespaces::Namespaces;
use proxies::Proxies;
use std::time::Duration;

/// Set to `proxy`, no namespaces are tried.
const CHOICE: &str = "AMULET_TEST_LINKS";

/// The links of one consortium.
pub struct Links {
    kind: Kind,
    size: usize,
}

enum Kind {
    Namespaces(Namespaces),
    Proxies(Proxies),
}

/// Runs `test` with a consortium of `size` hospitals, all of them running, and its links. `name` is the test's full name:
/// it runs once more as a child in namespaces of its own.
///
/// # Panics
/// When the test does.
pub fn with_links(name: &str, size: u16, test: impl FnOnce(Consortium, Links)) {
    if namespaces::is_inside() {
        let namespaces =
            Namespaces::new(size).unwrap_or_else(|trouble| panic!("network namespaces: {trouble}"));
        let founding = Founding { places: namespaces.places(), folder: None };
        return go(founding, Kind::Namespaces(namespaces), test);
    }
    let refused = match std::env::var(CHOICE) {
        Ok(choice) if choice == "proxy" => Some(format!("{CHOICE} says so")),
        _ => namespaces::probe().err(),
    };
    match refused {
        None => {
            step("each hospital gets a network namespace of its own");
            namespaces::run_inside(name);
        }
        Some(reason) => {
            step(format_args!("a TCP proxy stands in each link ({reason})"));
            with_proxies(size, test);
        }
    }
}

/// The same with a proxy in each link, on any machine.
pub fn with_proxies(size: u16, test: impl FnOnce(Consortium, Links)) {
    let founding = Founding::on_loopback(size);
    let proxies = Proxies::new(&founding.places);
    go(founding, Kind::Proxies(proxies), test);
}

fn go(founding: Founding, kind: Kind, test: impl FnOnce(Consortium, Links)) {
    let size = founding.places.len();
    let mut consortium = founding.found(|from, to| match &kind {
        Kind::Namespaces(_) => founding.places[to].libp2p,
        Kind::Proxies(proxies) => proxies.address(from, to),
    });
    consortium.start_all();
    test(consortium, Links { kind, size });
}

impl Links {
    /// Nothing that hospital `from` sends arrives at hospital `to` any more.
    ///
    /// # Panics
    /// When the system refuses.
    pub fn cut_one_way(&self, from: usize, to: usize) {
        match &self.kind {
            Kind::Namespaces(namespaces) => namespaces.cut(from, to),
            Kind::Proxies(proxies) => proxies.cut(from, to, true),
        }
    }

    /// Undoes [`Links::cut_one_way`].
    ///
    /// # Panics
    /// When the system refuses.
    pub fn heal_one_way(&self, from: usize, to: usize) {
        match &self.kind {
            Kind::Namespaces(namespaces) => namespaces.heal(from, to),
            Kind::Proxies(proxies) => proxies.cut(from, to, false),
        }
    }

    /// Cuts both directions.
    pub fn cut(&self, one: usize, other: usize) {
        self.cut_one_way(one, other);
        self.cut_one_way(other, one);
    }

    /// Cuts every link between hospitals that are in different groups.
    pub fn part(&self, groups: &[&[usize]]) {
        for (number, group) in groups.iter().enumerate() {
            for one in *group {
                groups[number + 1..]
                    .iter()
                    .flat_map(|others| *others)
                    .for_each(|other| self.cut(*one, *other));
            }
        }
    }

    /// Cuts hospital `index` off from all others.
    pub fn isolate(&self, index: usize) {
        let others: Vec<usize> = (0..self.size).filter(|other| *other != index).collect();
        self.part(&[&[index], &others]);
    }

    /// Heals everything.
    pub fn heal(&self) {
        for from in 0..self.size {
            (0..self.size).filter(|to| *to != from).for_each(|to| self.heal_one_way(from, to));
        }
    }

    /// Delays everything by so much, each way.
    ///
    /// # Panics
    /// In namespaces, for not every kernel has a queue that delays: see [`with_proxies`].
    pub fn delay(&self, by: Duration) {
        let Kind::Proxies(proxies) = &self.kind else { panic!("only proxies delay") };
        proxies.delay(by);
    }
}
