//! Deliberate bugs, and the seeds at which the checkers catch them: the proof that the checkers can fail.

use crate::checkers::Checker;
use crate::directed::{amnesia, cascade, duel, squeeze};
use crate::run::run;
use crate::schedule::Plan;
use crate::storm;
use crate::time::Micros;
use crate::trace::Trace;
use amulet_pbft::planted::Bug;
use serde::Serialize;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Seeds within which each bug must be caught, each seed with every kind of schedule.
pub const SEEDS_MAX: u64 = 25;
/// Length of a storm in a hunt.
const STORM: Micros = Micros::seconds(12 * 60);

/// Bugs that nothing plants yet, and why.
pub const NOT_PLANTED: &[(Bug, &str)] = &[
    (Bug::IgnoreNonce, "nonces are the contracts' business, which have no bugs to plant"),
    (Bug::UnboundedQueue, "the mempool does not plant it"),
];

/// How a bug was caught.
#[derive(Clone, Debug, Serialize)]
pub struct Catch {
    /// The bug.
    pub bug: &'static str,
    /// The rule it breaks.
    pub rule: &'static str,
    /// At which seed, and with which kind of schedule; `None` if at none.
    pub caught: Option<Caught>,
}

/// Where a bug was caught.
#[derive(Clone, Debug, Serialize)]
pub struct Caught {
    /// Seeds tried, this one included.
    pub seeds: u64,
    /// The schedule's kind.
    pub schedule: &'static str,
    /// Who noticed.
    pub checker: Checker,
    /// What was noticed.
    pub detail: String,
}

/// The schedules of one seed.
fn schedules(seed: u64) -> [(&'static str, Plan); 6] {
    [
        ("squeeze-4", squeeze(seed, 4)),
        ("amnesia-4", amnesia(seed, 4)),
        ("duel-4", duel(seed, 4)),
        ("cascade-4", cascade(seed, 4)),
        ("storm-4", storm::plan(seed, 4, STORM)),
        ("duel-7", duel(seed, 7)),
    ]
}

/// Hunts one bug through seeds.
#[must_use]
pub fn hunt(bug: Bug, seeds: std::ops::Range<u64>) -> Catch {
    let first = seeds.start;
    for seed in seeds {
        for (schedule, mut plan) in schedules(seed) {
            plan.planted = Some(bug.name().into());
            if let Err(found) = run(&plan, Trace::default()) {
                let (checker, detail) = (found.checker, found.detail);
                let caught = Caught { seeds: seed - first + 1, schedule, checker, detail };
                return Catch { bug: bug.name(), rule: bug.rule(), caught: Some(caught) };
            }
        }
    }
    Catch { bug: bug.name(), rule: bug.rule(), caught: None }
}

/// Hunts several bugs on `jobs` threads and tells of each catch; the catches are in the order of the bugs.
#[must_use]
pub fn hunt_all(
    bugs: &[Bug],
    seeds: std::ops::Range<u64>,
    jobs: usize,
    tell: impl Fn(&Catch) + Sync,
) -> Vec<Catch> {
    let next = AtomicUsize::new(0);
    let catches = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(bug) = bugs.get(index) else { return };
                    let found = hunt(*bug, seeds.clone());
                    tell(&found);
                    catches.lock().unwrap_or_else(PoisonError::into_inner).push((index, found));
                }
            });
        }
    });
    let mut catches = catches.into_inner().unwrap_or_else(PoisonError::into_inner);
    catches.sort_by_key(|(index, _)| *index);
    catches.into_iter().map(|(_, caught)| caught).collect()
}

/// The bugs that are planted somewhere.
#[must_use]
pub fn planted() -> Vec<Bug> {
    let is_planted = |bug: &Bug| NOT_PLANTED.iter().all(|(other, _)| other != bug);
    Bug::ALL.iter().copied().filter(is_planted).collect()
}
