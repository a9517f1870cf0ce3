//! Step 2: what goes in at the hospital comes out at the wallet, byte for byte.

use crate::World;
use amulet_app_api::access::ProofCheck;
use amulet_app_api::files::SaveSummary;
use amulet_app_api::records::{Category, DataClass, Record, Records};
use amulet_app_api::wallet::Language;
use amulet_tests::hospital::did;
use amulet_tests::people::keys_from_words;
use amulet_tests::samples::Sample;
use amulet_tests::wallet::{Newcomer, Wallet};
use amulet_tests::{chain, people};
use std::collections::BTreeSet;

/// The records of the sample arrive.
pub async fn arrive(world: &World, patient: &Newcomer, sample: &Sample) {
    let before = patient.wallet.must(Records {}).await;
    assert!(before.records.is_empty());
    let counted = world.net.hospital(1).must_take_in(patient.session.did(), &sample.bundle);
    assert_eq!(counted, (sample.resources_in as u64, sample.records.len() as u64));

    let timeline = patient.wallet.must(Records {}).await;
    assert_eq!((timeline.records.len(), timeline.missing), (sample.records.len(), 0));
    let checked = timeline.checked.expect("the timeline rests on a check");
    assert!(checked.signed >= 3 && checked.agreeing >= 2 && checked.total == 4, "{checked:?}");
    let ids: BTreeSet<_> = timeline.records.iter().map(|line| &line.id).collect();
    assert_eq!(ids.len(), sample.records.len(), "every record once");
    let counted: u64 = timeline.categories.iter().map(|(_, count)| count).sum();
    assert_eq!(counted, timeline.records.len() as u64);
    let dates: Vec<_> = timeline.records.iter().map(|line| line.date.clone()).collect();
    let dated: Vec<_> = dates.iter().flatten().map(|date| date[..4].to_owned()).collect();
    assert!(dated.is_sorted_by(|a, b| a >= b), "newest first: {dates:?}");
    assert!(
        dates.iter().skip_while(|date| date.is_some()).all(Option::is_none),
        "those without a date are last"
    );
    each_opens_with_its_proof(patient, sample).await;
    become_a_summary_for_another_doctor(world, patient).await;
    are_the_bytes_of_the_bundle(world, patient, sample);
}

async fn each_opens_with_its_proof(patient: &Newcomer, sample: &Sample) {
    let timeline = patient.wallet.must(Records {}).await;
    let mut sources = Vec::new();
    for line in timeline.records {
        let record = patient.wallet.must(Record { id: line.id.clone() }).await;
        assert_eq!(record.line, line);
        assert!(record.proof.signed >= 3, "a quorum signed: {:?}", record.proof);
        for check in [ProofCheck::Certificate, ProofCheck::Ciphertext] {
            assert!(record.proof.checks.contains(&check), "{check:?} in {:?}", record.proof.checks);
        }
        sources
            .push(record.source_json.parse::<serde_json::Value>().expect("the source is JSON").to_string());
    }
    let parsed = |(_, content): &(String, Vec<u8>)| {
        serde_json::from_slice::<serde_json::Value>(content).expect("a resource is JSON").to_string()
    };
    let mut expected: Vec<String> = sample.records.iter().map(parsed).collect();
    expected.sort();
    sources.sort();
    assert_eq!(sources, expected);
}

/// The patient summary names the hospital by the records' own ids, and says nothing of what is of class core.
async fn become_a_summary_for_another_doctor(world: &World, patient: &Newcomer) {
    let saved = patient.wallet.must(SaveSummary { language: Language::En }).await;
    assert!(saved.file.name.starts_with("amulet-summary-") && saved.file.name.ends_with(".json"));
    assert!(saved.listed > 0 && saved.missing == 0, "{saved:?}");
    let file = patient.wallet.saved(&saved.file.name);
    let document: serde_json::Value = serde_json::from_slice(&file).expect("the summary is JSON");
    assert_eq!((&document["type"], file.len() as u64), (&"document".into(), saved.file.bytes));
    assert_eq!(document["entry"][0]["resource"]["status"], "final");
    let text = String::from_utf8(file).expect("the summary is text");
    let mut core = 0;
    for line in patient.wallet.must(Records {}).await.records {
        if line.class == DataClass::Core {
            core += 1;
            assert!(!text.contains(&line.id), "{} is core", line.title);
        } else if matches!(line.category, Category::Allergies) {
            assert!(text.contains(&format!("{}#{}", line.hospital.did, line.id)), "{}", line.title);
        }
    }
    assert_eq!(saved.core, core);
    assert!(text.contains(&world.organisation(1).to_string()), "the hospital is named");
}

/// Fetched and opened without the wallet, with the keys that its words give.
fn are_the_bytes_of_the_bundle(world: &World, patient: &Newcomer, sample: &Sample) {
    let owner = keys_from_words(&patient.words, world.organisation(1));
    assert_eq!(owner.did, did(patient.session.did()));
    world.net.same_head(std::time::Duration::from_secs(20));
    let opened = chain::opened_records(world.net.hospitals(), &world.genesis, &owner);
    assert_eq!(opened, sample.records);
    let entries = chain::records(world.net.hospital(4), &world.genesis, owner.did);
    assert!(entries.iter().all(|entry| entry.holders.len() >= 2), "each is held by two hospitals at least");
    // Somebody else's key, however genuine, gets no ciphertext.
    let stranger = people::keys_of(&world.net, "dr-chen");
    let ground = amulet_protocol::light::ReadGround::Own;
    let blobs = vec![entries[0].blob];
    let asked = people::read(
        world.net.hospital(1),
        world.organisation(1),
        world.genesis.chain_id(),
        &stranger,
        ground,
        blobs,
    );
    assert!(matches!(asked, amulet_protocol::light::LightResponse::Refused(_)), "{asked:?}");
}

/// The other sample, at another hospital, for a wallet that speaks HTTP as a browser page does.
pub async fn arrive_at_a_browser(world: &World) {
    let sample = Sample::james_miller();
    let patient = Wallet::over_http(world.net.network()).create("Jamie", 3).await;
    let counted = world.net.hospital(3).must_take_in(patient.session.did(), &sample.bundle);
    assert_eq!(counted, (sample.resources_in as u64, sample.records.len() as u64));
    let timeline = patient.wallet.must(Records {}).await;
    assert_eq!((timeline.records.len(), timeline.missing), (sample.records.len(), 0));
    world.net.same_head(std::time::Duration::from_secs(20));
    let owner = keys_from_words(&patient.words, world.organisation(3));
    assert_eq!(chain::opened_records(world.net.hospitals(), &world.genesis, &owner), sample.records);
}
