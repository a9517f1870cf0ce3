//! Old headers, proven from the trusted one in one step.

use super::LightClient;
use crate::error::{LightError, NodeFailure, Question};
use crate::header::{Link, TrustedHeader, VerifiedHeader};
use crate::sync::Placement;
use amulet_protocol::ids::Height;

/// Proven headers remembered; a few hundred bytes each, so that an access log of a thousand lines is shown from memory.
const HEADERS_REMEMBERED_MAX: usize = 1_024;

/// A header with its own certificate that is in the chain of the trusted header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenHeader {
    /// The header; it knows how many signed.
    pub header: VerifiedHeader,
    /// How it was shown to be in the trusted header's chain.
    pub link: Link,
    /// Height of the trusted header it was proven from.
    pub head: Height,
}

impl LightClient {
    /// The header at a height, proven by its own certificate and by its place in the trusted header's range.
    ///
    /// # Errors
    /// [`LightError::NotSynced`], [`LightError::AboveHead`], [`LightError::NotFound`] for the genesis block, which nobody
    /// certifies, [`LightError::Disagreement`], or that no node gave a good answer.
    pub async fn header_at(&self, height: Height) -> Result<ProvenHeader, LightError> {
        let head = self.head()?;
        if height > head.height() {
            return Err(LightError::AboveHead { asked: height, head: head.height() });
        }
        if height == Height(0) {
            return Err(LightError::NotFound { question: Question::HeaderAt });
        }
        if height == head.height() {
            return Ok(ProvenHeader { header: head.verified().clone(), link: Link::Same, head: height });
        }
        if let Some(proven) = self.inner().proven.get(&height) {
            return Ok(proven.clone());
        }
        let now = self.now();
        if let Some(header) = self.kept_header(height, now).await
            && let Some(proven) = self.prove_in(&head, header).await?
        {
            return Ok(proven);
        }
        let mut failures = Vec::new();
        for node in self.order() {
            let placed = match self.header_from(node, height, now).await {
                Ok(header) => self.prove_in(&head, header).await?,
                Err(failure) => {
                    failures.push((node, self.noted(node, failure)));
                    continue;
                }
            };
            match placed {
                Some(proven) => return Ok(proven),
                // The header is certified, and nobody has the proof that it belongs here.
                None => failures.push((node, NodeFailure::NotFound)),
            }
        }
        Err(LightError::from_failures(Question::HeaderAt, failures))
    }

    /// Proves a certified header to be in the trusted header's chain; `None` if no node can show it.
    pub(crate) async fn prove_in(
        &self,
        head: &TrustedHeader,
        header: VerifiedHeader,
    ) -> Result<Option<ProvenHeader>, LightError> {
        match self.place(head, &header, self.now()).await {
            Placement::Linked(link) => {
                let proven = ProvenHeader { header, link, head: head.height() };
                if self.remember(&proven) {
                    self.keep_header(&proven.header).await;
                }
                Ok(Some(proven))
            }
            Placement::Conflict(disagreement) => Err(LightError::Disagreement(disagreement)),
            Placement::Unproven => Ok(None),
        }
    }

    /// Remembers a header, and says whether it is new.
    fn remember(&self, proven: &ProvenHeader) -> bool {
        let mut state = self.inner();
        if state.proven.len() >= HEADERS_REMEMBERED_MAX {
            state.proven.pop_first();
        }
        state.proven.insert(proven.header.height(), proven.clone()).is_none()
    }
}
