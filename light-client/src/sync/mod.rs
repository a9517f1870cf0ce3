//! Synchronisation: all hospitals are asked for their newest header; the highest that verifies becomes trusted when
//! hospitals of different organisations agree on one chain, and that chain continues the one this device followed.
//!
//! Five things are told apart: a hospital that does not answer (unreachable), one that is behind (stale, and still a
//! witness if its header is in the newest one's range), one whose header does not verify (forged: it alone is to blame), one
//! whose header is dated after this device's clock (one of the clocks is wrong, and nobody is accused), and
//! two certified headers that exclude each other (disagreement: more hospitals signed both than may be faulty; nothing is
//! to be believed then, and the pair is evidence).
//!
//! The age of the newest block decides nothing: blocks are made when there are transactions. That hospitals together hide
//! newer blocks is possible only if all that answer do; `NodeVerdict` says who answered.

mod ask;
mod branches;
mod link;
mod report;
mod witness;

pub(crate) use ask::GRACE;
pub(crate) use link::Placement;
pub use report::{NodeVerdict, SyncReport};

use crate::background::SyncPolicy;
use crate::client::{LightClient, Published, SyncStart};
use crate::error::LightError;
use crate::header::TrustedHeader;
use crate::transport::{NodeIndex, Traffic};
use amulet_protocol::ids::Timestamp;
use amulet_verifier::Verifier;
use ask::{Asked, Candidate};
use link::with_nodes;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What was known when a sync began. It is known again when that sync fails, or is dropped before its end.
struct KnownBefore<'a> {
    client: &'a LightClient,
    verifier: Option<Arc<Verifier>>,
    published: Published,
}

impl KnownBefore<'_> {
    fn restore(&self) {
        if let Some(verifier) = &self.verifier {
            self.client.set_verifier(Arc::clone(verifier));
            self.client.go_back_to(&self.published);
        }
    }
}

impl Drop for KnownBefore<'_> {
    fn drop(&mut self) {
        self.restore();
    }
}

impl LightClient {
    /// Asks all hospitals for their newest header and moves the trusted header forward.
    ///
    /// # Errors
    /// [`LightError::TrustExpired`], [`LightError::Unreachable`], [`LightError::NothingYet`],
    /// [`LightError::ValidatorsChanged`], [`LightError::TooFewWitnesses`], [`LightError::ClockBehind`],
    /// [`LightError::Disagreement`],
    /// [`LightError::Unlinked`]. The trusted header stays as it was.
    ///
    /// A disagreement is kept and shown to the hospitals ([`LightClient::forks`]) before this returns.
    pub async fn sync(&self, now: Timestamp) -> Result<SyncReport, LightError> {
        self.sync_by(SyncPolicy::Full, now).await
    }

    /// The same, at the cost that a policy allows. When the few that are asked on a metered link do not agree, all are.
    ///
    /// # Errors
    /// As [`LightClient::sync`].
    pub async fn sync_by(&self, policy: SyncPolicy, now: Timestamp) -> Result<SyncReport, LightError> {
        let _one_at_a_time = self.syncing.lock().await;
        self.restore_once().await;
        // Validator sets that are learnt on the way count with the head that they lead to, or not at all.
        let (start, published) = (self.verifier(), self.published());
        let mut before = KnownBefore { client: self, verifier: Some(Arc::clone(&start)), published };
        let known = SyncStart::of(&start);
        let resumed = self.resume_progress(known, now).await;
        let mut synced = self.sync_from(&start, policy, now).await;
        self.keep_disagreement(&synced, now).await;
        if resumed && synced.as_ref().is_err_and(|error| !error.is_passing()) {
            // What was reached before may itself have been a way into nothing.
            before.restore();
            self.drop_progress().await;
            synced = self.sync_from(&start, policy, now).await;
            self.keep_disagreement(&synced, now).await;
        }
        if policy == SyncPolicy::Metered && synced.as_ref().is_err_and(|error| !error.is_passing()) {
            before.restore();
            synced = self.sync_from(&start, SyncPolicy::Full, now).await;
            self.keep_disagreement(&synced, now).await;
        }
        match &synced {
            Ok(_) => {
                before.verifier = None;
                if SyncStart::of(&self.verifier()) != known {
                    self.drop_progress().await;
                }
                self.follow_members(now).await;
            }
            Err(error) if !error.is_passing() => self.drop_progress().await,
            Err(_) => {}
        }
        self.tell_forks().await;
        synced
    }

    async fn keep_disagreement(&self, synced: &Result<SyncReport, LightError>, now: Timestamp) {
        if let Err(LightError::Disagreement(found)) = synced {
            self.keep_fork(found, now).await;
        }
    }

    async fn sync_from(
        &self,
        start: &Verifier,
        policy: SyncPolicy,
        now: Timestamp,
    ) -> Result<SyncReport, LightError> {
        let traffic_before = self.traffic();
        let before = self.trusted();
        if let Some(before) = &before {
            self.verifier().within_trust_period(before.checked_at(), now)?;
        }
        self.take_doubts();
        let asked = self.ask_all(policy, now).await;
        let asked = self.take_back_if_in_vain(start, asked, now).await;
        let Asked { candidates, others: mut nodes, skipped } = self.ask_found(asked, now).await;
        let newest = self.newest(before.as_ref(), &candidates, &nodes, now)?;
        let placed = self.place_skipped_heads(start, &newest, &skipped, &mut nodes, now).await;
        placed.map_err(|error| match error {
            LightError::Disagreement(found) => with_nodes(found, &candidates, &nodes),
            other => other,
        })?;
        for Candidate { node, header } in &candidates {
            self.note_height(*node, header.height() == newest.height());
            let verdict = match self.place(&newest, header, now).await {
                Placement::Linked(_) => NodeVerdict::Agrees { height: header.height() },
                Placement::Unproven => NodeVerdict::Unproven { height: header.height() },
                Placement::Conflict(found) => return Err(with_nodes(found, &candidates, &nodes)),
            };
            nodes.push((*node, verdict));
        }
        // Who left by that head was heard, and does not bear witness to it: whoever makes a branch says on it who left.
        let members: BTreeSet<NodeIndex> = self.asked_nodes().into_iter().collect();
        nodes.retain(|(node, _)| members.contains(node));
        nodes.sort_by_key(|(node, _)| *node);
        let agreeing = self.organisations_that_agree(&nodes);
        let needed = self.params().witnesses();
        if agreeing < needed {
            return Err(self.too_few(agreeing, nodes, now));
        }
        let link = match &before {
            Some(before) => Some(self.continues(&newest, before, &candidates, &nodes, now).await?),
            None => None,
        };
        self.passes_steps(&newest, start.trail().len(), &candidates, &nodes, now).await?;
        self.drop_steps_above(&newest, start, now);
        let head = TrustedHeader::new(newest, now);
        let store_trouble = self.adopt(&head).await;
        let (signed, validators) = (head.signed(), head.validators());
        // Those that joined meanwhile had none.
        let traffic_before = traffic_before.into_iter().chain(std::iter::repeat(Traffic::default()));
        let traffic = self.traffic().into_iter().zip(traffic_before).map(|(now, before)| now - before);
        let (total, traffic) = (nodes.len(), traffic.collect());
        Ok(SyncReport { signed, validators, agreeing, total, link, nodes, traffic, store_trouble, head })
    }
}
