//! Sequential verification: one header after another, for auditors and for comparison.

use crate::epochs::InvalidStep;
use crate::header::VerifiedHeader;
use crate::known_keys::{HEADERS_THAT_PAY, KnownKeys};
use crate::verifier::{InvalidHeader, StepVerdict, Verdict, Verifier, link_adjacent};
use alloc::vec::Vec;
use amulet_protocol::certificate::{CertificateError, Sm2Votes, UntrustedSignedHeader, VoteCheck};
use amulet_protocol::header::Header;
use amulet_protocol::ids::{Height, Timestamp};
use amulet_protocol::light::{UntrustedHeaderRun, UntrustedStep};

/// Why a run of headers is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRun {
    /// A header is no good, or does not follow on the one before.
    #[error("header {height}: {cause}")]
    Header {
        /// Height of the header, as it says.
        height: Height,
        /// Why.
        cause: InvalidHeader,
    },
    /// A header ends an epoch, and what comes next is not shown.
    #[error("after header {height}: {cause}")]
    Step {
        /// Height of the header.
        height: Height,
        /// Why.
        cause: InvalidStep,
    },
    /// The set after a header that ends an epoch is missing.
    #[error("header {height} ends an epoch, and the set that follows is missing")]
    SetMissing {
        /// Height of the header.
        height: Height,
    },
    /// There are more sets than ends of epochs.
    #[error("{found} sets are given after {ends} ends of epochs")]
    SetsLeft {
        /// Sets given.
        found: usize,
        /// Headers that end an epoch.
        ends: usize,
    },
}

impl Verifier {
    /// Verifies headers that follow one another, the first on `after`, if that is given: each by its certificate, its date
    /// and the hash of its predecessor. Learns the sets on the way.
    ///
    /// # Errors
    /// [`InvalidRun`], with the first header that is no good; this verifier is then as before.
    pub fn verify_run(
        &mut self,
        after: Option<&VerifiedHeader>,
        run: UntrustedHeaderRun,
        now: Timestamp,
    ) -> Result<Vec<VerifiedHeader>, InvalidRun> {
        let mut verifier = self.clone();
        let found = run.next.len();
        let mut sets = run.next.into_iter();
        let mut verified: Vec<VerifiedHeader> = Vec::with_capacity(run.headers.len());
        let mut left_of_set = 0;
        let mut known: Option<KnownKeys> = None;
        for position in 0..run.headers.len() {
            if left_of_set == 0 {
                left_of_set = same_set(&run.headers[position..]);
                known = (left_of_set >= HEADERS_THAT_PAY)
                    .then(|| known.unwrap_or_default().renewed(verifier.validators()));
            }
            left_of_set -= 1;
            let votes = known.as_ref().map_or(&Sm2Votes as &dyn VoteCheck, |known| known);
            let signed = run.headers[position].clone();
            let height = signed.header.height;
            let ends = ends_epoch(&signed.header);
            let header = if ends {
                let next = Some(sets.next().ok_or(InvalidRun::SetMissing { height })?);
                verifier.end_epoch(votes, UntrustedStep { header: signed, validators: None, next }, now)?
            } else {
                match verifier.verify_adjacent_by(votes, signed, now) {
                    Verdict::Verified(header) => *header,
                    Verdict::UnknownValidators { found, known } => {
                        let cause = CertificateError::ValidatorSet { found, known }.into();
                        return Err(InvalidRun::Header { height, cause });
                    }
                    Verdict::Invalid(cause) => return Err(InvalidRun::Header { height, cause }),
                }
            };
            if let Some(before) = verified.last().or(after) {
                link_adjacent(&header, before).map_err(|cause| InvalidRun::Header { height, cause })?;
            }
            verified.push(header);
        }
        let left = sets.count();
        if left > 0 {
            return Err(InvalidRun::SetsLeft { found, ends: found - left });
        }
        *self = verifier;
        Ok(verified)
    }

    fn end_epoch(
        &mut self,
        votes: &dyn VoteCheck,
        step: UntrustedStep,
        now: Timestamp,
    ) -> Result<VerifiedHeader, InvalidRun> {
        let height = step.header.header.height;
        match self.take_by(votes, step, None, now) {
            Ok(StepVerdict::Taken(header)) => Ok(*header),
            Ok(StepVerdict::Invalid(cause)) => Err(InvalidRun::Step { height, cause }),
            Ok(StepVerdict::NotEnoughOverlap(_)) | Err(_) => {
                unreachable!("a step without a set of its own skips nothing")
            }
        }
    }
}

/// How many of these headers, from the first on, say that they are of one set.
fn same_set(headers: &[UntrustedSignedHeader]) -> usize {
    let end = headers.iter().position(|signed| ends_epoch(&signed.header));
    end.map_or(headers.len(), |end| end + 1)
}

fn ends_epoch(header: &Header) -> bool {
    header.next_validators_hash != header.validators_hash
}
