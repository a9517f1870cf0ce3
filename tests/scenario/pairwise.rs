//! A person of several hospitals: one person in the wallet, strangers to each other on the ledger.

use crate::World;
use amulet_app_api::ErrorCode;
use amulet_app_api::access::{AccessLog, Exposure, GrantRequest, LogProof, Purpose, Sharing};
use amulet_app_api::card::{Card, CardDraft, CardFact, MakeCard};
use amulet_app_api::clinician::{AskAccess, AskFor, MyAccesses, ReadGrant};
use amulet_app_api::files::{ProofOf, SaveProof};
use amulet_app_api::giving::{GiveTerms, GiveTo, PreviewGiving};
use amulet_app_api::records::{Category, Record, RecordStory, Records};
use amulet_app_api::wallet::{AddHospital, Home, Lock, MyCodes, RestoreWallet, SessionView, Unlock};
use amulet_protocol::ids::Did;
use amulet_protocol::proof_file::UntrustedProofFile;
use amulet_tests::hospital::did;
use amulet_tests::samples::Sample;
use amulet_tests::wallet::{Newcomer, PASSPHRASE, Wallet, clinician};

/// The hospital that is added, from 1.
const SECOND: usize = 3;

fn add(world: &World, n: usize, passphrase: &str) -> AddHospital {
    AddHospital { hospital: world.organisation(n).to_string(), passphrase: passphrase.to_owned() }
}

/// A person whom two hospitals know, each under another name.
pub async fn is_one_person_to_themselves(world: &World) -> Newcomer {
    let mut person = Wallet::over_libp2p(world.net.network()).create("何川", 1).await;
    person.session = a_hospital_is_added(world, &person).await;
    let samples = [Sample::james_miller(), Sample::james_miller_elsewhere()];
    for ((hospital, relationship), sample) in
        [1, SECOND].into_iter().zip(&person.session.relationships).zip(&samples)
    {
        world.net.hospital(hospital).must_take_in(&relationship.did, &sample.bundle);
    }
    everything_of_both_is_shown(world, &person, &samples).await;
    each_identity_gives_its_own(world, &person).await;
    a_request_is_to_one_identity(world, &person).await;
    comes_back_whole(world, &person).await;
    person
}

async fn a_hospital_is_added(world: &World, person: &Newcomer) -> SessionView {
    let wallet = &person.wallet;
    let wrong = wallet.fails(add(world, SECOND, "not the passphrase at all")).await;
    assert_eq!(wrong.code, ErrorCode::WrongPassphrase);
    let again = wallet.fails(add(world, 1, PASSPHRASE)).await;
    assert_eq!((again.code, again.details["field"].as_str()), (ErrorCode::BadRequest, "hospital"));
    let nowhere = AddHospital { hospital: person.session.did().to_owned(), ..add(world, 1, PASSPHRASE) };
    assert_eq!(wallet.fails(nowhere).await.code, ErrorCode::BadRequest);
    let session = wallet.must(add(world, SECOND, PASSPHRASE)).await;
    let [first, second] = session.relationships.as_slice() else { panic!("{session:?}") };
    assert_eq!(first, &person.session.relationships[0]);
    assert_eq!(second.hospital.did, world.organisation(SECOND).to_string());
    assert_ne!(first.did, second.did);
    wallet.must(Lock {}).await;
    let unlock = Unlock { id: session.wallet.id.clone(), passphrase: PASSPHRASE.to_owned() };
    assert_eq!(wallet.must(unlock).await, session, "it is in the wallet's file");
    let codes = wallet.must(MyCodes {}).await.codes;
    let shown: Vec<_> = codes.iter().map(|code| (&code.hospital, &code.text)).collect();
    let known: Vec<_> = session.relationships.iter().map(|one| (&one.hospital, &one.did)).collect();
    assert_eq!(shown, known);
    session
}

async fn everything_of_both_is_shown(world: &World, person: &Newcomer, samples: &[Sample; 2]) {
    let wallet = &person.wallet;
    let all: usize = samples.iter().map(|sample| sample.records.len()).sum();
    let timeline = wallet.must(Records {}).await;
    assert_eq!((timeline.records.len(), timeline.missing), (all, 0));
    assert_eq!(wallet.must(Home {}).await.records, all as u64);
    let log = wallet.must(AccessLog {}).await;
    assert!(log.complete && log.lines.windows(2).all(|pair| pair[0].at >= pair[1].at));
    for (place, relationship) in person.session.relationships.iter().enumerate() {
        let lines: Vec<_> = log.lines.iter().filter(|line| line.line.identity as usize == place).collect();
        assert!(lines.iter().all(|line| line.relationship == relationship.hospital), "{lines:?}");
        let numbers: Vec<u64> = lines.iter().rev().map(|line| line.line.number).collect();
        assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "each history whole");
        let line = lines[0].line;
        wallet.must(LogProof { line }).await;
        // The file proves the history of this identity, and says nothing of the other.
        let saved = wallet.must(SaveProof { of: ProofOf::LogLine { line } }).await;
        let file = wallet.saved(&saved.name);
        let other = did(&person.session.relationships[1 - place].did);
        let names = |bytes: &[u8], did: Did| bytes.windows(20).any(|window| window == did.as_bytes());
        assert!(names(&file, did(&relationship.did)) && !names(&file, other), "it names the other identity");
        UntrustedProofFile::decode(&file).unwrap().verify(&world.genesis).unwrap();
        let hospital = &relationship.hospital;
        let record = timeline.records.iter().find(|record| record.hospital == *hospital);
        let id = record.expect("records of each hospital").id.clone();
        wallet.must(Record { id: id.clone() }).await;
        let story = wallet.must(RecordStory { id }).await;
        assert!(story.steps.iter().all(|step| step.line.line.identity as usize == place));
    }
}

fn labs(code: &str, without_hospitals: Vec<String>) -> GiveTerms {
    GiveTerms {
        to: GiveTo::Person { code: code.to_owned() },
        purpose: Purpose::Treatment,
        categories: vec![Category::Labs],
        records_from: None,
        records_to: None,
        without_hospitals,
        new_records: false,
        hours: 24,
        uses_max: None,
        erase_days: None,
    }
}

async fn each_identity_gives_its_own(world: &World, person: &Newcomer) {
    let wallet = &person.wallet;
    let chen = clinician(&world.net, "dr-chen").await;
    let me = chen.must(MyAccesses {}).await.me.expect("a clinician").did;
    let both = wallet.must(PreviewGiving { terms: labs(&me, vec![]) }).await;
    assert_eq!(both.relationships.len(), 2);
    let secret = person.session.relationships[1].hospital.did.clone();
    let terms = labs(&me, vec![secret]);
    let one = wallet.must(PreviewGiving { terms: terms.clone() }).await;
    assert_eq!(one.relationships, std::slice::from_ref(&person.session.hospital));
    assert!(one.records.len() < both.records.len());
    let first = wallet.give(terms).await.unwrap();
    assert_eq!((first.shares.len(), &first.failed), (1, &None));
    let given = wallet.give(labs(&me, vec![])).await.unwrap();
    let [a, b] = given.shares.as_slice() else { panic!("{given:?}") };
    let mut read = 0;
    for share in [a, b] {
        let records = chen.must(ReadGrant { grant: share.id.clone() }).await;
        assert_eq!(records.missing, 0);
        read += records.records.len();
    }
    assert_eq!(read, both.records.len());
    let sharing = wallet.must(Sharing {}).await;
    assert_eq!(sharing.active.len(), 3);
    for share in &sharing.active {
        wallet.must(amulet_app_api::access::RevokeGrant { grant: share.id.clone() }).await;
    }
    assert!(wallet.must(Sharing {}).await.active.is_empty());
}

/// Who asks the second identity is answered by it, and gets nothing of the first.
async fn a_request_is_to_one_identity(world: &World, person: &Newcomer) {
    let zhao = clinician(&world.net, "dr-zhao").await;
    let second = &person.session.relationships[1];
    let ask = AskAccess {
        patient: second.did.clone(),
        categories: vec![Category::Labs, Category::Allergies],
        purpose: Purpose::Treatment,
        access_hours: 24,
        answer_hours: 24,
        records_from: None,
        records_to: None,
        reader: AskFor::Myself,
    };
    zhao.must(ask).await;
    let waiting = person.wallet.must(Home {}).await.requests_waiting;
    assert_eq!((waiting.len(), &waiting[0].relationship), (1, &second.hospital));
    let request = waiting[0].id.clone();
    let exposed = person.wallet.must(Exposure { request: request.clone() }).await.records;
    assert!(!exposed.is_empty() && exposed.iter().all(|record| record.hospital == second.hospital));
    let records = exposed.iter().map(|record| record.id.clone()).collect();
    let grant = GrantRequest { request, records, new_records: false, only_asker: true, uses_max: None };
    let share = person.wallet.must(grant).await;
    assert_eq!(share.relationship, second.hospital);
    assert_eq!(zhao.must(ReadGrant { grant: share.id }).await.records.len(), exposed.len());
}

/// Twelve words and any one hospital bring everything back, the card of another identity too.
async fn comes_back_whole(world: &World, person: &Newcomer) {
    let drafts = person.wallet.must(CardDraft {}).await.facts.into_iter().filter(|fact| fact.chosen);
    let facts = drafts.map(|fact| CardFact { kind: fact.kind, text: fact.text }).collect();
    let card = person.wallet.must(MakeCard { facts, without: vec![] }).await;
    let other_device = Wallet::over_http(world.net.network());
    let restore = RestoreWallet {
        name: "何川".to_owned(),
        words: person.words.join(" "),
        passphrase: PASSPHRASE.to_owned(),
        hospital: world.organisation(SECOND).to_string(),
    };
    let restored = other_device.must(restore).await;
    let mut dids: Vec<_> = restored.relationships.iter().map(|one| &one.did).collect();
    assert_eq!(dids[0], &person.session.relationships[1].did, "the hospital that was named comes first");
    dids.reverse();
    assert_eq!(dids, person.session.relationships.iter().map(|one| &one.did).collect::<Vec<_>>());
    let (mine, theirs) = (person.wallet.must(Records {}).await, other_device.must(Records {}).await);
    assert_eq!(mine.records, theirs.records);
    let found = other_device.must(Card {}).await.expect("the card is found");
    assert_eq!(found.typed_code, card.typed_code);
}
