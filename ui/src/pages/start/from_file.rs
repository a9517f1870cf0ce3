//! Bringing a wallet back from a backup file.

use crate::app::use_app;
use crate::components::actions::{Button, Weight};
use crate::components::error::ErrorNotice;
use crate::components::field::PassphraseField;
use crate::components::icon::{Glyph, Icon};
use crate::components::page::{ActionBar, PageHead};
use crate::components::progress::ActionProgress;
use crate::hooks::{use_action, use_leaving_when_open};
use crate::i18n::{tr, use_translator};
use crate::platform::PickedFile;
use crate::route::Route;
use amulet_app_api::recovery::RestoreBackup;
use amulet_app_api::{ApiError, ErrorCode};
use dioxus::prelude::*;

/// Larger than any backup, in bytes; the wallet says the same more exactly.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
const FILE_ID: &str = "backup-file";

/// The page.
#[component]
pub fn RestoreFile() -> Element {
    let app = use_app();
    let t = use_translator();
    let action = use_action();
    let mut picked = use_signal(|| None::<(String, String)>);
    let passphrase = use_signal(String::new);
    let mut complaint = use_signal(|| None::<&'static str>);
    use_leaving_when_open();
    let pick = move |_| {
        let Some(file) = PickedFile::take(FILE_ID) else { return };
        let name = file.name();
        let work = async move {
            if file.size() > FILE_BYTES_MAX {
                return Err(ApiError::new(ErrorCode::BackupNotOurs));
            }
            file.base64().await.ok_or_else(|| ErrorCode::BackupNotOurs.into())
        };
        picked.set(None);
        complaint.set(None);
        action.run(work, move |content| picked.set(Some((name, content))));
    };
    let submit = move || {
        let chosen = picked.peek().clone();
        let problem = if chosen.is_none() {
            Some("restore-file-missing")
        } else if passphrase.peek().is_empty() {
            Some("passphrase-missing")
        } else {
            None
        };
        complaint.set(problem);
        if let (None, Some((_, file))) = (problem, chosen) {
            let call = RestoreBackup { file, passphrase: passphrase.peek().clone() };
            action.call(call, move |session| app.open(session));
        }
    };
    let mut submit_form = submit;
    let said = complaint();
    rsx! {
        div { class: "page",
            PageHead { title: tr!(t, "restore-file-title"), lead: tr!(t, "restore-file-lead"), back: Route::Restore {} }
            form {
                class: "stack",
                novalidate: true,
                onsubmit: move |event| {
                    event.prevent_default();
                    submit_form();
                },
                div { class: "field",
                    label { class: "button second file-button",
                        Glyph { icon: Icon::File }
                        {tr!(t, "restore-file-choose")}
                        input {
                            id: FILE_ID,
                            class: "visually-hidden",
                            "data-testid": FILE_ID,
                            r#type: "file",
                            accept: ".amuletbackup",
                            disabled: action.is_running(),
                            onchange: pick,
                        }
                    }
                    p { role: "status", "data-testid": "backup-picked",
                        if let Some((name, _)) = picked.read().clone() {
                            span { class: "mark good",
                                Glyph { icon: Icon::Check, size: 18 }
                                {name}
                            }
                        }
                    }
                    crate::components::field::Complaint { text: said.filter(|key| *key == "restore-file-missing").map(|key| t.text(key, &[])) }
                }
                PassphraseField {
                    id: "passphrase",
                    label: tr!(t, "passphrase"),
                    value: passphrase,
                    autocomplete: "current-password",
                    complaint: said.filter(|key| *key == "passphrase-missing").map(|key| t.text(key, &[])),
                    oninput: move |_| action.clear_error(),
                }
                if let Some(error) = action.error.read().clone() {
                    ErrorNotice { error }
                }
                ActionProgress { action, waiting: tr!(t, "task-unlocking") }
                ActionBar {
                    Button { label: tr!(t, "restore-submit"), weight: Weight::Main, testid: "backup-restore", submits: true, busy: action.is_running(), onclick: |()| {} }
                }
            }
        }
    }
}
