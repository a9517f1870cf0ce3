//! A record that is too large to be shown: what it is, and saving it as a file.

use crate::components::actions::{Button, Weight};
use crate::components::error::{ErrorNotice, bytes};
use crate::components::icon::Icon;
use crate::components::progress::ActionProgress;
use crate::hooks::use_action;
use crate::i18n::{tr, use_translator};
use crate::pages::save_file::SavedFile;
use amulet_app_api::files::{CancelSaving, SaveLarge, SavedFileView};
use amulet_app_api::records::LargeView;
use dioxus::prelude::*;

/// What came of the last saving.
#[derive(Clone, PartialEq)]
enum Came {
    Nothing,
    File(SavedFileView),
    Cancelled,
}

/// Size and kind of a large record, and the way to save it.
#[component]
pub fn Large(id: String, large: LargeView) -> Element {
    let t = use_translator();
    let (action, cancelling) = (use_action(), use_action());
    let mut came = use_signal(|| Came::Nothing);
    let size = bytes(large.bytes);
    let saved = match came() {
        Came::File(file) => Some(file),
        Came::Nothing | Came::Cancelled => None,
    };
    rsx! {
        section { class: "stack tight", "aria-labelledby": "large", "data-testid": "large",
            h2 { id: "large", {tr!(t, "large-title")} }
            p { "data-testid": "large-size", {tr!(t, "large-size", size = size, kind = large.content_type.clone())} }
            p { class: "soft", {tr!(t, "large-text")} }
            if let Some(error) = action.error.read().clone() {
                ErrorNotice { error }
            }
            ActionProgress { action, waiting: tr!(t, "task-saving-file") }
            SavedFile { saved }
            if came() == Came::Cancelled {
                p { role: "status", "data-testid": "large-cancelled", {tr!(t, "large-cancelled")} }
            }
            div { class: "row",
                Button {
                    label: tr!(t, "large-save"),
                    weight: Weight::Second,
                    icon: Icon::File,
                    testid: "large-save",
                    busy: action.is_running(),
                    onclick: move |()| {
                        came.set(Came::Nothing);
                        action.call(SaveLarge { id: id.clone() }, move |file| {
                            came.set(file.map_or(Came::Cancelled, Came::File));
                        });
                    },
                }
                if action.is_running() {
                    Button {
                        label: tr!(t, "large-cancel"),
                        weight: Weight::Second,
                        testid: "large-cancel",
                        disabled: cancelling.is_running(),
                        onclick: move |()| cancelling.call(CancelSaving {}, |()| {}),
                    }
                }
            }
        }
    }
}
