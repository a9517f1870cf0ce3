//! Step 6: everything that happened is in the log, and each line can be proven.

use crate::World;
use amulet_app_api::access::{
    AccessLog, EmergencyReason, ExportProof, LogEvent, LogLineView, LogProof, ProofCheck, Purpose,
};
use amulet_protocol::proof_file::{Fact, UntrustedProofFile};
use amulet_protocol::verdict::Verdict;
use amulet_tests::chain;
use amulet_tests::hospital::did;
use amulet_tests::wallet::Newcomer;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The log of the patient, after all other steps.
pub async fn is_complete(world: &World, patient: &Newcomer, note: &str) {
    let log = patient.wallet.must(AccessLog {}).await;
    assert!(log.complete);
    let numbers: Vec<u64> = log.lines.iter().map(|line| line.number).collect();
    let expected: Vec<u64> = (1..=10).rev().collect();
    assert_eq!(numbers, expected, "newest first, none left out");
    assert!(log.lines.is_sorted_by(|newer, older| newer.at >= older.at));
    says_what_happened(&log.lines, note);
    world.net.same_head(std::time::Duration::from_secs(20));
    let ledger = chain::history(world.net.hospital(3), &world.genesis, did(&patient.session.did));
    assert_eq!(ledger.len(), log.lines.len());
    for line in &log.lines {
        has_a_proof(world, patient, line).await;
    }
    let nothing = patient.wallet.fails(LogProof { number: 99 }).await;
    assert_eq!(nothing.code, amulet_app_api::ErrorCode::NotFound);
}

fn says_what_happened(lines: &[LogLineView], note: &str) {
    let line = |number: usize| &lines[lines.len() - number];
    let by = |number: usize| line(number).by.as_ref().map(|by| by.name.clone()).unwrap_or_default();
    assert_eq!(line(1).what, LogEvent::IdentityRegistered);
    assert_eq!((&line(2).what, line(2).records), (&LogEvent::RecordsRegistered, 32));
    assert_eq!(line(2).hospital.as_ref().map(|h| h.name_en.as_str()), Some("City First Hospital"));
    assert_eq!(line(3).what, LogEvent::CardMade);
    let LogEvent::EmergencyDeclared { reason, note: read, .. } = &line(4).what else {
        panic!("{:?}", line(4))
    };
    assert_eq!((*reason, read.as_deref()), (EmergencyReason::Unconscious, Some(note)));
    assert!(by(4).starts_with("Dr Zhao"), "{:?}", line(4));
    assert_eq!(line(5).what, LogEvent::AccessRequested { purpose: Purpose::Treatment });
    assert!(by(5).starts_with("Dr Chen"), "{:?}", line(5));
    assert!(matches!(line(6).what, LogEvent::AccessGranted { purpose: Purpose::Treatment, .. }));
    assert_eq!(line(7).what, LogEvent::RecordsRead { purpose: Purpose::Treatment });
    assert_eq!(line(7).records, line(6).records, "what was granted was read");
    assert_eq!(line(8).what, LogEvent::AccessRevoked);
    assert!(matches!(line(9).what, LogEvent::AccessRequested { .. }));
    assert_eq!(line(10).what, LogEvent::AccessDeclined);
}

async fn has_a_proof(world: &World, patient: &Newcomer, line: &LogLineView) {
    let proof = patient.wallet.must(LogProof { number: line.number }).await;
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
    let exported = patient.wallet.must(ExportProof { number: line.number }).await;
    let file = UntrustedProofFile::decode(&STANDARD.decode(&exported.base64).unwrap()).unwrap();
    let proof = file.verify(&world.genesis).unwrap();
    assert_eq!(proof.anchor().header().height.0, exported.height);
    let Some((_, Fact::History(history))) = proof.facts().last() else {
        panic!("no history in {}", exported.name)
    };
    let entry = &history.entries[usize::try_from(line.number).unwrap() - 1];
    assert_eq!(entry.time.0, line.at);
    assert!(
        matches!(proof.receipt(entry.transaction), Verdict::Present((header, _)) if header.height == entry.height)
    );
}
