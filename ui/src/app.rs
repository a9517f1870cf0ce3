//! The app: its state, its start, and the watch for news.

use crate::backend::{self, Backend};
use crate::components::error::ErrorNotice;
use crate::components::language::LanguageSwitch;
use crate::desktop;
use crate::filter::Filter;
use crate::i18n::{Translator, tr};
use crate::idle::{self, Warning};
use crate::platform;
use crate::route::Route;
use amulet_app_api::checking::Background;
use amulet_app_api::clinician::{CardPreviewView, EmergencyView};
use amulet_app_api::desktop::LinkView;
use amulet_app_api::reporting::SendReport;
use amulet_app_api::wallet::{Language, Role, SessionView, SetLanguage, Status, StatusView, Sync};
use amulet_app_api::{ApiError, Call, ErrorCode};
use dioxus::prelude::*;
use std::any::Any;
use std::collections::BTreeMap;
use std::rc::Rc;

/// How often the hospitals are asked for news while a wallet is open.
const NEWS_EVERY_MS: u32 = 10_000;
/// Of how many of these times one is used where the link costs money.
const METERED_EVERY: u32 = 30;

/// A card code that was read, kept out of the address bar because it holds the card's secret.
#[derive(Clone, PartialEq)]
pub struct ScannedCard {
    /// The code as scanned or typed.
    pub code: String,
    /// What the card says by itself.
    pub preview: CardPreviewView,
}

/// Everything the pages share.
#[derive(Clone, Copy, PartialEq)]
pub struct App {
    backend: Signal<Option<Rc<dyn Backend>>>,
    /// Language of the interface.
    pub language: Signal<Language>,
    /// What is on this device.
    pub status: Signal<Option<StatusView>>,
    /// The open wallet.
    pub session: Signal<Option<SessionView>>,
    /// Counts news: a page that reads it fetches again when it changes.
    pub news: Signal<u64>,
    /// Why the last check with the hospitals failed, if it did.
    pub check_error: Signal<Option<ApiError>>,
    /// Calls that wait for the wallet, so that the watch for news keeps out of their way.
    busy: Signal<u32>,
    /// Answers that pages of the open wallet have shown, by call, for when no hospital answers.
    kept: Signal<BTreeMap<String, Rc<dyn Any>>>,
    /// The card a clinician has just read.
    pub scanned: Signal<Option<ScannedCard>>,
    /// The summary a clinician has open.
    pub emergency: Signal<Option<EmergencyView>>,
    /// Items of the inbox that were not read yet, as far as this page knows.
    pub unread: Signal<u64>,
    /// What the list of records shows, and the words looked for, for the way back to it.
    pub records_shown: (Signal<Filter>, Signal<String>),
    /// The same of the access log.
    pub log_shown: (Signal<Filter>, Signal<String>),
    /// Whether the person wants few choices and large type.
    pub simple: Signal<bool>,
    /// A patient's code scanned on one page and used on the next; empty otherwise.
    pub patient_code: Signal<String>,
    /// A link that another program handed over, until its page is open.
    pub link: Signal<Option<LinkView>>,
    /// A patient's code from a link, until a page has filled it in; empty otherwise.
    pub linked_code: Signal<String>,
    /// The wallet that locked by itself, and the page that was open.
    place: Signal<Option<(String, Route)>>,
    /// Whether the time after which wallets lock was just changed.
    auto_lock_changed: Signal<bool>,
}

/// One call that waits; counts down even when the page that waited has gone.
struct Waiting(Signal<u32>);

impl Waiting {
    fn new(mut busy: Signal<u32>) -> Self {
        *busy.write() += 1;
        Self(busy)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        *self.0.write() -= 1;
    }
}

/// The app's state.
pub fn use_app() -> App {
    use_context()
}

impl App {
    /// Sends a call to the wallet. A wallet that turns out to be locked sends the person to the first page.
    ///
    /// # Errors
    /// Those of the wallet.
    pub async fn call<C: Call>(self, request: C) -> Result<C::Reply, ApiError> {
        let Some(backend) = self.backend.peek().clone() else { return Err(ErrorCode::Unreachable.into()) };
        let waiting = Waiting::new(self.busy);
        let answer = backend::call(backend, request).await;
        drop(waiting);
        if let Err(ApiError { code: ErrorCode::Locked, .. }) = &answer
            && self.session.peek().is_some()
        {
            self.remember_place();
            self.close();
        }
        answer
    }

    /// Takes note of an opened wallet.
    pub fn open(mut self, session: SessionView) {
        self.session.set(Some(session));
    }

    /// Forgets what the open wallet showed, and reads again which wallets there are.
    pub fn close(mut self) {
        self.session.set(None);
        self.scanned.set(None);
        self.emergency.set(None);
        self.patient_code.set(String::new());
        for (mut filter, mut words) in [self.records_shown, self.log_shown] {
            filter.set(Filter::default());
            words.set(String::new());
        }
        self.linked_code.set(String::new());
        self.check_error.set(None);
        self.unread.set(0);
        self.kept.write().clear();
        self.refresh_later();
    }

    /// Remembers which page is open, for when the same wallet is opened again.
    pub fn remember_place(mut self) {
        let wallet = self.session.peek().as_ref().map(|session| session.wallet.id.clone());
        let route = platform::fragment().parse::<Route>().ok();
        self.place.set(wallet.zip(route));
    }

    /// Where an opened wallet begins: the page of a link that waited, or the one on which it locked by itself.
    pub fn next_page(mut self) -> Route {
        let wallet = self.session.peek().as_ref().map(|session| session.wallet.id.clone());
        let place = self.place.take();
        if let Some(route) = self.follow_link() {
            return route;
        }
        let same = place.filter(|(of, _)| wallet.as_ref() == Some(of)).map(|(_, route)| route);
        same.unwrap_or_else(|| self.first_page())
    }

    /// The page of the link that waits, if the open wallet may see it. The link is used up by that.
    pub fn follow_link(mut self) -> Option<Route> {
        let link = self.link.peek().clone()?;
        let role = self.session.peek().as_ref().map(|session| session.wallet.role);
        let route = Route::of_link(&link).filter(|route| route.is_for(role))?;
        self.link.set(None);
        if let LinkView::Code { did } = link {
            self.linked_code.set(did);
        }
        Some(route)
    }

    /// Says that wallets lock after another time from now on.
    pub fn auto_lock_is_changed(mut self) {
        self.auto_lock_changed.set(true);
    }

    /// Whether that was said since this was last asked.
    pub fn take_auto_lock_changed(mut self) -> bool {
        *self.auto_lock_changed.peek() && self.auto_lock_changed.replace(false)
    }

    /// Keeps an answer until the wallet is locked.
    pub fn keep<T: 'static>(mut self, key: String, value: T) {
        // An answer that comes after locking must not stay.
        if self.session.peek().is_some() {
            self.kept.write().insert(key, Rc::new(value));
        }
    }

    /// An answer kept before.
    pub fn kept<T: Clone + 'static>(self, key: &str) -> Option<T> {
        self.kept.peek().get(key)?.downcast_ref::<T>().cloned()
    }

    /// Reads again what is on this device, whatever page is open by then.
    pub fn refresh_later(self) {
        dioxus::core::spawn_forever(async move {
            // The list shown is then as old as before; opening a wallet says what is wrong.
            let _ = self.refresh_status().await;
        });
    }

    /// Reads again what is on this device.
    ///
    /// # Errors
    /// Those of the wallet.
    pub async fn refresh_status(mut self) -> Result<(), ApiError> {
        let status = self.call(Status {}).await?;
        self.session.set(status.session.clone());
        self.status.set(Some(status));
        Ok(())
    }

    /// Changes the language, in place, and has the wallet remember it.
    pub fn choose_language(mut self, language: Language) {
        self.language.set(language);
        spawn(async move {
            // The page has changed already; failing to remember it for next time is not worth an alarm.
            let _ = self.call(SetLanguage { language }).await;
        });
    }

    /// The first page of the open wallet.
    pub fn first_page(self) -> Route {
        match self.session.peek().as_ref().map(|session| session.wallet.role) {
            Some(Role::Patient) => Route::Home {},
            Some(Role::Clinician) => Route::Scan {},
            None => Route::Welcome {},
        }
    }

    /// Asks the hospitals for news and lets the pages know.
    pub async fn check_now(mut self) {
        let outcome = self.call(Sync { all: false }).await;
        match outcome {
            Ok(_) => self.check_error.set(None),
            Err(error) => self.check_error.set(Some(error)),
        }
        *self.news.write() += 1;
    }
}

/// The root: starts the wallet, then shows the pages.
#[component]
pub fn Root() -> Element {
    let language = use_signal(platform::preferred_language);
    let app = use_context_provider(|| App {
        backend: Signal::new(None),
        language,
        status: Signal::new(None),
        session: Signal::new(None),
        news: Signal::new(0),
        check_error: Signal::new(None),
        busy: Signal::new(0),
        kept: Signal::new(BTreeMap::new()),
        scanned: Signal::new(None),
        emergency: Signal::new(None),
        unread: Signal::new(0),
        records_shown: (Signal::new(Filter::default()), Signal::new(String::new())),
        log_shown: (Signal::new(Filter::default()), Signal::new(String::new())),
        simple: Signal::new(platform::is_simple()),
        patient_code: Signal::new(String::new()),
        link: Signal::new(None),
        linked_code: Signal::new(String::new()),
        place: Signal::new(None),
        auto_lock_changed: Signal::new(false),
    });
    let warning = use_context_provider(|| Warning(Signal::new(None)));
    use_future(move || idle::watch(app, warning));
    use_future(move || desktop::watch(app));
    let t = use_context_provider(|| Translator::new(language));
    let mut failure = use_signal(|| None::<ApiError>);
    let start = use_callback(move |()| {
        failure.set(None);
        spawn(async move {
            if let Err(error) = start(app).await {
                failure.set(Some(error));
            }
        });
    });
    use_hook(|| start.call(()));
    use_effect(move || platform::set_document_language(t.tag()));
    use_future(move || watch_for_news(app));

    if app.status.read().is_some() {
        return rsx! { Router::<Route> {} };
    }
    // Nothing works yet, but whoever reads this can already choose the language to read it in.
    match failure.read().clone() {
        Some(error) => rsx! {
            header { class: "top",
                div { class: "top-end", LanguageSwitch {} }
            }
            main { class: "page",
                ErrorNotice { error, onretry: move |()| start.call(()) }
            }
        },
        None => rsx! {
            div { class: "splash", role: "status", "aria-live": "polite",
                div { class: "stack",
                    img { src: "./assets/icon.svg", alt: "", width: "72", height: "72" }
                    p { {tr!(t, "starting")} }
                }
            }
        },
    }
}

async fn start(mut app: App) -> Result<(), ApiError> {
    let backend = backend::start().await?;
    app.backend.set(Some(backend));
    let status = app.call(Status {}).await?;
    if let Some(language) = status.language {
        app.language.set(language);
    } else if backend::is_window() {
        // The tray and the notices speak the page's language; that it was not kept is not worth an alarm.
        let _ = app.call(SetLanguage { language: *app.language.peek() }).await;
    }
    app.session.set(status.session.clone());
    app.status.set(Some(status));
    desktop::look(app).await;
    Ok(())
}

/// Asks for news from time to time, only while a wallet is open and nobody waits for it, and as the person chose on the
/// checking page.
async fn watch_for_news(app: App) {
    let mut times: u32 = 0;
    loop {
        platform::sleep_ms(NEWS_EVERY_MS).await;
        if app.session.peek().is_none() || *app.busy.peek() > 0 {
            continue;
        }
        times = times.wrapping_add(1);
        // This asks no hospital. If even that fails, the check says why.
        let background = app.call(Background {}).await.ok();
        let is_due = background.is_none_or(|background| {
            !background.paused && (!background.metered || times.is_multiple_of(METERED_EVERY))
        });
        if is_due {
            app.check_now().await;
            // Only if the person turned it on, and once a week; one that fails is tried again later.
            let _ = app.call(SendReport {}).await;
        }
    }
}
