//! How fine the largest code is that a card can have, printed as the page prints it: what `docs/emergency-card.md` says of it.
#![allow(clippy::unwrap_used, clippy::cast_precision_loss)]

use crate::card::{CardSecret, FACT_BYTES_MAX, FACTS_BYTES_MAX, FACTS_MAX, Fact, FactKind, check_facts};
use crate::card_code::CardCode;
use crate::qr::QUIET_MODULES;
use amulet_crypto::digest::sm3;
use amulet_crypto::entropy::{Entropy, SeededEntropy};
use amulet_crypto::signing::SigningKey;
use amulet_protocol::calls::CardLocator;
use amulet_protocol::ids::ChainId;
use qrcode::{EcLevel, QrCode, Version};

/// Side of the code on paper with its quiet zone: `.paper-code` in `ui/assets/pages.css`.
const PRINTED_MM: f64 = 46.0;
/// How far a person holds the card.
const DISTANCE_MM: f64 = 300.0;
/// Pixels across a picture of 1080 lines, and what a phone's main camera sees across: 60 degrees.
const PICTURE_PIXELS: f64 = 1_920.0;
const HALF_VIEW_TAN: f64 = 0.577_350_269;

/// The longest code: as many facts and bytes as a card may have.
fn largest() -> String {
    let mut entropy = SeededEntropy::new(7);
    let key = SigningKey::generate(&mut entropy);
    let mut bytes = [0; 17];
    entropy.fill(&mut bytes);
    let (locator, secret) = bytes.split_first_chunk::<5>().unwrap();
    let facts: Vec<Fact> = (0..FACTS_MAX)
        .map(|n| {
            let room = FACTS_BYTES_MAX / FACTS_MAX + usize::from(n < FACTS_BYTES_MAX % FACTS_MAX);
            Fact { kind: FactKind::Allergy, text: "x".repeat(room.min(FACT_BYTES_MAX)) }
        })
        .collect();
    check_facts(&facts).unwrap();
    assert_eq!(facts.iter().map(|fact| fact.text.len()).sum::<usize>(), FACTS_BYTES_MAX);
    let secret = CardSecret::from_bytes(secret.first_chunk().unwrap());
    CardCode::new(CardLocator(*locator), secret, facts, &key, ChainId(sm3(b"chain"))).qr_text().unwrap()
}

fn encode(text: &str) -> QrCode {
    QrCode::with_error_correction_level(text, EcLevel::M).unwrap()
}

/// Millimetres of a module on paper.
fn module_mm(code: &QrCode) -> f64 {
    PRINTED_MM / (code.width() + 2 * QUIET_MODULES) as f64
}

#[test]
fn the_largest_code_is_as_fine_as_documented() {
    let text = largest();
    let code = encode(&text);
    // What the page prints, not what this test would encode.
    let side = code.width() + 2 * QUIET_MODULES;
    assert!(crate::qr::svg(&text).unwrap().contains(&format!("viewBox=\"0 0 {side} {side}\"")));
    assert_eq!((code.version(), code.width()), (Version::Normal(18), 89));
    let pixels = module_mm(&code) / (2.0 * DISTANCE_MM * HALF_VIEW_TAN / PICTURE_PIXELS);
    let found = format!("{:.3} mm, {pixels:.2} pixels", module_mm(&code));
    assert_eq!(found, "0.474 mm, 2.63 pixels");
}
