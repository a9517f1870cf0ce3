//! Syncs on a metered link, and those that nobody asked for.

use crate::chain::{Chain, NOW};
use crate::network::{Network, for_newest, lying, silent};
use crate::test;
use amulet_light_client::client::Standing;
use amulet_light_client::{LightError, NodeIndex, NodeVerdict, SyncPolicy, TransportError};
use amulet_protocol::ids::Height;
use amulet_protocol::light::{LightRequest, LightResponse};
use std::sync::Arc;

fn looked_at(network: &Network) -> Vec<NodeIndex> {
    network.asked(for_newest)
}

#[test]
async fn on_a_metered_link_only_the_witnesses_are_asked() {
    let network = Arc::new(Network::honest(Chain::new(3)));
    let client = network.client();
    let report = client.sync_by(SyncPolicy::Metered, NOW).await.unwrap();
    assert_eq!((report.head.height(), report.agreeing), (Height(3), 2));
    assert_eq!(looked_at(&network).len(), 2);
    let spared = report.nodes.iter().filter(|(_, verdict)| *verdict == NodeVerdict::NotAsked);
    assert_eq!(spared.count(), 2);
    let bytes = |traffic: &[amulet_light_client::Traffic]| {
        traffic.iter().map(|node| node.received + node.sent).sum::<u64>()
    };
    let full = network.client().sync(NOW).await.unwrap();
    assert!(bytes(&report.traffic) < bytes(&full.traffic));
    assert!(client.standings().iter().all(|standing| *standing == Standing::Good), "nobody is blamed");
}

#[test]
async fn others_are_asked_in_the_place_of_those_that_fail_or_lie() {
    let forged = lying(|question, answer| match (question, answer.clone()) {
        (LightRequest::Latest, LightResponse::Header(mut header)) => {
            header.certificate.signatures.clear();
            Some(LightResponse::Header(header))
        }
        _ => None,
    });
    let network = Arc::new(Network::honest(Chain::new(3)).with(0, silent()).with(1, forged));
    let report = network.client().sync_by(SyncPolicy::Metered, NOW).await.unwrap();
    assert_eq!(report.agreeing, 2);
    assert!(matches!(report.nodes[0].1, NodeVerdict::Unreachable(TransportError::Connect)));
    assert!(matches!(report.nodes[1].1, NodeVerdict::Forged(_)));
    assert!(matches!(report.nodes[2].1, NodeVerdict::Agrees { .. }));
    assert!(matches!(report.nodes[3].1, NodeVerdict::Agrees { .. }));
}

#[test]
async fn with_nobody_there_all_were_tried() {
    let network = Network::honest(Chain::new(3)).with(0, silent()).with(1, silent());
    let network = Arc::new(network.with(2, silent()).with(3, silent()));
    let failed = network.client().sync_by(SyncPolicy::Metered, NOW).await;
    assert_eq!(failed, Err(LightError::Unreachable { asked: 4 }));
    assert_eq!(looked_at(&network).len(), 4);
}

#[test]
async fn one_alone_is_believed_on_no_link() {
    let network = Network::honest(Chain::new(3)).with(1, silent()).with(2, silent()).with(3, silent());
    let client = Arc::new(network).client();
    let failed = client.sync_by(SyncPolicy::Metered, NOW).await;
    assert!(matches!(failed, Err(LightError::TooFewWitnesses { agreeing: 1, needed: 2, .. })), "{failed:?}");
    assert_eq!(client.trusted(), None);
}

#[test]
async fn when_the_few_disagree_all_are_heard() {
    let network = Arc::new(Network::honest(Chain::new(3)).on_chain(1, Chain::forked(3, 2)));
    let failed = network.client().sync_by(SyncPolicy::Metered, NOW).await;
    let Err(LightError::Disagreement(found)) = failed else { panic!("{failed:?}") };
    let mut sides = [found.left.nodes, found.right.nodes];
    sides.sort();
    assert_eq!(sides, [vec![NodeIndex(0), NodeIndex(2), NodeIndex(3)], vec![NodeIndex(1)]]);
}

#[cfg(not(target_arch = "wasm32"))]
mod schedule {
    use super::*;
    use amulet_crypto::entropy::SeededEntropy;
    use amulet_light_client::{Background, Clock, LightClient, MemoryStore, Transport};
    use amulet_protocol::ids::Timestamp;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;
    use tokio::time::{Instant, sleep};

    const HOUR: Duration = Duration::from_secs(3_600);

    /// Goes on with the runtime's time.
    struct Running(Instant);

    impl Clock for Running {
        fn now(&self) -> Timestamp {
            NOW.plus_millis(u64::try_from(self.0.elapsed().as_millis()).unwrap())
        }
    }

    /// A client that synchronises in the background, and how often it began to.
    struct Kept {
        background: Arc<Background>,
        begun: Arc<AtomicUsize>,
    }

    fn keep(client: LightClient) -> Kept {
        let clock = Running(Instant::now());
        let (background, begun) = (Arc::new(Background::default()), Arc::new(AtomicUsize::new(0)));
        let kept = Kept { background: background.clone(), begun: begun.clone() };
        tokio::spawn(async move {
            let sync = |policy| {
                begun.fetch_add(1, Ordering::Relaxed);
                let done = client.sync_by(policy, NOW);
                async { done.await.is_ok() }
            };
            background.run(&clock, SeededEntropy::new(1), sync).await;
        });
        kept
    }

    impl Kept {
        fn begun(&self) -> usize {
            self.begun.load(Ordering::Relaxed)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_goes_on_by_itself_until_it_is_paused_and_again_after() {
        let network = Arc::new(Network::honest(Chain::new(3)));
        let kept = keep(network.client());
        sleep(Duration::from_secs(1)).await;
        assert_eq!(kept.begun(), 1, "at once");
        assert!(kept.background.status().succeeded.is_some());
        sleep(3 * HOUR).await;
        assert_eq!(kept.begun(), 4);
        kept.background.set_paused(true);
        sleep(24 * HOUR).await;
        assert_eq!(kept.begun(), 4);
        kept.background.set_paused(false);
        sleep(Duration::from_secs(1)).await;
        assert_eq!(kept.begun(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn a_network_that_comes_back_is_noticed() {
        let network = Arc::new(Network::honest(Chain::new(3)));
        (0..4).for_each(|node| network.change(node, silent()));
        let kept = keep(network.client());
        sleep(HOUR).await;
        let status = kept.background.status();
        assert!((4..=12).contains(&status.failures), "{status:?}");
        (0..4).for_each(|node| network.change(node, crate::network::honest()));
        sleep(HOUR).await;
        assert_eq!(kept.background.status().failures, 0);
    }

    /// Takes a tenth of a second for each answer.
    struct Slow(Arc<Network>);

    #[async_trait::async_trait]
    impl Transport for Slow {
        async fn ask(
            &self,
            node: NodeIndex,
            request: &LightRequest,
        ) -> Result<LightResponse, TransportError> {
            sleep(Duration::from_millis(100)).await;
            self.0.ask(node, request).await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_breaks_a_sync_off_and_what_it_reached_is_not_lost() {
        let network = Arc::new(Network::honest(Chain::turning(10, &[2, 3, 5, 6, 8, 9])));
        let store = Arc::new(MemoryStore::default());
        let slow = Arc::new(Slow(network.clone()));
        let kept = keep(network.client_over(slow, Box::new(store.clone())));
        sleep(Duration::from_millis(650)).await;
        assert!(kept.background.status().under_way.is_some());
        kept.background.set_paused(true);
        sleep(HOUR).await;
        let status = kept.background.status();
        assert_eq!((status.under_way, status.succeeded, status.failures), (None, None, 0));
        let progress = amulet_light_client::store::Kept::new(Box::new(store)).progress().await.unwrap();
        assert!(progress.is_some_and(|progress| !progress.trail.is_empty()));
        kept.background.set_paused(false);
        sleep(Duration::from_secs(60)).await;
        assert!(kept.background.status().succeeded.is_some());
    }
}
