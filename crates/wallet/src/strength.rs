//! How strong a passphrase is: an estimate of the guesses that somebody needs who has stolen the wallet file.
//!
//! The passphrase is cut into the pieces an attacker would try (listed passphrases, words, dates, runs on the keyboard,
//! repeats), and each piece counts with the bits it costs to guess, not with its length. Chinese characters count as what
//! they are: one out of some thousands, fewer in context. The well-known estimator `zxcvbn` is not used because its word
//! lists would double what a browser has to load, and know no Chinese at all.
//!
//! The scale fits Argon2id at its floor: some hundred guesses a second on a strong machine, so 40 bits hold for centuries
//! against one machine and for a long time against a thousand.

use amulet_app_api::wallet::{StrengthHint, StrengthView};
use amulet_crypto::kdf::Language;
use amulet_crypto::passphrase::MAX_PASSPHRASE_BYTES;

/// Bits below which a passphrase protects no wallet.
pub const ACCEPTED_BITS: f64 = 40.0;
/// Lower ends of the scores 1 to 4, in bits; a wallet takes 3 and 4.
const SCORE_BITS: [f64; 4] = [18.0, 28.0, ACCEPTED_BITS, 55.0];
/// Characters that are looked at; what comes after cannot make it weaker, and the work stays small while typing.
const CHARS_MAX: usize = 128;

/// What attackers try first, most common first: world-wide and Chinese favourites, lower case.
const COMMON: &[&str] = &[
    "123456",
    "password",
    "qwerty",
    "111111",
    "abc123",
    "iloveyou",
    "admin",
    "letmein",
    "welcome",
    "monkey",
    "dragon",
    "football",
    "baseball",
    "master",
    "sunshine",
    "princess",
    "shadow",
    "superman",
    "login",
    "passw0rd",
    "trustno1",
    "starwars",
    "whatever",
    "secret",
    "michael",
    "jordan",
    "hello",
    "freedom",
    "charlie",
    "hunter",
    "woaini",
    "5201314",
    "1314520",
    "woaini1314",
    "woaiwojia",
    "a123456",
    "zxcvbnm",
    "asdfghjkl",
    "qazwsx",
    "1qaz2wsx",
    "qwe123",
    "zaq12wsx",
    "changeme",
    "default",
    "guest",
    "test",
    "root",
    "pass",
    "amulet",
    "hospital",
    "doctor",
    "patient",
    "health",
    "china",
    "beijing",
    "shanghai",
    "我爱你",
    "密码",
    "你好",
    "我的密码",
    "护身符",
    "医院",
    "身体健康",
    "万事如意",
    "一生平安",
    "平安",
    "健康",
    "芝麻开门",
    "生日快乐",
    "新年快乐",
    "中国",
];

/// Rows in which fingers and minds run.
const RUNS: &[&str] = &[
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
    "零一二三四五六七八九十",
    "甲乙丙丁戊己庚辛壬癸",
];

/// Little words that join others.
const LITTLE: &[&str] = &[
    "a", "i", "in", "on", "at", "to", "of", "is", "it", "my", "me", "we", "he", "an", "and", "the", "for",
    "you", "are", "was", "not", "but", "her", "his", "our", "all", "who", "how", "why", "has", "had", "its",
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Common,
    Pattern,
    Word,
    Other,
}

struct Piece {
    chars: usize,
    bits: f64,
    kind: Kind,
}

/// Judges a passphrase as typed so far.
#[must_use]
pub fn judge(passphrase: &str) -> StrengthView {
    let chars: Vec<char> = passphrase.chars().map(fold).take(CHARS_MAX).collect();
    let (bits, weakest) = estimate(&chars);
    let fits = passphrase.len() <= MAX_PASSPHRASE_BYTES;
    let score = SCORE_BITS.iter().filter(|limit| bits >= **limit).count();
    let accepted = bits >= ACCEPTED_BITS && fits;
    let hint = match (score, weakest) {
        (4, _) => None,
        (_, Kind::Common) if !accepted => Some(StrengthHint::Common),
        (_, Kind::Pattern) if !accepted => Some(StrengthHint::Pattern),
        (0 | 1, _) => Some(StrengthHint::Longer),
        _ => Some(StrengthHint::MoreWords),
    };
    StrengthView { score: u8::try_from(score).unwrap_or(4), accepted, hint }
}

/// Full-width to ordinary, upper to lower case.
fn fold(c: char) -> char {
    let half = match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        '\u{3000}' => ' ',
        other => other,
    };
    half.to_lowercase().next().unwrap_or(half)
}

/// Bits of the whole, and the kind of piece that covers most characters.
fn estimate(chars: &[char]) -> (f64, Kind) {
    if let Some(unit) = repeated_unit(chars) {
        let (bits, _) = estimate(&chars[..unit]);
        let times = chars.len() / unit;
        return (bits + (times as f64).log2(), Kind::Pattern);
    }
    let mut rest = chars;
    let mut bits = 0.0;
    let mut covered = [0usize; 4];
    while !rest.is_empty() {
        let piece = next_piece(rest);
        bits += piece.bits;
        covered[piece.kind as usize] += piece.chars;
        rest = &rest[piece.chars..];
    }
    let total = chars.len().max(1);
    let weakest = if covered[Kind::Common as usize] * 2 >= total {
        Kind::Common
    } else if covered[Kind::Pattern as usize] * 2 >= total {
        Kind::Pattern
    } else if covered[Kind::Word as usize] * 2 >= total {
        Kind::Word
    } else {
        Kind::Other
    };
    (bits, weakest)
}

/// Length of the part that the whole repeats, if it does.
fn repeated_unit(chars: &[char]) -> Option<usize> {
    (1..=chars.len() / 2).find(|unit| {
        chars.len().is_multiple_of(*unit) && chars.chunks(*unit).all(|part| part == &chars[..*unit])
    })
}

/// The piece at the start that costs an attacker least for each character, else one character.
fn next_piece(chars: &[char]) -> Piece {
    let candidates = [common(chars), run(chars), same(chars), date(chars), word(chars)];
    let cost = |piece: &Piece| piece.bits / piece.chars as f64;
    let best = candidates.into_iter().flatten().min_by(|a, b| cost(a).total_cmp(&cost(b)));
    best.unwrap_or_else(|| single(chars[0]))
}

fn common(chars: &[char]) -> Option<Piece> {
    let found = COMMON.iter().enumerate().filter(|(_, entry)| starts_with(chars, entry));
    let (rank, entry) = found.max_by_key(|(_, entry)| entry.chars().count())?;
    Some(Piece { chars: entry.chars().count(), bits: ((rank + 2) as f64).log2() + 1.0, kind: Kind::Common })
}

/// A run of at least three neighbours of a row, forwards or backwards.
fn run(chars: &[char]) -> Option<Piece> {
    let longest = RUNS.iter().map(|row| run_length(chars, row)).max()?;
    (longest >= 3).then(|| Piece { chars: longest, bits: 6.0 + (longest as f64).log2(), kind: Kind::Pattern })
}

fn run_length(chars: &[char], row: &str) -> usize {
    let row: Vec<char> = row.chars().collect();
    let place = |c: char| row.iter().position(|other| *other == c);
    let along = |step: isize| {
        let neighbours = chars.windows(2).take_while(|pair| match (place(pair[0]), place(pair[1])) {
            (Some(a), Some(b)) => b as isize - a as isize == step,
            _ => false,
        });
        neighbours.count() + 1
    };
    along(1).max(along(-1))
}

fn same(chars: &[char]) -> Option<Piece> {
    let times = chars.iter().take_while(|c| **c == chars[0]).count();
    let bits = single(chars[0]).bits + (times as f64).log2();
    (times >= 3).then_some(Piece { chars: times, bits, kind: Kind::Pattern })
}

/// A year of the last and this century, or a whole date without separators.
fn date(chars: &[char]) -> Option<Piece> {
    let digits = chars.iter().take_while(|c| c.is_ascii_digit()).count();
    let year = starts_with(chars, "19") || starts_with(chars, "20");
    match (year, digits) {
        (true, 8..) => Some(Piece { chars: 8, bits: 15.0, kind: Kind::Other }),
        (true, 4..) => Some(Piece { chars: 4, bits: 7.0, kind: Kind::Other }),
        _ => None,
    }
}

/// A run of Latin letters: a listed word costs 11 bits, a little one 5; other letters that could be spoken cost what
/// letters of a word cost, and letters that could not cost their full 4.7 bits.
fn word(chars: &[char]) -> Option<Piece> {
    let letters = chars.iter().take_while(|c| c.is_ascii_lowercase()).count();
    if letters == 0 {
        return None;
    }
    let text: String = chars[..letters].iter().collect();
    let listed = Language::English.word_list().binary_search(&text.as_str()).is_ok();
    let bits = if LITTLE.contains(&text.as_str()) {
        5.0
    } else if listed {
        11.0
    } else if let Some(piece) = listed_start(chars, letters) {
        return Some(piece);
    } else if is_spoken(&text) {
        (letters as f64 * 2.3).max(5.0)
    } else {
        letters as f64 * 4.7
    };
    Some(Piece { chars: letters, bits, kind: Kind::Word })
}

/// Words written together: the longest listed word of four or more letters at the start.
fn listed_start(chars: &[char], letters: usize) -> Option<Piece> {
    (4..letters.min(9)).rev().find_map(|length| {
        let start: String = chars[..length].iter().collect();
        let listed = Language::English.word_list().binary_search(&start.as_str()).is_ok();
        listed.then_some(Piece { chars: length, bits: 11.0, kind: Kind::Word })
    })
}

/// Whether letters alternate as in words and pinyin: a fair share of vowels, and no five consonants together.
fn is_spoken(text: &str) -> bool {
    let is_vowel = |c: char| matches!(c, 'a' | 'e' | 'i' | 'o' | 'u' | 'y');
    let vowels = text.chars().filter(|c| is_vowel(*c)).count();
    let longest = text.split(is_vowel).map(str::len).max().unwrap_or(0);
    vowels * 5 >= text.len() && longest < 5
}

fn single(c: char) -> Piece {
    let bits = match c {
        ' ' => 1.0,
        '0'..='9' => 3.3,
        'a'..='z' => 4.7,
        '!'..='~' => 5.0,
        '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{323af}' => 7.0,
        _ => 5.0,
    };
    Piece { chars: 1, bits, kind: Kind::Other }
}

fn starts_with(chars: &[char], text: &str) -> bool {
    let mut rest = chars.iter();
    text.chars().all(|c| rest.next() == Some(&c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_attackers_try_first_is_refused_with_the_right_advice() {
        for (passphrase, hint) in [
            ("", StrengthHint::Longer),
            ("hello", StrengthHint::Common),
            ("Password", StrengthHint::Common),
            ("password123", StrengthHint::Common),
            ("woaini1314", StrengthHint::Common),
            ("我爱你", StrengthHint::Common),
            ("12345678901234", StrengthHint::Pattern),
            ("qwertyuiopasdfghjkl", StrengthHint::Common),
            ("poiuytrewqlkjhgfdsa", StrengthHint::Pattern),
            ("aaaaaaaaaaaaaaaaaaaaaaaaa", StrengthHint::Pattern),
            ("abcabcabcabcabcabc", StrengthHint::Pattern),
            ("哈哈哈哈哈哈哈哈哈哈", StrengthHint::Pattern),
            ("一二三四五六七八九十", StrengthHint::Pattern),
            ("x7", StrengthHint::Longer),
        ] {
            let view = judge(passphrase);
            assert!(!view.accepted, "{passphrase} was accepted with score {}", view.score);
            assert_eq!(view.hint, Some(hint), "{passphrase}");
        }
    }

    #[test]
    fn a_name_with_a_birth_date_is_refused() {
        for passphrase in ["wangfang19580312", "WangFang1958", "王芳19580312", "13812345678"] {
            assert!(!judge(passphrase).accepted, "{passphrase}");
        }
    }

    #[test]
    fn sentences_and_random_texts_are_accepted_in_either_language() {
        for passphrase in [
            "rain on the tin roof at night",
            "correct horse battery staple",
            "卖豆腐的老王昨天下雨没出摊",
            "院子里三棵石榴树",
            "Kx9#vR2!mQ7z",
            "hXqLwvRjTzKcPbNd",
            "ｋ＃９ｖ-Ｒ２！ｍ-Ｑ７ｚ-4",
        ] {
            let view = judge(passphrase);
            assert!(view.accepted, "{passphrase} has score {}", view.score);
        }
        assert_eq!(judge("卖豆腐的老王昨天下雨没出摊").score, 4);
        assert_eq!(judge("卖豆腐的老王昨天下雨没出摊").hint, None);
    }

    #[test]
    fn more_never_makes_it_weaker_by_much_and_length_is_bounded() {
        assert!(judge(&"棋局".repeat(400)).score < 3, "a repeated word stays weak however long");
        let too_long = "a strong sentence nobody wrote before ".repeat(40);
        assert!(!judge(&too_long).accepted, "what cannot be used is not accepted");
    }
}
