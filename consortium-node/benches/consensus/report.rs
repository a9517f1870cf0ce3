//! Lines for people as the numbers come in, and JSON for scripts at the end.

use crate::cluster::Fault;
use crate::load::Run;
use crate::machine::{Machine, Verification};
use crate::ordering::Ordered;
use serde_json::{Value, json};

/// Highest throughput, or a part of it.
pub struct Measured {
    pub replicas: usize,
    /// Part of the highest throughput that clients sent at; `None` when they sent as fast as they could.
    pub load: Option<f64>,
    pub run: Run,
}

/// Four replicas, one with this fault.
pub struct Faulty {
    pub fault: Fault,
    pub run: Run,
}

/// What was measured so far.
pub struct Report {
    machine: Machine,
    verification: Verification,
    throughput: Vec<Value>,
    latency: Vec<Value>,
    faults: Vec<Value>,
    fault_free: Option<f64>,
    ordering: Option<Value>,
}

impl Report {
    pub fn new(machine: Machine, verification: Verification) -> Self {
        Self {
            machine,
            verification,
            throughput: Vec::new(),
            latency: Vec::new(),
            faults: Vec::new(),
            fault_free: None,
            ordering: None,
        }
    }

    pub fn print_head(&self) {
        let Self { machine, verification, .. } = self;
        println!("{}, {} cores, load {:.1} at the start", machine.processor, machine.cores, machine.load);
        if machine.load > 0.3 {
            println!("Other programs are running: the numbers are lower than this machine's.");
        }
        println!("\nSM2 signatures checked a second, one core");
        let reference = verification.reference;
        for (name, rate) in [
            ("crate sm2 (reference)", reference),
            ("any key", verification.any_key),
            ("known key", verification.known_key),
        ] {
            println!("  {name:<24}{rate:>9.0}   {:>5.2} × reference", rate / reference);
        }
        println!(
            "\nreplicas  load      tx/s     p50 ms    p99 ms   p99/p50  of bound  by ref.  tx/block  CPU µs  msgs  bytes  views"
        );
        println!(
            "(bound: cores × signature checks ÷ replicas, by our checks and by the reference's; CPU is of one replica for one transaction, clients included; messages and bytes of all for one transaction)"
        );
    }

    /// What the signatures alone would allow.
    fn bound(&self, replicas: usize) -> f64 {
        self.machine.cores as f64 * self.verification.any_key / replicas as f64
    }

    pub fn throughput(&mut self, measured: Measured) {
        let value = self.line(&measured);
        self.throughput.push(value);
    }

    pub fn latency(&mut self, measured: Measured) {
        let value = self.line(&measured);
        self.latency.push(value);
    }

    fn line(&self, Measured { replicas, load, run }: &Measured) -> Value {
        let (rate, p50, p99) = (run.per_second(), run.latency_ms(0.5), run.latency_ms(0.99));
        let ratio = rate / self.bound(*replicas);
        let ratio_to_reference = ratio * self.verification.any_key / self.verification.reference;
        let total = &run.total;
        let each = |sum: f64| sum / total.transactions as f64;
        let cpu = each(total.process_seconds * 1e6) / *replicas as f64;
        let (messages, bytes) = (each(total.messages as f64), each(total.bytes as f64));
        let per_block = total.transactions as f64 / total.blocks as f64;
        let shown = load.map_or("highest".to_owned(), |load| format!("{:.0} %", load * 100.0));
        println!(
            "{replicas:>8}  {shown:<8}{rate:>6.0} {p50:>10.1} {p99:>9.1} {:>9.2} {ratio:>9.2} {ratio_to_reference:>8.2} {per_block:>9.1} {cpu:>7.0} {messages:>5.1} {bytes:>6.0} {:>6}",
            p99 / p50,
            total.views,
        );
        if total.uncommitted > 0 {
            println!(
                "          {} transactions were not committed in time, which is too much load",
                total.uncommitted
            );
        }
        json!({
            "replicas": replicas,
            "load": load,
            "tx_per_s": rate,
            "p50_ms": p50,
            "p99_ms": p99,
            "p99_over_median": p99 / p50,
            "ratio_to_bound": ratio,
            "ratio_to_reference_bound": ratio_to_reference,
            "tx_per_block": per_block,
            "cpu_us_per_tx_and_replica": cpu,
            "messages_per_tx": messages,
            "bytes_per_tx": bytes,
            "view_changes": total.views,
            "uncommitted": total.uncommitted,
        })
    }

    pub fn fault(&mut self, Faulty { fault, run }: Faulty) {
        // From the first submission on, the view change included.
        let rate = run.per_second();
        let fault_free = *self.fault_free.get_or_insert(rate);
        let name = match fault {
            Fault::None => "none",
            Fault::Silent => "silent primary",
            Fault::Equivocates => "equivocating primary",
        };
        if self.faults.is_empty() {
            println!("\n4 replicas, view changes included");
        }
        println!("  {name:<24}{rate:>6.0} tx/s   {:.2} × without a fault", rate / fault_free);
        self.faults.push(json!({ "fault": name, "tx_per_s": rate, "of_fault_free": rate / fault_free }));
    }

    pub fn ordering(&mut self, ordered: Vec<Ordered>) {
        println!(
            "\nOrdering only: 4 replicas, 512-byte transactions without signatures, no application, nothing on disk"
        );
        println!("offered tx/s  batch      tx/s   p50 ms   p99 ms  heights/s");
        let mut values = Vec::new();
        for ordered in ordered {
            let Ordered { offered, batch, tx_per_s, heights_per_s, p50_ms, p99_ms } = ordered;
            let shown = offered.map_or("always one".to_owned(), |rate| format!("{rate:.0}"));
            println!(
                "{shown:>12} {batch:>6} {tx_per_s:>9.0} {p50_ms:>8.1} {p99_ms:>8.1} {heights_per_s:>10.1}"
            );
            values.push(json!({
                "offered_tx_per_s": offered,
                "most_tx_per_block": batch,
                "tx_per_s": tx_per_s,
                "heights_per_s": heights_per_s,
                "p50_ms": p50_ms,
                "p99_ms": p99_ms,
            }));
        }
        self.ordering = Some(Value::Array(values));
    }

    pub fn to_json(&self) -> String {
        let Self { machine, verification, .. } = self;
        let report = json!({
            "machine": { "processor": machine.processor, "cores": machine.cores, "load_at_start": machine.load },
            "sm2_verifications_per_s": {
                "reference": verification.reference,
                "any_key": verification.any_key,
                "known_key": verification.known_key,
            },
            "throughput": self.throughput,
            "latency": self.latency,
            "faults": self.faults,
            "ordering": self.ordering,
        });
        format!("{report:#}\n")
    }
}
