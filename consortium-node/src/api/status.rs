//! What goes on: for operators, and for the wallet's page about the network. Nothing here is proven.

use super::ApiState;
use super::error::{ApiError, ErrorBody};
use amulet_protocol::calls::Call;
use amulet_protocol::ids::Height;
use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// How the node is doing.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct StatusView {
    /// Name of the network.
    network: String,
    /// Chain id, hex.
    chain: String,
    /// The hospital.
    organisation: OrganisationView,
    /// Height of the newest committed block.
    height: u64,
    /// Hash of its header, hex.
    hash: String,
    /// Its time, in milliseconds since 1970.
    time: u64,
    /// View that was entered last.
    view: u64,
    /// Replica that is its primary.
    primary: u16,
    /// Validators of the chain.
    validators: usize,
    /// Validators whose agreement commits a block.
    quorum: usize,
    /// Other validators connected.
    peers_connected: usize,
    /// Transactions that wait to be ordered.
    mempool: usize,
    /// Ciphertexts that the ledger names, in all hospitals.
    named_ciphertexts: u64,
    /// Records registered by this node since its start.
    records_registered: u64,
    /// Damaged or missing ciphertexts of this hospital that the last scrub of the vault fetched again.
    vault_repaired: u64,
    /// Those that it could not get back.
    vault_lost: u64,
    /// When it ended, in milliseconds since 1970; 0 before the first.
    vault_scrubbed: u64,
    /// Contradictions of other replicas seen since the start.
    evidence: u64,
}

/// A hospital.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct OrganisationView {
    /// DID.
    did: String,
    /// Name in English.
    name_en: String,
    /// Name in Chinese.
    name_zh: String,
}

/// The node's state.
#[utoipa::path(get, path = "/api/v1/status", tag = "operations",
    responses((status = 200, description = "the node's state", body = StatusView)))]
pub(super) async fn status(State(state): State<ApiState>) -> Result<Json<StatusView>, ApiError> {
    let parts = &state.parts;
    let (tip, consensus) = (parts.ledger.tip(), *parts.consensus.borrow());
    let (index, ledger) = (parts.index.clone(), parts.ledger.clone());
    let named = tokio::task::spawn_blocking(move || index.used_count(&ledger)).await;
    let (site, scrub) = (&parts.site, parts.scrubber.report());
    let quorum = parts.ledger.validators().quorum();
    Ok(Json(StatusView {
        network: site.network.clone(),
        chain: parts.ledger.chain().to_string(),
        organisation: OrganisationView {
            did: site.organisation.to_string(),
            name_en: site.name_en.clone(),
            name_zh: site.name_zh.clone(),
        },
        height: tip.height.0,
        hash: tip.hash.to_string(),
        time: tip.time.0,
        view: consensus.view.0,
        primary: consensus.primary.0,
        validators: quorum.size(),
        quorum: quorum.threshold(),
        peers_connected: *parts.connected.borrow(),
        mempool: parts.mempool.len(),
        named_ciphertexts: named.map_err(ApiError::internal)?.map_err(ApiError::internal)?,
        records_registered: parts.intake.records_registered(),
        vault_repaired: scrub.repaired,
        vault_lost: scrub.lost,
        vault_scrubbed: scrub.ended,
        evidence: consensus.evidence,
    }))
}

/// A committed block in short.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct BlockView {
    /// Height.
    height: u64,
    /// Hash of the header, hex.
    hash: String,
    /// Hash of the header before, hex.
    previous: String,
    /// Time, in milliseconds since 1970.
    time: u64,
    /// Who proposed it.
    proposer: u16,
    /// View in which it was proposed.
    view: u64,
    /// Root over the transactions, hex.
    transactions_root: String,
    /// Root over the receipts, hex.
    receipts_root: String,
    /// Root of the state after it, hex.
    state_root: String,
    /// Root over all earlier headers, hex.
    range_root: String,
    /// View in which it was committed.
    committed_in_view: u64,
    /// Replicas whose signatures commit it.
    signers: Vec<u16>,
    /// Its transactions.
    transactions: Vec<TransactionView>,
}

/// A transaction in short.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct TransactionView {
    /// Identity, hex.
    id: String,
    /// Who sent it.
    sender: String,
    /// What it calls.
    #[schema(example = "register_records")]
    kind: &'static str,
}

/// A block of the ledger.
#[utoipa::path(get, path = "/api/v1/blocks/{height}", tag = "operations",
    params(("height" = u64, Path, description = "height, from 1")),
    responses(
        (status = 200, description = "the block in short", body = BlockView),
        (status = 400, description = "not a height", body = ErrorBody),
        (status = 404, description = "no such block", body = ErrorBody)))]
pub(super) async fn block(
    State(state): State<ApiState>,
    height: Result<Path<u64>, PathRejection>,
) -> Result<Json<BlockView>, ApiError> {
    let Path(height) = height.map_err(|_| ApiError::HeightMalformed)?;
    if height == 0 {
        return Err(ApiError::GenesisBlock);
    }
    let ledger = state.parts.ledger.clone();
    let found = tokio::task::spawn_blocking(move || ledger.block(Height(height))).await;
    let found = found.map_err(ApiError::internal)?.map_err(ApiError::internal)?;
    let certified = found.ok_or(ApiError::NoSuchBlock { height })?;
    let header = &certified.block.header;
    let transaction = |found: &amulet_protocol::transaction::UntrustedTransaction| TransactionView {
        id: found.transaction.id().to_string(),
        sender: found.transaction.sender.to_string(),
        kind: kind(&found.transaction.call),
    };
    Ok(Json(BlockView {
        height,
        hash: header.hash().to_string(),
        previous: header.previous.to_string(),
        time: header.time.0,
        proposer: header.proposer.0,
        view: header.view.0,
        transactions_root: header.transactions_root.to_string(),
        receipts_root: header.receipts_root.to_string(),
        state_root: header.state_root.to_string(),
        range_root: header.range_root.to_string(),
        committed_in_view: certified.certificate.vote.view.0,
        signers: certified.certificate.signatures.iter().map(|(signer, _)| signer.0).collect(),
        transactions: certified.block.transactions.iter().map(transaction).collect(),
    }))
}

pub(super) fn kind(call: &Call) -> &'static str {
    match call {
        Call::RegisterIdentity(_) => "register_identity",
        Call::RegisterPractitioner(_) => "register_practitioner",
        Call::PublishStaffKey(_) => "publish_staff_key",
        Call::DisputeEmergency(_) => "dispute_emergency",
        Call::ReviewEmergency(_) => "review_emergency",
        Call::ProposeRules(_) => "propose_rules",
        Call::ApproveRules(_) => "approve_rules",
        Call::WithdrawRules(_) => "withdraw_rules",
        Call::VoteBoard(_) => "vote_board",
        Call::RegisterStudy(_) => "register_study",
        Call::ReviewStudy(_) => "review_study",
        Call::EndStudy(_) => "end_study",
        Call::RequestErasure(_) => "request_erasure",
        Call::OrderErasure(_) => "order_erasure",
        Call::RefuseErasure(_) => "refuse_erasure",
        Call::ConfirmErasure(_) => "confirm_erasure",
        Call::ReplaceKeys(_) => "replace_keys",
        Call::RegisterRecords(_) => "register_records",
        Call::RequestAccess(_) => "request_access",
        Call::GrantAccess(_) => "grant_access",
        Call::DeclineAccess(_) => "decline_access",
        Call::RevokeAccess(_) => "revoke_access",
        Call::UseAccess(_) => "use_access",
        Call::PublishCard(_) => "publish_card",
        Call::RevokeCard(_) => "revoke_card",
        Call::DeclareEmergency(_) => "declare_emergency",
        Call::ProposeMembership(_) => "propose_membership",
        Call::ApproveMembership(_) => "approve_membership",
        Call::WithdrawMembership(_) => "withdraw_membership",
        Call::RotateValidatorKey(_) => "rotate_validator_key",
        Call::ReportEvidence(_) => "report_evidence",
        Call::ReportService(_) => "report_service",
        Call::PublishAddresses(_) => "publish_addresses",
        Call::NarrowAccess(_) => "narrow_access",
        Call::ExtendAccess(_) => "extend_access",
        Call::PauseAccess(_) => "pause_access",
        Call::ResumeAccess(_) => "resume_access",
        Call::ConfirmDeletion(_) => "confirm_deletion",
    }
}

/// Whether the node can do its work.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct HealthView {
    /// `ok`, or what is wrong.
    #[schema(example = "ok")]
    status: &'static str,
    /// In plain English.
    message: String,
}

/// Says whether the node can do its work: the ledger can be read, consensus runs, and a quorum is connected.
#[utoipa::path(get, path = "/health", tag = "operations",
    responses(
        (status = 200, description = "it can", body = HealthView),
        (status = 503, description = "it cannot, and why", body = HealthView)))]
pub(super) async fn health(State(state): State<ApiState>) -> Response {
    let (status, message) = match trouble(&state).await {
        None => ("ok", "the node works".to_owned()),
        Some(trouble) => trouble,
    };
    let code = if status == "ok" { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, Json(HealthView { status, message })).into_response()
}

async fn trouble(state: &ApiState) -> Option<(&'static str, String)> {
    let parts = &state.parts;
    let (ledger, height) = (parts.ledger.clone(), parts.ledger.tip().height);
    match tokio::task::spawn_blocking(move || ledger.header(height)).await {
        Ok(Ok(Some(_))) => {}
        _ => return Some(("ledger", "the ledger cannot be read; the log says more".to_owned())),
    }
    if parts.consensus.has_changed().is_err() {
        return Some(("consensus", "consensus has stopped; the log says why".to_owned()));
    }
    let quorum = parts.ledger.validators().quorum();
    let (present, needed) = (*parts.connected.borrow() + 1, quorum.threshold());
    (present < needed).then(|| {
        let size = quorum.size();
        let message = format!(
            "{present} of {size} hospitals are connected, this one included, but {needed} have to agree"
        );
        ("no_quorum", message)
    })
}
