//! Amulet's window: the pages in a web view, the wallet in this process. Keys never enter the page; the page sends
//! requests over one command and gets views back.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]
#![cfg_attr(test, allow(dead_code, unused_imports, reason = "the tests open no window"))]

mod commands;
mod demo;
mod downloads;
mod http;
mod links;
mod notices;
mod settings;
mod start;
mod tray;
mod window;
mod words;

use commands::Shell;
use links::OpenedLinks;
use settings::Settings;
use std::process::ExitCode;
use std::sync::Arc;
use tauri::Manager;
use tauri_plugin_deep_link::DeepLinkExt;

// Not in the test build. It opens no window, and embedding the pages there as well has two compilers write the same
// compressed files at once: the window could then be built from one that was half written, and open empty.
#[cfg(not(test))]
fn main() -> ExitCode {
    let context = tauri::generate_context!();
    let instance = settings::instance(&context.config().identifier);
    // A second start ends in this first plugin, before it has touched a file; the first start shows its window instead.
    let single = tauri_plugin_single_instance::Builder::new()
        .dbus_id(instance)
        .callback(|app, _, _| window::show(app))
        .build();
    let app = tauri::Builder::default()
        .plugin(single)
        .plugin(tauri_plugin_deep_link::init())
        .manage(OpenedLinks::default())
        .register_uri_scheme_protocol(window::NOTICE_SCHEME, |context, _| {
            window::notice(context.app_handle())
        })
        .invoke_handler(tauri::generate_handler![commands::amulet])
        .setup(|app| Ok(set_up(app)?))
        .run(context);
    match app {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("amulet: the window cannot be opened: {error}");
            ExitCode::FAILURE
        }
    }
}

fn set_up(app: &tauri::App) -> tauri::Result<()> {
    let handle = app.handle();
    let settings = Settings::find(handle);
    // A demonstration has invented people, whom guides and tests take pictures of.
    let is_demo = settings.as_ref().is_ok_and(|settings| settings.demo().is_dir());
    let service = settings.map_err(Into::into).and_then(|settings| start::service_of(&settings));
    let shell = match service {
        Ok(service) => {
            let service = Arc::new(service);
            let unasked = Arc::clone(&service);
            tauri::async_runtime::spawn(async move { unasked.keep_checking().await });
            tray::open(handle, &service);
            Shell::Ready(service)
        }
        Err(failure) => {
            eprintln!("amulet: {failure}");
            Shell::Failed(failure)
        }
    };
    let is_ready = matches!(shell, Shell::Ready(_));
    app.manage(shell);
    take_links(app);
    window::open(handle, is_ready, !is_demo && !cfg!(debug_assertions))
}

/// Reads the link that started the program, and those that come while it runs.
fn take_links(app: &tauri::App) {
    let handle = app.handle().clone();
    app.deep_link().on_open_url(move |event| {
        if let Some(url) = event.urls().last() {
            window::open_link(&handle, links::read(url.as_str()));
        }
    });
    let first = app.deep_link().get_current().ok().flatten();
    if let Some(url) = first.iter().flatten().last() {
        app.state::<OpenedLinks>().put(links::read(url.as_str()));
    }
}
