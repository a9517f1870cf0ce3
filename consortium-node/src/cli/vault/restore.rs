//! `vault restore`: what a backup holds comes back, and then the whole vault is held against the ledger.

use super::own::{Expected, Own};
use super::secret::SecretArgs;
use crate::cli::progress::Progress;
use crate::cli::{Failure, say};
use crate::vault::Found;
use crate::vault::backup::{BackupReader, Restored};
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(in crate::cli) struct RestoreArgs {
    /// The node's folder.
    #[arg(long)]
    data: PathBuf,
    #[command(flatten)]
    secret: SecretArgs,
    /// The backup.
    from: PathBuf,
}

/// The backup was whole, the vault is not.
#[derive(Debug, thiserror::Error)]
enum NotWhole {
    #[error(
        "the vault is not whole: {lacking} of {of} ciphertexts that the ledger says are here are missing or damaged. With the node running, \
         `amulet-node vault scrub` fetches them from other hospitals"
    )]
    Lacking { lacking: u64, of: usize },
    #[error(
        "the backup is restored, but this node has no blocks yet, so nobody can say whether the vault is whole. Start the node, let it \
         catch up, then run `amulet-node vault scrub`"
    )]
    NoLedger,
}

pub(super) async fn restore(args: &RestoreArgs) -> Result<(), Failure> {
    let secret = args.secret.read()?;
    let own = Own::open(&args.data).await?;
    let mut reader = BackupReader::open(&args.from, &secret, own.chain)?;
    let expected = own.expected().await?;
    let mut progress = Progress::new("restoring");
    let (mut put, mut there, mut erased, mut bytes_put) = (0, 0, 0, 0);
    let lacking = loop {
        match reader.next(&own.vault, &expected.erased).await? {
            Restored::Put { bytes, .. } => (put, bytes_put) = (put + 1, bytes_put + bytes),
            Restored::There { .. } => there += 1,
            Restored::Erased { .. } => erased += 1,
            Restored::End { lacking, .. } => break lacking,
        }
        progress.show(put + there + erased, expected.blobs.len() as u64, bytes_put);
    };
    progress.end();
    say(format_args!("the backup is whole: {put} ciphertexts restored, {there} were there"));
    if erased > 0 {
        say(format_args!(
            "{erased} ciphertexts are erased by the ledger and stay so; make a new backup, and destroy this one"
        ));
    }
    if lacking > 0 {
        say(format_args!("{lacking} ciphertexts were lacking when it was made"));
    }
    verify(&own, &expected).await
}

/// Every ciphertext that should be here is read and held against its digest, not only what came from the backup.
async fn verify(own: &Own, expected: &Expected) -> Result<(), Failure> {
    if expected.height == 0 {
        return Err(Box::new(NotWhole::NoLedger));
    }
    let (mut lacking, mut bytes) = (0, 0);
    let (of, mut progress) = (expected.blobs.len(), Progress::new("verifying"));
    for (number, blob) in expected.blobs.iter().enumerate() {
        match own.vault.check(*blob, None).await? {
            Found::Whole(size) => bytes += size,
            found => {
                lacking += 1;
                say(format_args!("{found:?}: {blob}"));
            }
        }
        progress.show(number as u64, of as u64, bytes);
    }
    progress.end();
    if lacking > 0 {
        return Err(Box::new(NotWhole::Lacking { lacking, of }));
    }
    say(format_args!(
        "the vault is whole: all {of} ciphertexts that the ledger says are here, {bytes} bytes, verify as of block {}",
        expected.height
    ));
    Ok(())
}
