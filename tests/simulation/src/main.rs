//! The command line of the simulator; `cargo xtask simulate` builds it optimised and starts it.

#![allow(clippy::print_stdout)]

use amulet_simulation::run::{catch_panics, run, shrink};
use amulet_simulation::schedule::Plan;
use amulet_simulation::seeds::{Continue, run_all};
use amulet_simulation::storm;
use amulet_simulation::time::Micros;
use amulet_simulation::trace::Trace;
use amulet_simulation::twins;
use amulet_simulation::wide::{self, Costs};
use clap::Parser;
use std::cell::Cell;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

/// Whole consortia on a virtual clock, network and disk.
#[derive(Parser)]
struct Arguments {
    /// Seeds to run: `A..B`, B excluded.
    #[arg(long, default_value = "0..20")]
    seeds: String,
    /// One seed, replayed with everything that happens.
    #[arg(long)]
    seed: Option<u64>,
    /// Size of the validator set.
    #[arg(long, default_value_t = 4)]
    replicas: u16,
    /// Virtual time of a run, in hours.
    #[arg(long, default_value_t = 1.0)]
    hours: f64,
    /// Virtual time of a run, in minutes, in place of hours.
    #[arg(long)]
    minutes: Option<u64>,
    /// Runs at once; by default as many as there are processors.
    #[arg(long)]
    jobs: Option<usize>,
    /// Runs a schedule from a file, as a failure printed it.
    #[arg(long)]
    plan: Option<PathBuf>,
    /// Plants a deliberate bug by name, or `all` one after the other, and catches each; with `none` runs the schedules of the
    /// hunt without a bug, in which nothing may be found. Needs the feature `planted`.
    #[arg(long)]
    planted: Option<String>,
    /// Replicas that run twice with one key, for each replica, way of splitting the others and first view; with this many
    /// rounds of splits.
    #[arg(long, num_args = 0..=1, default_missing_value = "2")]
    twins: Option<u32>,
    /// Measures 4 to 100 replicas in cities of one country.
    #[arg(long)]
    wide_area: bool,
    /// With `--wide-area`: microseconds for checking a validator's vote, in place of a measurement on this machine.
    #[arg(long)]
    check_vote_us: Option<u64>,
    /// With `--wide-area`: only the largest set, under both loads.
    #[arg(long)]
    largest: bool,
    /// Writes results as JSON to a file too.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Does not make a failing schedule smaller.
    #[arg(long)]
    no_shrink: bool,
    /// With `--seed`: says only what came of it.
    #[arg(long)]
    quiet: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    catch_panics();
    match perform(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Does what was asked; whether everything held.
fn perform(arguments: &Arguments) -> Result<bool, String> {
    if let Some(file) = &arguments.plan {
        let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let plan: Plan =
            serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?;
        return Ok(replay(&plan, arguments.quiet));
    }
    if arguments.wide_area {
        return wide_area(arguments);
    }
    if let Some(rounds) = arguments.twins {
        return Ok(run_seeds(arguments, &twins::plans(arguments.replicas, rounds)));
    }
    if let Some(name) = &arguments.planted {
        return hunt(arguments, name);
    }
    if let Some(seed) = arguments.seed {
        return Ok(replay(&storm::plan(seed, arguments.replicas, length(arguments)), arguments.quiet));
    }
    let plans: Vec<Plan> = seeds(&arguments.seeds)?
        .map(|seed| storm::plan(seed, arguments.replicas, length(arguments)))
        .collect();
    Ok(run_seeds(arguments, &plans))
}

fn length(arguments: &Arguments) -> Micros {
    if let Some(minutes) = arguments.minutes {
        return Micros::seconds(minutes * 60);
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    Micros((arguments.hours.max(0.0) * 3_600_000_000.0) as u64)
}

fn seeds(text: &str) -> Result<std::ops::Range<u64>, String> {
    let parse = || {
        let (first, last) = text.split_once("..")?;
        Some(first.parse().ok()?..last.parse().ok()?)
    };
    parse().ok_or_else(|| format!("'{text}' is no range of seeds; write 0..100"))
}

fn jobs(arguments: &Arguments) -> usize {
    arguments.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
}

/// Transactions measured for each size and load.
const MEASURED: u64 = 300;
/// Loads, in transactions a day.
const LOADS: [u64; 2] = [100_000, 10_000_000];

fn wide_area(arguments: &Arguments) -> Result<bool, String> {
    let mut costs = Costs::measured();
    if let Some(micros) = arguments.check_vote_us {
        costs.check_vote = Micros(micros);
    }
    println!(
        "signing {}, checking {} µs; {} processors, {} µs for a durable write, {} B a transaction, {} B/µs a line",
        costs.sign.0,
        costs.check_vote.0,
        costs.processors,
        costs.sync.0,
        costs.transaction_bytes,
        costs.line_bytes_per_us
    );
    println!(
        "| replicas | transactions a day | p50 ms | p99 ms | messages a block | KiB a block | blocks | views |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
    let sizes = if arguments.largest { &wide::SIZES[5..] } else { &wide::SIZES[..] };
    let mut all = Vec::new();
    for (replicas, per_day) in sizes.iter().flat_map(|size| LOADS.map(|load| (*size, load))) {
        let found = wide::measure(replicas, per_day, MEASURED, &costs);
        println!(
            "| {replicas} | {per_day} | {:.1} | {:.1} | {:.0} | {:.1} | {} | {} |",
            found.p50_ms,
            found.p99_ms,
            found.messages_per_block,
            found.bytes_per_block / 1_024.0,
            found.blocks,
            found.views
        );
        all.push(found);
    }
    write_json(arguments, &serde_json::json!({ "costs": costs, "measured": all }))?;
    Ok(true)
}

#[cfg(not(feature = "planted"))]
fn hunt(_: &Arguments, _: &str) -> Result<bool, String> {
    Err("this build has no deliberate bugs; use `cargo xtask simulate --planted …`".into())
}

/// Hunts deliberate bugs; whether all were caught.
#[cfg(feature = "planted")]
fn hunt(arguments: &Arguments, name: &str) -> Result<bool, String> {
    use amulet_pbft::planted::Bug;
    use amulet_simulation::hunt::{SEEDS_MAX, hunt_all, without_bugs};
    if name == "none" {
        return Ok(run_seeds(arguments, &without_bugs(seeds(&arguments.seeds)?)));
    }
    let bugs = match name {
        "all" => Bug::ALL.to_vec(),
        name => vec![name.parse().map_err(|error| format!("{error}"))?],
    };
    let begun = Instant::now();
    println!("| bug | breaks | seeds | schedule | caught by |\n| --- | --- | --- | --- | --- |");
    let catches = hunt_all(&bugs, 0..SEEDS_MAX, jobs(arguments), |found| match &found.caught {
        Some(caught) => println!(
            "| {} | {} | {} | {} | {:?} |",
            found.bug, found.rule, caught.seeds, caught.schedule, caught.checker
        ),
        None => println!("| {} | {} | **not in {SEEDS_MAX}** | | |", found.bug, found.rule),
    });
    let missed = catches.iter().filter(|found| found.caught.is_none()).count();
    println!(
        "\n{} of {} bugs caught in {:.0} s",
        catches.len() - missed,
        catches.len(),
        begun.elapsed().as_secs_f64()
    );
    write_json(arguments, &catches)?;
    Ok(missed == 0)
}

fn write_json<T: serde::Serialize>(arguments: &Arguments, value: &T) -> Result<(), String> {
    let Some(file) = &arguments.json else { return Ok(()) };
    let text = serde_json::to_string_pretty(value).map_err(|error| error.to_string())?;
    std::fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))
}

fn replay(plan: &Plan, is_quiet: bool) -> bool {
    let trace = if is_quiet { Trace::default() } else { Trace::verbose() };
    match run(plan, trace) {
        Ok(summary) => {
            println!("seed {}: {summary:?}", plan.seed);
            true
        }
        Err(found) => {
            println!("seed {}: {found}", plan.seed);
            false
        }
    }
}

fn run_seeds(arguments: &Arguments, plans: &[Plan]) -> bool {
    let begun = Instant::now();
    let jobs = jobs(arguments);
    let failed = std::sync::Mutex::new(Cell::new(None));
    let done = std::sync::Mutex::new((0_usize, 0_u64, 0_usize, 0_u64, 0_u64, 0_u64, 0_u64));
    run_all(plans, jobs, |plan, outcome| match outcome {
        Ok(summary) => {
            if let Ok(mut done) = done.lock() {
                done.0 += 1;
                done.1 += summary.blocks;
                done.2 += summary.transactions;
                done.3 += summary.crashes;
                done.4 = done.4.max(summary.views);
                done.5 += summary.wipes;
                done.6 += summary.copies;
            }
            Continue::Yes
        }
        Err(found) => {
            if let Ok(failed) = failed.lock() {
                failed.set(Some((plan.clone(), *found)));
            }
            Continue::No
        }
    });
    let took = begun.elapsed().as_secs_f64();
    let (runs, blocks, transactions, crashes, views, wipes, copies) = done.into_inner().unwrap_or_default();
    println!(
        "{runs} of {} runs of {} virtual hours with {} replicas held in {took:.1} s on {jobs} threads: {blocks} blocks, \
         {transactions} transactions, {crashes} crashes, {wipes} machines replaced, {copies} ledgers copied, views up to {views}",
        plans.len(),
        arguments.hours,
        arguments.replicas,
    );
    let failed = failed.into_inner().ok().and_then(Cell::into_inner);
    let Some((plan, found)) = failed else { return true };
    println!("\nFAILED seed {}: {found}", plan.seed);
    println!(
        "replay: cargo xtask simulate --seed {} --replicas {} {}",
        plan.seed,
        arguments.replicas,
        arguments
            .minutes
            .map_or_else(|| format!("--hours {}", arguments.hours), |minutes| format!("--minutes {minutes}"))
    );
    if !arguments.no_shrink {
        let (smaller, found) = shrink(&plan, &found);
        let text = serde_json::to_string_pretty(&smaller).unwrap_or_default();
        println!(
            "smaller ({} of {} faults, {} of {} clients, ends at {}): {found}\n{text}",
            smaller.faults.len(),
            plan.faults.len(),
            smaller.clients.len(),
            plan.clients.len(),
            smaller.end
        );
    }
    false
}
