//! Large content as a stream of chunks: the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015) over
//! SM4-GCM, with a key for each stream derived as in Tink's streaming encryption.
//!
//! ```text
//! header:  02 || salt (16)
//! key:     HKDF-SM3(content key, salt, "amulet/v1/chunked" || aad) -> SM4 key (16) || nonce prefix (7)
//! chunk i: SM4-GCM(nonce = prefix || i (4, big-endian) || last (1)) of 65536 bytes, the last chunk of 0 to 65536
//! ```
//!
//! The counter makes swapped, repeated and missing chunks fail; the last flag makes a stream that was cut at a
//! chunk's end fail. Only an empty stream has an empty chunk, so every content has one length.

use std::io::{self, Read, Write};

use aes_gcm::aead::KeyInit;
use zeroize::Zeroizing;

use super::{CONTENT_KEY_BYTES, ContentError, ContentKey, Sm4Gcm, TAG_BYTES, open_in_place, seal_in_place};
use crate::entropy::Entropy;
use crate::kdf::hkdf_sm3;

/// Plaintext bytes in every chunk but the last. 64 KiB keeps memory small and the tags' share at 0.02 %.
pub const CHUNK_BYTES: usize = 64 * 1024;

/// Bytes before the first chunk: version and salt.
pub const CHUNKED_HEADER_BYTES: usize = 1 + SALT_BYTES;

const CHUNKED_VERSION: u8 = 2;
const SALT_BYTES: usize = 16;
const PREFIX_BYTES: usize = 7;
const INFO: &[u8] = b"amulet/v1/chunked";

/// The key and nonces of one stream, and the number of the next chunk.
struct StreamKey {
    cipher: Sm4Gcm,
    prefix: [u8; PREFIX_BYTES],
    next: u32,
}

impl StreamKey {
    fn derive(key: &ContentKey, salt: &[u8; SALT_BYTES], aad: &[u8]) -> Self {
        let mut derived = Zeroizing::new([0; CONTENT_KEY_BYTES + PREFIX_BYTES]);
        hkdf_sm3(&*key.0, salt, &[INFO, aad].concat(), &mut *derived);
        let (key, prefix) = derived.split_at(CONTENT_KEY_BYTES);
        Self {
            cipher: Sm4Gcm::new_from_slice(key).expect("the slice has a key's length"),
            prefix: prefix.try_into().expect("the rest has a prefix's length"),
            next: 0,
        }
    }

    fn nonce(&self, last: bool) -> [u8; 12] {
        let mut nonce = [0; 12];
        nonce[..PREFIX_BYTES].copy_from_slice(&self.prefix);
        nonce[PREFIX_BYTES..11].copy_from_slice(&self.next.to_be_bytes());
        nonce[11] = u8::from(last);
        nonce
    }

    fn advance(&mut self) -> Result<(), ContentError> {
        let max = u64::from(u32::MAX) * CHUNK_BYTES as u64;
        self.next = self.next.checked_add(1).ok_or(ContentError::TooLong { found: max + 1, max })?;
        Ok(())
    }
}

/// Encrypts what is written to it into an inner writer. [`ChunkedSealer::finish`] must be called: a stream dropped
/// before that has no last chunk, and opening it reports [`ContentError::Truncated`].
pub struct ChunkedSealer<W: Write> {
    inner: W,
    stream: StreamKey,
    buffer: Zeroizing<Vec<u8>>,
}

impl<W: Write> ChunkedSealer<W> {
    /// Starts a stream and writes its header.
    ///
    /// # Errors
    /// Those of the inner writer.
    pub fn new(mut inner: W, key: &ContentKey, aad: &[u8], entropy: &mut impl Entropy) -> io::Result<Self> {
        let mut salt = [0; SALT_BYTES];
        entropy.fill(&mut salt);
        inner.write_all(&[CHUNKED_VERSION])?;
        inner.write_all(&salt)?;
        let buffer = Zeroizing::new(Vec::with_capacity(CHUNK_BYTES));
        Ok(Self { inner, stream: StreamKey::derive(key, &salt, aad), buffer })
    }

    /// Writes the last chunk and gives the inner writer back, not flushed.
    ///
    /// # Errors
    /// Those of the inner writer.
    pub fn finish(mut self) -> io::Result<W> {
        self.write_chunk(true)?;
        Ok(self.inner)
    }

    fn write_chunk(&mut self, last: bool) -> io::Result<()> {
        let nonce = self.stream.nonce(last);
        let tag = seal_in_place(&self.stream.cipher, nonce, &[], &mut self.buffer);
        if !last {
            self.stream.advance().map_err(into_io)?;
        }
        self.inner.write_all(&self.buffer)?;
        self.inner.write_all(&tag)?;
        self.buffer.clear();
        Ok(())
    }
}

impl<W: Write> Write for ChunkedSealer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full chunk waits for the next byte, because only then it is known not to be the last.
        if self.buffer.len() == CHUNK_BYTES && !bytes.is_empty() {
            self.write_chunk(false)?;
        }
        let taken = bytes.len().min(CHUNK_BYTES - self.buffer.len());
        self.buffer.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    /// Flushes the inner writer; a partly filled chunk stays until it is full or the stream ends.
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Decrypts a stream that [`ChunkedSealer`] made. Every byte that it gives was authenticated, but only the end of
/// the stream (`read` returning 0) shows that nothing is missing: do not act on a stream before that.
///
/// Errors are `io::Error`s of kind `InvalidData` with a [`ContentError`] inside, see [`ContentError::from_io`].
pub struct ChunkedOpener<R: Read> {
    inner: R,
    stream: StreamKey,
    plaintext: Zeroizing<Vec<u8>>,
    given: usize,
    /// The first byte of the next chunk, read ahead to learn whether there is one.
    ahead: Option<u8>,
    state: OpenerState,
}

#[derive(Clone, Copy)]
enum OpenerState {
    More,
    Ended,
    Failed(ContentError),
}

impl<R: Read> ChunkedOpener<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// Those of the inner reader; [`ContentError::TooShort`] or [`ContentError::UnknownVersion`] inside one.
    pub fn new(mut inner: R, key: &ContentKey, aad: &[u8]) -> io::Result<Self> {
        let mut header = [0; CHUNKED_HEADER_BYTES];
        let found = read_up_to(&mut inner, &mut header)?;
        if found > 0 && header[0] != CHUNKED_VERSION {
            return Err(into_io(ContentError::UnknownVersion { found: header[0] }));
        }
        let Some((_, salt)) = header.split_first_chunk::<1>().filter(|_| found == CHUNKED_HEADER_BYTES)
        else {
            return Err(into_io(ContentError::TooShort { found }));
        };
        let salt = salt.try_into().expect("the rest of the header is the salt");
        let stream = StreamKey::derive(key, salt, aad);
        let plaintext = Zeroizing::new(Vec::new());
        Ok(Self { inner, stream, plaintext, given: 0, ahead: None, state: OpenerState::More })
    }

    fn next_chunk(&mut self) -> io::Result<()> {
        let mut chunk = Zeroizing::new(vec![0; CHUNK_BYTES + TAG_BYTES + 1]);
        let start = match self.ahead.take() {
            Some(byte) => {
                chunk[0] = byte;
                1
            }
            None => 0,
        };
        let found = start + read_up_to(&mut self.inner, &mut chunk[start..])?;
        let last = found <= CHUNK_BYTES + TAG_BYTES;
        if !last {
            self.ahead = chunk.pop();
        }
        chunk.truncate(found);
        match self.open_chunk(chunk, last) {
            Ok(()) => Ok(()),
            Err(error) => {
                self.state = OpenerState::Failed(error);
                Err(into_io(error))
            }
        }
    }

    fn open_chunk(&mut self, mut chunk: Zeroizing<Vec<u8>>, last: bool) -> Result<(), ContentError> {
        let Some(length) = chunk.len().checked_sub(TAG_BYTES) else {
            return Err(ContentError::Truncated);
        };
        let tag: [u8; TAG_BYTES] = chunk[length..].try_into().expect("the rest has a tag's length");
        chunk.truncate(length);
        let cut_off = last && length == CHUNK_BYTES && {
            // A whole chunk at the end that is authentic as a middle one: the rest of the stream is missing.
            let mut copy = chunk.clone();
            open_in_place(&self.stream.cipher, self.stream.nonce(false), &[], &mut copy, tag).is_ok()
        };
        if cut_off {
            return Err(ContentError::Truncated);
        }
        open_in_place(&self.stream.cipher, self.stream.nonce(last), &[], &mut chunk, tag)?;
        if last {
            if length == 0 && self.stream.next > 0 {
                return Err(ContentError::NotAuthentic);
            }
            self.state = OpenerState::Ended;
        } else {
            self.stream.advance()?;
        }
        self.plaintext = chunk;
        self.given = 0;
        Ok(())
    }
}

impl<R: Read> Read for ChunkedOpener<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        while self.given == self.plaintext.len() {
            match self.state {
                OpenerState::More => self.next_chunk()?,
                OpenerState::Ended => return Ok(0),
                OpenerState::Failed(error) => return Err(into_io(error)),
            }
        }
        let rest = &self.plaintext[self.given..];
        let taken = rest.len().min(out.len());
        out[..taken].copy_from_slice(&rest[..taken]);
        self.given += taken;
        Ok(taken)
    }
}

impl ContentError {
    /// The cause inside an error that [`ChunkedOpener`] or [`ChunkedSealer`] returned, if it is not an I/O failure.
    pub fn from_io(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref::<Self>().copied()
    }
}

fn into_io(error: ContentError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// Reads until `out` is full or the reader ends; gives the number of bytes read.
fn read_up_to(reader: &mut impl Read, out: &mut [u8]) -> io::Result<usize> {
    let mut found = 0;
    while found < out.len() {
        match reader.read(&mut out[found..]) {
            Ok(0) => break,
            Ok(read) => found += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}
