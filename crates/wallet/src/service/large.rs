//! Records that do not fit into memory, such as an imaging study: shown by their heads, and saved into a file piece by piece.
//!
//! Each piece is asked for by a signed request of its own, from any hospital that has a copy, so that a line which breaks costs one
//! piece. What comes is opened as it comes; the file has its name only when all of it was held against the ledger.

use amulet_app_api::files::SavedFileView;
use amulet_app_api::records::LargeView;
use amulet_app_api::wallet::Task;
use amulet_app_api::{ApiError, ErrorCode};
use amulet_light_client::{LightError, NodeIndex};
use amulet_protocol::large::{LargeError, LargeHead, LargeReceiver};
use amulet_protocol::light::ReadGround;
use amulet_protocol::limits::PIECE_BYTES_MAX;
use amulet_protocol::record::{RECORD_VERSION, RecordPlain};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Service;
use super::error::forged;
use super::files::OutFile;
use super::progress::RunningTask;
use super::record_view::{LedgerSide, line};
use super::records::{record_id, record_key};
use super::session::{OpenRecord, RecordMeta, Session};

/// Records looked at for whether they are large, in one go: they are those that nobody delivered whole.
const LARGE_LOOKED_AT_MAX: usize = 64;
/// In which a file's progress is counted.
const MIB: u64 = 1024 * 1024;

/// Counts how often somebody wanted the running saving to stop.
#[derive(Default)]
pub(super) struct Cancelling(AtomicU64);

/// Why one try to receive a file did not bring it.
enum Failed {
    /// The person wants it no more.
    Cancelled,
    /// No other hospital can help.
    ForGood(ApiError),
    /// What this hospital gave is not what was sealed.
    By(NodeIndex, ApiError),
}

/// A file that is being received.
struct Receiving<'a> {
    session: &'a Session,
    meta: &'a RecordMeta,
    nodes: &'a [NodeIndex],
    cancels: u64,
    task: &'a RunningTask,
}

impl Service {
    /// Opens the heads of those of `metas` that are large records; gives the number of those that are.
    pub(super) async fn open_large(&self, session: &Session, metas: &[Arc<RecordMeta>]) -> usize {
        let mut opened = 0;
        for meta in metas.iter().take(LARGE_LOOKED_AT_MAX) {
            let Some(head) = self.large_head(session, meta).await else { continue };
            let Some(key) = record_key(session, meta) else { continue };
            let record = self.large_record(meta, key, head);
            session.cache().opened.insert(meta.entry.id, Arc::new(record));
            opened += 1;
        }
        opened
    }

    async fn large_head(&self, session: &Session, meta: &RecordMeta) -> Option<LargeHead> {
        let mut receiver = receiver(session, meta)?;
        let nodes = self.nodes_for(&meta.entry.holders);
        let length = u32::try_from(LargeReceiver::BEGINNING_BYTES).ok()?;
        let (_, size, bytes) = self.piece(session, meta, &nodes, 0, length).await.ok()?;
        receiver.push(&bytes).ok()?;
        match receiver.head() {
            Some(head) => Some(head.clone()),
            // One that is no longer than a chunk is known at its end.
            None if size == bytes.len() as u64 => receiver.finish().ok().map(|(head, _)| head),
            None => None,
        }
    }

    /// A large record as its head tells of it: a FHIR `Binary` without its data.
    fn large_record(
        &self,
        meta: &Arc<RecordMeta>,
        key: amulet_crypto::content::ContentKey,
        head: LargeHead,
    ) -> OpenRecord {
        let content = serde_json::json!({
            "resourceType": head.resource_type, "id": head.resource_id, "contentType": head.content_type,
        });
        let plain = RecordPlain {
            version: RECORD_VERSION,
            salt: head.salt,
            resource_type: head.resource_type,
            resource_id: head.resource_id,
            title: head.title,
            date: head.date,
            content: content.to_string().into_bytes(),
            replaces: head.replaces,
        };
        let entry = &meta.entry;
        let hospital = self.hospital_view(&meta.provider);
        let side = LedgerSide { id: entry.id, category: entry.category, class: entry.class, hospital };
        let (mut line, moment) = line(side, &plain);
        line.title.clone_from(&plain.title);
        line.large = Some(LargeView { bytes: head.bytes, content_type: head.content_type });
        OpenRecord { meta: Arc::clone(meta), key, plain, line, moment }
    }

    /// Saves the content of a large record into a file; `None` if the person cancelled it.
    pub(super) async fn save_large(&self, id: &str) -> Result<Option<SavedFileView>, ApiError> {
        let cancels = self.cancelling.0.load(Ordering::Relaxed);
        let person = self.patient()?;
        self.follow_all(&person).await?;
        let id = record_id(id)?;
        let not_found = || ApiError::new(ErrorCode::NotFound);
        let session = person.session_with(id).ok_or_else(not_found)?;
        let meta = session.cache().records.iter().find(|meta| meta.entry.id == id).cloned();
        let meta = meta.ok_or_else(not_found)?;
        let head = self.large_head(session, &meta).await;
        let head = head.ok_or_else(|| ApiError::new(ErrorCode::RecordUnavailable))?;
        let name = format!("amulet-record-{}.{}", &id.to_string()[..8], ending(&head.content_type));
        let task = self.task(Task::SavingFile);
        let mut nodes = self.nodes_for(&meta.entry.holders);
        let mut told: Option<ApiError> = None;
        loop {
            let mut file = self.outbox.begin(&name, head.bytes).await?;
            let receiving = Receiving { session, meta: &meta, nodes: &nodes, cancels, task: &task };
            match self.receive(receiving, file.as_mut()).await {
                Ok(bytes) => {
                    let place = file.finish().await?;
                    return Ok(Some(SavedFileView { name, place, bytes }));
                }
                Err(failed) => {
                    file.abort().await;
                    match failed {
                        Failed::Cancelled => return Ok(None),
                        // A bad copy says more than that the others have none.
                        Failed::ForGood(error) => return Err(told.unwrap_or(error)),
                        // Another hospital may have a good copy.
                        Failed::By(node, error) => {
                            nodes.retain(|other| *other != node);
                            told.get_or_insert(error);
                        }
                    }
                }
            }
        }
    }

    /// Stops a saving that runs.
    pub(super) fn cancel_saving(&self) {
        self.cancelling.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Receives all of a file; gives its bytes.
    async fn receive(&self, from: Receiving<'_>, file: &mut dyn OutFile) -> Result<u64, Failed> {
        let Receiving { session, meta, nodes, cancels, task } = from;
        let unreadable = || Failed::ForGood(ErrorCode::RecordUnavailable.into());
        let mut receiver = receiver(session, meta).ok_or_else(unreadable)?;
        let (mut at, mut whole) = (0, None);
        loop {
            if self.cancelling.0.load(Ordering::Relaxed) != cancels {
                return Err(Failed::Cancelled);
            }
            let piece = self.piece(session, meta, nodes, at, PIECE_BYTES_MAX).await;
            let (node, size, bytes) = piece.map_err(Failed::ForGood)?;
            if *whole.get_or_insert(size) != size {
                return Err(Failed::By(node, self.not_genuine(node, None)));
            }
            at += bytes.len() as u64;
            let content = receiver.push(&bytes);
            let content = content.map_err(|error| Failed::By(node, self.not_genuine(node, Some(&error))))?;
            file.write(content).await.map_err(Failed::ForGood)?;
            task.step(Task::SavingFile, mebibytes(at), mebibytes(size));
            if at >= size {
                let ended = receiver.finish();
                let (head, rest) =
                    ended.map_err(|error| Failed::By(node, self.not_genuine(node, Some(&error))))?;
                file.write(rest).await.map_err(Failed::ForGood)?;
                return Ok(head.bytes);
            }
        }
    }

    /// A piece of a record's ciphertext, from the first hospital that gives it.
    async fn piece(
        &self,
        session: &Session,
        meta: &RecordMeta,
        nodes: &[NodeIndex],
        from: u64,
        length: u32,
    ) -> Result<(NodeIndex, u64, Vec<u8>), ApiError> {
        let mut refused: Option<LightError> = None;
        for node in nodes {
            let request = self.sign_read(session, *node, ReadGround::Own, vec![meta.entry.blob]);
            match self.client.read_piece(*node, request, from, length).await {
                Ok((size, bytes)) => return Ok((*node, size, bytes)),
                Err(error) => refused = Some(error),
            }
        }
        Err(self.nothing_delivered(refused))
    }

    /// What a hospital gave is not what was sealed; which chunk, if it is known.
    fn not_genuine(&self, node: NodeIndex, error: Option<&LargeError>) -> ApiError {
        let told = forged(self.hospital_at(node), "ciphertext");
        match error {
            Some(LargeError::Chunk { number, .. }) => told.with("chunk", number),
            Some(_) | None => told,
        }
    }
}

fn receiver(session: &Session, meta: &RecordMeta) -> Option<LargeReceiver> {
    let key = record_key(session, meta)?;
    Some(LargeReceiver::new(key, meta.entry.id, session.did(), meta.entry.commitment))
}

/// Whole mebibytes, begun ones counted.
fn mebibytes(bytes: u64) -> usize {
    usize::try_from(bytes.div_ceil(MIB)).unwrap_or(usize::MAX)
}

/// The ending of a file's name by its media type.
fn ending(content_type: &str) -> &'static str {
    match content_type {
        "application/dicom" => "dcm",
        "application/pdf" => "pdf",
        "application/zip" => "zip",
        "image/jpeg" => "jpg",
        "image/png" => "png",
        _ => "bin",
    }
}
