//! The path that Amulet exists for, walked without a page: four processes, wallets over libp2p and over HTTP, real FHIR.

#![allow(clippy::unwrap_used)]

mod abroad;
mod access;
mod card;
mod carer;
mod checkpoint;
mod erasure;
mod keys;
mod large;
mod log;
mod observer;
mod pairwise;
mod records;
mod reporting;
mod research;
mod staff;
mod start;

use amulet_protocol::genesis::Genesis;
use amulet_protocol::ids::Did;
use amulet_tests::localnet::Localnet;
use amulet_tests::samples::Sample;
use amulet_tests::{run, scan, step};

/// What every step works with.
pub struct World {
    net: Localnet,
    genesis: Genesis,
}

impl World {
    /// The organisation of hospital `n`, from 1.
    fn organisation(&self, n: usize) -> Did {
        self.genesis.organisations[n - 1].did()
    }
}

#[test]
fn a_patient_and_two_clinicians_walk_the_whole_path() {
    let net = Localnet::start();
    let genesis = net.genesis();
    let mut world = World { net, genesis };
    let sample = Sample::wang_fang();
    let note = run(async {
        step("1. a wallet is created");
        let patient = start::create(&world).await;
        step("2. a hospital takes the records in; the wallet finds, proves and opens them");
        records::arrive(&world, &patient, &sample).await;
        records::arrive_at_a_browser(&world).await;
        step("3. the patient makes an emergency card");
        let card = card::make(&patient).await;
        step("4. a clinician scans it, declares, and only then reads");
        let note = card::scanned(&world, &patient, &card).await;
        step(
            "5. a clinician asks, the patient grants, the clinician reads, the patient pauses, lengthens and takes it back, the clinician deletes",
        );
        access::asked_granted_read_revoked(&world, &patient).await;
        access::asked_and_declined(&world, &patient).await;
        step("6. the access log shows all of it, with proofs");
        log::is_complete(&world, &patient, note).await;
        step("7. the patient lets the wallet report how the hospitals answered");
        reporting::is_asked_for(&world, &patient).await;
        step("8. two devices compare what they follow, and one starts from the other");
        checkpoint::is_compared_and_started_from(&world, &patient).await;
        step("9. the staff of a hospital read, also what comes later, until it is taken back");
        staff::given_to_a_hospital(&world, &patient).await;
        staff::asked_for_colleagues(&world, &patient).await;
        staff::signs_only_what_was_shown(&world).await;
        step("10. the patient settles something beforehand, joins a study and leaves it");
        research::settled_beforehand(&world, &patient).await;
        research::joined_and_left(&world, &patient).await;
        research::anothers_grant_is_not_ones_own(&world, &patient).await;
        step("a relative reads with the wallet of a patient");
        carer::reads_for_a_relative(&world, &patient).await;
        step("an imaging study is listed, and saved as a file");
        large::is_listed_and_saved(&world, &patient).await;
        step("a patient has a record erased");
        erasure::is_asked_decided_and_proven(&world, &patient).await;
        step("11. a person of two hospitals is one person in the wallet, and two on the ledger");
        let person = pairwise::is_one_person_to_themselves(&world).await;
        observer::cannot_join_identities(&world, &person).await;
        step("a phone is lost, and its keys are replaced");
        keys::are_replaced_after_a_loss(&world).await;
        keys::go_on_after_an_interruption(&world).await;
        keys::wait_for_the_connection(&world).await;
        step("12. a summary is handed over to a clinic that has no Amulet");
        abroad::a_summary_is_handed_over(&mut world, &person).await;
        note
    });
    step("nothing that the hospitals wrote to their disks gives a record away");
    no_health_data_in_the_clear(&world, &sample, note);
}

/// The rule book of the genesis state, which everybody may read.
const RULES: &str = include_str!("../../crates/contracts/src/rules/default.cedar");

/// The demonstration's study, whose terms everybody may read too.
const STUDY: &str = include_str!("../../consortium-node/src/localnet/studies.rs");

/// Ledgers, vaults and logs of all four hospitals hold no text of any record; what belongs on the ledger is found in each,
/// which shows that the search would find more.
fn no_health_data_in_the_clear(world: &World, sample: &Sample, note: &str) {
    let mut texts = sample.telling_texts();
    texts.extend(Sample::james_miller().telling_texts());
    texts.extend(Sample::james_miller_elsewhere().telling_texts());
    texts.push(note.to_owned());
    // What the consortium says of itself in public.
    let people = std::fs::read_to_string(world.net.path().join("demo/people.json")).unwrap();
    let public = |text: &String| {
        let named = |name: &str| name.contains(text.as_str());
        people.contains(text.as_str())
            || [RULES, STUDY].iter().any(|published| published.contains(text.as_str()))
            || world.genesis.organisations.iter().any(|o| named(&o.name_en) || named(&o.name_zh))
    };
    texts.retain(|text| !public(text));
    assert!(texts.len() > 100, "{} texts are looked for", texts.len());
    for hospital in world.net.hospitals() {
        let found = scan::find_in_files(&hospital.folder, &texts);
        assert!(found.is_empty(), "in the clear at hospital {}: {found:?}", hospital.number);
        let registered = scan::find_in_files(&hospital.folder, &["Dr Zhao 赵医生".to_owned()]);
        assert!(!registered.is_empty(), "the search finds what is on the ledger");
    }
}
