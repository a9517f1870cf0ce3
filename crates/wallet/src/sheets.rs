//! A guardian's sheet as the text of its QR code: a prefix and the numbers of its twenty words, four digits each.

use amulet_crypto::kdf::{GuardianShare, SHARE_WORDS, ShareError};
use std::fmt::Write;
use zeroize::Zeroizing;

/// What the QR code of every sheet starts with.
pub const SHEET_PREFIX: &str = "AMULETG1:";
const DIGITS: usize = 4;

/// The text of a sheet's QR code.
#[must_use]
pub fn qr_text(share: &GuardianShare) -> String {
    let mut text = String::with_capacity(SHEET_PREFIX.len() + SHARE_WORDS * DIGITS);
    text.push_str(SHEET_PREFIX);
    for number in share.numbers().iter() {
        let _ = write!(text, "{number:0DIGITS$}");
    }
    text
}

/// Reads a sheet as it was scanned or typed.
///
/// # Errors
/// [`ShareError`], by variant.
pub fn parse(text: &str) -> Result<GuardianShare, ShareError> {
    let text = text.trim();
    let start = text.get(..SHEET_PREFIX.len()).unwrap_or_default();
    if !start.eq_ignore_ascii_case(SHEET_PREFIX) {
        return GuardianShare::parse(text);
    }
    let digits = &text.as_bytes()[SHEET_PREFIX.len()..];
    let mut words = Zeroizing::new(String::with_capacity(digits.len() * 2));
    for number in digits.chunks(DIGITS) {
        words.push_str(std::str::from_utf8(number).unwrap_or("?"));
        words.push(' ');
    }
    GuardianShare::parse(&words)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use amulet_crypto::entropy::SeededEntropy;
    use amulet_crypto::kdf::{Language, SeedPhrase};

    #[test]
    fn a_sheet_is_read_from_its_code_its_words_and_its_numbers() {
        let phrase = SeedPhrase::generate(Language::English, &mut SeededEntropy::new(1));
        let shares = phrase.split(2, 2, &mut SeededEntropy::new(2)).unwrap();
        let numbers: Vec<String> = shares[0].numbers().iter().map(u16::to_string).collect();
        for text in [qr_text(&shares[0]), shares[0].words().join(" "), numbers.join(" ")] {
            assert_eq!(parse(&format!(" {text}\n")).unwrap().words(), shares[0].words());
        }
        let cut = qr_text(&shares[0]);
        assert_eq!(parse(&cut[..cut.len() - DIGITS]).unwrap_err(), ShareError::WrongCount { found: 19 });
        assert!(parse("AMULETG1:甲乙丙").is_err());
    }
}
