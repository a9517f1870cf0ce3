//! Step 8: two devices compare what they follow, and one starts from the other's newest entry.

use crate::World;
use amulet_app_api::ErrorCode;
use amulet_app_api::access::AccessLog;
use amulet_app_api::checkpoints::{
    CheckpointCode, CompareCheckpoint, ComparisonView, ShowCheckpoint, StartFromCheckpoint,
};
use amulet_tests::wallet::{Newcomer, Wallet};

/// The patient reads hers out; a device in a browser compares, mistypes, and starts from it.
pub async fn is_compared_and_started_from(world: &World, patient: &Newcomer) {
    let shown = patient.wallet.must(ShowCheckpoint {}).await;
    assert_eq!((shown.words_en.len(), shown.words_zh.len(), shown.started_from), (10, 10, None));
    let other = Wallet::over_http(world.net.network());
    let typed = |words: String| CheckpointCode::Words { height: shown.height, words };
    let scanned = |text: String| CheckpointCode::Text { text };
    let compare = async |code| other.must(CompareCheckpoint { code }).await;
    let same = ComparisonView::Same { height: shown.height, at: shown.at };
    assert_eq!(compare(typed(shown.words_en.join(" "))).await, same);
    assert_eq!(compare(typed(shown.words_zh.concat())).await, same);
    assert_eq!(compare(scanned(format!(" {}\n", shown.text))).await, same);

    let misread = |word: &str| {
        let mut words = shown.words_en.clone();
        words[2] = word.to_owned();
        typed(words.join(" "))
    };
    let another = if shown.words_en[2] == "zoo" { "zone" } else { "zoo" };
    let different = ComparisonView::Different { height: shown.height, word: Some(3) };
    assert_eq!(compare(misread(another)).await, different);
    let newer = CheckpointCode::Words { height: u64::MAX, words: shown.words_en.join(" ") };
    assert!(matches!(compare(newer).await, ComparisonView::Newer { height: u64::MAX, .. }));
    let chain = world.genesis.chain_id().to_string();
    let elsewhere = scanned(shown.text.replace(&chain, &"0".repeat(chain.len())));
    assert_eq!(compare(elsewhere).await, ComparisonView::OtherNetwork);
    let forged = scanned(format!("{}{}", &shown.text[..shown.text.len() - 64], "0".repeat(64)));
    assert_eq!(compare(forged.clone()).await, ComparisonView::Different { height: shown.height, word: None });

    let refused = other.fails(CompareCheckpoint { code: misread("abondon") }).await;
    assert_eq!(refused.code, ErrorCode::CheckpointWord);
    assert_eq!((refused.details["index"].as_str(), refused.details["suggestion"].as_str()), ("3", "abandon"));
    let refused = other.fails(CompareCheckpoint { code: typed(shown.words_en[1..].join(" ")) }).await;
    assert_eq!(refused.code, ErrorCode::CheckpointWordCount);
    let refused = other.fails(CompareCheckpoint { code: scanned("did:amulet:4xk".to_owned()) }).await;
    assert_eq!(refused.code, ErrorCode::CheckpointCode);

    let refused = other.must(StartFromCheckpoint { code: forged }).await;
    assert!(matches!(refused, ComparisonView::Different { .. }), "{refused:?}");
    assert_eq!(other.must(ShowCheckpoint {}).await.started_from, None, "nothing was changed");
    assert_eq!(other.must(StartFromCheckpoint { code: scanned(shown.text.clone()) }).await, same);
    assert_eq!(other.must(ShowCheckpoint {}).await.started_from, Some(shown.height));
    other.open_demo("wang-fang", world.net.passphrase()).await;
    assert!(other.must(AccessLog {}).await.complete, "what is older than the start is proven too");
}
