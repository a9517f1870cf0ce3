//! Records that do not fit into memory, such as an imaging study: sealed and opened as a stream, with constant memory.
//!
//! On the ledger such a record is like any other. Its ciphertext is content in chunks (`amulet_crypto::content::ChunkedSealer`), bound to the
//! record and the patient, and the plaintext is
//!
//! ```text
//! length of the head (4, little-endian) || head (borsh) || content
//! ```
//!
//! The head and the first chunk fit together, so that who reads the first 65,569 bytes of the ciphertext can show what it is. Only the
//! end of the stream shows that nothing is missing.

use crate::codec;
use crate::ids::{Did, RecordId};
use crate::record::{COMMITMENT, record_aad};
use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use amulet_crypto::content::{
    CHUNK_BYTES, CHUNKED_HEADER_BYTES, ChunkedOpener, ChunkedSealer, ContentError, ContentKey,
};
use amulet_crypto::digest::{Digest, TaggedHasher};
use amulet_crypto::entropy::Entropy;
use borsh::{BorshDeserialize, BorshSerialize};
use std::io::{self, Read, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Version of the head. Small records have [`RECORD_VERSION`](crate::record::RECORD_VERSION).
pub const LARGE_RECORD_VERSION: u8 = 3;
/// Bytes of a whole chunk with its tag.
const SEALED_CHUNK_BYTES: usize = CHUNK_BYTES + 16;
/// Bytes of an encoded head: half a chunk; title, type, id and date are each short.
pub const LARGE_HEAD_BYTES_MAX: usize = 32 * 1024;

/// What is known of a large record before its content.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct LargeHead {
    /// [`LARGE_RECORD_VERSION`].
    pub version: u8,
    /// Salt of the commitment.
    pub salt: [u8; 16],
    /// FHIR resource type that the content would be wrapped in, `Binary`.
    pub resource_type: String,
    /// Its id at the hospital.
    pub resource_id: String,
    /// Text for a list.
    pub title: String,
    /// Clinically relevant date, as FHIR writes it.
    pub date: Option<String>,
    /// Media type of the content, such as `application/dicom`.
    pub content_type: String,
    /// Bytes of the content.
    pub bytes: u64,
    /// The record of which this is the next version.
    pub replaces: Option<RecordId>,
}

/// Why a large record cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum LargeError {
    /// Reading or writing failed, or the stream is not authentic: see [`amulet_crypto::content::ContentError::from_io`].
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A chunk is not what the hospital sealed, or the stream ends too early.
    #[error("chunk {number}: {source}")]
    Chunk {
        /// Its number, from 0.
        number: u64,
        /// What is wrong with it.
        source: ContentError,
    },
    /// The head is of another version, larger than any, or no head.
    #[error("this is no head of a large record")]
    BadHead,
    /// Another number of bytes than the head says.
    #[error("the content has {found} bytes, its head says {stated}")]
    Length {
        /// In the head.
        stated: u64,
        /// That came.
        found: u64,
    },
    /// The content is not what the hospital committed to.
    #[error("the content commits to {computed}, registered is {registered}")]
    Commitment {
        /// Computed.
        computed: Digest,
        /// Registered.
        registered: Digest,
    },
}

/// Seals a large record into a writer.
pub struct LargeSealer<W: Write> {
    stream: ChunkedSealer<W>,
    commitment: TaggedHasher,
    stated: u64,
    found: u64,
}

impl<W: Write> LargeSealer<W> {
    /// Starts with the head.
    ///
    /// # Errors
    /// [`LargeError::BadHead`] for one that is too long, [`LargeError::Io`].
    pub fn new(
        inner: W,
        key: &ContentKey,
        id: RecordId,
        patient: Did,
        head: &LargeHead,
        entropy: &mut impl Entropy,
    ) -> Result<Self, LargeError> {
        let bytes = codec::encode(head);
        if head.version != LARGE_RECORD_VERSION || bytes.len() > LARGE_HEAD_BYTES_MAX {
            return Err(LargeError::BadHead);
        }
        let mut stream = ChunkedSealer::new(inner, key, &record_aad(id, patient), entropy)?;
        let length = u32::try_from(bytes.len()).expect("a head has at most some thousand bytes");
        stream.write_all(&length.to_le_bytes())?;
        stream.write_all(&bytes)?;
        Ok(Self { stream, commitment: commitment(head), stated: head.bytes, found: 0 })
    }

    /// Takes the next bytes of the content.
    ///
    /// # Errors
    /// [`LargeError::Length`] beyond what the head says, [`LargeError::Io`].
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), LargeError> {
        self.found += bytes.len() as u64;
        if self.found > self.stated {
            return Err(LargeError::Length { stated: self.stated, found: self.found });
        }
        self.commitment.update(bytes);
        Ok(self.stream.write_all(bytes)?)
    }

    /// Ends the stream; gives the writer and the commitment for the ledger.
    ///
    /// # Errors
    /// [`LargeError::Length`] if bytes are missing, [`LargeError::Io`].
    pub fn finish(self) -> Result<(W, Digest), LargeError> {
        if self.found != self.stated {
            return Err(LargeError::Length { stated: self.stated, found: self.found });
        }
        Ok((self.stream.finish()?, self.commitment.finish()))
    }
}

/// Opens a large record from a reader.
pub struct LargeOpener<R: Read> {
    stream: ChunkedOpener<R>,
    head: LargeHead,
}

impl<R: Read> LargeOpener<R> {
    /// Reads the head.
    ///
    /// # Errors
    /// [`LargeError::BadHead`], [`LargeError::Io`].
    pub fn new(inner: R, key: &ContentKey, id: RecordId, patient: Did) -> Result<Self, LargeError> {
        let mut stream = ChunkedOpener::new(inner, key, &record_aad(id, patient))?;
        let mut length = [0; 4];
        stream.read_exact(&mut length)?;
        let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
        if length > LARGE_HEAD_BYTES_MAX {
            return Err(LargeError::BadHead);
        }
        let mut bytes = alloc::vec![0; length];
        stream.read_exact(&mut bytes)?;
        let head: LargeHead = codec::decode(&bytes, LARGE_HEAD_BYTES_MAX).map_err(|_| LargeError::BadHead)?;
        if head.version != LARGE_RECORD_VERSION {
            return Err(LargeError::BadHead);
        }
        Ok(Self { stream, head })
    }

    /// What the record is. It is authentic; that the content is whole is known when [`LargeOpener::copy_to`] has returned.
    pub fn head(&self) -> &LargeHead {
        &self.head
    }

    /// Writes the content out, and holds it against what the ledger registered. What was written is to be thrown away on an error.
    ///
    /// # Errors
    /// [`LargeError`] by variant.
    pub fn copy_to(mut self, out: &mut impl Write, registered: Digest) -> Result<LargeHead, LargeError> {
        let (mut hasher, mut found) = (commitment(&self.head), 0);
        let mut piece: Vec<u8> = alloc::vec![0; amulet_crypto::content::CHUNK_BYTES];
        loop {
            let read = self.stream.read(&mut piece)?;
            if read == 0 {
                break;
            }
            found += read as u64;
            hasher.update(&piece[..read]);
            out.write_all(&piece[..read])?;
        }
        if found != self.head.bytes {
            return Err(LargeError::Length { stated: self.head.bytes, found });
        }
        let computed = hasher.finish();
        if computed != registered {
            return Err(LargeError::Commitment { computed, registered });
        }
        Ok(self.head)
    }
}

/// What came and has not been opened yet, shared with the opener that reads it.
#[derive(Clone, Default)]
struct Feed(Arc<Mutex<VecDeque<u8>>>);

impl Feed {
    fn queue(&self) -> MutexGuard<'_, VecDeque<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Read for Feed {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.queue().read(out)
    }
}

/// Opens a large record from pieces as they come, for a program that cannot wait inside a reader. Holds what came since the last whole
/// chunk, and no more.
pub struct LargeReceiver {
    feed: Feed,
    key: ContentKey,
    id: RecordId,
    patient: Did,
    registered: Digest,
    opened: Option<Opened>,
    /// Number of the chunk that was read last.
    chunk: u64,
}

/// After the head has come.
struct Opened {
    opener: LargeOpener<Feed>,
    commitment: TaggedHasher,
    found: u64,
}

impl LargeReceiver {
    /// Bytes of the ciphertext after which the head is known, whatever it holds.
    pub const BEGINNING_BYTES: usize = CHUNKED_HEADER_BYTES + SEALED_CHUNK_BYTES + 1;

    /// Waits for the first piece of a record whose content the ledger registered under this commitment.
    #[must_use]
    pub fn new(key: ContentKey, id: RecordId, patient: Did, registered: Digest) -> Self {
        Self { feed: Feed::default(), key, id, patient, registered, opened: None, chunk: 0 }
    }

    /// What the record is, as soon as its first chunk has come.
    #[must_use]
    pub fn head(&self) -> Option<&LargeHead> {
        self.opened.as_ref().map(|opened| opened.opener.head())
    }

    /// Takes the next piece of the ciphertext; gives the content that it completes. Every byte of it is authentic; that it is the whole
    /// content is known when [`LargeReceiver::finish`] has returned.
    ///
    /// # Errors
    /// [`LargeError::Chunk`] with the chunk's number, [`LargeError::BadHead`], [`LargeError::Length`]. Nothing more can come of this
    /// receiver then.
    pub fn push(&mut self, piece: &[u8]) -> Result<Vec<u8>, LargeError> {
        self.feed.queue().extend(piece);
        let mut content = Vec::new();
        // The byte after a chunk shows that it is not the last.
        let first = if self.opened.is_none() { Self::BEGINNING_BYTES } else { 0 };
        if self.feed.queue().len() >= first.max(SEALED_CHUNK_BYTES + 1) {
            self.begin()?;
            while self.feed.queue().len() > SEALED_CHUNK_BYTES {
                self.next(&mut content)?;
            }
        }
        Ok(content)
    }

    /// Opens the rest after the last piece, and holds the whole against the ledger.
    ///
    /// # Errors
    /// [`LargeError`] by variant: what was given before is to be thrown away.
    pub fn finish(mut self) -> Result<(LargeHead, Vec<u8>), LargeError> {
        self.begin()?;
        let mut content = Vec::new();
        while self.next(&mut content)? > 0 {}
        let opened = self.opened.ok_or(LargeError::BadHead)?;
        let LargeOpener { head, .. } = opened.opener;
        if opened.found != head.bytes {
            return Err(LargeError::Length { stated: head.bytes, found: opened.found });
        }
        let (computed, registered) = (opened.commitment.finish(), self.registered);
        if computed != registered {
            return Err(LargeError::Commitment { computed, registered });
        }
        Ok((head, content))
    }

    fn begin(&mut self) -> Result<(), LargeError> {
        if self.opened.is_none() {
            let opener = LargeOpener::new(self.feed.clone(), &self.key, self.id, self.patient);
            let opener = opener.map_err(|error| in_chunk(error, self.chunk))?;
            let commitment = commitment(opener.head());
            self.opened = Some(Opened { opener, commitment, found: 0 });
        }
        Ok(())
    }

    /// Opens what is left of a chunk, or the next one.
    fn next(&mut self, content: &mut Vec<u8>) -> Result<usize, LargeError> {
        let Some(opened) = &mut self.opened else { return Ok(0) };
        let mut piece = alloc::vec![0; CHUNK_BYTES];
        let before = self.feed.queue().len();
        let read = opened.opener.stream.read(&mut piece);
        if self.feed.queue().len() < before {
            self.chunk += 1;
        }
        let read = read.map_err(|error| in_chunk(error.into(), self.chunk))?;
        opened.found += read as u64;
        if opened.found > opened.opener.head.bytes {
            return Err(LargeError::Length { stated: opened.opener.head.bytes, found: opened.found });
        }
        opened.commitment.update(&piece[..read]);
        content.extend_from_slice(&piece[..read]);
        Ok(read)
    }
}

/// The error of a chunk that is not genuine, with its number.
fn in_chunk(error: LargeError, number: u64) -> LargeError {
    match &error {
        LargeError::Io(inner) => match ContentError::from_io(inner) {
            Some(source) => LargeError::Chunk { number, source },
            None => error,
        },
        _ => error,
    }
}

/// The same commitment as that of a small record: salt and content.
fn commitment(head: &LargeHead) -> TaggedHasher {
    let mut hasher = TaggedHasher::new(COMMITMENT);
    hasher.part(&head.salt);
    hasher.begin_part(head.bytes);
    hasher
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::record::{RECORD_VERSION, RecordPlain};
    use amulet_crypto::entropy::SeededEntropy;
    use amulet_crypto::signing::SigningKey;

    struct Sealed {
        key: ContentKey,
        id: RecordId,
        patient: Did,
        head: LargeHead,
        content: Vec<u8>,
        ciphertext: Vec<u8>,
        commitment: Digest,
    }

    fn did(seed: u64) -> Did {
        Did::of_key(SigningKey::generate(&mut SeededEntropy::new(seed)).public_key())
    }

    fn sealed(bytes: usize) -> Sealed {
        let entropy = &mut SeededEntropy::new(bytes as u64);
        let (key, id, patient) = (ContentKey::generate(entropy), RecordId(Digest::ZERO), did(2));
        let content: Vec<u8> = (0..bytes).map(|at| at.to_le_bytes()[1]).collect();
        let head = LargeHead {
            version: LARGE_RECORD_VERSION,
            salt: [7; 16],
            resource_type: "Binary".into(),
            resource_id: "ct-1".into(),
            title: "CT chest".into(),
            date: Some("2026-03-01".into()),
            content_type: "application/dicom".into(),
            bytes: bytes as u64,
            replaces: None,
        };
        let mut sealer = LargeSealer::new(Vec::new(), &key, id, patient, &head, entropy).unwrap();
        for piece in content.chunks(1_000) {
            sealer.write(piece).unwrap();
        }
        let (ciphertext, commitment) = sealer.finish().unwrap();
        Sealed { key, id, patient, head, content, ciphertext, commitment }
    }

    fn open(sealed: &Sealed, ciphertext: &[u8]) -> Result<Vec<u8>, LargeError> {
        let opener = LargeOpener::new(ciphertext, &sealed.key, sealed.id, sealed.patient)?;
        let mut out = Vec::new();
        assert_eq!(opener.copy_to(&mut out, sealed.commitment)?, sealed.head);
        Ok(out)
    }

    fn content_error(error: &LargeError) -> Option<ContentError> {
        match error {
            LargeError::Io(error) => ContentError::from_io(error),
            _ => None,
        }
    }

    #[test]
    fn what_was_sealed_opens_and_commits_as_a_small_record_does() {
        let sealed = sealed(3 * CHUNK_BYTES + 5);
        assert!(open(&sealed, &sealed.ciphertext).unwrap() == sealed.content);
        let small = RecordPlain {
            version: RECORD_VERSION,
            salt: [7; 16],
            resource_type: String::new(),
            resource_id: String::new(),
            title: String::new(),
            date: None,
            content: sealed.content.clone(),
            replaces: None,
        };
        assert_eq!(small.commitment(), sealed.commitment);
    }

    #[test]
    fn the_beginning_shows_what_it_is_and_only_the_end_that_it_is_whole() {
        let sealed = sealed(3 * CHUNK_BYTES);
        let beginning = &sealed.ciphertext[..1 + 16 + CHUNK_BYTES + 16 + 1];
        let opener = LargeOpener::new(beginning, &sealed.key, sealed.id, sealed.patient).unwrap();
        assert_eq!(opener.head().title, "CT chest");
        let cut = opener.copy_to(&mut Vec::new(), sealed.commitment).unwrap_err();
        assert!(content_error(&cut).is_some(), "{cut}");
    }

    #[test]
    fn cut_reordered_mixed_and_moved_streams_are_refused() {
        let (sealed, other) = (sealed(3 * CHUNK_BYTES), sealed(4 * CHUNK_BYTES));
        let chunk = |number: usize| {
            let start = 17 + number * (CHUNK_BYTES + 16);
            start..start + CHUNK_BYTES + 16
        };
        let mut swapped = sealed.ciphertext[..chunk(1).start].to_vec();
        swapped.extend_from_slice(&sealed.ciphertext[chunk(2)]);
        swapped.extend_from_slice(&sealed.ciphertext[chunk(1)]);
        swapped.extend_from_slice(&sealed.ciphertext[chunk(2).end..]);
        let mut mixed = sealed.ciphertext.clone();
        mixed[chunk(1)].copy_from_slice(&other.ciphertext[chunk(1)]);
        let mut flipped = sealed.ciphertext.clone();
        flipped[100_000] ^= 1;
        let cut = sealed.ciphertext[..chunk(2).start].to_vec();
        for (name, changed) in [("cut", cut), ("swapped", swapped), ("flipped", flipped), ("mixed", mixed)] {
            let error = open(&sealed, &changed).map(|_| ()).unwrap_err();
            assert!(content_error(&error).is_some(), "{name}: {error}");
        }
        let moved = LargeOpener::new(&sealed.ciphertext[..], &sealed.key, sealed.id, did(3)).map(|_| ());
        assert_eq!(content_error(&moved.unwrap_err()), Some(ContentError::NotAuthentic));
    }

    /// Receives a ciphertext in pieces of so many bytes.
    fn receive(sealed: &Sealed, ciphertext: &[u8], bytes: usize) -> Result<Vec<u8>, LargeError> {
        let key = ContentKey::from_bytes(&sealed.key.expose_secret());
        let mut receiver = LargeReceiver::new(key, sealed.id, sealed.patient, sealed.commitment);
        let mut content = Vec::new();
        for (number, piece) in ciphertext.chunks(bytes).enumerate() {
            content.extend(receiver.push(piece)?);
            let came = ((number + 1) * bytes).min(ciphertext.len());
            assert!(came < LargeReceiver::BEGINNING_BYTES || receiver.head() == Some(&sealed.head));
            let kept = receiver.feed.queue().len();
            assert!(kept <= LargeReceiver::BEGINNING_BYTES + bytes, "{kept} bytes are kept");
        }
        let (head, rest) = receiver.finish()?;
        assert_eq!(head, sealed.head);
        content.extend(rest);
        Ok(content)
    }

    #[test]
    fn what_comes_in_pieces_is_opened_as_it_comes_and_little_is_kept() {
        for length in [0, 5, CHUNK_BYTES - 300, CHUNK_BYTES, 3 * CHUNK_BYTES + 5] {
            let sealed = sealed(length);
            for bytes in [1_000, CHUNK_BYTES, 2 * CHUNK_BYTES + 77, 10 * CHUNK_BYTES] {
                assert!(receive(&sealed, &sealed.ciphertext, bytes).unwrap() == sealed.content);
            }
        }
    }

    #[test]
    fn a_chunk_that_is_not_genuine_is_refused_by_its_number() {
        let sealed = sealed(5 * CHUNK_BYTES);
        let of = |chunk: usize| CHUNKED_HEADER_BYTES + chunk * SEALED_CHUNK_BYTES + 9;
        for chunk in 0..5 {
            let mut flipped = sealed.ciphertext.clone();
            flipped[of(chunk)] ^= 1;
            for bytes in [1_000, 3 * CHUNK_BYTES] {
                let error = receive(&sealed, &flipped, bytes).unwrap_err();
                let named = matches!(error, LargeError::Chunk { number, .. } if number == chunk as u64);
                assert!(named, "chunk {chunk}: {error}");
            }
        }
        for cut in [0, 10, of(0), of(2), of(3) - 9, sealed.ciphertext.len() - 1] {
            let error = receive(&sealed, &sealed.ciphertext[..cut], 1_000).unwrap_err();
            assert!(matches!(error, LargeError::Chunk { .. }), "cut at {cut}: {error}");
        }
        let other = Digest::ZERO;
        let wrong = Sealed { commitment: other, ..sealed };
        let error = receive(&wrong, &wrong.ciphertext, CHUNK_BYTES).unwrap_err();
        assert!(matches!(error, LargeError::Commitment { registered, .. } if registered == other), "{error}");
    }

    #[test]
    fn a_content_of_another_length_than_stated_is_not_sealed() {
        let (key, head) = (ContentKey::generate(&mut SeededEntropy::new(1)), sealed(10).head);
        let (id, patient, entropy) = (RecordId(Digest::ZERO), did(2), &mut SeededEntropy::new(3));
        let mut sealer = LargeSealer::new(Vec::new(), &key, id, patient, &head, entropy).unwrap();
        assert!(matches!(sealer.write(&[0; 11]), Err(LargeError::Length { stated: 10, found: 11 })));
        let mut short = LargeSealer::new(Vec::new(), &key, id, patient, &head, entropy).unwrap();
        short.write(&[0; 9]).unwrap();
        assert!(matches!(short.finish().map(|_| ()), Err(LargeError::Length { stated: 10, found: 9 })));
    }
}
