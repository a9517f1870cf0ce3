//! Files of the store that are damaged at one place or another, as by a failing disk.

use crate::chain::{Chain, NOW};
use crate::network::Network;
use amulet_light_client::store::SledStore;
use amulet_protocol::ids::Height;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Places at which each file is damaged.
const PLACES: usize = 12;

fn files(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// The same files in another folder, one of them with other content.
fn copy(from: &Path, changed: &Path, content: &[u8]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in files(from) {
        let to = folder.path().join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::write(to, if file == changed { content.to_vec() } else { fs::read(&file).unwrap() }).unwrap();
    }
    folder
}

#[tokio::test]
async fn a_store_that_is_damaged_anywhere_is_whole_or_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let network = Arc::new(Network::honest(Chain::new(3)));
    let client = network.client_in(Box::new(SledStore::open(folder.path()).unwrap()));
    client.sync(NOW).await.unwrap();
    drop(client);
    for file in files(&SledStore::path_in(folder.path())) {
        let whole = fs::read(&file).unwrap();
        for place in (0..PLACES).map(|place| whole.len() * place / PLACES) {
            let mut flipped = whole.clone();
            flipped[place] ^= 1;
            let mut zeroed = whole.clone();
            zeroed[place..].fill(0);
            for content in [&flipped, &zeroed, &whole[..place]] {
                let damaged = copy(folder.path(), &file, content);
                let client = network.client_in(Box::new(SledStore::open(damaged.path()).unwrap()));
                let found = client.restore().await.map(|head| head.height());
                let said = client.store_trouble().is_some();
                assert!(found == Some(Height(3)) || said, "{} at {place}: {found:?}", file.display());
                let synced = client.sync(NOW).await.unwrap();
                assert_eq!((synced.head.height(), synced.store_trouble.is_some()), (Height(3), said));
            }
        }
    }
}

#[tokio::test]
async fn what_was_forgotten_on_purpose_was_not_lost() {
    let folder = tempfile::tempdir().unwrap();
    let network = Arc::new(Network::honest(Chain::new(3)));
    let open = || network.client_in(Box::new(SledStore::open(folder.path()).unwrap()));
    let client = open();
    client.sync(NOW).await.unwrap();
    client.forget().await.unwrap();
    drop(client);
    let client = open();
    assert_eq!((client.restore().await, client.store_trouble()), (None, None));
}
