//! Counters of the HTTP interface, and all metrics in Prometheus' text format.

use super::ApiState;
use super::error::ApiError;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};

/// Requests counted by route, as it stands in the router, and status: both are few.
#[derive(Default)]
pub(super) struct HttpMetrics {
    requests: Mutex<BTreeMap<(String, u16), u64>>,
}

impl HttpMetrics {
    pub(super) fn count(&self, route: &str, status: u16) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        *requests.entry((route.to_owned(), status)).or_default() += 1;
    }

    fn write(&self, text: &mut String) {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        head(text, "amulet_http_requests_total", "counter", "HTTP requests answered, by route and status.");
        for ((route, status), count) in requests.iter() {
            // Writing into a String does not fail.
            let _ =
                writeln!(text, "amulet_http_requests_total{{route=\"{route}\",status=\"{status}\"}} {count}");
        }
    }
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn metric(text: &mut String, name: &str, kind: &str, help: &str, value: u64) {
    head(text, name, kind, help);
    let _ = writeln!(text, "{name} {value}");
}

/// The node's metrics, for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "operations",
    responses((status = 200, description = "Prometheus text format", content_type = "text/plain", body = String)))]
pub(super) async fn metrics(State(state): State<ApiState>) -> Result<Response, ApiError> {
    let tip = state.parts.ledger.tip();
    let consensus = *state.parts.consensus.borrow();
    let (index, ledger) = (state.parts.index.clone(), state.parts.ledger.clone());
    let named = tokio::task::spawn_blocking(move || index.used_count(&ledger)).await;
    let named = named.map_err(ApiError::internal)?.map_err(ApiError::internal)?;
    let text = &mut String::new();
    let gauge = "gauge";
    metric(text, "amulet_ledger_height", gauge, "Height of the newest committed block.", tip.height.0);
    metric(
        text,
        "amulet_ledger_time_seconds",
        gauge,
        "Time of the newest committed block.",
        tip.time.0 / 1_000,
    );
    metric(text, "amulet_consensus_view", gauge, "View that was entered last.", consensus.view.0);
    metric(
        text,
        "amulet_consensus_primary",
        gauge,
        "Replica that is the primary.",
        consensus.primary.0.into(),
    );
    let evidence = "Contradictions of other replicas seen since the start.";
    metric(text, "amulet_consensus_evidence_total", "counter", evidence, consensus.evidence);
    let forks =
        "Forks that light clients proved to this node since the start. Anything but 0 is an emergency.";
    metric(text, "amulet_forks_proven_total", "counter", forks, state.parts.light.forks_found());
    let waiting = state.parts.mempool.len() as u64;
    metric(text, "amulet_mempool_transactions", gauge, "Transactions that wait to be ordered.", waiting);
    let connected = *state.parts.connected.borrow() as u64;
    metric(text, "amulet_network_peers_connected", gauge, "Other validators connected.", connected);
    metric(
        text,
        "amulet_vault_named_blobs",
        gauge,
        "Ciphertexts that the ledger names, in all hospitals.",
        named,
    );
    let taken = state.parts.intake.records_registered();
    metric(text, "amulet_intake_records_total", "counter", "Records registered since the start.", taken);
    write_scrub(text, &state);
    state.http.write(text);
    Ok(([(CONTENT_TYPE, "text/plain; version=0.0.4")], std::mem::take(text)).into_response())
}

fn write_scrub(text: &mut String, state: &ApiState) {
    let (totals, last) = (state.parts.scrubber.totals(), state.parts.scrubber.report());
    for (name, help, count) in [
        ("checked", "Ciphertexts that scrubs have read since the start.", totals.checked),
        ("damaged", "Damaged ciphertexts that scrubs found since the start.", totals.damaged),
        ("missing", "Missing ciphertexts that scrubs found since the start.", totals.missing),
        ("repaired", "Ciphertexts fetched again from another hospital since the start.", totals.repaired),
    ] {
        metric(text, &format!("amulet_vault_scrub_{name}_total"), "counter", help, count);
    }
    let lost = "Ciphertexts that the last scrub could not get back. Anything but 0 asks for the backup.";
    metric(text, "amulet_vault_lost_blobs", "gauge", lost, last.lost);
    let ended = "When the last scrub ended; 0 before the first.";
    metric(text, "amulet_vault_scrub_ended_seconds", "gauge", ended, last.ended / 1_000);
}
