//! Reputation of hospitals' nodes: what clients report, what the state keeps of it, and the rule that makes it a score.
//!
//! A score says whom to ask *first*. It is no ground to believe anybody: answers are proven whatever it is. It belongs to
//! the organisation that runs the node, so that a new key, peer identity or seat does not wash it off.
//!
//! Clients rate in tenths. The clients that one hospital vouches for make **one voice**: the weighted median of their
//! ratings, which fade with a half-life of two weeks. The score moves towards the weighted median of all voices, a little
//! each day; a voice that is silent says "I do not know", which is the prior. So nothing that fewer than half of the
//! hospitals and their clients say together can push a score beyond what the others say. Rules REP-1 to REP-7 are in
//! `docs/spec/reputation.md`. Integers only, because every replica must compute the same.

use crate::ids::{Did, Epoch, RecordId, Timestamp};
use crate::limits::VOICES_MAX;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;
use borsh::{BorshDeserialize, BorshSerialize};
use core::fmt;

/// The best score.
pub const SCORE_MAX: u16 = 10_000;
/// Score of a node that nobody knows, and what a silent voice stands for.
pub const SCORE_PRIOR: Score = Score(SCORE_MAX / 2);
/// Most that a score rises in a day. From the prior to the best takes 50 days: a good name is made slowly.
pub const RISE_PER_DAY: u16 = 100;
/// Most that a score falls in a day; twice the rise, so that who is good half the time has a bad name.
pub const FALL_PER_DAY: u16 = 200;
/// What one fresh report adds to its voice. More than one, so that fading in whole numbers loses little.
pub const REPORT_WEIGHT: u32 = 256;
/// Weight from which a voice counts in full, whatever more is said: 16 fresh reports, or five clients that report each
/// week. A hospital with a hundred thousand clients has no more weight than one with five.
pub const VOICE_WEIGHT_MAX: u32 = 16 * REPORT_WEIGHT;
/// What is left of a report's weight after a day, in 65,536ths: half after 14 days.
const KEPT_PER_DAY: u64 = 62_370;
const KEPT_WHOLE: u64 = 65_536;

const DAY_MS: u64 = 24 * 3_600_000;
/// Different ratings: 0 to 10 tenths.
const RATINGS: usize = 11;
const PRIOR_RATING: usize = RATINGS / 2;
const POINTS_PER_TENTH: u16 = SCORE_MAX / 10;

/// A score of 0 to [`SCORE_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct Score(u16);

impl Score {
    /// The score of a node that was proven to lie.
    pub const ZERO: Self = Self(0);

    /// As a number of 0 to [`SCORE_MAX`].
    #[must_use]
    pub fn points(self) -> u16 {
        self.0
    }

    fn step_towards(self, target: u16) -> Self {
        let floor = self.0.saturating_sub(FALL_PER_DAY);
        let ceiling = self.0.saturating_add(RISE_PER_DAY).min(SCORE_MAX);
        Self(target.clamp(floor, ceiling))
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02} %", self.0 / 100, self.0 % 100)
    }
}

/// A day of the ledger's time, counted from 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct LedgerDay(pub u32);

impl LedgerDay {
    /// The day of a block's time.
    #[must_use]
    pub fn of(time: Timestamp) -> Self {
        Self(u32::try_from(time.0 / DAY_MS).unwrap_or(u32::MAX))
    }

    /// Whole days from `earlier` to this day; zero if `earlier` is later.
    #[must_use]
    pub fn days_since(self, earlier: Self) -> u32 {
        self.0.saturating_sub(earlier.0)
    }
}

/// A share in tenths, rounded, so that a report says little about whoever sends it. Any byte decodes; more than ten
/// tenths are refused by the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct Tenths(pub u8);

impl Tenths {
    /// All of it.
    pub const ALL: Self = Self(10);

    /// `part` of `whole`, rounded to the nearest tenth; [`Self::ALL`] of nothing.
    #[must_use]
    pub fn of(part: u32, whole: u32) -> Self {
        let (part, whole) = (u64::from(part.min(whole)), u64::from(whole));
        let tenths = (20 * part + whole).checked_div(2 * whole).unwrap_or(10);
        Self(u8::try_from(tenths).expect("a part is at most the whole"))
    }

    /// Whether it is at most ten tenths.
    #[must_use]
    pub fn is_share(self) -> bool {
        self <= Self::ALL
    }
}

/// What a client has to say of one organisation's nodes. It says neither how much was asked, nor what, nor when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ServiceLine {
    /// Who was asked.
    pub organisation: Did,
    /// Of the questions, those that were answered in time.
    pub answered: Tenths,
    /// Of the looks at its newest header, those at which nobody had a newer one.
    pub fresh: Tenths,
    /// Of the answers, those that passed every check. What fails one is a lie that this client saw and cannot prove.
    pub sound: Tenths,
}

impl ServiceLine {
    /// REP-1: the rating, 0 to 10: the product of the three shares, rounded to a tenth. Answering is worth nothing
    /// without being right.
    fn rating(&self) -> usize {
        let share = |tenths: Tenths| usize::from(tenths.min(Tenths::ALL).0);
        (share(self.answered) * share(self.fresh) * share(self.sound) + 50) / 100
    }
}

/// Why a report counts: which hospital knows the reporter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Voucher {
    /// The one that registered this record of the reporter's.
    Record(RecordId),
    /// The one that employs the reporter as a practitioner.
    Employer,
}

/// Report how the other hospitals' nodes served; sent by a patient or practitioner.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ReportService {
    /// Who vouches for the reporter.
    pub voucher: Voucher,
    /// At least one line, ascending by organisation, none for the one that vouches.
    pub lines: Vec<ServiceLine>,
}

/// When a client last reported; the value of its state entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ReporterState {
    /// The day of its last report.
    pub reported: LedgerDay,
}

/// What the clients of one hospital say of another.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Voice {
    /// The hospital that vouches for them.
    pub organisation: Did,
    /// Weight of the reports that gave this rating, by tenths.
    ratings: [u32; RATINGS],
}

impl Voice {
    /// How much it counts, at most [`VOICE_WEIGHT_MAX`].
    #[must_use]
    pub fn weight(&self) -> u32 {
        u32::try_from(sum(&self.ratings)).unwrap_or(u32::MAX).min(VOICE_WEIGHT_MAX)
    }

    /// REP-2: the median of what its clients say, in tenths.
    fn rating(&self) -> usize {
        median(&self.ratings.map(u64::from))
    }

    fn fade(&mut self) {
        for weight in &mut self.ratings {
            let kept = (u64::from(*weight) * KEPT_PER_DAY) / KEPT_WHOLE;
            *weight = u32::try_from(kept).expect("less than before");
        }
    }
}

/// Whether it was proven that a node of this organisation lied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Conduct {
    /// Nothing was.
    Clean,
    /// It was: the score is zero until the members seat the organisation anew.
    Convicted {
        /// The latest epoch in which it lied.
        epoch: Epoch,
    },
    /// The members seated it anew. What is found out about earlier epochs changes nothing any more.
    Readmitted {
        /// The epoch in which they decided so, and the last that is forgiven.
        epoch: Epoch,
    },
}

/// The reputation of an organisation's nodes; the value of its state entry.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Reputation {
    score: Score,
    settled: LedgerDay,
    conduct: Conduct,
    voices: Vec<Voice>,
}

impl Reputation {
    /// That of an organisation that nobody has said anything of.
    #[must_use]
    pub fn unknown(today: LedgerDay) -> Self {
        Self { score: SCORE_PRIOR, settled: today, conduct: Conduct::Clean, voices: Vec::new() }
    }

    /// The score on a day. `others` are the organisations that have a validator, without the one this is about.
    #[must_use]
    pub fn score_on(&self, today: LedgerDay, others: &BTreeSet<Did>) -> Score {
        if self.is_convicted() {
            return Score::ZERO;
        }
        let mut settled = self.clone();
        settled.settle(today, others);
        settled.score
    }

    /// Whether a lie was proven that the members have not forgiven.
    #[must_use]
    pub fn is_convicted(&self) -> bool {
        matches!(self.conduct, Conduct::Convicted { .. })
    }

    /// What was proven against the organisation.
    #[must_use]
    pub fn conduct(&self) -> Conduct {
        self.conduct
    }

    /// What the hospitals' clients say.
    #[must_use]
    pub fn voices(&self) -> &[Voice] {
        &self.voices
    }

    /// REP-5: brings the score from the last day with a change to `today`, day by day: so it does not matter how often
    /// this is called. Days on which nothing changes any more are skipped.
    pub fn settle(&mut self, today: LedgerDay, others: &BTreeSet<Did>) {
        self.voices.retain(|voice| others.contains(&voice.organisation));
        for _ in 0..today.days_since(self.settled) {
            let target = target(&self.voices, others.len());
            let next = self.score.step_towards(target);
            if self.voices.is_empty() && next == self.score {
                break;
            }
            self.score = next;
            for voice in &mut self.voices {
                voice.fade();
            }
            self.voices.retain(|voice| voice.weight() > 0);
        }
        self.settled = self.settled.max(today);
    }

    /// Takes a client's line into the voice of the organisation that vouches for it. The score follows from the end of the
    /// day on. Nothing is noted of who is convicted.
    ///
    /// [`Self::settle`] must have been called for today.
    pub fn note(&mut self, voucher: Did, line: &ServiceLine) {
        if self.is_convicted() {
            return;
        }
        let place = match self.voices.binary_search_by_key(&voucher, |voice| voice.organisation) {
            Ok(place) => place,
            Err(_) if self.voices.len() >= VOICES_MAX => return,
            Err(place) => {
                self.voices.insert(place, Voice { organisation: voucher, ratings: [0; RATINGS] });
                place
            }
        };
        let weight = &mut self.voices[place].ratings[line.rating()];
        *weight = weight.saturating_add(REPORT_WEIGHT);
    }

    /// REP-6: a lie in an epoch was proven. Returns whether that changes anything.
    pub fn convict(&mut self, epoch: Epoch) -> bool {
        let counts = match self.conduct {
            Conduct::Clean => true,
            Conduct::Convicted { epoch: known } => epoch > known,
            Conduct::Readmitted { epoch: forgiven } => epoch > forgiven,
        };
        if counts {
            self.conduct = Conduct::Convicted { epoch };
        }
        counts
    }

    /// REP-7: the members seat the organisation anew, in an epoch. One that was convicted begins again, at zero and with
    /// nothing said of it. Returns whether that changes anything.
    pub fn readmit(&mut self, epoch: Epoch, today: LedgerDay) -> bool {
        if !self.is_convicted() {
            return false;
        }
        let conduct = Conduct::Readmitted { epoch };
        *self = Self { score: Score::ZERO, settled: today, conduct, voices: Vec::new() };
        true
    }
}

/// REP-3, REP-4: the weighted median of the voices in points; what a voice lacks of its full weight counts for the prior.
fn target(voices: &[Voice], others: usize) -> u16 {
    let mut weights = [0; RATINGS];
    for voice in voices {
        weights[voice.rating()] += u64::from(voice.weight());
    }
    let spoken: u64 = weights.iter().sum();
    let full = others as u64 * u64::from(VOICE_WEIGHT_MAX);
    weights[PRIOR_RATING] += full.saturating_sub(spoken);
    let tenths = u16::try_from(median(&weights)).expect("a rating is at most ten");
    tenths * POINTS_PER_TENTH
}

/// The median. Where the weight is split into two halves, everything between them is one, and the nearest to the prior is
/// taken: so half of the voices cannot push a score to the other side of it.
fn median(weights: &[u64; RATINGS]) -> usize {
    let total: u64 = weights.iter().sum();
    let reaches = |enough: &dyn Fn(u64) -> bool| {
        let mut reached = 0;
        weights.iter().position(|weight| {
            reached += weight;
            enough(2 * reached)
        })
    };
    let lowest = reaches(&|twice| total > 0 && twice >= total).unwrap_or(PRIOR_RATING);
    let highest = reaches(&|twice| twice > total).unwrap_or(PRIOR_RATING);
    PRIOR_RATING.clamp(lowest, highest)
}

fn sum(weights: &[u32; RATINGS]) -> u64 {
    weights.iter().copied().map(u64::from).sum()
}

#[cfg(test)]
mod tests;
