//! A wallet on its way to another device: the new one shows a key, the old one answers with the wallet sealed to it.
//!
//! ```text
//! new device shows   AMULETM1: chain, key for this once
//! old device shows   AMULETM2: box of a content key to that key || wallet file, under the content key
//! ```
//!
//! Who films both screens has the wallet file neither: it opens with the key of the new device, and then with the passphrase.
//! Who puts a code of their own in front of the old device is found by the digits that both devices show.

use amulet_crypto::content::{CONTENT_KEY_BYTES, ContentKey, open_content, seal_content};
use amulet_crypto::digest::{Tag, tagged};
use amulet_crypto::entropy::Entropy;
use amulet_crypto::sealed_box::{AgreementKey, AgreementPublicKey, SealContext, SealedBox};
use amulet_protocol::ids::ChainId;
use borsh::{BorshDeserialize, BorshSerialize};

use crate::code_text;

/// What the new device's code starts with.
pub const KEY_PREFIX: &str = "AMULETM1:";
/// What the old device's code starts with.
pub const WALLET_PREFIX: &str = "AMULETM2:";
/// Bytes of a wallet file that fits into a QR code which a phone reads from another's screen: about fifteen hospitals.
pub const MOVED_BYTES_MAX: usize = 1_000;
/// Characters of a code that is read.
const CODE_CHARS_MAX: usize = 3_000;

const CHECKSUM: Tag = Tag::new("amulet/v1/move-code");
const CONTEXT: Tag = Tag::new("amulet/v1/move");
const CHECK: Tag = Tag::new("amulet/v1/move-check");
const AAD: &[u8] = b"amulet/v1/moved-wallet";
/// The digits that people compare: two groups of four.
const CHECK_MODULUS: u64 = 100_000_000;

/// Why a code is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoveError {
    /// It is another kind of code.
    #[error("this is not the code of a device to move to or from")]
    NotOurs,
    /// It is ours, but cut off or changed.
    #[error("the code is cut off")]
    Damaged,
    /// The new device's app belongs to other hospitals.
    #[error("the other device belongs to another network")]
    OtherNetwork,
    /// The wallet was sealed for another device, or for a code that is over.
    #[error("the code was made for another device")]
    NotForThisDevice,
    /// The wallet has too many hospitals for a code.
    #[error("a wallet of {found} bytes does not fit into a code, at most {MOVED_BYTES_MAX} do")]
    TooLarge {
        /// Bytes of the wallet file.
        found: usize,
    },
}

/// What a new device shows: no secret.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct MoveCode {
    chain: ChainId,
    key: AgreementPublicKey,
}

#[derive(BorshSerialize, BorshDeserialize)]
struct Moved {
    key: SealedBox,
    wallet: Vec<u8>,
}

impl MoveCode {
    /// The code of a key that is used this once.
    #[must_use]
    pub fn new(chain: ChainId, key: &AgreementKey) -> Self {
        Self { chain, key: key.public_key().clone() }
    }

    /// The text of the QR code.
    #[must_use]
    pub fn qr_text(&self) -> String {
        code_text::write(KEY_PREFIX, CHECKSUM, self)
    }

    /// Reads what was scanned or pasted, for a wallet of this chain.
    ///
    /// # Errors
    /// [`MoveError::NotOurs`], [`MoveError::Damaged`], [`MoveError::OtherNetwork`].
    pub fn parse(text: &str, chain: ChainId) -> Result<Self, MoveError> {
        let code: Self = read(KEY_PREFIX, text)?;
        if code.chain == chain { Ok(code) } else { Err(MoveError::OtherNetwork) }
    }

    /// Eight digits of it, as people compare them.
    #[must_use]
    pub fn check(&self) -> String {
        let digest = tagged(CHECK, &[self.qr_text().as_bytes()]).to_bytes();
        let number = digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        let number = number % CHECK_MODULUS;
        format!("{:04} {:04}", number / 10_000, number % 10_000)
    }

    /// The text with which the old device hands the wallet file over.
    ///
    /// # Errors
    /// [`MoveError::TooLarge`].
    pub fn hand_over(&self, file: &[u8], entropy: &mut impl Entropy) -> Result<String, MoveError> {
        let too_large = MoveError::TooLarge { found: file.len() };
        if file.len() > MOVED_BYTES_MAX {
            return Err(too_large);
        }
        let key = ContentKey::generate(entropy);
        let wallet = seal_content(&key, AAD, file, entropy).map_err(|_| too_large)?;
        let key = SealedBox::seal(&self.key, &self.context(), &*key.expose_secret(), entropy);
        let moved = Moved { key: key.map_err(|_| too_large)?, wallet };
        Ok(code_text::write(WALLET_PREFIX, CHECKSUM, &moved))
    }

    /// The wallet file from what the old device shows, with the key of this code.
    ///
    /// # Errors
    /// [`MoveError::NotOurs`], [`MoveError::Damaged`], [`MoveError::NotForThisDevice`].
    pub fn take(&self, key: &AgreementKey, text: &str) -> Result<Vec<u8>, MoveError> {
        let moved: Moved = read(WALLET_PREFIX, text)?;
        let other = MoveError::NotForThisDevice;
        let opened = moved.key.open(key, &self.context()).map_err(|_| other)?;
        let bytes: &[u8; CONTENT_KEY_BYTES] = opened.as_slice().try_into().map_err(|_| other)?;
        let file = open_content(&ContentKey::from_bytes(bytes), AAD, &moved.wallet).map_err(|_| other)?;
        Ok(file.to_vec())
    }

    fn context(&self) -> SealContext {
        SealContext::new(CONTEXT, &[self.qr_text().as_bytes()])
    }
}

fn read<T: BorshDeserialize>(prefix: &str, text: &str) -> Result<T, MoveError> {
    let text = text.trim_matches(['\r', '\n', '\t', '\u{feff}']).trim_start();
    let start = text.get(..prefix.len()).filter(|_| text.len() <= CODE_CHARS_MAX).unwrap_or_default();
    if !start.eq_ignore_ascii_case(prefix) {
        return Err(MoveError::NotOurs);
    }
    code_text::read(CHECKSUM, &text[prefix.len()..]).ok_or(MoveError::Damaged)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use amulet_crypto::digest::sm3;
    use amulet_crypto::entropy::SeededEntropy;

    #[test]
    fn only_the_device_that_showed_the_code_takes_the_wallet() {
        let mut entropy = SeededEntropy::new(1);
        let chain = ChainId(sm3(b"chain"));
        let (key, thief) = (AgreementKey::generate(&mut entropy), AgreementKey::generate(&mut entropy));
        let shown = MoveCode::new(chain, &key);
        let scanned = MoveCode::parse(&format!("{}\n", shown.qr_text()), chain).unwrap();
        assert_eq!(scanned.check(), shown.check());
        assert_ne!(MoveCode::new(chain, &thief).check(), shown.check());
        let file = vec![7; 400];
        let text = scanned.hand_over(&file, &mut entropy).unwrap();
        assert_eq!(shown.take(&key, &text).unwrap(), file);
        let refused = MoveCode::new(chain, &thief).take(&thief, &text);
        assert_eq!(refused.unwrap_err(), MoveError::NotForThisDevice);
        assert_eq!(shown.take(&key, &text[..text.len() - 2]).unwrap_err(), MoveError::Damaged);
        assert_eq!(shown.take(&key, &shown.qr_text()).unwrap_err(), MoveError::NotOurs);
        let other = MoveCode::parse(&shown.qr_text(), ChainId(sm3(b"other")));
        assert_eq!(other.unwrap_err(), MoveError::OtherNetwork);
        let found = MOVED_BYTES_MAX + 1;
        let too_large = shown.hand_over(&vec![0; found], &mut entropy);
        assert_eq!(too_large.unwrap_err(), MoveError::TooLarge { found });
        // The longest code is one that a QR code of level M has room for.
        let longest = shown.hand_over(&vec![0; MOVED_BYTES_MAX], &mut entropy).unwrap();
        assert!(crate::qr::svg(&longest).is_ok() && longest.len() < CODE_CHARS_MAX, "{}", longest.len());
    }
}
