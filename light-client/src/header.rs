//! The last step of trust: `UntrustedSignedHeader` → [`VerifiedHeader`] → [`TrustedHeader`], and no public way up but the
//! checks.

use amulet_protocol::ids::Timestamp;
use amulet_verifier::VerifiedHeader;

/// A verified header that enough hospitals agree on and that continues the chain this device followed. Only
/// [`LightClient::sync`](crate::client::LightClient::sync) makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedHeader {
    verified: VerifiedHeader,
    checked_at: Timestamp,
}

impl TrustedHeader {
    pub(crate) fn new(verified: VerifiedHeader, checked_at: Timestamp) -> Self {
        Self { verified, checked_at }
    }

    /// The verified header.
    #[must_use]
    pub fn verified(&self) -> &VerifiedHeader {
        &self.verified
    }

    /// When hospitals last agreed that this was the newest header, by this device's clock.
    #[must_use]
    pub fn checked_at(&self) -> Timestamp {
        self.checked_at
    }
}

impl std::ops::Deref for TrustedHeader {
    type Target = VerifiedHeader;

    fn deref(&self) -> &VerifiedHeader {
        &self.verified
    }
}
