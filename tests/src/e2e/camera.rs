//! A film for Chromium's fake camera: somebody holds a card's QR code still.

use std::path::Path;

const WIDTH: usize = 640;
const HEIGHT: usize = 480;
const FRAMES: usize = 10;
/// Light modules that the drawing has around the code already.
const WHITE: u8 = 235;
const BLACK: u8 = 16;
const GREY: u8 = 128;

/// Writes a Y4M film that shows the code drawn by `svg`, as the page shows it: one rectangle for each run of dark modules.
///
/// # Panics
/// When the drawing is of another kind, or the file cannot be written.
pub fn film_of_qr(svg: &str, path: &Path) {
    let (side, dark) = modules(svg);
    let scale = HEIGHT / side;
    assert!(scale >= 3, "a code of {side} modules is too fine for the camera");
    let (left, top) = ((WIDTH - side * scale) / 2, (HEIGHT - side * scale) / 2);
    let mut luma = vec![WHITE; WIDTH * HEIGHT];
    for (x, y, length) in dark {
        for row in 0..scale {
            let start = (top + y * scale + row) * WIDTH + left + x * scale;
            luma[start..start + length * scale].fill(BLACK);
        }
    }
    let chroma = vec![GREY; WIDTH * HEIGHT / 2];
    let mut film = format!("YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n").into_bytes();
    for _ in 0..FRAMES {
        film.extend_from_slice(b"FRAME\n");
        film.extend_from_slice(&luma);
        film.extend_from_slice(&chroma);
    }
    std::fs::write(path, film).expect("the film can be written");
}

/// Side in modules, and runs of dark modules as (x, y, length).
fn modules(svg: &str) -> (usize, Vec<(usize, usize, usize)>) {
    let attribute = |name: &str| {
        let start = svg.find(&format!(" {name}=\"")).map(|at| at + name.len() + 3);
        let start = start.unwrap_or_else(|| panic!("no {name} in {svg:.200}"));
        svg[start..].split('"').next().unwrap_or_default().to_owned()
    };
    let side = attribute("viewBox").split(' ').nth(2).and_then(|side| side.parse().ok());
    let path = attribute("d");
    let runs = path.split('z').map(str::trim).filter(|run| !run.is_empty()).map(|run| {
        let mut numbers = run
            .trim_start_matches('M')
            .split(['h', ' ', 'v'])
            .map(|number| number.parse::<i64>().unwrap_or_else(|_| panic!("no rectangle: {run}")));
        let mut next = || usize::try_from(numbers.next().unwrap_or_default()).unwrap_or_default();
        (next(), next(), next())
    });
    (side.expect("the drawing has a size"), runs.collect())
}
