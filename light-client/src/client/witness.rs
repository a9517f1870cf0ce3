//! Bearing witness: two certified headers that exclude each other are kept, and shown to every hospital until it has said
//! what it makes of them.
//!
//! What is kept is all that this client cannot fetch again, so it outlives [`LightClient::forget`] and the emptying of a
//! store in which something else is wrong.

use super::LightClient;
use crate::client::Standing;
use crate::error::{Disagreement, NodeFailure};
use crate::platform;
use crate::store::{FORKS_KEPT_MAX, StoreError, StoredFork, Told};
use crate::transport::NodeIndex;
use crate::verifier::{Verdict, Verifier};
use amulet_protocol::fork::UntrustedFork;
use amulet_protocol::ids::{ChainId, Did, Timestamp};
use amulet_protocol::light::{LightRefusal, LightRequest, LightResponse};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use std::time::Duration;

/// How long the hospitals together are waited for when they are told of a fork. Who is slower is told with the next sync.
const TELL_WITHIN: Duration = Duration::from_secs(5);

impl LightClient {
    /// The forks that this client found, the oldest first, and what each hospital said to them. At most
    /// [`FORKS_KEPT_MAX`]; the first stay, so that those who made one cannot push it out by more.
    #[must_use]
    pub fn forks(&self) -> Vec<StoredFork> {
        self.inner().forks.clone()
    }

    /// Keeps a disagreement that was found, unless it is known.
    pub(crate) async fn keep_fork(&self, found: &Disagreement, now: Timestamp) {
        let fork = UntrustedFork::new(found.left.header.clone(), found.right.header.clone());
        {
            let forks = &mut self.inner().forks;
            let known = forks.iter().any(|kept| kept.fork.hashes() == fork.hashes());
            if known || forks.len() >= FORKS_KEPT_MAX {
                return;
            }
            forks.push(StoredFork { fork, found_at: now, told: Vec::new() });
        }
        self.save_forks().await;
    }

    /// Tells every hospital that is not known to be silent of what it has not answered to yet.
    pub(crate) async fn tell_forks(&self) {
        let mut asking: FuturesUnordered<_> = self
            .untold()
            .into_iter()
            .map(|(node, fork)| async move {
                let request = LightRequest::ReportFork(Box::new(fork.clone()));
                (node, fork, self.ask(node, &request).await)
            })
            .collect();
        if asking.is_empty() {
            return;
        }
        let answers = async {
            while let Some((node, fork, answer)) = asking.next().await {
                let told = match answer {
                    Ok(LightResponse::ForkFound(finding)) => Told::Found(finding),
                    Err(NodeFailure::Refused(LightRefusal::NoFork)) => Told::Denied,
                    // Busy, behind, silent, of an older version: it is told again.
                    _ => continue,
                };
                self.note_told(&fork, node, told);
            }
        };
        // What was answered until then is noted.
        let _ = platform::timeout(TELL_WITHIN, answers).await;
        self.save_forks().await;
    }

    /// Reads the forks that are kept, and leaves out what is none of this chain.
    pub(crate) async fn restore_forks(&self) -> Option<StoreError> {
        match self.kept.forks().await {
            Ok(kept) => {
                let (chain, verifier) = (self.chain(), self.verifier());
                let all = kept.len();
                let good: Vec<_> =
                    kept.into_iter().filter(|kept| is_plausible(&kept.fork, chain, &verifier)).collect();
                let trouble = (good.len() < all).then_some(StoreError::Foreign);
                self.inner().forks = good;
                trouble
            }
            Err(trouble) => Some(trouble),
        }
    }

    /// Writes the forks that are known.
    pub(crate) async fn save_forks(&self) {
        if let Err(trouble) = self.kept.keep_forks(&self.forks()).await {
            self.note_trouble(trouble);
        }
    }

    /// Who has not answered to which fork.
    fn untold(&self) -> Vec<(NodeIndex, UntrustedFork)> {
        let state = self.inner();
        let mut untold = Vec::new();
        for kept in &state.forks {
            for (index, node) in state.nodes.iter().enumerate() {
                let answered = kept.told.iter().any(|(told, _)| *told == node.organisation);
                let is_asked = !state.left.contains(&NodeIndex(index));
                if is_asked && !answered && state.standings[index] != Standing::Unreachable {
                    untold.push((NodeIndex(index), kept.fork.clone()));
                }
            }
        }
        untold
    }

    fn note_told(&self, fork: &UntrustedFork, node: NodeIndex, told: Told) {
        let mut state = self.inner();
        let organisation: Did = state.nodes[node.0].organisation;
        let Some(kept) = state.forks.iter_mut().find(|kept| kept.fork == *fork) else { return };
        if !kept.told.iter().any(|(known, _)| *known == organisation) {
            kept.told.push((organisation, told));
        }
    }
}

/// Whether this can be a fork of the chain, as far as the known validator sets tell. What was kept is not believed because it
/// was kept: it says something to a person and to hospitals, who check all of it.
fn is_plausible(fork: &UntrustedFork, chain: ChainId, verifier: &Verifier) -> bool {
    fork.excludes(chain).is_ok()
        && fork.sides().into_iter().all(|side| {
            let dated = side.header.time;
            !matches!(verifier.verify_adjacent(side.clone(), dated), Verdict::Invalid(_))
        })
}
