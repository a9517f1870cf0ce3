//! Checks that nobody asked for.

use amulet_app_api::checking::{BackgroundView, HospitalTrafficView, SetBackground};
use amulet_crypto::entropy::SystemEntropy;
use amulet_light_client::{NodeInfo, SyncPolicy, Traffic};

use super::Service;

/// How long the addresses that the ledger has of the hospitals' nodes are used before it is read again, in milliseconds: a day.
const NODES_FRESH_MS: u64 = 24 * 3_600_000;

impl Service {
    /// Checks with the hospitals whenever that is due, for as long as this is polled: whoever hosts the service spawns it,
    /// once.
    pub async fn keep_checking(&self) {
        let clock = &*self.clock;
        self.background.run(clock, SystemEntropy, |policy| self.check_unasked(policy)).await;
    }

    /// What goes on in the background.
    pub(super) fn background(&self) -> BackgroundView {
        let status = self.background.status();
        let traffic = self.client.nodes().into_iter().zip(self.client.traffic());
        BackgroundView {
            paused: status.paused,
            metered: status.policy == SyncPolicy::Metered,
            under_way: status.under_way.map(|time| time.0),
            succeeded: status.succeeded.map(|time| time.0),
            next: status.next.map(|time| time.0),
            failures: status.failures,
            traffic: traffic.map(|(node, traffic)| self.traffic_view(&node, traffic)).collect(),
        }
    }

    /// Pauses, or spares a metered link.
    pub(super) fn set_background(&self, call: &SetBackground) -> BackgroundView {
        let policy = if call.metered { SyncPolicy::Metered } else { SyncPolicy::Full };
        self.background.set_policy(policy, self.now());
        self.background.set_paused(call.paused);
        self.background()
    }

    async fn check_unasked(&self, policy: SyncPolicy) -> bool {
        let synced = self.client.sync_by(policy, self.now()).await;
        self.note_check(&synced);
        let Ok(report) = synced else { return false };
        self.state().checked = Some(self.checked_view(&report));
        if policy == SyncPolicy::Full {
            self.learn_of_nodes().await;
        }
        true
    }

    /// Reads what the ledger says of the hospitals' nodes: how well they served others, and where they are. Without it the
    /// addresses of the network file do.
    async fn learn_of_nodes(&self) {
        self.read_scores_if_old().await;
        let now = self.now().0;
        let read_at = self.state().nodes_read_at;
        if read_at.is_some_and(|read_at| now.saturating_sub(read_at) < NODES_FRESH_MS) {
            return;
        }
        if self.client.read_addresses().await.is_ok() {
            self.state().nodes_read_at = Some(now);
        }
    }

    fn traffic_view(&self, node: &NodeInfo, traffic: Traffic) -> HospitalTrafficView {
        let Traffic { questions, sent, received, .. } = traffic;
        HospitalTrafficView { hospital: self.network.hospital(&node.organisation), questions, sent, received }
    }
}
