//! Questions to the node that serves this page, with the console's token.

use dioxus::prelude::*;
use serde::de::DeserializeOwned;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Headers, RequestInit, Response};

/// The token, as it was typed: in this page's memory and nowhere else.
pub(super) static TOKEN: GlobalSignal<String> = Signal::global(String::new);

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The token is not this console's.
    WrongToken,
    /// Nothing at this address answers as a console does.
    NoConsole,
    /// The node cannot answer now.
    Unreachable,
}

/// Asks again whenever the path or the token changes.
pub(super) fn use_answer<T>(path: String) -> Resource<Result<T, Trouble>>
where
    T: DeserializeOwned + 'static,
{
    use_resource(use_reactive!(|(path,)| {
        let token = TOKEN.read().clone();
        async move { ask(&path, &token).await }
    }))
}

async fn ask<T: DeserializeOwned>(path: &str, token: &str) -> Result<T, Trouble> {
    let lost = |_: JsValue| Trouble::Unreachable;
    let headers = Headers::new().map_err(lost)?;
    // What no header can hold is no token.
    headers.set("authorization", &format!("Bearer {token}")).map_err(|_| Trouble::WrongToken)?;
    let options = RequestInit::new();
    options.set_headers(&headers);
    let window = web_sys::window().ok_or(Trouble::Unreachable)?;
    let asked = JsFuture::from(window.fetch_with_str_and_init(path, &options)).await.map_err(lost)?;
    let response: Response = asked.dyn_into().map_err(lost)?;
    match response.status() {
        200 => {}
        401 => return Err(Trouble::WrongToken),
        404 => return Err(Trouble::NoConsole),
        _ => return Err(Trouble::Unreachable),
    }
    let text = JsFuture::from(response.text().map_err(lost)?).await.map_err(lost)?;
    let text = text.as_string().ok_or(Trouble::Unreachable)?;
    serde_json::from_str(&text).map_err(|_| Trouble::NoConsole)
}
