//! QR codes as SVG markup, small and sharp at any size.

use qrcode::{Color, EcLevel, QrCode};
use std::fmt::Write;

/// Light modules around the code, as the standard asks (ISO/IEC 18004 section 5.3.8).
pub(crate) const QUIET_MODULES: usize = 4;

/// The text does not fit into any QR code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a text of {bytes} bytes does not fit into a QR code")]
pub struct QrError {
    /// Bytes of the text.
    pub bytes: usize,
}

/// Draws `text` as a QR code with error correction level M, black on white whatever the page's colours are: scanners
/// want the contrast.
///
/// # Errors
/// [`QrError`] for more than about 3,000 characters.
pub fn svg(text: &str) -> Result<String, QrError> {
    let code =
        QrCode::with_error_correction_level(text, EcLevel::M).map_err(|_| QrError { bytes: text.len() })?;
    let width = code.width();
    let side = width + 2 * QUIET_MODULES;
    let mut path = String::new();
    for (row, modules) in code.to_colors().chunks(width).enumerate() {
        draw_row(&mut path, row + QUIET_MODULES, modules);
    }
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\" \
         aria-hidden=\"true\"><rect width=\"{side}\" height=\"{side}\" fill=\"#fff\"/><path d=\"{path}\" fill=\"#000\"/></svg>"
    ))
}

/// Each run of dark modules is one rectangle.
fn draw_row(path: &mut String, y: usize, modules: &[Color]) {
    let mut x = 0;
    for run in modules.chunk_by(|a, b| a == b) {
        if run.first() == Some(&Color::Dark) {
            let (left, length) = (x + QUIET_MODULES, run.len());
            write!(path, "M{left} {y}h{length}v1h-{length}z").expect("writing into a string does not fail");
        }
        x += run.len();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Reads the drawing back into modules, so that what is drawn is what the encoder made.
    #[test]
    fn the_drawing_holds_every_dark_module() {
        let text = "AMULET1:TEST";
        let code = QrCode::with_error_correction_level(text, EcLevel::M).unwrap();
        let width = code.width();
        let mut drawn = vec![false; width * width];
        let svg = svg(text).unwrap();
        let path = svg.split("d=\"").nth(1).unwrap().split('"').next().unwrap();
        for rectangle in path.split('z').filter(|part| !part.is_empty()) {
            let mut numbers = rectangle[1..].split(['h', ' ', 'v']).map(|number| number.parse::<i64>());
            let mut next = || usize::try_from(numbers.next().unwrap().unwrap()).unwrap();
            let (x, y, length) = (next() - QUIET_MODULES, next() - QUIET_MODULES, next());
            drawn[y * width + x..][..length].fill(true);
        }
        let expected: Vec<bool> = code.to_colors().iter().map(|color| *color == Color::Dark).collect();
        assert_eq!(drawn, expected);
    }

    #[test]
    fn a_text_that_fits_no_code_is_refused() {
        assert_eq!(svg(&"x".repeat(4_000)), Err(QrError { bytes: 4_000 }));
    }
}
