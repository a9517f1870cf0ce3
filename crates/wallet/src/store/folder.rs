//! A folder of the user's: each file is written beside its place, synced and renamed, so that a crash leaves the old file
//! or the new one. Only the user may read it.

use super::{DeviceStore, FILES_MAX, STORED_FILE_BYTES_MAX, StoreError, check_name, check_size};
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// Ending of a file that is being written; its name starts with a dot, so it is never listed.
const DRAFT: &str = ".part";

/// Files in a folder.
pub struct FolderStore {
    folder: PathBuf,
}

impl FolderStore {
    /// Opens a folder, making it if need be.
    ///
    /// # Errors
    /// [`StoreError::System`].
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(folder).map_err(system("create", &folder.display().to_string()))?;
        restrict(folder, 0o700).map_err(system("protect", &folder.display().to_string()))?;
        Ok(Self { folder: folder.to_owned() })
    }

    fn place(&self, name: &str) -> Result<PathBuf, StoreError> {
        check_name(name)?;
        Ok(self.folder.join(name))
    }

    fn write_draft(&self, draft: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let mut file = options.open(draft)?;
        file.write_all(bytes)?;
        file.sync_all()
    }
}

impl DeviceStore for FolderStore {
    fn list(&self) -> Result<Vec<String>, StoreError> {
        let failed = |error| system("list", &self.folder.display().to_string())(error);
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().into_string().unwrap_or_default();
            if check_name(&name).is_ok() && entry.path().is_file() && names.len() < FILES_MAX {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let file = match File::open(self.place(name)?) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(system("read", name)(error)),
        };
        let mut bytes = Vec::new();
        let most = STORED_FILE_BYTES_MAX as u64 + 1;
        file.take(most).read_to_end(&mut bytes).map_err(system("read", name))?;
        check_size(name, bytes.len() as u64)?;
        Ok(Some(bytes))
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let place = self.place(name)?;
        check_size(name, bytes.len() as u64)?;
        let draft = self.folder.join(format!(".{name}{DRAFT}"));
        self.write_draft(&draft, bytes).map_err(system("write", name))?;
        fs::rename(&draft, &place).map_err(system("write", name))?;
        sync_folder(&self.folder).map_err(system("write", name))
    }

    fn remove(&self, name: &str) -> Result<(), StoreError> {
        match fs::remove_file(self.place(name)?) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(system("remove", name)(error)),
            _ => sync_folder(&self.folder).map_err(system("remove", name)),
        }
    }
}

/// The rename itself must survive a power cut, not only the bytes.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn restrict(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn restrict(_path: &Path, _mode: u32) -> io::Result<()> {
    Ok(())
}

fn system(what: &'static str, name: &str) -> impl FnOnce(io::Error) -> StoreError {
    let name = name.to_owned();
    move |error| StoreError::System { what, name, message: error.to_string() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_folder_does_what_every_store_does() {
        let folder = tempfile::tempdir().unwrap();
        super::super::check_store(&FolderStore::open(&folder.path().join("new")).unwrap());
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_read_and_no_draft_is_left() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let store = FolderStore::open(folder.path()).unwrap();
        store.write("w.amulet", b"sealed").unwrap();
        let mode = fs::metadata(folder.path().join("w.amulet")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::metadata(folder.path()).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_write_that_fails_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let store = FolderStore::open(folder.path()).unwrap();
        store.write("w.amulet", b"old").unwrap();
        // A folder where the draft belongs makes the write fail, whoever runs the test.
        fs::create_dir(folder.path().join(".w.amulet.part")).unwrap();
        assert!(matches!(store.write("w.amulet", b"new"), Err(StoreError::System { what: "write", .. })));
        assert_eq!(store.read("w.amulet").unwrap().as_deref(), Some(&b"old"[..]));
    }

    #[test]
    fn a_file_that_grew_beyond_bounds_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let store = FolderStore::open(folder.path()).unwrap();
        fs::write(folder.path().join("w.amulet"), vec![0; STORED_FILE_BYTES_MAX + 9]).unwrap();
        assert!(matches!(store.read("w.amulet"), Err(StoreError::TooLarge { .. })));
    }
}
