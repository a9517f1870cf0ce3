//! Starting the wallet: network file, device folder, light client, transport.

use amulet_app_api::ApiError;
use amulet_light_client::SystemClock;
use amulet_light_client::store::{ClientStore, MemoryStore, SledStore};
use amulet_light_client::transport::FallbackTransport;
use amulet_light_client::transport::https::HttpsTransport;
use amulet_light_client::transport::libp2p::{AddressError, Libp2pTransport, NodeAddresses, StartError};
use amulet_wallet::network::{NETWORK_FILE_BYTES_MAX, Network, NetworkError};
use amulet_wallet::service::{Host, Service};
use amulet_wallet::store::{FolderStore, StoreError};
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::demo::DemoFolder;
use crate::downloads::Downloads;
use crate::http::Http;
use crate::settings::Settings;

/// Folder of the light client's headers, below the device folder; one for each network.
const HEADERS_FOLDER: &str = "headers";
/// Folder of the wallet files, below the device folder.
const WALLETS_FOLDER: &str = "wallets";
/// Characters of a chain's identifier that name its folder.
const CHAIN_CHARS: usize = 16;

/// Why the wallet could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartFailure {
    /// The system names no folders.
    #[error("This system names no folder for the app's files: {0}")]
    Folders(#[from] tauri::Error),
    /// There is no network file.
    #[error(
        "There is no network file at {}. A hospital hands it out; `cargo xtask run` makes one for a demonstration, \
         and AMULET_NETWORK names another place.", path.display()
    )]
    NoNetwork {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The network file cannot be read.
    #[error("The network file {} cannot be read: {source}", path.display())]
    ReadNetwork {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The network file is bad.
    #[error("The network file {} cannot be used: {source}", path.display())]
    Network {
        /// Which.
        path: PathBuf,
        /// Why.
        source: NetworkError,
    },
    /// A node's addresses are bad.
    #[error("The network file has an address that cannot be used: {0}")]
    Address(#[from] Box<AddressError>),
    /// The transport could not be started.
    #[error("The connection to the hospitals cannot be set up: {0}")]
    Transport(#[from] StartError),
    /// The device folder cannot be used.
    #[error("The folder for wallets cannot be used: {0}")]
    Store(#[from] StoreError),
    /// The wallet refuses what it was given.
    #[error("The wallet cannot start: {0}")]
    Wallet(#[from] ApiError),
}

/// Starts the wallet's service.
///
/// # Errors
/// [`StartFailure`] by variant.
pub fn service_of(settings: &Settings) -> Result<Service, StartFailure> {
    let network = read_network(&settings.network)?;
    let addresses: Result<Vec<NodeAddresses>, AddressError> =
        network.nodes().iter().map(|node| NodeAddresses::parse(&node.libp2p)).collect();
    let addresses = addresses.map_err(Box::new)?;
    // The transport's task lives on the runtime that the commands run on.
    let direct = tauri::async_runtime::block_on(async { Libp2pTransport::start(addresses) })?;
    let web = HttpsTransport::new(network.nodes().iter().map(|node| vec![node.http.clone()]).collect());
    let transport = FallbackTransport::new(Arc::new(direct), Arc::new(web));
    let store = FolderStore::open(&settings.data.join(WALLETS_FOLDER))?;
    let chain = network.chain().to_string();
    let headers = settings.data.join(HEADERS_FOLDER).join(&chain[..CHAIN_CHARS]);
    let demo = DemoFolder::new(settings.demo());
    Ok(Service::new(Host {
        store: Box::new(store),
        transport: Arc::new(transport),
        headers: header_store(&headers),
        hospital_api: Box::new(Http::new()),
        demo: Box::new(demo),
        outbox: Box::new(Downloads::new(settings.downloads.clone())),
        clock: Arc::new(SystemClock),
        network,
    })?)
}

/// Headers can be fetched again: where they cannot be kept, as when a second process has them open, they are kept in memory,
/// and the first sync says so.
fn header_store(folder: &Path) -> Box<dyn ClientStore> {
    match SledStore::open(folder) {
        Ok(store) => Box::new(store),
        Err(trouble) => Box::new(MemoryStore::in_place_of(trouble)),
    }
}

fn read_network(path: &Path) -> Result<Network, StartFailure> {
    let failed = |source: std::io::Error| match source.kind() {
        ErrorKind::NotFound => StartFailure::NoNetwork { path: path.to_owned() },
        _ => StartFailure::ReadNetwork { path: path.to_owned(), source },
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(NETWORK_FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    Network::parse(&bytes).map_err(|source| StartFailure::Network { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn started(network: PathBuf, data: &Path) -> StartFailure {
        service_of(&Settings { network, data: data.to_owned(), downloads: None }).err().unwrap()
    }

    #[test]
    fn a_missing_and_a_bad_network_file_are_told_apart_by_sentences_that_name_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("network.json");
        let failure = started(missing.clone(), folder.path());
        assert!(matches!(&failure, StartFailure::NoNetwork { path } if *path == missing));
        assert!(failure.to_string().contains("AMULET_NETWORK"));
        std::fs::write(&missing, "<html>").unwrap();
        let failure = started(missing.clone(), folder.path());
        assert!(matches!(&failure, StartFailure::Network { source: NetworkError::Json { .. }, .. }));
        assert!(failure.to_string().contains("network.json"));
        assert!(!folder.path().join(WALLETS_FOLDER).exists(), "nothing half done");
    }
}
