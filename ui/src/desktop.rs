//! What the window tells its page: that there is a link, or that the wallet was locked from the tray.

use crate::app::App;
use crate::backend;
use crate::platform;
use amulet_app_api::desktop::OpenedLink;
use amulet_app_api::wallet::Status;
use dioxus::prelude::*;

/// Listens for as long as the app lives.
pub async fn watch(app: App) {
    if !backend::is_window() {
        return;
    }
    let mut word = platform::shell_word();
    while let Some(heard) = word {
        // An event is never refused.
        let _ = heard.await;
        // Before looking: what happens meanwhile is looked at next.
        word = platform::shell_word();
        look(app).await;
    }
}

/// Looks at what changed outside the page.
pub async fn look(mut app: App) {
    if app.session.peek().is_some()
        && let Ok(status) = app.call(Status {}).await
        && status.session.is_none()
    {
        app.remember_place();
        app.close();
    }
    if let Ok(Some(link)) = app.call(OpenedLink {}).await {
        app.link.set(Some(link));
    }
}
