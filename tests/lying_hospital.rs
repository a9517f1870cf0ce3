//! Hospitals that lie, each over a real socket: the light client names the liar and what the lie was, the wallet goes on
//! with the others, and where too few honest hospitals are left it believes nobody.

#![allow(clippy::unwrap_used)]

use amulet_app_api::ErrorCode;
use amulet_app_api::access::{AccessLog, LineId, LogProof, Purpose};
use amulet_app_api::clinician::{AskAccess, AskFor};
use amulet_app_api::records::{Category, Record, Records};
use amulet_app_api::wallet::Sync;
use amulet_light_client::client::Standing;
use amulet_light_client::{
    Clock, Forgery, LightClient, LightError, MemoryStore, NodeIndex, NodeInfo, NodeVerdict, SystemClock,
    TrustParams,
};
use amulet_protocol::history::{Event, HistoryHead};
use amulet_protocol::ids::TxId;
use amulet_protocol::state::{Identity, StateKey};
use amulet_tests::lies::{self, Lie};
use amulet_tests::localnet::Localnet;
use amulet_tests::people;
use amulet_tests::wallet::{HttpTransport, Wallet, clinician};
use amulet_tests::{run, step};
use amulet_wallet::network::Network;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const LIES: [Lie; 10] = [
    Lie::Header,
    Lie::Certificate,
    Lie::StateProof,
    Lie::StateValue,
    Lie::StateAbsent,
    Lie::History,
    Lie::HistoryDropped,
    Lie::Transaction,
    Lie::Receipt,
    Lie::Ciphertext,
];

#[test]
fn lies_are_caught_named_and_outvoted() {
    let net = Localnet::start();
    run(async {
        for lie in LIES {
            step(format_args!("hospital 1 lies: {lie:?}"));
            the_liar_is_named(&net, lie).await;
            the_wallet_goes_on(&net, lie).await;
        }
        step("everybody who holds a ciphertext lies about it");
        a_false_ciphertext_is_never_shown(&net).await;
        step("three of four hospitals lie");
        too_many_liars_are_not_believed(&net).await;
        step("somebody in the middle leaves one hospital reachable");
        one_hospital_alone_is_not_believed(&net).await;
        step("somebody in the middle keeps the newest entries of a history back");
        a_history_kept_back_is_not_called_complete_now(&net).await;
        step("a certified but older answer is no lie");
        an_honest_proxy_is_trusted(&net).await;
    });
}

fn client(network: &[u8]) -> LightClient {
    let network = Network::parse(network).unwrap();
    let nodes = network.nodes().iter().map(|node| NodeInfo { organisation: node.organisation }).collect();
    let transport = Arc::new(HttpTransport::new(&network));
    let store = Box::new(MemoryStore::default());
    LightClient::new(network.genesis(), nodes, transport, store, TrustParams::default()).unwrap()
}

/// The network file in which only hospital 1 lies.
async fn with_a_liar(net: &Localnet, lie: Lie) -> Vec<u8> {
    let liar = lies::start(&net.hospital(1).http, lie).await;
    lies::redirect(net.network(), &[(1, liar)])
}

/// The light client gets the right answer and knows who lied about what.
async fn the_liar_is_named(net: &Localnet, lie: Lie) {
    let network = with_a_liar(net, lie).await;
    let light = client(&network);
    let report = light.sync(SystemClock.now()).await.unwrap();
    let about_the_head = matches!(lie, Lie::Header | Lie::Certificate);
    let (liar, verdict) = &report.nodes[0];
    assert_eq!(*liar, NodeIndex(0));
    assert_eq!(matches!(verdict, NodeVerdict::Forged(Forgery::Header(_))), about_the_head, "{verdict:?}");
    assert_eq!(report.agreeing, if about_the_head { 3 } else { 4 });
    if !about_the_head && lie != Lie::Ciphertext {
        // Hospital 1 is first in the order, so it is asked, caught, and another one asked in its place.
        everything_is_right_all_the_same(net, &light).await;
        let standing = &light.standings()[0];
        let Standing::Lied(forgery) = standing else { panic!("{lie:?}: {standing:?}") };
        assert!(fits(lie, forgery), "{lie:?}: {forgery:?}");
    }
}

fn fits(lie: Lie, forgery: &Forgery) -> bool {
    match lie {
        Lie::StateProof | Lie::StateValue | Lie::StateAbsent => matches!(forgery, Forgery::State(_)),
        Lie::History | Lie::HistoryDropped => matches!(forgery, Forgery::History(_)),
        Lie::Transaction => matches!(forgery, Forgery::Transaction(_) | Forgery::TransactionId { .. }),
        Lie::Receipt => matches!(forgery, Forgery::Receipt(_)),
        Lie::None | Lie::Header | Lie::Certificate | Lie::Ciphertext => false,
    }
}

async fn everything_is_right_all_the_same(net: &Localnet, light: &LightClient) {
    let patient = people::keys_of(net, "wang-fang").did;
    let found = light.state::<Identity>(&StateKey::Identity(patient)).await.unwrap();
    assert!(found.into_option().is_some());
    let history = light.history(patient, HistoryHead::default()).await.unwrap();
    assert!(matches!(history.entries[0].event, Event::IdentityRegistered));
    assert!(matches!(history.entries[1].event, Event::RecordsRegistered { .. }));
    let ids: Vec<TxId> = history.entries.iter().map(|entry| entry.transaction).collect();
    let transactions = light.transactions(&ids).await.unwrap();
    assert_eq!(transactions.iter().map(|signed| signed.id()).collect::<Vec<_>>(), ids);
    for id in ids {
        light.receipt(id).await.unwrap();
    }
}

/// A patient with one lying hospital sees all records, opens one, and reads the log with a proof.
async fn the_wallet_goes_on(net: &Localnet, lie: Lie) {
    let network = with_a_liar(net, lie).await;
    let wallet = Wallet::over_http(&network);
    wallet.open_demo("wang-fang", net.passphrase()).await;
    let timeline = wallet.must(Records {}).await;
    assert_eq!((timeline.records.len(), timeline.missing), (32, 0), "{lie:?}");
    wallet.must(Record { id: timeline.records[0].id.clone() }).await;
    let log = wallet.must(AccessLog {}).await;
    assert!(log.complete);
    wallet.must(LogProof { line: LineId { identity: 0, number: 2 } }).await;
}

/// With both holders lying about ciphertexts, no record is shown, and the liars are named.
async fn a_false_ciphertext_is_never_shown(net: &Localnet) {
    let mut to = Vec::new();
    for n in 1..=4 {
        to.push((n, lies::start(&net.hospital(n).http, Lie::Ciphertext).await));
    }
    let network = lies::redirect(net.network(), &to);
    let wallet = Wallet::over_http(&network);
    wallet.open_demo("wang-fang", net.passphrase()).await;
    match wallet.call(Records {}).await {
        Ok(timeline) => assert_eq!((timeline.records.len(), timeline.missing), (0, 32)),
        Err(error) => {
            assert_eq!((error.code, error.details["what"].as_str()), (ErrorCode::Forged, "ciphertext"));
            assert!(error.details["hospital"].contains("Hospital"), "{error}");
        }
    }
}

async fn too_many_liars_are_not_believed(net: &Localnet) {
    for lie in [Lie::Header, Lie::Certificate] {
        let mut to = Vec::new();
        for n in 1..=3 {
            to.push((n, lies::start(&net.hospital(n).http, lie).await));
        }
        let network = lies::redirect(net.network(), &to);
        let error = client(&network).sync(SystemClock.now()).await.unwrap_err();
        assert!(matches!(error, LightError::TooFewWitnesses { agreeing: 1, needed: 2, .. }), "{error:?}");
        let wallet = Wallet::over_http(&network);
        wallet.open_demo("wang-fang", net.passphrase()).await;
        let error = wallet.fails(Sync { all: true }).await;
        assert_eq!(error.code, ErrorCode::Forged, "{error}");
        assert_eq!(error.details["what"], "header");
        assert!(error.details["hospital"].contains("Hospital"), "{error}");
        wallet.fails(Records {}).await;
    }
}

async fn one_hospital_alone_is_not_believed(net: &Localnet) {
    let nowhere = || "http://127.0.0.1:9".to_owned();
    let network = lies::redirect(net.network(), &[(2, nowhere()), (3, nowhere()), (4, nowhere())]);
    let wallet = Wallet::over_http(&network);
    wallet.open_demo("wang-fang", net.passphrase()).await;
    let error = wallet.fails(Sync { all: true }).await;
    assert_eq!(error.code, ErrorCode::TooFewWitnesses, "{error}");
    assert_eq!((error.details["answered"].as_str(), error.details["needed"].as_str()), ("1", "2"));
}

/// The patient's wallet hears of new blocks from everybody, and of an access in them from nobody.
async fn a_history_kept_back_is_not_called_complete_now(net: &Localnet) {
    let withheld = Arc::new(AtomicBool::new(false));
    let mut to = Vec::new();
    for n in 1..=4 {
        to.push((n, lies::start_withholding(&net.hospital(n).http, Arc::clone(&withheld)).await));
    }
    let network = lies::redirect(net.network(), &to);
    let wallet = Wallet::over_http(&network);
    let patient = wallet.open_demo("wang-fang", net.passphrase()).await;
    let before = wallet.must(AccessLog {}).await;
    withheld.store(true, Ordering::SeqCst);
    let request = AskAccess {
        patient: patient.did().to_owned(),
        categories: vec![Category::Allergies],
        purpose: Purpose::Treatment,
        access_hours: 24,
        answer_hours: 24,
        records_from: None,
        records_to: None,
        reader: AskFor::Myself,
    };
    clinician(net, "dr-chen").await.must(request).await;
    let known = before.checked.unwrap().height;
    assert!(wallet.must(Sync { all: true }).await.height > known, "the new block is known");
    let kept_back = wallet.must(AccessLog {}).await;
    assert_eq!(kept_back.lines.len(), before.lines.len());
    assert_eq!(kept_back.checked.unwrap().height, known, "complete at that block, and no later one");
    withheld.store(false, Ordering::SeqCst);
    assert_eq!(wallet.must(AccessLog {}).await.lines.len(), before.lines.len() + 1);
}

async fn an_honest_proxy_is_trusted(net: &Localnet) {
    let network = with_a_liar(net, Lie::None).await;
    let report = client(&network).sync(SystemClock.now()).await.unwrap();
    assert_eq!(report.agreeing, 4);
    let agrees = |(_, verdict): &(NodeIndex, NodeVerdict)| matches!(verdict, NodeVerdict::Agrees { .. });
    assert!(report.nodes.iter().all(agrees), "{:?}", report.nodes);
}
