//! Files that a person saves: into the folder where people look for what they saved.

use amulet_app_api::{ApiError, ErrorCode};
use amulet_wallet::service::Outbox;
use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Files of one name that are kept beside each other.
const SAME_NAME_MAX: u32 = 1_000;

/// The folder for saved files.
pub struct Downloads {
    folder: Option<PathBuf>,
}

impl Downloads {
    /// Saves into `folder`, which need not exist; without one saving fails and says so.
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder }
    }
}

#[async_trait::async_trait]
impl Outbox for Downloads {
    async fn save(&self, name: &str, bytes: Vec<u8>) -> Result<Option<String>, ApiError> {
        let failed = |why: String| ApiError::new(ErrorCode::Storage).with("message", why);
        let folder = self
            .folder
            .as_ref()
            .ok_or_else(|| failed("this system names no folder for saved files".into()))?;
        let saved = save(folder, name, &bytes);
        let path = saved.map_err(|error| failed(format!("{}: {error}", folder.display())))?;
        Ok(Some(path.display().to_string()))
    }
}

/// Writes a file under its name, or with a number behind it if there is one of that name.
fn save(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<PathBuf> {
    std::fs::create_dir_all(folder)?;
    for number in 1..=SAME_NAME_MAX {
        let path = folder.join(numbered(name, number));
        let mut file = match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
            Err(error) => return Err(error),
        };
        let written = file.write_all(bytes).and_then(|()| file.sync_all());
        if let Err(error) = written {
            // Half a file proves nothing; that it cannot be removed either is not what the person has to hear.
            let _ = std::fs::remove_file(&path);
            return Err(error);
        }
        return Ok(path);
    }
    Err(ErrorKind::AlreadyExists.into())
}

fn numbered(name: &str, number: u32) -> String {
    match (number, name.rsplit_once('.')) {
        (1, _) => name.to_owned(),
        (_, Some((stem, end))) => format!("{stem} ({number}).{end}"),
        (_, None) => format!("{name} ({number})"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn nothing_that_is_there_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("Downloads");
        let first = save(&folder, "amulet-log-3-9.amuletproof", b"one").unwrap();
        let second = save(&folder, "amulet-log-3-9.amuletproof", b"two").unwrap();
        assert_eq!(first, folder.join("amulet-log-3-9.amuletproof"));
        assert_eq!(second, folder.join("amulet-log-3-9 (2).amuletproof"));
        assert_eq!(std::fs::read(first).unwrap(), b"one");
        assert_eq!(std::fs::read(second).unwrap(), b"two");
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let in_the_way = folder.path().join("Downloads");
        std::fs::write(&in_the_way, "a file").unwrap();
        let downloads = Downloads::new(Some(in_the_way.clone()));
        let error = tauri::async_runtime::block_on(downloads.save("a.amuletproof", vec![1])).unwrap_err();
        assert_eq!(error.code, ErrorCode::Storage);
        assert!(error.details["message"].contains(&in_the_way.display().to_string()), "{error}");
    }
}
