#![allow(clippy::unwrap_used)]

use super::guard::{WRONG_TOKEN_WAIT, WRONG_TOKENS_AT_ONCE};
use super::*;
use crate::api::tests::{Answer, Site};
use amulet_protocol::ids::Timestamp;
use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, AUTHORIZATION, CACHE_CONTROL, ORIGIN};
use tokio::time::Instant;

const TOKEN: &str = "the console's token";
const ROUTES: [&str; 3] = [OVERVIEW_PATH, BLOCKS_PATH, "/api/console/v1/nothing"];

/// The console of a node of tests.
struct Console {
    site: Site,
    routes: Router,
}

impl Console {
    fn new() -> Self {
        let site = Site::new();
        let state = ApiState::new(site.parts.clone()).unwrap();
        let routes = console(state, TOKEN, site.world.folder.path());
        Self { site, routes }
    }

    async fn ask(&self, path: &str, token: Option<&str>) -> Answer {
        let mut request = Request::get(path).header(ORIGIN, "http://127.0.0.1:8102");
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        Answer::of(self.routes.clone(), request.body(Body::empty()).unwrap()).await
    }

    async fn overview(&self) -> OverviewView {
        serde_json::from_slice(&self.ask(OVERVIEW_PATH, Some(TOKEN)).await.body).unwrap()
    }

    async fn blocks(&self, query: &str) -> BlocksView {
        let answer = self.ask(&format!("{BLOCKS_PATH}{query}"), Some(TOKEN)).await;
        assert_eq!(answer.status, StatusCode::OK);
        serde_json::from_slice(&answer.body).unwrap()
    }
}

// The clock stands still but for what is waited for.
#[tokio::test(start_paused = true)]
async fn nothing_is_answered_without_the_token_and_wrong_ones_are_slowed_and_counted() {
    let console = Console::new();
    for route in ROUTES {
        let answer = console.ask(route, None).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNAUTHORIZED, "unauthenticated"));
        let before = Instant::now();
        let answer = console.ask(route, Some("another token")).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNAUTHORIZED, "wrong_token"));
        assert!(before.elapsed() >= WRONG_TOKEN_WAIT);
    }
    // The intake's token opens another door.
    assert_eq!(console.ask(OVERVIEW_PATH, Some("the hospital's token")).await.code(), "wrong_token");
    assert_eq!(console.overview().await.wrong_tokens, 4);
}

// The clock stands still but for what is waited for.
#[tokio::test(start_paused = true)]
async fn many_wrong_tokens_are_turned_away_and_keep_nobody_with_the_right_one_waiting() {
    let console = Console::new();
    let wrong = (0..=WRONG_TOKENS_AT_ONCE).map(|_| console.ask(OVERVIEW_PATH, Some("wrong")));
    let right = async {
        let before = Instant::now();
        let status = console.ask(OVERVIEW_PATH, Some(TOKEN)).await.status;
        (status, before.elapsed())
    };
    let (wrong, (status, waited)) = tokio::join!(futures::future::join_all(wrong), right);
    assert_eq!(status, StatusCode::OK);
    assert!(waited < WRONG_TOKEN_WAIT, "{waited:?}");
    let busy = wrong.iter().filter(|answer| answer.code() == "busy").count();
    assert_eq!(busy, 1);
}

#[tokio::test]
async fn answers_stay_in_no_cache_and_are_for_no_other_page() {
    let console = Console::new();
    let answer = console.ask(OVERVIEW_PATH, Some(TOKEN)).await;
    assert_eq!(answer.headers[CACHE_CONTROL], "no-store");
    assert!(!answer.headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));
    assert_eq!(console.ask("/api/console/v1/nothing", Some(TOKEN)).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_pages_need_no_token_and_the_nodes_own_routes_are_not_here() {
    let console = Console::new();
    assert_eq!(console.ask("/", None).await.body, b"<p>wallet</p>");
    assert_eq!(console.ask("/network.json", None).await.status, StatusCode::OK);
    for route in ["/api/v1/status", "/api/v1/light", "/fhir", "/demo/people.json"] {
        assert!(console.ask(route, None).await.status.is_client_error(), "{route}");
    }
}

#[tokio::test]
async fn the_overview_says_what_the_node_knows() {
    let console = Console::new();
    let view = console.overview().await;
    let tip = console.site.parts.ledger.tip();
    assert_eq!((view.height, view.block_time), (tip.height.0, tip.time.0));
    assert_eq!((view.view, view.primary, view.connected), (2, 2, 3));
    assert_eq!((view.validators, view.quorum), (4, 3));
    assert_eq!((view.name_en.as_str(), view.name_zh.as_str()), ("Hospital 0", "第0医院"));
    assert_eq!((view.vault_scrubbed, view.vault_lost, view.forks), (None, 0, 0));
    assert!(view.database_bytes > 0);
}

#[tokio::test]
async fn blocks_come_newest_first_by_page() {
    let console = Console::new();
    let first = console.blocks("").await;
    assert_eq!((first.height, first.page, first.pages), (1, 1, 1));
    let kinds = first.blocks[0].transactions.clone().unwrap();
    let said: Vec<_> = kinds.iter().map(|kind| (kind.kind.as_str(), kind.count)).collect();
    assert_eq!(said, [("register_identity", 3), ("register_practitioner", 1)]);

    for height in 2..=45 {
        console.site.world.commit_at(Timestamp(first.blocks[0].time + height), Vec::new());
    }
    let heights = |view: BlocksView| view.blocks.iter().map(|block| block.height).collect::<Vec<_>>();
    assert_eq!(heights(console.blocks("?page=1").await), (26..=45).rev().collect::<Vec<_>>());
    assert_eq!(heights(console.blocks("?page=3").await), [5, 4, 3, 2, 1]);
    assert_eq!(console.blocks("?page=3").await.pages, 3);
    for beyond in ["?page=4", "?page=18446744073709551615"] {
        assert_eq!(heights(console.blocks(beyond).await), Vec::<u64>::new());
    }
    for malformed in ["?page=0", "?page=-1", "?page=one", "?page=18446744073709551616"] {
        let answer = console.ask(&format!("{BLOCKS_PATH}{malformed}"), Some(TOKEN)).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::BAD_REQUEST, "page_malformed"));
    }
}
