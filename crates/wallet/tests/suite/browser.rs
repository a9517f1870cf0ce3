//! What only the browser build has: `localStorage` and the page's own start.

use crate::setup::{genesis, network_file};
use crate::test;
use amulet_app_api::wallet::{Language, SetLanguage, Status, StatusView};
use amulet_app_api::{ApiError, ErrorCode};
use amulet_wallet::store::{BrowserStore, DeviceStore, StoreError, check_store};
use amulet_wallet::web::BrowserWallet;

fn storage() -> web_sys::Storage {
    web_sys::window().unwrap().local_storage().unwrap().unwrap()
}

/// One case, because all cases share the page's storage.
#[test]
async fn local_storage_does_what_every_store_does_and_a_page_finds_it_again() {
    storage().clear().unwrap();
    check_store(&BrowserStore);
    storage().set_item("amulet.file.damaged", "not base64!").unwrap();
    assert!(matches!(BrowserStore.read("damaged"), Err(StoreError::Damaged { .. })));
    storage().set_item("of.another.program", "x").unwrap();
    assert_eq!(BrowserStore.list().unwrap(), ["damaged"]);
    BrowserStore.remove("damaged").unwrap();

    let file = network_file(&genesis(1));
    let first = BrowserWallet::with_network(&file).unwrap();
    first.send(SetLanguage { language: Language::En }.into()).await.unwrap();
    let again = BrowserWallet::with_network(&file).unwrap();
    let status: StatusView = serde_json::from_value(again.send(Status {}.into()).await.unwrap()).unwrap();
    assert_eq!(status.language, Some(Language::En));
    storage().clear().unwrap();
}

#[test]
async fn a_bad_network_file_is_an_error_and_a_silent_origin_too() {
    let bad: Result<_, ApiError> = BrowserWallet::with_network(b"<html>");
    assert_eq!(bad.err().unwrap().code, ErrorCode::Internal);
    // The test page's server has no network file.
    let silent = BrowserWallet::start().await;
    assert_eq!(silent.err().unwrap().code, ErrorCode::Unreachable);
}
