//! The browser's transport: `fetch` to each hospital's HTTP port.

use super::{ANSWER_TIME_MAX, NodeIndex, Transport, TransportError};
use crate::platform;
use amulet_protocol::codec;
use amulet_protocol::light::{LightRequest, LightResponse};
use amulet_protocol::limits::LIGHT_RESPONSE_BYTES_MAX;
use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, ReadableStreamDefaultReader, Request, RequestInit, Response};

/// Where a node takes questions, below its address.
pub const LIGHT_PATH: &str = "/api/v1/light";
/// Type of the bodies.
pub const CONTENT_TYPE: &str = "application/octet-stream";
const STATUS_OK: u16 = 200;

/// Asks nodes by `fetch`.
#[derive(Clone, Debug)]
pub struct HttpTransport {
    urls: Vec<String>,
}

impl HttpTransport {
    /// A transport for nodes at these addresses (`https://hospital.example`), in the order of the light client's nodes.
    #[must_use]
    pub fn new(addresses: Vec<String>) -> Self {
        let urls =
            addresses.into_iter().map(|address| format!("{}{LIGHT_PATH}", address.trim_end_matches('/')));
        Self { urls: urls.collect() }
    }
}

#[async_trait::async_trait(?Send)]
impl Transport for HttpTransport {
    async fn ask(&self, node: NodeIndex, request: &LightRequest) -> Result<LightResponse, TransportError> {
        let known = self.urls.len();
        let url = self.urls.get(node.0).ok_or(TransportError::UnknownNode { node, known })?;
        // The request is aborted when this function is left in any way, a time-out or its caller giving up included.
        let abort = AbortOnDrop(AbortController::new().map_err(|_| TransportError::Connect)?);
        let answer = platform::timeout(ANSWER_TIME_MAX, post(url, &codec::encode(request), &abort.0)).await;
        let millis = u64::try_from(ANSWER_TIME_MAX.as_millis()).unwrap_or(u64::MAX);
        let bytes = answer.unwrap_or(Err(TransportError::Timeout { millis }))?;
        Ok(codec::decode(&bytes, LIGHT_RESPONSE_BYTES_MAX)?)
    }
}

struct AbortOnDrop(AbortController);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn post(url: &str, body: &[u8], abort: &AbortController) -> Result<Vec<u8>, TransportError> {
    let options = RequestInit::new();
    options.set_method("POST");
    options.set_body(&Uint8Array::from(body));
    options.set_signal(Some(&abort.signal()));
    let request = Request::new_with_str_and_init(url, &options).map_err(|_| TransportError::Connect)?;
    request.headers().set("content-type", CONTENT_TYPE).map_err(|_| TransportError::Connect)?;
    let window = web_sys::window().ok_or(TransportError::Connect)?;
    let response =
        JsFuture::from(window.fetch_with_request(&request)).await.map_err(|_| TransportError::Connect)?;
    let response: Response = response.dyn_into().map_err(|_| TransportError::Connect)?;
    if response.status() != STATUS_OK {
        return Err(TransportError::Status { code: response.status() });
    }
    read(&response).await
}

/// Reads the body piece by piece, so that an endless answer ends at the limit.
async fn read(response: &Response) -> Result<Vec<u8>, TransportError> {
    let Some(stream) = response.body() else { return Ok(Vec::new()) };
    let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
    let mut bytes = Vec::new();
    loop {
        let piece = JsFuture::from(reader.read()).await.map_err(|_| TransportError::Closed)?;
        if field(&piece, "done")?.is_truthy() {
            return Ok(bytes);
        }
        let piece: Uint8Array = field(&piece, "value")?.dyn_into().map_err(|_| TransportError::Closed)?;
        if bytes.len() + piece.length() as usize > LIGHT_RESPONSE_BYTES_MAX {
            return Err(TransportError::TooLarge { limit: LIGHT_RESPONSE_BYTES_MAX });
        }
        bytes.extend_from_slice(&piece.to_vec());
    }
}

fn field(object: &JsValue, name: &str) -> Result<JsValue, TransportError> {
    Reflect::get(object, &JsValue::from_str(name)).map_err(|_| TransportError::Closed)
}
