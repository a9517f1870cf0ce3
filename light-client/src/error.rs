//! What can go wrong, told apart: nobody answered, a hospital is behind, a hospital lied, hospitals disagree.

use crate::checkpoint::CheckpointWordsError;
use crate::store::StoreError;
use crate::sync::NodeVerdict;
use crate::transport::{NodeIndex, TransportError};
use crate::verifier::{CheckpointError, InvalidHeader, InvalidStep, TrustExpired};
use amulet_crypto::digest::Digest;
use amulet_protocol::certificate::UntrustedSignedHeader;
use amulet_protocol::fork_file::ForkFileError;
use amulet_protocol::genesis::GenesisError;
use amulet_protocol::history::{HistoryError, HistoryHead};
use amulet_protocol::ids::{BlobId, Did, Epoch, HeaderHash, Height, Timestamp, TxId};
use amulet_protocol::light::{LightRefusal, LightRequest};
use amulet_protocol::merkle::{ListBatchError, ListProofError};
use amulet_protocol::proof_file::ProofFileError;
use amulet_protocol::range::RangeBatchError;
use amulet_protocol::state_batch::StateBatchError;
use amulet_protocol::state_tree::StateProofError;
use amulet_protocol::transaction::TransactionError;
use std::fmt;

/// The kinds of questions, for messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// The newest header.
    Latest,
    /// A header by height.
    HeaderAt,
    /// A range proof.
    RangeProof,
    /// State values.
    State,
    /// History entries.
    History,
    /// Transactions.
    Transactions,
    /// A receipt.
    Receipt,
    /// Taking a transaction.
    Submit,
    /// Ciphertexts.
    Read,
    /// [`LightRequest::StaffGrants`].
    StaffGrants,
    /// [`LightRequest::StaffKeys`].
    StaffKeys,
    /// [`LightRequest::ExplainReading`].
    ExplainReading,
    /// [`LightRequest::Links`].
    Links,
    /// Keeping a ciphertext.
    Upload,
    /// How an epoch ended.
    EpochEnd,
    /// Several headers with one proof.
    Headers,
    /// Several receipts with one proof.
    Receipts,
    /// A validator set.
    Validators,
    /// A run of headers.
    HeaderRun,
    /// Taking note of a fork.
    ReportFork,
}

/// What a hospital's node was caught in. Each is a proven lie or a broken node: an honest one never sends it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Forgery {
    /// A header that does not verify.
    #[error("forged header: {0}")]
    Header(#[from] InvalidHeader),
    /// A header of another height than was asked for.
    #[error("asked for the header at {asked}, got that at {found}")]
    HeaderHeight {
        /// Asked for.
        asked: Height,
        /// Got.
        found: Height,
    },
    /// A step along the validator sets that does not lead from the set this client knows to another.
    #[error("forged step to another validator set: {0}")]
    Step(#[from] InvalidStep),
    /// The end of another epoch than was asked for.
    #[error("asked for the end of epoch {asked}, got that of {found}")]
    EpochNumber {
        /// Asked for.
        asked: Epoch,
        /// Got.
        found: Epoch,
    },
    /// The header or the validator set of a checkpoint are not what was pinned.
    #[error("forged checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// A range proof that proves nothing.
    #[error("forged range proof: {0}")]
    RangeProof(InvalidHeader),
    /// A state proof that does not show what is claimed.
    #[error("forged state: {0}")]
    State(#[from] StateBatchError),
    /// Several headers, with a proof that proves nothing.
    #[error("forged proof of headers: {0}")]
    Headers(#[from] RangeBatchError),
    /// Receipts that are not in the block they are said to be in.
    #[error("forged receipts: {0}")]
    Receipts(#[from] ListBatchError),
    /// History entries that are not the proven history: changed, left out or added.
    #[error("forged history: {0}")]
    History(#[from] HistoryError),
    /// A transaction that does not verify.
    #[error("forged transaction: {0}")]
    Transaction(#[from] TransactionError),
    /// Another transaction than was asked for.
    #[error("asked for transaction {asked}, got {found}")]
    TransactionId {
        /// Asked for.
        asked: TxId,
        /// Got.
        found: TxId,
    },
    /// A receipt that is not in the block it is said to be in.
    #[error("forged receipt: {0}")]
    Receipt(#[from] ListProofError),
    /// The receipt of another transaction.
    #[error("asked for the receipt of {asked}, got that of {found}")]
    ReceiptOf {
        /// Asked for.
        asked: TxId,
        /// Got.
        found: TxId,
    },
    /// A ciphertext with another digest than it is registered under.
    #[error("the ciphertext {asked} has digest {found}")]
    Ciphertext {
        /// Asked for.
        asked: BlobId,
        /// Computed.
        found: BlobId,
    },
    /// More or fewer items than the question allows.
    #[error("asked for {asked} items, got {found}")]
    Count {
        /// Asked for.
        asked: usize,
        /// Got.
        found: usize,
    },
    /// An answer to another question.
    #[error("the answer does not belong to the question ({question})")]
    OtherAnswer {
        /// What was asked.
        question: Question,
    },
}

/// Why one node gave no usable answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NodeFailure {
    /// No answer came.
    #[error(transparent)]
    Unreachable(#[from] TransportError),
    /// A lie was proven.
    #[error(transparent)]
    Forged(#[from] Forgery),
    /// The node says it has no such thing; it may be behind.
    #[error("the node has no such thing")]
    NotFound,
    /// The node refuses.
    #[error(transparent)]
    Refused(#[from] LightRefusal),
    /// The header names a validator set that this client does not know.
    #[error("the header is certified by validator set {found}, known is {known}")]
    UnknownValidators {
        /// Named.
        found: Digest,
        /// Known.
        known: Digest,
    },
}

/// One side of a disagreement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// The hospitals' nodes that stand by this header; empty for the header that this device trusted before.
    pub nodes: Vec<NodeIndex>,
    /// The header with its certificate: evidence that anybody can check.
    pub header: UntrustedSignedHeader,
}

/// Two certified headers that cannot both be of one chain: more validators than are borne have signed both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disagreement {
    /// The height at which the two chains differ: that of the lower header.
    pub height: Height,
    /// The one side.
    pub left: Side,
    /// The other.
    pub right: Side,
    /// What each node did that was asked and stands by neither; one whose newest header was not compared with the two is
    /// [`NodeVerdict::Unproven`].
    pub others: Vec<(NodeIndex, NodeVerdict)>,
}

/// Why the client cannot do what was asked.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LightError {
    /// The pinned genesis document is bad.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// The pinned checkpoint is of another chain.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A fork that is kept cannot be shown to others.
    #[error(transparent)]
    ForkFile(#[from] ForkFileError),
    /// No node has a header with the words that a person typed.
    #[error(transparent)]
    CheckpointWords(#[from] CheckpointWordsError),
    /// Fewer nodes of different organisations are configured than are needed as witnesses.
    #[error("nodes of {found} organisations are known, {needed} are needed")]
    TooFewNodes {
        /// Organisations with a node.
        found: usize,
        /// Needed.
        needed: usize,
    },
    /// A configured node belongs to no organisation of the genesis document.
    #[error("node {node} belongs to {organisation}, which is not in the genesis document")]
    UnknownOrganisation {
        /// Which node.
        node: NodeIndex,
        /// Said to belong to.
        organisation: Did,
    },
    /// No such node.
    #[error("node {node} is not one of the {known} that are known")]
    UnknownNode {
        /// Asked for.
        node: NodeIndex,
        /// Known.
        known: usize,
    },
    /// What this device knows is too old to start from.
    #[error(transparent)]
    TrustExpired(#[from] TrustExpired),
    /// Nothing was synchronised yet, so there is no header to prove anything against.
    #[error("there is no trusted header yet")]
    NotSynced,
    /// The chain has no block after the genesis yet.
    #[error("the hospitals have not committed any block yet")]
    NothingYet,
    /// No node answered.
    #[error("none of {asked} hospitals answered")]
    Unreachable {
        /// Nodes asked.
        asked: usize,
    },
    /// Too few organisations confirm the newest header.
    #[error("{agreeing} organisations agree, {needed} are needed")]
    TooFewWitnesses {
        /// Organisations that agree.
        agreeing: usize,
        /// Needed.
        needed: usize,
        /// What each node did.
        nodes: Vec<(NodeIndex, NodeVerdict)>,
    },
    /// As many organisations as are needed show headers dated further ahead than clocks may differ: this device's clock is
    /// behind, and whom to believe cannot be told before it is right.
    #[error("hospitals show blocks of {newest}, this device's clock says {now}")]
    ClockBehind {
        /// This device's clock.
        now: Timestamp,
        /// The latest date that was shown; nothing about it is proven.
        newest: Timestamp,
    },
    /// Hospitals hand out certified headers that exclude each other. Nothing can be believed until people sort this out.
    #[error("hospitals disagree at height {}", .0.height)]
    Disagreement(Box<Disagreement>),
    /// No node could show that the new head continues what this device trusted.
    #[error("nobody shows that the head at {head} continues the trusted header at {trusted}")]
    Unlinked {
        /// Height of the trusted header.
        trusted: Height,
        /// Its hash.
        trusted_hash: HeaderHash,
        /// Height of the new head.
        head: Height,
    },
    /// Headers name a validator set that this client does not know, and nobody shows how it came from one that it knows.
    #[error("the hospitals' validator set is {found}, this client knows {known}")]
    ValidatorsChanged {
        /// Named.
        found: Digest,
        /// Known.
        known: Digest,
    },
    /// Every node that answered says it has no such thing. That is not proven.
    #[error("no hospital has it ({question})")]
    NotFound {
        /// What was asked.
        question: Question,
    },
    /// A node refuses, and none gave an answer.
    #[error("hospital {node} refuses: {refusal}")]
    Refused {
        /// Which.
        node: NodeIndex,
        /// Why.
        refusal: LightRefusal,
    },
    /// A lie was proven, and no other node gave an honest answer.
    #[error("hospital {node} gave a false answer: {forgery}")]
    Forged {
        /// Which.
        node: NodeIndex,
        /// What.
        forgery: Forgery,
    },
    /// The height lies above the trusted header.
    #[error("height {asked} is above the trusted header at {head}")]
    AboveHead {
        /// Asked for.
        asked: Height,
        /// Trusted.
        head: Height,
    },
    /// The caller knows more history than the ledger has: what it remembers is not of this ledger.
    #[error("{known} history entries are remembered, the ledger has {proven}")]
    HistoryShrunk {
        /// Remembered by the caller.
        known: u64,
        /// Proven.
        proven: u64,
    },
    /// The caller remembers a history that the proven one does not continue; ask again from nothing.
    #[error("the remembered history at entry {} is not part of the ledger's", .known.count)]
    HistoryForked {
        /// Remembered by the caller.
        known: HistoryHead,
    },
    /// The transaction was not seen in a block in time. It may still be committed.
    #[error("transaction {transaction} was not committed within {waited_ms} ms")]
    NotCommitted {
        /// Which.
        transaction: TxId,
        /// How long was waited.
        waited_ms: u64,
    },
    /// A value that is proven to be on the ledger is of another type than this client expects there.
    #[error(transparent)]
    State(StateProofError),
    /// What should be proven does not make a proof file.
    #[error("no proof file can be made: {0}")]
    Export(ProofFileError),
    /// The store of trusted headers fails.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Question {
    /// What kind of question a request is.
    #[must_use]
    pub fn of(request: &LightRequest) -> Self {
        match request {
            LightRequest::Latest | LightRequest::LatestUnless(_) => Self::Latest,
            LightRequest::HeaderAt(_) => Self::HeaderAt,
            LightRequest::RangeProof { .. } | LightRequest::RangeBatch { .. } => Self::RangeProof,
            LightRequest::State { .. } | LightRequest::StateBatch { .. } => Self::State,
            LightRequest::Headers { .. } => Self::Headers,
            LightRequest::Receipts { .. } => Self::Receipts,
            LightRequest::History { .. } => Self::History,
            LightRequest::Transactions(_) => Self::Transactions,
            LightRequest::Receipt(_) => Self::Receipt,
            LightRequest::Submit(_) => Self::Submit,
            LightRequest::Read(_) | LightRequest::ReadPiece { .. } => Self::Read,
            LightRequest::Upload(_) => Self::Upload,
            LightRequest::EpochEnd(_) | LightRequest::EpochEndWithSet(_) => Self::EpochEnd,
            LightRequest::Validators(_) => Self::Validators,
            LightRequest::HeaderRun { .. } => Self::HeaderRun,
            LightRequest::ReportFork(_) => Self::ReportFork,
            LightRequest::StaffGrants(_) => Self::StaffGrants,
            LightRequest::StaffKeys(_) => Self::StaffKeys,
            LightRequest::ExplainReading { .. } => Self::ExplainReading,
            LightRequest::Links(_) => Self::Links,
        }
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Latest => "the newest header",
            Self::HeaderAt => "a header",
            Self::RangeProof => "a range proof",
            Self::State => "state",
            Self::History => "history",
            Self::Transactions => "transactions",
            Self::Receipt => "a receipt",
            Self::Submit => "taking a transaction",
            Self::Read => "ciphertexts",
            Self::StaffGrants => "the grants for a hospital's staff",
            Self::StaffKeys => "the keys of records that staff may read",
            Self::ExplainReading => "what the rules say of a reading",
            Self::Links => "links that it serves",
            Self::Upload => "keeping a ciphertext",
            Self::EpochEnd => "the end of an epoch",
            Self::Headers => "several headers",
            Self::Receipts => "several receipts",
            Self::Validators => "a validator set",
            Self::HeaderRun => "a run of headers",
            Self::ReportFork => "taking note of a fork",
        })
    }
}

impl LightError {
    /// Whether the same may well succeed when it is tried again as it is: nobody answered, and nothing else is wrong.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        let gave_nothing =
            |verdict: &NodeVerdict| matches!(verdict, NodeVerdict::Unreachable(_) | NodeVerdict::NotAsked);
        match self {
            Self::Unreachable { .. } => true,
            // As behind a network's sign-in page.
            Self::TooFewWitnesses { nodes, .. } => nodes.iter().all(|(_, verdict)| gave_nothing(verdict)),
            _ => false,
        }
    }

    /// The one error that says most about these failures: a refusal before a lie, a lie before an absence, an absence
    /// before silence.
    pub(crate) fn from_failures(question: Question, failures: Vec<(NodeIndex, NodeFailure)>) -> Self {
        let asked = failures.len();
        let mut best = Self::Unreachable { asked };
        let mut best_rank = 0;
        for (node, failure) in failures {
            let (rank, error) = match failure {
                NodeFailure::Unreachable(_) => (0, Self::Unreachable { asked }),
                NodeFailure::NotFound => (1, Self::NotFound { question }),
                NodeFailure::UnknownValidators { found, known } => {
                    (2, Self::ValidatorsChanged { found, known })
                }
                NodeFailure::Forged(forgery) => (3, Self::Forged { node, forgery }),
                NodeFailure::Refused(refusal) => (4, Self::Refused { node, refusal }),
            };
            if rank > best_rank {
                (best, best_rank) = (error, rank);
            }
        }
        best
    }
}
