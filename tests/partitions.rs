//! Broken lines between real processes: who is cut off stays safe and catches up, who has no quorum stops and goes on
//! afterwards, and nothing that a client saw committed is lost or done twice.

use amulet_tests::audit::audit;
use amulet_tests::choices::Choices;
use amulet_tests::consortium::Consortium;
use amulet_tests::links::{Links, with_links, with_proxies};
use amulet_tests::load::{Load, LoadOptions, Pinned};
use amulet_tests::step;
use std::time::{Duration, Instant};

/// Within this after healing, blocks go on and everybody has them: the longest timeout of the consensus core (24 s) and as
/// long again for what the others had in hand, on a busy machine.
const HEALED_WITHIN: Duration = Duration::from_secs(60);
/// While a quorum is connected, blocks go on within this; some view changes.
const GOES_ON_WITHIN: Duration = Duration::from_secs(60);
/// What was on its way when a line broke has come to rest after this.
const AT_REST_AFTER: Duration = Duration::from_secs(2);
/// How long a standstill is watched.
const WATCHED: Duration = Duration::from_secs(4);
/// As between distant cities, and for votes that need several ways.
const SLOW: Duration = Duration::from_millis(80);
const FLAPS: u32 = 30;

struct Parted {
    consortium: Consortium,
    links: Links,
    load: Load,
    pinned: Pinned,
}

#[test]
fn broken_lines_lose_nothing_and_everybody_catches_up_when_they_are_mended() {
    with_links(
        "broken_lines_lose_nothing_and_everybody_catches_up_when_they_are_mended",
        4,
        |consortium, links| {
            let mut parted = Parted::new(consortium, links);
            let primary = parted.primary();
            parted.one_cut_off(primary);
            parted.one_cut_off((primary + 2) % 4);
            parted.split_in_halves();
            parted.one_way();
            parted.flapping();
            parted.compare();
        },
    );
}

#[test]
fn slow_lines_slow_blocks_down_and_nothing_else() {
    with_proxies(4, |consortium, links| {
        let mut parted = Parted::new(consortium, links);
        step(format_args!("every line takes {SLOW:?} longer, each way"));
        parted.links.delay(SLOW);
        parted.goes_on("over slow lines", GOES_ON_WITHIN);
        parted.one_cut_off(1);
        parted.links.delay(Duration::ZERO);
        parted.compare();
    });
}

impl Parted {
    fn new(consortium: Consortium, links: Links) -> Self {
        let pinned = Pinned::of(consortium.genesis());
        let load = Load::start(&consortium.hospitals(), &pinned, &LoadOptions::default());
        let mut parted = Self { consortium, links, load, pinned };
        parted.goes_on("at the start", GOES_ON_WITHIN);
        parted
    }

    fn head(&self, index: usize) -> u64 {
        self.consortium.hospital(index).head().map_or(0, |(height, _)| height)
    }

    fn highest(&self) -> u64 {
        (0..4).map(|index| self.head(index)).max().unwrap_or(0)
    }

    /// The primary of the newest block's view, as far as blocks tell. Some hospital has a block, not yet each.
    fn primary(&self) -> usize {
        let latest = (0..4).filter_map(|index| self.consortium.hospital(index).latest());
        let newest = latest.max_by_key(|latest| latest.header.height).expect("somebody has a block");
        usize::try_from(newest.certificate.vote.view.0 % 4).expect("smaller than four")
    }

    /// New transactions are acknowledged in new blocks.
    fn goes_on(&mut self, when: &str, limit: Duration) -> Duration {
        let above = self.highest() + 1;
        let waited = self.load.wait_above(above, limit);
        assert_eq!(self.consortium.fallen(), None);
        waited.unwrap_or_else(|| panic!("no block above {above} {when}"))
    }

    fn heal(&mut self, what: &str) {
        self.links.heal();
        let start = Instant::now();
        let going = self.goes_on("after healing", HEALED_WITHIN);
        let reached = self.highest();
        while (0..4).any(|index| self.head(index) < reached) {
            assert!(start.elapsed() < HEALED_WITHIN, "not everybody is at {reached} yet: {:?}", self.heads());
            std::thread::sleep(Duration::from_millis(50));
        }
        step(format_args!(
            "{what}, mended: next block after {going:.1?}, all up to date after {:.1?}",
            start.elapsed()
        ));
    }

    fn heads(&self) -> Vec<u64> {
        (0..4).map(|index| self.head(index)).collect()
    }

    fn one_cut_off(&mut self, index: usize) {
        step(format_args!("hospital {} is cut off from the others, not from clients", index + 1));
        self.links.isolate(index);
        std::thread::sleep(AT_REST_AFTER);
        let left_at = self.head(index);
        let going = self.goes_on("with one hospital cut off", GOES_ON_WITHIN);
        assert_eq!(self.head(index), left_at, "who is alone commits nothing");
        self.heal(&format!("one cut off (the others went on after {going:.1?})"));
    }

    fn split_in_halves(&mut self) {
        step("two hospitals on either side");
        self.links.part(&[&[0, 1], &[2, 3]]);
        std::thread::sleep(AT_REST_AFTER);
        let heads = self.heads();
        std::thread::sleep(WATCHED);
        assert_eq!(self.heads(), heads, "neither half has a quorum");
        self.heal("two halves");
    }

    fn one_way(&mut self) {
        let primary = self.primary();
        let others = || (0..4).filter(move |other| *other != primary);
        step(format_args!("hospital {}, the primary, is heard by nobody, yet hears", primary + 1));
        others().for_each(|other| self.links.cut_one_way(primary, other));
        let going = self.goes_on("with a primary that is not heard", GOES_ON_WITHIN);
        self.heal(&format!("a primary that was not heard (the others went on after {going:.1?})"));

        let deaf = self.primary();
        step(format_args!("hospital {}, the primary, hears nobody, yet is heard", deaf + 1));
        (0..4).filter(|other| *other != deaf).for_each(|other| self.links.cut_one_way(other, deaf));
        let going = self.goes_on("with a primary that does not hear", GOES_ON_WITHIN);
        self.heal(&format!("a primary that did not hear (the others went on after {going:.1?})"));
    }

    fn flapping(&mut self) {
        step("links come and go");
        let mut choices = Choices::new(3);
        for _ in 0..FLAPS {
            let [from, to] = choices.places(2, 4)[..] else { unreachable!("two were asked for") };
            if choices.one_in(2) {
                self.links.cut_one_way(from, to)
            } else {
                self.links.heal_one_way(from, to)
            }
            std::thread::sleep(Duration::from_millis(50 + choices.below(250)));
        }
        self.heal("flapping links");
    }

    fn compare(mut self) {
        let (head, people) = (self.consortium.same_head_after(&mut self.load), self.load.people().to_vec());
        assert_eq!(self.load.wrong(), Vec::<String>::new());
        let acknowledged = self.load.since(0);
        let compared = audit(&self.consortium.hospitals(), &self.pinned, &acknowledged, &people, (1, head));
        let compared = compared.unwrap_or_else(|found| panic!("{}", found.join("\n")));
        step(format_args!(
            "{} transactions in {} blocks, alike everywhere",
            compared.transactions, compared.blocks
        ));
        assert_eq!(self.consortium.forbidden_words(), None);
    }
}
