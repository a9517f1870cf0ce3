//! What the ledger says, asked of one node and proven here without a wallet.

use crate::hospital::Hospital;
use amulet_crypto::content::ContentKey;
use amulet_protocol::calls::{Call, CardLocator, RecordEntry};
use amulet_protocol::genesis::Genesis;
use amulet_protocol::history::{Event, HistoryEntry, HistoryHead};
use amulet_protocol::ids::{BlobId, Did, Height, TxId};
use amulet_protocol::light::{LightRequest, LightResponse, ReadGround};
use amulet_protocol::record::{RecordPlain, record_key_context};
use amulet_protocol::state::{CardState, StateKey};
use amulet_wallet::identity::Identity;
use borsh::BorshDeserialize;

/// A value of the state, proven against the hospital's newest header, whose certificate is checked too.
///
/// # Panics
/// When the hospital does not answer or its answer does not verify.
#[must_use]
pub fn state<T: BorshDeserialize>(hospital: &Hospital, genesis: &Genesis, key: &StateKey) -> Option<T> {
    newest_state(hospital, genesis, key).1
}

/// The same, with the height of that header.
fn newest_state<T: BorshDeserialize>(
    hospital: &Hospital,
    genesis: &Genesis,
    key: &StateKey,
) -> (Height, Option<T>) {
    let validators = genesis.validate().expect("the genesis document is good");
    let latest = hospital.latest().expect("the hospital has a newest header");
    let (height, root) = (latest.header.height, latest.header.state_root);
    latest.verify(genesis.chain_id(), &validators).expect("the newest header is certified");
    let request = LightRequest::State { height, keys: vec![key.clone()] };
    let Some(LightResponse::State(proofs)) = hospital.ask(&request) else { panic!("no state of {key:?}") };
    (height, proofs[0].verify(root, key).expect("the state is proven").into_option())
}

/// A person's whole history, checked against its proven head.
///
/// # Panics
/// When the hospital's answer does not verify.
#[must_use]
pub fn history(hospital: &Hospital, genesis: &Genesis, did: Did) -> Vec<HistoryEntry> {
    // The entries of the very block that the head is proven at: the next one may be committed in between.
    let (height, head) = newest_state(hospital, genesis, &StateKey::History(did));
    let request = LightRequest::History { did, from: 1, height };
    let Some(LightResponse::History(entries)) = hospital.ask(&request) else { panic!("no history of {did}") };
    let head: HistoryHead = head.unwrap_or_default();
    HistoryHead::default().extend_to(head, &entries).expect("the history is complete");
    entries
}

/// Every record registered for a person.
///
/// # Panics
/// When the hospital does not give the transactions.
#[must_use]
pub fn records(hospital: &Hospital, genesis: &Genesis, did: Did) -> Vec<RecordEntry> {
    let entries = history(hospital, genesis, did);
    let registrations = entries.iter().filter(|entry| matches!(entry.event, Event::RecordsRegistered { .. }));
    let ids: Vec<TxId> = registrations.map(|entry| entry.transaction).collect();
    let mut found = Vec::new();
    for id in ids {
        let answer = hospital.ask(&LightRequest::Transactions(vec![id]));
        let Some(LightResponse::Transactions(transactions)) = answer else { panic!("no transaction {id}") };
        let signed = transactions[0].clone().verify(genesis.chain_id()).expect("the transaction is signed");
        assert_eq!(signed.id(), id, "the transaction that was asked for");
        let Call::RegisterRecords(call) = &signed.transaction().call else { panic!("not a registration") };
        assert_eq!(call.patient, did);
        found.extend(call.records.iter().cloned());
    }
    found
}

/// The ciphertext in force behind a person's card, with its locator.
#[must_use]
pub fn card(hospital: &Hospital, genesis: &Genesis, did: Did) -> Option<(CardLocator, CardState)> {
    let locator: CardLocator = state(hospital, genesis, &StateKey::CardOf(did))?;
    Some((locator, state(hospital, genesis, &StateKey::Card(locator))?))
}

/// Fetches and opens all of a person's records with their own keys: `Type/id` with the exact bytes, sorted.
///
/// # Panics
/// When a record is missing or cannot be opened.
#[must_use]
pub fn opened_records(hospitals: &[Hospital], genesis: &Genesis, owner: &Identity) -> Vec<(String, Vec<u8>)> {
    let entries = records(&hospitals[0], genesis, owner.did);
    let mut opened: Vec<_> =
        entries.iter().map(|entry| open_record(hospitals, genesis, owner, entry)).collect();
    opened.sort();
    opened
}

fn open_record(
    hospitals: &[Hospital],
    genesis: &Genesis,
    owner: &Identity,
    entry: &RecordEntry,
) -> (String, Vec<u8>) {
    let ciphertext = fetch(hospitals, genesis, owner, entry.blob, &entry.holders);
    let key = entry.sealed_key.open(&owner.agreement, &record_key_context(entry.id));
    let key = key.expect("the owner's key opens the record's key");
    let key = ContentKey::from_bytes(key.first_chunk().expect("a record's key has 16 bytes"));
    let plain = RecordPlain::open(&ciphertext, &key, entry.id, owner.did, entry.blob, entry.commitment);
    let plain = plain.expect("the record opens and is the one registered");
    (format!("{}/{}", plain.resource_type, plain.resource_id), plain.content)
}

/// A ciphertext from the first holder that answers with it.
fn fetch(
    hospitals: &[Hospital],
    genesis: &Genesis,
    owner: &Identity,
    blob: BlobId,
    holders: &[Did],
) -> Vec<u8> {
    for holder in holders {
        let position = genesis.organisations.iter().position(|organisation| organisation.did() == *holder);
        let hospital = &hospitals[position.expect("holders are organisations")];
        let asked =
            crate::people::read(hospital, *holder, genesis.chain_id(), owner, ReadGround::Own, vec![blob]);
        if let LightResponse::Blobs(blobs) = asked
            && let Some(Some(ciphertext)) = blobs.into_iter().next()
        {
            return ciphertext;
        }
    }
    panic!("no holder has {blob}");
}
