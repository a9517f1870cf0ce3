//! Messages between nodes outside consensus.

use crate::Target;

#[cfg(not(feature = "node"))]
pub(crate) fn targets() -> Vec<Target> {
    Vec::new()
}

#[cfg(feature = "node")]
pub(crate) use node::targets;

#[cfg(feature = "node")]
mod node {
    use amulet_node::network::{PEER_MESSAGE_BYTES_MAX, PeerRequest, PeerResponse};

    use super::Target;
    use crate::decoders::decode_canonical;
    use crate::seeds;

    pub(crate) fn targets() -> Vec<Target> {
        vec![
            Target { name: "peer_request", run: peer_request, seeds: seeds::peer_requests },
            Target { name: "peer_response", run: peer_response, seeds: seeds::peer_responses },
        ]
    }

    fn peer_request(bytes: &[u8]) {
        let _ = decode_canonical::<PeerRequest>(bytes, PEER_MESSAGE_BYTES_MAX);
    }

    fn peer_response(bytes: &[u8]) {
        let _ = decode_canonical::<PeerResponse>(bytes, PEER_MESSAGE_BYTES_MAX);
    }
}
