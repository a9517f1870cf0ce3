//! Where ciphertexts lie: a folder of this machine, or a bucket of an S3 service. `[vault]` in `node.toml` says which.

use super::VaultError;
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use object_store::prefix::PrefixStore;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Name of the vault's folder in the data folder, unless the configuration names another.
const FOLDER: &str = "vault";
/// Region that is signed for if none is named: S3 services that are not Amazon's take any.
const REGION_DEFAULT: &str = "us-east-1";
/// Where the credentials are looked for if no file is named.
const ACCESS_KEY_VARIABLE: &str = "AWS_ACCESS_KEY_ID";
const SECRET_KEY_VARIABLE: &str = "AWS_SECRET_ACCESS_KEY";
/// Bytes of a credentials file that are read: two short lines.
const CREDENTIALS_BYTES_MAX: u64 = 4 * 1024;
/// How often a request to the S3 service is tried again, and until when: readers go to another holder sooner than they wait.
const RETRIES_MAX: usize = 3;
const RETRY_WITHIN: Duration = Duration::from_secs(20);
/// Longest time for one request to the S3 service; the largest carries 8 MiB.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(60);

/// Where the ciphertexts lie: `folder = "…"`, or `bucket = "…"` and what belongs to it. The folder `vault` of the data folder, if
/// nothing is said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "VaultTable", into = "VaultTable")]
pub enum VaultConfig {
    /// A folder; `None` for the one in the data folder.
    Folder(Option<PathBuf>),
    /// A bucket.
    S3(S3Config),
}

/// A bucket of an S3 service. Credentials are not part of it: they are in a file of their own, or in the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Config {
    /// Name of the bucket, which must exist.
    pub bucket: String,
    /// Base URL of the service; Amazon's if none is named. `http://` is taken: the ciphertexts are of no use to who listens, but who
    /// can change what is sent can make the vault appear empty.
    pub endpoint: Option<String>,
    /// Region that requests are signed for.
    pub region: Option<String>,
    /// What the names of all objects begin with, so that a bucket can be shared.
    pub prefix: Option<String>,
    /// File with the lines `access_key = "…"` and `secret_key = "…"`; without it the environment variables `AWS_ACCESS_KEY_ID` and
    /// `AWS_SECRET_ACCESS_KEY` are read.
    pub credentials: Option<PathBuf>,
}

impl Default for VaultConfig {
    fn default() -> Self {
        Self::Folder(None)
    }
}

/// The form in the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct VaultTable {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    folder: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bucket: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    endpoint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prefix: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    credentials: Option<PathBuf>,
}

/// Why `[vault]` cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultConfigError {
    /// Two places.
    #[error("[vault] takes folder = \"…\" or bucket = \"…\", not both")]
    Ambiguous,
    /// Something that belongs to a bucket, and no bucket.
    #[error("[vault] has endpoint, region, prefix or credentials, but no bucket that they belong to")]
    NoBucket,
}

impl TryFrom<VaultTable> for VaultConfig {
    type Error = VaultConfigError;

    fn try_from(table: VaultTable) -> Result<Self, VaultConfigError> {
        let VaultTable { folder, bucket, endpoint, region, prefix, credentials } = table;
        match (folder, bucket) {
            (Some(_), Some(_)) => Err(VaultConfigError::Ambiguous),
            (None, Some(bucket)) => Ok(Self::S3(S3Config { bucket, endpoint, region, prefix, credentials })),
            (folder, None) => {
                let belongs = endpoint.is_some() || region.is_some() || prefix.is_some();
                if belongs || credentials.is_some() {
                    return Err(VaultConfigError::NoBucket);
                }
                Ok(Self::Folder(folder))
            }
        }
    }
}

impl From<VaultConfig> for VaultTable {
    fn from(config: VaultConfig) -> Self {
        let empty = Self {
            folder: None,
            bucket: None,
            endpoint: None,
            region: None,
            prefix: None,
            credentials: None,
        };
        match config {
            VaultConfig::Folder(folder) => Self { folder, ..empty },
            VaultConfig::S3(S3Config { bucket, endpoint, region, prefix, credentials }) => {
                Self { bucket: Some(bucket), endpoint, region, prefix, credentials, ..empty }
            }
        }
    }
}

/// What a credentials file holds. Not printable.
#[derive(Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct Credentials {
    access_key: String,
    secret_key: String,
}

impl Credentials {
    fn load(file: Option<&Path>) -> Result<Self, VaultError> {
        match file {
            Some(file) => Self::of_file(file),
            None => {
                let variable =
                    |variable| std::env::var(variable).map_err(|_| VaultError::NoCredentials { variable });
                Ok(Self {
                    access_key: variable(ACCESS_KEY_VARIABLE)?,
                    secret_key: variable(SECRET_KEY_VARIABLE)?,
                })
            }
        }
    }

    fn of_file(file: &Path) -> Result<Self, VaultError> {
        let unreadable = |source| VaultError::CredentialsFile { path: file.to_owned(), source };
        let bytes = std::fs::metadata(file).map_err(unreadable)?.len();
        if bytes > CREDENTIALS_BYTES_MAX {
            return Err(VaultError::CredentialsMalformed { path: file.to_owned() });
        }
        let text = Zeroizing::new(std::fs::read_to_string(file).map_err(unreadable)?);
        // The parser's own message would show the line, and with it the secret.
        toml::from_str(&text).map_err(|_| VaultError::CredentialsMalformed { path: file.to_owned() })
    }
}

/// The folder of a configuration that has one.
pub(super) fn folder(data: &Path, config: &VaultConfig) -> Option<PathBuf> {
    match config {
        VaultConfig::Folder(folder) => Some(data.join(folder.as_deref().unwrap_or(Path::new(FOLDER)))),
        VaultConfig::S3(_) => None,
    }
}

/// A store in a folder, which is made if it is missing.
pub(super) fn open_folder(folder: &Path) -> Result<Arc<dyn ObjectStore>, VaultError> {
    std::fs::create_dir_all(folder)
        .map_err(|source| VaultError::Folder { path: folder.to_owned(), source })?;
    Ok(Arc::new(LocalFileSystem::new_with_prefix(folder)?.with_fsync(true)))
}

/// A store in a bucket. Nothing is asked of the service yet.
pub(super) fn open_bucket(data: &Path, config: &S3Config) -> Result<Arc<dyn ObjectStore>, VaultError> {
    let file = config.credentials.as_ref().map(|file| data.join(file));
    let credentials = Credentials::load(file.as_deref())?;
    let backoff = BackoffConfig::default();
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&config.bucket)
        .with_region(config.region.as_deref().unwrap_or(REGION_DEFAULT))
        .with_access_key_id(credentials.access_key.as_str())
        .with_secret_access_key(credentials.secret_key.as_str())
        // One object at a time is deleted, and not every service knows how to delete many.
        .with_disable_bulk_delete(true)
        .with_retry(RetryConfig { backoff, max_retries: RETRIES_MAX, retry_timeout: RETRY_WITHIN })
        .with_client_options(ClientOptions::new().with_timeout(REQUEST_TIME_MAX).with_allow_http(true));
    if let Some(endpoint) = &config.endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    let bucket = builder.build()?;
    Ok(match &config.prefix {
        Some(prefix) => Arc::new(PrefixStore::new(bucket, ObjectPath::from(prefix.as_str()))),
        None => Arc::new(bucket),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn parse(text: &str) -> Result<VaultConfig, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_folder_or_a_bucket_is_taken_and_no_mixture() {
        assert_eq!(parse(""), Ok(VaultConfig::Folder(None)));
        assert_eq!(parse("folder = \"/srv/v\""), Ok(VaultConfig::Folder(Some("/srv/v".into()))));
        let text =
            "bucket = \"b\"\nendpoint = \"https://s3.example\"\nprefix = \"city\"\ncredentials = \"s3.toml\"";
        let config = parse(text).unwrap();
        assert!(matches!(&config, VaultConfig::S3(S3Config { bucket, .. }) if bucket == "b"));
        assert_eq!(parse(&toml::to_string(&config).unwrap()), Ok(config));
        assert!(parse("folder = \"a\"\nbucket = \"b\"").unwrap_err().contains("not both"));
        assert!(parse("prefix = \"a\"").unwrap_err().contains("no bucket"));
        assert!(parse("secret_key = \"a\"").unwrap_err().contains("unknown field"));
    }

    #[test]
    fn what_is_said_of_a_bad_credentials_file_shows_nothing_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("s3.toml");
        std::fs::write(&file, "access_key = \"AKIA\"\nsecret_key = hunter2\n").unwrap();
        let Err(error) = Credentials::load(Some(&file)) else { panic!("taken") };
        assert!(matches!(error, VaultError::CredentialsMalformed { .. }));
        assert!(!format!("{error} {error:?}").contains("hunter2"));
        std::fs::write(&file, "access_key = \"AKIA\"\nsecret_key = \"hunter2\"\n").unwrap();
        assert!(Credentials::load(Some(&file)).is_ok());
        let missing = Credentials::load(Some(&folder.path().join("none")));
        assert!(matches!(missing, Err(VaultError::CredentialsFile { .. })));
    }
}
