use super::*;
use crate::testing::{addition, candidate};
use amulet_protocol::governance::{
    ApproveMembership, EpochState, MembershipChange, MembershipState, OpenProposal, ProposalId,
    ProposalStage, ProposalState, ProposeMembership, RotateValidatorKey, Seat, WithdrawMembership,
};
use amulet_protocol::ids::Epoch;
use amulet_protocol::limits::{
    CHANGE_AHEAD_BLOCKS_MAX, PROPOSAL_TIME_MS, PROPOSALS_PER_ORGANISATION_MAX, ROTATION_INTERVAL_MS,
};
use amulet_protocol::state::OrganisationState;
use std::collections::BTreeSet;

const AT_ONCE: Height = Height(0);

impl World {
    fn set(&self) -> EpochState {
        validators::current(&self.state).unwrap()
    }

    fn membership(&self) -> MembershipState {
        validators::membership(&self.state).unwrap()
    }

    fn keys(&self) -> Vec<String> {
        let members = self.set().validators.members().to_vec();
        members.iter().map(|member| member.key.fingerprint().to_string()).collect()
    }

    fn propose(&mut self, by: &str, change: MembershipChange) -> Result<ProposalId, RefusalCode> {
        self.propose_from(by, change, AT_ONCE)
    }

    fn propose_from(
        &mut self,
        by: &str,
        change: MembershipChange,
        not_before: Height,
    ) -> Result<ProposalId, RefusalCode> {
        let call = ProposeMembership { change, not_before };
        self.call(by, Call::ProposeMembership(Box::new(call))).map(ProposalId)
    }

    fn approve(&mut self, by: &str, proposal: ProposalId) -> Result<(), RefusalCode> {
        self.call(by, Call::ApproveMembership(ApproveMembership { proposal })).map(|_| ())
    }

    fn withdraw(&mut self, by: &str, proposal: ProposalId) -> Result<(), RefusalCode> {
        self.call(by, Call::WithdrawMembership(WithdrawMembership { proposal })).map(|_| ())
    }

    /// Proposed by `h0` and approved until it is decided.
    fn decide(&mut self, change: MembershipChange, not_before: Height) -> ProposalId {
        let proposal = self.propose_from("h0", change, not_before).unwrap();
        for by in ["h1", "h2", "h3", "h4", "h5"] {
            if self.stage(proposal) != ProposalStage::Open {
                return proposal;
            }
            self.approve(by, proposal).unwrap();
        }
        proposal
    }

    fn stage(&self, proposal: ProposalId) -> ProposalStage {
        self.read::<ProposalState>(&StateKey::Proposal(proposal)).unwrap().stage
    }

    fn newcomer(&mut self, name: &'static str, seed: u64) -> MembershipChange {
        let actor = Actor::new(seed);
        let change = addition(&actor, self.chain);
        self.actors.insert(name, actor);
        change
    }

    fn rotation(&self, by: &str, seat: Seat, new: &Actor) -> Call {
        let candidate = candidate(new, self.chain, self.did(by), Some(seat));
        Call::RotateValidatorKey(Box::new(RotateValidatorKey { seat, candidate, not_before: AT_ONCE }))
    }
}

#[test]
fn a_hospital_joins_when_a_quorum_approves_with_the_block_after() {
    let mut world = World::new();
    let change = world.newcomer("h4", 4);
    let before = world.set();
    let proposal = world.propose("h0", change).unwrap();
    world.approve("h1", proposal).unwrap();
    assert_eq!(world.set(), before, "two of four are no quorum");
    assert_eq!(world.approve("wang", proposal), Err(RefusalCode::NotAValidator));
    assert_eq!(world.approve("h1", proposal), Err(RefusalCode::AlreadyApproved));
    let deciding = world.height;
    world.approve("h2", proposal).unwrap();
    let after = world.set();
    assert_eq!((after.first, after.validators.members().len()), (deciding.next(), 5));
    assert_eq!(after.seats.last(), Some(&Seat(4)));
    assert_eq!(world.membership().epoch, Epoch(1));
    assert_eq!(world.membership().validators_hash, after.validators.hash());
    assert_eq!(validators::at(&world.state, Epoch(0)).unwrap(), Some(before));
    let event = Event::MembershipDecided { proposal, first: deciding.next() };
    for name in ["h0", "h2", "h4"] {
        assert_eq!(world.last_event(name), event, "{name}");
    }
    let joined: OrganisationState = world.read(&StateKey::Organisation(world.did("h4"))).unwrap();
    assert_eq!(joined.name_en, "Newcomer");
    assert_eq!(world.approve("h3", proposal), Err(RefusalCode::ProposalClosed));
    // It speaks from now on, and five organisations need four voices.
    let other = world.newcomer("h5", 5);
    let proposal = world.propose("h4", other).unwrap();
    for by in ["h0", "h1"] {
        world.approve(by, proposal).unwrap();
    }
    assert_eq!(world.stage(proposal), ProposalStage::Open);
    world.approve("h3", proposal).unwrap();
    assert_eq!(world.set().validators.members().len(), 6);
}

#[test]
fn a_change_waits_for_its_height_and_the_last_block_before_it_names_it() {
    let mut world = World::new();
    let change = world.newcomer("h4", 4);
    let not_before = Height(world.height.0 + 10);
    let proposal = world.decide(change, not_before);
    assert_eq!(world.stage(proposal), ProposalStage::Decided { first: not_before });
    while world.height.next() < not_before {
        world.end_block();
        assert_eq!(world.membership().epoch, Epoch(0), "at {}", world.height);
    }
    world.end_block();
    assert_eq!(world.height, not_before);
    assert_eq!((world.membership().epoch, world.membership().first), (Epoch(1), not_before));
}

#[test]
fn a_seat_is_given_up_and_the_others_move_up() {
    let mut world = World::new();
    let joins = world.newcomer("h4", 4);
    world.decide(joins, AT_ONCE);
    let keys = world.keys();
    world.decide(MembershipChange::Remove { seat: Seat(1) }, AT_ONCE);
    assert_eq!(world.set().seats, [Seat(0), Seat(2), Seat(3), Seat(4)]);
    assert_eq!(world.keys(), [&keys[0], &keys[2], &keys[3], &keys[4]].map(Clone::clone));
    // It has no voice any more, and is a member of the consortium still.
    let change = MembershipChange::Remove { seat: Seat(0) };
    assert_eq!(world.propose("h1", change.clone()), Err(RefusalCode::NotAValidator));
    assert!(world.state.contains_key(&StateKey::Organisation(world.did("h1"))));
    assert_eq!(world.propose("h0", change), Err(RefusalCode::SetSize), "four must stay");
    let gone = MembershipChange::Remove { seat: Seat(1) };
    assert_eq!(world.propose("h0", gone), Err(RefusalCode::UnknownSeat));
}

#[test]
fn two_removals_that_are_good_alone_and_too_many_together_are_not_both_decided() {
    let mut world = World::new();
    let joins = world.newcomer("h4", 4);
    world.decide(joins, AT_ONCE);
    let far = Height(world.height.0 + 1_000);
    world.decide(MembershipChange::Remove { seat: Seat(1) }, far);
    let second = MembershipChange::Remove { seat: Seat(2) };
    assert_eq!(world.propose("h0", second.clone()), Err(RefusalCode::SetSize));
    // Nor may one slip in before the other.
    assert_eq!(world.propose_from("h0", second, Height(5)), Err(RefusalCode::SetSize));
    let again = MembershipChange::Remove { seat: Seat(1) };
    assert_eq!(world.propose("h0", again), Err(RefusalCode::ChangePending));
}

#[test]
fn a_hospital_rotates_its_own_key_alone_and_no_one_elses() {
    let mut world = World::new();
    let (seat, new) = (Seat(2), Actor::new(50));
    let call = world.rotation("h2", seat, &new);
    assert_eq!(world.call("h1", call.clone()), Err(RefusalCode::NotYourSeat));
    let (before, height) = (world.keys(), world.height);
    world.call("h2", call.clone()).unwrap();
    let mut expected = before;
    expected[2] = new.signing.public_key().fingerprint().to_string();
    assert_eq!(world.keys(), expected, "in the same place");
    assert_eq!(world.set().seats, (0..4).map(Seat).collect::<Vec<_>>());
    assert_eq!(world.last_event("h2"), Event::ValidatorKeyRotated { seat, first: height.next() });
    let next = world.rotation("h2", seat, &Actor::new(51));
    assert_eq!(world.call("h2", next.clone()), Err(RefusalCode::RotatedLately));
    world.later(ROTATION_INTERVAL_MS);
    assert_eq!(world.call("h2", call), Err(RefusalCode::KeyUsed), "no key comes back");
    world.call("h2", next).unwrap();
}

#[test]
fn a_member_cannot_escape_its_removal_by_rotating_its_key() {
    let mut world = World::new();
    let joins = world.newcomer("h4", 4);
    world.decide(joins, AT_ONCE);
    let proposal = world.propose("h0", MembershipChange::Remove { seat: Seat(3) }).unwrap();
    for by in ["h1", "h2"] {
        world.approve(by, proposal).unwrap();
    }
    let first = candidate(&Actor::new(60), world.chain, world.did("h3"), Some(Seat(3)));
    let not_before = Height(world.height.0 + CHANGE_AHEAD_BLOCKS_MAX);
    let rotation = RotateValidatorKey { seat: Seat(3), candidate: first, not_before };
    world.call("h3", Call::RotateValidatorKey(Box::new(rotation.clone()))).unwrap();
    world.later(ROTATION_INTERVAL_MS);
    let mut again = rotation;
    again.candidate = candidate(&Actor::new(61), world.chain, world.did("h3"), Some(Seat(3)));
    let again = world.call("h3", Call::RotateValidatorKey(Box::new(again)));
    assert_eq!(again, Err(RefusalCode::ChangePending));
    let other = world.propose("h1", MembershipChange::Remove { seat: Seat(3) }).unwrap();
    world.withdraw("h1", other).unwrap();
    world.approve("h4", proposal).unwrap();
    assert_eq!(world.set().position(Seat(3)), None);
    assert!(world.membership().scheduled.is_empty(), "the rotation went with the seat");
}

#[test]
fn a_key_sits_only_where_and_for_whom_its_holder_signed() {
    let mut world = World::new();
    let (new, h2) = (Actor::new(70), world.did("h2"));
    let other_chain = ChainId(amulet_crypto::digest::sm3(b"another"));
    let mut stolen = candidate(&new, world.chain, h2, Some(Seat(2)));
    stolen.key = Actor::new(71).signing.public_key().clone();
    let mut elsewhere = candidate(&new, world.chain, h2, Some(Seat(2)));
    elsewhere.peer_id.push(1);
    let cases = [
        candidate(&new, other_chain, h2, Some(Seat(2))),
        candidate(&new, world.chain, world.did("h1"), Some(Seat(2))),
        candidate(&new, world.chain, h2, Some(Seat(1))),
        candidate(&new, world.chain, h2, None),
        stolen,
        elsewhere,
    ];
    for candidate in cases {
        let change = MembershipChange::Replace { seat: Seat(2), candidate: candidate.clone() };
        assert_eq!(world.propose("h0", change), Err(RefusalCode::NotAccepted));
        let call = RotateValidatorKey { seat: Seat(2), candidate, not_before: AT_ONCE };
        let call = Call::RotateValidatorKey(Box::new(call));
        assert_eq!(world.call("h2", call), Err(RefusalCode::NotAccepted));
    }
    let taken = candidate(&world.actors["h3"], world.chain, h2, Some(Seat(2)));
    let change = |candidate| MembershipChange::Replace { seat: Seat(2), candidate };
    assert_eq!(world.propose("h0", change(taken)), Err(RefusalCode::BadPeerId));
    let mut own_again = candidate(&world.actors["h2"], world.chain, h2, Some(Seat(2)));
    assert_eq!(world.propose("h0", change(own_again.clone())), Err(RefusalCode::KeyUsed));
    own_again.peer_id = Vec::new();
    assert_eq!(world.propose("h0", change(own_again)), Err(RefusalCode::BadPeerId));
    let good = candidate(&new, world.chain, h2, Some(Seat(2)));
    world.decide(change(good), AT_ONCE);
    assert_eq!(world.keys()[2], new.signing.public_key().fingerprint().to_string());
}

#[test]
fn an_organisation_is_added_as_it_is_known_or_as_somebody_new() {
    let mut world = World::new();
    let (h1, new) = (world.did("h1"), Actor::new(80));
    let candidate = candidate(&new, world.chain, h1, None);
    let MembershipChange::Add { mut organisation, .. } = addition(&world.actors["h1"], world.chain) else {
        panic!("an addition")
    };
    let change = |organisation: &amulet_protocol::genesis::Organisation| MembershipChange::Add {
        organisation: organisation.clone(),
        candidate: candidate.clone(),
    };
    assert_eq!(world.propose("h0", change(&organisation)), Err(RefusalCode::BadOrganisation));
    organisation.name_en = String::new();
    assert_eq!(world.propose("h0", change(&organisation)), Err(RefusalCode::BadName));
    organisation.name_en = "Hospital 1".into();
    organisation.name_zh = "第1医院".into();
    world.decide(change(&organisation), AT_ONCE);
    assert_eq!(world.set().validators.members().len(), 5, "a second validator of the same hospital");
    let person = addition(&world.actors["wang"], world.chain);
    assert_eq!(world.propose("h0", person), Err(RefusalCode::BadOrganisation));
    // Two validators, one voice: four organisations still need three.
    let joins = world.newcomer("h4", 4);
    let proposal = world.propose("h1", joins).unwrap();
    assert_eq!(world.approve("h1", proposal), Err(RefusalCode::AlreadyApproved));
    world.approve("h0", proposal).unwrap();
    assert_eq!(world.stage(proposal), ProposalStage::Open);
    world.approve("h2", proposal).unwrap();
    assert_eq!(world.stage(proposal), ProposalStage::Decided { first: world.height });
}

#[test]
fn proposals_end_by_time_by_withdrawal_and_are_few() {
    let mut world = World::new();
    let mut proposals = Vec::new();
    for seed in 0..PROPOSALS_PER_ORGANISATION_MAX as u64 {
        let change = addition(&Actor::new(90 + seed), world.chain);
        proposals.push(world.propose("h0", change).unwrap());
    }
    let change = addition(&Actor::new(99), world.chain);
    assert_eq!(world.propose("h0", change.clone()), Err(RefusalCode::TooManyProposals));
    world.propose("h1", change.clone()).unwrap();
    let [first, second] = [proposals[0], proposals[1]];
    assert_eq!(world.withdraw("h1", first), Err(RefusalCode::NotYourProposal));
    world.approve("h1", first).unwrap();
    world.withdraw("h1", first).unwrap();
    world.approve("h2", first).unwrap();
    assert_eq!(world.stage(first), ProposalStage::Open, "an approval that was taken back counts no more");
    world.withdraw("h0", first).unwrap();
    assert_eq!(world.approve("h3", first), Err(RefusalCode::ProposalClosed));
    world.propose("h0", change.clone()).unwrap();
    world.approve("h1", second).unwrap();
    world.later(PROPOSAL_TIME_MS);
    assert_eq!(world.approve("h2", second), Err(RefusalCode::ProposalExpired));
    world.propose("h0", change).unwrap();
    let open: Vec<OpenProposal> = world.read(&StateKey::OpenProposals).unwrap();
    assert_eq!(open.len(), 1, "those that have expired make room");
    let unknown = ProposalId(TxId(amulet_crypto::digest::sm3(b"none")));
    assert_eq!(world.approve("h0", unknown), Err(RefusalCode::UnknownProposal));
    let far = Height(world.height.0 + CHANGE_AHEAD_BLOCKS_MAX + 1);
    let change = addition(&Actor::new(98), world.chain);
    assert_eq!(world.propose_from("h0", change, far), Err(RefusalCode::BadHeight));
}

#[test]
fn an_approval_of_somebody_who_left_does_not_count() {
    let mut world = World::new();
    let joins = world.newcomer("h4", 4);
    world.decide(joins, AT_ONCE);
    let waiting = addition(&Actor::new(90), world.chain);
    let waiting = world.propose("h3", waiting).unwrap();
    world.decide(MembershipChange::Remove { seat: Seat(3) }, AT_ONCE);
    world.approve("h0", waiting).unwrap();
    world.approve("h1", waiting).unwrap();
    assert_eq!(world.stage(waiting), ProposalStage::Open, "two of four, and one who left");
    world.approve("h2", waiting).unwrap();
    assert_eq!(world.stage(waiting), ProposalStage::Decided { first: world.height });
}

#[test]
fn the_organisations_that_validate_are_those_of_the_set_in_force() {
    let mut world = World::new();
    let in_force = |world: &World| {
        let set = validators::current(&world.state).unwrap().validators;
        let all: BTreeSet<Did> = set.members().iter().map(|validator| validator.organisation).collect();
        assert_eq!(validators::organisations(&world.state).unwrap(), all);
        all.len()
    };
    assert_eq!(in_force(&world), 4);
    let newcomer = Actor::new(60);
    let change = crate::testing::addition(&newcomer, world.chain);
    let call = ProposeMembership { change, not_before: Height(0) };
    let proposal = ProposalId(world.call("h0", Call::ProposeMembership(Box::new(call))).unwrap());
    for name in ["h1", "h2"] {
        world.call(name, Call::ApproveMembership(ApproveMembership { proposal })).unwrap();
    }
    assert_eq!(in_force(&world), 5);
}
