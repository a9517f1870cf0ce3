//! Wallets on this device, their unlocking, and the first page.

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00 UTC.
pub type TimeMs = u64;

/// The languages of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// English.
    En,
    /// Simplified Chinese.
    Zh,
}

/// Whose wallet it is; decides which pages there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A patient.
    Patient,
    /// A practitioner registered by a hospital.
    Clinician,
}

/// A hospital of the consortium, with its name in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HospitalView {
    /// The organisation's DID.
    pub did: String,
    /// Name in English.
    pub name_en: String,
    /// Name in Chinese.
    pub name_zh: String,
}

/// Ask what is on this device.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Status {}

/// What the app shows before anything is unlocked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StatusView {
    /// The language chosen earlier; `None` on the first start.
    pub language: Option<Language>,
    /// Wallets on this device.
    pub wallets: Vec<WalletEntry>,
    /// The wallet that is open, if one is.
    pub session: Option<SessionView>,
    /// The consortium's hospitals.
    pub hospitals: Vec<HospitalView>,
    /// Demonstration people whose encrypted wallets can be copied here; empty outside a demonstration.
    pub demo_people: Vec<DemoPersonView>,
}

/// One wallet file on this device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WalletEntry {
    /// Local identifier of the file.
    pub id: String,
    /// The person's name, as they wrote it.
    pub name: String,
    /// Patient or clinician.
    pub role: Role,
}

/// A person of the demonstration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DemoPersonView {
    /// Identifier for [`AddDemoPerson`].
    pub id: String,
    /// Name.
    pub name: String,
    /// Patient or clinician.
    pub role: Role,
    /// Department and hospital of a clinician, in English.
    pub about_en: String,
    /// The same in Chinese.
    pub about_zh: String,
}

/// Make new recovery words.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NewWords {
    /// Language of the words.
    pub language: Language,
}

/// Twelve new recovery words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WordsView {
    /// The words in order.
    pub words: Vec<String>,
    /// Positions (from 1, ascending) the person is asked to type before the wallet is made.
    pub ask: Vec<usize>,
}

/// Check typed recovery words.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CheckWords {
    /// What was typed.
    pub text: String,
}

/// What the check of typed words found; words that look wrong come as an error instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WordsCheckView {
    /// Language of the words.
    pub language: Language,
}

/// Judge a passphrase.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PassphraseStrength {
    /// What was typed so far.
    pub passphrase: String,
}

/// How strong a passphrase is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrengthView {
    /// 0 (useless) to 4 (strong).
    pub score: u8,
    /// Whether a wallet may be protected by it.
    pub accepted: bool,
    /// What would make it better.
    pub hint: Option<StrengthHint>,
}

/// Advice for a better passphrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StrengthHint {
    /// Make it longer.
    Longer,
    /// It is on the lists attackers try first.
    Common,
    /// It repeats or counts up.
    Pattern,
    /// Add a word or two.
    MoreWords,
}

/// Create a wallet from the words last made by [`NewWords`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CreateWallet {
    /// The person's name, as they write it.
    pub name: String,
    /// The words at the positions asked for, in that order.
    pub answers: Vec<String>,
    /// Protects the wallet on this device.
    pub passphrase: String,
    /// DID of the hospital the person is cared for at; the first pairwise identity is for it.
    pub hospital: String,
}

/// Restore a patient's wallet from recovery words.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RestoreWallet {
    /// The person's name, as they write it.
    pub name: String,
    /// The words.
    pub words: String,
    /// Protects the wallet on this device.
    pub passphrase: String,
    /// DID of the hospital the identity was made for.
    pub hospital: String,
}

/// Copy a demonstration person's encrypted wallet here.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AddDemoPerson {
    /// From [`DemoPersonView`].
    pub id: String,
}

/// Open a wallet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Unlock {
    /// From [`WalletEntry`].
    pub id: String,
    /// Its passphrase.
    pub passphrase: String,
}

/// Forget the keys.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Lock {}

/// Remove a wallet from this device; only the recovery words bring it back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RemoveWallet {
    /// From [`WalletEntry`].
    pub id: String,
}

/// Choose the language of the interface.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SetLanguage {
    /// The language.
    pub language: Language,
}

/// The open wallet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionView {
    /// The wallet file.
    pub wallet: WalletEntry,
    /// The hospital of the first relationship, or the clinician's employer.
    pub hospital: HospitalView,
    /// The person's identities, one for each hospital that they deal with, the first one first.
    pub relationships: Vec<RelationshipView>,
    /// A clinician's department, as registered; `None` for patients.
    pub department: Option<String>,
}

impl SessionView {
    /// The person's DID at the first hospital.
    #[must_use]
    pub fn did(&self) -> &str {
        self.relationships.first().map_or("", |first| &first.did)
    }
}

/// A hospital, and who the person is there: on the ledger nothing joins these identities.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelationshipView {
    /// The hospital.
    pub hospital: HospitalView,
    /// The person's DID there.
    pub did: String,
}

/// Begin to deal with another hospital: an identity of its own is made for it and registered.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AddHospital {
    /// DID of the hospital.
    pub hospital: String,
    /// The wallet's passphrase: its file is sealed anew.
    pub passphrase: String,
}

/// Ask how far the running long task is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Progress {}

/// A long task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgressView {
    /// What is being done.
    pub task: Task,
    /// Steps done.
    pub done: u64,
    /// Steps in all; `None` while unknown.
    pub total: Option<u64>,
}

/// Kinds of long tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Deriving a key from the passphrase.
    Unlocking,
    /// Waiting for the hospitals to agree.
    WaitingForHospitals,
    /// Checking headers and proofs.
    Checking,
    /// Fetching records.
    Fetching,
    /// Decrypting records.
    Decrypting,
    /// Encrypting keys for the reader.
    Sealing,
    /// The hospital is taking in a file.
    TakingIn,
    /// Fetching a large record into a file, counted in mebibytes.
    SavingFile,
}

/// Ask the hospitals for news and check it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Sync {
    /// Whether all hospitals are asked, also where the person chose to spare a metered link.
    #[serde(default)]
    pub all: bool,
}

/// What the last check found: the sentence "4 of 4 hospitals agree, a minute ago" and the layer beneath it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckedView {
    /// Hospitals whose signature is on the newest block checked.
    pub signed: u16,
    /// Hospitals that answered the same.
    pub agreeing: u16,
    /// Hospitals that were asked: fewer than there are on a link that is to be spared.
    pub asked: u16,
    /// Hospitals in the consortium.
    pub total: u16,
    /// When the check ended.
    pub checked_at: TimeMs,
    /// Height of the newest block checked.
    pub height: u64,
    /// Its time.
    pub block_time: TimeMs,
    /// Its hash, in hex.
    pub header_hash: String,
    /// Hospitals that did not answer, by English name.
    pub unreachable: Vec<HospitalView>,
}

/// Ask for the first page.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Home {}

/// The patient's first page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HomeView {
    /// The last check; `None` before the first.
    pub checked: Option<CheckedView>,
    /// Requests that wait for an answer.
    pub requests_waiting: Vec<crate::access::RequestView>,
    /// Emergency accesses the person has not looked at yet.
    pub emergencies_unseen: Vec<crate::access::LogLineView>,
    /// Whether an emergency card is in force.
    pub has_card: bool,
    /// Records in all.
    pub records: u64,
    /// The newest records, at most five.
    pub newest: Vec<crate::records::RecordLineView>,
    /// Who can read something now.
    pub readers_now: u64,
    /// Accesses that ended and whose reader should have confirmed the deletion, and has not.
    pub deletions_overdue: u64,
    /// Records that a hospital should have erased, or answered about, and has not.
    #[serde(default)]
    pub erasures_overdue: u64,
    /// Whether this wallet's keys were replaced on another device, so that it speaks for nobody any more.
    #[serde(default)]
    pub keys_elsewhere: bool,
}

/// Ask for this person's codes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MyCodes {}

/// The codes by which others find this person, one for each hospital, in the order of [`SessionView::relationships`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MyCodesView {
    /// At least one.
    pub codes: Vec<MyCodeView>,
}

/// The code by which others find this person at one hospital.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MyCodeView {
    /// The hospital.
    pub hospital: HospitalView,
    /// What the QR code holds and what can be typed: the DID.
    pub text: String,
    /// The QR code as SVG markup, made by the wallet.
    pub qr_svg: String,
}
