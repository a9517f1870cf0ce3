//! After the storm: is every acknowledged transaction at every hospital, once, where it was seen, and is there one chain?

use crate::hospital::Hospital;
use crate::load::{Acknowledged, Pinned};
use crate::wait;
use amulet_protocol::history::{Event, HistoryEntry, HistoryHead};
use amulet_protocol::ids::{Did, HeaderHash, Height};
use amulet_protocol::light::{LightRequest, LightResponse};
use amulet_protocol::state::StateKey;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A hospital that came up a moment ago may be busy catching up.
const ANSWERED_WITHIN: Duration = Duration::from_secs(30);
/// More than this says nothing new.
const PROBLEMS_MAX: usize = 20;

/// What was compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// Blocks, at each hospital.
    pub blocks: u64,
    /// Acknowledged transactions, at each hospital.
    pub transactions: usize,
}

/// Compares the hospitals with each other, from block `from` to block `to`, and with what clients hold for done; with
/// `people`, also that no transaction of theirs was executed twice.
///
/// # Errors
/// What was found, in words.
pub fn audit(
    hospitals: &[Hospital],
    pinned: &Pinned,
    acknowledged: &[Acknowledged],
    people: &[Did],
    (from, to): (u64, u64),
) -> Result<Compared, Vec<String>> {
    let found: Vec<Result<Vec<HeaderHash>, Vec<String>>> = std::thread::scope(|scope| {
        let audit = |hospital| move || audit_one(hospital, pinned, acknowledged, people, (from, to));
        let running: Vec<_> = hospitals.iter().map(|hospital| scope.spawn(audit(hospital))).collect();
        running
            .into_iter()
            .map(|one| one.join().unwrap_or_else(|_| Err(vec!["the audit panicked".into()])))
            .collect()
    });
    let mut problems: Vec<String> =
        found.iter().filter_map(|found| found.as_ref().err()).flatten().cloned().collect();
    let chains: Vec<&Vec<HeaderHash>> = found.iter().filter_map(|found| found.as_ref().ok()).collect();
    for (number, chain) in chains.iter().enumerate().skip(1) {
        if let Some(index) = (0..chain.len()).find(|index| chain[*index] != chains[0][*index]) {
            let height = from + index as u64;
            problems.push(format!("hospitals 1 and {} have different blocks at height {height}", number + 1));
        }
    }
    problems.truncate(PROBLEMS_MAX);
    let compared = Compared { blocks: (to + 1).saturating_sub(from), transactions: acknowledged.len() };
    if problems.is_empty() { Ok(compared) } else { Err(problems) }
}

/// One hospital; gives its header hashes.
fn audit_one(
    hospital: &Hospital,
    pinned: &Pinned,
    acknowledged: &[Acknowledged],
    people: &[Did],
    (from, to): (u64, u64),
) -> Result<Vec<HeaderHash>, Vec<String>> {
    let mut problems = Vec::new();
    let mut chain = Vec::new();
    for height in from..=to {
        match header(hospital, pinned, height) {
            Ok(hash) => chain.push(hash),
            Err(problem) => return Err(vec![problem]),
        }
    }
    for seen in acknowledged {
        if problems.len() < PROBLEMS_MAX
            && let Err(problem) = still_there(hospital, pinned, seen)
        {
            problems.push(problem);
        }
    }
    for person in people {
        let theirs = acknowledged.iter().filter(|seen| seen.sender == *person);
        problems.extend(executed_once(hospital, pinned, *person, theirs));
    }
    if problems.is_empty() { Ok(chain) } else { Err(problems) }
}

fn ask(hospital: &Hospital, request: &LightRequest) -> LightResponse {
    let what = format!("hospital {} to answer {request:?}", hospital.number);
    wait::until(&what, ANSWERED_WITHIN, || hospital.ask(request))
}

fn header(hospital: &Hospital, pinned: &Pinned, height: u64) -> Result<HeaderHash, String> {
    let number = hospital.number;
    match ask(hospital, &LightRequest::HeaderAt(Height(height))) {
        LightResponse::Header(signed) => {
            let hash = signed.header.hash();
            let verified = signed.verify(pinned.chain, &pinned.validators);
            verified.map_err(|error| format!("hospital {number}, block {height}: {error}"))?;
            Ok(hash)
        }
        other => Err(format!("hospital {number} has no block {height}: {other:?}")),
    }
}

fn still_there(hospital: &Hospital, pinned: &Pinned, seen: &Acknowledged) -> Result<(), String> {
    let number = hospital.number;
    let id = seen.transaction;
    let LightResponse::Receipt(proof) = ask(hospital, &LightRequest::Receipt(id)) else {
        return Err(format!(
            "LOST: hospital {number} does not have {id}, acknowledged in block {}",
            seen.height
        ));
    };
    let found =
        pinned.check(id, seen.sender, *proof).map_err(|wrong| format!("hospital {number}: {wrong}"))?;
    if found == *seen {
        return Ok(());
    }
    Err(format!(
        "hospital {number} has {id} in block {}, acknowledged in block {}",
        found.height, seen.height
    ))
}

/// A person's whole history, proven complete at this hospital, names each acknowledged transaction once.
fn executed_once<'a>(
    hospital: &Hospital,
    pinned: &Pinned,
    person: Did,
    acknowledged: impl Iterator<Item = &'a Acknowledged>,
) -> Vec<String> {
    let number = hospital.number;
    let entries = match history(hospital, pinned, person) {
        Ok(entries) => entries,
        Err(problem) => return vec![format!("hospital {number}: {problem}")],
    };
    let acts = entries
        .iter()
        .filter(|entry| matches!(entry.event, Event::CardPublished { .. } | Event::IdentityRegistered));
    let mut times: BTreeMap<_, Vec<Height>> = BTreeMap::new();
    acts.for_each(|entry| times.entry(entry.transaction).or_default().push(entry.height));
    let twice = times.iter().filter(|(_, heights)| heights.len() > 1);
    let mut problems: Vec<String> = twice
        .map(|(id, heights)| format!("TWICE: hospital {number} executed {id} in blocks {heights:?}"))
        .collect();
    let executed: BTreeSet<_> = times.into_keys().collect();
    let missing = acknowledged.filter(|seen| !executed.contains(&seen.transaction));
    problems
        .extend(missing.map(|seen| format!("LOST: hospital {number} never executed {}", seen.transaction)));
    problems
}

/// All entries of a person, against the head that the hospital's newest block proves.
fn history(hospital: &Hospital, pinned: &Pinned, did: Did) -> Result<Vec<HistoryEntry>, String> {
    let LightResponse::Header(newest) = ask(hospital, &LightRequest::Latest) else {
        return Err("it has no newest block".into());
    };
    let (height, root) = (newest.header.height, newest.header.state_root);
    newest.verify(pinned.chain, &pinned.validators).map_err(|error| error.to_string())?;
    let key = StateKey::History(did);
    let LightResponse::State(proofs) =
        ask(hospital, &LightRequest::State { height, keys: vec![key.clone()] })
    else {
        return Err(format!("it gives no state of {did}"));
    };
    let proven =
        proofs.first().ok_or("an empty answer")?.verify(root, &key).map_err(|error| error.to_string())?;
    let head: HistoryHead = proven.into_option().unwrap_or_default();
    let mut entries: Vec<HistoryEntry> = Vec::new();
    while (entries.len() as u64) < head.count {
        let from = entries.len() as u64 + 1;
        match ask(hospital, &LightRequest::History { did, from, height }) {
            LightResponse::History(more) if !more.is_empty() => entries.extend(more),
            other => return Err(format!("the history of {did} ends at {from}: {other:?}")),
        }
    }
    HistoryHead::default().extend_to(head, &entries).map_err(|error| error.to_string())?;
    Ok(entries)
}
