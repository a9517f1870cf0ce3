//! What is played: seven hospitals with twelve honest clients each, and one attack.

use crate::clients::{Service, Stance};
use crate::play::{CLIENTS, Course, DAYS, HOSPITALS, Happening, Plotters, Serving, Setting, play};
use std::collections::BTreeMap;

/// Fake clients of a crowd.
pub const CROWD: usize = 200;
/// Clients that a colluding hospital makes up; they outnumber its honest ones.
pub const INVENTED: usize = 40;
/// Of each hospital's clients, those who slander in [`slander`].
pub const SLANDERERS: usize = 5;
/// Day of the proof in [`proven_lie`].
pub const LIE: u32 = 60;
/// Day of the members' decision in [`proven_lie`].
pub const READMISSION: u32 = 110;
/// Days between two new keys in [`whitewash`].
pub const ROTATION: usize = 20;
/// Day on which the bad hospital of [`whitewash`] comes back as another.
pub const RETURN: u32 = 100;
/// Days in which the node of [`on_off`] is good, then bad, then good again.
pub const SPELL: u32 = 30;

const SEED: u64 = 4;

/// A curve of a scenario's plot.
pub struct Curve {
    /// Whose, in a few words.
    pub label: &'static str,
    /// The hospital.
    pub hospital: usize,
    /// Whether it is what the mean of all reports would say, and not the score.
    pub naive: bool,
}

/// A scenario that was played.
pub struct Scenario {
    /// What is tried, in a few words.
    pub title: &'static str,
    /// What to draw of it.
    pub curves: Vec<Curve>,
    /// Days to point at.
    pub marks: Vec<(u32, &'static str)>,
    /// What came of it.
    pub course: Course,
}

fn score(hospital: usize, label: &'static str) -> Curve {
    Curve { label, hospital, naive: false }
}

fn naive(hospital: usize, label: &'static str) -> Curve {
    Curve { label, hospital, naive: true }
}

fn always(service: Service) -> Serving {
    Box::new(move |_| service)
}

/// All of them, in the order of the plot.
#[must_use]
pub fn all() -> Vec<Scenario> {
    vec![service(), proven_lie(), slander(), sybils(), colluders(), too_many(), whitewash(), on_off()]
}

/// No attack: nodes that serve differently well.
#[must_use]
pub fn service() -> Scenario {
    let serving = BTreeMap::from([(1, always(Service::SLOW)), (2, always(Service::STALE))]);
    Scenario {
        title: "Honest reports",
        curves: vec![score(0, "well run"), score(1, "answers 70 %"), score(2, "fresh 35 %")],
        marks: vec![],
        course: play(Setting { serving, ..Setting::default() }, SEED),
    }
}

/// A validator contradicts itself; later the members give it a new key.
#[must_use]
pub fn proven_lie() -> Scenario {
    let happenings = vec![(LIE, Happening::Lie(1)), (READMISSION, Happening::Replace(1))];
    Scenario {
        title: "One proven lie",
        curves: vec![score(0, "honest"), score(1, "liar")],
        marks: vec![(LIE, "proof"), (READMISSION, "readmitted")],
        course: play(Setting { happenings, ..Setting::default() }, SEED),
    }
}

/// Five of twelve clients of every hospital, and a crowd of strangers, slander a good node.
#[must_use]
pub fn slander() -> Scenario {
    let stance = Stance::Plotting { down: Some(0), up: None };
    let within = |hospital| Plotters { count: SLANDERERS, hospital: Some(hospital), stance };
    let mut plotters: Vec<Plotters> = (0..HOSPITALS).map(within).collect();
    plotters.push(Plotters { count: CROWD, hospital: None, stance });
    Scenario {
        title: "Slander: 5 of 12 clients everywhere, 200 strangers",
        curves: vec![score(0, "victim"), naive(0, "mean of all reports")],
        marks: vec![],
        course: play(Setting { plotters, honest: CLIENTS - SLANDERERS, ..Setting::default() }, SEED),
    }
}

/// A crowd of fake clients, strangers and its own, lift a bad node.
#[must_use]
pub fn sybils() -> Scenario {
    let stance = Stance::Plotting { down: None, up: Some(1) };
    let plotters = vec![
        Plotters { count: CROWD, hospital: None, stance },
        Plotters { count: CROWD / 2, hospital: Some(1), stance },
    ];
    let serving = BTreeMap::from([(1, always(Service::BAD))]);
    Scenario {
        title: "A bad node lifted by 300 fake clients",
        curves: vec![score(1, "bad node"), naive(1, "mean of all reports")],
        marks: vec![],
        course: play(Setting { serving, plotters, ..Setting::default() }, SEED),
    }
}

/// Two hospitals of seven, as many as the ledger bears, with more made-up clients each than they have honest ones.
#[must_use]
pub fn colluders() -> Scenario {
    Scenario {
        title: "2 of 7 hospitals collude, with 80 clients",
        curves: vec![score(0, "victim"), score(1, "bad node, lifted"), naive(1, "mean, lifted")],
        marks: vec![],
        course: collusion(&[1, 2]),
    }
}

/// Four of the six that are heard about the victim, three of those about the bad node: more than the ledger bears, and
/// than this rule does.
#[must_use]
pub fn too_many() -> Scenario {
    Scenario {
        title: "Beyond the bound: 4 of 7 collude",
        curves: vec![score(0, "victim"), score(1, "bad node, lifted")],
        marks: vec![],
        course: collusion(&[1, 2, 3, 4]),
    }
}

/// These hospitals' clients ruin hospital 0 and lift hospital 1, whose node is bad.
fn collusion(hospitals: &[usize]) -> Course {
    let stance = Stance::Plotting { down: Some(0), up: Some(1) };
    let invented = |hospital: &usize| Plotters { count: INVENTED, hospital: Some(*hospital), stance };
    let plotters = hospitals.iter().map(invented).collect();
    let serving = BTreeMap::from([(1, always(Service::BAD))]);
    play(Setting { serving, plotters, ..Setting::default() }, SEED)
}

/// A bad node takes one new key after another; then its hospital leaves and comes back under another name.
#[must_use]
pub fn whitewash() -> Scenario {
    let serving = BTreeMap::from([(1, always(Service::BAD))]);
    let rotations = (ROTATION as u32..RETURN).step_by(ROTATION).map(|day| (day, Happening::Rotate(1)));
    let happenings = rotations.chain([(RETURN, Happening::ReturnAsNew(1))]).collect();
    Scenario {
        title: "Whitewashing: new keys, then a new hospital",
        curves: vec![score(1, "bad node, new key each 20 days"), score(HOSPITALS, "as a new hospital")],
        marks: vec![(RETURN, "voted in anew")],
        course: play(Setting { serving, happenings, ..Setting::default() }, SEED),
    }
}

/// The bad node of [`whitewash`], if it keeps its key.
#[must_use]
pub fn whitewash_without_keys() -> Course {
    let serving = BTreeMap::from([(1, always(Service::BAD))]);
    play(Setting { serving, ..Setting::default() }, SEED)
}

/// A node that is good for a month, bad for a month, and so on.
#[must_use]
pub fn on_off() -> Scenario {
    let turns = |day: u32| if (day / SPELL).is_multiple_of(2) { Service::GOOD } else { Service::BAD };
    let serving: BTreeMap<usize, Serving> = BTreeMap::from([(1, Box::new(turns) as Serving)]);
    let bad = (1..DAYS / SPELL).map(|spell| (spell * SPELL, if spell % 2 == 1 { "bad" } else { "good" }));
    Scenario {
        title: "On and off: good and bad by the month",
        curves: vec![score(0, "always good"), score(1, "on and off")],
        marks: bad.collect(),
        course: play(Setting { serving, ..Setting::default() }, SEED),
    }
}
