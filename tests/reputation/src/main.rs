//! Writes the plot of all scenarios: `cargo run -p amulet-reputation [FILE]`.

use amulet_reputation::{plot, scenarios};
use std::process::ExitCode;

/// Where the specification has its picture, from the repository's root.
const PICTURE: &str = "docs/images/reputation.svg";

fn main() -> ExitCode {
    let file = std::env::args_os().nth(1).unwrap_or_else(|| PICTURE.into());
    let panels: Vec<_> = scenarios::all().into_iter().map(plot::Panel::of).collect();
    match std::fs::write(&file, plot::svg(&panels)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{} cannot be written: {error}", file.display());
            ExitCode::FAILURE
        }
    }
}
