//! Passing transactions on, so that whichever validator is the primary has them.

mod journal;

use crate::mempool::Mempool;
use crate::network::{Network, PeerRequest};
use amulet_protocol::ids::{ReplicaId, TxId};
use amulet_protocol::transaction::SignedTransaction;
use journal::Journal;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};

/// How often what still waits is passed on again. What was lost on the way has to be with the primary before the backups
/// that have it run out of patience with it: two looks fit into the consensus core's progress timeout.
const AGAIN_EVERY: Duration = Duration::from_millis(500);
/// Transactions passed on again at once, the oldest that came to this node first, and as many of the others: enough to mend
/// losses, little beside the load that it comes on top of.
const AGAIN_MAX: usize = 32;
/// The look at which one is passed on again that came to this node first, and then at twice, four times as many looks and so
/// on: a transaction that waits for long under load is with everybody, and telling it again and again adds to that load.
const AGAIN_FROM_LOOK: u32 = 2;
/// The same for one that another node passed on to this one, which passes it on again itself, unless it has stopped.
const OTHERS_FROM_LOOK: u32 = 8;

/// Messages to one peer under way at once. While they are, what comes in gathers for the next: a busy node sends few
/// messages with many transactions each, an idle one sends each transaction at once.
pub const MESSAGES_UNDER_WAY_MAX: usize = 4;

/// Hands transactions to all other validators; cheap to clone.
#[derive(Clone)]
pub struct Gossip {
    network: Network,
    peers: Arc<[ReplicaId]>,
    journal: Arc<Mutex<Journal>>,
    /// The journal's end. The tasks that pass it on end with the last handle.
    end: Arc<watch::Sender<u64>>,
}

impl Gossip {
    /// Over this network, to these validators. To be called within a runtime, on which it runs a task for each of them until
    /// the last handle is dropped.
    #[must_use]
    pub fn new(network: Network, peers: impl IntoIterator<Item = ReplicaId>) -> Self {
        let journal: Arc<Mutex<Journal>> = Arc::default();
        let peers: Arc<[ReplicaId]> = peers.into_iter().collect();
        let end = watch::Sender::new(0);
        for peer in peers.iter() {
            tokio::spawn(pass_on_to(network.clone(), *peer, journal.clone(), end.subscribe()));
        }
        Self { network, peers, journal, end: Arc::new(end) }
    }

    /// Sends a transaction to the others and does not wait. It may be lost: [`Gossip::repeat`] sends it again.
    pub fn pass_on(&self, transaction: &SignedTransaction) {
        let mut journal = lock(&self.journal);
        journal.push(Arc::new(transaction.clone()));
        self.end.send_replace(journal.end());
    }

    /// Passes what waits in the queue for long on again, to each peer by itself, until the node stops: a transaction that
    /// is in this queue alone, because a message was lost or a peer was away or behind, would wait until this node is the
    /// primary.
    pub async fn repeat(self, mempool: Mempool) {
        let peers = self.peers.iter().map(|peer| repeat_to(self.network.clone(), *peer, mempool.clone()));
        futures::future::join_all(peers).await;
    }
}

fn lock(journal: &Mutex<Journal>) -> MutexGuard<'_, Journal> {
    journal.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn pass_on_to(
    network: Network,
    peer: ReplicaId,
    journal: Arc<Mutex<Journal>>,
    mut end: watch::Receiver<u64>,
) {
    let slots = Arc::new(Semaphore::new(MESSAGES_UNDER_WAY_MAX));
    let mut place = 0;
    while end.wait_for(|end| *end > place).await.is_ok() {
        let slot = slots.clone().acquire_owned().await.expect("the semaphore is never closed");
        let excerpt = lock(&journal).excerpt(place);
        place = excerpt.next;
        if excerpt.missed > 0 {
            tracing::debug!(replica = peer.0, missed = excerpt.missed, "peer too slow to be told everything");
        }
        let message = excerpt.transactions.iter().map(|found| found.as_untrusted().clone()).collect();
        let network = network.clone();
        tokio::spawn(async move {
            // What a peer does not take is passed on again while it waits.
            let _ = network.ask(peer, PeerRequest::Transactions(message)).await;
            drop(slot);
        });
    }
}

async fn repeat_to(network: Network, peer: ReplicaId, mempool: Mempool) {
    let mut seen: BTreeMap<TxId, u32> = BTreeMap::new();
    loop {
        tokio::time::sleep(AGAIN_EVERY).await;
        let (own, others) = mempool.oldest(AGAIN_MAX);
        let mut again = Vec::new();
        let mut looks = BTreeMap::new();
        for (waiting, from) in [(own, AGAIN_FROM_LOOK), (others, OTHERS_FROM_LOOK)] {
            for transaction in waiting {
                let look = seen.get(&transaction.id()).map_or(1, |look| look.saturating_add(1));
                looks.insert(transaction.id(), look);
                if look >= from && look.is_power_of_two() {
                    again.push(transaction.as_untrusted().clone());
                }
            }
        }
        seen = looks;
        if !again.is_empty() {
            network.ask(peer, PeerRequest::Transactions(again)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::network::{Command, PeerResponse};
    use crate::testing::World;
    use amulet_contracts::testing::Actor;
    use amulet_protocol::ids::{ChainId, Nonce};
    use tokio::sync::{mpsc, oneshot};

    type Told = (Vec<TxId>, oneshot::Sender<PeerResponse>);

    fn registration(chain: ChainId, seed: u64) -> SignedTransaction {
        let newcomer = Actor::new(seed);
        newcomer.sign_numbered(chain, Nonce(1), newcomer.registration())
    }

    async fn told(commands: &mut mpsc::Receiver<Command>) -> (ReplicaId, Told) {
        let Some(Command::Ask { to, request, reply }) = commands.recv().await else { panic!("no question") };
        let PeerRequest::Transactions(transactions) = *request else { panic!("another question") };
        (to, (transactions.into_iter().map(|transaction| transaction.hashed().id()).collect(), reply))
    }

    /// A peer that does not answer has few messages under way, gets the rest in one when it answers again, and keeps nothing
    /// from another.
    #[tokio::test]
    async fn transactions_gather_for_a_slow_peer_and_another_does_not_wait_for_it() {
        let world = World::new();
        let (network, mut commands, _outlets, _inboxes) = Network::channels();
        let (slow, quick) = (ReplicaId(1), ReplicaId(2));
        let gossip = Gossip::new(network, [slow, quick]);
        let all: Vec<_> = (50..70).map(|seed| registration(world.chain(), seed)).collect();
        let ids: Vec<_> = all.iter().map(SignedTransaction::id).collect();
        let mut under_way: Vec<Told> = Vec::new();
        let mut taken: BTreeMap<ReplicaId, Vec<TxId>> = BTreeMap::new();
        for transaction in &all {
            gossip.pass_on(transaction);
            while taken.get(&quick).is_none_or(|taken| !taken.contains(&transaction.id())) {
                let (to, told) = told(&mut commands).await;
                taken.entry(to).or_default().extend(&told.0);
                if to == slow {
                    under_way.push(told);
                } else {
                    told.1.send(PeerResponse::Noted).unwrap();
                }
            }
        }
        assert_eq!(taken[&quick], ids);
        assert_eq!(under_way.len(), MESSAGES_UNDER_WAY_MAX);
        under_way.remove(0).1.send(PeerResponse::Noted).unwrap();
        let (to, (rest, _)) = told(&mut commands).await;
        taken.entry(to).or_default().extend(&rest);
        assert_eq!(taken[&slow], ids);
    }

    /// The clock stands still but for sleeps, so that looks can be counted.
    #[tokio::test(start_paused = true)]
    async fn what_waits_for_long_is_passed_on_again_ever_more_rarely_and_sooner_by_whom_it_came_to_first() {
        let world = World::new();
        let (own, other) = (registration(world.chain(), 50), registration(world.chain(), 51));
        world.mempool.insert(own.clone()).unwrap();
        world.mempool.insert_from(ReplicaId(3), other.clone()).unwrap();
        let (network, mut commands, _outlets, _inboxes) = Network::channels();
        let repeating = tokio::spawn(Gossip::new(network, [ReplicaId(1)]).repeat(world.mempool.clone()));
        let start = tokio::time::Instant::now();
        let mut looks: BTreeMap<TxId, Vec<u128>> = BTreeMap::new();
        while start.elapsed() < 17 * AGAIN_EVERY {
            let Ok((_, (ids, reply))) = tokio::time::timeout(AGAIN_EVERY, told(&mut commands)).await else {
                continue;
            };
            let look = start.elapsed().as_millis() / AGAIN_EVERY.as_millis();
            ids.into_iter().for_each(|id| looks.entry(id).or_default().push(look));
            reply.send(PeerResponse::Noted).unwrap();
        }
        assert_eq!((&looks[&own.id()], &looks[&other.id()]), (&vec![2, 4, 8, 16], &vec![8, 16]));
        repeating.abort();
    }

    #[tokio::test]
    async fn what_reached_this_queue_alone_reaches_the_others_in_the_end() {
        let world = World::new();
        let newcomer = Actor::new(50);
        let transaction = newcomer.sign_numbered(world.chain(), Nonce(1), newcomer.registration());
        world.mempool.insert(transaction.clone()).unwrap();
        let gossip = world.gossip(&world.network(&[2]));
        let repeating = tokio::spawn(gossip.repeat(world.mempool.clone()));
        world.others_mempool.subscribe().wait_for(|count| *count == 1).await.unwrap();
        assert_eq!(world.others_mempool.batch(), [std::sync::Arc::new(transaction)]);
        repeating.abort();
    }
}
