//! What backups are encrypted with: a key file, or a passphrase.

use crate::cli::{Failure, say};
use crate::vault::backup::KEY_FILE_CHARS_MIN;
use amulet_crypto::entropy::{Entropy, SystemEntropy};
use amulet_crypto::passphrase::MAX_PASSPHRASE_BYTES;
use clap::Args;
use std::fs::OpenOptions;
use std::io::{BufRead, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Bytes of a new key.
const KEY_BYTES: usize = 32;

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct SecretArgs {
    /// File with the key; `amulet-node vault new-key` makes one.
    #[arg(long)]
    key: Option<PathBuf>,
    /// Read a passphrase from standard input, one line.
    #[arg(long)]
    passphrase: bool,
}

impl SecretArgs {
    /// The secret.
    pub fn read(&self) -> Result<Zeroizing<String>, Failure> {
        let mut text = Zeroizing::new(String::new());
        let limit = MAX_PASSPHRASE_BYTES as u64 + 2;
        let Some(path) = &self.key else {
            eprintln!("passphrase of the backup:");
            std::io::stdin().lock().take(limit).read_line(&mut text)?;
            return Ok(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()));
        };
        let file =
            std::fs::File::open(path).map_err(|error| format!("key file {}: {error}", path.display()))?;
        file.take(limit).read_to_string(&mut text)?;
        let text = Zeroizing::new(text.trim().to_owned());
        if text.chars().count() < KEY_FILE_CHARS_MIN {
            let path = path.display();
            return Err(format!(
                "{path} holds fewer than {KEY_FILE_CHARS_MIN} characters, which is no key. Make one with `amulet-node vault new-key`"
            )
            .into());
        }
        Ok(text)
    }
}

pub(super) fn new_key(file: &Path) -> Result<(), Failure> {
    let mut bytes = Zeroizing::new([0; KEY_BYTES]);
    SystemEntropy.fill(&mut *bytes);
    let text = Zeroizing::new(hex::encode(*bytes));
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    let written = made.and_then(|mut made| made.write_all(text.as_bytes()).and_then(|()| made.sync_all()));
    written.map_err(|error| format!("{}: {error}", file.display()))?;
    say(format_args!(
        "{} holds a new key. Keep a copy elsewhere than the backups: without it none can be restored.",
        file.display()
    ));
    Ok(())
}
