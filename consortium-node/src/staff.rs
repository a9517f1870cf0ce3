//! Grants for this hospital's staff: which there are for one of them, and the keys of what they state to read.
//!
//! The keys of such a grant are sealed to the hospital. Its node opens them for nobody but a reader who could fetch the
//! ciphertexts now, and passes on the keys of the records that their committed use names, no others.

use crate::ledger::{Ledger, LedgerError};
use crate::org_sender::{OrgSender, SendError};
use crate::release::{Release, failed};
use crate::vault::VaultIndex;
use amulet_crypto::entropy::SystemEntropy;
use amulet_crypto::sealed_box::{AgreementKey, AgreementPublicKey};
use amulet_protocol::calls::{Call, GrantId, PublishStaffKey};
use amulet_protocol::grant::{GrantState, Standing};
use amulet_protocol::grant_keys::{GrantKeys, KeyBinding, SealedKeys};
use amulet_protocol::ids::{Did, Height, RecordId, Timestamp, TxId};
use amulet_protocol::light::{AccessRefusal, LightRefusal, ReadGround, UntrustedReadRequest};
use amulet_protocol::limits::STAFF_GRANTS_PER_RESPONSE_MAX;
use amulet_protocol::state::{Identity, OrganisationState, Practitioner, StateKey};
use std::sync::Arc;
use std::time::Duration;

/// Grants looked through for one answer, the newest of the hospital.
const GRANTS_LOOKED_AT_MAX: usize = 10_000;
/// How long to wait before the key is published again after that did not come through.
const RETRY_AFTER: Duration = Duration::from_secs(60);

/// Answers a hospital's staff; cheap to clone. Its calls block on the disk.
#[derive(Clone)]
pub struct StaffDesk {
    ledger: Ledger,
    index: VaultIndex,
    release: Release,
    key: Arc<AgreementKey>,
}

impl StaffDesk {
    /// A desk that opens what is sealed to `key`, for whom `release` would give ciphertexts.
    #[must_use]
    pub fn new(ledger: Ledger, index: VaultIndex, release: Release, key: Arc<AgreementKey>) -> Self {
        Self { ledger, index, release, key }
    }

    /// The key that grants for the staff are to be sealed to.
    #[must_use]
    pub fn key(&self) -> AgreementPublicKey {
        self.key.public_key().clone()
    }

    /// The grants under which the asker can read now, or could if they were not paused; newest first.
    ///
    /// # Errors
    /// As [`Release::authorize`]; [`LightRefusal::Malformed`] for a request that names ciphertexts or another ground.
    pub fn grants(
        &self,
        now: Timestamp,
        untrusted: &UntrustedReadRequest,
    ) -> Result<Vec<GrantId>, LightRefusal> {
        let request = &untrusted.request;
        if request.ground != ReadGround::Own || !request.blobs.is_empty() {
            return Err(LightRefusal::Malformed);
        }
        self.release.authorize(now, untrusted)?;
        let registration: Option<Practitioner> =
            self.ledger.read(&StateKey::Practitioner(request.reader)).map_err(failed)?;
        let now = now.max(self.ledger.tip().time);
        let mut found = Vec::new();
        for id in self.index.staff_grants(request.holder, GRANTS_LOOKED_AT_MAX).map_err(failed)? {
            let grant = self.release.grant(id)?;
            let reads = |grant: &GrantState| {
                let opens =
                    matches!(grant.standing(now), Standing::NotYet | Standing::Active | Standing::Paused);
                opens && grant.grantee.includes(request.reader, registration.as_ref(), grant.purpose, now)
            };
            if grant.is_some_and(|grant| reads(&grant)) {
                found.push(id);
            }
            if found.len() == STAFF_GRANTS_PER_RESPONSE_MAX {
                break;
            }
        }
        Ok(found)
    }

    /// The keys of the records that a committed use names and the grant still opens, sealed to whom it is by.
    ///
    /// # Errors
    /// As [`Release::authorize`]; [`LightRefusal::Malformed`] for a request that names ciphertexts or another ground;
    /// [`AccessRefusal::Unknown`] for a grant that is not for this hospital's staff; [`LightRefusal::Pruned`].
    pub fn keys(&self, now: Timestamp, untrusted: &UntrustedReadRequest) -> Result<SealedKeys, LightRefusal> {
        let request = &untrusted.request;
        let ReadGround::Grant { grant: id, used_by } = request.ground else {
            return Err(LightRefusal::Malformed);
        };
        if !request.blobs.is_empty() {
            return Err(LightRefusal::Malformed);
        }
        self.release.authorize(now, untrusted)?;
        let unknown = || LightRefusal::NotAllowed(AccessRefusal::Unknown);
        let grant = self.release.grant(id)?;
        let own = |grant: &GrantState| {
            grant.grantee.staff().is_some_and(|staff| staff.organisation == request.holder)
        };
        let grant = grant.filter(own).ok_or_else(unknown)?;
        let Some((_, Call::UseAccess(mut stated))) = self.call(used_by)? else { return Err(unknown()) };
        // Narrowed since it was used, perhaps.
        stated.records.retain(|record| grant.records.binary_search(record).is_ok());
        let keys = self.open(id, &grant, &stated.records)?;
        let reader: Option<Identity> =
            self.ledger.read(&StateKey::Identity(request.reader)).map_err(failed)?;
        let to = reader.ok_or_else(unknown)?.agreement;
        let binding = KeyBinding::Handover { grant: id, used_by, reader: request.reader };
        keys.seal(&to, &binding, &mut SystemEntropy).map_err(failed)
    }

    /// The keys of these records, which ascend, as far as they came with a grant or since and are still here.
    fn open(&self, id: GrantId, grant: &GrantState, records: &[RecordId]) -> Result<GrantKeys, LightRefusal> {
        let (mut keys, mut gone) = (GrantKeys::new(Vec::new()), false);
        for transaction in [id.0].into_iter().chain(self.index.flows(id).map_err(failed)?) {
            let opened = match self.call(transaction)? {
                Some((_, Call::GrantAccess(call))) => Some(call.keys.open(&self.key, &grant.key_binding())),
                // Opening takes far longer than looking whether there is something to be found.
                Some((sender, Call::RegisterRecords(call)))
                    if call.records.iter().any(|entry| records.binary_search(&entry.id).is_ok()) =>
                {
                    call.open_flow(id, sender, &self.key)
                }
                Some(_) => None,
                // What is pruned must not hide what came later.
                None => {
                    gone = true;
                    None
                }
            };
            // What somebody sealed badly must not hide what others sealed well.
            match opened {
                Some(Ok(opened)) => keys.extend(opened),
                Some(Err(error)) => tracing::warn!(grant = %id, %error, "keys for the staff do not open"),
                None => {}
            }
        }
        let keys = keys.only(records);
        if gone && keys.is_empty() {
            return Err(LightRefusal::Pruned { height: grant.granted });
        }
        Ok(keys)
    }

    /// A committed transaction that is here: who sent it, and what.
    fn call(&self, id: TxId) -> Result<Option<(Did, Call)>, LightRefusal> {
        let found = self.ledger.transaction(id).map_err(failed)?;
        Ok(found.map(|found| (found.transaction.sender, found.transaction.call)))
    }
}

/// Publishes the key for the staff, unless the ledger has it; tries until it has. A chain on which nothing has happened yet is
/// left as it is until something does.
pub async fn publish_key(sender: OrgSender, ledger: Ledger, key: AgreementPublicKey) {
    let mut tips = ledger.subscribe();
    if tips.wait_for(|tip| tip.height > Height(0)).await.is_err() {
        return;
    }
    loop {
        match publish_once(&sender, &ledger, &key).await {
            Ok(()) => return,
            Err(SendError::Refused(code)) => {
                tracing::warn!(%code, "the ledger refuses this hospital's key for its staff");
                return;
            }
            Err(error) => {
                tracing::info!(%error, "key for the staff not published yet; it will be sent again")
            }
        }
        tokio::time::sleep(RETRY_AFTER).await;
    }
}

async fn publish_once(
    sender: &OrgSender,
    ledger: &Ledger,
    key: &AgreementPublicKey,
) -> Result<(), SendError> {
    if is_settled(ledger, sender.organisation(), key)? {
        return Ok(());
    }
    sender.send(Call::PublishStaffKey(PublishStaffKey { agreement: key.clone() })).await?;
    tracing::info!("patients can give access to this hospital's staff");
    Ok(())
}

/// Whether the ledger has the key already, or does not know the organisation, which then cannot publish one.
fn is_settled(ledger: &Ledger, organisation: Did, key: &AgreementPublicKey) -> Result<bool, LedgerError> {
    let known = ledger.read::<AgreementPublicKey>(&StateKey::StaffKey(organisation))?;
    let member: Option<OrganisationState> = ledger.read(&StateKey::Organisation(organisation))?;
    Ok(member.is_none() || known.is_some_and(|known| known == *key))
}

#[cfg(test)]
mod tests;
