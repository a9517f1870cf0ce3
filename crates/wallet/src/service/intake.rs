//! Bringing a patient's file in at the clinician's own hospital, by a signed request.

use amulet_app_api::clinician::{Intake, IntakeView, RefusedView};
use amulet_app_api::wallet::Task;
use amulet_app_api::{ApiError, ErrorCode};
use amulet_crypto::digest::sm3;
use amulet_fhir::limits::MAX_BUNDLE_BYTES;
use amulet_protocol::codec;
use amulet_protocol::light::{INTAKE_SCHEME, IntakeRequest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use super::Service;
use super::accesses::parse_did;

/// Bytes of a hospital's answer that are read: 20,000 refusals of about 300 bytes.
pub const INTAKE_ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;

/// A hospital's HTTP answer.
pub struct IntakeAnswer {
    /// HTTP status.
    pub status: u16,
    /// Body.
    pub body: Vec<u8>,
}

#[derive(Deserialize)]
struct Taken {
    resources_in: u64,
    records_out: u64,
    refused: Vec<RefusedView>,
}

#[derive(Deserialize)]
struct Failure {
    error: FailureDetail,
}

#[derive(Deserialize)]
struct FailureDetail {
    code: String,
    message: String,
}

impl Service {
    /// Brings a file in.
    pub(super) async fn intake(&self, call: Intake) -> Result<IntakeView, ApiError> {
        let session = self.clinician()?;
        let patient = parse_did(&call.patient)?;
        let size = call.text.len();
        if size > MAX_BUNDLE_BYTES {
            let error = ApiError::new(ErrorCode::TooLarge).with("size", size).with("limit", MAX_BUNDLE_BYTES);
            return Err(error);
        }
        let hospital = session.identity.hospital;
        let node = self.network.node(&hospital).ok_or_else(|| ApiError::new(ErrorCode::Unreachable))?;
        let body = call.text.into_bytes();
        let request = IntakeRequest {
            chain: self.network.chain(),
            practitioner: session.did(),
            hospital,
            patient,
            body_digest: sm3(&body),
            time: self.now(),
        };
        let signed = codec::encode(&request.sign(&session.identity.signing));
        let authorization = format!("{INTAKE_SCHEME} {}", STANDARD.encode(signed));
        let _task = self.task(Task::TakingIn);
        judge(self.hospital_api.intake(&node.http, patient, authorization, body).await?)
    }
}

/// Reads a hospital's answer.
fn judge(answer: IntakeAnswer) -> Result<IntakeView, ApiError> {
    if (200..300).contains(&answer.status) {
        let taken: Taken =
            serde_json::from_slice(&answer.body).map_err(|_| ApiError::new(ErrorCode::Unreachable))?;
        let Taken { resources_in, records_out, refused } = taken;
        return Ok(IntakeView { resources_in, records_out, refused });
    }
    let failure: Option<Failure> = serde_json::from_slice(&answer.body).ok();
    let (code, message) = match failure {
        Some(Failure { error }) => (error.code, error.message),
        None => (format!("http_{}", answer.status), String::new()),
    };
    Err(match answer.status {
        413 => ApiError::new(ErrorCode::TooLarge).with("limit", MAX_BUNDLE_BYTES).with("message", message),
        401 | 403 => ApiError::new(ErrorCode::Refused).with("reason", code).with("message", message),
        404 => ApiError::new(ErrorCode::NotFound).with("message", message),
        400..=499 => ApiError::new(ErrorCode::FhirRefused).with("code", code).with("message", message),
        _ => ApiError::new(ErrorCode::Unreachable).with("message", message),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn answer(status: u16, body: &str) -> Result<IntakeView, ApiError> {
        judge(IntakeAnswer { status, body: body.as_bytes().to_vec() })
    }

    #[test]
    fn counts_and_refusals_come_through() {
        let body = r#"{"resources_in":3,"records_out":2,"refused":[{"resource":"Basic/1","code":"x","reason":"y"}]}"#;
        let view = answer(200, body).unwrap();
        assert_eq!((view.resources_in, view.records_out), (3, 2));
        assert_eq!(view.refused[0].resource, "Basic/1");
    }

    #[test]
    fn a_refused_file_a_large_file_and_a_broken_server_are_told_apart() {
        let refused = r#"{"error":{"code":"xml","message":"this is XML"}}"#;
        let error = answer(422, refused).unwrap_err();
        assert_eq!((error.code, error.details["code"].as_str()), (ErrorCode::FhirRefused, "xml"));
        assert_eq!(answer(413, "").unwrap_err().code, ErrorCode::TooLarge);
        assert_eq!(answer(403, refused).unwrap_err().code, ErrorCode::Refused);
        assert_eq!(answer(502, "<html>").unwrap_err().code, ErrorCode::Unreachable);
        assert_eq!(answer(200, "<html>").unwrap_err().code, ErrorCode::Unreachable);
    }
}
