//! What intake costs beside `serde_json` alone: `cargo xtask bench consent --only intake [--data DIR] [--json FILE]`.
//!
//! Both read the same bytes in the same process, in turns, so that a busy machine slows both. Intake splits, judges by all
//! quality rules, classifies and copies each record; `serde_json` parses into its `Value` and drops it.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use amulet_fhir::intake;
use amulet_fhir::quality::Given;
use std::hint::black_box;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Rounds of each; the median counts.
const ROUNDS: usize = 15;
/// A round reads the files again and again for at least so long.
const ROUND_MIN: Duration = Duration::from_millis(200);
/// 2026-11-23.
const TODAY: i64 = 1_795_392_000;

const SAMPLES: [&[u8]; 2] = [
    include_bytes!("../../../samples/james-miller.en.json"),
    include_bytes!("../../../samples/wang-fang.zh.json"),
];

struct Options {
    data: Vec<PathBuf>,
    json: Option<PathBuf>,
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Self {
        let mut options = Self { data: Vec::new(), json: None };
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--data" => options.data.push(arguments.next().expect("--data takes a folder").into()),
                "--json" => options.json = Some(arguments.next().expect("--json takes a file name").into()),
                // Cargo says that this is a bench.
                "--bench" => {}
                unknown => panic!("unknown option '{unknown}'; there are --data DIR and --json FILE"),
            }
        }
        options
    }

    fn files(&self) -> Vec<Vec<u8>> {
        let mut paths: Vec<PathBuf> = self
            .data
            .iter()
            .flat_map(|folder| std::fs::read_dir(folder).unwrap())
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
            .collect();
        paths.sort();
        if paths.is_empty() {
            return SAMPLES.iter().map(|sample| sample.to_vec()).collect();
        }
        paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
    }
}

/// Seconds that one reading of all files takes, by this round.
fn round(files: &[Vec<u8>], read: impl Fn(&[u8])) -> f64 {
    let (start, mut times) = (Instant::now(), 0_u32);
    while start.elapsed() < ROUND_MIN {
        files.iter().for_each(|file| read(file));
        times += 1;
    }
    start.elapsed().as_secs_f64() / f64::from(times)
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

fn main() {
    let options = Options::parse(std::env::args().skip(1));
    let files = options.files();
    let given = Given { today: Some(TODAY), ..Given::default() };
    let bytes: usize = files.iter().map(Vec::len).sum();
    let resources: usize = files.iter().map(|file| intake(file, &given).unwrap().resources_in).sum();
    let (mut ours, mut reference) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        ours.push(round(&files, |file| drop(black_box(intake(file, &given)))));
        reference.push(round(&files, |file| {
            drop(black_box(serde_json::from_slice::<serde_json::Value>(file)));
        }));
    }
    let (ours, reference) = (median(ours), median(reference));
    let megabytes = f64::from(u32::try_from(bytes).unwrap()) / 1e6;
    let count = f64::from(u32::try_from(resources).unwrap());
    println!("{} files, {megabytes:.2} MB, {resources} resources", files.len());
    for (name, seconds) in [("intake", ours), ("serde_json alone", reference)] {
        println!("{name:>17}: {:>9.0} resources/s, {:>6.1} MB/s", count / seconds, megabytes / seconds);
    }
    println!("intake takes {:.2} times as long as serde_json alone", ours / reference);
    if let Some(path) = options.json {
        let json = serde_json::json!({
            "files": files.len(), "bytes": bytes, "resources": resources,
            "intake": {"resources_per_second": count / ours, "megabytes_per_second": megabytes / ours},
            "serde_json": {"resources_per_second": count / reference, "megabytes_per_second": megabytes / reference},
            "ratio": ours / reference,
        });
        std::fs::write(path, json.to_string()).unwrap();
    }
}
