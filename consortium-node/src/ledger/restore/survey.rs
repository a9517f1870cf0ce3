//! Finding the block whose state is to be taken over, from nothing but the genesis document.

use super::super::epoch::EpochSet;
use super::super::transfer::{BLOCKS_PER_SNAPSHOT, EPOCH_ENDS_PER_CHUNK_MAX, EpochEnd};
use super::Refused;
#[cfg(feature = "planted")]
use amulet_pbft::planted::Bug;
use amulet_protocol::certificate::{CertifiedHeader, UntrustedSignedHeader, VoteCheck};
use amulet_protocol::genesis::{Genesis, GenesisError};
use amulet_protocol::ids::{ChainId, Epoch, Height};

/// A block under the commit certificate of the right validators, and how these follow from the genesis document. Only
/// [`Survey::anchor`] makes one.
#[derive(Clone, Debug)]
pub struct Anchor {
    pub(super) certified: CertifiedHeader,
    pub(super) ends: Vec<CertifiedHeader>,
}

impl Anchor {
    /// Its height.
    #[must_use]
    pub fn height(&self) -> Height {
        self.certified.header().height
    }
}

/// Follows the validator sets from that of the genesis document, each certified by the one before, and keeps the newest
/// snapshot that the set of its epoch has signed. Peers can be silent about what is new, so several are asked.
pub struct Survey<'a> {
    chain: ChainId,
    votes: &'a dyn VoteCheck,
    /// The sets followed so far, from that of the genesis document on.
    epochs: Vec<EpochSet>,
    ends: Vec<CertifiedHeader>,
    newest: Option<Anchor>,
    #[cfg(feature = "planted")]
    bug: Option<Bug>,
}

impl<'a> Survey<'a> {
    /// Starts from the genesis document.
    ///
    /// # Errors
    /// The document is no good.
    pub fn new(genesis: &Genesis, votes: &'a dyn VoteCheck) -> Result<Self, GenesisError> {
        let validators = genesis.validate()?;
        let epoch = EpochSet { epoch: Epoch(0), first: Height(0), hash: validators.hash(), validators };
        Ok(Self {
            chain: genesis.chain_id(),
            votes,
            epochs: vec![epoch],
            ends: Vec::new(),
            newest: None,
            #[cfg(feature = "planted")]
            bug: None,
        })
    }

    /// With a deliberate bug.
    #[cfg(feature = "planted")]
    #[must_use]
    pub fn with_planted(self, bug: Option<Bug>) -> Self {
        Self { bug, ..self }
    }

    /// The epoch whose end is to be asked for next.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.last().epoch
    }

    fn last(&self) -> &EpochSet {
        self.epochs.last().expect("the genesis document's set is there")
    }

    /// Takes the ends of epochs that a peer shows, from [`Survey::epoch`] on. Says whether it may have more.
    ///
    /// # Errors
    /// [`Refused`]; what came before the first wrong one is kept, for it is proven.
    pub fn follow(&mut self, ends: Vec<EpochEnd>) -> Result<bool, Refused> {
        if ends.len() > EPOCH_ENDS_PER_CHUNK_MAX {
            return Err(Refused::TooMany);
        }
        let more = ends.len() == EPOCH_ENDS_PER_CHUNK_MAX;
        for EpochEnd { signed, validators } in ends {
            let end = signed.verify_by(self.votes, self.chain, &self.last().validators)?;
            let (header, hash) = (end.header(), validators.hash());
            if header.next_validators_hash == header.validators_hash || header.next_validators_hash != hash {
                return Err(Refused::ValidatorSet);
            }
            let (epoch, first) = (self.last().epoch.next(), header.height.next());
            self.epochs.push(EpochSet { epoch, first, validators, hash });
            self.ends.push(end);
        }
        Ok(more)
    }

    /// Takes the snapshot that a peer offers, if the set of the epoch that its height lies in has signed it. That need not be
    /// the last one: peers have no newer snapshot for some blocks after an epoch began, and no block may come before
    /// somebody could copy this one.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn offer(&mut self, signed: UntrustedSignedHeader) -> Result<(), Refused> {
        #[cfg(feature = "planted")]
        if self.bug == Some(Bug::TrustOneSurvey) {
            let certified = signed.verify_by(&AnyVotes, self.chain, &self.last().validators)?;
            self.newest = Some(Anchor { certified, ends: self.ends.clone() });
            return Ok(());
        }
        let offered = signed.header.height;
        // The genesis document's set is in force from height 0 on.
        let epoch = self.epochs.iter().rfind(|epoch| epoch.first <= offered).unwrap_or(self.last());
        let certified = signed.verify_by(self.votes, self.chain, &epoch.validators)?;
        let height = certified.header().height;
        if height == Height(0) || !height.0.is_multiple_of(BLOCKS_PER_SNAPSHOT) {
            return Err(Refused::Height);
        }
        if self.newest.as_ref().is_none_or(|newest| newest.height() < height) {
            let ends = self.ends.iter().filter(|end| end.header().height < height).cloned().collect();
            self.newest = Some(Anchor { certified, ends });
        }
        Ok(())
    }

    /// The newest snapshot found.
    #[must_use]
    pub fn anchor(self) -> Option<Anchor> {
        self.newest
    }
}

/// Takes every vote for right: a deliberate bug.
#[cfg(feature = "planted")]
struct AnyVotes;

#[cfg(feature = "planted")]
impl VoteCheck for AnyVotes {
    fn is_valid(
        &self,
        _: &amulet_crypto::signing::PublicKey,
        _: ChainId,
        _: &[u8],
        _: &amulet_crypto::signing::Signature,
    ) -> bool {
        true
    }
}
