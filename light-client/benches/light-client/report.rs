//! Lines for people as the numbers come in, and JSON for scripts at the end.

use crate::beside::Beside;
use crate::certificate::Certificate;
use crate::consortium::Change;
use crate::first_sync::FirstSync;
use crate::machine::{Machine, Verification};
use crate::memory::Memory;
use crate::proofs::Checked;
use crate::sequential::Sequential;
use amulet_light_client::SyncPolicy;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What was measured so far.
pub struct Report {
    values: Map<String, Value>,
    /// Checks a second of a known key's signature.
    known_key: f64,
    first_sync: Vec<Value>,
    sequential: Vec<Value>,
    /// Blocks and bytes of the first sync before this one of the same kind, to say how they grow.
    before: BTreeMap<(Change, usize), (u64, u64)>,
}

impl Report {
    /// Begins with the machine and the cost of a signature on it.
    pub fn new(machine: &Machine, verification: &Verification) -> Self {
        println!("{}, {} cores, load {:.1} at the start", machine.processor, machine.cores, machine.load);
        if machine.load > 0.3 {
            println!(
                "Other programs are running: times are of one processor, and longer than on a quiet machine."
            );
        }
        let Verification { reference, any_key, known_key } = verification;
        println!(
            "SM2 checks a second on one core: {any_key:.0} of any key, {known_key:.0} of a known one; {reference:.0} by the crate sm2"
        );
        let mut values = Map::new();
        values.insert(
            "machine".into(),
            json!({ "processor": machine.processor, "cores": machine.cores, "load_at_start": machine.load }),
        );
        values.insert(
            "sm2_verifications_per_s".into(),
            json!({ "reference": reference, "any_key": any_key, "known_key": known_key }),
        );
        Self {
            values,
            known_key: *known_key,
            first_sync: Vec::new(),
            sequential: Vec::new(),
            before: BTreeMap::new(),
        }
    }

    pub fn first_sync_head(&self) {
        println!("\nFirst sync, a hundred changes of validators (fewer than 1,000 blocks: one each ten)");
        println!("(growth: bytes beside those of a tenth of the blocks; work: in time of one processor)");
        println!(
            "validators    blocks  key replaced   asked    steps  questions     bytes  growth  ms of work"
        );
    }

    pub fn first_sync(&mut self, sync: &FirstSync) {
        let FirstSync { blocks, validators, change, policy, traffic, steps, seconds, .. } = sync;
        let (bytes, name) = (sync.bytes(), change.name());
        let mut grown = String::new();
        if *policy == SyncPolicy::Full {
            let before = self.before.insert((*change, *validators), (*blocks, bytes));
            if let Some((tenth, fewer)) = before
                && tenth * 10 == *blocks
            {
                grown = format!("{:.2}", bytes as f64 / fewer as f64);
            }
        }
        let asked = if *policy == SyncPolicy::Full { "all" } else { "two" };
        println!(
            "{validators:>10} {blocks:>9}  {name:<13}  {asked:<5} {steps:>7} {:>10} {bytes:>9} {grown:>7} {:>11.1}",
            traffic.questions,
            seconds * 1e3
        );
        self.first_sync.push(json!({
            "blocks": blocks,
            "validators": validators,
            "key_replaced": name,
            "changes": sync.changes,
            "asked": asked,
            "steps": steps,
            "questions": traffic.questions,
            "bytes": bytes,
            "seconds": seconds,
        }));
    }

    pub fn certificate(&mut self, certificate: &Certificate) {
        let Certificate { checked, bare, checked_known, bare_known, prepare } = certificate;
        let (ratio, ratio_known) = (certificate.ratio(), certificate.ratio_known());
        println!("\nA certificate of 67 signatures (100 validators)");
        println!(
            "  any keys     {:>7.0} µs   {ratio:.2} × {:.0} µs for 67 bare checks",
            checked * 1e6,
            bare * 1e6
        );
        println!(
            "  known keys   {:>7.0} µs   {ratio_known:.2} × {:.0} µs for 67 bare checks; preparing a key takes {:.0} µs",
            checked_known * 1e6,
            bare_known * 1e6,
            prepare * 1e6
        );
        self.value(
            "certificate_67",
            json!({
                "ratio_to_bare": ratio,
                "ratio_to_bare_known_keys": ratio_known,
                "seconds": checked,
                "seconds_known_keys": checked_known,
                "seconds_to_prepare_a_key": prepare,
            }),
        );
    }

    pub fn sequential(&mut self, run: &Sequential) {
        let Sequential { blocks, validators, headers, signatures, .. } = run;
        let (rate, bytes) = (run.headers_per_second(), run.bytes_in_all());
        let of_bare = run.seconds * self.known_key / *signatures as f64;
        println!(
            "  header by header, {validators} validators: {rate:.0} headers a second, {:.0} B each; {of_bare:.2} × bare checks of known keys; {blocks} blocks: {:.1} MB, {:.0} s",
            bytes / *blocks as f64,
            bytes / 1e6,
            *blocks as f64 / rate
        );
        self.sequential.push(json!({
            "blocks": blocks,
            "validators": validators,
            "headers_measured": headers,
            "headers_per_s": rate,
            "bytes": bytes,
            "seconds": *blocks as f64 / rate,
            "work_to_bare_checks_of_known_keys": of_bare,
        }));
    }

    pub fn proofs(&mut self, proofs: &[Checked]) {
        println!("\nOne proof with a header that was verified before (target: under 1 ms)");
        for Checked { name, bytes, seconds } in proofs {
            println!("  {name:<40}{bytes:>7} B {:>9.1} µs", seconds * 1e6);
        }
        let value =
            |proof: &Checked| json!({ "proof": proof.name, "bytes": proof.bytes, "seconds": proof.seconds });
        self.value("proofs", proofs.iter().map(value).collect());
    }

    /// Bytes of a day when all hospitals are asked each hour, and when two are.
    pub fn daily(&mut self, all: u64, two: u64) {
        println!(
            "\nA day, 4 validators: 24 syncs, 10 events with the headers they are in (target: under 50 KB)"
        );
        println!("  {all} B when all hospitals are asked, {two} B when two are");
        self.value("daily", json!({ "bytes": all, "bytes_two_asked": two }));
    }

    pub fn memory(&mut self, memory: &Memory) {
        let mib = |kib: u64| kib as f64 / 1024.0;
        let Memory { added, process } = memory;
        println!(
            "\nMemory of a first sync, store on disk: {:.1} MiB at the peak, {:.1} MiB with the program (target: under 20 MB)",
            mib(*added),
            mib(*process)
        );
        self.value("memory", json!({ "added_bytes": added * 1024, "process_bytes": process * 1024 }));
    }

    pub fn beside(&mut self, beside: Beside) {
        let Beside { value, build_seconds } = beside;
        let number = |value: &Value| value.as_f64().unwrap();
        println!(
            "\ntendermint-light-client 0.41 (built in {build_seconds:.0} s), Ed25519, JSON; the same changes, in turn"
        );
        println!("  {:.0} bare checks a second", number(&value["bare_checks_per_s"]));
        for run in value["measured"].as_array().unwrap() {
            let skipping = &run["skipping"];
            println!(
                "  {} validators: {:.0} headers a second one by one, {} B each, {:.2} × bare checks of a quorum",
                run["validators"],
                number(&run["headers_per_s"]),
                run["bytes_per_header"],
                number(&run["work_to_bare_checks_of_a_quorum"]),
            );
            println!(
                "     skipping {} blocks: {} headers, {} B, {:.1} ms, as {:.0} bare checks",
                skipping["blocks"],
                skipping["headers"],
                skipping["bytes"],
                number(&skipping["seconds"]) * 1e3,
                number(&skipping["bare_checks"]),
            );
        }
        self.value("beside_tendermint", value);
    }

    fn value(&mut self, name: &str, value: Value) {
        self.values.insert(name.into(), value);
    }

    pub fn into_json(mut self) -> String {
        self.values.insert("first_sync".into(), Value::Array(self.first_sync));
        self.values.insert("header_by_header".into(), Value::Array(self.sequential));
        format!("{:#}\n", Value::Object(self.values))
    }
}

impl Change {
    fn name(self) -> &'static str {
        match self {
            Self::OneAndTheSame => "of one",
            Self::InTurn => "in turn",
        }
    }
}
