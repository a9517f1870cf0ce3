//! Who may bring files: the hospital's own systems by a token, its practitioners by their signature.

use super::ApiState;
use super::error::ApiError;
use crate::ledger::{Ledger, LedgerError};
use amulet_crypto::digest::{Digest, constant_time_eq, sm3};
use amulet_protocol::codec;
use amulet_protocol::ids::{Did, Timestamp};
use amulet_protocol::light::{INTAKE_SCHEME, UntrustedIntakeRequest};
use amulet_protocol::limits::READ_REQUEST_AGE_MAX_MS;
use amulet_protocol::state::{Identity, Practitioner, StateKey};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Bytes of an encoded intake request: identities, digests, a key and a signature are about 300.
const REQUEST_BYTES_MAX: usize = 1_024;

/// Who brings a file.
pub(super) enum Caller {
    /// A system of the hospital.
    Hospital,
    /// A practitioner of the hospital, for exactly this file.
    Practitioner { body_digest: Digest },
}

/// Checks the `Authorization` header.
pub(super) async fn authenticate(
    state: &ApiState,
    headers: &HeaderMap,
    patient: Option<Did>,
) -> Result<Caller, ApiError> {
    let header = headers.get(AUTHORIZATION).ok_or(ApiError::Unauthenticated)?;
    let (scheme, credentials) =
        header.to_str().ok().and_then(|text| text.trim().split_once(' ')).ok_or(ApiError::Unauthenticated)?;
    let credentials = credentials.trim();
    if scheme.eq_ignore_ascii_case("Bearer") {
        return bearer(state, credentials);
    }
    if !scheme.eq_ignore_ascii_case(INTAKE_SCHEME) {
        return Err(ApiError::Unauthenticated);
    }
    let request = decode(credentials)?;
    let (ledger, now, organisation) =
        (state.parts.ledger.clone(), (state.parts.now)(), state.parts.site.organisation);
    tokio::task::spawn_blocking(move || practitioner(&ledger, now, organisation, patient, &request))
        .await
        .map_err(ApiError::internal)?
}

/// Refuses everybody but the hospital's own systems.
pub(super) async fn hospital_only(state: &ApiState, headers: &HeaderMap) -> Result<(), ApiError> {
    match authenticate(state, headers, None).await? {
        Caller::Hospital => Ok(()),
        Caller::Practitioner { .. } => Err(ApiError::HospitalOnly),
    }
}

fn bearer(state: &ApiState, given: &str) -> Result<Caller, ApiError> {
    let token = state.parts.site.intake_token.as_deref().ok_or(ApiError::WrongToken)?;
    // Digests are compared, so that not even the token's length shows in the time it takes.
    let same = constant_time_eq(sm3(given.as_bytes()).as_ref(), sm3(token.as_bytes()).as_ref());
    if same { Ok(Caller::Hospital) } else { Err(ApiError::WrongToken) }
}

fn decode(credentials: &str) -> Result<UntrustedIntakeRequest, ApiError> {
    let malformed = |reason| ApiError::SignatureMalformed { reason };
    if credentials.len() > REQUEST_BYTES_MAX * 2 {
        return Err(malformed("it is too long"));
    }
    let bytes = STANDARD.decode(credentials).map_err(|_| malformed("it is not base64"))?;
    codec::decode(&bytes, REQUEST_BYTES_MAX).map_err(|_| malformed("it is no intake request"))
}

fn practitioner(
    ledger: &Ledger,
    now: Timestamp,
    organisation: Did,
    patient: Option<Did>,
    untrusted: &UntrustedIntakeRequest,
) -> Result<Caller, ApiError> {
    let request = &untrusted.request;
    let refuse = |reason| Err(ApiError::NotEntitled { reason });
    if now.0.abs_diff(request.time.0) > READ_REQUEST_AGE_MAX_MS {
        return Err(ApiError::Clock { dated: request.time.0, now: now.0 });
    }
    if request.hospital != organisation {
        return refuse("it is for another hospital");
    }
    if patient.is_some_and(|patient| patient != request.patient) {
        return refuse("it is for another patient");
    }
    let internal = |error: LedgerError| ApiError::internal(error);
    let identity: Option<Identity> =
        ledger.read(&StateKey::Identity(request.practitioner)).map_err(internal)?;
    if identity.is_none_or(|identity| identity.signing != untrusted.key) {
        return refuse("its key is not the practitioner's");
    }
    if untrusted.verify(ledger.chain()).is_err() {
        return refuse("its signature does not verify");
    }
    let registration: Option<Practitioner> =
        ledger.read(&StateKey::Practitioner(request.practitioner)).map_err(internal)?;
    if !registration.is_some_and(|found| found.organisation == organisation && found.counts_at(now)) {
        return refuse("the practitioner is not registered at this hospital now");
    }
    Ok(Caller::Practitioner { body_digest: request.body_digest })
}
