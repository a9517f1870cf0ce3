//! Finding a QR code in pixels.

/// A picture as the browser's canvas gives it: four bytes a pixel, row by row.
pub struct Frame {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Red, green, blue, opacity of each pixel.
    pub rgba: Vec<u8>,
}

/// The text of the first readable QR code in a picture.
pub fn decode(frame: &Frame) -> Option<String> {
    if frame.width == 0 || frame.height == 0 || frame.rgba.len() < frame.width * frame.height * 4 {
        return None;
    }
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(frame.width, frame.height, |x, y| {
        let at = (y * frame.width + x) * 4;
        brightness(frame.rgba[at], frame.rgba[at + 1], frame.rgba[at + 2])
    });
    image.detect_grids().into_iter().find_map(|grid| grid.decode().ok()).map(|(_, text)| text)
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

    #[test]
    fn a_picture_without_a_code_or_cut_short_holds_none() {
        let empty = Frame { width: 64, height: 64, rgba: vec![200; 64 * 64 * 4] };
        assert_eq!(decode(&empty), None);
        let mut short = photograph("AMULET1:X");
        short.rgba.truncate(100);
        assert_eq!(decode(&short), None);
    }
}
