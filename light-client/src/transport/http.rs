//! The browser's transport: `fetch` to each hospital's HTTP port.

use super::race::{STAGGER, race};
use super::web::{CONTENT_TYPE, Urls, check_head, read_answer};
use super::{
    ANSWER_TIME_MAX, Interception, NodeIndex, Transport, TransportError, answer_bytes_max, timed_out,
};
use crate::platform;
use amulet_protocol::addresses::NodeAddress;
use amulet_protocol::codec;
use amulet_protocol::light::{LightRequest, LightResponse};
use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, ReadableStreamDefaultReader, Request, RequestInit, RequestRedirect, Response,
    ResponseType,
};

/// Asks nodes by `fetch`.
#[derive(Debug)]
pub struct HttpTransport {
    urls: Urls,
}

impl HttpTransport {
    /// A transport for nodes at these addresses (`https://hospital.example`), in the order of the light client's nodes.
    #[must_use]
    pub fn new(addresses: Vec<Vec<String>>) -> Self {
        Self { urls: Urls::new(addresses) }
    }
}

#[async_trait::async_trait(?Send)]
impl Transport for HttpTransport {
    async fn ask(&self, node: NodeIndex, request: &LightRequest) -> Result<LightResponse, TransportError> {
        let (body, limit) = (codec::encode(request), answer_bytes_max(request));
        let attempts = self.urls.of(node)?.into_iter().map(|url| {
            let body = &body;
            async move {
                // The request is aborted when this is dropped in any way, a time-out or another's answer included.
                let abort = AbortOnDrop(AbortController::new().map_err(|_| TransportError::Connect)?);
                let answer = platform::timeout(ANSWER_TIME_MAX, post(&url, body, &abort.0, limit)).await;
                let bytes = answer.unwrap_or(Err(timed_out(ANSWER_TIME_MAX)))?;
                read_answer(&bytes, limit)
            }
        });
        race(attempts, STAGGER).await
    }

    fn learn(&self, node: NodeIndex, addresses: &[NodeAddress]) {
        self.urls.learn(node, addresses);
    }

    fn join(&self, node: NodeIndex, addresses: &[NodeAddress]) {
        self.urls.join(node, addresses);
    }
}

struct AbortOnDrop(AbortController);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn post(
    url: &str,
    body: &[u8],
    abort: &AbortController,
    limit: usize,
) -> Result<Vec<u8>, TransportError> {
    let options = RequestInit::new();
    options.set_method("POST");
    // No node redirects.
    options.set_redirect(RequestRedirect::Manual);
    options.set_body(&Uint8Array::from(body));
    options.set_signal(Some(&abort.signal()));
    let request = Request::new_with_str_and_init(url, &options).map_err(|_| TransportError::Connect)?;
    request.headers().set("content-type", CONTENT_TYPE).map_err(|_| TransportError::Connect)?;
    let window = web_sys::window().ok_or(TransportError::Connect)?;
    let response =
        JsFuture::from(window.fetch_with_request(&request)).await.map_err(|_| TransportError::Connect)?;
    let response: Response = response.dyn_into().map_err(|_| TransportError::Connect)?;
    // A page is not shown where it would be sent to.
    if response.type_() == ResponseType::Opaqueredirect {
        return Err(TransportError::Intercepted { by: Interception::Redirect });
    }
    let content_type = response.headers().get("content-type").ok().flatten();
    check_head(response.status(), content_type.as_deref())?;
    read(&response, limit).await
}

/// Reads the body piece by piece, so that an endless answer ends at the limit.
async fn read(response: &Response, limit: usize) -> Result<Vec<u8>, TransportError> {
    let Some(stream) = response.body() else { return Ok(Vec::new()) };
    let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
    let mut bytes = Vec::new();
    loop {
        let piece = JsFuture::from(reader.read()).await.map_err(|_| TransportError::Closed)?;
        if field(&piece, "done")?.is_truthy() {
            return Ok(bytes);
        }
        let piece: Uint8Array = field(&piece, "value")?.dyn_into().map_err(|_| TransportError::Closed)?;
        if bytes.len() + piece.length() as usize > limit {
            return Err(TransportError::TooLarge { limit });
        }
        bytes.extend_from_slice(&piece.to_vec());
    }
}

fn field(object: &JsValue, name: &str) -> Result<JsValue, TransportError> {
    Reflect::get(object, &JsValue::from_str(name)).map_err(|_| TransportError::Closed)
}
