//! The medicines that the records tell of; what a record does not say is shown as not said.

use crate::components::icon::{Glyph, Icon};
use crate::components::load::show;
use crate::components::page::{Empty, PageHead};
use crate::hooks::use_load;
use crate::i18n::{tr, use_translator, words};
use crate::pages::missing::Missing;
use crate::route::Route;
use amulet_app_api::records::{MedicineStanding, MedicineView, Medicines as Call, MedicinesView};
use dioxus::prelude::*;

/// The order of the groups.
const STANDINGS: [MedicineStanding; 4] =
    [MedicineStanding::Current, MedicineStanding::OnHold, MedicineStanding::NotSaid, MedicineStanding::Past];

/// The page.
#[component]
pub fn Medicines() -> Element {
    let t = use_translator();
    let load = use_load(Call {});
    rsx! {
        div { class: "page",
            PageHead { title: tr!(t, "medicines-title"), lead: tr!(t, "medicines-lead"), back: Route::records() }
            {show(load, |view| rsx! { Body { view: view.clone() } })}
        }
    }
}

#[component]
fn Body(view: MedicinesView) -> Element {
    let t = use_translator();
    if view.medicines.is_empty() {
        return rsx! {
            Missing { records: view.missing }
            Empty { icon: Icon::Records, title: tr!(t, "medicines-none-title"), text: tr!(t, "medicines-none-text") }
        };
    }
    let group = |standing: MedicineStanding| {
        view.medicines.iter().filter(|medicine| medicine.standing == standing).cloned().collect::<Vec<_>>()
    };
    rsx! {
        Missing { records: view.missing }
        for (standing, medicines) in STANDINGS.map(|standing| (standing, group(standing))) {
            if !medicines.is_empty() {
                section { key: "{words::medicine_standing(&standing)}", class: "stack tight",
                    h2 { {t.text(words::medicine_standing(&standing), &[])} }
                    ul { class: "list",
                        for medicine in medicines {
                            li { key: "{medicine.record}", Medicine { medicine } }
                        }
                    }
                }
            }
        }
        p { class: "faint", {tr!(t, "medicines-note")} }
    }
}

#[component]
fn Medicine(medicine: MedicineView) -> Element {
    let t = use_translator();
    let since = medicine.since.as_ref().map_or_else(|| tr!(t, "no-date"), |date| t.record_date(date));
    let by = medicine.by.clone().unwrap_or_else(|| tr!(t, "medicines-by-not-said"));
    rsx! {
        Link { class: "line", to: Route::Record { id: medicine.record.clone() }, "data-testid": "medicine",
            span { class: "grow",
                span { class: "strong block", {medicine.name.clone()} }
                span { class: "block", {medicine.dose.clone().unwrap_or_else(|| tr!(t, "medicines-dose-not-said"))} }
                span { class: "soft small block", {since} " · " {by} " · " {t.hospital(&medicine.hospital)} }
            }
            Glyph { icon: Icon::Next, size: 18 }
        }
    }
}
