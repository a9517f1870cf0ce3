//! identity: who speaks for a DID, how a DID comes to be, and how other keys come to speak for it.

use crate::checks;
use crate::history;
use crate::state::StateRead;
use crate::step::{Done, Step, ensure};
use amulet_crypto::signing::PUBLIC_KEY_BYTES;
use amulet_protocol::calls::{Call, RegisterIdentity};
use amulet_protocol::history::Event;
use amulet_protocol::ids::Did;
use amulet_protocol::limits::{FORMER_SEED_BOX_BYTES_MAX, KEY_REPLACEMENTS_MAX};
use amulet_protocol::receipt::RefusalCode;
use amulet_protocol::replacement::ReplaceKeys;
use amulet_protocol::state::{Identity, OrganisationState, Practitioner, StateKey};
use amulet_protocol::transaction::SignedTransaction;
use borsh::BorshDeserialize;

/// The signing key of an encoded [`Identity`], compressed. To take the curve points of an identity out of their compressed
/// form costs more than the rest of an authentication, and only their bytes are compared.
struct SigningKeyBytes([u8; PUBLIC_KEY_BYTES]);

impl BorshDeserialize for SigningKeyBytes {
    fn deserialize_reader<R: std::io::Read>(reader: &mut R) -> std::io::Result<Self> {
        // The signing key is the first field of an identity.
        let signing = BorshDeserialize::deserialize_reader(reader)?;
        std::io::copy(reader, &mut std::io::sink())?;
        Ok(Self(signing))
    }
}

/// Refuses unless the transaction's key speaks for its sender on this chain now.
///
/// A DID that is not registered can send one thing only, its own registration, by the key that it is the digest of.
pub(crate) fn authenticate<S: StateRead>(step: &mut Step<'_, S>, transaction: &SignedTransaction) -> Done<S> {
    let plain = transaction.transaction();
    // A signature covers the chain: one made for another chain says nothing here.
    ensure(plain.chain == step.context.chain, RefusalCode::WrongKey)?;
    if let Some(organisation) = step.get::<OrganisationState>(&StateKey::Organisation(plain.sender))? {
        return Ok(ensure(organisation.key == *transaction.key(), RefusalCode::WrongKey)?);
    }
    if let Some(signing) = step.get::<SigningKeyBytes>(&StateKey::Identity(plain.sender))? {
        return Ok(ensure(signing.0 == *transaction.key().as_bytes(), RefusalCode::WrongKey)?);
    }
    let Call::RegisterIdentity(call) = &plain.call else {
        return Err(RefusalCode::UnknownSender.into());
    };
    ensure(Did::of_key(&call.signing) == plain.sender, RefusalCode::DidMismatch)?;
    Ok(ensure(call.signing == *transaction.key(), RefusalCode::WrongKey)?)
}

/// Registers the sender, whose key [`authenticate`] has checked.
pub(crate) fn register<S: StateRead>(step: &mut Step<'_, S>, call: &RegisterIdentity) -> Done<S> {
    let key = StateKey::Identity(step.sender);
    let organisation = step.exists(&StateKey::Organisation(step.sender))?;
    ensure(!organisation && !step.exists(&key)?, RefusalCode::IdentityExists)?;
    // One key speaks for one DID; else nobody could say whose wallet recovery words belong to.
    ensure(!step.exists(&StateKey::SpeaksFor(step.sender))?, RefusalCode::KeyTaken)?;
    let identity = Identity {
        signing: call.signing.clone(),
        agreement: call.agreement.clone(),
        registered: step.context.height,
        replacements: 0,
    };
    step.put(key, &identity);
    history::append(step, &[step.sender], &Event::IdentityRegistered)
}

/// Has other keys speak for the sender; the key before has signed the transaction, the new one that it is held.
pub(crate) fn replace_keys<S: StateRead>(step: &mut Step<'_, S>, call: &ReplaceKeys) -> Done<S> {
    let key = StateKey::Identity(step.sender);
    // An organisation's key is replaced by the others' decision.
    let before = step.get::<Identity>(&key)?.ok_or(RefusalCode::UnknownSender)?;
    ensure(before.replacements < KEY_REPLACEMENTS_MAX, RefusalCode::TooManyReplacements)?;
    checks::sealed(&call.former, FORMER_SEED_BOX_BYTES_MAX)?;
    let own = Did::of_key(&call.signing);
    for taken in [StateKey::Identity(own), StateKey::Organisation(own), StateKey::SpeaksFor(own)] {
        ensure(!step.exists(&taken)?, RefusalCode::KeyTaken)?;
    }
    ensure(call.is_possessed(step.sender, step.context.chain), RefusalCode::NotPossessed)?;
    let replaced = Identity {
        signing: call.signing.clone(),
        agreement: call.agreement.clone(),
        registered: before.registered,
        replacements: before.replacements + 1,
    };
    step.put(key, &replaced);
    let identity = step.sender;
    step.put(StateKey::SpeaksFor(own), &identity);
    let employer = step.get::<Practitioner>(&StateKey::Practitioner(step.sender))?;
    let employer = employer.filter(|practitioner| practitioner.counts_at(step.now()));
    let mut told = vec![identity];
    told.extend(employer.map(|practitioner| practitioner.organisation));
    history::append(step, &told, &Event::KeysReplaced { identity })
}
