//! Whose votes count: each block is certified by the set in force, and each set by the one before it.

use super::{Checked, Checker, ensure};
use crate::signatures::{Domain, sign};
use amulet_crypto::signing::SigningContext;
use amulet_node::ledger::{EpochSet, ExecutedBlock};
use amulet_protocol::certificate::UntrustedCommitCertificate;
use amulet_protocol::ids::{ChainId, Epoch, Height};
use amulet_protocol::validators::{Validator, ValidatorSet};
use std::collections::BTreeSet;

/// The sets of a run, counted here and not by the replicas' own code.
pub struct Epochs {
    epoch: Epoch,
    set: ValidatorSet,
}

impl Epochs {
    /// Before the first block.
    #[must_use]
    pub fn new(set: ValidatorSet) -> Self {
        Self { epoch: Epoch(0), set }
    }

    /// Takes note of a settled block; `after` is the epoch of the block after it.
    ///
    /// # Errors
    /// When votes count that should not, or a set comes into force that the one before did not certify.
    pub fn on_settled(
        &mut self,
        block: &ExecutedBlock,
        certificate: &UntrustedCommitCertificate,
        after: &EpochSet,
    ) -> Checked {
        let header = block.header();
        let height = header.height;
        ensure(header.validators_hash == self.set.hash(), Checker::Epochs, || {
            format!("block {height} names another set than that of epoch {}", self.epoch)
        })?;
        self.check_votes(header.chain, height, certificate)?;
        ensure(certificate.vote.view.epoch() == self.epoch, Checker::Epochs, || {
            format!("block {height} of epoch {} is committed in {}", self.epoch, certificate.vote.view)
        })?;
        if header.next_validators_hash == header.validators_hash {
            return ensure(after.epoch == self.epoch, Checker::Epochs, || {
                format!("epoch {} begins after block {height}, which does not end one", after.epoch)
            });
        }
        let is_next = (after.epoch.0, after.first) == (self.epoch.0 + 1, height.next())
            && after.validators.hash() == header.next_validators_hash;
        ensure(is_next, Checker::Epochs, || {
            format!("block {height} ends epoch {}, and {} is not the one it names", self.epoch, after.epoch)
        })?;
        (self.epoch, self.set) = (after.epoch, after.validators.clone());
        Ok(())
    }

    /// A quorum of different members, each by the key that is in force, whatever the replicas' code counted.
    fn check_votes(
        &self,
        chain: ChainId,
        height: Height,
        certificate: &UntrustedCommitCertificate,
    ) -> Checked {
        let members = self.set.members();
        let domain = Domain { chain, epoch: self.epoch };
        let bytes = certificate.vote.signed_bytes();
        let mut voters = BTreeSet::new();
        for (signer, signature) in &certificate.signatures {
            let member = members.get(usize::from(signer.0));
            let is_own =
                |member: &Validator| sign(&member.key, domain, SigningContext::Commit, &bytes) == *signature;
            ensure(member.is_some_and(is_own), Checker::Epochs, || {
                format!(
                    "block {height} is certified by {signer}, who has no such key in epoch {}",
                    self.epoch
                )
            })?;
            voters.insert(*signer);
        }
        let (size, faulty) = (members.len(), (members.len() - 1) / 3);
        let needed = (size + faulty + 1).div_ceil(2);
        ensure(voters.len() >= needed, Checker::Epochs, || {
            format!("block {height} has {} votes of {size} validators, {needed} are needed", voters.len())
        })
    }
}
