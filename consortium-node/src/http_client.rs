//! A small HTTP client for the command line and the demonstration: plain HTTP to nodes on this machine or behind a
//! hospital's own proxy.

use std::time::Duration;

/// Bytes of an answer that are read.
const ANSWER_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Taking a large file in can take a while.
const TIMEOUT: Duration = Duration::from_secs(300);

/// Sending a file of 4 GiB can take an hour.
const FILE_TIMEOUT: Duration = Duration::from_secs(3_600);

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

/// Sends a file as it is read; `read` is told of the bytes sent.
pub(crate) async fn send_file(
    url: String,
    content_type: String,
    bearer: String,
    file: std::fs::File,
    read: impl FnMut(u64) + Send + 'static,
) -> Result<Answer, HttpError> {
    let asked = url.clone();
    let sent = tokio::task::spawn_blocking(move || {
        let unreachable = |reason: String| HttpError::Unreachable { url: url.clone(), reason };
        let bytes = file.metadata().map_err(|error| unreachable(error.to_string()))?.len();
        let mut counted = Counted { file, sent: 0, read };
        let mut response = agent(FILE_TIMEOUT)
            .post(&url)
            .header("content-type", content_type)
            .header("content-length", bytes.to_string())
            .header("authorization", format!("Bearer {bearer}"))
            .send(ureq::SendBody::from_reader(&mut counted))
            .map_err(|error| unreachable(error.to_string()))?;
        answer(&url, &mut response)
    });
    sent.await.unwrap_or_else(|error| Err(HttpError::Unreachable { url: asked, reason: error.to_string() }))
}

struct Counted<F> {
    file: std::fs::File,
    sent: u64,
    read: F,
}

impl<F: FnMut(u64)> std::io::Read for Counted<F> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let bytes = self.file.read(out)?;
        self.sent += bytes as u64;
        (self.read)(self.sent);
        Ok(bytes)
    }
}

fn agent(timeout: Duration) -> ureq::Agent {
    let config = ureq::Agent::config_builder().timeout_global(Some(timeout)).http_status_as_error(false);
    ureq::Agent::new_with_config(config.build())
}

fn answer(url: &str, response: &mut ureq::http::Response<ureq::Body>) -> Result<Answer, HttpError> {
    let status = response.status().as_u16();
    let body = response.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
    let body =
        body.map_err(|error| HttpError::Unreachable { url: url.to_owned(), reason: error.to_string() })?;
    if (200..300).contains(&status) {
        Ok(Answer { body })
    } else {
        let body = String::from_utf8_lossy(&body).into_owned();
        Err(HttpError::Status { url: url.to_owned(), status, body })
    }
}

fn send_blocking(request: Request) -> Result<Answer, HttpError> {
    let agent = agent(TIMEOUT);
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
    answer(&url, &mut response)
}
