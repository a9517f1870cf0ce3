//! Answers light clients, over libp2p and over HTTP alike.

use crate::consensus::EvidenceOutlet;
use crate::forks::ForkDesk;
use crate::gossip::Gossip;
use crate::ledger::Ledger;
use crate::links::LinkDesk;
use crate::mempool::{Inserted, Mempool};
use crate::network::LightQuestion;
use crate::release::{Release, failed};
use crate::staff::StaffDesk;
use crate::verified::{Checked, Verified};
use amulet_protocol::calls::GrantId;
use amulet_protocol::ids::{Timestamp, TxId};
use amulet_protocol::light::{LightRefusal, LightRequest, LightResponse, UntrustedReadRequest};
use amulet_protocol::transaction::UntrustedTransaction;
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc};

/// Questions answered at once; more are turned away, so that a flood costs the hospital's own work little.
const AT_ONCE: usize = 64;

/// What the service works with.
#[derive(Clone)]
pub struct LightParts {
    /// The ledger.
    pub ledger: Ledger,
    /// Where submitted transactions go.
    pub mempool: Mempool,
    /// Transactions that were checked before.
    pub verified: Verified,
    /// Passes them on.
    pub gossip: Gossip,
    /// Decides on ciphertexts.
    pub release: Release,
    /// Passes keys on to the hospital's staff.
    pub staff: StaffDesk,
    /// Serves patients' links.
    pub links: LinkDesk,
    /// Takes evidence against validators.
    pub evidence: EvidenceOutlet,
    /// The clock.
    pub now: fn() -> Timestamp,
}

/// Answers light clients; cheap to clone.
#[derive(Clone)]
pub struct LightService {
    parts: LightParts,
    forks: ForkDesk,
    slots: Arc<Semaphore>,
}

impl LightService {
    /// A service over these parts.
    #[must_use]
    pub fn new(parts: LightParts) -> Self {
        let forks = ForkDesk::new(parts.ledger.clone(), parts.evidence.clone());
        Self { parts, forks, slots: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// How many different forks light clients have proven since the start.
    #[must_use]
    pub fn forks_found(&self) -> u64 {
        self.forks.count()
    }

    /// The vault's guard, for what is released as a stream.
    #[must_use]
    pub fn release(&self) -> &Release {
        &self.parts.release
    }

    /// Serves patients' links.
    #[must_use]
    pub fn links(&self) -> &LinkDesk {
        &self.parts.links
    }

    /// Answers the questions of an inbox until it is closed.
    pub async fn run(self, mut inbox: mpsc::Receiver<LightQuestion>) {
        while let Some(LightQuestion { request, reply }) = inbox.recv().await {
            let service = self.clone();
            tokio::spawn(async move {
                // The asker may be gone.
                let _ = reply.send(service.answer(request).await);
            });
        }
    }

    /// Answers one question.
    pub async fn answer(&self, request: LightRequest) -> LightResponse {
        let Ok(_slot) = self.slots.try_acquire() else {
            return LightResponse::Refused(LightRefusal::Busy);
        };
        let now = (self.parts.now)();
        let answer = match request {
            LightRequest::Submit(transaction) => self.submit(transaction).await.map(LightResponse::Submitted),
            LightRequest::Read(request) => {
                self.parts.release.read(now, request).await.map(LightResponse::Blobs)
            }
            LightRequest::ReadPiece { request, from, length } => {
                self.parts.release.piece(now, request, from, length).await
            }
            LightRequest::Upload(upload) => {
                self.parts.release.upload(now, upload).await.map(LightResponse::Uploaded)
            }
            LightRequest::StaffGrants(request) => {
                self.ask_staff(move |desk| desk.grants(now, &request).map(LightResponse::StaffGrants)).await
            }
            LightRequest::StaffKeys(request) => {
                let keys = move |desk: &StaffDesk| desk.keys(now, &request).map(Box::new);
                self.ask_staff(move |desk| keys(desk).map(LightResponse::StaffKeys)).await
            }
            LightRequest::ExplainReading { grant, by } => self.explain(now, grant, by).await,
            LightRequest::Links(order) => {
                let desk = self.parts.links.clone();
                let done = tokio::task::spawn_blocking(move || desk.order(now, &order)).await;
                done.map_err(failed).and_then(|done| done).map(LightResponse::Links)
            }
            LightRequest::ReportFork(fork) => self.forks.take(*fork).await,
            request => self.ask_ledger(request).await,
        };
        answer.unwrap_or_else(LightResponse::Refused)
    }

    async fn ask_ledger(&self, request: LightRequest) -> Result<LightResponse, LightRefusal> {
        let ledger = self.parts.ledger.clone();
        let answered = tokio::task::spawn_blocking(move || ledger.answer(&request));
        answered.await.map_err(failed)?.map_err(failed)
    }

    async fn ask_staff(
        &self,
        ask: impl FnOnce(&StaffDesk) -> Result<LightResponse, LightRefusal> + Send + 'static,
    ) -> Result<LightResponse, LightRefusal> {
        let desk = self.parts.staff.clone();
        tokio::task::spawn_blocking(move || ask(&desk)).await.map_err(failed)?
    }

    async fn explain(
        &self,
        now: Timestamp,
        grant: GrantId,
        by: UntrustedReadRequest,
    ) -> Result<LightResponse, LightRefusal> {
        let release = self.parts.release.clone();
        let explained = tokio::task::spawn_blocking(move || release.explain(now, grant, &by));
        let explained = explained.await.map_err(failed)??;
        Ok(LightResponse::ReadingExplained(Box::new(explained)))
    }

    async fn submit(&self, transaction: UntrustedTransaction) -> Result<TxId, LightRefusal> {
        let (ledger, verified) = (self.parts.ledger.clone(), self.parts.verified.clone());
        let checked = tokio::task::spawn_blocking(move || {
            let transaction = match verified.check(transaction.clone().hashed(), ledger.chain()) {
                Checked::Right(transaction) => *transaction,
                Checked::Wrong(_) => return Err(LightRefusal::BadTransaction),
                // Somebody waits for the answer, so it is not left to the other thread.
                Checked::Elsewhere => {
                    transaction.verify(ledger.chain()).map_err(|_| LightRefusal::BadTransaction)?
                }
            };
            let moment = ledger.moment().map_err(failed)?;
            let committed = moment.contains(transaction.id()).map_err(failed)?;
            // What no block may hold, as far as this node knows, would stay in the queues of those that are not the primary,
            // which would take the primary to be idle; and anybody could fill the queues, for a DID that is not registered
            // costs nothing. Who is refused because this node is behind sends the same transaction again, or to another
            // node. Other refusals are left to the block, which says why in its receipt.
            match moment.refusal(&transaction).map_err(failed)? {
                Some(code) if !committed => Err(LightRefusal::WouldRefuse(code)),
                _ => Ok((transaction, committed)),
            }
        });
        let (transaction, committed) = checked.await.map_err(failed)??;
        let id = transaction.id();
        if !committed {
            let inserted = self.parts.mempool.insert(transaction.clone()).map_err(|_| LightRefusal::Busy)?;
            if inserted == Inserted::New {
                self.parts.gossip.pass_on(&transaction);
            }
        }
        Ok(id)
    }
}

#[cfg(test)]
mod membership_tests;
#[cfg(test)]
mod tests;
