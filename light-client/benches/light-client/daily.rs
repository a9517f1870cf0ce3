//! A day of a wallet: one sync each hour, ten events, the scores read once.

use crate::suite_chain::{Chain, START};
use amulet_light_client::{
    Clock, LightClient, MemoryStore, NodeIndex, NodeInfo, SyncPolicy, Transport, TransportError, TrustParams,
};
use amulet_protocol::history::HistoryHead;
use amulet_protocol::ids::Timestamp;
use amulet_protocol::light::{LightRequest, LightResponse};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Events of the patient before this day.
const EVENTS_BEFORE: u64 = 500;
/// Blocks an hour that do not concern the patient.
const BLOCKS_PER_HOUR: u64 = 30;
/// Hours with an event of the patient.
const HOURS_WITH_EVENT: std::ops::Range<u64> = 8..18;
const HOUR_MS: u64 = 3_600_000;

struct Hospitals {
    chain: Mutex<Chain>,
    now: AtomicU64,
}

struct Now(Arc<Hospitals>);

impl Clock for Now {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.now.load(Ordering::Relaxed))
    }
}

#[async_trait::async_trait]
impl Transport for Hospitals {
    async fn ask(&self, _: NodeIndex, request: &LightRequest) -> Result<LightResponse, TransportError> {
        let chain = self.chain.lock().unwrap();
        Ok(chain.answer(request, chain.tip()))
    }
}

impl Hospitals {
    /// An hour goes by; each event is a transaction of the patient.
    fn hour(&self, events: u64) {
        let (start, mut chain) = (self.now.load(Ordering::Relaxed), self.chain.lock().unwrap());
        for block in 0..BLOCKS_PER_HOUR {
            let nonce = chain.entries().len() as u64 + 1;
            let own = (block < events).then(|| chain.people.transaction(nonce));
            chain.push(own.into_iter().collect(), Timestamp(start + block * 1_000));
        }
        self.now.store(start + HOUR_MS, Ordering::Relaxed);
    }
}

/// Bytes of the day, there and back.
pub async fn bytes(policy: SyncPolicy) -> u64 {
    let chain = Chain::new(EVENTS_BEFORE);
    let (genesis, patient) = (chain.people.genesis.clone(), chain.people.patient_did());
    let now = AtomicU64::new(START.0 + (EVENTS_BEFORE + 1) * 1_000);
    let hospitals = Arc::new(Hospitals { chain: Mutex::new(chain), now });
    let nodes = genesis.organisations.iter().map(|one| NodeInfo { organisation: one.did() }).collect();
    let store = Box::new(MemoryStore::default());
    let client = LightClient::new(&genesis, nodes, hospitals.clone(), store, TrustParams::default()).unwrap();
    let clock = Arc::new(Now(hospitals.clone()));
    let client = client.with_clock(clock.clone());
    let mut known = HistoryHead::default();
    let mut look = async || {
        client.sync_by(policy, clock.now()).await.unwrap();
        let history = client.history(patient, known).await.unwrap();
        known = history.head;
        let heights: Vec<_> = history.entries.iter().map(|entry| entry.height).collect();
        client.headers_at(&heights).await.unwrap();
        history.entries.len()
    };
    look().await;
    let total = || client.traffic().into_iter().map(|node| node.sent + node.received).sum::<u64>();
    let before = total();
    client.read_scores().await.unwrap();
    let mut events = 0;
    for hour in 0..24 {
        hospitals.hour(u64::from(HOURS_WITH_EVENT.contains(&hour)));
        events += look().await;
    }
    assert_eq!(events, 10);
    total() - before
}
