//! Answers the other hospitals' nodes.

use crate::gossip::MESSAGES_UNDER_WAY_MAX;
use crate::ledger::{Ledger, LedgerError};
use crate::mempool::Mempool;
use crate::network::{
    BLOBS_PER_PEER_REQUEST_MAX, BLOCKS_PER_PEER_RESPONSE_MAX, PEER_MESSAGE_BYTES_MAX, PeerQuestion,
    PeerRequest, PeerResponse,
};
use crate::vault::{BLOB_BYTES_MAX, Copies, CopyError, IndexError, Vault, VaultError, VaultIndex};
use crate::verified::{Checked, Verified};
use amulet_protocol::block::UntrustedCertifiedBlock;
use amulet_protocol::codec;
use amulet_protocol::ids::{BlobId, Height, ReplicaId, Timestamp};
use amulet_protocol::limits::BLOCK_TRANSACTIONS_MAX;
use amulet_protocol::record::blob_id;
use amulet_protocol::transaction::{SignedTransaction, UntrustedTransaction};
use futures::{StreamExt, TryStreamExt, stream};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc};

/// Questions answered at once; more wait, and how many may is bounded where they come in.
const AT_ONCE: usize = 32;
/// Questions of one peer answered at once: the transactions that it passes on, those that it passes on again, and some
/// others.
const AT_ONCE_OF_ONE_PEER: usize = 2 * MESSAGES_UNDER_WAY_MAX;
/// Ciphertexts written at once, so that the file system can sync them together.
const WRITES_AT_ONCE: usize = 16;
/// Bytes of an answer beside the blocks in it.
const ENVELOPE_BYTES: usize = 1_024;

/// What the service works with.
#[derive(Clone)]
pub struct PeerParts {
    /// The ledger.
    pub ledger: Ledger,
    /// Where transactions go.
    pub mempool: Mempool,
    /// Transactions that were checked before.
    pub verified: Verified,
    /// Where copies go.
    pub vault: Vault,
    /// What they are for.
    pub index: VaultIndex,
    /// Copies that are fetched piece by piece.
    pub copies: Copies,
    /// The clock.
    pub now: fn() -> Timestamp,
}

/// Answers other nodes; cheap to clone.
#[derive(Clone)]
pub struct PeerService {
    parts: PeerParts,
}

/// Why a question is refused.
#[derive(Debug, thiserror::Error)]
enum PeerError {
    #[error("{found} items, at most {limit} are accepted at once")]
    TooMany { found: usize, limit: usize },
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error(transparent)]
    Copy(#[from] CopyError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Task(#[from] tokio::task::JoinError),
}

impl PeerService {
    /// A service over these parts.
    #[must_use]
    pub fn new(parts: PeerParts) -> Self {
        Self { parts }
    }

    /// Answers the questions of an inbox until it is closed. Each peer has its own turn: what one asks waits behind few of
    /// another's questions, however many that one asks.
    pub async fn run(self, mut inbox: mpsc::Receiver<PeerQuestion>) {
        let slots = Arc::new(Semaphore::new(AT_ONCE));
        let mut turns: BTreeMap<ReplicaId, Arc<Semaphore>> = BTreeMap::new();
        while let Some(question) = inbox.recv().await {
            let turn = turns.entry(question.from);
            let turn = turn.or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE_OF_ONE_PEER))).clone();
            let (slots, service) = (slots.clone(), self.clone());
            // As many of these tasks wait as the network lets the validators ask.
            tokio::spawn(async move {
                let _turn = turn.acquire_owned().await.expect("the semaphore is never closed");
                let _slot = slots.acquire_owned().await.expect("the semaphore is never closed");
                service.answer(question).await;
            });
        }
    }

    /// Answers one question.
    pub async fn answer(&self, question: PeerQuestion) {
        let PeerQuestion { from, request, reply } = question;
        let answer = self.respond(from, request).await.unwrap_or_else(|error| {
            tracing::warn!(replica = from.0, %error, "question of a peer refused");
            PeerResponse::Refused
        });
        // The asker may be gone.
        let _ = reply.send(answer);
    }

    async fn respond(&self, from: ReplicaId, request: PeerRequest) -> Result<PeerResponse, PeerError> {
        match request {
            PeerRequest::Blocks { from } => {
                let ledger = self.parts.ledger.clone();
                Ok(PeerResponse::Blocks(tokio::task::spawn_blocking(move || blocks(&ledger, from)).await??))
            }
            PeerRequest::Transfer(request) => {
                let ledger = self.parts.ledger.clone();
                let answer = tokio::task::spawn_blocking(move || ledger.transfer(&request)).await??;
                Ok(PeerResponse::Transfer(answer))
            }
            PeerRequest::StoreBlobs(blobs) => self.store(from, blobs).await,
            PeerRequest::Transactions(transactions) => self.take(from, transactions).await,
            PeerRequest::DropBlobs(blobs) => self.drop_blobs(from, blobs).await,
            PeerRequest::Keep { blob, bytes } => Ok(self.parts.copies.keep(from, blob, bytes).await?),
            PeerRequest::Piece { blob, from: at } => Ok(self.parts.copies.piece(from, blob, at).await?),
        }
    }

    async fn store(&self, from: ReplicaId, blobs: Vec<Vec<u8>>) -> Result<PeerResponse, PeerError> {
        bounded(blobs.len(), BLOBS_PER_PEER_REQUEST_MAX)?;
        if let Some(large) = blobs.iter().find(|blob| blob.len() > BLOB_BYTES_MAX) {
            return Err(VaultError::TooLarge { found: large.len() }.into());
        }
        let index = self.parts.index.clone();
        let noted = tokio::task::spawn_blocking(move || {
            let ids: Vec<BlobId> = blobs.iter().map(|blob| blob_id(blob)).collect();
            index.note_peer_blobs(from, &ids)?;
            Ok::<_, IndexError>(blobs)
        });
        let blobs = noted.await??;
        let writes = blobs.into_iter().map(|blob| self.parts.vault.put(blob));
        stream::iter(writes).buffer_unordered(WRITES_AT_ONCE).try_for_each(|_| async { Ok(()) }).await?;
        Ok(PeerResponse::Stored)
    }

    /// Takes transactions into the queue, and does not pass them on: their sender told everybody.
    async fn take(
        &self,
        from: ReplicaId,
        transactions: Vec<UntrustedTransaction>,
    ) -> Result<PeerResponse, PeerError> {
        bounded(transactions.len(), BLOCK_TRANSACTIONS_MAX)?;
        let service = self.clone();
        tokio::task::spawn_blocking(move || {
            let right = service.check(transactions)?;
            // Checking signatures takes long: what was committed meanwhile must not come into the queue again.
            let moment = service.parts.ledger.moment()?;
            for transaction in right {
                if moment.refusal(&transaction)?.is_some() {
                    continue;
                }
                if let Err(full) = service.parts.mempool.insert_from(from, transaction) {
                    tracing::debug!(%full, "transaction of a peer not kept");
                }
            }
            Ok::<_, LedgerError>(())
        })
        .await??;
        Ok(PeerResponse::Noted)
    }

    /// Those of a peer's transactions that are new here and whose signatures are right.
    fn check(&self, transactions: Vec<UntrustedTransaction>) -> Result<Vec<SignedTransaction>, LedgerError> {
        let PeerParts { ledger, mempool, verified, .. } = &self.parts;
        let moment = ledger.moment()?;
        let mut right = Vec::new();
        for transaction in transactions {
            let transaction = transaction.hashed();
            // Each comes from several hospitals, and what waits too long comes again and again: that must not cost a
            // signature check each time. What a block in flight holds needs no place in the queue.
            if mempool.knows(transaction.id()) || moment.contains(transaction.id())? {
                continue;
            }
            if let Checked::Right(transaction) = verified.check(transaction, ledger.chain()) {
                right.push(*transaction);
            }
        }
        Ok(right)
    }

    async fn drop_blobs(&self, from: ReplicaId, blobs: Vec<BlobId>) -> Result<PeerResponse, PeerError> {
        let (index, ledger) = (self.parts.index.clone(), self.parts.ledger.clone());
        let droppable = tokio::task::spawn_blocking(move || {
            index.catch_up(&ledger)?;
            index.droppable(from, &blobs)
        });
        for blob in droppable.await?? {
            self.parts.vault.remove(blob).await?;
        }
        Ok(PeerResponse::Noted)
    }
}

fn bounded(found: usize, limit: usize) -> Result<(), PeerError> {
    if found > limit { Err(PeerError::TooMany { found, limit }) } else { Ok(()) }
}

/// Certified blocks from a height on, as many as fit into an answer.
fn blocks(ledger: &Ledger, from: Height) -> Result<Vec<UntrustedCertifiedBlock>, LedgerError> {
    let mut found = Vec::new();
    let mut bytes = ENVELOPE_BYTES;
    let mut height = from;
    while found.len() < BLOCKS_PER_PEER_RESPONSE_MAX
        && let Some(block) = ledger.block(height)?
    {
        bytes += codec::encode(&block).len();
        if bytes > PEER_MESSAGE_BYTES_MAX {
            break;
        }
        found.push(block);
        height = height.next();
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
