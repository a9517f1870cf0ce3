//! The bridge between the user interface and the wallet: every call, its request and its reply.
//!
//! The same calls travel over Tauri's bridge (wallet in the native process) and stay inside the page (wallet compiled to
//! wasm); the interface does not know which. Views are plain data made for a screen: text that a person wrote or a
//! record holds, numbers, and closed enums that the interface puts into words in the user's language. No secret crosses
//! but those a person types or must see (passphrase, recovery words, card code).

pub mod access;
pub mod card;
pub mod checking;
pub mod checkpoints;
pub mod clinician;
pub mod console;
pub mod desktop;
pub mod erasure;
mod error;
pub mod files;
pub mod giving;
pub mod inbox;
pub mod keys;
pub mod links;
pub mod preferences;
pub mod records;
pub mod recovery;
pub mod reporting;
pub mod research;
pub mod security;
pub mod wallet;

pub use error::{ApiError, ErrorCode};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// One call of the bridge: a request that knows its reply.
pub trait Call: Serialize + DeserializeOwned + Into<Request> {
    /// What comes back when the call succeeds.
    type Reply: Serialize + DeserializeOwned;
}

macro_rules! calls {
    ($($(#[$meta:meta])* $name:ident: $module:ident => $reply:ty,)*) => {
        /// Every request that the wallet answers.
        #[derive(Debug, Clone, Serialize, Deserialize)]
        #[serde(tag = "call", content = "with", rename_all = "snake_case")]
        pub enum Request {
            $($(#[$meta])* $name($module::$name),)*
        }

        $(
            impl From<$module::$name> for Request {
                fn from(request: $module::$name) -> Self {
                    Self::$name(request)
                }
            }

            impl Call for $module::$name {
                type Reply = $reply;
            }
        )*
    };
}

calls! {
    /// What the app shows before anything is unlocked.
    Status: wallet => wallet::StatusView,
    /// Make new recovery words; they are kept in memory until the wallet is created.
    NewWords: wallet => wallet::WordsView,
    /// Check words typed by a person.
    CheckWords: wallet => wallet::WordsCheckView,
    /// Judge a passphrase.
    PassphraseStrength: wallet => wallet::StrengthView,
    /// Create a wallet from the words just shown and register its identity.
    CreateWallet: wallet => wallet::SessionView,
    /// Restore a wallet from recovery words.
    RestoreWallet: wallet => wallet::SessionView,
    /// Copy a demonstration person's encrypted wallet file onto this device.
    AddDemoPerson: wallet => wallet::WalletEntry,
    /// Open a wallet with its passphrase.
    Unlock: wallet => wallet::SessionView,
    /// Forget the keys.
    Lock: wallet => (),
    /// Remove a wallet from this device.
    RemoveWallet: wallet => (),
    /// Choose the language.
    SetLanguage: wallet => (),
    /// How far the running long task is.
    Progress: wallet => Option<wallet::ProgressView>,
    /// Ask the hospitals for news and check it.
    Sync: wallet => wallet::CheckedView,
    /// The person is using the app.
    Touch: security => (),
    /// When the wallet locks by itself.
    AutoLock: security => security::AutoLockView,
    /// Choose when wallets lock by themselves.
    SetAutoLock: security => security::AutoLockView,
    /// Change the passphrase.
    ChangePassphrase: security => (),
    /// Who this wallet's guardians are.
    Guardians: recovery => recovery::GuardiansView,
    /// Split the recovery words among guardians.
    MakeSheets: recovery => recovery::SheetsView,
    /// Read sheets as they are scanned or typed.
    ReadSheets: recovery => recovery::SheetsReadView,
    /// Try out whether sheets give this wallet's words back.
    TrySheets: recovery => recovery::GuardiansView,
    /// Restore a wallet from guardians' sheets.
    RestoreFromSheets: recovery => wallet::SessionView,
    /// Save the wallet, encrypted, as a file.
    SaveBackup: recovery => files::SavedFileView,
    /// Put a wallet from a backup file onto this device.
    RestoreBackup: recovery => wallet::SessionView,
    /// On a new device: show the code with which another hands its wallet over.
    BeginMove: recovery => recovery::MoveCodeView,
    /// On the old device: the digits of a new device's code.
    ReadMoveCode: recovery => recovery::MoveCheckView,
    /// On the old device: hand the wallet over.
    HandOver: recovery => recovery::HandedOverView,
    /// On the new device: take the wallet.
    FinishMove: recovery => wallet::SessionView,
    /// How it stands with this wallet's keys.
    Keys: keys => keys::KeysView,
    /// Replace all keys by those of the words just shown.
    ReplaceKeys: keys => keys::KeysView,
    /// What the last checks found, hospital by hospital.
    Checking: checking => checking::CheckingView,
    /// Whether this wallet reports how the hospitals' nodes served.
    Reporting: reporting => reporting::ReportingView,
    /// Turn reporting on or off.
    SetReporting: reporting => reporting::ReportingView,
    /// Report, if it is on and due.
    SendReport: reporting => bool,
    /// What goes on in the background.
    Background: checking => checking::BackgroundView,
    /// Pause what goes on in the background, or spare a metered link.
    SetBackground: checking => checking::BackgroundView,
    /// This device's checkpoint.
    ShowCheckpoint: checkpoints => checkpoints::CheckpointView,
    /// Compare another device's checkpoint.
    CompareCheckpoint: checkpoints => checkpoints::ComparisonView,
    /// Start from another device's checkpoint.
    StartFromCheckpoint: checkpoints => checkpoints::ComparisonView,
    /// The patient's first page.
    Home: wallet => wallet::HomeView,
    /// The codes by which clinicians and hospitals find this person.
    MyCodes: wallet => wallet::MyCodesView,
    /// Begin to deal with another hospital.
    AddHospital: wallet => wallet::SessionView,
    /// All records, newest first.
    Records: records => records::TimelineView,
    /// One record in full.
    Record: records => records::RecordView,
    /// Every test that was measured.
    Labs: records => records::LabsView,
    /// Every medicine that a record orders or tells of.
    Medicines: records => records::MedicinesView,
    /// Everything that ever happened to one record.
    RecordStory: records => records::RecordStoryView,
    /// How it stands with the erasure of a record.
    RecordErasure: erasure => erasure::RecordErasureView,
    /// Ask the hospital that registered a record to have it erased.
    RequestErasure: erasure => (),
    /// Save the content of a large record as a file.
    SaveLarge: files => Option<files::SavedFileView>,
    /// Stop saving a large record.
    CancelSaving: files => (),
    /// What the emergency card could show.
    CardDraft: card => card::CardDraftView,
    /// Make or replace the emergency card.
    MakeCard: card => card::CardView,
    /// The card in force.
    Card: card => Option<card::CardView>,
    /// A picture of the card for a phone's lock screen.
    SaveCardPicture: card => files::SavedFileView,
    /// Make the card in force worthless.
    RevokeCard: card => (),
    /// Requests, active shares and ended shares.
    Sharing: access => access::SharingView,
    /// To whose staff access can be given.
    Recipients: giving => giving::RecipientsView,
    /// What would be opened on these terms.
    PreviewGiving: giving => giving::GivingPreviewView,
    /// Sign a grant that nobody asked for.
    GiveAccess: giving => giving::GivenView,
    /// SMART Health Links that were handed out.
    HealthLinks: links => links::HealthLinksView,
    /// Make one.
    MakeHealthLink: links => links::MadeHealthLinkView,
    /// Take one back.
    RevokeHealthLink: links => (),
    /// Studies that can be joined, and those that were.
    Research: research => research::ResearchView,
    /// What taking part in a study would open.
    PreviewStudy: research => research::StudyPreviewView,
    /// Sign the grant by which the patient takes part.
    JoinStudy: research => giving::GivenView,
    /// Take back every grant by which the patient takes part.
    LeaveStudy: research => (),
    /// What the patient has settled beforehand.
    Preferences: preferences => preferences::PreferencesView,
    /// Settle it otherwise.
    SetPreferences: preferences => preferences::PreferencesView,
    /// What a request would expose.
    Exposure: access => access::ExposureView,
    /// Sign the grant that answers a request.
    GrantRequest: access => access::ShareView,
    /// Turn a request down.
    DeclineRequest: access => (),
    /// Take a grant back.
    RevokeGrant: access => (),
    /// Open nothing under a grant until it is resumed.
    PauseGrant: access => (),
    /// Let a paused grant go on.
    ResumeGrant: access => (),
    /// Let a grant last longer.
    ExtendGrant: access => (),
    /// What a grant opens, record by record.
    ShareRecords: access => access::ShareRecordsView,
    /// Let a grant open less.
    NarrowGrant: access => (),
    /// Everything that ever happened to this person's records.
    AccessLog: access => access::AccessLogView,
    /// Report an emergency access as not right.
    DisputeEmergency: access => (),
    /// The proof behind one line of the log.
    LogProof: access => access::ProofView,
    /// Something proven, as a file that others can check.
    SaveProof: files => files::SavedFileView,
    /// A contradiction between hospitals, as a file that others can check.
    SaveContradiction: files => files::SavedFileView,
    /// The patient summary, as a file for another doctor.
    SaveSummary: files => files::SavedSummaryView,
    /// Grants, accesses and registrations, as a file of FHIR resources.
    SaveAccessHistory: files => files::SavedFileView,
    /// Grants, as a file of FHIR R5 consents.
    SaveConsents: files => files::SavedFileView,
    /// Read a scanned or typed card code.
    ReadCard: clinician => clinician::CardPreviewView,
    /// Declare an emergency and open the summary once it is on the ledger.
    DeclareEmergency: clinician => clinician::EmergencyView,
    /// Open the summary of a declaration that is still running.
    OpenEmergency: clinician => clinician::EmergencyView,
    /// Find a person by their code, before asking.
    FindPatient: clinician => clinician::PatientFoundView,
    /// Ask a patient for access.
    AskAccess: clinician => clinician::MyAccessView,
    /// What this clinician asked for, may read, and did read.
    MyAccesses: clinician => clinician::MyAccessesView,
    /// Read the records of a grant; the use is recorded first.
    ReadGrant: clinician => clinician::GrantedRecordsView,
    /// Sign that everything read under an ended grant is deleted.
    ConfirmDeletion: clinician => (),
    /// Bring a patient's FHIR file in at this clinician's hospital.
    Intake: clinician => clinician::IntakeView,
    /// What needs the person, or is worth knowing.
    Inbox: inbox => inbox::InboxView,
    /// Count items of the inbox as read.
    ReadInbox: inbox => inbox::InboxView,
    /// The link that the system handed over.
    OpenedLink: desktop => Option<desktop::LinkView>,
    /// Whether this device shows system notices.
    Notices: desktop => desktop::NoticesView,
    /// Show system notices or none.
    SetNotices: desktop => desktop::NoticesView,
    /// How the values measured in a record went over time.
    RecordTrends: records => Vec<records::TrendView>,
}
