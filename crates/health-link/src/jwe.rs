//! A link's files: compact JWE, `alg: dir`, `enc: A256GCM`.

use crate::link::LinkKey;
use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{AeadInOut, KeyInit, Nonce, Tag};
use amulet_crypto::entropy::Entropy;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;
use serde::{Deserialize, Serialize};

/// Bytes of a file before it is encrypted and after it was opened and inflated: a summary is a tenth of it, and a small
/// file that inflates without end is stopped here.
pub const PLAIN_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Characters of an encrypted file: base64url of the largest one, its header, nonce and tag.
pub const CIPHERTEXT_CHARS_MAX: usize = PLAIN_BYTES_MAX / 3 * 4 + 4_096;
/// Characters of a header that is read; ours has less than a hundred.
const HEADER_CHARS_MAX: usize = 1_024;
/// Characters of a content type.
const CONTENT_TYPE_CHARS_MAX: usize = 128;
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;
/// miniz's usual level.
const COMPRESSION_LEVEL: u8 = 6;
const ALGORITHM: &str = "dir";
const ENCRYPTION: &str = "A256GCM";
const DEFLATE: &str = "DEF";

/// Why a file cannot be sealed or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JweError {
    /// Larger than any file of a link.
    #[error("the file is larger than {max}, the most of a link's file")]
    TooLarge {
        /// The limit, in bytes before or characters after encryption.
        max: usize,
    },
    /// Not five parts of base64url with a JSON header.
    #[error("the file is no compact JWE: {reason}")]
    Malformed {
        /// What is wrong.
        reason: &'static str,
    },
    /// Encrypted by another method than the standard's.
    #[error(
        "the file is encrypted by {algorithm}/{encryption}; a SMART Health Link has {ALGORITHM}/{ENCRYPTION}"
    )]
    OtherCipher {
        /// `alg` of the header.
        algorithm: String,
        /// `enc` of the header.
        encryption: String,
    },
    /// Compressed by something other than `DEF`, or asking for an extension.
    #[error("the file asks for {0:?}, which this program does not know")]
    Unsupported(String),
    /// The key is another one, or the file was changed.
    #[error("the key does not open the file: it is another link's, or the file was changed")]
    NotOpened,
    /// What is inside does not inflate, or not within [`PLAIN_BYTES_MAX`].
    #[error("the file's compressed content is damaged or larger than {PLAIN_BYTES_MAX} bytes")]
    Inflate,
}

#[derive(Serialize, Deserialize)]
struct Header {
    alg: String,
    enc: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cty: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    zip: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    crit: Option<Vec<String>>,
}

/// A file as it was before it was encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedFile {
    /// Its media type, such as `application/fhir+json`; the header's, which the key's holder wrote.
    pub content_type: Option<String>,
    /// Its bytes.
    pub content: Vec<u8>,
}

/// Encrypts a file for a link, deflated first if `compress`; the nonce is random.
///
/// # Errors
/// [`JweError::TooLarge`].
pub fn seal(
    key: &LinkKey,
    content_type: &str,
    content: &[u8],
    compress: bool,
    entropy: &mut impl Entropy,
) -> Result<String, JweError> {
    if content.len() > PLAIN_BYTES_MAX {
        return Err(JweError::TooLarge { max: PLAIN_BYTES_MAX });
    }
    let header = Header {
        alg: ALGORITHM.to_owned(),
        enc: ENCRYPTION.to_owned(),
        cty: Some(content_type.to_owned()),
        zip: compress.then(|| DEFLATE.to_owned()),
        crit: None,
    };
    let header = serde_json::to_vec(&header).expect("a header of texts is JSON");
    let header = URL_SAFE_NO_PAD.encode(header);
    let mut bytes = if compress { compress_to_vec(content, COMPRESSION_LEVEL) } else { content.to_vec() };
    let mut nonce = [0; NONCE_BYTES];
    entropy.fill(&mut nonce);
    let tag = cipher(key)
        .encrypt_inout_detached(
            &Nonce::<Aes256Gcm>::from(nonce),
            header.as_bytes(),
            bytes.as_mut_slice().into(),
        )
        .expect("a file of a few megabytes is within what GCM encrypts");
    let [nonce, bytes, tag] = [&nonce[..], &bytes, tag.as_slice()].map(|part| URL_SAFE_NO_PAD.encode(part));
    // With `dir` the part of the encrypted key is empty (RFC 7518 section 4.5).
    Ok(format!("{header}..{nonce}.{bytes}.{tag}"))
}

/// Opens a file of a link. It is compared with nothing but the key: who made it is not known.
///
/// # Errors
/// [`JweError`] by variant.
pub fn open(key: &LinkKey, jwe: &str) -> Result<SealedFile, JweError> {
    if jwe.len() > CIPHERTEXT_CHARS_MAX {
        return Err(JweError::TooLarge { max: CIPHERTEXT_CHARS_MAX });
    }
    let malformed = |reason| JweError::Malformed { reason };
    let mut parts = jwe.trim().split('.');
    let mut part = || parts.next().ok_or(malformed("it has not five parts"));
    let [header, encrypted_key, nonce, content, tag] = [part()?, part()?, part()?, part()?, part()?];
    if parts.next().is_some() {
        return Err(malformed("it has not five parts"));
    }
    let read = read_header(header)?;
    if !encrypted_key.is_empty() {
        return Err(malformed("it holds an encrypted key"));
    }
    let bytes = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| malformed("a part is not base64url"));
    let nonce: [u8; NONCE_BYTES] =
        bytes(nonce)?.try_into().map_err(|_| malformed("its nonce has not 12 bytes"))?;
    let tag: [u8; TAG_BYTES] = bytes(tag)?.try_into().map_err(|_| malformed("its tag has not 16 bytes"))?;
    let mut content = bytes(content)?;
    cipher(key)
        .decrypt_inout_detached(
            &Nonce::<Aes256Gcm>::from(nonce),
            header.as_bytes(),
            content.as_mut_slice().into(),
            &Tag::<Aes256Gcm>::from(tag),
        )
        .map_err(|_| JweError::NotOpened)?;
    if read.zip.is_some() {
        content = decompress_to_vec_with_limit(&content, PLAIN_BYTES_MAX).map_err(|_| JweError::Inflate)?;
    }
    Ok(SealedFile { content_type: read.cty, content })
}

fn read_header(header: &str) -> Result<Header, JweError> {
    let malformed = |reason| JweError::Malformed { reason };
    if header.len() > HEADER_CHARS_MAX {
        return Err(malformed("its header is too long"));
    }
    let json = URL_SAFE_NO_PAD.decode(header).map_err(|_| malformed("its header is not base64url"))?;
    let read: Header =
        serde_json::from_slice(&json).map_err(|_| malformed("its header is not JSON of a JWE"))?;
    if read.alg != ALGORITHM || read.enc != ENCRYPTION {
        return Err(JweError::OtherCipher { algorithm: read.alg, encryption: read.enc });
    }
    if let Some(crit) = read.crit {
        return Err(JweError::Unsupported(crit.join(" ")));
    }
    if let Some(zip) = read.zip.as_deref().filter(|zip| *zip != DEFLATE) {
        return Err(JweError::Unsupported(zip.to_owned()));
    }
    if read.cty.as_deref().is_some_and(|cty| cty.len() > CONTENT_TYPE_CHARS_MAX) {
        return Err(malformed("its content type is too long"));
    }
    Ok(read)
}

fn cipher(key: &LinkKey) -> Aes256Gcm {
    Aes256Gcm::new(&(*key.expose()).into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use amulet_crypto::entropy::SeededEntropy;

    const FHIR: &str = "application/fhir+json";

    fn key(seed: u64) -> LinkKey {
        LinkKey::generate(&mut SeededEntropy::new(seed))
    }

    fn sealed(content: &[u8], compress: bool) -> String {
        seal(&key(1), FHIR, content, compress, &mut SeededEntropy::new(9)).unwrap()
    }

    fn with_header(jwe: &str, header: &str) -> String {
        format!("{}{}", URL_SAFE_NO_PAD.encode(header), &jwe[jwe.find('.').unwrap()..])
    }

    #[test]
    fn a_file_comes_back_and_only_with_its_key() {
        for (content, compress) in [(&b""[..], false), (b"{}", true), (&[7; 100_000], true)] {
            let jwe = sealed(content, compress);
            let read = open(&key(1), &jwe).unwrap();
            assert_eq!((read.content_type.as_deref(), read.content.as_slice()), (Some(FHIR), content));
            assert_eq!(open(&key(2), &jwe), Err(JweError::NotOpened));
        }
    }

    #[test]
    fn a_changed_file_does_not_open() {
        let jwe = sealed(b"{\"resourceType\":\"Bundle\"}", false);
        for at in 0..jwe.len() {
            let mut bytes = jwe.clone().into_bytes();
            bytes[at] = match bytes[at] {
                b'.' => b'A',
                b'A' => b'B',
                _ => b'A',
            };
            let changed = String::from_utf8(bytes).unwrap();
            assert!(changed == jwe || open(&key(1), &changed).is_err(), "at {at}");
        }
    }

    #[test]
    fn other_ciphers_and_extensions_are_refused() {
        let jwe = sealed(b"{}", false);
        let refused = |header: &str| open(&key(1), &with_header(&jwe, header)).unwrap_err();
        let other = |algorithm: &str, encryption: &str| JweError::OtherCipher {
            algorithm: algorithm.to_owned(),
            encryption: encryption.to_owned(),
        };
        assert_eq!(refused(r#"{"alg":"dir","enc":"SM4GCM"}"#), other("dir", "SM4GCM"));
        assert_eq!(refused(r#"{"alg":"none","enc":"A256GCM"}"#), other("none", "A256GCM"));
        assert_eq!(
            refused(r#"{"alg":"dir","enc":"A256GCM","zip":"BR"}"#),
            JweError::Unsupported("BR".to_owned())
        );
        assert_eq!(
            refused(r#"{"alg":"dir","enc":"A256GCM","crit":["b64"]}"#),
            JweError::Unsupported("b64".to_owned())
        );
        for broken in ["", "....", "a.b.c", "a.b.c.d.e.f"] {
            assert!(matches!(open(&key(1), broken), Err(JweError::Malformed { .. })), "{broken}");
        }
    }

    #[test]
    fn a_file_that_inflates_beyond_the_limit_is_stopped() {
        let fits = vec![0; PLAIN_BYTES_MAX];
        assert!(open(&key(1), &sealed(&fits, true)).is_ok());
        let large = vec![0; PLAIN_BYTES_MAX + 1];
        let refused = seal(&key(1), FHIR, &large, true, &mut SeededEntropy::new(9));
        assert_eq!(refused, Err(JweError::TooLarge { max: PLAIN_BYTES_MAX }));
        let bomb = bomb(&large);
        assert!(bomb.len() < 20_000);
        assert_eq!(open(&key(1), &bomb), Err(JweError::Inflate));
    }

    /// What somebody else would make who keeps to no limit.
    fn bomb(content: &[u8]) -> String {
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"dir","enc":"A256GCM","zip":"DEF"}"#);
        let mut bytes = compress_to_vec(content, 9);
        let tag = cipher(&key(1))
            .encrypt_inout_detached(&[0; 12].into(), header.as_bytes(), bytes.as_mut_slice().into())
            .unwrap();
        let [nonce, bytes, tag] =
            [&[0; 12][..], &bytes, tag.as_slice()].map(|part| URL_SAFE_NO_PAD.encode(part));
        format!("{header}..{nonce}.{bytes}.{tag}")
    }
}
