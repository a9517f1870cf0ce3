//! Tauri's build step, and a page to embed where none was built yet.

use std::path::Path;

/// Where `tauri.conf.json` says the pages are.
const PAGES: &str = "target/web";
/// Shown by a window that was compiled before the pages were built.
const HINT: &str = "<!doctype html><meta charset=\"utf-8\"><title>Amulet</title>\
    <p>The pages are not built yet. Run <code>cargo xtask build-web</code>, then build the window again.</p>\n";

fn main() {
    println!("cargo:rerun-if-changed={PAGES}");
    if let Err(error) = ensure_pages() {
        println!("cargo:warning=cannot write {PAGES}/index.html: {error}; run `cargo xtask build-web` first");
    }
    let commands = tauri_build::AppManifest::new().commands(&["amulet"]);
    let attributes = tauri_build::Attributes::new()
        .capabilities_path_pattern("app/capabilities/**/*")
        .app_manifest(commands);
    if let Err(error) = tauri_build::try_build(attributes) {
        println!("cargo:warning=Tauri's build step: {error:#}");
        std::process::exit(1);
    }
}

/// `cargo check` must work on a clean clone, where no page was built.
fn ensure_pages() -> std::io::Result<()> {
    let page = Path::new(PAGES).join("index.html");
    if page.exists() {
        return Ok(());
    }
    std::fs::create_dir_all(PAGES)?;
    std::fs::write(page, HINT)
}
