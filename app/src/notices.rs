//! System notices: something in the inbox is new while the person looks elsewhere.
//!
//! They go by the wallet's own answer to the page, which asks after each check: a notice costs no question to any hospital. They
//! are sent from here and not by the page, which has no right to send any.

use amulet_app_api::desktop::LinkView;
use amulet_app_api::wallet::Language;
use amulet_wallet::service::{NoticeKind, Service};
use notify_rust::Notification;
use std::collections::BTreeSet;
use tauri::AppHandle;

use crate::{window, words};

/// What the desktop calls a press on the notice itself.
const PRESSED: &str = "default";

/// Tells what is new, unless the person has the window before them.
pub fn tell_news(app: &AppHandle, service: &Service) {
    let kinds = service.take_notices();
    if kinds.is_empty() || window::has_focus(app) {
        return;
    }
    let language = service.language().ok().flatten().unwrap_or(Language::En);
    let app = app.clone();
    // The desktop is waited for, and keeps a notice only for as long as whoever sent it is there.
    std::thread::spawn(move || show(&app, language, &kinds));
}

fn show(app: &AppHandle, language: Language, kinds: &BTreeSet<NoticeKind>) {
    let mut notice = Notification::new();
    notice
        .appname(window::TITLE)
        .summary(words::notice_title(language))
        .body(&body(language, kinds))
        .action(PRESSED, words::tray(language).open);
    #[cfg(windows)]
    notice.app_id(&app.config().identifier);
    match notice.show() {
        Ok(shown) => shown.wait_for_action(|action| {
            if action == PRESSED {
                window::open_link(app, LinkView::Inbox);
            }
        }),
        Err(error) => eprintln!("amulet: this desktop shows no notices: {error}"),
    }
}

fn body(language: Language, kinds: &BTreeSet<NoticeKind>) -> String {
    let lines: Vec<_> = kinds.iter().map(|kind| words::notice(language, *kind)).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_says_kinds_and_nothing_else() {
        let kinds = BTreeSet::from([NoticeKind::Ending, NoticeKind::Emergency]);
        assert_eq!(body(Language::En, &kinds), "An emergency access\nAn access ends soon");
        assert_eq!(body(Language::Zh, &kinds), "有一次急救查看\n有一项授权即将到期");
    }
}
