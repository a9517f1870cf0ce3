//! Wrong, damaged and half-written files.

use super::*;
use amulet_contracts::testing::GENESIS_TIME;
use redb::{Builder, ReadableTable, StorageBackend};
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard};

/// A closed ledger with some blocks: its folder, its file and its document.
fn closed() -> (TempDir, PathBuf, Genesis) {
    let mut chain = Chain::new();
    chain.enrol();
    chain.grant();
    let path = chain.folder.path().join("ledger");
    (chain.folder, path, chain.genesis)
}

#[test]
fn the_ledger_of_another_chain_is_refused_and_left_alone() {
    let (_folder, path, genesis) = closed();
    let mut other = genesis.clone();
    other.time = GENESIS_TIME.plus_millis(1);
    let (found, expected) = (genesis.chain_id(), other.chain_id());
    let error = Ledger::open(&path, &other).err().unwrap();
    assert!(
        matches!(error, LedgerError::OtherChain { found: f, expected: e } if (f, e) == (found, expected))
    );
    assert_eq!(Ledger::open(&path, &genesis).unwrap().tip().height, Height(4));
}

#[test]
fn a_bad_genesis_document_makes_no_file() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ledger");
    let mut document = genesis(&(0..4).map(Actor::new).collect::<Vec<_>>());
    document.validators.pop();
    assert!(matches!(Ledger::open(&path, &document), Err(LedgerError::Genesis(_))));
    assert!(!path.exists());
}

#[test]
fn a_file_that_is_no_ledger_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ledger");
    let document = genesis(&(0..4).map(Actor::new).collect::<Vec<_>>());
    for garbage in [b"{\"not\": \"a ledger\"}".to_vec(), vec![0xA5; 1 << 16]] {
        std::fs::write(&path, &garbage).unwrap();
        let error = Ledger::open(&path, &document).err().unwrap();
        assert!(matches!(&error, LedgerError::Open { path: p, .. } if *p == path), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), garbage, "what is not ours is not overwritten");
    }
}

#[test]
fn a_file_cut_short_is_refused() {
    let (_folder, path, genesis) = closed();
    let whole = std::fs::read(&path).unwrap();
    for kept in [whole.len() / 4, whole.len() / 2, whole.len() - 4_096] {
        std::fs::write(&path, &whole[..kept]).unwrap();
        let error = Ledger::open(&path, &genesis).err().unwrap();
        assert!(matches!(error, LedgerError::Open { .. } | LedgerError::Store(_)), "{kept} bytes: {error}");
    }
}

#[test]
fn one_process_at_a_time_has_the_file() {
    let chain = Chain::new();
    let path = chain.folder.path().join("ledger");
    assert!(matches!(Ledger::open(&path, &chain.genesis), Err(LedgerError::Open { .. })));
}

/// Changes the file behind the ledger's back and says why it then does not open.
fn damaged(change: impl FnOnce(&redb::WriteTransaction)) -> LedgerError {
    let (_folder, path, genesis) = closed();
    let db = Database::create(&path).unwrap();
    let write = db.begin_write().unwrap();
    change(&write);
    write.commit().unwrap();
    drop(db);
    Ledger::open(&path, &genesis).err().unwrap()
}

#[test]
fn damage_is_told_with_the_name_of_the_table() {
    use store::{CERTIFICATES, HEADERS, META, META_FORMAT, META_GENESIS, RANGE, RECEIPTS, STATE_NODES};
    let error = damaged(|write| {
        write.open_table(HEADERS).unwrap().insert(4, [1, 2, 3].as_slice()).unwrap();
    });
    assert!(matches!(error, LedgerError::Corrupt { table: "headers" }), "{error}");
    let error = damaged(|write| {
        write.open_table(CERTIFICATES).unwrap().remove(4).unwrap();
    });
    assert!(matches!(error, LedgerError::Corrupt { table: "certificates" }), "{error}");
    let error = damaged(|write| {
        let mut table = write.open_table(CERTIFICATES).unwrap();
        let other = table.get(3).unwrap().unwrap().value().to_vec();
        table.insert(4, other.as_slice()).unwrap();
    });
    assert!(matches!(error, LedgerError::Corrupt { table: "certificates" }), "{error}");
    let error = damaged(|write| write.open_table(STATE_NODES).unwrap().retain(|_, _| false).unwrap());
    assert!(matches!(error, LedgerError::Corrupt { table: "state_nodes" }), "{error}");
    let error = damaged(|write| {
        write.open_table(RANGE).unwrap().insert(0, &[7; 32]).unwrap();
        write.open_table(RANGE).unwrap().insert(2, &[7; 32]).unwrap();
        write.open_table(RANGE).unwrap().insert(6, &[7; 32]).unwrap();
    });
    assert!(matches!(error, LedgerError::Corrupt { table: "range" }), "{error}");
    let error = damaged(|write| {
        write.delete_table(RECEIPTS).unwrap();
    });
    assert!(matches!(error, LedgerError::Corrupt { table: "receipts" }), "{error}");
    let error = damaged(|write| {
        write.open_table(META).unwrap().remove(META_GENESIS).unwrap();
    });
    assert!(matches!(error, LedgerError::Corrupt { table: "meta" }), "{error}");
    let error = damaged(|write| {
        let newer = codec::encode(&9u64);
        write.open_table(META).unwrap().insert(META_FORMAT, newer.as_slice()).unwrap();
    });
    assert!(matches!(error, LedgerError::Format { found: 9, expected: 4 }), "{error}");
}

/// A disk in memory that loses power after so many bytes, in the middle of a write if need be.
#[derive(Clone, Debug, Default)]
struct Disk(Arc<Mutex<Platters>>);

#[derive(Clone, Debug, Default)]
struct Platters {
    /// What a reader sees.
    bytes: Vec<u8>,
    /// What was there at the last sync.
    synced: Vec<u8>,
    /// Bytes that can still be written; `None` for no end.
    budget: Option<usize>,
    written: usize,
}

impl Disk {
    fn lock(&self) -> MutexGuard<'_, Platters> {
        self.0.lock().unwrap()
    }

    fn with(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Mutex::new(Platters { synced: bytes.clone(), bytes, ..Platters::default() })))
    }

    fn open(&self, genesis: &Genesis) -> Result<Ledger, LedgerError> {
        let db = Builder::new().create_with_backend(self.clone());
        Ledger::over(
            db.map_err(|source| LedgerError::Open { path: "memory".into(), source })?,
            genesis,
            Box::new(Sm2Votes),
        )
    }
}

fn power_lost() -> io::Error {
    io::Error::other("power lost")
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.lock().bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(offset).unwrap();
        let disk = self.lock();
        out.copy_from_slice(disk.bytes.get(start..start + out.len()).ok_or_else(power_lost)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut disk = self.lock();
        if disk.budget == Some(0) {
            return Err(power_lost());
        }
        disk.bytes.resize(usize::try_from(len).unwrap(), 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut disk = self.lock();
        if disk.budget == Some(0) {
            return Err(power_lost());
        }
        disk.synced = disk.bytes.clone();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut disk = self.lock();
        let room = disk.budget.map_or(data.len(), |budget| budget.min(data.len()));
        let start = usize::try_from(offset).unwrap();
        disk.bytes[start..start + room].copy_from_slice(&data[..room]);
        disk.written += room;
        disk.budget = disk.budget.map(|budget| budget - room);
        if room < data.len() { Err(power_lost()) } else { Ok(()) }
    }
}

/// Power is lost at many points of a commit. What is left, with or without the writes that the disk had not yet synced,
/// opens at the block before or at the new block, whole.
#[test]
fn power_lost_at_any_point_of_a_commit_leaves_one_block_or_the_other() {
    let mut chain = Chain::new();
    chain.enrol();
    let asked = chain.li(Call::RequestAccess(request(chain.wang.did, chain.now())));
    let executed = chain.propose(vec![asked]);
    let certificate = chain.certificate(&executed);
    let before = chain.ledger.tip();
    let path = chain.folder.path().join("ledger");
    let Chain { ledger, genesis, folder: _folder, .. } = chain;
    drop(ledger);
    let image = std::fs::read(path).unwrap();
    let needed = {
        let disk = Disk::with(image.clone());
        let ledger = disk.open(&genesis).unwrap();
        let start = disk.lock().written;
        ledger.commit(&executed, certificate.clone()).unwrap();
        disk.lock().written - start
    };
    let (mut old, mut new) = (0, 0);
    for budget in (0..=needed).step_by((needed / 60).max(1)).chain([needed]) {
        let disk = Disk::with(image.clone());
        let ledger = disk.open(&genesis).unwrap();
        disk.lock().budget = Some(budget);
        let committed = ledger.commit(&executed, certificate.clone()).is_ok();
        let left = disk.lock().clone();
        for bytes in [left.bytes, left.synced] {
            let ledger = Disk::with(bytes).open(&genesis).unwrap();
            let tip = ledger.tip();
            if tip == before {
                assert!(!committed, "a block that was reported as committed is lost after {budget} bytes");
                old += 1;
            } else {
                assert_eq!(tip.hash, executed.hash());
                assert_eq!(&ledger.block(tip.height).unwrap().unwrap().block, executed.block());
                new += 1;
            }
        }
        drop(ledger);
    }
    assert!(old > 0 && new > 0, "{old} before, {new} after");
}
