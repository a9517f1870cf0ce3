//! emergency: the patient's card, and breaking the glass.

use crate::state::StateRead;
use crate::step::{Done, Step, Stop, ensure};
use crate::{ApplyError, checks, history, registry};
use amulet_protocol::calls::{CardLocator, DeclarationId, DeclareEmergency, PublishCard, RevokeCard};
use amulet_protocol::consent::EmergencyReason;
use amulet_protocol::history::Event;
use amulet_protocol::limits::{EMERGENCY_TIME_MS, SEALED_NOTE_BYTES_MAX};
use amulet_protocol::receipt::RefusalCode;
use amulet_protocol::state::{CardState, DeclarationState, StateKey};

/// Publishes a card, which takes the place of the one in force.
pub(crate) fn publish_card<S: StateRead>(step: &mut Step<'_, S>, call: &PublishCard) -> Done<S> {
    let patient = step.sender;
    checks::patient(step, patient)?;
    let key = StateKey::Card(call.locator);
    ensure(!step.exists(&key)?, RefusalCode::LocatorTaken)?;
    checks::holders(step, &call.holders)?;
    ensure(EMERGENCY_TIME_MS.contains(&call.access_ms), RefusalCode::BadDuration)?;
    if let Some(old) = step.get::<CardLocator>(&StateKey::CardOf(patient))? {
        let old_key = StateKey::Card(old);
        let missing = Stop::Failed(ApplyError::Corrupt { key: old_key.clone() });
        let card = step.get(&old_key)?.ok_or(missing)?;
        end(step, old, card)?;
    }
    let card = CardState {
        patient,
        blob: call.blob,
        holders: call.holders.clone(),
        access_ms: call.access_ms,
        published_at: step.now(),
        revoked_at: None,
    };
    step.put(key, &card);
    step.put(StateKey::CardOf(patient), &call.locator);
    history::append(step, &[patient], &Event::CardPublished { locator: call.locator })
}

/// Revokes the card in force.
pub(crate) fn revoke_card<S: StateRead>(step: &mut Step<'_, S>, call: &RevokeCard) -> Done<S> {
    let card: CardState = step.get(&StateKey::Card(call.locator))?.ok_or(RefusalCode::UnknownCard)?;
    ensure(card.patient == step.sender, RefusalCode::NotYourCard)?;
    ensure(card.revoked_at.is_none(), RefusalCode::CardRevoked)?;
    step.remove(StateKey::CardOf(step.sender));
    end(step, call.locator, card)
}

/// A practitioner opens the summary behind a card, for as long as the patient's card allows.
pub(crate) fn declare<S: StateRead>(step: &mut Step<'_, S>, call: &DeclareEmergency) -> Done<S> {
    registry::practitioner(step)?;
    let card: CardState = step.get(&StateKey::Card(call.locator))?.ok_or(RefusalCode::UnknownCard)?;
    ensure(card.revoked_at.is_none(), RefusalCode::CardRevoked)?;
    ensure(card.patient != step.sender, RefusalCode::SelfDealing)?;
    let explained = call.reason != EmergencyReason::Other || call.note.is_some();
    ensure(explained, RefusalCode::NoteNeeded)?;
    if let Some(note) = &call.note {
        checks::sealed(note, SEALED_NOTE_BYTES_MAX)?;
    }
    let until = step.now().plus_millis(card.access_ms);
    let id = DeclarationId(step.id);
    let declaration = DeclarationState {
        locator: call.locator,
        patient: card.patient,
        practitioner: step.sender,
        reason: call.reason,
        declared_at: step.now(),
        until,
    };
    step.put(StateKey::Declaration(id), &declaration);
    let event =
        Event::EmergencyDeclared { declaration: id, locator: call.locator, practitioner: step.sender, until };
    history::append(step, &[card.patient, step.sender], &event)
}

/// Ends the sender's card in the state and tells its owner.
fn end<S: StateRead>(step: &mut Step<'_, S>, locator: CardLocator, card: CardState) -> Done<S> {
    let card = CardState { revoked_at: Some(step.now()), ..card };
    step.put(StateKey::Card(locator), &card);
    history::append(step, &[step.sender], &Event::CardRevoked { locator })
}
