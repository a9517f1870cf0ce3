//! What an operator can do about a store that fails: the end of the sentence that says so.

use redb::{DatabaseError, Error, StorageError};

const IO: &str = ". Is the disk full? Make room and start again";
const DAMAGED: &str = ". The file is damaged: docs/operations/failures.md says how to start without it";
const TWICE: &str = ". Is a node running from this folder already?";

/// About a store in use.
pub(crate) fn advice(error: &Error) -> &'static str {
    match error {
        Error::Io(_) | Error::PreviousIo => IO,
        Error::Corrupted(_) => DAMAGED,
        Error::DatabaseAlreadyOpen => TWICE,
        _ => "",
    }
}

/// About a store that cannot be opened.
pub(crate) fn advice_on_opening(error: &DatabaseError) -> &'static str {
    match error {
        DatabaseError::Storage(StorageError::Io(_) | StorageError::PreviousIo) => IO,
        DatabaseError::Storage(StorageError::Corrupted(_)) => DAMAGED,
        DatabaseError::DatabaseAlreadyOpen => TWICE,
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::consensus::ConsensusLog;

    #[test]
    fn a_damaged_log_is_not_blamed_on_a_full_disk() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("consensus.redb");
        drop(ConsensusLog::open(&path).unwrap());
        let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.set_len(file.metadata().unwrap().len() / 3 + 1).unwrap();
        let said = ConsensusLog::open(&path).err().unwrap().to_string();
        assert!(said.contains("damaged") && !said.contains("disk full"), "{said}");
    }
}
