//! Readings, and what was read: kept in memory for some minutes, for as long as the grants stand as they stood.

use crate::outcome::{Failure, issue};
use crate::request::patient_id;
use amulet_app_api::clinician::ClosedByRulesView;
use amulet_crypto::digest::sm3;
use amulet_fhir::export::{AccessExport, Export, GrantExport, write_line};
use amulet_fhir::rest::{Item, Shelf, ShelfRecord};
use amulet_protocol::calls::GrantId;
use amulet_protocol::ids::{Did, RecordId};
use amulet_wallet::service::Service;
use amulet_wallet::service::granted::{OpenedGrant, ReceivedGrant};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// How long one reading answers questions. After it the next question states a new one.
pub const OPENED_FOR: Duration = Duration::from_secs(5 * 60);
/// Most readings that are kept at once; the oldest gives way.
pub const OPENED_MAX: usize = 32;
/// Bytes of resources kept over all readings, but for the newest, which is kept whatever it has.
pub const OPENED_BYTES_MAX: usize = 512 * 1024 * 1024;
/// Grants of one patient that one question reads under; a patient gives a reader one or two.
const GRANTS_MAX: usize = 8;

/// What one reading gave.
pub struct OpenShelf {
    /// The resources.
    pub shelf: Shelf,
    /// Names what is on the shelf: another name, other resources.
    pub name: String,
    /// Resources that are missing, and rules that close some.
    pub issues: Vec<Value>,
    under: Vec<(GrantId, Vec<RecordId>)>,
    opened: Instant,
}

impl OpenShelf {
    fn bytes(&self) -> usize {
        self.shelf.items().iter().map(|item| item.json.len()).sum()
    }
}

/// A patient and a purpose.
type Key = (Did, &'static str);

/// One reading at a time for each key: two questions at once must not use a grant twice.
type Slot = Arc<tokio::sync::Mutex<Option<Arc<OpenShelf>>>>;

/// Readings.
pub struct Opened {
    service: Service,
    slots: Mutex<BTreeMap<Key, (Instant, Slot)>>,
}

impl Opened {
    /// With nothing read.
    #[must_use]
    pub fn new(service: Service) -> Self {
        Self { service, slots: Mutex::default() }
    }

    /// What a patient opened for a purpose: from a reading of the last minutes, or by a new one. The ledger is asked first each
    /// time whether the grants still stand.
    ///
    /// # Errors
    /// [`Failure`] when there is no grant, it gives nothing, or the reading fails.
    pub async fn shelf(&self, patient: Did, purpose: &'static str) -> Result<Arc<OpenShelf>, Failure> {
        let grants = match self.giving(patient, purpose).await {
            Ok(grants) => grants,
            Err(failure) => {
                if matches!(failure, Failure::Forbidden(_)) {
                    self.slots().remove(&(patient, purpose));
                }
                return Err(failure);
            }
        };
        let slot = self.slot((patient, purpose));
        let mut kept = slot.lock().await;
        let under: Vec<_> = grants.iter().map(|grant| (grant.id, grant.state.records.clone())).collect();
        if let Some(open) =
            kept.as_ref().filter(|open| open.under == under && open.opened.elapsed() < OPENED_FOR)
        {
            return Ok(Arc::clone(open));
        }
        *kept = None;
        let open = Arc::new(self.read(patient, &grants).await?);
        *kept = Some(Arc::clone(&open));
        Ok(open)
    }

    /// The grants of a patient for a purpose that give something now.
    async fn giving(&self, patient: Did, purpose: &'static str) -> Result<Vec<ReceivedGrant>, Failure> {
        let all = self.service.received_grants(patient).await?;
        if !all.iter().any(|grant| grant.gives) {
            let standings: Vec<_> = all.iter().map(|grant| grant.standing).collect();
            return Err(Failure::ended(&standings));
        }
        let mut giving = all;
        giving.retain(|grant| grant.gives && grant.purpose == purpose);
        giving.truncate(GRANTS_MAX);
        if giving.is_empty() { Err(Failure::other_purpose(purpose)) } else { Ok(giving) }
    }

    async fn read(&self, patient: Did, grants: &[ReceivedGrant]) -> Result<OpenShelf, Failure> {
        let mut records: BTreeMap<RecordId, ShelfRecord> = BTreeMap::new();
        let (mut missing, mut closed, mut under) = (0, Vec::new(), Vec::new());
        for grant in grants {
            let OpenedGrant { records: read, missing: lost, closed_by_rules, state } =
                self.service.open_grant(grant.id).await?;
            missing += lost;
            closed.extend(closed_by_rules);
            under.push((grant.id, state.records));
            records.extend(read.into_iter().map(|read| {
                let (id, hospital, plain) = (read.id, read.hospital.did, read.plain);
                let record = ShelfRecord {
                    record: id.to_string(),
                    replaces: plain.replaces.map(|id| id.to_string()),
                    hospital,
                    resource_type: plain.resource_type,
                    resource_id: plain.resource_id,
                    registered_at: read.registered_at,
                    content: Zeroizing::new(plain.content),
                };
                (id, record)
            }));
        }
        if records.is_empty() && !closed.is_empty() {
            return Err(Failure::closed(&closed));
        }
        let records: Vec<ShelfRecord> = records.into_values().collect();
        let digest = |parts: &[&[u8]]| {
            // Lengths keep the parts apart.
            let framed: Vec<u8> = parts
                .iter()
                .flat_map(|part| (part.len() as u64).to_be_bytes().into_iter().chain(part.iter().copied()))
                .collect();
            sm3(&framed).as_bytes().to_vec()
        };
        let shelf = Shelf::new(&patient_id(&patient), &patient.to_string(), &records, digest);
        let name = name_of(shelf.items());
        let issues = issues(missing + shelf.unservable() as u64, &closed);
        Ok(OpenShelf { shelf, name, issues, under, opened: Instant::now() })
    }

    /// What the ledger has of this reader and a patient: grants or own readings. Nothing is decrypted for it.
    ///
    /// # Errors
    /// [`Failure`] as [`Opened::shelf`], but that grants which have ended are shown too.
    pub async fn of_ledger(&self, patient: Did, kind: &str) -> Result<Vec<Item>, Failure> {
        let grants = self.service.received_grants(patient).await?;
        if grants.is_empty() {
            return Err(Failure::no_grant());
        }
        let (id, did) = (patient_id(&patient), patient.to_string());
        let lines: Vec<(String, i64, Export)> = if kind == "Consent" {
            let exports = self.service.grant_exports(&grants).await?.into_iter();
            let name = |grant: &GrantExport| format!("{id}.{}", grant.id.get(..32).unwrap_or_default());
            exports.map(|grant| (name(&grant), grant.granted_at, Export::Grant(grant))).collect()
        } else {
            let exports = self.service.access_exports(&grants).await?.into_iter().rev();
            let name = |access: &AccessExport| format!("{id}.{}", access.number);
            exports.map(|access| (name(&access), access.at, Export::Access(access))).collect()
        };
        let item = |(name, at, line): &(String, i64, Export)| {
            Item::of_ledger(write_line(line).as_bytes(), name, (&id, &did), *at).ok()
        };
        lines.iter().map(item).collect::<Option<Vec<Item>>>().ok_or(Failure::Internal)
    }

    /// Forgets what is older than [`OPENED_FOR`], so that nothing stays because nobody asks.
    pub fn forget_old(&self) {
        let is_fresh = |kept: &Option<Arc<OpenShelf>>| {
            kept.as_ref().is_some_and(|open| open.opened.elapsed() < OPENED_FOR)
        };
        // A place that a question holds is still needed: another one beside it would use the grant twice.
        self.slots().retain(|_, (_, slot)| {
            Arc::strong_count(slot) > 1 || slot.try_lock().is_ok_and(|kept| is_fresh(&kept))
        });
    }

    fn slots(&self) -> MutexGuard<'_, BTreeMap<Key, (Instant, Slot)>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The place of a reading; older ones give way to it.
    fn slot(&self, key: Key) -> Slot {
        let mut slots = self.slots();
        if !slots.contains_key(&key) {
            let bytes =
                |slot: &Slot| slot.try_lock().map_or(0, |kept| kept.as_ref().map_or(0, |open| open.bytes()));
            let mut kept: usize = slots.values().map(|(_, slot)| bytes(slot)).sum();
            while slots.len() >= OPENED_MAX || kept > OPENED_BYTES_MAX {
                let oldest = slots.iter().min_by_key(|(_, (made, _))| *made).map(|(key, _)| *key);
                let Some((_, slot)) = oldest.and_then(|oldest| slots.remove(&oldest)) else { break };
                kept = kept.saturating_sub(bytes(&slot));
            }
        }
        Arc::clone(&slots.entry(key).or_insert_with(|| (Instant::now(), Slot::default())).1)
    }
}

fn name_of(items: &[Item]) -> String {
    let all: String = items.iter().map(|item| format!("{} {:?};", item.id, item.version)).collect();
    sm3(all.as_bytes()).to_string().get(..16).unwrap_or_default().to_owned()
}

fn issues(missing: u64, closed: &[ClosedByRulesView]) -> Vec<Value> {
    let mut issues = Vec::new();
    if missing > 0 {
        let text = format!(
            "{missing} records that the grant opens could not be had or read; there may be more than is shown"
        );
        issues.push(issue("warning", "incomplete", &text));
    }
    for kind in closed {
        let rules: Vec<&str> = kind.rules.iter().map(|rule| rule.en.as_str()).collect();
        let text = format!(
            "{} records are closed to this reader by the consortium's rules. {}",
            kind.records,
            rules.join(" ")
        );
        issues.push(issue("warning", "suppressed", text.trim_end()));
    }
    issues
}
