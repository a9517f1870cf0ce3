//! Every page and its address.

use crate::components::shell::Shell;
use crate::filter::Filter;
use crate::pages::checking::CheckingPage;
use crate::pages::checkpoint::{compare::CheckpointCompare, show::CheckpointShow, start::CheckpointStart};
use crate::pages::clinician::{
    accesses::Accesses, ask::Ask, declare::Declare, emergency::Emergency, intake::BringIn, reading::Reading,
    scan::Scan,
};
use crate::pages::console::{blocks::ConsoleBlocks, overview::Console};
use crate::pages::inbox::Inbox;
use crate::pages::patient::{
    abroad::Abroad, card::Card, card_make::CardMake, card_print::CardPrint, code::Code, give::Give,
    home::Home, hospitals::Hospitals, labs::Labs, log::Log, log_line::LogLine, medicines::Medicines,
    narrow::Narrow, preferences::Preferences, record::Record, record_story::RecordStory, records::Records,
    request::Request, research::Research, sharing::Sharing, study::Study,
};
use crate::pages::security::{
    backup::Backup, erase::Erase, guardians::Guardians, hand_over::HandOver, overview::Security,
    passphrase::ChangePassphrase, replace_keys::ReplaceKeys,
};
use crate::pages::settings::Settings;
use crate::pages::start::{
    create::Create, from_device::RestoreDevice, from_file::RestoreFile, from_sheets::RestoreSheets,
    not_found::NotFound, restore::Restore, unlock::Unlock, welcome::Welcome,
};
use amulet_app_api::desktop::LinkView;
use amulet_app_api::wallet::Role;
use dioxus::prelude::*;

/// The pages.
#[derive(Clone, Debug, PartialEq, Routable)]
#[rustfmt::skip]
pub enum Route {
    #[layout(Shell)]
    #[route("/")]
    Welcome {},
    #[route("/create")]
    Create {},
    #[route("/restore")]
    Restore {},
    #[route("/restore/sheets")]
    RestoreSheets {},
    #[route("/restore/file")]
    RestoreFile {},
    #[route("/restore/device")]
    RestoreDevice {},
    #[route("/unlock/:id")]
    Unlock { id: String },

    #[route("/home")]
    Home {},
    #[route("/records?:..filter")]
    Records { filter: Filter },
    #[route("/labs")]
    Labs {},
    #[route("/medicines")]
    Medicines {},
    #[route("/records/:id")]
    Record { id: String },
    #[route("/records/:id/story")]
    RecordStory { id: String },
    #[route("/sharing")]
    Sharing {},
    #[route("/sharing/requests/:id")]
    Request { id: String },
    #[route("/sharing/give")]
    Give {},
    #[route("/sharing/less/:grant")]
    Narrow { grant: String },
    #[route("/sharing/abroad")]
    Abroad {},
    #[route("/research")]
    Research {},
    #[route("/research/:id")]
    Study { id: String },
    #[route("/preferences")]
    Preferences {},
    #[route("/hospitals")]
    Hospitals {},
    #[route("/card")]
    Card {},
    #[route("/card/make")]
    CardMake {},
    #[route("/card/print")]
    CardPrint {},
    #[route("/log?:..filter")]
    Log { filter: Filter },
    #[route("/log/:identity/:number")]
    LogLine { identity: u32, number: u64 },
    #[route("/code")]
    Code {},

    #[route("/scan")]
    Scan {},
    #[route("/declare")]
    Declare {},
    #[route("/emergency/:declaration")]
    Emergency { declaration: String },
    #[route("/ask")]
    Ask {},
    #[route("/accesses")]
    Accesses {},
    #[route("/accesses/:grant")]
    Reading { grant: String },
    #[route("/intake")]
    BringIn {},

    #[route("/console")]
    Console {},
    #[route("/console/blocks/:page")]
    ConsoleBlocks { page: u64 },

    #[route("/inbox")]
    Inbox {},
    #[route("/checking")]
    CheckingPage {},
    #[route("/checkpoint")]
    CheckpointShow {},
    #[route("/checkpoint/compare")]
    CheckpointCompare {},
    #[route("/checkpoint/start")]
    CheckpointStart {},
    #[route("/settings")]
    Settings {},
    #[route("/settings/security")]
    Security {},
    #[route("/settings/passphrase")]
    ChangePassphrase {},
    #[route("/settings/keys")]
    ReplaceKeys {},
    #[route("/settings/guardians")]
    Guardians {},
    #[route("/settings/backup")]
    Backup {},
    #[route("/settings/move")]
    HandOver {},
    #[route("/erase/:id")]
    Erase { id: String },
    #[route("/:..rest")]
    NotFound { rest: Vec<String> },
}

/// Who may see a page.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Anybody, with no wallet open.
    Anybody,
    /// Whoever has a wallet open.
    Owner,
    /// The owner of a wallet of this role.
    Only(Role),
}

impl Route {
    /// Who may see this page.
    pub fn audience(&self) -> Audience {
        match self {
            Self::Welcome {}
            | Self::Create {}
            | Self::Restore {}
            | Self::RestoreSheets {}
            | Self::RestoreFile {}
            | Self::RestoreDevice {}
            | Self::Unlock { .. }
            | Self::Erase { .. }
            | Self::CheckpointShow {}
            | Self::CheckpointCompare {}
            | Self::CheckpointStart {}
            | Self::Console {}
            | Self::ConsoleBlocks { .. }
            | Self::NotFound { .. } => Audience::Anybody,
            // A patient can be given access too, by a relative.
            Self::Inbox {}
            | Self::CheckingPage {}
            | Self::Settings {}
            | Self::Security {}
            | Self::ChangePassphrase {}
            | Self::ReplaceKeys {}
            | Self::Guardians {}
            | Self::Backup {}
            | Self::HandOver {}
            | Self::Accesses {}
            | Self::Reading { .. } => Audience::Owner,
            Self::Home {}
            | Self::Records { .. }
            | Self::Labs {}
            | Self::Medicines {}
            | Self::Record { .. }
            | Self::RecordStory { .. }
            | Self::Sharing {}
            | Self::Request { .. }
            | Self::Give {}
            | Self::Narrow { .. }
            | Self::Abroad {}
            | Self::Research {}
            | Self::Study { .. }
            | Self::Preferences {}
            | Self::Hospitals {}
            | Self::Card {}
            | Self::CardMake {}
            | Self::CardPrint {}
            | Self::Log { .. }
            | Self::LogLine { .. }
            | Self::Code {} => Audience::Only(Role::Patient),
            Self::Scan {} | Self::Declare {} | Self::Emergency { .. } | Self::Ask {} | Self::BringIn {} => {
                Audience::Only(Role::Clinician)
            }
        }
    }

    /// All records.
    pub fn records() -> Self {
        Self::Records { filter: Filter::default() }
    }

    /// The whole access log.
    pub fn log() -> Self {
        Self::Log { filter: Filter::default() }
    }

    /// Whether somebody may see this page whose open wallet has this role; `None` while none is open.
    pub fn is_for(&self, role: Option<Role>) -> bool {
        match self.audience() {
            Audience::Anybody => true,
            Audience::Owner => role.is_some(),
            Audience::Only(wanted) => role == Some(wanted),
        }
    }

    /// The page to which a link leads that another program handed over.
    pub fn of_link(link: &LinkView) -> Option<Self> {
        match link {
            LinkView::Inbox => Some(Self::Inbox {}),
            LinkView::Card => Some(Self::Card {}),
            LinkView::Scan => Some(Self::Scan {}),
            LinkView::Code { .. } => Some(Self::Ask {}),
            LinkView::Unknown => None,
        }
    }

    /// Whether leaving this page unasked could take something from the person: what they entered, or what they read in an
    /// emergency. The pages that only show are named, so that a new one counts as in use.
    pub fn is_in_use(&self) -> bool {
        !matches!(
            self,
            Self::Home {}
                | Self::Records { .. }
                | Self::Record { .. }
                | Self::RecordStory { .. }
                | Self::Labs { .. }
                | Self::Medicines {}
                | Self::Sharing {}
                | Self::Research {}
                | Self::Card {}
                | Self::Log { .. }
                | Self::LogLine { .. }
                | Self::Code {}
                | Self::Scan {}
                | Self::Accesses {}
                | Self::Inbox {}
                | Self::CheckingPage {}
                | Self::Settings {}
                | Self::Security {}
                | Self::NotFound { .. }
        )
    }

    /// The place in the navigation that this page belongs to.
    pub fn place(&self) -> Option<Self> {
        Some(match self {
            Self::Home {} | Self::Code {} => Self::Home {},
            Self::Records { .. }
            | Self::Labs {}
            | Self::Medicines {}
            | Self::Record { .. }
            | Self::RecordStory { .. } => Self::records(),
            Self::Sharing {}
            | Self::Give {}
            | Self::Request { .. }
            | Self::Narrow { .. }
            | Self::Abroad {}
            | Self::Research {}
            | Self::Study { .. } => Self::Sharing {},
            Self::Card {} | Self::CardMake {} | Self::CardPrint {} => Self::Card {},
            Self::Log { .. } | Self::LogLine { .. } => Self::log(),
            Self::Scan {} | Self::Declare {} | Self::Emergency { .. } => Self::Scan {},
            Self::Ask {} => Self::Ask {},
            Self::Accesses {} | Self::Reading { .. } => Self::Accesses {},
            Self::BringIn {} => Self::BringIn {},
            Self::Welcome {}
            | Self::Create {}
            | Self::Restore {}
            | Self::RestoreSheets {}
            | Self::RestoreFile {}
            | Self::RestoreDevice {}
            | Self::Unlock { .. }
            | Self::Inbox {}
            | Self::CheckingPage {}
            | Self::CheckpointShow {}
            | Self::CheckpointCompare {}
            | Self::CheckpointStart {}
            | Self::Console {}
            | Self::ConsoleBlocks { .. }
            | Self::Settings {}
            | Self::Security {}
            | Self::ChangePassphrase {}
            | Self::ReplaceKeys {}
            | Self::Guardians {}
            | Self::Backup {}
            | Self::HandOver {}
            | Self::Erase { .. }
            | Self::Preferences {}
            | Self::Hospitals {}
            | Self::NotFound { .. } => {
                return None;
            }
        })
    }
}
