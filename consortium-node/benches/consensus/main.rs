//! How fast the consortium is on this machine: `cargo xtask bench consensus [--quick] [--json FILE]`.
//!
//! Real replicas in this one process: driver and engine, ledger and consensus log on disk with synced writes, mempool,
//! gossip, and libp2p over loopback. Clients hand signed registrations, each by another key, to the replicas in turn, which
//! check them and pass them on, as they do with what comes over HTTP. A transaction is committed when a replica that is
//! not the first primary has it in a block on its disk.
//!
//! The ratio to the bound is throughput over `cores × verifications a second ÷ replicas`, each signature being checked
//! once by each replica.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod cluster;
mod equivocator;
mod load;
mod machine;
mod ordering;
mod process;
mod report;

use cluster::{Cluster, Fault};
use load::{Load, People};
use machine::{Machine, Verification};
use report::{Faulty, Measured, Report};
use std::time::Duration;

/// Replicas of the three sizes of consortium.
const SIZES: [usize; 3] = [4, 7, 16];
/// Parts of the highest throughput that latency is measured at.
const LOADS: [f64; 3] = [0.25, 0.5, 0.75];
/// Transactions under way when the highest throughput is measured: some blocks full.
const IN_FLIGHT: usize = 3_000;

struct Options {
    quick: bool,
    only: Option<String>,
    json: Option<String>,
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Self {
        let mut options = Self { quick: false, only: None, json: None };
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--quick" => options.quick = true,
                "--json" => options.json = Some(arguments.next().expect("--json takes a file name")),
                "--only" => options.only = Some(arguments.next().expect("--only takes a part")),
                // Cargo says that this is a bench.
                "--bench" => {}
                unknown => panic!("unknown option '{unknown}'; there are --quick, --json FILE, --only PART"),
            }
        }
        options
    }

    /// Parts are a number of replicas, `faults` and `ordering`.
    fn wants(&self, part: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == part)
    }

    fn time(&self, quick: u64, full: u64) -> Duration {
        Duration::from_secs(if self.quick { quick } else { full })
    }
}

fn main() {
    let options = Options::parse(std::env::args().skip(1));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let machine = Machine::here();
    let verification = Verification::measure();
    let mut report = Report::new(machine, verification);
    report.print_head();
    let people = People::default();
    for replicas in SIZES.into_iter().filter(|replicas| options.wants(&replicas.to_string())) {
        runtime.block_on(measure(replicas, &options, &people, &mut report));
    }
    if options.wants("faults") {
        runtime.block_on(measure_faults(&options, &people, &mut report));
    }
    if options.wants("ordering") {
        report.ordering(runtime.block_on(ordering::measure(options.time(5, 15))));
    }
    runtime.shutdown_timeout(Duration::from_secs(1));
    if let Some(file) = &options.json {
        std::fs::write(file, report.to_json()).unwrap();
    }
}

/// The highest throughput, then latency at parts of it.
async fn measure(replicas: usize, options: &Options, people: &People, report: &mut Report) {
    let cluster = Cluster::start(replicas, Fault::None).await;
    let highest = load::run(&cluster, people, Load::InFlight(IN_FLIGHT), options.time(6, 20)).await;
    let rate = highest.per_second();
    report.throughput(Measured { replicas, load: None, run: highest });
    let loads = if options.quick { &LOADS[1..2] } else { &LOADS[..] };
    for part in loads {
        let run = load::run(&cluster, people, Load::PerSecond(rate * part), options.time(6, 20)).await;
        report.latency(Measured { replicas, load: Some(*part), run });
    }
    cluster.stop();
}

/// One replica of four is faulty, from the start, and is the first primary.
async fn measure_faults(options: &Options, people: &People, report: &mut Report) {
    for fault in [Fault::None, Fault::Silent, Fault::Equivocates] {
        let cluster = Cluster::start(4, fault).await;
        let run = load::run(&cluster, people, Load::InFlight(IN_FLIGHT), options.time(8, 20)).await;
        report.fault(Faulty { fault, run });
        cluster.stop();
    }
}
