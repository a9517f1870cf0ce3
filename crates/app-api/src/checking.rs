//! What this device checked with the hospitals, one hospital after another.

use crate::ApiError;
use crate::wallet::{CheckedView, HospitalView, TimeMs};
use serde::{Deserialize, Serialize};

/// Ask what the last checks found; no hospital is asked for it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Checking {}

/// What the last checks found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckingView {
    /// The last check that succeeded since the app started; `None` before the first.
    pub checked: Option<CheckedView>,
    /// Why the newest check failed, if it did.
    pub trouble: Option<ApiError>,
    /// What each hospital did in the newest check, by the order of the network file; empty before the first.
    pub hospitals: Vec<HospitalCheckView>,
    /// Pairs of entries that exclude each other, which this device found at any time and keeps; the oldest first.
    pub contradictions: Vec<ContradictionView>,
    /// The chain that the app was made for: what everything else is checked against.
    pub chain: String,
    /// How many times the group of hospitals has changed, as far as this device has followed.
    pub epoch: u64,
    /// Until when this device can go on from what it knows, if no check succeeds before.
    pub trusts_until: Option<TimeMs>,
    /// What was found to be wrong, since the app started, with what this device keeps of its checks.
    pub memory: Option<MemoryTrouble>,
}

/// What is wrong with what a device keeps of its checks. It believes none of it without checking it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemoryTrouble {
    /// It was damaged, lost, or of another version of this app; this device checked all anew.
    Rebuilt,
    /// It cannot be kept, as in a second or private window or on a full disk; the next start checks all anew.
    NotKept,
    /// The checkpoint that this device was started from is damaged: it goes by the network file again.
    StartLost,
}

/// Ask what goes on in the background; no hospital is asked for it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Background {}

/// Change what goes on in the background, on this device and until it is changed again: also after a restart.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SetBackground {
    /// Whether to pause. A check under way is broken off; what it had reached is kept.
    pub paused: bool,
    /// Whether the link costs money or is weak: fewer hospitals are asked, more rarely, and nothing else is fetched.
    pub metered: bool,
}

/// What goes on in the background.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackgroundView {
    /// Whether it is paused.
    pub paused: bool,
    /// Whether the link counts as metered.
    pub metered: bool,
    /// Since when a check is under way, if one is.
    pub under_way: Option<TimeMs>,
    /// When a check last succeeded since the app started, in the background or not.
    pub succeeded: Option<TimeMs>,
    /// When the next is due.
    pub next: Option<TimeMs>,
    /// How many failed since one succeeded.
    pub failures: u32,
    /// What was exchanged with each hospital since the app started, for checks and all else.
    pub traffic: Vec<HospitalTrafficView>,
    /// What was exchanged with all of them in each hour of the last month, also before the app started, the oldest first. It is
    /// this device's, for all wallets on it: what a contract for mobile data counts.
    pub usage: Vec<UsageView>,
}

/// What was exchanged in an hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageView {
    /// Its beginning.
    pub hour: TimeMs,
    /// Bytes sent and received.
    pub bytes: u64,
}

/// What was exchanged with one hospital. Bytes are those of questions and answers, without what the line adds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HospitalTrafficView {
    /// The hospital.
    pub hospital: HospitalView,
    /// Questions sent.
    pub questions: u64,
    /// Bytes sent.
    pub sent: u64,
    /// Bytes received.
    pub received: u64,
}

/// Two signed entries that exclude each other, and who was shown them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContradictionView {
    /// When this device found them.
    pub found_at: TimeMs,
    /// Heights and header hashes of both.
    pub entries: [(u64, String); 2],
    /// The hospitals that were shown them and answered.
    pub told: Vec<ToldView>,
}

/// What a hospital said when it was shown a contradiction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldView {
    /// The hospital.
    pub hospital: HospitalView,
    /// Its answer.
    pub answer: ToldAnswer,
}

/// What a hospital makes of a contradiction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToldAnswer {
    /// It names on the ledger those who signed both.
    Convicts,
    /// It told its operators; nobody is convicted by it.
    Alarmed,
    /// It says that it is none.
    Denied,
}

/// What one hospital did in a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HospitalCheckView {
    /// The hospital.
    pub hospital: HospitalView,
    /// Its answer.
    pub answer: HospitalAnswer,
}

/// How a hospital's answer compares with what is now trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum HospitalAnswer {
    /// It has the same newest entry.
    Agrees,
    /// It says the same and lacks the newest entries.
    Behind {
        /// How many blocks.
        blocks: u64,
    },
    /// It answered, and nobody could show that its newest entry belongs to the same chain.
    Unproven,
    /// It has nothing yet.
    NothingYet,
    /// It was not asked, to spare a metered link.
    NotAsked,
    /// It did not answer.
    Silent,
    /// Something else answered in its place, such as the sign-in page of a network.
    Elsewhere,
    /// It refused to answer.
    Refused,
    /// It names a group of hospitals that this device does not know, and does not show how that came about.
    OtherGroup,
    /// Its newest entry is dated later than this device's clock: one of the two clocks is wrong.
    AheadOfClock,
    /// Its answer failed a check.
    Forged,
    /// It and another one show entries that exclude each other.
    Contradicts,
}
