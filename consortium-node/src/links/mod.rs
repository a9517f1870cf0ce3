//! SMART Health Links that this hospital serves for its patients: their orders, and whoever opens a link.
//!
//! What a link's rules are is `amulet_health_link::ServedLink`; here is that it survives, and how much of it there may be.
//! The hospital has the file sealed, and never the key.

mod store;

pub use store::{LinkStore, LinkStoreError};

use crate::ledger::Ledger;
use crate::release::failed;
use amulet_crypto::entropy::{Entropy, SystemEntropy};
use amulet_health_link::{Answer, Closed, Flags, PasscodeHash, ServedLink};
use amulet_protocol::ids::{Did, Timestamp};
use amulet_protocol::light::LightRefusal;
use amulet_protocol::limits::READ_REQUEST_AGE_MAX_MS;
use amulet_protocol::links::{
    LINK_FILE_BYTES_MAX, LINK_OPENINGS_MAX, LINK_RECIPIENT_BYTES_MAX, LINK_URL_BYTES_MAX,
    LINKS_PER_PATIENT_MAX, LinkId, LinkOpening, LinkOrder, LinkRefusal, LinkStanding, LinkStatus, ServeLink,
    UntrustedLinkRequest,
};
use amulet_protocol::state::{Identity, RecordState, StateKey};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use store::{Links, Row};

/// Links kept in all.
const LINKS_MAX: usize = 10_000;
/// Bytes of all files together.
const FILES_BYTES_MAX: u64 = 2 * 1024 * 1024 * 1024;
/// How long a link's file may be fetched after its manifest was asked for, in seconds: the standard allows an hour.
const TICKET_SECONDS: u64 = 300;
/// Tickets given out and not used yet; the oldest give way.
const TICKETS_MAX: usize = 4_096;
/// Longest time that a link may last, in milliseconds: a year.
const LINK_TIME_MAX_MS: u64 = 366 * 24 * 3_600_000;
const MS: u64 = 1_000;

/// How often the files of links whose time is over are looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(3_600);

/// Bytes of a ticket.
pub const TICKET_BYTES: usize = 32;

/// What somebody who opens a link gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// There is no such link, or it does not answer to this way of asking.
    Unknown,
    /// The sealed file, and the address of the link.
    File {
        /// A compact JWE.
        file: Vec<u8>,
        /// The link's address.
        url: String,
    },
    /// Anything else that the link's rules say.
    Not(Answer),
}

/// Serves links; cheap to clone. Its calls block on the disk.
#[derive(Clone)]
pub struct LinkDesk {
    ledger: Ledger,
    store: LinkStore,
    organisation: Did,
    tickets: Arc<Mutex<Tickets>>,
}

/// Files that may be fetched once, by ticket.
#[derive(Default)]
struct Tickets {
    by_ticket: BTreeMap<[u8; TICKET_BYTES], (LinkId, u64)>,
}

/// Why an order is not carried out.
enum OrderError {
    Refused(LinkRefusal),
    Store(LinkStoreError),
}

impl From<LinkStoreError> for OrderError {
    fn from(error: LinkStoreError) -> Self {
        Self::Store(error)
    }
}

impl LinkDesk {
    /// A desk over this store, for the hospital `organisation`.
    #[must_use]
    pub fn new(ledger: Ledger, store: LinkStore, organisation: Did) -> Self {
        Self { ledger, store, organisation, tickets: Arc::default() }
    }

    /// Carries out a patient's order; how all of their links stand afterwards, newest first.
    ///
    /// # Errors
    /// [`LightRefusal`] by variant; then nothing is changed.
    pub fn order(
        &self,
        now: Timestamp,
        untrusted: &UntrustedLinkRequest,
    ) -> Result<Vec<LinkStatus>, LightRefusal> {
        let patient = self.asker(now, untrusted)?;
        let order = &untrusted.request.order;
        if let LinkOrder::Serve(serve) = order {
            self.check(now, patient, serve)?;
        }
        let done = self.store.change(|links| {
            sweep(links, now)?;
            match order {
                LinkOrder::Serve(serve) => add(links, now, patient, serve)?,
                LinkOrder::Revoke(id) => revoke(links, patient, *id)?,
                LinkOrder::List => {}
            }
            Ok(links.all()?)
        });
        let all = done.map_err(|error| match error {
            OrderError::Refused(refusal) => LightRefusal::Link(refusal),
            OrderError::Store(error) => failed(error),
        })?;
        let mut own: Vec<LinkStatus> = all
            .into_iter()
            .filter(|(_, row)| row.owner == patient)
            .map(|(id, row)| status(id, &row, now))
            .collect();
        own.sort_by_key(|link| Reverse(link.made_at));
        own.truncate(LINKS_PER_PATIENT_MAX);
        Ok(own)
    }

    /// Who orders: the cheap checks first, the signature last.
    fn asker(&self, now: Timestamp, untrusted: &UntrustedLinkRequest) -> Result<Did, LightRefusal> {
        let request = &untrusted.request;
        let (dated, did) = (request.time, request.patient);
        if now.0.abs_diff(dated.0) > READ_REQUEST_AGE_MAX_MS {
            return Err(LightRefusal::Clock { dated, now });
        }
        let identity: Option<Identity> = self.ledger.read(&StateKey::Identity(did)).map_err(failed)?;
        let speaks = identity.is_some_and(|identity| identity.signing == untrusted.key);
        let unsigned = LightRefusal::NotSigned { did };
        if request.holder != self.organisation || !speaks {
            return Err(unsigned);
        }
        untrusted.verify(self.ledger.chain()).map_err(|_| unsigned)?;
        Ok(did)
    }

    /// What can be said of a wish without the links there are.
    fn check(&self, now: Timestamp, patient: Did, serve: &ServeLink) -> Result<(), LightRefusal> {
        let in_time = now < serve.ends && serve.ends.millis_since(now) <= LINK_TIME_MAX_MS;
        let fits = serve.url.len() <= LINK_URL_BYTES_MAX
            && is_web_address(&serve.url)
            && (1..=LINK_FILE_BYTES_MAX).contains(&serve.file.len())
            && serve.file.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte));
        if !in_time || !fits || (serve.single_file && serve.passcode.is_some()) {
            return Err(LightRefusal::Malformed);
        }
        let record: Option<RecordState> =
            self.ledger.read(&StateKey::Record(serve.voucher)).map_err(failed)?;
        let vouched =
            record.is_some_and(|record| record.patient == patient && record.provider == self.organisation);
        if vouched { Ok(()) } else { Err(LightRefusal::Link(LinkRefusal::NotAPatient)) }
    }

    /// Somebody asks for a link's files, or for its single file. That they did, and a guess, is on the disk before this returns.
    ///
    /// # Errors
    /// [`LinkStoreError`].
    pub fn open(
        &self,
        now: Timestamp,
        id: LinkId,
        single_file: bool,
        recipient: &str,
        passcode: Option<&str>,
    ) -> Result<Opened, LinkStoreError> {
        // Whoever tries addresses must not have the disk written for each of them.
        if self.store.row(id)?.is_none_or(|row| row.link.is_single_file() != single_file) {
            return Ok(Opened::Unknown);
        }
        self.store.change(|links| {
            let Some(mut row) = links.get(id)? else { return Ok(Opened::Unknown) };
            let answer = row.link.ask(now.0 / MS, bounded(recipient), passcode);
            links.put(id, &row)?;
            if row.link.closed(now.0 / MS).is_some() {
                links.drop_file(id)?;
            }
            Ok(match (answer, links.file(id)?) {
                (Answer::Files, Some(file)) => Opened::File { file, url: row.url },
                (Answer::Files, None) => Opened::Unknown,
                (other, _) => Opened::Not(other),
            })
        })
    }

    /// Deletes the files of links whose time is over.
    ///
    /// # Errors
    /// [`LinkStoreError`].
    pub fn sweep(&self, now: Timestamp) -> Result<(), LinkStoreError> {
        self.store.change(|links| sweep(links, now))
    }

    /// A ticket to fetch a link's file once, for somebody to whom it was opened.
    #[must_use]
    pub fn ticket(&self, now: Timestamp, id: LinkId) -> [u8; TICKET_BYTES] {
        let mut ticket = [0; TICKET_BYTES];
        SystemEntropy.fill(&mut ticket);
        self.tickets().give(ticket, id, now.0 / MS);
        ticket
    }

    /// The file for a ticket, which is then used up; `None` if it is unknown or too old, or the link was closed meanwhile.
    ///
    /// # Errors
    /// [`LinkStoreError`].
    pub fn fetch(
        &self,
        now: Timestamp,
        ticket: [u8; TICKET_BYTES],
    ) -> Result<Option<Vec<u8>>, LinkStoreError> {
        let Some(id) = self.tickets().take(ticket, now.0 / MS) else { return Ok(None) };
        let open = self.store.row(id)?.is_some_and(|row| row.link.closed(now.0 / MS).is_none());
        if open { self.store.file(id) } else { Ok(None) }
    }

    fn tickets(&self) -> std::sync::MutexGuard<'_, Tickets> {
        self.tickets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tickets {
    fn give(&mut self, ticket: [u8; TICKET_BYTES], id: LinkId, now: u64) {
        self.by_ticket.retain(|_, (_, until)| now < *until);
        if self.by_ticket.len() >= TICKETS_MAX
            && let Some(oldest) =
                self.by_ticket.iter().min_by_key(|(_, (_, until))| *until).map(|(old, _)| *old)
        {
            self.by_ticket.remove(&oldest);
        }
        self.by_ticket.insert(ticket, (id, now + TICKET_SECONDS));
    }

    fn take(&mut self, ticket: [u8; TICKET_BYTES], now: u64) -> Option<LinkId> {
        self.by_ticket.remove(&ticket).filter(|(_, until)| now < *until).map(|(id, _)| id)
    }
}

/// Deletes the files of links whose time is over, from time to time, for as long as the node runs.
pub async fn sweep_links(desk: LinkDesk, now: fn() -> Timestamp) {
    let mut times = tokio::time::interval(SWEEP_EVERY);
    loop {
        times.tick().await;
        let desk = desk.clone();
        match tokio::task::spawn_blocking(move || desk.sweep(now())).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "links whose time is over were not swept"),
            Err(error) => tracing::error!(%error, "the sweep of links broke off"),
        }
    }
}

/// Deletes the files of links that are over.
fn sweep(links: &mut Links<'_>, now: Timestamp) -> Result<(), LinkStoreError> {
    for (id, row) in links.all()? {
        if row.link.closed(now.0 / MS).is_some() {
            links.drop_file(id)?;
        }
    }
    Ok(())
}

fn add(links: &mut Links<'_>, now: Timestamp, owner: Did, serve: &ServeLink) -> Result<(), OrderError> {
    let ends = Some(serve.ends.0 / MS);
    let flags =
        Flags { passcode: serve.passcode.is_some(), single_file: serve.single_file, long_term: false };
    let passcode =
        serve.passcode.as_ref().map(|passcode| PasscodeHash::from_parts(passcode.salt, passcode.hash));
    let link = ServedLink::new(ends, flags, passcode).expect("flags and passcode agree by construction");
    let row = Row {
        owner,
        made_at: now,
        ends: serve.ends,
        url: serve.url.clone(),
        has_passcode: flags.passcode,
        link,
        file_bytes: serve.file.len() as u64,
    };
    if let Some(known) = links.get(serve.id)? {
        // The same order once more, after an answer that was lost: nothing is begun anew, least of all the count of guesses.
        let same = known.owner == owner && links.file(serve.id)?.as_deref() == Some(serve.file.as_slice());
        return if same { Ok(()) } else { Err(OrderError::Refused(LinkRefusal::NoSuchLink)) };
    }
    make_room(links, now, owner, row.file_bytes)?;
    links.put(serve.id, &row)?;
    Ok(links.put_file(serve.id, &serve.file)?)
}

/// Forgets the oldest closed link of a patient who has many; refuses where open ones fill all places.
fn make_room(links: &mut Links<'_>, now: Timestamp, owner: Did, bytes: u64) -> Result<(), OrderError> {
    let all = links.all()?;
    let is_open = |row: &Row| row.link.closed(now.0 / MS).is_none();
    let held: u64 = all.iter().filter(|(_, row)| is_open(row)).map(|(_, row)| row.file_bytes).sum();
    if held.saturating_add(bytes) > FILES_BYTES_MAX {
        return Err(OrderError::Refused(LinkRefusal::Full));
    }
    if all.len() >= LINKS_MAX {
        let closed = all.iter().filter(|(_, row)| !is_open(row)).min_by_key(|(_, row)| row.made_at);
        let (id, _) = closed.ok_or(OrderError::Refused(LinkRefusal::Full))?;
        links.remove(*id)?;
    }
    let own: Vec<&(LinkId, Row)> = all.iter().filter(|(_, row)| row.owner == owner).collect();
    if own.len() < LINKS_PER_PATIENT_MAX {
        return Ok(());
    }
    let closed = own.iter().filter(|(_, row)| !is_open(row)).min_by_key(|(_, row)| row.made_at);
    match closed {
        Some((id, _)) => Ok(links.remove(*id)?),
        None => Err(OrderError::Refused(LinkRefusal::TooMany {
            max: u16::try_from(LINKS_PER_PATIENT_MAX).unwrap_or(u16::MAX),
        })),
    }
}

fn revoke(links: &mut Links<'_>, owner: Did, id: LinkId) -> Result<(), OrderError> {
    let row = links.get(id)?.filter(|row| row.owner == owner);
    let mut row = row.ok_or(OrderError::Refused(LinkRefusal::NoSuchLink))?;
    row.link.revoke();
    links.put(id, &row)?;
    Ok(links.drop_file(id)?)
}

fn status(id: LinkId, row: &Row, now: Timestamp) -> LinkStatus {
    let openings = row.link.openings();
    let newest = &openings[openings.len().saturating_sub(LINK_OPENINGS_MAX)..];
    LinkStatus {
        id,
        made_at: row.made_at,
        ends: row.ends,
        standing: match row.link.closed(now.0 / MS) {
            None => LinkStanding::Open,
            Some(Closed::Expired) => LinkStanding::Expired,
            Some(Closed::Revoked) => LinkStanding::Revoked,
            Some(Closed::Guessed) => LinkStanding::Guessed,
        },
        attempts_left: row.has_passcode.then(|| row.link.attempts_left()),
        openings: newest
            .iter()
            .map(|opening| LinkOpening {
                at: Timestamp(opening.at.saturating_mul(MS)),
                recipient: bounded(&opening.recipient).to_owned(),
            })
            .collect(),
        openings_total: row.link.openings_total(),
    }
}

/// As much of a name as is kept and told: a patient's device takes a longer one for a lie of this hospital.
fn bounded(recipient: &str) -> &str {
    let name = recipient.trim();
    let mut end = name.len().min(LINK_RECIPIENT_BYTES_MAX);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}

/// An address of the web that ends in a path: what answers are built on must not smuggle anything else.
fn is_web_address(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/[]%".contains(&byte);
    rest.is_some_and(|rest| rest.contains('/') && rest.bytes().all(plain))
}

#[cfg(test)]
mod tests;
