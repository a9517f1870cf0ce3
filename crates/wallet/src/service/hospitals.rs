//! The hospitals' names: those of the genesis document, and for hospitals that joined later those on the ledger.

use amulet_app_api::wallet::HospitalView;
use amulet_protocol::ids::Did;
use amulet_protocol::limits::ORGANISATIONS_MAX;
use amulet_protocol::state::{OrganisationState, StateKey};
use std::collections::{BTreeMap, BTreeSet};

use super::Service;

/// What is known of hospitals that the genesis document does not have.
#[derive(Default)]
pub(super) struct JoinedHospitals {
    named: BTreeMap<Did, OrganisationState>,
    /// Those that were shown and have no name yet, at most [`ORGANISATIONS_MAX`].
    unnamed: BTreeSet<Did>,
}

impl Service {
    /// A hospital for people. One whose name is not known yet has none; it is looked for with the next check.
    pub(super) fn hospital_view(&self, did: &Did) -> HospitalView {
        let view = self.network.hospital(did);
        if self.network.knows(did) {
            return view;
        }
        let joined = &mut self.state().joined;
        match joined.named.get(did) {
            Some(OrganisationState { name_en, name_zh, .. }) => {
                HospitalView { name_en: name_en.clone(), name_zh: name_zh.clone(), ..view }
            }
            None => {
                if joined.unnamed.len() < ORGANISATIONS_MAX {
                    joined.unnamed.insert(*did);
                }
                view
            }
        }
    }

    /// Reads from the ledger the names of hospitals that have none here, and of one more. Without them their pages show what
    /// there is, so that a name that cannot be read is no error.
    pub(super) async fn learn_names(&self, of: Option<Did>) {
        let missing: Vec<Did> = {
            let joined = &self.state().joined;
            let asked = self.client.nodes().into_iter().map(|node| node.organisation);
            let all: BTreeSet<Did> = asked.chain(joined.unnamed.iter().copied()).chain(of).collect();
            let is_missing = |did: &Did| !self.network.knows(did) && !joined.named.contains_key(did);
            all.into_iter().filter(is_missing).take(ORGANISATIONS_MAX).collect()
        };
        if missing.is_empty() {
            return;
        }
        let keys: Vec<StateKey> = missing.iter().map(|did| StateKey::Organisation(*did)).collect();
        let Ok(found) = self.states_of::<OrganisationState>(&keys).await else { return };
        let joined = &mut self.state().joined;
        for (did, organisation) in missing.into_iter().zip(found) {
            if let Some(organisation) = organisation {
                joined.unnamed.remove(&did);
                joined.named.insert(did, organisation);
            }
        }
    }
}
