//! Recovery words and the making of a wallet that no hospital hears of.

use crate::setup::{Device, call, genesis, refused, service};
use crate::test;
use amulet_app_api::wallet::{
    CheckWords, CreateWallet, Language, NewWords, PassphraseStrength, RestoreWallet, WordsView,
};
use amulet_app_api::{ApiError, ErrorCode};
use amulet_protocol::genesis::Genesis;
use amulet_wallet::service::Service;
use amulet_wallet::store::DeviceStore;

const PASSPHRASE: &str = "院子里三棵石榴树开花";

fn create(genesis: &Genesis, answers: Vec<String>, passphrase: &str) -> CreateWallet {
    CreateWallet {
        name: "新人".to_owned(),
        answers,
        passphrase: passphrase.to_owned(),
        hospital: genesis.organisations[1].did().to_string(),
    }
}

fn answers(shown: &WordsView) -> Vec<String> {
    shown.ask.iter().map(|position| shown.words[position - 1].clone()).collect()
}

#[test]
async fn words_are_made_in_either_language_and_recognised() {
    let service = service(&genesis(1), &Device::default(), &[]);
    for language in [Language::En, Language::Zh] {
        let shown = call(&service, NewWords { language }).await.unwrap();
        assert_eq!(shown.words.len(), 12);
        for separator in [" ", ",  "] {
            let text = shown.words.join(separator).to_uppercase();
            assert_eq!(call(&service, CheckWords { text }).await.unwrap().language, language);
        }
    }
}

#[test]
async fn one_wrong_word_is_named() {
    let service = service(&genesis(1), &Device::default(), &[]);
    let text = "abandon abandon abandon abandn abandon abandon abandon abandon abandon abandon abandon about";
    let error = refused(&service, CheckWords { text: text.to_owned() }).await;
    let expected = ApiError::new(ErrorCode::WordUnknown)
        .with("index", 4)
        .with("word", "abandn")
        .with("suggestion", "abandon");
    assert_eq!(error, expected);
    let error = refused(&service, CheckWords { text: "abandon about".to_owned() }).await;
    assert_eq!(error, ApiError::new(ErrorCode::WordCount).with("found", 2).with("expected", 12));
    let swapped =
        "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about abandon";
    assert_eq!(
        refused(&service, CheckWords { text: swapped.to_owned() }).await.code,
        ErrorCode::WordChecksum
    );
}

#[test]
async fn no_wallet_is_made_by_halves() {
    let (genesis, device) = (genesis(1), Device::default());
    let service = service(&genesis, &device, &[]);
    let never = refused(&service, create(&genesis, vec![], PASSPHRASE)).await;
    assert_eq!(never.code, ErrorCode::NoPendingWords);

    let shown = call(&service, NewWords { language: Language::Zh }).await.unwrap();
    let mut wrong = answers(&shown);
    wrong[1] = "错".to_owned();
    let differ = refused(&service, create(&genesis, wrong, PASSPHRASE)).await;
    assert_eq!(differ, ApiError::new(ErrorCode::WordsDiffer).with("index", shown.ask[1]));
    let weak = refused(&service, create(&genesis, answers(&shown), "12345678")).await;
    assert_eq!(weak.code, ErrorCode::WeakPassphrase);
    let mut unknown = create(&genesis, answers(&shown), PASSPHRASE);
    unknown.hospital = "did:amulet:3yZe7d".to_owned();
    assert_eq!(refused(&service, unknown).await.code, ErrorCode::BadRequest);

    // No hospital hears of it, twice: the words still wait, and nothing is left on the device.
    for _ in 0..2 {
        assert!(is_offline(&service, create(&genesis, answers(&shown), PASSPHRASE)).await);
        assert_eq!(device.list().unwrap(), Vec::<String>::new());
    }
}

async fn is_offline(service: &Service, create: CreateWallet) -> bool {
    refused(service, create).await.code == ErrorCode::Unreachable
}

#[test]
async fn a_wallet_is_not_restored_without_asking_the_ledger() {
    let (genesis, device) = (genesis(1), Device::default());
    let service = service(&genesis, &device, &[]);
    let shown = call(&service, NewWords { language: Language::En }).await.unwrap();
    let restore = RestoreWallet {
        name: "Again".to_owned(),
        words: shown.words.join(" "),
        passphrase: PASSPHRASE.to_owned(),
        hospital: genesis.organisations[0].did().to_string(),
    };
    assert_eq!(refused(&service, restore).await.code, ErrorCode::Unreachable);
    assert_eq!(device.list().unwrap(), Vec::<String>::new());
}

#[test]
async fn a_passphrase_is_judged_while_it_is_typed() {
    let service = service(&genesis(1), &Device::default(), &[]);
    let judge = |text: &str| call(&service, PassphraseStrength { passphrase: text.to_owned() });
    assert!(!judge("password1").await.unwrap().accepted);
    assert!(judge(PASSPHRASE).await.unwrap().accepted);
}
