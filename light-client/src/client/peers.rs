//! Where the hospitals say on the ledger that their nodes are.

use super::LightClient;
use crate::error::LightError;
use crate::transport::{NodeIndex, Traffic, Transport};
use amulet_protocol::addresses::{AddressesState, NodeAddress};
use amulet_protocol::ids::Did;
use amulet_protocol::limits::ADDRESSES_PER_ORGANISATION_MAX;
use amulet_protocol::state::StateKey;
use amulet_protocol::state_tree::Proven;
use std::collections::{BTreeMap, BTreeSet};

impl LightClient {
    /// Reads the addresses that organisations with a validator published and that still count, proven against the trusted
    /// header, and teaches the transport those of its nodes: they are tried beside the ones it was given. Organisations
    /// that have published none are left out.
    ///
    /// What is no address, or names a peer identity that is not that of one of the organisation's validators, is left out
    /// too: no honest ledger holds it.
    ///
    /// # Errors
    /// As [`LightClient::state`].
    pub async fn read_addresses(&self) -> Result<BTreeMap<Did, Vec<NodeAddress>>, LightError> {
        self.head()?;
        let validators = self.validators();
        let organisations: BTreeSet<Did> =
            validators.members().iter().map(|validator| validator.organisation).collect();
        let keys: Vec<StateKey> = organisations.iter().copied().map(StateKey::Addresses).collect();
        let found = self.states::<AddressesState>(&keys).await?;
        let now = self.now();
        let mut all = BTreeMap::new();
        for (organisation, found) in organisations.into_iter().zip(found) {
            let Proven::Present(state) = found else { continue };
            if state.valid_until <= now {
                continue;
            }
            let is_own = |address: &NodeAddress| match address {
                NodeAddress::Https(_) => true,
                NodeAddress::Libp2p { peer, .. } => validators
                    .members()
                    .iter()
                    .any(|validator| validator.organisation == organisation && validator.peer_id == *peer),
            };
            let texts = state.addresses.iter().take(ADDRESSES_PER_ORGANISATION_MAX);
            let addresses: Vec<NodeAddress> =
                texts.filter_map(|text| NodeAddress::parse(text).ok()).filter(is_own).collect();
            for node in self.nodes_of(organisation) {
                self.transport.learn(node, &addresses);
            }
            all.insert(organisation, addresses);
        }
        Ok(all)
    }

    /// What was exchanged with each node since this client was made.
    #[must_use]
    pub fn traffic(&self) -> Vec<Traffic> {
        self.transport.traffic()
    }

    fn nodes_of(&self, organisation: Did) -> impl Iterator<Item = NodeIndex> {
        let of = move |(index, node): (usize, &super::NodeInfo)| {
            (node.organisation == organisation).then_some(NodeIndex(index))
        };
        self.nodes.iter().enumerate().filter_map(of)
    }
}
