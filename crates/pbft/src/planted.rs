//! Deliberate bugs, to prove that the checkers can fail.
//!
//! Each breaks one rule of `docs/spec/consensus.md` in one place, and only in a build with the feature `planted` in which
//! `Config::with_planted` names it. Without the feature every query is `false` at compile time. The simulator plants them
//! one at a time and must find each. Bugs of the driver are named here too, so that there is one list; the driver asks
//! by `Config::is_planted` as well.

use std::fmt;
use std::str::FromStr;

macro_rules! bugs {
    ($($(#[doc = $doc:literal])+ $bug:ident = $name:literal, $place:ident, $rule:literal;)*) => {
        /// A deliberate bug.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Bug {
            $($(#[doc = $doc])+ $bug,)*
        }

        impl Bug {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$bug,)*];

            /// Its name on command lines and in reports.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$bug => $name,)* }
            }

            /// What it does.
            #[must_use]
            pub const fn summary(self) -> &'static str {
                match self { $(Self::$bug => concat!($($doc),+),)* }
            }

            /// The rule that it breaks.
            #[must_use]
            pub const fn rule(self) -> &'static str {
                match self { $(Self::$bug => $rule,)* }
            }

            /// Where it is planted.
            #[must_use]
            pub const fn place(self) -> Place {
                match self { $(Self::$bug => Place::$place,)* }
            }
        }
    };
}

/// Where a bug is planted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In this crate.
    Core,
    /// In what drives it: engine, mempool, ledger.
    Driver,
}

bugs! {
    /// A quorum is one vote smaller than it must be.
    QuorumOffByOne = "quorum-off-by-one", Core, "PBFT-NC-6";
    /// The primary's prepare counts beside its pre-prepare.
    CountPrimaryTwice = "count-primary-twice", Core, "PBFT-NC-6";
    /// Votes for another block at the same place count as votes for this one.
    CountOtherBlocks = "count-other-blocks", Core, "PBFT-NC-8";
    /// The same vote of one replica counts each time it arrives.
    CountDuplicates = "count-duplicates", Core, "PBFT-NC-8";
    /// A backup votes for a block before it was executed.
    VoteUnexecuted = "vote-unexecuted", Core, "PBFT-NC-4";
    /// A block that execution refused is voted for all the same.
    VoteForInvalid = "vote-for-invalid", Core, "PBFT-NC-5";
    /// A second pre-prepare at one place takes the place of the first.
    TakeSecondProposal = "take-second-proposal", Core, "PBFT-NC-3";
    /// A proposal on top of another block than the one accepted below is executed and voted for.
    IgnoreParent = "ignore-parent", Core, "PBFT-NC-11";
    /// A commit vote leaves though the height below is not prepared here.
    CommitOverGap = "commit-over-gap", Core, "PBFT-NC-7";
    /// A commit vote leaves as soon as a block is accepted.
    CommitUnprepared = "commit-unprepared", Core, "PBFT-NC-7";
    /// A block is committed before the one below it.
    CommitOutOfOrder = "commit-out-of-order", Core, "PBFT-NC-9";
    /// Messages of the view that was left still count.
    VoteInLeftView = "vote-in-left-view", Core, "PBFT-NC-10";
    /// A view-change shows nothing of what is prepared.
    ForgetPrepared = "forget-prepared", Core, "PBFT-VC-1";
    /// A view-change shows only the lowest height that is prepared.
    ForgetPreparedAbove = "forget-prepared-above", Core, "PBFT-VC-1";
    /// The selection takes the certificate of the lowest view.
    SelectOldest = "select-oldest", Core, "PBFT-VC-5";
    /// The selection does not look at parents.
    SelectUnlinked = "select-unlinked", Core, "PBFT-VC-5";
    /// The selection starts above the lowest base that is shown instead of the highest.
    SelectLowestBase = "select-lowest-base", Core, "PBFT-VC-5";
    /// A new primary carries nothing over, and backups do not compute it themselves.
    CarryNothing = "carry-nothing", Core, "PBFT-VC-6";
    /// Something is ordered at heights that the view's certificate proves final.
    OrderBelowBase = "order-below-base", Core, "PBFT-VC-7";
    /// A view starts on view-changes of f + 1 replicas.
    StartViewEarly = "start-view-early", Core, "PBFT-VC-4";
    /// Nobody joins f + 1 others that leave a view.
    JoinNobody = "join-nobody", Core, "PBFT-VC-3";
    /// The progress timer is never started.
    NeverLeaveView = "never-leave-view", Core, "PBFT-TM-2";
    /// Who is not heard by a quorum leaves its view all the same, and no quorum is waited for.
    RunAhead = "run-ahead", Core, "PBFT-TM-3";
    /// An accepted proposal is not written down before it is voted for.
    SkipAcceptedRecord = "skip-accepted-record", Core, "PBFT-RC-3";
    /// What is prepared is not written down before the commit vote leaves.
    SkipPreparedRecord = "skip-prepared-record", Core, "PBFT-RC-3";
    /// The view asked for is not written down.
    SkipViewChangeRecord = "skip-view-change-record", Core, "PBFT-RC-2";
    /// The view entered is not written down.
    SkipNewViewRecord = "skip-new-view-record", Core, "PBFT-RC-2";
    /// After a restart only the lowest accepted proposal is bound.
    RestoreFirstOnly = "restore-first-only", Core, "PBFT-RC-3";
    /// No lost message is sent again.
    NeverRepeat = "never-repeat", Core, "PBFT-RT-2";
    /// Who is behind does not catch up.
    NeverCatchUp = "never-catch-up", Core, "PBFT-RT-3";
    /// A carried block that is not here is not asked for.
    NeverAskForPayload = "never-ask-for-payload", Core, "PBFT-RT-5";
    /// No checkpoint becomes stable.
    NeverStable = "never-stable", Core, "PBFT-CP-3";
    /// A contradiction is not reported.
    HideEquivocation = "hide-equivocation", Core, "PBFT-EV-1";
    /// Votes of different views are reported as a contradiction.
    AccuseHonest = "accuse-honest", Core, "PBFT-EV-1";
    /// A block is proposed on top of one that ends the epoch.
    OutliveEpoch = "outlive-epoch", Core, "PBFT-EP-2";

    /// Records are not written to the disk before a message that depends on them leaves.
    SkipLogBeforeVote = "skip-log-before-vote", Driver, "PBFT-RC-3";
    /// A committed block is executed a second time.
    ExecuteBlockTwice = "execute-block-twice", Driver, "PBFT-NC-9";
    /// A client is told that its transaction is committed when it is only proposed.
    AckBeforeCommit = "ack-before-commit", Driver, "PBFT-NC-9";
    /// A proposed block is found valid without being executed.
    ValidateBlindly = "validate-blindly", Driver, "PBFT-NC-4";
    /// Blocks fetched from a peer are adopted without a look at their certificates.
    AdoptUnproven = "adopt-unproven", Driver, "PBFT-RT-4";
    /// Transactions of a block that a view change dropped are not proposed again.
    ForgetDropped = "forget-dropped", Driver, "PBFT-NC-1";
    /// One client's transactions are never proposed.
    CensorOne = "censor-one", Driver, "PBFT-PF-3";
    /// Signatures of messages are not checked.
    SkipSignatures = "skip-signatures", Driver, "PBFT-MB-2";
    /// The queue of waiting transactions has no bound.
    UnboundedQueue = "unbounded-queue", Driver, "PBFT-MB-7";
    /// A replica whose disk was lost votes again at once, under its old key.
    VoteAfterWipe = "vote-after-wipe", Driver, "PBFT-RC-7";
    /// Pieces of a copied ledger are taken without a look at what proves them.
    TakeUnproven = "take-unproven", Driver, "PBFT-ST-2";
    /// The newest snapshot that a peer shows is copied, whoever signed it.
    TrustOneSurvey = "trust-one-survey", Driver, "PBFT-ST-1";
    /// A newer copy goes on with the pieces of an older one.
    ResumeOther = "resume-other", Driver, "PBFT-ST-3";
    /// Pruning removes the state at the newest snapshot height.
    PruneTooFar = "prune-too-far", Driver, "PBFT-ST-4";
    /// A peer is given the newest state for the one that it asked for.
    ServeNewest = "serve-newest", Driver, "PBFT-ST-5";
    /// A copy counts as whole before the histories are in it.
    FinishEarly = "finish-early", Driver, "PBFT-ST-3";
}

/// No bug has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no planted bug is called {name:?}")]
pub struct UnknownBug {
    /// The name given.
    pub name: String,
}

impl FromStr for Bug {
    type Err = UnknownBug;

    fn from_str(name: &str) -> Result<Self, UnknownBug> {
        let found = Self::ALL.iter().find(|bug| bug.name() == name);
        found.copied().ok_or_else(|| UnknownBug { name: name.to_owned() })
    }
}

impl fmt::Display for Bug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
