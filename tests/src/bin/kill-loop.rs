//! `cargo xtask kill-loop` runs this: see [`amulet_tests::kill_loop`].

use amulet_tests::kill_loop::{self, Options};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

fn main() -> ExitCode {
    match parse(std::env::args().skip(1)) {
        Ok((options, json)) => {
            let interrupted = Arc::new(AtomicBool::new(false));
            let noted = interrupted.clone();
            if let Err(error) = ctrlc::set_handler(move || noted.store(true, Ordering::SeqCst)) {
                eprintln!("kill-loop: an interruption cannot be noticed: {error}");
                return ExitCode::FAILURE;
            }
            let report = kill_loop::run(&options, &interrupted, |line| eprintln!("{line}"));
            eprintln!("{}", report.summary());
            if let Some(path) = json
                && let Err(error) = std::fs::write(&path, format!("{:#}\n", report.json()))
            {
                eprintln!("{}: {error}", path.display());
                return ExitCode::FAILURE;
            }
            if report.problem.is_none() && !report.interrupted {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(wrong) => {
            eprintln!("kill-loop: {wrong}");
            ExitCode::FAILURE
        }
    }
}

fn parse(arguments: impl Iterator<Item = String>) -> Result<(Options, Option<PathBuf>), String> {
    let mut options = Options { kills: 0, seed: 1, hospitals: 4, folder: None };
    let mut json = None;
    let mut arguments = arguments;
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{name} needs a value"))?;
        let number = || value.parse::<u64>().map_err(|_| format!("{name} {value}: not a number"));
        match name.as_str() {
            "--kills" => options.kills = number()?,
            "--seed" => options.seed = number()?,
            "--hospitals" => {
                options.hospitals = u16::try_from(number()?).map_err(|_| "too many hospitals".to_owned())?;
            }
            "--data" => options.folder = Some(value.into()),
            "--json" => json = Some(value.into()),
            _ => return Err(format!("there is no option {name}")),
        }
    }
    if options.hospitals < 4 {
        return Err("a consortium has at least four hospitals".into());
    }
    Ok((options, json))
}
