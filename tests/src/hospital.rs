//! One hospital of a [`crate::localnet::Localnet`]: where it is, and raw questions to its node.

use crate::http::{self, Answer};
use amulet_protocol::certificate::UntrustedSignedHeader;
use amulet_protocol::codec;
use amulet_protocol::ids::{Did, HeaderHash, Height, TxId};
use amulet_protocol::light::{LightRequest, LightResponse, UntrustedReceiptProof};
use amulet_protocol::limits::LIGHT_RESPONSE_BYTES_MAX;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// One that is killed does not answer; nobody waits long for it.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

const BYTES: (&str, &str) = ("content-type", "application/octet-stream");
/// A node that has just started answers this within milliseconds.
const SIGN_OF_LIFE_WITHIN: Duration = Duration::from_secs(2);

/// One hospital.
#[derive(Clone, Debug)]
pub struct Hospital {
    /// Its number, from 1.
    pub number: u16,
    /// Its data folder.
    pub folder: PathBuf,
    /// Base address of its HTTP interface.
    pub http: String,
    /// What its own systems show to have files taken in.
    pub intake_token: String,
}

impl Hospital {
    /// The hospital with this number in the folder of a consortium.
    ///
    /// # Panics
    /// When its folder is not complete.
    #[must_use]
    pub fn new(data: &Path, number: u16, port: u16) -> Self {
        let folder = data.join(format!("hospital-{number}"));
        let token =
            std::fs::read_to_string(folder.join("keys/intake.token")).expect("the hospital has a token");
        let intake_token = token.trim().to_owned();
        Self { number, folder, http: format!("http://127.0.0.1:{port}"), intake_token }
    }

    /// Asks its node; `None` when no readable answer came.
    #[must_use]
    pub fn ask(&self, request: &LightRequest) -> Option<LightResponse> {
        let answer = self.post_light(&codec::encode(request)).ok()?;
        codec::decode(&answer.body, LIGHT_RESPONSE_BYTES_MAX).ok()
    }

    /// The same, giving up after `limit`.
    #[must_use]
    pub fn ask_within(&self, limit: Duration, request: &LightRequest) -> Option<LightResponse> {
        let url = format!("{}/api/v1/light", self.http);
        let answer = http::post_within(limit, &url, &[BYTES], &codec::encode(request)).ok()?;
        codec::decode(&answer.body, LIGHT_RESPONSE_BYTES_MAX).ok()
    }

    /// Posts any bytes as a question.
    ///
    /// # Errors
    /// No answer came.
    pub fn post_light(&self, body: &[u8]) -> Result<Answer, String> {
        let url = format!("{}/api/v1/light", self.http);
        http::post_within(ANSWER_WITHIN, &url, &[BYTES], body)
    }

    /// Height and hash of its newest block.
    #[must_use]
    pub fn head(&self) -> Option<(u64, HeaderHash)> {
        self.latest().map(|signed| (signed.header.height.0, signed.header.hash()))
    }

    /// Its newest certified header.
    #[must_use]
    pub fn latest(&self) -> Option<UntrustedSignedHeader> {
        match self.ask(&LightRequest::Latest)? {
            LightResponse::Header(signed) => Some(*signed),
            _ => None,
        }
    }

    /// Its certified header at a height.
    #[must_use]
    pub fn header_at(&self, height: u64) -> Option<UntrustedSignedHeader> {
        match self.ask(&LightRequest::HeaderAt(Height(height)))? {
            LightResponse::Header(signed) => Some(*signed),
            _ => None,
        }
    }

    /// The receipt of a transaction, once its block is committed here.
    #[must_use]
    pub fn receipt(&self, transaction: TxId) -> Option<UntrustedReceiptProof> {
        match self.ask(&LightRequest::Receipt(transaction))? {
            LightResponse::Receipt(proof) => Some(*proof),
            _ => None,
        }
    }

    /// Brings a file in as the hospital's own systems do.
    ///
    /// # Errors
    /// No answer came.
    pub fn take_in(&self, patient: &str, bundle: &[u8]) -> Result<Answer, String> {
        let url = format!("{}/fhir?patient={patient}", self.http);
        let bearer = format!("Bearer {}", self.intake_token);
        let headers = [("content-type", "application/fhir+json"), ("authorization", bearer.as_str())];
        http::post(&url, &headers, bundle)
    }

    /// Brings a file in that must be taken; gives resources in and records out.
    ///
    /// # Panics
    /// When it is not taken.
    pub fn must_take_in(&self, patient: &str, bundle: &[u8]) -> (u64, u64) {
        let answer = self.take_in(patient, bundle).expect("the hospital answers");
        assert!((200..300).contains(&answer.status), "intake answered {}: {}", answer.status, answer.text());
        counts(&answer)
    }

    /// Whether its node answers at all, well or not.
    #[must_use]
    pub fn answers(&self) -> bool {
        self.ask_within(SIGN_OF_LIFE_WITHIN, &LightRequest::Latest).is_some()
    }

    /// Whether its node is well.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        http::get(&format!("{}/health", self.http)).is_ok_and(|answer| answer.status == 200)
    }
}

/// Resources in and records out, as intake's answer says.
///
/// # Panics
/// When the answer says neither.
#[must_use]
pub fn counts(answer: &Answer) -> (u64, u64) {
    let json = answer.json();
    let count = |name: &str| json[name].as_u64().unwrap_or_else(|| panic!("no {name} in {json}"));
    (count("resources_in"), count("records_out"))
}

/// The DID that a text says.
///
/// # Panics
/// When it is none.
#[must_use]
pub fn did(text: &str) -> Did {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}
