//! Old headers, proven from the trusted one in one step.

use super::LightClient;
use crate::error::{Forgery, LightError, NodeFailure, Question};
use crate::header::TrustedHeader;
use crate::sync::Placement;
use crate::transport::NodeIndex;
use amulet_crypto::digest::Digest;
use amulet_protocol::certificate::UntrustedSignedHeader;
use amulet_protocol::header::Header;
use amulet_protocol::ids::{Height, Timestamp};
use amulet_protocol::light::{LightRequest, LightResponse, UntrustedHeaders};
use amulet_protocol::limits::HEADERS_PER_REQUEST_MAX;
use amulet_protocol::validators::ValidatorSet;
use amulet_verifier::{Link, VerifiedHeader};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Proven headers remembered; a few hundred bytes each, so that an access log of a thousand lines is shown from memory.
const HEADERS_REMEMBERED_MAX: usize = 1_024;

/// Sets of skipped epochs remembered; at most 20 kB each, so that a page of old entries asks for each set once.
const SKIPPED_SETS_MAX: usize = 32;

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

/// An old header from a node.
enum Old {
    /// Its certificate is good.
    Verified(Box<VerifiedHeader>),
    /// That, and it is in the trusted header's range.
    Placed(Box<ProvenHeader>),
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
            let placed = match self.old_header_from(node, &head, height, now).await {
                Ok(Old::Placed(proven)) => {
                    self.remember(&proven);
                    Some(*proven)
                }
                Ok(Old::Verified(header)) => self.prove_in(&head, *header).await?,
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

    /// The headers at these heights, in their order; as [`LightClient::header_at`] for each, but asked for together and
    /// with one proof for all.
    ///
    /// # Errors
    /// As [`LightClient::header_at`].
    pub async fn headers_at(&self, heights: &[Height]) -> Result<Vec<ProvenHeader>, LightError> {
        let head = self.head()?;
        let mut found: BTreeMap<Height, ProvenHeader> = BTreeMap::new();
        let mut wanted = Vec::new();
        for height in heights.iter().copied().collect::<BTreeSet<_>>() {
            let known = self.inner().proven.get(&height).cloned();
            match known {
                Some(proven) => drop(found.insert(height, proven)),
                None if height > Height(0) && height < head.height() => wanted.push(height),
                None => drop(found.insert(height, Box::pin(self.header_at(height)).await?)),
            }
        }
        for asked in wanted.chunks(HEADERS_PER_REQUEST_MAX) {
            for (height, proven) in Box::pin(self.several(&head, asked)).await? {
                self.remember(&proven);
                found.insert(height, proven);
            }
        }
        Ok(heights.iter().map(|height| found[height].clone()).collect())
    }

    /// Ascending heights below the trusted header, not more than are asked for at once.
    async fn several(
        &self,
        head: &TrustedHeader,
        heights: &[Height],
    ) -> Result<Vec<(Height, ProvenHeader)>, LightError> {
        let request = LightRequest::Headers { heights: heights.to_vec(), newer: head.height() };
        let now = self.now();
        if let Ok(headers) =
            self.first(&request, |answer| self.check_headers(answer, head, heights, now)).await
        {
            return Ok(heights.iter().copied().zip(headers).collect());
        }
        // One by one, a lie is told from two chains, and what nobody has any more, which is the oldest, from the rest.
        let mut found = Vec::with_capacity(heights.len());
        for height in heights.iter().rev() {
            found.push((*height, Box::pin(self.header_at(*height)).await?));
        }
        Ok(found)
    }

    /// Headers that a node gave, each with its certificate and all in the range of the trusted one.
    fn check_headers(
        &self,
        answer: LightResponse,
        head: &TrustedHeader,
        heights: &[Height],
        now: Timestamp,
    ) -> Result<Vec<ProvenHeader>, NodeFailure> {
        let (headers, hashes) = check_range(answer, head, heights)?;
        let link = Link::Range { hashes: hashes.len() };
        let prove = |untrusted| {
            let header = self.judge(untrusted, now)?;
            Ok(ProvenHeader { header, link, head: head.height() })
        };
        headers.into_iter().map(prove).collect()
    }

    async fn old_header_from(
        &self,
        node: NodeIndex,
        head: &TrustedHeader,
        height: Height,
        now: Timestamp,
    ) -> Result<Old, NodeFailure> {
        let untrusted = self.unjudged_header_from(node, height).await?;
        match self.judge(untrusted.clone(), now) {
            Ok(header) => Ok(Old::Verified(Box::new(header))),
            Err(NodeFailure::UnknownValidators { .. }) => {
                self.place_skipped(node, head, untrusted).await.map(|proven| Old::Placed(Box::new(proven)))
            }
            Err(failure) => Err(failure),
        }
    }

    /// Judges a header that a node gave, also one of an epoch below the trusted header that was skipped.
    pub(crate) async fn judge_old(
        &self,
        node: NodeIndex,
        untrusted: UntrustedSignedHeader,
        now: Timestamp,
    ) -> Result<VerifiedHeader, NodeFailure> {
        match (self.judge(untrusted.clone(), now), self.trusted()) {
            (Err(NodeFailure::UnknownValidators { .. }), Some(head))
                if untrusted.header.height < head.height() =>
            {
                self.place_skipped(node, &head, untrusted).await.map(|proven| proven.header)
            }
            (judged, _) => judged,
        }
    }

    /// Proves a header of a skipped epoch: what is in the trusted header's range is of its chain, so the set that such a
    /// header names is that of its time, and the certificate is checked by it.
    async fn place_skipped(
        &self,
        node: NodeIndex,
        head: &TrustedHeader,
        untrusted: UntrustedSignedHeader,
    ) -> Result<ProvenHeader, NodeFailure> {
        let request = LightRequest::RangeProof { older: untrusted.header.height, newer: head.height() };
        let LightResponse::RangeProof(proof) = self.ask(node, &request).await? else {
            return Err(Forgery::OtherAnswer { question: Question::RangeProof }.into());
        };
        let validators = self.set_of(node, &untrusted.header).await?;
        let placed = self.verifier().verify_in_range(head, untrusted, &validators, &proof);
        let (header, link) = placed.map_err(Forgery::Header)?;
        let mut state = self.inner();
        if state.skipped_sets.len() >= SKIPPED_SETS_MAX {
            state.skipped_sets.pop_first();
        }
        state.skipped_sets.insert(validators.hash(), validators);
        Ok(ProvenHeader { header: *header, link, head: head.height() })
    }

    /// The set that a header names, remembered or from a node.
    async fn set_of(&self, node: NodeIndex, header: &Header) -> Result<Arc<ValidatorSet>, NodeFailure> {
        if let Some(known) = self.inner().skipped_sets.get(&header.validators_hash) {
            return Ok(known.clone());
        }
        self.validators_from(node, header.height).await.map(Arc::new)
    }

    /// The set that certifies a block, as a node says; nothing about it is checked.
    pub(crate) async fn validators_from(
        &self,
        node: NodeIndex,
        height: Height,
    ) -> Result<ValidatorSet, NodeFailure> {
        match self.ask(node, &LightRequest::Validators(height)).await? {
            LightResponse::Validators(validators) => Ok(*validators),
            _ => Err(Forgery::OtherAnswer { question: Question::Validators }.into()),
        }
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
            Placement::Conflict(disagreement) => {
                // The next sync tells the hospitals.
                self.keep_fork(&disagreement, self.now()).await;
                Err(LightError::Disagreement(disagreement))
            }
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

/// Headers that a node gave that are in the range of the trusted one, which needs no certificate of theirs; and the hashes that
/// show it.
pub(crate) fn check_range(
    answer: LightResponse,
    head: &VerifiedHeader,
    heights: &[Height],
) -> Result<(Vec<UntrustedSignedHeader>, Vec<Digest>), NodeFailure> {
    let LightResponse::Headers(answer) = answer else {
        return Err(Forgery::OtherAnswer { question: Question::Headers }.into());
    };
    let UntrustedHeaders { headers, proof } = *answer;
    if headers.len() != heights.len() || proof.heights != heights {
        return Err(Forgery::Count { asked: heights.len(), found: headers.len() }.into());
    }
    let hashes: Vec<_> = headers.iter().map(|signed| signed.header.hash()).collect();
    proof.verify(head.height(), head.header().range_root, &hashes).map_err(Forgery::Headers)?;
    for (signed, asked) in headers.iter().zip(heights) {
        let (asked, found) = (*asked, signed.header.height);
        if found != asked {
            return Err(Forgery::HeaderHeight { asked, found }.into());
        }
    }
    Ok((headers, proof.hashes))
}
