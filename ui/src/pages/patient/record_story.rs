//! Everything that happened to one record.

use super::erasure::Erasure;
use super::events;
use crate::components::check::{CheckedBadge, ProvenMark};
use crate::components::icon::{Glyph, Icon};
use crate::components::load::show;
use crate::components::page::PageHead;
use crate::hooks::use_load;
use crate::i18n::{tr, use_translator, words};
use crate::pages::save_file::SaveProof;
use crate::route::Route;
use amulet_app_api::files::ProofOf;
use amulet_app_api::records::{RecordStory as RecordStoryCall, RecordStoryView, StoryStep, StoryStepView};
use dioxus::prelude::*;

/// The page.
#[component]
pub fn RecordStory(id: String) -> Element {
    let t = use_translator();
    let story = use_load(RecordStoryCall { id: id.clone() });
    rsx! {
        div { class: "page",
            PageHead { title: tr!(t, "story-title"), lead: tr!(t, "story-lead"), back: Route::Record { id: id.clone() } }
            {show(story, |view| rsx! { Body { view: view.clone() } })}
            Erasure { id: id.clone() }
            SaveProof { of: ProofOf::RecordStory { id } }
        }
    }
}

#[component]
fn Body(view: RecordStoryView) -> Element {
    let t = use_translator();
    rsx! {
        CheckedBadge { checked: view.checked.clone() }
        p { class: "mark good", "data-testid": "story-complete",
            Glyph { icon: Icon::Check, size: 18 }
            {tr!(t, "story-complete", n = view.steps.len())}
        }
        ul { class: "list",
            for step in view.steps {
                li { key: "{step.line.line.number}", Step { step } }
            }
        }
    }
}

#[component]
fn Step(step: StoryStepView) -> Element {
    let t = use_translator();
    let StoryStepView { what, line } = step;
    // How many records were read or registered with this one is not this one's story.
    let details = events::details(t, &line).filter(|_| what != StoryStep::Registered);
    rsx! {
        Link { class: "line", to: events::route(&line), "data-testid": "story-step",
            span { class: "tile", Glyph { icon: events::icon(&line.what) } }
            span { class: "grow",
                span { class: "small soft block", {t.day_and_time(line.at)} " · " {events::actor(t, &line)} }
                span { class: "strong block", {t.text(words::story_step(&what), &[])} }
                if let Some(details) = details {
                    span { class: "small block", {details} }
                }
                ProvenMark {}
            }
            Glyph { icon: Icon::Next, size: 18 }
        }
    }
}
