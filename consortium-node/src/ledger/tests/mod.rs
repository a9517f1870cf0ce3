#![allow(clippy::unwrap_used)]
//! A ledger of four hospitals, and a story of thirty blocks.

mod copies;
mod damage;
mod epochs;
mod proofs;
mod refusals;
mod speculation;

use super::*;
use amulet_contracts::testing::{
    Actor, DAY_MS, card, certificate, emergency, genesis, grant, practitioner, reading, records, request,
};
use amulet_protocol::calls::{
    Call, CardLocator, DeclineAccess, GrantId, RequestId, RevokeAccess, RevokeCard,
};
use amulet_protocol::ids::{ReplicaId, View};
use amulet_protocol::receipt::Outcome;
use redb::{ReadableDatabase, ReadableTableMetadata, TableHandle};
use std::collections::BTreeMap;
use tempfile::TempDir;

impl Ledger {
    /// Rows of each table.
    fn rows(&self) -> BTreeMap<String, u64> {
        let read = self.inner.db.begin_read().unwrap();
        let tables: Vec<_> = read.list_tables().unwrap().collect();
        let count = |table: redb::UntypedTableHandle| {
            let rows = read.open_untyped_table(table.clone()).unwrap().len().unwrap();
            (table.name().to_owned(), rows)
        };
        tables.into_iter().map(count).collect()
    }
}

/// A ledger in a folder of its own, the keys of its validators, a patient and a doctor.
struct Chain {
    folder: TempDir,
    ledger: Ledger,
    genesis: Genesis,
    hospitals: Vec<Actor>,
    wang: Actor,
    li: Actor,
}

impl Chain {
    fn new() -> Self {
        let hospitals: Vec<_> = (0..4).map(Actor::new).collect();
        let genesis = genesis(&hospitals);
        let folder = TempDir::new().unwrap();
        let ledger = Ledger::open(&folder.path().join("ledger"), &genesis).unwrap();
        Self { folder, ledger, genesis, hospitals, wang: Actor::new(10), li: Actor::new(11) }
    }

    fn now(&self) -> Timestamp {
        self.ledger.tip().time.plus_millis(1_000)
    }

    fn propose(&self, transactions: Vec<SignedTransaction>) -> ExecutedBlock {
        let (time, proposer, view) = (self.now(), ReplicaId(0), View(0));
        self.ledger.execute(&[], ProposalInput { transactions, time, proposer, view }).unwrap()
    }

    fn certificate(&self, block: &ExecutedBlock) -> UntrustedCommitCertificate {
        certificate(&self.hospitals, block.header())
    }

    /// Proposes, lets a backup validate, and commits what the backup executed; every transaction must be applied.
    fn commit(&self, transactions: Vec<SignedTransaction>) -> Vec<TxId> {
        let proposed = self.propose(transactions);
        assert!(proposed.inadmissible().is_empty());
        for receipt in proposed.receipts() {
            assert!(matches!(receipt.outcome, Outcome::Applied { .. }), "{receipt:?}");
        }
        let validated = self.ledger.validate(&[], proposed.block().clone(), Some(self.now()), &()).unwrap();
        assert_eq!(validated.block(), proposed.block());
        let certificate = self.certificate(&validated);
        let tip = self.ledger.commit(&validated, certificate).unwrap();
        assert_eq!(tip, self.ledger.tip());
        proposed.transaction_ids().collect()
    }

    fn wang(&mut self, call: Call) -> SignedTransaction {
        self.wang.sign(self.ledger.chain(), call)
    }

    fn li(&mut self, call: Call) -> SignedTransaction {
        self.li.sign(self.ledger.chain(), call)
    }

    fn hospital(&mut self, call: Call) -> SignedTransaction {
        self.hospitals[0].sign(self.ledger.chain(), call)
    }

    /// Block 1 and 2: the patient, the doctor, and three records.
    fn enrol(&mut self) {
        let (wang, li) = (self.wang.registration(), self.li.registration());
        let registrations = vec![self.wang(wang), self.li(li)];
        self.commit(registrations);
        let doctor = Call::RegisterPractitioner(practitioner(self.li.did, self.ledger.tip().time));
        let own = Call::RegisterRecords(records(0..3, self.hospitals[0].did, &self.wang));
        let transactions = vec![self.hospital(doctor), self.hospital(own)];
        self.commit(transactions);
    }

    /// A request, and a grant until a day later, in a block each.
    fn grant(&mut self) -> GrantId {
        let asked = Call::RequestAccess(request(self.wang.did, self.now()));
        let asked = self.li(asked);
        let id = RequestId(self.commit(vec![asked])[0]);
        let until = self.ledger.tip().time.plus_millis(DAY_MS);
        let granted = Call::GrantAccess(grant(id, 0..3, &self.li, until));
        let granted = self.wang(granted);
        GrantId(self.commit(vec![granted])[0])
    }

    /// Thirty blocks with all kinds of calls, some blocks empty, an entry removed, histories growing.
    fn story(&mut self) {
        self.enrol();
        let grant = self.grant();
        let first = self.wang(Call::PublishCard(card(1, self.hospitals[1].did)));
        self.commit(vec![first]);
        let declared = self.li(Call::DeclareEmergency(emergency(1)));
        let read = self.li(Call::UseAccess(reading(grant, 0..2)));
        self.commit(vec![declared, read]);
        let revoked = self.wang(Call::RevokeCard(RevokeCard { locator: CardLocator([1; 5]) }));
        let taken_back = self.wang(Call::RevokeAccess(RevokeAccess { grant }));
        self.commit(vec![revoked, taken_back]);
        self.commit(vec![]);
        while self.ledger.tip().height < Height(29) {
            let asked = self.li(Call::RequestAccess(request(self.wang.did, self.now())));
            let id = RequestId(self.commit(vec![asked])[0]);
            let declined = self.wang(Call::DeclineAccess(DeclineAccess { request: id }));
            self.commit(vec![declined]);
        }
        let second = self.wang(Call::PublishCard(card(2, self.hospitals[1].did)));
        self.commit(vec![second]);
        assert!(self.ledger.tip().height >= Height(30));
    }
}
