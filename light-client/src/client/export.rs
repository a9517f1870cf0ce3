//! Proofs to carry away: what this client can prove, in a file that anybody can check with the genesis document alone.

use super::{LightClient, check_range};
use crate::error::{Forgery, LightError, NodeFailure, Question};
use crate::header::TrustedHeader;
use amulet_crypto::digest::Digest;
use amulet_protocol::certificate::CertificateError;
use amulet_protocol::fork::UntrustedFork;
use amulet_protocol::fork_file::UntrustedForkFile;
use amulet_protocol::header::Header;
use amulet_protocol::history::HistoryHead;
use amulet_protocol::ids::{ChainId, Did, Epoch, Height, TxId};
use amulet_protocol::light::{LightRequest, LightResponse, UntrustedEpochEnd, UntrustedReceipts};
use amulet_protocol::limits::{HEADERS_PER_REQUEST_MAX, LIST_BATCH_MAX};
use amulet_protocol::proof_file::{PROOF_EPOCHS_MAX, ProofFileError, Statement, UntrustedProofFile};
use amulet_protocol::receipt::Receipt;
use amulet_protocol::state::StateKey;
use amulet_protocol::validators::ValidatorSet;
use std::collections::{BTreeMap, BTreeSet};

/// Something to be proven by a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The header at a height.
    Header(Height),
    /// What the state holds at these keys, after the trusted header's block.
    State(Vec<StateKey>),
    /// What became of a transaction.
    Receipt(TxId),
    /// Somebody's whole history up to the trusted header.
    History(Did),
}

impl LightClient {
    /// A proof file, checked as its reader will check it. Everything in it is proven from the trusted header, which is
    /// synchronised first only if a wanted receipt is newer.
    ///
    /// # Errors
    /// [`LightError::NotSynced`]; as the questions it takes; [`LightError::Export`] if there is too much for one file.
    pub async fn export(&self, wanted: &[Wanted]) -> Result<UntrustedProofFile, LightError> {
        let mut receipts: BTreeMap<Height, BTreeSet<TxId>> = BTreeMap::new();
        for wanted in wanted {
            if let Wanted::Receipt(id) = wanted {
                let height = self.receipt(*id).await?.header.header.height();
                receipts.entry(height).or_default().insert(*id);
            }
        }
        let head = self.head()?;
        let mut statements = Vec::new();
        for (height, ids) in receipts {
            let ids: Vec<TxId> = ids.into_iter().collect();
            for ids in ids.chunks(LIST_BATCH_MAX) {
                statements.push(self.state_receipts(height, ids).await?);
            }
        }
        for wanted in wanted {
            match wanted {
                Wanted::Receipt(_) => {}
                Wanted::Header(height) => statements.push(Statement::Header { height: *height }),
                Wanted::State(keys) => {
                    for (keys, (_, batch)) in self.state_batches(&head, keys).await? {
                        statements.push(Statement::State { height: head.height(), keys, batch });
                    }
                }
                Wanted::History(did) => statements.push(self.state_history(&head, *did).await?),
            }
        }
        let (older, range) = self.older_headers(&head, &statements).await?;
        let last = head.header().validators_hash;
        let epochs = self.ends_of_epochs(|_, validators| validators.hash() == last).await?;
        let chain = self.chain();
        let anchor = head.as_signed().clone();
        let file = UntrustedProofFile { chain, epochs, anchor, older, range, statements };
        file.clone().verify_from(chain, self.founders.clone()).map_err(LightError::Export)?;
        Ok(file)
    }

    /// A file about a fork that this client keeps, checked as its reader will check it.
    ///
    /// # Errors
    /// As the questions about the ends of epochs that it takes, none in the first epoch; [`LightError::ForkFile`].
    pub async fn export_fork(&self, fork: &UntrustedFork) -> Result<UntrustedForkFile, LightError> {
        let needed = UntrustedForkFile::epochs_needed(fork);
        let epochs = self.ends_of_epochs(|ends, _| ends as u64 >= needed.0).await?;
        let file = UntrustedForkFile { chain: self.chain(), epochs, fork: fork.clone() };
        file.clone().verify_from(self.chain(), self.founders.clone())?;
        Ok(file)
    }

    async fn state_receipts(&self, height: Height, ids: &[TxId]) -> Result<Statement, LightError> {
        let request = LightRequest::Receipts { height, transactions: ids.to_vec() };
        let header = self.header_at(height).await?.header;
        let root = header.header().receipts_root;
        self.first(&request, |answer| {
            let LightResponse::Receipts(answer) = answer else {
                return Err(Forgery::OtherAnswer { question: Question::Receipts }.into());
            };
            let UntrustedReceipts { receipts, proof, .. } = *answer;
            let found: BTreeSet<TxId> = receipts.iter().map(|receipt| receipt.transaction).collect();
            if !found.iter().eq(ids) {
                return Err(Forgery::Count { asked: ids.len(), found: found.len() }.into());
            }
            let leaves: Vec<Vec<u8>> = receipts.iter().map(Receipt::leaf).collect();
            proof.verify(root, &leaves).map_err(Forgery::Receipts)?;
            Ok(Statement::Receipts { height, receipts, proof })
        })
        .await
    }

    async fn state_history(&self, head: &TrustedHeader, did: Did) -> Result<Statement, LightError> {
        let (proven, batch) = self.proven_head(head, did).await?;
        let mut failures = Vec::new();
        for node in self.order() {
            match self.entries_from(node, did, HistoryHead::default(), proven, head).await {
                Ok(entries) => {
                    return Ok(Statement::History { did, height: head.height(), head: batch, entries });
                }
                Err(failure) => failures.push((node, self.noted(node, failure))),
            }
        }
        Err(LightError::from_failures(Question::History, failures))
    }

    /// The headers below the trusted one that statements are about, and what proves them under it.
    async fn older_headers(
        &self,
        head: &TrustedHeader,
        statements: &[Statement],
    ) -> Result<(Vec<Header>, Vec<Digest>), LightError> {
        let heights: BTreeSet<Height> = statements.iter().map(Statement::height).collect();
        if let Some(asked) = heights.last().copied().filter(|height| *height > head.height()) {
            return Err(LightError::AboveHead { asked, head: head.height() });
        }
        let heights: Vec<Height> = heights.into_iter().filter(|height| *height < head.height()).collect();
        if heights.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        if heights.len() > HEADERS_PER_REQUEST_MAX {
            let found = heights.len();
            return Err(LightError::Export(ProofFileError::Statements { found }));
        }
        let request = LightRequest::Headers { heights: heights.clone(), newer: head.height() };
        self.first(&request, |answer| {
            let (headers, range) = check_range(answer, head, &heights)?;
            Ok((headers.into_iter().map(|signed| signed.header).collect(), range))
        })
        .await
    }

    /// How epochs ended, from the genesis on, until there are enough: by their number and the set after the last.
    async fn ends_of_epochs(
        &self,
        enough: impl Fn(usize, &ValidatorSet) -> bool,
    ) -> Result<Vec<UntrustedEpochEnd>, LightError> {
        let mut validators = self.founders.clone();
        let mut ends: Vec<UntrustedEpochEnd> = Vec::new();
        while !enough(ends.len(), &validators) {
            if ends.len() >= PROOF_EPOCHS_MAX {
                return Err(LightError::Export(ProofFileError::Epochs { found: ends.len() + 1 }));
            }
            let request = LightRequest::EpochEnd(Epoch(ends.len() as u64));
            let (known, chain) = (&validators, self.chain());
            let end = self.first(&request, |answer| check_end(answer, chain, known)).await?;
            validators = end.next.clone();
            ends.push(end);
        }
        Ok(ends)
    }
}

/// The end of the epoch of `known`, under the rules by which a file's reader will follow it.
fn check_end(
    answer: LightResponse,
    chain: ChainId,
    known: &ValidatorSet,
) -> Result<UntrustedEpochEnd, NodeFailure> {
    let LightResponse::EpochEnd(end) = answer else {
        return Err(Forgery::OtherAnswer { question: Question::EpochEnd }.into());
    };
    let refused = |cause: CertificateError| Forgery::Header(cause.into());
    let header = end.header.clone().verify(chain, known).map_err(refused)?;
    let (found, named) = (end.next.hash(), header.header().next_validators_hash);
    if found != named || named == known.hash() {
        return Err(refused(CertificateError::ValidatorSet { found, known: named }).into());
    }
    Ok(*end)
}
