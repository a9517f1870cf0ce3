//! A ledger of one transaction a block, executed by the real contracts.
//!
//! Signatures of transactions are left out, because contracts do not look at them; proofs of lies are signed for real.

use amulet_contracts::testing::{Actor, DAY_MS, GENESIS_TIME, candidate, contradiction, genesis};
use amulet_contracts::{BlockContext, Changes, MemoryState, Verdict, apply, genesis_state, validators};
use amulet_crypto::digest::Digest;
use amulet_crypto::signing::{Signature, SigningContext};
use amulet_protocol::calls::{Call, ReportEvidence};
use amulet_protocol::governance::{
    ApproveMembership, EpochState, MembershipChange, ProposalId, ProposeMembership, RotateValidatorKey, Seat,
};
use amulet_protocol::ids::{ChainId, Did, Height, Nonce, ReplicaId, Timestamp, TxId};
use amulet_protocol::receipt::{Outcome, RefusalCode};
use amulet_protocol::reputation::{LedgerDay, Reputation, SCORE_PRIOR, Score};
use amulet_protocol::state::StateKey;
use amulet_protocol::transaction::{TRANSACTION_VERSION, Transaction, UntrustedTransaction};
use std::collections::BTreeMap;

/// Seeds of keys that are made in the course of a play start here, above those of hospitals and clients.
const LATER_KEYS: u64 = 1_000_000;

/// The ledger, the hospitals, and what they need to act on it.
pub struct Ledger {
    state: MemoryState,
    chain: ChainId,
    height: Height,
    now: Timestamp,
    nonces: BTreeMap<Did, u64>,
    unchecked: Signature,
    hospitals: Vec<Hospital>,
    keys_made: u64,
}

struct Hospital {
    organisation: Actor,
    /// The validator's key, if it is not the organisation's.
    validator: Option<Actor>,
}

impl Ledger {
    /// A chain of `hospitals` hospitals with a validator each.
    #[must_use]
    pub fn new(hospitals: u64) -> Self {
        let actors: Vec<Actor> = (0..hospitals).map(Actor::new).collect();
        let document = genesis(&actors);
        let unchecked = actors[0].signing.sign(SigningContext::Transaction, &Digest::ZERO.into(), b"");
        Self {
            state: genesis_state(&document).expect("the document is good"),
            chain: document.chain_id(),
            height: Height(1),
            now: GENESIS_TIME,
            nonces: BTreeMap::new(),
            unchecked,
            hospitals: actors
                .into_iter()
                .map(|organisation| Hospital { organisation, validator: None })
                .collect(),
            keys_made: LATER_KEYS,
        }
    }

    /// Goes on to the beginning of a day.
    pub fn begin(&mut self, day: u32) {
        let first = GENESIS_TIME.0 / DAY_MS + 1;
        self.now = Timestamp((first + u64::from(day)) * DAY_MS);
    }

    /// The DID of a hospital.
    #[must_use]
    pub fn hospital(&self, index: usize) -> Did {
        self.hospitals[index].organisation.did
    }

    /// A hospital's own keys.
    #[must_use]
    pub fn actor(&self, index: usize) -> &Actor {
        &self.hospitals[index].organisation
    }

    /// Executes a call in a block of its own.
    ///
    /// # Errors
    /// The contract's refusal.
    ///
    /// # Panics
    /// When the transaction has no place in a block.
    pub fn call(&mut self, sender: &Actor, call: Call) -> Result<TxId, RefusalCode> {
        let nonce = self.nonces.entry(sender.did).or_default();
        *nonce += 1;
        let transaction = Transaction {
            version: TRANSACTION_VERSION,
            chain: self.chain,
            sender: sender.did,
            nonce: Nonce(*nonce),
            call,
        };
        let key = sender.signing.public_key().clone();
        let untrusted = UntrustedTransaction { transaction, key, signature: self.unchecked };
        let transaction =
            untrusted.hashed().verified_before(self.chain).expect("it is of this chain and small");
        self.now = self.now.plus_millis(1);
        let context = BlockContext { chain: self.chain, height: self.height, time: self.now };
        let verdict = apply(&self.state, &transaction, &context).expect("the state is sound");
        let Verdict::Executed(applied) = verdict else { panic!("inadmissible: {verdict:?}") };
        self.make(applied.changes);
        self.make(validators::advance(&self.state, self.height).expect("the state is sound"));
        self.height = self.height.next();
        match applied.outcome {
            Outcome::Applied { .. } => Ok(transaction.id()),
            Outcome::Refused { code } => Err(code),
        }
    }

    fn make(&mut self, changes: Changes) {
        for (key, value) in changes {
            match value {
                Some(value) => self.state.insert(key, value),
                None => self.state.remove(&key),
            };
        }
    }

    fn hospital_calls(&mut self, index: usize, call: Call) -> Result<TxId, RefusalCode> {
        let organisation = std::mem::replace(&mut self.hospitals[index].organisation, Actor::new(0));
        let outcome = self.call(&organisation, call);
        self.hospitals[index].organisation = organisation;
        outcome
    }

    /// A hospital registers a record of somebody.
    pub fn register_record(&mut self, hospital: usize, number: u64, patient: &Actor) {
        let provider = self.hospital(hospital);
        let call = amulet_contracts::testing::records(number..number + 1, provider, patient);
        self.hospital_calls(hospital, Call::RegisterRecords(call)).expect("each record is registered once");
    }

    /// A hospital's validator contradicts itself, and another brings the proof.
    pub fn prove_a_lie_of(&mut self, hospital: usize) {
        let epoch = validators::membership(&self.state).expect("the state is sound").epoch;
        let (_, seat) = self.seat(hospital);
        let position = self.epoch().position(seat).expect("the seat is in the set");
        let replica = ReplicaId(u16::try_from(position).expect("a set is small"));
        let Hospital { organisation, validator } = &self.hospitals[hospital];
        let signer = validator.as_ref().unwrap_or(organisation);
        let evidence = contradiction(signer, self.chain, epoch, replica, self.height);
        let call = Call::ReportEvidence(Box::new(ReportEvidence { epoch, evidence }));
        self.hospital_calls(usize::from(hospital == 0), call).expect("the proof is good");
    }

    /// A hospital gives its validator another key, by itself.
    pub fn rotate(&mut self, hospital: usize) {
        let key = self.new_key();
        let (organisation, seat) = self.seat(hospital);
        let candidate = candidate(&key, self.chain, organisation, Some(seat));
        let call = RotateValidatorKey { seat, candidate, not_before: Height(0) };
        self.hospital_calls(hospital, Call::RotateValidatorKey(Box::new(call))).expect("once an hour");
        self.hospitals[hospital].validator = Some(key);
    }

    /// The members give a hospital's validator another key.
    pub fn replace(&mut self, hospital: usize) {
        let key = self.new_key();
        let (organisation, seat) = self.seat(hospital);
        let candidate = candidate(&key, self.chain, organisation, Some(seat));
        self.decide(MembershipChange::Replace { seat, candidate });
        self.hospitals[hospital].validator = Some(key);
    }

    /// The members take a new hospital in. Returns its index.
    pub fn join(&mut self) -> usize {
        let newcomer = self.new_key();
        self.decide(amulet_contracts::testing::addition(&newcomer, self.chain));
        self.hospitals.push(Hospital { organisation: newcomer, validator: None });
        self.hospitals.len() - 1
    }

    /// The members put a hospital's validator out.
    pub fn remove(&mut self, hospital: usize) {
        let (_, seat) = self.seat(hospital);
        self.decide(MembershipChange::Remove { seat });
    }

    fn decide(&mut self, change: MembershipChange) {
        let call = ProposeMembership { change, not_before: Height(0) };
        let proposed = self.hospital_calls(0, Call::ProposeMembership(Box::new(call)));
        let proposal = ProposalId(proposed.expect("the change is possible"));
        for hospital in 1..self.hospitals.len() {
            let call = Call::ApproveMembership(ApproveMembership { proposal });
            match self.hospital_calls(hospital, call) {
                Ok(_) | Err(RefusalCode::ProposalClosed | RefusalCode::NotAValidator) => {}
                Err(code) => panic!("a member cannot approve: {code}"),
            }
        }
    }

    fn new_key(&mut self) -> Actor {
        self.keys_made += 1;
        Actor::new(self.keys_made)
    }

    fn seat(&self, hospital: usize) -> (Did, Seat) {
        let organisation = self.hospital(hospital);
        (organisation, self.epoch().seat_of(organisation).expect("it has a validator"))
    }

    fn epoch(&self) -> EpochState {
        validators::current(&self.state).expect("the state is sound")
    }

    /// A hospital's score now.
    #[must_use]
    pub fn score(&self, hospital: usize) -> Score {
        let organisation = self.hospital(hospital);
        let Some(bytes) = self.state.get(&StateKey::Reputation(organisation)) else { return SCORE_PRIOR };
        let reputation: Reputation = borsh::from_slice(bytes).expect("the state is sound");
        let mut others = validators::organisations(&self.state).expect("the state is sound");
        others.remove(&organisation);
        reputation.score_on(LedgerDay::of(self.now), &others)
    }
}
