//! Getting back among the others without executing every block: a replica that is new, or so far behind that its peers
//! no longer have the blocks that it lacks, takes over a ledger from them while its node goes on as it is. What is copied
//! lies in a file of its own. Once it is whole, the node starts again with it, and follows from there block by block.

use crate::ledger::{
    Anchor, Ledger, LedgerError, Restore, Standing, Survey, TakeError, TransferRequest, TransferResponse,
};
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
/// More blocks than this are not executed one by one when a copy is to be had: a copy has the size of the state and one
/// header for each block, while a block takes as long as it took everybody else.
const BLOCKS_BEHIND_MAX: u64 = 10_000;
/// How often everybody is asked for a piece before the copy is given up until the next look.
const ROUNDS_PER_PIECE: usize = 3;

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
    /// The ledger that the node runs on.
    pub ledger: Ledger,
    /// The network.
    pub network: Network,
    /// What the chain starts from.
    pub genesis: Genesis,
    /// Whom to ask.
    pub others: Vec<ReplicaId>,
    /// The node's folder.
    pub data: PathBuf,
}

impl Transfer {
    /// Resolves once a copy is whole that is newer than the node's ledger: the node is to be started again.
    pub async fn watch(self) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            match self.look().await {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "the ledger cannot be copied from the others yet"),
            }
        }
    }

    async fn look(&self) -> Result<bool, TransferError> {
        let restore = match self.begun().await? {
            Some(restore) => restore,
            None if self.is_far_behind().await => self.begin().await?,
            None => return Ok(false),
        };
        let height = restore.height();
        if height <= self.ledger.tip().height {
            drop(restore);
            remove(&self.data.join(COPY_FILE))?;
            return Ok(false);
        }
        let restore = self.fill(restore).await?;
        blocking(move || restore.finish()).await?;
        tracing::info!(height = height.0, "the ledger was copied from the others");
        Ok(true)
    }

    /// The copy that was begun before, by this process or one before it.
    async fn begun(&self) -> Result<Option<Restore>, TransferError> {
        let (path, genesis) = (self.data.join(COPY_FILE), self.genesis.clone());
        if !path.exists() {
            return Ok(None);
        }
        Ok(blocking(move || Restore::resume(open(&path)?, &genesis)).await?.ok())
    }

    /// Whether so many peers say so that one of them is right.
    async fn is_far_behind(&self) -> bool {
        let own = self.ledger.tip().height;
        let next = own.next();
        let enough = self.ledger.epoch().validators.quorum().one_correct();
        let standings = self.standings().await;
        let count = |holds: &dyn Fn(&Standing) -> bool| {
            standings.iter().filter(|(_, standing)| holds(standing)).count()
        };
        let ahead = count(&|standing| standing.snapshot.is_some() && standing.tip > own);
        let far_ahead = count(&|standing| standing.tip.0.saturating_sub(own.0) > BLOCKS_BEHIND_MAX);
        let with_next = count(&|standing| standing.tip > own && standing.floor <= next);
        far_ahead >= enough || (ahead >= enough && with_next < enough)
    }

    async fn standings(&self) -> Vec<(ReplicaId, Standing)> {
        let ask = |peer: ReplicaId| async move {
            match self.ask(peer, TransferRequest::Standing).await {
                Some(TransferResponse::Standing(standing)) => Some((peer, *standing)),
                _ => None,
            }
        };
        join_all(self.others.iter().copied().map(ask)).await.into_iter().flatten().collect()
    }

    async fn ask(&self, peer: ReplicaId, request: TransferRequest) -> Option<TransferResponse> {
        match self.network.ask(peer, PeerRequest::Transfer(request)).await {
            Some(PeerResponse::Transfer(response)) => Some(response),
            _ => None,
        }
    }

    /// Finds the newest block that can be copied, and makes the file for it.
    async fn begin(&self) -> Result<Restore, TransferError> {
        let anchor = self.survey().await?.ok_or(TransferError::NoAnchor)?;
        if anchor.height() <= self.ledger.tip().height {
            return Err(TransferError::NoAnchor);
        }
        tracing::info!(height = anchor.height().0, "copying the ledger from the others");
        let (path, genesis) = (self.data.join(COPY_FILE), self.genesis.clone());
        Ok(blocking(move || Restore::begin(open(&path)?, &genesis, &anchor)).await?)
    }

    async fn survey(&self) -> Result<Option<Anchor>, TransferError> {
        let mut survey = Survey::new(&self.genesis, &Sm2Votes).map_err(LedgerError::from)?;
        for peer in &self.others {
            loop {
                let request = TransferRequest::EpochEnds { from: survey.epoch() };
                let Some(TransferResponse::EpochEnds(ends)) = self.ask(*peer, request).await else { break };
                match survey.follow(ends) {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(error) => {
                        tracing::warn!(replica = peer.0, %error, "peer showed a false change of the validators");
                        break;
                    }
                }
            }
        }
        for (peer, standing) in self.standings().await {
            if let Some(offered) = standing.snapshot
                && let Err(error) = survey.offer(offered)
            {
                tracing::warn!(replica = peer.0, %error, "peer offered a snapshot that nobody certified");
            }
        }
        Ok(survey.anchor())
    }

    /// Asks one peer after the other until everything is here. Who lies or is silent costs the question.
    async fn fill(&self, mut restore: Restore) -> Result<Restore, TransferError> {
        let mut peers = self.others.iter().copied().cycle();
        let (mut failures, mut missing) = (0, 0);
        loop {
            let (same, request) = blocking(move || {
                let request = restore.next()?;
                Ok((restore, request))
            })
            .await?;
            restore = same;
            let Some(request) = request else { return Ok(restore) };
            let Some(peer) = peers.next() else {
                return Err(TransferError::NobodyHasIt { height: restore.height() });
            };
            let answer = self.ask(peer, request).await;
            let is_missing = matches!(answer, Some(TransferResponse::NotHere));
            let (same, taken) = match answer {
                Some(answer) => {
                    let take = move || {
                        let taken = restore.take(answer);
                        Ok::<_, LedgerError>((restore, taken))
                    };
                    blocking(take).await?
                }
                None => (restore, Err(TakeError::Refused(crate::ledger::Refused::NoAnswer))),
            };
            restore = same;
            match taken {
                Ok(()) => (failures, missing) = (0, 0),
                Err(TakeError::Ledger(error)) => return Err(error.into()),
                Err(TakeError::Refused(error)) => {
                    tracing::debug!(replica = peer.0, %error, "peer gave no piece of the copy");
                    failures += 1;
                    missing += usize::from(is_missing);
                    if failures >= ROUNDS_PER_PIECE * self.others.len() {
                        return Err(self.give_up(restore, missing)?);
                    }
                }
            }
        }
    }

    /// Most peers have moved on and removed what is missing: the next look begins a newer copy.
    fn give_up(&self, restore: Restore, missing: usize) -> Result<TransferError, TransferError> {
        let height = restore.height();
        drop(restore);
        if 2 * missing > ROUNDS_PER_PIECE * self.others.len() {
            remove(&self.data.join(COPY_FILE))?;
        }
        Ok(TransferError::NobodyHasIt { height })
    }
}

/// Puts a copy that is whole in the ledger's place, before the ledger is opened. One that is not is left to go on with.
///
/// # Errors
/// [`TransferError`].
pub fn install(data: &Path, genesis: &Genesis) -> Result<(), TransferError> {
    let (copy, ledger) = (data.join(COPY_FILE), data.join(LEDGER_FILE));
    if !copy.exists() {
        return Ok(());
    }
    match Restore::resume(open(&copy)?, genesis)? {
        Ok(_) => return Ok(()),
        Err(database) if Restore::is_empty(&database)? => {
            drop(database);
            return remove(&copy);
        }
        Err(database) => drop(database),
    }
    let copied = Ledger::open(&copy, genesis)?.tip().height;
    if ledger.exists() && Ledger::open(&ledger, genesis)?.tip().height >= copied {
        return remove(&copy);
    }
    std::fs::rename(&copy, &ledger)
        .and_then(|()| std::fs::File::open(data)?.sync_all())
        .map_err(|source| TransferError::File { path: copy, source })
}

fn open(path: &Path) -> Result<Database, LedgerError> {
    Database::create(path).map_err(|source| LedgerError::Open { path: path.to_owned(), source })
}

fn remove(path: &Path) -> Result<(), TransferError> {
    std::fs::remove_file(path).map_err(|source| TransferError::File { path: path.to_owned(), source })
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LedgerError> + Send + 'static,
) -> Result<T, LedgerError> {
    tokio::task::spawn_blocking(work).await.expect("copying does not panic")
}

#[cfg(test)]
mod tests;
