//! A disk that keeps what was synced apart from what was only written, and at a crash loses or tears the latter.
//!
//! A sync that returned is believed: a disk that says so and lies is a Byzantine replica, not a crashed one.

use crate::rng::Rng;
use redb::StorageBackend;
use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a disk writes whole or not at all, in bytes.
const SECTOR: usize = 512;

/// One file on a simulated disk. Clones are the same file.
#[derive(Clone, Debug, Default)]
pub struct DiskFile {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// What a crash cannot take away.
    synced: Vec<u8>,
    /// What the running program reads.
    written: Vec<u8>,
    /// Sectors of `written` that differ from `synced`.
    dirty: BTreeSet<usize>,
    /// Handles opened before this number are of a program that has stopped.
    life: u64,
    /// The power fails at this many further writes or syncs.
    fails_after: Option<u64>,
    is_full: bool,
    syncs: u64,
}

/// What became of unsynced writes in a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Unsynced {
    /// None reached the disk.
    Lost,
    /// All reached the disk.
    Kept,
    /// Some sectors did, in no order.
    Torn,
}

/// The file as one run of a program has it open.
#[derive(Debug)]
pub struct Handle {
    file: DiskFile,
    life: u64,
}

impl DiskFile {
    /// Opens it for a program that starts.
    #[must_use]
    pub fn open(&self) -> Handle {
        Handle { file: self.clone(), life: self.lock().life }
    }

    /// Stops the program: handles that are open fail from now on, and unsynced writes fare as said.
    pub fn crash(&self, unsynced: Unsynced, rng: &mut Rng) {
        let mut state = self.lock();
        state.life += 1;
        state.fails_after = None;
        let State { synced, written, dirty, .. } = &mut *state;
        match unsynced {
            Unsynced::Lost => {}
            Unsynced::Kept => copy(written, synced, dirty.iter().copied()),
            Unsynced::Torn => {
                let survived: Vec<usize> = dirty.iter().copied().filter(|_| rng.chance(500)).collect();
                copy(written, synced, survived.into_iter());
            }
        }
        dirty.clear();
        written.clone_from(synced);
    }

    /// Ends the program in an orderly way: handles that are open fail from now on, and everything written is kept.
    pub fn close(&self) {
        let mut state = self.lock();
        state.life += 1;
        let State { synced, written, dirty, .. } = &mut *state;
        copy(written, synced, std::mem::take(dirty).into_iter());
        synced.resize(written.len(), 0);
    }

    /// Lets the power fail after this many further writes and syncs.
    pub fn fail_after(&self, operations: u64) {
        self.lock().fails_after = Some(operations);
    }

    /// Whether the power failed.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.lock().fails_after == Some(0)
    }

    /// Makes the disk full, or gives it room again: what would lengthen the file fails, and so does every sync.
    pub fn set_full(&self, is_full: bool) {
        self.lock().is_full = is_full;
    }

    /// Syncs so far.
    #[must_use]
    pub fn syncs(&self) -> u64 {
        self.lock().syncs
    }

    /// Length in bytes, as the program sees it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().written.len()
    }

    /// Whether nothing was ever written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Puts the content of another file, which is closed, in place of this one's: what renaming it does. Either is as a crash
    /// would leave it.
    pub fn take_place(&self, other: &Self) {
        let mut taken = other.lock();
        let (synced, written) = (std::mem::take(&mut taken.synced), std::mem::take(&mut taken.written));
        let dirty = std::mem::take(&mut taken.dirty);
        taken.life += 1;
        drop(taken);
        let mut state = self.lock();
        state.life += 1;
        (state.synced, state.written, state.dirty) = (synced, written, dirty);
    }

    /// Removes the file: programs that have it open fail from now on.
    pub fn erase(&self) {
        self.take_place(&Self::default());
    }

    /// A file with the same content, for a second instance of the replica.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        let synced = self.lock().synced.clone();
        let state = State { written: synced.clone(), synced, ..State::default() };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Copies sectors; the target grows as far as they need.
fn copy(from: &[u8], to: &mut Vec<u8>, sectors: impl Iterator<Item = usize>) {
    for sector in sectors {
        let start = sector * SECTOR;
        let end = (start + SECTOR).min(from.len());
        if start >= end {
            continue;
        }
        if to.len() < end {
            to.resize(end, 0);
        }
        to[start..end].copy_from_slice(&from[start..end]);
    }
}

impl Handle {
    /// The file, if the program that opened this handle still runs and the power is on.
    fn state(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.file.lock();
        if state.life != self.life || state.fails_after == Some(0) {
            return Err(io::Error::other("the replica has stopped"));
        }
        Ok(state)
    }

    /// As [`Self::state`], for what changes the disk.
    fn change(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state()?;
        if let Some(left) = &mut state.fails_after {
            *left -= 1;
            if *left == 0 {
                return Err(io::Error::other("the power failed"));
            }
        }
        Ok(state)
    }
}

fn range(offset: u64, length: usize) -> std::ops::Range<usize> {
    let start = usize::try_from(offset).expect("a simulated file fits into memory");
    start..start + length
}

fn full() -> io::Error {
    io::Error::new(io::ErrorKind::StorageFull, "the simulated disk is full")
}

impl StorageBackend for Handle {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state()?.written.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.state()?;
        let found = state.written.get(range(offset, out.len()));
        out.copy_from_slice(found.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.change()?;
        let len = usize::try_from(len).expect("a simulated file fits into memory");
        let before = state.written.len();
        if len > before && state.is_full {
            return Err(full());
        }
        state.written.resize(len, 0);
        if len < before {
            state.dirty.retain(|sector| sector * SECTOR < len);
        } else if len > before {
            // Zeros reach the disk with the length; its last sector stands for both.
            state.dirty.insert((len - 1) / SECTOR);
        }
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.change()?;
        if state.is_full {
            return Err(full());
        }
        state.syncs += 1;
        let State { synced, written, dirty, .. } = &mut *state;
        copy(written, synced, std::mem::take(dirty).into_iter());
        synced.resize(written.len(), 0);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.change()?;
        let range = range(offset, data.len());
        if range.end > state.written.len() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        state.written[range.clone()].copy_from_slice(data);
        state.dirty.extend(range.start / SECTOR..range.end.div_ceil(SECTOR));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::rng::Stream;

    fn read(file: &DiskFile) -> Vec<u8> {
        let handle = file.open();
        let mut bytes = vec![0; usize::try_from(handle.len().unwrap()).unwrap()];
        handle.read(0, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn a_crash_takes_what_was_not_synced_and_nothing_else() {
        let mut rng = Rng::new(1, Stream::Disk);
        let file = DiskFile::default();
        let handle = file.open();
        handle.set_len(2_048).unwrap();
        handle.write(0, &[1; 2_048]).unwrap();
        handle.sync_data().unwrap();
        handle.write(512, &[2; 1_024]).unwrap();
        file.crash(Unsynced::Lost, &mut rng);
        assert_eq!(read(&file), vec![1; 2_048]);
        assert!(handle.write(0, &[3]).is_err(), "the program that stopped cannot write any more");
    }

    #[test]
    fn a_torn_write_leaves_whole_sectors_of_either_kind() {
        let mut rng = Rng::new(7, Stream::Disk);
        let file = DiskFile::default();
        let handle = file.open();
        handle.set_len(64 * 512).unwrap();
        handle.sync_data().unwrap();
        handle.write(0, &[9; 64 * 512]).unwrap();
        file.crash(Unsynced::Torn, &mut rng);
        let after = read(&file);
        let sectors: Vec<u8> = after.chunks(512).map(|sector| sector[0]).collect();
        assert!(after.chunks(512).all(|sector| sector.iter().all(|byte| *byte == sector[0])));
        assert!(sectors.contains(&0) && sectors.contains(&9));
    }

    #[test]
    fn power_fails_at_the_operation_it_was_told_to_fail_at() {
        let file = DiskFile::default();
        let handle = file.open();
        handle.set_len(512).unwrap();
        file.fail_after(2);
        handle.write(0, &[1; 512]).unwrap();
        assert!(handle.sync_data().is_err());
        assert!(file.has_failed());
    }

    #[test]
    fn a_full_disk_syncs_nothing_until_there_is_room() {
        let file = DiskFile::default();
        let handle = file.open();
        handle.set_len(512).unwrap();
        file.set_full(true);
        assert_eq!(handle.sync_data().unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert!(handle.set_len(1_024).is_err());
        file.set_full(false);
        handle.sync_data().unwrap();
    }
}
