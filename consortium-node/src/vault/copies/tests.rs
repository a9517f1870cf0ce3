#![allow(clippy::unwrap_used)]

use super::*;
use crate::testing::World;
use amulet_contracts::testing::record;
use amulet_protocol::calls::{Call, RegisterRecords};
use amulet_protocol::record::blob_id;

const CIPHERTEXT: &[u8] = b"ciphertext of class core";
const OTHER: ReplicaId = ReplicaId(1);

/// Has a hospital register a record of this number, which names a ciphertext and its holders.
fn register(world: &mut World, by: usize, number: u64, holders: Vec<Did>) {
    let mut entry = record(number, holders[0], &world.patient);
    (entry.blob, entry.holders) = (blob_id(CIPHERTEXT), holders);
    let (chain, patient) = (world.chain(), world.patient.did);
    let call = RegisterRecords { patient, records: vec![entry], flows: Vec::new() };
    let signed = world.hospitals[by].sign(chain, Call::RegisterRecords(call));
    let receipts = world.commit(vec![signed]);
    assert!(matches!(receipts[0].outcome, amulet_protocol::receipt::Outcome::Applied { .. }), "{receipts:?}");
}

async fn piece(copies: &Copies, asker: ReplicaId) -> PeerResponse {
    copies.piece(asker, blob_id(CIPHERTEXT), 0).await.unwrap()
}

#[tokio::test]
async fn a_ciphertext_goes_to_its_holders_and_to_no_hospital_that_names_itself_later() {
    let mut world = World::new();
    let dids: Vec<Did> = world.hospitals.iter().map(|hospital| hospital.did).collect();
    let network = world.network(&[]);
    let copies = world.copies(&network);
    world.vault.put(CIPHERTEXT.to_vec()).await.unwrap();
    assert!(matches!(piece(&copies, OTHER).await, PeerResponse::Refused), "the ledger does not name it");
    register(&mut world, 0, 1, vec![dids[0]]);
    assert!(matches!(piece(&copies, OTHER).await, PeerResponse::Refused), "it stays here");
    register(&mut world, 1, 2, vec![dids[1], dids[0]]);
    assert!(matches!(piece(&copies, OTHER).await, PeerResponse::Refused), "it named itself");
    assert!(matches!(piece(&copies, ReplicaId(0)).await, PeerResponse::Piece { .. }));
    assert!(
        matches!(piece(&copies, ReplicaId(77)).await, PeerResponse::Refused),
        "there is no such hospital"
    );
}

#[tokio::test]
async fn a_holder_gets_piece_after_piece_and_is_told_when_there_is_none() {
    let mut world = World::new();
    let holders = vec![world.hospitals[0].did, world.hospitals[1].did];
    let network = world.network(&[]);
    let copies = world.copies(&network);
    register(&mut world, 0, 1, holders);
    assert!(matches!(piece(&copies, OTHER).await, PeerResponse::NotHere));
    world.vault.put(CIPHERTEXT.to_vec()).await.unwrap();
    let rest = copies.piece(OTHER, blob_id(CIPHERTEXT), 5).await.unwrap();
    let PeerResponse::Piece { size, bytes } = rest else { panic!("no piece") };
    assert_eq!((size, &bytes[..]), (CIPHERTEXT.len() as u64, &CIPHERTEXT[5..]));
}

#[tokio::test]
async fn a_copy_too_large_for_any_vault_is_not_fetched() {
    let world = World::new();
    let network = world.network(&[]);
    let kept = world.copies(&network).keep(OTHER, blob_id(CIPHERTEXT), STREAM_BYTES_MAX + 1).await.unwrap();
    assert!(matches!(kept, PeerResponse::Refused));
}
