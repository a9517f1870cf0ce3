//! The HTTP interface: light clients in browsers, FHIR intake, what operators look at, and the wallet's web pages.
//!
//! Everything from outside is bounded: bodies by a limit of their route, requests by a time limit. Every error is JSON with
//! a stable code.

mod auth;
mod body;
mod console;
mod duties;
mod error;
mod fhir;
mod headers;
mod light;
mod metrics;
mod openapi;
mod review;
mod shl;
mod status;
mod vault;
mod web;

use crate::consensus::ConsensusStatus;
use crate::intake::IntakeService;
use crate::ledger::Ledger;
use crate::light_service::LightService;
use crate::mempool::Mempool;
use crate::vault::{Scrubber, VaultIndex};
use amulet_protocol::ids::{Did, Timestamp};
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use error::ApiError;
use metrics::HttpMetrics;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};

/// Longest time for an ordinary request, its body included.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(30);
/// Requests answered at once; each can hold a body in memory. Far more than a hospital's wallets ask together.
const REQUESTS_AT_ONCE: usize = 256;
/// Longest time for an intake: a large file over a slow line, and up to five registrations.
const INTAKE_TIME_MAX: Duration = Duration::from_secs(280);

/// Longest time for one large file: 4 GiB over a line of 10 Mbit/s.
const FILE_TIME_MAX: Duration = Duration::from_secs(3_600);
/// Large ciphertexts streamed at once; each holds some MiB in memory.
const STREAMS_AT_ONCE: usize = 16;

/// What this site is, and what it serves. Not printable, for it holds the token.
#[derive(Clone)]
pub struct Site {
    /// Name of the network.
    pub network: String,
    /// The hospital.
    pub organisation: Did,
    /// Its name in English.
    pub name_en: String,
    /// Its name in Chinese.
    pub name_zh: String,
    /// Token of the hospital's own systems for `POST /fhir`; without one they cannot.
    pub intake_token: Option<String>,
    /// Origins (`https://hospital.example`) of the other hospitals' pages: they may ask this node, and this node's pages
    /// may ask them.
    pub origins: Vec<String>,
    /// Folder of the wallet's web pages.
    pub web: Option<PathBuf>,
    /// Folder of the demonstration's people.
    pub demo: Option<PathBuf>,
    /// The network description.
    pub network_file: Option<PathBuf>,
}

/// What the interface shows and hands requests to.
#[derive(Clone)]
pub struct ApiParts {
    /// The site.
    pub site: Arc<Site>,
    /// The ledger.
    pub ledger: Ledger,
    /// The vault's index.
    pub index: VaultIndex,
    /// Transactions that wait.
    pub mempool: Mempool,
    /// Answers light clients.
    pub light: LightService,
    /// Takes files in.
    pub intake: IntakeService,
    /// Scrubs the vault.
    pub scrubber: Scrubber,
    /// How consensus goes.
    pub consensus: watch::Receiver<ConsensusStatus>,
    /// Other validators connected.
    pub connected: watch::Receiver<usize>,
    /// The clock.
    pub now: fn() -> Timestamp,
}

/// State of the router; cheap to clone.
#[derive(Clone)]
pub struct ApiState {
    parts: ApiParts,
    http: Arc<HttpMetrics>,
    headers: Arc<headers::SiteHeaders>,
    slots: Arc<Semaphore>,
    streams: Arc<Semaphore>,
}

impl ApiState {
    /// A state over these parts.
    ///
    /// # Errors
    /// The first of the site's origins that is none.
    pub fn new(parts: ApiParts) -> Result<Self, OriginError> {
        let headers = Arc::new(headers::SiteHeaders::new(&parts.site.origins)?);
        let slots = Arc::new(Semaphore::new(REQUESTS_AT_ONCE));
        let streams = Arc::new(Semaphore::new(STREAMS_AT_ONCE));
        Ok(Self { parts, http: Arc::default(), headers, slots, streams })
    }
}

pub use console::console;
pub use headers::OriginError;

/// The routes.
pub fn router(state: ApiState) -> Router {
    let cors = state.headers.cors();
    let shared = Router::new()
        .route("/api/v1/light", post(light::light))
        .route("/api/v1/status", get(status::status))
        .route("/api/v1/vault/read", post(vault::read))
        .layer(middleware::from_fn(|request: Request, next: Next| within(REQUEST_TIME_MAX, request, next)));
    let intake = Router::new()
        .route("/fhir", post(fhir::fhir))
        .layer(middleware::from_fn(|request: Request, next: Next| within(INTAKE_TIME_MAX, request, next)));
    let files = Router::new()
        .route("/api/v1/files", post(vault::file))
        .layer(middleware::from_fn(|request: Request, next: Next| within(FILE_TIME_MAX, request, next)));
    let local = Router::new()
        .route("/api/v1/blocks/{height}", get(status::block))
        .route("/health", get(status::health))
        .route("/metrics", get(metrics::metrics))
        .route("/openapi.json", get(openapi::openapi))
        .route("/network.json", get(web::network))
        .route("/demo/{*file}", get(web::demo))
        .layer(middleware::from_fn(|request: Request, next: Next| within(REQUEST_TIME_MAX, request, next)));
    // Not for other hospitals' pages: it shows what records say.
    let reviews = Router::new()
        .route("/api/v1/overdue", get(duties::overdue))
        .route("/api/v1/review", get(review::list))
        .route("/api/v1/review/{id}", get(review::show).post(review::decide))
        .route("/api/v1/vault/held", get(vault::held))
        .route("/api/v1/vault/erased", get(vault::erased))
        .route("/api/v1/vault/scrub", get(vault::scrub).post(vault::begin_scrub))
        .layer(middleware::from_fn(|request: Request, next: Next| within(INTAKE_TIME_MAX, request, next)));
    let links = Router::new()
        .route("/shl/{link}", post(shl::manifest).get(shl::single_file))
        .route("/shl/files/{ticket}", get(shl::file))
        .layer(middleware::from_fn(|request: Request, next: Next| within(REQUEST_TIME_MAX, request, next)))
        .method_not_allowed_fallback(wrong_method)
        .layer(shl::cors());
    // The layer must wrap what answers a wrong method too, for that is where a browser's preflight question ends up.
    let asked_by_other_pages = shared.merge(intake).method_not_allowed_fallback(wrong_method).layer(cors);
    asked_by_other_pages
        .merge(links)
        .merge(local.merge(reviews).merge(files).method_not_allowed_fallback(wrong_method))
        .route("/api/{*rest}", any(|| async { ApiError::NotFound }))
        .fallback(web::page)
        .layer(middleware::from_fn_with_state(state.clone(), headers::finish))
        .with_state(state)
}

/// Ends a request that takes too long.
async fn within(limit: Duration, request: Request, next: Next) -> Response {
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::TimedOut.into_response(),
    }
}

async fn wrong_method(State(_): State<ApiState>, request: Request) -> ApiError {
    ApiError::Method { method: request.method().to_string() }
}

#[cfg(test)]
mod tests;
