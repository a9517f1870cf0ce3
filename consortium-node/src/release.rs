//! What leaves the vault, and what a wallet may put there. A ciphertext is released only on a ground that the ledger
//! has already: the reader's own record or card, a grant in force whose use is committed, or a declared emergency.

mod explain;

use crate::ledger::Ledger;
use crate::vault::{BlobUse, Outgoing, Vault, VaultError, VaultIndex};
use amulet_crypto::signing::PublicKey;
use amulet_protocol::calls::{Call, DeclarationId, GrantId};
use amulet_protocol::grant::{GrantState, Standing};
use amulet_protocol::grantee::Grantee;
use amulet_protocol::ids::{BlobId, Did, RecordId, Timestamp, TxId};
use amulet_protocol::light::{
    AccessRefusal, LightRefusal, LightResponse, ReadGround, ReadRequest, UntrustedReadRequest,
    UntrustedUpload,
};
use amulet_protocol::limits::{
    BLOBS_BYTES_PER_RESPONSE_MAX, BLOBS_PER_REQUEST_MAX, PIECE_BYTES_MAX, READ_REQUEST_AGE_MAX_MS,
    UPLOAD_BYTES_MAX, USE_TIME_MS,
};
use amulet_protocol::receipt::{Outcome, Receipt};
use amulet_protocol::record::blob_id;
use amulet_protocol::state::{CardState, DeclarationState, Identity, Practitioner, RecordState, StateKey};
use amulet_protocol::study::StudyState;
use borsh::BorshDeserialize;

/// Decides on reads and uploads for one hospital; cheap to clone.
#[derive(Clone)]
pub struct Release {
    ledger: Ledger,
    vault: Vault,
    index: VaultIndex,
    organisation: Did,
}

impl Release {
    /// Decides by this ledger over this vault, for the hospital `organisation`.
    #[must_use]
    pub fn new(ledger: Ledger, vault: Vault, index: VaultIndex, organisation: Did) -> Self {
        Self { ledger, vault, index, organisation }
    }

    /// The ciphertexts asked for, in order, as many as fit into an answer; `None` where there is no copy here.
    ///
    /// # Errors
    /// [`LightRefusal`] by variant; then nothing is released.
    pub async fn read(
        &self,
        now: Timestamp,
        request: UntrustedReadRequest,
    ) -> Result<Vec<Option<Vec<u8>>>, LightRefusal> {
        let decider = self.clone();
        let decided = tokio::task::spawn_blocking(move || {
            decider.authorize(now, &request)?;
            request.request.blobs.into_iter().map(|id| Ok((id, decider.is_erased(id)?))).collect()
        });
        let blobs: Result<Vec<(BlobId, bool)>, LightRefusal> = decided.await.map_err(failed)?;
        let blobs = blobs?;
        let mut found = Vec::with_capacity(blobs.len());
        let mut bytes = 0;
        for (id, is_erased) in blobs {
            let blob = match self.vault.get(id).await {
                // It may not have left the vault yet.
                _ if is_erased => None,
                Ok(blob) => blob,
                // It is given as a stream alone: see `stream`.
                Err(VaultError::TooLarge { .. }) => None,
                // A damaged copy is as good as none: other hospitals hold one too.
                Err(error) => {
                    tracing::error!(%error, "ciphertext cannot be read");
                    None
                }
            };
            bytes += blob.as_ref().map_or(0, Vec::len);
            if bytes > BLOBS_BYTES_PER_RESPONSE_MAX && !found.is_empty() {
                break;
            }
            found.push(blob);
        }
        Ok(found)
    }

    /// The one ciphertext asked for, of any size, from a byte on; `None` if there is no copy here, or it has no such byte. Nobody has
    /// held it against its digest: the reader does.
    ///
    /// # Errors
    /// [`LightRefusal`] by variant, [`LightRefusal::Malformed`] if it is not one that is asked for; then nothing is released.
    pub async fn stream(
        &self,
        now: Timestamp,
        request: UntrustedReadRequest,
        from: u64,
    ) -> Result<Option<Outgoing>, LightRefusal> {
        match self.authorize_one(now, request).await? {
            Some(blob) => self.vault.stream(blob, from).await.map_err(failed),
            None => Ok(None),
        }
    }

    /// A piece of the one ciphertext asked for, of any size.
    ///
    /// # Errors
    /// [`LightRefusal`] by variant, [`LightRefusal::Malformed`] if it is not one that is asked for, or the piece is too long.
    pub async fn piece(
        &self,
        now: Timestamp,
        request: UntrustedReadRequest,
        from: u64,
        length: u32,
    ) -> Result<LightResponse, LightRefusal> {
        if !(1..=PIECE_BYTES_MAX).contains(&length) {
            return Err(LightRefusal::Malformed);
        }
        let Some(blob) = self.authorize_one(now, request).await? else { return Ok(LightResponse::NotFound) };
        let size = self.vault.size(blob).await.map_err(failed)?;
        let Some(size) = size.filter(|size| from < *size) else { return Ok(LightResponse::NotFound) };
        let bytes = self.vault.piece(blob, from, u64::from(length)).await.map_err(failed)?;
        Ok(bytes.map_or(LightResponse::NotFound, |bytes| LightResponse::Piece { size, bytes }))
    }

    /// The one ciphertext of a request that may be answered; `None` if it is erased.
    async fn authorize_one(
        &self,
        now: Timestamp,
        request: UntrustedReadRequest,
    ) -> Result<Option<BlobId>, LightRefusal> {
        let [blob] = request.request.blobs[..] else { return Err(LightRefusal::Malformed) };
        let decider = self.clone();
        let decided = tokio::task::spawn_blocking(move || {
            decider.authorize(now, &request)?;
            decider.is_erased(blob)
        });
        let is_erased = decided.await.map_err(failed)??;
        Ok(Some(blob).filter(|_| !is_erased))
    }

    /// Whether the request may be answered at `now`. Blocks on the disk.
    ///
    /// # Errors
    /// [`LightRefusal::Malformed`], [`LightRefusal::Clock`], [`LightRefusal::NotSigned`] (also when it is addressed to
    /// another hospital, or signed for another chain), [`LightRefusal::NotAllowed`] by [`AccessRefusal`].
    pub fn authorize(&self, now: Timestamp, untrusted: &UntrustedReadRequest) -> Result<(), LightRefusal> {
        let request = &untrusted.request;
        if request.blobs.len() > BLOBS_PER_REQUEST_MAX {
            return Err(LightRefusal::Malformed);
        }
        self.check_asker(now, request.time, request.reader, request.holder, &untrusted.key)?;
        let unsigned = LightRefusal::NotSigned { did: request.reader };
        untrusted.verify(self.ledger.chain()).map_err(|_| unsigned)?;
        self.index.catch_up(&self.ledger).map_err(failed)?;
        match request.ground {
            ReadGround::Own => self.own(request),
            ReadGround::Grant { grant, used_by } => self.granted(now, request, grant, used_by),
            ReadGround::Emergency(declaration) => self.emergency(now, request, declaration),
        }
    }

    /// Whether the ledger says that a ciphertext is erased. Blocks on the disk.
    fn is_erased(&self, blob: BlobId) -> Result<bool, LightRefusal> {
        self.index.is_erased(&self.ledger, blob).map_err(failed)
    }

    /// Keeps a wallet's ciphertext until a card names it.
    ///
    /// # Errors
    /// [`LightRefusal::Malformed`] for one over the limit, [`LightRefusal::Clock`], [`LightRefusal::NotSigned`],
    /// [`LightRefusal::NotAllowed`] for one that is erased, [`LightRefusal::Busy`] when the disk fails.
    pub async fn upload(&self, now: Timestamp, upload: UntrustedUpload) -> Result<BlobId, LightRefusal> {
        let decider = self.clone();
        let noted = tokio::task::spawn_blocking(move || decider.note_upload(now, upload));
        let (ciphertext, gone) = noted.await.map_err(failed)??;
        let id = self.vault.put(ciphertext).await.map_err(failed)?;
        for blob in gone {
            self.vault.remove(blob).await.map_err(failed)?;
        }
        Ok(id)
    }

    fn note_upload(
        &self,
        now: Timestamp,
        untrusted: UntrustedUpload,
    ) -> Result<(Vec<u8>, Vec<BlobId>), LightRefusal> {
        let upload = &untrusted.upload;
        if upload.ciphertext.is_empty() || upload.ciphertext.len() > UPLOAD_BYTES_MAX {
            return Err(LightRefusal::Malformed);
        }
        self.check_asker(now, upload.time, upload.owner, upload.holder, &untrusted.key)?;
        let unsigned = LightRefusal::NotSigned { did: upload.owner };
        untrusted.verify(self.ledger.chain()).map_err(|_| unsigned)?;
        self.index.catch_up(&self.ledger).map_err(failed)?;
        let id = blob_id(&upload.ciphertext);
        if self.is_erased(id)? {
            return Err(refused(AccessRefusal::NotCovered));
        }
        let gone = match self.index.is_used(id).map_err(failed)? {
            true => Vec::new(),
            false => self.index.note_upload(upload.owner, id).map_err(failed)?,
        };
        Ok((untrusted.upload.ciphertext, gone))
    }

    /// What does not cost a signature check: addressee, clock, and that the key is the one registered.
    fn check_asker(
        &self,
        now: Timestamp,
        dated: Timestamp,
        did: Did,
        holder: Did,
        key: &PublicKey,
    ) -> Result<(), LightRefusal> {
        if now.0.abs_diff(dated.0) > READ_REQUEST_AGE_MAX_MS {
            return Err(LightRefusal::Clock { dated, now });
        }
        let identity: Option<Identity> = self.state(&StateKey::Identity(did))?;
        let speaks = identity.is_some_and(|identity| identity.signing == *key);
        if holder != self.organisation || !speaks {
            return Err(LightRefusal::NotSigned { did });
        }
        Ok(())
    }

    fn own(&self, request: &ReadRequest) -> Result<(), LightRefusal> {
        self.each_blob(request, |used| {
            Ok(match used {
                BlobUse::Record(id) => {
                    let record: Option<RecordState> = self.state(&StateKey::Record(id))?;
                    record.is_some_and(|record| record.patient == request.reader)
                }
                BlobUse::Card(locator) => {
                    let card: Option<CardState> = self.state(&StateKey::Card(locator))?;
                    card.is_some_and(|card| card.patient == request.reader)
                }
            })
        })
    }

    fn granted(
        &self,
        now: Timestamp,
        request: &ReadRequest,
        id: GrantId,
        used_by: TxId,
    ) -> Result<(), LightRefusal> {
        let grant = self.grant(id)?.ok_or(refused(AccessRefusal::Unknown))?;
        // A clock that is behind the chain does not keep a grant open.
        let now = now.max(self.ledger.tip().time);
        let registration: Option<Practitioner> = self.state(&StateKey::Practitioner(request.reader))?;
        if !grant.grantee.includes(request.reader, registration.as_ref(), grant.purpose, now) {
            let was = grant.grantee == Grantee::Person(request.reader);
            return Err(refused(if was { AccessRefusal::Ended } else { AccessRefusal::Unknown }));
        }
        if grant.deleted_at.is_some() {
            return Err(refused(AccessRefusal::Ended));
        }
        match grant.standing(now) {
            Standing::Revoked => return Err(refused(AccessRefusal::Revoked)),
            Standing::Expired => return Err(refused(AccessRefusal::Ended)),
            Standing::Paused => return Err(refused(AccessRefusal::Paused)),
            // A use is in a block only if the grant had begun by the block's time, whatever this node's clock says.
            Standing::NotYet | Standing::Active | Standing::UsedUp => {}
        }
        let declared =
            self.declared(now, request.reader, id, used_by)?.ok_or(refused(AccessRefusal::NotDeclared))?;
        // Narrowed since it was used, perhaps.
        let open = |id| declared.contains(&id) && grant.records.binary_search(&id).is_ok();
        self.each_blob(request, |used| Ok(matches!(used, BlobUse::Record(id) if open(id))))
    }

    /// The records that a committed use of the grant by this reader names, if it was stated less than [`USE_TIME_MS`] ago.
    fn declared(
        &self,
        now: Timestamp,
        reader: Did,
        grant: GrantId,
        used_by: TxId,
    ) -> Result<Option<Vec<RecordId>>, LightRefusal> {
        if let Some(height) = self.ledger.removed(used_by).map_err(failed)? {
            return Err(LightRefusal::Pruned { height });
        }
        let found = self.ledger.receipt(used_by).map_err(failed)?;
        let Some((height, Receipt { outcome: Outcome::Applied { .. }, .. })) = found else {
            return Ok(None);
        };
        let stated = self.ledger.header(height).map_err(failed)?.map(|header| header.time);
        if stated.is_none_or(|stated| now >= stated.plus_millis(USE_TIME_MS)) {
            return Err(refused(AccessRefusal::Ended));
        }
        let transaction = self.ledger.transaction(used_by).map_err(failed)?.map(|found| found.transaction);
        Ok(transaction.filter(|transaction| transaction.sender == reader).and_then(|transaction| {
            match transaction.call {
                Call::UseAccess(call) if call.grant == grant => Some(call.records),
                _ => None,
            }
        }))
    }

    fn emergency(
        &self,
        now: Timestamp,
        request: &ReadRequest,
        id: DeclarationId,
    ) -> Result<(), LightRefusal> {
        let declaration: Option<DeclarationState> = self.state(&StateKey::Declaration(id))?;
        let declaration = declaration
            .filter(|declaration| declaration.practitioner == request.reader)
            .ok_or(refused(AccessRefusal::Unknown))?;
        let card: Option<CardState> = self.state(&StateKey::Card(declaration.locator))?;
        let card = card.ok_or(refused(AccessRefusal::Unknown))?;
        if card.revoked_at.is_some() {
            return Err(refused(AccessRefusal::Revoked));
        }
        if now >= declaration.until || !self.practises(request.reader, now)? {
            return Err(refused(AccessRefusal::Ended));
        }
        self.each_blob(request, |used| Ok(used == BlobUse::Card(declaration.locator)))
    }

    /// Refuses unless each ciphertext asked for has a use that `covers` accepts.
    fn each_blob(
        &self,
        request: &ReadRequest,
        covers: impl Fn(BlobUse) -> Result<bool, LightRefusal>,
    ) -> Result<(), LightRefusal> {
        for blob in &request.blobs {
            let mut covered = false;
            for used in self.index.uses(*blob).map_err(failed)? {
                covered |= covers(used)?;
            }
            if !covered {
                return Err(refused(AccessRefusal::NotCovered));
            }
        }
        Ok(())
    }

    /// A grant as it counts: ended with its study, if it is for one that was ended.
    pub(crate) fn grant(&self, id: GrantId) -> Result<Option<GrantState>, LightRefusal> {
        let Some(grant) = self.state::<GrantState>(&StateKey::Grant(id))? else { return Ok(None) };
        let Some(study) = grant.grantee.study() else { return Ok(Some(grant)) };
        let study: Option<StudyState> = self.state(&StateKey::Study(study))?;
        Ok(study.map(|study| grant.ended_with(&study)))
    }

    fn practises(&self, did: Did, now: Timestamp) -> Result<bool, LightRefusal> {
        let practitioner: Option<Practitioner> = self.state(&StateKey::Practitioner(did))?;
        Ok(practitioner.is_some_and(|practitioner| practitioner.counts_at(now)))
    }

    fn state<T: BorshDeserialize>(&self, key: &StateKey) -> Result<Option<T>, LightRefusal> {
        self.ledger.read(key).map_err(failed)
    }
}

fn refused(why: AccessRefusal) -> LightRefusal {
    LightRefusal::NotAllowed(why)
}

/// This node's own failure: the asker can go to another one.
pub(crate) fn failed(error: impl std::fmt::Display) -> LightRefusal {
    tracing::error!(%error, "question could not be answered");
    LightRefusal::Busy
}

#[cfg(test)]
mod histories;
#[cfg(test)]
mod tests;
