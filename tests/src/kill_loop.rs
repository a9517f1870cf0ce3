//! Kills hospitals at random moments under a steady load, and compares what they hold afterwards with what clients were
//! told.
//!
//! Two promises are tried. *Availability*: with at most f hospitals gone, new transactions are acknowledged. *Durability*:
//! whatever happens, all hospitals gone at once included, an acknowledged transaction is at every hospital afterwards, in
//! the block where it was seen, executed once; and a hospital that was killed starts again and contradicts nobody.
//!
//! A killed process leaves to the system what it wrote, synced or not: what a power cut does to a disk is tried in the
//! simulation, not here.

mod report;
mod rounds;

pub use report::Report;

use crate::audit::{self, Compared};
use crate::choices::Choices;
use crate::consortium::{Consortium, Founding};
use crate::load::{Acknowledged, Load, LoadOptions, Pinned};
use amulet_protocol::ids::Did;
use rounds::Round;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// With a quorum there, a new block comes within this: some view changes on a busy machine. Not a promise of speed: it
/// tells "works" from "stuck".
const PROGRESS_WITHIN: Duration = Duration::from_secs(90);
const SAME_HEAD_WITHIN: Duration = Duration::from_secs(90);
/// Kills from one comparison of everything new to the next.
const KILLS_PER_AUDIT: u64 = 100;
const SAY_EVERY: Duration = Duration::from_secs(10);
/// Heights that hospitals may be apart under load.
const HEADS_APART_MAX: u64 = 3;
/// How to run one.
#[derive(Clone, Debug)]
pub struct Options {
    /// Kills, at least.
    pub kills: u64,
    /// What is killed when follows from it; how far each hospital is at that moment does not.
    pub seed: u64,
    /// Hospitals.
    pub hospitals: u16,
    /// Where they keep their folders; a temporary folder by default.
    pub folder: Option<PathBuf>,
}

/// Runs one; `say` gets a line now and then. It ends early once `interrupted` is set, and leaves no process behind.
///
/// # Panics
/// When the consortium cannot be founded.
#[must_use]
pub fn run(options: &Options, interrupted: &AtomicBool, say: impl Fn(&str)) -> Report {
    let founding = Founding { folder: options.folder.clone(), ..Founding::on_loopback(options.hospitals) };
    let places = founding.places.clone();
    let mut consortium = founding.found(|_, other| places[other].libp2p);
    consortium.start_all();
    let pinned = Pinned::of(consortium.genesis());
    let load = LoadOptions { seed: options.seed, ..LoadOptions::default() };
    let load = Load::start(&consortium.hospitals(), &pinned, &load);
    let report = Report::new(options);
    let mut killing = Loop { consortium, pinned, load, report, start: Instant::now(), audited: (0, 0) };
    let outcome = killing.go(options, interrupted, &say);
    killing.report.interrupted = interrupted.load(Ordering::SeqCst);
    // A terminal interrupts the hospitals too: what they do then is no finding.
    let outcome = if killing.report.interrupted { Ok(()) } else { outcome.and_then(|()| killing.finish()) };
    killing.close(outcome)
}

struct Loop {
    consortium: Consortium,
    pinned: Pinned,
    load: Load,
    report: Report,
    start: Instant,
    /// Height up to which, and acknowledged transactions of which, all is compared.
    audited: (u64, usize),
}

type Step<T = ()> = Result<T, String>;

impl Loop {
    fn go(&mut self, options: &Options, interrupted: &AtomicBool, say: &impl Fn(&str)) -> Step {
        self.progress_above(0)?;
        let mut choices = Choices::new(options.seed);
        let (mut said, mut due) = (Instant::now(), KILLS_PER_AUDIT);
        while self.report.kills < options.kills && !interrupted.load(Ordering::SeqCst) {
            let round = Round::choose(&mut choices, self.consortium.size(), self.consortium.faulty_max());
            self.play(&round)?;
            if self.report.kills >= due {
                due = self.report.kills + KILLS_PER_AUDIT;
                self.audit_new()?;
            }
            if said.elapsed() > SAY_EVERY {
                said = Instant::now();
                say(&self.report.line(self.start.elapsed(), self.load.count()));
            }
        }
        Ok(())
    }

    fn play(&mut self, round: &Round) -> Step {
        match round {
            Round::One { victim, wait, down, then_progress } => {
                std::thread::sleep(*wait);
                self.kill(*victim)?;
                std::thread::sleep(*down);
                self.consortium.spawn(*victim);
                self.consortium.try_wait_up(*victim)?;
                if *then_progress { self.progress() } else { Ok(()) }
            }
            Round::Again { victim, lives } => {
                self.kill(*victim)?;
                for life in lives {
                    self.consortium.spawn(*victim);
                    std::thread::sleep(*life);
                    self.kill(*victim)?;
                }
                self.consortium.spawn(*victim);
                self.consortium.try_wait_up(*victim)
            }
            Round::Without { victims } => {
                victims.iter().try_for_each(|victim| self.kill(*victim))?;
                self.progress()?;
                self.bring_back(victims)
            }
            Round::All { wait, gaps, absent } => {
                std::thread::sleep(*wait);
                self.restart_all(gaps, absent)
            }
        }
    }

    fn restart_all(&mut self, gaps: &[Duration], absent: &[usize]) -> Step {
        let all = 0..self.consortium.size();
        all.clone().try_for_each(|victim| self.kill(victim))?;
        self.report.all_at_once += 1;
        let present: Vec<usize> = all.filter(|index| !absent.contains(index)).collect();
        for (index, gap) in present.iter().zip(gaps) {
            std::thread::sleep(*gap);
            self.consortium.spawn(*index);
        }
        present.iter().try_for_each(|index| self.consortium.try_wait_up(*index))?;
        self.progress()?;
        self.bring_back(absent)
    }

    fn kill(&mut self, victim: usize) -> Step {
        self.report.kills += 1;
        self.consortium.try_kill(victim)
    }

    fn bring_back(&mut self, victims: &[usize]) -> Step {
        victims.iter().for_each(|victim| self.consortium.spawn(*victim));
        victims.iter().try_for_each(|victim| self.consortium.try_wait_up(*victim))
    }

    /// Waits for an acknowledged transaction in a block that nobody has yet.
    fn progress(&mut self) -> Step {
        let started = (0..self.consortium.size()).filter(|index| self.consortium.is_started(*index));
        let heads = started.filter_map(|index| self.consortium.hospital(index).head());
        let head = heads.map(|(height, _)| height).max().unwrap_or_default();
        self.progress_above(head)
    }

    fn progress_above(&mut self, height: u64) -> Step {
        let waited = self.load.wait_above(height, PROGRESS_WITHIN);
        self.nobody_fell()?;
        let waited = waited.ok_or_else(|| {
            format!(
                "STUCK: no block above {height} for {PROGRESS_WITHIN:?}, though a quorum of hospitals runs"
            )
        })?;
        self.report.longest_wait = self.report.longest_wait.max(waited);
        Ok(())
    }

    fn nobody_fell(&mut self) -> Step {
        if let Some(words) = self.consortium.fallen() {
            return Err(words);
        }
        if let Some(words) = self.consortium.forbidden_words() {
            return Err(words);
        }
        self.load
            .wrong()
            .first()
            .map_or(Ok(()), |wrong| Err(format!("a client was told what is not so: {wrong}")))
    }

    /// Compares what is new since the last time; logs start anew.
    fn audit_new(&mut self) -> Step {
        let head = self.same_head(HEADS_APART_MAX)?;
        self.nobody_fell()?;
        let new = self.load.since(self.audited.1);
        // What was acknowledged after the look at the heads may be above them.
        let settled: Vec<_> = new.iter().take_while(|seen| seen.height.0 <= head).cloned().collect();
        self.compare(&settled, &[], (self.audited.0 + 1, head))?;
        self.audited = (head, self.audited.1 + settled.len());
        (0..self.consortium.size()).for_each(|index| self.consortium.forget_log(index));
        Ok(())
    }

    /// Everything once more, from the first block on.
    fn finish(&mut self) -> Step {
        self.load.halt();
        let head = self.same_head(0)?;
        self.nobody_fell()?;
        let (all, people) = (self.load.since(0), self.load.people().to_vec());
        let Compared { blocks, transactions } = self.compare(&all, &people, (1, head))?;
        (self.report.blocks, self.report.acknowledged) = (blocks, transactions);
        Ok(())
    }

    fn compare(&self, acknowledged: &[Acknowledged], people: &[Did], heights: (u64, u64)) -> Step<Compared> {
        let hospitals = self.consortium.hospitals();
        audit::audit(&hospitals, &self.pinned, acknowledged, people, heights)
            .map_err(|found| found.join("\n"))
    }

    fn same_head(&mut self, apart: u64) -> Step<u64> {
        let deadline = Instant::now() + SAME_HEAD_WITHIN;
        loop {
            let heads: Vec<_> =
                (0..self.consortium.size()).map(|index| self.consortium.hospital(index).head()).collect();
            let heights = heads.iter().flatten().map(|(height, _)| *height);
            // Under load heads move while they are read: all have at least the lowest.
            let (lowest, highest) = (heights.clone().min().unwrap_or(0), heights.max().unwrap_or(0));
            if heads.iter().all(Option::is_some) && highest - lowest <= apart {
                return Ok(lowest);
            }
            self.nobody_fell()?;
            if Instant::now() > deadline {
                return Err(format!("the hospitals do not come together: {heads:?}"));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn close(mut self, outcome: Step) -> Report {
        let mut report = self.report.clone();
        report.took = self.start.elapsed();
        report.acknowledged = report.acknowledged.max(self.load.count());
        if let Err(problem) = outcome {
            report.problem = Some(problem);
            report.kept = self.consortium.keep();
        }
        report
    }
}
