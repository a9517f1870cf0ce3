//! Getting back among the others without executing every block: a replica that is new, or so far behind that its peers
//! no longer have the blocks that it lacks, takes over a ledger from them while its node goes on as it is. What is copied
//! lies in a file of its own. Once it is whole, the node starts again with it, and follows from there block by block.
//!
//! What is asked of whom is decided by a [`Copier`]; here it gets a clock, a network and a folder.

mod copier;

pub use copier::{Answer, Copier, CopierParts, CopyFiles, Next, put_copy_in_place};

use crate::ledger::{LedgerError, TransferRequest, TransferResponse};
use crate::network::{Network, PeerRequest, PeerResponse};
use amulet_protocol::certificate::Sm2Votes;
use amulet_protocol::genesis::Genesis;
use amulet_protocol::ids::{Height, ReplicaId};
use futures::future::join_all;
use redb::Database;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The ledger's file in a node's folder.
pub const LEDGER_FILE: &str = "ledger.redb";
/// The file of a copy that is under way, or waits to take the ledger's place.
const COPY_FILE: &str = "ledger.restore.redb";
/// How often a node looks whether it is far behind.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Why there is no copy yet.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// This node's disk.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The file of the copy.
    #[error("the copy {path} cannot be used: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// Nobody gives a piece that is needed.
    #[error("no hospital gives what is missing in the copy of block {height}")]
    NobodyHasIt {
        /// The block whose ledger is copied.
        height: Height,
    },
    /// No peer showed a block under a good certificate.
    #[error("no hospital shows a newer block under the certificate of the validators")]
    NoAnchor,
}

/// Looks after a node's being near the others.
pub struct Transfer {
    /// `None` only while it works.
    copier: Option<Copier>,
    network: Network,
}

impl Transfer {
    /// One for the node of a folder.
    #[must_use]
    pub fn new(parts: CopierParts, network: Network) -> Self {
        Self { copier: Some(Copier::new(parts)), network }
    }

    /// Resolves once a copy is whole that is newer than the node's ledger: the node is to be started again.
    pub async fn watch(mut self) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            match self.look().await {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "the ledger cannot be copied from the others yet"),
            }
        }
    }

    async fn look(&mut self) -> Result<bool, TransferError> {
        let mut next = self.work(Copier::look).await?;
        loop {
            let questions = match next {
                Next::Rest => return Ok(false),
                Next::Copied(height) => {
                    tracing::info!(height = height.0, "the ledger was copied from the others");
                    return Ok(true);
                }
                Next::Ask(questions) => questions,
            };
            let ask = |(peer, request)| self.ask(peer, request);
            let answers: Vec<Answer> = join_all(questions.into_iter().map(ask)).await;
            next = self.work(move |copier| copier.answered(answers)).await?;
        }
    }

    async fn ask(&self, peer: ReplicaId, request: TransferRequest) -> (ReplicaId, Option<TransferResponse>) {
        let answer = match self.network.ask(peer, PeerRequest::Transfer(request)).await {
            Some(PeerResponse::Transfer(response)) => Some(response),
            _ => None,
        };
        (peer, answer)
    }

    /// Has the copier read and write where blocking is allowed.
    async fn work(
        &mut self,
        work: impl FnOnce(&mut Copier) -> Result<Next, TransferError> + Send + 'static,
    ) -> Result<Next, TransferError> {
        let mut copier = self.copier.take().expect("it does one thing at a time");
        let done = tokio::task::spawn_blocking(move || {
            let next = work(&mut copier);
            (copier, next)
        });
        let (copier, next) = done.await.expect("copying does not panic");
        self.copier = Some(copier);
        next
    }
}

/// The files in a node's folder.
pub struct FolderFiles {
    data: PathBuf,
}

impl FolderFiles {
    /// Those of this folder.
    #[must_use]
    pub fn new(data: &Path) -> Self {
        Self { data: data.to_owned() }
    }

    fn copy(&self) -> PathBuf {
        self.data.join(COPY_FILE)
    }

    fn ledger(&self) -> PathBuf {
        self.data.join(LEDGER_FILE)
    }
}

impl CopyFiles for FolderFiles {
    fn has_copy(&self) -> bool {
        self.copy().exists()
    }

    fn open_copy(&self) -> Result<Database, LedgerError> {
        open(&self.copy())
    }

    fn remove_copy(&self) -> Result<(), TransferError> {
        let path = self.copy();
        std::fs::remove_file(&path).map_err(|source| TransferError::File { path, source })
    }

    fn has_ledger(&self) -> bool {
        self.ledger().exists()
    }

    fn open_ledger(&self) -> Result<Database, LedgerError> {
        open(&self.ledger())
    }

    fn put_in_place(&self) -> Result<(), TransferError> {
        std::fs::rename(self.copy(), self.ledger())
            .and_then(|()| std::fs::File::open(&self.data)?.sync_all())
            .map_err(|source| TransferError::File { path: self.copy(), source })
    }
}

/// Puts a copy that is whole in the ledger's place, before the ledger is opened. One that is not is left to go on with.
///
/// # Errors
/// [`TransferError`].
pub fn install(data: &Path, genesis: &Genesis) -> Result<(), TransferError> {
    put_copy_in_place(&FolderFiles::new(data), genesis, &Sm2Votes)
}

fn open(path: &Path) -> Result<Database, LedgerError> {
    Database::create(path).map_err(|source| LedgerError::Open { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests;
