//! How pages fetch and act.

use crate::app::{App, use_app};
use crate::loadable::Loadable;
use crate::platform;
use amulet_app_api::wallet::{Progress, ProgressView, TimeMs};
use amulet_app_api::{ApiError, Call};
use dioxus::prelude::*;
use std::future::Future;

/// How often a slow task is asked how far it is.
const PROGRESS_EVERY_MS: u32 = 300;

/// Data a page shows, and the way to ask for it again.
pub struct Load<T: 'static> {
    /// State of the data.
    pub state: Signal<Loadable<T>>,
    /// Asks again.
    pub reload: Callback<()>,
}

impl<T> Clone for Load<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Load<T> {}

impl<T> PartialEq for Load<T> {
    fn eq(&self, other: &Self) -> bool {
        self.state == other.state
    }
}

/// Fetches when the page opens, and again whenever the wallet has heard news from the hospitals. Where no hospital answers,
/// what an earlier visit of the page showed comes back, with the error above it.
pub fn use_load<C>(request: C) -> Load<C::Reply>
where
    C: Call + Clone + 'static,
    C::Reply: Clone + 'static,
{
    let app = use_app();
    let load = use_fetch(app, request, true);
    use_effect(move || {
        // Reading the counter subscribes: news means fetching again.
        app.news.read();
        load.reload.call(());
    });
    load
}

/// Fetches once when the page opens, and else like [`use_load`].
pub fn use_load_kept<C>(request: C) -> Load<C::Reply>
where
    C: Call + Clone + 'static,
    C::Reply: Clone + 'static,
{
    let load = use_fetch(use_app(), request, true);
    use_effect(move || load.reload.call(()));
    load
}

/// Fetches once when the page opens, and only again when asked. Nothing is kept: this is for calls that the ledger records,
/// so that nobody reads twice under one entry.
pub fn use_load_once<C>(request: C) -> Load<C::Reply>
where
    C: Call + Clone + 'static,
    C::Reply: Clone + 'static,
{
    let load = use_fetch(use_app(), request, false);
    use_effect(move || load.reload.call(()));
    load
}

fn use_fetch<C>(app: App, request: C, keeps: bool) -> Load<C::Reply>
where
    C: Call + Clone + 'static,
    C::Reply: Clone + 'static,
{
    let mut state = use_signal(|| Loadable::Loading);
    let reload = use_callback(move |()| {
        let request = request.clone();
        spawn(async move {
            let before = state.replace(Loadable::Loading).asked_again();
            state.set(before);
            let key = if keeps { kept_key(&request) } else { None };
            let answer = app.call(request).await;
            let mut before = state.replace(Loadable::Loading);
            match (&answer, key) {
                (Ok(value), Some(key)) => app.keep(key, value.clone()),
                (Err(_), Some(key)) if before.value().is_none() => {
                    before = app.kept(&key).map_or(before, Loadable::Ready);
                }
                _ => {}
            }
            state.set(before.answered(answer));
        });
    });
    Load { state, reload }
}

/// By what the answer to a request is kept.
fn kept_key<C: Call>(request: &C) -> Option<String> {
    let with = serde_json::to_string(request).ok()?;
    Some(format!("{} {with}", std::any::type_name::<C>()))
}

/// Leads whoever has a wallet open to their first page: they have no business on this one.
pub fn use_leaving_when_open() {
    let app = use_app();
    let navigator = use_navigator();
    use_effect(move || {
        if app.session.read().is_some() {
            navigator.replace(app.first_page());
        }
    });
}

/// Something a person started: whether it runs, how far it is, and how it failed.
#[derive(Clone, Copy, PartialEq)]
pub struct Action {
    app: App,
    running: Signal<bool>,
    /// How far the wallet says it is.
    pub progress: Signal<Option<ProgressView>>,
    /// Why the last attempt failed.
    pub error: Signal<Option<ApiError>>,
}

/// An action of this page.
pub fn use_action() -> Action {
    let app = use_app();
    Action { app, running: use_signal(|| false), progress: use_signal(|| None), error: use_signal(|| None) }
}

impl Action {
    /// Whether it runs now.
    pub fn is_running(self) -> bool {
        *self.running.read()
    }

    /// Calls the wallet, showing progress meanwhile; a second press while it runs does nothing.
    pub fn call<C>(self, request: C, done: impl FnOnce(C::Reply) + 'static)
    where
        C: Call + 'static,
        C::Reply: 'static,
    {
        self.run(async move { self.app.call(request).await }, done);
    }

    /// Runs any work that can fail like a call of the wallet.
    pub fn run<T: 'static>(
        mut self,
        work: impl Future<Output = Result<T, ApiError>> + 'static,
        done: impl FnOnce(T) + 'static,
    ) {
        if *self.running.peek() {
            return;
        }
        self.running.set(true);
        self.error.set(None);
        self.progress.set(None);
        spawn(async move { self.poll_progress().await });
        spawn(async move {
            let outcome = work.await;
            self.running.set(false);
            match outcome {
                Ok(value) => done(value),
                Err(error) => self.error.set(Some(error)),
            }
        });
    }

    /// Forgets an error that the person is about to correct.
    pub fn clear_error(mut self) {
        if self.error.peek().is_some() {
            self.error.set(None);
        }
    }

    async fn poll_progress(mut self) {
        loop {
            platform::sleep_ms(PROGRESS_EVERY_MS).await;
            if !*self.running.peek() {
                return;
            }
            // No progress is no news; the task's own answer carries its error.
            if let Ok(progress) = self.app.call(Progress {}).await {
                self.progress.set(progress);
            }
        }
    }
}

/// The time, renewed every `every_ms`.
pub fn use_now(every_ms: u32) -> Signal<TimeMs> {
    let mut now = use_signal(platform::now);
    use_future(move || async move {
        loop {
            platform::sleep_ms(every_ms).await;
            now.set(platform::now());
        }
    });
    now
}
