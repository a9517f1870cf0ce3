//! What clients ask of the ledger: real, signed transactions about consent.

use crate::cast::{self, Cast};
use crate::rng::Rng;
use crate::schedule::{BURST_MAX, ClientPlan};
use amulet_contracts::testing::{self, Actor, DAY_MS, GENESIS_TIME};
use amulet_protocol::calls::{Call, DeclineAccess, GrantId, RequestId, RevokeAccess, RevokeCard};
use amulet_protocol::ids::{Nonce, Timestamp};
use amulet_protocol::transaction::SignedTransaction;

/// Records that one registration brings.
const RECORDS_AT_ONCE: u64 = 2;
/// Emergency cards that one client can have: their locators are numbered by one byte.
const CARDS_MAX: u8 = 30;

/// A patient, the practitioner who treats them, and the hospital where this happens.
pub struct Client {
    plan: ClientPlan,
    patient: Actor,
    practitioner: Actor,
    hospital: usize,
    begun: u32,
    records: u64,
    request: Option<RequestId>,
    grant: Option<GrantId>,
    cards: u8,
}

/// Transactions that a client sends at once. Of those that share a nonce at most one may be executed.
pub type Wish = Vec<SignedTransaction>;

impl Client {
    /// The client of a plan.
    #[must_use]
    pub fn new(plan: ClientPlan, cast: &Cast) -> Self {
        Self {
            plan,
            patient: cast::patient(plan.number),
            practitioner: cast::practitioner(plan.number),
            hospital: usize::from(plan.number) % cast.founders,
            begun: 0,
            records: u64::from(plan.number) * 1_000_000,
            request: None,
            grant: None,
            cards: 0,
        }
    }

    /// What it was planned to do.
    #[must_use]
    pub fn plan(&self) -> &ClientPlan {
        &self.plan
    }

    /// Its next transactions, at a time of the day.
    pub fn next(&mut self, cast: &mut Cast, now: Timestamp, rng: &mut Rng) -> Wish {
        self.begun += 1;
        match self.begun {
            1 => vec![self.patient.sign(cast.chain, self.patient.registration())],
            2 => vec![self.practitioner.sign(cast.chain, self.practitioner.registration())],
            3 => {
                let call = testing::practitioner(self.practitioner.did, GENESIS_TIME);
                vec![cast.hospitals[self.hospital].sign(cast.chain, Call::RegisterPractitioner(call))]
            }
            4 => vec![self.register_records(cast)],
            _ if rng.chance(self.plan.bursts_per_mille) => {
                (0..rng.range(2, BURST_MAX + 1)).map(|_| self.ask(cast, now, rng)).collect()
            }
            _ if rng.chance(self.plan.double_per_mille) => self.double(cast, now, rng),
            _ => vec![self.usual(cast, now, rng)],
        }
    }

    /// One ordinary step of a treatment.
    fn usual(&mut self, cast: &mut Cast, now: Timestamp, rng: &mut Rng) -> SignedTransaction {
        match rng.range(0, 9) {
            0 => self.register_records(cast),
            1 | 2 => self.ask(cast, now, rng),
            3 | 4 if self.request.is_some() => self.grant(cast, now),
            5 if self.grant.is_some() => self.read(cast),
            6 if self.grant.is_some() => self.revoke(cast),
            7 if self.request.is_some() => self.decline(cast),
            8 => self.card(cast, rng),
            _ => self.ask(cast, now, rng),
        }
    }

    fn register_records(&mut self, cast: &mut Cast) -> SignedTransaction {
        let numbers = self.records..self.records + RECORDS_AT_ONCE;
        self.records += RECORDS_AT_ONCE;
        let hospital = &mut cast.hospitals[self.hospital];
        let call = Call::RegisterRecords(testing::records(numbers, hospital.did, &self.patient));
        hospital.sign(cast.chain, call)
    }

    fn ask(&mut self, cast: &Cast, now: Timestamp, rng: &mut Rng) -> SignedTransaction {
        let mut call = testing::request(self.patient.did, now);
        // No two requests are alike, so that none is taken for another.
        call.access_ms -= rng.range(0, DAY_MS);
        let signed = self.practitioner.sign(cast.chain, Call::RequestAccess(call));
        self.request = Some(RequestId(signed.id()));
        signed
    }

    fn grant(&mut self, cast: &Cast, now: Timestamp) -> SignedTransaction {
        let request = self.request.take().expect("asked before granting");
        let numbers = self.records - RECORDS_AT_ONCE..self.records;
        let call = testing::grant(request, numbers, &self.practitioner, now.plus_millis(DAY_MS));
        let signed = self.patient.sign(cast.chain, Call::GrantAccess(call));
        self.grant = Some(GrantId(signed.id()));
        signed
    }

    fn read(&mut self, cast: &Cast) -> SignedTransaction {
        let numbers = self.records - RECORDS_AT_ONCE..self.records;
        let call = testing::reading(self.grant.expect("granted before reading"), numbers);
        self.practitioner.sign(cast.chain, Call::UseAccess(call))
    }

    fn revoke(&mut self, cast: &Cast) -> SignedTransaction {
        let grant = self.grant.take().expect("granted before revoking");
        self.patient.sign(cast.chain, Call::RevokeAccess(RevokeAccess { grant }))
    }

    fn decline(&mut self, cast: &Cast) -> SignedTransaction {
        let request = self.request.take().expect("asked before declining");
        self.patient.sign(cast.chain, Call::DeclineAccess(DeclineAccess { request }))
    }

    fn card(&mut self, cast: &Cast, rng: &mut Rng) -> SignedTransaction {
        let locator = u8::try_from(self.plan.number % 8).expect("below eight") * CARDS_MAX + self.cards;
        match rng.range(0, 3) {
            0 if self.cards > 0 => {
                self.practitioner.sign(cast.chain, Call::DeclareEmergency(testing::emergency(locator)))
            }
            1 if self.cards > 0 => {
                let locator = testing::card(locator, self.patient.did).locator;
                self.patient.sign(cast.chain, Call::RevokeCard(RevokeCard { locator }))
            }
            _ => {
                self.cards = (self.cards + 1).min(CARDS_MAX - 1);
                let call = testing::card(locator + 1, cast.hospitals[self.hospital].did);
                self.patient.sign(cast.chain, Call::PublishCard(call))
            }
        }
    }

    /// Two transactions under one nonce: a client that tries to be served twice.
    fn double(&mut self, cast: &Cast, now: Timestamp, rng: &mut Rng) -> Wish {
        let first = self.ask(cast, now, rng);
        let nonce: Nonce = first.transaction().nonce;
        let mut call = testing::request(self.patient.did, now);
        call.access_ms /= 2;
        let second = self.practitioner.sign_numbered(cast.chain, nonce, Call::RequestAccess(call));
        vec![first, second]
    }
}
