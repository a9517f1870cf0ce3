//! Proofs as files: what a person keeps, or hands to somebody who has the genesis document and nothing else.

use amulet_app_api::files::{ProofOf, SavedFileView};
use amulet_app_api::wallet::Task;
use amulet_app_api::{ApiError, ErrorCode};
use amulet_light_client::Wanted;
use amulet_protocol::calls::GrantId;
use amulet_protocol::state::StateKey;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Service;
use super::ledger::tx_id;
use super::records::record_id;

/// Characters of a picture of the card as base64: some hundred kilobytes in fact.
const PICTURE_CHARS_MAX: usize = 8 * 1024 * 1024;
/// How every PNG begins (RFC 2083, section 3.1).
const PNG_BEGINS: [u8; 8] = [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n'];

/// How a person gets a file out of the wallet.
#[cfg_attr(target_arch = "wasm32", async_trait::async_trait(?Send))]
#[cfg_attr(not(target_arch = "wasm32"), async_trait::async_trait)]
pub trait Outbox: Send + Sync {
    /// Puts a file where people look for what they saved, without replacing one that is there. Gives its full path, or `None`
    /// where a browser took it and decides.
    ///
    /// # Errors
    /// [`ErrorCode::Storage`] with the reason.
    async fn save(&self, name: &str, bytes: Vec<u8>) -> Result<Option<String>, ApiError>;

    /// Begins a file of about so many bytes that comes piece by piece. It has its name only when it is finished.
    ///
    /// # Errors
    /// [`ErrorCode::Storage`] with the reason, [`ErrorCode::TooLarge`] where so much cannot be taken.
    async fn begin(&self, name: &str, bytes: u64) -> Result<Box<dyn OutFile>, ApiError>;
}

/// A file that is being handed out.
#[cfg_attr(target_arch = "wasm32", async_trait::async_trait(?Send))]
#[cfg_attr(not(target_arch = "wasm32"), async_trait::async_trait)]
pub trait OutFile: Send {
    /// Adds to its end.
    ///
    /// # Errors
    /// [`ErrorCode::Storage`] with the reason.
    async fn write(&mut self, bytes: Vec<u8>) -> Result<(), ApiError>;

    /// Puts it in its place, as [`Outbox::save`] does.
    ///
    /// # Errors
    /// [`ErrorCode::Storage`] with the reason.
    async fn finish(self: Box<Self>) -> Result<Option<String>, ApiError>;

    /// Throws it away.
    async fn abort(self: Box<Self>);
}

impl Service {
    /// Saves a file that proves something. It is checked before it is handed out, as its reader will check it.
    pub(super) async fn save_proof(&self, of: &ProofOf) -> Result<SavedFileView, ApiError> {
        let (wanted, about) = self.wanted(of).await?;
        let task = self.task(Task::Checking);
        let file = self.client.export(&wanted).await.map_err(|error| self.light(error))?;
        drop(task);
        let height = file.anchor.header.height;
        self.hand_out(format!("amulet-{about}-{height}.amuletproof"), file.encode()).await
    }

    /// Saves a contradiction between hospitals. No wallet need be open: it says nothing about a person.
    pub(super) async fn save_contradiction(&self, place: usize) -> Result<SavedFileView, ApiError> {
        let kept = self.client.forks().into_iter().nth(place);
        let fork = kept.ok_or_else(|| ApiError::new(ErrorCode::NotFound))?.fork;
        let file = self.client.export_fork(&fork).await.map_err(|error| self.light(error))?;
        let height = fork.upper.header.height;
        self.hand_out(format!("amulet-contradiction-{height}.amuletfork"), file.encode()).await
    }

    /// What the file is to prove, and a word for its name.
    async fn wanted(&self, of: &ProofOf) -> Result<(Vec<Wanted>, String), ApiError> {
        let person = self.person()?;
        let unknown = || ApiError::new(ErrorCode::NotFound);
        Ok(match of {
            ProofOf::LogLine { line } => {
                let (session, entry) = self.line(&person, *line).await?;
                let wanted = vec![Wanted::Receipt(entry.transaction), Wanted::History(session.did())];
                (wanted, format!("log-{}", entry.number))
            }
            ProofOf::Record { id } => {
                self.follow_all(&person).await?;
                let id = record_id(id)?;
                let session = person.session_with(id).ok_or_else(unknown)?;
                let meta = session.cache().records.iter().find(|meta| meta.entry.id == id).cloned();
                let meta = meta.ok_or_else(unknown)?;
                let state = Wanted::State(vec![StateKey::Record(id)]);
                (vec![Wanted::Receipt(meta.transaction), state], "record".to_owned())
            }
            ProofOf::RecordStory { id } => {
                self.follow_all(&person).await?;
                let id = record_id(id)?;
                let session = person.session_with(id).ok_or_else(unknown)?;
                let entries = session.entries();
                let steps = self.steps_of(session, &entries, id).await?;
                let receipts = steps.iter().map(|step| Wanted::Receipt(entries[step.place].transaction));
                // Whether it is erased, and who has signed so, or that nobody asked for it.
                let state = Wanted::State(vec![StateKey::Record(id), StateKey::Erasure(id)]);
                let rest = [Wanted::History(session.did()), state];
                (receipts.chain(rest).collect(), "record-story".to_owned())
            }
            ProofOf::Grant { id } => {
                self.follow_all(&person).await?;
                let id = tx_id(id)?;
                let known = person.sessions().iter().any(|session| session.transaction(id).is_some());
                known.then_some(()).ok_or_else(unknown)?;
                let state = Wanted::State(vec![StateKey::Grant(GrantId(id))]);
                (vec![Wanted::Receipt(id), state], "grant".to_owned())
            }
            ProofOf::NewestEntry => {
                self.fresh().await?;
                let head = self.client.trusted().ok_or_else(|| ApiError::new(ErrorCode::NotFound))?;
                (vec![Wanted::Header(head.height())], "block".to_owned())
            }
        })
    }

    /// Hands out a picture that the page drew of the card: a PNG, and nothing else under that name.
    pub(super) async fn save_card_picture(&self, png: &str) -> Result<SavedFileView, ApiError> {
        self.patient()?;
        if png.len() > PICTURE_CHARS_MAX {
            let error = ApiError::new(ErrorCode::TooLarge);
            return Err(error.with("size", png.len()).with("limit", PICTURE_CHARS_MAX));
        }
        let bytes = STANDARD.decode(png).ok().filter(|bytes| bytes.starts_with(&PNG_BEGINS));
        let bytes = bytes.ok_or_else(|| ApiError::new(ErrorCode::BadRequest).with("field", "png"))?;
        self.hand_out("amulet-emergency-card.png".to_owned(), bytes).await
    }

    /// Hands a file to the person.
    pub(super) async fn hand_out(&self, name: String, file: Vec<u8>) -> Result<SavedFileView, ApiError> {
        let bytes = file.len() as u64;
        let place = self.outbox.save(&name, file).await?;
        Ok(SavedFileView { name, place, bytes })
    }
}
