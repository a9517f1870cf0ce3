//! Where the hospitals say on the ledger that their nodes are.
//!
//! An address is a hint. A libp2p one names an identity of the organisation's own validator, which whoever answers has to
//! prove. An HTTPS one names a host, whose certificate proves that it is this host, not whose node is there: that was the
//! organisation's to say, over its signature. One that points at somebody else's node lets that one speak in its place, as
//! it could by repeating what that one says.

use super::LightClient;
use super::members::organisations;
use crate::error::LightError;
use crate::platform;
use crate::store::{StoreError, StoredAddresses, StoredNodes};
use crate::transport::{NodeIndex, Traffic};
use crate::verifier::VerifiedHeader;
use amulet_protocol::addresses::{AddressesState, NodeAddress};
use amulet_protocol::ids::{Did, Timestamp};
use amulet_protocol::limits::ADDRESSES_PER_ORGANISATION_MAX;
use amulet_protocol::state::StateKey;
use amulet_protocol::state_tree::Proven;
use amulet_protocol::validators::ValidatorSet;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long a sync that succeeded looks for new nodes before it says so. What was not found is looked for with the next one.
const LOOK_WITHIN: Duration = Duration::from_secs(5);
/// How long a sync waits before it looks again for the node of a validator that has published no address.
const LOOK_AGAIN_MS: u64 = 24 * 3_600_000;

/// The validators' organisations and peer identities: what their addresses belong to.
type Roster = BTreeSet<(Did, Vec<u8>)>;

impl LightClient {
    /// Reads the addresses that organisations with a validator published and that still count, proven against the trusted
    /// header, and uses them: a node that is known is tried there too, one that is not is asked from the next sync on.
    /// Organisations that have published none are left out. A sync does this by itself when the validators changed.
    ///
    /// What is no address, or names a peer identity that is not that of one of the organisation's validators, is left out
    /// too: no honest ledger holds it.
    ///
    /// # Errors
    /// As [`LightClient::state`].
    pub async fn read_addresses(&self) -> Result<BTreeMap<Did, Vec<NodeAddress>>, LightError> {
        let head = self.head()?;
        let found = self.addresses_under(&head, &self.validators()).await?;
        self.use_addresses(&self.validators(), &found);
        self.keep_nodes(found).await;
        let published = self.published();
        Ok(published.into_iter().filter(|(_, addresses)| !addresses.is_empty()).collect())
    }

    /// What was exchanged with each node since this client was made.
    #[must_use]
    pub fn traffic(&self) -> Vec<Traffic> {
        self.transport.traffic()
    }

    /// After a sync: whom it asks from now on. New nodes are looked for if the validators changed since that was last done, or
    /// long ago if one of them has no node that is known.
    pub(crate) async fn follow_members(&self, now: Timestamp) {
        self.note_members();
        let validators = self.validators();
        let (seen, looked_at) = self.inner().looked_for.clone();
        let known = self.organisations_of(self.asked_nodes());
        let is_missing = !organisations(&validators).is_subset(&known);
        // A time ahead is of a clock that was wrong.
        let is_long_ago = looked_at > now || now.millis_since(looked_at) >= LOOK_AGAIN_MS;
        if seen != roster(&validators) || (is_missing && is_long_ago) {
            // The sync is good without it.
            let _ = platform::timeout(LOOK_WITHIN, self.read_addresses()).await;
        }
    }

    /// When too few answer: looks under a header that is verified but not trusted for where the validators' nodes are now. Says
    /// which nodes are new, or may be somewhere else than was known. They bear witness to that very header like any others;
    /// should it not become the trusted one, those who joined are not asked any more.
    pub(crate) async fn find_members(&self, header: &VerifiedHeader) -> BTreeSet<NodeIndex> {
        let validators = header.validator_set();
        let Ok(found) = self.addresses_under(header, validators).await else { return BTreeSet::new() };
        let moved = self.use_addresses(validators, &found);
        let asked = self.asked_nodes();
        let state = self.inner();
        asked.into_iter().filter(|node| moved.contains(&state.nodes[node.0].organisation)).collect()
    }

    /// What was kept of where the nodes are, as far as the validators known now are concerned.
    pub(crate) async fn restore_nodes(&self) -> Option<StoreError> {
        let kept = match self.kept.nodes().await {
            Ok(kept) => kept?,
            Err(trouble) => {
                // Else it would be said again at each start until the next time that the validators change.
                let _ = self.kept.drop_nodes().await;
                return Some(trouble);
            }
        };
        if self.trusted().is_some() {
            self.use_addresses(&self.validators(), &kept.published);
            self.inner().looked_for = (kept.roster, kept.looked_at);
        }
        None
    }

    async fn addresses_under(
        &self,
        header: &VerifiedHeader,
        validators: &ValidatorSet,
    ) -> Result<BTreeMap<Did, StoredAddresses>, LightError> {
        let organisations = organisations(validators);
        let keys: Vec<StateKey> = organisations.iter().copied().map(StateKey::Addresses).collect();
        let found = self.states_under::<AddressesState>(header, &keys).await?;
        let read = organisations.into_iter().zip(found).filter_map(|(organisation, found)| match found {
            Proven::Present(AddressesState { addresses, valid_until, .. }) => {
                Some((organisation, StoredAddresses { addresses, valid_until }))
            }
            Proven::Absent => None,
        });
        Ok(read.collect())
    }

    fn use_addresses(
        &self,
        validators: &ValidatorSet,
        found: &BTreeMap<Did, StoredAddresses>,
    ) -> BTreeSet<Did> {
        let now = self.now();
        let counting = found.iter().filter(|(_, found)| found.valid_until > now);
        let own =
            counting.map(|(organisation, found)| (*organisation, own(validators, *organisation, found)));
        self.take_up(validators, &own.collect())
    }

    async fn keep_nodes(&self, published: BTreeMap<Did, StoredAddresses>) {
        let (roster, looked_at) = (roster(&self.validators()), self.now());
        self.inner().looked_for = (roster.clone(), looked_at);
        if let Err(trouble) = self.kept.keep_nodes(&StoredNodes { roster, looked_at, published }).await {
            self.note_trouble(trouble);
        }
    }
}

/// Whom the addresses that are known belong to.
pub(super) fn roster(validators: &ValidatorSet) -> Roster {
    validators.members().iter().map(|validator| (validator.organisation, validator.peer_id.clone())).collect()
}

/// The addresses that can be an organisation's own.
fn own(validators: &ValidatorSet, organisation: Did, found: &StoredAddresses) -> Vec<NodeAddress> {
    let is_own = |address: &NodeAddress| match address {
        NodeAddress::Https(_) => true,
        NodeAddress::Libp2p { peer, .. } => validators
            .members()
            .iter()
            .any(|validator| validator.organisation == organisation && validator.peer_id == *peer),
    };
    let texts = found.addresses.iter().take(ADDRESSES_PER_ORGANISATION_MAX);
    texts.filter_map(|text| NodeAddress::parse(text).ok()).filter(is_own).collect()
}
