//! The personal history, proven complete: nothing changed, left out or added.

use super::{LightClient, Stage};
use crate::error::{Forgery, LightError, NodeFailure, Question};
use crate::header::TrustedHeader;
use crate::transport::NodeIndex;
use amulet_protocol::history::{HistoryEntry, HistoryError, HistoryHead};
use amulet_protocol::ids::{Did, Height};
use amulet_protocol::light::{LightRequest, LightResponse};
use amulet_protocol::limits::HISTORY_ENTRIES_PER_RESPONSE_MAX;
use amulet_protocol::state::StateKey;
use amulet_protocol::state_batch::UntrustedStateBatch;

/// All entries since the head that the caller knew, and the proven head to remember for next time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenHistory {
    /// The proven head: pass it as `known` next time.
    pub head: HistoryHead,
    /// The entries after the known head, ascending, without a gap.
    pub entries: Vec<HistoryEntry>,
    /// Height of the trusted header it was proven against.
    pub height: Height,
}

impl LightClient {
    /// The entries of a DID's history after `known`, complete up to the trusted header. Start with
    /// `HistoryHead::default()`.
    ///
    /// # Errors
    /// [`LightError::NotSynced`]; [`LightError::HistoryShrunk`] and [`LightError::HistoryForked`] when what the caller
    /// remembers is not of this ledger; or that no node gave a good answer, [`LightError::Forged`] above all.
    pub async fn history(&self, did: Did, known: HistoryHead) -> Result<ProvenHistory, LightError> {
        let head = self.head()?;
        let (proven, _) = self.proven_head(&head, did).await?;
        if known.count > proven.count {
            return Err(LightError::HistoryShrunk { known: known.count, proven: proven.count });
        }
        let mut failures = Vec::new();
        for node in self.order() {
            match self.entries_from(node, did, known, proven, &head).await {
                Ok(entries) => return Ok(ProvenHistory { head: proven, entries, height: head.height() }),
                Err(NodeFailure::Forged(Forgery::History(HistoryError::Head { .. })))
                    if known.count > 0 && self.whole_history_fits(node, did, proven, &head).await =>
                {
                    // The node is honest: it is the caller's memory that does not belong to this ledger.
                    return Err(LightError::HistoryForked { known });
                }
                Err(failure) => failures.push((node, self.noted(node, failure))),
            }
        }
        Err(LightError::from_failures(Question::History, failures))
    }

    /// Count and head of a history at a header, with the proof.
    pub(super) async fn proven_head(
        &self,
        head: &TrustedHeader,
        did: Did,
    ) -> Result<(HistoryHead, UntrustedStateBatch), LightError> {
        let key = StateKey::History(did);
        let mut proven = self.state_batches(head, std::slice::from_ref(&key)).await?;
        let (_, (batch, untrusted)) = proven.pop().expect("one key has one answer");
        let verdict = batch.verdict(&key).map_err(LightError::State)?;
        let proven = verdict.proven().expect("a batch covers the keys that it was checked for");
        Ok((proven.into_option().unwrap_or_default(), untrusted))
    }

    async fn whole_history_fits(
        &self,
        node: NodeIndex,
        did: Did,
        proven: HistoryHead,
        head: &TrustedHeader,
    ) -> bool {
        self.entries_from(node, did, HistoryHead::default(), proven, head).await.is_ok()
    }

    /// Fetches the entries after `known` from one node and checks that they lead to the proven head.
    pub(super) async fn entries_from(
        &self,
        node: NodeIndex,
        did: Did,
        known: HistoryHead,
        proven: HistoryHead,
        head: &TrustedHeader,
    ) -> Result<Vec<HistoryEntry>, NodeFailure> {
        let wanted = usize::try_from(proven.count - known.count).unwrap_or(usize::MAX);
        let mut entries: Vec<HistoryEntry> = Vec::new();
        while entries.len() < wanted {
            let from = known.count + entries.len() as u64 + 1;
            let request = LightRequest::History { did, from, height: head.height() };
            let LightResponse::History(page) = self.ask(node, &request).await? else {
                return Err(Forgery::OtherAnswer { question: Question::History }.into());
            };
            if page.len() > HISTORY_ENTRIES_PER_RESPONSE_MAX {
                let asked = HISTORY_ENTRIES_PER_RESPONSE_MAX;
                return Err(Forgery::Count { asked, found: page.len() }.into());
            }
            if page.is_empty() {
                break;
            }
            entries.extend(page);
            self.report(Stage::History, entries.len().min(wanted), wanted);
        }
        known.extend_to(proven, &entries).map_err(Forgery::History)?;
        Ok(entries)
    }
}
