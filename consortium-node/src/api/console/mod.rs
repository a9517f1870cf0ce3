//! The hospital's console: a listener of its own for the operators' pages, which only reads.
//!
//! Every answer needs the console's token; the pages themselves are the wallet's and need none. No answer holds anything
//! that a record says.

mod guard;

use super::error::ApiError;
use super::status::kind;
use super::{ApiState, REQUEST_TIME_MAX, headers, web, within};
use crate::ledger::{Ledger, LedgerError};
use amulet_app_api::console::{BLOCKS_PATH, BlockLine, BlocksView, KindCount, OVERVIEW_PATH, OverviewView};
use amulet_protocol::ids::Height;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::middleware::{self, Next};
use axum::routing::{any, get};
use axum::{Json, Router};
use guard::{Guard, guarded};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Blocks on a page.
const BLOCKS_PER_PAGE: u64 = 20;
/// Files of the data folder that are measured; a node has about ten.
const FILES_MAX: usize = 1_000;

#[derive(Clone)]
struct ConsoleState {
    api: ApiState,
    guard: Arc<Guard>,
    data: PathBuf,
}

/// The console's routes, over the state of the node's interface, its token and its data folder.
pub fn console(api: ApiState, token: &str, data: &Path) -> Router {
    let guard = Arc::new(Guard::new(token));
    let state = ConsoleState { api: api.clone(), guard: guard.clone(), data: data.to_owned() };
    let answers = Router::new()
        .route(OVERVIEW_PATH, get(overview))
        .route(BLOCKS_PATH, get(blocks))
        .route("/api/{*rest}", any(|| async { ApiError::NotFound }))
        .layer(middleware::from_fn_with_state(guard, guarded))
        .layer(middleware::from_fn(|request: Request, next: Next| within(REQUEST_TIME_MAX, request, next)))
        .with_state(state);
    // The pages are a wallet's too, which asks for its network when it starts.
    let pages = Router::new().route("/network.json", get(web::network)).fallback(web::page);
    pages.with_state(api.clone()).merge(answers).layer(middleware::from_fn_with_state(api, headers::finish))
}

async fn overview(State(state): State<ConsoleState>) -> Result<Json<OverviewView>, ApiError> {
    let parts = &state.api.parts;
    let (tip, consensus) = (parts.ledger.tip(), *parts.consensus.borrow());
    let data = state.data.clone();
    let measured = tokio::task::spawn_blocking(move || database_bytes(&data)).await;
    let (site, scrub, quorum) = (&parts.site, parts.scrubber.report(), parts.ledger.validators().quorum());
    Ok(Json(OverviewView {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        network: site.network.clone(),
        hospital: site.organisation.to_string(),
        name_en: site.name_en.clone(),
        name_zh: site.name_zh.clone(),
        height: tip.height.0,
        block_time: tip.time.0,
        now: (parts.now)().0,
        view: consensus.view.0,
        primary: consensus.primary.0,
        validators: quorum.size() as u64,
        quorum: quorum.threshold() as u64,
        connected: *parts.connected.borrow() as u64,
        waiting: parts.mempool.len() as u64,
        database_bytes: measured.map_err(ApiError::internal)?.map_err(ApiError::internal)?,
        records_registered: parts.intake.records_registered(),
        vault_lost: scrub.lost,
        vault_scrubbed: (scrub.ended > 0).then_some(scrub.ended),
        evidence: consensus.evidence,
        forks: parts.light.forks_found(),
        wrong_tokens: state.guard.wrong(),
    }))
}

/// Bytes of the files in a folder, but not in the folders in it.
fn database_bytes(folder: &Path) -> std::io::Result<u64> {
    let mut bytes: u64 = 0;
    for entry in std::fs::read_dir(folder)?.take(FILES_MAX) {
        // A file that is gone by now takes no room.
        let Ok(found) = entry?.metadata() else { continue };
        if found.is_file() {
            bytes = bytes.saturating_add(found.len());
        }
    }
    Ok(bytes)
}

#[derive(Deserialize)]
struct PageQuery {
    #[serde(default = "first_page")]
    page: u64,
}

fn first_page() -> u64 {
    1
}

async fn blocks(
    State(state): State<ConsoleState>,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Json<BlocksView>, ApiError> {
    let Query(PageQuery { page }) = query.map_err(|_| ApiError::PageMalformed)?;
    if page == 0 {
        return Err(ApiError::PageMalformed);
    }
    let ledger = state.api.parts.ledger.clone();
    let read = tokio::task::spawn_blocking(move || page_of_blocks(&ledger, page)).await;
    Ok(Json(read.map_err(ApiError::internal)?.map_err(ApiError::internal)?))
}

fn page_of_blocks(ledger: &Ledger, page: u64) -> Result<BlocksView, LedgerError> {
    let height = ledger.tip().height.0;
    let newest = height.saturating_sub((page - 1).saturating_mul(BLOCKS_PER_PAGE));
    let oldest = newest.saturating_sub(BLOCKS_PER_PAGE);
    let lines = (oldest..newest).rev().map(|below| line(ledger, Height(below + 1)));
    // A copied ledger has no headers from before it was copied, perhaps.
    let blocks = lines.filter_map(Result::transpose).collect::<Result<_, _>>()?;
    Ok(BlocksView { height, page, pages: height.div_ceil(BLOCKS_PER_PAGE), blocks })
}

fn line(ledger: &Ledger, height: Height) -> Result<Option<BlockLine>, LedgerError> {
    let Some(header) = ledger.header(height)? else { return Ok(None) };
    let transactions = ledger.block(height)?.map(|certified| {
        let mut kinds: BTreeMap<&'static str, u64> = BTreeMap::new();
        for found in &certified.block.transactions {
            *kinds.entry(kind(&found.transaction.call)).or_default() += 1;
        }
        kinds.into_iter().map(|(kind, count)| KindCount { kind: kind.to_owned(), count }).collect()
    });
    Ok(Some(BlockLine { height: height.0, time: header.time.0, proposer: header.proposer.0, transactions }))
}

#[cfg(test)]
mod tests;
