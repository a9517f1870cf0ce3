//! How many SM2 signatures are checked a second, against the crate `sm2` in the same run; and whether both always judge
//! alike.
//!
//! `cargo xtask bench sm2` measures; `cargo xtask bench sm2 --cases N` compares N signatures on all processors. Rounds of
//! all measurements take turns, so that a disturbance meets them all; the median round counts.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "../tests/support/differential.rs"]
mod differential;

use std::hint::black_box;
use std::sync::LazyLock;
use std::thread;
use std::time::{Duration, Instant};

use amulet_crypto::entropy::SeededEntropy;
use amulet_crypto::signing::{ChainTag, PreparedKey, PublicKey, SigningContext, SigningKey, USER_ID, raw};
use sm2::dsa::signature::Verifier;

const ROUNDS: usize = 15;
const ROUND: Duration = Duration::from_millis(40);
/// Runs between looks at the clock.
const CLOCK_EVERY: usize = 16;
/// Signatures taken in turn, so that branches and caches are not trained on one.
const SIGNATURES: usize = 64;
/// What is measured; given the number of the run.
type Work<'a> = Box<dyn FnMut(usize) + 'a>;

const CHAIN: ChainTag = ChainTag([3; 32]);
const CONTEXT: SigningContext = SigningContext::Transaction;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.iter().position(|argument| argument == "--cases") {
        Some(at) => compare(arguments.get(at + 1).and_then(|cases| cases.parse().ok()).unwrap()),
        None => measure(),
    }
}

fn compare(cases: u64) {
    let workers = thread::available_parallelism().map_or(1, |workers| workers.get() as u64);
    let start = Instant::now();
    let compared: Vec<_> = thread::scope(|scope| {
        let share =
            |worker| scope.spawn(move || differential::compare(1_000 + worker, cases.div_ceil(workers)));
        let workers: Vec<_> = (0..workers).map(share).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    let sum = |of: fn(&differential::Compared) -> u64| compared.iter().map(of).sum::<u64>();
    let (accepted, refused) = (sum(|compared| compared.accepted), sum(|compared| compared.refused));
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{} signatures judged alike, {accepted} right and {refused} wrong, in {seconds:.0} s",
        accepted + refused
    );
}

fn measure() {
    let mut entropy = SeededEntropy::new(1);
    let keys: Vec<SigningKey> = (0..SIGNATURES).map(|_| SigningKey::generate(&mut entropy)).collect();
    let message = [7; 300];
    let signatures: Vec<_> = keys.iter().map(|key| key.sign(CONTEXT, &CHAIN, &message)).collect();
    let bare: Vec<_> = keys.iter().map(|key| raw::sign_with_id(key, USER_ID, &message).unwrap()).collect();
    let references: Vec<_> = keys
        .iter()
        .zip(&bare)
        .map(|(key, signature)| {
            let key = sm2::PublicKey::from_sec1_bytes(key.public_key().as_bytes()).unwrap();
            (key, sm2::dsa::Signature::from_slice(signature.as_bytes()).unwrap())
        })
        .collect();
    let known: Vec<_> = keys.iter().take(4).map(|key| PreparedKey::new(key.public_key().clone())).collect();
    let mut works: Vec<(&str, Work)> = vec![
        (
            "verify, crate sm2",
            Box::new(|i| {
                let (key, signature) = &references[i % SIGNATURES];
                let key = sm2::dsa::VerifyingKey::new(USER_ID, *key).unwrap();
                key.verify(black_box(&message), signature).unwrap();
            }),
        ),
        (
            "verify, any key",
            Box::new(|i| {
                let i = i % SIGNATURES;
                keys[i].public_key().verify(CONTEXT, &CHAIN, black_box(&message), &signatures[i]).unwrap();
            }),
        ),
        (
            "verify, known key",
            Box::new(|i| {
                let i = i % known.len();
                known[i].verify(CONTEXT, &CHAIN, black_box(&message), &signatures[i]).unwrap();
            }),
        ),
        (
            "sign",
            Box::new(|i| {
                black_box(keys[i % SIGNATURES].sign(CONTEXT, &CHAIN, black_box(&message)));
            }),
        ),
        (
            "read a key, crate sm2",
            Box::new(|i| {
                let bytes = keys[i % SIGNATURES].public_key().as_bytes();
                black_box(sm2::PublicKey::from_sec1_bytes(black_box(bytes)).unwrap());
            }),
        ),
        (
            "read a key",
            Box::new(|i| {
                let bytes = keys[i % SIGNATURES].public_key().as_bytes();
                black_box(PublicKey::from_bytes(black_box(bytes)).unwrap());
            }),
        ),
        (
            "prepare a key",
            Box::new(|i| {
                black_box(PreparedKey::new(keys[i % SIGNATURES].public_key().clone()));
            }),
        ),
    ];
    let mut rounds = vec![Vec::new(); works.len()];
    for _ in 0..ROUNDS {
        for ((_, work), rounds) in works.iter_mut().zip(&mut rounds) {
            rounds.push(per_second(work));
        }
    }
    let median = |rounds: &mut Vec<f64>| {
        rounds.sort_by(f64::total_cmp);
        (rounds[ROUNDS / 2], rounds[ROUNDS - 1])
    };
    let measured: Vec<_> = rounds.iter_mut().map(median).collect();
    let reference = measured[0].0;
    println!("{:<24}{:>12}{:>12}  median ÷ crate sm2's verify", "a second, on one core", "median", "best");
    for ((name, _), (median, best)) in works.iter().zip(measured) {
        println!("{name:<24}{median:>12.0}{best:>12.0}  {:.2}", median / reference);
    }
}

fn per_second(work: &mut dyn FnMut(usize)) -> f64 {
    let start = processor_time();
    let mut runs = 0;
    loop {
        for _ in 0..CLOCK_EVERY {
            work(runs);
            runs += 1;
        }
        let passed = processor_time() - start;
        if passed > ROUND {
            return runs as f64 / passed.as_secs_f64();
        }
    }
}

/// What this thread has had of a processor, so that other programs disturb less (Linux; elsewhere the clock on the wall).
fn processor_time() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split_whitespace().next()?.parse().ok())
        .map_or_else(|| START.elapsed(), Duration::from_nanos)
}
