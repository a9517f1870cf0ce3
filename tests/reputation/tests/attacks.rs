//! What each attack on the score comes to. The numbers are bounds with room; the picture shows the courses.
#![allow(clippy::unwrap_used)]

use amulet_protocol::receipt::RefusalCode;
use amulet_protocol::reputation::{FALL_PER_DAY, RISE_PER_DAY, SCORE_MAX, SCORE_PRIOR};
use amulet_reputation::play::{Course, DAYS, HOSPITALS};
use amulet_reputation::plot::{Panel, svg};
use amulet_reputation::scenarios::{self, LIE, READMISSION, RETURN, SPELL};

/// From here on, scores have reached what they are worth.
const SETTLED: u32 = 90;

fn settled(course: &Course, hospital: usize) -> Vec<u16> {
    (SETTLED..DAYS).map(|day| course.score(hospital, day)).collect()
}

fn highest(course: &Course, hospital: usize) -> u16 {
    settled(course, hospital).into_iter().max().unwrap()
}

fn lowest(course: &Course, hospital: usize) -> u16 {
    settled(course, hospital).into_iter().min().unwrap()
}

#[test]
fn without_an_attack_the_scores_are_in_the_order_of_the_service() {
    let course = scenarios::service().course;
    assert!(lowest(&course, 0) >= 9_000);
    assert!((6_000..=8_000).contains(&lowest(&course, 1)) && highest(&course, 1) <= 8_000);
    assert!(highest(&course, 2) <= 5_000);
    assert!(course.refused.is_empty(), "{:?}", course.refused);
}

#[test]
fn one_proven_lie_removes_a_node_until_the_members_readmit_it() {
    let course = scenarios::proven_lie().course;
    assert!(course.score(1, LIE - 1) >= 9_000, "it had the best name");
    assert!((LIE..READMISSION).all(|day| course.score(1, day) == 0));
    for day in READMISSION..DAYS {
        let days = u16::try_from(day + 1 - READMISSION).unwrap();
        assert!(course.score(1, day) <= days * RISE_PER_DAY, "it begins again at nothing");
    }
    assert!(course.score(1, DAYS - 1) >= 5_000, "and can make a name anew");
    assert!(lowest(&course, 0) >= 9_000);
}

#[test]
fn slander_without_proof_does_not_ruin_a_hospital() {
    let course = scenarios::slander().course;
    assert!(lowest(&course, 0) >= 9_000);
    assert!(course.naive(0, DAYS - 1) <= 2_500, "the mean of all would be ruined");
    let strangers = course.refused[&RefusalCode::NotVouched];
    assert!(strangers >= scenarios::CROWD * 25, "{strangers} reports of strangers");
}

#[test]
fn a_crowd_of_fake_clients_does_not_lift_a_bad_node() {
    let course = scenarios::sybils().course;
    assert!(highest(&course, 1) <= 4_000);
    assert!(course.naive(1, DAYS - 1) >= 8_000, "the mean of all would be lifted");
    assert_eq!(course.refused.keys().collect::<Vec<_>>(), [&RefusalCode::NotVouched]);
}

#[test]
fn as_many_colluding_hospitals_as_the_ledger_bears_move_nothing() {
    let course = scenarios::colluders().course;
    assert!(lowest(&course, 0) >= 9_000);
    assert!(highest(&course, 1) <= 4_000);
}

/// The limit, so that nobody believes there is none.
#[test]
fn more_than_half_of_the_voices_decide() {
    let course = scenarios::too_many().course;
    assert_eq!(course.score(0, DAYS - 1), 0, "four of six can ruin");
    assert_eq!(course.score(1, DAYS - 1), SCORE_PRIOR.points(), "three of six can blur");
}

#[test]
fn new_keys_wash_nothing_off_and_a_new_name_only_up_to_the_prior() {
    let course = scenarios::whitewash().course;
    let rotating: Vec<u16> = course.scores[&1].iter().map(|(_, score)| *score).collect();
    let same_without: Vec<u16> = scenarios::whitewash_without_keys().scores[&1]
        .iter()
        .take(rotating.len())
        .map(|(_, score)| *score)
        .collect();
    assert_eq!(rotating, same_without);
    assert_eq!(course.score(HOSPITALS, RETURN), SCORE_PRIOR.points());
    assert!(course.scores[&HOSPITALS].iter().all(|(_, score)| *score <= SCORE_PRIOR.points()));
    assert!(course.score(HOSPITALS, RETURN + 40) <= 4_000);
}

#[test]
fn who_is_good_half_the_time_has_a_bad_name_more_often_than_a_good_one() {
    let course = scenarios::on_off().course;
    let after_first = SPELL + SPELL / 2..DAYS;
    let scores: Vec<u32> = after_first.map(|day| u32::from(course.score(1, day))).collect();
    let mean = scores.iter().sum::<u32>() / u32::try_from(scores.len()).unwrap();
    assert!(mean <= 6_000, "{mean}");
    assert!(scores.iter().all(|score| *score < 9_000), "it never has the best name again");
}

#[test]
fn the_picture_of_the_specification_is_of_this_rule_and_no_score_leaps_but_for_a_proof() {
    let played = scenarios::all();
    for scenario in &played {
        for curve in scenario.course.scores.values() {
            for pair in curve.windows(2) {
                let ((day, before), (_, after)) = (pair[0], pair[1]);
                assert!(
                    after <= SCORE_MAX && after <= before + RISE_PER_DAY,
                    "{}: day {day}",
                    scenario.title
                );
                assert!(after + FALL_PER_DAY >= before || after == 0, "{}: day {day}", scenario.title);
            }
        }
    }
    let panels: Vec<_> = played.into_iter().map(Panel::of).collect();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/images/reputation.svg");
    let kept = std::fs::read_to_string(file).unwrap();
    assert!(svg(&panels) == kept, "draw it again: cargo run -p amulet-reputation");
}
