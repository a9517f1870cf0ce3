//! What is to happen in a run, as data: derived from a seed, so that a part can be switched off and the rest replayed.

use crate::disk::Unsynced;
use crate::time::Micros;
use crate::upkeep::Upkeep;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Everything that a run does beside what the replicas do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Seeds the streams of chance; also names the run.
    pub seed: u64,
    /// Size of the validator set.
    pub replicas: u16,
    /// When the run ends.
    pub end: Micros,
    /// How long messages take when nothing is wrong.
    pub latency: Latency,
    /// Faults of the world.
    pub faults: Vec<Fault>,
    /// Replicas that lie, at most f.
    pub liars: Vec<Liar>,
    /// Clients.
    pub clients: Vec<ClientPlan>,
    /// Times without faults of the world, in order: at the end of each everything submitted before it is committed.
    pub calms: Vec<Calm>,
    /// What operators do.
    #[serde(default)]
    pub upkeep: Upkeep,
    /// Name of the deliberate bug that correct replicas have, if any; needs the feature `planted`.
    pub planted: Option<String>,
}

/// One-way times between two replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    /// The least, for the nearest pair.
    pub least: Micros,
    /// The most, for the farthest pair.
    pub most: Micros,
    /// Added at random to each message.
    pub jitter: Micros,
    /// Messages of a thousand that take twenty times as long.
    pub stragglers_per_mille: u64,
}

/// Something that is wrong with the world from one moment to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// From when on.
    pub from: Micros,
    /// Until when, excluded.
    pub until: Micros,
    /// What.
    pub kind: FaultKind,
}

/// What can be wrong with the world.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FaultKind {
    /// Messages are lost.
    Loss {
        /// Of a thousand.
        per_mille: u64,
    },
    /// Messages arrive twice, the second time later.
    Duplication {
        /// Of a thousand.
        per_mille: u64,
    },
    /// Messages are held back, so that later ones overtake them.
    Reordering {
        /// Of a thousand.
        per_mille: u64,
        /// For at most so long.
        hold: Micros,
    },
    /// Every message takes longer.
    Congestion {
        /// By so much.
        more: Micros,
    },
    /// Some replicas and the others cannot reach each other.
    Partition {
        /// The smaller side, usually.
        island: BTreeSet<u16>,
    },
    /// Messages of some replicas do not reach some others; the other way they do.
    OneWay {
        /// Who is not heard.
        from: BTreeSet<u16>,
        /// By whom.
        to: BTreeSet<u16>,
    },
    /// A replica stops at `from` and starts again at `until`.
    Crash {
        /// Which.
        replica: u16,
        /// Not at once, but in the midst of so many-th further write to its disks.
        at_write: Option<u64>,
        /// What becomes of unsynced writes.
        unsynced: Unsynced,
    },
    /// A replica stops as soon as it has sent a message of this kind, before it reaches anybody; it starts again at `until`.
    CrashOnSend {
        /// Which.
        replica: u16,
        /// Name of the message's kind.
        kind: String,
        /// Whether the message still reaches the others.
        delivered: bool,
        /// What becomes of unsynced writes.
        unsynced: Unsynced,
    },
    /// A replica's machine is replaced at `from` and starts with empty disks at `until`; only keys are left of the old one.
    Wipe {
        /// Which.
        replica: u16,
    },
    /// Messages of one kind are lost, between all replicas or from some.
    LoseKind {
        /// Name of the message's kind.
        kind: String,
        /// Of whom; of everybody if empty.
        from: BTreeSet<u16>,
        /// To whom; to everybody if empty.
        to: BTreeSet<u16>,
    },
    /// A replica's clock of the day is wrong by so many milliseconds.
    Clock {
        /// Which.
        replica: u16,
        /// Ahead of the others, if positive.
        ahead_ms: i64,
    },
    /// A replica's timers run too fast or too slowly.
    Drift {
        /// Which.
        replica: u16,
        /// Length of its second, in thousandths of a second.
        per_mille: u64,
    },
    /// Each sync of a replica's disk takes so long.
    SlowDisk {
        /// Which.
        replica: u16,
        /// So long.
        sync: Micros,
    },
    /// A replica's disk has no room.
    FullDisk {
        /// Which.
        replica: u16,
    },
}

/// A replica that does not keep to the protocol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Liar {
    /// Which.
    pub replica: u16,
    /// In what ways.
    pub behaviours: Vec<Behaviour>,
}

/// A way not to keep to the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Behaviour {
    /// Tells odd receivers of another block than even ones, in proposals and votes.
    Equivocate,
    /// Sends to some replicas only.
    Withhold,
    /// Sends old messages again, its own and others', of this and earlier epochs and views.
    Replay,
    /// Shows certificates with votes that are forged, repeated, missing or of another block.
    ForgeCertificates,
    /// As a new primary, sends a new-view that carries over too little or something else, or an old one again.
    WrongNewView,
    /// Asks for views with what it has prepared left out, and for views far ahead.
    WrongViewChange,
    /// Proposes blocks that do not execute to their header, or are no blocks.
    InvalidBlocks,
    /// Says nothing.
    Silent,
    /// Sends everything just before the others would lose patience.
    Slow,
    /// Never orders the first client's transactions.
    Censor,
    /// Votes to commit what it merely saw proposed.
    CommitEarly,
    /// Claims heights, views and checkpoints that nobody has reached, and accuses others of what proves nothing.
    Boast,
    /// Runs twice with one key and different states.
    Twins,
    /// Tells everybody of one block, and then of another one at the same place, in proposals and votes.
    Contradict,
    /// As the primary, prepares beside its pre-prepare.
    PrepareAsPrimary,
    /// Proposes on top of blocks that nobody knows.
    WrongParent,
    /// As a new primary, proposes what is final once more.
    OrderBelowBase,
    /// Gives who copies its ledger pieces that are not what the certified header covers.
    WrongPieces,
    /// Shows who asks heights, snapshots and changes of the validators that there never were.
    WrongSurvey,
    /// Gives far more than fits into an answer, or the same again and again.
    EndlessAnswers,
    /// Offers the first snapshot that it ever had.
    StaleSnapshots,
    /// Gives some pieces, and then no more.
    StopHalfway,
}

impl Behaviour {
    /// Every behaviour: first those in the agreement on blocks, then those towards who copies a ledger.
    pub const ALL: &'static [Self] = &[
        Self::Equivocate,
        Self::Withhold,
        Self::Replay,
        Self::ForgeCertificates,
        Self::WrongNewView,
        Self::WrongViewChange,
        Self::InvalidBlocks,
        Self::Silent,
        Self::Slow,
        Self::Censor,
        Self::CommitEarly,
        Self::Boast,
        Self::Twins,
        Self::Contradict,
        Self::PrepareAsPrimary,
        Self::WrongParent,
        Self::OrderBelowBase,
        Self::WrongPieces,
        Self::WrongSurvey,
        Self::EndlessAnswers,
        Self::StaleSnapshots,
        Self::StopHalfway,
    ];

    /// Those in the agreement on blocks.
    pub const OF_AGREEMENT: &'static [Self] = Self::ALL.split_at(17).0;

    /// Those towards who copies a ledger.
    pub const OF_COPIES: &'static [Self] = Self::ALL.split_at(Self::OF_AGREEMENT.len()).1;
}

/// One client: a patient with a practitioner who treats them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientPlan {
    /// Names the keys.
    pub number: u16,
    /// Its first transaction.
    pub from: Micros,
    /// Mean time between transactions.
    pub every: Micros,
    /// Transactions of a thousand that come as a burst of up to [`BURST_MAX`].
    pub bursts_per_mille: u64,
    /// Transactions of a thousand that are signed twice with one nonce and different content.
    pub double_per_mille: u64,
}

/// Transactions in a burst.
pub const BURST_MAX: u64 = 24;

/// A time without faults of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calm {
    /// From when on.
    pub from: Micros,
    /// When everything submitted before `from` must be committed.
    pub until: Micros,
}

/// How long after healing everything that was submitted before may take to be committed by every correct replica.
///
/// After healing the replicas may be as far apart as one longest timeout, [`PROGRESS_MAX`]; then up to f liars in a row may
/// be primaries, each for one longest timeout, and what came in meanwhile needs some blocks and a catch-up. Seven longest
/// timeouts hold that for n up to 10 with room.
pub const LIVENESS_BOUND: Micros = Micros::seconds(7 * 16);
/// Time that a primary has at first.
pub const PROGRESS: Micros = Micros::millis(2_000);
/// Time that a primary has at most.
pub const PROGRESS_MAX: Micros = Micros::seconds(16);
/// Time between two status messages.
pub const HEARTBEAT: Micros = Micros::millis(1_000);

impl Plan {
    /// Members that may lie.
    #[must_use]
    pub fn faults_borne(&self) -> usize {
        (usize::from(self.replicas) - 1) / 3
    }

    /// Hospitals with a node, those that do not validate at first included.
    #[must_use]
    pub fn hospitals(&self) -> u16 {
        self.replicas + self.upkeep.spares
    }

    /// Replicas that run twice. The second instance of the first of them has the number after the last replica's.
    #[must_use]
    pub fn twins(&self) -> u16 {
        let twins = self.liars.iter().filter(|liar| liar.behaviours.contains(&Behaviour::Twins));
        u16::try_from(twins.count()).expect("few liars")
    }

    /// Replicas that keep to the protocol.
    #[must_use]
    pub fn correct(&self) -> BTreeSet<u16> {
        let liars: BTreeSet<u16> = self.liars.iter().map(|liar| liar.replica).collect();
        (0..self.hospitals()).filter(|replica| !liars.contains(replica)).collect()
    }

    /// What is wrong at a moment.
    pub fn active(&self, at: Micros) -> impl Iterator<Item = &Fault> {
        self.faults.iter().filter(move |fault| fault.from <= at && at < fault.until)
    }
}
