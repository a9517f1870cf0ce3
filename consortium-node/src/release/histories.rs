//! Random histories of a patient, a doctor and a nurse, and beside them a model that knows only what was said and when. At every
//! moment the vault gives out exactly what the model allows, and readers hold keys of exactly what was opened to them.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::testing::{NOW, World};
use amulet_contracts::Due;
use amulet_contracts::testing::{
    Actor, DAY_MS, emergency, genesis, practitioner, record, record_id, staff, staff_key, unasked,
};
use amulet_crypto::content::ContentKey;
use amulet_crypto::entropy::SeededEntropy;
use amulet_crypto::sealed_box::AgreementKey;
use amulet_protocol::calls::{
    CardLocator, ConfirmDeletion, GrantAccess, KeyFlow, NarrowAccess, PauseAccess, PublishCard,
    RegisterPractitioner, RegisterRecords, ResumeAccess, RevokeAccess, RevokeCard, UseAccess, UseLimit,
};
use amulet_protocol::consent::{Category, PractitionerRole};
use amulet_protocol::erasure::{ErasureGround, OrderErasure};
use amulet_protocol::grant::Term;
use amulet_protocol::grant_keys::{GrantKeys, KeyBinding};
use amulet_protocol::ids::Height;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
/// Records that are there from the start.
const FIRST: u64 = 3;
/// The first record's number of cards, which no grant opens.
const CARDS: u64 = 1_000;

/// What somebody tries. Numbers choose among what there is.
#[derive(Clone, Debug)]
enum Attempt {
    Give { to_staff: bool, records: u8, later: bool, minutes: u64, uses: u32 },
    Register,
    Use { nurse: bool, grant: usize, records: u8, stray: bool },
    Pause { grant: usize },
    Resume { grant: usize },
    Revoke { grant: usize },
    Narrow { grant: usize, keep: u8, later: bool },
    Confirm { grant: usize },
    Employ { nurse: bool, minutes: u64 },
    Card,
    RevokeCard,
    Declare { nurse: bool },
    Erase { number: u64 },
    Wait { minutes: u64 },
}

/// An attempt to fetch something.
#[derive(Clone, Copy, Debug)]
struct Look {
    reader: usize,
    ground: usize,
    grant: usize,
    /// Which use or declaration, from the newest back.
    back: usize,
    /// Which of what it named, or any record for a stray look.
    number: usize,
    stray: bool,
}

/// A time up to this, but often short: something ends between two steps.
fn minutes(longest: u64) -> impl Strategy<Value = u64> {
    prop_oneof![1u64..50, 1..longest]
}

fn attempt() -> impl Strategy<Value = Attempt> {
    let (who, which, bits) = (any::<bool>(), 0usize..3, any::<u8>());
    prop_oneof![
        4 => (who, bits, any::<bool>(), minutes(3_600), 0u32..4).prop_map(|(to_staff, records, later, minutes, uses)| {
                Attempt::Give { to_staff, records, later, minutes, uses }
        }),
        3 => Just(Attempt::Register),
        10 => (who, which.clone(), bits, prop::bool::weighted(0.1))
            .prop_map(|(nurse, grant, records, stray)| Attempt::Use { nurse, grant, records, stray }),
        1 => which.clone().prop_map(|grant| Attempt::Pause { grant }),
        2 => which.clone().prop_map(|grant| Attempt::Resume { grant }),
        1 => which.clone().prop_map(|grant| Attempt::Revoke { grant }),
        2 => (which.clone(), bits, any::<bool>())
            .prop_map(|(grant, keep, later)| Attempt::Narrow { grant, keep, later }),
        1 => which.prop_map(|grant| Attempt::Confirm { grant }),
        2 => (who, minutes(2_400)).prop_map(|(nurse, minutes)| Attempt::Employ { nurse, minutes }),
        2 => Just(Attempt::Card),
        1 => Just(Attempt::RevokeCard),
        2 => who.prop_map(|nurse| Attempt::Declare { nurse }),
        1 => (0u64..6).prop_map(|number| Attempt::Erase { number }),
        3 => minutes(600).prop_map(|minutes| Attempt::Wait { minutes }),
    ]
}

fn look() -> impl Strategy<Value = Look> {
    (0usize..3, 0usize..6, 0usize..3, 0usize..3, 0usize..8, prop::bool::weighted(0.2)).prop_map(
        |(reader, ground, grant, back, number, stray)| Look { reader, ground, grant, back, number, stray },
    )
}

/// What the patient opened.
struct Given {
    id: GrantId,
    grantee: Grantee,
    records: BTreeSet<u64>,
    /// All it has ever opened.
    opened: BTreeSet<u64>,
    later: bool,
    until: Timestamp,
    uses_left: Option<u32>,
    paused: bool,
    over: bool,
}

struct Used {
    grant: GrantId,
    by: Did,
    records: BTreeSet<u64>,
    at: Timestamp,
    transaction: TxId,
}

struct Declared {
    id: DeclarationId,
    by: Did,
    card: u64,
    until: Timestamp,
}

/// The real parts, and what the model knows.
struct Story {
    world: World,
    now: Timestamp,
    records: u64,
    erased: BTreeSet<u64>,
    given: Vec<Given>,
    /// Grants and registrations that the ledger refused: their keys stand in a block all the same, and open to whom they were sealed.
    in_vain: Vec<(Grantee, BTreeSet<u64>)>,
    used: Vec<Used>,
    declared: Vec<Declared>,
    cards: u64,
    card_in_force: Option<u64>,
    /// Until when somebody is employed.
    employed: BTreeMap<Did, Timestamp>,
    /// Employed at hospital 0 like the doctor.
    nurse: Actor,
    entropy: SeededEntropy,
}

fn ciphertext(number: u64) -> Vec<u8> {
    format!("ciphertext {number}").into_bytes()
}

fn key_of(number: u64) -> ContentKey {
    ContentKey::from_bytes(&[u8::try_from(number).unwrap(); 16])
}

/// Those of `0..count` whose bit is set.
fn chosen(bits: u8, count: u64) -> BTreeSet<u64> {
    (0..count.min(8)).filter(|number| bits & (1 << number) != 0).collect()
}

fn ids(numbers: &BTreeSet<u64>) -> Vec<RecordId> {
    let mut ids: Vec<_> = numbers.iter().map(|number| record_id(*number)).collect();
    ids.sort_unstable();
    ids
}

impl Given {
    /// Whether something can be stated to be read under it.
    fn is_live(&self, now: Timestamp) -> bool {
        !self.over && !self.paused && now < self.until && self.uses_left != Some(0)
    }

    fn is_for(&self, reader: Did) -> bool {
        match &self.grantee {
            Grantee::Person(did) => *did == reader,
            Grantee::Staff(_) | Grantee::Study(_) => true,
        }
    }
}

impl Story {
    async fn new() -> Self {
        let mut world = World::new();
        let nurse = std::mem::replace(&mut world.stranger, Actor::new(99));
        let mut story = Self {
            world,
            now: NOW,
            records: 0,
            erased: BTreeSet::new(),
            given: Vec::new(),
            in_vain: Vec::new(),
            used: Vec::new(),
            declared: Vec::new(),
            cards: 0,
            card_in_force: None,
            employed: BTreeMap::new(),
            nurse,
            entropy: SeededEntropy::new(1),
        };
        let key = staff_key(&story.world.hospitals[0]);
        story.send(|world, _| &mut world.hospitals[0], key).unwrap();
        for nurse in [false, true] {
            story.employ(nurse, 600_000);
        }
        for _ in 0..FIRST {
            story.register().await;
        }
        story
    }

    fn reader(&self, nurse: bool) -> &Actor {
        if nurse { &self.nurse } else { &self.world.doctor }
    }

    /// Sends a call; its transaction if the ledger applied it.
    fn send(
        &mut self,
        by: for<'a> fn(&'a mut World, &'a mut Actor) -> &'a mut Actor,
        call: Call,
    ) -> Option<TxId> {
        let chain = self.world.chain();
        let signed = by(&mut self.world, &mut self.nurse).sign(chain, call);
        let id = signed.id();
        let receipts = self.world.commit_at(self.now, vec![signed]);
        self.now = self.world.ledger.tip().time.max(self.now);
        receipts.iter().all(|receipt| matches!(receipt.outcome, Outcome::Applied { .. })).then_some(id)
    }

    fn send_as_reader(&mut self, nurse: bool, call: Call) -> Option<TxId> {
        if nurse { self.send(|_, nurse| nurse, call) } else { self.send(|world, _| &mut world.doctor, call) }
    }

    fn send_as_patient(&mut self, call: Call) -> Option<TxId> {
        self.send(|world, _| &mut world.patient, call)
    }

    fn employ(&mut self, nurse: bool, minutes: u64) {
        let did = self.reader(nurse).did;
        let role = if nurse { PractitionerRole::Nurse } else { PractitionerRole::Attending };
        let until = self.now.plus_millis(minutes * MINUTE_MS);
        let registration = practitioner(did, Timestamp(0));
        let call = RegisterPractitioner { role, valid_until: until, ..registration };
        if self.send(|world, _| &mut world.hospitals[0], Call::RegisterPractitioner(call)).is_some() {
            self.employed.insert(did, until);
        }
    }

    /// Hospital 0 registers one record more, and seals its key to whom the ledger says it is due.
    async fn register(&mut self) {
        let number = self.records;
        let provider = self.world.hospitals[0].did;
        self.world.vault.put(ciphertext(number)).await.unwrap();
        let mut entry = record(number, provider, &self.world.patient);
        entry.blob = blob_id(&ciphertext(number));
        let patient = self.world.patient.did;
        let mut call = RegisterRecords { patient, records: vec![entry], flows: Vec::new() };
        let due = self.world.ledger.moment().unwrap().flows_due(patient, &call.records).unwrap();
        let mut sealed_to = Vec::new();
        for Due { grant, to, records } in due {
            let of = self.given.iter().find(|given| given.id == grant);
            sealed_to.extend(of.map(|given| given.grantee.clone()));
            let keys = GrantKeys::new(records.iter().map(|id| (*id, key_of(number))).collect());
            let keys = keys.seal(&to, &KeyBinding::Flow { grant, provider }, &mut self.entropy).unwrap();
            call.flows.push(KeyFlow { grant, keys });
        }
        if self.send(|world, _| &mut world.hospitals[0], Call::RegisterRecords(call)).is_none() {
            // A grant ran out between the block that was asked and the next.
            return self.in_vain.extend(sealed_to.into_iter().map(|grantee| (grantee, [number].into())));
        }
        self.records += 1;
        let now = self.world.ledger.tip().time;
        let employed = self.employed.clone();
        for given in self.given.iter_mut().filter(|given| given.later && given.is_live(now)) {
            let reads = match &given.grantee {
                Grantee::Person(did) => employed.get(did).is_some_and(|until| now < *until),
                Grantee::Staff(_) | Grantee::Study(_) => true,
            };
            if reads {
                given.records.insert(number);
                given.opened.insert(number);
            }
        }
    }

    fn give(&mut self, to_staff: bool, records: BTreeSet<u64>, later: bool, minutes: u64, uses: u32) {
        let (doctor, hospital) = (&self.world.doctor, &self.world.hospitals[0]);
        let (grantee, to) = if to_staff {
            (Grantee::Staff(staff(hospital.did)), hospital.agreement.public_key().clone())
        } else {
            (Grantee::Person(doctor.did), doctor.agreement.public_key().clone())
        };
        let until = self.now.plus_millis(minutes * MINUTE_MS);
        let mut call = unasked(grantee.clone(), 0..0, until);
        call.records = ids(&records);
        call.standing.extend(later.then_some(Category::Labs));
        call.term.uses_max = NonZeroU32::new(uses).map(UseLimit);
        let binding = KeyBinding::Grant {
            patient: self.world.patient.did,
            grantee: grantee.clone(),
            purpose: call.purpose,
            request: None,
        };
        let keys =
            GrantKeys::new(records.iter().map(|number| (record_id(*number), key_of(*number))).collect());
        call.keys = keys.seal(&to, &binding, &mut self.entropy).unwrap();
        let Some(id) = self.send_as_patient(Call::GrantAccess(call)) else {
            return self.in_vain.push((grantee, records));
        };
        let (opened, uses_left) = (records.clone(), (uses > 0).then_some(uses));
        let (paused, over) = (false, false);
        let id = GrantId(id);
        self.given.push(Given { id, grantee, records, opened, later, until, uses_left, paused, over });
    }

    /// The grant that was made `back` grants before the newest.
    fn at(&self, back: usize) -> Option<usize> {
        self.given.len().checked_sub(back + 1)
    }

    fn state_reading(&mut self, nurse: bool, grant: usize, bits: u8, stray: bool) {
        let Some(index) = self.at(grant) else { return };
        let (id, mut records) = (self.given[index].id, chosen(bits, self.records));
        if !stray {
            records.retain(|number| self.given[index].records.contains(number));
        }
        let call = UseAccess { grant: id, records: ids(&records) };
        let Some(transaction) = self.send_as_reader(nurse, Call::UseAccess(call)) else { return };
        let (at, by) = (self.world.ledger.tip().time, self.reader(nurse).did);
        let employed = self.employed.get(&by).is_some_and(|until| at < *until);
        let given = &mut self.given[index];
        assert!(
            given.is_live(at) && given.is_for(by) && employed,
            "a reading has a live grant to this reader"
        );
        assert!(records.is_subset(&given.records), "a reading is of what is open");
        assert!(records.is_disjoint(&self.erased), "nobody states to read what is erased");
        given.uses_left = given.uses_left.map(|left| left - 1);
        self.used.push(Used { grant: id, by, records, at, transaction });
    }

    fn change(&mut self, grant: usize, call: impl Fn(GrantId) -> Call, then: impl Fn(&mut Given)) {
        let Some(index) = self.at(grant) else { return };
        let id = self.given[index].id;
        if self.send_as_patient(call(id)).is_some() {
            then(&mut self.given[index]);
        }
    }

    fn narrow(&mut self, grant: usize, keep: u8, later: bool) {
        let Some(index) = self.at(grant) else { return };
        let Given { id, records, until, later: before, uses_left, .. } = &self.given[index];
        let kept: BTreeSet<u64> = records.intersection(&chosen(keep, self.records)).copied().collect();
        let (id, later) = (*id, later && *before);
        let state: GrantState = self.world.ledger.read(&StateKey::Grant(id)).unwrap().unwrap();
        let standing = if later { state.standing } else { Vec::new() };
        let term = Term { valid_until: *until, ..state.term };
        let call = NarrowAccess { grant: id, records: ids(&kept), standing, term };
        let left = *uses_left;
        if self.send_as_patient(Call::NarrowAccess(call)).is_some() {
            let given = &mut self.given[index];
            (given.records, given.later, given.uses_left) = (kept, later, left);
        }
    }

    async fn publish_card(&mut self) {
        let number = CARDS + self.cards;
        self.world.vault.put(ciphertext(number)).await.unwrap();
        let locator = CardLocator([u8::try_from(self.cards).unwrap(); 5]);
        let holders = vec![self.world.hospitals[0].did];
        let call = PublishCard { locator, blob: blob_id(&ciphertext(number)), holders, access_ms: DAY_MS };
        if self.send_as_patient(Call::PublishCard(call)).is_some() {
            self.card_in_force = Some(number);
            self.cards += 1;
        }
    }

    fn revoke_card(&mut self) {
        let Some(card) = self.card_in_force else { return };
        let locator = CardLocator([u8::try_from(card - CARDS).unwrap(); 5]);
        self.send_as_patient(Call::RevokeCard(RevokeCard { locator })).unwrap();
        self.card_in_force = None;
    }

    fn declare(&mut self, nurse: bool) {
        let Some(card) = self.cards.checked_sub(1) else { return };
        let call = Call::DeclareEmergency(emergency(u8::try_from(card).unwrap()));
        let Some(id) = self.send_as_reader(nurse, call) else { return };
        assert_eq!(self.card_in_force, Some(CARDS + card), "a card that is in force is declared on");
        let (at, by) = (self.world.ledger.tip().time, self.reader(nurse).did);
        assert!(at < self.employed[&by], "who declares practises");
        let until = at.plus_millis(DAY_MS);
        self.declared.push(Declared { id: DeclarationId(id), by, card: CARDS + card, until });
    }

    /// Hospital 0 has one of its records erased. Its ciphertext stays where it is: what is held back is so by the order alone.
    fn erase(&mut self, number: u64) {
        let number = number % self.records;
        let (records, ground) = (vec![record_id(number)], ErasureGround::RegisteredInError);
        let call = Call::OrderErasure(OrderErasure { records, ground });
        if self.send(|world, _| &mut world.hospitals[0], call).is_some() {
            assert!(self.erased.insert(number), "it is erased once");
        }
    }

    async fn carry_out(&mut self, attempt: &Attempt) {
        match *attempt {
            Attempt::Give { to_staff, records, later, minutes, uses } => {
                self.give(to_staff, chosen(records, self.records), later, minutes, uses);
            }
            Attempt::Register => self.register().await,
            Attempt::Use { nurse, grant, records, stray } => self.state_reading(nurse, grant, records, stray),
            Attempt::Pause { grant } => {
                let call = |grant| Call::PauseAccess(PauseAccess { grant });
                self.change(grant, call, |given| given.paused = true);
            }
            Attempt::Resume { grant } => {
                let call = |grant| Call::ResumeAccess(ResumeAccess { grant });
                self.change(grant, call, |given| given.paused = false);
            }
            Attempt::Revoke { grant } => {
                let call = |grant| Call::RevokeAccess(RevokeAccess { grant });
                self.change(grant, call, |given| given.over = true);
            }
            Attempt::Narrow { grant, keep, later } => self.narrow(grant, keep, later),
            Attempt::Confirm { grant } => {
                let Some(index) = self.at(grant) else { return };
                let given = &self.given[index];
                let (call, staff) = (
                    Call::ConfirmDeletion(ConfirmDeletion { grant: given.id }),
                    matches!(given.grantee, Grantee::Staff(_)),
                );
                let sent = if staff {
                    self.send(|world, _| &mut world.hospitals[0], call)
                } else {
                    self.send_as_reader(false, call)
                };
                if sent.is_some() {
                    let given = &mut self.given[index];
                    assert!(given.over || self.now >= given.until || given.uses_left == Some(0));
                    given.over = true;
                }
            }
            Attempt::Employ { nurse, minutes } => self.employ(nurse, minutes),
            Attempt::Card => self.publish_card().await,
            Attempt::RevokeCard => self.revoke_card(),
            Attempt::Declare { nurse } => self.declare(nurse),
            Attempt::Erase { number } => self.erase(number),
            Attempt::Wait { minutes } => self.now = self.now.plus_millis(minutes * MINUTE_MS),
        }
    }

    /// Who asks on which ground for what, and whether the model allows it.
    fn asked(&self, look: Look) -> Option<(&Actor, ReadGround, u64, bool)> {
        let readers = [&self.world.patient, &self.world.doctor, &self.nurse];
        let any = look.number as u64 % self.records;
        let employed = |did: Did| self.employed.get(&did).is_some_and(|until| self.now < *until);
        let reader = readers[look.reader];
        Some(match look.ground {
            0 => (reader, ReadGround::Own, any, look.reader == 0),
            1..=4 => {
                let used = self.used.iter().rev().nth(look.back)?;
                let of_use = self.given.iter().find(|given| given.id == used.grant)?;
                let given = if look.stray { &self.given[self.at(look.grant)?] } else { of_use };
                let by = readers.into_iter().find(|reader| reader.did == used.by)?;
                let reader = if look.stray { reader } else { by };
                let number = *used.records.iter().cycle().nth(look.number)?;
                let fresh = self.now < used.at.plus_millis(HOUR_MS);
                let stated = used.grant == given.id && used.by == reader.did && fresh;
                // Its last use leaves an hour in which to fetch.
                let live =
                    !given.over && self.now < given.until && (!given.paused || given.uses_left == Some(0));
                let open =
                    given.is_for(reader.did) && employed(reader.did) && given.records.contains(&number);
                let ground = ReadGround::Grant { grant: given.id, used_by: used.transaction };
                (reader, ground, number, live && stated && open)
            }
            _ => {
                let declared = self.declared.iter().rev().nth(look.back)?;
                let by = readers.into_iter().find(|reader| reader.did == declared.by)?;
                let (reader, number) = if look.stray { (reader, any) } else { (by, declared.card) };
                let own = declared.by == reader.did && employed(reader.did) && self.now < declared.until;
                let card = self.card_in_force == Some(declared.card) && number == declared.card;
                (reader, ReadGround::Emergency(declared.id), number, own && card)
            }
        })
    }

    async fn check(&self, look: Look) {
        let Some((reader, ground, number, allowed)) = self.asked(look) else { return };
        let request = ReadRequest {
            chain: self.world.chain(),
            reader: reader.did,
            holder: self.world.hospitals[0].did,
            ground,
            blobs: vec![blob_id(&ciphertext(number))],
            time: self.now,
        };
        let answer = self.world.release().read(self.now, request.sign(&reader.signing)).await;
        match answer {
            Ok(found) => {
                assert!(allowed, "given out without a ground: {look:?}");
                let there = !self.erased.contains(&number);
                assert_eq!(found, [there.then(|| ciphertext(number))], "what is erased is given to nobody");
            }
            Err(refusal) => assert!(!allowed, "held back: {look:?}, {refusal:?}"),
        }
    }

    /// The records of which this key opens the content keys, by everything that is on the ledger.
    fn opens_what_was_opened(&self, key: &AgreementKey, to: &Grantee) {
        let patient = self.world.patient.did;
        let (mut found, mut grants) = (GrantKeys::new(Vec::new()), Vec::new());
        for height in 1..=self.world.ledger.tip().height.0 {
            let block = self.world.ledger.block(Height(height)).unwrap().unwrap().block;
            for signed in block.transactions {
                let (id, sender) = (GrantId(signed.transaction.id()), signed.transaction.sender);
                match signed.transaction.call {
                    Call::GrantAccess(GrantAccess { grantee, purpose, keys, .. }) => {
                        let binding = KeyBinding::Grant { patient, grantee, purpose, request: None };
                        found.extend(keys.open(key, &binding).unwrap_or(GrantKeys::new(Vec::new())));
                        grants.push(id);
                    }
                    Call::RegisterRecords(call) => {
                        for opened in grants.iter().filter_map(|grant| call.open_flow(*grant, sender, key)) {
                            found.extend(opened.unwrap_or(GrantKeys::new(Vec::new())));
                        }
                    }
                    _ => {}
                }
            }
        }
        let opened = self.given.iter().map(|given| (&given.grantee, &given.opened));
        let offered: BTreeSet<u64> = opened
            .chain(self.in_vain.iter().map(|(grantee, records)| (grantee, records)))
            .filter(|(grantee, _)| *grantee == to)
            .flat_map(|(_, records)| records.iter().copied())
            .collect();
        // The last may be of a registration that was refused.
        let known: BTreeSet<u64> =
            (0..=self.records).filter(|number| found.get(record_id(*number)).is_some()).collect();
        assert_eq!(known, offered, "keys of exactly what was opened");
    }

    /// The same blocks on an empty ledger give the same state.
    fn replays(&self) {
        let founders: Vec<Actor> = (1..=4).map(Actor::new).collect();
        let again = Ledger::open(&self.world.folder.path().join("again.redb"), &genesis(&founders)).unwrap();
        for height in 1..=self.world.ledger.tip().height.0 {
            let block = self.world.ledger.block(Height(height)).unwrap().unwrap();
            let executed = again.validate(&[], block.block, None, &()).unwrap();
            again.commit(&executed, block.certificate).unwrap();
        }
        let root = |ledger: &Ledger| ledger.header(ledger.tip().height).unwrap().unwrap().state_root;
        assert_eq!(root(&again), root(&self.world.ledger));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_leaves_without_a_ground_and_keys_end_with_the_grant(
        steps in prop::collection::vec((attempt(), prop::collection::vec(look(), 6)), 1..60)
    ) {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let mut story = Story::new().await;
            for (attempt, looks) in &steps {
                story.carry_out(attempt).await;
                for look in looks {
                    story.check(*look).await;
                }
            }
            let doctor = Grantee::Person(story.world.doctor.did);
            story.opens_what_was_opened(&story.world.doctor.agreement, &doctor);
            let hospital = &story.world.hospitals[0];
            story.opens_what_was_opened(&hospital.agreement, &Grantee::Staff(staff(hospital.did)));
            story.replays();
        });
    }
}
