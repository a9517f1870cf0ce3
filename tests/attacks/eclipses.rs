//! Everybody whom the device reaches lies.

use crate::{between, client};
use amulet_app_api::ErrorCode;
use amulet_app_api::wallet::Sync;
use amulet_light_client::{Clock, Forgery, LightError, NodeVerdict, SystemClock};
use amulet_protocol::light::{LightRequest, LightResponse};
use amulet_tests::lies::Twist;
use amulet_tests::localnet::Localnet;
use amulet_tests::wallet::Wallet;
use std::sync::Arc;

/// Without the keys of a quorum they can stop the device and not mislead it.
pub async fn with_forged_heads(net: &Localnet) {
    let twist: Twist = Arc::new(|question, answer| match (question, answer) {
        (LightRequest::Latest, LightResponse::Header(mut signed)) => {
            signed.header.height.0 += 1;
            LightResponse::Header(signed)
        }
        (_, answer) => answer,
    });
    let network = between(net, &[1, 2, 3, 4], twist).await;
    let error = client(&network).sync(SystemClock.now()).await.unwrap_err();
    let LightError::TooFewWitnesses { agreeing: 0, needed: 2, nodes } = error else { panic!("{error:?}") };
    let forged = |verdict: &NodeVerdict| matches!(verdict, NodeVerdict::Forged(Forgery::Header(_)));
    assert!(nodes.iter().all(|(_, verdict)| forged(verdict)), "{nodes:?}");
    let wallet = Wallet::over_http(&network);
    wallet.open_demo("wang-fang", net.passphrase()).await;
    assert_eq!(wallet.fails(Sync { all: true }).await.code, ErrorCode::Forged);
}
