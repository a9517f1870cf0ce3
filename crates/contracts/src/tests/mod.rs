#![allow(clippy::unwrap_used)]
//! Tests of the rules, as their users would notice them: through [`apply`](crate::apply) alone.

mod consent;
mod emergency;
mod erasure;
mod evidence;
mod governance;
mod grantee;
mod identity;
mod life;
mod membership_properties;
mod page;
mod properties;
mod records;
mod registry;
mod reputation;
mod research;
mod rules;
mod standing;
mod vectors;

use crate::testing::{Actor, GENESIS_TIME, genesis, practitioner};
use crate::{BlockContext, Changes, MemoryState, Verdict, apply, genesis_state, validators};
use amulet_protocol::calls::Call;
use amulet_protocol::codec;
use amulet_protocol::history::{Event, HistoryEntry, HistoryHead};
use amulet_protocol::ids::{ChainId, Did, Height, Timestamp, TxId};
use amulet_protocol::receipt::{Outcome, RefusalCode};
use amulet_protocol::state::StateKey;
use amulet_protocol::transaction::SignedTransaction;
use borsh::BorshDeserialize;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Debug, Write};

/// How a well-formed call is changed, and what then becomes of it.
type Case<'a, C, T> = (&'a dyn Fn(&mut C), T);

/// Four hospitals `h0` to `h3`; the patients `wang` and `zhao`; the doctors `li` (of `h0`) and `chen` (of `h1`).
struct World {
    state: MemoryState,
    chain: ChainId,
    height: Height,
    now: Timestamp,
    actors: BTreeMap<&'static str, Actor>,
    histories: BTreeMap<Did, Vec<HistoryEntry>>,
}

/// Names of refusals and of events.
type Met = [BTreeSet<String>; 2];

thread_local! {
    /// What this thread's transactions met, by the name of the call.
    static MET: RefCell<BTreeMap<String, Met>> = RefCell::default();
}

fn met() -> BTreeMap<String, Met> {
    MET.with_borrow(Clone::clone)
}

/// The name of a variant.
fn name_of(variant: &impl Debug) -> String {
    /// Takes a name and refuses what comes after, which may be long.
    struct Name(String);
    impl Write for Name {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            let name = text.chars().take_while(char::is_ascii_alphanumeric);
            self.0.extend(name);
            if text.chars().all(|letter| letter.is_ascii_alphanumeric()) { Ok(()) } else { Err(fmt::Error) }
        }
    }
    let mut name = Name(String::new());
    // An error is the end of the name.
    let _ = write!(name, "{variant:?}");
    name.0
}

impl World {
    fn new() -> Self {
        let hospitals: Vec<_> = (0..4).map(Actor::new).collect();
        let document = genesis(&hospitals);
        let mut actors: BTreeMap<_, _> = ["h0", "h1", "h2", "h3"].into_iter().zip(hospitals).collect();
        let people = ["wang", "zhao", "li", "chen"];
        actors.extend(people.into_iter().zip((10..).map(Actor::new)));
        let mut world = Self {
            state: genesis_state(&document).unwrap(),
            chain: document.chain_id(),
            height: Height(1),
            now: GENESIS_TIME.plus_millis(1_000),
            actors,
            histories: BTreeMap::new(),
        };
        for name in people {
            let call = world.actors[name].registration();
            world.call(name, call).unwrap();
        }
        for (hospital, doctor) in [("h0", "li"), ("h1", "chen")] {
            let call = Call::RegisterPractitioner(practitioner(world.did(doctor), world.now));
            world.call(hospital, call).unwrap();
        }
        world
    }

    fn did(&self, name: &str) -> Did {
        self.actors[name].did
    }

    fn sign(&mut self, name: &str, call: Call) -> SignedTransaction {
        let chain = self.chain;
        self.actors.get_mut(name).unwrap().sign(chain, call)
    }

    fn context(&self) -> BlockContext {
        BlockContext { chain: self.chain, height: self.height, time: self.now }
    }

    /// Executes a transaction in a block of its own.
    fn execute(&mut self, transaction: &SignedTransaction) -> Verdict {
        let verdict = apply(&self.state, transaction, &self.context()).unwrap();
        if let Verdict::Executed(applied) = &verdict {
            self.make(&applied.changes);
            for (did, entry) in &applied.history {
                self.histories.entry(*did).or_default().push(entry.clone());
            }
            self.end_block();
        }
        verdict
    }

    /// Ends the block, as its executor does after its last transaction.
    fn end_block(&mut self) {
        let foretold = validators::after(&self.state, self.height).unwrap();
        self.make(&validators::advance(&self.state, self.height).unwrap());
        assert_eq!(validators::current(&self.state).unwrap(), foretold);
        assert_eq!(validators::after(&self.state, self.height).unwrap(), foretold);
        self.height = self.height.next();
    }

    fn make(&mut self, changes: &Changes) {
        for (key, value) in changes {
            match value {
                Some(value) => self.state.insert(key.clone(), value.clone()),
                None => self.state.remove(key),
            };
        }
    }

    /// Signs and executes a call that has its place in a block.
    fn call(&mut self, name: &str, call: Call) -> Result<TxId, RefusalCode> {
        let called = name_of(&call);
        let transaction = self.sign(name, call);
        match self.execute(&transaction) {
            Verdict::Executed(applied) => MET.with_borrow_mut(|met| {
                let [refusals, events] = met.entry(called).or_default();
                match applied.outcome {
                    Outcome::Applied { events: told } => {
                        events.extend(told.iter().map(|(_, _, event)| name_of(event)));
                        Ok(transaction.id())
                    }
                    Outcome::Refused { code } => {
                        refusals.insert(name_of(&code));
                        Err(code)
                    }
                }
            }),
            Verdict::Inadmissible(code) => panic!("inadmissible: {code}"),
        }
    }

    fn read<T: BorshDeserialize>(&self, key: &StateKey) -> Option<T> {
        self.state.get(key).map(|bytes| borsh::from_slice(bytes).unwrap())
    }

    /// The events of a history, which is checked against its head in the state.
    fn events(&self, name: &str) -> Vec<Event> {
        let entries = self.histories.get(&self.did(name)).cloned().unwrap_or_default();
        let head: HistoryHead = self.read(&StateKey::History(self.did(name))).unwrap_or_default();
        assert_eq!(HistoryHead::default().extend_to(head, &entries), Ok(()));
        entries.into_iter().map(|entry| entry.event).collect()
    }

    fn last_event(&self, name: &str) -> Event {
        self.events(name).pop().unwrap()
    }

    fn later(&mut self, millis: u64) {
        self.now = self.now.plus_millis(millis);
    }
}

#[test]
fn a_damaged_value_is_an_error_and_no_refusal() {
    let mut world = World::new();
    let key = StateKey::Identity(world.did("wang"));
    world.state.insert(key.clone(), codec::encode(&7u8));
    let call = world.actors["wang"].registration();
    let transaction = world.sign("wang", call);
    let result = apply(&world.state, &transaction, &world.context());
    assert_eq!(result, Err(crate::ApplyError::Corrupt { key }));
}
