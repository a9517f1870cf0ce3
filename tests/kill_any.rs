//! Any one of the four hospitals may be killed at any moment, the primary included: people go on, and a hospital that
//! comes back catches up.

#![allow(clippy::unwrap_used)]

use amulet_app_api::access::{AccessLog, EmergencyReason, GrantRequest, LogEvent, Purpose, RevokeGrant};
use amulet_app_api::card::{CardDraft, CardFact, MakeCard};
use amulet_app_api::clinician::{AskAccess, AskFor, DeclareEmergency, MyAccesses, ReadCard, ReadGrant};
use amulet_app_api::records::{Category, Records};
use amulet_protocol::ids::Did;
use amulet_tests::http::blocking;
use amulet_tests::localnet::Localnet;
use amulet_tests::people::keys_from_words;
use amulet_tests::samples::Sample;
use amulet_tests::wait::within;
use amulet_tests::wallet::{Newcomer, Wallet, clinician, new_patient};
use amulet_tests::{chain, run, step};
use std::time::Duration;

/// A view change and several blocks, on two cores that four unoptimised nodes share. Not a promise of speed: it tells
/// "works" from "stuck".
const STEPS_WITHIN: Duration = Duration::from_secs(120);
const CATCHES_UP_WITHIN: Duration = Duration::from_secs(60);
/// Long enough for a question to be on its way, too short for it to be answered by a block of three hospitals.
const UNDER_WAY: Duration = Duration::from_millis(15);

#[test]
fn each_hospital_can_die_before_a_step_and_in_the_middle_of_one() {
    let mut net = Localnet::start();
    let sample = Sample::wang_fang();
    // Hospital 1 first: it is the primary of the first view. Whoever is primary later is among the others.
    for victim in 1..=4 {
        let primary = primary_of(&net);
        step(format_args!("hospital {victim} is killed before anything (hospital {primary} is the primary)"));
        net.kill(victim);
        let survivor = victim % 4 + 1;
        run(within("steps 2 to 6 without it", STEPS_WITHIN, walk(&net, &sample, survivor)));
        step(format_args!("hospital {victim} comes back and catches up"));
        net.restart(victim);
        net.same_head(CATCHES_UP_WITHIN);

        step(format_args!("hospital {victim} is killed right after a declaration was sent"));
        run(within("the declaration", STEPS_WITHIN, declares_while(&mut net, &sample, victim)));
        net.restart(victim);
        net.same_head(CATCHES_UP_WITHIN);

        step(format_args!("hospital {victim} is killed while another takes a file in"));
        run(within("the intake", STEPS_WITHIN, takes_in_while(&mut net, &sample, victim, survivor)));
        net.restart(victim);
        net.same_head(CATCHES_UP_WITHIN);

        step(format_args!("hospital {victim} is killed while it takes a file in itself"));
        run(within("the intake", STEPS_WITHIN, dies_taking_in(&mut net, &sample, victim)));
        net.same_head(CATCHES_UP_WITHIN);
    }
}

/// The hospital that proposes now: the newest block's view says so, as far as blocks can.
fn primary_of(net: &Localnet) -> u64 {
    let latest = net.hospitals().iter().filter_map(|hospital| hospital.latest());
    let view = latest.map(|signed| signed.certificate.vote.view.0).max().unwrap_or_default();
    view % 4 + 1
}

fn ask_for(patient: &Newcomer) -> AskAccess {
    AskAccess {
        patient: patient.session.did().to_owned(),
        categories: vec![Category::Allergies],
        purpose: Purpose::Treatment,
        access_hours: 24,
        answer_hours: 24,
        records_from: None,
        records_to: None,
        reader: AskFor::Myself,
    }
}

async fn make_card(wallet: &Wallet) -> String {
    let draft = wallet.must(CardDraft {}).await;
    let chosen = draft.facts.into_iter().filter(|fact| fact.chosen);
    let facts = chosen.map(|fact| CardFact { kind: fact.kind, text: fact.text }).collect();
    wallet.must(MakeCard { facts, without: vec![] }).await.qr_text
}

/// Steps 2 to 6 for a new patient of the hospital `at`, with one hospital gone.
async fn walk(net: &Localnet, sample: &Sample, at: usize) {
    let patient = new_patient(net, "Walker", at).await;
    net.hospital(at).must_take_in(patient.session.did(), &sample.bundle);
    let timeline = patient.wallet.must(Records {}).await;
    assert_eq!((timeline.records.len(), timeline.missing), (sample.records.len(), 0));
    let checked = timeline.checked.unwrap();
    assert_eq!((checked.agreeing, checked.unreachable.len()), (3, 1), "{checked:?}");
    let code = make_card(&patient.wallet).await;

    let zhao = clinician(net, "dr-zhao").await;
    assert!(zhao.must(ReadCard { code: code.clone() }).await.online);
    let reason = EmergencyReason::LifeThreatening;
    let summary = zhao.must(DeclareEmergency { code, reason, note: String::new() }).await;
    assert!(format!("{:?}", summary.sections[0]).contains("青霉素"));

    let chen = clinician(net, "dr-chen").await;
    let asked = chen.must(ask_for(&patient)).await;
    let records = patient.wallet.shown(&asked.id).await;
    let share = patient
        .wallet
        .must(GrantRequest {
            request: asked.id,
            records,
            uses_max: None,
            new_records: false,
            only_asker: false,
        })
        .await;
    let read = chen.must(ReadGrant { grant: share.id.clone() }).await;
    assert_eq!((read.records.len(), read.missing), (2, 0));
    patient.wallet.must(RevokeGrant { grant: share.id.clone() }).await;
    chen.fails(ReadGrant { grant: share.id }).await;
    chen.must(MyAccesses {}).await;

    let log = patient.wallet.must(AccessLog {}).await;
    assert!(log.complete);
    assert_eq!(log.lines.len(), 8, "{:?}", log.lines);
}

/// The hospital dies while a declaration is on its way; the clinician reads all the same, and it counts once.
async fn declares_while(net: &mut Localnet, sample: &Sample, victim: usize) {
    let at = victim % 4 + 1;
    let patient = new_patient(net, "Faller", at).await;
    net.hospital(at).must_take_in(patient.session.did(), &sample.bundle);
    let code = make_card(&patient.wallet).await;
    let zhao = clinician(net, "dr-zhao").await;
    zhao.must(ReadCard { code: code.clone() }).await;
    let reason = EmergencyReason::Unconscious;
    let declares = zhao.must(DeclareEmergency { code, reason, note: String::new() });
    let kills = async {
        tokio::time::sleep(UNDER_WAY).await;
        tokio::task::block_in_place(|| net.kill(victim));
    };
    let (summary, ()) = tokio::join!(declares, kills);
    assert!(format!("{:?}", summary.sections[0]).contains("青霉素"));
    let log = patient.wallet.must(AccessLog {}).await;
    let is_declaration = |what: &LogEvent| matches!(what, LogEvent::EmergencyDeclared { .. });
    assert_eq!(log.lines.iter().filter(|line| is_declaration(&line.what)).count(), 1, "{:?}", log.lines);
}

/// A hospital takes a file in while another one dies: nothing is lost.
async fn takes_in_while(net: &mut Localnet, sample: &Sample, victim: usize, at: usize) {
    let patient = new_patient(net, "Arriver", at).await;
    let (hospital, did, bundle) =
        (net.hospital(at).clone(), patient.session.did().to_owned(), sample.bundle.clone());
    let takes_in = blocking(move || hospital.must_take_in(&did, &bundle));
    let kills = async {
        tokio::time::sleep(UNDER_WAY).await;
        tokio::task::block_in_place(|| net.kill(victim));
    };
    let (counted, ()) = tokio::join!(takes_in, kills);
    assert_eq!(counted.1, sample.records.len() as u64);
    let timeline = patient.wallet.must(Records {}).await;
    assert_eq!((timeline.records.len(), timeline.missing), (sample.records.len(), 0));
}

/// The hospital that takes the file in dies itself: all records are there afterwards or none, and the file can be brought
/// again with nothing registered twice.
async fn dies_taking_in(net: &mut Localnet, sample: &Sample, victim: usize) {
    let patient = new_patient(net, "Returner", victim).await;
    let (hospital, did, bundle) =
        (net.hospital(victim).clone(), patient.session.did().to_owned(), sample.bundle.clone());
    let takes_in = blocking(move || hospital.take_in(&did, &bundle));
    let kills = async {
        tokio::time::sleep(UNDER_WAY * 10).await;
        tokio::task::block_in_place(|| net.kill(victim));
    };
    let (answer, ()) = tokio::join!(takes_in, kills);
    let all = sample.records.len();
    let timeline = patient.wallet.must(Records {}).await;
    let known = timeline.records.len() + usize::try_from(timeline.missing).unwrap();
    assert!(known == 0 || known == all, "{known} of {all} records: half a file");
    if answer.as_ref().is_ok_and(|answer| answer.status == 200) {
        assert_eq!(known, all, "what was confirmed is there");
    }
    tokio::task::block_in_place(|| {
        net.restart(victim);
        // A hospital that has just come back may not know yet what was registered while it was away.
        net.same_head(CATCHES_UP_WITHIN);
        net.hospital(victim).must_take_in(patient.session.did(), &sample.bundle);
    });
    let genesis = net.genesis();
    let organisation: Did = genesis.organisations[victim - 1].did();
    let owner = keys_from_words(&patient.words, organisation);
    let opened = tokio::task::block_in_place(|| chain::opened_records(net.hospitals(), &genesis, &owner));
    let distinct: std::collections::BTreeSet<_> = opened.iter().collect();
    assert_eq!(distinct.len(), all);
    assert_eq!(opened, sample.records, "each record once, unchanged");
    let timeline = patient.wallet.must(Records {}).await;
    assert_eq!((timeline.records.len(), timeline.missing), (all, 0));
}
