//! Explores the model, for each Byzantine replica in turn: `amulet-model VIEWS HEIGHTS [every-order]`.

// A command line tool talks through standard output; the workspace lint guards libraries and the node.
#![allow(clippy::print_stdout)]

use std::process::ExitCode;
use std::time::Instant;

use amulet_model::{Config, HEIGHTS_MAX, Interleaving, REPLICAS, VIEWS_MAX, check};

const USAGE: &str = "usage: amulet-model VIEWS HEIGHTS [every-order]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((views, heights, interleaving)) = parse(&arguments) else {
        eprintln!("{USAGE}\n  VIEWS: 1 to {VIEWS_MAX}, HEIGHTS: 1 to {HEIGHTS_MAX}");
        return ExitCode::FAILURE;
    };
    let mut has_failed = false;
    for byzantine in 0..REPLICAS {
        let start = Instant::now();
        let report = check(Config::new(views, heights, byzantine, interleaving));
        println!("replica {byzantine} Byzantine, {:.1?}: {report}", start.elapsed());
        has_failed |= !report.violations.is_empty();
    }
    if has_failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn parse(arguments: &[String]) -> Option<(usize, usize, Interleaving)> {
    let (bounds, interleaving) = match arguments {
        [bounds @ .., last] if last == "every-order" => (bounds, Interleaving::Full),
        bounds => (bounds, Interleaving::ByView),
    };
    let [views, heights] = bounds else { return None };
    let (views, heights) = (views.parse().ok()?, heights.parse().ok()?);
    let fits = (1..=VIEWS_MAX).contains(&views) && (1..=HEIGHTS_MAX).contains(&heights);
    fits.then_some((views, heights, interleaving))
}
