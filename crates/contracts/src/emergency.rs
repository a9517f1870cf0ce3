//! emergency: the patient's card, and breaking the glass.

use crate::state::StateRead;
use crate::step::{Done, Step, Stop, ensure};
use crate::{ApplyError, checks, history, registry};
use amulet_protocol::calls::{
    CardLocator, DeclarationId, DeclareEmergency, DisputeEmergency, PublishCard, ReviewEmergency, RevokeCard,
};
use amulet_protocol::consent::EmergencyReason;
use amulet_protocol::history::Event;
use amulet_protocol::ids::Timestamp;
use amulet_protocol::limits::{
    DECLARATION_WINDOW_MS, DECLARATIONS_PER_DAY_ALARM, DECLARATIONS_PER_DAY_MAX, EMERGENCY_TIME_MS,
    SEALED_NOTE_BYTES_MAX,
};
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
    let organisation = registry::practitioner(step)?.organisation;
    let card: CardState = step.get(&StateKey::Card(call.locator))?.ok_or(RefusalCode::UnknownCard)?;
    ensure(card.revoked_at.is_none(), RefusalCode::CardRevoked)?;
    ensure(card.patient != step.sender, RefusalCode::SelfDealing)?;
    let explained = call.reason != EmergencyReason::Other || call.note.is_some();
    ensure(explained, RefusalCode::NoteNeeded)?;
    if let Some(note) = &call.note {
        checks::sealed(note, SEALED_NOTE_BYTES_MAX)?;
    }
    let declarations = count(step)?;
    let until = step.now().plus_millis(card.access_ms);
    let id = DeclarationId(step.id);
    let declaration = DeclarationState {
        locator: call.locator,
        patient: card.patient,
        practitioner: step.sender,
        reason: call.reason,
        declared_at: step.now(),
        until,
        organisation,
        disputed_at: None,
        review: None,
    };
    step.put(StateKey::Declaration(id), &declaration);
    let event =
        Event::EmergencyDeclared { declaration: id, locator: call.locator, practitioner: step.sender, until };
    history::append(step, &[card.patient, step.sender, organisation], &event)?;
    if declarations < DECLARATIONS_PER_DAY_ALARM {
        return Ok(());
    }
    let declarations = u32::try_from(declarations).expect("the number of declarations is bounded");
    let alarm = Event::ManyEmergencies { practitioner: step.sender, declarations };
    history::append(step, &[step.sender, organisation], &alarm)
}

/// The patient says that a declaration was not right. Its review is due all the same.
pub(crate) fn dispute<S: StateRead>(step: &mut Step<'_, S>, call: &DisputeEmergency) -> Done<S> {
    let mut declaration = declared(step, call.declaration)?;
    ensure(declaration.patient == step.sender, RefusalCode::NotYourDeclaration)?;
    ensure(declaration.disputed_at.is_none(), RefusalCode::AlreadyDisputed)?;
    declaration.disputed_at = Some(step.now());
    let practitioner = declaration.practitioner;
    let event = Event::EmergencyDisputed { declaration: call.declaration, practitioner };
    keep(step, call.declaration, &declaration, &event)
}

/// The declarer's employer says what its review found.
pub(crate) fn review<S: StateRead>(step: &mut Step<'_, S>, call: &ReviewEmergency) -> Done<S> {
    let mut declaration = declared(step, call.declaration)?;
    ensure(declaration.organisation == step.sender, RefusalCode::NotYourDeclaration)?;
    ensure(declaration.review.is_none(), RefusalCode::AlreadyReviewed)?;
    declaration.review = Some((call.finding, step.now()));
    let (practitioner, finding) = (declaration.practitioner, call.finding);
    let event = Event::EmergencyReviewed { declaration: call.declaration, practitioner, finding };
    keep(step, call.declaration, &declaration, &event)
}

fn declared<S: StateRead>(step: &Step<'_, S>, id: DeclarationId) -> Done<S, DeclarationState> {
    Ok(step.get(&StateKey::Declaration(id))?.ok_or(RefusalCode::UnknownDeclaration)?)
}

/// Writes a declaration and tells all three sides.
fn keep<S: StateRead>(
    step: &mut Step<'_, S>,
    id: DeclarationId,
    declaration: &DeclarationState,
    event: &Event,
) -> Done<S> {
    step.put(StateKey::Declaration(id), declaration);
    let concerned = [declaration.patient, declaration.practitioner, declaration.organisation];
    history::append(step, &concerned, event)
}

/// Counts one more declaration of the sender; gives how many there were within the last day, this one included, and refuses one
/// too many.
fn count<S: StateRead>(step: &mut Step<'_, S>) -> Done<S, usize> {
    let key = StateKey::RecentDeclarations(step.sender);
    let mut recent: Vec<Timestamp> = step.get(&key)?.unwrap_or_default();
    recent.retain(|at| step.now() < at.plus_millis(DECLARATION_WINDOW_MS));
    ensure(recent.len() < DECLARATIONS_PER_DAY_MAX, RefusalCode::TooManyDeclarations)?;
    recent.push(step.now());
    step.put(key, &recent);
    Ok(recent.len())
}

/// Ends the sender's card in the state and tells its owner.
fn end<S: StateRead>(step: &mut Step<'_, S>, locator: CardLocator, card: CardState) -> Done<S> {
    let card = CardState { revoked_at: Some(step.now()), ..card };
    step.put(StateKey::Card(locator), &card);
    history::append(step, &[step.sender], &Event::CardRevoked { locator })
}
