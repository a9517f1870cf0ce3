//! How fine the largest code is that a card can have, printed as the page prints it, and from how near a
//! simulated phone reads it with two decoders that share no code with the encoder or each other: what `docs/emergency-card.md` says of it.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss
)]

use crate::card::{CardSecret, FACT_BYTES_MAX, FACTS_BYTES_MAX, FACTS_MAX, Fact, FactKind, check_facts};
use crate::card_code::CardCode;
use crate::qr::QUIET_MODULES;
use amulet_crypto::digest::sm3;
use amulet_crypto::entropy::{Entropy, SeededEntropy};
use amulet_crypto::signing::SigningKey;
use amulet_protocol::calls::CardLocator;
use amulet_protocol::ids::ChainId;
use qrcode::{Color, EcLevel, QrCode, Version};
use rxing::Reader as _;

/// Side of the code on paper with its quiet zone: `.paper-code` in `ui/assets/pages.css`.
const PRINTED_MM: f64 = 46.0;
/// How far a person holds the card.
const DISTANCE_MM: f64 = 300.0;
/// Pixels across a picture of 1080 lines, and what a phone's main camera sees across: 60 degrees.
const PICTURE_PIXELS: f64 = 1_920.0;
const HALF_VIEW_TAN: f64 = 0.577_350_269;
/// Side of the part of the picture that is looked at, in pixels: the code is in it, from 15 cm on.
const CROP: usize = 560;

/// Side of the coarse code on paper with its quiet zone: `.paper-far`.
const FAR_MM: f64 = 22.0;

/// The longest card: as many facts and bytes as one may have.
fn largest_card() -> CardCode {
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
    CardCode::new(CardLocator(*locator), secret, facts, &key, ChainId(sm3(b"chain")))
}

fn largest() -> String {
    largest_card().qr_text().unwrap()
}

fn encode(text: &str) -> QrCode {
    QrCode::with_error_correction_level(text, EcLevel::M).unwrap()
}

/// Millimetres of a module on paper of a code that is printed this wide.
fn module_mm(code: &QrCode, printed_mm: f64) -> f64 {
    printed_mm / (code.width() + 2 * QUIET_MODULES) as f64
}

/// Pixels of a module in a picture taken from as far as a person holds the card.
fn module_pixels(code: &QrCode, printed_mm: f64) -> f64 {
    module_mm(code, printed_mm) / (2.0 * DISTANCE_MM * HALF_VIEW_TAN / PICTURE_PIXELS)
}

/// How a picture was taken.
#[derive(Clone, Copy)]
struct Shot {
    printed_mm: f64,
    distance_mm: f64,
    /// The card leans away from the camera, and is turned in its plane.
    lean_degrees: f64,
    turn_degrees: f64,
    /// Standard deviation of what lens and a hand blur, in pixels.
    blur_pixels: f64,
    /// Standard deviation of the sensor's noise, of 255.
    noise: f64,
}

/// Brightness of the paper at a point, in millimetres from the code's middle. Lamination and a dim room: black is not
/// black, white is not white, and the light falls off to one side.
fn paper(code: &QrCode, printed_mm: f64, x: f64, y: f64) -> f64 {
    let module = module_mm(code, printed_mm);
    let place = |mm: f64| ((mm + printed_mm / 2.0) / module).floor() - QUIET_MODULES as f64;
    let (column, row, width) = (place(x), place(y), code.width() as f64);
    let inside = |at: f64| (0.0..width).contains(&at);
    let dark = inside(column) && inside(row) && code[(column as usize, row as usize)] == Color::Dark;
    let light = 1.0 - 0.25 * (x / printed_mm + 0.5).clamp(0.0, 1.0);
    (if dark { 55.0 } else { 200.0 }) * light
}

/// A photograph: each pixel sums what falls on it, through the blur, and noise is added.
fn photograph(code: &QrCode, shot: Shot, seed: u64) -> Vec<u8> {
    const RAYS: usize = 3;
    let focal = PICTURE_PIXELS / 2.0 / HALF_VIEW_TAN;
    let (lean, turn) = (shot.lean_degrees.to_radians(), shot.turn_degrees.to_radians());
    let ray = |px: f64, py: f64| {
        let (u, v) = ((px - CROP as f64 / 2.0) / focal, (py - CROP as f64 / 2.0) / focal);
        // Where the ray meets the card's plane, which leans about its horizontal middle.
        let depth = shot.distance_mm / (1.0 - v * lean.tan());
        let (x, y) = (u * depth, v * depth / lean.cos());
        paper(code, shot.printed_mm, x * turn.cos() + y * turn.sin(), y * turn.cos() - x * turn.sin())
    };
    let step = 1.0 / RAYS as f64;
    let sharp: Vec<f64> = (0..CROP * CROP)
        .map(|at| {
            let (px, py) = ((at % CROP) as f64, (at / CROP) as f64);
            let rays = (0..RAYS * RAYS)
                .map(|n| ray(px + (0.5 + (n % RAYS) as f64) * step, py + (0.5 + (n / RAYS) as f64) * step));
            rays.sum::<f64>() / (RAYS * RAYS) as f64
        })
        .collect();
    let mut entropy = SeededEntropy::new(seed);
    let blurred = blur(&blur(&sharp, shot.blur_pixels, 1), shot.blur_pixels, CROP);
    let mut random = vec![0; CROP * CROP * 4];
    entropy.fill(&mut random);
    // Four uniform bytes make a good bell: their sum has a standard deviation of 147.8.
    let noise = random.chunks(4).map(|four| four.iter().map(|byte| f64::from(*byte)).sum::<f64>() - 510.0);
    blurred
        .iter()
        .zip(noise)
        .map(|(value, n)| (value + n / 147.8 * shot.noise).clamp(0.0, 255.0) as u8)
        .collect()
}

/// Gaussian blur along one direction: `stride` is 1 for rows, the row's length for columns.
fn blur(pixels: &[f64], deviation: f64, stride: usize) -> Vec<f64> {
    const REACH: isize = 4;
    let weight = |offset: isize| (-(offset * offset) as f64 / (2.0 * deviation * deviation)).exp();
    let weights: Vec<(isize, f64)> = (-REACH..=REACH).map(|offset| (offset, weight(offset))).collect();
    let total: f64 = weights.iter().map(|(_, weight)| weight).sum();
    let at = |index: usize, offset: isize| {
        let place = if stride == 1 { index % CROP } else { index / CROP };
        let moved = place.saturating_add_signed(offset).min(CROP - 1);
        pixels[index + moved * stride - place * stride]
    };
    let sum = |index: usize| weights.iter().map(|(o, weight)| at(index, *o) * weight).sum::<f64>();
    (0..pixels.len()).map(|index| sum(index) / total).collect()
}

/// The decoder of the scan page, which follows quirc.
fn quirc_reads(text: &str, pixels: &[u8]) -> bool {
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(CROP, CROP, |x, y| pixels[y * CROP + x]);
    image.detect_grids().iter().any(|grid| grid.decode().is_ok_and(|(_, read)| read == text))
}

/// The decoder of many other scanners.
fn zxing_reads(text: &str, pixels: &[u8]) -> bool {
    let source = rxing::Luma8LuminanceSource::new(pixels.to_vec(), CROP as u32, CROP as u32).unwrap();
    let mut image = rxing::BinaryBitmap::new(rxing::common::HybridBinarizer::new(source));
    let hints = rxing::DecodeHints { TryHarder: Some(true), ..Default::default() };
    rxing::qrcode::QRCodeReader
        .decode_with_hints(&mut image, &hints)
        .is_ok_and(|found| found.getText() == text)
}

/// Pictures taken in each pose; they differ in their noise.
const PICTURES: u64 = 16;
/// Of them, so many must be read for the pose to count as read.
const ENOUGH: usize = 12;

/// In each of [`POSES`], how many pictures quirc and ZXing read.
fn read_in_poses(text: &str, printed_mm: f64, distance_mm: f64) -> [(usize, usize); 4] {
    let code = encode(text);
    POSES.map(|pose| {
        let shot = Shot { printed_mm, distance_mm, ..pose };
        let pictures = (100..100 + PICTURES).map(|seed| photograph(&code, shot, seed));
        pictures.fold((0, 0), |(quirc, zxing), pixels| {
            (quirc + usize::from(quirc_reads(text, &pixels)), zxing + usize::from(zxing_reads(text, &pixels)))
        })
    })
}

fn poses_read(counts: impl Iterator<Item = usize>) -> usize {
    counts.filter(|count| *count >= ENOUGH).count()
}

#[test]
fn the_largest_code_is_as_fine_as_documented() {
    let text = largest();
    let code = encode(&text);
    // What the page prints, not what this test would encode.
    let side = code.width() + 2 * QUIET_MODULES;
    assert!(crate::qr::svg(&text).unwrap().contains(&format!("viewBox=\"0 0 {side} {side}\"")));
    assert_eq!((code.version(), code.width()), (Version::Normal(18), 89));
    assert_eq!(fineness(&code, PRINTED_MM), "0.474 mm, 2.63 pixels");
    let far = encode(&largest_card().far_text());
    assert_eq!((far.version(), far.width()), (Version::Normal(2), 25));
    assert_eq!(fineness(&far, FAR_MM), "0.667 mm, 3.70 pixels");
}

#[test]
fn the_page_prints_the_codes_as_wide_as_measured() {
    let styles = include_str!("../../../ui/assets/pages.css");
    let rule = |name: &str| styles.lines().find(|line| line.starts_with(&format!(".{name} {{"))).unwrap();
    assert!(rule("paper-code").contains(&format!("grid-template-columns: {PRINTED_MM}mm ")));
    assert!(rule("paper-far").contains(&format!("width: {FAR_MM}mm;")));
}

fn fineness(code: &QrCode, printed_mm: f64) -> String {
    format!("{:.3} mm, {:.2} pixels", module_mm(code, printed_mm), module_pixels(code, printed_mm))
}

/// The poses of `docs/emergency-card.md`: flat and sharp; leaning; turned; and both, with the most blur and noise.
const POSES: [Shot; 4] = [
    FLAT,
    Shot { lean_degrees: 10.0, blur_pixels: 0.6, noise: 6.0, ..FLAT },
    Shot { turn_degrees: 7.0, blur_pixels: 0.6, noise: 6.0, ..FLAT },
    Shot { lean_degrees: 10.0, turn_degrees: 7.0, blur_pixels: 0.7, noise: 8.0, ..FLAT },
];
const FLAT: Shot = Shot {
    printed_mm: FAR_MM,
    distance_mm: DISTANCE_MM,
    lean_degrees: 0.0,
    turn_degrees: 0.0,
    blur_pixels: 0.5,
    noise: 4.0,
};

#[test]
fn the_code_with_facts_is_read_near_and_not_far() {
    let text = largest();
    let near = read_in_poses(&text, PRINTED_MM, 150.0);
    assert!(poses_read(near.iter().map(|(_, zxing)| *zxing)) >= 3, "(quirc, ZXing) of {PICTURES}: {near:?}");
    assert!(near.iter().all(|(quirc, _)| *quirc >= 1), "(quirc, ZXing) of {PICTURES}: {near:?}");
    let far = photograph(&encode(&text), Shot { printed_mm: PRINTED_MM, distance_mm: 1_000.0, ..FLAT }, 100);
    assert!(!quirc_reads(&text, &far) && !zxing_reads(&text, &far));
}

#[test]
fn both_decoders_read_the_coarse_code_as_far_as_a_person_holds_a_card() {
    let text = largest_card().far_text();
    let found = read_in_poses(&text, FAR_MM, DISTANCE_MM);
    let (quirc, zxing) = (found.iter().map(|(quirc, _)| *quirc), found.iter().map(|(_, zxing)| *zxing));
    assert!(poses_read(quirc) >= 3 && poses_read(zxing) >= 3, "(quirc, ZXing) of {PICTURES}: {found:?}");
}

#[test]
fn the_coarse_code_says_how_to_open_the_summary_and_no_facts() {
    let card = largest_card();
    let text = card.far_text();
    let parsed = CardCode::parse(&text).unwrap();
    assert_eq!((parsed.locator, parsed.typed()), (card.locator, card.typed()));
    assert!(parsed.offline.is_none());
    let damaged = |text: &str| CardCode::parse(text).map(|_| ()).unwrap_err();
    assert_eq!(damaged(&text[..text.len() - 1]), crate::card_code::CardCodeError::Damaged);
}
