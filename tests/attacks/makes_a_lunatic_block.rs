//! More than may be faulty certify a block whose state follows from nothing.

use crate::{between, client_in};
use amulet_app_api::access::Purpose;
use amulet_app_api::clinician::{AskAccess, AskFor};
use amulet_app_api::records::Category;
use amulet_crypto::digest::Digest;
use amulet_light_client::store::Told;
use amulet_light_client::{Clock, LightError, SystemClock};
use amulet_protocol::light::{ForkFinding, LightRequest, LightResponse};
use amulet_protocol::state::{Identity, StateKey};
use amulet_tests::colluders::Colluders;
use amulet_tests::lies::Twist;
use amulet_tests::localnet::Localnet;
use amulet_tests::people;
use amulet_tests::wallet::clinician;
use std::sync::Arc;

/// It is taken for the head while nobody has another block there; nothing is proven under it; and the first true block at its
/// height makes it evidence.
pub async fn above_the_head(net: &Localnet) {
    let colluders = Colluders::of(net, &[1, 2, 3]);
    let tip = net.hospital(4).latest().unwrap();
    let mut header = tip.header.clone();
    header.previous = tip.header.hash();
    header.height = tip.header.height.next();
    header.time.0 += 1;
    header.view = tip.certificate.vote.view;
    header.state_root = Digest::ZERO;
    let lunatic = colluders.certify(header.clone());
    let twist: Twist = Arc::new(move |question, answer| match question {
        LightRequest::Latest => LightResponse::Header(Box::new(lunatic.clone())),
        LightRequest::HeaderAt(height) if *height == lunatic.header.height => {
            LightResponse::Header(Box::new(lunatic.clone()))
        }
        _ => answer,
    });
    let network = between(net, &[1], twist).await;
    let store = Arc::default();
    let light = client_in(&network, Arc::clone(&store));
    let report = light.sync(SystemClock.now()).await.unwrap();
    assert_eq!(report.head.hash(), header.hash(), "a quorum signed it: {:?}", report.nodes);
    let patient = people::keys_of(net, "wang-fang").did;
    light.state::<Identity>(&StateKey::Identity(patient)).await.unwrap_err();

    let request = AskAccess {
        patient: patient.to_string(),
        categories: vec![Category::Allergies],
        purpose: Purpose::Treatment,
        access_hours: 24,
        answer_hours: 24,
        records_from: None,
        records_to: None,
        reader: AskFor::Myself,
    };
    clinician(net, "dr-chen").await.must(request).await;
    let light = client_in(&network, store);
    let error = light.sync(SystemClock.now()).await.unwrap_err();
    let LightError::Disagreement(found) = error else { panic!("{error:?}") };
    let sides = [&found.left, &found.right].map(|side| side.header.header.hash());
    assert!(sides.contains(&header.hash()), "the lunatic block is one of the two");
    let told = &light.forks()[0].told;
    assert_eq!(told.len(), 4);
    let convicts = |told: &Told| matches!(told, Told::Found(ForkFinding::Convicts { validators: 2.. }));
    assert!(told.iter().all(|(_, told)| convicts(told)), "{told:?}");
}
