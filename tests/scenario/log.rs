//! Step 6: everything that happened is in the log, and each line can be proven.

use crate::World;
use amulet_app_api::access::{
    AccessLog, EmergencyReason, GranteeView, LineId, LogEvent, LogLineView, LogProof, ProofCheck, Purpose,
    ReviewStanding, Sharing,
};
use amulet_app_api::files::{ProofOf, SaveAccessHistory, SaveConsents, SaveProof};
use amulet_app_api::records::{RecordStory, Records, StoryStep};
use amulet_fhir::export::{Export, read_consent_r5, read_line};
use amulet_protocol::grant::{GrantState, Hold};
use amulet_protocol::proof_file::{Fact, UntrustedProofFile, VerifiedProof};
use amulet_protocol::state::{RecordState, StateKey};
use amulet_protocol::verdict::Verdict;
use amulet_tests::chain;
use amulet_tests::hospital::did;
use amulet_tests::wallet::Newcomer;

/// The log of the patient, after all other steps.
pub async fn is_complete(world: &World, patient: &Newcomer, note: &str) {
    let log = patient.wallet.must(AccessLog {}).await;
    assert!(log.complete);
    let numbers: Vec<u64> = log.lines.iter().map(|line| line.line.number).collect();
    let expected: Vec<u64> = (1..=14).rev().collect();
    assert_eq!(numbers, expected, "newest first, none left out");
    assert!(log.lines.is_sorted_by(|newer, older| newer.at >= older.at));
    says_what_happened(&log.lines, note);
    world.net.same_head(std::time::Duration::from_secs(20));
    let ledger = chain::history(world.net.hospital(3), &world.genesis, did(patient.session.did()));
    assert_eq!(ledger.len(), log.lines.len());
    for line in &log.lines {
        has_a_proof(world, patient, line).await;
    }
    all_else_can_be_carried_away_too(world, patient).await;
    other_systems_can_take_it_in(patient, &log.lines).await;
    a_record_has_its_story(world, patient, &log.lines).await;
    let nothing = patient.wallet.fails(LogProof { line: LineId { identity: 0, number: 99 } }).await;
    assert_eq!(nothing.code, amulet_app_api::ErrorCode::NotFound);
}

fn says_what_happened(lines: &[LogLineView], note: &str) {
    let line = |number: usize| &lines[lines.len() - number];
    let by = |number: usize| line(number).by.as_ref().map(|by| by.name.clone()).unwrap_or_default();
    assert_eq!(line(1).what, LogEvent::IdentityRegistered);
    assert_eq!((&line(2).what, line(2).records), (&LogEvent::RecordsRegistered, 32));
    assert_eq!(line(2).hospital.as_ref().map(|h| h.name_en.as_str()), Some("City First Hospital"));
    assert_eq!(line(3).what, LogEvent::CardMade);
    let LogEvent::EmergencyDeclared { reason, note: read, review, .. } = &line(4).what else {
        panic!("{:?}", line(4))
    };
    assert_eq!((*reason, read.as_deref()), (EmergencyReason::Unconscious, Some(note)));
    assert!(matches!(review, ReviewStanding::Due { by } if *by > line(4).at), "{review:?}");
    assert!(by(4).starts_with("Dr Zhao"), "{:?}", line(4));
    assert_eq!(line(5).what, LogEvent::AccessRequested { purpose: Purpose::Treatment });
    assert!(by(5).starts_with("Dr Chen"), "{:?}", line(5));
    assert!(matches!(line(6).what, LogEvent::AccessGranted { purpose: Purpose::Treatment, .. }));
    assert_eq!(line(7).what, LogEvent::RecordsRead { purpose: Purpose::Treatment });
    assert_eq!(line(7).records, line(6).records, "what was granted was read");
    assert_eq!((&line(8).what, &line(9).what), (&LogEvent::AccessPaused, &LogEvent::AccessResumed));
    assert!(matches!(line(10).what, LogEvent::AccessExtended { .. }));
    assert_eq!(line(11).what, LogEvent::AccessRevoked);
    assert_eq!(line(12).what, LogEvent::DeletionConfirmed);
    assert!(by(12).starts_with("Dr Chen"), "{:?}", line(12));
    assert!(matches!(line(13).what, LogEvent::AccessRequested { .. }));
    assert_eq!(line(14).what, LogEvent::AccessDeclined);
}

async fn has_a_proof(world: &World, patient: &Newcomer, line: &LogLineView) {
    let proof = patient.wallet.must(LogProof { line: line.line }).await;
    assert!((3..=4).contains(&proof.signed) && proof.total == 4, "{proof:?}");
    assert_eq!(proof.signers.len(), usize::from(proof.signed));
    assert_eq!(proof.at, line.at);
    for check in [ProofCheck::Certificate, ProofCheck::Receipt, ProofCheck::History] {
        assert!(proof.checks.contains(&check), "{check:?} in {:?}", proof.checks);
    }
    can_be_carried_away(world, patient, line).await;
    // A hospital that the wallet need not have asked has the same block.
    let signed = world.net.hospital(4).header_at(proof.height).expect("the block");
    assert_eq!(signed.header.hash().to_string(), proof.header_hash);
}

/// What the wallet exports convinces somebody who has the genesis document and nothing else.
async fn can_be_carried_away(world: &World, patient: &Newcomer, line: &LogLineView) {
    let proof = saved(world, patient, ProofOf::LogLine { line: line.line }).await;
    let Some((_, Fact::History(history))) = proof.facts().last() else { panic!("no history") };
    let entry = &history.entries[usize::try_from(line.line.number).unwrap() - 1];
    assert_eq!(entry.time.0, line.at);
    assert!(
        matches!(proof.receipt(entry.transaction), Verdict::Present((header, _)) if header.height == entry.height)
    );
}

/// A record's registration, a grant that was taken back, and the newest block.
async fn all_else_can_be_carried_away_too(world: &World, patient: &Newcomer) {
    let record = patient.wallet.must(Records {}).await.records[0].clone();
    let proof = saved(world, patient, ProofOf::Record { id: record.id.clone() }).await;
    let states = states(&proof);
    let [(StateKey::Record(id), Some(state))] = states.as_slice() else { panic!("{states:?}") };
    let state: RecordState = borsh::from_slice(state).unwrap();
    assert_eq!((id.to_string(), state.provider.to_string()), (record.id, record.hospital.did));
    assert_eq!(state.patient.to_string(), patient.session.did());

    let share = patient.wallet.must(Sharing {}).await.ended[0].clone();
    let proof = saved(world, patient, ProofOf::Grant { id: share.id.clone() }).await;
    let states = self::states(&proof);
    let [(StateKey::Grant(_), Some(state))] = states.as_slice() else { panic!("{states:?}") };
    let state: GrantState = borsh::from_slice(state).unwrap();
    let GranteeView::Person(reader) = &share.to else { panic!("the share is for one person") };
    assert_eq!(state.grantee.did().to_string(), reader.did);
    assert!(matches!(state.hold, Hold::Revoked { .. }), "{state:?}");

    let proof = saved(world, patient, ProofOf::NewestEntry).await;
    assert!(
        matches!(proof.facts(), [(header, Fact::Header)] if header.height == proof.anchor().header().height)
    );

    let unknown = SaveProof { of: ProofOf::Grant { id: "00".repeat(32) } };
    assert_eq!(patient.wallet.fails(unknown).await.code, amulet_app_api::ErrorCode::NotFound);
}

/// A record that was opened, read and closed again says so, and a file of it proves every step.
async fn a_record_has_its_story(world: &World, patient: &Newcomer, log: &[LogLineView]) {
    use StoryStep::{Closed, Deleted, Extended, Opened, Paused, Read, Registered, Resumed};
    let (mut told, mut quiet) = (None, 0);
    for record in patient.wallet.must(Records {}).await.records {
        let story = patient.wallet.must(RecordStory { id: record.id.clone() }).await;
        match story.steps.len() {
            1 => quiet += 1,
            _ => told = Some((record.id, story.steps)),
        }
    }
    assert!(quiet > 0, "some record was opened to nobody");
    let (id, steps) = told.unwrap();
    let what: Vec<StoryStep> = steps.iter().rev().map(|step| step.what).collect();
    assert_eq!(what, [Registered, Opened, Read, Paused, Resumed, Extended, Closed, Deleted]);
    assert!(steps.iter().all(|step| log.contains(&step.line)), "a story is a part of the log");
    let ledger = chain::history(world.net.hospital(3), &world.genesis, did(patient.session.did()));
    let proof = saved(world, patient, ProofOf::RecordStory { id }).await;
    for step in &steps {
        let entry = &ledger[usize::try_from(step.line.line.number).unwrap() - 1];
        assert!(matches!(proof.receipt(entry.transaction), Verdict::Present(_)), "{step:?}");
    }
    let unknown = RecordStory { id: "00".repeat(32) };
    assert_eq!(patient.wallet.fails(unknown).await.code, amulet_app_api::ErrorCode::NotFound);
}

/// The history as FHIR has a line for each grant, each reading and each registration, with all of their records.
async fn other_systems_can_take_it_in(patient: &Newcomer, log: &[LogLineView]) {
    let saved = patient.wallet.must(SaveAccessHistory {}).await;
    let file = patient.wallet.saved(&saved.name);
    let lines: Vec<Export> = file
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| read_line(line).expect("a line of an export"))
        .collect();
    let shares = patient.wallet.must(Sharing {}).await;
    let mut grants: Vec<String> =
        shares.active.into_iter().chain(shares.ended).map(|share| share.id).collect();
    grants.sort();
    let mut exported: Vec<String> = lines
        .iter()
        .filter_map(|line| if let Export::Grant(grant) = line { Some(grant.id.clone()) } else { None })
        .collect();
    exported.sort();
    assert_eq!(exported, grants);
    // The same grants as the newer version of the standard has them.
    let consents = patient.wallet.must(SaveConsents {}).await;
    let r5 = patient.wallet.saved(&consents.name);
    let r5: Vec<_> = r5.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    let r4 = lines.iter().filter_map(|line| if let Export::Grant(grant) = line { Some(grant) } else { None });
    let r5: Vec<_> = r5.into_iter().map(|line| read_consent_r5(line).unwrap()).collect();
    assert_eq!(r5.iter().collect::<Vec<_>>(), r4.collect::<Vec<_>>());
    let is_access =
        |what: &LogEvent| matches!(what, LogEvent::RecordsRead { .. } | LogEvent::EmergencyDeclared { .. });
    let mut read: Vec<(u64, u64)> = log
        .iter()
        .filter(|line| is_access(&line.what))
        .map(|line| (line.line.number, line.records))
        .collect();
    read.sort_unstable();
    let accesses: Vec<(u64, u64)> = lines
        .iter()
        .filter_map(|line| match line {
            Export::Access(access) => Some((u64::from(access.number), u64::from(access.records))),
            _ => None,
        })
        .collect();
    assert_eq!(accesses, read);
    assert!(!read.is_empty() && !grants.is_empty());
    let registered: usize = lines
        .iter()
        .map(
            |line| if let Export::Registration(registration) = line { registration.records.len() } else { 0 },
        )
        .sum();
    assert_eq!(registered, patient.wallet.must(Records {}).await.records.len());
}

/// A file that the wallet saved, as somebody reads it who has the genesis document and nothing else.
async fn saved(world: &World, patient: &Newcomer, of: ProofOf) -> VerifiedProof {
    let saved = patient.wallet.must(SaveProof { of }).await;
    let file = patient.wallet.saved(&saved.name);
    assert_eq!(file.len() as u64, saved.bytes);
    assert!(
        saved.name.ends_with(".amuletproof") && !saved.name.contains(patient.session.did()),
        "{}",
        saved.name
    );
    UntrustedProofFile::decode(&file).unwrap().verify(&world.genesis).unwrap()
}

/// What a proof says of the state.
fn states(proof: &VerifiedProof) -> Vec<(StateKey, Option<Vec<u8>>)> {
    let facts = proof.facts().iter().filter_map(|(_, fact)| match fact {
        Fact::State(batch) => Some(batch.iter().map(|(key, value)| (key.clone(), value.map(<[u8]>::to_vec)))),
        _ => None,
    });
    facts.flatten().collect()
}
