//! What a device takes to tell a record's story and to open the records of a summary, beside one SM2 verification and as many bare SM2
//! decryptions: `cargo xtask bench consent --only records [--json FILE]`.
//!
//! The story is searched for in the history of one person with 1,000,000 entries, mostly readings under 2,000 grants, of which 20 ever
//! opened the record. The summary is of 500 records, from the ciphertexts on: keys unsealed, contents decrypted and checked, lines
//! made for the list, and the summary.
#![allow(clippy::unwrap_used, clippy::print_stdout)]
// What takes time is measured here and decided by nothing.
#![allow(clippy::disallowed_types)]

use amulet_contracts::testing::{Actor, DAY_MS, GENESIS_TIME, reading, record_id, records, unasked};
use amulet_crypto::content::{CONTENT_KEY_BYTES, ContentKey};
use amulet_crypto::digest::{Digest, sm3};
use amulet_crypto::entropy::SeededEntropy;
use amulet_crypto::sealed_box::{SealContext, SealedBox};
use amulet_crypto::signing::{USER_ID, raw};
use amulet_fhir::quality::Given;
use amulet_fhir::summary::{RecordRef, summarize};
use amulet_fhir::view::describe;
use amulet_protocol::calls::{Call, GrantId};
use amulet_protocol::grantee::Grantee;
use amulet_protocol::history::{Event, HistoryEntry};
use amulet_protocol::ids::{BlobId, ChainId, Height, RecordId, TxId};
use amulet_protocol::record::{RECORD_VERSION, RecordPlain, blob_id, record_key_context};
use amulet_protocol::transaction::SignedTransaction;
use amulet_wallet::service::provenance::{Transactions, steps};
use std::hint::black_box;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

const ENTRIES: u64 = 1_000_000;
const GRANTS: u64 = 2_000;
/// One in so many grants opens the record whose story is told.
const OPENS_EVERY: u64 = 100;
const RECORDS: usize = 500;
const ROUNDS: usize = 9;
const SAMPLE: &[u8] = include_bytes!("../../../samples/wang-fang.zh.json");

/// A person's history, and the record that is searched for.
struct History {
    entries: Vec<HistoryEntry>,
    transactions: Transactions,
    steps: usize,
}

impl History {
    fn new() -> Self {
        let [mut hospital, mut patient, mut doctor] = [1, 2, 3].map(Actor::new);
        let chain = ChainId(Digest::ZERO);
        let mut history = Self { entries: Vec::new(), transactions: Transactions::new(), steps: 0 };
        let (provider, grantee) = (hospital.did, doctor.did);
        let call = Call::RegisterRecords(records(0..2, provider, &patient));
        let registered = Arc::new(hospital.sign(chain, call));
        history.tell(&registered, |_| Event::RecordsRegistered { provider, records: 2 });
        history.steps += 1;
        let until = GENESIS_TIME.plus_millis(DAY_MS);
        let [opening, other] = [0..2, 1..2].map(|of| {
            let give = unasked(Grantee::Person(grantee), of.clone(), until);
            let give = Arc::new(patient.sign(chain, Call::GrantAccess(give)));
            let read = reading(GrantId(give.id()), of);
            (give, Arc::new(doctor.sign(chain, Call::UseAccess(read))))
        });
        for number in 0..GRANTS {
            let opens = number % OPENS_EVERY == 0;
            let (give, read) = if opens { &opening } else { &other };
            let event = |id| Event::AccessGranted { grant: GrantId(id), request: None, grantee };
            let grant = GrantId(history.tell(give, event));
            let readings = (ENTRIES - 1) / GRANTS - 1;
            for _ in 0..readings {
                let practitioner = grantee;
                history.tell(read, |_| Event::RecordsRead { grant, practitioner, records: 1 });
            }
            history.steps += if opens { usize::try_from(readings).unwrap() + 1 } else { 0 };
        }
        history
    }

    /// The same transaction under another name: a million are signed nowhere in a test's time.
    fn tell(&mut self, transaction: &Arc<SignedTransaction>, event: impl FnOnce(TxId) -> Event) -> TxId {
        let number = self.entries.len() as u64 + 1;
        let id = TxId(sm3(&number.to_be_bytes()));
        let time = GENESIS_TIME.plus_millis(number);
        self.entries.push(HistoryEntry {
            number,
            height: Height(number),
            time,
            transaction: id,
            event: event(id),
        });
        self.transactions.insert(id, Arc::clone(transaction));
        id
    }
}

struct Stored {
    id: RecordId,
    ciphertext: Vec<u8>,
    sealed_key: SealedBox,
    blob: BlobId,
    commitment: Digest,
}

/// The sample's records, as often as it takes, sealed as a hospital seals them.
fn stored(patient: &Actor) -> Vec<Stored> {
    let intake = amulet_fhir::intake(SAMPLE, &Given::default()).unwrap();
    let mut entropy = SeededEntropy::new(1);
    let taken = intake.records.into_iter().collect::<Vec<_>>();
    let each = (0..).zip(taken.iter().cycle().take(RECORDS));
    each.map(|(number, record)| {
        let id = record_id(number);
        let plain = RecordPlain {
            version: RECORD_VERSION,
            salt: [7; 16],
            resource_type: record.resource_type.clone(),
            resource_id: format!("{}-{number}", record.id),
            title: record.title.clone(),
            date: None,
            content: record.content.clone(),
            replaces: None,
        };
        let key = ContentKey::generate(&mut entropy);
        let ciphertext = plain.seal(&key, id, patient.did, &mut entropy).unwrap();
        let to = patient.agreement.public_key();
        let sealed_key =
            SealedBox::seal(to, &record_key_context(id), &*key.expose_secret(), &mut entropy).unwrap();
        let blob = blob_id(&ciphertext);
        Stored { id, blob, commitment: plain.commitment(), ciphertext, sealed_key }
    })
    .collect()
}

fn open(patient: &Actor, stored: &Stored) -> RecordPlain {
    let Stored { id, ciphertext, sealed_key, blob, commitment } = stored;
    let bytes = sealed_key.open(&patient.agreement, &record_key_context(*id)).unwrap();
    let bytes: &[u8; CONTENT_KEY_BYTES] = bytes.as_slice().try_into().unwrap();
    let key = ContentKey::from_bytes(bytes);
    RecordPlain::open(ciphertext, &key, *id, patient.did, *blob, *commitment).unwrap()
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e3
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
    let history = History::new();
    let patient = Actor::new(2);
    let stored = stored(&patient);
    let signer = Actor::new(99).signing;
    let signature = raw::sign_with_id(&signer, USER_ID, &[7; 200]).unwrap();
    let context = SealContext::new(amulet_crypto::digest::Tag::new("amulet/v1/bench"), &[]);
    let (to, mut entropy) = (patient.agreement.public_key(), SeededEntropy::new(2));
    let bare = SealedBox::seal(to, &context, &[0; CONTENT_KEY_BYTES], &mut entropy).unwrap();
    let (mut story, mut opened, mut verified, mut unsealed) = (vec![], vec![], vec![], vec![]);
    for _ in 0..ROUNDS {
        story.push(timed(|| {
            let found = steps(black_box(&history.entries), &history.transactions, record_id(0), &[]);
            assert_eq!(found.len(), history.steps);
        }));
        opened.push(timed(|| {
            let plain: Vec<RecordPlain> = stored.iter().map(|stored| open(&patient, stored)).collect();
            let lines = plain.iter().filter(|plain| describe(&plain.content).is_ok()).count();
            let summary = summarize(plain.iter().map(|plain| {
                let of =
                    RecordRef { hospital: "h", resource_type: &plain.resource_type, id: &plain.resource_id };
                (of, plain.content.as_slice())
            }));
            assert!(lines == RECORDS && !black_box(summary).allergies.entries.is_empty());
        }));
        verified.push(timed(|| {
            raw::verify_with_id(signer.public_key(), USER_ID, &[7; 200], black_box(&signature)).unwrap();
        }));
        unsealed.push(timed(|| {
            for _ in 0..RECORDS {
                black_box(bare.open(&patient.agreement, &context).unwrap());
            }
        }));
    }
    let [story, opened, verified, unsealed] = [story, opened, verified, unsealed].map(median);
    println!(
        "story of a record, {} steps among {} entries: {story:.2} ms",
        history.steps,
        history.entries.len()
    );
    println!("  as long as {:.0} SM2 verifications of {verified:.3} ms", story / verified);
    println!("summary of {RECORDS} records from their ciphertexts: {opened:.1} ms");
    println!("  {:.2} times as long as {RECORDS} bare SM2 decryptions, {unsealed:.1} ms", opened / unsealed);
    if let Some(path) = json {
        let json = format!(
            "{{\"entries\":{},\"steps\":{},\"story_ms\":{story:.3},\"story_to_sm2_verification\":{:.2},\
             \"records\":{RECORDS},\"summary_ms\":{opened:.3},\"summary_to_sm2_decryptions\":{:.3}}}",
            history.entries.len(),
            history.steps,
            story / verified,
            opened / unsealed
        );
        std::fs::write(path, json).unwrap();
    }
}
