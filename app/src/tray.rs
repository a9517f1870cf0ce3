//! The icon in the desktop's tray, where there is one: open, lock, quit.
//!
//! It is a convenience. Closing the window ends the program with it or without it.

use amulet_app_api::wallet::{Language, Lock};
use amulet_wallet::service::Service;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tauri::menu::{Menu, MenuItem};
use tauri::tray::TrayIconBuilder;
use tauri::{AppHandle, Manager, Wry};

use crate::{window, words};

const OPEN: &str = "open";
const LOCK: &str = "lock";
const QUIT: &str = "quit";

/// The entries, so that they can change their language.
struct Entries {
    open: MenuItem<Wry>,
    lock: MenuItem<Wry>,
    quit: MenuItem<Wry>,
}

/// Puts the icon there. Where the system has no tray, the window opens all the same.
pub fn open(app: &AppHandle, service: &Arc<Service>) {
    // The library behind Linux trays is looked for when it is first used, and its absence is told by a panic.
    match catch_unwind(AssertUnwindSafe(|| build(app, service))) {
        Ok(Ok(())) => {}
        Ok(Err(error)) => eprintln!("amulet: there is no tray icon: {error}"),
        Err(_) => eprintln!("amulet: there is no tray icon: this system has no library for it"),
    }
}

fn build(app: &AppHandle, service: &Arc<Service>) -> tauri::Result<()> {
    let words = words::tray(service.language().ok().flatten().unwrap_or(Language::En));
    let entry = |id, text| MenuItem::with_id(app, id, text, true, None::<&str>);
    let entries = Entries {
        open: entry(OPEN, words.open)?,
        lock: entry(LOCK, words.lock)?,
        quit: entry(QUIT, words.quit)?,
    };
    let menu = Menu::with_items(app, &[&entries.open, &entries.lock, &entries.quit])?;
    let service = Arc::clone(service);
    let mut icon = TrayIconBuilder::new().menu(&menu).tooltip(window::TITLE).on_menu_event(
        move |app, event| match event.id().as_ref() {
            OPEN => window::show(app),
            LOCK => lock(app.clone(), Arc::clone(&service)),
            QUIT => app.exit(0),
            _ => {}
        },
    );
    if let Some(picture) = app.default_window_icon() {
        icon = icon.icon(picture.clone());
    }
    icon.build(app)?;
    app.manage(entries);
    Ok(())
}

/// Has the tray speak another language.
pub fn speak(app: &AppHandle, language: Language) {
    let Some(entries) = app.try_state::<Entries>() else { return };
    let words = words::tray(language);
    for (entry, text) in
        [(&entries.open, words.open), (&entries.lock, words.lock), (&entries.quit, words.quit)]
    {
        // An entry that keeps its old words still does what it says.
        let _ = entry.set_text(text);
    }
}

fn lock(app: AppHandle, service: Arc<Service>) {
    tauri::async_runtime::spawn(async move {
        // It cannot fail; and the page asks for itself whether it is locked.
        let _ = service.answer(Lock {}.into()).await;
        window::wake(&app);
    });
}
