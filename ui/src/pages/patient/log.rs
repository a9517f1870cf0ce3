//! The access log: everything that ever happened, by month, emergencies standing out.

use super::events;
use crate::app::use_app;
use crate::components::actions::{Button, Weight};
use crate::components::check::{CheckedBadge, ProvenMark};
use crate::components::field::{Select, TextField};
use crate::components::icon::{Glyph, Icon};
use crate::components::load::show;
use crate::components::page::{Empty, PageHead};
use crate::components::relationship::AsPatientOf;
use crate::filter::{Filter, words_are_in};
use crate::hooks::use_load;
use crate::i18n::{Translator, tr, use_translator};
use crate::pages::save_file::SaveAccessHistory;
use crate::platform;
use crate::route::Route;
use amulet_app_api::access::{AccessLog, AccessLogView, LogEvent, LogLineView};
use amulet_app_api::wallet::{HospitalView, TimeMs};
use dioxus::prelude::*;
use std::collections::BTreeMap;

/// Lines shown at first, and added by each press of "show more".
const LINES_STEP: usize = 100;
/// Months in the chart.
const MONTHS_SHOWN: usize = 24;

/// Whether an event is of a kind.
type Is = fn(&LogEvent) -> bool;

/// The kinds of lines that people look for: name in the address, words, and what belongs to it.
const KINDS: [(&str, &str, Is); 4] = [
    ("emergency", "log-kind-emergency", |what| {
        matches!(
            what,
            LogEvent::EmergencyDeclared { .. }
                | LogEvent::EmergencyDisputed
                | LogEvent::EmergencyReviewed { .. }
        )
    }),
    ("read", "log-kind-read", |what| {
        matches!(what, LogEvent::RecordsRead { .. } | LogEvent::EmergencyDeclared { .. })
    }),
    ("allowed", "log-kind-allowed", |what| {
        matches!(
            what,
            LogEvent::AccessRequested { .. }
                | LogEvent::AccessGranted { .. }
                | LogEvent::AccessDeclined
                | LogEvent::AccessRevoked
                | LogEvent::AccessNarrowed
                | LogEvent::AccessExtended { .. }
                | LogEvent::AccessPaused
                | LogEvent::AccessResumed
                | LogEvent::RecordsOpened
                | LogEvent::DeletionConfirmed
        )
    }),
    ("records", "log-kind-records", |what| {
        matches!(
            what,
            LogEvent::RecordsRegistered
                | LogEvent::ErasureAsked
                | LogEvent::ErasureOrdered { .. }
                | LogEvent::ErasureRefused { .. }
                | LogEvent::ErasureConfirmed
        )
    }),
];

/// The page.
#[component]
pub fn Log(filter: Filter) -> Element {
    let t = use_translator();
    let log = use_load(AccessLog {});
    rsx! {
        div { class: "page",
            PageHead { title: tr!(t, "nav-log"), lead: tr!(t, "log-lead") }
            {show(log, |view| rsx! { Body { view: view.clone(), filter: filter.clone() } })}
        }
    }
}

#[component]
fn Body(view: AccessLogView, filter: Filter) -> Element {
    let app = use_app();
    let t = use_translator();
    let navigator = use_navigator();
    let (mut shown, words) = app.log_shown;
    let mut clear = words;
    let now = filter.clone();
    use_effect(use_reactive!(|(now,)| shown.set(now)));
    let found: Vec<LogLineView> =
        view.lines.iter().filter(|line| fits(t, line, &filter, &words.read())).cloned().collect();
    let key = format!("{filter} {}", words.read());
    let choose = use_callback(move |filter: Filter| {
        navigator.replace(Route::Log { filter });
    });
    rsx! {
        CheckedBadge { checked: view.checked.clone() }
        if view.complete && !view.lines.is_empty() {
            p { class: "mark good", "data-testid": "log-complete",
                Glyph { icon: Icon::Check, size: 18 }
                {tr!(t, "log-complete", n = view.lines.len())}
            }
        }
        if !view.complete {
            div { class: "notice wait", role: "status", "data-testid": "log-incomplete",
                Glyph { icon: Icon::Clock, size: 24 }
                p { {tr!(t, "log-incomplete")} }
            }
        }
        if view.lines.is_empty() {
            Empty { icon: Icon::Log, title: tr!(t, "log-empty-title"), text: tr!(t, "log-empty-text") }
        } else {
            Months { lines: view.lines.clone() }
            Choices { lines: view.lines.clone(), filter: filter.clone(), words, onchoose: choose }
            p { class: "faint", role: "status", "aria-live": "polite", "data-testid": "log-count", {tr!(t, "log-count", n = found.len(), total = view.lines.len())} }
            if found.is_empty() {
                Empty { icon: Icon::Search, title: tr!(t, "log-none-title"), text: tr!(t, "records-none-text"),
                    Button {
                        label: tr!(t, "filter-clear"),
                        weight: Weight::Second,
                        testid: "filter-clear",
                        onclick: move |()| {
                            clear.set(String::new());
                            choose.call(Filter::default());
                        },
                    }
                }
            } else {
                Lines { key: "{key}", lines: found }
            }
        }
        SaveAccessHistory {}
    }
}

/// Whether a line is of the kind, place and year chosen, and says every word typed.
fn fits(t: Translator, line: &LogLineView, filter: &Filter, words: &str) -> bool {
    let is_kind =
        KINDS.iter().find(|(name, ..)| *name == filter.kind).is_none_or(|(_, _, is)| is(&line.what));
    let is_place = filter.hospital.is_empty() || line.relationship.did == filter.hospital;
    let is_year = filter.year.is_empty() || t.year(line.at) == filter.year;
    if !(is_kind && is_place && is_year) {
        return false;
    }
    words.trim().is_empty() || {
        let details = events::details(t, line).unwrap_or_default();
        let said = format!(
            "{} {} {details} {}",
            events::actor(t, line),
            events::headline(t, line),
            t.month(line.at)
        );
        words_are_in(words, &said)
    }
}

#[component]
fn Choices(
    lines: Vec<LogLineView>,
    filter: Filter,
    words: Signal<String>,
    onchoose: EventHandler<Filter>,
) -> Element {
    let t = use_translator();
    let hospitals: BTreeMap<String, HospitalView> =
        lines.iter().map(|line| (line.relationship.did.clone(), line.relationship.clone())).collect();
    let mut years: Vec<String> = lines.iter().map(|line| t.year(line.at)).collect();
    years.dedup();
    let (kinds, at, when) = (filter.clone(), filter.clone(), filter.clone());
    rsx! {
        div { class: "stack tight",
            TextField { id: "log-search", label: tr!(t, "log-search"), kind: "search", value: words, plain: true }
            div { class: "row wrap",
                Select {
                    id: "log-kind",
                    label: tr!(t, "log-kind"),
                    all: tr!(t, "log-kind-all"),
                    choices: KINDS.iter().map(|(name, words, _)| ((*name).to_owned(), t.text(words, &[]))).collect::<Vec<_>>(),
                    chosen: filter.kind.clone(),
                    onchoose: move |kind| onchoose.call(Filter { kind, ..kinds.clone() }),
                }
                if hospitals.len() > 1 {
                    Select {
                        id: "log-hospital",
                        label: tr!(t, "record-hospital"),
                        all: tr!(t, "filter-all-hospitals"),
                        choices: hospitals.into_iter().map(|(did, hospital)| (did, t.hospital(&hospital))).collect::<Vec<_>>(),
                        chosen: filter.hospital.clone(),
                        onchoose: move |hospital| onchoose.call(Filter { hospital, ..at.clone() }),
                    }
                }
                if years.len() > 1 {
                    Select {
                        id: "log-year",
                        label: tr!(t, "filter-year"),
                        all: tr!(t, "filter-all-years"),
                        choices: years.into_iter().map(|year| (year.clone(), year)).collect::<Vec<_>>(),
                        chosen: filter.year.clone(),
                        onchoose: move |year| onchoose.call(Filter { year, ..when.clone() }),
                    }
                }
            }
        }
    }
}

/// How often records were read, month by month, emergencies in another colour and told of in words.
#[component]
fn Months(lines: Vec<LogLineView>) -> Element {
    let t = use_translator();
    let months = reads_by_month(&lines, platform::month_of);
    let most = months.iter().map(|month| month.reads).max().unwrap_or_default();
    // One bar tells nothing that its line does not.
    if months.len() < 2 || most == 0 {
        return rsx! {};
    }
    let with_emergencies =
        months.iter().filter(|month| month.emergencies > 0).map(|month| t.month(month.start));
    let emergencies = with_emergencies.collect::<Vec<_>>().join(" · ");
    let says = |month: &Month| {
        tr!(
            t,
            "log-chart-month",
            month = t.month(month.start),
            n = month.reads,
            emergencies = month.emergencies
        )
    };
    rsx! {
        section { class: "stack tight", "data-testid": "log-chart",
            h2 { {tr!(t, "log-chart", n = months.len())} }
            ul { class: "days", "aria-label": tr!(t, "log-chart", n = months.len()),
                for month in months.iter() {
                    li { key: "{month.start}", title: says(month),
                        span { class: "visually-hidden", {says(month)} }
                        span { class: "day-bar", "aria-hidden": "true", style: "height: {month.reads * 100 / most}%",
                            if month.emergencies > 0 {
                                span { class: "day-part danger", style: "height: {month.emergencies * 100 / month.reads.max(1)}%" }
                            }
                        }
                    }
                }
            }
            p { class: "soft small row between", "aria-hidden": "true",
                span { {months.first().map(|month| t.month(month.start)).unwrap_or_default()} }
                span { {months.last().map(|month| t.month(month.start)).unwrap_or_default()} }
            }
            // Colour alone would not tell.
            if !emergencies.is_empty() {
                p { class: "trend-standing small", "aria-hidden": "true",
                    Glyph { icon: Icon::Emergency, size: 18 }
                    {tr!(t, "log-chart-emergencies", months = emergencies)}
                }
            }
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Month {
    start: TimeMs,
    reads: usize,
    emergencies: usize,
}

/// Every month from the first line to the last, the oldest first, also those without a reading.
fn reads_by_month(lines: &[LogLineView], month_of: impl Fn(TimeMs) -> TimeMs) -> Vec<Month> {
    let (Some(newest), Some(oldest)) = (lines.first(), lines.last()) else { return Vec::new() };
    let (mut start, first) = (month_of(newest.at), month_of(oldest.at));
    let mut months = Vec::new();
    while start >= first && months.len() < MONTHS_SHOWN {
        let of_month = lines.iter().filter(|line| month_of(line.at) == start);
        let (mut reads, mut emergencies) = (0, 0);
        for line in of_month {
            let is_emergency = events::is_emergency(line);
            emergencies += usize::from(is_emergency);
            reads += usize::from(is_emergency || matches!(line.what, LogEvent::RecordsRead { .. }));
        }
        months.push(Month { start, reads, emergencies });
        if start == 0 {
            break;
        }
        start = month_of(start - 1);
    }
    months.reverse();
    months
}

/// Lines under their months, so many at a time.
#[component]
fn Lines(lines: Vec<LogLineView>) -> Element {
    let t = use_translator();
    let mut shown = use_signal(|| LINES_STEP);
    let rest = lines.len().saturating_sub(shown());
    rsx! {
        for (month, lines) in by_month(t, &lines[..lines.len().min(shown())]) {
            section { key: "{month}", class: "stack tight",
                h2 { class: "month", {month} }
                ul { class: "list",
                    for line in lines {
                        li { key: "{line.line.identity}-{line.line.number}", Line { line } }
                    }
                }
            }
        }
        if rest > 0 {
            button { class: "button second", r#type: "button", "data-testid": "show-more", onclick: move |_| shown += LINES_STEP, {tr!(t, "show-more", n = rest)} }
        }
    }
}

fn by_month(t: Translator, lines: &[LogLineView]) -> Vec<(String, Vec<LogLineView>)> {
    let mut months: Vec<(String, Vec<LogLineView>)> = Vec::new();
    for line in lines {
        let month = t.month(line.at);
        match months.last_mut() {
            Some((last, group)) if *last == month => group.push(line.clone()),
            _ => months.push((month, vec![line.clone()])),
        }
    }
    months
}

#[component]
fn Line(line: LogLineView) -> Element {
    let t = use_translator();
    let emergency = events::is_emergency(&line);
    rsx! {
        Link {
            class: if emergency { "line emergency" } else { "line" },
            to: events::route(&line),
            "data-testid": if emergency { "log-line-emergency" } else { "log-line" },
            span { class: if emergency { "tile danger" } else { "tile" }, Glyph { icon: events::icon(&line.what) } }
            span { class: "grow",
                span { class: "small soft block", {t.day_and_time(line.at)} " · " {events::actor(t, &line)} }
                if emergency {
                    span { class: "tag danger", {tr!(t, "emergency")} }
                }
                span { class: "strong block", {events::headline(t, &line)} }
                if let Some(details) = events::details(t, &line) {
                    span { class: "small block", {details} }
                }
                AsPatientOf { hospital: line.relationship.clone() }
                ProvenMark {}
            }
            Glyph { icon: Icon::Next, size: 18 }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use amulet_app_api::access::{LineId, Purpose};

    const MONTH: u64 = 30 * 24 * 3_600_000;

    fn line(at: TimeMs, what: LogEvent) -> LogLineView {
        let relationship =
            HospitalView { did: String::new(), name_en: String::new(), name_zh: String::new() };
        let line = LineId { identity: 0, number: at };
        LogLineView { line, relationship, at, what, by: None, hospital: None, about: None, records: 1 }
    }

    #[test]
    fn a_month_without_a_reading_has_its_place_too() {
        let read = || LogEvent::RecordsRead { purpose: Purpose::Treatment };
        let lines = [
            line(5 * MONTH + 2, read()),
            line(5 * MONTH + 1, LogEvent::CardMade),
            line(3 * MONTH, read()),
            line(2 * MONTH, LogEvent::IdentityRegistered),
        ];
        let months = reads_by_month(&lines, |at| at / MONTH * MONTH);
        assert_eq!(months.iter().map(|month| month.reads).collect::<Vec<_>>(), [0, 1, 0, 1]);
        assert_eq!(reads_by_month(&[], |at| at), []);
        assert_eq!(reads_by_month(&[line(0, read()), line(0, read())], |at| at / MONTH * MONTH).len(), 1);
    }

    #[test]
    fn an_emergency_is_found_as_one_and_as_a_reading() {
        let is = |name: &str, what: &LogEvent| KINDS.iter().any(|(kind, _, is)| *kind == name && is(what));
        assert!(is("emergency", &LogEvent::EmergencyDisputed) && !is("read", &LogEvent::EmergencyDisputed));
        assert!(is("allowed", &LogEvent::AccessRevoked) && is("records", &LogEvent::ErasureAsked));
    }
}
