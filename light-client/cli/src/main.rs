//! `amulet-light`: see `amulet-light --help`.

mod args;
mod failure;
mod offline;
mod online;
mod say;
mod start;

use args::{Cli, Command};
use clap::Parser;
use failure::Failure;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli.command, cli.json).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(cli.json),
    }
}

async fn run(command: Command, json: bool) -> Result<(), Failure> {
    match command {
        Command::VerifyProof { genesis, checkpoint, file } => {
            offline::verify_proof(&genesis, checkpoint.checkpoint.as_deref(), &file, json)
        }
        Command::VerifyHeader { genesis, checkpoint, file } => {
            offline::verify_header(&genesis, checkpoint.checkpoint.as_deref(), &file, json)
        }
        Command::Checkpoint { network, save } => online::checkpoint(&network, save.as_deref(), json).await,
        Command::VerifyFork { genesis, file } => offline::verify_fork(&genesis, &file, json),
        Command::Sync { network, save } => online::sync(&network, save.as_deref(), json).await,
        Command::Watch { network, did, once, every, save } => {
            let watch = online::Watch { did, once, every, save };
            online::watch(&network, &watch, json).await
        }
    }
}
