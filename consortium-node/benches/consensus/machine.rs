//! What the numbers were measured on, and the cost of a signature there.

use amulet_crypto::entropy::SeededEntropy;
use amulet_crypto::signing::{ChainTag, PreparedKey, SigningContext, SigningKey, USER_ID, raw};
use sm2::dsa::signature::Verifier;
use std::fs;
use std::hint::black_box;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

const ROUNDS: usize = 9;
const ROUND: Duration = Duration::from_millis(50);
/// Keys and signatures taken in turn.
const KEYS: usize = 32;

/// The machine.
pub struct Machine {
    pub processor: String,
    pub cores: usize,
    /// Programs running or wanting to, over the last minute, when the measurement began: above 0.3, others disturb it.
    pub load: f64,
}

impl Machine {
    pub fn here() -> Self {
        let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let name = processors.lines().find_map(|line| line.strip_prefix("model name"));
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        Self {
            processor: name.map_or("unknown", |name| name.trim_start_matches([' ', '\t', ':'])).to_owned(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            load: load.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or(0.0),
        }
    }
}

/// Checks of SM2 signatures over 250 bytes a second, on one core.
pub struct Verification {
    /// By the crate `sm2`, as the reference.
    pub reference: f64,
    /// Of any key.
    pub any_key: f64,
    /// Of a known key.
    pub known_key: f64,
}

impl Verification {
    /// The three take turns, and the median round counts.
    pub fn measure() -> Self {
        let (mut entropy, chain, context) =
            (SeededEntropy::new(1), ChainTag([7; 32]), SigningContext::Transaction);
        let message = [5; 250];
        let keys: Vec<_> = (0..KEYS).map(|_| SigningKey::generate(&mut entropy)).collect();
        let signed: Vec<_> = keys.iter().map(|key| key.sign(context, &chain, &message)).collect();
        let bare: Vec<_> =
            keys.iter().map(|key| raw::sign_with_id(key, USER_ID, &message).unwrap()).collect();
        let known: Vec<_> =
            keys.iter().take(4).map(|key| PreparedKey::new(key.public_key().clone())).collect();
        let reference = |i: usize| {
            let key =
                sm2::dsa::VerifyingKey::from_sec1_bytes(USER_ID, keys[i].public_key().as_bytes()).unwrap();
            let signature = sm2::dsa::Signature::from_slice(bare[i].as_bytes()).unwrap();
            (key, signature)
        };
        let references: Vec<_> = (0..KEYS).map(reference).collect();
        let mut rounds: [Vec<f64>; 3] = Default::default();
        for _ in 0..ROUNDS {
            rounds[0].push(per_second(|i| {
                let (key, signature) = &references[i % KEYS];
                key.verify(black_box(&message), signature).unwrap();
            }));
            rounds[1].push(per_second(|i| {
                let i = i % KEYS;
                keys[i].public_key().verify(context, &chain, black_box(&message), &signed[i]).unwrap();
            }));
            rounds[2].push(per_second(|i| {
                let i = i % known.len();
                known[i].verify(context, &chain, black_box(&message), &signed[i]).unwrap();
            }));
        }
        let [reference, any_key, known_key] = rounds.map(|mut rounds| {
            rounds.sort_by(f64::total_cmp);
            rounds[ROUNDS / 2]
        });
        Self { reference, any_key, known_key }
    }
}

fn per_second(mut work: impl FnMut(usize)) -> f64 {
    let (start, mut runs) = (thread_time(), 0);
    loop {
        for _ in 0..KEYS {
            work(runs);
            runs += 1;
        }
        let passed = thread_time() - start;
        if passed > ROUND {
            return runs as f64 / passed.as_secs_f64();
        }
    }
}

/// What this thread has had of a processor (Linux; elsewhere the clock on the wall).
pub fn thread_time() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split_whitespace().next()?.parse().ok())
        .map_or_else(|| START.elapsed(), Duration::from_nanos)
}
