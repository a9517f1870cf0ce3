//! `amulet-node`: see `amulet-node --help`.

use amulet_node::cli::Cli;
use clap::Parser;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    Cli::parse().run().await
}
