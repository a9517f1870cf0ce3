//! A small HTTP client for the command line and the demonstration: plain HTTP to nodes on this machine or behind a
//! hospital's own proxy.

use std::time::Duration;

/// Bytes of an answer that are read.
const ANSWER_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Taking a large file in can take a while.
const TIMEOUT: Duration = Duration::from_secs(300);

/// A request.
#[derive(Clone)]
pub(crate) struct Request {
    url: String,
    body: Option<(&'static str, Vec<u8>)>,
    bearer: Option<String>,
}

/// A successful answer.
pub(crate) struct Answer {
    pub body: Vec<u8>,
}

/// Why there is no successful answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// Nobody answers there.
    #[error("{url} cannot be reached: {reason}. Is the node running?")]
    Unreachable {
        /// The address asked.
        url: String,
        /// The system's words.
        reason: String,
    },
    /// The node refuses.
    #[error("{url} answered {status}: {body}")]
    Status {
        /// The address asked.
        url: String,
        /// HTTP status code.
        status: u16,
        /// The answer's text.
        body: String,
    },
}

impl Request {
    pub fn post(url: &str, content_type: &'static str, body: Vec<u8>) -> Self {
        Self { url: url.to_owned(), body: Some((content_type, body)), bearer: None }
    }

    pub fn get(url: &str) -> Self {
        Self { url: url.to_owned(), body: None, bearer: None }
    }

    pub fn bearer(mut self, token: &str) -> Self {
        self.bearer = Some(token.to_owned());
        self
    }
}

pub(crate) async fn get(url: &str) -> Result<Answer, HttpError> {
    send(Request::get(url)).await
}

pub(crate) async fn send(request: Request) -> Result<Answer, HttpError> {
    let url = request.url.clone();
    let sent = tokio::task::spawn_blocking(move || send_blocking(request)).await;
    sent.unwrap_or_else(|error| Err(HttpError::Unreachable { url, reason: error.to_string() }))
}

fn send_blocking(request: Request) -> Result<Answer, HttpError> {
    let config =
        ureq::Agent::config_builder().timeout_global(Some(TIMEOUT)).http_status_as_error(false).build();
    let agent = ureq::Agent::new_with_config(config);
    let Request { url, body, bearer } = request;
    let unreachable =
        |error: ureq::Error| HttpError::Unreachable { url: url.clone(), reason: error.to_string() };
    let mut response = match body {
        None => {
            let mut builder = agent.get(&url);
            if let Some(token) = bearer {
                builder = builder.header("authorization", format!("Bearer {token}"));
            }
            builder.call()
        }
        Some((content_type, body)) => {
            let mut builder = agent.post(&url).header("content-type", content_type);
            if let Some(token) = bearer {
                builder = builder.header("authorization", format!("Bearer {token}"));
            }
            builder.send(&body[..])
        }
    }
    .map_err(unreachable)?;
    let status = response.status().as_u16();
    let body =
        response.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec().map_err(unreachable)?;
    if (200..300).contains(&status) {
        Ok(Answer { body })
    } else {
        Err(HttpError::Status { url, status, body: String::from_utf8_lossy(&body).into_owned() })
    }
}
