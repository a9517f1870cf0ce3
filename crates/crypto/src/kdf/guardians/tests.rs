#![allow(clippy::unwrap_used)]

use super::*;
use crate::entropy::SeededEntropy;
use alloc::string::ToString;
use proptest::prelude::*;
use serde_json::Value;

/// The standard's own examples; their passphrase is "TREZOR". Those of 128 bits in one group are ours to read.
#[test]
fn the_standards_vectors() {
    let vectors: Value =
        serde_json::from_str(include_str!("../../../tests/fixtures/standards/slip39.json")).unwrap();
    let (mut right, mut refused) = (0, 0);
    for vector in vectors.as_array().unwrap() {
        let about = vector["about"].as_str().unwrap();
        let texts = vector["shares"].as_array().unwrap().iter().map(|share| share.as_str().unwrap());
        let shares: Result<Vec<_>, _> = texts.map(GuardianShare::parse).collect();
        let secret = vector["secret"].as_str().unwrap();
        match shares
            .map_err(|error| error.to_string())
            .and_then(|shares| combine_with(&shares, b"TREZOR").map_err(|error| error.to_string()))
        {
            Ok(found) => {
                assert_eq!(hex::encode(*found), secret, "{about}");
                right += 1;
            }
            Err(error) => {
                let is_other = error.contains("another form") || error.contains("20 words");
                assert!(secret.is_empty() || is_other, "{about}: {error}");
                refused += 1;
            }
        }
    }
    // Numbers 1, 4, 42 and 43, and 41, which is three of 128 bits too.
    assert_eq!((right, right + refused), (5, 45));
}

fn phrase(seed: u64) -> SeedPhrase {
    SeedPhrase::generate(Language::SimplifiedChinese, &mut SeededEntropy::new(seed))
}

fn again(share: &GuardianShare) -> GuardianShare {
    GuardianShare::parse(&share.words().join(" ")).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_threshold_of_shares_gives_the_words_back(
        seed: u64, threshold in 2_u8..=6, more in 0_u8..=4, order in any::<u64>(),
    ) {
        let words = phrase(seed);
        let shares = words.split(threshold, threshold + more, &mut SeededEntropy::new(seed ^ 1)).unwrap();
        let mut some: Vec<_> = shares.iter().map(again).collect();
        some.rotate_left(usize::try_from(order % 16).unwrap() % shares.len());
        some.truncate(threshold.into());
        let back = SeedPhrase::combine(&some, words.language()).unwrap();
        prop_assert_eq!(back.words(), words.words());
        some.pop();
        let few = SeedPhrase::combine(&some, words.language()).unwrap_err();
        let (have, needed) = (usize::from(threshold) - 1, usize::from(threshold));
        prop_assert_eq!(few, CombineError::TooFew { have, needed });
    }
}

#[test]
fn people_type_numbers_beginnings_and_slips() {
    let shares = phrase(5).split(2, 3, &mut SeededEntropy::new(6)).unwrap();
    let numbers: Vec<String> = shares[0].numbers().iter().map(u16::to_string).collect();
    let by_number = GuardianShare::parse(&numbers.join("，")).unwrap();
    let beginnings: Vec<&str> = shares[1].words().iter().map(|word| &word[..4]).collect();
    let by_beginning = GuardianShare::parse(&beginnings.join("  ").to_uppercase()).unwrap();
    let back = SeedPhrase::combine(&[by_number, by_beginning], Language::SimplifiedChinese).unwrap();
    assert_eq!(back.words(), phrase(5).words());

    let mut words = shares[2].words();
    words.swap(5, 6);
    assert_eq!(GuardianShare::parse(&words.join(" ")).unwrap_err(), ShareError::Checksum);
    let typed = shares[2].words().join(" ").replacen(shares[2].words()[3], "zzzzzz", 1);
    assert!(matches!(GuardianShare::parse(&typed).unwrap_err(), ShareError::UnknownWord { index: 4, .. }));
    assert_eq!(GuardianShare::parse("academic").unwrap_err(), ShareError::WrongCount { found: 1 });
    assert_eq!(GuardianShare::parse(&"1 ".repeat(600)).unwrap_err(), ShareError::TooLong { found: 1200 });
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let (first, second) = (&mut SeededEntropy::new(1), &mut SeededEntropy::new(2));
    let ours = phrase(7).split(2, 3, first).unwrap();
    let other = phrase(7).split(2, 3, second).unwrap();
    let mixed = SeedPhrase::combine(&[again(&ours[0]), again(&other[1])], Language::English).unwrap_err();
    let (first, other) = (ours[0].set().number(), other[1].set().number());
    assert_eq!(mixed, CombineError::Mixed { first, other });
    let twice = SeedPhrase::combine(&[again(&ours[0]), again(&ours[0])], Language::English).unwrap_err();
    assert_eq!(twice, CombineError::TooFew { have: 1, needed: 2 });
    let forged = GuardianShare { value: HeapSecret::copied(&[7; ENTROPY_BYTES]), ..again(&ours[2]) };
    for others in [1, 2] {
        let given: Vec<_> = ours[..others].iter().map(again).chain([again(&forged)]).collect();
        assert_eq!(SeedPhrase::combine(&given, Language::English).unwrap_err(), CombineError::Contradiction);
    }
    for (guardians, threshold) in [(3, 1), (2, 3), (17, 2)] {
        let refused = phrase(7).split(threshold, guardians, &mut SeededEntropy::new(1)).unwrap_err();
        assert_eq!(refused, SplitError::Count { guardians, threshold });
    }
}
