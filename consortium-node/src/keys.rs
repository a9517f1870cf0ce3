//! A node's keys in its data folder: one file each, readable by its owner only.

use amulet_crypto::entropy::{Entropy, SystemEntropy};
use amulet_crypto::sealed_box::AgreementKey;
use amulet_crypto::signing::SigningKey;
use libp2p::identity;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const FOLDER: &str = "keys";
const ORGANISATION: &str = "organisation.key";
const VALIDATOR: &str = "validator.key";
const NEXT_VALIDATOR: &str = "validator.next.key";
const NETWORK: &str = "network.key";
const STAFF: &str = "staff.key";
const INTAKE_TOKEN: &str = "intake.token";
const CONSOLE_TOKEN: &str = "console.token";
const SECRET_BYTES: usize = 32;

/// The keys of one node.
pub struct NodeKeys {
    /// Signs the organisation's transactions.
    pub organisation: SigningKey,
    /// Signs consensus messages.
    pub validator: SigningKey,
    /// Signs them in its place once the ledger says so, if a rotation was asked for.
    pub next_validator: Option<SigningKey>,
    /// Opens the keys of records that patients grant to the staff.
    pub staff: AgreementKey,
    /// The libp2p identity.
    pub network: identity::Keypair,
    /// What the hospital's systems show to have files taken in.
    pub intake_token: Zeroizing<String>,
}

/// Why keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A key file cannot be read or written.
    #[error("key file {path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
    },
    /// A key file does not hold a key.
    #[error("key file {path} does not hold a key of its kind; restore it from your backup")]
    Invalid {
        /// Which.
        path: PathBuf,
    },
    /// There are keys already; they are never overwritten.
    #[error(
        "{path} exists already. Keys are never overwritten: use another folder, or remove it yourself if you are sure"
    )]
    Exists {
        /// Which.
        path: PathBuf,
    },
}

impl NodeKeys {
    /// Makes new keys in a data folder that has none.
    ///
    /// # Errors
    /// [`KeyError::Exists`], [`KeyError::File`].
    pub fn create(data: &Path) -> Result<Self, KeyError> {
        let folder = data.join(FOLDER);
        if folder.exists() {
            return Err(KeyError::Exists { path: folder });
        }
        fs::create_dir_all(&folder).map_err(|source| KeyError::File { path: folder.clone(), source })?;
        let mut entropy = SystemEntropy;
        for name in [ORGANISATION, VALIDATOR] {
            let key = SigningKey::generate(&mut entropy);
            write_secret(&folder.join(name), &key.expose_secret())?;
        }
        for name in [NETWORK, INTAKE_TOKEN] {
            let mut secret = Zeroizing::new([0; SECRET_BYTES]);
            entropy.fill(&mut *secret);
            write_secret(&folder.join(name), &secret)?;
        }
        Self::load(data)
    }

    /// The key that is to take the validator key's place; made if there is none yet, so that a rotation that was tried
    /// before goes on with the same.
    ///
    /// # Errors
    /// [`KeyError::File`], [`KeyError::Invalid`].
    pub fn make_next_validator(data: &Path) -> Result<SigningKey, KeyError> {
        let path = data.join(FOLDER).join(NEXT_VALIDATOR);
        if !path.exists() {
            write_secret(&path, &SigningKey::generate(&mut SystemEntropy).expose_secret())?;
        }
        SigningKey::from_bytes(&*read_secret(&path)?).map_err(|_| KeyError::Invalid { path })
    }

    /// Reads the keys of a data folder.
    ///
    /// # Errors
    /// [`KeyError::File`], [`KeyError::Invalid`].
    pub fn load(data: &Path) -> Result<Self, KeyError> {
        let folder = data.join(FOLDER);
        let signing = |name: &str| {
            let path = folder.join(name);
            SigningKey::from_bytes(&*read_secret(&path)?).map_err(|_| KeyError::Invalid { path })
        };
        let staff = staff_key(&folder)?;
        let path = folder.join(NETWORK);
        let mut secret = read_secret(&path)?;
        let network =
            identity::Keypair::ed25519_from_bytes(&mut *secret).map_err(|_| KeyError::Invalid { path })?;
        let token = read_secret(&folder.join(INTAKE_TOKEN))?;
        let next = folder.join(NEXT_VALIDATOR).exists();
        Ok(Self {
            organisation: signing(ORGANISATION)?,
            validator: signing(VALIDATOR)?,
            next_validator: next.then(|| signing(NEXT_VALIDATOR)).transpose()?,
            staff,
            network,
            intake_token: Zeroizing::new(hex::encode(*token)),
        })
    }
}

/// What operators show to see the hospital's console; made at the first start that has one.
///
/// # Errors
/// [`KeyError::File`], [`KeyError::Invalid`].
pub fn console_token(data: &Path) -> Result<Zeroizing<String>, KeyError> {
    let path = console_token_path(data);
    if !path.exists() {
        let mut secret = Zeroizing::new([0; SECRET_BYTES]);
        SystemEntropy.fill(&mut *secret);
        write_secret(&path, &secret)?;
    }
    Ok(Zeroizing::new(hex::encode(*read_secret(&path)?)))
}

/// Where it lies.
#[must_use]
pub fn console_token_path(data: &Path) -> PathBuf {
    data.join(FOLDER).join(CONSOLE_TOKEN)
}

/// The key for the staff; made if there is none yet, as in a folder from before there were such keys.
fn staff_key(folder: &Path) -> Result<AgreementKey, KeyError> {
    let path = folder.join(STAFF);
    if !path.exists() {
        write_secret(&path, &AgreementKey::generate(&mut SystemEntropy).expose_secret())?;
    }
    AgreementKey::from_bytes(&*read_secret(&path)?).map_err(|_| KeyError::Invalid { path })
}

/// Makes a signing key in a file of its own, which must not exist.
///
/// # Errors
/// [`KeyError::File`].
pub(crate) fn make_signing_key(path: &Path) -> Result<SigningKey, KeyError> {
    let key = SigningKey::generate(&mut SystemEntropy);
    write_secret(path, &key.expose_secret())?;
    Ok(key)
}

/// Reads a signing key from its file.
///
/// # Errors
/// [`KeyError::File`], [`KeyError::Invalid`].
pub(crate) fn load_signing_key(path: &Path) -> Result<SigningKey, KeyError> {
    let invalid = |_| KeyError::Invalid { path: path.to_owned() };
    SigningKey::from_bytes(&*read_secret(path)?).map_err(invalid)
}

fn write_secret(path: &Path, secret: &[u8; SECRET_BYTES]) -> Result<(), KeyError> {
    let text = Zeroizing::new(hex::encode(secret));
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
    written.map_err(|source| KeyError::File { path: path.to_owned(), source })
}

fn read_secret(path: &Path) -> Result<Zeroizing<[u8; SECRET_BYTES]>, KeyError> {
    let text = fs::read_to_string(path)
        .map(Zeroizing::new)
        .map_err(|source| KeyError::File { path: path.to_owned(), source })?;
    let mut secret = Zeroizing::new([0; SECRET_BYTES]);
    hex::decode_to_slice(text.trim(), &mut *secret)
        .map_err(|_| KeyError::Invalid { path: path.to_owned() })?;
    Ok(secret)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn keys_come_back_and_only_their_owner_can_read_them() {
        let folder = tempfile::tempdir().unwrap();
        let made = NodeKeys::create(folder.path()).unwrap();
        let read = NodeKeys::load(folder.path()).unwrap();
        assert_eq!(made.validator.public_key(), read.validator.public_key());
        assert_eq!(made.network.public(), read.network.public());
        assert_eq!(made.staff.public_key(), read.staff.public_key());
        let mode = fs::metadata(folder.path().join("keys/validator.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn the_consoles_token_is_made_once_and_only_its_owner_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        NodeKeys::create(folder.path()).unwrap();
        let made = console_token(folder.path()).unwrap();
        assert_eq!(made.len(), SECRET_BYTES * 2);
        assert_eq!(*made, *console_token(folder.path()).unwrap());
        let mode = fs::metadata(console_token_path(folder.path())).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn existing_keys_are_not_overwritten_and_damaged_ones_are_named() {
        let folder = tempfile::tempdir().unwrap();
        NodeKeys::create(folder.path()).unwrap();
        assert!(matches!(NodeKeys::create(folder.path()), Err(KeyError::Exists { .. })));
        fs::write(folder.path().join("keys/organisation.key"), "not a key").unwrap();
        let Err(KeyError::Invalid { path }) = NodeKeys::load(folder.path()) else {
            panic!("a damaged key was read")
        };
        assert!(path.ends_with("organisation.key"));
    }
}
