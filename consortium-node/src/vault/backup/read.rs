//! Restoring. Each ciphertext is held against its digest and then kept; nothing is ever removed from the vault, so that a restore that
//! is cut off can simply be done again.

use super::{BackupError, END, ENTRY, Head, MAGIC, SEALED_KEY_BYTES_MAX, VERSION, of_stream};
use crate::vault::{Found, STREAM_BYTES_MAX, Vault, VaultError};
use amulet_crypto::content::{ChunkedOpener, ContentKey};
use amulet_crypto::digest::{Digest, sm3};
use amulet_crypto::passphrase::derive_key;
use amulet_protocol::codec;
use amulet_protocol::ids::{BlobId, ChainId, Timestamp};
use borsh::BorshDeserialize;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

/// Bytes read at once.
const PIECE_BYTES: usize = 64 * 1024;

/// A backup that is being read.
pub struct BackupReader {
    path: PathBuf,
    stream: ChunkedOpener<BufReader<File>>,
    made: Timestamp,
    entries: u64,
}

/// What became of one entry, or of the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restored {
    /// A ciphertext that was lacking in the vault is there now.
    Put {
        /// Which.
        blob: BlobId,
        /// Its bytes.
        bytes: u64,
    },
    /// The ledger says that it is erased: it stays so.
    Erased {
        /// Which.
        blob: BlobId,
    },
    /// The vault had it, whole.
    There {
        /// Which.
        blob: BlobId,
    },
    /// The backup has ended, and is whole.
    End {
        /// Ciphertexts in it.
        entries: u64,
        /// Ciphertexts that the vault lacked when the backup was made.
        lacking: u64,
    },
}

impl BackupReader {
    /// Opens a backup of a chain.
    ///
    /// # Errors
    /// [`BackupError`] by variant.
    pub fn open(path: &Path, secret: &str, chain: ChainId) -> Result<Self, BackupError> {
        let failed = |source| BackupError::File { path: path.to_owned(), source };
        let mut file = BufReader::new(File::open(path).map_err(failed)?);
        let head = read_head(&mut file)?;
        if head.chain != chain {
            return Err(BackupError::OtherChain { found: head.chain, expected: chain });
        }
        let cut = |_| BackupError::CutOff { entries: 0 };
        let mut length = [0; 4];
        file.read_exact(&mut length).map_err(cut)?;
        let length = u32::from_le_bytes(length);
        if length > SEALED_KEY_BYTES_MAX {
            return Err(BackupError::Altered { entries: 0 });
        }
        let mut sealed = vec![0; length as usize];
        file.read_exact(&mut sealed).map_err(cut)?;
        let bytes = codec::encode(&head);
        let key = derive_key(secret, &head.params)?.open(&bytes, &sealed)?;
        let key = key.as_slice().try_into().map_err(|_| BackupError::Altered { entries: 0 })?;
        let stream = ChunkedOpener::new(file, &ContentKey::from_bytes(key), sm3(&bytes).as_ref());
        let stream = stream.map_err(|error| of_stream(&error, 0, path))?;
        Ok(Self { path: path.to_owned(), stream, made: head.made, entries: 0 })
    }

    /// When the backup was made.
    #[must_use]
    pub fn made(&self) -> Timestamp {
        self.made
    }

    /// Restores the next entry into a vault, unless it is one of those that are `erased`.
    ///
    /// # Errors
    /// [`BackupError::CutOff`], [`BackupError::Altered`], [`BackupError::Vault`], [`BackupError::File`]. What was restored before stays.
    pub async fn next(&mut self, vault: &Vault, erased: &BTreeSet<BlobId>) -> Result<Restored, BackupError> {
        let [kind] = self.take()?;
        match kind {
            ENTRY => self.entry(vault, erased).await,
            END => self.end(),
            _ => Err(self.altered()),
        }
    }

    async fn entry(&mut self, vault: &Vault, erased: &BTreeSet<BlobId>) -> Result<Restored, BackupError> {
        let blob = BlobId(Digest::from_bytes(self.take()?));
        let bytes = u64::from_le_bytes(self.take()?);
        if bytes > STREAM_BYTES_MAX {
            return Err(self.altered());
        }
        if erased.contains(&blob) {
            self.skip(bytes)?;
            return Ok(Restored::Erased { blob });
        }
        if vault.check(blob, None).await? == Found::Whole(bytes) {
            self.skip(bytes)?;
            return Ok(Restored::There { blob });
        }
        let (mut incoming, mut left) = (vault.begin().await?, bytes);
        let mut piece = vec![0; PIECE_BYTES];
        while left > 0 {
            let wanted = piece.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            if let Err(error) = self.stream.read_exact(&mut piece[..wanted]) {
                incoming.abort().await;
                return Err(of_stream(&error, self.entries, &self.path));
            }
            incoming.write(&piece[..wanted]).await?;
            left -= wanted as u64;
        }
        match incoming.finish_as(blob).await {
            Ok(()) => {}
            Err(VaultError::OtherContent { .. }) => return Err(self.altered()),
            Err(error) => return Err(error.into()),
        }
        self.entries += 1;
        Ok(Restored::Put { blob, bytes })
    }

    /// Passes over the ciphertext of an entry.
    fn skip(&mut self, bytes: u64) -> Result<(), BackupError> {
        let mut rest = (&mut self.stream).take(bytes);
        let skipped = io::copy(&mut rest, &mut io::sink());
        let skipped = skipped.map_err(|error| of_stream(&error, self.entries, &self.path))?;
        if skipped != bytes {
            return Err(BackupError::CutOff { entries: self.entries });
        }
        self.entries += 1;
        Ok(())
    }

    fn end(&mut self) -> Result<Restored, BackupError> {
        let entries = u64::from_le_bytes(self.take()?);
        let lacking = u64::from_le_bytes(self.take()?);
        let mut more = [0];
        let more =
            self.stream.read(&mut more).map_err(|error| of_stream(&error, self.entries, &self.path))?;
        if more != 0 || entries != self.entries {
            return Err(self.altered());
        }
        Ok(Restored::End { entries, lacking })
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], BackupError> {
        let mut bytes = [0; N];
        self.stream.read_exact(&mut bytes).map_err(|error| of_stream(&error, self.entries, &self.path))?;
        Ok(bytes)
    }

    fn altered(&self) -> BackupError {
        BackupError::Altered { entries: self.entries }
    }
}

fn read_head(file: &mut impl Read) -> Result<Head, BackupError> {
    let mut start = [0; MAGIC.len() + 1];
    file.read_exact(&mut start).map_err(|_| BackupError::NotABackup)?;
    if start[..MAGIC.len()] != MAGIC {
        return Err(BackupError::NotABackup);
    }
    let version = start[MAGIC.len()];
    if version != VERSION {
        return Err(BackupError::UnknownVersion { found: version });
    }
    let rest = <_>::deserialize_reader(file).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => BackupError::CutOff { entries: 0 },
        // The parameters of a passphrase are within bounds, or nobody wrote them here.
        _ => BackupError::Altered { entries: 0 },
    });
    let (params, chain, made) = rest?;
    Ok(Head { magic: MAGIC, version, params, chain, made })
}
