//! Content that was changed, cut, reordered or taken for other content does not open.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)]

use std::io::{self, Read, Write};

use amulet_crypto::content::{
    CHUNK_BYTES, CHUNKED_HEADER_BYTES, CONTENT_OVERHEAD_BYTES, ChunkedOpener, ChunkedSealer, ContentError,
    ContentKey, MAX_CONTENT_BYTES, open_content, seal_content,
};
use amulet_crypto::entropy::SeededEntropy;

const SEALED_CHUNK: usize = CHUNK_BYTES + 16;

fn key() -> ContentKey {
    ContentKey::from_bytes(&[3; 16])
}

fn other_key() -> ContentKey {
    ContentKey::from_bytes(&[4; 16])
}

fn seal(data: &[u8]) -> Vec<u8> {
    seal_content(&key(), b"record 1", data, &mut SeededEntropy::new(1)).unwrap()
}

#[test]
fn content_opens_with_its_key_and_associated_data_only() {
    for data in [&b""[..], b"x", &[7; 1000]] {
        let sealed = seal(data);
        assert_eq!(sealed.len(), data.len() + CONTENT_OVERHEAD_BYTES);
        assert_eq!(**open_content(&key(), b"record 1", &sealed).unwrap(), *data);
        assert_eq!(open_content(&key(), b"record 2", &sealed), Err(ContentError::NotAuthentic));
        assert_eq!(open_content(&other_key(), b"record 1", &sealed), Err(ContentError::NotAuthentic));
    }
}

#[test]
fn every_changed_byte_and_every_cut_is_noticed() {
    let sealed = seal(b"potassium 5.1");
    for position in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[position] ^= 1;
        let expected = match position {
            0 => ContentError::UnknownVersion { found: 0 },
            _ => ContentError::NotAuthentic,
        };
        assert_eq!(open_content(&key(), b"record 1", &changed), Err(expected));
        let expected = match position {
            ..CONTENT_OVERHEAD_BYTES => ContentError::TooShort { found: position },
            _ => ContentError::NotAuthentic,
        };
        assert_eq!(open_content(&key(), b"record 1", &sealed[..position]), Err(expected));
    }
    assert_eq!(
        open_content(&key(), b"record 1", &[&sealed[..], &[0]].concat()),
        Err(ContentError::NotAuthentic)
    );
}

#[test]
fn size_is_bounded_both_ways() {
    let too_long = vec![0; MAX_CONTENT_BYTES + 1];
    let found = too_long.len() as u64;
    let refused = seal_content(&key(), b"", &too_long, &mut SeededEntropy::new(1));
    assert_eq!(refused, Err(ContentError::TooLong { found, max: MAX_CONTENT_BYTES as u64 }));
    let sealed = vec![1; MAX_CONTENT_BYTES + CONTENT_OVERHEAD_BYTES + 1];
    assert!(matches!(open_content(&key(), b"", &sealed), Err(ContentError::TooLong { .. })));
}

#[test]
fn nonces_differ() {
    let mut entropy = SeededEntropy::new(1);
    let mut seal = || seal_content(&key(), b"", b"same", &mut entropy).unwrap();
    assert_ne!(seal()[..13], seal()[..13]);
}

/// Pins the format: content already stored must open for ever.
#[test]
fn the_format_is_pinned() {
    let stored = hex::decode(include_str!("fixtures/content.hex").trim()).unwrap();
    assert_eq!(**open_content(&key(), b"record 1", &stored).unwrap(), *b"potassium 5.1");
    assert_eq!(seal(b"potassium 5.1"), stored);
    let stored = hex::decode(include_str!("fixtures/content_chunked.hex").trim()).unwrap();
    assert_eq!(open_chunked(&key(), b"file 1", &stored).unwrap(), b"potassium 5.1");
    assert_eq!(seal_chunked(b"potassium 5.1"), stored);
}

fn seal_chunked(data: &[u8]) -> Vec<u8> {
    let mut sealer = ChunkedSealer::new(Vec::new(), &key(), b"file 1", &mut SeededEntropy::new(2)).unwrap();
    sealer.write_all(data).unwrap();
    sealer.finish().unwrap()
}

fn open_chunked(key: &ContentKey, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, ContentError> {
    let mut out = Vec::new();
    ChunkedOpener::new(sealed, key, aad)
        .and_then(|mut opener| opener.read_to_end(&mut out))
        .map_err(|error| ContentError::from_io(&error).unwrap())?;
    Ok(out)
}

fn data(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i / 7) as u8).collect()
}

#[test]
fn streams_of_every_awkward_length_open() {
    for length in [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 3 * CHUNK_BYTES + 5]
    {
        let sealed = seal_chunked(&data(length));
        let chunks = length.div_ceil(CHUNK_BYTES).max(1);
        assert_eq!(sealed.len(), CHUNKED_HEADER_BYTES + length + 16 * chunks);
        assert_eq!(open_chunked(&key(), b"file 1", &sealed).unwrap(), data(length));
        assert_eq!(open_chunked(&key(), b"file 2", &sealed), Err(ContentError::NotAuthentic));
        assert_eq!(open_chunked(&other_key(), b"file 1", &sealed), Err(ContentError::NotAuthentic));
    }
}

#[test]
fn a_stream_cut_anywhere_is_noticed() {
    let sealed = seal_chunked(&data(2 * CHUNK_BYTES + 100));
    let end_of = |chunks: usize| CHUNKED_HEADER_BYTES + chunks * SEALED_CHUNK;
    let open_cut = |length: usize| open_chunked(&key(), b"file 1", &sealed[..length]);
    for length in 0..CHUNKED_HEADER_BYTES {
        assert_eq!(open_cut(length), Err(ContentError::TooShort { found: length }));
    }
    // At the end of a chunk, and too little of the next one for its tag: cut off. Within a chunk: not authentic.
    for length in [end_of(0), end_of(1), end_of(2), end_of(0) + 5] {
        assert_eq!(open_cut(length), Err(ContentError::Truncated), "cut at {length}");
    }
    for length in [end_of(0) + 16, end_of(1) - 1, end_of(1) + 16, sealed.len() - 1] {
        assert_eq!(open_cut(length), Err(ContentError::NotAuthentic), "cut at {length}");
    }
}

#[test]
fn a_sealer_dropped_before_its_end_leaves_a_cut_stream() {
    let mut written = Vec::new();
    let mut sealer = ChunkedSealer::new(&mut written, &key(), b"file 1", &mut SeededEntropy::new(2)).unwrap();
    sealer.write_all(&data(CHUNK_BYTES + 1)).unwrap();
    drop(sealer);
    assert_eq!(open_chunked(&key(), b"file 1", &written), Err(ContentError::Truncated));
}

#[test]
fn chunks_swapped_repeated_left_out_or_from_another_stream_are_noticed() {
    let sealed = seal_chunked(&data(3 * CHUNK_BYTES + 10));
    let (header, body) = sealed.split_at(CHUNKED_HEADER_BYTES);
    let chunks: Vec<&[u8]> = body.chunks(SEALED_CHUNK).collect();
    assert_eq!(chunks.len(), 4);
    let open = |order: &[&[u8]]| open_chunked(&key(), b"file 1", &[&[header], order].concat().concat());
    assert!(open(&[chunks[0], chunks[1], chunks[2], chunks[3]]).is_ok());
    let not_authentic = Err(ContentError::NotAuthentic);
    assert_eq!(open(&[chunks[1], chunks[0], chunks[2], chunks[3]]), not_authentic);
    assert_eq!(open(&[chunks[0], chunks[0], chunks[1], chunks[2], chunks[3]]), not_authentic);
    assert_eq!(open(&[chunks[0], chunks[2], chunks[3]]), not_authentic);
    assert_eq!(open(&[chunks[0], chunks[1], chunks[2], chunks[3], chunks[3]]), not_authentic);
    assert_eq!(open(&[chunks[3]]), not_authentic);
    let mut other = ChunkedSealer::new(Vec::new(), &key(), b"file 1", &mut SeededEntropy::new(3)).unwrap();
    other.write_all(&data(3 * CHUNK_BYTES + 10)).unwrap();
    let other = other.finish().unwrap();
    let spliced =
        [&sealed[..CHUNKED_HEADER_BYTES + SEALED_CHUNK], &other[CHUNKED_HEADER_BYTES + SEALED_CHUNK..]];
    assert_eq!(open_chunked(&key(), b"file 1", &spliced.concat()), not_authentic);
}

#[test]
fn bytes_after_the_end_are_noticed() {
    for length in [0, 10, CHUNK_BYTES] {
        let sealed = seal_chunked(&data(length));
        for extra in [1, 16, SEALED_CHUNK] {
            let longer = [&sealed[..], &vec![0; extra]].concat();
            assert!(open_chunked(&key(), b"file 1", &longer).is_err(), "{extra} bytes after {length}");
        }
    }
}

#[test]
fn a_failed_stream_stays_failed() {
    let mut sealed = seal_chunked(&data(CHUNK_BYTES + 10));
    sealed[CHUNKED_HEADER_BYTES] ^= 1;
    let mut opener = ChunkedOpener::new(&sealed[..], &key(), b"file 1").unwrap();
    for _ in 0..2 {
        let error = opener.read(&mut [0; 10]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert_eq!(ContentError::from_io(&error), Some(ContentError::NotAuthentic));
    }
}

/// A reader or writer that takes a few bytes at a time, as sockets do.
struct Trickle<T>(T);

impl<R: Read> Read for Trickle<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let few = out.len().min(1000);
        self.0.read(&mut out[..few])
    }
}

#[test]
fn slow_readers_and_small_writes_change_nothing() {
    let content = data(CHUNK_BYTES + 4321);
    let mut sealer = ChunkedSealer::new(Vec::new(), &key(), b"file 1", &mut SeededEntropy::new(2)).unwrap();
    for part in content.chunks(777) {
        sealer.write_all(part).unwrap();
    }
    let sealed = sealer.finish().unwrap();
    assert_eq!(sealed, seal_chunked(&content));
    let mut out = Vec::new();
    ChunkedOpener::new(Trickle(&sealed[..]), &key(), b"file 1").unwrap().read_to_end(&mut out).unwrap();
    assert_eq!(out, content);
}

#[test]
fn debug_output_has_no_secret() {
    assert_eq!(format!("{:?}", key()), "ContentKey(…)");
}
