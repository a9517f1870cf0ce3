//! Sockets: HTTP/1.1, bounded in connections, headers and time.

use crate::app::{Answer, App, Asked, PURPOSE_HEADER};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{
    ACCEPT, ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue,
    IF_NONE_MATCH, RETRY_AFTER, WWW_AUTHENTICATE,
};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// Connections at once; others wait to be accepted.
pub const CONNECTIONS_MAX: usize = 128;
/// How long a client may take to send its headers, and a connection to stand idle.
const HEADERS_TIME_MAX: Duration = Duration::from_secs(15);
/// Headers of one question.
const HEADERS_MAX: usize = 64;
/// Bytes of line and headers.
const HEAD_BYTES_MAX: usize = 32 * 1024;
/// How often readings are looked through for old ones.
const FORGET_EVERY: Duration = Duration::from_secs(20);
/// Seconds after which a client that was told to come again should.
const AGAIN_AFTER: &str = "2";
const PREFER: &str = "prefer";
const FHIR_JSON: &str = "application/fhir+json; charset=utf-8; fhirVersion=4.0";

/// Answers until `stop` is done.
pub async fn until(listener: TcpListener, app: Arc<App>, stop: impl Future<Output = ()>) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut sweep = tokio::time::interval(FORGET_EVERY);
    tokio::pin!(stop);
    loop {
        // The next connection is taken once there is room for it.
        let accepted = async {
            let slot = Arc::clone(&slots).acquire_owned().await;
            (slot, listener.accept().await)
        };
        let (slot, accepted) = tokio::select! {
            () = &mut stop => return,
            _ = sweep.tick() => {
                app.forget_old();
                continue;
            }
            accepted = accepted => accepted,
        };
        let Ok((stream, _)) = accepted else {
            // Out of file descriptors, most likely: going on at once would only turn the wheel.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let app = Arc::clone(&app);
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let app = Arc::clone(&app);
                async move { Ok::<_, Infallible>(answered(&app, &request).await) }
            });
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADERS_TIME_MAX)
                .max_headers(HEADERS_MAX)
                .max_buf_size(HEAD_BYTES_MAX)
                .serve_connection(TokioIo::new(stream), service);
            // A client that breaks off or talks nonsense is told by hyper, and is nobody else's business.
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection ended");
            }
            drop(slot);
        });
    }
}

async fn answered(app: &Arc<App>, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let header = |name: &str| text(request.headers(), name);
    let asked = Asked {
        method: request.method().as_str().to_owned(),
        path: request.uri().path().to_owned(),
        query: request.uri().query().map(str::to_owned),
        authorization: header(AUTHORIZATION.as_str()),
        accept: header(ACCEPT.as_str()),
        prefer: header(PREFER),
        purpose: header(PURPOSE_HEADER),
        if_none_match: header(IF_NONE_MATCH.as_str()),
    };
    let answer = app.answer(asked).await;
    response(&answer)
}

/// A header as text; one that is no text counts as an empty one.
fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| value.to_str().unwrap_or_default().to_owned())
}

fn response(answer: &Answer) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::copy_from_slice(&answer.body)));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    let mut set =
        |name: HeaderName, value: &'static str| drop(headers.insert(name, HeaderValue::from_static(value)));
    set(CACHE_CONTROL, "no-store");
    if !answer.body.is_empty() {
        set(CONTENT_TYPE, FHIR_JSON);
    }
    match answer.status {
        401 => set(WWW_AUTHENTICATE, "Bearer realm=\"Amulet FHIR gateway\""),
        405 => set(ALLOW, "GET"),
        503 | 504 => set(RETRY_AFTER, AGAIN_AFTER),
        _ => {}
    }
    if let Some(tag) =
        answer.version.as_ref().and_then(|version| HeaderValue::from_str(&format!("W/\"{version}\"")).ok())
    {
        headers.insert(ETAG, tag);
    }
    response
}
