//! Opening the reader's wallet, as the app does, without a window.

use crate::config::Config;
use amulet_app_api::{ApiError, ErrorCode};
use amulet_light_client::transport::FallbackTransport;
use amulet_light_client::transport::https::HttpsTransport;
use amulet_light_client::transport::libp2p::{AddressError, Libp2pTransport, NodeAddresses, StartError};
use amulet_light_client::{MemoryStore, SystemClock};
use amulet_protocol::ids::Did;
use amulet_wallet::network::{NETWORK_FILE_BYTES_MAX, Network, NetworkError};
use amulet_wallet::service::{DemoPeople, HospitalApi, Host, IntakeAnswer, OutFile, Outbox, Service};
use amulet_wallet::store::{FolderStore, StoreError};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Bytes of a passphrase file.
const PASSPHRASE_BYTES_MAX: u64 = 1_024;

/// Why the gateway could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartFailure {
    /// A file cannot be read.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The network file is bad.
    #[error("the network file cannot be used: {0}")]
    Network(#[from] NetworkError),
    /// A node's addresses are bad.
    #[error("the network file has an address that cannot be used: {0}")]
    Address(#[from] Box<AddressError>),
    /// The transport could not be started.
    #[error("the connection to the hospitals cannot be set up: {0}")]
    Transport(#[from] StartError),
    /// The folder of the wallet cannot be used.
    #[error("the folder for wallets cannot be used: {0}")]
    Store(#[from] StoreError),
    /// The wallet does not open.
    #[error("the reader's wallet cannot be opened: {0}")]
    Wallet(#[from] ApiError),
}

/// The wallet's service, closed. Must be called on a runtime, where the transport's task lives.
///
/// # Errors
/// [`StartFailure`] by variant.
pub fn service(config: &Config) -> Result<Service, StartFailure> {
    let network = Network::parse(&read(&config.network, NETWORK_FILE_BYTES_MAX as u64 + 1)?)?;
    let addresses: Result<Vec<NodeAddresses>, AddressError> =
        network.nodes().iter().map(|node| NodeAddresses::parse(&node.libp2p)).collect();
    let direct = Libp2pTransport::start(addresses.map_err(Box::new)?)?;
    let web = HttpsTransport::new(network.nodes().iter().map(|node| vec![node.http.clone()]).collect());
    Ok(Service::new(Host {
        store: Box::new(FolderStore::open(&config.wallets)?),
        transport: Arc::new(FallbackTransport::new(Arc::new(direct), Arc::new(web))),
        headers: Box::new(MemoryStore::default()),
        hospital_api: Box::new(Nothing),
        demo: Box::new(Nothing),
        outbox: Box::new(Nothing),
        clock: Arc::new(SystemClock),
        network,
    })?)
}

/// Opens the reader's wallet with the passphrase from its file, and says who reads.
///
/// # Errors
/// [`StartFailure::File`], [`StartFailure::Wallet`].
pub async fn open(service: &Service, config: &Config) -> Result<Did, StartFailure> {
    let bytes = Zeroizing::new(read(&config.passphrase_file, PASSPHRASE_BYTES_MAX)?);
    let passphrase = String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']).to_owned();
    Ok(service.open_reader(config.wallet.as_deref(), passphrase).await?)
}

fn read(path: &Path, limit: u64) -> Result<Vec<u8>, StartFailure> {
    let failed = |source| StartFailure::File { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    File::open(path).map_err(failed)?.take(limit).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// What a window does with files, and a gateway does not.
struct Nothing;

#[async_trait::async_trait]
impl HospitalApi for Nothing {
    async fn intake(&self, _: &str, _: Did, _: String, _: Vec<u8>) -> Result<IntakeAnswer, ApiError> {
        Err(ErrorCode::BadRequest.into())
    }
}

#[async_trait::async_trait]
impl DemoPeople for Nothing {
    async fn fetch(&self, _: &str) -> Result<Vec<u8>, ApiError> {
        Err(ErrorCode::NotFound.into())
    }
}

#[async_trait::async_trait]
impl Outbox for Nothing {
    async fn save(&self, _: &str, _: Vec<u8>) -> Result<Option<String>, ApiError> {
        Err(ErrorCode::BadRequest.into())
    }

    async fn begin(&self, _: &str, _: u64) -> Result<Box<dyn OutFile>, ApiError> {
        Err(ErrorCode::BadRequest.into())
    }
}
