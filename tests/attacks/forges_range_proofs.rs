//! Proofs that an old block is in the chain, forged.

use crate::{between, client};
use amulet_crypto::digest::Digest;
use amulet_light_client::client::Standing;
use amulet_light_client::{Clock, Forgery, SystemClock};
use amulet_protocol::ids::Height;
use amulet_protocol::light::LightResponse;
use amulet_tests::lies::Twist;
use amulet_tests::localnet::Localnet;
use std::sync::Arc;

/// The hospital is named, and another one proves the block.
pub async fn of_one_hospital(net: &Localnet) {
    let twist: Twist = Arc::new(|_, mut answer| {
        match &mut answer {
            LightResponse::RangeProof(proof) => proof.hashes.fill(Digest::ZERO),
            LightResponse::Headers(headers) => headers.proof.hashes.fill(Digest::ZERO),
            _ => {}
        }
        answer
    });
    let light = client(&between(net, &[1], twist).await);
    light.sync(SystemClock.now()).await.unwrap();
    let proven = light.header_at(Height(1)).await.unwrap();
    assert_eq!(
        Some(proven.header.as_signed().header.clone()),
        net.hospital(4).header_at(1).map(|it| it.header)
    );
    let standing = &light.standings()[0];
    assert!(matches!(standing, Standing::Lied(Forgery::RangeProof(_))), "{standing:?}");
}
