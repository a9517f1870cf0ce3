//! A text to be copied, by a button or by hand.

use crate::components::actions::{Button, Weight};
use crate::components::icon::{Glyph, Icon};
use crate::i18n::{tr, use_translator};
use crate::platform;
use dioxus::prelude::*;

/// How long a copied text stays in the clipboard, where the browser lets a page clear it.
const CLEARED_AFTER_MS: u32 = 60_000;

/// A text that can be read and not changed, with a button that copies it. `id` is the field's, and the test's name for it.
#[component]
pub fn Copied(id: &'static str, copy_testid: &'static str, label: String, text: String) -> Element {
    let t = use_translator();
    let mut copied = use_signal(|| None::<bool>);
    rsx! {
        div { class: "field",
            label { r#for: id, {label} }
            textarea { id, class: "mono", "data-testid": id, rows: "5", readonly: true, translate: "no", value: "{text}" }
        }
        div { class: "row wrap",
            Button {
                label: tr!(t, "copy"),
                weight: Weight::Second,
                icon: Icon::File,
                testid: copy_testid,
                onclick: move |()| {
                    copied.set(Some(platform::copy_field(id)));
                    // Whatever page is open by then.
                    dioxus::core::spawn_forever(async {
                        platform::sleep_ms(CLEARED_AFTER_MS).await;
                        platform::clear_clipboard();
                    });
                },
            }
            p { role: "status", class: "mark good",
                match copied() {
                    Some(true) => rsx! {
                        Glyph { icon: Icon::Check, size: 18 }
                        {tr!(t, "copied")}
                    },
                    Some(false) => rsx! { {tr!(t, "copy-by-hand")} },
                    None => rsx! {},
                }
            }
        }
    }
}
