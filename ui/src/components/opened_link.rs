//! What becomes of a link that another program handed over: it opens a page, at most. Nothing that a person is entering, signing or
//! reading in an emergency is left because of one.

use crate::app::use_app;
use crate::components::actions::{Button, Weight};
use crate::components::icon::{Glyph, Icon};
use crate::i18n::{Translator, tr, use_translator};
use crate::route::Route;
use amulet_app_api::desktop::LinkView;
use amulet_app_api::wallet::Role;
use dioxus::prelude::*;

/// What to do about a link.
#[derive(Debug, PartialEq)]
enum Step {
    /// Say that it opens after unlocking.
    Wait,
    /// Open its page.
    Go,
    /// Offer its page.
    Offer,
    /// Say why nothing is done, by this text.
    Refuse(&'static str),
}

fn step(link: &LinkView, role: Option<Role>, here: &Route) -> Step {
    let Some(route) = Route::of_link(link) else { return Step::Refuse("app-link-unknown") };
    if role.is_none() {
        return Step::Wait;
    }
    if !route.is_for(role) {
        return Step::Refuse("app-link-other-wallet");
    }
    match here {
        // These go on by themselves once a wallet is open.
        Route::Welcome {} | Route::Create {} | Route::Restore {} | Route::Unlock { .. } => Step::Wait,
        _ if here.is_in_use() => Step::Offer,
        _ => Step::Go,
    }
}

/// The notice about a link, if there is one; opens its page where that takes nothing from the person.
#[component]
pub fn OpenedLink() -> Element {
    let app = use_app();
    let t = use_translator();
    let navigator = use_navigator();
    let here: Route = use_route();
    let role = app.session.read().as_ref().map(|session| session.wallet.role);
    let mut link = app.link;
    let step = link.read().as_ref().map(|link| step(link, role, &here));
    let follow = use_callback(move |()| {
        if let Some(route) = app.follow_link() {
            navigator.push(route);
        }
    });
    let goes = step == Some(Step::Go);
    use_effect(use_reactive!(|(goes,)| {
        if goes {
            follow.call(());
        }
    }));
    let page = link.read().as_ref().map(|link| name(t, link)).unwrap_or_default();
    let (text, offers) = match step {
        None | Some(Step::Go) => return rsx! {},
        Some(Step::Wait) => (tr!(t, "app-link-waits", page = page), false),
        Some(Step::Offer) => (tr!(t, "app-link-offered", page = page), true),
        Some(Step::Refuse(why)) => (t.text(why, &[]), false),
    };
    rsx! {
        div { class: "page link-notice",
            div { class: "notice wait", role: "status", "data-testid": "app-link",
                Glyph { icon: Icon::Warning, size: 24 }
                div { class: "grow stack tight",
                    p { {text} }
                    div { class: "row wrap",
                        if offers {
                            Button { label: tr!(t, "app-link-open"), weight: Weight::Second, testid: "app-link-open", onclick: follow }
                        }
                        button { class: "ghost", r#type: "button", "data-testid": "app-link-dismiss", onclick: move |_| link.set(None), {tr!(t, "app-link-dismiss")} }
                    }
                }
            }
        }
    }
}

/// What the page is called to which a link leads.
fn name(t: Translator, link: &LinkView) -> String {
    match link {
        LinkView::Inbox => tr!(t, "inbox-title"),
        LinkView::Card => tr!(t, "card-title"),
        LinkView::Scan => tr!(t, "scan-title"),
        LinkView::Code { .. } => tr!(t, "ask-title"),
        LinkView::Unknown => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENT: Option<Role> = Some(Role::Patient);
    const CLINICIAN: Option<Role> = Some(Role::Clinician);

    #[test]
    fn a_link_opens_its_page_and_waits_while_the_wallet_is_locked() {
        assert_eq!(step(&LinkView::Inbox, PATIENT, &Route::Home {}), Step::Go);
        assert_eq!(step(&LinkView::Inbox, None, &Route::Welcome {}), Step::Wait);
        let unlock = Route::Unlock { id: "x".to_owned() };
        assert_eq!(step(&LinkView::Inbox, None, &unlock), Step::Wait);
        assert_eq!(step(&LinkView::Inbox, PATIENT, &unlock), Step::Wait);
    }

    #[test]
    fn a_link_takes_nobody_away_from_what_they_are_doing() {
        let emergency = Route::Emergency { declaration: "x".to_owned() };
        for here in [emergency, Route::Ask {}, Route::Declare {}] {
            assert_eq!(step(&LinkView::Inbox, CLINICIAN, &here), Step::Offer, "{here:?}");
        }
        let request = Route::Request { id: "x".to_owned() };
        for here in [request, Route::Give {}, Route::ReplaceKeys {}, Route::CardMake {}] {
            assert_eq!(step(&LinkView::Inbox, PATIENT, &here), Step::Offer, "{here:?}");
        }
    }

    #[test]
    fn a_link_to_a_page_that_is_not_for_this_wallet_or_to_none_is_refused() {
        let code = LinkView::Code { did: "did:amulet:x".to_owned() };
        assert_eq!(step(&code, PATIENT, &Route::Home {}), Step::Refuse("app-link-other-wallet"));
        assert_eq!(step(&LinkView::Card, CLINICIAN, &Route::Scan {}), Step::Refuse("app-link-other-wallet"));
        assert_eq!(step(&LinkView::Unknown, None, &Route::Welcome {}), Step::Refuse("app-link-unknown"));
    }
}
