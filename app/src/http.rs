//! Taking a file to the clinician's own hospital, over HTTP.

use amulet_app_api::{ApiError, ErrorCode};
use amulet_protocol::ids::Did;
use amulet_wallet::service::{HospitalApi, INTAKE_ANSWER_BYTES_MAX, IntakeAnswer};
use std::time::Duration;

/// How long a hospital may take: thousands of records are sealed, stored, and registered by the consortium.
const INTAKE_TIME_MAX: Duration = Duration::from_secs(180);

/// HTTP with the system's certificates left aside: hospitals' certificates are checked against the web's authorities.
pub struct Http {
    agent: ureq::Agent,
}

impl Http {
    /// A client that follows no redirects and returns every status.
    pub fn new() -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(INTAKE_TIME_MAX))
            .http_status_as_error(false)
            .max_redirects(0)
            .build();
        Self { agent: config.into() }
    }
}

#[async_trait::async_trait]
impl HospitalApi for Http {
    async fn intake(
        &self,
        base: &str,
        patient: Did,
        authorization: String,
        body: Vec<u8>,
    ) -> Result<IntakeAnswer, ApiError> {
        let url = format!("{base}/fhir?patient={patient}");
        let agent = self.agent.clone();
        let posted = tauri::async_runtime::spawn_blocking(move || post(&agent, &url, &authorization, &body));
        let answer =
            posted.await.map_err(|error| ApiError::new(ErrorCode::Internal).with("message", error))?;
        answer.map_err(|error| ApiError::new(ErrorCode::Unreachable).with("message", error))
    }
}

fn post(
    agent: &ureq::Agent,
    url: &str,
    authorization: &str,
    body: &[u8],
) -> Result<IntakeAnswer, ureq::Error> {
    let mut answer = agent
        .post(url)
        .header("authorization", authorization)
        .header("content-type", "application/fhir+json")
        .send(body)?;
    let status = answer.status().as_u16();
    let limit = INTAKE_ANSWER_BYTES_MAX as u64;
    let body = answer.body_mut().with_config().limit(limit).read_to_vec()?;
    Ok(IntakeAnswer { status, body })
}
