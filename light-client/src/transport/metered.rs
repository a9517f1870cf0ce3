//! Counting what is sent and received, and bounding what is under way with each node.

use super::{NodeIndex, Transport, TransportError, answer_bytes_max};
use amulet_protocol::addresses::NodeAddress;
use amulet_protocol::codec;
use amulet_protocol::light::{LightRequest, LightResponse};
use futures::future::select_all;
use std::ops::{Add, Sub};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// Questions to one node at a time; more wait their turn. A page asks two or three at once.
pub const IN_FLIGHT_MAX: usize = 8;

/// What was exchanged. Bytes are those of questions and answers, without what the line adds (TLS or Noise, TCP, IP).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Questions sent.
    pub questions: u64,
    /// Answers that came.
    pub answers: u64,
    /// Bytes of the questions.
    pub sent: u64,
    /// Bytes of the answers.
    pub received: u64,
}

impl Add for Traffic {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self {
            questions: self.questions + more.questions,
            answers: self.answers + more.answers,
            sent: self.sent + more.sent,
            received: self.received + more.received,
        }
    }
}

impl Sub for Traffic {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            questions: self.questions.saturating_sub(before.questions),
            answers: self.answers.saturating_sub(before.answers),
            sent: self.sent.saturating_sub(before.sent),
            received: self.received.saturating_sub(before.received),
        }
    }
}

/// A transport that counts by node, and lets [`IN_FLIGHT_MAX`] questions at a time through to each.
pub(crate) struct MeteredTransport {
    inner: Arc<dyn Transport>,
    nodes: RwLock<Vec<Arc<Meter>>>,
}

#[derive(Default)]
struct Meter {
    traffic: Mutex<Traffic>,
    turns: [futures::lock::Mutex<()>; IN_FLIGHT_MAX],
}

impl Meter {
    fn count(&self, more: Traffic) {
        let mut traffic = self.traffic.lock().unwrap_or_else(PoisonError::into_inner);
        *traffic = *traffic + more;
    }
}

impl MeteredTransport {
    pub(crate) fn new(inner: Arc<dyn Transport>, nodes: usize) -> Self {
        Self { inner, nodes: RwLock::new((0..nodes).map(|_| Arc::default()).collect()) }
    }

    /// What was exchanged with each node since the start.
    pub(crate) fn traffic(&self) -> Vec<Traffic> {
        let read = |node: &Arc<Meter>| *node.traffic.lock().unwrap_or_else(PoisonError::into_inner);
        self.nodes.read().unwrap_or_else(PoisonError::into_inner).iter().map(read).collect()
    }

    fn meter(&self, node: NodeIndex) -> Result<Arc<Meter>, TransportError> {
        let nodes = self.nodes.read().unwrap_or_else(PoisonError::into_inner);
        let known = nodes.len();
        nodes.get(node.0).cloned().ok_or(TransportError::UnknownNode { node, known })
    }
}

#[cfg_attr(target_arch = "wasm32", async_trait::async_trait(?Send))]
#[cfg_attr(not(target_arch = "wasm32"), async_trait::async_trait)]
impl Transport for MeteredTransport {
    async fn ask(&self, node: NodeIndex, request: &LightRequest) -> Result<LightResponse, TransportError> {
        let meter = self.meter(node)?;
        let (_turn, ..) = select_all(meter.turns.iter().map(futures::lock::Mutex::lock)).await;
        let sent = codec::encode(request).len() as u64;
        meter.count(Traffic { questions: 1, sent, ..Traffic::default() });
        let answer = self.inner.ask(node, request).await?;
        let length = codec::encode(&answer).len();
        meter.count(Traffic { answers: 1, received: length as u64, ..Traffic::default() });
        let limit = answer_bytes_max(request);
        if length > limit {
            return Err(TransportError::TooLarge { limit });
        }
        Ok(answer)
    }

    fn learn(&self, node: NodeIndex, addresses: &[NodeAddress]) {
        self.inner.learn(node, addresses);
    }

    fn join(&self, node: NodeIndex, addresses: &[NodeAddress]) {
        let mut nodes = self.nodes.write().unwrap_or_else(PoisonError::into_inner);
        if node.0 == nodes.len() {
            nodes.push(Arc::default());
        }
        self.inner.join(node, addresses);
    }
}
