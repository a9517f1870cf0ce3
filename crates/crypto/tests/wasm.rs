//! The same cryptography in a browser: each part once, against values made outside of it.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::unwrap_used)]

use amulet_crypto::content::{ContentKey, open_content, seal_content};
use amulet_crypto::digest::{Tag, sm3};
use amulet_crypto::entropy::{Entropy, SeededEntropy, SystemEntropy};
use amulet_crypto::kdf::{Language, SeedPhrase};
use amulet_crypto::passphrase::{PassphraseError, PassphraseParams, derive_key};
use amulet_crypto::sealed_box::{AgreementKey, SealContext, SealedBox};
use amulet_crypto::signing::{ChainTag, Signature, SignatureError, SigningContext, SigningKey, USER_ID, raw};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

const CHAIN: ChainTag = ChainTag([1; 32]);

#[wasm_bindgen_test]
fn hashes_as_the_standard_says() {
    let digest = sm3(b"abc").to_string();
    assert_eq!(digest, "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");
}

#[wasm_bindgen_test]
fn verifies_the_standards_signature() {
    let secret = hex::decode("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8").unwrap();
    let key = SigningKey::from_bytes(&secret.try_into().unwrap()).unwrap();
    let signature: Signature = concat!(
        "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3",
        "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
    )
    .parse()
    .unwrap();
    raw::verify_with_id(key.public_key(), USER_ID, b"message digest", &signature).unwrap();
}

#[wasm_bindgen_test]
fn signs_and_verifies_with_the_pages_randomness() {
    let key = SigningKey::generate(&mut SystemEntropy);
    let signature = key.sign(SigningContext::Transaction, &CHAIN, b"message");
    let verify = |message| key.public_key().verify(SigningContext::Transaction, &CHAIN, message, &signature);
    assert_eq!(verify(b"message"), Ok(()));
    assert_eq!(verify(b"other"), Err(SignatureError::Mismatch));
}

#[wasm_bindgen_test]
fn the_pages_randomness_does_not_repeat() {
    let draw = || {
        let mut bytes = [0; 32];
        SystemEntropy.fill(&mut bytes);
        bytes
    };
    assert_ne!(draw(), draw());
}

/// Boxes and content made natively open here: the fixtures are those of the native tests.
#[wasm_bindgen_test]
fn opens_what_was_sealed_elsewhere() {
    let context = SealContext::new(Tag::new("amulet/v1/test"), &[b"record 1"]);
    let sealed: SealedBox = include_str!("fixtures/sealed_box.hex").trim().parse().unwrap();
    let key = AgreementKey::generate(&mut SeededEntropy::new(1));
    assert_eq!(**sealed.open(&key, &context).unwrap(), *b"a content key");
    let content = hex::decode(include_str!("fixtures/content.hex").trim()).unwrap();
    let key = ContentKey::from_bytes(&[3; 16]);
    assert_eq!(**open_content(&key, b"record 1", &content).unwrap(), *b"potassium 5.1");
}

#[wasm_bindgen_test]
fn seals_and_opens() {
    let key = AgreementKey::generate(&mut SystemEntropy);
    let context = SealContext::new(Tag::new("amulet/v1/test"), &[b"x"]);
    let sealed = SealedBox::seal(key.public_key(), &context, b"secret", &mut SystemEntropy).unwrap();
    assert_eq!(**sealed.open(&key, &context).unwrap(), *b"secret");
    let key = ContentKey::generate(&mut SystemEntropy);
    let content = seal_content(&key, b"a", b"content", &mut SystemEntropy).unwrap();
    assert_eq!(**open_content(&key, b"a", &content).unwrap(), *b"content");
}

#[wasm_bindgen_test]
fn recovery_words_read_back() {
    let phrase = SeedPhrase::generate(Language::SimplifiedChinese, &mut SystemEntropy);
    let again = SeedPhrase::parse(&phrase.words().concat()).unwrap();
    assert_eq!(*again.to_seed().expose_secret(), *phrase.to_seed().expose_secret());
}

#[wasm_bindgen_test]
fn a_passphrase_opens_what_it_sealed() {
    let params = PassphraseParams::floor(&mut SystemEntropy);
    let sealed = derive_key("right", &params).unwrap().seal(b"", b"seed", &mut SystemEntropy).unwrap();
    assert_eq!(**derive_key("right", &params).unwrap().open(b"", &sealed).unwrap(), *b"seed");
    let wrong = derive_key("wrong", &params).unwrap().open(b"", &sealed);
    assert_eq!(wrong, Err(PassphraseError::WrongPassphrase));
}
