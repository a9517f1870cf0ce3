//! Nodes in this process: honest ones that make their answers when asked, and a recording of what they said, so that a client's
//! work is measured without theirs.

use crate::consortium::{LongChain, organisations};
use amulet_light_client::{
    ClientStore, Clock, LightClient, MemoryStore, NodeIndex, NodeInfo, Transport, TransportError, TrustParams,
};
use amulet_protocol::codec::{decode, encode};
use amulet_protocol::genesis::Genesis;
use amulet_protocol::ids::Timestamp;
use amulet_protocol::light::{LightRequest, LightResponse};
use amulet_protocol::limits::LIGHT_RESPONSE_BYTES_MAX;
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// All that a client was told.
#[derive(Clone, BorshSerialize, BorshDeserialize)]
pub struct Recording {
    pub genesis: Genesis,
    pub now: Timestamp,
    /// By node and question, both as they travel.
    answers: BTreeMap<(u64, Vec<u8>), Vec<u8>>,
}

/// Honest nodes of one chain, one for each organisation, that write down what they say.
pub struct Recorder {
    chain: Mutex<LongChain>,
    recording: Mutex<Recording>,
}

/// The same nodes, from the recording.
struct Replay(Arc<Recording>);

struct FixedClock(Timestamp);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        self.0
    }
}

impl Recorder {
    pub fn new(chain: LongChain) -> Arc<Self> {
        let recording = Mutex::new(Recording::of(&chain));
        Arc::new(Self { chain: Mutex::new(chain), recording })
    }

    /// A new client of these nodes.
    pub fn client(self: &Arc<Self>) -> LightClient {
        let (genesis, now) = {
            let recording = self.recording.lock().unwrap();
            (recording.genesis.clone(), recording.now)
        };
        client(&genesis, now, self.clone(), Box::new(MemoryStore::default()))
    }

    /// What was said since this was last called.
    pub fn take_recording(&self) -> Arc<Recording> {
        let new = Recording::of(&self.chain.lock().unwrap());
        Arc::new(std::mem::replace(&mut *self.recording.lock().unwrap(), new))
    }

    /// The clock of its clients.
    pub fn now(&self) -> Timestamp {
        self.recording.lock().unwrap().now
    }
}

impl Recording {
    fn of(chain: &LongChain) -> Self {
        Self { genesis: chain.genesis.clone(), now: chain.now(), answers: BTreeMap::new() }
    }

    /// A new client that is told the same.
    pub fn client(self: &Arc<Self>) -> LightClient {
        self.client_with(Box::new(MemoryStore::default()))
    }

    /// The same with another store.
    pub fn client_with(self: &Arc<Self>, store: Box<dyn ClientStore>) -> LightClient {
        client(&self.genesis, self.now, Arc::new(Replay(self.clone())), store)
    }

    /// How many questions were such.
    pub fn questions(&self, which: impl Fn(&LightRequest) -> bool) -> usize {
        self.answers
            .keys()
            .filter(|(_, question)| which(&decode(question, LIGHT_RESPONSE_BYTES_MAX).unwrap()))
            .count()
    }
}

fn client(
    genesis: &Genesis,
    now: Timestamp,
    transport: Arc<dyn Transport>,
    store: Box<dyn ClientStore>,
) -> LightClient {
    let nodes = organisations(genesis).map(|organisation| NodeInfo { organisation }).collect();
    let client = LightClient::new(genesis, nodes, transport, store, TrustParams::default()).unwrap();
    client.with_clock(Arc::new(FixedClock(now)))
}

#[cfg_attr(target_arch = "wasm32", async_trait::async_trait(?Send))]
#[cfg_attr(not(target_arch = "wasm32"), async_trait::async_trait)]
impl Transport for Recorder {
    async fn ask(&self, node: NodeIndex, request: &LightRequest) -> Result<LightResponse, TransportError> {
        let answer = self.chain.lock().unwrap().answer(node.0, request);
        let place = (node.0 as u64, encode(request));
        self.recording.lock().unwrap().answers.insert(place, encode(&answer));
        Ok(answer)
    }
}

#[cfg_attr(target_arch = "wasm32", async_trait::async_trait(?Send))]
#[cfg_attr(not(target_arch = "wasm32"), async_trait::async_trait)]
impl Transport for Replay {
    async fn ask(&self, node: NodeIndex, request: &LightRequest) -> Result<LightResponse, TransportError> {
        let answer = self.0.answers.get(&(node.0 as u64, encode(request))).ok_or(TransportError::Closed)?;
        Ok(decode(answer, LIGHT_RESPONSE_BYTES_MAX)?)
    }
}
