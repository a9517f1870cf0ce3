//! Two ways to each node: libp2p, and HTTPS where a network lets nothing else through.

use super::race::race;
use super::{NodeIndex, Transport, TransportError};
use amulet_protocol::addresses::NodeAddress;
use amulet_protocol::light::{LightRequest, LightResponse};
use std::sync::Arc;
use std::time::Duration;

/// How long the first way has before the second is tried beside it: longer than a good answer takes, or each question on a
/// slow line would be paid for twice.
const FALL_BACK_AFTER: Duration = Duration::from_secs(3);

/// Asks by one transport, and by another when the first fails or takes long. A question that both carry is answered twice
/// and does no harm: none of them means something else the second time.
pub struct FallbackTransport {
    first: Arc<dyn Transport>,
    second: Arc<dyn Transport>,
}

impl FallbackTransport {
    /// Prefers `first`; both know the same nodes in the same order.
    #[must_use]
    pub fn new(first: Arc<dyn Transport>, second: Arc<dyn Transport>) -> Self {
        Self { first, second }
    }
}

#[cfg_attr(target_arch = "wasm32", async_trait::async_trait(?Send))]
#[cfg_attr(not(target_arch = "wasm32"), async_trait::async_trait)]
impl Transport for FallbackTransport {
    async fn ask(&self, node: NodeIndex, request: &LightRequest) -> Result<LightResponse, TransportError> {
        race([&self.first, &self.second].map(|way| way.ask(node, request)), FALL_BACK_AFTER).await
    }

    fn learn(&self, node: NodeIndex, addresses: &[NodeAddress]) {
        self.first.learn(node, addresses);
        self.second.learn(node, addresses);
    }

    fn join(&self, node: NodeIndex, addresses: &[NodeAddress]) {
        self.first.join(node, addresses);
        self.second.join(node, addresses);
    }
}
