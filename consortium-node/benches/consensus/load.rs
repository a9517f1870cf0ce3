//! Clients: what they send, how fast, and what came of it.

use crate::cluster::{Cluster, Node};
use crate::process::process_seconds;
use amulet_contracts::testing::Actor;
use amulet_node::ledger::Ledger;
use amulet_protocol::ids::{ChainId, Did, Nonce};
use amulet_protocol::light::{LightRequest, LightResponse};
use amulet_protocol::transaction::UntrustedTransaction;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Latencies of what is committed before this has passed do not count: the first blocks are not full.
const WARM_UP: Duration = Duration::from_secs(1);
/// How long the last transactions of a run may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Submissions that one client has open with each replica; a replica turns away more than 64.
const SUBMISSIONS: usize = 16;
/// How long a client waits when a replica is busy.
const BUSY: Duration = Duration::from_millis(5);
/// Transactions a second that are prepared for a run whose speed is not known.
const FASTEST: f64 = 6_000.0;

/// How fast clients send.
#[derive(Clone, Copy, Debug)]
pub enum Load {
    /// As fast as this many under way allow.
    InFlight(usize),
    /// So many a second, whatever becomes of them.
    PerSecond(f64),
}

/// What came of a run.
pub struct Run {
    /// Of what was committed after the warm-up.
    pub latencies: Vec<Duration>,
    /// From the first submission to the last commit, with everything in it.
    pub total: Totals,
}

/// Of a whole run.
pub struct Totals {
    pub transactions: usize,
    /// Not committed [`PATIENCE`] after the last was sent.
    pub uncommitted: usize,
    pub time: Duration,
    pub process_seconds: f64,
    pub messages: u64,
    pub bytes: u64,
    pub blocks: u64,
    /// Views that were given up.
    pub views: u64,
}

impl Run {
    /// From the first submission to the last commit: somewhat less than in the middle, when all blocks are full.
    pub fn per_second(&self) -> f64 {
        self.total.transactions as f64 / self.total.time.as_secs_f64()
    }

    /// The latency that this part of the transactions does not exceed, in milliseconds.
    pub fn latency_ms(&self, part: f64) -> f64 {
        let mut sorted = self.latencies.clone();
        sorted.sort();
        let index = ((sorted.len() as f64 * part).ceil() as usize).clamp(1, sorted.len().max(1)) - 1;
        sorted.get(index).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1_000.0)
    }
}

/// Where distinct senders come from: each registers once.
#[derive(Default)]
pub struct People {
    used: Cell<u64>,
}

impl People {
    /// Signs the registrations of `count` people who have sent nothing yet, on all cores.
    fn registrations(&self, count: usize, chain: ChainId) -> Vec<UntrustedTransaction> {
        let first = self.used.replace(self.used.get() + count as u64);
        let seeds: Vec<u64> = (first..first + count as u64).collect();
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let sign = |seed: &u64| {
            let actor = Actor::new(*seed);
            actor.sign_numbered(chain, Nonce(1), actor.registration()).as_untrusted().clone()
        };
        thread::scope(|scope| {
            let shares: Vec<_> = seeds
                .chunks(count.div_ceil(cores).max(1))
                .map(|share| scope.spawn(move || share.iter().map(sign).collect::<Vec<_>>()))
                .collect();
            shares.into_iter().flat_map(|share| share.join().unwrap()).collect()
        })
    }
}

/// What is under way, and what was committed when.
#[derive(Default)]
struct Book {
    sent: Mutex<BTreeMap<Did, Instant>>,
    committed: Mutex<Vec<(Instant, Duration)>>,
}

/// Sends for `time`, then waits for the last.
pub async fn run(cluster: &Cluster, people: &People, load: Load, time: Duration) -> Run {
    let rate = match load {
        Load::InFlight(_) => FASTEST,
        Load::PerSecond(rate) => rate,
    };
    let count = (rate * time.as_secs_f64()).ceil() as usize;
    let transactions = people.registrations(count, cluster.observer().ledger.chain());
    let window = Arc::new(Semaphore::new(match load {
        Load::InFlight(most) => most,
        Load::PerSecond(_) => count,
    }));
    let book = Arc::new(Book::default());
    let before = Counters::of(cluster);
    let watching = tokio::spawn(watch(cluster.observer().ledger.clone(), book.clone(), window.clone()));
    let start = Instant::now();
    send(cluster, transactions, load, time, &book, &window).await;
    let sent_until = Instant::now();
    let deadline = sent_until + PATIENCE;
    while !book.sent.lock().unwrap().is_empty() && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    watching.abort();
    let uncommitted = book.sent.lock().unwrap().len();
    let committed = std::mem::take(&mut *book.committed.lock().unwrap());
    let end = committed.iter().map(|(at, _)| *at).max().unwrap_or(sent_until);
    let total = Totals { uncommitted, ..before.until(cluster, committed.len(), end - start) };
    let counted = committed.into_iter().filter(|(at, _)| *at - start > WARM_UP);
    Run { latencies: counted.map(|(_, took)| took).collect(), total }
}

async fn send(
    cluster: &Cluster,
    transactions: Vec<UntrustedTransaction>,
    load: Load,
    time: Duration,
    book: &Arc<Book>,
    window: &Arc<Semaphore>,
) {
    let start = Instant::now();
    let open = Arc::new(Semaphore::new(SUBMISSIONS * cluster.honest().len()));
    let mut submissions = JoinSet::new();
    for (index, transaction) in transactions.into_iter().enumerate() {
        if let Load::PerSecond(rate) = load {
            tokio::time::sleep_until((start + Duration::from_secs_f64(index as f64 / rate)).into()).await;
        }
        // The watcher gives a place back for each commit.
        window.acquire().await.unwrap().forget();
        if start.elapsed() > time {
            break;
        }
        book.sent.lock().unwrap().insert(transaction.transaction.sender, Instant::now());
        let slot = open.clone().acquire_owned().await.unwrap();
        let node = &cluster.honest()[index % cluster.honest().len()];
        let light = node.light.clone();
        submissions.spawn(async move {
            let _slot = slot;
            loop {
                match light.answer(LightRequest::Submit(transaction.clone())).await {
                    LightResponse::Submitted(_) => return,
                    _ => tokio::time::sleep(BUSY).await,
                }
            }
        });
        while submissions.try_join_next().is_some() {}
    }
    submissions.join_all().await;
}

/// Notes when what was sent is in a block on the observer's disk.
async fn watch(ledger: Ledger, book: Arc<Book>, window: Arc<Semaphore>) {
    let mut tips = ledger.subscribe();
    let mut height = tips.borrow_and_update().height;
    while tips.changed().await.is_ok() {
        let (tip, now) = (tips.borrow_and_update().height, Instant::now());
        while height < tip {
            height = height.next();
            let block = ledger.block(height).unwrap().unwrap().block;
            let mut sent = book.sent.lock().unwrap();
            let mut committed = book.committed.lock().unwrap();
            for transaction in &block.transactions {
                if let Some(at) = sent.remove(&transaction.transaction.sender) {
                    committed.push((now, now - at));
                    window.add_permits(1);
                }
            }
        }
    }
}

struct Counters {
    process_seconds: f64,
    messages: u64,
    bytes: u64,
    height: u64,
    view: u64,
}

impl Counters {
    fn of(cluster: &Cluster) -> Self {
        let sum = |of: fn(&Node) -> u64| cluster.nodes.iter().map(of).sum();
        Self {
            process_seconds: process_seconds(),
            messages: sum(|node| node.network.traffic().messages()),
            bytes: sum(|node| node.network.traffic().bytes()),
            height: cluster.observer().ledger.tip().height.0,
            view: cluster.observer().view(),
        }
    }

    fn until(self, cluster: &Cluster, transactions: usize, time: Duration) -> Totals {
        let now = Self::of(cluster);
        Totals {
            transactions,
            time,
            process_seconds: now.process_seconds - self.process_seconds,
            messages: now.messages - self.messages,
            bytes: now.bytes - self.bytes,
            blocks: now.height - self.height,
            views: now.view - self.view,
            uncommitted: 0,
        }
    }
}
