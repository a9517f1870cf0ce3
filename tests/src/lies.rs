//! A hospital that lies: a proxy before an honest node that changes what it answers, on a socket of its own.

use crate::http::{self, blocking};
use amulet_crypto::digest::Digest;
use amulet_protocol::codec;
use amulet_protocol::ids::Nonce;
use amulet_protocol::light::{LightRequest, LightResponse};
use amulet_protocol::limits::{LIGHT_REQUEST_BYTES_MAX, LIGHT_RESPONSE_BYTES_MAX};
use amulet_protocol::receipt::{Outcome, RefusalCode};
use amulet_protocol::state_batch::StateNode;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, Uri};
use axum::routing::{get, post};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What the lying hospital changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// Nothing: the honest proxy, to show that lies alone make the difference.
    None,
    /// A byte of a header.
    Header,
    /// A signature of a certificate.
    Certificate,
    /// A byte of a state proof.
    StateProof,
    /// A byte of a proven value.
    StateValue,
    /// A value that is there is said not to be.
    StateAbsent,
    /// A byte of a history entry.
    History,
    /// An entry of the history is left out.
    HistoryDropped,
    /// A byte of a transaction.
    Transaction,
    /// What became of a transaction.
    Receipt,
    /// A byte of a ciphertext.
    Ciphertext,
}

impl Lie {
    fn tell(self, response: &mut LightResponse) {
        match (self, response) {
            (Self::Header, LightResponse::Header(signed)) => signed.header.time.0 ^= 1,
            (Self::Certificate, LightResponse::Header(signed)) => {
                let signatures = &mut signed.certificate.signatures;
                if let [first, second, ..] = &mut signatures[..] {
                    std::mem::swap(&mut first.1, &mut second.1);
                }
            }
            (Self::StateProof, LightResponse::StateBatch(batch)) => {
                for node in &mut batch.nodes {
                    if let StateNode::Beside(hash) = node {
                        *hash = Digest::ZERO;
                    }
                }
            }
            (Self::StateValue, LightResponse::StateBatch(batch)) => {
                batch.values.iter_mut().flatten().for_each(|bytes| flip_last(bytes));
            }
            (Self::StateAbsent, LightResponse::StateBatch(batch)) => batch.values.fill(None),
            (Self::History, LightResponse::History(entries)) => {
                entries.iter_mut().take(1).for_each(|entry| entry.time.0 ^= 1);
            }
            (Self::HistoryDropped, LightResponse::History(entries)) if !entries.is_empty() => {
                entries.remove(0);
            }
            (Self::Transaction, LightResponse::Transactions(transactions)) => {
                for transaction in transactions {
                    transaction.transaction.nonce = Nonce(transaction.transaction.nonce.0 ^ 1);
                }
            }
            (Self::Receipt, LightResponse::Receipt(proof)) => {
                proof.receipt.outcome = Outcome::Refused { code: RefusalCode::NotYourGrant };
            }
            (Self::Ciphertext, LightResponse::Blobs(blobs)) => {
                blobs.iter_mut().flatten().for_each(|bytes| flip_last(bytes))
            }
            _ => {}
        }
    }
}

fn flip_last(bytes: &mut [u8]) {
    if let Some(last) = bytes.last_mut() {
        *last ^= 1;
    }
}

/// Starts a lying proxy before the node at `base` and gives its address. It lives as long as the runtime.
///
/// # Panics
/// When it cannot listen.
pub async fn start(base: &str, lie: Lie) -> String {
    let twist: Twist = Arc::new(move |_, mut response| {
        lie.tell(&mut response);
        response
    });
    start_twisting(base, twist).await
}

/// What a proxy makes of an honest answer.
pub type Twist = Arc<dyn Fn(&LightRequest, LightResponse) -> LightResponse + Send + Sync>;

/// Starts a proxy before the node at `base` that answers what `twist` makes of each answer, and gives its address.
///
/// # Panics
/// When it cannot listen.
pub async fn start_twisting(base: &str, twist: Twist) -> String {
    start_proxy(Proxy { base: base.to_owned(), twist, withheld: Arc::default() }).await
}

/// Starts a proxy that is honest, but while `withheld` is set leaves questions about histories without an answer, as
/// somebody on the line can, and gives its address.
///
/// # Panics
/// When it cannot listen.
pub async fn start_withholding(base: &str, withheld: Arc<AtomicBool>) -> String {
    start_proxy(Proxy { base: base.to_owned(), twist: Arc::new(|_, answer| answer), withheld }).await
}

async fn start_proxy(proxy: Proxy) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("a listener has an address");
    let router = Router::new()
        .route("/api/v1/light", post(answer))
        .fallback(get(pass_on))
        .layer(DefaultBodyLimit::max(LIGHT_REQUEST_BYTES_MAX + 1))
        .with_state(proxy);
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

#[derive(Clone)]
struct Proxy {
    base: String,
    twist: Twist,
    withheld: Arc<AtomicBool>,
}

async fn answer(State(proxy): State<Proxy>, body: Bytes) -> Result<Vec<u8>, StatusCode> {
    let question = codec::decode(&body, LIGHT_REQUEST_BYTES_MAX).map_err(|_| StatusCode::BAD_REQUEST)?;
    if proxy.withheld.load(Ordering::SeqCst) && matches!(question, LightRequest::History { .. }) {
        return Err(StatusCode::BAD_GATEWAY);
    }
    let url = format!("{}/api/v1/light", proxy.base);
    // Who lies wants the whole header to lie with; and nobody has to say in short that it is the same.
    let question = match question {
        LightRequest::LatestUnless(_) => LightRequest::Latest,
        other => other,
    };
    let body = codec::encode(&question);
    let asked = move || http::post(&url, &[("content-type", "application/octet-stream")], &body);
    let honest = blocking(asked).await.map_err(|_| StatusCode::BAD_GATEWAY)?;
    let status = StatusCode::from_u16(honest.status).unwrap_or(StatusCode::BAD_GATEWAY);
    if status != StatusCode::OK {
        return Err(status);
    }
    let response: LightResponse =
        codec::decode(&honest.body, LIGHT_RESPONSE_BYTES_MAX).map_err(|_| StatusCode::BAD_GATEWAY)?;
    Ok(codec::encode(&(proxy.twist)(&question, response)))
}

/// Everything else, such as the files of the demonstration's people, is passed on unchanged.
async fn pass_on(State(proxy): State<Proxy>, uri: Uri) -> Result<Vec<u8>, StatusCode> {
    let url = format!("{}{uri}", proxy.base);
    let honest = blocking(move || http::get(&url)).await.map_err(|_| StatusCode::BAD_GATEWAY)?;
    match StatusCode::from_u16(honest.status) {
        Ok(StatusCode::OK) => Ok(honest.body),
        status => Err(status.unwrap_or(StatusCode::BAD_GATEWAY)),
    }
}

/// The network file with other addresses for some hospitals (number from 1, address), as somebody in the middle would
/// put them; the pinned genesis stays.
///
/// # Panics
/// When the file is not what it should be.
#[must_use]
pub fn redirect(network: &[u8], to: &[(usize, String)]) -> Vec<u8> {
    let mut file: serde_json::Value = serde_json::from_slice(network).expect("the network file is JSON");
    for (number, address) in to {
        file["nodes"][number - 1]["http"] = address.clone().into();
    }
    serde_json::to_vec(&file).expect("JSON has a text form")
}
