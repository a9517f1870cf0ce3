//! What the light client costs on this machine: `cargo xtask bench light-client [--quick] [--json FILE]`.
//!
//! The real client over its transport's trait, with nodes in this process. Work is processor time of one thread, measured on a
//! recording of what the nodes said, so that their work does not count and reading their answers does. Bytes are those of
//! questions and answers.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod beside;
mod certificate;
mod clock;
mod consortium;
mod daily;
mod first_sync;
#[path = "../../../consortium-node/benches/consensus/machine.rs"]
mod machine;
mod memory;
mod network;
mod proofs;
mod report;
mod sequential;
#[allow(dead_code)]
#[path = "../../tests/suite/chain.rs"]
mod suite_chain;

use amulet_light_client::SyncPolicy;
use amulet_protocol::limits::HEADER_RUN_MAX;
use certificate::Certificate;
use consortium::{Change, LongChain};
use machine::{Machine, Verification};
use report::Report;
use std::path::PathBuf;
use tokio::runtime::Runtime;

/// Lengths of chains.
const BLOCKS: [u64; 4] = [1_000, 10_000, 100_000, 1_000_000];
/// Validators.
const SIZES: [usize; 6] = [4, 7, 16, 31, 64, 100];
/// With `--quick`, the length at which all numbers of validators are measured.
const BLOCKS_QUICK: u64 = 10_000;
/// Signatures that are checked header by header, about.
const SIGNATURES_SEQUENTIAL: usize = 20_000;

struct Options {
    quick: bool,
    only: Option<String>,
    /// First syncs with this number of validators only.
    validators: Option<usize>,
    json: Option<String>,
    /// Measure another light client as well.
    beside: bool,
    /// This program started itself to measure its memory, with what is in this folder.
    replay: Option<PathBuf>,
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Self {
        let mut options =
            Self { quick: false, only: None, validators: None, json: None, beside: false, replay: None };
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--quick" => options.quick = true,
                "--json" => options.json = Some(arguments.next().expect("--json takes a file name")),
                "--only" => options.only = Some(arguments.next().expect("--only takes a part")),
                "--validators" => {
                    options.validators = arguments.next().and_then(|number| number.parse().ok())
                }
                "--beside" => {
                    let other = arguments.next().expect("--beside takes a name");
                    assert_eq!(other, "tendermint", "there is nothing else to set beside");
                    options.beside = true;
                }
                "--replay" => options.replay = arguments.next().map(PathBuf::from),
                // Cargo says that this is a bench.
                "--bench" => {}
                unknown => panic!(
                    "unknown option '{unknown}'; there are --quick, --json FILE, --only PART, --validators N, --beside tendermint"
                ),
            }
        }
        options
    }

    fn wants(&self, part: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == part)
    }
}

fn main() {
    let options = Options::parse(std::env::args().skip(1));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    if let Some(folder) = &options.replay {
        return memory::replay(&runtime, folder);
    }
    let mut report = Report::new(&Machine::here(), &Verification::measure());
    if options.wants("certificate") {
        report.certificate(&Certificate::measure());
    }
    if options.wants("proofs") {
        report.proofs(&proofs::measure());
    }
    if options.wants("daily") {
        let [all, two] =
            [SyncPolicy::Full, SyncPolicy::Metered].map(|policy| runtime.block_on(daily::bytes(policy)));
        report.daily(all, two);
    }
    if options.wants("first-sync") {
        measure_syncs(&runtime, &options, &mut report);
    }
    if options.beside {
        report.beside(beside::tendermint());
    }
    if let Some(file) = &options.json {
        std::fs::write(file, report.into_json()).unwrap();
    }
}

/// First syncs, header by header on the longest chain of each size, and memory on the longest of all.
fn measure_syncs(runtime: &Runtime, options: &Options, report: &mut Report) {
    report.first_sync_head();
    let mut longest = None;
    for validators in SIZES.into_iter().filter(|size| options.validators.is_none_or(|only| only == *size)) {
        let of_size = |blocks: &u64| !options.quick || validators == 4 || *blocks == BLOCKS_QUICK;
        let lengths: Vec<u64> = BLOCKS.into_iter().filter(of_size).collect();
        for (at, blocks) in lengths.iter().enumerate() {
            for change in [Change::OneAndTheSame, Change::InTurn] {
                let chain = LongChain::new(*blocks, validators, change);
                let header_by_header = (at + 1 == lengths.len() && change == Change::InTurn).then(|| {
                    let per_run = HEADER_RUN_MAX * chain.set_at(1).quorum().threshold();
                    sequential::measure(&chain, (SIGNATURES_SEQUENTIAL / per_run).max(1) as u64)
                });
                let syncs = runtime.block_on(first_sync::measure(chain, change));
                syncs.iter().for_each(|sync| report.first_sync(sync));
                header_by_header.iter().for_each(|run| report.sequential(run));
                let [from_all, _] = syncs;
                if validators == SIZES[0] {
                    longest = Some(from_all);
                }
            }
        }
    }
    if let Some(sync) = longest {
        report.memory(&memory::measure(&sync.recording));
    }
}
