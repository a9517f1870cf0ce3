//! The clock of the device, set wrong by somebody or by itself.

use crate::client_in;
use amulet_light_client::client::Standing;
use amulet_light_client::{Clock, LightError, SystemClock, TrustParams};
use amulet_protocol::ids::Timestamp;
use amulet_tests::localnet::Localnet;
use std::sync::Arc;

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// No hospital is accused of a clock that is wrong here.
pub async fn back(net: &Localnet) {
    let yesterday = Timestamp(SystemClock.now().0 - DAY_MS);
    let light = client_in(net.network(), Arc::default());
    let newest = net.hospital(1).latest().unwrap().header.time;
    let expected = LightError::ClockBehind { now: yesterday, newest };
    assert_eq!(light.sync(yesterday).await, Err(expected));
    assert!(light.standings().iter().all(|standing| *standing == Standing::Good));
    light.sync(SystemClock.now()).await.unwrap();
}

/// What this device knows is taken for too old, and nothing is believed, until the clock is right again.
pub async fn forward(net: &Localnet) {
    let light = client_in(net.network(), Arc::default());
    let now = SystemClock.now();
    light.sync(now).await.unwrap();
    let late = now.plus_millis(TrustParams::default().trust_period_ms() + DAY_MS);
    assert!(matches!(light.sync(late).await, Err(LightError::TrustExpired(_))));
    light.sync(SystemClock.now()).await.unwrap();
}
