//! The wallet as a file that its owner keeps.

use crate::components::actions::{Button, Weight};
use crate::components::error::ErrorNotice;
use crate::components::icon::Icon;
use crate::components::page::{ActionBar, PageHead};
use crate::hooks::use_action;
use crate::i18n::{tr, use_translator};
use crate::pages::save_file::SavedFile;
use crate::route::Route;
use amulet_app_api::files::SavedFileView;
use amulet_app_api::recovery::SaveBackup;
use dioxus::prelude::*;

/// The page.
#[component]
pub fn Backup() -> Element {
    let t = use_translator();
    let action = use_action();
    let mut saved = use_signal(|| None::<SavedFileView>);
    rsx! {
        div { class: "page",
            PageHead { title: tr!(t, "backup-title"), lead: tr!(t, "backup-lead"), back: Route::Security {} }
            ul { class: "points",
                for key in ["backup-point-passphrase", "backup-point-what", "backup-point-where", "backup-point-words"] {
                    li { key: "{key}", {t.text(key, &[])} }
                }
            }
            if let Some(error) = action.error.read().clone() {
                ErrorNotice { error }
            }
            SavedFile { saved: saved() }
            ActionBar {
                Button {
                    label: tr!(t, "backup-save"),
                    weight: Weight::Main,
                    icon: Icon::File,
                    testid: "backup-save",
                    busy: action.is_running(),
                    onclick: move |()| {
                        saved.set(None);
                        action.call(SaveBackup {}, move |file| saved.set(Some(file)));
                    },
                }
            }
        }
    }
}
