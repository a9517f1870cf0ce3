//! A patient has a record erased: the hospital decides, every holder erases and signs, and the proof can be carried away.

use crate::World;
use amulet_app_api::access::Purpose;
use amulet_app_api::clinician::{MyAccesses, ReadGrant};
use amulet_app_api::erasure::{
    ErasureGround, ErasureStanding, KeepReason, RecordErasure, RecordErasureView, RequestErasure,
};
use amulet_app_api::files::{ProofOf, SaveProof};
use amulet_app_api::giving::{GiveTerms, GiveTo};
use amulet_app_api::records::{Category, Record, RecordStory, Records, StoryStep};
use amulet_app_api::wallet::Home;
use amulet_protocol::erasure::ErasureState;
use amulet_protocol::ids::{BlobId, RecordId};
use amulet_protocol::proof_file::UntrustedProofFile;
use amulet_protocol::state::StateKey;
use amulet_protocol::verdict::Verdict;
use amulet_tests::chain;
use amulet_tests::hospital::did;
use amulet_tests::localnet::node_output;
use amulet_tests::wait::until_async;
use amulet_tests::wallet::{Newcomer, clinician};
use std::path::PathBuf;
use std::time::Duration;

/// A node erases within seconds; a loaded machine takes longer.
const ERASED_WITHIN: Duration = Duration::from_secs(60);

/// One record is erased, another kept by law.
pub async fn is_asked_decided_and_proven(world: &World, patient: &Newcomer) {
    let hospital = world.organisation(1).to_string();
    let records = patient.wallet.must(Records {}).await.records;
    let labs = records.iter().filter(|line| line.category == Category::Labs && line.hospital.did == hospital);
    let labs: Vec<String> = labs.map(|line| line.id.clone()).collect();
    let [erased, kept, ..] = labs.as_slice() else { panic!("two results") };
    let chen = clinician(&world.net, "dr-chen").await;
    let me = chen.must(MyAccesses {}).await.me.expect("a clinician").did;
    let share = patient.wallet.give(terms(me)).await.unwrap().shares.remove(0);
    let before = chen.must(ReadGrant { grant: share.id.clone() }).await.records.len();

    for id in [erased, kept] {
        assert_eq!(standing(patient, id).await.standing, ErasureStanding::None);
        patient.wallet.must(RequestErasure { id: id.clone() }).await;
        let asked = standing(patient, id).await.standing;
        assert!(matches!(asked, ErasureStanding::Asked { overdue: false, .. }), "{asked:?}");
    }
    let again = patient.wallet.fails(RequestErasure { id: kept.clone() }).await;
    assert_eq!(again.details["reason"], "erasure_asked");
    let copies = copies_of(world, patient, erased);
    assert_eq!(copies.len(), 2, "two hospitals have it");

    answer(world, &["refuse", "--reason", "retention", "--until", "2055-01-01", kept]);
    let ErasureStanding::Kept { reason: KeepReason::Retention, over: false, .. } =
        standing(patient, kept).await.standing
    else {
        panic!("it is kept")
    };
    answer(world, &["order", "--ground", "patient_asked", erased]);
    let holders = until_async("the receipts of both holders", ERASED_WITHIN, async || {
        match standing(patient, erased).await.standing {
            ErasureStanding::Erased {
                ground: ErasureGround::PatientAsked, holders, overdue: false, ..
            } => holders.iter().all(|holder| holder.confirmed_at.is_some()).then_some(holders),
            _ => None,
        }
    })
    .await;
    assert_eq!((holders.len(), &holders[0].hospital.did), (2, &hospital));
    assert!(copies.iter().all(|file| !file.exists()), "{copies:?}");
    nothing_is_left_but_its_story(world, patient, erased, records.len()).await;

    let left = chen.must(ReadGrant { grant: share.id.clone() }).await;
    assert_eq!((left.records.len(), left.missing), (before - 1, 0), "the reader reads the rest");
    patient.wallet.must(amulet_app_api::access::RevokeGrant { grant: share.id }).await;
}

async fn nothing_is_left_but_its_story(world: &World, patient: &Newcomer, erased: &str, records: usize) {
    let timeline = patient.wallet.must(Records {}).await;
    assert_eq!((timeline.records.len(), timeline.missing), (records - 1, 0), "it is not called missing");
    assert!(timeline.records.iter().all(|line| line.id != erased));
    assert_eq!(timeline.erased.iter().map(|line| line.id.as_str()).collect::<Vec<_>>(), [erased]);
    assert_eq!(patient.wallet.must(Home {}).await.records, timeline.records.len() as u64);
    patient.wallet.fails(Record { id: erased.to_owned() }).await;
    let story = patient.wallet.must(RecordStory { id: erased.to_owned() }).await.steps;
    let newest: Vec<StoryStep> = story.iter().take(4).map(|step| step.what).collect();
    use StoryStep::{Erased, ErasureAsked, ErasureConfirmed};
    assert_eq!(newest, [ErasureConfirmed, ErasureConfirmed, Erased, ErasureAsked]);
    let saved = patient.wallet.must(SaveProof { of: ProofOf::RecordStory { id: erased.to_owned() } }).await;
    let file = UntrustedProofFile::decode(&patient.wallet.saved(&saved.name)).unwrap();
    let proof = file.verify(&world.genesis).unwrap();
    let key = StateKey::Erasure(RecordId(erased.parse().unwrap()));
    let Verdict::Present(ErasureState::Erased(state)) =
        proof.state::<ErasureState>(proof.anchor().header().height, &key).unwrap()
    else {
        panic!("the file proves the erasure")
    };
    assert!(state.is_proven(), "both have signed");
    world.net.same_head(Duration::from_secs(20));
    let ledger = chain::history(world.net.hospital(3), &world.genesis, did(patient.session.did()));
    for step in story.iter().take(4) {
        let entry = &ledger[usize::try_from(step.line.line.number).unwrap() - 1];
        assert!(matches!(proof.receipt(entry.transaction), Verdict::Present(_)), "{step:?}");
    }
}

async fn standing(patient: &Newcomer, id: &str) -> RecordErasureView {
    patient.wallet.must(RecordErasure { id: id.to_owned() }).await
}

/// The first hospital's operator decides, by the command line.
fn answer(world: &World, line: &[&str]) {
    let data = world.net.hospital(1).folder.clone().into_os_string();
    let mut arguments = vec!["erasure".into(), line[0].into(), "--yes".into(), "--data".into(), data];
    arguments.extend(line[1..].iter().map(Into::into));
    let output = node_output(&arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The files in which the hospitals' vaults hold a record.
fn copies_of(world: &World, patient: &Newcomer, id: &str) -> Vec<PathBuf> {
    let entries = chain::records(world.net.hospital(1), &world.genesis, did(patient.session.did()));
    let blob: BlobId = entries.iter().find(|entry| entry.id.to_string() == id).expect("the record").blob;
    let name = blob.to_string();
    let place = |folder: &PathBuf| folder.join("vault").join(&name[..2]).join(&name);
    let hospitals = world.net.hospitals();
    hospitals.iter().map(|hospital| place(&hospital.folder)).filter(|file| file.exists()).collect()
}

fn terms(code: String) -> GiveTerms {
    GiveTerms {
        to: GiveTo::Person { code },
        purpose: Purpose::Treatment,
        categories: vec![Category::Labs],
        records_from: None,
        records_to: None,
        without_hospitals: vec![],
        new_records: false,
        hours: 24,
        uses_max: None,
        erase_days: None,
    }
}
