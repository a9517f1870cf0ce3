//! Step 1: twelve words, shown and checked; a passphrase; a DID on the ledger; and the same wallet from its words.

use crate::World;
use amulet_app_api::ErrorCode;
use amulet_app_api::wallet::{
    CheckWords, CreateWallet, Language, Lock, NewWords, PassphraseStrength, RestoreWallet, Status, Unlock,
};
use amulet_protocol::state::{Identity, StateKey};
use amulet_tests::chain;
use amulet_tests::hospital::did;
use amulet_tests::wallet::{Newcomer, PASSPHRASE, Wallet};

/// The patient of the whole path.
pub async fn create(world: &World) -> Newcomer {
    let wallet = Wallet::over_libp2p(world.net.network());
    let status = wallet.must(Status {}).await;
    assert!(status.wallets.is_empty() && status.session.is_none());
    assert_eq!(status.hospitals.len(), 4);
    let words = wallet.must(NewWords { language: Language::Zh }).await;
    assert_eq!(words.words.len(), 12);
    weak_passphrases_and_wrong_answers_are_refused(&wallet).await;
    let newcomer = wallet.create("林桦", 1).await;
    let session = &newcomer.session;
    let identity = did(session.did());
    world.net.same_head(std::time::Duration::from_secs(20));
    for hospital in world.net.hospitals() {
        let state: Option<Identity> = chain::state(hospital, &world.genesis, &StateKey::Identity(identity));
        let state = state.expect("the identity is registered");
        assert_eq!(state.signing.fingerprint().as_bytes()[..20], identity.as_bytes()[..]);
    }
    opens_and_locks(&newcomer).await;
    comes_back_from_its_words(world, &newcomer).await;
    newcomer
}

async fn weak_passphrases_and_wrong_answers_are_refused(wallet: &Wallet) {
    let strength = wallet.must(PassphraseStrength { passphrase: "password1".to_owned() }).await;
    assert!(!strength.accepted);
    assert!(strength.hint.is_some());
    assert!(wallet.must(PassphraseStrength { passphrase: PASSPHRASE.to_owned() }).await.accepted);
    let shown = wallet.must(NewWords { language: Language::En }).await;
    let hospital = wallet.hospitals().await[0].did.clone();
    let right: Vec<String> = shown.ask.iter().map(|position| shown.words[position - 1].clone()).collect();
    let mut wrong = right.clone();
    wrong[0] = "zebra zebra".to_owned();
    let request = |answers: &[String], passphrase: &str| CreateWallet {
        name: "林桦".to_owned(),
        answers: answers.to_vec(),
        passphrase: passphrase.to_owned(),
        hospital: hospital.clone(),
    };
    let error = wallet.fails(request(&wrong, PASSPHRASE)).await;
    assert_eq!(error.code, ErrorCode::WordsDiffer);
    assert_eq!(error.details["index"], shown.ask[0].to_string());
    assert_eq!(wallet.fails(request(&right, "password1")).await.code, ErrorCode::WeakPassphrase);
    assert!(wallet.must(Status {}).await.wallets.is_empty(), "a refused wallet leaves nothing behind");
}

async fn opens_and_locks(newcomer: &Newcomer) {
    let wallet = &newcomer.wallet;
    let id = newcomer.session.wallet.id.clone();
    wallet.must(Lock {}).await;
    let wrong = Unlock { id: id.clone(), passphrase: format!("{PASSPHRASE}!") };
    assert_eq!(wallet.fails(wrong).await.code, ErrorCode::WrongPassphrase);
    assert_eq!(wallet.fails(amulet_app_api::records::Records {}).await.code, ErrorCode::Locked);
    let session = wallet.must(Unlock { id, passphrase: PASSPHRASE.to_owned() }).await;
    assert_eq!(session, newcomer.session);
}

async fn comes_back_from_its_words(world: &World, newcomer: &Newcomer) {
    let other_device = Wallet::over_http(world.net.network());
    let mut wrong = newcomer.words.clone();
    wrong[4] = format!("{}x", wrong[4]);
    let error = other_device.fails(CheckWords { text: wrong.join(" ") }).await;
    assert_eq!(error.code, ErrorCode::WordUnknown);
    assert_eq!(error.details["index"], "5");
    assert_eq!(error.details["suggestion"], newcomer.words[4]);
    let restored = RestoreWallet {
        name: "林桦".to_owned(),
        words: newcomer.words.join(" "),
        passphrase: PASSPHRASE.to_owned(),
        hospital: newcomer.session.hospital.did.clone(),
    };
    assert_eq!(other_device.must(restored).await.did(), newcomer.session.did());
}
