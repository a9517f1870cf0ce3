//! What checking costs, and how often it is done: how much each hospital was asked and answered, and two switches.

use crate::components::error::{ErrorNotice, bytes};
use crate::components::field::Tick;
use crate::components::load::show;
use crate::hooks::{use_action, use_load};
use crate::i18n::{tr, use_translator};
use amulet_app_api::checking::{Background, BackgroundView, HospitalTrafficView, SetBackground};
use dioxus::prelude::*;

/// What was exchanged since the app started, and whether and how often this device checks by itself.
#[component]
pub fn Cost() -> Element {
    let background = use_load(Background {});
    rsx! {
        {show(background, |view| rsx! {
            Traffic { traffic: view.traffic.clone() }
            Switches { view: view.clone(), onchange: move |()| background.reload.call(()) }
        })}
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
            p { class: "soft small", {tr!(t, "checking-cost-more")} }
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
