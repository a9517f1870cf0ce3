//! What a link's server is asked, and what it answers.

use crate::jwe::CIPHERTEXT_CHARS_MAX;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Files of one link.
pub const FILES_MAX: usize = 16;
/// Characters of the name a recipient gives itself.
pub const RECIPIENT_CHARS_MAX: usize = 200;
/// Characters of a passcode.
pub const PASSCODE_CHARS_MAX: usize = 64;
/// Bytes of a manifest request: a recipient and a passcode, with what JSON escapes add.
pub const REQUEST_BYTES_MAX: usize = 4_096;
/// Characters of a media type, a time or an address in a manifest.
const SHORT_CHARS_MAX: usize = 2_048;
/// Bytes of a manifest that is read: all its files embedded.
const MANIFEST_BYTES_MAX: usize = 4 * CIPHERTEXT_CHARS_MAX;

/// Why a request or a manifest is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Larger than any.
    #[error("it has {bytes} bytes, more than {max}")]
    TooLarge {
        /// Found.
        bytes: usize,
        /// Limit.
        max: usize,
    },
    /// Not the JSON of one.
    #[error("it is not the JSON that the standard describes")]
    Malformed,
    /// Nobody says who asks.
    #[error("the recipient must be named, with at most {RECIPIENT_CHARS_MAX} characters")]
    Recipient,
    /// A passcode longer than any.
    #[error("a passcode has at most {PASSCODE_CHARS_MAX} characters")]
    Passcode,
    /// More files than a link has.
    #[error("the manifest names {files} files, more than {FILES_MAX}")]
    Files {
        /// Named.
        files: usize,
    },
    /// A file that is neither embedded nor at a place, or whose members are too long.
    #[error("file {index} of the manifest is neither embedded nor at an address")]
    File {
        /// Which, from 0.
        index: usize,
    },
}

/// Asks for a manifest. The passcode is wiped when dropped and never printed.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ManifestRequest {
    /// Who asks, in words the patient will read, without space around them. Nobody checks them.
    pub recipient: String,
    /// The passcode, for a link that wants one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passcode: Option<String>,
    /// Longest file, in characters, that the asker wants within the manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embedded_length_max: Option<u64>,
}

impl ManifestRequest {
    /// Reads a request.
    ///
    /// # Errors
    /// [`ManifestError`]: too large, malformed, recipient, passcode.
    pub fn parse(json: &[u8]) -> Result<Self, ManifestError> {
        within(json, REQUEST_BYTES_MAX)?;
        let mut request: Self = serde_json::from_slice(json).map_err(|_| ManifestError::Malformed)?;
        let recipient = request.recipient.trim();
        if recipient.is_empty() || recipient.chars().count() > RECIPIENT_CHARS_MAX {
            return Err(ManifestError::Recipient);
        }
        // What is counted is what is kept.
        request.recipient = recipient.to_owned();
        if request.passcode.as_deref().is_some_and(|code| code.chars().count() > PASSCODE_CHARS_MAX) {
            return Err(ManifestError::Passcode);
        }
        Ok(request)
    }
}

impl Drop for ManifestRequest {
    fn drop(&mut self) {
        drop(Zeroizing::new(self.passcode.take()));
    }
}

/// Whether a link's files may still change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// They do not.
    Finalized,
    /// They may.
    CanChange,
    /// They are not to be used any more.
    NoLongerValid,
}

/// One file of a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct File {
    /// Media type of what is inside.
    pub content_type: String,
    /// The file itself, a compact JWE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embedded: Option<String>,
    /// Where it is for a short time, at most an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// When it was changed, ISO 8601.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_updated: Option<String>,
}

/// Which files a link has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Whether they may change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// The files.
    pub files: Vec<File>,
}

impl Manifest {
    /// Reads the manifest of somebody's server.
    ///
    /// # Errors
    /// [`ManifestError`]: too large, malformed, files, file.
    pub fn parse(json: &[u8]) -> Result<Self, ManifestError> {
        within(json, MANIFEST_BYTES_MAX)?;
        let manifest: Self = serde_json::from_slice(json).map_err(|_| ManifestError::Malformed)?;
        if manifest.files.len() > FILES_MAX {
            return Err(ManifestError::Files { files: manifest.files.len() });
        }
        let short = |text: &Option<String>| text.as_deref().is_none_or(|text| text.len() <= SHORT_CHARS_MAX);
        for (index, file) in manifest.files.iter().enumerate() {
            let fits = file.content_type.len() <= SHORT_CHARS_MAX
                && short(&file.location)
                && short(&file.last_updated)
                && file.embedded.as_deref().is_none_or(|jwe| jwe.len() <= CIPHERTEXT_CHARS_MAX);
            if !fits || file.embedded.is_none() && file.location.is_none() {
                return Err(ManifestError::File { index });
            }
        }
        Ok(manifest)
    }
}

/// Answer to a wrong passcode, with status 401.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WrongPasscode {
    /// Tries left in the link's whole life; at 0 it is closed for good.
    pub remaining_attempts: u32,
}

fn within(json: &[u8], max: usize) -> Result<(), ManifestError> {
    let bytes = json.len();
    if bytes > max { Err(ManifestError::TooLarge { bytes, max }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_request_names_who_asks() {
        let request = ManifestRequest::parse(
            br#"{"recipient":"Dr. Example","passcode":"1234","embeddedLengthMax":10,"more":1}"#,
        )
        .unwrap();
        assert_eq!((request.recipient.as_str(), request.embedded_length_max), ("Dr. Example", Some(10)));
        assert_eq!(request.passcode.as_deref(), Some("1234"));
        let spaces = " ".repeat(3_900);
        let padded = ManifestRequest::parse(format!(r#"{{"recipient":"a{spaces}"}}"#).as_bytes()).unwrap();
        assert_eq!(padded.recipient, "a");
        let refused = |json: &str| ManifestRequest::parse(json.as_bytes()).err();
        assert_eq!(refused(r#"{"recipient":"  "}"#), Some(ManifestError::Recipient));
        assert_eq!(refused(r#"{"passcode":"1"}"#), Some(ManifestError::Malformed));
        let long = "9".repeat(PASSCODE_CHARS_MAX + 1);
        assert_eq!(
            refused(&format!(r#"{{"recipient":"a","passcode":"{long}"}}"#)),
            Some(ManifestError::Passcode)
        );
        let bytes = REQUEST_BYTES_MAX + 1;
        assert_eq!(
            refused(&"x".repeat(bytes)),
            Some(ManifestError::TooLarge { bytes, max: REQUEST_BYTES_MAX })
        );
    }

    #[test]
    fn a_manifest_of_too_many_or_empty_files_is_refused() {
        let file = r#"{"contentType":"application/fhir+json","embedded":"a"}"#;
        let manifest = |files: &[&str]| {
            Manifest::parse(format!(r#"{{"status":"can-change","files":[{}]}}"#, files.join(",")).as_bytes())
        };
        let read = manifest(&[file]).unwrap();
        assert_eq!((read.status, read.files.len()), (Some(Status::CanChange), 1));
        let many = manifest(&[file; FILES_MAX + 1]);
        assert_eq!(many, Err(ManifestError::Files { files: FILES_MAX + 1 }));
        let nowhere = r#"{"contentType":"application/fhir+json"}"#;
        assert_eq!(manifest(&[file, nowhere]), Err(ManifestError::File { index: 1 }));
    }
}
