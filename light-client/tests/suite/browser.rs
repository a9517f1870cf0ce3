//! What only the browser build has: IndexedDB and `fetch`.

use crate::chain::{Chain, NOW};
use crate::network::Network;
use crate::stores::{keeps_what_was_written, notices_what_it_did_not_write};
use crate::test;
use amulet_light_client::store::{IndexedDbStore, Slot};
use amulet_light_client::transport::http::HttpTransport;
use amulet_light_client::transport::{Interception, SMALL_ANSWER_BYTES_MAX};
use amulet_light_client::{
    ClientStore, Clock, NodeIndex, StoreError, SystemClock, Transport, TransportError,
};
use amulet_protocol::codec::{DecodeError, decode, encode};
use amulet_protocol::ids::Height;
use amulet_protocol::light::{LightRequest, LightResponse};
use js_sys::{Promise, Reflect, Uint8Array};
use std::rc::Rc;
use std::sync::Arc;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use wasm_bindgen_futures::{JsFuture, future_to_promise};
use web_sys::{IdbDatabase, IdbFactory, IdbRequest, Request, Response};

#[test]
async fn indexed_db_passes_the_suite_of_stores() {
    keeps_what_was_written(|| IndexedDbStore::new("suite")).await;
    notices_what_it_did_not_write(|| IndexedDbStore::new("suite")).await;
}

fn databases() -> IdbFactory {
    web_sys::window().unwrap().indexed_db().unwrap().unwrap()
}

async fn done(request: &IdbRequest) {
    let promise = Promise::new(&mut |resolve, reject| {
        request.set_onsuccess(Some(&resolve));
        request.set_onerror(Some(&reject));
    });
    JsFuture::from(promise).await.unwrap();
}

#[test]
async fn a_database_that_is_deleted_while_a_page_uses_it_is_made_anew_and_said_so() {
    let network = Arc::new(Network::honest(Chain::new(3)));
    let client = || network.client_in(Box::new(IndexedDbStore::new("vanishing")));
    let first = client();
    first.sync(NOW).await.unwrap();
    done(&databases().delete_database(&IndexedDbStore::database("vanishing")).unwrap()).await;
    assert_eq!(first.sync(NOW).await.unwrap().store_trouble, Some(StoreError::Vanished));
    assert_eq!(first.sync(NOW).await.unwrap().store_trouble, None);
    assert_eq!(client().restore().await.unwrap().height(), Height(3));
    first.forget().await.unwrap();
}

#[test]
async fn a_database_of_another_program_or_a_later_version_is_made_anew_and_said_so() {
    for (name, version) in [("foreign", 1), ("later", 7)] {
        let request = databases().open_with_u32(&IndexedDbStore::database(name), version).unwrap();
        done(&request).await;
        request.result().unwrap().unchecked_into::<IdbDatabase>().close();
        let store = IndexedDbStore::new(name);
        assert_eq!(store.read(Slot::Head).await, Err(StoreError::Damaged), "{name}");
        assert_eq!(store.read(Slot::Head).await, Ok(None), "{name}");
        store.write(Slot::Head, vec![1]).await.unwrap();
        assert_eq!(store.read(Slot::Head).await, Ok(Some(vec![1])), "{name}");
        store.clear().await.unwrap();
    }
}

#[test]
async fn two_pages_use_one_database_in_turn() {
    let (first, second) = (IndexedDbStore::new("shared"), IndexedDbStore::new("shared"));
    first.write(Slot::Head, vec![1]).await.unwrap();
    assert_eq!(second.read(Slot::Head).await, Ok(Some(vec![1])));
    let both = futures::join!(first.write(Slot::Head, vec![2]), second.write(Slot::Progress, vec![3]));
    assert_eq!(both, (Ok(()), Ok(())));
    assert_eq!(first.read(Slot::Progress).await, Ok(Some(vec![3])));
    assert_eq!(second.read(Slot::Head).await, Ok(Some(vec![2])));
    second.clear().await.unwrap();
    assert_eq!(first.read(Slot::Head).await, Ok(None));
}

#[test]
async fn what_an_earlier_version_kept_in_local_storage_is_removed() {
    let storage = web_sys::window().unwrap().local_storage().unwrap().unwrap();
    storage.set_item("amulet.trusted-header.old", "00").unwrap();
    storage.set_item("amulet.trusted-header.other", "00").unwrap();
    assert_eq!(IndexedDbStore::new("old").read(Slot::Head).await, Ok(None));
    assert_eq!(storage.get_item("amulet.trusted-header.old").unwrap(), None);
    assert!(storage.get_item("amulet.trusted-header.other").unwrap().is_some());
    storage.remove_item("amulet.trusted-header.other").unwrap();
}

#[test]
async fn nobody_listening_and_a_server_of_something_else_are_told_apart() {
    let origin = web_sys::window().unwrap().location().origin().unwrap();
    let transport = HttpTransport::new(vec![vec!["http://127.0.0.1:1".into()], vec![format!("{origin}/")]]);
    let asked = transport.ask(NodeIndex(0), &LightRequest::Latest).await;
    assert_eq!(asked, Err(TransportError::Connect));
    // The test's own server knows no such address.
    let asked = transport.ask(NodeIndex(1), &LightRequest::Latest).await;
    assert_eq!(asked, Err(TransportError::Status { code: 404 }));
    let unknown = TransportError::UnknownNode { node: NodeIndex(2), known: 2 };
    assert_eq!(transport.ask(NodeIndex(2), &LightRequest::Latest).await, Err(unknown));
}

type Fetch = Closure<dyn Fn(Request) -> Promise>;

/// Puts a server in the place of the page's `fetch`: the requests and responses are the browser's own.
fn serve(answer: impl Fn(&str, Vec<u8>) -> Vec<u8> + Clone + 'static) -> Fetch {
    let fetch: Fetch = Closure::new(move |request: Request| {
        let answer = answer.clone();
        future_to_promise(async move {
            let body = JsFuture::from(request.array_buffer()?).await?;
            let mut bytes = answer(&request.url(), Uint8Array::new(&body).to_vec());
            Ok(Response::new_with_opt_u8_array(Some(&mut bytes))?.into())
        })
    });
    Reflect::set(&web_sys::window().unwrap(), &"fetch".into(), fetch.as_ref()).unwrap();
    fetch
}

#[test]
async fn questions_and_answers_are_the_bytes_of_the_codec_and_bounded() {
    let window = web_sys::window().unwrap();
    let original = Reflect::get(&window, &"fetch".into()).unwrap();
    let transport = HttpTransport::new(vec![vec!["http://hospital.example/".into()]]);
    let question = LightRequest::HeaderAt(Height(1));

    let chain = Rc::new(Chain::new(2));
    let honest = LightResponse::Header(Box::new(chain.signed_at(1)));
    let _server = serve(move |url, body| {
        assert_eq!(url, "http://hospital.example/api/v1/light");
        encode(&chain.answer(&decode(&body, body.len()).unwrap(), chain.tip()))
    });
    assert_eq!(transport.ask(NodeIndex(0), &question).await, Ok(honest));

    let _server = serve(|_, _| vec![0; SMALL_ANSWER_BYTES_MAX + 1]);
    let too_large = TransportError::TooLarge { limit: SMALL_ANSWER_BYTES_MAX };
    assert_eq!(transport.ask(NodeIndex(0), &question).await, Err(too_large));

    let _server = serve(|_, _| b" <html>Please sign in to this network</html>".to_vec());
    let portal = TransportError::Intercepted { by: Interception::Page };
    assert_eq!(transport.ask(NodeIndex(0), &question).await, Err(portal));
    let _server = serve(|_, _| Vec::new());
    let malformed = DecodeError::Malformed { expected: "LightResponse" };
    assert_eq!(transport.ask(NodeIndex(0), &question).await, Err(TransportError::Decode(malformed)));
    Reflect::set(&window, &"fetch".into(), &original).unwrap();
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
    let client = || network.client_in(Box::new(IndexedDbStore::new("reload")));
    client().sync(NOW).await.unwrap();
    assert_eq!(client().restore().await.unwrap().height(), Height(4));
    client().forget().await.unwrap();
    assert_eq!(client().restore().await, None);
}
