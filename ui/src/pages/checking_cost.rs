//! What checking costs, and how often it is done: how much each hospital was asked and answered, and two switches.

use crate::components::error::{ErrorNotice, bytes};
use crate::components::field::Tick;
use crate::components::icon::{Glyph, Icon};
use crate::components::load::show;
use crate::hooks::{use_action, use_load};
use crate::i18n::{tr, use_translator};
use crate::platform;
use amulet_app_api::checking::{Background, BackgroundView, HospitalTrafficView, SetBackground, UsageView};
use amulet_app_api::wallet::TimeMs;
use dioxus::prelude::*;

/// Days in the picture.
const DAYS_SHOWN: usize = 14;

/// What was exchanged since the app started, and whether and how often this device checks by itself.
#[component]
pub fn Cost() -> Element {
    let background = use_load(Background {});
    rsx! {
        {show(background, |view| rsx! {
            Schedule { view: view.clone() }
            Usage { usage: view.usage.clone() }
            Traffic { traffic: view.traffic.clone() }
            Switches { view: view.clone(), onchange: move |()| background.reload.call(()) }
        })}
    }
}

/// What goes on by itself now, and when it goes on.
#[component]
fn Schedule(view: BackgroundView) -> Element {
    let t = use_translator();
    let (key, at) = match (view.paused, view.under_way, view.next) {
        (true, _, _) => ("checking-paused", None),
        (false, Some(since), _) => ("checking-under-way", Some(since)),
        (false, None, Some(next)) if view.failures > 0 => ("checking-again-at", Some(next)),
        (false, None, Some(next)) => ("checking-next-at", Some(next)),
        (false, None, None) => return rsx! {},
    };
    let class = if view.paused || view.failures > 0 { "mark wait" } else { "mark" };
    let time = at.map(|at| t.date_time(at)).unwrap_or_default();
    rsx! {
        section { class: "stack tight", "data-testid": "checking-schedule",
            p { class, role: "status",
                Glyph { icon: if view.under_way.is_some() { Icon::Refresh } else { Icon::Clock }, size: 18 }
                {t.text(key, &[("time", time.into()), ("n", view.failures.into())])}
            }
        }
    }
}

/// Bytes by day, the last one today; a day without traffic has none.
fn by_day(usage: &[UsageView], today: TimeMs, day_of: impl Fn(TimeMs) -> TimeMs) -> Vec<(TimeMs, u64)> {
    let mut days = Vec::with_capacity(DAYS_SHOWN);
    let mut day = today;
    for _ in 0..DAYS_SHOWN {
        let of_day = usage.iter().filter(|hour| day_of(hour.hour) == day);
        days.push((day, of_day.map(|hour| hour.bytes).sum()));
        // A little before midnight is the day before, also when clocks are changed.
        day = day_of(day.saturating_sub(1));
    }
    days.reverse();
    days
}

/// What was exchanged today and this month, and a bar for each day.
#[component]
fn Usage(usage: Vec<UsageView>) -> Element {
    let t = use_translator();
    let now = platform::now();
    let month = platform::month_of(now);
    let this_month: u64 = usage.iter().filter(|hour| hour.hour >= month).map(|hour| hour.bytes).sum();
    let days = by_day(&usage, platform::day_of(now), platform::day_of);
    let today = days.last().map_or(0, |(_, bytes)| *bytes);
    let most = days.iter().map(|(_, bytes)| *bytes).max().unwrap_or(0);
    rsx! {
        section { class: "stack tight", "data-testid": "checking-usage",
            h2 { {tr!(t, "checking-usage")} }
            p { {tr!(t, "checking-usage-sum", today = bytes(today), month = bytes(this_month))} }
            if most > 0 {
                ul { class: "days", "aria-label": tr!(t, "checking-usage-days"),
                    for (day, used) in days.iter().copied() {
                        li { key: "{day}", title: "{t.day(day)}: {bytes(used)}",
                            span { class: "visually-hidden", "{t.day(day)}: {bytes(used)}" }
                            span { class: "day-bar", "aria-hidden": "true", style: "height: {used * 100 / most}%" }
                        }
                    }
                }
                p { class: "soft small row between", "aria-hidden": "true",
                    span { {days.first().map(|(day, _)| t.day(*day)).unwrap_or_default()} }
                    span { {tr!(t, "checking-today")} }
                }
            }
            p { class: "soft small", {tr!(t, "checking-usage-most", bytes = bytes(most))} }
            p { class: "soft small", {tr!(t, "checking-cost-more")} }
        }
    }
}

#[component]
fn Traffic(traffic: Vec<HospitalTrafficView>) -> Element {
    let t = use_translator();
    let moved = |one: &HospitalTrafficView| one.sent + one.received;
    let (all, most) = (traffic.iter().map(moved).sum::<u64>(), traffic.iter().map(moved).max().unwrap_or(0));
    let questions: u64 = traffic.iter().map(|one| one.questions).sum();
    rsx! {
        section { class: "stack tight", "data-testid": "checking-traffic",
            h2 { {tr!(t, "checking-cost")} }
            p { {tr!(t, "checking-cost-sum", bytes = bytes(all), n = questions)} }
            if most > 0 {
                ul { class: "bars",
                    for one in traffic.iter() {
                        li { key: "{one.hospital.did}",
                            span { class: "small", {t.hospital(&one.hospital)} }
                            span { class: "small bar-value", {bytes(moved(one))} }
                            span { class: "bar", "aria-hidden": "true",
                                span { style: "width: {moved(one) * 100 / most}%" }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[component]
fn Switches(view: BackgroundView, onchange: EventHandler<()>) -> Element {
    let t = use_translator();
    let action = use_action();
    let BackgroundView { paused, metered, .. } = view;
    let set = move |paused: bool, metered: bool| {
        action.call(SetBackground { paused, metered }, move |_| onchange.call(()));
    };
    rsx! {
        fieldset { class: "stack tight",
            legend { class: "legend", {tr!(t, "checking-when")} }
            Tick {
                testid: "checking-by-itself",
                label: tr!(t, "checking-by-itself"),
                more: tr!(t, "checking-by-itself-more"),
                ticked: !paused,
                onchange: move |ticked: bool| set(!ticked, metered),
            }
            Tick {
                testid: "checking-metered",
                label: tr!(t, "checking-metered"),
                more: tr!(t, "checking-metered-more"),
                ticked: metered,
                onchange: move |ticked| set(paused, ticked),
            }
            if let Some(error) = action.error.read().clone() {
                ErrorNotice { error }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_added_up_by_the_days_of_where_one_is() {
        const HOUR: u64 = 3_600_000;
        // A place where the day begins at 16:00 UTC.
        let day_of = |time: u64| (time + 8 * HOUR) / (24 * HOUR) * (24 * HOUR) - 8 * HOUR;
        let today = day_of(100 * 24 * HOUR);
        let hour = |hour: u64, bytes| UsageView { hour, bytes };
        let usage = [hour(today - HOUR, 5), hour(today, 7), hour(today + 23 * HOUR, 2), hour(24 * HOUR, 9)];
        let days = by_day(&usage, today, day_of);
        assert_eq!(days.len(), DAYS_SHOWN);
        assert_eq!(days[DAYS_SHOWN - 2..], [(today - 24 * HOUR, 5), (today, 9)]);
        assert_eq!(days.iter().map(|(_, bytes)| bytes).sum::<u64>(), 14, "what is older is not shown");
    }
}
