//! The wallet inside a browser page: served by a hospital's node, for a shared workstation and a first try with no install.
//!
//! Everything but the genesis document is checked as on any device. The genesis document, like this code, comes from the
//! origin that serves the page; whoever does not trust that hospital installs the app instead.

use amulet_app_api::{ApiError, ErrorCode, Request};
use amulet_light_client::store::IndexedDbStore;
use amulet_light_client::transport::http::HttpTransport;
use amulet_light_client::{SystemClock, platform};
use amulet_protocol::ids::Did;
use js_sys::{Array, ArrayBuffer, Uint8Array};
use std::sync::Arc;
use std::time::Duration;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, BlobPropertyBag, HtmlAnchorElement, RequestInit, Response, Url};

use crate::network::{NETWORK_FILE_BYTES_MAX, Network};
use crate::service::{
    DEMO_FILE_BYTES_MAX, DemoPeople, HospitalApi, Host, INTAKE_ANSWER_BYTES_MAX, IntakeAnswer, OutFile,
    Outbox, Service,
};
use crate::store::{BrowserStore, DeviceStore, MemoryStore};

/// Where the page's origin describes the network.
const NETWORK_PATH: &str = "/network.json";
/// Where it serves the demonstration's files.
const DEMO_PATH: &str = "/demo/";
const NOT_FOUND: u16 = 404;
/// How long a saved file stays in memory, for the browser to take it: it may ask the person first where to put it.
const SAVING_TIME: Duration = Duration::from_secs(300);

/// The wallet of this page.
pub struct BrowserWallet {
    service: Arc<Service>,
}

impl BrowserWallet {
    /// Starts the wallet from the page's own origin.
    ///
    /// # Errors
    /// [`ErrorCode::Unreachable`] when the origin does not answer, [`ErrorCode::Internal`] when its network file is bad.
    pub async fn start() -> Result<Self, ApiError> {
        let answer = fetch(NETWORK_PATH, &RequestInit::new(), NETWORK_FILE_BYTES_MAX).await?;
        if answer.status != 200 {
            return Err(ApiError::new(ErrorCode::Unreachable).with("asked", 1));
        }
        Self::with_network(&answer.body)
    }

    /// Starts the wallet with a network file at hand.
    ///
    /// # Errors
    /// [`ErrorCode::Internal`] when the file is bad.
    pub fn with_network(file: &[u8]) -> Result<Self, ApiError> {
        let network = Network::parse(file)
            .map_err(|error| ApiError::new(ErrorCode::Internal).with("message", error))?;
        let addresses = network.nodes().iter().map(|node| vec![node.http.clone()]).collect();
        // A browser that keeps nothing for the page still lets a clinician read a card.
        let store: Box<dyn DeviceStore> = match BrowserStore.list() {
            Ok(_) => Box::new(BrowserStore),
            Err(_) => Box::new(MemoryStore::default()),
        };
        let service = Service::new(Host {
            store,
            transport: Arc::new(HttpTransport::new(addresses)),
            headers: Box::new(IndexedDbStore::new(&network.chain().to_string())),
            hospital_api: Box::new(Origin),
            demo: Box::new(Origin),
            outbox: Box::new(Page),
            clock: Arc::new(SystemClock),
            network,
        })?;
        let service = Arc::new(service);
        let unasked = Arc::clone(&service);
        wasm_bindgen_futures::spawn_local(async move { unasked.keep_checking().await });
        Ok(Self { service })
    }

    /// Answers one request of the interface.
    ///
    /// # Errors
    /// As [`Service::answer`].
    pub async fn send(&self, request: Request) -> Result<serde_json::Value, ApiError> {
        self.service.answer(request).await
    }
}

/// Plain HTTP by `fetch`.
struct Origin;

#[async_trait::async_trait(?Send)]
impl HospitalApi for Origin {
    async fn intake(
        &self,
        base: &str,
        patient: Did,
        authorization: String,
        body: Vec<u8>,
    ) -> Result<IntakeAnswer, ApiError> {
        let options = RequestInit::new();
        options.set_method("POST");
        options.set_body(&Uint8Array::from(body.as_slice()));
        let headers = web_sys::Headers::new().map_err(|_| unreachable_error())?;
        headers.set("authorization", &authorization).map_err(|_| unreachable_error())?;
        headers.set("content-type", "application/fhir+json").map_err(|_| unreachable_error())?;
        options.set_headers(&headers);
        let url = format!("{base}/fhir?patient={patient}");
        fetch(&url, &options, INTAKE_ANSWER_BYTES_MAX).await
    }
}

#[async_trait::async_trait(?Send)]
impl DemoPeople for Origin {
    async fn fetch(&self, file: &str) -> Result<Vec<u8>, ApiError> {
        let answer = fetch(&format!("{DEMO_PATH}{file}"), &RequestInit::new(), DEMO_FILE_BYTES_MAX).await?;
        match answer.status {
            200 => Ok(answer.body),
            NOT_FOUND => Err(ErrorCode::NotFound.into()),
            _ => Err(unreachable_error()),
        }
    }
}

/// Saves files as a page does: by a link that is pressed.
struct Page;

#[async_trait::async_trait(?Send)]
impl Outbox for Page {
    async fn save(&self, name: &str, bytes: Vec<u8>) -> Result<Option<String>, ApiError> {
        let failed = |_| ApiError::new(ErrorCode::Storage).with("message", "the browser takes no files");
        let url = url_of(&bytes).map_err(failed)?;
        let pressed = press_link(&url, name);
        wasm_bindgen_futures::spawn_local(async move {
            platform::sleep(SAVING_TIME).await;
            // Only the memory would be lost.
            let _ = Url::revoke_object_url(&url);
        });
        pressed.map_err(failed)?;
        Ok(None)
    }

    async fn begin(&self, name: &str, bytes: u64) -> Result<Box<dyn OutFile>, ApiError> {
        if bytes > COMING_BYTES_MAX {
            return Err(ApiError::new(ErrorCode::TooLarge).with("limit", COMING_BYTES_MAX));
        }
        Ok(Box::new(Coming { name: name.to_owned(), bytes: Vec::new() }))
    }
}

/// Bytes of the largest file that a page can save: it is in memory until it is whole. The window has no such limit.
const COMING_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// A file that comes piece by piece: a page can only give it to the browser when it is whole.
struct Coming {
    name: String,
    bytes: Vec<u8>,
}

#[async_trait::async_trait(?Send)]
impl OutFile for Coming {
    async fn write(&mut self, bytes: Vec<u8>) -> Result<(), ApiError> {
        self.bytes.extend(bytes);
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<Option<String>, ApiError> {
        Page.save(&self.name, self.bytes).await
    }

    async fn abort(self: Box<Self>) {}
}

fn url_of(bytes: &[u8]) -> Result<String, JsValue> {
    let parts = Array::of1(&Uint8Array::from(bytes));
    let options = BlobPropertyBag::new();
    options.set_type("application/octet-stream");
    Url::create_object_url_with_blob(&Blob::new_with_u8_array_sequence_and_options(&parts, &options)?)
}

fn press_link(url: &str, name: &str) -> Result<(), JsValue> {
    let document = web_sys::window().and_then(|window| window.document()).ok_or(JsValue::NULL)?;
    let link: HtmlAnchorElement = document.create_element("a")?.dyn_into()?;
    link.set_href(url);
    link.set_download(name);
    link.click();
    Ok(())
}

async fn fetch(url: &str, options: &RequestInit, limit: usize) -> Result<IntakeAnswer, ApiError> {
    let window = web_sys::window().ok_or_else(unreachable_error)?;
    let asked = JsFuture::from(window.fetch_with_str_and_init(url, options));
    let response: Response =
        asked.await.and_then(JsCast::dyn_into).map_err(|_: JsValue| unreachable_error())?;
    let announced = response.headers().get("content-length").ok().flatten();
    if announced.and_then(|length| length.parse::<usize>().ok()).is_some_and(|length| length > limit) {
        return Err(ApiError::new(ErrorCode::TooLarge).with("limit", limit));
    }
    let body = response.array_buffer().map_err(|_| unreachable_error())?;
    let body: ArrayBuffer =
        JsFuture::from(body).await.and_then(JsCast::dyn_into).map_err(|_: JsValue| unreachable_error())?;
    let body = Uint8Array::new(&body);
    if body.length() as usize > limit {
        return Err(ApiError::new(ErrorCode::TooLarge).with("limit", limit));
    }
    Ok(IntakeAnswer { status: response.status(), body: body.to_vec() })
}

fn unreachable_error() -> ApiError {
    ErrorCode::Unreachable.into()
}
