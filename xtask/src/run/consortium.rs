//! The running consortium: started as one child with a process group of its own, watched, and stopped as a whole.
//!
//! The group matters. Ctrl-C in a terminal would reach every process at once, the window and this program included; in a
//! group of their own the hospitals get the signal from here, and whatever is left after the grace period can be killed
//! without knowing each process.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde_json::Value;

use crate::exec;
use crate::failure::Failure;

/// How often children and signals are looked at.
const POLL: Duration = Duration::from_millis(100);
/// How long the hospitals may take to close their ledgers before they are killed.
const GRACE: Duration = Duration::from_secs(10);

/// Ctrl-C and requests to terminate, noted instead of obeyed at once.
#[derive(Clone)]
pub struct Interrupts(Arc<AtomicBool>);

impl Interrupts {
    /// Takes over the signals of this process.
    ///
    /// # Errors
    /// [`Failure::Start`] when the system refuses.
    pub fn catch() -> Result<Self, Failure> {
        let seen = Arc::new(AtomicBool::new(false));
        let noted = Arc::clone(&seen);
        ctrlc::set_handler(move || noted.store(true, Ordering::SeqCst)).map_err(|error| Failure::Start {
            program: "signal handler".to_owned(),
            source: std::io::Error::other(error),
        })?;
        Ok(Self(seen))
    }

    fn is_seen(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// What `localnet` writes to `ready.json` once all hospitals answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Ready {
    /// Address of the wallet's pages.
    pub web: String,
}

impl Ready {
    /// Reads the file of a data folder; `None` while it is missing or incomplete.
    pub fn read(data: &Path) -> Option<Self> {
        let json: Value = serde_json::from_slice(&std::fs::read(ready_file(data)).ok()?).ok()?;
        Some(Self { web: json.get("web")?.as_str()?.to_owned() })
    }
}

fn ready_file(data: &Path) -> PathBuf {
    data.join("ready.json")
}

fn ready_time(data: &Path) -> Option<SystemTime> {
    ready_file(data).metadata().ok()?.modified().ok()
}

/// Why staying came to an end.
pub enum End {
    /// Somebody asked to stop.
    Interrupted,
    /// The consortium ended by itself.
    Stopped(ExitStatus),
}

/// `amulet-node localnet` and its hospitals.
pub struct Consortium {
    child: Child,
    data: PathBuf,
    /// Time of a `ready.json` that a killed run left behind, which says nothing about this one.
    stale: Option<SystemTime>,
    interrupts: Interrupts,
    grace: Duration,
    /// Nobody is left, and the group's number may be given to others.
    is_over: bool,
}

/// Whatever goes wrong after the start, no hospital outlives this program.
impl Drop for Consortium {
    fn drop(&mut self) {
        if !self.is_over {
            self.kill_leftovers();
        }
    }
}

impl Consortium {
    /// Starts the command line `words`.
    ///
    /// # Errors
    /// [`Failure::Start`].
    pub fn start(words: &[PathBuf], data: &Path, interrupts: &Interrupts) -> Result<Self, Failure> {
        let (program, arguments) = words.split_first().expect("a command line has at least its program");
        let mut command: Command = exec::command(program);
        command.args(arguments).stdin(Stdio::null()).process_group(0);
        let stale = ready_time(data);
        let child = command.spawn().map_err(exec::start_failure(&command))?;
        Ok(Self {
            child,
            data: data.to_path_buf(),
            stale,
            interrupts: interrupts.clone(),
            grace: GRACE,
            is_over: false,
        })
    }

    /// Waits until every hospital answers; `None` when somebody asked to stop before that.
    ///
    /// # Errors
    /// [`Failure::ChildSaidWhy`] when the consortium could not start, which it has explained itself.
    pub fn wait_until_ready(&mut self) -> Result<Option<Ready>, Failure> {
        loop {
            if self.interrupts.is_seen() {
                return Ok(None);
            }
            if let Some(status) = self.ended() {
                self.kill_leftovers();
                let code = status.code().and_then(|code| u8::try_from(code).ok()).filter(|code| *code != 0);
                return Err(Failure::ChildSaidWhy { code: code.unwrap_or(1) });
            }
            if ready_time(&self.data).is_some_and(|time| Some(time) != self.stale)
                && let Some(ready) = Ready::read(&self.data)
            {
                return Ok(Some(ready));
            }
            std::thread::sleep(POLL);
        }
    }

    /// Waits for the end, calling `meanwhile` now and then.
    pub fn stay(&mut self, mut meanwhile: impl FnMut()) -> End {
        loop {
            if self.interrupts.is_seen() {
                return End::Interrupted;
            }
            if let Some(status) = self.ended() {
                self.kill_leftovers();
                return End::Stopped(status);
            }
            meanwhile();
            std::thread::sleep(POLL);
        }
    }

    /// Asks the consortium to stop, waits for it, and kills what is left after the grace period.
    ///
    /// # Errors
    /// [`Failure::UncleanStop`] when it ended with an exit code of its own that reports a failure.
    pub fn stop(mut self) -> Result<(), Failure> {
        println!("\nStopping the hospitals …");
        self.signal(Signal::SIGINT);
        let deadline = Instant::now() + self.grace;
        let mut status = None;
        while Instant::now() < deadline {
            status = status.or_else(|| self.ended());
            if status.is_some() && !self.has_members() {
                break;
            }
            std::thread::sleep(POLL);
        }
        if self.kill_leftovers() {
            println!("Some did not stop within {} s and were killed.", self.grace.as_secs());
        }
        // No code means that the signal itself ended it, as it was asked to.
        match status.and_then(|status| status.code()).filter(|code| *code != 0) {
            Some(code) => Err(Failure::UncleanStop { code, data: self.data.clone() }),
            None => {
                println!("All stopped.");
                Ok(())
            }
        }
    }

    fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    fn group(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).expect("a process id of this system fits its own type"))
    }

    /// Fails only when nobody is left, which is the aim.
    fn signal(&self, signal: Signal) {
        let _ = killpg(self.group(), signal);
    }

    /// Whether anything of the group still runs. The dead whom no parent has collected yet do not count: in a container
    /// whose first process collects nobody they would stay for ever.
    fn has_members(&self) -> bool {
        if killpg(self.group(), None).is_err() {
            return false;
        }
        let Ok(processes) = std::fs::read_dir("/proc") else { return true };
        processes
            .flatten()
            .filter_map(|process| std::fs::read_to_string(process.path().join("stat")).ok())
            .any(|stat| is_running_in(&stat, self.group().as_raw()))
    }

    /// Returns whether there was anything to kill.
    fn kill_leftovers(&mut self) -> bool {
        let had_members = self.has_members();
        if had_members {
            self.signal(Signal::SIGKILL);
        }
        let _ = self.child.wait();
        let deadline = Instant::now() + Duration::from_secs(1);
        while self.has_members() && Instant::now() < deadline {
            std::thread::sleep(POLL);
        }
        self.is_over = true;
        had_members
    }
}

/// Reads `/proc/<pid>/stat`: after the name in brackets come state, parent and process group (proc(5)).
fn is_running_in(stat: &str, group: i32) -> bool {
    let after_name = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
    let mut fields = after_name.split_whitespace();
    let state = fields.next();
    let its_group = fields.nth(1).and_then(|field| field.parse::<i32>().ok());
    its_group == Some(group) && state.is_some_and(|state| state != "Z" && state != "X")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn shell(script: &str, data: &Path) -> Consortium {
        let words = ["/bin/sh".into(), "-c".into(), script.into(), data.to_path_buf()];
        Consortium::start(&words, data, &Interrupts(Arc::default())).unwrap()
    }

    #[test]
    fn a_ready_file_of_an_earlier_run_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(ready_file(folder.path()), "{\"web\": \"http://127.0.0.1:1/\"}").unwrap();
        let mut consortium = shell(
            "sleep 0.3; printf '{\"web\": \"http://127.0.0.1:2/\"}' > \"$0/new\"; mv \"$0/new\" \"$0/ready.json\"; sleep 60",
            folder.path(),
        );
        let ready = consortium.wait_until_ready().unwrap();
        assert_eq!(ready, Some(Ready { web: "http://127.0.0.1:2/".to_owned() }));
        consortium.kill_leftovers();
    }

    #[test]
    fn a_start_that_fails_passes_on_the_exit_code() {
        let folder = tempfile::tempdir().unwrap();
        let failure = shell("exit 7", folder.path()).wait_until_ready();
        assert!(matches!(failure, Err(Failure::ChildSaidWhy { code: 7 })), "{failure:?}");
    }

    #[test]
    fn stopping_kills_what_ignores_the_signal() {
        let folder = tempfile::tempdir().unwrap();
        // A shell without job control makes what it puts in the background ignore SIGINT.
        let script = "trap 'exit 0' INT; sleep 60 & while :; do sleep 0.1; done";
        let mut consortium = shell(script, folder.path());
        consortium.grace = Duration::from_millis(500);
        let group = consortium.group();
        std::thread::sleep(Duration::from_millis(300));
        consortium.stop().unwrap();
        let running = std::fs::read_dir("/proc")
            .unwrap()
            .flatten()
            .filter_map(|process| std::fs::read_to_string(process.path().join("stat")).ok())
            .filter(|stat| is_running_in(stat, group.as_raw()))
            .count();
        assert_eq!(running, 0);
    }

    #[test]
    fn the_dead_and_other_groups_do_not_count() {
        assert!(is_running_in("12 (a) b) S 1 12 12 0 -1", 12));
        assert!(!is_running_in("12 (a) Z 1 12 12 0 -1", 12));
        assert!(!is_running_in("12 (a) S 12 13 12 0 -1", 12));
    }
}
