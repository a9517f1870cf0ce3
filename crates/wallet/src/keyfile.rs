//! The encrypted wallet file: the one thing on a device that cannot be fetched again.
//!
//! ```text
//! file    = header || sealed
//! header  = borsh (magic, version, id, role, name, chain, created, Argon2id parameters): in clear, authenticated
//! sealed  = borsh bytes: the payload (recovery words, relationships, seeds before), SM4-GCM under the passphrase's key,
//!           bound to the header
//! ```
//!
//! Name and role are in clear because the list of wallets shows them before anything is unlocked. Whoever changes them
//! makes the file unreadable, not misleading.

use amulet_crypto::digest::{Tag, tagged};
use amulet_crypto::entropy::Entropy;
use amulet_crypto::kdf::{Language, PhraseError, SEED_BYTES, Seed, SeedPhrase};
use amulet_crypto::passphrase::{PassphraseError, PassphraseParams, derive_key};
use amulet_crypto::signing::SigningKey;
use amulet_protocol::calls::{Call, RegisterIdentity};
use amulet_protocol::codec;
use amulet_protocol::ids::{ChainId, Did, Nonce, Timestamp};
use amulet_protocol::limits::{KEY_REPLACEMENTS_MAX, NAME_BYTES_MAX};
use amulet_protocol::transaction::{SignedTransaction, TRANSACTION_VERSION, Transaction};
use borsh::{BorshDeserialize, BorshSerialize};
use std::collections::BTreeSet;
use std::fmt;
use zeroize::{Zeroize, Zeroizing};

use crate::identity::{Identity, Relationship, Seeds};

const MAGIC: [u8; 8] = *b"AMULETKF";
const AAD: Tag = Tag::new("amulet/v1/key-file");

/// Version of the file format.
pub const KEY_FILE_VERSION: u16 = 2;
/// The version before, which is still read: it knew no replaced keys.
const KEY_FILE_VERSION_BEFORE: u16 = 1;
/// Bytes of a wallet file: the payload is some words, at most [`RELATIONSHIPS_MAX`] identities of 28 bytes, and as many seeds of
/// 64 bytes as keys can be replaced.
pub const KEY_FILE_BYTES_MAX: usize = 16 * 1024;
/// Seeds before the one in force.
pub const FORMER_SEEDS_MAX: usize = KEY_REPLACEMENTS_MAX as usize;
/// Hospitals that one wallet has an identity for.
pub const RELATIONSHIPS_MAX: usize = 256;
/// What wallet files are called, after their identifier.
pub const KEY_FILE_SUFFIX: &str = ".amulet";

/// Whose wallet it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Role {
    /// A patient.
    Patient,
    /// A practitioner.
    Clinician,
}

/// Identifier of a wallet file, random.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, BorshSerialize, BorshDeserialize)]
pub struct KeyFileId([u8; 8]);

impl KeyFileId {
    /// A new random identifier.
    pub fn generate(entropy: &mut impl Entropy) -> Self {
        let mut bytes = [0; 8];
        entropy.fill(&mut bytes);
        Self(bytes)
    }

    /// Name of the file on a device.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("{self}{KEY_FILE_SUFFIX}")
    }
}

impl fmt::Display for KeyFileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// What a wallet file says before it is unlocked; untrusted until then.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct KeyFileHeader {
    magic: [u8; 8],
    version: u16,
    /// Identifier.
    pub id: KeyFileId,
    /// Whose.
    pub role: Role,
    /// The person's name, as they wrote it.
    pub name: String,
    /// The chain its identities are registered on.
    pub chain: ChainId,
    /// When it was made.
    pub created: Timestamp,
    params: PassphraseParams,
}

#[derive(BorshSerialize, BorshDeserialize)]
struct StoredFile {
    header: KeyFileHeader,
    sealed: Vec<u8>,
}

#[derive(BorshSerialize, BorshDeserialize)]
struct Payload {
    words: String,
    relationships: Vec<Relationship>,
    /// Seeds before that of the words, the oldest first.
    former: Vec<[u8; SEED_BYTES]>,
}

impl Drop for Payload {
    fn drop(&mut self) {
        self.words.zeroize();
        self.former.zeroize();
    }
}

/// Room for all of it from the start: what grows leaves its secrets behind where it was.
fn encode(payload: &Payload) -> Zeroizing<Vec<u8>> {
    let mut plain = Zeroizing::new(Vec::with_capacity(KEY_FILE_BYTES_MAX));
    payload.serialize(&mut *plain).expect("encoding into memory does not fail");
    plain
}

/// The payload as it was before keys could be replaced.
#[derive(BorshDeserialize)]
struct PayloadBefore {
    words: String,
    relationships: Vec<(Did, u32)>,
}

impl Payload {
    fn decode(version: u16, plain: &[u8]) -> Result<Self, KeyFileError> {
        let payload = if version == KEY_FILE_VERSION_BEFORE {
            let before: PayloadBefore =
                codec::decode(plain, KEY_FILE_BYTES_MAX).map_err(|_| KeyFileError::Damaged)?;
            let relationships = before.relationships.into_iter();
            let relationships = relationships
                .map(|(hospital, index)| Relationship { index, ..Relationship::first(hospital) });
            Self { words: before.words, relationships: relationships.collect(), former: Vec::new() }
        } else {
            codec::decode(plain, KEY_FILE_BYTES_MAX).map_err(|_| KeyFileError::Damaged)?
        };
        check_relationships(&payload.relationships).map_err(|_| KeyFileError::Damaged)?;
        Ok(payload)
    }

    fn former(&self) -> Vec<Seed> {
        self.former.iter().map(Seed::from_bytes).collect()
    }
}

fn secrets(former: &[Seed]) -> Vec<[u8; SEED_BYTES]> {
    former.iter().map(|seed| *seed.expose_secret()).collect()
}

/// Why a wallet file cannot be made, read or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileError {
    /// The file is larger than any wallet file.
    #[error("the wallet file has {found} bytes, at most {KEY_FILE_BYTES_MAX} are read")]
    TooLarge {
        /// Bytes found.
        found: usize,
    },
    /// The bytes are no wallet file.
    #[error("this is not a wallet file")]
    NotAWallet,
    /// A format that this version does not know.
    #[error("wallet file version {found} is not {KEY_FILE_VERSION}")]
    Version {
        /// Found.
        found: u16,
    },
    /// The name is empty or too long; in bytes.
    #[error("a name has 1 to {NAME_BYTES_MAX} bytes, not {found}")]
    Name {
        /// Bytes found.
        found: usize,
    },
    /// No hospital, too many, or one of them twice.
    #[error(
        "a wallet file has 1 to {RELATIONSHIPS_MAX} different identities, not {found} of which {different} differ"
    )]
    Relationships {
        /// Identities found.
        found: usize,
        /// Different ones among them.
        different: usize,
    },
    /// The passphrase is not the one the file was sealed with.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// The passphrase cannot be used, or this device has too little memory.
    #[error(transparent)]
    Passphrase(PassphraseError),
    /// The passphrase is right, but header or content was changed.
    #[error("the wallet file was changed or is damaged")]
    Damaged,
    /// The keys were replaced as often as they can be.
    #[error("keys can be replaced {FORMER_SEEDS_MAX} times")]
    TooManySeeds,
    /// New words are those in force, or some before: whoever has those could do everything again.
    #[error("these recovery words were used for this wallet before")]
    WordsUsed,
    /// The file opens, but does not hold twelve recovery words.
    #[error(transparent)]
    Words(PhraseError),
}

impl From<PassphraseError> for KeyFileError {
    fn from(error: PassphraseError) -> Self {
        match error {
            PassphraseError::WrongPassphrase => Self::WrongPassphrase,
            PassphraseError::Damaged(_) => Self::Damaged,
            other => Self::Passphrase(other),
        }
    }
}

/// What a wallet holds once it is open. Neither `Clone` nor serialisable; the words wipe themselves.
pub struct OpenWallet {
    /// The clear part, now authentic.
    pub header: KeyFileHeader,
    /// The recovery words.
    pub phrase: SeedPhrase,
    /// The hospitals it has an identity for, the first one first.
    pub relationships: Vec<Relationship>,
    /// The seeds before that of the words, the oldest first.
    pub former: Vec<Seed>,
}

impl OpenWallet {
    /// All its seeds.
    #[must_use]
    pub fn into_seeds(self) -> Seeds {
        Seeds::with_former(self.former, self.phrase.to_seed())
    }
}

impl fmt::Debug for OpenWallet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenWallet").field("header", &self.header).finish_non_exhaustive()
    }
}

/// What belongs to a new wallet.
pub struct NewWallet<'a> {
    /// The person's name.
    pub name: &'a str,
    /// Whose.
    pub role: Role,
    /// The recovery words.
    pub phrase: &'a SeedPhrase,
    /// Its identities, the first one first; at least one, at most [`RELATIONSHIPS_MAX`].
    pub relationships: &'a [Relationship],
    /// The seeds before that of the words, the oldest first; none unless its keys were replaced.
    pub former: &'a [Seed],
    /// The chain.
    pub chain: ChainId,
    /// Now.
    pub created: Timestamp,
}

impl KeyFileHeader {
    /// Reads the clear part of a wallet file.
    ///
    /// # Errors
    /// [`KeyFileError::TooLarge`], [`KeyFileError::NotAWallet`], [`KeyFileError::Version`], [`KeyFileError::Name`].
    pub fn read(bytes: &[u8]) -> Result<Self, KeyFileError> {
        read(bytes).map(|file| file.header)
    }

    fn aad(&self) -> Vec<u8> {
        tagged(AAD, &[&codec::encode(self)]).as_ref().to_vec()
    }
}

/// Seals a new wallet file under a passphrase. Takes as long as [`derive_key`].
///
/// # Errors
/// [`KeyFileError::Name`], [`KeyFileError::Relationships`], [`KeyFileError::Passphrase`].
pub fn seal(
    new: &NewWallet<'_>,
    passphrase: &str,
    params: PassphraseParams,
    entropy: &mut impl Entropy,
) -> Result<(KeyFileId, Vec<u8>), KeyFileError> {
    let name = new.name.trim();
    check_name(name)?;
    let id = KeyFileId::generate(entropy);
    let header = KeyFileHeader {
        magic: MAGIC,
        version: KEY_FILE_VERSION,
        id,
        role: new.role,
        name: name.to_owned(),
        chain: new.chain,
        created: new.created,
        params,
    };
    let payload = Payload {
        words: new.phrase.words().join(" "),
        relationships: new.relationships.to_vec(),
        former: secrets(new.former),
    };
    check_relationships(&payload.relationships)?;
    if payload.former.len() > FORMER_SEEDS_MAX {
        return Err(KeyFileError::TooManySeeds);
    }
    let plain = encode(&payload);
    let sealed = derive_key(passphrase, &params)?.seal(&header.aad(), &plain, entropy)?;
    Ok((id, codec::encode(&StoredFile { header, sealed })))
}

/// Opens a wallet file. Takes as long as [`derive_key`].
///
/// # Errors
/// [`KeyFileError`] by variant. A changed salt or cost cannot be told from a wrong passphrase.
pub fn open(bytes: &[u8], passphrase: &str) -> Result<OpenWallet, KeyFileError> {
    let StoredFile { header, sealed } = read(bytes)?;
    let plain = derive_key(passphrase, &header.params)?.open(&header.aad(), &sealed)?;
    let mut payload = Payload::decode(header.version, &plain)?;
    let phrase = SeedPhrase::parse(&payload.words).map_err(KeyFileError::Words)?;
    let former = payload.former();
    Ok(OpenWallet { header, phrase, relationships: std::mem::take(&mut payload.relationships), former })
}

/// Adds an identity to a wallet file, for a hospital that it has none for. Takes as long as [`derive_key`].
///
/// # Errors
/// As [`open`]; [`KeyFileError::Relationships`] when it is full or has that hospital.
pub fn add_relationship(
    bytes: &[u8],
    passphrase: &str,
    hospital: Did,
    entropy: &mut impl Entropy,
) -> Result<Vec<u8>, KeyFileError> {
    change(bytes, passphrase, entropy, |payload| {
        payload.relationships.push(Relationship::made_under(hospital, payload.former.len()));
        check_relationships(&payload.relationships)
    })
}

/// Puts new recovery words in the place of those in a wallet file, and keeps the seed before. Takes as long as [`derive_key`].
///
/// # Errors
/// As [`open`]; [`KeyFileError::TooManySeeds`], [`KeyFileError::WordsUsed`].
pub fn replace_words(
    bytes: &[u8],
    passphrase: &str,
    phrase: &SeedPhrase,
    entropy: &mut impl Entropy,
) -> Result<Vec<u8>, KeyFileError> {
    change(bytes, passphrase, entropy, |payload| {
        if payload.former.len() >= FORMER_SEEDS_MAX {
            return Err(KeyFileError::TooManySeeds);
        }
        let before =
            SeedPhrase::parse(&payload.words).map_err(KeyFileError::Words)?.to_seed().expose_secret();
        let new = phrase.to_seed().expose_secret();
        if payload.former.iter().chain([&*before]).any(|used| *used == *new) {
            return Err(KeyFileError::WordsUsed);
        }
        // Copied by hand: a list that makes room for itself leaves its seeds behind where it was.
        let mut former = Vec::with_capacity(payload.former.len() + 1);
        former.extend_from_slice(&payload.former);
        former.push(*before);
        payload.former.zeroize();
        payload.former = former;
        payload.words.zeroize();
        payload.words = phrase.words().join(" ");
        Ok(())
    })
}

/// Seals a wallet file under another passphrase, with another salt. Takes as long as [`derive_key`] for each.
///
/// # Errors
/// As [`open`].
pub fn change_passphrase(
    bytes: &[u8],
    passphrase: &str,
    new: &str,
    params: PassphraseParams,
    entropy: &mut impl Entropy,
) -> Result<Vec<u8>, KeyFileError> {
    let StoredFile { mut header, sealed } = read(bytes)?;
    let plain = derive_key(passphrase, &header.params)?.open(&header.aad(), &sealed)?;
    let payload = Payload::decode(header.version, &plain)?;
    header.version = KEY_FILE_VERSION;
    header.params = params;
    let plain = encode(&payload);
    let sealed = derive_key(new, &params)?.seal(&header.aad(), &plain, entropy)?;
    Ok(codec::encode(&StoredFile { header, sealed }))
}

/// Opens a wallet file, changes what it holds, and seals it again under the same passphrase.
fn change(
    bytes: &[u8],
    passphrase: &str,
    entropy: &mut impl Entropy,
    edit: impl FnOnce(&mut Payload) -> Result<(), KeyFileError>,
) -> Result<Vec<u8>, KeyFileError> {
    let StoredFile { mut header, sealed } = read(bytes)?;
    let key = derive_key(passphrase, &header.params)?;
    let plain = key.open(&header.aad(), &sealed)?;
    let mut payload = Payload::decode(header.version, &plain)?;
    edit(&mut payload)?;
    header.version = KEY_FILE_VERSION;
    let plain = encode(&payload);
    let sealed = key.seal(&header.aad(), &plain, entropy)?;
    Ok(codec::encode(&StoredFile { header, sealed }))
}

fn check_relationships(relationships: &[Relationship]) -> Result<(), KeyFileError> {
    let found = relationships.len();
    let different: BTreeSet<(Did, u32)> =
        relationships.iter().map(|relationship| (relationship.hospital, relationship.index)).collect();
    if (1..=RELATIONSHIPS_MAX).contains(&found) && different.len() == found {
        Ok(())
    } else {
        Err(KeyFileError::Relationships { found, different: different.len() })
    }
}

fn read(bytes: &[u8]) -> Result<StoredFile, KeyFileError> {
    if bytes.len() > KEY_FILE_BYTES_MAX {
        return Err(KeyFileError::TooLarge { found: bytes.len() });
    }
    let (Some(magic), Some(version)) = (bytes.get(..8), bytes.get(8..10)) else {
        return Err(KeyFileError::NotAWallet);
    };
    if magic != MAGIC {
        return Err(KeyFileError::NotAWallet);
    }
    let version = u16::from_le_bytes([version[0], version[1]]);
    if ![KEY_FILE_VERSION, KEY_FILE_VERSION_BEFORE].contains(&version) {
        return Err(KeyFileError::Version { found: version });
    }
    let file: StoredFile = codec::decode(bytes, KEY_FILE_BYTES_MAX).map_err(|_| KeyFileError::Damaged)?;
    check_name(&file.header.name)?;
    Ok(file)
}

fn check_name(name: &str) -> Result<(), KeyFileError> {
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        return Err(KeyFileError::Name { found: name.len() });
    }
    Ok(())
}

/// A wallet made ahead for somebody, as for the people of a demonstration.
pub struct CreatedWallet {
    /// Identifier of the file.
    pub id: KeyFileId,
    /// The encrypted file.
    pub file: Vec<u8>,
    /// The identities, in the order of the hospitals, whose DIDs are to be registered; at least one.
    pub identities: Vec<Identity>,
}

impl CreatedWallet {
    /// The identity at the first hospital.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        self.identities.first().expect("a wallet is sealed with at least one relationship")
    }
}

/// Makes a wallet with new recovery words.
///
/// # Errors
/// As [`seal`].
#[allow(
    clippy::too_many_arguments,
    reason = "each is one fact about the new wallet, and there is one kind of caller"
)]
pub fn create(
    name: &str,
    role: Role,
    language: Language,
    hospitals: &[Did],
    chain: ChainId,
    created: Timestamp,
    passphrase: &str,
    params: PassphraseParams,
    entropy: &mut impl Entropy,
) -> Result<CreatedWallet, KeyFileError> {
    let phrase = SeedPhrase::generate(language, entropy);
    let relationships: Vec<Relationship> = hospitals.iter().copied().map(Relationship::first).collect();
    let new =
        NewWallet { name, role, phrase: &phrase, relationships: &relationships, former: &[], chain, created };
    let (id, file) = seal(&new, passphrase, params, entropy)?;
    let seed = phrase.to_seed();
    let identities = relationships.iter().map(|relationship| Identity::derive(&seed, *relationship));
    Ok(CreatedWallet { id, file, identities: identities.collect() })
}

/// The transaction that registers an identity on the ledger; the first of its sender.
#[must_use]
pub fn registration(identity: &Identity, chain: ChainId) -> SignedTransaction {
    let call = Call::RegisterIdentity(RegisterIdentity {
        signing: identity.signing.public_key().clone(),
        agreement: identity.agreement.public_key().clone(),
    });
    sign_call(&identity.signing, identity.did, chain, Nonce(1), call)
}

/// Signs a call as a transaction.
#[must_use]
pub fn sign_call(
    key: &SigningKey,
    sender: Did,
    chain: ChainId,
    nonce: Nonce,
    call: Call,
) -> SignedTransaction {
    Transaction { version: TRANSACTION_VERSION, chain, sender, nonce, call }.sign(key)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use amulet_crypto::digest::sm3;
    use amulet_crypto::entropy::SeededEntropy;

    const PASSPHRASE: &str = "rain on the tin roof";

    fn made() -> CreatedWallet {
        let mut entropy = SeededEntropy::new(7);
        let hospital = Did::of_key(SigningKey::generate(&mut entropy).public_key());
        let params = PassphraseParams::floor(&mut entropy);
        let chain = ChainId(sm3(b"chain"));
        create(
            "王芳",
            Role::Patient,
            Language::SimplifiedChinese,
            &[hospital],
            chain,
            Timestamp(5),
            PASSPHRASE,
            params,
            &mut entropy,
        )
        .unwrap()
    }

    #[test]
    fn a_wallet_opens_with_its_passphrase_and_gives_the_same_identity() {
        let made = made();
        let header = KeyFileHeader::read(&made.file).unwrap();
        assert_eq!((header.name.as_str(), header.role, header.id), ("王芳", Role::Patient, made.id));
        let open = open(&made.file, PASSPHRASE).unwrap();
        let again = Identity::derive(&open.phrase.to_seed(), open.relationships[0]);
        assert_eq!(again.did, made.identity().did);
        let words = open.phrase.words();
        assert!(!words.iter().any(|word| contains(&made.file, word.as_bytes())), "the words are readable");
    }

    #[test]
    fn a_wrong_passphrase_is_told_from_a_damaged_file() {
        let made = made();
        assert_eq!(open(&made.file, "rain on the tin rooF").unwrap_err(), KeyFileError::WrongPassphrase);
        let mut damaged = made.file.clone();
        *damaged.last_mut().unwrap() ^= 1;
        assert_eq!(open(&damaged, PASSPHRASE).unwrap_err(), KeyFileError::Damaged);
        assert_eq!(open(&made.file[..made.file.len() - 1], PASSPHRASE).unwrap_err(), KeyFileError::Damaged);
    }

    #[test]
    fn a_changed_name_or_role_makes_the_file_unreadable() {
        let made = made();
        let mut renamed = made.file.clone();
        let at = renamed.windows(6).position(|window| window == "王芳".as_bytes()).unwrap();
        renamed[at..at + 6].copy_from_slice("王方".as_bytes());
        assert_eq!(KeyFileHeader::read(&renamed).unwrap().name, "王方");
        assert_eq!(open(&renamed, PASSPHRASE).unwrap_err(), KeyFileError::Damaged);
        let mut promoted = made.file;
        promoted[18] ^= 1;
        assert_eq!(KeyFileHeader::read(&promoted).unwrap().role, Role::Clinician);
        assert_eq!(open(&promoted, PASSPHRASE).unwrap_err(), KeyFileError::Damaged);
    }

    #[test]
    fn what_is_no_wallet_file_is_refused_before_the_costly_part() {
        let mut made = made();
        let too_large = vec![0; KEY_FILE_BYTES_MAX + 1];
        let found = too_large.len();
        assert_eq!(KeyFileHeader::read(&too_large).unwrap_err(), KeyFileError::TooLarge { found });
        assert_eq!(KeyFileHeader::read(b"").unwrap_err(), KeyFileError::NotAWallet);
        assert_eq!(KeyFileHeader::read(b"{\"resourceType\":1}").unwrap_err(), KeyFileError::NotAWallet);
        made.file[8] = 9;
        assert_eq!(KeyFileHeader::read(&made.file).unwrap_err(), KeyFileError::Version { found: 9 });
    }

    #[test]
    fn a_name_must_be_there_and_fit_the_ledger() {
        let mut entropy = SeededEntropy::new(8);
        let phrase = SeedPhrase::generate(Language::English, &mut entropy);
        let hospital = Did::of_key(SigningKey::generate(&mut entropy).public_key());
        let params = PassphraseParams::floor(&mut entropy);
        let long = "长".repeat(41);
        for (name, found) in [("  ", 0), (long.as_str(), 123)] {
            let chain = ChainId(sm3(b"chain"));
            let new = NewWallet {
                name,
                role: Role::Patient,
                phrase: &phrase,
                relationships: &[Relationship::first(hospital)],
                former: &[],
                chain,
                created: Timestamp(0),
            };
            let refused = seal(&new, PASSPHRASE, params, &mut entropy).unwrap_err();
            assert_eq!(refused, KeyFileError::Name { found });
        }
    }

    #[test]
    fn a_hospital_is_added_with_the_passphrase_alone_and_only_once() {
        let made = made();
        let mut entropy = SeededEntropy::new(9);
        let first = open(&made.file, PASSPHRASE).unwrap();
        let other = Did::of_key(SigningKey::generate(&mut entropy).public_key());
        let refused = add_relationship(&made.file, "another", other, &mut entropy).unwrap_err();
        assert_eq!(refused, KeyFileError::WrongPassphrase);
        let file = add_relationship(&made.file, PASSPHRASE, other, &mut entropy).unwrap();
        let both = open(&file, PASSPHRASE).unwrap();
        assert_eq!(both.relationships, [first.relationships[0], Relationship::first(other)]);
        assert_eq!((both.header, both.phrase.words()), (first.header, first.phrase.words()));
        let again = add_relationship(&file, PASSPHRASE, other, &mut entropy).unwrap_err();
        assert_eq!(again, KeyFileError::Relationships { found: 3, different: 2 });
    }

    #[test]
    fn no_more_hospitals_are_taken_than_a_file_may_hold() {
        let mut entropy = SeededEntropy::new(10);
        let phrase = SeedPhrase::generate(Language::English, &mut entropy);
        let mut hospitals: Vec<Did> = (0..=RELATIONSHIPS_MAX)
            .map(|_| Did::of_key(SigningKey::generate(&mut entropy).public_key()))
            .collect();
        let params = PassphraseParams::floor(&mut entropy);
        let mut sealed = |hospitals: &[Did]| {
            let (role, chain, created) = (Role::Patient, ChainId(sm3(b"chain")), Timestamp(0));
            let relationships: Vec<_> = hospitals.iter().copied().map(Relationship::first).collect();
            let relationships = &relationships;
            let former: Vec<Seed> = (0..FORMER_SEEDS_MAX).map(|_| phrase.to_seed()).collect();
            let former = &former;
            let new =
                NewWallet { name: "Wang Fang", role, phrase: &phrase, relationships, former, chain, created };
            seal(&new, PASSPHRASE, params, &mut entropy)
        };
        let (found, different) = (RELATIONSHIPS_MAX + 1, RELATIONSHIPS_MAX + 1);
        assert_eq!(sealed(&hospitals).unwrap_err(), KeyFileError::Relationships { found, different });
        hospitals.pop();
        let (_, full) = sealed(&hospitals).unwrap();
        assert!(full.len() <= KEY_FILE_BYTES_MAX, "{} bytes", full.len());
        assert_eq!(open(&full, PASSPHRASE).unwrap().relationships.len(), RELATIONSHIPS_MAX);
    }

    #[test]
    fn new_words_take_the_place_of_the_old_and_the_person_stays_who_they_are() {
        let made = made();
        let mut entropy = SeededEntropy::new(11);
        let phrase = SeedPhrase::generate(Language::SimplifiedChinese, &mut entropy);
        let refused = replace_words(&made.file, "another", &phrase, &mut entropy).unwrap_err();
        assert_eq!(refused, KeyFileError::WrongPassphrase);
        let file = replace_words(&made.file, PASSPHRASE, &phrase, &mut entropy).unwrap();
        let hospital = Did::of_key(SigningKey::generate(&mut entropy).public_key());
        let file = add_relationship(&file, PASSPHRASE, hospital, &mut entropy).unwrap();
        let opened = open(&file, PASSPHRASE).unwrap();
        assert_eq!((opened.header.id, opened.phrase.words()), (made.id, phrase.words()));
        let [first, second] = opened.relationships[..] else { panic!("two identities") };
        assert_eq!((first.made_under, second), (0, Relationship::made_under(hospital, 1)));
        let seeds = opened.into_seeds();
        assert_eq!(Identity::of(&seeds, first).did, made.identity().did);
        assert!(Identity::of(&seeds, second).former.is_empty());
    }

    #[test]
    fn words_that_were_in_force_once_are_not_taken_as_new() {
        let made = made();
        let mut entropy = SeededEntropy::new(14);
        let first = open(&made.file, PASSPHRASE).unwrap().phrase;
        let refused = replace_words(&made.file, PASSPHRASE, &first, &mut entropy).unwrap_err();
        assert_eq!(refused, KeyFileError::WordsUsed);
        let second = SeedPhrase::generate(Language::English, &mut entropy);
        let file = replace_words(&made.file, PASSPHRASE, &second, &mut entropy).unwrap();
        for used in [&first, &second] {
            let refused = replace_words(&file, PASSPHRASE, used, &mut entropy).unwrap_err();
            assert_eq!(refused, KeyFileError::WordsUsed);
        }
    }

    #[test]
    fn another_passphrase_opens_the_same_wallet_and_the_old_one_does_not() {
        let made = made();
        let mut entropy = SeededEntropy::new(13);
        let params = PassphraseParams::floor(&mut entropy);
        let new = "a kettle hums behind the door";
        let refused = change_passphrase(&made.file, "another", new, params, &mut entropy).unwrap_err();
        assert_eq!(refused, KeyFileError::WrongPassphrase);
        let file = change_passphrase(&made.file, PASSPHRASE, new, params, &mut entropy).unwrap();
        assert_eq!(open(&file, PASSPHRASE).unwrap_err(), KeyFileError::WrongPassphrase);
        let (before, after) = (open(&made.file, PASSPHRASE).unwrap(), open(&file, new).unwrap());
        assert_eq!(after.phrase.words(), before.phrase.words());
        assert_eq!(after.relationships, before.relationships);
        assert_ne!(after.header.params.salt(), before.header.params.salt());
    }

    #[test]
    fn a_file_of_the_version_before_opens_and_becomes_one_of_this_version_when_it_changes() {
        let made = made();
        let opened = open(&made.file, PASSPHRASE).unwrap();
        let StoredFile { mut header, .. } = read(&made.file).unwrap();
        header.version = KEY_FILE_VERSION_BEFORE;
        let relationships: Vec<(Did, u32)> = vec![(opened.relationships[0].hospital, 0)];
        let plain = codec::encode(&(opened.phrase.words().join(" "), relationships));
        let mut entropy = SeededEntropy::new(12);
        let key = derive_key(PASSPHRASE, &header.params).unwrap();
        let sealed = key.seal(&header.aad(), &plain, &mut entropy).unwrap();
        let old = codec::encode(&StoredFile { header, sealed });
        let read = open(&old, PASSPHRASE).unwrap();
        assert_eq!(
            (read.phrase.words(), &read.relationships),
            (opened.phrase.words(), &opened.relationships)
        );
        let hospital = Did::of_key(SigningKey::generate(&mut entropy).public_key());
        let changed = add_relationship(&old, PASSPHRASE, hospital, &mut entropy).unwrap();
        assert_eq!(changed[8..10], KEY_FILE_VERSION.to_le_bytes());
        assert_eq!(open(&changed, PASSPHRASE).unwrap().relationships.len(), 2);
    }

    fn contains(bytes: &[u8], needle: &[u8]) -> bool {
        bytes.windows(needle.len()).any(|window| window == needle)
    }
}
