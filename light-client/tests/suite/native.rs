//! What only the native build has: `sled`, and futures that may change threads.

mod libp2p;

use crate::chain::{Chain, NOW, People};
use crate::network::Network;
use crate::stores::{keeps_one_header, notices_what_it_did_not_write};
use amulet_light_client::store::{SledStore, StoredHeader};
use amulet_light_client::{LightClient, StoreError, TrustedHeaderStore};
use amulet_protocol::history::HistoryHead;
use amulet_protocol::ids::{BlobId, Height};
use amulet_protocol::light::UntrustedReadRequest;
use amulet_protocol::state::StateKey;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn client(folder: &Path, network: &Arc<Network>) -> LightClient {
    network.client_in(Box::new(SledStore::open(folder).unwrap()))
}

/// Opens the store for each call.
struct Reopening(PathBuf);

impl TrustedHeaderStore for Reopening {
    fn load(&self) -> Result<Option<StoredHeader>, StoreError> {
        SledStore::open(&self.0)?.load()
    }

    fn save(&self, header: &StoredHeader) -> Result<(), StoreError> {
        SledStore::open(&self.0)?.save(header)
    }

    fn clear(&self) -> Result<(), StoreError> {
        SledStore::open(&self.0)?.clear()
    }
}

#[test]
fn sled_passes_the_suite_of_stores() {
    let folder = tempfile::tempdir().unwrap();
    keeps_one_header(|| SledStore::open(folder.path()).unwrap());
}

#[test]
fn sled_notices_what_it_did_not_write() {
    let folder = tempfile::tempdir().unwrap();
    // The files are locked while a store is open, so each look behind its back closes it first.
    let store = Reopening(folder.path().to_owned());
    let open = || sled::open(SledStore::path_in(folder.path()));
    // `sled` lets go of its files a moment after it was closed.
    let raw = || std::iter::repeat_with(open).find_map(Result::ok).unwrap();
    let read = || raw().get(b"head").unwrap().unwrap().to_vec();
    let put = |bytes: &[u8]| drop(raw().insert(b"head", bytes).unwrap());
    notices_what_it_did_not_write(&store, read, put);
}

#[test]
fn a_second_process_is_told_that_the_store_is_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let _first = SledStore::open(folder.path()).unwrap();
    assert_eq!(SledStore::open(folder.path()).map(|_| ()), Err(StoreError::InUse));
}

#[tokio::test]
async fn damaged_files_cost_one_sync_and_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    let network = Arc::new(Network::honest(Chain::new(3)));
    client(folder.path(), &network).sync(NOW).await.unwrap();
    assert_eq!(client(folder.path(), &network).trusted().unwrap().height(), Height(3));
    let files = SledStore::path_in(folder.path());
    std::fs::write(files.join("conf"), b"this is no configuration of a store").unwrap();
    let keep = folder.path().join("keep.txt");
    std::fs::write(&keep, b"somebody else's").unwrap();
    let damaged = client(folder.path(), &network);
    assert_eq!((damaged.trusted(), damaged.store_trouble()), (None, Some(StoreError::Damaged)));
    damaged.sync(NOW).await.unwrap();
    drop(damaged);
    assert_eq!(client(folder.path(), &network).trusted().unwrap().height(), Height(3));
    assert!(keep.exists(), "only the store's own folder is reset");
}

#[tokio::test]
async fn a_header_that_was_tampered_with_on_disk_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let network = Arc::new(Network::honest(Chain::new(3)));
    client(folder.path(), &network).sync(NOW).await.unwrap();
    let store = SledStore::open(folder.path()).unwrap();
    let mut stored = store.load().unwrap().unwrap();
    stored.signed.header.height = Height(1_000);
    store.save(&stored).unwrap();
    drop(store);
    let client = client(folder.path(), &network);
    assert_eq!((client.trusted(), client.store_trouble()), (None, Some(StoreError::Foreign)));
    assert_eq!(client.sync(NOW).await.unwrap().store_trouble, Some(StoreError::Foreign));
}

/// The desktop app runs these on a pool of threads; this does not compile if one of them cannot move.
#[test]
fn all_calls_may_change_threads() {
    fn movable<T: Send>(_: T) {}
    let client = Arc::new(Network::honest(Chain::new(0))).client();
    let (did, transaction) = (People::new().patient_did(), People::new().transaction(1));
    movable(client.sync(NOW));
    movable(client.state::<HistoryHead>(&StateKey::History(did)));
    movable(client.history(did, HistoryHead::default()));
    movable(client.transactions(&[]));
    movable(client.header_at(Height(1)));
    movable(client.receipt(transaction.id()));
    movable(client.submit_and_wait(&transaction, std::time::Duration::ZERO));
    let sign = |_: Vec<BlobId>| -> UntrustedReadRequest { panic!("nothing is asked") };
    movable(client.read_all(amulet_light_client::NodeIndex(0), &[], sign));
}
