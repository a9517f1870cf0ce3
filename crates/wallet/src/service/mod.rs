//! The service behind the bridge: one request in, one reply or one typed error out.
//!
//! It holds the person whose wallet is open, the light client and what was proven so far. A host gives it what differs between a native
//! process and a browser page ([`Host`]). Every answer rests on what the light client proved; every change is a signed
//! transaction whose receipt was proven before the call returns.

mod access_log;
mod accesses;
mod background;
mod backups;
mod blobs;
mod checking;
mod checkpoints;
mod emergency;
mod erasure;
mod error;
mod files;
mod giving;
pub mod granted;
mod guardians;
mod history;
mod history_file;
mod home;
mod hospitals;
mod idle;
mod inbox;
mod intake;
mod large;
mod ledger;
mod links;
mod moving;
mod my_card;
mod narrowing;
mod notices;
mod overviews;
mod preferences;
mod progress;
pub mod provenance;
mod reading;
mod record_view;
mod records;
mod relationships;
mod replacing;
mod reporting;
mod rereading;
mod research;
mod session;
mod shares;
mod sharing;
mod summary_file;
mod summary_view;
mod trends;
mod unlocking;
mod usage;
mod versions;
mod wallets;

pub use files::{OutFile, Outbox};
pub use intake::{INTAKE_ANSWER_BYTES_MAX, IntakeAnswer};
pub use notices::NoticeKind;
pub use wallets::{DEMO_FILE_BYTES_MAX, DEMO_PEOPLE_FILE};

use amulet_app_api::checking::MemoryTrouble;
use amulet_app_api::desktop::LinkView;
use amulet_app_api::wallet::{CheckedView, DemoPersonView, HospitalView};
use amulet_app_api::{ApiError, ErrorCode, Request};
use amulet_crypto::entropy::SystemEntropy;
use amulet_light_client::{Background, ClientStore, Clock, LightClient, NodeIndex, Transport, TrustParams};
use amulet_protocol::ids::{Did, Timestamp};
use serde::Serialize;
use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::keyfile::Role;
use crate::network::Network;
use crate::store::{DeviceStore, StoreError};
use checking::NewestCheck;
use error::{internal, storage};
use hospitals::JoinedHospitals;
use progress::{ProgressBoard, RunningTask};
use reporting::ScoreTimes;
use session::{Owner, PendingWords, Person, Session};
use usage::Usage;

/// How a hospital is asked to take a file in.
#[cfg_attr(target_arch = "wasm32", async_trait::async_trait(?Send))]
#[cfg_attr(not(target_arch = "wasm32"), async_trait::async_trait)]
pub trait HospitalApi: Send + Sync {
    /// `POST {base}/fhir?patient={patient}` with the header `Authorization: {authorization}`; `base` is the hospital's
    /// address from the network file. At most [`INTAKE_ANSWER_BYTES_MAX`] bytes of the answer are read.
    ///
    /// # Errors
    /// [`ErrorCode::Unreachable`] when no answer came.
    async fn intake(
        &self,
        base: &str,
        patient: Did,
        authorization: String,
        body: Vec<u8>,
    ) -> Result<IntakeAnswer, ApiError>;
}

/// Where the files of the demonstration's people come from.
#[cfg_attr(target_arch = "wasm32", async_trait::async_trait(?Send))]
#[cfg_attr(not(target_arch = "wasm32"), async_trait::async_trait)]
pub trait DemoPeople: Send + Sync {
    /// The bytes of a file, at most [`DEMO_FILE_BYTES_MAX`].
    ///
    /// # Errors
    /// [`ErrorCode::Unreachable`] or [`ErrorCode::NotFound`].
    async fn fetch(&self, file: &str) -> Result<Vec<u8>, ApiError>;
}

/// What a service needs from where it runs.
pub struct Host {
    /// The device's small files.
    pub store: Box<dyn DeviceStore>,
    /// Carries questions to the nodes, in the order of [`Network::nodes`].
    pub transport: Arc<dyn Transport>,
    /// Where the light client keeps what it need not fetch again.
    pub headers: Box<dyn ClientStore>,
    /// Takes files to a hospital.
    pub hospital_api: Box<dyn HospitalApi>,
    /// The demonstration's people.
    pub demo: Box<dyn DemoPeople>,
    /// Takes files that a person saves.
    pub outbox: Box<dyn Outbox>,
    /// The device's clock.
    pub clock: Arc<dyn Clock>,
    /// The network.
    pub network: Network,
}

/// Answers every call of the bridge. All methods take `&self`; it can be shared.
pub struct Service {
    network: Network,
    store: Box<dyn DeviceStore>,
    hospital_api: Box<dyn HospitalApi>,
    demo: Box<dyn DemoPeople>,
    outbox: Box<dyn Outbox>,
    clock: Arc<dyn Clock>,
    client: LightClient,
    background: Background,
    progress: ProgressBoard,
    cancelling: large::Cancelling,
    /// Held from reading a wallet's file to writing it, so that no change undoes another; taken before `state`.
    files: futures::lock::Mutex<()>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    person: Option<Arc<Person>>,
    /// When the person last used the app.
    used_at: Timestamp,
    auto_lock: idle::Chosen,
    pending: Option<PendingWords>,
    pending_move: Option<moving::PendingMove>,
    checked: Option<CheckedView>,
    /// When the addresses of the hospitals' nodes were last read from the ledger.
    nodes_read_at: Option<u64>,
    newest_check: NewestCheck,
    joined: JoinedHospitals,
    /// What was first found to be wrong with what is kept.
    memory: Option<MemoryTrouble>,
    scores: ScoreTimes,
    usage: Usage,
    inbox: Option<inbox::Derived>,
    /// What of the inbox a system notice is still to tell.
    notices: BTreeSet<NoticeKind>,
    demo_people: Option<Vec<(DemoPersonView, String)>>,
}

impl State {
    /// The open wallet, if it is that of `owner`: not locked, erased or opened anew since.
    fn opened_by(&self, owner: &Arc<Owner>) -> Result<&Arc<Person>, ApiError> {
        let open = self.person.as_ref().filter(|open| Arc::ptr_eq(&open.owner, owner));
        open.ok_or_else(|| ErrorCode::Locked.into())
    }

    /// Forgets the keys of the open wallet, and the secrets of what its owner was about to do.
    fn close(&mut self) {
        if self.person.take().is_some() {
            self.inbox = None;
            self.pending = None;
            self.pending_move = None;
        }
    }
}

impl Service {
    /// A service on a host.
    ///
    /// # Errors
    /// When the network file and the light client do not fit together, which [`Network::parse`] rules out.
    pub fn new(host: Host) -> Result<Self, ApiError> {
        let nodes = host.network.nodes().iter();
        let nodes =
            nodes.map(|node| amulet_light_client::NodeInfo { organisation: node.organisation }).collect();
        let progress = ProgressBoard::default();
        let board = progress.clone();
        let (genesis, params) = (host.network.genesis(), TrustParams::default());
        let (start, memory) = match checkpoints::stored(host.store.as_ref(), &host.network) {
            Err(StoreError::Damaged { .. }) => (None, Some(MemoryTrouble::StartLost)),
            stored => (stored.map_err(storage)?, None),
        };
        let client = match &start {
            Some(start) => {
                LightClient::from_checkpoint(genesis, start, nodes, host.transport, host.headers, params)
            }
            None => LightClient::new(genesis, nodes, host.transport, host.headers, params),
        };
        let client = client
            .map_err(internal)?
            .with_clock(Arc::clone(&host.clock))
            .with_entropy(Box::new(SystemEntropy))
            .with_progress(Arc::new(move |progress| board.report(progress)));
        let background = background::schedule_of(&*host.store);
        let auto_lock = idle::Chosen::kept(&*host.store);
        let state = State { usage: Usage::kept(&*host.store), memory, auto_lock, ..State::default() };
        Ok(Self {
            network: host.network,
            store: host.store,
            hospital_api: host.hospital_api,
            demo: host.demo,
            outbox: host.outbox,
            cancelling: large::Cancelling::default(),
            files: futures::lock::Mutex::new(()),
            clock: host.clock,
            client,
            background,
            progress,
            state: Mutex::new(state),
        })
    }

    /// Answers one request.
    ///
    /// # Errors
    /// [`ApiError`], for the interface to put into words.
    pub async fn answer(&self, request: Request) -> Result<serde_json::Value, ApiError> {
        self.lock_if_idle();
        match request {
            Request::Touch(_) => {
                self.touch();
                reply(Ok(()))
            }
            Request::AutoLock(_) => reply(Ok(self.auto_lock())),
            Request::SetAutoLock(call) => reply(self.set_auto_lock(&call)),
            Request::Notices(_) => reply(Ok(self.notices())),
            Request::SetNotices(call) => reply(self.set_notices(&call)),
            // A window answers this itself; nobody hands a page anything.
            Request::OpenedLink(_) => reply(Ok(None::<LinkView>)),
            Request::ChangePassphrase(call) => reply(boxed(|| self.change_passphrase(call)).await),
            Request::Status(_) => reply(boxed(|| self.status()).await),
            Request::NewWords(call) => reply(self.new_words(&call)),
            Request::CheckWords(call) => reply(self.check_words(&call)),
            Request::PassphraseStrength(call) => reply(Ok(crate::strength::judge(&call.passphrase))),
            Request::CreateWallet(call) => reply(boxed(|| self.create_wallet(call)).await),
            Request::RestoreWallet(call) => reply(boxed(|| self.restore_wallet(call)).await),
            Request::AddDemoPerson(call) => reply(boxed(|| self.add_demo_person(&call)).await),
            Request::Unlock(call) => reply(boxed(|| self.unlock(call)).await),
            Request::Lock(_) => {
                self.lock();
                reply(Ok(()))
            }
            Request::RemoveWallet(call) => reply(boxed(|| self.remove_wallet(&call)).await),
            Request::SetLanguage(call) => reply(self.set_language(call.language)),
            Request::Progress(_) => reply(Ok(self.progress.view())),
            Request::Sync(call) => {
                let synced = boxed(|| self.sync(call.all)).await;
                boxed(|| self.go_on_replacing()).await;
                reply(synced)
            }
            Request::Keys(_) => reply(boxed(|| self.keys()).await),
            Request::ReplaceKeys(call) => reply(boxed(|| self.replace_keys(call)).await),
            Request::Guardians(_) => reply(self.guardians()),
            Request::MakeSheets(call) => reply(boxed(|| self.make_sheets(call)).await),
            Request::ReadSheets(call) => reply(guardians::read_sheets(call)),
            Request::TrySheets(call) => reply(self.try_sheets(call)),
            Request::RestoreFromSheets(call) => reply(boxed(|| self.restore_from_sheets(call)).await),
            Request::SaveBackup(_) => reply(boxed(|| self.save_backup()).await),
            Request::RestoreBackup(call) => reply(boxed(|| self.restore_backup(call)).await),
            Request::BeginMove(_) => reply(self.begin_move()),
            Request::ReadMoveCode(call) => reply(self.read_move_code(&call)),
            Request::HandOver(call) => reply(boxed(|| self.hand_over(call)).await),
            Request::FinishMove(call) => reply(boxed(|| self.finish_move(call)).await),
            Request::Checking(_) => reply(Ok(self.checking())),
            Request::ShowCheckpoint(_) => reply(boxed(|| self.show_checkpoint()).await),
            Request::CompareCheckpoint(call) => reply(boxed(|| self.compare_checkpoint(&call.code)).await),
            Request::StartFromCheckpoint(call) => {
                reply(boxed(|| self.start_from_checkpoint(&call.code)).await)
            }
            Request::Reporting(_) => reply(self.reporting()),
            Request::SetReporting(call) => reply(self.set_reporting(call.on)),
            Request::SendReport(_) => reply(boxed(|| self.send_report()).await),
            Request::Home(_) => reply(boxed(|| self.home()).await),
            Request::Background(_) => reply(Ok(self.background())),
            Request::SetBackground(call) => reply(self.set_background(&call)),
            Request::MyCodes(_) => reply(self.my_codes()),
            Request::AddHospital(call) => reply(boxed(|| self.add_hospital(call)).await),
            Request::Records(_) => reply(boxed(|| self.records()).await),
            Request::Record(call) => reply(boxed(|| self.record(&call.id)).await),
            Request::RecordStory(call) => reply(boxed(|| self.record_story(&call.id)).await),
            Request::RecordTrends(call) => reply(boxed(|| self.record_trends(&call.id)).await),
            Request::Labs(_) => reply(boxed(|| self.labs()).await),
            Request::Medicines(_) => reply(boxed(|| self.medicines()).await),
            Request::RecordErasure(call) => reply(boxed(|| self.record_erasure(&call.id)).await),
            Request::SaveLarge(call) => reply(boxed(|| self.save_large(&call.id)).await),
            Request::CancelSaving(_) => {
                self.cancel_saving();
                reply(Ok(()))
            }
            Request::RequestErasure(call) => reply(boxed(|| self.request_erasure(&call.id)).await),
            Request::CardDraft(_) => reply(boxed(|| self.card_draft()).await),
            Request::MakeCard(call) => reply(boxed(|| self.make_card(call)).await),
            Request::Card(_) => reply(boxed(|| self.card()).await),
            Request::SaveCardPicture(call) => reply(boxed(|| self.save_card_picture(&call.png)).await),
            Request::RevokeCard(_) => reply(boxed(|| self.revoke_card()).await),
            other => boxed(|| self.answer_about_access(other)).await,
        }
    }

    async fn answer_about_access(&self, request: Request) -> Result<serde_json::Value, ApiError> {
        match request {
            Request::Sharing(_) => reply(boxed(|| self.sharing()).await),
            Request::Research(_) => reply(boxed(|| self.research()).await),
            Request::PreviewStudy(call) => reply(boxed(|| self.preview_study(&call.study)).await),
            Request::JoinStudy(call) => reply(boxed(|| self.join_study(&call)).await),
            Request::HealthLinks(_) => reply(boxed(|| self.health_links()).await),
            Request::MakeHealthLink(call) => reply(boxed(|| self.make_health_link(call)).await),
            Request::RevokeHealthLink(call) => reply(boxed(|| self.revoke_health_link(&call.id)).await),
            Request::LeaveStudy(call) => reply(boxed(|| self.leave_study(&call.study)).await),
            Request::Preferences(_) => reply(self.preferences()),
            Request::SetPreferences(call) => reply(self.set_preferences(&call.preferences)),
            Request::Exposure(call) => reply(boxed(|| self.exposure(&call.request)).await),
            Request::Recipients(_) => reply(boxed(|| self.recipients()).await),
            Request::PreviewGiving(call) => reply(boxed(|| self.preview_giving(&call.terms)).await),
            Request::GiveAccess(call) => reply(boxed(|| self.give_access(&call)).await),
            Request::GrantRequest(call) => reply(boxed(|| self.grant_request(&call)).await),
            Request::DeclineRequest(call) => reply(boxed(|| self.decline_request(&call.request)).await),
            Request::RevokeGrant(call) => reply(boxed(|| self.revoke_grant(&call.grant)).await),
            Request::PauseGrant(call) => reply(boxed(|| self.pause_grant(&call.grant)).await),
            Request::ResumeGrant(call) => reply(boxed(|| self.resume_grant(&call.grant)).await),
            Request::ExtendGrant(call) => reply(boxed(|| self.extend_grant(&call)).await),
            Request::ShareRecords(call) => reply(boxed(|| self.share_records(&call.grant)).await),
            Request::NarrowGrant(call) => reply(boxed(|| self.narrow_grant(&call)).await),
            Request::AccessLog(_) => reply(boxed(|| self.access_log()).await),
            Request::DisputeEmergency(call) => reply(boxed(|| self.dispute_emergency(call.line)).await),
            Request::LogProof(call) => reply(boxed(|| self.log_proof(call.line)).await),
            Request::SaveProof(call) => reply(boxed(|| self.save_proof(&call.of)).await),
            Request::SaveContradiction(call) => reply(boxed(|| self.save_contradiction(call.place)).await),
            Request::SaveSummary(call) => reply(boxed(|| self.save_summary(call.language)).await),
            Request::SaveAccessHistory(_) => reply(boxed(|| self.save_access_history()).await),
            Request::SaveConsents(_) => reply(boxed(|| self.save_consents()).await),
            Request::ReadCard(call) => reply(boxed(|| self.read_card(&call.code)).await),
            Request::DeclareEmergency(call) => reply(boxed(|| self.declare_emergency(&call)).await),
            Request::OpenEmergency(call) => reply(boxed(|| self.open_emergency(&call.declaration)).await),
            Request::FindPatient(call) => reply(boxed(|| self.find_patient(&call.code)).await),
            Request::AskAccess(call) => reply(boxed(|| self.ask_access(&call)).await),
            Request::MyAccesses(_) => reply(boxed(|| self.my_accesses()).await),
            Request::ReadGrant(call) => reply(boxed(|| self.read_grant(&call.grant)).await),
            Request::ConfirmDeletion(call) => reply(boxed(|| self.confirm_deletion(&call.request)).await),
            Request::Inbox(_) => reply(boxed(|| self.inbox()).await),
            Request::ReadInbox(call) => reply(boxed(|| self.read_inbox(&call)).await),
            Request::Intake(call) => reply(boxed(|| self.intake(call)).await),
            other => Err(internal(format!("no answer to {other:?}"))),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The person whose wallet is open.
    fn person(&self) -> Result<Arc<Person>, ApiError> {
        self.state().person.clone().ok_or_else(|| ErrorCode::Locked.into())
    }

    fn patient(&self) -> Result<Arc<Person>, ApiError> {
        let person = self.person()?;
        if person.owner.role == Role::Patient { Ok(person) } else { Err(ErrorCode::BadRequest.into()) }
    }

    /// A clinician works under one identity.
    fn clinician(&self) -> Result<Arc<Session>, ApiError> {
        let person = self.person()?;
        if person.owner.role == Role::Clinician {
            Ok(Arc::clone(person.first()))
        } else {
            Err(ErrorCode::NotAClinician.into())
        }
    }

    /// The hospital that runs a node; none for a node that nobody knows.
    fn hospital_at(&self, node: NodeIndex) -> Option<HospitalView> {
        let organisation = self.client.nodes().get(node.0)?.organisation;
        Some(self.hospital_view(&organisation))
    }

    fn task(&self, task: amulet_app_api::wallet::Task) -> RunningTask {
        self.progress.start(task)
    }
}

/// A call's future on the heap, made in a frame of its own: in an unoptimised build each would otherwise take its own place on
/// the stack of the one function that knows them all, beside what the deepest call needs.
fn boxed<F: Future>(make: impl FnOnce() -> F) -> Pin<Box<F>> {
    Box::pin(make())
}

/// JSON of a reply.
fn reply<T: Serialize>(result: Result<T, ApiError>) -> Result<serde_json::Value, ApiError> {
    serde_json::to_value(result?).map_err(internal)
}
