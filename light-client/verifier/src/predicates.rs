//! The rules, one function each.

use crate::header::VerifiedHeader;
use crate::params::TrustParams;
use crate::verifier::Overlap;
use crate::verifier::{InvalidHeader, TrustExpired};
use amulet_protocol::certificate::UntrustedCommitCertificate;
use amulet_protocol::header::{HEADER_VERSION, Header};
use amulet_protocol::ids::{ChainId, Height, Timestamp};
use amulet_protocol::range::UntrustedRangeProof;
use amulet_protocol::validators::ValidatorSet;

/// The header is of the format that this code reads.
pub fn version(header: &Header) -> Result<(), InvalidHeader> {
    if header.version == HEADER_VERSION {
        Ok(())
    } else {
        Err(InvalidHeader::Version { found: header.version })
    }
}

/// The header is of the pinned chain.
pub fn chain(header: &Header, expected: ChainId) -> Result<(), InvalidHeader> {
    if header.chain == expected {
        Ok(())
    } else {
        Err(InvalidHeader::Chain { found: header.chain, expected })
    }
}

/// The header is dated at most the allowed drift ahead of this device's clock.
pub fn not_from_future(header: &Header, now: Timestamp, params: &TrustParams) -> Result<(), InvalidHeader> {
    let drift_ms = params.clock_drift_ms();
    if header.time <= now.plus_millis(drift_ms) {
        Ok(())
    } else {
        Err(InvalidHeader::FromFuture { time: header.time, now, drift_ms })
    }
}

/// The last check is at most the trust period ago. The age of the newest block says nothing: blocks are made when there
/// are transactions, and a quiet night is no attack.
pub fn within_trust_period(
    checked_at: Timestamp,
    now: Timestamp,
    params: &TrustParams,
) -> Result<(), TrustExpired> {
    let period_ms = params.trust_period_ms();
    if now.millis_since(checked_at) <= period_ms {
        Ok(())
    } else {
        Err(TrustExpired { checked_at, now, period_ms })
    }
}

/// The newer header is higher.
pub fn higher(newer: &Header, than: Height) -> Result<(), InvalidHeader> {
    if newer.height > than {
        Ok(())
    } else {
        Err(InvalidHeader::NotHigher { found: newer.height, known: than })
    }
}

/// The newer header is dated later.
pub fn later(newer: &Header, than: Timestamp) -> Result<(), InvalidHeader> {
    if newer.time > than {
        Ok(())
    } else {
        Err(InvalidHeader::TimeNotLater { height: newer.height, time: newer.time, earlier: than })
    }
}

/// The newer header is one higher and names the older as its predecessor.
pub fn names_as_previous(newer: &VerifiedHeader, older: &VerifiedHeader) -> Result<(), InvalidHeader> {
    let found = newer.header().previous;
    if newer.height() == older.height().next() && found == older.hash() {
        Ok(())
    } else {
        Err(InvalidHeader::PreviousHash { found, expected: older.hash() })
    }
}

/// The proof leads from the older header's hash to the range root that the newer carries.
pub fn in_range(
    newer: &VerifiedHeader,
    older: &Header,
    proof: &UntrustedRangeProof,
) -> Result<(), InvalidHeader> {
    if proof.height != older.height {
        return Err(InvalidHeader::RangeHeight { found: proof.height, expected: older.height });
    }
    proof.verify(newer.height(), newer.header().range_root, older.hash())?;
    Ok(())
}

/// The set given is the one that the header says certifies it.
pub fn names_its_set(header: &Header, given: &ValidatorSet) -> Result<(), InvalidHeader> {
    if given.hash() == header.validators_hash {
        Ok(())
    } else {
        Err(InvalidHeader::OtherSet { found: given.hash(), named: header.validators_hash })
    }
}

/// More than the threshold of the trusted set is among those who are said to have signed, who are members of `own`. One
/// validator is the same in both sets if its key is: an organisation that replaced its key signs with another.
pub fn enough_overlap(
    certificate: &UntrustedCommitCertificate,
    own: &ValidatorSet,
    trusted: &ValidatorSet,
    params: &TrustParams,
) -> Result<(), Overlap> {
    let signers = certificate.signatures.iter().filter_map(|(signer, _)| own.get(*signer));
    let signed = signers.filter(|signer| trusted.find(&signer.key).is_some()).count();
    let (trusted, threshold) = (trusted.quorum().size(), params.threshold());
    if threshold.is_exceeded_by(signed, trusted) {
        Ok(())
    } else {
        Err(Overlap { signed, trusted, threshold })
    }
}
