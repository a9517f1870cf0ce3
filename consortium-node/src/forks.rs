//! Takes note of forks that light clients report: two certified headers that exclude each other.
//!
//! A report is compared with this node's own ledger too. Whatever the two sides are, one at least is not in it, and that one
//! excludes this node's own header at its height: so two headers that were certified at different heights still
//! convict, if a validator signed both the one and what this node has there, in one view.
//!
//! Cheap checks come first, signatures last, and the first that is wrong ends it, so that junk costs about what a forged
//! transaction costs. One report is checked at a time; a node that is busy with one says so, and clients ask again.

use crate::consensus::EvidenceOutlet;
use crate::consensus::Offence;
use crate::ledger::{Ledger, LedgerError};
use crate::release::failed;
use amulet_protocol::calls::ReportEvidence;
use amulet_protocol::certificate::UntrustedSignedHeader;
use amulet_protocol::fork::{UntrustedFork, contradictions, verify_side};
use amulet_protocol::governance::EpochState;
use amulet_protocol::ids::{Epoch, HeaderHash};
use amulet_protocol::light::{ForkFinding, LightRefusal, LightResponse};
use amulet_protocol::state::StateKey;
use amulet_protocol::validators::ValidatorSet;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// Reports checked at once.
const CHECKED_AT_ONCE: usize = 1;
/// Forks whose finding is remembered, so that one that many clients report is checked once. Each is the signed work of more
/// validators than may be faulty, so there are few.
const REMEMBERED_MAX: usize = 256;

/// Checks reported forks and has evidence sent; cheap to clone.
#[derive(Clone)]
pub struct ForkDesk {
    ledger: Ledger,
    evidence: EvidenceOutlet,
    slot: Arc<tokio::sync::Semaphore>,
    found: Arc<Mutex<BTreeMap<[HeaderHash; 2], ForkFinding>>>,
}

/// What a fork that was checked proves.
struct Proven {
    finding: ForkFinding,
    reports: Vec<ReportEvidence>,
}

impl ForkDesk {
    /// A desk that compares with this ledger and hands evidence in here.
    #[must_use]
    pub fn new(ledger: Ledger, evidence: EvidenceOutlet) -> Self {
        let slot = Arc::new(tokio::sync::Semaphore::new(CHECKED_AT_ONCE));
        Self { ledger, evidence, slot, found: Arc::default() }
    }

    /// How many different forks were proven since the start.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).len() as u64
    }

    /// Takes a report, and says what it proves.
    ///
    /// # Errors
    /// [`LightRefusal::NoFork`], [`LightRefusal::Busy`].
    pub async fn take(&self, fork: UntrustedFork) -> Result<LightResponse, LightRefusal> {
        fork.excludes(self.ledger.chain()).map_err(|_| LightRefusal::NoFork)?;
        let hashes = fork.hashes();
        if let Some(known) = self.known(&hashes) {
            return Ok(LightResponse::ForkFound(known));
        }
        let Ok(_slot) = self.slot.try_acquire() else { return Err(LightRefusal::Busy) };
        let ledger = self.ledger.clone();
        let checked = tokio::task::spawn_blocking(move || check(&ledger, &fork)).await.map_err(failed)?;
        let Some(proven) = checked? else { return Ok(LightResponse::NotFound) };
        let [lower, upper] = hashes;
        match proven.finding {
            ForkFinding::Convicts { validators } => tracing::warn!(
                %lower, %upper, validators,
                "a light client proved a fork; evidence against those who signed both goes on the ledger"
            ),
            ForkFinding::Suspects { validators } => tracing::warn!(
                %lower, %upper, validators,
                "a light client proved a fork of different views; it convicts nobody by itself: compare the \
                 consensus logs of those who signed both"
            ),
        }
        self.remember(hashes, proven.finding);
        for report in proven.reports {
            self.evidence.report(report);
        }
        Ok(LightResponse::ForkFound(proven.finding))
    }

    fn known(&self, hashes: &[HeaderHash; 2]) -> Option<ForkFinding> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).get(hashes).copied()
    }

    fn remember(&self, hashes: [HeaderHash; 2], finding: ForkFinding) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if found.len() >= REMEMBERED_MAX {
            found.pop_first();
        }
        found.insert(hashes, finding);
    }
}

/// `None` if this node does not have the blocks to compare with.
fn check(ledger: &Ledger, fork: &UntrustedFork) -> Result<Option<Proven>, LightRefusal> {
    let mut pairs: Vec<[UntrustedSignedHeader; 2]> = Vec::new();
    let mut rivals = BTreeSet::new();
    for side in fork.sides() {
        let Some(own) = own_header(ledger, side).map_err(failed)? else { continue };
        if own.header.hash() != side.header.hash() {
            rivals.insert(side.header.hash());
            pairs.push([own, side.clone()]);
        }
    }
    if fork.lower.header.height == fork.upper.header.height {
        pairs.push([fork.lower.clone(), fork.upper.clone()]);
    }
    if pairs.is_empty() {
        return Ok(None);
    }
    // Those that this node does not have first: of its own everybody has a good certificate.
    let mut sides = fork.sides();
    sides.sort_by_key(|side| !rivals.contains(&side.header.hash()));
    for side in sides {
        verify_side(side, ledger.chain(), |epoch| set_of(ledger, epoch)).map_err(|_| LightRefusal::NoFork)?;
    }
    let reports = reports(&pairs);
    let count = |validators: usize| u16::try_from(validators).unwrap_or(u16::MAX);
    let finding = if reports.is_empty() {
        ForkFinding::Suspects { validators: count(signed_both(&pairs)) }
    } else {
        let offenders: BTreeSet<_> =
            reports.keys().map(|offence| (offence.epoch, offence.offender)).collect();
        ForkFinding::Convicts { validators: count(offenders.len()) }
    };
    Ok(Some(Proven { finding, reports: reports.into_values().collect() }))
}

/// One report for each contradiction, whatever pair shows it.
fn reports(pairs: &[[UntrustedSignedHeader; 2]]) -> BTreeMap<Offence, ReportEvidence> {
    let mut reports = BTreeMap::new();
    for [one, other] in pairs {
        let epoch = one.certificate.vote.view.epoch();
        for evidence in contradictions(&one.certificate, &other.certificate) {
            let report = ReportEvidence { epoch, evidence };
            reports.entry(Offence::of(&report)).or_insert(report);
        }
    }
    reports
}

/// Most validators that signed both sides of one pair, of one epoch.
fn signed_both(pairs: &[[UntrustedSignedHeader; 2]]) -> usize {
    let both = pairs.iter().map(|[one, other]| {
        let [one, other] = [&one.certificate, &other.certificate];
        if one.vote.view.epoch() != other.vote.view.epoch() {
            return 0;
        }
        let signed = |signer| other.signatures.iter().any(|(found, _)| *found == signer);
        one.signatures.iter().filter(|(signer, _)| signed(*signer)).count()
    });
    both.max().unwrap_or_default()
}

/// This node's own certified header at the height of another.
fn own_header(
    ledger: &Ledger,
    other: &UntrustedSignedHeader,
) -> Result<Option<UntrustedSignedHeader>, LedgerError> {
    let height = other.header.height;
    let (Some(header), Some(certificate)) = (ledger.header(height)?, ledger.certificate(height)?) else {
        return Ok(None);
    };
    Ok(Some(UntrustedSignedHeader { header, certificate }))
}

/// The validators of an epoch that has begun on this node's ledger.
fn set_of(ledger: &Ledger, epoch: Epoch) -> Option<ValidatorSet> {
    let state = ledger.read::<EpochState>(&StateKey::Epoch(epoch)).unwrap_or_else(|error| {
        tracing::warn!(%error, %epoch, "cannot read the validators of an epoch");
        None
    });
    state.map(|state| state.validators)
}

#[cfg(test)]
mod tests;
