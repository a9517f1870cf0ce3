//! The wallet in the native process, reached through Tauri's bridge. Keys never enter this page.

use super::{Backend, internal};
use crate::platform::member;
use amulet_app_api::{ApiError, Request};
use async_trait::async_trait;
use js_sys::{Function, Object, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// The one command the shell offers; see `app/`.
const COMMAND: &str = "amulet";

/// Whether this page runs in the Tauri window.
pub fn is_present() -> bool {
    invoker().is_some()
}

/// The native wallet.
pub struct Tauri;

#[async_trait(?Send)]
impl Backend for Tauri {
    async fn send(&self, request: Request) -> Result<serde_json::Value, ApiError> {
        let (holder, invoke) = invoker().ok_or_else(|| internal("no bridge"))?;
        let arguments = Object::new();
        let request = parse(&serde_json::to_string(&request).map_err(internal)?)?;
        Reflect::set(&arguments, &"request".into(), &request).map_err(|_| internal("no bridge"))?;
        let promise: Promise = invoke
            .call2(&holder, &COMMAND.into(), &arguments)
            .map_err(|error| refusal(&error))?
            .dyn_into()
            .map_err(|_| internal("no promise"))?;
        match JsFuture::from(promise).await {
            Ok(reply) => serde_json::from_str(&stringify(&reply)).map_err(internal),
            Err(error) => Err(refusal(&error)),
        }
    }
}

/// `__TAURI__.core` where the global is enabled, else the internals that are always there, with its `invoke`.
fn invoker() -> Option<(JsValue, Function)> {
    let window: JsValue = web_sys::window()?.into();
    let core = member(&window, "__TAURI__").and_then(|tauri| member(&tauri, "core"));
    let holder = core.or_else(|| member(&window, "__TAURI_INTERNALS__"))?;
    let invoke = member(&holder, "invoke")?.dyn_into().ok()?;
    Some((holder, invoke))
}

fn parse(json: &str) -> Result<JsValue, ApiError> {
    js_sys::JSON::parse(json).map_err(|_| internal("request is no JSON"))
}

/// JSON of a value; `undefined`, which a command without a reply gives, is `null`.
fn stringify(value: &JsValue) -> String {
    js_sys::JSON::stringify(value).ok().and_then(|text| text.as_string()).unwrap_or_else(|| "null".to_owned())
}

/// The shell sends [`ApiError`] as JSON; anything else is the bridge's own complaint.
fn refusal(error: &JsValue) -> ApiError {
    let text = stringify(error);
    serde_json::from_str(&text).unwrap_or_else(|_| internal(text))
}
