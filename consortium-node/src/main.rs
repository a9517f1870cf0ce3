//! `amulet-node`: see `amulet-node --help`.

use amulet_node::cli::Cli;
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    Cli::parse().run()
}
