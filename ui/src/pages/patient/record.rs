//! One record.

use super::erasure::Erasure;
use super::large::Large;
use crate::app::use_app;
use crate::components::icon::{Glyph, Icon};
use crate::components::load::show;
use crate::components::page::PageHead;
use crate::components::record::RecordBody;
use crate::components::trend::Trends;
use crate::hooks::use_load_kept;
use crate::i18n::{tr, use_translator};
use crate::pages::save_file::SaveProof;
use crate::route::Route;
use amulet_app_api::files::ProofOf;
use amulet_app_api::records::Record as RecordCall;
use dioxus::prelude::*;

/// The page.
#[component]
pub fn Record(id: String) -> Element {
    let app = use_app();
    let t = use_translator();
    let record = use_load_kept(RecordCall { id });
    let loaded =
        record.state.read().value().map(|record| (record.line.title.clone(), record.line.highlight.clone()));
    let (title, highlight) = loaded.unwrap_or_else(|| (tr!(t, "record-title"), None));
    rsx! {
        div { class: "page",
            PageHead { title, lead: highlight, back: Route::Records { filter: app.records_shown.0.peek().clone() } }
            {show(record, |record| rsx! {
                RecordBody { record: record.clone(),
                    if record.line.resource_type == "Observation" {
                        Trends { id: record.line.id.clone() }
                    }
                }
                if let Some(large) = record.line.large.clone() {
                    Large { id: record.line.id.clone(), large }
                }
                Link {
                    class: "line",
                    to: Route::RecordStory { id: record.line.id.clone() },
                    "data-testid": "record-story",
                    span { class: "tile", Glyph { icon: Icon::Log } }
                    span { class: "grow strong", {tr!(t, "story-title")} }
                    Glyph { icon: Icon::Next, size: 18 }
                }
                Erasure { id: record.line.id.clone() }
                SaveProof { of: ProofOf::Record { id: record.line.id.clone() } }
            })}
        }
    }
}
