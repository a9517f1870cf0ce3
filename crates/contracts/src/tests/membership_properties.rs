//! Random governance, sensible or not: the set stays a set, and nothing changes it but a quorum or a seat's own holder.

use super::*;
use crate::testing::{addition, candidate};
use amulet_protocol::calls::ReportEvidence;
use amulet_protocol::governance::{
    ApproveMembership, EpochState, MembershipChange, ProposalId, ProposeMembership, RotateValidatorKey, Seat,
    WithdrawMembership,
};
use amulet_protocol::ids::{Epoch, Nonce, ReplicaId};
use amulet_protocol::quorum::{VALIDATORS_MAX, VALIDATORS_MIN};
use amulet_protocol::state::Account;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Hospitals there are: four validate at the start, the others may join.
const HOSPITALS: u64 = 7;
const HOUR_MS: u64 = 3_600_000;

#[derive(Clone, Debug)]
enum Attempt {
    Add { by: usize, who: usize, ahead: u64 },
    Remove { by: usize, seat: u32, ahead: u64 },
    Replace { by: usize, seat: u32, ahead: u64 },
    Approve { by: usize, back: usize },
    Withdraw { by: usize, back: usize },
    Rotate { by: usize, seat: u32, ahead: u64 },
    Replay { back: usize },
    OtherChain { by: usize, back: usize },
    Report { by: usize, epoch: u64 },
    Wait { blocks: u64, hours: u64 },
}

fn attempt() -> impl Strategy<Value = Attempt> {
    let (by, seat, back) = (0..HOSPITALS as usize, 0u32..10, 0usize..3);
    // Mostly at once, sometimes planned.
    let ahead = prop_oneof![3 => Just(0u64), 1 => 1u64..12];
    prop_oneof![
        2 => (by.clone(), by.clone(), ahead.clone()).prop_map(|(by, who, ahead)| Attempt::Add { by, who, ahead }),
        2 => (by.clone(), seat.clone(), ahead.clone())
            .prop_map(|(by, seat, ahead)| Attempt::Remove { by, seat, ahead }),
        1 => (by.clone(), seat.clone(), ahead.clone())
            .prop_map(|(by, seat, ahead)| Attempt::Replace { by, seat, ahead }),
        12 => (by.clone(), back.clone()).prop_map(|(by, back)| Attempt::Approve { by, back }),
        1 => (by.clone(), back.clone()).prop_map(|(by, back)| Attempt::Withdraw { by, back }),
        2 => (by.clone(), seat, ahead).prop_map(|(by, seat, ahead)| Attempt::Rotate { by, seat, ahead }),
        1 => (0usize..20).prop_map(|back| Attempt::Replay { back }),
        1 => (by.clone(), back).prop_map(|(by, back)| Attempt::OtherChain { by, back }),
        1 => (by, 0u64..4).prop_map(|(by, epoch)| Attempt::Report { by, epoch }),
        2 => (1u64..6, 0u64..3).prop_map(|(blocks, hours)| Attempt::Wait { blocks, hours }),
    ]
}

/// The run, and what an onlooker remembers of it.
struct Run {
    world: World,
    hospitals: Vec<Actor>,
    keys: u64,
    proposals: Vec<ProposalId>,
    sent: Vec<SignedTransaction>,
    /// Who said yes and did not take it back.
    approvals: BTreeMap<ProposalId, BTreeSet<Did>>,
    /// Seats whose holder put a new key there.
    rotated: BTreeSet<Seat>,
    /// Every key that ever sat somewhere, with its seat.
    seen: BTreeMap<String, Seat>,
}

impl Run {
    fn new() -> Self {
        let world = World::new();
        let hospitals: Vec<_> = (0..HOSPITALS).map(Actor::new).collect();
        let mut run = Self {
            world,
            hospitals,
            keys: 1_000,
            proposals: Vec::new(),
            sent: Vec::new(),
            approvals: BTreeMap::new(),
            rotated: BTreeSet::new(),
            seen: BTreeMap::new(),
        };
        run.look();
        run
    }

    fn set(&self) -> EpochState {
        validators::current(&self.world.state).unwrap()
    }

    /// A key that nobody has had.
    fn fresh(&mut self) -> Actor {
        self.keys += 1;
        Actor::new(self.keys)
    }

    fn back(&self, back: usize) -> Option<ProposalId> {
        self.proposals.iter().rev().nth(back).copied()
    }

    fn at(&self, ahead: u64) -> Height {
        Height(self.world.height.0 + ahead)
    }

    fn organisation_on(&self, seat: Seat) -> Did {
        self.set().validator(seat).map_or(self.hospitals[0].did, |validator| validator.organisation)
    }

    fn propose(&mut self, by: usize, change: MembershipChange, ahead: u64) {
        let not_before = self.at(ahead);
        let call = ProposeMembership { change, not_before };
        self.send(by, Call::ProposeMembership(Box::new(call)));
    }

    fn replacement(&mut self, seat: Seat) -> amulet_protocol::governance::Candidate {
        let organisation = self.organisation_on(seat);
        candidate(&self.fresh(), self.world.chain, organisation, Some(seat))
    }

    fn attempt(&mut self, attempt: &Attempt) {
        match *attempt {
            Attempt::Add { by, who, ahead } => {
                let change = addition(&self.hospitals[who], self.world.chain);
                self.propose(by, change, ahead);
            }
            Attempt::Remove { by, seat, ahead } => {
                self.propose(by, MembershipChange::Remove { seat: Seat(seat) }, ahead);
            }
            Attempt::Replace { by, seat, ahead } => {
                let candidate = self.replacement(Seat(seat));
                self.propose(by, MembershipChange::Replace { seat: Seat(seat), candidate }, ahead);
            }
            Attempt::Approve { by, back } => {
                let Some(proposal) = self.back(back) else { return };
                self.send(by, Call::ApproveMembership(ApproveMembership { proposal }));
            }
            Attempt::Withdraw { by, back } => {
                let Some(proposal) = self.back(back) else { return };
                self.send(by, Call::WithdrawMembership(WithdrawMembership { proposal }));
            }
            Attempt::Rotate { by, seat, ahead } => {
                let (seat, candidate) = (Seat(seat), self.replacement(Seat(seat)));
                let not_before = self.at(ahead);
                let call = RotateValidatorKey { seat, candidate, not_before };
                self.send(by, Call::RotateValidatorKey(Box::new(call)));
            }
            Attempt::Replay { back } => self.replay(back),
            Attempt::OtherChain { by, back } => self.approve_elsewhere(by, back),
            Attempt::Report { by, epoch } => {
                let epoch = Epoch(epoch);
                let (offender, height) = (ReplicaId(1), self.world.height);
                let chain = self.world.chain;
                let author = &self.hospitals[1];
                let evidence = crate::testing::contradiction(author, chain, epoch, offender, height);
                let call = ReportEvidence { epoch, evidence };
                self.send(by, Call::ReportEvidence(Box::new(call)));
            }
            Attempt::Wait { blocks, hours } => {
                self.world.later(hours * HOUR_MS);
                for _ in 0..blocks {
                    let before = self.set();
                    self.world.end_block();
                    self.changed_by_right(&before);
                }
            }
        }
    }

    /// The same bytes again, perhaps epochs later.
    fn replay(&mut self, back: usize) {
        let Some(old) = self.sent.iter().rev().nth(back).cloned() else { return };
        let (state, height) = (self.world.state.clone(), self.world.height);
        assert_eq!(self.world.execute(&old), Verdict::Inadmissible(RefusalCode::NonceUsed));
        assert_eq!((&self.world.state, self.world.height), (&state, height));
    }

    /// An approval that somebody gave on another chain, with a nonce that is free here.
    fn approve_elsewhere(&mut self, by: usize, back: usize) {
        let Some(proposal) = self.back(back) else { return };
        let other = ChainId(amulet_crypto::digest::sm3(b"another"));
        let call = Call::ApproveMembership(ApproveMembership { proposal });
        let nonce = self.nonce(by);
        let transaction = self.hospitals[by].sign_numbered(other, nonce, call);
        assert!(matches!(self.world.execute(&transaction), Verdict::Inadmissible(_)));
    }

    fn send(&mut self, by: usize, call: Call) {
        let (chain, nonce) = (self.world.chain, self.nonce(by));
        let transaction = self.hospitals[by].sign_numbered(chain, nonce, call.clone());
        let (before, sender) = (self.set(), self.hospitals[by].did);
        let Verdict::Executed(applied) = self.world.execute(&transaction) else {
            let known = self.world.state.contains_key(&StateKey::Organisation(sender));
            assert!(!known, "only strangers are turned away");
            return;
        };
        self.sent.push(transaction.clone());
        if let Outcome::Applied { events } = applied.outcome {
            self.remember(&call, ProposalId(transaction.id()), sender);
            for (_, _, event) in &events {
                if let Event::MembershipDecided { proposal, .. } = event {
                    self.has_quorum(*proposal, &before);
                }
            }
        }
        self.changed_by_right(&before);
    }

    fn nonce(&self, by: usize) -> Nonce {
        let account: Option<Account> = self.world.read(&StateKey::Account(self.hospitals[by].did));
        Nonce(account.unwrap_or_default().highest.0 + 1)
    }

    fn remember(&mut self, call: &Call, id: ProposalId, sender: Did) {
        match call {
            Call::ProposeMembership(_) => {
                self.proposals.push(id);
                self.approvals.insert(id, [sender].into());
            }
            Call::ApproveMembership(call) => {
                self.approvals.get_mut(&call.proposal).unwrap().insert(sender);
            }
            Call::WithdrawMembership(call) => {
                self.approvals.get_mut(&call.proposal).unwrap().remove(&sender);
            }
            Call::RotateValidatorKey(call) => {
                assert_eq!(self.organisation_on(call.seat), sender, "only the seat's own organisation");
                self.rotated.insert(call.seat);
            }
            _ => {}
        }
    }

    /// Counted anew, by the definition in `docs/spec/consensus.md`.
    fn has_quorum(&self, proposal: ProposalId, set: &EpochState) {
        let voices: BTreeSet<Did> = set.validators.members().iter().map(|v| v.organisation).collect();
        let (n, f) = (voices.len(), (voices.len() - 1) / 3);
        let yes = self.approvals[&proposal].intersection(&voices).count();
        assert!(2 * yes > n + f, "{yes} of {n} decided");
    }

    /// The set changed only where somebody had the right to, and is a set.
    fn changed_by_right(&mut self, before: &EpochState) {
        let (after, membership) = (self.set(), validators::membership(&self.world.state).unwrap());
        assert_eq!(membership.validators_hash, after.validators.hash());
        assert!((VALIDATORS_MIN..=VALIDATORS_MAX).contains(&after.seats.len()));
        let distinct: BTreeSet<_> = after.seats.iter().collect();
        assert_eq!(
            (distinct.len(), after.seats.len()),
            (after.seats.len(), after.validators.members().len())
        );
        let pending: BTreeSet<_> = membership.scheduled.iter().map(|change| change.seat).collect();
        assert_eq!(pending.len(), membership.scheduled.len(), "one pending change of a seat");
        if before == &after {
            return;
        }
        assert_eq!(after.first, self.world.height, "in force from the next block on");
        let seats: BTreeSet<Seat> = before.seats.iter().chain(&after.seats).copied().collect();
        for seat in seats.iter().filter(|seat| before.validator(**seat) != after.validator(**seat)) {
            let decided = self.proposals.iter().any(|proposal| {
                let state: amulet_protocol::governance::ProposalState =
                    self.world.read(&StateKey::Proposal(*proposal)).unwrap();
                let decided = matches!(
                    state.stage,
                    amulet_protocol::governance::ProposalStage::Decided { first } if first == after.first
                );
                decided && concerns(&state.change, *seat)
            });
            assert!(decided || self.rotated.contains(seat), "seat {seat} changed by nobody's right");
        }
        self.look();
    }

    /// No key comes back, or sits on two seats.
    fn look(&mut self) {
        let set = self.set();
        for (seat, validator) in set.seats.iter().zip(set.validators.members()) {
            let key = validator.key.fingerprint().to_string();
            assert_eq!(self.seen.entry(key).or_insert(*seat), seat);
        }
    }
}

/// Whether a change can be one of this seat; an addition's seat is not known in advance.
fn concerns(change: &MembershipChange, seat: Seat) -> bool {
    match change {
        MembershipChange::Add { .. } => true,
        MembershipChange::Remove { seat: other } | MembershipChange::Replace { seat: other, .. } => {
            *other == seat
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_set_stays_a_set_and_changes_by_right_only(attempts in prop::collection::vec(attempt(), 1..120)) {
        let mut run = Run::new();
        for attempt in &attempts {
            run.attempt(attempt);
        }
    }
}

/// The property above would hold of a ledger on which nothing is ever decided.
#[test]
fn random_governance_does_change_the_set() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let strategy = prop::collection::vec(attempt(), 100..120);
    let epochs = (0..10).map(|_| {
        let mut run = Run::new();
        for attempt in strategy.new_tree(&mut runner).unwrap().current() {
            run.attempt(&attempt);
        }
        validators::membership(&run.world.state).unwrap().epoch.0
    });
    assert!(epochs.sum::<u64>() >= 10);
}
