//! What only the browser build has: `localStorage` and `fetch`.

use crate::chain::{Chain, NOW};
use crate::network::Network;
use crate::stores::{keeps_one_header, notices_what_it_did_not_write};
use crate::test;
use amulet_light_client::store::BrowserStore;
use amulet_light_client::transport::http::HttpTransport;
use amulet_light_client::{
    Clock, NodeIndex, StoreError, SystemClock, Transport, TransportError, TrustedHeaderStore,
};
use amulet_protocol::ids::Height;
use amulet_protocol::light::LightRequest;
use std::sync::Arc;

fn storage() -> web_sys::Storage {
    web_sys::window().unwrap().local_storage().unwrap().unwrap()
}

#[test]
async fn local_storage_passes_the_suite_of_stores() {
    keeps_one_header(|| BrowserStore::new("suite"));
}

#[test]
async fn local_storage_notices_what_it_did_not_write() {
    let key = "amulet.trusted-header.corrupt";
    let read = || hex::decode(storage().get_item(key).unwrap().unwrap()).unwrap();
    let put = |bytes: &[u8]| storage().set_item(key, &hex::encode(bytes)).unwrap();
    let store = BrowserStore::new("corrupt");
    notices_what_it_did_not_write(&store, read, put);
    for text in ["0", "zz", "é0", "+1+1"] {
        storage().set_item(key, text).unwrap();
        assert_eq!(store.load(), Err(StoreError::Corrupt), "{text}");
    }
    store.clear().unwrap();
}

#[test]
async fn nobody_listening_and_a_server_of_something_else_are_told_apart() {
    let origin = web_sys::window().unwrap().location().origin().unwrap();
    let transport = HttpTransport::new(vec!["http://127.0.0.1:1".into(), format!("{origin}/")]);
    let asked = transport.ask(NodeIndex(0), &LightRequest::Latest).await;
    assert_eq!(asked, Err(TransportError::Connect));
    // The test's own server knows no such address.
    let asked = transport.ask(NodeIndex(1), &LightRequest::Latest).await;
    assert_eq!(asked, Err(TransportError::Status { code: 404 }));
    let unknown = TransportError::UnknownNode { node: NodeIndex(2), known: 2 };
    assert_eq!(transport.ask(NodeIndex(2), &LightRequest::Latest).await, Err(unknown));
}

#[test]
async fn the_browsers_clock_is_in_milliseconds() {
    let now = SystemClock.now();
    assert!(now > NOW, "{now}: after 2023");
    assert!(now < NOW.plus_millis(100 * 366 * 24 * 3_600_000), "{now}: before 2123");
}

#[test]
async fn a_trusted_header_survives_a_reload_of_the_page() {
    let network = Arc::new(Network::honest(Chain::new(4)));
    let client = || network.client_in(Box::new(BrowserStore::new("reload")));
    client().sync(NOW).await.unwrap();
    assert_eq!(client().trusted().unwrap().height(), Height(4));
    client().forget().unwrap();
    assert_eq!(client().trusted(), None);
}
