#![allow(clippy::unwrap_used)]

use super::*;
use crate::vault::Vault;
use amulet_crypto::digest::{Digest, sm3};
use std::collections::BTreeSet;
use tempfile::TempDir;

const SECRET: &str = "correct horse battery staple, twice";
const CHAIN: ChainId = ChainId(Digest::ZERO);

fn ciphertexts() -> Vec<Vec<u8>> {
    vec![b"small".to_vec(), Vec::new(), vec![3; 300_000], vec![4; 70_000]]
}

/// A vault with some ciphertexts, and a backup of it.
async fn backed_up() -> (TempDir, PathBuf, Vec<BlobId>) {
    let folder = tempfile::tempdir().unwrap();
    let vault = Vault::open(&folder.path().join("vault")).unwrap();
    let mut ids = Vec::new();
    for ciphertext in ciphertexts() {
        ids.push(vault.put(ciphertext).await.unwrap());
    }
    let to = folder.path().join("backup");
    let mut writer = BackupWriter::begin(&to, SECRET, CHAIN, Timestamp(5)).unwrap();
    for id in &ids {
        writer.add(&vault, *id).await.unwrap();
    }
    assert!(!to.exists(), "it has its name only when it is whole");
    let written = writer.finish().unwrap();
    assert_eq!((written.entries, written.lacking), (4, Vec::new()));
    (folder, to, ids)
}

async fn restore(
    from: &std::path::Path,
    vault: &Vault,
    secret: &str,
) -> Result<(u64, Restored), BackupError> {
    let mut reader = BackupReader::open(from, secret, CHAIN)?;
    let mut put = 0;
    loop {
        match reader.next(vault, &BTreeSet::new()).await? {
            Restored::Put { .. } => put += 1,
            Restored::There { .. } | Restored::Erased { .. } => {}
            end @ Restored::End { .. } => return Ok((put, end)),
        }
    }
}

fn empty(folder: &TempDir) -> Vault {
    Vault::open(&folder.path().join("restored")).unwrap()
}

#[tokio::test]
async fn what_was_backed_up_comes_back_and_a_second_time_nothing_is_written() {
    let (folder, from, ids) = backed_up().await;
    let vault = empty(&folder);
    let end = Restored::End { entries: 4, lacking: 0 };
    assert_eq!(restore(&from, &vault, SECRET).await.unwrap(), (4, end));
    for (id, ciphertext) in ids.iter().zip(ciphertexts()) {
        assert_eq!(vault.get(*id).await.unwrap(), Some(ciphertext));
    }
    assert_eq!(restore(&from, &vault, SECRET).await.unwrap(), (0, end));
    vault.remove(ids[2]).await.unwrap();
    assert_eq!(restore(&from, &vault, SECRET).await.unwrap(), (1, end), "only what is lacking");
}

#[tokio::test]
async fn the_backup_shows_nothing_of_the_ciphertexts_and_no_backup_is_overwritten() {
    let (_folder, from, ids) = backed_up().await;
    let bytes = std::fs::read(&from).unwrap();
    for id in &ids {
        assert!(!bytes.windows(32).any(|window| window == id.as_bytes()));
    }
    let again = BackupWriter::begin(&from, SECRET, CHAIN, Timestamp(6)).map(|_| ());
    assert!(matches!(again, Err(BackupError::Exists { .. })));
    assert_eq!(std::fs::read(&from).unwrap(), bytes);
}

#[tokio::test]
async fn a_missing_or_damaged_ciphertext_is_left_out_and_named() {
    let (folder, _, ids) = backed_up().await;
    let vault = Vault::open(&folder.path().join("vault")).unwrap();
    vault.remove(ids[0]).await.unwrap();
    let name = ids[3].to_string();
    std::fs::write(folder.path().join("vault").join(&name[..2]).join(&name), b"rotten").unwrap();
    let to = folder.path().join("second");
    let mut writer = BackupWriter::begin(&to, SECRET, CHAIN, Timestamp(6)).unwrap();
    for id in &ids {
        writer.add(&vault, *id).await.unwrap();
    }
    let written = writer.finish().unwrap();
    assert_eq!((written.entries, written.lacking), (2, vec![ids[0], ids[3]]));
    let (_, end) = restore(&to, &empty(&folder), SECRET).await.unwrap();
    assert_eq!(end, Restored::End { entries: 2, lacking: 2 });
}

#[tokio::test]
async fn a_wrong_key_another_chain_and_another_file_are_told_apart() {
    let (folder, from, _) = backed_up().await;
    let vault = empty(&folder);
    assert!(matches!(restore(&from, &vault, "something else").await, Err(BackupError::WrongKey)));
    let there = ChainId(sm3(b"there"));
    let other = BackupReader::open(&from, SECRET, there).map(|_| ());
    assert!(matches!(other, Err(BackupError::OtherChain { found: CHAIN, expected }) if expected == there));
    let file = folder.path().join("file");
    std::fs::write(&file, b"a letter to the editor, and more").unwrap();
    assert!(matches!(restore(&file, &vault, SECRET).await, Err(BackupError::NotABackup)));
    let mut newer = std::fs::read(&from).unwrap();
    newer[MAGIC.len()] = 9;
    std::fs::write(&file, newer).unwrap();
    assert!(matches!(restore(&file, &vault, SECRET).await, Err(BackupError::UnknownVersion { found: 9 })));
}

#[tokio::test]
async fn a_backup_that_was_cut_or_changed_anywhere_is_never_called_whole_and_what_came_before_is_good() {
    let (folder, from, ids) = backed_up().await;
    let (bytes, file) = (std::fs::read(&from).unwrap(), folder.path().join("file"));
    let vault = empty(&folder);
    for cut in [30, 60, 140, 200, 70_000, bytes.len() - 17, bytes.len() - 1] {
        std::fs::write(&file, &bytes[..cut]).unwrap();
        let refused = restore(&file, &vault, SECRET).await;
        let typed = matches!(refused, Err(BackupError::CutOff { .. } | BackupError::Altered { .. }));
        assert!(typed, "cut at {cut}: {refused:?}");
    }
    for flipped in [25, 50, 75, 110, 130, 160, 90_000, 250_000, bytes.len() - 1] {
        let mut changed = bytes.clone();
        changed[flipped] ^= 1;
        std::fs::write(&file, &changed).unwrap();
        let refused = restore(&file, &vault, SECRET).await;
        assert!(refused.is_err(), "{flipped}");
        assert!(!matches!(refused, Err(BackupError::File { .. })), "{flipped}: {refused:?}");
    }
    // Whatever was restored on the way is what was backed up.
    for (id, ciphertext) in ids.iter().zip(ciphertexts()) {
        assert!(vault.get(*id).await.unwrap().is_none_or(|found| found == ciphertext));
    }
    assert!(vault.has(ids[0]).await.unwrap());
}

#[tokio::test]
async fn one_that_was_killed_leaves_the_old_backup_and_no_new_one() {
    let (folder, from, ids) = backed_up().await;
    let vault = Vault::open(&folder.path().join("vault")).unwrap();
    let to = folder.path().join("second");
    let mut killed = BackupWriter::begin(&to, SECRET, CHAIN, Timestamp(6)).unwrap();
    killed.add(&vault, ids[2]).await.unwrap();
    drop(killed);
    assert!(!to.exists());
    let mut again = BackupWriter::begin(&to, SECRET, CHAIN, Timestamp(7)).unwrap();
    again.add(&vault, ids[2]).await.unwrap();
    again.finish().unwrap();
    let end = Restored::End { entries: 1, lacking: 0 };
    assert_eq!(restore(&to, &empty(&folder), SECRET).await.unwrap(), (1, end));
    assert!(restore(&from, &vault, SECRET).await.is_ok());
}
