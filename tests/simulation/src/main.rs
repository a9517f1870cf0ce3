//! The command line of the simulator; `cargo xtask simulate` builds it optimised and starts it.

#![allow(clippy::print_stdout)]

use amulet_simulation::run::{catch_panics, run, shrink};
use amulet_simulation::schedule::Plan;
use amulet_simulation::seeds::{Continue, run_all};
use amulet_simulation::storm;
use amulet_simulation::time::Micros;
use amulet_simulation::trace::Trace;
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
    let jobs = arguments.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let failed = std::sync::Mutex::new(Cell::new(None));
    let done = std::sync::Mutex::new((0_usize, 0_u64, 0_usize, 0_u64, 0_u64));
    run_all(plans, jobs, |plan, outcome| match outcome {
        Ok(summary) => {
            if let Ok(mut done) = done.lock() {
                done.0 += 1;
                done.1 += summary.blocks;
                done.2 += summary.transactions;
                done.3 += summary.crashes;
                done.4 = done.4.max(summary.views);
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
    let (runs, blocks, transactions, crashes, views) = done.into_inner().unwrap_or_default();
    println!(
        "{runs} of {} runs of {} virtual hours with {} replicas held in {took:.1} s on {jobs} threads: {blocks} blocks, \
         {transactions} transactions, {crashes} crashes, views up to {views}",
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
