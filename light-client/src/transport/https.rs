//! HTTPS natively: the fall-back where a network lets nothing but web traffic through.
//!
//! It asks by the HTTP client that the app has anyway, on threads that may block. A question that is not waited for any
//! longer ends there within [`ANSWER_TIME_MAX`].

use super::race::{STAGGER, race};
use super::web::{CONTENT_TYPE, Urls, check_head, read_answer};
use super::{ANSWER_TIME_MAX, NodeIndex, Transport, TransportError, answer_bytes_max, timed_out};
use amulet_protocol::addresses::NodeAddress;
use amulet_protocol::codec;
use amulet_protocol::light::{LightRequest, LightResponse};

/// Asks nodes by HTTP over TLS. Their certificates are checked against the web's authorities; what they answer is proven
/// all the same.
#[derive(Debug)]
pub struct HttpsTransport {
    agent: ureq::Agent,
    urls: Urls,
}

impl HttpsTransport {
    /// A transport for nodes at these addresses (`https://hospital.example`), in the order of the light client's nodes.
    #[must_use]
    pub fn new(addresses: Vec<Vec<String>>) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(ANSWER_TIME_MAX))
            .http_status_as_error(false)
            .max_redirects(0)
            .build();
        Self { agent: config.into(), urls: Urls::new(addresses) }
    }
}

#[async_trait::async_trait]
impl Transport for HttpsTransport {
    async fn ask(&self, node: NodeIndex, request: &LightRequest) -> Result<LightResponse, TransportError> {
        let (body, limit) = (codec::encode(request), answer_bytes_max(request));
        let attempts = self.urls.of(node)?.into_iter().map(|url| {
            let (agent, body) = (self.agent.clone(), body.clone());
            async move {
                let posted = tokio::task::spawn_blocking(move || post(&agent, &url, &body, limit));
                let bytes = posted.await.map_err(|_| TransportError::Stopped)??;
                read_answer(&bytes, limit)
            }
        });
        race(attempts, STAGGER).await
    }

    fn learn(&self, node: NodeIndex, addresses: &[NodeAddress]) {
        self.urls.learn(node, addresses);
    }

    fn join(&self, node: NodeIndex, addresses: &[NodeAddress]) {
        self.urls.join(node, addresses);
    }
}

fn post(agent: &ureq::Agent, url: &str, body: &[u8], limit: usize) -> Result<Vec<u8>, TransportError> {
    let sent = agent.post(url).header("content-type", CONTENT_TYPE).send(body);
    let mut answer = sent.map_err(|error| failure(&error, limit, TransportError::Connect))?;
    let content_type = answer.headers().get("content-type").and_then(|value| value.to_str().ok());
    check_head(answer.status().as_u16(), content_type)?;
    let read = answer.body_mut().with_config().limit(limit as u64).read_to_vec();
    read.map_err(|error| failure(&error, limit, TransportError::Closed))
}

fn failure(error: &ureq::Error, limit: usize, otherwise: TransportError) -> TransportError {
    match error {
        ureq::Error::Timeout(_) => timed_out(ANSWER_TIME_MAX),
        ureq::Error::BodyExceedsLimit(_) => TransportError::TooLarge { limit },
        _ => otherwise,
    }
}
