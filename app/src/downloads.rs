//! Files that a person saves: into the folder where people look for what they saved.

use amulet_app_api::{ApiError, ErrorCode};
use amulet_wallet::service::{OutFile, Outbox};
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Files of one name that are kept beside each other.
const SAME_NAME_MAX: u32 = 1_000;

/// Ending of the name of a file that is still coming.
const PART: &str = "part";

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
        let folder = self.folder()?;
        let saved = save(folder, name, &bytes);
        let path = saved.map_err(|error| in_folder(folder, &error))?;
        Ok(Some(path.display().to_string()))
    }

    async fn begin(&self, name: &str, _: u64) -> Result<Box<dyn OutFile>, ApiError> {
        let folder = self.folder()?;
        let begun = std::fs::create_dir_all(folder).and_then(|()| create(folder, &format!("{name}.{PART}")));
        let (part, file) = begun.map_err(|error| in_folder(folder, &error))?;
        Ok(Box::new(Coming { folder: folder.to_owned(), name: name.to_owned(), part, file: Some(file) }))
    }
}

impl Downloads {
    fn folder(&self) -> Result<&Path, ApiError> {
        self.folder.as_deref().ok_or_else(|| failed("this system names no folder for saved files".into()))
    }
}

fn failed(why: String) -> ApiError {
    ApiError::new(ErrorCode::Storage).with("message", why)
}

fn in_folder(folder: &Path, error: &io::Error) -> ApiError {
    failed(format!("{}: {error}", folder.display()))
}

/// A file that comes piece by piece. Whatever becomes of it, nothing is left of the part.
struct Coming {
    folder: PathBuf,
    name: String,
    part: PathBuf,
    /// Until it has its name.
    file: Option<File>,
}

impl Coming {
    fn put_in_place(&mut self) -> io::Result<PathBuf> {
        if let Some(file) = &self.file {
            file.sync_all()?;
        }
        // A name that nobody has, which the part then takes over.
        let (path, _) = create(&self.folder, &self.name)?;
        if let Err(error) = std::fs::rename(&self.part, &path) {
            let _ = std::fs::remove_file(&path);
            return Err(error);
        }
        self.file = None;
        Ok(path)
    }
}

impl Drop for Coming {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            let _ = std::fs::remove_file(&self.part);
        }
    }
}

#[async_trait::async_trait]
impl OutFile for Coming {
    async fn write(&mut self, bytes: Vec<u8>) -> Result<(), ApiError> {
        let written = self.file.as_mut().map_or(Ok(()), |file| file.write_all(&bytes));
        written.map_err(|error| in_folder(&self.folder, &error))
    }

    async fn finish(mut self: Box<Self>) -> Result<Option<String>, ApiError> {
        let path = self.put_in_place().map_err(|error| in_folder(&self.folder, &error))?;
        Ok(Some(path.display().to_string()))
    }

    async fn abort(self: Box<Self>) {}
}

/// Writes a file under its name, or with a number behind it if there is one of that name.
fn save(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<PathBuf> {
    std::fs::create_dir_all(folder)?;
    let (path, mut file) = create(folder, name)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if let Err(error) = written {
        // Half a file proves nothing; that it cannot be removed either is not what the person has to hear.
        let _ = std::fs::remove_file(&path);
        return Err(error);
    }
    Ok(path)
}

/// Makes a new file of this name, or with a number behind it if there is one of that name.
fn create(folder: &Path, name: &str) -> io::Result<(PathBuf, File)> {
    for number in 1..=SAME_NAME_MAX {
        let path = folder.join(numbered(name, number));
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
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
    fn a_file_that_comes_piece_by_piece_has_its_name_when_it_is_whole_and_leaves_nothing_when_it_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let downloads = Downloads::new(Some(folder.path().to_owned()));
        let names = || {
            let files = std::fs::read_dir(folder.path()).unwrap();
            let mut names: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
            names.sort();
            names
        };
        tauri::async_runtime::block_on(async {
            std::fs::write(folder.path().join("scan.dcm"), "another").unwrap();
            let mut file = downloads.begin("scan.dcm", 6).await.unwrap();
            file.write(b"one".to_vec()).await.unwrap();
            assert_eq!(names(), ["scan.dcm", "scan.dcm.part"]);
            file.write(b"two".to_vec()).await.unwrap();
            let place = file.finish().await.unwrap().unwrap();
            assert_eq!(std::fs::read(&place).unwrap(), b"onetwo");
            assert_eq!(names(), ["scan (2).dcm", "scan.dcm"]);
            for dropped in [false, true] {
                let mut file = downloads.begin("other.dcm", 6).await.unwrap();
                file.write(b"one".to_vec()).await.unwrap();
                if dropped {
                    drop(file)
                } else {
                    file.abort().await
                }
                assert_eq!(names(), ["scan (2).dcm", "scan.dcm"]);
            }
        });
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
