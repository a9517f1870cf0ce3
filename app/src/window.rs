//! The one window, and what it shows when the wallet could not start.

use std::borrow::Cow;
use tauri::http::{Response, header};
use tauri::{AppHandle, Manager, WebviewUrl, WebviewWindowBuilder};

use crate::commands::Shell;

/// Scheme of the page that says why the wallet could not start.
pub const NOTICE_SCHEME: &str = "amulet-notice";
/// The notice's look, close to the pages'.
const STYLE: &str = "body{font:16px/1.5 system-ui,'Noto Sans SC',sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem}\
    h1{font-size:1.4rem;color:#0b5d5e}";
const LABEL: &str = "main";
const TITLE: &str = "Amulet";
const WIDTH: f64 = 1_000.0;
const HEIGHT: f64 = 760.0;
/// A phone's width: the pages are made for it.
const WIDTH_MIN: f64 = 360.0;
const HEIGHT_MIN: f64 = 480.0;

/// Opens the window on the pages, or on the notice.
///
/// # Errors
/// Those of the system's web view.
pub fn open(app: &AppHandle, is_ready: bool) -> tauri::Result<()> {
    let page = if is_ready { WebviewUrl::default() } else { WebviewUrl::CustomProtocol(notice_url()) };
    WebviewWindowBuilder::new(app, LABEL, page)
        .title(TITLE)
        .inner_size(WIDTH, HEIGHT)
        .min_inner_size(WIDTH_MIN, HEIGHT_MIN)
        .build()?;
    Ok(())
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
