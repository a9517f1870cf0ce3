//! Finding a QR code in pixels.

use rxing::Reader as _;

/// A picture as the browser's canvas gives it: four bytes a pixel, row by row.
pub struct Frame {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Red, green, blue, opacity of each pixel.
    pub rgba: Vec<u8>,
}

/// The text of the first readable QR code in a picture, by either of two decoders: each reads pictures that the other does not, and of the
/// card's code with the facts the second reads far more (`docs/emergency-card.md`).
pub fn decode(frame: &Frame) -> Option<String> {
    let (width, height) = (frame.width, frame.height);
    if width == 0 || height == 0 || frame.rgba.len() < width * height * 4 {
        return None;
    }
    let luma: Vec<u8> = frame
        .rgba
        .chunks_exact(4)
        .take(width * height)
        .map(|pixel| brightness(pixel[0], pixel[1], pixel[2]))
        .collect();
    by_quirc(&luma, width, height).or_else(|| by_zxing(luma, width, height))
}

fn by_quirc(luma: &[u8], width: usize, height: usize) -> Option<String> {
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| luma[y * width + x]);
    image.detect_grids().into_iter().find_map(|grid| grid.decode().ok()).map(|(_, text)| text)
}

fn by_zxing(luma: Vec<u8>, width: usize, height: usize) -> Option<String> {
    let (width, height) = (u32::try_from(width).ok()?, u32::try_from(height).ok()?);
    let source = rxing::Luma8LuminanceSource::new(luma, width, height).ok()?;
    let mut image = rxing::BinaryBitmap::new(rxing::common::HybridBinarizer::new(source));
    let hints = rxing::DecodeHints { TryHarder: Some(true), ..Default::default() };
    let found = rxing::qrcode::QRCodeReader.decode_with_hints(&mut image, &hints).ok()?;
    Some(found.getText().to_owned())
}

/// Perceived brightness, by the weights of ITU-R BT.601 in 256ths.
fn brightness(red: u8, green: u8, blue: u8) -> u8 {
    ((77 * u32::from(red) + 150 * u32::from(green) + 29 * u32::from(blue)) >> 8) as u8
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const MODULE: usize = 4;
    const QUIET: usize = 4;

    fn photograph(text: &str) -> Frame {
        let code = qrcode::QrCode::new(text).unwrap();
        let size = (code.width() + 2 * QUIET) * MODULE;
        let mut rgba = vec![255; size * size * 4];
        for y in 0..size {
            for x in 0..size {
                let (column, row) = ((x / MODULE).wrapping_sub(QUIET), (y / MODULE).wrapping_sub(QUIET));
                if column < code.width() && row < code.width() && code[(column, row)] == qrcode::Color::Dark {
                    rgba[(y * size + x) * 4..][..3].fill(20);
                }
            }
        }
        Frame { width: size, height: size, rgba }
    }

    #[test]
    fn a_code_is_read_with_its_chinese() {
        let text = "AMULET1:王芳 青霉素过敏 A+";
        assert_eq!(decode(&photograph(text)).as_deref(), Some(text));
    }

    /// The same, turned by some degrees and with modules of no whole number of pixels, as a camera has it.
    fn turned(text: &str, module: f64, degrees: f64) -> Frame {
        const RAYS: usize = 4;
        let code = qrcode::QrCode::with_error_correction_level(text, qrcode::EcLevel::M).unwrap();
        let modules = code.width() as f64;
        let size = ((modules + 24.0) * module) as usize;
        let (sin, cos) = degrees.to_radians().sin_cos();
        let dark = |x: f64, y: f64| {
            let (x, y) = ((x - size as f64 / 2.0) / module, (y - size as f64 / 2.0) / module);
            let (column, row) = (x * cos + y * sin + modules / 2.0, y * cos - x * sin + modules / 2.0);
            let inside = (0.0..modules).contains(&column) && (0.0..modules).contains(&row);
            inside && code[(column as usize, row as usize)] == qrcode::Color::Dark
        };
        let shade = |at: usize| {
            let (x, y) = ((at % size) as f64, (at / size) as f64);
            let rays = (0..RAYS * RAYS).filter(|n| {
                let step = |n: usize| (n as f64 + 0.5) / RAYS as f64;
                dark(x + step(n % RAYS), y + step(n / RAYS))
            });
            200 - (rays.count() * 145 / (RAYS * RAYS)) as u8
        };
        let rgba = (0..size * size).flat_map(|at| [shade(at), shade(at), shade(at), 255]).collect();
        Frame { width: size, height: size, rgba }
    }

    #[test]
    fn what_one_decoder_does_not_read_the_other_does() {
        let text = format!("AMULET1:{}", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:".repeat(16));
        let mut second_alone = 0;
        for degrees in [0.0, 3.0, 7.0, 11.0, 23.0] {
            let frame = turned(&text, 3.3, degrees);
            let luma: Vec<u8> = frame.rgba.chunks_exact(4).map(|pixel| pixel[0]).collect();
            let first = by_quirc(&luma, frame.width, frame.height).as_deref() == Some(text.as_str());
            let both = decode(&frame).as_deref() == Some(text.as_str());
            assert!(both || !first, "{degrees}");
            second_alone += usize::from(both && !first);
        }
        assert!(second_alone > 0, "the second decoder is of no use");
    }

    #[test]
    fn a_picture_without_a_code_or_cut_short_holds_none() {
        let empty = Frame { width: 64, height: 64, rgba: vec![200; 64 * 64 * 4] };
        assert_eq!(decode(&empty), None);
        let mut short = photograph("AMULET1:X");
        short.rgba.truncate(100);
        assert_eq!(decode(&short), None);
    }
}
