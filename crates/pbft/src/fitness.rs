//! Whether a primary is fit for its place, though it may keep every deadline.
//!
//! PBFT replaces a primary that orders nothing. One that orders just before each time-out, or leaves one client out, stays
//! for ever. [`PrimaryMonitor`] watches what this replica sees of its primary and says when it has had enough; the driver
//! hands that to the core as `Input::Suspect`. The ideas are Aardvark's (Clement et al., NSDI'09): demand of a primary what
//! earlier ones achieved, and demand that nobody's request is passed over for long. What is adopted and what is not:
//! `docs/spec/consensus.md`, rules PBFT-PF-1 to PBFT-PF-6.
//!
//! Pure: time is an argument, in milliseconds of a clock that only goes forward. Memory is bounded by the constants below,
//! whatever anybody sends.

use std::collections::{BTreeMap, VecDeque};

use amulet_protocol::ids::{TxId, View};

use crate::config::{Millis, Timeouts};

/// The judgement that the primary of a view is unfit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suspicion {
    /// The view.
    pub view: View,
    /// What its primary did.
    pub cause: Cause,
}

/// What an unfit primary does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It proposes more slowly than earlier views have shown to be possible, while requests wait (rule PBFT-PF-2).
    Slow,
    /// It passes over a request that waits while later ones are ordered (rule PBFT-PF-4).
    Unfair,
}

/// Gaps between proposals that the mean is taken over: so many that one lost message does not make a primary slow.
pub const GAPS_JUDGED: usize = 8;
/// Fewest gaps that are judged.
const GAPS_MIN: usize = 4;
/// Views whose achievement sets the demand.
pub const VIEWS_REMEMBERED: usize = 8;
/// How many times the best earlier mean the mean may be, at the start of a view and when it is old.
const SLACK: std::ops::RangeInclusive<u64> = 4..=16;
/// Requests watched for fairness. When there are more the newest are not watched: a censored one stays, and by staying
/// becomes one of the oldest.
pub const REQUESTS_WATCHED_MAX: usize = 4_096;
/// Blocks with later requests after which a request that still waits has been passed over.
pub const BLOCKS_PASSED_MAX: u32 = 16;
/// How far later than a request another one must have come to this replica to count as passing it: within that they may
/// have come to the primary in the other order.
const ARRIVALS_IN_ANY_ORDER: u64 = 64;

/// What is demanded of a primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demands {
    /// Mean gap between proposals that is always allowed.
    pub gap_floor: Millis,
    /// Mean gap that is never allowed, whatever earlier views achieved. Below the progress time-out, or a primary could
    /// delay each proposal by just less than that.
    pub gap_ceiling: Millis,
    /// Time at the start of a view in which nothing is judged.
    pub grace: Millis,
    /// Time after which the slack is halved, again and again down to its end.
    pub tightening: Millis,
    /// How long a request is passed before its primary is blamed, however many blocks that are: time for the driver to tell
    /// it to the primary again, which may not know it.
    pub patience: Millis,
}

impl Demands {
    /// Demands that fit the time-outs: a quarter of the progress time-out is always allowed, two thirds never.
    #[must_use]
    pub fn for_timeouts(timeouts: Timeouts) -> Self {
        let progress = timeouts.progress.0;
        Self {
            gap_floor: Millis(progress / 4),
            gap_ceiling: Millis(progress * 2 / 3),
            grace: Millis(progress * 2),
            tightening: Millis(progress * 20),
            patience: Millis(progress),
        }
    }
}

/// A request that waits.
#[derive(Clone, Copy, Debug)]
struct Watched {
    id: TxId,
    /// Blocks of this view that held requests which came clearly later.
    passed: u32,
    /// Since when.
    since: Option<Millis>,
    /// Views that were left because of it.
    blamed: usize,
}

/// Watches the primary of the view that this replica is in.
#[derive(Clone, Debug)]
pub struct PrimaryMonitor {
    demands: Demands,
    faults: usize,
    view: View,
    entered: Millis,
    /// Since when the primary could propose and has not.
    owing: Option<Millis>,
    /// The last gaps, and the sum of all of this view.
    gaps: VecDeque<u64>,
    total: (u64, u64),
    /// Mean gaps of earlier views, the newest last.
    achieved: VecDeque<u64>,
    /// Doubles with each view in a row that was left for being slow: perhaps it is the load.
    leniency: u64,
    /// By arrival.
    watched: BTreeMap<u64, Watched>,
    arrivals: BTreeMap<TxId, u64>,
    arrived: u64,
    has_judged: bool,
}

impl PrimaryMonitor {
    /// A monitor in a set that bears `faults` faulty replicas, entering `view` now.
    #[must_use]
    pub fn new(demands: Demands, faults: usize, now: Millis, view: View) -> Self {
        Self {
            demands,
            faults,
            view,
            entered: now,
            owing: None,
            gaps: VecDeque::new(),
            total: (0, 0),
            achieved: VecDeque::new(),
            leniency: 1,
            watched: BTreeMap::new(),
            arrivals: BTreeMap::new(),
            arrived: 0,
            has_judged: false,
        }
    }

    /// A view was entered, or is asked for: the primary before is judged no more, and the new one starts without debts.
    pub fn enter_view(&mut self, now: Millis, view: View) {
        let (sum, count) = self.total;
        if count >= GAPS_MIN as u64 {
            if self.achieved.len() == VIEWS_REMEMBERED {
                self.achieved.pop_front();
            }
            self.achieved.push_back(sum / count);
        }
        if !self.has_judged {
            self.leniency = 1;
        }
        self.view = view;
        self.entered = now;
        self.owing = None;
        self.gaps.clear();
        self.total = (0, 0);
        self.has_judged = false;
        for watched in self.watched.values_mut() {
            (watched.passed, watched.since) = (0, None);
        }
    }

    /// Whether the primary could propose now: requests wait that are in no block in flight, fewer heights are in flight than
    /// may be, the window is open, the epoch goes on. Told on each change.
    pub fn set_owing(&mut self, now: Millis, is_owing: bool) {
        match (self.owing, is_owing) {
            (None, true) => self.owing = Some(now),
            (Some(_), false) => self.owing = None,
            _ => {}
        }
    }

    /// A new proposal of the primary arrived. `work` is how long this replica took to execute the block before it: the
    /// primary needs as long, and is not blamed for it. A carried proposal is none of the primary's doing and not told.
    pub fn on_proposal(&mut self, now: Millis, work: Millis) {
        let Some(since) = self.owing.replace(now) else { return };
        self.owing = None;
        let gap = now.0.saturating_sub(since.0).saturating_sub(work.0);
        if self.gaps.len() == GAPS_JUDGED {
            self.gaps.pop_front();
        }
        self.gaps.push_back(gap);
        self.total = (self.total.0.saturating_add(gap), self.total.1 + 1);
    }

    /// A request waits here and was not known before.
    pub fn on_request(&mut self, id: TxId) {
        self.arrived += 1;
        if self.watched.len() < REQUESTS_WATCHED_MAX && !self.arrivals.contains_key(&id) {
            self.watched.insert(self.arrived, Watched { id, passed: 0, since: None, blamed: 0 });
            self.arrivals.insert(id, self.arrived);
        }
    }

    /// A request can be in no block any more, for a reason other than being in one.
    pub fn forget(&mut self, id: &TxId) {
        if let Some(arrival) = self.arrivals.remove(id) {
            self.watched.remove(&arrival);
        }
    }

    /// A block with these requests is final.
    pub fn on_block<'a>(&mut self, now: Millis, requests: impl IntoIterator<Item = &'a TxId>) {
        let mut latest = 0;
        for id in requests {
            if let Some(arrival) = self.arrivals.remove(id) {
                self.watched.remove(&arrival);
                latest = latest.max(arrival);
            }
        }
        for (_, watched) in self.watched.range_mut(..latest.saturating_sub(ARRIVALS_IN_ANY_ORDER)) {
            watched.passed += 1;
            watched.since.get_or_insert(now);
        }
    }

    /// Whether this replica has had enough of its primary; said once in a view.
    #[must_use]
    pub fn judge(&mut self, now: Millis) -> Option<Suspicion> {
        if self.has_judged || now.0.saturating_sub(self.entered.0) < self.demands.grace.0 {
            return None;
        }
        let cause = if self.is_unfair(now) {
            Cause::Unfair
        } else if self.is_slow(now) {
            self.leniency = self.leniency.saturating_mul(2);
            Cause::Slow
        } else {
            return None;
        };
        self.has_judged = true;
        Some(Suspicion { view: self.view, cause })
    }

    /// Rule PBFT-PF-2: the mean of the last gaps, the open one included, is above the bound.
    fn is_slow(&self, now: Millis) -> bool {
        let open = self.owing.map(|since| now.0.saturating_sub(since.0));
        let count = (self.gaps.len() + usize::from(open.is_some())) as u64;
        let sum: u64 = self.gaps.iter().sum::<u64>().saturating_add(open.unwrap_or(0));
        count >= GAPS_MIN as u64 && sum / count > self.gap_bound(now).0
    }

    /// Rule PBFT-PF-3: what is demanded now. From the best mean of the views remembered, with a slack that shrinks as the
    /// view grows older, between floor and ceiling.
    #[must_use]
    pub fn gap_bound(&self, now: Millis) -> Millis {
        let Demands { gap_floor, gap_ceiling, tightening, .. } = self.demands;
        let Some(best) = self.achieved.iter().min() else { return gap_ceiling };
        let age = now.0.saturating_sub(self.entered.0);
        let halvings = age.checked_div(tightening.0).unwrap_or(0).min(16);
        let slack = (SLACK.end() >> halvings).max(*SLACK.start());
        let bound = best.saturating_mul(slack).max(gap_floor.0).saturating_mul(self.leniency);
        Millis(bound.min(gap_ceiling.0))
    }

    /// Rules PBFT-PF-4 and PBFT-PF-5: a request was passed too often and too long. One that several primaries in a row have passed, a correct one among
    /// them, is nobody's fault, and watched no more.
    fn is_unfair(&mut self, now: Millis) -> bool {
        let mut is_unfair = false;
        let mut hopeless = Vec::new();
        let patience = self.demands.patience.0;
        let is_passed_over = |watched: &&mut Watched| {
            let lasted = watched.since.map_or(0, |since| now.0.saturating_sub(since.0));
            watched.passed > BLOCKS_PASSED_MAX && lasted >= patience
        };
        for watched in self.watched.values_mut().filter(is_passed_over) {
            watched.blamed += 1;
            is_unfair = true;
            if watched.blamed > self.faults {
                hopeless.push(watched.id);
            }
        }
        hopeless.iter().for_each(|id| self.forget(id));
        is_unfair
    }
}
