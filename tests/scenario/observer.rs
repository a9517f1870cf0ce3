//! An observer with the whole ledger who tries to find out which patients of two hospitals are one person.
//!
//! What somebody draws at random is the same nowhere by accident. So the observer takes every transaction that concerns a patient, as
//! its bytes, and looks for eight bytes in a row that stand with exactly two patients: a key, a salt, an identifier, a moment used for
//! both. What many patients share says nothing, and neither do the names and keys of hospitals and staff, which are public.
//!
//! Not looked for here: that two patients act at the same time, and that their records are of the same kinds
//! (`docs/threat-model.md`).

use crate::World;
use amulet_app_api::wallet::AddHospital;
use amulet_crypto::entropy::SystemEntropy;
use amulet_crypto::sealed_box::AgreementKey;
use amulet_crypto::signing::SigningKey;
use amulet_protocol::calls::{Call, RegisterIdentity};
use amulet_protocol::codec;
use amulet_protocol::history::HistoryHead;
use amulet_protocol::ids::{Did, Nonce, TxId};
use amulet_protocol::light::{LightRequest, LightResponse};
use amulet_tests::chain;
use amulet_tests::hospital::did;
use amulet_tests::samples::Sample;
use amulet_tests::wallet::{Newcomer, PASSPHRASE, Wallet, clinician};
use amulet_wallet::keyfile::sign_call;
use std::collections::{BTreeMap, BTreeSet};

/// Bytes in a row that are no accident.
const WINDOW: usize = 8;

/// Zeroes that a telling window has at most: lengths, small numbers and round durations are mostly zeroes, a moment in milliseconds has two.
const ZEROES_MAX: usize = 2;

fn is_telling(window: &[u8]) -> bool {
    window.iter().filter(|byte| **byte == 0).count() <= ZEROES_MAX
}

/// All that the ledger's transactions say of patients.
#[derive(Default)]
struct Observer {
    footprints: BTreeMap<Did, Vec<u8>>,
    /// What everybody knows: the chain, hospitals, staff.
    public: Vec<Vec<u8>>,
}

impl Observer {
    /// Takes in every transaction that concerns a patient.
    fn watch(&mut self, world: &World, patient: Did) {
        let hospital = world.net.hospital(2);
        let entries = chain::history(hospital, &world.genesis, patient);
        assert!(!entries.is_empty(), "the ledger knows {patient}");
        let ids: BTreeSet<TxId> = entries.iter().map(|entry| entry.transaction).collect();
        let mut footprint = Vec::new();
        for id in ids {
            let answer = hospital.ask(&LightRequest::Transactions(vec![id]));
            let Some(LightResponse::Transactions(found)) = answer else { panic!("no transaction {id}") };
            let signed = found[0].clone().verify(world.genesis.chain_id()).expect("it is signed");
            footprint.extend(codec::encode(signed.transaction()));
            // Whose key signed is told by the sender, and hospitals' and staff's keys are public like their names.
            if signed.transaction().sender == patient {
                footprint.extend(codec::encode(&found[0]));
            }
        }
        for name in &self.public {
            while let Some(at) = footprint.windows(name.len()).position(|window| window == name) {
                footprint.drain(at..at + name.len());
            }
        }
        self.footprints.insert(patient, footprint);
    }

    /// Pairs of patients who share something that nobody else has.
    fn pairs(&self) -> BTreeSet<(Did, Did)> {
        let mut seen: BTreeMap<&[u8], BTreeSet<Did>> = BTreeMap::new();
        for (patient, footprint) in &self.footprints {
            for window in footprint.windows(WINDOW).filter(|window| is_telling(window)) {
                seen.entry(window).or_default().insert(*patient);
            }
        }
        let pair = |patients: &BTreeSet<Did>| Some((*patients.first()?, *patients.last()?));
        seen.values().filter(|patients| patients.len() == 2).filter_map(pair).collect()
    }
}

/// Three people of two hospitals each; each has the very same file at both, so that whatever the ledger holds of a record's content
/// would join them.
pub async fn cannot_join_identities(world: &World, one: &Newcomer) {
    let mut observer = Observer { public: public(world).await, ..Observer::default() };
    let mut people = vec![one.session.relationships.iter().map(|one| did(&one.did)).collect::<Vec<_>>()];
    for (name, first, second, sample) in
        [("孟宁", 2, 4, Sample::wang_fang()), ("Ada Quill", 4, 1, Sample::james_miller())]
    {
        let person = Wallet::over_libp2p(world.net.network()).create(name, first).await;
        let hospital = world.organisation(second).to_string();
        let add = AddHospital { hospital, passphrase: PASSPHRASE.to_owned() };
        let session = person.wallet.must(add).await;
        for (hospital, relationship) in [first, second].into_iter().zip(&session.relationships) {
            world.net.hospital(hospital).must_take_in(&relationship.did, &sample.bundle);
        }
        people.push(session.relationships.iter().map(|one| did(&one.did)).collect());
    }
    world.net.same_head(std::time::Duration::from_secs(20));
    people.iter().flatten().for_each(|patient| observer.watch(world, *patient));
    assert_eq!(observer.pairs(), BTreeSet::new(), "patients that the ledger joins, of {people:?}");
    finds_who_is_careless(world, &mut observer).await;
}

/// The same observer finds somebody who uses one key under two names.
async fn finds_who_is_careless(world: &World, observer: &mut Observer) {
    let agreement = AgreementKey::generate(&mut SystemEntropy);
    let chain = world.genesis.chain_id();
    let mut careless = BTreeSet::new();
    for _ in 0..2 {
        let signing = SigningKey::generate(&mut SystemEntropy);
        let name = Did::of_key(signing.public_key());
        let (signing_key, agreement) = (signing.public_key().clone(), agreement.public_key().clone());
        let call = Call::RegisterIdentity(RegisterIdentity { signing: signing_key, agreement });
        let transaction = sign_call(&signing, name, chain, Nonce(1), call);
        let answer = world.net.hospital(2).ask(&LightRequest::Submit(transaction.as_untrusted().clone()));
        assert!(matches!(answer, Some(LightResponse::Submitted(_))), "{answer:?}");
        careless.insert(name);
    }
    let known = |patient: &Did| {
        let key = amulet_protocol::state::StateKey::History(*patient);
        chain::state::<HistoryHead>(world.net.hospital(2), &world.genesis, &key).is_some()
    };
    while !careless.iter().all(known) {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    careless.iter().for_each(|patient| observer.watch(world, *patient));
    let pair = (*careless.first().unwrap(), *careless.last().unwrap());
    assert_eq!(observer.pairs(), BTreeSet::from([pair]));
}

/// The chain's identifier, hospitals and staff.
async fn public(world: &World) -> Vec<Vec<u8>> {
    let mut names: Vec<Did> =
        world.genesis.organisations.iter().map(|organisation| organisation.did()).collect();
    for id in ["dr-chen", "dr-zhao"] {
        let me = clinician(&world.net, id).await.must(amulet_app_api::clinician::MyAccesses {}).await.me;
        names.push(did(&me.expect("a clinician").did));
    }
    let names = names.iter().map(|name| name.as_bytes().to_vec());
    names.chain([world.genesis.chain_id().0.as_bytes().to_vec()]).collect()
}
