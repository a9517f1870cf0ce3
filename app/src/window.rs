//! The one window, and what it shows when the wallet could not start.

use amulet_app_api::desktop::LinkView;
use std::borrow::Cow;
use tauri::http::{Response, header};
use tauri::{AppHandle, Manager, WebviewUrl, WebviewWindow, WebviewWindowBuilder};

use crate::commands::Shell;
use crate::links::OpenedLinks;

/// Scheme of the page that says why the wallet could not start.
pub const NOTICE_SCHEME: &str = "amulet-notice";
/// The notice's look, close to the pages'.
const STYLE: &str = "body{font:16px/1.5 system-ui,'Noto Sans SC',sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}\
    h1{font-size:1.4rem;color:#0b5d5e}";
const LABEL: &str = "main";
/// What the window, its notices and its tray icon are called.
pub const TITLE: &str = "Amulet";
/// Tells the page to ask what there is: a link, or that the wallet was locked. It carries nothing.
const WAKE: &str = "window.dispatchEvent(new Event('amulet-shell'))";
const WIDTH: f64 = 1_000.0;
const HEIGHT: f64 = 760.0;
/// A phone's width: the pages are made for it.
const WIDTH_MIN: f64 = 360.0;
const HEIGHT_MIN: f64 = 480.0;

/// Opens the window on the pages, or on the notice. One that is covered is left out of pictures and recordings of the screen,
/// where the system can do that (Windows and macOS).
///
/// # Errors
/// Those of the system's web view.
pub fn open(app: &AppHandle, is_ready: bool, is_covered: bool) -> tauri::Result<()> {
    let page = if is_ready { WebviewUrl::default() } else { WebviewUrl::CustomProtocol(notice_url()) };
    WebviewWindowBuilder::new(app, LABEL, page)
        .title(TITLE)
        .inner_size(WIDTH, HEIGHT)
        .min_inner_size(WIDTH_MIN, HEIGHT_MIN)
        .content_protected(is_covered)
        .build()?;
    Ok(())
}

fn main(app: &AppHandle) -> Option<WebviewWindow> {
    app.get_webview_window(LABEL)
}

/// Brings the window before the person, as far as the desktop lets a program do so.
pub fn show(app: &AppHandle) {
    let Some(window) = main(app) else { return };
    // Each of these is a request to the desktop, and the others are worth a try where one fails.
    let _ = (window.show(), window.unminimize(), window.set_focus());
}

/// Whether the person has the window before them.
pub fn has_focus(app: &AppHandle) -> bool {
    main(app).is_some_and(|window| window.is_focused().unwrap_or(false))
}

/// Has the page look at what changed outside it.
pub fn wake(app: &AppHandle) {
    if let Some(window) = main(app) {
        // A page that is only just opening looks by itself.
        let _ = window.eval(WAKE);
    }
}

/// Shows the window and gives its page a link.
pub fn open_link(app: &AppHandle, link: LinkView) {
    app.state::<OpenedLinks>().put(link);
    show(app);
    wake(app);
}

fn notice_url() -> tauri::Url {
    format!("{NOTICE_SCHEME}://localhost/").parse().expect("the notice's address is well formed")
}

/// The page that says why the wallet could not start; it has no script.
pub fn notice(app: &AppHandle) -> Response<Cow<'static, [u8]>> {
    let reason = match app.try_state::<Shell>().as_deref() {
        Some(Shell::Failed(failure)) => failure.to_string(),
        _ => String::new(),
    };
    let body = page(&reason).into_bytes();
    Response::builder()
        .header(header::CONTENT_TYPE, "text/html; charset=utf-8")
        .header(header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'")
        .body(Cow::Owned(body))
        .expect("the headers are well formed")
}

fn page(reason: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{TITLE}</title>\
         <style>{STYLE}</style><h1>Amulet could not start</h1><p>Nothing was changed or lost.</p><p>{}</p>\
         <h1 lang=\"zh\">护身符未能启动</h1><p lang=\"zh\">没有任何数据被更改或丢失。原因见上。</p></html>",
        escaped(reason)
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_markup_stays_text() {
        let page = page("no file at /tmp/<script>alert(1)</script>");
        assert!(page.contains("&lt;script&gt;") && !page.contains("<script>"));
    }
}
