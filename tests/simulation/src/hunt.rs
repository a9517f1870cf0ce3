//! Deliberate bugs, and the seeds at which the checkers catch them: the proof that the checkers can fail.

use crate::checkers::Checker;
use crate::directed::{amnesia, cascade, duel, squeeze};
use crate::replacements::{outpaced, replaced};
use crate::run::run;
use crate::schedule::{Behaviour, Plan};
use crate::storm;
use crate::time::Micros;
use crate::trace::Trace;
use crate::traps::{self, usurper};
use amulet_pbft::planted::Bug;
use serde::Serialize;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Seeds within which each bug must be caught, each seed with every kind of schedule that suits the bug.
pub const SEEDS_MAX: u64 = 25;
/// Length of a storm in a hunt.
const STORM: Micros = Micros::seconds(12 * 60);

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

/// A kind of schedule: its name, and the schedule of a seed.
pub type Kind = (&'static str, fn(u64) -> Plan);

/// Every kind of schedule of a hunt. Without a bug nothing may be found in any of them.
pub const KINDS: &[Kind] = &[
    SQUEEZE,
    AMNESIA,
    DUEL,
    CASCADE,
    STORM_OF_FOUR,
    DROPPED,
    RELAPSE,
    STRAGGLERS,
    LAGGARD,
    FLOOD,
    FORGER,
    CONTRADICTOR,
    BALLOT_STUFFER,
    ORPHANER,
    MUTE,
    REPLACED,
    OUTPACED,
    TURNOVER,
];
const SQUEEZE: Kind = ("squeeze", |seed| squeeze(seed, 4));
const AMNESIA: Kind = ("amnesia", |seed| amnesia(seed, 4));
const DUEL: Kind = ("duel", |seed| duel(seed, 4));
const CASCADE: Kind = ("cascade", |seed| cascade(seed, 4));
const STORM_OF_FOUR: Kind = ("storm", |seed| storm::plan(seed, 4, STORM));
const DROPPED: Kind = ("dropped", traps::dropped);
const RELAPSE: Kind = ("relapse", traps::relapse);
const STRAGGLERS: Kind = ("stragglers", traps::stragglers);
const LAGGARD: Kind = ("laggard", traps::laggard);
const FLOOD: Kind = ("flood", traps::flood);
const FORGER: Kind = ("forger", |seed| usurper(seed, Behaviour::ForgeCertificates));
const CONTRADICTOR: Kind = ("contradictor", |seed| usurper(seed, Behaviour::Contradict));
const BALLOT_STUFFER: Kind = ("ballot stuffer", |seed| usurper(seed, Behaviour::PrepareAsPrimary));
const ORPHANER: Kind = ("orphaner", |seed| usurper(seed, Behaviour::WrongParent));
const MUTE: Kind = ("mute", |seed| usurper(seed, Behaviour::Silent));

const REPLACED: Kind = ("replaced", replaced);
const OUTPACED: Kind = ("outpaced", outpaced);
const TURNOVER: Kind = ("turnover", traps::turnover);

/// The kinds of schedules in which a bug shows soon.
fn kinds(bug: Bug) -> &'static [Kind] {
    match bug {
        Bug::CountOtherBlocks | Bug::VoteForInvalid => &[DUEL],
        Bug::TakeSecondProposal | Bug::HideEquivocation => &[CONTRADICTOR],
        Bug::CountPrimaryTwice => &[BALLOT_STUFFER],
        Bug::IgnoreParent => &[ORPHANER],
        Bug::SelectOldest => &[RELAPSE],
        Bug::SelectUnlinked => &[RELAPSE, STORM_OF_FOUR],
        Bug::OrderBelowBase => &[STRAGGLERS],
        Bug::NeverLeaveView => &[MUTE],
        Bug::SkipViewChangeRecord => &[CASCADE],
        Bug::AccuseHonest => &[LAGGARD],
        Bug::SkipSignatures => &[FORGER],
        Bug::ForgetDropped => &[DROPPED],
        Bug::UnboundedQueue => &[FLOOD],
        Bug::VoteAfterWipe | Bug::FinishEarly => &[REPLACED],
        Bug::TakeUnproven | Bug::TrustOneSurvey => &[OUTPACED],
        Bug::ResumeOther | Bug::PruneTooFar | Bug::ServeNewest => &[REPLACED, OUTPACED],
        Bug::OutliveEpoch => &[TURNOVER],
        _ => &[SQUEEZE, AMNESIA, DUEL, CASCADE, STORM_OF_FOUR],
    }
}

/// Hunts one bug through seeds.
#[must_use]
pub fn hunt(bug: Bug, seeds: std::ops::Range<u64>) -> Catch {
    let first = seeds.start;
    for seed in seeds {
        for (schedule, plan) in kinds(bug) {
            let mut plan = plan(seed);
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

/// The schedules of a hunt without a bug, in which nothing may be found.
#[must_use]
pub fn without_bugs(seeds: std::ops::Range<u64>) -> Vec<Plan> {
    seeds.flat_map(|seed| KINDS.iter().map(move |(_, plan)| plan(seed))).collect()
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
