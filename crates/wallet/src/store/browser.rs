//! The browser's `localStorage` of the page's origin, bytes as base64. It is asked for at each use: its handle belongs to
//! the page and cannot be kept in something that is `Send`.

use super::{DeviceStore, FILES_MAX, StoreError, check_name, check_size};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::Storage;

const PREFIX: &str = "amulet.file.";

/// Files in `localStorage`.
#[derive(Clone, Copy, Debug, Default)]
pub struct BrowserStore;

impl BrowserStore {
    fn storage(what: &'static str, name: &str) -> Result<Storage, StoreError> {
        let refused = |message: String| StoreError::System { what, name: name.to_owned(), message };
        let window = web_sys::window().ok_or_else(|| refused("there is no window".to_owned()))?;
        window
            .local_storage()
            .map_err(|error| refused(text(&error)))?
            .ok_or_else(|| refused("the browser keeps no data for this page".to_owned()))
    }
}

impl DeviceStore for BrowserStore {
    fn list(&self) -> Result<Vec<String>, StoreError> {
        let storage = Self::storage("list", "files")?;
        let count = storage.length().map_err(system("list", "files"))?;
        let mut names: Vec<String> = (0..count)
            .filter_map(|index| storage.key(index).ok().flatten())
            .filter_map(|key| key.strip_prefix(PREFIX).map(str::to_owned))
            .filter(|name| check_name(name).is_ok())
            .take(FILES_MAX)
            .collect();
        names.sort();
        Ok(names)
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        check_name(name)?;
        let stored = Self::storage("read", name)?.get_item(&key(name)).map_err(system("read", name))?;
        let Some(text) = stored else { return Ok(None) };
        check_size(name, text.len() as u64 / 4 * 3)?;
        let bytes = STANDARD.decode(text).map_err(|_| StoreError::Damaged { name: name.to_owned() })?;
        Ok(Some(bytes))
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        check_name(name)?;
        check_size(name, bytes.len() as u64)?;
        Self::storage("write", name)?
            .set_item(&key(name), &STANDARD.encode(bytes))
            .map_err(system("write", name))
    }

    fn remove(&self, name: &str) -> Result<(), StoreError> {
        check_name(name)?;
        Self::storage("remove", name)?.remove_item(&key(name)).map_err(system("remove", name))
    }
}

fn key(name: &str) -> String {
    format!("{PREFIX}{name}")
}

fn system(what: &'static str, name: &str) -> impl FnOnce(JsValue) -> StoreError {
    let name = name.to_owned();
    move |error| StoreError::System { what, name, message: text(&error) }
}

fn text(error: &JsValue) -> String {
    match error.dyn_ref::<js_sys::Error>() {
        Some(error) => String::from(error.message()),
        None => format!("{error:?}"),
    }
}
