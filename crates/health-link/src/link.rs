//! The link itself: `shlink:/` and a base64url text of JSON.

use amulet_crypto::entropy::Entropy;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use std::fmt;
use zeroize::Zeroizing;

/// What a link begins with.
pub const SCHEME: &str = "shlink:/";
/// Characters of the address in a link, by the standard: the link has to fit into a QR code.
pub const URL_CHARS_MAX: usize = 128;
/// Characters of the label in a link, by the standard.
pub const LABEL_CHARS_MAX: usize = 80;
/// Characters of the key in a link: 32 bytes in base64url.
pub const KEY_CHARS: usize = 43;
/// Characters of a link that is read, a viewer's address before it included. A full payload is less than a thousand.
pub const LINK_CHARS_MAX: usize = 4_096;
/// The only version of the payload.
const VERSION: u32 = 1;
/// Bytes of a key.
const KEY_BYTES: usize = 32;

/// Why a text is no link that can be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// It does not hold `shlink:/`.
    #[error("the text is no SMART Health Link: it does not hold {SCHEME}")]
    NotALink,
    /// Longer than any link.
    #[error("the link has {chars} characters, more than {LINK_CHARS_MAX}")]
    TooLong {
        /// Characters of the text.
        chars: usize,
    },
    /// Neither base64url of JSON, nor the members the standard wants.
    #[error("the link is damaged: {reason}")]
    Damaged {
        /// What is wrong.
        reason: &'static str,
    },
    /// A payload of a later standard.
    #[error("the link is of version {found}, this program reads version {VERSION}")]
    Version {
        /// In the payload.
        found: u32,
    },
    /// The address is no web address, or too long.
    #[error(
        "the link's address must be https (or http on this machine) and have at most {URL_CHARS_MAX} characters"
    )]
    Url,
    /// The key is not 32 bytes in base64url.
    #[error("the link's key has not {KEY_CHARS} characters of base64url")]
    Key,
    /// The label is too long.
    #[error("the label has {chars} characters, more than {LABEL_CHARS_MAX}")]
    Label {
        /// Characters of the label.
        chars: usize,
    },
    /// A flag twice, out of order, or `P` together with `U`.
    #[error("the link's flags {flags:?} are none that go together")]
    Flags {
        /// As written.
        flags: String,
    },
}

/// The key of a link's files. Shown only as part of the link; wiped when dropped.
pub struct LinkKey(Zeroizing<[u8; KEY_BYTES]>);

impl LinkKey {
    /// A new random key.
    pub fn generate(entropy: &mut impl Entropy) -> Self {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        entropy.fill(bytes.as_mut_slice());
        Self(bytes)
    }

    /// Reads the 43 characters of a link.
    ///
    /// # Errors
    /// [`LinkError::Key`].
    pub fn parse(text: &str) -> Result<Self, LinkError> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        if text.len() != KEY_CHARS {
            return Err(LinkError::Key);
        }
        match URL_SAFE_NO_PAD.decode_slice(text, bytes.as_mut_slice()) {
            Ok(KEY_BYTES) => Ok(Self(bytes)),
            _ => Err(LinkError::Key),
        }
    }

    /// The key's bytes, to encrypt with.
    pub(crate) fn expose(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    fn text(&self) -> Zeroizing<String> {
        Zeroizing::new(URL_SAFE_NO_PAD.encode(self.0.as_slice()))
    }
}

impl fmt::Debug for LinkKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("LinkKey(…)")
    }
}

/// What kind of link it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// `L`: meant to be kept and asked again; its content may change.
    pub long_term: bool,
    /// `P`: the manifest is given only for a passcode.
    pub passcode: bool,
    /// `U`: no manifest; the address gives the one file.
    pub single_file: bool,
}

impl Flags {
    fn text(self) -> String {
        let letters = [('L', self.long_term), ('P', self.passcode), ('U', self.single_file)];
        letters.into_iter().filter(|(_, on)| *on).map(|(letter, _)| letter).collect()
    }

    /// Letters in alphabetical order; unknown ones are left out, as the standard may add some.
    fn parse(text: &str) -> Result<Self, LinkError> {
        let wrong = || LinkError::Flags { flags: text.to_owned() };
        let ordered = text.as_bytes().windows(2).all(|pair| pair[0] < pair[1]);
        if !ordered || !text.bytes().all(|letter| letter.is_ascii_uppercase()) {
            return Err(wrong());
        }
        let flags = Self {
            long_term: text.contains('L'),
            passcode: text.contains('P'),
            single_file: text.contains('U'),
        };
        if flags.passcode && flags.single_file { Err(wrong()) } else { Ok(flags) }
    }
}

/// A link, checked.
#[derive(Debug)]
pub struct Link {
    url: String,
    key: LinkKey,
    expires_at: Option<u64>,
    flags: Flags,
    label: Option<String>,
}

/// The JSON in a link. The key is text for a moment only.
#[derive(Serialize, Deserialize)]
struct Payload {
    url: String,
    key: String,
    /// A number that other programs may write with a fraction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exp: Option<serde_json::Number>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    flag: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    v: Option<u32>,
}

impl Link {
    /// A link to `url`. `expires_at` is in seconds since 1970: a hint for viewers, the server enforces it.
    ///
    /// # Errors
    /// [`LinkError::Url`], [`LinkError::Label`], [`LinkError::Flags`].
    pub fn new(
        url: String,
        key: LinkKey,
        expires_at: Option<u64>,
        flags: Flags,
        label: Option<String>,
    ) -> Result<Self, LinkError> {
        if url.len() > URL_CHARS_MAX || !is_web_address(&url) {
            return Err(LinkError::Url);
        }
        let chars = label.as_deref().map_or(0, |label| label.chars().count());
        if chars > LABEL_CHARS_MAX {
            return Err(LinkError::Label { chars });
        }
        if flags.passcode && flags.single_file {
            return Err(LinkError::Flags { flags: flags.text() });
        }
        Ok(Self { url, key, expires_at, flags, label })
    }

    /// Reads a link as it was scanned or pasted, with a viewer's address before it (`https://viewer.example/#shlink:/…`)
    /// or without.
    ///
    /// # Errors
    /// [`LinkError`] by variant.
    pub fn parse(text: &str) -> Result<Self, LinkError> {
        if text.len() > LINK_CHARS_MAX {
            return Err(LinkError::TooLong { chars: text.len() });
        }
        let text = text.trim();
        let encoded = match text.split_once(SCHEME) {
            Some((before, encoded)) if before.is_empty() || before.ends_with('#') => encoded,
            _ => return Err(LinkError::NotALink),
        };
        let damaged = |reason| LinkError::Damaged { reason };
        let json = Zeroizing::new(
            URL_SAFE_NO_PAD
                .decode(encoded.trim_end_matches('='))
                .map_err(|_| damaged("it is not base64url"))?,
        );
        let payload: Payload =
            serde_json::from_slice(&json).map_err(|_| damaged("it is not the JSON of a link"))?;
        let key_text = Zeroizing::new(payload.key);
        let version = payload.v.unwrap_or(VERSION);
        if version != VERSION {
            return Err(LinkError::Version { found: version });
        }
        let expires_at =
            payload.exp.map(|exp| seconds(&exp).ok_or(damaged("its end is no time"))).transpose()?;
        let flags = payload.flag.as_deref().map_or(Ok(Flags::default()), Flags::parse)?;
        Self::new(payload.url, LinkKey::parse(&key_text)?, expires_at, flags, payload.label)
    }

    /// The text to hand over. Whoever has it can read, with the passcode if one is asked for.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<String> {
        let flag = self.flags.text();
        let payload = Payload {
            url: self.url.clone(),
            key: self.key.text().to_string(),
            exp: self.expires_at.map(Into::into),
            flag: (!flag.is_empty()).then_some(flag),
            label: self.label.clone(),
            v: Some(VERSION),
        };
        let json =
            Zeroizing::new(serde_json::to_vec(&payload).expect("a payload of texts and numbers is JSON"));
        drop(Zeroizing::new(payload.key));
        Zeroizing::new(format!("{SCHEME}{}", URL_SAFE_NO_PAD.encode(json.as_slice())))
    }

    /// Where the manifest is, or with [`Flags::single_file`] the file.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Opens the files.
    #[must_use]
    pub fn key(&self) -> &LinkKey {
        &self.key
    }

    /// When it ends, in seconds since 1970.
    #[must_use]
    pub fn expires_at(&self) -> Option<u64> {
        self.expires_at
    }

    /// What kind of link it is.
    #[must_use]
    pub fn flags(&self) -> Flags {
        self.flags
    }

    /// The patient's words about it. Anybody's text: show it as such.
    #[must_use]
    pub fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }
}

/// Whole seconds; a fraction is dropped.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn seconds(number: &serde_json::Number) -> Option<u64> {
    /// Exactly representable as a floating point number, and millions of years away.
    const SECONDS_MAX: f64 = 9_007_199_254_740_991.0;
    number.as_u64().or_else(|| {
        number.as_f64().filter(|seconds| (0.0..=SECONDS_MAX).contains(seconds)).map(|seconds| seconds as u64)
    })
}

/// https anywhere; http only on this machine, where tests and first tries run.
fn is_web_address(url: &str) -> bool {
    let clean =
        url.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'#'));
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let host = if authority.starts_with('[') {
        authority.split_inclusive(']').next().unwrap_or_default()
    } else {
        authority.split(':').next().unwrap_or_default()
    };
    let here = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    clean && !host.is_empty() && !authority.contains('@') && (scheme == "https" || scheme == "http" && here)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use amulet_crypto::entropy::SeededEntropy;

    fn link(flags: Flags) -> Link {
        let key = LinkKey::generate(&mut SeededEntropy::new(1));
        let url = "https://hospital.example/shl/abc".to_owned();
        Link::new(url, key, Some(1_900_000_000), flags, Some("我的摘要".to_owned())).unwrap()
    }

    fn text_of(json: &str) -> String {
        format!("{SCHEME}{}", URL_SAFE_NO_PAD.encode(json))
    }

    #[test]
    fn a_link_comes_back_with_and_without_a_viewer_before_it() {
        let flags = Flags { long_term: true, passcode: true, single_file: false };
        let made = link(flags);
        for before in ["", "https://viewer.example/open#", "  "] {
            let read = Link::parse(&format!("{before}{}\n", made.expose().as_str())).unwrap();
            assert_eq!((read.url(), read.flags(), read.label()), (made.url(), flags, Some("我的摘要")));
            assert_eq!(read.expires_at(), Some(1_900_000_000));
            assert_eq!(read.key().expose(), made.key().expose());
        }
        assert!(!format!("{made:?}").contains(made.key().text().as_str()), "the key is never printed");
    }

    #[test]
    fn what_is_no_link_is_refused_by_name() {
        let key = "A".repeat(KEY_CHARS);
        let json = |rest: &str| text_of(&format!(r#"{{"url":"https://h.example/m","key":"{key}"{rest}}}"#));
        assert!(Link::parse(&json("")).is_ok());
        assert_eq!(Link::parse(&json(r#","exp":1700000000.9"#)).unwrap().expires_at(), Some(1_700_000_000));
        assert_eq!(Link::parse(&json(r#","v":2"#)).unwrap_err(), LinkError::Version { found: 2 });
        for flags in ["PU", "UL", "LL", "p"] {
            let refused = Link::parse(&json(&format!(r#","flag":"{flags}""#))).unwrap_err();
            assert_eq!(refused, LinkError::Flags { flags: flags.to_owned() });
        }
        for exp in ["-1", "1e300"] {
            let refused = Link::parse(&json(&format!(r#","exp":{exp}"#))).unwrap_err();
            assert_eq!(refused, LinkError::Damaged { reason: "its end is no time" });
        }
        let label = "长".repeat(LABEL_CHARS_MAX + 1);
        let refused = Link::parse(&json(&format!(r#","label":"{label}""#))).unwrap_err();
        assert_eq!(refused, LinkError::Label { chars: LABEL_CHARS_MAX + 1 });
        assert_eq!(Link::parse("https://h.example/#other").unwrap_err(), LinkError::NotALink);
        assert_eq!(Link::parse("see shlink:/abc").unwrap_err(), LinkError::NotALink);
        assert_eq!(
            Link::parse("shlink:/***").unwrap_err(),
            LinkError::Damaged { reason: "it is not base64url" }
        );
        let long = "x".repeat(LINK_CHARS_MAX + 1);
        assert_eq!(Link::parse(&long).unwrap_err(), LinkError::TooLong { chars: LINK_CHARS_MAX + 1 });
        let short_key = text_of(r#"{"url":"https://h.example/m","key":"AAAA"}"#);
        assert_eq!(Link::parse(&short_key).unwrap_err(), LinkError::Key);
    }

    #[test]
    fn only_addresses_of_the_web_are_followed() {
        let made = |url: &str| {
            let key = LinkKey::generate(&mut SeededEntropy::new(1));
            Link::new(url.to_owned(), key, None, Flags::default(), None).is_ok()
        };
        for good in
            ["https://h.example/m", "http://127.0.0.1:8101/shl/a", "http://[::1]:1/a", "http://localhost/a"]
        {
            assert!(made(good), "{good}");
        }
        let long = format!("https://h.example/{}", "x".repeat(URL_CHARS_MAX));
        for bad in [
            "http://h.example/m",
            "http://127.0.0.1.evil.example/m",
            "http://localhost@evil.example/m",
            "https:///m",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "https://h.example/m#x",
            "https://h.example/ m",
            &long,
        ] {
            assert!(!made(bad), "{bad}");
        }
    }
}
