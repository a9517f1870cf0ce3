//! More than may be faulty certify two blocks at one height.

use crate::{between, client_in};
use amulet_app_api::ErrorCode;
use amulet_app_api::checking::Checking;
use amulet_app_api::files::SaveContradiction;
use amulet_app_api::wallet::Sync;
use amulet_crypto::digest::Digest;
use amulet_light_client::store::{StoredFork, Told};
use amulet_light_client::{Clock, LightError, NodeIndex, SystemClock};
use amulet_protocol::certificate::UntrustedSignedHeader;
use amulet_protocol::evidence::{EvidenceKind, EvidenceRecord};
use amulet_protocol::fork_file::UntrustedForkFile;
use amulet_protocol::ids::{Epoch, Height, ReplicaId, View};
use amulet_protocol::light::{ForkFinding, LightRequest, LightResponse};
use amulet_protocol::state::StateKey;
use amulet_tests::colluders::Colluders;
use amulet_tests::lies::Twist;
use amulet_tests::localnet::Localnet;
use amulet_tests::wallet::Wallet;
use amulet_tests::{chain, http, wait};
use std::sync::Arc;
use std::time::Duration;

/// Reports are retried after ten seconds, and several hospitals bring the same.
const RECORDED_WITHIN: Duration = Duration::from_secs(60);

/// The pair goes from the device over the hospitals onto the ledger, under the name of each who signed both.
pub async fn in_one_view(net: &Localnet) {
    let tip = tip(net);
    let rival = rival(net, &tip, 0);
    let kept = is_found_and_shown(net, &tip, rival.clone()).await;
    let signed = |side: &UntrustedSignedHeader, replica| {
        side.certificate.signatures.iter().any(|(signer, _)| *signer == replica)
    };
    let both: Vec<ReplicaId> =
        (0..4).map(ReplicaId).filter(|replica| signed(&tip, *replica) && signed(&rival, *replica)).collect();
    assert!(both.len() >= 2, "more than f");
    for (_, told) in &kept.told {
        let Told::Found(ForkFinding::Convicts { validators }) = told else { panic!("{told:?}") };
        assert!(usize::from(*validators) >= both.len().min(2));
    }
    for replica in both {
        wait::until("the evidence to be on the ledger", RECORDED_WITHIN, || {
            is_convicted(net, replica, tip.header.height).then_some(())
        });
    }
    assert!(!is_convicted(net, ReplicaId(3), tip.header.height) || signed(&rival, ReplicaId(3)));
}

/// In different views no two votes contradict: the hospitals' operators are told, and nobody is convicted.
pub async fn in_two_views(net: &Localnet) {
    let tip = tip(net);
    let kept = is_found_and_shown(net, &tip, rival(net, &tip, 1)).await;
    for (_, told) in &kept.told {
        assert!(matches!(told, Told::Found(ForkFinding::Suspects { validators: 2.. })), "{told:?}");
    }
    assert!((0..4).all(|replica| !is_convicted(net, ReplicaId(replica), tip.header.height)));
    let metrics = http::get(&format!("{}/metrics", net.hospital(4).http)).unwrap();
    let line = "amulet_forks_proven_total ";
    let count = metrics.text().lines().find_map(|found| found.strip_prefix(line)?.parse::<u64>().ok());
    assert!(count >= Some(2), "{count:?}");
}

fn tip(net: &Localnet) -> UntrustedSignedHeader {
    net.same_head(RECORDED_WITHIN);
    net.hospital(4).latest().unwrap()
}

/// Another block in the place of one, certified by hospitals 1 to 3 so many views later.
fn rival(net: &Localnet, tip: &UntrustedSignedHeader, views_later: u64) -> UntrustedSignedHeader {
    let mut header = tip.header.clone();
    header.transactions_root = Digest::ZERO;
    header.view = View(tip.certificate.vote.view.0 + views_later);
    Colluders::of(net, &[1, 2, 3]).certify(header)
}

/// The device believes neither side, names who shows which, keeps the pair across a restart, and shows it to everybody.
async fn is_found_and_shown(
    net: &Localnet,
    tip: &UntrustedSignedHeader,
    rival: UntrustedSignedHeader,
) -> StoredFork {
    let shown = rival.clone();
    let twist: Twist = Arc::new(move |question, answer| match question {
        LightRequest::Latest => LightResponse::Header(Box::new(shown.clone())),
        LightRequest::HeaderAt(height) if *height == shown.header.height => {
            LightResponse::Header(Box::new(shown.clone()))
        }
        _ => answer,
    });
    let network = between(net, &[1], twist).await;
    let store = Arc::default();
    let light = client_in(&network, Arc::clone(&store));
    let error = light.sync(SystemClock.now()).await.unwrap_err();
    let LightError::Disagreement(found) = error else { panic!("{error:?}") };
    assert_eq!(found.height, tip.header.height);
    let of_rival = [&found.left, &found.right].into_iter().find(|side| side.header == rival).unwrap();
    assert_eq!(of_rival.nodes, [NodeIndex(0)]);
    assert_eq!(light.trusted(), None);
    let again = client_in(net.network(), store);
    again.restore().await;
    let kept = again.forks();
    assert_eq!(kept, light.forks());
    assert_eq!((kept.len(), kept[0].told.len()), (1, 4), "{:?}", kept[0].told);
    let wallet = Wallet::over_http(&network);
    wallet.open_demo("wang-fang", net.passphrase()).await;
    let error = wallet.fails(Sync { all: true }).await;
    assert_eq!(error.code, ErrorCode::Disagreement, "{error}");
    is_carried_away(net, &wallet, &rival).await;
    kept[0].clone()
}

/// The wallet's file convinces whoever has the genesis document, and accuses those who signed both in one view; with a byte of
/// a signature changed it accuses nobody.
async fn is_carried_away(net: &Localnet, wallet: &Wallet, rival: &UntrustedSignedHeader) {
    let place = wallet.must(Checking {}).await.contradictions.len() - 1;
    let saved = wallet.must(SaveContradiction { place }).await;
    let bytes = wallet.saved(&saved.name);
    let file = UntrustedForkFile::decode(&bytes).unwrap();
    let mut altered = file.clone();
    altered.fork.upper.certificate.signatures.truncate(2);
    let proven = file.verify(&net.genesis()).unwrap();
    // Beside which true block it stands depends on how far the chain has grown when the wallet looks.
    assert!(proven.fork().hashes().contains(&rival.header.hash()), "{proven:?}");
    let [lower, upper] = proven.fork().sides().map(|side| (side.header.height, side.certificate.vote.view));
    assert!(proven.signed_both().len() >= 2, "{proven:?}");
    assert_eq!(proven.convicted().len(), if lower == upper { proven.signed_both().len() } else { 0 });
    let refused = altered.verify(&net.genesis()).unwrap_err();
    assert_eq!(refused.rule(), "fork-certificate", "{refused}");
    let cut = UntrustedForkFile::decode(&bytes[..bytes.len() - 1]).unwrap_err();
    assert_eq!(cut.rule(), "decode", "{cut}");
}

fn is_convicted(net: &Localnet, offender: ReplicaId, height: Height) -> bool {
    let key = StateKey::Evidence { epoch: Epoch(0), offender };
    let records: Option<Vec<EvidenceRecord>> = chain::state(net.hospital(4), &net.genesis(), &key);
    let about = |record: &EvidenceRecord| {
        (record.evidence.kind(), record.evidence.height()) == (EvidenceKind::Commit, height)
    };
    records.unwrap_or_default().iter().any(about)
}
