//! Making a backup. It has its name only when it is whole and on the disk.

use super::{BackupError, END, ENTRY, Head, MAGIC, VERSION};
use crate::vault::{Found, Vault};
use amulet_crypto::content::{ChunkedSealer, ContentKey};
use amulet_crypto::digest::sm3;
use amulet_crypto::entropy::SystemEntropy;
use amulet_crypto::passphrase::{PassphraseParams, derive_key};
use amulet_protocol::codec;
use amulet_protocol::ids::{BlobId, ChainId, Timestamp};
use futures::TryStreamExt;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Ending of the name until the backup is whole.
const PART: &str = "part";

/// A backup that is being made. Dropped before [`BackupWriter::finish`] it leaves a part that the next one under the same name replaces.
pub struct BackupWriter {
    to: PathBuf,
    part: PathBuf,
    stream: ChunkedSealer<BufWriter<File>>,
    written: Written,
}

/// What is in a backup.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// Ciphertexts.
    pub entries: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Ciphertexts that should have been there and are missing or damaged in the vault.
    pub lacking: Vec<BlobId>,
}

impl BackupWriter {
    /// Begins a backup. Takes a good part of a second for the passphrase.
    ///
    /// # Errors
    /// [`BackupError::Exists`], [`BackupError::File`], [`BackupError::Passphrase`].
    pub fn begin(to: &Path, secret: &str, chain: ChainId, made: Timestamp) -> Result<Self, BackupError> {
        if to.exists() {
            return Err(BackupError::Exists { path: to.to_owned() });
        }
        let mut part = to.as_os_str().to_owned();
        part.push(".");
        part.push(PART);
        let part = PathBuf::from(part);
        let entropy = &mut SystemEntropy;
        let params = PassphraseParams::floor(entropy);
        let wrapping = derive_key(secret, &params)?;
        let head = codec::encode(&Head { magic: MAGIC, version: VERSION, params, chain, made });
        let key = ContentKey::generate(entropy);
        let sealed = wrapping.seal(&head, &*key.expose_secret(), entropy)?;
        let failed = |source| BackupError::File { path: part.clone(), source };
        let options = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part);
        let mut file = BufWriter::new(options.map_err(failed)?);
        let length = u32::try_from(sealed.len()).expect("a sealed key has some bytes").to_le_bytes();
        for bytes in [&head[..], &length, &sealed] {
            file.write_all(bytes).map_err(failed)?;
        }
        let stream = ChunkedSealer::new(file, &key, sm3(&head).as_ref(), entropy).map_err(failed)?;
        Ok(Self { to: to.to_owned(), part, stream, written: Written::default() })
    }

    /// Puts one ciphertext of a vault into the backup, if it is whole there; else notes that it is lacking.
    ///
    /// # Errors
    /// [`BackupError::Vault`], [`BackupError::File`], [`BackupError::Changed`].
    pub async fn add(&mut self, vault: &Vault, blob: BlobId) -> Result<(), BackupError> {
        // Read twice, so that nothing damaged comes into the backup.
        let Found::Whole(bytes) = vault.check(blob, None).await? else {
            self.written.lacking.push(blob);
            return Ok(());
        };
        let Some(mut outgoing) = vault.stream(blob, 0).await? else {
            return Err(BackupError::Changed { blob });
        };
        self.put(&[&[ENTRY], &blob.as_bytes()[..], &bytes.to_le_bytes()])?;
        let mut copied = 0;
        while let Some(piece) = outgoing.pieces.try_next().await? {
            copied += piece.len() as u64;
            self.put(&[&piece])?;
        }
        if copied != bytes {
            return Err(BackupError::Changed { blob });
        }
        self.written.entries += 1;
        self.written.bytes += bytes;
        Ok(())
    }

    /// What is in it so far.
    #[must_use]
    pub fn written(&self) -> &Written {
        &self.written
    }

    /// Ends the backup. On return it is on the disk under its name.
    ///
    /// # Errors
    /// [`BackupError::File`].
    pub fn finish(mut self) -> Result<Written, BackupError> {
        let lacking = self.written.lacking.len() as u64;
        let entries = self.written.entries.to_le_bytes();
        self.put(&[&[END], &entries, &lacking.to_le_bytes()])?;
        let Self { to, part, stream, written } = self;
        let failed = |source| BackupError::File { path: part.clone(), source };
        let file = stream.finish().map_err(failed)?;
        let file = file.into_inner().map_err(|error| failed(error.into_error()))?;
        file.sync_all().map_err(failed)?;
        std::fs::rename(&part, &to).map_err(failed)?;
        sync_folder(&to).map_err(failed)?;
        Ok(written)
    }

    fn put(&mut self, parts: &[&[u8]]) -> Result<(), BackupError> {
        for part in parts {
            self.stream
                .write_all(part)
                .map_err(|source| BackupError::File { path: self.part.clone(), source })?;
        }
        Ok(())
    }
}

/// Makes the new name durable.
fn sync_folder(file: &Path) -> io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}
