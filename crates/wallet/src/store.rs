//! Where a device keeps its few small files: wallet files, the language, the card. Nothing in here is in clear that is
//! secret; whoever writes to a store has encrypted first.

#[cfg(target_arch = "wasm32")]
mod browser;
#[cfg(not(target_arch = "wasm32"))]
mod folder;
mod memory;

#[cfg(target_arch = "wasm32")]
pub use browser::BrowserStore;
#[cfg(not(target_arch = "wasm32"))]
pub use folder::FolderStore;
pub use memory::MemoryStore;

/// Bytes of one file in a store: the largest is the card with its summary.
pub const STORED_FILE_BYTES_MAX: usize = 512 * 1024;
/// Bytes of a file name.
pub const FILE_NAME_BYTES_MAX: usize = 64;
/// Files listed; a device holds a few wallets with two files each.
pub const FILES_MAX: usize = 1_000;

/// Why a device's storage failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The name is not one a store takes: 1 to 64 of `a-z`, `0-9`, `-`, `_` and `.`, not starting with a dot.
    #[error("{name:?} is not a file name")]
    Name {
        /// The name.
        name: String,
    },
    /// The file is larger than [`STORED_FILE_BYTES_MAX`].
    #[error("{name} has {found} bytes, at most {STORED_FILE_BYTES_MAX} are kept")]
    TooLarge {
        /// The file.
        name: String,
        /// Bytes found.
        found: u64,
    },
    /// The file is there, but cannot be what was written.
    #[error("{name} is damaged")]
    Damaged {
        /// The file.
        name: String,
    },
    /// The system refused.
    #[error("{what} {name}: {message}")]
    System {
        /// What was tried.
        what: &'static str,
        /// With which file.
        name: String,
        /// The system's words.
        message: String,
    },
}

impl StoreError {
    /// Whether the file is there, and can be nothing that was written.
    #[must_use]
    pub fn is_unreadable(&self) -> bool {
        matches!(self, Self::Damaged { .. } | Self::TooLarge { .. })
    }
}

/// Small named files of a device.
pub trait DeviceStore: Send + Sync {
    /// Names of all files, ascending; at most [`FILES_MAX`].
    ///
    /// # Errors
    /// [`StoreError::System`].
    fn list(&self) -> Result<Vec<String>, StoreError>;

    /// The bytes of a file; `None` if there is none.
    ///
    /// # Errors
    /// [`StoreError`] by variant.
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Writes a file whole or not at all, replacing what was there; durable on return, as far as the host allows.
    ///
    /// # Errors
    /// [`StoreError`] by variant.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError>;

    /// Removes a file; one that is not there is no error.
    ///
    /// # Errors
    /// [`StoreError::Name`], [`StoreError::System`].
    fn remove(&self, name: &str) -> Result<(), StoreError>;
}

/// A store of files that are there and cannot be read.
#[cfg(test)]
pub(crate) struct UnreadableStore;

#[cfg(test)]
impl DeviceStore for UnreadableStore {
    fn list(&self) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let name = name.to_owned();
        Err(if name.ends_with(".state") {
            StoreError::Damaged { name }
        } else {
            StoreError::TooLarge { name, found: STORED_FILE_BYTES_MAX as u64 + 1 }
        })
    }

    fn write(&self, _: &str, _: &[u8]) -> Result<(), StoreError> {
        Ok(())
    }

    fn remove(&self, _: &str) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Refuses names that could leave the folder or differ only in ways some systems ignore.
fn check_name(name: &str) -> Result<(), StoreError> {
    let fits = (1..=FILE_NAME_BYTES_MAX).contains(&name.len())
        && !name.starts_with('.')
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.'));
    if fits { Ok(()) } else { Err(StoreError::Name { name: name.to_owned() }) }
}

fn check_size(name: &str, found: u64) -> Result<(), StoreError> {
    if found > STORED_FILE_BYTES_MAX as u64 {
        return Err(StoreError::TooLarge { name: name.to_owned(), found });
    }
    Ok(())
}

/// What every store has to do, run against each.
///
/// # Panics
/// When the store does otherwise.
#[doc(hidden)]
pub fn check_store(store: &impl DeviceStore) {
    let ok = "the store works";
    assert_eq!(store.list().expect(ok), Vec::<String>::new());
    assert_eq!(store.read("a.amulet").expect(ok), None);
    store.write("b.amulet", b"second").expect(ok);
    store.write("a.amulet", &[0, 255, 10]).expect(ok);
    assert_eq!(store.list().expect(ok), ["a.amulet", "b.amulet"]);
    assert_eq!(store.read("a.amulet").expect(ok).as_deref(), Some(&[0, 255, 10][..]));
    store.write("a.amulet", b"").expect(ok);
    assert_eq!(store.read("a.amulet").expect(ok).as_deref(), Some(&[][..]));
    store.remove("a.amulet").expect(ok);
    store.remove("a.amulet").expect(ok);
    assert_eq!(store.list().expect(ok), ["b.amulet"]);
    for name in ["", "../x", "a/b", ".hidden", "UPPER", "名字", &"x".repeat(65)] {
        assert!(matches!(store.write(name, b"x"), Err(StoreError::Name { .. })), "{name:?}");
        assert!(matches!(store.read(name), Err(StoreError::Name { .. })), "{name:?}");
    }
    let large = vec![7; STORED_FILE_BYTES_MAX + 1];
    assert!(matches!(store.write("b.amulet", &large), Err(StoreError::TooLarge { .. })));
    assert_eq!(store.read("b.amulet").expect(ok).as_deref(), Some(&b"second"[..]));
    store.remove("b.amulet").expect(ok);
}
