//! Transactions on their way in, and the receipts that prove what became of them.

use super::{LightClient, ProvenHeader};
use crate::error::{Forgery, LightError, NodeFailure, Question};
use crate::platform;
use crate::sync::GRACE;
use crate::transport::NodeIndex;
use amulet_protocol::ids::TxId;
use amulet_protocol::light::{LightRequest, LightResponse};
use amulet_protocol::receipt::Receipt;
use amulet_protocol::transaction::SignedTransaction;
use amulet_verifier::VerifiedHeader;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use std::collections::BTreeSet;
use std::time::Duration;

/// First wait between two looks for a receipt; a block among hospitals on one network takes about this long.
const POLL_FIRST: Duration = Duration::from_millis(150);
/// Longest wait between two looks.
const POLL_MAX: Duration = Duration::from_millis(1_000);
/// Looks without a receipt after which the transaction is handed in again, to every node: the one that took it may have
/// been stopped, or keeps it to itself.
const LOOKS_BEFORE_RESUBMIT: usize = 6;

/// A receipt with all that was checked: it is in a block (`header.header`, certified by so many of so many), and that block
/// is in the chain of the trusted header at `header.head`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenReceipt {
    /// The block's header, proven.
    pub header: ProvenHeader,
    /// What became of the transaction.
    pub receipt: Receipt,
}

impl LightClient {
    /// Hands a transaction to several hospitals, one more than may be faulty, so that a dead or censoring one does not
    /// lose it. Returns who took it; that says nothing about its fate.
    ///
    /// # Errors
    /// When nobody took it: [`LightError::Refused`], [`LightError::Unreachable`], [`LightError::Forged`].
    pub async fn submit(&self, transaction: &SignedTransaction) -> Result<Vec<NodeIndex>, LightError> {
        self.submit_to(transaction, self.validators().quorum().one_correct()).await
    }

    /// Hands a transaction in and waits until it is proven to be in a block, handing it in again elsewhere if that takes
    /// long. The receipt may say that the ledger refused it. Calling it again with the same transaction gives the same
    /// receipt.
    ///
    /// # Errors
    /// [`LightError::NotCommitted`] after `limit`, and then it may still be committed; [`LightError::Disagreement`]; or as
    /// [`LightClient::submit`].
    pub async fn submit_and_wait(
        &self,
        transaction: &SignedTransaction,
        limit: Duration,
    ) -> Result<ProvenReceipt, LightError> {
        let outcome = platform::timeout(limit, async {
            match self.submit(transaction).await {
                Ok(_) => self.wait(transaction).await,
                // Handed in a second time, it is refused because it was executed: then its receipt is there.
                Err(refused @ LightError::Refused { .. }) => {
                    self.receipt(transaction.id()).await.map_err(|_| refused)
                }
                Err(error) => Err(error),
            }
        });
        let waited_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        outcome.await.unwrap_or(Err(LightError::NotCommitted { transaction: transaction.id(), waited_ms }))
    }

    /// The receipt of a transaction, proven. Synchronises first if the block is newer than the trusted header.
    ///
    /// # Errors
    /// [`LightError::NotFound`] if no node has one, which proves nothing; as [`LightClient::sync`]; or that no node gave a
    /// good answer.
    pub async fn receipt(&self, transaction: TxId) -> Result<ProvenReceipt, LightError> {
        let mut failures = Vec::new();
        for node in self.order() {
            let mut looked = self.receipt_from(node, transaction).await;
            if matches!(looked, Err(NodeFailure::UnknownValidators { .. })) {
                self.sync(self.now()).await?;
                looked = self.receipt_from(node, transaction).await;
            }
            match looked {
                Ok((header, receipt)) => match self.prove_receipt(header, receipt).await? {
                    Some(proven) => return Ok(proven),
                    None => failures.push((node, NodeFailure::NotFound)),
                },
                Err(failure) => failures.push((node, self.noted(node, failure))),
            }
        }
        Err(LightError::from_failures(Question::Receipt, failures))
    }

    async fn submit_to(
        &self,
        transaction: &SignedTransaction,
        wanted: usize,
    ) -> Result<Vec<NodeIndex>, LightError> {
        let request = LightRequest::Submit(transaction.as_untrusted().clone());
        let mut taken = Vec::new();
        let mut failures = Vec::new();
        let mut left = self.order().into_iter();
        while taken.len() < wanted {
            let batch: Vec<NodeIndex> = left.by_ref().take(wanted - taken.len()).collect();
            if batch.is_empty() {
                break;
            }
            self.hand_in(&request, transaction.id(), batch, &mut taken, &mut failures).await;
        }
        if taken.is_empty() {
            return Err(LightError::from_failures(Question::Submit, failures));
        }
        Ok(taken)
    }

    /// Hands a transaction to these nodes at once. When one has taken it, the others are not waited for long.
    async fn hand_in(
        &self,
        request: &LightRequest,
        id: TxId,
        batch: Vec<NodeIndex>,
        taken: &mut Vec<NodeIndex>,
        failures: &mut Vec<(NodeIndex, NodeFailure)>,
    ) {
        let mut silent: BTreeSet<NodeIndex> = batch.iter().copied().collect();
        let asked = batch.into_iter().map(|node| async move { (node, self.ask(node, request).await) });
        let mut asked: FuturesUnordered<_> = asked.collect();
        loop {
            let next = if taken.is_empty() {
                asked.next().await
            } else {
                platform::timeout(GRACE, asked.next()).await.flatten()
            };
            let Some((node, answer)) = next else { break };
            silent.remove(&node);
            match answer.and_then(|answer| check_submitted(&answer, id)) {
                Ok(()) => taken.push(node),
                Err(failure) => failures.push((node, self.noted(node, failure))),
            }
        }
        failures.extend(silent.into_iter().map(|node| (node, self.gave_up(node, GRACE))));
    }

    /// Looks at one node after another; never ends by itself unless hospitals disagree.
    async fn wait(&self, transaction: &SignedTransaction) -> Result<ProvenReceipt, LightError> {
        let mut pause = POLL_FIRST;
        let mut look = 0;
        loop {
            platform::sleep(pause).await;
            pause = (pause * 2).min(POLL_MAX);
            let order = self.order();
            let node = order[look % order.len()];
            look += 1;
            let looked = platform::timeout(GRACE, self.receipt_from(node, transaction.id())).await;
            match looked.unwrap_or_else(|| Err(self.gave_up(node, GRACE))) {
                Ok((header, receipt)) => match self.prove_receipt(header, receipt).await {
                    Ok(Some(proven)) => return Ok(proven),
                    Err(LightError::Disagreement(found)) => return Err(LightError::Disagreement(found)),
                    // The other hospitals are a moment behind the one that has the receipt.
                    Ok(None) | Err(_) => {}
                },
                // The validators changed since the last sync; the next look knows the new ones.
                Err(NodeFailure::UnknownValidators { .. }) => {
                    if let Err(LightError::Disagreement(found)) = self.sync(self.now()).await {
                        return Err(LightError::Disagreement(found));
                    }
                }
                Err(failure) => {
                    self.noted(node, failure);
                }
            }
            if look % LOOKS_BEFORE_RESUBMIT == 0 {
                // A node that has it already, or sees it committed, refuses; either is fine.
                let _ = self.submit_to(transaction, self.asked_nodes().len()).await;
            }
        }
    }

    /// A receipt in a certified block, from one node.
    async fn receipt_from(
        &self,
        node: NodeIndex,
        transaction: TxId,
    ) -> Result<(VerifiedHeader, Receipt), NodeFailure> {
        let LightResponse::Receipt(answer) = self.ask(node, &LightRequest::Receipt(transaction)).await?
        else {
            return Err(Forgery::OtherAnswer { question: Question::Receipt }.into());
        };
        let found = answer.receipt.transaction;
        if found != transaction {
            return Err(Forgery::ReceiptOf { asked: transaction, found }.into());
        }
        let header = self.judge_old(node, answer.header, self.now()).await?;
        let root = header.header().receipts_root;
        answer.proof.verify(root, &answer.receipt.leaf()).map_err(Forgery::Receipt)?;
        Ok((header, answer.receipt))
    }

    async fn prove_receipt(
        &self,
        header: VerifiedHeader,
        receipt: Receipt,
    ) -> Result<Option<ProvenReceipt>, LightError> {
        if self.trusted().is_none_or(|head| head.height() < header.height()) {
            self.sync(self.now()).await?;
        }
        let head = self.head()?;
        if head.height() < header.height() {
            return Err(LightError::AboveHead { asked: header.height(), head: head.height() });
        }
        let proven = self.prove_in(&head, header).await?;
        Ok(proven.map(|header| ProvenReceipt { header, receipt }))
    }
}

fn check_submitted(answer: &LightResponse, asked: TxId) -> Result<(), NodeFailure> {
    match answer {
        LightResponse::Submitted(found) if *found == asked => Ok(()),
        LightResponse::Submitted(found) => Err(Forgery::TransactionId { asked, found: *found }.into()),
        _ => Err(Forgery::OtherAnswer { question: Question::Submit }.into()),
    }
}
