//! Results for people and for programs.

use amulet_crypto::digest::sm3;
use amulet_protocol::codec;
use amulet_protocol::fork_file::VerifiedFork;
use amulet_protocol::genesis::Genesis;
use amulet_protocol::grant::{GrantState, Hold};
use amulet_protocol::history::HistoryEntry;
use amulet_protocol::ids::{Did, Timestamp};
use amulet_protocol::proof_file::{Fact, VerifiedProof};
use amulet_protocol::receipt::{Outcome, Receipt};
use amulet_protocol::state::{RecordState, StateKey};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Write;

/// Prints one result: a line of JSON, or text.
pub fn result(json: bool, value: &Value, text: &str) {
    let mut out = std::io::stdout();
    let said = if json { writeln!(out, "{value}") } else { writeln!(out, "{text}") };
    // Whoever closed the output reads no more.
    drop(said);
}

/// A moment in UTC, to the second. Source of the calendar: Hinnant, "chrono-compatible low-level date algorithms".
pub fn moment(time: Timestamp) -> String {
    let seconds = time.0 / 1_000;
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

/// An entry of a history.
pub fn entry(entry: &HistoryEntry) -> (Value, String) {
    let event = format!("{:?}", entry.event);
    let value = json!({
        "number": entry.number, "height": entry.height.0, "time": entry.time.0,
        "transaction": entry.transaction.to_string(), "event": event,
    });
    let text = format!("{:>5}  {}  block {}  {event}", entry.number, moment(entry.time), entry.height);
    (value, text)
}

/// What a proof file proves.
pub fn proof(proof: &VerifiedProof) -> (Value, String) {
    let anchor = proof.anchor();
    let (height, signed) = (anchor.header().height, anchor.signers().count());
    let validators = proof.validators().members().len();
    let mut text = format!(
        "PROVEN, up to block {height} of {}, signed by {signed} of {validators} validators.\nThat block's hash is {}.\n",
        moment(anchor.header().time),
        anchor.hash()
    );
    let mut facts = Vec::new();
    for (header, found) in proof.facts() {
        let (mut value, said) = fact(found);
        value["height"] = header.height.0.into();
        value["time"] = header.time.0.into();
        value["block"] = header.hash().to_string().into();
        text +=
            &format!("Block {} ({}), hash {}: {said}\n", header.height, moment(header.time), header.hash());
        facts.push(value);
    }
    text += "It says nothing about what came after. Compare the hash with a device that follows the chain.";
    let value = json!({
        "ok": true, "chain": anchor.header().chain.to_string(), "facts": facts, "anchor": {
            "height": height.0, "hash": anchor.hash().to_string(), "time": anchor.header().time.0,
            "epoch": proof.epoch().0, "signed": signed, "validators": validators,
        },
    });
    (value, text)
}

/// What a fork file proves, and against whom.
pub fn fork(fork: &VerifiedFork, genesis: &Genesis) -> (Value, String) {
    let name = |did: &Did| {
        let known = genesis.organisations.iter().find(|organisation| organisation.did() == *did);
        known.map_or_else(|| did.to_string(), |known| format!("{} ({did})", known.name_en))
    };
    let names =
        |dids: &BTreeSet<Did>| dids.iter().map(|did| format!("\n  {}", name(did))).collect::<String>();
    let dids = |dids: &BTreeSet<Did>| dids.iter().map(Did::to_string).collect::<Vec<_>>();
    let mut text = "PROVEN: these two blocks exclude each other, and a quorum signed each.\n".to_owned();
    let mut sides = Vec::new();
    for side in fork.fork().sides() {
        let (header, hash) = (&side.header, side.header.hash());
        let signed = side.certificate.signatures.len();
        text += &format!(
            "Block {} of {}, hash {hash}, signed by {signed}.\n",
            header.height,
            moment(header.time)
        );
        sides.push(json!({ "height": header.height.0, "hash": hash.to_string(), "time": header.time.0, "signed": signed }));
    }
    text += &format!("Signed both:{}\n", names(fork.signed_both()));
    text += &match fork.convicted().is_empty() {
        true => "They were signed in different views: that alone convicts nobody, and the logs of the hospitals must be \
                 looked at."
            .to_owned(),
        false => format!("Of these, in one view, which no honest hospital does:{}", names(fork.convicted())),
    };
    let value = json!({
        "ok": true, "chain": fork.fork().lower.header.chain.to_string(), "sides": sides,
        "signed_both": dids(fork.signed_both()), "convicted": dids(fork.convicted()),
    });
    (value, text)
}

fn fact(fact: &Fact) -> (Value, String) {
    match fact {
        Fact::Header => (json!({ "kind": "header" }), "this is its header.".into()),
        Fact::State(batch) => {
            let lines = batch.iter().map(|(key, value)| state(key, value));
            let (values, lines): (Vec<_>, Vec<_>) = lines.unzip();
            (json!({ "kind": "state", "values": values }), format!("the state after it.{}", lines.concat()))
        }
        Fact::Receipts(receipts) => {
            let (values, lines): (Vec<_>, Vec<_>) = receipts.iter().map(receipt).unzip();
            let text = format!("what became of transactions of it.{}", lines.concat());
            (json!({ "kind": "receipts", "receipts": values }), text)
        }
        Fact::History(history) => {
            let (values, lines): (Vec<_>, Vec<_>) = history.entries.iter().map(entry).unzip();
            let count = history.head.count;
            let lines: String = lines.iter().map(|line| format!("\n  {line}")).collect();
            let value = json!({
                "kind": "history", "did": history.did.to_string(), "count": count, "complete": true, "entries": values,
            });
            (value, format!("the complete history of {}, {count} entries.{lines}", history.did))
        }
    }
}

fn state(key: &StateKey, value: Option<&[u8]>) -> (Value, String) {
    let shown = format!("{key:?}");
    match value {
        None => {
            let text = format!("\n  {shown}: proven absent");
            (json!({ "key": shown, "present": false }), text)
        }
        Some(bytes) => {
            let meaning = meaning(key, bytes).unwrap_or_default();
            let text =
                format!("\n  {shown}: present, {} bytes with digest {}{meaning}", bytes.len(), sm3(bytes));
            (json!({ "key": shown, "present": true, "value": hex::encode(bytes) }), text)
        }
    }
}

/// What the values that wallets export say, for people.
fn meaning(key: &StateKey, bytes: &[u8]) -> Option<String> {
    match key {
        StateKey::Record(id) => {
            let record: RecordState = codec::decode(bytes, bytes.len()).ok()?;
            Some(format!(
                "\n    record {} of {}, {:?}, registered by {} in block {}; its ciphertext is {}",
                id.0, record.patient, record.category, record.provider, record.registered, record.blob.0
            ))
        }
        StateKey::Grant(id) => {
            let grant: GrantState = codec::decode(bytes, bytes.len()).ok()?;
            let held = match grant.hold {
                Hold::Open => String::new(),
                Hold::Paused { at } => format!(", paused since {}", moment(at)),
                Hold::Revoked { at } => format!(", taken back {}", moment(at)),
            };
            let limit = grant.term.uses_max.map(|limit| format!(" of {}", limit.0));
            let deleted =
                grant.deleted_at.map(|at| format!("; its reader confirmed the deletion {}", moment(at)));
            Some(format!(
                "\n    grant {} by {} to {}: {} records, from {} until {}{held}; used {}{} times{}",
                id.0.0,
                grant.patient,
                grant.grantee.did(),
                grant.records.len(),
                moment(grant.valid_from),
                moment(grant.term.valid_until),
                grant.uses,
                limit.unwrap_or_default(),
                deleted.unwrap_or_default()
            ))
        }
        _ => None,
    }
}

fn receipt(receipt: &Receipt) -> (Value, String) {
    let outcome = match &receipt.outcome {
        Outcome::Applied { events } => {
            let told =
                events.iter().map(|(did, number, event)| format!("entry {number} of {did}: {event:?}"));
            format!("applied; {}", told.collect::<Vec<_>>().join("; "))
        }
        Outcome::Refused { code } => format!("refused: {code}"),
    };
    let transaction = receipt.transaction.to_string();
    let text = format!("\n  transaction {transaction}: {outcome}");
    (json!({ "transaction": transaction, "outcome": outcome }), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_dates_of_the_calendar() {
        let at = |seconds: u64| moment(Timestamp(seconds * 1_000));
        assert_eq!(at(0), "1970-01-01 00:00:00 UTC");
        assert_eq!(at(951_782_399), "2000-02-28 23:59:59 UTC");
        assert_eq!(at(951_782_400), "2000-02-29 00:00:00 UTC");
        assert_eq!(at(1_709_251_199), "2024-02-29 23:59:59 UTC");
        assert_eq!(at(4_107_542_400), "2100-03-01 00:00:00 UTC");
    }
}
