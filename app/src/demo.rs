//! The demonstration's people, read from the folder beside the network file.

use amulet_app_api::{ApiError, ErrorCode};
use amulet_wallet::service::{DEMO_FILE_BYTES_MAX, DemoPeople};
use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

/// Files of a folder.
pub struct DemoFolder {
    folder: PathBuf,
}

impl DemoFolder {
    /// The files below `folder`, which need not exist.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }
}

#[async_trait::async_trait]
impl DemoPeople for DemoFolder {
    async fn fetch(&self, file: &str) -> Result<Vec<u8>, ApiError> {
        read(&self.folder, file)
    }
}

fn read(folder: &Path, file: &str) -> Result<Vec<u8>, ApiError> {
    // The name comes from a file; it must not lead out of the folder.
    let mut parts = Path::new(file).components();
    if !matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None)) {
        return Err(ErrorCode::NotFound.into());
    }
    let opened = File::open(folder.join(file)).map_err(|_| ApiError::new(ErrorCode::NotFound))?;
    let mut bytes = Vec::new();
    let limit = DEMO_FILE_BYTES_MAX;
    let read = opened.take(limit as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|error| ApiError::new(ErrorCode::Storage).with("message", error))?;
    if bytes.len() > limit {
        return Err(ApiError::new(ErrorCode::TooLarge).with("limit", limit));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_files_of_the_folder_itself_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let demo = folder.path().join("demo");
        std::fs::create_dir(&demo).unwrap();
        std::fs::write(folder.path().join("secret"), "x").unwrap();
        std::fs::write(demo.join("people.json"), "[]").unwrap();
        assert_eq!(read(&demo, "people.json").unwrap(), b"[]");
        for name in ["../secret", "/etc/hostname", "a/../../secret", "", ".", "nobody.amulet"] {
            assert_eq!(read(&demo, name).unwrap_err().code, ErrorCode::NotFound, "{name:?}");
        }
        std::fs::write(demo.join("large"), vec![0; DEMO_FILE_BYTES_MAX + 1]).unwrap();
        assert_eq!(read(&demo, "large").unwrap_err().code, ErrorCode::TooLarge);
    }
}
