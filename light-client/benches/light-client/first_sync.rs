//! A new client's first sync, from the pinned genesis document to the newest of many blocks.

use crate::clock;
use crate::consortium::{Change, LongChain};
use crate::network::{Recorder, Recording};
use amulet_light_client::{SyncPolicy, Traffic};
use amulet_protocol::light::LightRequest;
use std::sync::Arc;
use std::time::Duration;

/// The same sync again and again: at least so often, and so long that the clock's steps of a few milliseconds do not count.
const ROUNDS_MIN: u32 = 3;
const MEASURED_MIN: Duration = Duration::from_millis(200);

/// One first sync.
pub struct FirstSync {
    pub blocks: u64,
    pub validators: usize,
    pub change: Change,
    pub changes: usize,
    pub policy: SyncPolicy,
    pub traffic: Traffic,
    /// Ends of epochs that were asked for.
    pub steps: usize,
    /// The client's work, reading what it was sent included.
    pub seconds: f64,
    /// What the nodes said.
    pub recording: Arc<Recording>,
}

impl FirstSync {
    /// There and back.
    pub fn bytes(&self) -> u64 {
        self.traffic.sent + self.traffic.received
    }
}

/// Measures a first sync of this chain, once from all hospitals and once from as few as are needed.
pub async fn measure(chain: LongChain, change: Change) -> [FirstSync; 2] {
    let (blocks, changes, validators) = (chain.tip(), chain.changes(), chain.genesis.validators.len());
    let recorder = Recorder::new(chain);
    let mut syncs = Vec::new();
    for policy in [SyncPolicy::Full, SyncPolicy::Metered] {
        let recording = record(&recorder, policy).await;
        let (traffic, seconds) = replay(&recording, policy).await;
        let steps = recording.questions(is_step);
        syncs.push(FirstSync {
            blocks,
            validators,
            change,
            changes,
            policy,
            traffic,
            steps,
            seconds,
            recording,
        });
    }
    syncs.try_into().unwrap_or_else(|_| unreachable!("there are two policies"))
}

/// All that a client is told in a first sync.
pub async fn record(recorder: &Arc<Recorder>, policy: SyncPolicy) -> Arc<Recording> {
    recorder.client().sync_by(policy, recorder.now()).await.unwrap();
    recorder.take_recording()
}

async fn replay(recording: &Arc<Recording>, policy: SyncPolicy) -> (Traffic, f64) {
    let (start, mut rounds) = (clock::spent(), 0);
    loop {
        let report = recording.client().sync_by(policy, recording.now).await.unwrap();
        rounds += 1;
        let spent = clock::spent() - start;
        if rounds >= ROUNDS_MIN && spent >= MEASURED_MIN {
            let total = report.traffic.into_iter().fold(Traffic::default(), |sum, node| sum + node);
            return (total, spent.as_secs_f64() / f64::from(rounds));
        }
    }
}

fn is_step(question: &LightRequest) -> bool {
    matches!(question, LightRequest::EpochEnd(_) | LightRequest::EpochEndWithSet(_))
}
