//! Checkpoints: showing this device's, comparing another's with it, starting from another's.

use amulet_app_api::checkpoints::{CheckpointCode, CheckpointView, ComparisonView};
use amulet_app_api::{ApiError, ErrorCode};
use amulet_crypto::kdf::Language;
use amulet_light_client::checkpoint::{self, CheckpointName, CheckpointWordsError, OtherPin};
use amulet_light_client::verifier::{Checkpoint, Pin};
use amulet_light_client::{LightError, TrustedHeader};
use amulet_protocol::codec;
use amulet_protocol::header::Header;
use amulet_protocol::ids::Height;
use amulet_protocol::validators::ValidatorSet;
use borsh::{BorshDeserialize, BorshSerialize};

use super::Service;
use super::error::{internal, storage};
use crate::network::Network;
use crate::qr;
use crate::store::{DeviceStore, STORED_FILE_BYTES_MAX, StoreError};

/// Characters of a chain's identifier that name its file.
const CHAIN_CHARS: usize = 16;

/// File that holds the checkpoint that this device was started from.
fn file_name(network: &Network) -> String {
    format!("checkpoint-{}", &network.chain().to_string()[..CHAIN_CHARS])
}

/// The checkpoint that this device was started from. By the pin a damaged file is told from what the person pinned.
#[derive(BorshSerialize, BorshDeserialize)]
struct StoredCheckpoint {
    pin: Pin,
    header: Header,
    next: ValidatorSet,
    own: Option<ValidatorSet>,
}

/// The checkpoint that this device was started from, if it was. One of another network is left alone.
///
/// # Errors
/// [`StoreError`]; [`StoreError::Damaged`] for a file that does not hold what was pinned.
pub(super) fn stored(store: &dyn DeviceStore, network: &Network) -> Result<Option<Checkpoint>, StoreError> {
    let name = file_name(network);
    let Some(bytes) = store.read(&name)? else { return Ok(None) };
    let checkpoint = read(&bytes).ok_or(StoreError::Damaged { name })?;
    Ok(Some(checkpoint).filter(|checkpoint| checkpoint.header().chain == network.chain()))
}

fn read(bytes: &[u8]) -> Option<Checkpoint> {
    let StoredCheckpoint { pin, header, next, own } = codec::decode(bytes, STORED_FILE_BYTES_MAX).ok()?;
    let checkpoint = Checkpoint::from_pinned(&pin, header, next).ok()?;
    match own {
        Some(own) => checkpoint.with_own(own).ok(),
        None => Some(checkpoint),
    }
}

fn written(checkpoint: &Checkpoint) -> Vec<u8> {
    let (header, next) = (checkpoint.header().clone(), checkpoint.next().clone());
    codec::encode(&StoredCheckpoint { pin: Pin::of(&header), header, next, own: checkpoint.own().cloned() })
}

impl Service {
    /// This device's checkpoint, of the newest entry that it can have.
    pub(super) async fn show_checkpoint(&self) -> Result<CheckpointView, ApiError> {
        self.fresh().await?;
        let head = self.client.trusted().ok_or_else(|| ApiError::new(ErrorCode::NotFound))?;
        let pin = Pin::of(head.header());
        let words = |language| checkpoint::words(&pin, language).map(str::to_owned).to_vec();
        let text = pin.to_string();
        let started_from = match stored(self.store.as_ref(), &self.network) {
            Err(StoreError::Damaged { .. }) => None,
            stored => stored.map_err(storage)?,
        };
        Ok(CheckpointView {
            height: pin.height.0,
            at: head.header().time.0,
            words_en: words(Language::English),
            words_zh: words(Language::SimplifiedChinese),
            qr_svg: qr::svg(&text).map_err(internal)?,
            text,
            started_from: started_from.map(|checkpoint| checkpoint.header().height.0),
        })
    }

    /// How another device's checkpoint compares with what this one knows, or can find out now.
    pub(super) async fn compare_checkpoint(&self, code: &CheckpointCode) -> Result<ComparisonView, ApiError> {
        let name = name_of(code)?;
        if let CheckpointName::Pin(pin) = &name
            && pin.chain != self.network.chain()
        {
            return Ok(ComparisonView::OtherNetwork);
        }
        let synced = self.fresh().await.err();
        match self.client.trusted() {
            Some(head) => self.compare_with(&head, &name).await,
            None => Err(synced.unwrap_or_else(|| ErrorCode::NotFound.into())),
        }
    }

    async fn compare_with(
        &self,
        head: &TrustedHeader,
        name: &CheckpointName,
    ) -> Result<ComparisonView, ApiError> {
        let height = name.height();
        if height > head.height() {
            return Ok(ComparisonView::Newer { height: height.0, newest: head.height().0 });
        }
        let own = self.client.header_at(height).await.map_err(|error| self.light(error))?;
        let header = own.header.header();
        let (height, at) = (height.0, header.time.0);
        Ok(match name.check(&Pin::of(header)) {
            Ok(()) => ComparisonView::Same { height, at },
            Err(OtherPin { word }) => {
                ComparisonView::Different { height, word: word.map(|word| word as u64) }
            }
        })
    }

    /// Starts from another device's checkpoint.
    pub(super) async fn start_from_checkpoint(
        &self,
        code: &CheckpointCode,
    ) -> Result<ComparisonView, ApiError> {
        let name = name_of(code)?;
        match self.compare_checkpoint(code).await {
            Ok(ComparisonView::Same { .. }) => {}
            Ok(other) => return Ok(other),
            // A device that was left in a drawer for too long, or that lacks the way from the beginning to the hospitals of
            // today: what a checkpoint is for.
            Err(error) if is_lost(&error) => {}
            Err(error) => return Err(error),
        }
        let fetched = self.client.fetch_checkpoint(&name).await;
        let checkpoint = fetched.map_err(|error| match error {
            LightError::CheckpointWords(error) => words_error(&error),
            other => self.light(other),
        })?;
        // First, so that what is followed from then on is never older than what the next start begins from.
        self.store.write(&file_name(&self.network), &written(&checkpoint)).map_err(storage)?;
        self.client.restart_from(&checkpoint).await.map_err(|error| self.light(error))?;
        {
            let mut state = self.state();
            state.checked = None;
            state.memory = None;
        }
        self.sync(false).await?;
        let header = checkpoint.header();
        let (height, at) = (header.height.0, header.time.0);
        let own = self.client.header_at(Height(height)).await.map_err(|error| self.light(error))?;
        if own.header.hash() == header.hash() {
            Ok(ComparisonView::Same { height, at })
        } else {
            Ok(ComparisonView::Different { height, word: None })
        }
    }
}

/// Whether this device cannot go on from what it knows, so that nothing of it can be compared.
fn is_lost(error: &ApiError) -> bool {
    matches!(error.code, ErrorCode::Stale)
        || error.details.get("what").is_some_and(|what| what == "certificate")
}

fn name_of(code: &CheckpointCode) -> Result<CheckpointName, ApiError> {
    match code {
        CheckpointCode::Text { text } => match text.trim().parse() {
            Ok(pin) => Ok(CheckpointName::Pin(pin)),
            Err(_) => Err(ErrorCode::CheckpointCode.into()),
        },
        CheckpointCode::Words { height, words } => {
            CheckpointName::words(Height(*height), words).map_err(|error| words_error(&error))
        }
    }
}

fn words_error(error: &CheckpointWordsError) -> ApiError {
    match error {
        CheckpointWordsError::WrongCount { found } => ApiError::new(ErrorCode::CheckpointWordCount)
            .with("found", found)
            .with("expected", checkpoint::CHECKPOINT_WORDS),
        CheckpointWordsError::UnknownWord { position, word, suggestion } => {
            let error = ApiError::new(ErrorCode::CheckpointWord).with("index", position).with("word", word);
            suggestion.iter().fold(error, |error, suggestion| error.with("suggestion", suggestion))
        }
        CheckpointWordsError::Differs { position } => {
            ApiError::new(ErrorCode::CheckpointDiffers).with("index", position)
        }
        CheckpointWordsError::TooLong { found } => ApiError::new(ErrorCode::TooLarge)
            .with("size", found)
            .with("limit", checkpoint::CHECKPOINT_WORDS_BYTES_MAX),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use amulet_crypto::digest::Digest;
    use amulet_crypto::entropy::SeededEntropy;
    use amulet_crypto::signing::SigningKey;
    use amulet_protocol::header::HEADER_VERSION;
    use amulet_protocol::ids::{ChainId, Did, HeaderHash, ReplicaId, Timestamp, View};
    use amulet_protocol::validators::Validator;

    fn checkpoint() -> Checkpoint {
        let mut entropy = SeededEntropy::new(1);
        let mut validator = |_| {
            let key = SigningKey::generate(&mut entropy).public_key().clone();
            Validator { organisation: Did::of_key(&key), key, peer_id: vec![] }
        };
        let mut set = || ValidatorSet::new((0..4).map(&mut validator).collect()).unwrap();
        let (own, next) = (set(), set());
        let header = Header {
            version: HEADER_VERSION,
            chain: ChainId(Digest::ZERO),
            height: Height(7),
            time: Timestamp(1),
            previous: HeaderHash(Digest::ZERO),
            transactions_root: Digest::ZERO,
            receipts_root: Digest::ZERO,
            state_root: Digest::ZERO,
            range_root: Digest::ZERO,
            validators_hash: own.hash(),
            next_validators_hash: next.hash(),
            proposer: ReplicaId(0),
            view: View(0),
        };
        Checkpoint::from_pinned(&Pin::of(&header), header, next).unwrap().with_own(own).unwrap()
    }

    #[test]
    fn a_kept_checkpoint_in_which_any_byte_changed_is_not_started_from() {
        let whole = written(&checkpoint());
        assert_eq!(read(&whole), Some(checkpoint()));
        for place in 0..whole.len() {
            let mut changed = whole.clone();
            changed[place] ^= 1;
            assert_eq!(read(&changed), None, "byte {place}");
            assert_eq!(read(&whole[..place]), None, "cut at {place}");
        }
    }
}
