//! Checks that nobody asked for.

use amulet_app_api::ApiError;
use amulet_app_api::checking::{BackgroundView, HospitalTrafficView, SetBackground};
use amulet_crypto::entropy::SystemEntropy;
use amulet_light_client::{Background, NodeInfo, SyncPolicy, Traffic};

use super::Service;
use super::error::storage;
use crate::store::DeviceStore;

/// How long the addresses that the ledger has of the hospitals' nodes are used before it is read again, in milliseconds: a day.
const NODES_FRESH_MS: u64 = 24 * 3_600_000;

/// File with what the person chose, for all wallets of the device.
const BACKGROUND_FILE: &str = "background";

/// What the person chose.
#[derive(Clone, Copy, Default)]
struct Chosen {
    paused: bool,
    metered: bool,
}

impl Chosen {
    fn policy(self) -> SyncPolicy {
        if self.metered { SyncPolicy::Metered } else { SyncPolicy::Full }
    }

    fn text(self) -> String {
        let (paused, metered) = (u8::from(self.paused), u8::from(self.metered));
        format!("paused={paused} metered={metered}")
    }

    /// What a file says; nothing if it is not one of these.
    fn read(text: &[u8]) -> Option<Self> {
        let all = [false, true].map(|paused| [false, true].map(|metered| Self { paused, metered }));
        all.into_iter().flatten().find(|chosen| chosen.text().as_bytes() == text)
    }
}

/// The schedule as the person left it. One that was not kept, or cannot be read, checks as usual: nobody is to be left
/// unwarned by a damaged file.
pub(super) fn schedule_of(store: &dyn DeviceStore) -> Background {
    let kept = store.read(BACKGROUND_FILE).ok().flatten();
    let chosen = kept.and_then(|text| Chosen::read(&text)).unwrap_or_default();
    let background = Background::new(chosen.policy());
    background.set_paused(chosen.paused);
    background
}

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
            usage: self.usage(),
        }
    }

    /// Pauses, or spares a metered link, at once; kept for the next start. If it cannot be kept, that is the error.
    pub(super) fn set_background(&self, call: &SetBackground) -> Result<BackgroundView, ApiError> {
        let chosen = Chosen { paused: call.paused, metered: call.metered };
        self.background.set_policy(chosen.policy(), self.now());
        self.background.set_paused(chosen.paused);
        self.store.write(BACKGROUND_FILE, chosen.text().as_bytes()).map_err(storage)?;
        Ok(self.background())
    }

    async fn check_unasked(&self, policy: SyncPolicy) -> bool {
        let synced = self.client.sync_by(policy, self.now()).await;
        if synced.is_ok() {
            self.learn_names(None).await;
        }
        self.note_check(&synced);
        self.note_usage();
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
        if read_at.is_some_and(|read_at| now.abs_diff(read_at) < NODES_FRESH_MS) {
            return;
        }
        if self.client.read_addresses().await.is_ok() {
            self.state().nodes_read_at = Some(now);
        }
    }

    fn traffic_view(&self, node: &NodeInfo, traffic: Traffic) -> HospitalTrafficView {
        let Traffic { questions, sent, received, .. } = traffic;
        HospitalTrafficView { hospital: self.hospital_view(&node.organisation), questions, sent, received }
    }
}
