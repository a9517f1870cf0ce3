//! What work costs on a machine.

use crate::cast::Cast;
use crate::time::Micros;
use amulet_crypto::signing::{ChainTag, PreparedKey, SigningContext};
use serde::Serialize;
use std::fs;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// Time that a replica's machine takes for what.
#[derive(Clone, Debug, Serialize)]
pub struct Costs {
    /// Processors that check signatures and execute.
    pub processors: usize,
    /// Signing a message.
    pub sign: Micros,
    /// Checking a validator's vote.
    pub check_vote: Micros,
    /// Checking a client's signature.
    pub check_transaction: Micros,
    /// Executing one transaction.
    pub execute: Micros,
    /// A durable write.
    pub sync: Micros,
    /// Bytes of one transaction.
    pub transaction_bytes: usize,
    /// Bytes that leave a machine in a microsecond: 125 are one gigabit a second.
    pub line_bytes_per_us: u64,
}

/// Signatures in one round of the measurement, and rounds: the quickest counts, for others use this machine too.
const BATCH: u32 = 25;
const ROUNDS: u32 = 40;

impl Default for Costs {
    /// A machine with two processors, a disk that syncs in 400 µs, a line of a gigabit a second, and signatures as quick as
    /// OpenSSL's: where nothing was measured.
    fn default() -> Self {
        Self {
            processors: 2,
            sign: Micros(100),
            check_vote: Micros(230),
            check_transaction: Micros(230),
            execute: Micros(60),
            sync: Micros(400),
            transaction_bytes: 600,
            line_bytes_per_us: 125,
        }
    }
}

impl Costs {
    /// With signatures as quick as on this machine now, checked as a node checks them: votes by prepared keys, what clients
    /// send by any key.
    #[must_use]
    pub fn measured() -> Self {
        let cast = Cast::new(4, 0);
        let key = &cast.hospitals[0].signing;
        let chain = ChainTag([7; 32]);
        let message = [5; 120];
        let signature = key.sign(SigningContext::Prepare, &chain, &message);
        let sign = quickest(|| {
            let _ = key.sign(SigningContext::Prepare, &chain, &message);
        });
        let check_transaction = quickest(|| {
            let _ = key.public_key().verify(SigningContext::Prepare, &chain, &message, &signature);
        });
        let known = PreparedKey::new(key.public_key().clone());
        let check_vote = quickest(|| {
            let _ = known.verify(SigningContext::Prepare, &chain, &message, &signature);
        });
        Self { sign, check_vote, check_transaction, ..Self::default() }
    }
}

fn quickest(work: impl Fn()) -> Micros {
    let round = || {
        let begun = thread_time();
        (0..BATCH).for_each(|_| work());
        (thread_time() - begun) / BATCH
    };
    let best = (0..ROUNDS).map(|_| round()).min().unwrap_or_default();
    Micros(u64::try_from(best.as_nanos().div_ceil(1_000)).unwrap_or(u64::MAX))
}

/// What this thread has had of a processor (Linux; elsewhere the clock on the wall), so that other programs' time does not
/// count as the signatures'.
fn thread_time() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split_whitespace().next()?.parse().ok())
        .map_or_else(|| START.elapsed(), Duration::from_nanos)
}
