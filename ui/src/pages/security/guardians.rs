//! Guardians: people who keep a sheet each, enough of which bring the wallet back.

use super::sheet_paper::SheetPapers;
use crate::components::actions::{Button, Weight};
use crate::components::error::ErrorNotice;
use crate::components::field::{Choice, Complaint, PassphraseField, TextField};
use crate::components::icon::{Glyph, Icon};
use crate::components::load::show;
use crate::components::page::{ActionBar, PageHead};
use crate::components::progress::ActionProgress;
use crate::hooks::{Load, use_action, use_load};
use crate::i18n::{tr, use_translator};
use crate::pages::collect_sheets::CollectSheets;
use crate::route::Route;
use amulet_app_api::recovery::{
    Guardians as Call, GuardiansView, MakeSheets, SheetSetView, SheetsView, TrySheets,
};
use dioxus::prelude::*;

/// Longest name the form takes, in characters.
const NAME_LENGTH_MAX: u32 = 60;
/// Fewer guardians would be no split.
const GUARDIANS_MIN: usize = 2;
/// Names asked for at first.
const GUARDIANS_USUAL: usize = 3;

#[derive(Clone, Copy, PartialEq)]
enum Step {
    Overview,
    Names,
    Sheets,
    Try,
}

/// The page.
#[component]
pub fn Guardians() -> Element {
    let t = use_translator();
    let load = use_load(Call {});
    let mut step = use_signal(|| Step::Overview);
    let mut made = use_signal(|| None::<SheetsView>);
    let now = step();
    let title = match now {
        Step::Overview => tr!(t, "guardians-title"),
        Step::Names => tr!(t, "guardians-names-title"),
        Step::Sheets => tr!(t, "guardians-sheets-title"),
        Step::Try => tr!(t, "guardians-try-title"),
    };
    let mut leave = move |to: Step| {
        // The sheets are shown once and stay nowhere.
        made.set(None);
        step.set(to);
    };
    rsx! {
        div { class: "page print-page",
            div { class: "stack tight",
                if now == Step::Overview {
                    Link { class: "ghost back", to: Route::Security {}, "data-testid": "back",
                        Glyph { icon: Icon::Back }
                        {tr!(t, "back")}
                    }
                } else if now != Step::Sheets {
                    button { class: "ghost back", r#type: "button", "data-testid": "step-back", onclick: move |_| leave(Step::Overview),
                        Glyph { icon: Icon::Back }
                        {tr!(t, "back")}
                    }
                }
                PageHead { key: "{title}", title: title.clone() }
            }
            match now {
                Step::Overview => rsx! { Overview { load, onmake: move |()| step.set(Step::Names), ontry: move |()| step.set(Step::Try) } },
                Step::Names => rsx! {
                    {show(load, |view| rsx! {
                        Names { most: view.guardians_max, onmade: move |sheets| {
                            made.set(Some(sheets));
                            load.reload.call(());
                            step.set(Step::Sheets);
                        } }
                    })}
                },
                Step::Sheets => rsx! {
                    if let Some(sheets) = made.read().clone() {
                        SheetPapers { sheets, ondone: move |()| leave(Step::Try) }
                    }
                },
                Step::Try => rsx! { TryOut { ondone: move |()| {
                    load.reload.call(());
                    leave(Step::Overview);
                } } },
            }
        }
    }
}

#[component]
fn Overview(load: Load<GuardiansView>, onmake: EventHandler<()>, ontry: EventHandler<()>) -> Element {
    let t = use_translator();
    let known = load.state.read().value().and_then(|view| view.sheets.clone());
    let can_try = known.as_ref().is_some_and(|sheets| !sheets.worthless);
    let is_tried = known.as_ref().is_some_and(|sheets| sheets.tried.is_some());
    rsx! {
        p { {tr!(t, "guardians-lead")} }
        {show(load, |view| match view.sheets.clone() {
            Some(sheets) => rsx! { Known { sheets } },
            None => rsx! {
                ul { class: "points",
                    for key in ["guardians-point-each", "guardians-point-who", "guardians-point-hospital", "guardians-point-try"] {
                        li { key: "{key}", {t.text(key, &[])} }
                    }
                }
            },
        })}
        ActionBar {
            if can_try {
                Button { label: tr!(t, "guardians-try"), weight: if is_tried { Weight::Second } else { Weight::Main }, testid: "guardians-try", onclick: ontry }
            }
            Button {
                label: if known.is_some() { tr!(t, "guardians-again") } else { tr!(t, "guardians-make") },
                weight: if can_try { Weight::Second } else { Weight::Main },
                testid: "guardians-make",
                onclick: onmake,
            }
        }
    }
}

/// The sheets made last, and whether they can be relied on.
#[component]
fn Known(sheets: SheetSetView) -> Element {
    let t = use_translator();
    let (class, icon, title, text) = match (sheets.worthless, sheets.tried) {
        (true, _) => (
            "notice danger",
            Icon::Warning,
            tr!(t, "guardians-worthless"),
            tr!(t, "guardians-worthless-next"),
        ),
        (false, None) => {
            ("notice wait", Icon::Clock, tr!(t, "guardians-untried"), tr!(t, "guardians-untried-next"))
        }
        (false, Some(at)) => (
            "notice good",
            Icon::Check,
            tr!(t, "guardians-tried", date = t.day(at)),
            tr!(t, "guardians-tried-next"),
        ),
    };
    rsx! {
        div { class, role: "status", "data-testid": "guardians-standing",
            Glyph { icon, size: 24 }
            div { class: "grow",
                p { class: "strong", {title} }
                p { class: "small", {text} }
            }
        }
        section { class: "stack tight",
            h2 { {tr!(t, "guardians-who", n = sheets.threshold, total = sheets.names.len())} }
            ol { class: "list", "data-testid": "guardians-names",
                for (index, name) in sheets.names.iter().enumerate() {
                    li { key: "{index}", class: "line",
                        Glyph { icon: Icon::Person }
                        span { class: "grow",
                            span { class: "strong block", {name.clone()} }
                            span { class: "soft small block", {tr!(t, "sheet-number", n = index + 1)} }
                        }
                    }
                }
            }
            p { class: "soft small", {tr!(t, "guardians-made", date = t.day(sheets.made))} }
            p { class: "soft small", {tr!(t, "guardians-earlier")} }
        }
    }
}

/// Who gets a sheet, how many are needed, and the passphrase.
#[component]
fn Names(most: u8, onmade: EventHandler<SheetsView>) -> Element {
    let t = use_translator();
    let action = use_action();
    let all: Vec<Signal<String>> = use_hook(|| (0..most).map(|_| Signal::new(String::new())).collect());
    let mut shown = use_signal(|| GUARDIANS_USUAL);
    let mut threshold = use_signal(|| None::<u8>);
    let passphrase = use_signal(String::new);
    let mut complaint = use_signal(|| None::<&'static str>);
    let fields: Vec<Signal<String>> = all.iter().take(shown()).copied().collect();
    let named: Vec<String> =
        fields.iter().map(|name| name.read().trim().to_owned()).filter(|name| !name.is_empty()).collect();
    let count = u8::try_from(named.len().max(GUARDIANS_MIN)).unwrap_or(most);
    // More than half, unless the person chose otherwise and it still fits.
    let needed = threshold().filter(|chosen| *chosen <= count).unwrap_or(count / 2 + 1);
    let given = named.clone();
    let submit = use_callback(move |names: Vec<String>| {
        let different = names.iter().collect::<std::collections::BTreeSet<_>>().len();
        let problem = if names.len() < GUARDIANS_MIN {
            Some("guardians-too-few")
        } else if different < names.len() {
            Some("guardians-twice")
        } else if passphrase.peek().is_empty() {
            Some("passphrase-missing")
        } else {
            None
        };
        complaint.set(problem);
        if problem.is_none() {
            let call = MakeSheets { names, threshold: needed, passphrase: passphrase.peek().clone() };
            action.call(call, move |sheets| onmade.call(sheets));
        }
    });
    let said = complaint();
    rsx! {
        p { {tr!(t, "guardians-names-lead")} }
        form {
            class: "stack",
            novalidate: true,
            onsubmit: move |event| {
                event.prevent_default();
                submit.call(given.clone());
            },
            for (index, value) in fields.into_iter().enumerate() {
                TextField {
                    key: "{index}",
                    id: "guardian-{index + 1}",
                    label: tr!(t, "guardian-name", n = index + 1),
                    value,
                    max_length: NAME_LENGTH_MAX,
                }
            }
            Complaint { text: said.filter(|key| key.starts_with("guardians")).map(|key| t.text(key, &[])) }
            if shown() < usize::from(most) {
                div {
                    Button { label: tr!(t, "guardian-more"), weight: Weight::Second, icon: Icon::Plus, testid: "guardian-more", onclick: move |()| shown += 1 }
                }
            }
            fieldset { class: "stack tight",
                legend { class: "legend", {tr!(t, "guardians-needed")} }
                p { class: "hint", {tr!(t, "guardians-needed-hint")} }
                for n in 2..=count {
                    Choice {
                        key: "{n}",
                        name: "guardians-needed",
                        testid: "guardians-needed-{n}",
                        label: tr!(t, "guardians-needed-of", n = n, total = count),
                        chosen: n == needed,
                        onchoose: move |()| threshold.set(Some(n)),
                    }
                }
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
                Button { label: tr!(t, "guardians-split"), weight: Weight::Main, testid: "guardians-split", submits: true, busy: action.is_running(), onclick: |()| {} }
            }
        }
    }
}

/// Sheets come back to the table once, before anybody relies on them.
#[component]
fn TryOut(ondone: EventHandler<()>) -> Element {
    let t = use_translator();
    let action = use_action();
    rsx! {
        p { {tr!(t, "guardians-try-lead")} }
        CollectSheets {
            label: tr!(t, "guardians-try"),
            onenough: move |texts| action.call(TrySheets { texts }, move |_| ondone.call(())),
        }
        if let Some(error) = action.error.read().clone() {
            ErrorNotice { error }
        }
    }
}
