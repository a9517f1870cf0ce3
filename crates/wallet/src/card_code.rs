//! The three forms of a card's code: the text of its QR code, that of a coarse one, which is read from afar, and the code a person
//! types where nothing can be scanned.
//!
//! ```text
//! QR text     AMULET1: base45( borsh CardCode || pad || checksum (4) )
//! far text    AMULET2: the typed code without what is between its groups
//! typed code  Crockford base32 of locator (5) || K (12) || checksum (14 bits), six groups of five
//! ```
//!
//! The QR code also carries the offline facts with the owner's key and signature; the others only what is needed to find and
//! open the summary. Both say at once whether they are ours, and whether they came through whole.

use amulet_crypto::digest::{Tag, tagged};
use amulet_crypto::signing::{PublicKey, Signature, SigningKey};
use amulet_protocol::calls::{CardLocator, LOCATOR_BYTES};
use amulet_protocol::ids::ChainId;
use borsh::{BorshDeserialize, BorshSerialize};
use std::fmt;

use crate::card::{CARD_SECRET_BYTES, CardSecret, Fact, check_facts, facts_are_signed, sign_facts};
use crate::code_text;

/// What every QR code of ours starts with; the number is the version of the format.
pub const QR_PREFIX: &str = "AMULET1:";
/// What the coarse code starts with. With it a QR code of version 2 is full, level M.
pub const FAR_PREFIX: &str = "AMULET2:";
/// Characters of a code that is read; the longest code has about 720.
pub const CODE_CHARS_MAX: usize = 1_200;
/// Characters of a typed code, without what people put between them.
pub const TYPED_CHARS: usize = 30;

const CHECKSUM: Tag = Tag::new("amulet/v1/card-code");
const GROUP: usize = 5;
/// Crockford's base32: no I, L, O or U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Why a text is no card code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CardCodeError {
    /// It is another kind of code altogether.
    #[error("this is not the code of an Amulet card")]
    NotOurs,
    /// It is ours, but cut off, mistyped or changed.
    #[error("the code is cut off or mistyped")]
    Damaged,
}

/// What a code says. Untrusted: anybody can print one.
pub struct CardCode {
    /// Where the card is found on the ledger.
    pub locator: CardLocator,
    /// Opens the summary.
    pub secret: CardSecret,
    /// Facts readable offline; `None` for a typed code.
    pub offline: Option<OfflinePart>,
}

/// What only the QR code carries.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct OfflinePart {
    /// Key said to be the owner's.
    pub owner: PublicKey,
    /// Facts.
    pub facts: Vec<Fact>,
    /// Signature of `owner` over locator and facts.
    pub signature: Signature,
}

#[derive(BorshSerialize, BorshDeserialize)]
struct Encoded {
    locator: CardLocator,
    secret: [u8; CARD_SECRET_BYTES],
    offline: OfflinePart,
}

impl fmt::Debug for CardCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CardCode").field("locator", &self.locator).field("offline", &self.offline).finish()
    }
}

impl CardCode {
    /// The code of a card with its facts, signed by the owner.
    #[must_use]
    pub fn new(
        locator: CardLocator,
        secret: CardSecret,
        facts: Vec<Fact>,
        owner: &SigningKey,
        chain: ChainId,
    ) -> Self {
        let signature = sign_facts(owner, locator, &facts, chain);
        let offline = OfflinePart { owner: owner.public_key().clone(), facts, signature };
        Self { locator, secret, offline: Some(offline) }
    }

    /// Reads a scanned or typed code.
    ///
    /// # Errors
    /// [`CardCodeError::NotOurs`], [`CardCodeError::Damaged`].
    pub fn parse(text: &str) -> Result<Self, CardCodeError> {
        if text.len() > CODE_CHARS_MAX {
            return Err(CardCodeError::NotOurs);
        }
        // Only line ends are taken off: a space can be a digit of base45, though never the last one here.
        let text = text.trim_matches(['\r', '\n', '\t', '\u{feff}']);
        match text.trim_start().get(..QR_PREFIX.len()) {
            Some(start) if start.eq_ignore_ascii_case(QR_PREFIX) => {
                parse_qr(&text.trim_start()[QR_PREFIX.len()..])
            }
            Some(start) if start.eq_ignore_ascii_case(FAR_PREFIX) => {
                match parse_typed(&text.trim_start()[FAR_PREFIX.len()..]) {
                    Err(CardCodeError::NotOurs) => Err(CardCodeError::Damaged),
                    outcome => outcome,
                }
            }
            _ if text.trim_start().to_ascii_uppercase().starts_with("AMULET") => Err(CardCodeError::Damaged),
            _ => parse_typed(text),
        }
    }

    /// The text of the QR code; `None` for a code that was typed.
    #[must_use]
    pub fn qr_text(&self) -> Option<String> {
        let offline = self.offline.clone()?;
        let encoded = Encoded { locator: self.locator, secret: *self.secret.expose(), offline };
        Some(code_text::write(QR_PREFIX, CHECKSUM, &encoded))
    }

    /// The text of the coarse code, which is read from farther than the other and says no facts.
    #[must_use]
    pub fn far_text(&self) -> String {
        format!("{FAR_PREFIX}{}", self.typed().replace('-', ""))
    }

    /// The code to type, in groups of five.
    #[must_use]
    pub fn typed(&self) -> String {
        let body = [&self.locator.0[..], &self.secret.expose()[..]].concat();
        let sum = checksum(&body);
        // 14 bits of checksum and 2 empty ones: 152 bits, of which 30 characters carry 150.
        let bytes = [&body[..], &[sum[0], sum[1] & 0xfc]].concat();
        let digit = |position: usize| {
            let bits = (0..5).fold(0u8, |value, bit| value << 1 | bit_at(&bytes, position * 5 + bit));
            char::from(ALPHABET[usize::from(bits)])
        };
        let digits: Vec<char> = (0..TYPED_CHARS).map(digit).collect();
        let groups: Vec<String> = digits.chunks(GROUP).map(|group| group.iter().collect()).collect();
        groups.join("-")
    }

    /// Whether the facts bear the signature of the key on the card; not so for a typed code.
    #[must_use]
    pub fn facts_are_signed(&self, chain: ChainId) -> bool {
        self.offline.as_ref().is_some_and(|offline| {
            facts_are_signed(&offline.owner, self.locator, &offline.facts, chain, &offline.signature)
        })
    }
}

fn parse_qr(text: &str) -> Result<CardCode, CardCodeError> {
    let Encoded { locator, secret, offline } =
        code_text::read(CHECKSUM, text).ok_or(CardCodeError::Damaged)?;
    if check_facts(&offline.facts).is_err() {
        return Err(CardCodeError::Damaged);
    }
    Ok(CardCode { locator, secret: CardSecret::from_bytes(&secret), offline: Some(offline) })
}

fn parse_typed(text: &str) -> Result<CardCode, CardCodeError> {
    let mut bytes = [0u8; LOCATOR_BYTES + CARD_SECRET_BYTES + 2];
    let mut found = 0;
    for c in text.chars().map(narrow).filter(|c| !is_separator(*c)) {
        let value = digit_value(c).ok_or(CardCodeError::NotOurs)?;
        if found < TYPED_CHARS {
            (0..5)
                .filter(|bit| value >> (4 - bit) & 1 == 1)
                .for_each(|bit| set_bit(&mut bytes, found * 5 + bit));
        }
        found += 1;
    }
    match found {
        0 => return Err(CardCodeError::NotOurs),
        TYPED_CHARS => {}
        _ => return Err(CardCodeError::Damaged),
    }
    let (body, sum) = bytes.split_at(LOCATOR_BYTES + CARD_SECRET_BYTES);
    let expected = checksum(body);
    if sum != [expected[0], expected[1] & 0xfc] {
        return Err(CardCodeError::Damaged);
    }
    let (locator, secret) =
        body.split_first_chunk::<LOCATOR_BYTES>().expect("the body starts with a locator");
    let secret = secret.first_chunk::<CARD_SECRET_BYTES>().expect("the rest of the body is the secret");
    Ok(CardCode { locator: CardLocator(*locator), secret: CardSecret::from_bytes(secret), offline: None })
}

/// Full-width letters, as Chinese keyboards give them, to ordinary ones.
fn narrow(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        other => other,
    }
}

fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '_' | '.' | '‐' | '‑' | '–' | '—' | '−' | '·')
}

fn digit_value(c: char) -> Option<u8> {
    let c = match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    let position = ALPHABET.iter().position(|letter| char::from(*letter) == c)?;
    u8::try_from(position).ok()
}

fn bit_at(bytes: &[u8], index: usize) -> u8 {
    bytes[index / 8] >> (7 - index % 8) & 1
}

fn set_bit(bytes: &mut [u8], index: usize) {
    bytes[index / 8] |= 1 << (7 - index % 8);
}

fn checksum(bytes: &[u8]) -> [u8; 32] {
    tagged(CHECKSUM, &[bytes]).to_bytes()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::card::FactKind;
    use amulet_crypto::digest::sm3;
    use amulet_crypto::entropy::{Entropy, SeededEntropy};

    fn chain() -> ChainId {
        ChainId(sm3(b"chain"))
    }

    fn code(seed: u64) -> CardCode {
        let mut entropy = SeededEntropy::new(seed);
        let key = SigningKey::generate(&mut entropy);
        let (mut locator, mut secret) = ([0; 5], [0; 12]);
        entropy.fill(&mut locator);
        entropy.fill(&mut secret);
        let facts = vec![
            Fact { kind: FactKind::Allergy, text: "青霉素：过敏性休克".to_owned() },
            Fact { kind: FactKind::BloodGroup, text: "A+".repeat(1 + seed as usize % 3) },
        ];
        CardCode::new(CardLocator(locator), CardSecret::from_bytes(&secret), facts, &key, chain())
    }

    fn same(a: &CardCode, b: &CardCode) -> bool {
        a.locator == b.locator && a.secret.expose() == b.secret.expose()
    }

    #[test]
    fn the_qr_text_comes_back_even_trimmed_and_needs_only_qr_letters() {
        for seed in 0..20 {
            let code = code(seed);
            let text = code.qr_text().unwrap();
            assert!(
                text.bytes()
                    .all(|b| b.is_ascii_digit() || b.is_ascii_uppercase() || b" $%*+-./:".contains(&b))
            );
            assert_eq!(text, text.trim_end());
            let read = CardCode::parse(&format!("\n{text}\r\n")).unwrap();
            assert!(same(&read, &code));
            assert_eq!(read.offline, code.offline);
            assert!(read.facts_are_signed(chain()));
            assert!(!read.facts_are_signed(ChainId(sm3(b"another chain"))));
        }
    }

    #[test]
    fn the_typed_code_forgives_how_people_type() {
        for seed in 0..20 {
            let code = code(seed);
            let typed = code.typed();
            assert_eq!(typed.len(), TYPED_CHARS + 5);
            let sloppy: String = typed
                .to_lowercase()
                .replace('0', "o")
                .replace('1', "l")
                .replace('-', if seed % 2 == 0 { " " } else { "" });
            let wide: String = typed.chars().map(|c| char::from_u32(c as u32 + 0xfee0).unwrap()).collect();
            for text in [typed.clone(), sloppy, typed.replace('1', "I"), wide, format!("  {typed} \n")] {
                let read = CardCode::parse(&text).unwrap();
                assert!(same(&read, &code), "{text}");
                assert!(read.offline.is_none());
            }
        }
    }

    #[test]
    fn other_codes_are_not_ours() {
        for text in
            ["", "   ", "https://example.org/x", "did:amulet:3yZe7d", "HC1:6BF+70790T9WJWG", "二维码", "{}"]
        {
            assert_eq!(CardCode::parse(text).unwrap_err(), CardCodeError::NotOurs, "{text}");
        }
        assert_eq!(CardCode::parse(&"A".repeat(CODE_CHARS_MAX + 1)).unwrap_err(), CardCodeError::NotOurs);
    }

    #[test]
    fn a_code_cut_off_anywhere_or_with_one_wrong_letter_is_damaged() {
        let text = code(1).qr_text().unwrap();
        for end in QR_PREFIX.len()..text.len() {
            assert_eq!(CardCode::parse(&text[..end]).unwrap_err(), CardCodeError::Damaged, "cut at {end}");
        }
        for at in (QR_PREFIX.len()..text.len()).step_by(7) {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(CardCode::parse(&changed).unwrap_err(), CardCodeError::Damaged, "changed at {at}");
        }
        assert_eq!(CardCode::parse("AMULET2:ABC").unwrap_err(), CardCodeError::Damaged);
        let typed = code(1).typed();
        for end in 1..typed.len() {
            let cut = CardCode::parse(&typed[..end]).unwrap_err();
            assert_eq!(cut, CardCodeError::Damaged, "cut at {end}");
        }
        for at in 0..typed.len() {
            let mut changed = typed.clone().into_bytes();
            if changed[at] == b'-' {
                continue;
            }
            changed[at] = if changed[at] == b'7' { b'8' } else { b'7' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(CardCode::parse(&changed).unwrap_err(), CardCodeError::Damaged, "changed at {at}");
        }
    }

    #[test]
    fn facts_of_another_card_do_not_count_as_signed() {
        let (mut one, two) = (code(1), code(2));
        one.offline = two.offline;
        let read = CardCode::parse(&one.qr_text().unwrap()).unwrap();
        assert!(!read.facts_are_signed(chain()));
    }
}
