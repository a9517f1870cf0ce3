//! Driving real pages by WebDriver: the driver's process, a browser or the window, and a camera that sees a card.

mod browser;
mod camera;
mod driver;

pub use browser::{Browser, Screen, Setup, window_program};
pub use camera::film_of_qr;
pub use driver::Driver;

use std::path::PathBuf;

/// Where screenshots go: every screen of the path, for people to look at.
///
/// # Panics
/// When the folder cannot be made.
#[must_use]
pub fn screenshots() -> PathBuf {
    let folder = crate::localnet::root().join("target/e2e-screenshots");
    std::fs::create_dir_all(&folder).expect("the folder for screenshots can be made");
    folder
}

/// The built pages: `AMULET_WEB_DIR`, or where `cargo xtask build-web` puts them.
///
/// # Panics
/// When there are none.
#[must_use]
pub fn web_pages() -> PathBuf {
    let named = std::env::var_os("AMULET_WEB_DIR").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| crate::localnet::root().join("target/web"));
    assert!(
        folder.join("index.html").exists(),
        "no pages in {}: run `cargo xtask build-web`",
        folder.display()
    );
    folder
}
