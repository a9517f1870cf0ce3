//! Looks at everything that correct replicas sign, on its way out, and holds it against the rules. A replica that breaks
//! one is found at once, and not only when harm has come of it.

use std::collections::{BTreeMap, BTreeSet};

use amulet_pbft::message::{NewView, Proposal, ViewChange};
use amulet_pbft::{Message, PreparedCertificate, Tip};
use amulet_protocol::certificate::CommitVote;
use amulet_protocol::ids::{HeaderHash, Height, ReplicaId, View};

/// What one replica has signed, all its lives together.
#[derive(Default)]
struct Signed {
    /// The block it proposed or voted to prepare.
    accepted: BTreeMap<(View, Height), Proposal>,
    commits: BTreeMap<(View, Height), HeaderHash>,
    /// By height the proposal of the highest view that it voted to commit.
    prepared: BTreeMap<Height, Proposal>,
    /// The highest view that it voted in or asked for.
    view: View,
}

#[derive(Default)]
pub struct Audit {
    replicas: BTreeMap<ReplicaId, Signed>,
    /// What correct primaries carried over: the base, and the proposals by height.
    views: BTreeMap<View, (Height, BTreeMap<Height, Proposal>)>,
}

impl Audit {
    /// A correct replica with this tip sends this message.
    pub fn check(&mut self, message: &Message, tip: &Tip, epoch_start: Height) {
        let sender = message.sender();
        match message {
            Message::PrePrepare(signed, _) => self.accept(sender, signed.content.proposal),
            Message::Prepare(signed) => self.accept(sender, signed.content.proposal),
            Message::Commit(signed) => self.commit(sender, signed.content, tip),
            Message::ViewChange(signed) => self.view_change(sender, &signed.content, tip),
            Message::NewView(signed) => self.new_view(&signed.content, epoch_start),
            _ => {}
        }
    }

    /// PBFT-NC-3, PBFT-NC-10, PBFT-VC-7, PBFT-RC-2, PBFT-RC-3: one block at a place, in no view below, and what is carried.
    fn accept(&mut self, sender: ReplicaId, proposal: Proposal) {
        let signed = self.replicas.entry(sender).or_default();
        let Proposal { view, height, .. } = proposal;
        assert!(view >= signed.view, "replica {sender} votes in view {view} after {}", signed.view);
        signed.view = view;
        let known = *signed.accepted.entry((view, height)).or_insert(proposal);
        assert_eq!(known, proposal, "replica {sender} votes for two blocks at one place");
        if let Some((base, carried)) = self.views.get(&view) {
            assert!(height > *base, "replica {sender} votes at {height}, up to {base} is final");
            let carried = carried.get(&height).copied().unwrap_or(proposal);
            assert_eq!(carried, proposal, "replica {sender} votes for another block than is carried");
        }
    }

    /// PBFT-NC-7: after a vote to prepare the same block, and on top of what it prepared in this view or holds as final.
    fn commit(&mut self, sender: ReplicaId, vote: CommitVote, tip: &Tip) {
        let signed = self.replicas.entry(sender).or_default();
        let CommitVote { view, height, header_hash } = vote;
        assert!(view >= signed.view, "replica {sender} commits in view {view} after {}", signed.view);
        signed.view = view;
        let known = *signed.commits.entry((view, height)).or_insert(header_hash);
        assert_eq!(known, header_hash, "replica {sender} commits two blocks at one place");
        if let Some(accepted) = signed.accepted.get(&(view, height)) {
            assert_eq!(accepted.header_hash, header_hash, "replica {sender} commits what it did not accept");
            signed.prepared.insert(height, *accepted);
        }
        let below = height.previous().unwrap();
        let is_linked = below <= tip.height || signed.commits.contains_key(&(view, below));
        assert!(is_linked, "replica {sender} commits {height} over a gap, its tip is {}", tip.height);
    }

    /// PBFT-VC-1: it shows all that it voted to commit, as far as it is linked to the tip.
    fn view_change(&mut self, sender: ReplicaId, shown: &ViewChange, tip: &Tip) {
        let signed = self.replicas.entry(sender).or_default();
        signed.view = signed.view.max(shown.new_view);
        // A view-change that is sent again may be older than the tip.
        let is_fresh = shown.base.as_ref().is_none_or(|base| base.vote.header_hash == tip.header_hash)
            && (shown.base.is_some()
                || shown.prepared.first().is_none_or(|first| first.proposal().height > tip.height));
        if !is_fresh {
            return;
        }
        let (mut height, mut parent) = (tip.height.next(), tip.header_hash);
        let mut certificates = shown.prepared.iter().map(PreparedCertificate::proposal);
        while let Some(prepared) = signed.prepared.get(&height)
            && prepared.parent == parent
            && prepared.view < shown.new_view
        {
            let certificate = certificates.next();
            let is_shown =
                certificate.is_some_and(|found| found.height == height && found.view >= prepared.view);
            assert!(is_shown, "replica {sender} hides that it prepared height {height}");
            (height, parent) = (height.next(), certificate.unwrap().header_hash);
        }
    }

    /// PBFT-VC-4, PBFT-VC-5: the selection, computed once more and otherwise.
    fn new_view(&mut self, new_view: &NewView, epoch_start: Height) {
        let bases = new_view.view_changes.iter().filter_map(|shown| shown.content.base.as_ref());
        let best = bases.map(|base| base.vote).max_by_key(|vote| vote.height);
        let base = best.map_or(epoch_start, |vote| vote.height);
        let mut parent = best.map(|vote| vote.header_hash);
        let all: Vec<&Proposal> = new_view
            .view_changes
            .iter()
            .flat_map(|shown| shown.content.prepared.iter().map(PreparedCertificate::proposal))
            .collect();
        let mut expected = BTreeMap::new();
        for height in base.0 + 1.. {
            let mut candidates: Vec<_> = all
                .iter()
                .filter(|found| {
                    found.height.0 == height && parent.is_none_or(|parent| found.parent == parent)
                })
                .collect();
            candidates.sort_by_key(|found| found.view);
            let Some(newest) = candidates.last() else { break };
            parent = Some(newest.header_hash);
            expected.insert(Height(height), Proposal { view: new_view.view, ..***newest });
        }
        let proposed: BTreeMap<_, _> = new_view
            .pre_prepares
            .iter()
            .map(|sent| (sent.content.proposal.height, sent.content.proposal))
            .collect();
        assert_eq!(proposed, expected, "view {} begins with what its certificate demands", new_view.view);
        let senders: BTreeSet<_> = new_view.view_changes.iter().map(|shown| shown.sender).collect();
        assert_eq!(senders.len(), new_view.view_changes.len());
        self.views.insert(new_view.view, (base, expected));
    }
}
