#![allow(clippy::unwrap_used)]

use super::*;
use amulet_contracts::testing::{Actor, DAY_MS, GENESIS_TIME, reading, record_id, records, term, unasked};
use amulet_protocol::calls::{ConfirmDeletion, NarrowAccess, PauseAccess, RevokeAccess};
use amulet_protocol::grantee::Grantee;
use amulet_protocol::ids::{ChainId, Did, Height};

/// A history as it comes about.
struct Told {
    hospital: Actor,
    patient: Actor,
    doctor: Actor,
    entries: Vec<HistoryEntry>,
    transactions: Transactions,
}

impl Told {
    fn new() -> Self {
        let [hospital, patient, doctor] = [1, 2, 3].map(Actor::new);
        Self { hospital, patient, doctor, entries: Vec::new(), transactions: Transactions::new() }
    }

    fn tell(
        &mut self,
        by: fn(&mut Self) -> &mut Actor,
        call: Call,
        event: impl FnOnce(TxId) -> Event,
    ) -> TxId {
        let signed = by(self).sign(ChainId(amulet_crypto::digest::Digest::ZERO), call);
        let (id, number) = (signed.id(), self.entries.len() as u64 + 1);
        let (height, time) = (Height(number), GENESIS_TIME.plus_millis(number));
        self.entries.push(HistoryEntry { number, height, time, transaction: id, event: event(id) });
        self.transactions.insert(id, Arc::new(signed));
        id
    }

    fn register(&mut self, numbers: std::ops::Range<u64>) {
        let provider = self.hospital.did;
        let call = Call::RegisterRecords(records(numbers, provider, &self.patient));
        self.tell(|told| &mut told.hospital, call, |_| Event::RecordsRegistered { provider, records: 1 });
    }

    fn grant(&mut self, numbers: std::ops::Range<u64>) -> GrantId {
        let grantee = self.doctor.did;
        let call = unasked(Grantee::Person(grantee), numbers, GENESIS_TIME.plus_millis(DAY_MS));
        let event = |id| Event::AccessGranted { grant: GrantId(id), request: None, grantee };
        GrantId(self.tell(|told| &mut told.patient, Call::GrantAccess(call), event))
    }

    fn read(&mut self, grant: GrantId, numbers: std::ops::Range<u64>) {
        let practitioner = self.doctor.did;
        let call = Call::UseAccess(reading(grant, numbers));
        self.tell(|told| &mut told.doctor, call, |_| Event::RecordsRead { grant, practitioner, records: 1 });
    }

    fn change(&mut self, call: Call, event: impl FnOnce(Did) -> Event) {
        let grantee = self.doctor.did;
        self.tell(|told| &mut told.patient, call, |_| event(grantee));
    }

    fn of(&self, number: u64, amended_by: &[RecordId]) -> Vec<(u64, StoryStep)> {
        let found = steps(&self.entries, &self.transactions, record_id(number), amended_by);
        found.into_iter().map(|step| (self.entries[step.place].number, step.what)).collect()
    }
}

#[test]
fn a_record_has_what_happened_to_it_and_nothing_of_others() {
    use StoryStep::{Amended, Closed, Deleted, Opened, Paused, Read, Registered};
    let mut told = Told::new();
    told.register(0..2);
    told.register(2..3);
    let first = told.grant(0..2);
    told.read(first, 0..1);
    told.read(first, 1..2);
    let second = told.grant(1..3);
    told.change(Call::PauseAccess(PauseAccess { grant: second }), |grantee| Event::AccessPaused {
        grant: second,
        grantee,
    });
    let term = term(GENESIS_TIME.plus_millis(DAY_MS));
    let narrower = NarrowAccess { grant: first, records: vec![record_id(1)], standing: Vec::new(), term };
    told.change(Call::NarrowAccess(narrower), |grantee| Event::AccessNarrowed { grant: first, grantee });
    told.change(Call::RevokeAccess(RevokeAccess { grant: first }), |grantee| Event::AccessRevoked {
        grant: first,
        grantee,
        erase_by: None,
    });
    told.change(Call::ConfirmDeletion(ConfirmDeletion { grant: first }), |grantee| {
        Event::DeletionConfirmed { grant: first, grantee }
    });
    told.register(3..4);
    let taken_out = [(1, Registered), (3, Opened), (4, Read), (8, Closed), (10, Deleted)];
    assert_eq!(told.of(0, &[]), taken_out);
    let kept =
        [(1, Registered), (3, Opened), (5, Read), (6, Opened), (7, Paused), (9, Closed), (10, Deleted)];
    assert_eq!(told.of(1, &[]), kept);
    assert_eq!(told.of(2, &[record_id(3)]), [(2, Registered), (6, Opened), (7, Paused), (11, Amended)]);
    assert_eq!(told.of(9, &[]), []);
}

#[test]
fn records_to_come_are_opened_when_they_come() {
    use StoryStep::{Opened, Read, Registered};
    let mut told = Told::new();
    told.register(0..1);
    let grant = told.grant(0..1);
    told.register(1..2);
    let (provider, grantee) = (told.hospital.did, told.doctor.did);
    let call = Call::RegisterRecords(records(1..2, provider, &told.patient));
    let event = |_| Event::RecordsOpened { grant, grantee, provider, records: 1 };
    told.tell(|told| &mut told.hospital, call, event);
    told.read(grant, 1..2);
    assert_eq!(told.of(1, &[]), [(3, Registered), (4, Opened), (5, Read)]);
    assert_eq!(told.of(0, &[]), [(1, Registered), (2, Opened)]);
}
