//! Header by header on the same chain: each certificate is checked, and each header's predecessor.

use crate::clock;
use crate::consortium::LongChain;
use amulet_light_client::verifier::Verifier;
use amulet_light_client::{TrustParams, VerifiedHeader};
use amulet_protocol::codec::{decode, encode};
use amulet_protocol::light::UntrustedHeaderRun;
use amulet_protocol::limits::{HEADER_RUN_MAX, LIGHT_RESPONSE_BYTES_MAX};

/// A sync header by header, of which the first part was measured.
pub struct Sequential {
    pub blocks: u64,
    pub validators: usize,
    /// Headers that were measured.
    pub headers: usize,
    /// Bytes of these, as they travel.
    pub bytes: usize,
    /// Work on these, reading them included.
    pub seconds: f64,
    /// Signatures on these.
    pub signatures: usize,
}

impl Sequential {
    pub fn headers_per_second(&self) -> f64 {
        self.headers as f64 / self.seconds
    }

    /// Bytes for all the chain's headers.
    pub fn bytes_in_all(&self) -> f64 {
        self.bytes as f64 / self.headers as f64 * self.blocks as f64
    }
}

/// Verifies runs of headers from the genesis on, this many.
pub fn measure(chain: &LongChain, runs: u64) -> Sequential {
    let mut verifier =
        Verifier::new(chain.genesis.chain_id(), chain.genesis.validate().unwrap(), TrustParams::default());
    let per_run = HEADER_RUN_MAX as u64;
    let sent: Vec<_> = (0..runs).map(|run| encode(&chain.run(1 + run * per_run, per_run))).collect();
    let (mut last, mut headers, mut signatures) = (None, 0, 0);
    let start = clock::spent();
    for run in &sent {
        let run: UntrustedHeaderRun = decode(run, LIGHT_RESPONSE_BYTES_MAX).unwrap();
        let verified = verifier.verify_run(last.as_ref(), run, chain.now()).unwrap();
        headers += verified.len();
        signatures += verified.iter().map(VerifiedHeader::signed).sum::<usize>();
        last = verified.last().cloned();
    }
    let seconds = (clock::spent() - start).as_secs_f64();
    let bytes = sent.iter().map(Vec::len).sum();
    Sequential {
        blocks: chain.tip(),
        validators: chain.genesis.validators.len(),
        headers,
        bytes,
        seconds,
        signatures,
    }
}
