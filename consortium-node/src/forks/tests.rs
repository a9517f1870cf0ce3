#![allow(clippy::unwrap_used)]

use super::*;
use crate::testing::World;
use amulet_contracts::testing::certificate;
use amulet_crypto::digest::Digest;
use amulet_protocol::header::Header;
use amulet_protocol::ids::{Height, ReplicaId, View};
use amulet_protocol::light::LightRequest;

/// The world's certified header at height 1, where it has one.
fn own(world: &World) -> UntrustedSignedHeader {
    let header = world.ledger.header(Height(1)).unwrap().unwrap();
    let certificate = world.ledger.certificate(Height(1)).unwrap().unwrap();
    UntrustedSignedHeader { header, certificate }
}

/// The same header after a change, signed by so many hospitals.
fn rival(world: &World, signers: usize, change: impl Fn(&mut Header)) -> UntrustedSignedHeader {
    let mut header = own(world).header;
    change(&mut header);
    let mut certificate = certificate(&world.hospitals, &header);
    certificate.signatures.truncate(signers);
    UntrustedSignedHeader { header, certificate }
}

fn lunatic(header: &mut Header) {
    header.state_root = Digest::ZERO;
}

async fn report(world: &World, one: UntrustedSignedHeader, other: UntrustedSignedHeader) -> LightResponse {
    let service = world.light(&world.network(&[]));
    service.answer(LightRequest::ReportFork(Box::new(UntrustedFork::new(one, other)))).await
}

fn recorded(world: &World, replica: u16) -> bool {
    let kind = amulet_protocol::evidence::EvidenceKind::Commit;
    let offence = Offence { epoch: Epoch(0), offender: ReplicaId(replica), kind, height: Height(1) };
    offence.is_recorded_in(&world.ledger).unwrap()
}

#[tokio::test]
async fn those_who_signed_both_sides_in_one_view_are_convicted_on_the_ledger() {
    let world = World::new();
    world.run_consensus();
    let mut tips = world.ledger.subscribe();
    let found = report(&world, own(&world), rival(&world, 3, lunatic)).await;
    assert_eq!(found, LightResponse::ForkFound(ForkFinding::Convicts { validators: 3 }));
    tips.wait_for(|_| (0..3).all(|replica| recorded(&world, replica))).await.unwrap();
    assert!(!recorded(&world, 3), "whoever signed one side only is not accused");
}

/// Both sides of the report are of the fork's own branch but for the first, whose height this node knows better.
#[tokio::test]
async fn sides_at_two_heights_convict_by_what_this_node_has_at_one_of_them() {
    let world = World::new();
    world.run_consensus();
    let mut tips = world.ledger.subscribe();
    let forked = rival(&world, 3, lunatic);
    let next = rival(&world, 4, |header| {
        header.height = Height(2);
        header.time.0 += 1;
        // It follows neither branch.
        header.previous = HeaderHash(Digest::ZERO);
    });
    let found = report(&world, next, forked).await;
    assert_eq!(found, LightResponse::ForkFound(ForkFinding::Convicts { validators: 3 }));
    tips.wait_for(|_| recorded(&world, 2)).await.unwrap();
}

#[tokio::test]
async fn a_fork_of_two_views_names_suspects_and_convicts_nobody() {
    let world = World::new();
    let amnesia = rival(&world, 3, |header| {
        lunatic(header);
        header.view = View(header.view.0 + 1);
    });
    let found = report(&world, own(&world), amnesia).await;
    assert_eq!(found, LightResponse::ForkFound(ForkFinding::Suspects { validators: 3 }));
    assert!(world.mempool.is_empty(), "nothing goes on the ledger");
}

#[tokio::test]
async fn what_is_no_fork_costs_the_reporter_its_trouble_and_the_ledger_nothing() {
    let world = World::new();
    let refused = LightResponse::Refused(LightRefusal::NoFork);
    assert_eq!(report(&world, own(&world), own(&world)).await, refused, "the same header");
    assert_eq!(report(&world, own(&world), rival(&world, 2, lunatic)).await, refused, "no quorum");
    let mut forged = rival(&world, 3, lunatic);
    let [first, second, ..] = &mut forged.certificate.signatures[..] else { panic!("three signatures") };
    std::mem::swap(&mut first.1, &mut second.1);
    assert_eq!(report(&world, own(&world), forged).await, refused, "signatures of nobody");
    let of_no_epoch = rival(&world, 3, |header| {
        lunatic(header);
        header.view = Epoch(7).first_view();
    });
    assert_eq!(report(&world, own(&world), of_no_epoch).await, refused, "an epoch that never was");
    let elsewhere = rival(&world, 3, |header| header.chain.0 = Digest::ZERO);
    assert_eq!(report(&world, own(&world), elsewhere).await, refused, "another chain");
    assert!(world.mempool.is_empty());
}

#[tokio::test]
async fn a_node_that_lacks_the_blocks_does_not_judge() {
    let world = World::new();
    let at = |height: u64| {
        rival(&world, 3, |header| {
            header.height = Height(height);
            header.previous = HeaderHash(Digest::ZERO);
        })
    };
    assert_eq!(report(&world, at(8), at(9)).await, LightResponse::NotFound);
}

#[tokio::test]
async fn one_that_many_report_is_found_once() {
    let world = World::new();
    let service = world.light(&world.network(&[]));
    let fork = UntrustedFork::new(own(&world), rival(&world, 3, lunatic));
    for _ in 0..3 {
        let answer = service.answer(LightRequest::ReportFork(Box::new(fork.clone()))).await;
        assert_eq!(answer, LightResponse::ForkFound(ForkFinding::Convicts { validators: 3 }));
    }
    assert_eq!(service.forks_found(), 1);
}
