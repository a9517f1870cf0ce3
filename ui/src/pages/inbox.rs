//! The inbox: what needs the person or is worth knowing, newest first. Opening it is reading it.

use crate::app::use_app;
use crate::components::icon::{Glyph, Icon};
use crate::components::load::show;
use crate::components::page::{Empty, PageHead};
use crate::components::people::{grantee, named, who};
use crate::hooks::use_load;
use crate::i18n::{Translator, tr, use_translator};
use crate::pages::patient::events;
use crate::route::Route;
use amulet_app_api::inbox::{Inbox as InboxCall, InboxItemView, InboxNews, ReadInbox};
use amulet_app_api::wallet::Role;
use dioxus::prelude::*;
use std::collections::BTreeSet;

/// The page.
#[component]
pub fn Inbox() -> Element {
    let mut app = use_app();
    let t = use_translator();
    let inbox = use_load(InboxCall {});
    // What was new when the page opened stays marked for as long as it is open.
    let mut new = use_signal(BTreeSet::<String>::new);
    use_effect(move || {
        let state = inbox.state.read();
        let Some(view) = state.value() else { return };
        let keys: Vec<String> =
            view.items.iter().filter(|item| item.unread).map(|item| item.key.clone()).collect();
        if keys.iter().all(|key| new.peek().contains(key)) {
            return;
        }
        new.write().extend(keys.iter().cloned());
        spawn(async move {
            // What could not be marked counts as new again next time.
            if let Ok(view) = app.call(ReadInbox { keys }).await {
                app.unread.set(view.unread);
            }
        });
    });
    let is_clinician =
        app.session.read().as_ref().is_some_and(|session| session.wallet.role == Role::Clinician);
    let empty_text =
        if is_clinician { tr!(t, "inbox-empty-text-clinician") } else { tr!(t, "inbox-empty-text") };
    rsx! {
        div { class: "page",
            PageHead { title: tr!(t, "inbox-title"), back: app.first_page() }
            {show(inbox, |view| rsx! {
                if view.items.is_empty() {
                    Empty { icon: Icon::Bell, title: tr!(t, "inbox-empty-title"), text: empty_text.clone() }
                } else {
                    ul { class: "list", "data-testid": "inbox",
                        for item in view.items.clone() {
                            li { key: "{item.key}",
                                Item { is_new: new.read().contains(&item.key), item }
                            }
                        }
                    }
                }
            })}
        }
    }
}

#[component]
fn Item(item: InboxItemView, is_new: bool) -> Element {
    let t = use_translator();
    let is_emergency = matches!(item.what, InboxNews::EmergencyAccess { .. });
    rsx! {
        Link { class: if is_emergency { "line emergency" } else { "line" }, to: route(&item.what), "data-testid": "inbox-item",
            Glyph { icon: icon(&item.what), size: 24 }
            span { class: "grow",
                if is_new {
                    span { class: "tag wait", {tr!(t, "inbox-new")} }
                }
                span { class: "strong block", {text(t, &item.what)} }
                span { class: "soft small block", {t.date_time(item.at)} }
            }
            Glyph { icon: Icon::Next, size: 18 }
        }
    }
}

fn text(t: Translator, news: &InboxNews) -> String {
    match news {
        InboxNews::EmergencyAccess { line } => tr!(t, "home-emergency", who = events::actor(t, line)),
        InboxNews::RequestWaiting { request } => {
            tr!(t, "home-request", who = who(t, &request.from), what = named(t, &request.categories))
        }
        InboxNews::AccessEnding { to, until } => {
            tr!(t, "inbox-ending", who = grantee(t, to), date = t.date_time(*until))
        }
        InboxNews::AccessEnded { to } => tr!(t, "inbox-ended", who = grantee(t, to)),
        InboxNews::DeletionOverdue { to } => tr!(t, "inbox-deletion-overdue", who = grantee(t, to)),
        InboxNews::ErasureOverdue { .. } => tr!(t, "inbox-erasure-overdue"),
        InboxNews::HospitalsDisagree => tr!(t, "inbox-disagree"),
        InboxNews::KeysReplaced => tr!(t, "keys-elsewhere"),
        InboxNews::MyAccessEnding { until, .. } => {
            tr!(t, "inbox-my-ending", date = t.date_time(*until))
        }
        InboxNews::ReceiptDue { by, overdue: false } => {
            tr!(t, "inbox-receipt-due", date = t.date_time(*by))
        }
        InboxNews::ReceiptDue { by, overdue: true } => {
            tr!(t, "inbox-receipt-overdue", date = t.date_time(*by))
        }
        InboxNews::ReviewDue { by, overdue: false } => tr!(t, "inbox-review-due", date = t.date_time(*by)),
        InboxNews::ReviewDue { by, overdue: true } => {
            tr!(t, "inbox-review-overdue", date = t.date_time(*by))
        }
    }
}

/// The page that an item leads to.
fn route(news: &InboxNews) -> Route {
    match news {
        InboxNews::EmergencyAccess { line } => events::route(line),
        InboxNews::RequestWaiting { request } => Route::Request { id: request.id.clone() },
        InboxNews::AccessEnding { .. }
        | InboxNews::AccessEnded { .. }
        | InboxNews::DeletionOverdue { .. } => Route::Sharing {},
        InboxNews::ErasureOverdue { record } => Route::RecordStory { id: record.clone() },
        InboxNews::HospitalsDisagree => Route::CheckingPage {},
        InboxNews::KeysReplaced => Route::ReplaceKeys {},
        InboxNews::MyAccessEnding { grant, .. } => Route::Reading { grant: grant.clone() },
        InboxNews::ReceiptDue { .. } | InboxNews::ReviewDue { .. } => Route::Accesses {},
    }
}

fn icon(news: &InboxNews) -> Icon {
    match news {
        InboxNews::EmergencyAccess { .. } => Icon::Emergency,
        InboxNews::RequestWaiting { .. } => Icon::Ask,
        InboxNews::AccessEnded { .. } => Icon::Check,
        InboxNews::HospitalsDisagree | InboxNews::KeysReplaced => Icon::Warning,
        InboxNews::AccessEnding { .. }
        | InboxNews::MyAccessEnding { .. }
        | InboxNews::DeletionOverdue { .. }
        | InboxNews::ErasureOverdue { .. }
        | InboxNews::ReceiptDue { .. }
        | InboxNews::ReviewDue { .. } => Icon::Clock,
    }
}
