//! Says on the ledger where this node can be asked, when that has changed or is about to run out.

use crate::ledger::{Ledger, LedgerError};
use crate::org_sender::{OrgSender, SendError};
use amulet_protocol::addresses::{AddressesState, PublishAddresses};
use amulet_protocol::calls::Call;
use amulet_protocol::ids::{Did, Timestamp};
use amulet_protocol::limits::ADDRESSES_TIME_MAX_MS;
use amulet_protocol::state::StateKey;
use std::time::Duration;

/// How often it is looked at again.
const LOOK_EVERY: Duration = Duration::from_secs(24 * 3_600);
/// How long to wait before an announcement that did not come through is sent again.
const RETRY_AFTER: Duration = Duration::from_secs(60);
/// For how long addresses are announced: somewhat less than allowed, because the block's clock is not this one's.
const VALID_MS: u64 = ADDRESSES_TIME_MAX_MS - 24 * 3_600_000;
/// They are announced again when no more than this is left.
const RENEW_MS: u64 = ADDRESSES_TIME_MAX_MS / 2;

/// The task that announces.
pub struct Announcer {
    sender: OrgSender,
    ledger: Ledger,
    /// Ascending, as the ledger wants them.
    addresses: Vec<String>,
    now: fn() -> Timestamp,
}

impl Announcer {
    /// Announces these addresses by `sender`, unless `ledger` has them; none takes back what was announced.
    #[must_use]
    pub fn new(
        sender: OrgSender,
        ledger: Ledger,
        mut addresses: Vec<String>,
        now: fn() -> Timestamp,
    ) -> Self {
        addresses.sort_unstable();
        addresses.dedup();
        Self { sender, ledger, addresses, now }
    }

    /// Announces as long as the node runs.
    pub async fn run(self) {
        loop {
            let pause = match self.announce().await {
                Ok(()) => LOOK_EVERY,
                Err(SendError::Refused(code)) => {
                    tracing::warn!(%code, "the ledger refuses the addresses in node.toml, under `public`");
                    LOOK_EVERY
                }
                Err(error) => {
                    tracing::info!(%error, "addresses not announced yet; they will be sent again");
                    RETRY_AFTER
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    async fn announce(&self) -> Result<(), SendError> {
        if self.is_known()? || !self.validates() {
            return Ok(());
        }
        let valid_until = (self.now)().plus_millis(VALID_MS);
        let call = PublishAddresses { addresses: self.addresses.clone(), valid_until };
        self.sender.send(Call::PublishAddresses(call)).await?;
        tracing::info!(count = self.addresses.len(), "this node's addresses are on the ledger");
        Ok(())
    }

    fn organisation(&self) -> Did {
        self.sender.organisation()
    }

    fn is_known(&self) -> Result<bool, LedgerError> {
        let known: Option<AddressesState> = self.ledger.read(&StateKey::Addresses(self.organisation()))?;
        Ok(match known {
            None => self.addresses.is_empty(),
            Some(known) => {
                known.addresses == self.addresses && known.valid_until > (self.now)().plus_millis(RENEW_MS)
            }
        })
    }

    fn validates(&self) -> bool {
        let set = self.ledger.epoch();
        set.validators.members().iter().any(|validator| validator.organisation == self.organisation())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::testing::{World, now};

    fn announcer(world: &World, addresses: &[&str]) -> Announcer {
        let sender = world.sender(&world.network(&[]), &world.hospitals[0]);
        let addresses = addresses.iter().map(|&address| address.to_owned()).collect();
        Announcer::new(sender, world.ledger.clone(), addresses, now)
    }

    fn announced(world: &World) -> Option<Vec<String>> {
        let key = StateKey::Addresses(world.hospitals[0].did);
        world.ledger.read::<AddressesState>(&key).unwrap().map(|state| state.addresses)
    }

    #[tokio::test]
    async fn addresses_are_announced_once_and_again_when_they_change() {
        let world = World::new();
        world.run_consensus();
        let two = ["https://b.example", "https://a.example"];
        announcer(&world, &two).announce().await.unwrap();
        assert_eq!(announced(&world).unwrap(), ["https://a.example", "https://b.example"]);
        let height = world.ledger.tip().height;
        announcer(&world, &two).announce().await.unwrap();
        assert_eq!(world.ledger.tip().height, height, "what the ledger has is not sent again");
        announcer(&world, &two[..1]).announce().await.unwrap();
        assert_eq!(announced(&world).unwrap(), ["https://b.example"]);
        announcer(&world, &[]).announce().await.unwrap();
        assert_eq!(announced(&world), None);
    }

    #[tokio::test]
    async fn bad_addresses_are_refused_by_the_ledger() {
        let world = World::new();
        world.run_consensus();
        let refused = announcer(&world, &["http://a.example"]).announce().await;
        assert!(matches!(refused, Err(SendError::Refused(_))), "{refused:?}");
        assert_eq!(announced(&world), None);
    }
}
