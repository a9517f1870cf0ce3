#![allow(clippy::unwrap_used)]
//! The rule by itself; what the contract demands of a report is tested in `crates/contracts`.

use super::*;
use proptest::prelude::*;

/// Hospitals that validate beside the one that is rated.
const OTHERS: u8 = 6;
const START: LedgerDay = LedgerDay(20_000);

fn did(number: u8) -> Did {
    borsh::from_slice(&[number; 20]).unwrap()
}

fn others() -> BTreeSet<Did> {
    (1..=OTHERS).map(did).collect()
}

fn line(rating: u8) -> ServiceLine {
    ServiceLine { organisation: did(0), answered: Tenths(rating), fresh: Tenths::ALL, sound: Tenths::ALL }
}

fn later(day: LedgerDay, days: u32) -> LedgerDay {
    LedgerDay(day.0 + days)
}

/// Each of `voices` says its rating with `reports` fresh reports a week, for so many weeks.
fn weeks(voices: &[(u8, u8)], reports: u32, weeks: u32) -> (Reputation, LedgerDay) {
    let (mut reputation, mut today) = (Reputation::unknown(START), START);
    for _ in 0..weeks {
        reputation.settle(today, &others());
        for (voucher, rating) in voices {
            (0..reports).for_each(|_| reputation.note(did(*voucher), &line(*rating)));
        }
        today = later(today, 7);
    }
    reputation.settle(today, &others());
    (reputation, today)
}

#[test]
fn a_rating_is_the_product_of_the_shares() {
    let rating = |answered, fresh, sound| {
        let (answered, fresh, sound) = (Tenths(answered), Tenths(fresh), Tenths(sound));
        ServiceLine { organisation: did(0), answered, fresh, sound }.rating()
    };
    assert_eq!(rating(10, 10, 10), 10);
    assert_eq!(rating(9, 9, 10), 8);
    assert_eq!(rating(10, 10, 0), 0);
    assert_eq!(rating(7, 7, 7), 3);
    assert_eq!(rating(255, 255, 255), 10);
}

#[test]
fn shares_are_rounded_to_the_nearest_tenth() {
    let cases = [(0, 0, 10), (0, 9, 0), (1, 20, 1), (1, 21, 0), (19, 20, 10), (9, 9, 10), (12, 9, 10)];
    for (part, whole, tenths) in cases {
        assert_eq!(Tenths::of(part, whole), Tenths(tenths), "{part} of {whole}");
    }
    assert_eq!(Tenths::of(u32::MAX, u32::MAX), Tenths::ALL);
}

/// The worked numbers of `docs/spec/reputation.md`.
#[test]
fn the_worked_numbers_of_the_document() {
    let others: BTreeSet<Did> = (1..=3).map(did).collect();
    let mut reputation = Reputation::unknown(START);
    for (voucher, ratings) in [(1, [10, 10, 10, 10, 10]), (2, [10, 8, 8, 8, 0]), (3, [0, 0, 0, 0, 0])] {
        ratings.iter().for_each(|rating| reputation.note(did(voucher), &line(*rating)));
    }
    let ratings: Vec<_> = reputation.voices().iter().map(|voice| (voice.rating(), voice.weight())).collect();
    assert_eq!(ratings, [(10, 1_280), (8, 1_280), (0, 1_280)]);
    // 8,448 of 12,288 stand for silence, so the median is the prior.
    assert_eq!(target(&reputation.voices, 3), 5_000);
    for (voucher, rating) in [(1, 10), (2, 8), (3, 0)] {
        (0..11).for_each(|_| reputation.note(did(voucher), &line(rating)));
    }
    assert_eq!(target(&reputation.voices, 3), 8_000);
    assert_eq!(reputation.score_on(later(START, 1), &others), Score(5_100));
    reputation.settle(later(START, 1), &others);
    let weights: Vec<_> = reputation.voices().iter().map(Voice::weight).collect();
    assert_eq!(weights, [3_898, 3_896, 3_898]);
}

#[test]
fn a_single_hospital_moves_nothing_however_many_clients_it_brings() {
    for rating in [0, 10] {
        let (reputation, today) = weeks(&[(1, rating)], 10_000, 20);
        assert_eq!(reputation.score_on(today, &others()), SCORE_PRIOR);
    }
}

#[test]
fn voices_that_are_split_in_half_say_nothing() {
    for (half, other_half) in [(0, 10), (0, 8), (4, 10)] {
        let say = |voucher: u8| (voucher, if voucher.is_multiple_of(2) { half } else { other_half });
        let voices: Vec<_> = (1..=OTHERS).map(say).collect();
        let (reputation, today) = weeks(&voices, 16, 20);
        assert_eq!(reputation.score_on(today, &others()), SCORE_PRIOR);
    }
    let (reputation, today) = weeks(&[(1, 8), (2, 9), (3, 8), (4, 9), (5, 8), (6, 9)], 16, 20);
    assert_eq!(
        reputation.score_on(today, &others()),
        Score(8_000),
        "of two medians, the nearer to the prior"
    );
}

#[test]
fn a_minority_of_slanderers_within_a_hospital_does_not_turn_its_voice() {
    let mut reputation = Reputation::unknown(START);
    for voucher in 1..=OTHERS {
        (0..12).for_each(|_| reputation.note(did(voucher), &line(10)));
        (0..11).for_each(|_| reputation.note(did(voucher), &line(0)));
    }
    reputation.settle(later(START, 10), &others());
    assert_eq!(reputation.score_on(later(START, 10), &others()), Score(6_000));
}

#[test]
fn hospitals_that_no_longer_validate_are_no_longer_heard() {
    let (mut reputation, today) = weeks(&[(1, 0), (2, 0), (3, 0), (4, 0)], 16, 8);
    assert_eq!(reputation.score_on(today, &others()), Score(0));
    let left: BTreeSet<Did> = (4..=OTHERS).map(did).collect();
    reputation.settle(later(today, 1), &left);
    assert_eq!(reputation.voices().len(), 1);
    assert_eq!(reputation.score_on(later(today, 60), &left), SCORE_PRIOR);
}

#[test]
fn a_proven_lie_is_zero_at_once_and_until_the_members_seat_it_anew() {
    let (mut reputation, today) = weeks(&[(1, 10), (2, 10), (3, 10), (4, 10)], 16, 10);
    assert_eq!(reputation.score_on(today, &others()), Score(SCORE_MAX));
    assert!(!reputation.clone().readmit(Epoch(3), today), "nothing to forgive");
    assert!(reputation.convict(Epoch(3)));
    assert!(!reputation.convict(Epoch(3)), "known");
    reputation.settle(later(today, 300), &others());
    reputation.note(did(1), &line(10));
    assert_eq!(reputation.score_on(later(today, 300), &others()), Score::ZERO);
    assert!(reputation.readmit(Epoch(5), later(today, 300)));
    assert_eq!(reputation.voices(), []);
    assert_eq!(reputation.score_on(later(today, 310), &others()), Score(10 * RISE_PER_DAY));
    assert!(!reputation.convict(Epoch(5)), "forgiven");
    assert!(reputation.convict(Epoch(6)), "a new lie");
    assert!(reputation.is_convicted());
}

#[test]
fn any_number_of_reports_overflows_nothing() {
    let mut reputation = Reputation::unknown(START);
    for voucher in 1..=OTHERS {
        reputation.voices.push(Voice { organisation: did(voucher), ratings: [u32::MAX; RATINGS] });
    }
    reputation.note(did(1), &line(10));
    assert_eq!(reputation.voices[0].weight(), VOICE_WEIGHT_MAX);
    reputation.settle(later(START, 1), &others());
    assert_eq!(reputation.score_on(LedgerDay(u32::MAX), &others()), SCORE_PRIOR);
    reputation.settle(LedgerDay(u32::MAX), &others());
    assert_eq!(reputation, Reputation::unknown(LedgerDay(u32::MAX)));
}

#[test]
fn no_more_voices_are_kept_than_hospitals_can_validate() {
    let mut reputation = Reputation::unknown(START);
    for voucher in 0..=u8::try_from(VOICES_MAX).unwrap() {
        reputation.note(did(voucher), &line(1));
    }
    assert_eq!(reputation.voices().len(), VOICES_MAX);
    assert!(reputation.voices().is_sorted_by_key(|voice| voice.organisation));
}

/// A day's reports: (voucher, rating).
type Day = Vec<(u8, u8)>;

fn days() -> impl Strategy<Value = Vec<Day>> {
    let report = (1..=OTHERS, 0..=10u8);
    prop::collection::vec(prop::collection::vec(report, 0..30), 1..40)
}

/// The score at the end of each day.
fn run(days: &[Day]) -> Vec<u16> {
    let mut reputation = Reputation::unknown(START);
    let mut scores = Vec::new();
    for (day, reports) in (0..).zip(days) {
        reputation.settle(later(START, day), &others());
        for (voucher, rating) in reports {
            reputation.note(did(*voucher), &line(*rating));
        }
        scores.push(reputation.score_on(later(START, day + 1), &others()).points());
    }
    scores
}

proptest! {
    #[test]
    fn a_score_stays_in_its_bounds_and_moves_no_faster_than_it_may(days in days()) {
        let mut before = SCORE_PRIOR.points();
        for score in run(&days) {
            prop_assert!(score <= SCORE_MAX);
            prop_assert!(score <= before + RISE_PER_DAY && score + FALL_PER_DAY >= before);
            before = score;
        }
    }

    #[test]
    fn the_order_of_a_days_reports_does_not_matter(days in days()) {
        let mut turned = days.clone();
        turned.iter_mut().for_each(|day| day.reverse());
        prop_assert_eq!(run(&days), run(&turned));
    }

    #[test]
    fn settling_often_or_once_gives_the_same(reports in prop::collection::vec((1..=OTHERS, 0..=10u8), 0..200), days in 0..500u32) {
        let mut once = Reputation::unknown(START);
        reports.iter().for_each(|(voucher, rating)| once.note(did(*voucher), &line(*rating)));
        let mut often = once.clone();
        once.settle(later(START, days), &others());
        (0..=days).for_each(|day| often.settle(later(START, day), &others()));
        prop_assert_eq!(&once, &often);
        prop_assert_eq!(once.score_on(later(START, days + 900), &others()), SCORE_PRIOR, "all fades");
    }

    /// On the day of the report: fading rounds each rating's weight by itself, which can tip an exact tie later.
    #[test]
    fn a_better_report_makes_no_score_worse_that_day(
        reports in prop::collection::vec((1..=OTHERS, 0..=10u8), 1..200),
        which in any::<prop::sample::Index>(),
        better in 0..=10u8,
    ) {
        let mut improved = reports.clone();
        let report = which.get_mut(&mut improved);
        report.1 = report.1.max(better);
        prop_assert!(run(&[improved]) >= run(&[reports]));
    }

    /// Fewer than half of the hospitals, whatever they and any number of clients of theirs say.
    #[test]
    fn a_minority_of_hospitals_cannot_leave_the_range_of_the_others(
        honest in prop::collection::vec(0..=10u8, 4),
        lies in prop::collection::vec((5..=OTHERS, 0..=10u8, 1..60u32), 0..10),
    ) {
        let (mut reputation, mut today) = (Reputation::unknown(START), START);
        for _ in 0..12 {
            reputation.settle(today, &others());
            for (voucher, rating) in (1..).zip(&honest) {
                (0..16).for_each(|_| reputation.note(did(voucher), &line(*rating)));
            }
            for (voucher, rating, times) in &lies {
                (0..*times).for_each(|_| reputation.note(did(*voucher), &line(*rating)));
            }
            today = later(today, 7);
        }
        let points = |rating: Option<&u8>| u16::from(*rating.unwrap()) * POINTS_PER_TENTH;
        let (low, high) = (points(honest.iter().min()), points(honest.iter().max()));
        let prior = SCORE_PRIOR.points();
        let score = reputation.score_on(today, &others()).points();
        // Between two weeks' reports voices fade below their full weight, and what they lack counts for the prior.
        prop_assert!((low.min(prior)..=high.max(prior)).contains(&score), "{score} of {low} to {high}");
    }
}
