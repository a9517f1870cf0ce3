//! Plays a scenario day by day.

use crate::clients::{Chance, Client, Service, Stance};
use crate::ledger::Ledger;
use amulet_contracts::testing::{Actor, record_id};
use amulet_protocol::calls::Call;
use amulet_protocol::ids::RecordId;
use amulet_protocol::receipt::RefusalCode;
use amulet_protocol::reputation::{ReportService, ServiceLine, Tenths, Voucher};
use std::collections::BTreeMap;

/// Hospitals at the start: f is 2.
pub const HOSPITALS: usize = 7;
/// Honest clients of each, who report once a week.
pub const CLIENTS: usize = 12;
/// Days of a play.
pub const DAYS: u32 = 180;
/// Seed of the clients' keys; hospitals have those below.
const FIRST_CLIENT: u64 = 100;
/// What is left each day of a rating in the naive mean: half in two weeks, as in the score.
const NAIVE_KEPT: f64 = 0.951_69;

/// What happens on a day, before anybody reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happening {
    /// A proof that this hospital's validator lied comes onto the ledger.
    Lie(usize),
    /// The members give its validator another key.
    Replace(usize),
    /// It gives its validator another key by itself.
    Rotate(usize),
    /// The members put it out, and take in a new hospital, run by the same people in the same way.
    ReturnAsNew(usize),
}

/// How a hospital's node serves on a day.
pub type Serving = Box<dyn Fn(u32) -> Service>;

/// What is played.
pub struct Setting {
    /// Nodes that do not serve well each day.
    pub serving: BTreeMap<usize, Serving>,
    /// Clients beside the honest ones.
    pub plotters: Vec<Plotters>,
    /// How many of each hospital's clients are honest; the others are among the plotters.
    pub honest: usize,
    /// What happens when.
    pub happenings: Vec<(u32, Happening)>,
}

impl Default for Setting {
    fn default() -> Self {
        Self { serving: BTreeMap::new(), plotters: Vec::new(), honest: CLIENTS, happenings: Vec::new() }
    }
}

/// Clients who lie.
#[derive(Clone, Copy, Debug)]
pub struct Plotters {
    /// How many.
    pub count: usize,
    /// The hospital that registered a record for each, if one did.
    pub hospital: Option<usize>,
    /// What they have in mind.
    pub stance: Stance,
}

/// What became of it.
#[derive(Clone, Debug, Default)]
pub struct Course {
    /// Scores at the end of each day, in points, by hospital; newcomers after the others, from the day they come.
    pub scores: BTreeMap<usize, Vec<(u32, u16)>>,
    /// What the mean of all reports that were sent would say, in points.
    pub naive: BTreeMap<usize, Vec<(u32, u16)>>,
    /// Reports that the contract refused, by code.
    pub refused: BTreeMap<RefusalCode, usize>,
}

impl Course {
    /// A hospital's score at the end of a day.
    ///
    /// # Panics
    /// When it was no member then.
    #[must_use]
    pub fn score(&self, hospital: usize, day: u32) -> u16 {
        at(&self.scores[&hospital], day)
    }

    /// What the mean would say.
    ///
    /// # Panics
    /// As [`Self::score`].
    #[must_use]
    pub fn naive(&self, hospital: usize, day: u32) -> u16 {
        at(&self.naive[&hospital], day)
    }
}

fn at(curve: &[(u32, u16)], day: u32) -> u16 {
    curve.iter().find(|(at, _)| *at == day).expect("the hospital is a member that day").1
}

struct Play {
    ledger: Ledger,
    clients: Vec<Client>,
    serving: BTreeMap<usize, Serving>,
    /// The hospital that runs a newcomer's node.
    same_people: BTreeMap<usize, usize>,
    members: Vec<usize>,
    means: BTreeMap<usize, (f64, f64)>,
    chance: Chance,
    course: Course,
}

/// Plays a scenario; the same seed gives the same course.
#[must_use]
pub fn play(setting: Setting, seed: u64) -> Course {
    let Setting { serving, plotters, honest, happenings } = setting;
    let mut play = Play {
        ledger: Ledger::new(HOSPITALS as u64),
        clients: Vec::new(),
        serving,
        same_people: BTreeMap::new(),
        members: (0..HOSPITALS).collect(),
        means: BTreeMap::new(),
        chance: Chance(seed),
        course: Course::default(),
    };
    play.ledger.begin(0);
    for hospital in 0..HOSPITALS {
        play.admit(Plotters { count: honest, hospital: Some(hospital), stance: Stance::Honest });
    }
    for group in plotters {
        play.admit(group);
    }
    for day in 0..DAYS {
        play.ledger.begin(day);
        for (_, happening) in happenings.iter().filter(|(on, _)| *on == day) {
            play.happen(*happening);
        }
        play.report(day);
        play.ledger.begin(day + 1);
        play.note(day);
    }
    play.course
}

impl Play {
    /// Brings clients, with their identities and records, onto the ledger.
    fn admit(&mut self, group: Plotters) {
        for _ in 0..group.count {
            let number = self.clients.len() as u64;
            let actor = Actor::new(FIRST_CLIENT + number);
            self.ledger.call(&actor, actor.registration()).expect("identities are free");
            if let Some(hospital) = group.hospital {
                self.ledger.register_record(hospital, number, &actor);
            }
            // Who has no record names somebody else's.
            let record: RecordId = record_id(if group.hospital.is_some() { number } else { 0 });
            self.clients.push(Client {
                actor,
                hospital: group.hospital,
                voucher: Voucher::Record(record),
                stance: group.stance,
                weekday: u32::try_from(number % 7).expect("below seven"),
            });
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Lie(hospital) => self.ledger.prove_a_lie_of(hospital),
            Happening::Replace(hospital) => self.ledger.replace(hospital),
            Happening::Rotate(hospital) => self.ledger.rotate(hospital),
            Happening::ReturnAsNew(hospital) => {
                self.ledger.remove(hospital);
                let newcomer = self.ledger.join();
                self.members.retain(|member| *member != hospital);
                self.members.push(newcomer);
                self.same_people.insert(newcomer, hospital);
            }
        }
    }

    fn service(&self, member: usize, day: u32) -> Service {
        let run_by = self.same_people.get(&member).unwrap_or(&member);
        self.serving.get(run_by).map_or(Service::GOOD, |serving| serving(day))
    }

    fn report(&mut self, day: u32) {
        let clients = std::mem::take(&mut self.clients);
        for client in clients.iter().filter(|client| client.weekday == day % 7) {
            let mut lines = Vec::new();
            for member in self.members.clone() {
                let service = self.service(member, day);
                let [answered, fresh, sound] = client.say(member, service, &mut self.chance);
                let mean = self.means.entry(member).or_default();
                *mean = (mean.0 + rating(answered, fresh, sound), mean.1 + 1.0);
                if client.hospital != Some(member) {
                    let organisation = self.ledger.hospital(member);
                    lines.push(ServiceLine { organisation, answered, fresh, sound });
                }
            }
            lines.sort_by_key(|line| line.organisation);
            let call = Call::ReportService(ReportService { voucher: client.voucher, lines });
            if let Err(code) = self.ledger.call(&client.actor, call) {
                *self.course.refused.entry(code).or_default() += 1;
            }
        }
        self.clients = clients;
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn note(&mut self, day: u32) {
        for member in self.members.clone() {
            let score = self.ledger.score(member).points();
            self.course.scores.entry(member).or_default().push((day, score));
            let mean = self.means.entry(member).or_default();
            let naive = if mean.1 > 0.0 { 10_000.0 * mean.0 / mean.1 } else { 5_000.0 };
            *mean = (mean.0 * NAIVE_KEPT, mean.1 * NAIVE_KEPT);
            self.course.naive.entry(member).or_default().push((day, naive.round() as u16));
        }
    }
}

/// A report as a number of 0 to 1.
fn rating(answered: Tenths, fresh: Tenths, sound: Tenths) -> f64 {
    [answered, fresh, sound].iter().map(|share| f64::from(share.0) / 10.0).product()
}
