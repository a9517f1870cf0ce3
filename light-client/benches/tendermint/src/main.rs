//! What `tendermint-light-client` does on chains like those of Amulet's own measurement: a hundred changes of one validator in
//! turn. Printed as JSON for `cargo xtask bench light-client --beside tendermint`.
//!
//! The two sign with different schemes, so work is also given in bare checks of one Ed25519 signature by the crate that it
//! uses, reading the key included, as it does for each. Bytes are of the JSON that its RPC sends.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use ed25519_consensus::{SigningKey, VerificationKey};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::hint::black_box;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tendermint::Time;
use tendermint_light_client::components::clock::FixedClock;
use tendermint_light_client::components::io::{AtHeight, IoError};
use tendermint_light_client::components::scheduler::basic_bisecting_schedule;
use tendermint_light_client::light_client::{LightClient, Options};
use tendermint_light_client::state::State;
use tendermint_light_client::store::LightStore;
use tendermint_light_client::store::memory::MemoryStore;
use tendermint_light_client::verifier::types::{LightBlock, Status, TrustThreshold};
use tendermint_light_client::verifier::{ProdVerifier, Verdict, Verifier};
use tendermint_testgen::{Commit, Generator, Header, LightBlock as Testgen, Validator};

/// Length of the chain that is skipped along.
const BLOCKS: u64 = 1_000_000;
const CHANGES: u64 = 100;
/// Validators, and headers that are checked one after another: making one of 100 validators takes the test generator a second.
const SIZES: [(usize, u64); 2] = [(4, 500), (100, 10)];
const CHECKS: u32 = 2_000;
const ROUNDS: u32 = 3;

/// Makes any block of the chain when it is asked for.
struct Chain {
    validators: usize,
    made: Mutex<BTreeMap<u64, LightBlock>>,
}

impl Chain {
    fn set_at(&self, height: u64) -> Vec<Validator> {
        let ended = |change: &u64| (change + 1) * BLOCKS / (CHANGES + 1) < height;
        let epoch = (0..CHANGES).filter(ended).count();
        let key = |place| {
            let replaced = (epoch + self.validators - 1 - place) / self.validators;
            Validator::new(&format!("{place} after {replaced}")).voting_power(50)
        };
        (0..self.validators).map(key).collect()
    }

    fn block(&self, height: u64) -> LightBlock {
        self.made.lock().unwrap().entry(height).or_insert_with(|| self.make(height)).clone()
    }

    fn make(&self, height: u64) -> LightBlock {
        let (set, next) = (self.set_at(height), self.set_at(height + 1));
        let header =
            Header::new(&set).height(height).chain_id("bench").next_validators(&next).time(time(height));
        let block =
            Testgen::new(header.clone(), Commit::new(header, 1)).validators(&set).next_validators(&next);
        let made = block.generate().unwrap();
        LightBlock::new(made.signed_header, made.validators, made.next_validators, made.provider)
    }
}

fn time(height: u64) -> Time {
    Time::from_unix_timestamp(1_700_000_000 + height as i64, 0).unwrap()
}

fn options() -> Options {
    let year = Duration::from_secs(365 * 24 * 3_600);
    Options {
        trust_threshold: TrustThreshold::ONE_THIRD,
        trusting_period: year,
        clock_drift: Duration::from_secs(5),
    }
}

fn main() {
    let bare = bare_check();
    let mut measured = Vec::new();
    for (validators, headers) in SIZES {
        let chain = Arc::new(Chain { validators, made: Mutex::default() });
        let bytes = serde_json::to_vec(&chain.block(1)).unwrap().len();
        let seconds = sequential(&chain, headers) / headers as f64;
        let quorum = validators * 2 / 3 + 1;
        measured.push(json!({
            "validators": validators,
            "headers_per_s": 1.0 / seconds,
            "bytes_per_header": bytes,
            "work_to_bare_checks_of_a_quorum": seconds / bare / quorum as f64,
            "skipping": skipping(&chain, bare),
        }));
    }
    println!("{}", json!({ "bare_checks_per_s": 1.0 / bare, "measured": measured }));
}

/// Seconds that one bare check takes.
fn bare_check() -> f64 {
    let keys: Vec<_> = (0..32).map(|seed| SigningKey::from([seed; 32])).collect();
    let message = [7; 120];
    let signed: Vec<_> =
        keys.iter().map(|key| (VerificationKey::from(key).to_bytes(), key.sign(&message))).collect();
    let start = spent();
    for check in 0..CHECKS {
        let (key, signature) = &signed[check as usize % signed.len()];
        VerificationKey::try_from(*key).unwrap().verify(signature, black_box(&message)).unwrap();
    }
    (spent() - start).as_secs_f64() / f64::from(CHECKS)
}

/// Seconds for so many headers, each checked after the one before.
fn sequential(chain: &Chain, headers: u64) -> f64 {
    let blocks: Vec<_> = (1..=headers + 1).map(|height| chain.block(height)).collect();
    let (verifier, now) = (ProdVerifier::default(), time(BLOCKS));
    let start = spent();
    for pair in blocks.windows(2) {
        let (before, next) = (pair[0].as_trusted_state(), pair[1].as_untrusted_state());
        assert_eq!(verifier.verify_update_header(next, before, &options(), now), Verdict::Success);
    }
    (spent() - start).as_secs_f64()
}

/// From the first block to the last, the blocks in between by bisection.
fn skipping(chain: &Arc<Chain>, bare: f64) -> Value {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let sync = || {
        let (nodes, log) = (Arc::clone(chain), Arc::clone(&asked));
        let fetch = move |at: AtHeight| -> Result<LightBlock, IoError> {
            let AtHeight::At(height) = at else { unreachable!("a height is asked for") };
            log.lock().unwrap().push(height.value());
            Ok(nodes.block(height.value()))
        };
        let client = LightClient::new(
            chain.block(1).provider,
            options(),
            FixedClock::new(time(BLOCKS)),
            basic_bisecting_schedule,
            ProdVerifier::default(),
            fetch,
        );
        let mut store = MemoryStore::new();
        store.insert(chain.block(1), Status::Trusted);
        let mut state = State::new(store);
        let newest = client.verify_to_target(BLOCKS.try_into().unwrap(), &mut state).unwrap();
        assert_eq!(newest.height().value(), BLOCKS);
    };
    // The first time makes the blocks.
    sync();
    asked.lock().unwrap().clear();
    let start = spent();
    (0..ROUNDS).for_each(|_| sync());
    let seconds = (spent() - start).as_secs_f64() / f64::from(ROUNDS);
    let asked = asked.lock().unwrap();
    let heights = &asked[..asked.len() / ROUNDS as usize];
    let bytes: usize =
        heights.iter().map(|height| serde_json::to_vec(&chain.block(*height)).unwrap().len()).sum();
    json!({ "blocks": BLOCKS, "headers": heights.len(), "bytes": bytes, "seconds": seconds, "bare_checks": seconds / bare })
}

/// What this thread has had of a processor (Linux; elsewhere the clock on the wall).
fn spent() -> Duration {
    static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split_whitespace().next()?.parse().ok())
        .map_or_else(|| START.elapsed(), Duration::from_nanos)
}
