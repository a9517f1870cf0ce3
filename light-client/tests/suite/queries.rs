//! State, history, transactions and ciphertexts: what an honest hospital answers is proven, a lie is caught.

use crate::chain::{Chain, NOW, People};
use crate::network::{Network, Twist, lying};
use crate::test;
use amulet_crypto::digest::sm3;
use amulet_light_client::client::Standing;
use amulet_light_client::{Forgery, LightClient, LightError, NodeIndex, Question};
use amulet_protocol::history::{HistoryEntry, HistoryError, HistoryHead};
use amulet_protocol::ids::{BlobId, Epoch, Height, TxId};
use amulet_protocol::light::{
    AccessRefusal, LightRefusal, LightRequest, LightResponse, ReadGround, ReadRequest, UntrustedReadRequest,
    Upload,
};
use amulet_protocol::record::blob_id;
use amulet_protocol::state::StateKey;
use amulet_protocol::state_batch::{StateBatchError, UntrustedStateBatch};
use amulet_protocol::state_tree::Proven;
use amulet_protocol::transaction::TransactionError;
use std::sync::{Arc, Mutex};

async fn synced(network: Network) -> (Arc<Network>, LightClient) {
    let network = Arc::new(network);
    let client = network.client();
    client.sync(NOW).await.unwrap();
    (network, client)
}

/// All four hospitals lie in the same way.
fn all(chain: Chain, twist: impl Fn() -> Twist) -> Network {
    (0..4).fold(Network::honest(chain), |network, node| network.with(node, twist()))
}

fn history_key() -> StateKey {
    StateKey::History(People::new().patient_did())
}

fn absent_key() -> StateKey {
    StateKey::Account(People::new().patient_did())
}

fn state_lie(change: impl Fn(&mut UntrustedStateBatch) + Send + Sync + 'static) -> Twist {
    lying(move |question, answer| match (question, answer) {
        (LightRequest::StateBatch { .. }, LightResponse::StateBatch(batch)) => {
            let mut batch = batch.clone();
            change(&mut batch);
            Some(LightResponse::StateBatch(batch))
        }
        _ => None,
    })
}

fn history_lie(change: impl Fn(&mut Vec<HistoryEntry>) + Send + Sync + 'static) -> Twist {
    lying(move |question, answer| match (question, answer) {
        (LightRequest::History { .. }, LightResponse::History(entries)) => {
            let mut entries = entries.clone();
            change(&mut entries);
            Some(LightResponse::History(entries))
        }
        _ => None,
    })
}

fn is_state(question: &LightRequest) -> bool {
    matches!(question, LightRequest::StateBatch { .. })
}

#[test]
async fn presence_and_absence_are_proven() {
    let (_, client) = synced(Network::honest(Chain::new(4))).await;
    let head: Proven<HistoryHead> = client.state(&history_key()).await.unwrap();
    assert_eq!(head, Proven::Present(Chain::new(4).history_head(4)));
    let absent: Proven<HistoryHead> = client.state(&absent_key()).await.unwrap();
    assert_eq!(absent, Proven::Absent);
    let both: Vec<Proven<HistoryHead>> = client.states(&[absent_key(), history_key()]).await.unwrap();
    assert_eq!(both, vec![absent, head]);
}

#[test]
async fn a_hospital_that_denies_what_is_there_is_caught_and_another_is_asked() {
    let deny = state_lie(|batch| batch.values[0] = None);
    let (network, client) = synced(Network::honest(Chain::new(4)).with(0, deny)).await;
    let head: Proven<HistoryHead> = client.state(&history_key()).await.unwrap();
    assert_eq!(head, Proven::Present(Chain::new(4).history_head(4)));
    assert_eq!(network.asked(is_state), vec![NodeIndex(0), NodeIndex(1)]);
    let forgery = Forgery::State(StateBatchError::Claim { key: history_key() });
    assert_eq!(client.standings()[0], Standing::Lied(forgery));
}

#[test]
async fn a_changed_value_and_an_invented_one_are_caught() {
    let invent = || state_lie(|batch| batch.values[0] = Some(vec![7; 40]));
    let (_, client) = synced(all(Chain::new(4), invent)).await;
    let changed = client.state::<HistoryHead>(&history_key()).await.unwrap_err();
    assert!(matches!(
        changed,
        LightError::Forged { forgery: Forgery::State(StateBatchError::Root { .. }), .. }
    ));
    let invented = client.state::<HistoryHead>(&absent_key()).await;
    let forgery = Forgery::State(StateBatchError::Claim { key: absent_key() });
    assert_eq!(invented, Err(LightError::Forged { node: NodeIndex(0), forgery }));
}

#[test]
async fn a_proof_cut_off_or_for_another_key_is_caught() {
    let cut = || state_lie(|batch| batch.nodes.clear());
    let (_, client) = synced(all(Chain::new(4), cut)).await;
    let found = client.state::<HistoryHead>(&history_key()).await;
    let forgery = Forgery::State(StateBatchError::TooShort { found: 0 });
    assert_eq!(found, Err(LightError::Forged { node: NodeIndex(0), forgery }));

    let swap = || state_lie(|batch| batch.values.reverse());
    let (_, client) = synced(all(Chain::new(4), swap)).await;
    let error = client.states::<HistoryHead>(&[history_key(), absent_key()]).await.unwrap_err();
    assert!(matches!(error, LightError::Forged { forgery: Forgery::State(_), .. }), "{error}");
}

#[test]
async fn an_answer_that_leaves_a_key_out_is_caught() {
    let fewer = || state_lie(|batch| batch.values.clear());
    let (_, client) = synced(all(Chain::new(1), fewer)).await;
    let forgery = Forgery::State(StateBatchError::Count { keys: 1, values: 0 });
    let found = client.state::<HistoryHead>(&history_key()).await;
    assert_eq!(found, Err(LightError::Forged { node: NodeIndex(0), forgery }));
}

#[test]
async fn values_that_do_not_fit_into_one_answer_are_asked_for_in_parts() {
    let full = || {
        lying(|question, _| match question {
            LightRequest::StateBatch { keys, .. } if keys.len() > 2 => {
                Some(LightResponse::Refused(LightRefusal::Malformed))
            }
            _ => None,
        })
    };
    let (_, client) = synced(all(Chain::new(2), full)).await;
    let epochs = (0..6).map(|epoch| StateKey::Epoch(Epoch(epoch)));
    let keys: Vec<StateKey> = epochs.chain([history_key(), history_key()]).collect();
    let found: Vec<Proven<HistoryHead>> = client.states(&keys).await.unwrap();
    let mut expected = vec![Proven::Absent; 6];
    expected.extend(vec![Proven::Present(Chain::new(2).history_head(2)); 2]);
    assert_eq!(found, expected, "in the order of the keys, also where one is repeated");
}

#[test]
async fn the_whole_history_comes_in_pages_and_later_only_the_new_part() {
    let (_, client) = synced(Network::honest(Chain::new(8))).await;
    let patient = People::new().patient_did();
    let whole = client.history(patient, HistoryHead::default()).await.unwrap();
    let chain = Chain::new(8);
    assert_eq!(whole.entries, chain.entries());
    assert_eq!((whole.head, whole.height), (chain.history_head(8), Height(8)));
    let rest = client.history(patient, chain.history_head(5)).await.unwrap();
    assert_eq!(rest.entries, chain.entries()[5..]);
    assert_eq!(client.history(patient, whole.head).await.unwrap().entries, vec![]);
}

#[test]
async fn a_person_without_a_history_has_a_proven_empty_one() {
    let (network, client) = synced(Network::honest(Chain::new(2))).await;
    let nobody = People::new().genesis.organisations[0].did();
    let history = client.history(nobody, HistoryHead::default()).await.unwrap();
    assert_eq!((history.head, history.entries), (HistoryHead::default(), vec![]));
    assert!(network.asked(|question| matches!(question, LightRequest::History { .. })).is_empty());
}

#[test]
async fn an_access_that_is_left_out_is_caught_and_another_hospital_completes_the_log() {
    let leave_out = history_lie(|entries| entries.retain(|entry| entry.number != 2));
    let (_, client) = synced(Network::honest(Chain::new(5)).with(0, leave_out)).await;
    let history = client.history(People::new().patient_did(), HistoryHead::default()).await.unwrap();
    assert_eq!(history.entries, Chain::new(5).entries());
    let forgery = Forgery::History(HistoryError::Number { found: 3, expected: 2 });
    assert_eq!(client.standings()[0], Standing::Lied(forgery));
}

#[test]
async fn the_newest_entries_cannot_be_kept_back() {
    let keep_back = || history_lie(|entries| entries.retain(|entry| entry.number < 5));
    let (_, client) = synced(all(Chain::new(5), keep_back)).await;
    let error = client.history(People::new().patient_did(), HistoryHead::default()).await.unwrap_err();
    let forgery = Forgery::History(HistoryError::Count { found: 4, proven: 5 });
    assert_eq!(error, LightError::Forged { node: NodeIndex(0), forgery });
}

#[test]
async fn a_changed_or_added_entry_is_caught() {
    let patient = People::new().patient_did();
    let change = || history_lie(|entries| entries[0].time = NOW);
    let (_, client) = synced(all(Chain::new(3), change)).await;
    let error = client.history(patient, HistoryHead::default()).await.unwrap_err();
    assert!(matches!(error, LightError::Forged { forgery: Forgery::History(HistoryError::Head { .. }), .. }));

    let add = || {
        history_lie(|entries| {
            let mut extra = entries.last().unwrap().clone();
            extra.number += 1;
            entries.push(extra);
        })
    };
    let (_, client) = synced(all(Chain::new(3), add)).await;
    let error = client.history(patient, HistoryHead::default()).await.unwrap_err();
    let forgery = Forgery::History(HistoryError::Count { found: 4, proven: 3 });
    assert_eq!(error, LightError::Forged { node: NodeIndex(0), forgery });
}

#[test]
async fn an_endless_history_is_cut_off() {
    let endless = history_lie(|entries| *entries = vec![entries[0].clone(); 1_001]);
    let (_, client) = synced(Network::honest(Chain::new(3)).with(0, endless)).await;
    let history = client.history(People::new().patient_did(), HistoryHead::default()).await.unwrap();
    assert_eq!(history.entries.len(), 3);
    assert_eq!(client.standings()[0], Standing::Lied(Forgery::Count { asked: 1_000, found: 1_001 }));
}

#[test]
async fn a_memory_that_is_not_of_this_ledger_is_the_callers_fault_not_the_hospitals() {
    let (_, client) = synced(Network::honest(Chain::new(4))).await;
    let patient = People::new().patient_did();
    let forked = HistoryHead { count: 2, head: sm3(b"corrupt") };
    assert_eq!(client.history(patient, forked).await, Err(LightError::HistoryForked { known: forked }));
    let longer = HistoryHead { count: 9, head: sm3(b"corrupt") };
    let shrunk = LightError::HistoryShrunk { known: 9, proven: 4 };
    assert_eq!(client.history(patient, longer).await, Err(shrunk));
    assert!(client.standings().iter().all(|standing| *standing == Standing::Good));
}

#[test]
async fn transactions_are_what_their_identities_say() {
    let (_, client) = synced(Network::honest(Chain::new(3))).await;
    let people = People::new();
    let ids: Vec<TxId> = (1..=3).rev().map(|nonce| people.transaction(nonce).id()).collect();
    let found = client.transactions(&ids).await.unwrap();
    assert_eq!(found.iter().map(|found| found.id()).collect::<Vec<_>>(), ids);
    assert_eq!(client.transactions(&[]).await.unwrap(), vec![]);
}

#[test]
async fn answers_in_parts_are_put_together() {
    let one_at_a_time = || {
        lying(|question, answer| match (question, answer) {
            (LightRequest::Transactions(_), LightResponse::Transactions(found)) => {
                Some(LightResponse::Transactions(found[..1].to_vec()))
            }
            _ => None,
        })
    };
    let (_, client) = synced(all(Chain::new(3), one_at_a_time)).await;
    let ids: Vec<TxId> = (1..=3).map(|nonce| People::new().transaction(nonce).id()).collect();
    assert_eq!(client.transactions(&ids).await.unwrap().len(), 3);
}

#[test]
async fn another_a_changed_or_an_unsigned_transaction_is_caught() {
    let people = People::new();
    let (asked, other) = (people.transaction(1), people.transaction(2));
    let found = other.id();
    let swapped = Forgery::TransactionId { asked: asked.id(), found };
    let mut unsigned = asked.as_untrusted().clone();
    unsigned.signature = other.as_untrusted().signature;
    let cases = [
        (other.as_untrusted().clone(), swapped),
        (unsigned, Forgery::Transaction(TransactionError::Signature)),
    ];
    for (lie, forgery) in cases {
        let swap = move || {
            let lie = lie.clone();
            lying(move |question, _| {
                let asked = matches!(question, LightRequest::Transactions(_));
                asked.then(|| LightResponse::Transactions(vec![lie.clone()]))
            })
        };
        let (_, client) = synced(all(Chain::new(2), swap)).await;
        let found = client.transactions(&[asked.id()]).await;
        assert_eq!(found, Err(LightError::Forged { node: NodeIndex(0), forgery }));
    }
}

#[test]
async fn a_transaction_that_nobody_has_is_not_found() {
    let (_, client) = synced(Network::honest(Chain::new(2))).await;
    let unknown = TxId(sm3(b"unknown"));
    let missing = LightError::NotFound { question: Question::Transactions };
    assert_eq!(client.transactions(&[unknown]).await, Err(missing));
}

fn read_request(blobs: Vec<BlobId>) -> UntrustedReadRequest {
    let people = People::new();
    let request = ReadRequest {
        chain: people.genesis.chain_id(),
        reader: people.patient_did(),
        holder: people.genesis.organisations[2].did(),
        ground: ReadGround::Own,
        blobs,
        time: NOW,
    };
    request.sign(&people.patient)
}

/// A hospital that holds these ciphertexts and gives at most two at once.
fn holding(blobs: Vec<Vec<u8>>) -> Twist {
    lying(move |question, _| match question {
        LightRequest::Read(request) => {
            let find = |id: &BlobId| blobs.iter().find(|blob| blob_id(blob) == *id).cloned();
            Some(LightResponse::Blobs(request.request.blobs.iter().take(2).map(find).collect()))
        }
        _ => None,
    })
}

#[test]
async fn ciphertexts_come_from_the_hospital_that_holds_them() {
    let blobs: Vec<Vec<u8>> = (0..5).map(|n| vec![n; 100]).collect();
    let mut ids: Vec<BlobId> = blobs.iter().map(|blob| blob_id(blob)).collect();
    ids.insert(1, BlobId(sm3(b"missing")));
    let (network, client) = synced(Network::honest(Chain::new(1)).with(2, holding(blobs.clone()))).await;
    let done = Arc::new(Mutex::new(Vec::new()));
    let log = done.clone();
    let client = client
        .with_progress(Arc::new(move |progress| log.lock().unwrap().push((progress.done, progress.total))));
    let holder = client.node_of(People::new().genesis.organisations[2].did()).unwrap();
    let found = client.read_all(holder, &ids, read_request).await.unwrap();
    let mut expected: Vec<Option<Vec<u8>>> = blobs.into_iter().map(Some).collect();
    expected.insert(1, None);
    assert_eq!(found, expected);
    assert_eq!(*done.lock().unwrap(), vec![(2, 6), (4, 6), (6, 6)]);
    assert_eq!(network.asked(|question| matches!(question, LightRequest::Read(_))), vec![NodeIndex(2); 3]);
}

#[test]
async fn a_changed_ciphertext_is_caught() {
    let asked = blob_id(b"what was registered");
    let changed = b"what was registerec".to_vec();
    let found = blob_id(&changed);
    let lie = lying(move |_, _| Some(LightResponse::Blobs(vec![Some(changed.clone())])));
    let (network, client) = synced(Network::honest(Chain::new(1))).await;
    network.change(2, lie);
    let answer = client.read(NodeIndex(2), read_request(vec![asked])).await;
    let forgery = Forgery::Ciphertext { asked, found };
    assert_eq!(answer, Err(LightError::Forged { node: NodeIndex(2), forgery: forgery.clone() }));
    assert_eq!(client.standings()[2], Standing::Lied(forgery));
}

#[test]
async fn a_refused_reading_says_who_refuses_and_why() {
    let refusal = LightRefusal::NotAllowed(AccessRefusal::Revoked);
    let answer = LightResponse::Refused(refusal.clone());
    let (network, client) = synced(Network::honest(Chain::new(1))).await;
    network.change(1, lying(move |_, _| Some(answer.clone())));
    let asked = read_request(vec![blob_id(b"x")]);
    let node = NodeIndex(1);
    assert_eq!(client.read(node, asked.clone()).await, Err(LightError::Refused { node, refusal }));
    let unknown = LightError::UnknownNode { node: NodeIndex(4), known: 4 };
    assert_eq!(client.read(NodeIndex(4), asked).await, Err(unknown));
}

#[test]
async fn an_upload_is_confirmed_by_its_own_digest() {
    let people = People::new();
    let ciphertext = b"a summary".to_vec();
    let expected = blob_id(&ciphertext);
    let upload = Upload {
        chain: people.genesis.chain_id(),
        owner: people.patient_did(),
        holder: people.genesis.organisations[0].did(),
        time: NOW,
        ciphertext,
    }
    .sign(&people.patient);
    let keeps = |found: BlobId| lying(move |_, _| Some(LightResponse::Uploaded(found)));
    let (network, client) = synced(Network::honest(Chain::new(1))).await;
    network.change(0, keeps(expected));
    assert_eq!(client.upload(NodeIndex(0), upload.clone()).await, Ok(expected));
    let found = blob_id(b"another");
    network.change(0, keeps(found));
    let forgery = Forgery::Ciphertext { asked: expected, found };
    let caught = LightError::Forged { node: NodeIndex(0), forgery };
    assert_eq!(client.upload(NodeIndex(0), upload).await, Err(caught));
}
