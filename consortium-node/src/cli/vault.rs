//! `vault`: keeping the ciphertexts of this hospital whole.

mod backup;
mod own;
mod restore;
mod scrub;
mod secret;

use super::Failure;
use clap::Subcommand;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(super) enum VaultCommand {
    /// Have the running node read every ciphertext that it has to have, and fetch again what is damaged or missing.
    Scrub(scrub::ScrubArgs),
    /// Make a key file for backups.
    NewKey {
        /// The file to make. Keep it elsewhere than the backups: without it they cannot be restored.
        file: PathBuf,
    },
    /// Write every ciphertext that this hospital has to have into one encrypted file. The node may run.
    Backup(backup::BackupArgs),
    /// Put ciphertexts of a backup back into the vault, check all, and say whether the vault is whole. The node may run.
    Restore(restore::RestoreArgs),
}

pub(super) async fn run(command: VaultCommand) -> Result<(), Failure> {
    match command {
        VaultCommand::Scrub(args) => scrub::scrub(&args).await,
        VaultCommand::NewKey { file } => secret::new_key(&file),
        VaultCommand::Backup(args) => backup::backup(&args).await,
        VaultCommand::Restore(args) => restore::restore(&args).await,
    }
}
