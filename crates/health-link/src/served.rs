//! What a server remembers of a link, and whether it gives its files to somebody who asks.
//!
//! Pure: the time comes in, the state changes, the caller stores it. The state must be on the disk *before* an answer
//! leaves, or a server that is stopped after each guess gives an endless number of them.

use crate::link::Flags;
use crate::manifest::PASSCODE_CHARS_MAX;
use amulet_crypto::digest::{Digest, constant_time_eq, hmac_sm3};
use amulet_crypto::entropy::Entropy;
use borsh::{BorshDeserialize, BorshSerialize};

/// Wrong passcodes in the whole life of a link. Of a passcode of six digits, ten guesses are one in a hundred thousand.
pub const ATTEMPTS_MAX: u32 = 10;
/// Questions about one link that are answered in a minute: a viewer asks once or twice, and a clinic may have several.
pub const REQUESTS_PER_MINUTE_MAX: u32 = 30;
/// Openings a link remembers one by one, newest last; older ones are only counted.
pub const OPENINGS_KEPT_MAX: usize = 100;
const SECONDS_PER_MINUTE: u64 = 60;
const SALT_BYTES: usize = 16;

/// A passcode as it is kept: salted and hashed, so that the store does not show what a person may use elsewhere too. It
/// does not guard the files against the server, which has no key to them.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct PasscodeHash {
    salt: [u8; SALT_BYTES],
    hash: Digest,
}

impl PasscodeHash {
    /// Hashes a passcode of at most [`PASSCODE_CHARS_MAX`] characters; `None` for an empty or longer one.
    pub fn new(passcode: &str, entropy: &mut impl Entropy) -> Option<Self> {
        if passcode.is_empty() || passcode.chars().count() > PASSCODE_CHARS_MAX {
            return None;
        }
        let mut salt = [0; SALT_BYTES];
        entropy.fill(&mut salt);
        Some(Self { salt, hash: hmac_sm3(&salt, passcode.as_bytes()) })
    }

    /// A hash that somebody else made by [`PasscodeHash::new`], as a wallet does that gives no passcode away.
    #[must_use]
    pub fn from_parts(salt: [u8; SALT_BYTES], hash: Digest) -> Self {
        Self { salt, hash }
    }

    /// Salt and hash.
    #[must_use]
    pub fn parts(&self) -> ([u8; SALT_BYTES], Digest) {
        (self.salt, self.hash)
    }

    fn is(&self, passcode: &str) -> bool {
        constant_time_eq(hmac_sm3(&self.salt, passcode.as_bytes()).as_ref(), self.hash.as_ref())
    }
}

/// One time that the files were given out.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Opening {
    /// When, in seconds since 1970.
    pub at: u64,
    /// Who they said they are. Nobody checked it.
    pub recipient: String,
}

/// Why a link gives nothing any more. Askers are told only that there is nothing; its owner sees which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// Its time is over.
    Expired,
    /// The patient took it back.
    Revoked,
    /// [`ATTEMPTS_MAX`] wrong passcodes.
    Guessed,
}

/// What an asker gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The files. The opening is noted.
    Files,
    /// The passcode is missing or wrong (status 401).
    Passcode {
        /// Tries left in the link's whole life.
        remaining: u32,
    },
    /// Nothing, for good (status 404).
    Closed(Closed),
    /// Too many questions (status 429); nothing was compared.
    Later {
        /// When to ask again.
        seconds: u64,
    },
}

/// A link as its server keeps it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ServedLink {
    expires_at: Option<u64>,
    passcode: Option<PasscodeHash>,
    single_file: bool,
    attempts_left: u32,
    revoked: bool,
    openings: Vec<Opening>,
    openings_total: u64,
    minute: u64,
    asked_in_minute: u32,
}

impl ServedLink {
    /// A new link; `expires_at` is in seconds since 1970. `None` if flags and passcode contradict each other: `P` without
    /// one, one without `P`, or `P` with `U`, to which a passcode cannot be sent.
    #[must_use]
    pub fn new(expires_at: Option<u64>, flags: Flags, passcode: Option<PasscodeHash>) -> Option<Self> {
        let agrees = flags.passcode == passcode.is_some() && !(flags.passcode && flags.single_file);
        agrees.then_some(Self {
            expires_at,
            passcode,
            single_file: flags.single_file,
            attempts_left: ATTEMPTS_MAX,
            revoked: false,
            openings: Vec::new(),
            openings_total: 0,
            minute: 0,
            asked_in_minute: 0,
        })
    }

    /// Somebody asks for the files at `now`, in seconds since 1970. Store the state before answering.
    ///
    /// A missing passcode costs no attempt, since nothing is learnt by it; a right one gives none back.
    #[must_use]
    pub fn ask(&mut self, now: u64, recipient: &str, passcode: Option<&str>) -> Answer {
        if let Some(closed) = self.closed(now) {
            return Answer::Closed(closed);
        }
        let minute = now / SECONDS_PER_MINUTE;
        if minute != self.minute {
            (self.minute, self.asked_in_minute) = (minute, 0);
        }
        if self.asked_in_minute >= REQUESTS_PER_MINUTE_MAX {
            return Answer::Later { seconds: SECONDS_PER_MINUTE - now % SECONDS_PER_MINUTE };
        }
        self.asked_in_minute += 1;
        if let Some(expected) = &self.passcode {
            let right = passcode.is_some_and(|given| expected.is(given));
            if !right {
                self.attempts_left -= u32::from(passcode.is_some());
                return Answer::Passcode { remaining: self.attempts_left };
            }
        }
        if self.openings.len() == OPENINGS_KEPT_MAX {
            self.openings.remove(0);
        }
        self.openings.push(Opening { at: now, recipient: recipient.to_owned() });
        self.openings_total += 1;
        Answer::Files
    }

    /// Takes the link back, for good.
    pub fn revoke(&mut self) {
        self.revoked = true;
    }

    /// Why it gives nothing at `now`, if so.
    #[must_use]
    pub fn closed(&self, now: u64) -> Option<Closed> {
        if self.revoked {
            Some(Closed::Revoked)
        } else if self.attempts_left == 0 {
            Some(Closed::Guessed)
        } else {
            self.expires_at.is_some_and(|end| now >= end).then_some(Closed::Expired)
        }
    }

    /// Whether a plain GET gives the one file (`U`).
    #[must_use]
    pub fn is_single_file(&self) -> bool {
        self.single_file
    }

    /// Wrong passcodes that are left.
    #[must_use]
    pub fn attempts_left(&self) -> u32 {
        self.attempts_left
    }

    /// The newest openings, oldest of them first.
    #[must_use]
    pub fn openings(&self) -> &[Opening] {
        &self.openings
    }

    /// How often the files were given out.
    #[must_use]
    pub fn openings_total(&self) -> u64 {
        self.openings_total
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use amulet_crypto::entropy::SeededEntropy;

    const NOW: u64 = 1_800_000_000;

    fn guarded() -> ServedLink {
        let hash = PasscodeHash::new("246810", &mut SeededEntropy::new(1));
        ServedLink::new(Some(NOW + 86_400), Flags { passcode: true, ..Flags::default() }, hash).unwrap()
    }

    /// The server stops and starts again.
    fn restarted(link: &ServedLink) -> ServedLink {
        borsh::from_slice(&borsh::to_vec(link).unwrap()).unwrap()
    }

    #[test]
    fn guesses_are_counted_over_restarts_and_over_right_ones_and_then_it_is_closed() {
        let mut link = guarded();
        for guess in 1..ATTEMPTS_MAX {
            let now = NOW + u64::from(guess) * 3_600;
            let answer = link.ask(now, "guesser", Some("000000"));
            assert_eq!(answer, Answer::Passcode { remaining: ATTEMPTS_MAX - guess });
            link = restarted(&link);
            assert_eq!(link.ask(now, "clinic", Some("246810")), Answer::Files, "guess {guess}");
        }
        let now = NOW + 50_000;
        assert_eq!(link.ask(now, "guesser", Some("1")), Answer::Passcode { remaining: 0 });
        link = restarted(&link);
        assert_eq!(link.ask(now, "clinic", Some("246810")), Answer::Closed(Closed::Guessed));
        assert_eq!(link.openings_total(), u64::from(ATTEMPTS_MAX) - 1);
    }

    #[test]
    fn no_passcode_gets_nothing_and_costs_nothing() {
        let mut link = guarded();
        assert_eq!(link.ask(NOW, "clinic", None), Answer::Passcode { remaining: ATTEMPTS_MAX });
        assert_eq!((link.attempts_left(), link.openings()), (ATTEMPTS_MAX, &[][..]));
        assert_eq!(link.ask(NOW, "clinic", Some("")), Answer::Passcode { remaining: ATTEMPTS_MAX - 1 });
    }

    #[test]
    fn a_link_ends_with_its_time_and_at_once_when_taken_back() {
        let mut link = guarded();
        let end = NOW + 86_400;
        assert_eq!(link.ask(end - 1, "clinic", Some("246810")), Answer::Files);
        assert_eq!(link.ask(end, "clinic", Some("246810")), Answer::Closed(Closed::Expired));
        link.revoke();
        assert_eq!(restarted(&link).ask(NOW, "clinic", Some("246810")), Answer::Closed(Closed::Revoked));
    }

    #[test]
    fn who_asks_too_often_waits_and_nothing_is_compared() {
        let mut link = guarded();
        let start = NOW / SECONDS_PER_MINUTE * SECONDS_PER_MINUTE;
        for _ in 0..REQUESTS_PER_MINUTE_MAX {
            assert_eq!(link.ask(start, "clinic", Some("246810")), Answer::Files);
        }
        assert_eq!(link.ask(start + 20, "guesser", Some("0")), Answer::Later { seconds: 40 });
        assert_eq!(link.attempts_left(), ATTEMPTS_MAX);
        assert_eq!(link.ask(start + 60, "clinic", Some("246810")), Answer::Files);
    }

    #[test]
    fn the_patient_sees_who_opened_it_and_the_list_does_not_grow_without_end() {
        let mut link = ServedLink::new(None, Flags::default(), None).unwrap();
        for n in 0..OPENINGS_KEPT_MAX as u64 + 5 {
            assert_eq!(link.ask(NOW + n * 60, &format!("clinic {n}"), None), Answer::Files);
        }
        assert_eq!((link.openings().len(), link.openings_total()), (OPENINGS_KEPT_MAX, 105));
        assert_eq!(link.openings()[0], Opening { at: NOW + 300, recipient: "clinic 5".to_owned() });
    }

    #[test]
    fn flags_and_passcode_must_agree_and_the_passcode_is_not_kept() {
        let hash = || PasscodeHash::new("246810", &mut SeededEntropy::new(1));
        let flags = |passcode, single_file| Flags { passcode, single_file, long_term: false };
        assert!(ServedLink::new(None, flags(true, false), None).is_none());
        assert!(ServedLink::new(None, flags(false, false), hash()).is_none());
        assert!(ServedLink::new(None, flags(true, true), hash()).is_none());
        assert!(ServedLink::new(None, flags(false, true), None).unwrap().is_single_file());
        assert!(PasscodeHash::new("", &mut SeededEntropy::new(1)).is_none());
        assert!(PasscodeHash::new(&"9".repeat(PASSCODE_CHARS_MAX + 1), &mut SeededEntropy::new(1)).is_none());
        let kept = borsh::to_vec(&guarded()).unwrap();
        assert!(!kept.windows(6).any(|bytes| bytes == b"246810"));
    }
}
