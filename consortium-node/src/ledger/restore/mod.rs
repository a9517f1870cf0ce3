//! Taking over the ledger of others at one block, in pieces from whoever has them: the headers below it, the state after
//! it, and all personal histories.
//!
//! It starts from a block under a commit certificate ([`Anchor`]), and each piece is proven when it comes: a header by the
//! one above it, which names its hash; values of the state by a range proof against the anchor's state root; entries of a
//! history by the head of its hash chain, which is in the state. So a lying peer costs one question. Each piece is written
//! by one transaction of the store with the place from which to go on, so a restart costs one question, too. The file is
//! no ledger until [`Restore::finish`] has made it one.

mod survey;
mod tree;

pub use survey::{Anchor, Survey};

use super::commit::{begin, create_tables};
use super::error::LedgerError;
use super::execute::genesis_header;
use super::range;
use super::store::{self, HEADERS, META, META_RESTORING, Snapshot, corrupt};
use super::transfer::{
    HEADERS_PER_CHUNK_MAX, HISTORIES_PER_CHUNK_MAX, HistoryChunk, RANGE_PROOF_BYTES_MAX, StateChunk,
    TransferRequest, TransferResponse,
};
use amulet_pbft::planted::Bug;
use amulet_protocol::certificate::{CertificateError, UntrustedSignedHeader};
use amulet_protocol::codec;
use amulet_protocol::genesis::Genesis;
use amulet_protocol::header::Header;
use amulet_protocol::history::HistoryHead;
use amulet_protocol::ids::{Did, Height};
use amulet_protocol::state::StateKey;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use std::sync::Arc;
use tree::{ChunkError, TreeCopy};

/// Headers whose range nodes are written at once.
const RANGE_LEAVES_PER_STEP: u64 = 4_096;
/// Histories of which entries are still wanted: DID to the head up to which they are.
const HISTORIES_LEFT: TableDefinition<&[u8; 20], &[u8]> = TableDefinition::new("histories_left");
/// Key in [`META`] of the rightmost node of the state that is final.
const META_LEAF: &str = "restored_leaf";
/// Key in [`META`]: the state is whole.
const META_STATE_DONE: &str = "restored_state";

/// Why an answer was not taken. The peer that gave it lied, or has another idea of the protocol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A certificate does not hold.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// A validator set is not the one that its header names.
    #[error("the validator set is not the one that the last header of its epoch names")]
    ValidatorSet,
    /// The header is not of a height at which snapshots are taken.
    #[error("there is no snapshot at this height")]
    Height,
    /// A header is not the one that the next names.
    #[error("header {height} is not the one that its successor names")]
    Header {
        /// Its height.
        height: Height,
    },
    /// Values of the state do not stand up to the proof.
    #[error("the values are not those of the certified state")]
    State,
    /// Entries do not make the history that the state knows.
    #[error("the entries are not those of the history of {did}")]
    History {
        /// Whose.
        did: Did,
    },
    /// More than a chunk holds.
    #[error("more than fits into one answer")]
    TooMany,
    /// An answer to another question, or none.
    #[error("no answer to what was asked")]
    NoAnswer,
}

/// Why a piece was not taken.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    /// It is wrong: ask somebody else.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// This node's store failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// A copy under way.
pub struct Restore {
    db: Arc<Database>,
    anchor: Header,
    #[cfg(feature = "planted")]
    bug: Option<Bug>,
}

impl Restore {
    /// Begins a copy in an empty file.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn begin(db: Database, genesis: &Genesis, anchor: &Anchor) -> Result<Self, LedgerError> {
        let write = begin(&db)?;
        create_tables(&write)?;
        write.open_table(store::STATE_NODES)?;
        write.open_table(store::STATE_VALUES)?;
        write.open_table(HISTORIES_LEFT)?;
        let certified = anchor.certified.as_signed();
        {
            let mut meta = write.open_table(META)?;
            meta.insert(META_RESTORING, codec::encode(certified).as_slice())?;
            meta.insert(store::META_GENESIS, codec::encode(genesis).as_slice())?;
            let header = &certified.header;
            write.open_table(HEADERS)?.insert(header.height.0, codec::encode(header).as_slice())?;
            let mut certificates = write.open_table(store::CERTIFICATES)?;
            for signed in anchor.ends.iter().chain([&anchor.certified]).map(|end| end.as_signed()) {
                let height = signed.header.height.0;
                certificates.insert(height, codec::encode(&signed.certificate).as_slice())?;
            }
        }
        write.commit()?;
        Ok(Self::over(db, certified.header.clone()))
    }

    /// Goes on with a copy that was begun; gives the file back if there is none in it.
    ///
    /// # Errors
    /// [`LedgerError`]; also when the copy is of another chain.
    pub fn resume(db: Database, genesis: &Genesis) -> Result<Result<Self, Database>, LedgerError> {
        if store::is_new(&db)? {
            return Ok(Err(db));
        }
        let snapshot = Snapshot::new(&db)?;
        let Some(signed) = snapshot.meta_option::<UntrustedSignedHeader>(META_RESTORING)? else {
            return Ok(Err(db));
        };
        let (found, expected) = (signed.header.chain, genesis.chain_id());
        if found != expected {
            return Err(LedgerError::OtherChain { found, expected });
        }
        drop(snapshot);
        Ok(Ok(Self::over(db, signed.header)))
    }

    fn over(db: Database, anchor: Header) -> Self {
        Self {
            db: Arc::new(db),
            anchor,
            #[cfg(feature = "planted")]
            bug: None,
        }
    }

    /// With a deliberate bug.
    #[cfg(feature = "planted")]
    #[must_use]
    pub fn with_planted(self, bug: Option<Bug>) -> Self {
        Self { bug, ..self }
    }

    fn is_planted(&self, bug: Bug) -> bool {
        #[cfg(feature = "planted")]
        return self.bug == Some(bug);
        #[cfg(not(feature = "planted"))]
        {
            let _ = bug;
            false
        }
    }

    /// Whether nothing was ever written to a file.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn is_empty(db: &Database) -> Result<bool, LedgerError> {
        store::is_new(db)
    }

    /// The block whose ledger is copied.
    #[must_use]
    pub fn height(&self) -> Height {
        self.anchor.height
    }

    /// What to ask for next; `None` when everything is here. The same until an answer to it was taken.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn next(&self) -> Result<Option<TransferRequest>, LedgerError> {
        let snapshot = Snapshot::new(&self.db)?;
        let lowest = snapshot.lowest_header()?;
        if lowest.height > Height(0) {
            return Ok(Some(TransferRequest::Headers { below: lowest.height }));
        }
        if !snapshot.has_meta(META_STATE_DONE)? {
            let (height, from) = (self.anchor.height, tree::wanted_from(&snapshot)?);
            return Ok(Some(TransferRequest::State { height, from }));
        }
        if self.is_planted(Bug::FinishEarly) {
            return Ok(None);
        }
        let left = self.histories_left()?;
        let wanted: Vec<_> = left.into_iter().map(|(did, head)| (did, head.count)).collect();
        Ok((!wanted.is_empty()).then_some(TransferRequest::Histories(wanted)))
    }

    /// Takes the answer to [`Restore::next`]. On return it is on the disk.
    ///
    /// # Errors
    /// [`TakeError::Refused`] when it is wrong; nothing wrong was kept.
    pub fn take(&self, answer: TransferResponse) -> Result<(), TakeError> {
        match (self.next()?, answer) {
            (Some(TransferRequest::Headers { .. }), TransferResponse::Headers(headers)) => {
                self.take_headers(&headers)
            }
            (Some(TransferRequest::State { .. }), TransferResponse::State(chunk)) => self.take_state(chunk),
            (Some(TransferRequest::Histories(_)), TransferResponse::Histories(chunks)) => {
                self.take_histories(chunks)
            }
            _ => Err(Refused::NoAnswer.into()),
        }
    }

    /// Makes the copy a ledger, to be opened as one.
    ///
    /// # Errors
    /// [`LedgerError`].
    ///
    /// # Panics
    /// Before [`Restore::next`] has returned `None`.
    pub fn finish(self) -> Result<Database, LedgerError> {
        assert_eq!(self.next()?, None, "only a copy that has everything is finished");
        let genesis: Genesis = Snapshot::new(&self.db)?.meta(store::META_GENESIS)?;
        let first = Snapshot::new(&self.db)?.lowest_header()?;
        if first != genesis_header(&genesis)? {
            return Err(corrupt(&HEADERS));
        }
        self.build_range()?;
        let write = begin(&self.db)?;
        write.delete_table(HISTORIES_LEFT)?;
        {
            let mut meta = write.open_table(META)?;
            let height = codec::encode(&self.anchor.height);
            meta.insert(store::META_FORMAT, codec::encode(&store::LEDGER_FORMAT).as_slice())?;
            meta.insert(store::META_FLOOR, height.as_slice())?;
            meta.insert(store::META_PRUNED, height.as_slice())?;
            for key in [META_RESTORING, META_LEAF, META_STATE_DONE] {
                meta.remove(key)?;
            }
        }
        write.commit()?;
        Ok(Arc::into_inner(self.db).expect("no tree is open"))
    }

    /// The file, as a process that ends leaves it.
    #[cfg(test)]
    pub(super) fn into_database(self) -> Database {
        Arc::into_inner(self.db).expect("no tree is open")
    }

    fn tree(&self) -> Result<TreeCopy, LedgerError> {
        TreeCopy::open(self.db.clone(), self.anchor.height, self.anchor.state_root)
    }

    fn take_headers(&self, headers: &[Header]) -> Result<(), TakeError> {
        if headers.is_empty() || headers.len() > HEADERS_PER_CHUNK_MAX {
            return Err(if headers.is_empty() { Refused::NoAnswer } else { Refused::TooMany }.into());
        }
        let mut above = Snapshot::new(&self.db)?.lowest_header()?;
        let write = begin(&self.db)?;
        {
            let mut table = write.open_table(HEADERS).map_err(LedgerError::from)?;
            for header in headers {
                let below = above.height.0.checked_sub(1).map(Height);
                let is_right = header.hash() == above.previous || self.is_planted(Bug::TakeUnproven);
                if Some(header.height) != below || !is_right {
                    return Err(Refused::Header { height: header.height }.into());
                }
                let bytes = codec::encode(header);
                table.insert(header.height.0, bytes.as_slice()).map_err(LedgerError::from)?;
                above = header.clone();
            }
        }
        Ok(write.commit().map_err(LedgerError::from)?)
    }

    fn take_state(&self, chunk: StateChunk) -> Result<(), TakeError> {
        let StateChunk { rows, proof, is_last } = chunk;
        if rows.is_empty() {
            return Err(Refused::NoAnswer.into());
        }
        self.add_rows(rows, &proof, is_last).map_err(|error| match error {
            ChunkError::Wrong => Refused::State.into(),
            ChunkError::Ledger(error) => error.into(),
        })
    }

    fn add_rows(
        &self,
        rows: Vec<(StateKey, Vec<u8>)>,
        proof: &[u8],
        is_last: bool,
    ) -> Result<(), ChunkError> {
        let proof = codec::decode(proof, RANGE_PROOF_BYTES_MAX).map_err(|_| ChunkError::Wrong)?;
        let tree = self.tree()?.add(rows, proof)?;
        if is_last { tree.finish() } else { Ok(()) }
    }

    fn histories_left(&self) -> Result<Vec<(Did, HistoryHead)>, LedgerError> {
        let read = self.db.begin_read()?;
        let table = read.open_table(HISTORIES_LEFT)?;
        let mut left = Vec::new();
        for row in table.iter()?.take(HISTORIES_PER_CHUNK_MAX) {
            let (did, head) = row?;
            let damaged = |_| corrupt(&HISTORIES_LEFT);
            let did = codec::decode(did.value(), usize::MAX).map_err(damaged)?;
            left.push((did, codec::decode(head.value(), usize::MAX).map_err(damaged)?));
        }
        Ok(left)
    }

    fn take_histories(&self, chunks: Vec<HistoryChunk>) -> Result<(), TakeError> {
        let left = self.histories_left()?;
        if chunks.is_empty() || chunks.len() > left.len() {
            return Err(if chunks.is_empty() { Refused::NoAnswer } else { Refused::TooMany }.into());
        }
        for ((did, head), chunk) in left.iter().zip(&chunks) {
            let begins = chunk.below.count > 0 || chunk.below == HistoryHead::default();
            let is_right = begins && !chunk.entries.is_empty();
            let is_proven = chunk.below.extend_to(*head, &chunk.entries).is_ok();
            if !is_right || !(is_proven || self.is_planted(Bug::TakeUnproven)) {
                return Err(Refused::History { did: *did }.into());
            }
        }
        Ok(self.write_histories(&left, &chunks)?)
    }

    fn write_histories(
        &self,
        left: &[(Did, HistoryHead)],
        chunks: &[HistoryChunk],
    ) -> Result<(), LedgerError> {
        let write = begin(&self.db)?;
        {
            let mut table = write.open_table(store::HISTORY)?;
            let mut open = write.open_table(HISTORIES_LEFT)?;
            for ((did, _), chunk) in left.iter().zip(chunks) {
                for entry in &chunk.entries {
                    let key = store::history_key(*did, entry.number);
                    table.insert(&key, codec::encode(entry).as_slice())?;
                }
                if chunk.below.count == 0 {
                    open.remove(did.as_bytes())?;
                } else {
                    open.insert(did.as_bytes(), codec::encode(&chunk.below).as_slice())?;
                }
            }
        }
        Ok(write.commit()?)
    }

    /// The header range, from the headers, in steps; done again from the start after a restart.
    fn build_range(&self) -> Result<(), LedgerError> {
        let end = self.anchor.height.0;
        for first in (0..end).step_by(usize::try_from(RANGE_LEAVES_PER_STEP).unwrap_or(usize::MAX)) {
            let snapshot = Snapshot::new(&self.db)?;
            let heights = first..end.min(first + RANGE_LEAVES_PER_STEP);
            let added = range::extend_by(&snapshot, heights)?;
            let write = begin(&self.db)?;
            {
                let mut table = write.open_table(store::RANGE)?;
                for (position, digest) in &added {
                    table.insert(position, digest.as_bytes())?;
                }
            }
            write.commit()?;
        }
        let computed = range::root_at(&Snapshot::new(&self.db)?, self.anchor.height)?;
        if computed == self.anchor.range_root { Ok(()) } else { Err(corrupt(&store::RANGE)) }
    }
}
