#![allow(clippy::unwrap_used)]

use super::*;
use amulet_crypto::digest::Digest;
use amulet_crypto::entropy::SeededEntropy;
use amulet_crypto::signing::SigningKey;
use amulet_pbft::{KeySigner, lost_keys};
use amulet_protocol::ids::{ChainId, HeaderHash, ReplicaId, View};
use redb::backends::InMemoryBackend;
use std::sync::Arc;

/// The record that `replica` accepted this payload at a height and view.
fn accepted(height: u64, view: u64, payload: &Payload) -> LogRecord {
    let key = Arc::new(SigningKey::generate(&mut SeededEntropy::new(1)));
    let proposal = Proposal {
        view: View(view),
        height: Height(height),
        parent: HeaderHash(Digest::ZERO),
        header_hash: HeaderHash(Digest::ZERO),
        payload_digest: payload.digest(),
    };
    let signer = KeySigner::new(key, ChainId(Digest::ZERO), Epoch(0));
    let pre_prepare = Signed::new(PrePrepare { proposal }, ReplicaId(0), &signer);
    LogRecord { epoch: Epoch(0), entry: LogEntry::Accepted(pre_prepare, payload.clone()) }
}

fn payload(byte: u8) -> Payload {
    Payload::new(vec![byte; 1_000]).unwrap()
}

fn log() -> ConsensusLog {
    let database = redb::Builder::new().create_with_backend(InMemoryBackend::new()).unwrap();
    ConsensusLog::over(database).unwrap()
}

fn payloads(log: &ConsensusLog) -> usize {
    let transaction = log.database.begin_read().unwrap();
    transaction.open_table(PAYLOADS).unwrap().iter().unwrap().count()
}

#[test]
fn a_record_comes_back_with_its_payload_and_replaces_the_one_before() {
    let log = log();
    let (first, second) = (accepted(1, 0, &payload(1)), accepted(1, 1, &payload(2)));
    let other = accepted(2, 0, &payload(3));
    log.append(&[first, other.clone()]).unwrap();
    log.append(std::slice::from_ref(&second)).unwrap();
    assert_eq!(log.load().unwrap(), [second, other]);
    assert_eq!(payloads(&log), 2, "the replaced record's payload is gone as well");
}

#[test]
fn a_payload_that_is_voted_for_again_in_a_later_view_is_kept() {
    let log = log();
    log.append(&[accepted(1, 0, &payload(1))]).unwrap();
    let again = accepted(1, 1, &payload(1));
    log.append(std::slice::from_ref(&again)).unwrap();
    assert_eq!(log.load().unwrap(), [again]);
}

#[test]
fn what_is_committed_is_deleted_with_the_next_write() {
    let log = log();
    log.append(&[accepted(1, 0, &payload(1)), accepted(2, 0, &payload(2))]).unwrap();
    log.prune(Height(1)).unwrap();
    let next = accepted(3, 0, &payload(3));
    log.append(std::slice::from_ref(&next)).unwrap();
    let heights: Vec<_> = log.load().unwrap().iter().map(LogRecord::key).collect();
    assert_eq!(heights, [RecordKey::Accepted(Height(2)), RecordKey::Accepted(Height(3))]);
    assert_eq!(payloads(&log), 2);
}

/// PBFT-RC-6: a log that was deleted once came back empty, and the node voted as if it never had.
#[test]
fn an_empty_log_beside_a_ledger_with_blocks_is_refused_but_not_one_that_was_there_from_the_start() {
    let fresh = log();
    assert!(matches!(fresh.check_beside(Height(5)), Err(LogError::Missing { tip: Height(5) })));
    // Nor does asking again help.
    assert!(matches!(fresh.check_beside(Height(5)), Err(LogError::Missing { .. })));
    let followed = log();
    followed.check_beside(Height(0)).unwrap();
    followed.check_beside(Height(5)).unwrap();
    let voted = log();
    voted.append(&[accepted(6, 0, &payload(1))]).unwrap();
    voted.check_beside(Height(5)).unwrap();
    fresh.give_up(Epoch(2)).unwrap();
    fresh.check_beside(Height(5)).unwrap();
    assert_eq!(fresh.load().unwrap(), [LogRecord { epoch: Epoch(2), entry: LogEntry::Lost }]);
}

/// PBFT-RC-7: a replaced machine has neither blocks nor records, and is told which keys signed what nobody remembers.
#[test]
fn keys_that_were_given_up_are_remembered_beside_what_is_written_later() {
    let key = SigningKey::generate(&mut SeededEntropy::new(2)).public_key().clone();
    let fresh = log();
    fresh.check_beside(Height(0)).unwrap();
    fresh.give_up_keys(std::slice::from_ref(&key)).unwrap();
    fresh.append(&[accepted(6, 0, &payload(1))]).unwrap();
    fresh.prune(Height(9)).unwrap();
    fresh.append(&[accepted(10, 0, &payload(1))]).unwrap();
    assert_eq!(lost_keys(&fresh.load().unwrap()), [key]);
}
