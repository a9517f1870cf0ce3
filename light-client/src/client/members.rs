//! Which nodes there are, and which of them are asked: those of the organisations that validate.
//!
//! A node that joins takes the next place of the list and keeps it, so that what is known of the others stays theirs. One
//! whose organisation has left keeps its place too, and is asked for nothing but the ciphertexts that it holds: it no longer
//! answers for anything, and would count as a witness.

use super::{LightClient, NodeInfo, Standing, State};
use crate::transport::{NodeIndex, Transport};
use amulet_protocol::addresses::NodeAddress;
use amulet_protocol::ids::Did;
use amulet_protocol::quorum::VALIDATORS_MAX;
use amulet_protocol::validators::ValidatorSet;
use std::collections::{BTreeMap, BTreeSet};

/// Nodes that can join a running client: all validators of a full set, and as many that came and went. After that, one that
/// joins takes the place of one that joined and left.
pub const JOINED_MAX: usize = 2 * VALIDATORS_MAX;

/// Where the ledger has the nodes of the organisations that validate.
pub(crate) type Published = BTreeMap<Did, Vec<NodeAddress>>;

impl LightClient {
    /// The nodes, in the order of their [`NodeIndex`]: those given at the start, and those that joined since. Nodes that left
    /// are among them; [`LightClient::asked_nodes`] leaves them out.
    #[must_use]
    pub fn nodes(&self) -> Vec<NodeInfo> {
        self.inner().nodes.clone()
    }

    /// The nodes that are asked: those of organisations that validate. If too few of these are known to bear witness, those
    /// that were given at the start are asked too, although they left.
    #[must_use]
    pub fn asked_nodes(&self) -> Vec<NodeIndex> {
        let state = self.inner();
        (0..state.nodes.len()).map(NodeIndex).filter(|node| !state.left.contains(node)).collect()
    }

    /// The first node of an organisation: where ciphertexts that it holds are asked for.
    #[must_use]
    pub fn node_of(&self, organisation: Did) -> Option<NodeIndex> {
        self.inner().nodes_of(organisation).next()
    }

    /// Who runs these nodes.
    pub(crate) fn organisations_of(&self, nodes: impl IntoIterator<Item = NodeIndex>) -> BTreeSet<Did> {
        let state = self.inner();
        nodes.into_iter().map(|node| state.nodes[node.0].organisation).collect()
    }

    /// Where the validators' nodes are, as far as it was read.
    pub(crate) fn published(&self) -> Published {
        self.inner().published.clone()
    }

    /// Forgets what a sync that failed has learnt of nodes: an identity that only a branch names must not answer in the place
    /// of a hospital's.
    pub(crate) fn go_back_to(&self, published: &Published) {
        if self.published() != *published {
            self.take_up(&self.validators(), published);
        }
        self.note_members();
    }

    /// Asks those from now on who validate by the newest set that is known.
    pub(crate) fn note_members(&self) {
        let (validators, needed) = (self.validators(), self.params().witnesses());
        self.inner().note_members(&validators, self.given, needed);
    }

    /// Teaches the transport where the nodes of these validators are, and takes up those that are new. Says which organisations
    /// have a node that is new, or may be somewhere else than was known.
    pub(super) fn take_up(&self, validators: &ValidatorSet, published: &Published) -> BTreeSet<Did> {
        let needed = self.params().witnesses();
        let mut state = self.inner();
        let mut moved = BTreeSet::new();
        for organisation in organisations(validators) {
            let addresses = published.get(&organisation).map(Vec::as_slice).unwrap_or_default();
            let known: Vec<NodeIndex> = state.nodes_of(organisation).collect();
            if state.published.get(&organisation).map(Vec::as_slice).unwrap_or_default() != addresses {
                moved.insert(organisation);
            }
            // Also if nothing is new here: another client may have taught the transport something else.
            for node in &known {
                self.transport.learn(*node, addresses);
            }
            if known.is_empty()
                && !addresses.is_empty()
                && let Some(place) = state.join(organisation, self.given)
            {
                self.transport.join(place, addresses);
            }
        }
        state.published.clone_from(published);
        state.note_members(validators, self.given, needed);
        moved
    }
}

impl State {
    fn nodes_of(&self, organisation: Did) -> impl Iterator<Item = NodeIndex> {
        let nodes = self.nodes.iter().enumerate();
        nodes.filter(move |(_, node)| node.organisation == organisation).map(|(index, _)| NodeIndex(index))
    }

    /// A place for the node of an organisation; none if [`JOINED_MAX`] have joined and none of them left.
    fn join(&mut self, organisation: Did, given: usize) -> Option<NodeIndex> {
        let node = NodeInfo { organisation };
        if self.nodes.len() < given + JOINED_MAX {
            self.nodes.push(node);
            self.standings.push(Standing::default());
            self.merits.join(NodeIndex(self.nodes.len() - 1));
            return Some(NodeIndex(self.nodes.len() - 1));
        }
        let place = *self.left.iter().find(|left| left.0 >= given)?;
        self.nodes[place.0] = node;
        self.standings[place.0] = Standing::default();
        self.merits.join(place);
        self.left.remove(&place);
        Some(place)
    }

    /// Works out who has left. `given` is how many nodes the client was started with, `needed` how many organisations bear
    /// witness.
    fn note_members(&mut self, validators: &ValidatorSet, given: usize, needed: usize) {
        let members = organisations(validators);
        let is_member = |node: &NodeInfo| members.contains(&node.organisation);
        let known: BTreeSet<Did> =
            self.nodes.iter().filter(|node| is_member(node)).map(|node| node.organisation).collect();
        // Whoever joined was a member of a set that may have turned out not to be of this chain.
        let stays = |index: usize| index < given && known.len() < needed;
        let left = self.nodes.iter().enumerate().filter(|(index, node)| !is_member(node) && !stays(*index));
        self.left = left.map(|(index, _)| NodeIndex(index)).collect();
    }
}

/// Who validates.
pub(super) fn organisations(validators: &ValidatorSet) -> BTreeSet<Did> {
    validators.members().iter().map(|validator| validator.organisation).collect()
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::params::TrustParams;
    use crate::store::MemoryStore;
    use crate::transport::https::HttpsTransport;
    use amulet_crypto::entropy::SeededEntropy;
    use amulet_crypto::signing::SigningKey;
    use amulet_protocol::genesis::{GENESIS_VERSION, Genesis, Organisation};
    use amulet_protocol::ids::Timestamp;
    use amulet_protocol::validators::Validator;
    use std::sync::Arc;

    /// So many organisations that never validated before.
    fn strangers(entropy: &mut SeededEntropy, count: usize) -> (Vec<Organisation>, Vec<Validator>) {
        let keys = (0..count).map(|_| SigningKey::generate(entropy).public_key().clone());
        let one = |key| Organisation { name_en: "Hospital".into(), name_zh: "医院".into(), key };
        let organisations: Vec<Organisation> = keys.map(one).collect();
        let validator = |organisation: &Organisation| Validator {
            organisation: organisation.did(),
            key: organisation.key.clone(),
            peer_id: Vec::new(),
        };
        let validators = organisations.iter().map(validator).collect();
        (organisations, validators)
    }

    #[test]
    fn a_ledger_on_which_hundreds_come_and_go_does_not_make_the_list_longer_than_its_bound() {
        let mut entropy = SeededEntropy::new(1);
        let (founders, validators) = strangers(&mut entropy, 4);
        let genesis = Genesis {
            version: GENESIS_VERSION,
            network: "test".into(),
            time: Timestamp(1),
            organisations: founders,
            validators,
        };
        let nodes: Vec<NodeInfo> =
            genesis.organisations.iter().map(|one| NodeInfo { organisation: one.did() }).collect();
        let transport = Arc::new(HttpsTransport::new(vec![vec![]; 4]));
        let store = Box::new(MemoryStore::default());
        let client =
            LightClient::new(&genesis, nodes.clone(), transport, store, TrustParams::default()).unwrap();
        for round in 0..4 {
            let (_, validators) = strangers(&mut entropy, VALIDATORS_MAX);
            let set = ValidatorSet::new(validators).unwrap();
            let address = vec![NodeAddress::Https(format!("https://round-{round}.example"))];
            let published = organisations(&set).into_iter().map(|one| (one, address.clone())).collect();
            let moved = client.take_up(&set, &published);
            assert_eq!(moved.len(), VALIDATORS_MAX);
            assert!(client.nodes().len() <= 4 + JOINED_MAX);
            assert_eq!(client.nodes()[..4], nodes, "those that were given keep their places");
            assert_eq!(client.organisations_of(client.asked_nodes()), organisations(&set));
            assert_eq!(client.standings().len(), client.nodes().len());
            assert_eq!(client.traffic().len(), client.nodes().len());
            assert_eq!(client.order().len(), VALIDATORS_MAX);
        }
    }
}
