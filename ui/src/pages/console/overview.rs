//! How the node does.

use super::ask::use_answer;
use super::{Console as Frame, show};
use crate::components::actions::{Button, Weight};
use crate::components::icon::{Glyph, Icon};
use crate::i18n::{tr, use_translator};
use amulet_app_api::console::{OVERVIEW_PATH, OverviewView};
use amulet_app_api::wallet::Language;
use dioxus::prelude::*;

const BYTES_PER_MEGABYTE: u64 = 1_000_000;

/// The page.
#[component]
pub fn Console() -> Element {
    let t = use_translator();
    rsx! {
        Frame { title: tr!(t, "console-title"), Overview {} }
    }
}

#[component]
fn Overview() -> Element {
    let t = use_translator();
    let mut answer = use_answer::<OverviewView>(OVERVIEW_PATH.to_owned());
    rsx! {
        {show(answer, |view| rsx! { Facts { view: view.clone() } })}
        Button {
            label: tr!(t, "console-again"),
            weight: Weight::Second,
            icon: Icon::Refresh,
            testid: "console-refresh",
            onclick: move |()| answer.restart(),
        }
    }
}

#[component]
fn Facts(view: OverviewView) -> Element {
    let t = use_translator();
    let chinese = t.language() == Language::Zh;
    let name = if chinese { &view.name_zh } else { &view.name_en };
    let megabytes = view.database_bytes.div_ceil(BYTES_PER_MEGABYTE);
    let scrubbed = view.vault_scrubbed.map_or_else(|| tr!(t, "console-never"), |at| t.date_time(at));
    let alarms = [
        ("console-alarm-forks", view.forks),
        ("console-alarm-evidence", view.evidence),
        ("console-alarm-lost", view.vault_lost),
        ("console-alarm-tokens", view.wrong_tokens),
    ];
    let facts = [
        (tr!(t, "console-hospital"), name.clone()),
        (tr!(t, "console-network"), view.network.clone()),
        (tr!(t, "console-version"), view.version.clone()),
        (tr!(t, "console-height"), view.height.to_string()),
        (
            tr!(t, "console-block-time"),
            format!("{} ({})", t.date_time(view.block_time), t.ago(view.block_time, view.now)),
        ),
        (tr!(t, "console-view"), tr!(t, "console-view-primary", view = view.view, primary = view.primary)),
        (
            tr!(t, "console-connected"),
            tr!(
                t,
                "console-connected-of",
                n = view.connected,
                all = view.validators.saturating_sub(1),
                needed = view.quorum
            ),
        ),
        (tr!(t, "console-waiting"), view.waiting.to_string()),
        (tr!(t, "console-records"), view.records_registered.to_string()),
        (tr!(t, "console-databases"), tr!(t, "console-megabytes", n = megabytes)),
        (tr!(t, "console-scrubbed"), scrubbed),
    ];
    rsx! {
        for (key, count) in alarms.into_iter().filter(|(_, count)| *count > 0) {
            div { key: "{key}", class: "notice danger", role: "alert", "data-testid": "{key}",
                Glyph { icon: Icon::Warning, size: 24 }
                p { class: "grow", {t.text(key, &[("n", count.into())])} }
            }
        }
        dl { class: "facts card-box", "data-testid": "console-facts",
            for (name, value) in facts {
                dt { {name} }
                dd { {value} }
            }
        }
    }
}
