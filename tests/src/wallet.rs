//! A wallet as the desktop app has it, without the window: the same service, asked by the same calls.

use crate::http::{self, blocking};
use crate::localnet::Localnet;
use amulet_app_api::access::Exposure;
use amulet_app_api::giving::{GiveAccess, GiveTerms, GivenView, PreviewGiving};
use amulet_app_api::records::RecordLineView;
use amulet_app_api::security::Touch;
use amulet_app_api::wallet::{
    AddDemoPerson, CreateWallet, DemoPersonView, HospitalView, Language, NewWords, SessionView, Status,
    Unlock,
};
use amulet_app_api::{ApiError, Call, ErrorCode};
use amulet_light_client::transport::libp2p::{Libp2pTransport, NodeAddresses};
use amulet_light_client::{MemoryStore, NodeIndex, SystemClock, Transport, TransportError};
use amulet_protocol::codec;
use amulet_protocol::ids::Did;
use amulet_protocol::light::{LightRequest, LightResponse};
use amulet_protocol::limits::LIGHT_RESPONSE_BYTES_MAX;
use amulet_wallet::network::Network;
use amulet_wallet::service::{
    DemoPeople, HospitalApi, Host, IntakeAnswer, NoticeKind, OutFile, Outbox, Service,
};
use amulet_wallet::store::{DeviceStore, MemoryStore as DeviceMemory};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Strong enough for the strength meter.
pub const PASSPHRASE: &str = "seven quiet herons wade at dusk";

/// The identifiers of records.
#[must_use]
pub fn ids(lines: Vec<RecordLineView>) -> Vec<String> {
    lines.into_iter().map(|line| line.id).collect()
}

/// A wallet.
pub struct Wallet {
    service: Service,
    saved: Saved,
}

/// Files that a person saved, by name, in the order in which they were saved.
#[derive(Clone, Default)]
struct Saved(Arc<Mutex<Vec<SavedFile>>>);

/// Name and content.
type SavedFile = (String, Vec<u8>);

#[async_trait::async_trait]
impl Outbox for Saved {
    async fn save(&self, name: &str, bytes: Vec<u8>) -> Result<Option<String>, ApiError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((name.to_owned(), bytes));
        Ok(None)
    }

    async fn begin(&self, name: &str, _: u64) -> Result<Box<dyn OutFile>, ApiError> {
        Ok(Box::new(Coming { saved: self.clone(), name: name.to_owned(), bytes: Vec::new() }))
    }
}

/// A file that is being saved.
struct Coming {
    saved: Saved,
    name: String,
    bytes: Vec<u8>,
}

#[async_trait::async_trait]
impl OutFile for Coming {
    async fn write(&mut self, bytes: Vec<u8>) -> Result<(), ApiError> {
        self.bytes.extend(bytes);
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<Option<String>, ApiError> {
        self.saved.save(&self.name, self.bytes).await
    }

    async fn abort(self: Box<Self>) {}
}

/// A person who has just made a wallet.
pub struct Newcomer {
    /// The wallet, open.
    pub wallet: Wallet,
    /// The recovery words.
    pub words: Vec<String>,
    /// The session.
    pub session: SessionView,
}

impl Wallet {
    /// A wallet that asks the hospitals over libp2p, on a new device.
    ///
    /// # Panics
    /// As [`Wallet::with_files`].
    #[must_use]
    pub fn over_libp2p(network: &[u8]) -> Self {
        Self::with_files(network, &[])
    }

    /// A wallet that asks the hospitals over libp2p, on a device that has these files.
    ///
    /// # Panics
    /// When the network file is not what it should be, or a file cannot be kept. Outside a runtime.
    #[must_use]
    pub fn with_files(network: &[u8], files: &[(String, Vec<u8>)]) -> Self {
        let parsed = Network::parse(network).expect("the network file is acceptable");
        let transport = libp2p(&parsed);
        let store = DeviceMemory::default();
        for (name, bytes) in files {
            store.write(name, bytes).expect("the file can be kept");
        }
        Self::on(parsed, Arc::new(transport), store)
    }

    /// A wallet over libp2p whose transactions do not get through while the switch is on; everything else does.
    ///
    /// # Panics
    /// As [`Wallet::with_files`].
    #[must_use]
    pub fn without_submissions(network: &[u8]) -> (Self, Arc<AtomicBool>) {
        let parsed = Network::parse(network).expect("the network file is acceptable");
        let refuse = Arc::new(AtomicBool::new(true));
        let transport = NoSubmissions { inner: libp2p(&parsed), refuse: refuse.clone() };
        (Self::on(parsed, Arc::new(transport), DeviceMemory::default()), refuse)
    }

    /// A wallet that asks the hospitals over HTTP, as a browser page does.
    ///
    /// # Panics
    /// When the network file is not what it should be.
    #[must_use]
    pub fn over_http(network: &[u8]) -> Self {
        let parsed = Network::parse(network).expect("the network file is acceptable");
        let transport = HttpTransport::new(&parsed);
        Self::on(parsed, Arc::new(transport), DeviceMemory::default())
    }

    fn on(network: Network, transport: Arc<dyn Transport>, store: DeviceMemory) -> Self {
        let demo = DemoFiles { bases: network.nodes().iter().map(|node| node.http.clone()).collect() };
        let saved = Saved::default();
        let host = Host {
            store: Box::new(store),
            transport,
            headers: Box::new(MemoryStore::default()),
            hospital_api: Box::new(IntakeOverHttp),
            demo: Box::new(demo),
            outbox: Box::new(saved.clone()),
            clock: Arc::new(SystemClock),
            network,
        };
        Self { service: Service::new(host).expect("the service starts"), saved }
    }

    /// The file that was saved last under this name.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn saved(&self, name: &str) -> Vec<u8> {
        let saved = self.saved.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = saved.iter().rev().find(|(known, _)| known == name);
        found.map(|(_, bytes)| bytes.clone()).unwrap_or_else(|| panic!("no file {name} was saved"))
    }

    /// Makes a call.
    ///
    /// # Errors
    /// Those of the call.
    ///
    /// # Panics
    /// When the reply is not of the call's type.
    pub async fn call<C: Call>(&self, call: C) -> Result<C::Reply, ApiError> {
        // Somebody is there; a wallet that nobody uses locks by itself.
        self.service.answer(Touch {}.into()).await?;
        let reply = self.service.answer(call.into()).await?;
        Ok(serde_json::from_value(reply).expect("the reply is of the call's type"))
    }

    /// What a system notice would tell now.
    pub fn take_notices(&self) -> BTreeSet<NoticeKind> {
        self.service.take_notices()
    }

    /// Makes a call that must succeed.
    ///
    /// # Panics
    /// When it does not.
    pub async fn must<C: Call>(&self, call: C) -> C::Reply {
        let name = std::any::type_name::<C>();
        self.call(call).await.unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Makes a call that must fail, and gives the error.
    ///
    /// # Panics
    /// When it succeeds.
    pub async fn fails<C: Call>(&self, call: C) -> ApiError {
        match self.call(call).await {
            Ok(_) => panic!("{} succeeded", std::any::type_name::<C>()),
            Err(error) => error,
        }
    }

    /// Gives all that these terms show.
    ///
    /// # Errors
    /// What the wallet refuses.
    pub async fn give(&self, terms: GiveTerms) -> Result<GivenView, ApiError> {
        let shown = self.call(PreviewGiving { terms: terms.clone() }).await?;
        self.call(GiveAccess { terms, records: ids(shown.records) }).await
    }

    /// The records that a request shows.
    ///
    /// # Panics
    /// When it cannot be shown.
    pub async fn shown(&self, request: &str) -> Vec<String> {
        ids(self.must(Exposure { request: request.to_owned() }).await.records)
    }

    /// Opens the wallet of a person of the demonstration.
    ///
    /// # Panics
    /// When it cannot be opened.
    pub async fn open_demo(&self, id: &str, passphrase: &str) -> SessionView {
        let entry = self.must(AddDemoPerson { id: id.to_owned() }).await;
        self.must(Unlock { id: entry.id, passphrase: passphrase.to_owned() }).await
    }

    /// The hospitals, in the order of the validators.
    pub async fn hospitals(&self) -> Vec<HospitalView> {
        self.must(Status {}).await.hospitals
    }

    /// The people of the demonstration.
    pub async fn demo_people(&self) -> Vec<DemoPersonView> {
        self.must(Status {}).await.demo_people
    }

    /// Makes a new wallet as a person does: words shown, some typed back, a passphrase chosen, the DID registered.
    ///
    /// # Panics
    /// When a step fails.
    pub async fn create(self, name: &str, hospital: usize) -> Newcomer {
        let shown = self.must(NewWords { language: Language::En }).await;
        let answers = shown.ask.iter().map(|position| shown.words[position - 1].clone()).collect();
        let hospital = self.hospitals().await[hospital - 1].did.clone();
        let passphrase = PASSPHRASE.to_owned();
        let session = self.must(CreateWallet { name: name.to_owned(), answers, passphrase, hospital }).await;
        Newcomer { wallet: self, words: shown.words, session }
    }
}

/// A new patient of hospital `n`, with a wallet over libp2p.
///
/// # Panics
/// When a step fails.
pub async fn new_patient(net: &Localnet, name: &str, hospital: usize) -> Newcomer {
    Wallet::over_libp2p(net.network()).create(name, hospital).await
}

/// A clinician of the demonstration, with a wallet over libp2p.
///
/// # Panics
/// When the wallet cannot be opened.
pub async fn clinician(net: &Localnet, id: &str) -> Wallet {
    let wallet = Wallet::over_libp2p(net.network());
    wallet.open_demo(id, net.passphrase()).await;
    wallet
}

fn libp2p(network: &Network) -> Libp2pTransport {
    let addresses = network.nodes().iter().map(|node| NodeAddresses::parse(&node.libp2p));
    let addresses = addresses.collect::<Result<_, _>>().expect("the nodes have addresses");
    Libp2pTransport::start(addresses).expect("the transport starts")
}

/// A connection that is lost whenever something is submitted.
struct NoSubmissions {
    inner: Libp2pTransport,
    refuse: Arc<AtomicBool>,
}

#[async_trait::async_trait]
impl Transport for NoSubmissions {
    async fn ask(&self, node: NodeIndex, request: &LightRequest) -> Result<LightResponse, TransportError> {
        if matches!(request, LightRequest::Submit(_)) && self.refuse.load(Ordering::Relaxed) {
            return Err(TransportError::Connect);
        }
        self.inner.ask(node, request).await
    }
}

/// The browser's transport in native clothes: the same bytes over `POST /api/v1/light`.
pub struct HttpTransport {
    urls: Vec<String>,
}

impl HttpTransport {
    /// To the nodes of a network, in their order.
    #[must_use]
    pub fn new(network: &Network) -> Self {
        Self { urls: network.nodes().iter().map(|node| format!("{}/api/v1/light", node.http)).collect() }
    }
}

#[async_trait::async_trait]
impl Transport for HttpTransport {
    async fn ask(&self, node: NodeIndex, request: &LightRequest) -> Result<LightResponse, TransportError> {
        let known = self.urls.len();
        let url = self.urls.get(node.0).cloned().ok_or(TransportError::UnknownNode { node, known })?;
        let body = codec::encode(request);
        let asked = move || http::post(&url, &[("content-type", "application/octet-stream")], &body);
        let answer = blocking(asked).await.map_err(|_| TransportError::Connect)?;
        if answer.status != 200 {
            return Err(TransportError::Status { code: answer.status });
        }
        Ok(codec::decode(&answer.body, LIGHT_RESPONSE_BYTES_MAX)?)
    }
}

struct IntakeOverHttp;

#[async_trait::async_trait]
impl HospitalApi for IntakeOverHttp {
    async fn intake(
        &self,
        base: &str,
        patient: Did,
        authorization: String,
        body: Vec<u8>,
    ) -> Result<IntakeAnswer, ApiError> {
        let url = format!("{base}/fhir?patient={patient}");
        let asked = move || {
            let headers =
                [("content-type", "application/fhir+json"), ("authorization", authorization.as_str())];
            http::post(&url, &headers, &body)
        };
        let answer = blocking(asked).await.map_err(|_| ApiError::new(ErrorCode::Unreachable))?;
        Ok(IntakeAnswer { status: answer.status, body: answer.body })
    }
}

/// The files of the demonstration's people, from whichever hospital has them.
struct DemoFiles {
    bases: Vec<String>,
}

#[async_trait::async_trait]
impl DemoPeople for DemoFiles {
    async fn fetch(&self, file: &str) -> Result<Vec<u8>, ApiError> {
        let urls: Vec<String> = self.bases.iter().map(|base| format!("{base}/demo/{file}")).collect();
        let fetched = blocking(move || {
            urls.iter().find_map(|url| http::get(url).ok().filter(|answer| answer.status == 200))
        });
        fetched.await.map(|answer| answer.body).ok_or_else(|| ErrorCode::Unreachable.into())
    }
}
