//! A network nobody answers in, and its people.

use amulet_app_api::{ApiError, Call, ErrorCode};
use amulet_crypto::entropy::SeededEntropy;
use amulet_crypto::kdf::Language;
use amulet_crypto::passphrase::PassphraseParams;
use amulet_crypto::signing::SigningKey;
use amulet_light_client::{Clock, MemoryStore, NodeIndex, SystemClock, Transport, TransportError};
use amulet_protocol::codec;
use amulet_protocol::genesis::{GENESIS_VERSION, Genesis, Organisation};
use amulet_protocol::ids::{Did, Timestamp};
use amulet_protocol::light::{LightRequest, LightResponse};
use amulet_protocol::validators::Validator;
use amulet_wallet::keyfile::{self, CreatedWallet, Role};
use amulet_wallet::network::Network;
use amulet_wallet::service::{DemoPeople, HospitalApi, Host, IntakeAnswer, OutFile, Outbox, Service};
use amulet_wallet::store::{DeviceStore, StoreError};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Opens every wallet of the demonstration.
pub const PASSPHRASE: &str = "rain on the tin roof at night";

pub fn genesis(seed: u64) -> Genesis {
    let mut entropy = SeededEntropy::new(seed);
    let mut key = || SigningKey::generate(&mut entropy).public_key().clone();
    let organisations: Vec<Organisation> = (1..=4)
        .map(|n| Organisation {
            name_en: format!("Hospital {n}"), name_zh: format!("第{n}医院"), key: key()
        })
        .collect();
    let validators = organisations
        .iter()
        .map(|organisation| Validator { organisation: organisation.did(), key: key(), peer_id: vec![] })
        .collect();
    Genesis {
        version: GENESIS_VERSION,
        network: "test".into(),
        time: Timestamp(1),
        organisations,
        validators,
    }
}

/// The network file; its addresses lead nowhere.
pub fn network_file(genesis: &Genesis) -> Vec<u8> {
    let node = |organisation: &Organisation| serde_json::json!({ "organisation": organisation.did(), "http": "http://127.0.0.1:1", "libp2p": [] });
    let nodes: Vec<_> = genesis.organisations.iter().map(node).collect();
    let encoded = STANDARD.encode(codec::encode(genesis));
    let file =
        serde_json::json!({ "genesis": encoded, "chain": genesis.chain_id(), "demo": true, "nodes": nodes });
    serde_json::to_vec(&file).unwrap()
}

/// A wallet made ahead on the chain of `genesis`.
pub fn made(genesis: &Genesis, name: &str, role: Role, seed: u64) -> CreatedWallet {
    let mut entropy = SeededEntropy::new(seed);
    let params = PassphraseParams::floor(&mut entropy);
    let hospital = genesis.organisations[0].did();
    let language = Language::SimplifiedChinese;
    let (chain, created) = (genesis.chain_id(), Timestamp(7));
    keyfile::create(name, role, language, &[hospital], chain, created, PASSPHRASE, params, &mut entropy)
        .unwrap()
}

/// Nobody answers.
struct Silence;

#[cfg_attr(target_arch = "wasm32", async_trait::async_trait(?Send))]
#[cfg_attr(not(target_arch = "wasm32"), async_trait::async_trait)]
impl Transport for Silence {
    async fn ask(&self, _: NodeIndex, _: &LightRequest) -> Result<LightResponse, TransportError> {
        Err(TransportError::Connect)
    }
}

#[cfg_attr(target_arch = "wasm32", async_trait::async_trait(?Send))]
#[cfg_attr(not(target_arch = "wasm32"), async_trait::async_trait)]
impl HospitalApi for Silence {
    async fn intake(&self, _: &str, _: Did, _: String, _: Vec<u8>) -> Result<IntakeAnswer, ApiError> {
        Err(ErrorCode::Unreachable.into())
    }
}

#[cfg_attr(target_arch = "wasm32", async_trait::async_trait(?Send))]
#[cfg_attr(not(target_arch = "wasm32"), async_trait::async_trait)]
impl Outbox for Device {
    async fn save(&self, _: &str, bytes: Vec<u8>) -> Result<Option<String>, ApiError> {
        *self.1.lock().unwrap() = bytes;
        Ok(None)
    }

    async fn begin(&self, _: &str, _: u64) -> Result<Box<dyn OutFile>, ApiError> {
        Err(ErrorCode::Storage.into())
    }
}

/// Files of a demonstration.
pub struct Files(pub BTreeMap<String, Vec<u8>>);

#[cfg_attr(target_arch = "wasm32", async_trait::async_trait(?Send))]
#[cfg_attr(not(target_arch = "wasm32"), async_trait::async_trait)]
impl DemoPeople for Files {
    async fn fetch(&self, file: &str) -> Result<Vec<u8>, ApiError> {
        self.0.get(file).cloned().ok_or_else(|| ErrorCode::NotFound.into())
    }
}

/// A store that two services share, as two starts of the app share a device, and the file that a person saved last.
#[derive(Clone, Default)]
pub struct Device(pub Arc<amulet_wallet::store::MemoryStore>, pub Arc<Mutex<Vec<u8>>>);

impl DeviceStore for Device {
    fn list(&self) -> Result<Vec<String>, StoreError> {
        self.0.list()
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.read(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.0.write(name, bytes)
    }

    fn remove(&self, name: &str) -> Result<(), StoreError> {
        self.0.remove(name)
    }
}

/// A service on a device, with these people's wallets to copy: (identifier, role, file).
pub fn service(genesis: &Genesis, device: &Device, people: &[(&str, &str, &[u8])]) -> Service {
    service_at(genesis, device, people, Arc::new(SystemClock))
}

/// A clock that somebody sets.
#[derive(Default)]
pub struct SetClock(AtomicU64);

impl SetClock {
    /// Sets it, in milliseconds.
    pub fn set(&self, now: u64) {
        self.0.store(now, Ordering::Relaxed);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

/// The same, by a clock.
pub fn service_at(
    genesis: &Genesis,
    device: &Device,
    people: &[(&str, &str, &[u8])],
    clock: Arc<dyn Clock>,
) -> Service {
    let list: Vec<_> = people
        .iter()
        .map(|(id, role, _)| {
            serde_json::json!({
                "id": id, "name": id, "role": role, "about_en": "", "about_zh": "", "file": format!("{id}.amulet"),
            })
        })
        .collect();
    let mut files: BTreeMap<String, Vec<u8>> =
        people.iter().map(|(id, _, file)| (format!("{id}.amulet"), file.to_vec())).collect();
    files.insert("people.json".to_owned(), serde_json::to_vec(&list).unwrap());
    Service::new(Host {
        store: Box::new(device.clone()),
        transport: Arc::new(Silence),
        headers: Box::new(MemoryStore::default()),
        hospital_api: Box::new(Silence),
        demo: Box::new(Files(files)),
        outbox: Box::new(device.clone()),
        clock,
        network: Network::parse(&network_file(genesis)).unwrap(),
    })
    .unwrap()
}

/// Sends a typed call and reads its typed reply.
pub async fn call<C: Call>(service: &Service, call: C) -> Result<C::Reply, ApiError> {
    let value = service.answer(call.into()).await?;
    Ok(serde_json::from_value(value).unwrap())
}

/// The code of the error that a call must give.
pub async fn refused<C: Call>(service: &Service, with: C) -> ApiError {
    match call(service, with).await {
        Ok(_) => panic!("the call was answered"),
        Err(error) => error,
    }
}
