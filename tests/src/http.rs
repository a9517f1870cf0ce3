//! Plain HTTP, for asking nodes what a wallet would not ask.

use std::time::Duration;

/// Longer than any node needs, even for a large file on a slow machine.
const TIMEOUT: Duration = Duration::from_secs(120);
const ANSWER_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// An answer of any status.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; null if it is none.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// One for each thread, which keeps its connections: nodes answer thousands of questions.
fn agent() -> ureq::Agent {
    thread_local! {
        static AGENT: ureq::Agent = ureq::Agent::new_with_config(
            ureq::Agent::config_builder().http_status_as_error(false).build(),
        );
    }
    AGENT.with(Clone::clone)
}

fn answer(response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Answer, String> {
    let mut response = response.map_err(|error| error.to_string())?;
    let status = response.status().as_u16();
    let body = response.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
    Ok(Answer { status, body: body.map_err(|error| error.to_string())? })
}

/// `GET`.
///
/// # Errors
/// No answer came; the transport's words.
pub fn get(url: &str) -> Result<Answer, String> {
    get_with(url, &[])
}

/// `GET` with headers.
///
/// # Errors
/// No answer came; the transport's words.
pub fn get_with(url: &str, headers: &[(&str, &str)]) -> Result<Answer, String> {
    let mut request = agent().get(url).config().timeout_global(Some(TIMEOUT)).build();
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    answer(request.call())
}

/// `POST` with headers.
///
/// # Errors
/// No answer came; the transport's words.
pub fn post(url: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Answer, String> {
    post_within(TIMEOUT, url, headers, body)
}

/// The same, giving up after `timeout`.
///
/// # Errors
/// No answer came; the transport's words.
pub fn post_within(
    timeout: Duration,
    url: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<Answer, String> {
    let mut request = agent().post(url).config().timeout_global(Some(timeout)).build();
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    answer(request.send(body))
}

/// Runs blocking work beside the runtime.
///
/// # Panics
/// When the work does.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.expect("the work does not panic")
}
