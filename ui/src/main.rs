//! Amulet's user interface: the patient's and the clinician's pages.
//!
//! One wasm program serves the Tauri window and the plain browser. Pages fetch through [`backend::Backend`], which hides
//! where the wallet runs; components only render what they are given. Every visible word comes from `locales/`.

mod app;
mod backend;
mod components;
mod desktop;
mod filter;
mod hooks;
mod i18n;
mod idle;
mod loadable;
mod pages;
mod platform;
mod route;
mod scan;
mod wallpaper;

use std::rc::Rc;

fn main() {
    console_error_panic_hook::set_once();
    // Routes live in the fragment: the page is one file, served from a hospital's node or from inside the Tauri binary.
    let history = Rc::new(dioxus_web::HashHistory::new(true));
    dioxus_web::launch::launch_cfg(app::Root, dioxus_web::Config::new().history(history));
}
