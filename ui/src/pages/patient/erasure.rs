//! Having a record erased: how it stands, the hospitals' receipts, and asking for it.

use crate::components::actions::{Button, Weight};
use crate::components::dialog::Confirm;
use crate::components::icon::{Glyph, Icon};
use crate::components::load::show;
use crate::hooks::{use_action, use_load};
use crate::i18n::{Translator, tr, use_translator, words};
use crate::route::Route;
use amulet_app_api::erasure::{
    ErasedRecordView, ErasureStanding, HolderReceiptView, RecordErasure, RecordErasureView, RequestErasure,
};
use dioxus::prelude::*;

/// How it stands with the erasure of one record.
#[component]
pub fn Erasure(id: String) -> Element {
    let t = use_translator();
    let erasure = use_load(RecordErasure { id: id.clone() });
    rsx! {
        section { class: "stack tight", "aria-labelledby": "erasure", "data-testid": "erasure",
            h2 { id: "erasure", {tr!(t, "erasure-title")} }
            {show(erasure, |view| rsx! {
                Standing { id: id.clone(), view: view.clone(), onchange: erasure.reload }
            })}
        }
    }
}

#[component]
fn Standing(id: String, view: RecordErasureView, onchange: EventHandler<()>) -> Element {
    let t = use_translator();
    let hospital = t.hospital(&view.hospital);
    match view.standing {
        ErasureStanding::None => rsx! {
            p { class: "soft", {tr!(t, "erasure-none", hospital = hospital.clone())} }
            Ask { id, hospital, onchange }
        },
        ErasureStanding::Asked { at, answer_by, overdue } => rsx! {
            div { class: if overdue { "notice wait" } else { "card-box row" }, role: "status", "data-testid": "erasure-asked",
                Glyph { icon: Icon::Clock, size: 24 }
                div { class: "stack tight grow",
                    p { {tr!(t, "erasure-asked", at = t.day(at), hospital = hospital.clone())} }
                    p { {asked_until(t, answer_by, overdue)} }
                }
            }
        },
        ErasureStanding::Kept { reason, until, over } => rsx! {
            div { class: "card-box row", "data-testid": "erasure-kept",
                Glyph { icon: Icon::Cross, size: 24 }
                div { class: "stack tight grow",
                    p { class: "strong", {tr!(t, "erasure-kept", hospital = hospital.clone(), until = t.day(until))} }
                    p { {t.text(words::keep_reason(&reason), &[])} }
                }
            }
            if over {
                Ask { id, hospital, onchange }
            }
        },
        ErasureStanding::Erased { at, ground, confirm_by, holders, overdue } => rsx! {
            div { class: if overdue { "notice wait" } else { "card-box row" }, "data-testid": "erasure-erased",
                Glyph { icon: if overdue { Icon::Warning } else { Icon::Check }, size: 24 }
                div { class: "stack tight grow",
                    p { class: "strong", {tr!(t, "erasure-erased", at = t.day(at), hospital = hospital.clone())} }
                    p { {t.text(words::erasure_ground(&ground), &[])} }
                    ul { class: "list plain",
                        for holder in holders {
                            li { key: "{holder.hospital.did}", "data-testid": "erasure-receipt", {receipt(t, &holder, confirm_by, overdue)} }
                        }
                    }
                }
            }
            p { class: "soft small", {tr!(t, "erasure-limits")} }
        },
    }
}

fn asked_until(t: Translator, answer_by: u64, overdue: bool) -> String {
    match overdue {
        true => tr!(t, "erasure-answer-overdue", by = t.day(answer_by)),
        false => tr!(t, "erasure-answer-by", by = t.day(answer_by)),
    }
}

/// One holder and its receipt, in a sentence.
fn receipt(t: Translator, holder: &HolderReceiptView, confirm_by: u64, overdue: bool) -> String {
    let hospital = t.hospital(&holder.hospital);
    match holder.confirmed_at {
        Some(at) => tr!(t, "erasure-confirmed", hospital = hospital, at = t.date_time(at)),
        None if overdue => tr!(t, "erasure-receipt-overdue", hospital = hospital, by = t.day(confirm_by)),
        None => tr!(t, "erasure-receipt-owed", hospital = hospital, by = t.day(confirm_by)),
    }
}

/// Asking the hospital, after a question: it is on the ledger for good.
#[component]
fn Ask(id: String, hospital: String, onchange: EventHandler<()>) -> Element {
    let t = use_translator();
    let action = use_action();
    let mut asking = use_signal(|| false);
    rsx! {
        div {
            Button { label: tr!(t, "erasure-ask"), weight: Weight::Second, testid: "erasure-ask", onclick: move |()| asking.set(true) }
        }
        if asking() {
            Confirm {
                id: "confirm-erasure",
                title: tr!(t, "erasure-ask-title"),
                text: tr!(t, "erasure-ask-text", hospital = hospital.clone()),
                confirm: tr!(t, "erasure-ask"),
                keep: tr!(t, "erasure-ask-keep"),
                action,
                oncancel: move |()| {
                    action.clear_error();
                    asking.set(false);
                },
                onconfirm: move |()| {
                    action.call(RequestErasure { id: id.clone() }, move |()| {
                        asking.set(false);
                        onchange.call(());
                    });
                },
            }
        }
    }
}

/// The records that are erased: each opens what happened to it.
#[component]
pub fn ErasedRecords(records: Vec<ErasedRecordView>) -> Element {
    let t = use_translator();
    if records.is_empty() {
        return rsx! {};
    }
    rsx! {
        section { class: "stack tight", "aria-labelledby": "erased-records", "data-testid": "erased-records",
            h2 { id: "erased-records", {tr!(t, "erased-records", n = records.len())} }
            p { class: "soft small", {tr!(t, "erased-records-text")} }
            ul { class: "list",
                for record in records {
                    li { key: "{record.id}",
                        Link { class: "line", to: Route::RecordStory { id: record.id.clone() },
                            span { class: "tile", Glyph { icon: Icon::Cross } }
                            span { class: "grow",
                                span { class: "strong block", {t.text(words::category(&record.category), &[])} }
                                span { class: "small soft block", {t.hospital(&record.hospital)} }
                            }
                            Glyph { icon: Icon::Next, size: 18 }
                        }
                    }
                }
            }
        }
    }
}
