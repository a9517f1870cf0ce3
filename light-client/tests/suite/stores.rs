//! What every store must do; run on each back end, natively and in a browser.

use crate::chain::{Chain, NOW};
use crate::network::Network;
use crate::test;
use amulet_light_client::store::{Kept, STORED_BYTES_MAX, Slot, StoredHeader, StoredProgress, VERSION};
use amulet_light_client::{ClientStore, MemoryStore, StoreError};
use amulet_protocol::ids::Height;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const SLOTS: [Slot; 6] =
    [Slot::Head, Slot::Progress, Slot::Forks, Slot::Nodes, Slot::Header(0), Slot::Header(254)];

fn stored(height: u64) -> StoredHeader {
    StoredHeader { signed: Chain::new(2).signed_at(height), checked_at: NOW, trail: Vec::new() }
}

/// The suite: `open` opens the same, at first empty, store each time.
pub async fn keeps_what_was_written<S: ClientStore + 'static>(open: impl Fn() -> S) {
    keeps_bytes_by_slot(&open).await;
    keeps_values_by_type(&open).await;
}

async fn keeps_bytes_by_slot<S: ClientStore>(open: impl Fn() -> S) {
    let store = open();
    store.clear().await.unwrap();
    for (number, slot) in SLOTS.into_iter().enumerate() {
        assert_eq!(store.read(slot).await, Ok(None));
        store.remove(slot).await.unwrap();
        store.write(slot, vec![9; 300_000]).await.unwrap();
        store.write(slot, vec![u8::try_from(number).unwrap(); number]).await.unwrap();
    }
    drop(store);
    let store = open();
    for (number, slot) in SLOTS.into_iter().enumerate() {
        let newest = vec![u8::try_from(number).unwrap(); number];
        assert_eq!(store.read(slot).await, Ok(Some(newest)), "the newest survives a restart");
    }
    store.remove(Slot::Progress).await.unwrap();
    assert_eq!(store.read(Slot::Progress).await, Ok(None));
    assert_eq!(store.read(Slot::Head).await, Ok(Some(vec![])), "the others stay");
    store.clear().await.unwrap();
    drop(store);
    let store = open();
    for slot in SLOTS {
        assert_eq!(store.read(slot).await, Ok(None), "and so does forgetting");
    }
}

async fn keeps_values_by_type<S: ClientStore + 'static>(open: impl Fn() -> S) {
    let kept = Kept::new(Box::new(open()));
    assert_eq!((kept.head().await, kept.progress().await), (Ok(None), Ok(None)));
    kept.keep_head(&stored(2)).await.unwrap();
    let progress =
        StoredProgress { from: Height(0), trail: vec![Chain::turning(4, &[2]).epoch_end(0).into()] };
    kept.keep_progress(&progress).await.unwrap();
    for height in [1, 2] {
        kept.keep_header(&stored(height).signed).await.unwrap();
    }
    drop(kept);
    let kept = Kept::new(Box::new(open()));
    assert_eq!(kept.head().await, Ok(Some(stored(2))));
    assert_eq!(kept.progress().await, Ok(Some(progress)));
    assert_eq!(kept.header(Height(1)).await, Ok(Some(stored(1).signed)));
    assert_eq!(kept.header(Height(3)).await, Ok(None));
    assert_eq!(kept.header(Height(256)).await, Ok(None), "the place is that of height 1");
    kept.drop_progress().await.unwrap();
    kept.drop_header(Height(1)).await.unwrap();
    assert_eq!((kept.progress().await, kept.header(Height(1)).await), (Ok(None), Ok(None)));
    assert_eq!(kept.header(Height(2)).await, Ok(Some(stored(2).signed)));
    kept.clear().await.unwrap();
}

/// A store notices all that was not written by it in this slot.
pub async fn notices_what_it_did_not_write<S: ClientStore + 'static>(open: impl Fn() -> S) {
    let kept = Kept::new(Box::new(open()));
    kept.keep_head(&stored(1)).await.unwrap();
    drop(kept);
    let read = async || open().read(Slot::Head).await.unwrap().unwrap();
    let found = async |slot: Slot, bytes: &[u8]| {
        open().write(slot, bytes.to_vec()).await.unwrap();
        let kept = Kept::new(Box::new(open()));
        match slot {
            Slot::Head => kept.head().await.map(|_| ()),
            Slot::Progress => kept.progress().await.map(|_| ()),
            Slot::Forks => kept.forks().await.map(|_| ()),
            Slot::Nodes => kept.nodes().await.map(|_| ()),
            Slot::Header(number) => kept.header(Height(number.into())).await.map(|_| ()),
        }
    };
    let honest = read().await;
    for position in [2, 40, honest.len() - 1] {
        let mut bytes = honest.clone();
        bytes[position] ^= 1;
        assert_eq!(found(Slot::Head, &bytes).await, Err(StoreError::Corrupt), "byte {position}");
    }
    for length in [0, 1, 20, honest.len() - 1] {
        let cut = &honest[..length];
        assert_eq!(found(Slot::Head, cut).await, Err(StoreError::Corrupt), "{length} bytes");
    }
    let large = vec![0; STORED_BYTES_MAX + 100];
    let mut later = honest.clone();
    later[1] += 1;
    let version = StoreError::Version { found: VERSION + 1, expected: VERSION };
    for slot in SLOTS {
        assert_eq!(found(slot, &later).await, Err(version.clone()));
        assert_eq!(found(slot, &[&honest[..2], &large].concat()).await, Err(StoreError::Corrupt));
        if slot != Slot::Head {
            assert_eq!(found(slot, &honest).await, Err(StoreError::Corrupt), "from another slot");
        }
    }
    assert_eq!(found(Slot::Head, &honest).await, Ok(()));
    open().clear().await.unwrap();
}

#[test]
async fn memory() {
    let store = Arc::new(MemoryStore::default());
    keeps_what_was_written(|| store.clone()).await;
    notices_what_it_did_not_write(|| store.clone()).await;
}

#[test]
async fn a_store_in_the_place_of_one_that_cannot_be_used_says_why_once() {
    let network = Arc::new(Network::honest(Chain::new(3)));
    let client = network.client_in(Box::new(MemoryStore::in_place_of(StoreError::InUse)));
    assert_eq!(client.sync(NOW).await.unwrap().store_trouble, Some(StoreError::InUse));
    assert_eq!(client.sync(NOW).await.unwrap().store_trouble, None);
}

/// Takes so many bytes and no more.
struct Small {
    room: AtomicUsize,
    inner: MemoryStore,
}

#[cfg_attr(target_arch = "wasm32", async_trait::async_trait(?Send))]
#[cfg_attr(not(target_arch = "wasm32"), async_trait::async_trait)]
impl ClientStore for Small {
    async fn read(&self, slot: Slot) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.read(slot).await
    }

    async fn write(&self, slot: Slot, bytes: Vec<u8>) -> Result<(), StoreError> {
        let room = self.room.load(Ordering::Relaxed).checked_sub(bytes.len()).ok_or(StoreError::Full)?;
        self.room.store(room, Ordering::Relaxed);
        self.inner.write(slot, bytes).await
    }

    async fn remove(&self, slot: Slot) -> Result<(), StoreError> {
        self.inner.remove(slot).await
    }

    async fn clear(&self) -> Result<(), StoreError> {
        self.inner.clear().await
    }
}

#[test]
async fn a_full_store_costs_nothing_but_its_use_and_is_said() {
    let network = Arc::new(Network::honest(Chain::turning(8, &[3, 5])));
    for room in [0, 1_500, 3_500] {
        let store = Arc::new(Small { room: AtomicUsize::new(room), inner: MemoryStore::default() });
        let client = network.client_in(Box::new(store.clone()));
        let report = client.sync(NOW).await.unwrap();
        assert_eq!((report.head.height(), report.store_trouble), (Height(8), Some(StoreError::Full)));
        client.header_at(Height(4)).await.unwrap();
        // What did fit is not mistaken for more than it is.
        let again = network.client_in(Box::new(store));
        assert_eq!(again.sync(NOW).await.unwrap().head.height(), Height(8));
    }
}

#[test]
async fn a_proven_header_is_not_fetched_again_after_a_restart_but_proven_again() {
    use amulet_protocol::light::LightRequest;
    let network = Arc::new(Network::honest(Chain::new(5)));
    let store = Arc::new(MemoryStore::default());
    let client = network.client_with(store.clone());
    client.sync(NOW).await.unwrap();
    let proven = client.header_at(Height(2)).await.unwrap();
    let fetched = |question: &LightRequest| matches!(question, LightRequest::HeaderAt(_));
    let linked = |question: &LightRequest| matches!(question, LightRequest::RangeProof { .. });
    let before = (network.asked(fetched).len(), network.asked(linked).len());
    let again = network.client_with(store.clone());
    assert_eq!(again.restore().await.unwrap().height(), Height(5));
    assert_eq!(again.header_at(Height(2)).await.unwrap(), proven);
    assert_eq!((network.asked(fetched).len(), network.asked(linked).len()), (before.0, before.1 + 1));
    // One that somebody else put there is noticed, and fetched.
    let mut forged = Chain::new(5).signed_at(2);
    forged.header.state_root = amulet_crypto::digest::sm3(b"lie");
    Kept::new(Box::new(store.clone())).keep_header(&forged).await.unwrap();
    let again = network.client_with(store);
    again.restore().await.unwrap();
    assert_eq!(again.header_at(Height(2)).await.unwrap(), proven);
    assert_eq!(again.store_trouble(), Some(StoreError::Foreign));
}

#[test]
async fn whatever_is_damaged_is_said_once_and_made_good() {
    let network = Arc::new(Network::honest(Chain::new(5)));
    for slot in SLOTS {
        let store = Arc::new(MemoryStore::default());
        let client = network.client_with(store.clone());
        client.sync(NOW).await.unwrap();
        client.header_at(Height(1)).await.unwrap();
        drop(client);
        store.write(slot, vec![0, 4, 1]).await.unwrap();
        let told = async || {
            let client = network.client_with(store.clone());
            let synced = client.sync(NOW).await.unwrap().store_trouble;
            for height in [1, 2, 255, 254] {
                let _ = client.header_at(Height(height)).await;
            }
            synced.or(client.store_trouble())
        };
        let first = told().await;
        assert!(matches!(slot, Slot::Header(_)) || first == Some(StoreError::Corrupt), "{slot:?}: {first:?}");
        assert_eq!(told().await, None, "{slot:?} is said again");
    }
}
