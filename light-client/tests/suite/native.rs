//! What only the native build has: `sled`, and futures that may change threads.

mod damage;
mod golden;
mod https;
mod libp2p;
mod lines;
mod properties;

use crate::chain::{Chain, NOW, People};
use crate::network::Network;
use crate::stores::{keeps_what_was_written, notices_what_it_did_not_write};
use amulet_light_client::store::{Kept, SledStore};
use amulet_light_client::{LightClient, StoreError};
use amulet_protocol::history::HistoryHead;
use amulet_protocol::ids::{BlobId, Height};
use amulet_protocol::light::UntrustedReadRequest;
use amulet_protocol::state::StateKey;
use std::path::Path;
use std::sync::Arc;

fn client(folder: &Path, network: &Arc<Network>) -> LightClient {
    network.client_in(Box::new(SledStore::open(folder).unwrap()))
}

fn open(folder: &Path) -> SledStore {
    SledStore::open(folder).unwrap()
}

#[tokio::test]
async fn sled_passes_the_suite_of_stores() {
    let folder = tempfile::tempdir().unwrap();
    keeps_what_was_written(|| open(folder.path())).await;
    notices_what_it_did_not_write(|| open(folder.path())).await;
}

#[tokio::test]
async fn a_folder_that_is_deleted_while_it_is_open_is_made_anew_and_said_so() {
    let folder = tempfile::tempdir().unwrap();
    let network = Arc::new(Network::honest(Chain::new(3)));
    let first = client(folder.path(), &network);
    first.sync(NOW).await.unwrap();
    std::fs::remove_dir_all(SledStore::path_in(folder.path())).unwrap();
    assert_eq!(first.sync(NOW).await.unwrap().store_trouble, Some(StoreError::Vanished));
    assert_eq!(first.sync(NOW).await.unwrap().store_trouble, None);
    drop(first);
    let again = client(folder.path(), &network);
    assert_eq!(again.restore().await.unwrap().height(), Height(3), "the new files are whole");
    assert_eq!(again.store_trouble(), None);
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
    assert_eq!(client(folder.path(), &network).restore().await.unwrap().height(), Height(3));
    let files = SledStore::path_in(folder.path());
    std::fs::write(files.join("conf"), b"this is no configuration of a store").unwrap();
    let keep = folder.path().join("keep.txt");
    std::fs::write(&keep, b"somebody else's").unwrap();
    let damaged = client(folder.path(), &network);
    assert_eq!((damaged.restore().await, damaged.store_trouble()), (None, Some(StoreError::Damaged)));
    damaged.sync(NOW).await.unwrap();
    drop(damaged);
    assert_eq!(client(folder.path(), &network).restore().await.unwrap().height(), Height(3));
    assert!(keep.exists(), "only the store's own folder is reset");
}

#[tokio::test]
async fn a_header_that_was_tampered_with_on_disk_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let network = Arc::new(Network::honest(Chain::new(3)));
    client(folder.path(), &network).sync(NOW).await.unwrap();
    let kept = Kept::new(Box::new(open(folder.path())));
    let mut stored = kept.head().await.unwrap().unwrap();
    stored.signed.header.height = Height(1_000);
    kept.keep_head(&stored).await.unwrap();
    drop(kept);
    let client = client(folder.path(), &network);
    assert_eq!((client.restore().await, client.store_trouble()), (None, Some(StoreError::Foreign)));
    assert_eq!(client.sync(NOW).await.unwrap().store_trouble, Some(StoreError::Foreign));
}

/// The desktop app runs these on a pool of threads; this does not compile if one of them cannot move.
#[test]
fn all_calls_may_change_threads() {
    fn movable<T: Send>(_: T) {}
    let client = Arc::new(Network::honest(Chain::new(0))).client();
    let (did, transaction) = (People::new().patient_did(), People::new().transaction(1));
    movable(client.sync(NOW));
    movable(client.restore());
    movable(client.forget());
    movable(client.state::<HistoryHead>(&StateKey::History(did)));
    movable(client.history(did, HistoryHead::default()));
    movable(client.transactions(&[]));
    movable(client.header_at(Height(1)));
    movable(client.receipt(transaction.id()));
    movable(client.submit_and_wait(&transaction, std::time::Duration::ZERO));
    let sign = |_: Vec<BlobId>| -> UntrustedReadRequest { panic!("nothing is asked") };
    movable(client.read_all(amulet_light_client::NodeIndex(0), &[], sign));
}

#[test]
fn the_read_me_shows_the_example_that_is_compiled() {
    assert!(include_str!("../../README.md").contains(include_str!("../../examples/embed.rs")));
}
