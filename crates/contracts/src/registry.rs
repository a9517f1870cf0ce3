//! registry: organisations say who practises for them, and how long, and where their nodes can be asked.

use crate::state::StateRead;
use crate::step::{Done, Step, Stop, ensure};
use crate::{checks, history, validators};
use amulet_protocol::addresses::{AddressesState, NodeAddress, PublishAddresses};
use amulet_protocol::calls::{PublishStaffKey, RegisterPractitioner};
use amulet_protocol::history::Event;
use amulet_protocol::limits::{ADDRESSES_PER_ORGANISATION_MAX, ADDRESSES_TIME_MAX_MS, NAME_BYTES_MAX};
use amulet_protocol::receipt::RefusalCode;
use amulet_protocol::state::{Practitioner, StateKey};

/// Registers a practitioner, or renews, changes or shortens the sender's own registration of them.
pub(crate) fn register_practitioner<S: StateRead>(
    step: &mut Step<'_, S>,
    call: &RegisterPractitioner,
) -> Done<S> {
    organisation(step)?;
    let known = step.exists(&StateKey::Identity(call.practitioner))?;
    ensure(known, RefusalCode::UnknownPractitioner)?;
    for name in [&call.name, &call.department] {
        ensure((1..=NAME_BYTES_MAX).contains(&name.len()), RefusalCode::BadName)?;
    }
    let lasts = call.valid_from < call.valid_until && step.now() < call.valid_until;
    ensure(lasts, RefusalCode::BadValidity)?;
    let key = StateKey::Practitioner(call.practitioner);
    if let Some(current) = step.get::<Practitioner>(&key)? {
        // Otherwise one hospital could end the registration of another's doctors.
        let free = current.organisation == step.sender || current.valid_until <= step.now();
        ensure(free, RefusalCode::EmployedElsewhere)?;
    }
    let practitioner = Practitioner {
        organisation: step.sender,
        name: call.name.clone(),
        department: call.department.clone(),
        role: call.role,
        valid_from: call.valid_from,
        valid_until: call.valid_until,
    };
    step.put(key, &practitioner);
    let event = Event::PractitionerRegistered { practitioner: call.practitioner };
    history::append(step, &[call.practitioner], &event)
}

/// Says to which key grants for the sender's staff are sealed.
pub(crate) fn publish_staff_key<S: StateRead>(step: &mut Step<'_, S>, call: &PublishStaffKey) -> Done<S> {
    organisation(step)?;
    step.put(StateKey::StaffKey(step.sender), &call.agreement);
    history::append(step, &[step.sender], &Event::StaffKeyPublished)
}

/// Says where the sender's nodes can be asked, or takes it back.
pub(crate) fn publish_addresses<S: StateRead>(step: &mut Step<'_, S>, call: &PublishAddresses) -> Done<S> {
    let epoch = validators::current(step).map_err(Stop::Failed)?;
    ensure(epoch.seat_of(step.sender).is_some(), RefusalCode::NotAValidator)?;
    let key = StateKey::Addresses(step.sender);
    if call.addresses.is_empty() {
        step.remove(key);
        return Ok(());
    }
    checks::ascending(&call.addresses, ADDRESSES_PER_ORGANISATION_MAX)?;
    let latest = step.now().plus_millis(ADDRESSES_TIME_MAX_MS);
    ensure(step.now() < call.valid_until && call.valid_until <= latest, RefusalCode::BadValidity)?;
    let own = |peer: &[u8]| {
        let mut members = epoch.validators.members().iter();
        members.any(|validator| validator.organisation == step.sender && validator.peer_id == peer)
    };
    for address in &call.addresses {
        // Whoever listens at a web address shows a certificate for its name instead.
        let good = match NodeAddress::parse(address) {
            Ok(NodeAddress::Https(_)) => true,
            Ok(NodeAddress::Libp2p { peer, .. }) => own(&peer),
            Err(_) => false,
        };
        ensure(good, RefusalCode::BadAddress)?;
    }
    let addresses = call.addresses.clone();
    let (published, valid_until) = (step.context.height, call.valid_until);
    step.put(key, &AddressesState { addresses, published, valid_until });
    Ok(())
}

/// Refuses unless the sender is an organisation.
pub(crate) fn organisation<S: StateRead>(step: &Step<'_, S>) -> Done<S> {
    Ok(ensure(step.exists(&StateKey::Organisation(step.sender))?, RefusalCode::NotAnOrganisation)?)
}

/// The registration of the sender as a practitioner, which must count now.
pub(crate) fn practitioner<S: StateRead>(step: &Step<'_, S>) -> Done<S, Practitioner> {
    let registered: Option<Practitioner> = step.get(&StateKey::Practitioner(step.sender))?;
    let counts = registered.filter(|practitioner| practitioner.counts_at(step.now()));
    Ok(counts.ok_or(RefusalCode::NotAPractitioner)?)
}
