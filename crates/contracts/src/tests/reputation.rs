use super::*;
use crate::testing::{DAY_MS, contradiction, records};
use amulet_protocol::calls::ReportEvidence;
use amulet_protocol::governance::{
    ApproveMembership, MembershipChange, ProposalId, ProposeMembership, RotateValidatorKey, Seat,
};
use amulet_protocol::ids::{Epoch, RecordId, ReplicaId};
use amulet_protocol::limits::{REPORT_INTERVAL_DAYS, SERVICE_LINES_MAX};
use amulet_protocol::reputation::{
    Conduct, LedgerDay, REPORT_WEIGHT, RISE_PER_DAY, ReportService, Reputation, SCORE_PRIOR, Score,
    ServiceLine, Tenths, Voucher,
};
use std::collections::BTreeSet;

impl World {
    /// A world in which `wang` has a record of `h1`, and `zhao` one of `h2`.
    fn with_patients() -> Self {
        let mut world = Self::new();
        for (hospital, patient, number) in [("h1", "wang", 0), ("h2", "zhao", 1)] {
            let call = records(number..number + 1, world.did(hospital), &world.actors[patient]);
            world.call(hospital, Call::RegisterRecords(call)).unwrap();
        }
        world
    }

    /// The report that all of `named` served without fault.
    fn praise(&self, voucher: Voucher, named: &[&str]) -> ReportService {
        let all = Tenths::ALL;
        let line =
            |name: &&str| ServiceLine { organisation: self.did(name), answered: all, fresh: all, sound: all };
        let mut lines: Vec<_> = named.iter().map(line).collect();
        lines.sort_by_key(|line| line.organisation);
        ReportService { voucher, lines }
    }

    fn report(&mut self, name: &str, report: ReportService) -> Result<TxId, RefusalCode> {
        self.call(name, Call::ReportService(report))
    }

    fn reputation(&self, hospital: &str) -> Option<Reputation> {
        self.read(&StateKey::Reputation(self.did(hospital)))
    }

    fn score(&self, hospital: &str) -> Score {
        let today = LedgerDay::of(self.now);
        let others: BTreeSet<Did> = ["h0", "h1", "h2", "h3"].map(|name| self.did(name)).into();
        let others = others.into_iter().filter(|other| *other != self.did(hospital)).collect();
        self.reputation(hospital).map_or(SCORE_PRIOR, |reputation| reputation.score_on(today, &others))
    }

    fn convict_h2(&mut self, epoch: Epoch, height: u64) -> Result<TxId, RefusalCode> {
        let evidence = contradiction(&self.actors["h2"], self.chain, epoch, ReplicaId(2), Height(height));
        self.call("h1", Call::ReportEvidence(Box::new(ReportEvidence { epoch, evidence })))
    }
}

fn wangs_record() -> Voucher {
    Voucher::Record(crate::testing::record_id(0))
}

#[test]
fn a_report_counts_for_the_hospital_that_knows_the_client() {
    let mut world = World::with_patients();
    world.report("wang", world.praise(wangs_record(), &["h2", "h3"])).unwrap();
    world.report("li", world.praise(Voucher::Employer, &["h2"])).unwrap();
    let voices = world.reputation("h2").unwrap().voices().to_vec();
    let heard: BTreeSet<Did> = voices.iter().map(|voice| voice.organisation).collect();
    assert_eq!(heard, BTreeSet::from([world.did("h0"), world.did("h1")]));
    assert_eq!(voices[0].weight(), REPORT_WEIGHT);
    assert_eq!(world.reputation("h3").unwrap().voices().len(), 1);
    assert_eq!(world.reputation("h1"), None, "nothing was said of it");
}

#[test]
fn strangers_count_for_nobody() {
    let mut world = World::with_patients();
    let zhaos = Voucher::Record(crate::testing::record_id(1));
    let nobodys = Voucher::Record(RecordId(amulet_crypto::digest::sm3(b"none")));
    for voucher in [zhaos, nobodys] {
        let report = world.praise(voucher, &["h3"]);
        assert_eq!(world.report("wang", report), Err(RefusalCode::NotVouched));
    }
    let report = world.praise(Voucher::Employer, &["h3"]);
    assert_eq!(world.report("wang", report), Err(RefusalCode::NotAPractitioner));
    world.later(400 * DAY_MS);
    let report = world.praise(Voucher::Employer, &["h3"]);
    assert_eq!(world.report("li", report), Err(RefusalCode::NotAPractitioner), "no longer employed");
    assert_eq!(world.reputation("h3"), None);
}

#[test]
fn the_clients_of_a_member_that_no_longer_validates_are_not_heard() {
    let mut world = World::with_patients();
    let newcomer = Actor::new(60);
    let change = crate::testing::addition(&newcomer, world.chain);
    decide(&mut world, change);
    decide(&mut world, MembershipChange::Remove { seat: Seat(1) });
    let report = world.praise(wangs_record(), &["h3"]);
    assert_eq!(world.report("wang", report), Err(RefusalCode::NotVouched));
}

#[test]
fn a_hospitals_own_clients_do_not_count_for_it() {
    let mut world = World::with_patients();
    let report = world.praise(wangs_record(), &["h1", "h2"]);
    assert_eq!(world.report("wang", report), Err(RefusalCode::SelfDealing));
    assert_eq!(world.reputation("h2"), None, "a refused report changes nothing");
}

#[test]
fn lines_are_few_ordered_about_members_and_shares_are_shares() {
    let mut world = World::with_patients();
    let good = world.praise(wangs_record(), &["h2", "h3"]);
    let refused = |world: &mut World, change: &dyn Fn(&mut ReportService)| {
        let mut report = good.clone();
        change(&mut report);
        world.report("wang", report).unwrap_err()
    };
    let patient = world.did("zhao");
    assert_eq!(refused(&mut world, &|report| report.lines.clear()), RefusalCode::BadList);
    assert_eq!(refused(&mut world, &|report| report.lines.reverse()), RefusalCode::BadList);
    assert_eq!(refused(&mut world, &|report| report.lines[1] = report.lines[0]), RefusalCode::BadList);
    let many = |report: &mut ReportService| {
        let did = |number: usize| Did::of_key(Actor::new(1_000 + number as u64).signing.public_key());
        let line = report.lines[0];
        report.lines =
            (0..=SERVICE_LINES_MAX).map(|number| ServiceLine { organisation: did(number), ..line }).collect();
        report.lines.sort_by_key(|line| line.organisation);
    };
    assert_eq!(refused(&mut world, &many), RefusalCode::BadList);
    let stranger = |report: &mut ReportService| {
        report.lines.truncate(1);
        report.lines[0].organisation = patient;
    };
    assert_eq!(refused(&mut world, &stranger), RefusalCode::BadOrganisation);
    let fields: [fn(&mut ServiceLine) -> &mut Tenths; 3] =
        [|line| &mut line.answered, |line| &mut line.fresh, |line| &mut line.sound];
    for field in fields {
        let beyond = |report: &mut ReportService| *field(&mut report.lines[1]) = Tenths(11);
        assert_eq!(refused(&mut world, &beyond), RefusalCode::BadShare);
    }
    world.report("wang", good.clone()).unwrap();
}

#[test]
fn a_client_reports_once_a_week() {
    let mut world = World::with_patients();
    world.report("wang", world.praise(wangs_record(), &["h2"])).unwrap();
    for days in [0, u64::from(REPORT_INTERVAL_DAYS) - 1] {
        world.later(days * DAY_MS);
        let again = world.praise(wangs_record(), &["h3"]);
        assert_eq!(world.report("wang", again), Err(RefusalCode::ReportedLately));
    }
    world.later(DAY_MS);
    world.report("wang", world.praise(wangs_record(), &["h2"])).unwrap();
}

#[test]
fn a_proven_lie_ends_a_good_name_at_once() {
    let mut world = World::with_patients();
    assert_eq!(world.score("h2"), SCORE_PRIOR);
    world.convict_h2(Epoch(0), 7).unwrap();
    assert_eq!(world.score("h2"), Score::ZERO);
    assert_eq!(world.reputation("h2").unwrap().conduct(), Conduct::Convicted { epoch: Epoch(0) });
    assert_eq!(world.score("h1"), SCORE_PRIOR, "who brings the proof is not touched");
    world.report("wang", world.praise(wangs_record(), &["h2"])).unwrap();
    world.later(500 * DAY_MS);
    assert_eq!(world.score("h2"), Score::ZERO, "time does not heal it");
}

#[test]
fn a_convicted_member_cannot_wash_it_off_by_a_key_of_its_own_choice() {
    let mut world = World::with_patients();
    world.convict_h2(Epoch(0), 7).unwrap();
    let (key, h2) = (Actor::new(50), world.did("h2"));
    let candidate = crate::testing::candidate(&key, world.chain, h2, Some(Seat(2)));
    let call = RotateValidatorKey { seat: Seat(2), candidate, not_before: Height(0) };
    world.call("h2", Call::RotateValidatorKey(Box::new(call))).unwrap();
    assert_eq!(world.score("h2"), Score::ZERO);
}

#[test]
fn the_members_can_let_it_begin_again_from_zero() {
    let mut world = World::with_patients();
    world.convict_h2(Epoch(0), 7).unwrap();
    let candidate = crate::testing::candidate(&Actor::new(51), world.chain, world.did("h2"), Some(Seat(2)));
    decide(&mut world, MembershipChange::Replace { seat: Seat(2), candidate });
    assert_eq!(world.score("h2"), Score::ZERO);
    world.later(10 * DAY_MS);
    assert_eq!(world.score("h2").points(), 10 * RISE_PER_DAY);
    world.convict_h2(Epoch(0), 8).unwrap();
    assert_eq!(world.score("h2").points(), 10 * RISE_PER_DAY, "the same old key, which they knew of");
}

/// A replacement that the members decide on before they know of a lie forgives nothing.
#[test]
fn an_old_lie_that_comes_to_light_after_a_new_key_still_counts() {
    let mut world = World::with_patients();
    let candidate = crate::testing::candidate(&Actor::new(52), world.chain, world.did("h2"), Some(Seat(2)));
    decide(&mut world, MembershipChange::Replace { seat: Seat(2), candidate });
    world.convict_h2(Epoch(0), 1).unwrap();
    assert_eq!(world.score("h2"), Score::ZERO);
}

/// The hospitals decide a change; the last may come too late to be needed.
fn decide(world: &mut World, change: MembershipChange) {
    let call = ProposeMembership { change, not_before: Height(0) };
    let proposal = ProposalId(world.call("h0", Call::ProposeMembership(Box::new(call))).unwrap());
    for name in ["h1", "h2", "h3"] {
        let approved = world.call(name, Call::ApproveMembership(ApproveMembership { proposal }));
        assert!(matches!(approved, Ok(_) | Err(RefusalCode::ProposalClosed)));
    }
}
