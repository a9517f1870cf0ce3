//! `vault`: keeping the ciphertexts of this hospital whole.

mod scrub;

use super::Failure;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(super) enum VaultCommand {
    /// Have the running node read every ciphertext that it has to have, and fetch again what is damaged or missing.
    Scrub(scrub::ScrubArgs),
}

pub(super) async fn run(command: VaultCommand) -> Result<(), Failure> {
    match command {
        VaultCommand::Scrub(args) => scrub::scrub(&args).await,
    }
}
