//! What the interface needs of the browser, in one place.

use amulet_app_api::wallet::{Language, TimeMs};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;

/// Where the text size is kept; `assets/boot.js` reads it before the first paint.
const TEXT_SIZE_KEY: &str = "amulet.text-size";

/// How the window says that something changed outside the page; `app/src/window.rs` sends it.
const SHELL_EVENT: &str = "amulet-shell";

/// Where the colours are kept; `assets/boot.js` reads it too.
const THEME_KEY: &str = "amulet.theme";

/// Where the choice of few choices is kept.
const SIMPLE_KEY: &str = "amulet.simple";

/// Colours a person can choose; the first is the default.
pub const THEMES: [&str; 3] = ["system", "light", "dark"];

/// The sizes of text a person can choose from; the first is the default.
pub const TEXT_SIZES: [&str; 3] = ["normal", "large", "larger"];

/// Now, by this device's clock.
pub fn now() -> TimeMs {
    js_sys::Date::now() as TimeMs
}

/// The midnight before a time, where this device is.
pub fn day_of(time: TimeMs) -> TimeMs {
    let date = js_sys::Date::new(&JsValue::from_f64(time as f64));
    date.set_hours(0);
    date.set_minutes(0);
    date.set_seconds(0);
    date.set_milliseconds(0);
    date.get_time() as TimeMs
}

/// The beginning of a time's month, where this device is.
pub fn month_of(time: TimeMs) -> TimeMs {
    let date = js_sys::Date::new(&JsValue::from_f64(day_of(time) as f64));
    date.set_date(1);
    date.get_time() as TimeMs
}

/// Waits.
pub async fn sleep_ms(milliseconds: u32) {
    gloo_timers::future::TimeoutFuture::new(milliseconds).await;
}

/// The language the browser asks for; English unless it is some Chinese.
pub fn preferred_language() -> Language {
    let tag = web_sys::window().and_then(|window| window.navigator().language()).unwrap_or_default();
    if tag.starts_with("zh") { Language::Zh } else { Language::En }
}

/// The address of the open page within the app.
pub fn fragment() -> String {
    let hash = web_sys::window().and_then(|window| window.location().hash().ok()).unwrap_or_default();
    hash.strip_prefix('#').unwrap_or_default().to_owned()
}

/// Tells the browser and screen readers which language the page is in.
pub fn set_document_language(tag: &str) {
    let root = web_sys::window()
        .and_then(|window| window.document())
        .and_then(|document| document.document_element());
    if let Some(root) = root {
        // Setting an attribute with a valid name cannot fail.
        let _ = root.set_attribute("lang", tag);
    }
}

/// Names the page in the window's title.
pub fn set_document_title(title: &str) {
    if let Some(document) = web_sys::window().and_then(|window| window.document()) {
        document.set_title(title);
    }
}

/// Moves the focus to the page's heading, so that a screen reader announces the new page.
pub fn focus_heading() {
    focus("main h1");
}

/// Moves the focus to an element.
pub fn focus(selector: &str) {
    let element = web_sys::window()
        .and_then(|window| window.document())
        .and_then(|document| document.query_selector(selector).ok().flatten())
        .and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok());
    if let Some(element) = element {
        let _ = element.focus();
    }
}

/// Brings an element into view, in the middle: what has just happened must not hide behind the main button.
pub fn reveal(selector: &str) {
    let element = web_sys::window()
        .and_then(|window| window.document())
        .and_then(|document| document.query_selector(selector).ok().flatten());
    if let Some(element) = element {
        let options = web_sys::ScrollIntoViewOptions::new();
        options.set_block(web_sys::ScrollLogicalPosition::Center);
        element.scroll_into_view_with_scroll_into_view_options(&options);
    }
}

/// Opens the `<dialog>` with this id above everything else; the browser keeps the focus inside it.
pub fn show_modal(id: &str) {
    let dialog = web_sys::window()
        .and_then(|window| window.document())
        .and_then(|document| document.get_element_by_id(id))
        .and_then(|element| element.dyn_into::<web_sys::HtmlDialogElement>().ok());
    if let Some(dialog) = dialog.filter(|dialog| !dialog.open()) {
        let _ = dialog.show_modal();
    }
}

/// Copies what is in a text field, and leaves it selected. Says whether the browser did so.
pub fn copy_field(id: &str) -> bool {
    let Some(document) = web_sys::window().and_then(|window| window.document()) else { return false };
    let field = document.get_element_by_id(id);
    if let Some(field) = field.and_then(|field| field.dyn_into::<web_sys::HtmlTextAreaElement>().ok()) {
        let _ = field.focus();
        field.select();
    }
    // Old, and the one way that works in a page, in the window's web view, and without asking for a permission.
    let document: Option<web_sys::HtmlDocument> = document.dyn_into().ok();
    document.is_some_and(|document| document.exec_command("copy").unwrap_or(false))
}

/// Clears the clipboard, as far as the browser lets a page do so: only while it has the focus.
pub fn clear_clipboard() {
    let clipboard = web_sys::window().map(|window| window.navigator().clipboard());
    if let Some(clipboard) = clipboard.filter(|clipboard| !clipboard.is_undefined()) {
        // A page served without TLS has no clipboard to clear.
        let _ = clipboard.write_text("");
    }
}

/// Whether nobody sees the page: another tab or app is in front.
pub fn is_hidden() -> bool {
    web_sys::window().and_then(|window| window.document()).is_some_and(|document| document.hidden())
}

/// Calls back whenever somebody touches, types, scrolls or moves over the page; for as long as the page lives.
pub fn on_activity(callback: impl Fn() + 'static) {
    let Some(window) = web_sys::window() else { return };
    let closure = Closure::<dyn Fn()>::new(callback);
    for event in ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"] {
        // A listener for a well-formed name cannot be refused.
        let _ = window.add_event_listener_with_callback(event, closure.as_ref().unchecked_ref());
    }
    closure.forget();
}

/// The next word from the window that something changed outside the page; heard from the call on, even before it is awaited.
pub fn shell_word() -> Option<JsFuture> {
    let window = web_sys::window()?;
    let promise = js_sys::Promise::new(&mut |hear, _| {
        // A listener for a well-formed name cannot be refused.
        let _ = window.add_event_listener_with_callback(SHELL_EVENT, &hear);
    });
    Some(promise.into())
}

/// Opens the print dialog.
pub fn print() {
    if let Some(window) = web_sys::window() {
        let _ = window.print();
    }
}

/// The text size chosen earlier.
pub fn text_size() -> String {
    let stored = storage().and_then(|storage| storage.get_item(TEXT_SIZE_KEY).ok().flatten());
    stored.unwrap_or_else(|| TEXT_SIZES[0].to_owned())
}

/// Applies a text size and keeps it for the next start.
pub fn set_text_size(size: &str) {
    if let Some(storage) = storage() {
        // A browser that forbids storage forgets the choice; the page still changes.
        let _ = storage.set_item(TEXT_SIZE_KEY, size);
    }
    let root = web_sys::window()
        .and_then(|window| window.document())
        .and_then(|document| document.document_element());
    if let Some(root) = root {
        let _ = root.set_attribute("data-text", size);
    }
}

/// The colours chosen earlier: those of the system, light, or dark.
pub fn theme() -> String {
    let stored = storage().and_then(|storage| storage.get_item(THEME_KEY).ok().flatten());
    stored.unwrap_or_else(|| THEMES[0].to_owned())
}

/// Applies colours and keeps them for the next start.
pub fn set_theme(theme: &str) {
    if let Some(storage) = storage() {
        // A browser that forbids storage forgets the choice; the page still changes.
        let _ = storage.set_item(THEME_KEY, theme);
    }
    let document = web_sys::window().and_then(|window| window.document());
    let dark = document.and_then(|document| document.get_element_by_id("dark"));
    let media = match theme {
        "light" => "not all",
        "dark" => "all",
        _ => "(prefers-color-scheme: dark)",
    };
    if let Some(dark) = dark {
        let _ = dark.set_attribute("media", media);
    }
}

/// Whether the person wants few choices and large type.
pub fn is_simple() -> bool {
    storage()
        .and_then(|storage| storage.get_item(SIMPLE_KEY).ok().flatten())
        .is_some_and(|stored| stored == "yes")
}

/// Keeps that choice for the next start.
pub fn set_simple(simple: bool) {
    if let Some(storage) = storage() {
        let _ = storage.set_item(SIMPLE_KEY, if simple { "yes" } else { "no" });
    }
}

/// A file that a person picked: its name, its size in bytes, and the way to its content.
#[derive(Clone)]
pub struct PickedFile(web_sys::File);

impl PickedFile {
    /// The first file of an `<input type=file>`; clears the input so that the same file can be picked again.
    pub fn take(input_id: &str) -> Option<Self> {
        let document = web_sys::window()?.document()?;
        let input: web_sys::HtmlInputElement = document.get_element_by_id(input_id)?.dyn_into().ok()?;
        let file = input.files()?.get(0)?;
        input.set_value("");
        Some(Self(file))
    }

    /// The name without folders.
    pub fn name(&self) -> String {
        self.0.name()
    }

    /// Size in bytes.
    pub fn size(&self) -> u64 {
        self.0.size() as u64
    }

    /// The content as text; bytes that are no UTF-8 become replacement characters.
    pub async fn text(&self) -> Option<String> {
        JsFuture::from(self.0.text()).await.ok()?.as_string()
    }

    /// The content as base64.
    pub async fn base64(&self) -> Option<String> {
        let content = JsFuture::from(self.0.array_buffer()).await.ok()?;
        Some(STANDARD.encode(js_sys::Uint8Array::new(&content).to_vec()))
    }

    /// The file for the browser's picture decoder.
    pub fn blob(&self) -> &web_sys::Blob {
        &self.0
    }
}

/// The value of a JavaScript object's member, if there is one.
pub fn member(of: &JsValue, name: &str) -> Option<JsValue> {
    js_sys::Reflect::get(of, &name.into()).ok().filter(|value| !value.is_undefined() && !value.is_null())
}

fn storage() -> Option<web_sys::Storage> {
    web_sys::window()?.local_storage().ok().flatten()
}
