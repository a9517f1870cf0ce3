//! Reading request bodies up to a limit.

use super::error::ApiError;
use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_LENGTH;
use futures::StreamExt;

/// Bytes beyond a limit that are still read, and thrown away. An answer that comes before the body was read is lost by
/// many clients, browsers among them, and with it the reason.
const DRAINED_BYTES_MAX: usize = 128 * 1024 * 1024;

/// Why a body was not read.
#[derive(Debug)]
pub(super) enum BodyError {
    /// It is larger than the limit; its size if that is known.
    TooLarge { bytes: Option<usize> },
    /// The connection broke.
    CutOff,
}

impl BodyError {
    pub(super) fn with_limit(self, limit: usize) -> ApiError {
        match self {
            Self::TooLarge { .. } => ApiError::BodyTooLarge { limit },
            Self::CutOff => ApiError::BodyCutOff,
        }
    }
}

/// The whole body, if it has at most `limit` bytes. Never more than that is kept in memory.
pub(super) async fn read_body(headers: &HeaderMap, body: Body, limit: usize) -> Result<Vec<u8>, BodyError> {
    let announced: Option<usize> =
        headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    let mut kept = Vec::with_capacity(announced.unwrap_or(0).min(limit));
    let mut read = 0;
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece: Bytes = piece.map_err(|_| BodyError::CutOff)?;
        read += piece.len();
        if read <= limit {
            kept.extend_from_slice(&piece);
        } else {
            kept = Vec::new();
            if read > DRAINED_BYTES_MAX {
                break;
            }
        }
    }
    if read > limit {
        let whole = (read <= DRAINED_BYTES_MAX).then_some(read);
        return Err(BodyError::TooLarge { bytes: whole.or(announced) });
    }
    Ok(kept)
}
