//! Amulet's window: the pages in a web view, the wallet in this process. Keys never enter the page; the page sends
//! requests over one command and gets views back.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]
#![cfg_attr(test, allow(dead_code, unused_imports, reason = "the tests open no window"))]

mod commands;
mod demo;
mod downloads;
mod http;
mod settings;
mod start;
mod window;

use commands::Shell;
use std::process::ExitCode;
use std::sync::Arc;
use tauri::Manager;

// Not in the test build. It opens no window, and embedding the pages there as well has two compilers write the same
// compressed files at once: the window could then be built from one that was half written, and open empty.
#[cfg(not(test))]
fn main() -> ExitCode {
    let app = tauri::Builder::default()
        .register_uri_scheme_protocol(window::NOTICE_SCHEME, |context, _| {
            window::notice(context.app_handle())
        })
        .invoke_handler(tauri::generate_handler![commands::amulet])
        .setup(|app| {
            let shell = match start::service(app.handle()) {
                Ok(service) => {
                    let service = Arc::new(service);
                    let unasked = Arc::clone(&service);
                    tauri::async_runtime::spawn(async move { unasked.keep_checking().await });
                    Shell::Ready(service)
                }
                Err(failure) => {
                    eprintln!("amulet: {failure}");
                    Shell::Failed(failure)
                }
            };
            let is_ready = matches!(shell, Shell::Ready(_));
            app.manage(shell);
            window::open(app.handle(), is_ready)?;
            Ok(())
        })
        .run(tauri::generate_context!());
    match app {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("amulet: the window cannot be opened: {error}");
            ExitCode::FAILURE
        }
    }
}
