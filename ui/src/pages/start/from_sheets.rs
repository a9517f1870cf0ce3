//! Restoring a wallet from guardians' sheets.

use super::owner::{ChoosePassphrase, WhoAndWhere};
use crate::app::use_app;
use crate::components::icon::{Glyph, Icon};
use crate::components::page::PageHead;
use crate::hooks::{use_action, use_leaving_when_open};
use crate::i18n::{tr, use_translator};
use crate::pages::collect_sheets::CollectSheets;
use crate::route::Route;
use amulet_app_api::recovery::RestoreFromSheets;
use dioxus::prelude::*;

#[derive(Clone, Copy, PartialEq)]
enum Step {
    Sheets,
    Owner,
    Passphrase,
}

/// The page.
#[component]
pub fn RestoreSheets() -> Element {
    let app = use_app();
    let t = use_translator();
    let navigator = use_navigator();
    let mut step = use_signal(|| Step::Sheets);
    let mut texts = use_signal(Vec::<String>::new);
    let name = use_signal(String::new);
    let hospital = use_signal(|| None::<String>);
    let action = use_action();
    let submit = move |passphrase: String| {
        let request = RestoreFromSheets {
            name: name.peek().trim().to_owned(),
            texts: texts.peek().clone(),
            passphrase,
            hospital: hospital.peek().clone().unwrap_or_default(),
        };
        action.call(request, move |session| app.open(session));
    };
    use_leaving_when_open();
    let now = step();
    let title = match now {
        Step::Sheets => "restore-sheets-title",
        Step::Owner => "create-owner-title",
        Step::Passphrase => "create-passphrase-title",
    };
    let go_back = move |_| match now {
        Step::Sheets => {
            navigator.push(Route::Restore {});
        }
        Step::Owner => step.set(Step::Sheets),
        Step::Passphrase => step.set(Step::Owner),
    };
    rsx! {
        div { class: "page",
            div { class: "stack tight",
                button { class: "ghost back", r#type: "button", "data-testid": "step-back", disabled: action.is_running(), onclick: go_back,
                    Glyph { icon: Icon::Back }
                    {tr!(t, "back")}
                }
                PageHead { key: "{title}", title: t.text(title, &[]) }
            }
            match now {
                Step::Sheets => rsx! {
                    p { {tr!(t, "restore-sheets-lead")} }
                    CollectSheets {
                        label: tr!(t, "continue"),
                        onenough: move |given| {
                            texts.set(given);
                            step.set(Step::Owner);
                        },
                    }
                },
                Step::Owner => rsx! { WhoAndWhere { name, hospital, onnext: move |()| step.set(Step::Passphrase) } },
                Step::Passphrase => rsx! {
                    p { class: "soft", {tr!(t, "create-passphrase-lead")} }
                    ChoosePassphrase { action, submit_label: tr!(t, "restore-submit"), onsubmit: submit }
                },
            }
        }
    }
}
