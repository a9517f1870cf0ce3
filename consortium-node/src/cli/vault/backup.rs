//! `vault backup`.

use super::own::Own;
use super::secret::SecretArgs;
use crate::cli::progress::Progress;
use crate::cli::{Failure, say};
use crate::node::now;
use crate::vault::backup::BackupWriter;
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(in crate::cli) struct BackupArgs {
    /// The node's folder.
    #[arg(long)]
    data: PathBuf,
    #[command(flatten)]
    secret: SecretArgs,
    /// The file to write; there must be none of this name.
    to: PathBuf,
}

/// The vault lacked something.
#[derive(Debug, thiserror::Error)]
#[error(
    "the backup is made, but {lacking} of {of} ciphertexts were missing or damaged in the vault and are not in it. Run `amulet-node \
     vault scrub`, then make another"
)]
struct Lacking {
    lacking: usize,
    of: usize,
}

pub(super) async fn backup(args: &BackupArgs) -> Result<(), Failure> {
    let secret = args.secret.read()?;
    let own = Own::open(&args.data).await?;
    let expected = own.expected().await?;
    let mut writer = BackupWriter::begin(&args.to, &secret, own.chain, now())?;
    let mut progress = Progress::new("backing up");
    for blob in &expected.blobs {
        writer.add(&own.vault, *blob).await?;
        progress.show(writer.written().entries, expected.blobs.len() as u64, writer.written().bytes);
    }
    let written = writer.finish()?;
    progress.end();
    say(format_args!(
        "{}: {} ciphertexts, {} bytes, as of block {}",
        args.to.display(),
        written.entries,
        written.bytes,
        expected.height
    ));
    if written.lacking.is_empty() {
        return Ok(());
    }
    for blob in &written.lacking {
        say(format_args!("lacking: {blob}"));
    }
    Err(Box::new(Lacking { lacking: written.lacking.len(), of: expected.blobs.len() }))
}
