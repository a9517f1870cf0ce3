//! `amulet-light`: see `amulet-light --help`.

mod args;
mod failure;
mod offline;
mod online;
mod say;

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
        Command::VerifyProof { genesis, file } => offline::verify_proof(&genesis, &file, json),
        Command::VerifyHeader { genesis, file } => offline::verify_header(&genesis, &file, json),
        Command::Sync { network, save } => online::sync(&network, save.as_deref(), json).await,
        Command::Watch { network, did, once, every, save } => {
            let watch = online::Watch { did, once, every, save };
            online::watch(&network, &watch, json).await
        }
    }
}
