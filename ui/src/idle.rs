//! Locking by itself: tells the wallet that somebody is there, warns before it locks, and covers nothing up for longer than chosen.

use crate::app::{App, use_app};
use crate::components::actions::{Button, Weight};
use crate::components::icon::{Glyph, Icon};
use crate::i18n::{tr, use_translator};
use crate::platform;
use crate::route::Route;
use amulet_app_api::security::{AutoLock, AutoLockView, Touch};
use amulet_app_api::wallet::{Lock, TimeMs};
use dioxus::prelude::*;
use std::cell::Cell;
use std::rc::Rc;

/// How often the page looks at the clock.
const LOOK_EVERY_MS: u32 = 1_000;
/// How often the wallet is told, at most, that somebody is there.
const TELL_EVERY_MS: u64 = 5_000;
/// How long before the wallet locks the page says so.
const WARN_MS: u64 = 30_000;
/// How long another app may be in front, where the person chose to lock then: a photo or a file is picked in less.
const AWAY_MS: u64 = 30_000;
const MINUTE_MS: u64 = 60_000;
/// How long an emergency summary stays on the screen with nobody touching it: whoever reads it has their hands at the patient.
const EMERGENCY_MS: u64 = 15 * MINUTE_MS;

/// Seconds until the wallet locks, while that is near.
#[derive(Clone, Copy, PartialEq)]
pub struct Warning(pub Signal<Option<u64>>);

/// What the watch knows of the person.
struct Person {
    seen: Rc<Cell<TimeMs>>,
    told: TimeMs,
    away_since: Option<TimeMs>,
}

/// Watches for as long as the app lives.
pub async fn watch(app: App, mut warning: Warning) {
    let seen = Rc::new(Cell::new(platform::now()));
    let activity = Rc::clone(&seen);
    platform::on_activity(move || activity.set(platform::now()));
    let mut person = Person { seen, told: 0, away_since: None };
    let mut chosen = None;
    loop {
        platform::sleep_ms(LOOK_EVERY_MS).await;
        if app.session.peek().is_none() {
            (chosen, person.away_since) = (None, None);
            person.seen.set(platform::now());
            set(&mut warning.0, None);
            continue;
        }
        // Asked anew for each opened wallet, and whenever it was changed.
        if chosen.is_none() || app.take_auto_lock_changed() {
            chosen = app.call(AutoLock {}).await.ok();
        }
        let Some(limit) = &chosen else { continue };
        if person.tell() {
            // What the wallet does not hear it does not count: it then locks early, which is no harm.
            let _ = app.call(Touch {}).await;
        }
        match person.left(limit) {
            0 => {
                set(&mut warning.0, None);
                lock(app).await;
            }
            left if left <= WARN_MS => set(&mut warning.0, Some(left.div_ceil(1_000))),
            _ => set(&mut warning.0, None),
        }
    }
}

impl Person {
    /// Whether the wallet is to hear that somebody was there, or is reading an emergency summary.
    fn tell(&mut self) -> bool {
        let there = self.seen.get() > self.told || reads_emergency();
        let tell = there && platform::now().saturating_sub(self.told) >= TELL_EVERY_MS;
        if tell {
            self.told = platform::now();
        }
        tell
    }

    /// Milliseconds until the wallet is to be locked.
    fn left(&mut self, limit: &AutoLockView) -> u64 {
        let now = platform::now();
        let mut idle = u64::from(limit.minutes).saturating_mul(MINUTE_MS);
        if reads_emergency() {
            idle = idle.max(EMERGENCY_MS);
        }
        let left = idle.saturating_sub(now.saturating_sub(self.seen.get()));
        self.away_since = platform::is_hidden().then(|| self.away_since.unwrap_or(now));
        match self.away_since {
            Some(since) if limit.away => left.min(AWAY_MS.saturating_sub(now.saturating_sub(since))),
            _ => left,
        }
    }
}

fn reads_emergency() -> bool {
    matches!(platform::fragment().parse::<Route>(), Ok(Route::Emergency { .. }))
}

async fn lock(app: App) {
    app.remember_place();
    // The core locks by itself as well; whatever it answers, the page shows nothing more.
    let _ = app.call(Lock {}).await;
    app.close();
}

fn set(signal: &mut Signal<Option<u64>>, value: Option<u64>) {
    if *signal.peek() != value {
        signal.set(value);
    }
}

/// The warning, with the way to stay.
#[component]
pub fn LockWarning() -> Element {
    let t = use_translator();
    let app = use_app();
    let Warning(left) = use_context();
    let Some(seconds) = left() else { return rsx! {} };
    rsx! {
        div { class: "lock-warning notice wait", role: "alertdialog", "aria-labelledby": "lock-warning-text", "data-testid": "lock-warning",
            Glyph { icon: Icon::Lock, size: 24 }
            p { class: "grow", id: "lock-warning-text",
                span { class: "strong", {tr!(t, "lock-soon")} }
                // Counted for the eye alone: a voice that counts every second says nothing else.
                span { "aria-hidden": "true", class: "tabular", " {seconds}" }
            }
            Button { label: tr!(t, "lock-stay"), weight: Weight::Second, testid: "lock-stay", onclick: move |()| {
                // The press itself was activity; this tells the wallet at once.
                spawn(async move { let _ = app.call(Touch {}).await; });
            } }
        }
    }
}
