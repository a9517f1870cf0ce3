//! Fetching ciphertexts: from the hospitals that hold them, in their order, then from any other; one that is silent or
//! refuses does not stop the rest.

use amulet_app_api::wallet::Task;
use amulet_app_api::{ApiError, ErrorCode};
use amulet_light_client::client::Standing;
use amulet_light_client::{LightError, NodeIndex, platform};
use amulet_protocol::calls::GrantId;
use amulet_protocol::grant_keys::{GrantKeys, KeyBinding};
use amulet_protocol::ids::{BlobId, Did, TxId};
use amulet_protocol::light::{AccessRefusal, LightRefusal, ReadGround, ReadRequest, UntrustedReadRequest};
use amulet_protocol::state::{Practitioner, StateKey};
use std::collections::BTreeMap;
use std::time::Duration;

use super::Service;
use super::progress::RunningTask;
use super::session::Session;

/// Ciphertexts asked for before what came is decrypted: small enough that progress is seen.
const BATCH: usize = 64;
/// Further rounds when a hospital has not yet seen the transaction that allows the reading.
const PATIENCE_ROUNDS: usize = 8;
/// Wait between these rounds; a block takes about this long to reach every hospital.
const PATIENCE: Duration = Duration::from_millis(400);

/// A ciphertext that is wanted.
#[derive(Clone)]
pub(super) struct Wanted {
    pub blob: BlobId,
    pub holders: Vec<Did>,
}

/// What became of a fetch.
pub(super) struct Fetched {
    /// Ciphertexts that nobody delivered.
    pub missing: usize,
    /// Why, if a hospital gave a reason.
    pub refused: Option<LightError>,
}

impl Service {
    /// Fetches ciphertexts on a ground, calling `take` with each one's place in `wanted`. A ciphertext has the digest it
    /// was asked for by.
    pub(super) async fn fetch_blobs(
        &self,
        session: &Session,
        ground: ReadGround,
        wanted: &[Wanted],
        task: &RunningTask,
        mut take: impl FnMut(usize, Vec<u8>),
    ) -> Fetched {
        let mut pending: Vec<usize> = (0..wanted.len()).collect();
        let mut refused = None;
        for round in 0..=PATIENCE_ROUNDS {
            if round > 0 {
                platform::sleep(PATIENCE).await;
            }
            refused = self.fetch_round(session, ground, wanted, &mut pending, task, &mut take).await;
            if pending.is_empty() || !refused.as_ref().is_some_and(may_pass) {
                break;
            }
        }
        Fetched { missing: pending.len(), refused }
    }

    /// Asks every hospital once at most for each ciphertext.
    async fn fetch_round(
        &self,
        session: &Session,
        ground: ReadGround,
        wanted: &[Wanted],
        pending: &mut Vec<usize>,
        task: &RunningTask,
        take: &mut impl FnMut(usize, Vec<u8>),
    ) -> Option<LightError> {
        let mut refused = None;
        let orders: Vec<Vec<NodeIndex>> =
            wanted.iter().map(|wanted| self.nodes_for(&wanted.holders)).collect();
        for choice in 0..self.client.nodes().len() {
            let mut by_node: BTreeMap<NodeIndex, Vec<usize>> = BTreeMap::new();
            for place in pending.iter() {
                if let Some(node) = orders[*place].get(choice) {
                    by_node.entry(*node).or_default().push(*place);
                }
            }
            for (node, places) in by_node {
                for batch in places.chunks(BATCH) {
                    let blobs: Vec<BlobId> = batch.iter().map(|place| wanted[*place].blob).collect();
                    let sign = |blobs| self.sign_read(session, node, ground, blobs);
                    match self.client.read_all(node, &blobs, sign).await {
                        Ok(found) => {
                            let found =
                                batch.iter().zip(found).filter_map(|(place, blob)| Some((*place, blob?)));
                            for (place, blob) in found {
                                take(place, blob);
                                pending.retain(|other| *other != place);
                                task.step(Task::Fetching, wanted.len() - pending.len(), wanted.len());
                            }
                        }
                        Err(error) => {
                            // A refusal says more than silence; it is what the person should hear in the end.
                            if refused.is_none() || matches!(error, LightError::Refused { .. }) {
                                refused = Some(error);
                            }
                            break;
                        }
                    }
                    // A page must stay alive while hundreds of records are opened.
                    platform::sleep(Duration::ZERO).await;
                }
            }
            if pending.is_empty() {
                break;
            }
        }
        refused
    }

    /// Whom to ask for a ciphertext: its holders, then the others; those that were silent last.
    pub(super) fn nodes_for(&self, holders: &[Did]) -> Vec<NodeIndex> {
        let standings = self.client.standings();
        let mut order: Vec<NodeIndex> =
            holders.iter().filter_map(|holder| self.client.node_of(*holder)).collect();
        let others: Vec<NodeIndex> =
            self.client.asked_nodes().into_iter().filter(|node| !order.contains(node)).collect();
        order.extend(others);
        order.sort_by_key(|node| {
            matches!(standings.get(node.0), Some(Standing::Unreachable | Standing::Lied(_)))
        });
        order
    }

    /// Hospitals that did not answer when they were last asked.
    pub(super) fn silent_hospitals(&self) -> Vec<Did> {
        let standings = self.client.standings();
        let nodes = self.client.nodes().into_iter().zip(standings);
        nodes
            .filter(|(_, standing)| *standing == Standing::Unreachable)
            .map(|(node, _)| node.organisation)
            .collect()
    }

    /// The grants for the staff that this person is one of, as their hospital says; none if it cannot be asked.
    pub(super) async fn staff_grants(&self, session: &Session) -> Vec<GrantId> {
        let own: Result<Option<Practitioner>, _> = self.state_of(StateKey::Practitioner(session.did())).await;
        let Ok(Some(own)) = own else { return Vec::new() };
        let Some(node) = self.client.node_of(own.organisation) else { return Vec::new() };
        let request = self.sign_read(session, node, ReadGround::Own, Vec::new());
        self.client.staff_grants(node, request).await.unwrap_or_default()
    }

    /// The keys of what this person has stated to read under a grant for their hospital's staff, from its node.
    pub(super) async fn staff_keys(
        &self,
        session: &Session,
        hospital: Did,
        grant: GrantId,
        used_by: TxId,
    ) -> Result<GrantKeys, ApiError> {
        let unavailable = || ApiError::new(ErrorCode::RecordUnavailable);
        let node = self.client.node_of(hospital).ok_or_else(unavailable)?;
        let ground = ReadGround::Grant { grant, used_by };
        for round in 0..=PATIENCE_ROUNDS {
            if round > 0 {
                platform::sleep(PATIENCE).await;
            }
            let request = self.sign_read(session, node, ground, Vec::new());
            match self.client.staff_keys(node, request).await {
                Ok(keys) => {
                    let binding = KeyBinding::Handover { grant, used_by, reader: session.did() };
                    let opened = session.identity.open(|key| keys.open(key, &binding));
                    return opened.map_err(|_| unavailable());
                }
                Err(error) if may_pass(&error) && round < PATIENCE_ROUNDS => {}
                Err(error) => return Err(self.light(error)),
            }
        }
        Err(unavailable())
    }

    pub(super) fn sign_read(
        &self,
        session: &Session,
        node: NodeIndex,
        ground: ReadGround,
        blobs: Vec<BlobId>,
    ) -> UntrustedReadRequest {
        let request = ReadRequest {
            chain: self.network.chain(),
            reader: session.did(),
            holder: self.client.nodes()[node.0].organisation,
            ground,
            blobs,
            time: self.now(),
        };
        request.sign(&session.identity.signing)
    }

    /// The error for a fetch that delivered nothing at all.
    pub(super) fn nothing_delivered(&self, refused: Option<LightError>) -> ApiError {
        match refused {
            Some(error @ (LightError::Refused { .. } | LightError::Forged { .. })) => self.light(error),
            _ => amulet_app_api::ErrorCode::RecordUnavailable.into(),
        }
    }
}

/// Whether a refusal may pass once the hospital has caught up.
fn may_pass(error: &LightError) -> bool {
    let LightError::Refused { refusal, .. } = error else { return false };
    matches!(
        refusal,
        LightRefusal::Busy | LightRefusal::NotAllowed(AccessRefusal::Unknown | AccessRefusal::NotDeclared)
    )
}
