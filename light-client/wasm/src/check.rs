//! What is checked, and against what.

use crate::view::{EventVerdict, HeaderVerdict, Proven, Refused, SignedBlock};
use amulet_protocol::certificate::UntrustedSignedHeader;
use amulet_protocol::codec::{self, DecodeError};
use amulet_protocol::genesis::{Genesis, GenesisError};
use amulet_protocol::header::Header;
use amulet_protocol::ids::{Did, Timestamp, TxId};
use amulet_protocol::limits::{GENESIS_BYTES_MAX, SIGNED_HEADER_BYTES_MAX, VALIDATOR_SET_BYTES_MAX};
use amulet_protocol::proof_file::{KnownSet, ProofFileError, UntrustedProofFile, VerifiedProof};
use amulet_protocol::validators::ValidatorSet;
use amulet_verifier::{Checkpoint, CheckpointError, Pin, PinTextError, TrustParams, Verdict, Verifier};

/// Bytes of a header: thirteen fields of at most 32 bytes.
const HEADER_BYTES_MAX: usize = 1024;

/// What checking starts from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// The genesis document.
    Genesis(Box<Genesis>, ValidatorSet),
    /// A checkpoint.
    Checkpoint(Box<Checkpoint>),
}

/// Why nothing can be checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// The bytes are no genesis document.
    #[error("the genesis document: {0}")]
    GenesisBytes(DecodeError),
    /// The genesis document is bad.
    #[error("the genesis document: {0}")]
    Genesis(#[from] GenesisError),
    /// The text names no checkpoint.
    #[error(transparent)]
    PinText(#[from] PinTextError),
    /// The bytes are no header, or no validators.
    #[error("the checkpoint: {0}")]
    CheckpointBytes(DecodeError),
    /// They are not those that the text names.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

impl From<&StartError> for Refused {
    fn from(error: &StartError) -> Self {
        let code = match error {
            StartError::GenesisBytes(_) | StartError::Genesis(_) => "genesis",
            StartError::PinText(_) | StartError::CheckpointBytes(_) | StartError::Checkpoint(_) => {
                "checkpoint"
            }
        };
        Self::new(code, error)
    }
}

impl From<ProofFileError> for Refused {
    fn from(error: ProofFileError) -> Self {
        Self::new(error.rule(), error)
    }
}

impl Start {
    /// From the bytes of a genesis document.
    ///
    /// # Errors
    /// [`StartError::GenesisBytes`], [`StartError::Genesis`].
    pub fn genesis(document: &[u8]) -> Result<Self, StartError> {
        let genesis: Genesis =
            codec::decode(document, GENESIS_BYTES_MAX).map_err(StartError::GenesisBytes)?;
        let validators = genesis.validate()?;
        Ok(Self::Genesis(Box::new(genesis), validators))
    }

    /// From the text of a pin, and the header and set that it names.
    ///
    /// # Errors
    /// [`StartError`], by the other variants.
    pub fn checkpoint(pin: &str, header: &[u8], validators: &[u8]) -> Result<Self, StartError> {
        let pin: Pin = pin.parse()?;
        let header: Header = codec::decode(header, HEADER_BYTES_MAX).map_err(StartError::CheckpointBytes)?;
        let validators: ValidatorSet =
            codec::decode(validators, VALIDATOR_SET_BYTES_MAX).map_err(StartError::CheckpointBytes)?;
        Ok(Self::Checkpoint(Box::new(Checkpoint::from_pinned(&pin, header, validators)?)))
    }

    fn known_set(&self) -> KnownSet {
        match self {
            Self::Genesis(genesis, validators) => {
                KnownSet::of_genesis(genesis.chain_id(), validators.clone())
            }
            Self::Checkpoint(checkpoint) => KnownSet {
                chain: checkpoint.header().chain,
                epoch: checkpoint.epoch(),
                first: checkpoint.header().height.next(),
                validators: checkpoint.next().clone(),
            },
        }
    }

    fn verifier(&self) -> Verifier {
        match self {
            Self::Genesis(genesis, validators) => {
                Verifier::new(genesis.chain_id(), validators.clone(), TrustParams::default())
            }
            Self::Checkpoint(checkpoint) => Verifier::from_checkpoint(checkpoint, TrustParams::default()),
        }
    }
}

/// Checks a proof file.
///
/// # Errors
/// [`Refused`] by the first rule that it breaks.
pub fn proof(start: &Start, file: &[u8]) -> Result<Proven, Refused> {
    Proven::of(&verified(start, file)?)
}

/// What a proof file says about a transaction in somebody's history.
///
/// # Errors
/// [`Refused`] by the first rule that it breaks; by `question` if the DID or the transaction is none.
pub fn event(start: &Start, file: &[u8], did: &str, transaction: &str) -> Result<EventVerdict, Refused> {
    let did: Did = did.parse().map_err(|error| Refused::new("question", error))?;
    let transaction = TxId(transaction.parse().map_err(|error| Refused::new("question", error))?);
    let proof = verified(start, file)?;
    let height = proof.anchor().header().height;
    EventVerdict::new(&proof, proof.event(did, height, transaction))
}

/// Checks a signed header.
///
/// # Errors
/// [`Refused`] by the first rule that it breaks; by `decode` if it is none.
pub fn header(start: &Start, header: &[u8], now_ms: u64) -> Result<HeaderVerdict, Refused> {
    let header: UntrustedSignedHeader =
        codec::decode(header, SIGNED_HEADER_BYTES_MAX).map_err(|error| Refused::new("decode", error))?;
    match start.verifier().verify_adjacent(header, Timestamp(now_ms)) {
        Verdict::Verified(header) => {
            let block = SignedBlock::new(header.header(), header.signed(), header.validators())?;
            Ok(HeaderVerdict::Verified { block })
        }
        Verdict::UnknownValidators { found, known } => {
            Ok(HeaderVerdict::UnknownValidators { found: found.to_string(), known: known.to_string() })
        }
        Verdict::Invalid(error) => Err(Refused::new(error.rule(), error)),
    }
}

fn verified(start: &Start, file: &[u8]) -> Result<VerifiedProof, Refused> {
    Ok(UntrustedProofFile::decode(file)?.verify_after(start.known_set())?)
}
