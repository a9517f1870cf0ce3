//! What every store of trusted headers must do; run on each back end.

use crate::chain::{Chain, NOW};
use crate::test;
use amulet_light_client::store::StoredHeader;
use amulet_light_client::{MemoryStore, StoreError, TrustedHeaderStore};

fn stored(height: u64) -> StoredHeader {
    StoredHeader { signed: Chain::new(2).signed_at(height), checked_at: NOW, trail: Vec::new() }
}

/// The suite: `open` opens the same, at first empty, store each time.
pub fn keeps_one_header<S: TrustedHeaderStore>(open: impl Fn() -> S) {
    let store = open();
    assert_eq!(store.load(), Ok(None));
    store.clear().unwrap();
    store.save(&stored(1)).unwrap();
    assert_eq!(store.load(), Ok(Some(stored(1))));
    store.save(&stored(2)).unwrap();
    drop(store);
    let store = open();
    assert_eq!(store.load(), Ok(Some(stored(2))), "the newest survives a restart");
    store.clear().unwrap();
    assert_eq!(store.load(), Ok(None));
    drop(store);
    assert_eq!(open().load(), Ok(None), "and so does forgetting");
}

/// A store into which `put` writes raw bytes notices all that was not written by a store.
pub fn notices_what_it_did_not_write<S: TrustedHeaderStore>(
    store: &S,
    read: impl Fn() -> Vec<u8>,
    put: impl Fn(&[u8]),
) {
    store.save(&stored(1)).unwrap();
    let honest = read();
    for position in [2, 40, honest.len() - 1] {
        let mut bytes = honest.clone();
        bytes[position] ^= 1;
        put(&bytes);
        assert_eq!(store.load(), Err(StoreError::Corrupt), "byte {position}");
    }
    for length in [0, 1, 20, honest.len() - 1] {
        put(&honest[..length]);
        assert_eq!(store.load(), Err(StoreError::Corrupt), "{length} bytes");
    }
    let mut later = honest;
    later[1] = 3;
    put(&later);
    assert_eq!(store.load(), Err(StoreError::Version { found: 3, expected: 2 }));
    store.clear().unwrap();
    assert_eq!(store.load(), Ok(None), "what cannot be read can be forgotten");
}

#[test]
async fn memory() {
    let store = std::sync::Arc::new(MemoryStore::default());
    keeps_one_header(|| crate::network::SharedStore(store.clone()));
    store.save(&stored(1)).unwrap();
    let mut bytes = store.bytes().unwrap();
    bytes[9] ^= 1;
    assert_eq!(MemoryStore::with_bytes(bytes).load(), Err(StoreError::Corrupt));
}
