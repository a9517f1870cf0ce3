//! Hospitals' nodes by script: honest, behind, silent or lying, each in its own way.

use crate::chain::{Chain, NOW, START};
use amulet_light_client::{
    ClientStore, Clock, LightClient, MemoryStore, NodeIndex, NodeInfo, Transport, TransportError, TrustParams,
};
use amulet_protocol::ids::{Height, Timestamp};
use amulet_protocol::light::{LightRequest, LightResponse};
use amulet_protocol::transaction::UntrustedTransaction;
use std::sync::{Arc, Mutex};

/// What a node makes of an honest answer.
pub type Twist =
    Box<dyn Fn(&LightRequest, LightResponse) -> Result<LightResponse, TransportError> + Send + Sync>;

pub struct Node {
    /// The chain it keeps; shared, so that a test can let it grow.
    pub chain: Arc<Mutex<Chain>>,
    /// The newest block it has; `None` is that of the chain.
    pub tip: Option<u64>,
    pub twist: Twist,
}

/// Four nodes by script, and what they were asked.
pub struct Network {
    nodes: Mutex<Vec<Node>>,
    pending: Mutex<Vec<UntrustedTransaction>>,
    asked: Mutex<Vec<(NodeIndex, LightRequest)>>,
    hung: Mutex<Vec<NodeIndex>>,
}

pub struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        NOW
    }
}

pub fn honest() -> Twist {
    Box::new(|_, answer| Ok(answer))
}

/// Whether somebody asks for the newest header.
pub fn for_newest(question: &LightRequest) -> bool {
    matches!(question, LightRequest::Latest | LightRequest::LatestUnless(_))
}

pub fn silent() -> Twist {
    Box::new(|_, _| Err(TransportError::Connect))
}

/// A node that lies in its answers as `lie` does, and is honest where that gives `None`.
pub fn lying(
    lie: impl Fn(&LightRequest, &LightResponse) -> Option<LightResponse> + Send + Sync + 'static,
) -> Twist {
    Box::new(move |question, answer| Ok(lie(question, &answer).unwrap_or(answer)))
}

impl Network {
    /// Four honest nodes of one chain.
    pub fn honest(chain: Chain) -> Self {
        let chain = Arc::new(Mutex::new(chain));
        let node = |_| Node { chain: chain.clone(), tip: None, twist: honest() };
        Self {
            nodes: Mutex::new((0..4).map(node).collect()),
            pending: Mutex::default(),
            asked: Mutex::default(),
            hung: Mutex::default(),
        }
    }

    #[must_use]
    pub fn with(self, index: usize, twist: Twist) -> Self {
        self.nodes.lock().unwrap()[index].twist = twist;
        self
    }

    #[must_use]
    pub fn behind(self, index: usize, tip: u64) -> Self {
        self.nodes.lock().unwrap()[index].tip = Some(tip);
        self
    }

    #[must_use]
    pub fn on_chain(self, index: usize, chain: Chain) -> Self {
        self.nodes.lock().unwrap()[index].chain = Arc::new(Mutex::new(chain));
        self
    }

    /// A node that takes the question and never answers.
    #[must_use]
    pub fn hanging(self, index: usize) -> Self {
        self.hung.lock().unwrap().push(NodeIndex(index));
        self
    }

    pub fn set_tip(&self, index: usize, tip: u64) {
        self.nodes.lock().unwrap()[index].tip = Some(tip);
    }

    pub fn change(&self, index: usize, twist: Twist) {
        self.nodes.lock().unwrap()[index].twist = twist;
    }

    /// The chain of node 0.
    pub fn chain(&self) -> Arc<Mutex<Chain>> {
        self.nodes.lock().unwrap()[0].chain.clone()
    }

    /// Takes a transaction into the next block, which is made when the next question comes.
    pub fn pend(&self, transaction: UntrustedTransaction) {
        self.pending.lock().unwrap().push(transaction);
    }

    fn make_block(&self) {
        for transaction in std::mem::take(&mut *self.pending.lock().unwrap()) {
            let chain = self.chain();
            let mut chain = chain.lock().unwrap();
            let id = transaction.transaction.id();
            if chain.answer(&LightRequest::Receipt(id), chain.tip()) == LightResponse::NotFound {
                let time = Timestamp(START.0 + chain.tip().next().0 * 1_000);
                let signed = transaction.verify(chain.people.genesis.chain_id()).unwrap();
                chain.push(vec![signed], time);
            }
        }
    }

    /// The nodes that were asked such a question, in order.
    pub fn asked(&self, which: impl Fn(&LightRequest) -> bool) -> Vec<NodeIndex> {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|(_, question)| which(question)).map(|(node, _)| *node).collect()
    }

    /// A client of this network with an empty store.
    pub fn client(self: &Arc<Self>) -> LightClient {
        self.client_with(Arc::default())
    }

    pub fn client_with(self: &Arc<Self>, store: Arc<MemoryStore>) -> LightClient {
        self.client_in(Box::new(store))
    }

    pub fn client_in(self: &Arc<Self>, store: Box<dyn ClientStore>) -> LightClient {
        self.client_over(self.clone(), store)
    }

    /// A client whose questions take another way.
    pub fn client_over(
        self: &Arc<Self>,
        transport: Arc<dyn Transport>,
        store: Box<dyn ClientStore>,
    ) -> LightClient {
        let genesis = self.chain().lock().unwrap().people.genesis.clone();
        let nodes =
            genesis.organisations.iter().map(|organisation| NodeInfo { organisation: organisation.did() });
        let params = TrustParams::default();
        let client = LightClient::new(&genesis, nodes.collect(), transport, store, params).unwrap();
        client.with_clock(Arc::new(FixedClock))
    }
}

#[cfg_attr(target_arch = "wasm32", async_trait::async_trait(?Send))]
#[cfg_attr(not(target_arch = "wasm32"), async_trait::async_trait)]
impl Transport for Network {
    async fn ask(&self, node: NodeIndex, request: &LightRequest) -> Result<LightResponse, TransportError> {
        if self.hung.lock().unwrap().contains(&node) {
            std::future::pending::<()>().await;
        }
        self.make_block();
        self.asked.lock().unwrap().push((node, request.clone()));
        let nodes = self.nodes.lock().unwrap();
        let Node { chain, tip, twist } = &nodes[node.0];
        let chain = chain.lock().unwrap();
        let tip = tip.map_or(chain.tip(), Height);
        let LightRequest::LatestUnless(known) = request else {
            return twist(request, chain.answer(request, tip));
        };
        // Who lies has the whole header to lie with, and says that it is the same only where it did not.
        let newest = chain.answer(&LightRequest::Latest, tip);
        match twist(&LightRequest::Latest, newest.clone()) {
            Ok(LightResponse::Header(header)) if newest == LightResponse::Header(header.clone()) => {
                let same = header.header.hash() == *known;
                Ok(if same { LightResponse::Unchanged } else { newest })
            }
            twisted => twisted,
        }
    }
}
