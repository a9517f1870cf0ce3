//! Ciphertexts: fetched from, and kept by, one hospital that holds them.

use super::{LightClient, Stage};
use crate::error::{Forgery, LightError, NodeFailure, Question};
use crate::transport::NodeIndex;
use amulet_protocol::calls::GrantId;
use amulet_protocol::grant_keys::SealedKeys;
use amulet_protocol::ids::BlobId;
use amulet_protocol::light::{LightRequest, LightResponse, UntrustedReadRequest, UntrustedUpload};
use amulet_protocol::limits::{BLOBS_PER_REQUEST_MAX, RULED_KINDS_MAX, STAFF_GRANTS_PER_RESPONSE_MAX};
use amulet_protocol::links::{
    LINK_OPENINGS_MAX, LINK_RECIPIENT_BYTES_MAX, LINKS_PER_PATIENT_MAX, LinkStatus, UntrustedLinkRequest,
};
use amulet_protocol::record::blob_id;
use amulet_protocol::rules::ExplainedReading;

impl LightClient {
    /// Asks a holder for ciphertexts by a signed request. Returned in the order asked, `None` where the holder has no copy;
    /// possibly only a prefix, the caller signs a new request for the rest. Each ciphertext has the digest it was asked
    /// for by.
    ///
    /// # Errors
    /// [`LightError::UnknownNode`], [`LightError::Unreachable`], [`LightError::Refused`], [`LightError::Forged`].
    pub async fn read(
        &self,
        holder: NodeIndex,
        request: UntrustedReadRequest,
    ) -> Result<Vec<Option<Vec<u8>>>, LightError> {
        let asked = request.request.blobs.clone();
        let answer = self.ask_holder(holder, LightRequest::Read(request)).await?;
        check_blobs(answer, &asked).map_err(|forgery| self.caught(holder, Question::Read, forgery))
    }

    /// Asks a holder for any number of ciphertexts, in as many requests as it takes; `sign` makes and signs each.
    ///
    /// # Errors
    /// As [`LightClient::read`]; [`LightError::NotFound`] if the holder's answer is empty.
    pub async fn read_all(
        &self,
        holder: NodeIndex,
        blobs: &[BlobId],
        sign: impl Fn(Vec<BlobId>) -> UntrustedReadRequest,
    ) -> Result<Vec<Option<Vec<u8>>>, LightError> {
        let mut found: Vec<Option<Vec<u8>>> = Vec::with_capacity(blobs.len());
        while found.len() < blobs.len() {
            let rest = &blobs[found.len()..];
            let asked = rest[..rest.len().min(BLOBS_PER_REQUEST_MAX)].to_vec();
            let page = self.read(holder, sign(asked)).await?;
            if page.is_empty() {
                return Err(LightError::NotFound { question: Question::Read });
            }
            found.extend(page);
            self.report(Stage::Blobs, found.len(), blobs.len());
        }
        Ok(found)
    }

    /// Asks a holder for a piece of one ciphertext; gives the size of the whole and the bytes from `from` on, `length` of them or fewer
    /// at the end. Nothing proves them: the seal of each chunk does.
    ///
    /// # Errors
    /// As [`LightClient::read`]; [`LightError::NotFound`] where there is no copy.
    pub async fn read_piece(
        &self,
        holder: NodeIndex,
        request: UntrustedReadRequest,
        from: u64,
        length: u32,
    ) -> Result<(u64, Vec<u8>), LightError> {
        match self.ask_holder(holder, LightRequest::ReadPiece { request, from, length }).await? {
            LightResponse::Piece { size, bytes } if fits(size, from, length, &bytes) => Ok((size, bytes)),
            _ => {
                let forgery = Forgery::OtherAnswer { question: Question::Read };
                Err(self.caught(holder, Question::Read, forgery))
            }
        }
    }

    /// Has a holder keep a ciphertext.
    ///
    /// # Errors
    /// As [`LightClient::read`].
    pub async fn upload(&self, holder: NodeIndex, upload: UntrustedUpload) -> Result<BlobId, LightError> {
        let asked = blob_id(&upload.upload.ciphertext);
        let answer = self.ask_holder(holder, LightRequest::Upload(upload)).await?;
        let forgery = match answer {
            LightResponse::Uploaded(found) if found == asked => return Ok(asked),
            LightResponse::Uploaded(found) => Forgery::Ciphertext { asked, found },
            _ => Forgery::OtherAnswer { question: Question::Upload },
        };
        Err(self.caught(holder, Question::Upload, forgery))
    }

    /// Asks a hospital which grants its staff have, by a request that one of them signed. Nothing proves the list: each grant is
    /// to be read from the state.
    ///
    /// # Errors
    /// As [`LightClient::read`].
    pub async fn staff_grants(
        &self,
        hospital: NodeIndex,
        request: UntrustedReadRequest,
    ) -> Result<Vec<GrantId>, LightError> {
        match self.ask_holder(hospital, LightRequest::StaffGrants(request)).await? {
            LightResponse::StaffGrants(grants) if grants.len() <= STAFF_GRANTS_PER_RESPONSE_MAX => Ok(grants),
            _ => {
                let forgery = Forgery::OtherAnswer { question: Question::StaffGrants };
                Err(self.caught(hospital, Question::StaffGrants, forgery))
            }
        }
    }

    /// Asks a hospital for the keys that a committed use of a grant for its staff entitles the reader to. That they are the
    /// right ones shows when a ciphertext opens.
    ///
    /// # Errors
    /// As [`LightClient::read`].
    pub async fn staff_keys(
        &self,
        hospital: NodeIndex,
        request: UntrustedReadRequest,
    ) -> Result<SealedKeys, LightError> {
        match self.ask_holder(hospital, LightRequest::StaffKeys(request)).await? {
            LightResponse::StaffKeys(keys) => Ok(*keys),
            _ => {
                let forgery = Forgery::OtherAnswer { question: Question::StaffKeys };
                Err(self.caught(hospital, Question::StaffKeys, forgery))
            }
        }
    }

    /// Asks a hospital what the rule book says of a reading. Nothing proves the answer: it helps a reader to ask for what will not be
    /// refused, and to understand what would be.
    ///
    /// # Errors
    /// As [`LightClient::read`].
    pub async fn explain_reading(
        &self,
        hospital: NodeIndex,
        grant: GrantId,
        by: UntrustedReadRequest,
    ) -> Result<ExplainedReading, LightError> {
        match self.ask_holder(hospital, LightRequest::ExplainReading { grant, by }).await? {
            LightResponse::ReadingExplained(explained) if explained.kinds.len() <= RULED_KINDS_MAX => {
                Ok(*explained)
            }
            _ => {
                let forgery = Forgery::OtherAnswer { question: Question::ExplainReading };
                Err(self.caught(hospital, Question::ExplainReading, forgery))
            }
        }
    }

    /// Has a hospital carry out a patient's order about the links that it serves; gives how they stand then, by its word.
    ///
    /// # Errors
    /// As [`LightClient::read`].
    pub async fn order_links(
        &self,
        hospital: NodeIndex,
        order: UntrustedLinkRequest,
    ) -> Result<Vec<LinkStatus>, LightError> {
        match self.ask_holder(hospital, LightRequest::Links(order)).await? {
            LightResponse::Links(links) if are_bounded(&links) => Ok(links),
            _ => {
                let forgery = Forgery::OtherAnswer { question: Question::Links };
                Err(self.caught(hospital, Question::Links, forgery))
            }
        }
    }

    async fn ask_holder(
        &self,
        holder: NodeIndex,
        request: LightRequest,
    ) -> Result<LightResponse, LightError> {
        let known = self.inner().nodes.len();
        if holder.0 >= known {
            return Err(LightError::UnknownNode { node: holder, known });
        }
        let question = Question::of(&request);
        let answer = self.ask(holder, &request).await;
        answer.map_err(|failure| LightError::from_failures(question, vec![(holder, failure)]))
    }

    fn caught(&self, node: NodeIndex, question: Question, forgery: Forgery) -> LightError {
        let failure = self.noted(node, NodeFailure::Forged(forgery));
        LightError::from_failures(question, vec![(node, failure)])
    }
}

/// Whether a piece has the bytes that were asked for, as many of them as there are.
fn fits(size: u64, from: u64, length: u32, bytes: &[u8]) -> bool {
    let expected = size.checked_sub(from).map(|left| left.min(u64::from(length)));
    expected == Some(bytes.len() as u64) && !bytes.is_empty()
}

/// Whether an answer about links keeps the limits.
fn are_bounded(links: &[LinkStatus]) -> bool {
    let fits = |link: &LinkStatus| {
        let short = link.openings.iter().all(|one| one.recipient.len() <= LINK_RECIPIENT_BYTES_MAX);
        short && link.openings.len() <= LINK_OPENINGS_MAX
    };
    links.len() <= LINKS_PER_PATIENT_MAX && links.iter().all(fits)
}

fn check_blobs(answer: LightResponse, asked: &[BlobId]) -> Result<Vec<Option<Vec<u8>>>, Forgery> {
    let LightResponse::Blobs(blobs) = answer else {
        return Err(Forgery::OtherAnswer { question: Question::Read });
    };
    if blobs.len() > asked.len() {
        return Err(Forgery::Count { asked: asked.len(), found: blobs.len() });
    }
    for (asked, ciphertext) in asked.iter().zip(&blobs) {
        let Some(ciphertext) = ciphertext else { continue };
        let found = blob_id(ciphertext);
        if found != *asked {
            return Err(Forgery::Ciphertext { asked: *asked, found });
        }
    }
    Ok(blobs)
}
