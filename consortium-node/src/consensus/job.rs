//! Work that takes long: executing blocks, checking signatures, reading much of the ledger. It changes nothing, so it may
//! be run anywhere.

use super::credentials::SharedVerifier;
use super::sync::{self, CommittedBlock};
use crate::ledger::{
    ArrivedBlock, BlockRefusal, ExecuteError, ExecutedBlock, Ledger, LedgerError, ProposalInput,
    VerifiedTransactions,
};
use crate::mempool::Mempool;
use amulet_pbft::{CommitCertificate, Payload, ProposedBlock, Provenance};
use amulet_protocol::block::UntrustedCertifiedBlock;
use amulet_protocol::codec;
use amulet_protocol::ids::{HeaderHash, Height, ReplicaId, Timestamp, TxId, View};
use amulet_protocol::transaction::SignedTransaction;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

/// Something to compute. [`Job::run`] is a function of the job and of the ledger's committed blocks: no clock, no
/// randomness, nothing written.
pub struct Job {
    pub(super) ledger: Ledger,
    pub(super) verified: Arc<dyn VerifiedTransactions>,
    /// Transactions of blocks need not be read anew if they are here; a job finds the same whatever is.
    pub(super) known: Mempool,
    pub(super) task: Task,
}

/// What to compute.
pub(super) enum Task {
    /// Make a block.
    Build(Build),
    /// Judge a proposed block.
    Validate(Validate),
    /// Check what a peer says are committed blocks.
    CheckBlocks {
        peer: ReplicaId,
        from: Height,
        blocks: Vec<UntrustedCertifiedBlock>,
        verifier: SharedVerifier,
    },
    /// Execute a committed block on the tip.
    Execute { peer: ReplicaId, block: Box<CommittedBlock> },
    /// Find waiting transactions that no block may hold any more.
    Sweep(Vec<Arc<SignedTransaction>>),
}

pub(super) struct Build {
    pub(super) view: View,
    pub(super) height: Height,
    /// The uncommitted blocks below, from the tip up.
    pub(super) parents: Vec<Arc<ExecutedBlock>>,
    pub(super) proposer: ReplicaId,
    pub(super) time: Timestamp,
    pub(super) candidates: Vec<Arc<SignedTransaction>>,
}

pub(super) struct Validate {
    pub(super) view: View,
    pub(super) height: Height,
    pub(super) header_hash: HeaderHash,
    /// The uncommitted blocks below, from the tip up.
    pub(super) parents: Vec<Arc<ExecutedBlock>>,
    pub(super) payload: Payload,
    pub(super) provenance: Provenance,
    pub(super) wall: Timestamp,
}

/// What a job found; for [`Event::JobDone`](super::Event::JobDone).
pub struct JobResult(pub(super) Found);

pub(super) enum Found {
    Built(Result<BuiltBlock, LedgerError>),
    Validated {
        view: View,
        height: Height,
        header_hash: HeaderHash,
        judged: Result<Judgement, LedgerError>,
    },
    Checked {
        peer: ReplicaId,
        committed: Option<Vec<CommittedBlock>>,
    },
    Executed {
        peer: ReplicaId,
        height: Height,
        certificate: CommitCertificate,
        judged: Result<Judgement, LedgerError>,
    },
    Swept(Result<Vec<TxId>, LedgerError>),
}

/// What execution says about somebody else's block.
pub(super) enum Judgement {
    /// It is right.
    Right(Arc<ExecutedBlock>),
    /// Every correct replica refuses it.
    Wrong,
    /// Another block was committed below it meanwhile: the question is void.
    Void,
}

/// What came of the candidates.
pub(super) struct BuiltBlock {
    /// `None` if none of the candidates can be in a block, or the ledger has moved on.
    pub(super) block: Option<(ProposedBlock, Arc<ExecutedBlock>)>,
    /// Candidates that no block here may hold.
    pub(super) inadmissible: Vec<TxId>,
    /// Whether that was judged by committed blocks alone.
    pub(super) is_final: bool,
}

impl Job {
    /// Runs the job. Blocks on the processor and on the ledger's file.
    #[must_use]
    pub fn run(self) -> JobResult {
        let Self { ledger, verified, known, task } = self;
        JobResult(match task {
            Task::Build(build) => Found::Built(build.run(&ledger)),
            Task::Validate(validate) => {
                let Validate { view, height, header_hash, .. } = validate;
                Found::Validated {
                    view,
                    height,
                    header_hash,
                    judged: validate.run_guarded(&ledger, verified.as_ref(), &known),
                }
            }
            Task::CheckBlocks { peer, from, blocks, verifier } => {
                Found::Checked { peer, committed: sync::committed(blocks, from, verifier.as_ref()) }
            }
            Task::Execute { peer, block } => {
                let UntrustedCertifiedBlock { block, certificate } = block.into_inner();
                let height = block.header.height;
                let judged = judge(&ledger, &[], block, None, verified.as_ref());
                Found::Executed { peer, height, certificate, judged }
            }
            Task::Sweep(waiting) => Found::Swept(ledger.inadmissible(waiting.iter().map(AsRef::as_ref))),
        })
    }

    /// The kind's name, as logs show it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.task {
            Task::Build(_) => "build",
            Task::Validate(_) => "validate",
            Task::CheckBlocks { .. } => "check-blocks",
            Task::Execute { .. } => "execute",
            Task::Sweep(_) => "sweep",
        }
    }
}

impl Build {
    fn run(self, ledger: &Ledger) -> Result<BuiltBlock, LedgerError> {
        let Self { view, height, parents, proposer, time, candidates } = self;
        let is_final = parents.is_empty();
        let transactions = candidates.into_iter().map(Arc::unwrap_or_clone).collect();
        let executed = match ledger.execute(&parents, ProposalInput { transactions, time, proposer, view }) {
            Ok(executed) => executed,
            Err(ExecuteError::Detached(_)) => {
                return Ok(BuiltBlock { block: None, inadmissible: Vec::new(), is_final });
            }
            Err(ExecuteError::Ledger(error)) => return Err(error),
        };
        let inadmissible = executed.inadmissible().iter().map(|(id, _)| *id).collect();
        // The ledger may have moved on while the job waited.
        if executed.receipts().is_empty() || executed.height() != height {
            return Ok(BuiltBlock { block: None, inadmissible, is_final });
        }
        let payload = Payload::new(codec::encode(executed.block()))
            .expect("a block's transactions are bounded below the bound of a payload");
        let (header_hash, ends_epoch) = (executed.hash(), executed.ends_epoch());
        let parent = executed.block().header.previous;
        let block = ProposedBlock { view, height, parent, header_hash, payload, ends_epoch };
        Ok(BuiltBlock { block: Some((block, Arc::new(executed))), inadmissible, is_final })
    }
}

impl Validate {
    /// A block that makes this node's code panic is refused: a primary that finds such a block must not bring down whoever
    /// looks at it. To refuse a block is safe whatever the others do.
    fn run_guarded(
        self,
        ledger: &Ledger,
        verified: &dyn VerifiedTransactions,
        known: &Mempool,
    ) -> Result<Judgement, LedgerError> {
        let height = self.height;
        // Judging writes nothing, and what it reads is not changed by others while they hold a lock.
        let judging = AssertUnwindSafe(|| self.run(ledger, verified, known));
        std::panic::catch_unwind(judging).unwrap_or_else(|_| {
            tracing::error!(
                height = height.0,
                "judging a proposed block panicked, which is a bug; block refused"
            );
            Ok(Judgement::Wrong)
        })
    }

    fn run(
        self,
        ledger: &Ledger,
        verified: &dyn VerifiedTransactions,
        known: &Mempool,
    ) -> Result<Judgement, LedgerError> {
        let Self { view, height, header_hash, parents, payload, provenance, wall } = self;
        let Some(block) = ArrivedBlock::decode(payload.bytes(), known) else {
            return Ok(Judgement::Wrong);
        };
        let header = &block.header;
        let (is_placed, clock) = match provenance {
            Provenance::New => (header.view == view, Some(wall)),
            Provenance::Carried => (header.view < view, None),
        };
        // That the header's proposer is the primary of the header's view is the ledger's to check.
        if !is_placed || header.height != height || header.hash() != header_hash {
            return Ok(Judgement::Wrong);
        }
        judge(ledger, &parents, block, clock, verified)
    }
}

/// Executes somebody else's block.
fn judge(
    ledger: &Ledger,
    parents: &[Arc<ExecutedBlock>],
    block: impl Into<ArrivedBlock>,
    clock: Option<Timestamp>,
    verified: &dyn VerifiedTransactions,
) -> Result<Judgement, LedgerError> {
    let block = block.into();
    let height = block.header.height;
    match ledger.validate(parents, block, clock, verified) {
        Ok(executed) => Ok(Judgement::Right(Arc::new(executed))),
        Err(BlockRefusal::Ledger(error)) => Err(error),
        Err(BlockRefusal::Detached(_)) => Ok(Judgement::Void),
        Err(refusal) => {
            tracing::warn!(height = height.0, %refusal, "block refused");
            Ok(Judgement::Wrong)
        }
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Job({})", self.kind())
    }
}

impl fmt::Debug for JobResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Found::Built(_) => "JobResult(build)",
            Found::Validated { .. } => "JobResult(validate)",
            Found::Checked { .. } => "JobResult(check-blocks)",
            Found::Executed { .. } => "JobResult(execute)",
            Found::Swept(_) => "JobResult(sweep)",
        })
    }
}
