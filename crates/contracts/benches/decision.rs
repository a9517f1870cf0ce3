//! What it costs to decide one reading, grant and rule book, beside one SM2 verification, which every transaction takes anyway:
//! `cargo xtask bench consent --only decision [--json FILE]`.
//!
//! 1,000 grants in the state and 200 rules in the book. Each reading names one record, of one of 16 categories, of one of the grants,
//! in turns; the rules' decisions on these 16 kinds are made once and kept. Beside it, what the rules take for a question that was
//! never asked. The three kinds of
//! work are timed one by one in the same process, in turns, so that a busy machine slows all.
#![allow(clippy::unwrap_used, clippy::print_stdout)]
// What takes time is measured here and decided by nothing.
#![allow(clippy::disallowed_types)]

use amulet_contracts::rules::{
    Access, DEFAULT_RULES, GivenTo, Reader, RecordKind, RuleBook, hour_of_day, in_force,
};
use amulet_contracts::testing::{
    Actor, DAY_MS, GENESIS_TIME, genesis, practitioner, reading, records, unasked,
};
use amulet_contracts::{BlockContext, MemoryState, Verdict, apply, genesis_state};
use amulet_crypto::signing::{USER_ID, raw};
use amulet_protocol::calls::{Call, GrantId};
use amulet_protocol::codec;
use amulet_protocol::consent::{Category, DataClass, PractitionerRole, Purpose};
use amulet_protocol::grantee::Grantee;
use amulet_protocol::ids::{ChainId, Height};
use amulet_protocol::receipt::Outcome;
use amulet_protocol::rules::RuleBookState;
use amulet_protocol::state::StateKey;
use amulet_protocol::transaction::SignedTransaction;
use std::fmt::Write;
use std::hint::black_box;
use std::path::PathBuf;
use std::time::{Duration, Instant};

const GRANTS: usize = 1_000;
/// Records of the patient, one of each category.
const CATEGORIES: u64 = 16;
const RULES: usize = 200;
/// Readings that are timed.
const READINGS: usize = 20_000;
/// Among so many readings, one verification is timed.
const VERIFY_EVERY: usize = 10;

/// The default rules and as many others, each about one hospital and category, as a consortium might agree on.
fn rules() -> String {
    let mut text = DEFAULT_RULES.to_owned();
    let others = RULES - RuleBook::parse(DEFAULT_RULES).unwrap().rules().len();
    for number in 0..others {
        let category = ["social", "imaging", "documents", "billing"][number % 4];
        let role = ["nurse", "resident", "technician"][number % 3];
        writeln!(
            text,
            "@id(\"agreed-{number}\") @zh(\"第{number}条\") @en(\"Agreement {number}.\")\n\
             forbid (principal is Practitioner, action == Action::\"read\", resource) when {{ \
             resource.provider == Organisation::\"hospital-{number}\" && \
             principal.role == Role::\"{role}\" && resource.category == Category::\"{category}\" }};"
        )
        .unwrap();
    }
    text
}

struct World {
    state: MemoryState,
    context: BlockContext,
}

impl World {
    fn execute(&mut self, transaction: &SignedTransaction) {
        let Verdict::Executed(applied) = apply(&self.state, transaction, &self.context).unwrap() else {
            panic!("inadmissible")
        };
        assert!(matches!(applied.outcome, Outcome::Applied { .. }), "{:?}", applied.outcome);
        for (key, value) in applied.changes {
            match value {
                Some(value) => self.state.insert(key, value),
                None => self.state.remove(&key),
            };
        }
    }
}

/// The state, and the doctor's readings, each of which could be the next.
fn set_up() -> (World, Vec<SignedTransaction>, ChainId) {
    let hospitals: Vec<Actor> = (0..4).map(Actor::new).collect();
    let document = genesis(&hospitals);
    let chain = document.chain_id();
    let time = GENESIS_TIME.plus_millis(1_000);
    let context = BlockContext { chain, height: Height(1), time };
    let mut world = World { state: genesis_state(&document).unwrap(), context };
    let book = RuleBookState { version: 2, policies: rules(), adopted: Height(0) };
    world.state.insert(StateKey::RuleBook, codec::encode(&book));
    let [mut hospital, _, _, _] = <[Actor; 4]>::try_from(hospitals).ok().unwrap();
    let (mut patient, mut doctor) = (Actor::new(10), Actor::new(11));
    for person in [&mut patient, &mut doctor] {
        let call = person.registration();
        world.execute(&person.sign(chain, call));
    }
    let call = Call::RegisterPractitioner(practitioner(doctor.did, time));
    world.execute(&hospital.sign(chain, call));
    let mut call = records(0..CATEGORIES, hospital.did, &patient);
    for (record, category) in call.records.iter_mut().zip(Category::ALL) {
        record.category = *category;
    }
    world.execute(&hospital.sign(chain, Call::RegisterRecords(call)));
    let mut grants = Vec::new();
    for _ in 0..GRANTS {
        let call = unasked(Grantee::Person(doctor.did), 0..CATEGORIES, time.plus_millis(DAY_MS));
        let transaction = patient.sign(chain, Call::GrantAccess(call));
        world.execute(&transaction);
        grants.push(GrantId(transaction.id()));
    }
    let next = doctor.sign(chain, Call::UseAccess(reading(grants[0], 0..1)));
    let nonce = next.transaction().nonce;
    let sign = |(record, grant): (u64, &GrantId)| {
        let call = Call::UseAccess(reading(*grant, record..record + 1));
        doctor.sign_numbered(chain, nonce, call)
    };
    let readings = (0..CATEGORIES).cycle().zip(&grants).map(sign).collect();
    (world, readings, chain)
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// Median and 99th percentile, in microseconds.
fn quantiles(mut times: Vec<Duration>) -> [f64; 2] {
    times.sort();
    [50, 99].map(|percent| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1e6)
}

fn json_file() -> Option<PathBuf> {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    match arguments.next().as_deref() {
        None => None,
        Some("--json") => Some(arguments.next().expect("--json takes a file name").into()),
        Some(unknown) => panic!("unknown option '{unknown}'; there is --json FILE"),
    }
}

fn main() {
    let json = json_file();
    let (world, readings, _) = set_up();
    let book = in_force(&world.state).unwrap();
    assert_eq!(book.rules().len(), RULES);
    let signer = Actor::new(99).signing;
    let message = [7; 200];
    let signature = raw::sign_with_id(&signer, USER_ID, &message).unwrap();
    let hour = hour_of_day(world.context.time);
    let access = |number: usize| Access {
        reader: Reader::Practitioner {
            organisation: readings[0].transaction().sender,
            department: format!("Department {number}"),
            role: PractitionerRole::Attending,
        },
        kind: RecordKind {
            category: Category::Labs,
            class: DataClass::Sensitive,
            provider: readings[0].transaction().sender,
            by_name: true,
        },
        purpose: Purpose::OngoingCare,
        given_to: GivenTo::Person,
        hour,
    };
    let (mut decided, mut ruled, mut verified) = (Vec::new(), Vec::new(), Vec::new());
    for (number, transaction) in readings.iter().cycle().take(READINGS).enumerate() {
        decided.push(timed(|| {
            let verdict = apply(&world.state, transaction, &world.context).unwrap();
            let Verdict::Executed(applied) = black_box(verdict) else { panic!("inadmissible") };
            assert!(matches!(applied.outcome, Outcome::Applied { .. }));
        }));
        // A department that never asked before: every rule is evaluated.
        let access = access(number);
        ruled.push(timed(|| assert!(book.allows(black_box(&access)))));
        if number % VERIFY_EVERY == 0 {
            verified.push(timed(|| {
                let public = signer.public_key();
                raw::verify_with_id(public, USER_ID, &message, black_box(&signature)).unwrap();
            }));
        }
    }
    let [decided, ruled, verified] = [decided, ruled, verified].map(quantiles);
    println!("{GRANTS} grants, {RULES} rules, {} bytes of them, {READINGS} readings", book.text().len());
    for (name, [median, p99]) in
        [("decision", decided), ("rules, anew", ruled), ("SM2 verification", verified)]
    {
        println!("{name:>17}: median {median:>7.1} µs, p99 {p99:>7.1} µs");
    }
    let ratio = decided[0] / verified[0];
    println!("a decision takes {ratio:.2} times as long as one SM2 verification (medians)");
    if let Some(path) = json {
        let json = format!(
            "{{\"grants\":{GRANTS},\"rules\":{RULES},\"decision_us\":{decided:?},\"rule_book_us\":{ruled:?},\
             \"sm2_verification_us\":{verified:?},\"ratio\":{ratio:.3}}}"
        );
        std::fs::write(path, json).unwrap();
    }
}
