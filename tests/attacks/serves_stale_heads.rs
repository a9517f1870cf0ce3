//! Hospitals that show an old head, as if nothing had happened since.

use crate::{between, client, client_in};
use amulet_light_client::client::Standing;
use amulet_light_client::{Clock, NodeIndex, NodeVerdict, SystemClock};
use amulet_protocol::ids::Height;
use amulet_protocol::light::{LightRequest, LightResponse};
use amulet_tests::lies::Twist;
use amulet_tests::localnet::Localnet;
use std::sync::Arc;

/// Answers with an older head, and honestly otherwise; and its height.
fn stale(net: &Localnet) -> (Twist, Height) {
    let newest = net.hospital(4).latest().unwrap();
    let old = net.hospital(4).header_at(newest.header.height.0 - 2).unwrap();
    let height = old.header.height;
    let twist: Twist = Arc::new(move |question, answer| match question {
        LightRequest::Latest => LightResponse::Header(Box::new(old.clone())),
        _ => answer,
    });
    (twist, height)
}

/// One that is not behind is enough, and being behind is no lie.
pub async fn by_all_but_one(net: &Localnet) {
    let newest = net.hospital(4).latest().unwrap().header.height;
    let (twist, old) = stale(net);
    let light = client(&between(net, &[1, 2, 3], twist).await);
    let report = light.sync(SystemClock.now()).await.unwrap();
    assert_eq!((report.head.height(), report.agreeing), (newest, 4));
    let behind: Vec<_> = (0..3).map(|node| (NodeIndex(node), NodeVerdict::Agrees { height: old })).collect();
    assert_eq!(report.nodes[..3], behind);
    assert_eq!(light.standings()[..3], [Standing::Behind, Standing::Behind, Standing::Behind]);
}

/// A device that reaches nobody else is shown the past as the present, but never goes back.
pub async fn by_everybody_the_device_reaches(net: &Localnet) {
    let store = Arc::default();
    let newest = client_in(net.network(), Arc::clone(&store)).sync(SystemClock.now()).await.unwrap().head;
    let (twist, old) = stale(net);
    let network = between(net, &[1, 2, 3, 4], twist).await;
    let new_device = client(&network).sync(SystemClock.now()).await.unwrap();
    assert_eq!(new_device.head.height(), old, "this is not noticed, and not promised");
    let report = client_in(&network, store).sync(SystemClock.now()).await.unwrap();
    assert_eq!(report.head.height(), newest.height());
    assert!(report.nodes.iter().all(|(_, verdict)| *verdict == NodeVerdict::Agrees { height: old }));
}
