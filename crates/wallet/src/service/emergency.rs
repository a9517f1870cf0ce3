//! Breaking the glass: read a card, declare, and only after the declaration is on the ledger open the summary.

use amulet_app_api::access::ProofCheck;
use amulet_app_api::clinician::{CardPreviewView, DeclareEmergency, EmergencyView};
use amulet_app_api::wallet::Task;
use amulet_app_api::{ApiError, ErrorCode};
use amulet_crypto::entropy::SystemEntropy;
use amulet_crypto::sealed_box::{AgreementPublicKey, SealedBox};
use amulet_protocol::calls::{Call, CardLocator, DeclarationId, DeclareEmergency as DeclareCall};
use amulet_protocol::consent::EmergencyReason;
use amulet_protocol::light::ReadGround;
use amulet_protocol::record::note_context;
use amulet_protocol::state::{CardState, DeclarationState, Identity, StateKey};

use super::Service;
use super::blobs::Wanted;
use super::error::{card_code, forged, grant_ended, internal};
use super::ledger::{is_offline, tx_id};
use super::session::Session;
use super::summary_view::sections;
use crate::card::{CardSecret, CardSummary, SummaryError};
use crate::card_code::CardCode;
use crate::convert;
use crate::device_state::StoredEmergency;

/// Characters of a clinician's note.
const NOTE_CHARS_MAX: usize = 200;
/// Milliseconds in an hour.
const HOUR_MS: u64 = 3_600_000;

impl Service {
    /// What a card says before any declaration. Needs no open wallet: the offline facts are for whoever finds the person.
    pub(super) async fn read_card(&self, code: &str) -> Result<CardPreviewView, ApiError> {
        let code = CardCode::parse(code).map_err(card_code)?;
        let facts = code.offline.as_ref().map(|offline| convert::facts(&offline.facts)).unwrap_or_default();
        let mut preview = CardPreviewView {
            facts,
            facts_signed: code.facts_are_signed(self.network.chain()),
            online: false,
            access_hours: None,
        };
        match self.card_in_force(code.locator).await {
            Ok(card) => {
                preview.online = true;
                preview.access_hours = Some(card.access_ms / HOUR_MS);
                preview.facts_signed = preview.facts_signed && self.is_owners(&code, &card).await?;
                Ok(preview)
            }
            Err(error) if is_offline(&error) => Ok(preview),
            Err(error) => Err(error),
        }
    }

    /// The card at a locator, if it still opens anything.
    async fn card_in_force(&self, locator: CardLocator) -> Result<CardState, ApiError> {
        // Always asked anew: a stolen card is revoked a minute before it is used.
        self.sync(false).await?;
        let card = self.card_state(locator).await?;
        let card = card.ok_or_else(|| ApiError::new(ErrorCode::CardUnknown))?;
        match card.revoked_at {
            Some(at) => Err(ApiError::new(ErrorCode::CardRevoked).with("at_ms", at)),
            None => Ok(card),
        }
    }

    /// Whether the key on the card is that of the person whose card the ledger has there.
    async fn is_owners(&self, code: &CardCode, card: &CardState) -> Result<bool, ApiError> {
        let Some(offline) = &code.offline else { return Ok(false) };
        let owner: Option<Identity> = self.state_of(StateKey::Identity(card.patient)).await?;
        Ok(owner.is_some_and(|owner| owner.signing == offline.owner))
    }

    /// Declares an emergency and opens the summary once the declaration is committed.
    pub(super) async fn declare_emergency(&self, call: &DeclareEmergency) -> Result<EmergencyView, ApiError> {
        let session = self.clinician()?;
        let code = CardCode::parse(&call.code).map_err(card_code)?;
        let card = self.card_in_force(code.locator).await?;
        let owner: Option<Identity> = self.state_of(StateKey::Identity(card.patient)).await?;
        let owner = owner.ok_or_else(|| internal("the owner of a card is not registered"))?;
        let reason = convert::ledger_reason(call.reason);
        let note = seal_note(&call.note, reason, code.locator, &owner.agreement)?;
        let declare = DeclareCall { locator: code.locator, reason, note };
        let (id, _) = self.submit(&session, Call::DeclareEmergency(declare)).await?;
        let declaration = DeclarationId(id);
        let state = self.declaration(declaration).await?;
        let state = state.ok_or_else(|| internal("a committed declaration is not in the state"))?;
        self.remember_emergency(&session, declaration, &state, &code.secret)?;
        self.emergency_view(&session, declaration, &state, &code.secret).await
    }

    /// Opens the summary of a declaration of this device that is still running.
    pub(super) async fn open_emergency(&self, declaration: &str) -> Result<EmergencyView, ApiError> {
        let session = self.clinician()?;
        let declaration = DeclarationId(tx_id(declaration)?);
        let known =
            session.owner.device().emergencies.iter().find(|known| known.declaration == declaration).cloned();
        let known = known.ok_or_else(|| ApiError::new(ErrorCode::NotFound).with("what", "card"))?;
        self.fresh().await?;
        let state = self.declaration(declaration).await?.ok_or_else(|| ApiError::new(ErrorCode::NotFound))?;
        let secret = CardSecret::from_bytes(&known.secret);
        self.emergency_view(&session, declaration, &state, &secret).await
    }

    async fn declaration(&self, id: DeclarationId) -> Result<Option<DeclarationState>, ApiError> {
        self.state_of(StateKey::Declaration(id)).await
    }

    fn remember_emergency(
        &self,
        session: &Session,
        declaration: DeclarationId,
        state: &DeclarationState,
        secret: &CardSecret,
    ) -> Result<(), ApiError> {
        let mut device = session.owner.device();
        device.emergencies.push(StoredEmergency {
            declaration,
            locator: state.locator,
            secret: *secret.expose(),
            until: state.until,
        });
        self.save_device(&session.owner, &mut device)
    }

    async fn emergency_view(
        &self,
        session: &Session,
        declaration: DeclarationId,
        state: &DeclarationState,
        secret: &CardSecret,
    ) -> Result<EmergencyView, ApiError> {
        if self.judged_at() >= state.until {
            return Err(grant_ended("expired"));
        }
        let card =
            self.card_state(state.locator).await?.ok_or_else(|| ApiError::new(ErrorCode::CardUnknown))?;
        let task = self.task(Task::Fetching);
        let wanted = [Wanted { blob: card.blob, holders: card.holders.clone() }];
        let ground = ReadGround::Emergency(declaration);
        let mut found = None;
        let fetched = self.fetch_blobs(session, ground, &wanted, &task, |_, blob| found = Some(blob)).await;
        let ciphertext = found.ok_or_else(|| self.nothing_delivered(fetched.refused))?;
        let key = secret.summary_key(state.locator, self.network.chain());
        let summary =
            CardSummary::open(&ciphertext, &key, state.locator, card.blob).map_err(summary_error)?;
        let proven = self.client.receipt(declaration.0).await.map_err(|error| self.light(error))?;
        let checks = [ProofCheck::Receipt, ProofCheck::State, ProofCheck::Ciphertext];
        let person = summary.summary.person.as_ref();
        Ok(EmergencyView {
            declaration: declaration.to_string(),
            name: Some(summary.name.clone()),
            sex: person.and_then(|person| person.sex.clone()),
            birth_date: person.and_then(|person| person.birth_date.clone()),
            sections: sections(&summary),
            unreadable: u64::from(summary.summary.unreadable),
            made_at: summary.made_at.0,
            until: state.until.0,
            proof: self.proof_view(&proven.header, declaration.0, &checks),
        })
    }
}

fn summary_error(error: SummaryError) -> ApiError {
    match error {
        SummaryError::Blob { .. } => forged(None, "ciphertext"),
        // The ledger's blob does not open with the code's secret: a code of one card with the secret of another.
        SummaryError::Content(_) => ErrorCode::CodeDamaged.into(),
        other => internal(other),
    }
}

/// The clinician's own words, sealed so that only the patient reads them.
fn seal_note(
    note: &str,
    reason: EmergencyReason,
    locator: CardLocator,
    patient: &AgreementPublicKey,
) -> Result<Option<SealedBox>, ApiError> {
    let note = note.trim();
    let found = note.chars().count();
    if found > NOTE_CHARS_MAX {
        return Err(ApiError::new(ErrorCode::TooLarge).with("size", found).with("limit", NOTE_CHARS_MAX));
    }
    if note.is_empty() {
        return match reason {
            EmergencyReason::Other => Err(ApiError::new(ErrorCode::BadRequest).with("field", "note")),
            _ => Ok(None),
        };
    }
    let sealed = SealedBox::seal(patient, &note_context(locator), note.as_bytes(), &mut SystemEntropy);
    sealed.map(Some).map_err(internal)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use amulet_crypto::sealed_box::AgreementKey;
    use amulet_protocol::limits::SEALED_NOTE_BYTES_MAX;

    #[test]
    fn a_note_is_bounded_and_only_the_patient_reads_it() {
        let patient = AgreementKey::generate(&mut SystemEntropy);
        let locator = CardLocator([1; 5]);
        let seal = |note: &str, reason| seal_note(note, reason, locator, patient.public_key());
        let longest = "昏".repeat(NOTE_CHARS_MAX);
        let sealed = seal(&longest, EmergencyReason::Other).unwrap().unwrap();
        assert!(sealed.as_bytes().len() <= SEALED_NOTE_BYTES_MAX, "the ledger would refuse it");
        let opened = sealed.open(&patient, &note_context(locator)).unwrap();
        assert_eq!(&*opened, longest.as_bytes());
        assert_eq!(seal(&(longest + "x"), EmergencyReason::Other).unwrap_err().code, ErrorCode::TooLarge);
        assert_eq!(seal("  ", EmergencyReason::Other).unwrap_err().code, ErrorCode::BadRequest);
        assert!(seal("", EmergencyReason::Unconscious).unwrap().is_none());
    }
}
