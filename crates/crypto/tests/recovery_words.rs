//! Recovery words as people type them, and the keys that come from them.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)]

use amulet_crypto::entropy::SeededEntropy;
use amulet_crypto::kdf::{KeyPath, Language, MAX_PHRASE_BYTES, PhraseError, Seed, SeedPhrase};
use proptest::prelude::*;

const ENGLISH: &str = "legal winner thank year wave sausage worth useful legal winner thank yellow";

fn words(text: &str) -> Vec<&'static str> {
    SeedPhrase::parse(text).unwrap_or_else(|error| panic!("{text}: {error}")).words()
}

fn refusal(text: &str) -> PhraseError {
    SeedPhrase::parse(text).err().unwrap_or_else(|| panic!("{text} was taken"))
}

fn replaced(index: usize, word: &str) -> String {
    let mut words: Vec<&str> = ENGLISH.split(' ').collect();
    words[index - 1] = word;
    words.join(" ")
}

fn chinese() -> Vec<&'static str> {
    SeedPhrase::generate(Language::SimplifiedChinese, &mut SeededEntropy::new(5)).words()
}

#[test]
fn english_is_read_however_it_is_typed() {
    let plain: Vec<&str> = ENGLISH.split(' ').collect();
    let variants = [
        ENGLISH.to_owned(),
        ENGLISH.to_uppercase(),
        format!("  {}\n", ENGLISH.replace(' ', " \t\r\n ")),
        ENGLISH.replace(' ', ", "),
        ENGLISH.replace(' ', "\u{3000}"),
        ENGLISH.replace(' ', "，"),
        ENGLISH.replace("year", "ｙｅａｒ"),
        format!("\u{feff}{ENGLISH}."),
    ];
    for text in variants {
        assert_eq!(words(&text), plain, "{text:?}");
        assert_eq!(SeedPhrase::parse(&text).unwrap().language(), Language::English);
    }
}

#[test]
fn chinese_is_read_however_it_is_typed() {
    let plain = chinese();
    for separator in [" ", "", "\u{3000}", "、", "，", "，\u{3000}", "\n", "  "] {
        let text = plain.join(separator);
        assert_eq!(words(&text), plain, "{text:?}");
        assert_eq!(SeedPhrase::parse(&text).unwrap().language(), Language::SimplifiedChinese);
    }
    let in_groups = format!("{} {}", plain[..4].concat(), plain[4..].concat());
    assert_eq!(words(&in_groups), plain);
}

#[test]
fn an_unknown_word_is_named_with_a_suggestion() {
    let unknown = |index: usize, word: &str, suggestion: Option<&str>| PhraseError::UnknownWord {
        index,
        word: word.into(),
        suggestion: suggestion.map(str::to_owned),
    };
    assert!(refusal(&replaced(4, "yeer")) == unknown(4, "yeer", Some("year")));
    assert!(refusal(&replaced(6, "sausgae")) == unknown(6, "sausgae", Some("sausage")));
    assert!(refusal(&replaced(1, "LEGALL")) == unknown(1, "legall", Some("legal")));
    assert!(refusal(&replaced(12, "yellowish")) == unknown(12, "yellowish", Some("yellow")));
    assert!(refusal(&replaced(3, "qqqqqqqq")) == unknown(3, "qqqqqqqq", None));
    let mut text = chinese();
    text[7] = "鱻";
    assert!(refusal(&text.join(" ")) == unknown(8, "鱻", None));
}

#[test]
fn the_number_of_words_is_told() {
    let count = |found| PhraseError::WrongCount { found, expected: 12 };
    assert!(refusal("") == count(0));
    assert!(refusal("legal winner") == count(2));
    assert!(refusal(&format!("{ENGLISH} legal")) == count(13));
    assert!(refusal(&chinese()[..11].concat()) == count(11));
    // Two words run together are one word too few, not an unknown word.
    assert!(refusal(&ENGLISH.replacen(' ', "", 1)) == count(11));
}

#[test]
fn languages_are_not_mixed() {
    assert!(refusal(&replaced(5, chinese()[0])) == PhraseError::MixedLanguages);
    assert!(refusal(&replaced(5, "wave的")) == PhraseError::MixedLanguages);
}

#[test]
fn a_failed_checksum_names_a_word_only_if_one_slip_of_it_explains() {
    let checksum = |likely| PhraseError::Checksum { likely };
    // "worth" written down as "north", and nothing else is one letter away from a valid phrase.
    assert!(refusal(&replaced(7, "north")) == checksum(Some(7)));
    // "thank" as "tank" would be explained by a slip of word 3, 4 or 5: none is named.
    assert!(refusal(&replaced(3, "tank")) == checksum(None));
    // A wrong word that is like no other, and two words swapped, are no slip of a letter.
    assert!(refusal(&replaced(12, "abstract")) == checksum(None));
    let swapped = "winner legal thank year wave sausage worth useful legal winner thank yellow";
    assert!(refusal(swapped) == checksum(None));
    let mut text = chinese();
    text.swap(0, 1);
    assert!(refusal(&text.concat()) == checksum(None));
}

#[test]
fn long_texts_are_refused_before_they_are_worked_on() {
    let text = "legal ".repeat(1000);
    assert!(refusal(&text) == PhraseError::TooLong { found: text.len() });
    assert!(text.len() > MAX_PHRASE_BYTES);
}

#[test]
fn errors_and_debug_output_do_not_show_words() {
    let error = refusal(&replaced(4, "yeer"));
    assert_eq!(error.to_string(), "word 4 is not in the word list");
    assert!(!format!("{error:?}").contains("yeer"));
    let phrase = SeedPhrase::parse(ENGLISH).unwrap();
    assert!(!format!("{phrase:?}").contains("legal"));
    assert_eq!(format!("{:?}", phrase.to_seed()), "Seed(…)");
}

#[test]
fn new_phrases_differ_and_read_back() {
    let mut entropy = SeededEntropy::new(1);
    for language in [Language::English, Language::SimplifiedChinese] {
        let first = SeedPhrase::generate(language, &mut entropy);
        let second = SeedPhrase::generate(language, &mut entropy);
        assert_eq!(first.words().len(), 12);
        assert_ne!(first.words(), second.words());
        let again = SeedPhrase::parse(&first.words().join(" ")).unwrap();
        assert_eq!(*again.to_seed().expose_secret(), *first.to_seed().expose_secret());
    }
}

/// The seed is made from the words, so the language is part of it.
#[test]
fn the_same_entropy_in_two_languages_is_two_seeds() {
    let make = |language| SeedPhrase::generate(language, &mut SeededEntropy::new(9)).to_seed();
    assert_ne!(*make(Language::English).expose_secret(), *make(Language::SimplifiedChinese).expose_secret());
}

/// Pins the derivation: a wallet restored from its words must find its keys for ever. The values were computed from
/// `docs/spec/crypto.md` with Python's `hashlib` and `cryptography`.
#[test]
fn derived_keys_are_pinned() {
    let seed = SeedPhrase::parse(ENGLISH).unwrap().to_seed();
    let path = KeyPath::new("identity", 0).child("device", 2);
    assert_eq!(path.to_string(), "/identity'0/device'2");
    assert_eq!(
        hex::encode(*seed.derive_signing_key(&path).expose_secret()),
        "ee9a249b774e43045511034f4b7b02f01bdd50bc32f6238a4a50bef9893a496d"
    );
    assert_eq!(
        hex::encode(*seed.derive_agreement_key(&path).expose_secret()),
        "69f89ec659c62dd128d6c34f00d45012ded9dfd430d7866dcbb508c37df60108"
    );
    assert_eq!(
        hex::encode(*seed.derive_content_key(&path).expose_secret()),
        "b2e3725a2b156ac20039f57e524d837d"
    );
}

#[test]
fn every_path_and_kind_has_its_own_key() {
    let seed = Seed::from_bytes(&[9; 64]);
    let paths = [
        KeyPath::new("identity", 0),
        KeyPath::new("identity", 1),
        KeyPath::new("identity", 256),
        KeyPath::new("identit", 0),
        KeyPath::new("identity", 0).child("identity", 0),
        KeyPath::new("records", 0),
    ];
    let mut keys = std::collections::BTreeSet::new();
    for path in &paths {
        keys.insert(seed.derive_signing_key(path).expose_secret().to_vec());
        keys.insert(seed.derive_agreement_key(path).expose_secret().to_vec());
        keys.insert(seed.derive_content_key(path).expose_secret().to_vec());
    }
    assert_eq!(keys.len(), 3 * paths.len());
    assert_ne!(
        *Seed::from_bytes(&[8; 64]).derive_content_key(&paths[0]).expose_secret(),
        *seed.derive_content_key(&paths[0]).expose_secret()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_is_read_or_refused(text in "[a-z的一 ,]{0,200}|\\PC{0,80}") {
        let _ = SeedPhrase::parse(&text);
    }

    #[test]
    fn a_wrong_listed_word_never_gives_the_same_seed(seed: u64, position in 0usize..12, word in 0usize..2048) {
        let phrase = SeedPhrase::generate(Language::English, &mut SeededEntropy::new(seed));
        let mut words = phrase.words();
        prop_assume!(words[position] != Language::English.word_list()[word]);
        words[position] = Language::English.word_list()[word];
        if let Ok(other) = SeedPhrase::parse(&words.join(" ")) {
            prop_assert_ne!(other.words(), phrase.words());
        }
    }
}
