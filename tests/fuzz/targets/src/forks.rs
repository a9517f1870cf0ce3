//! Fork files: whom they accuse. The target starts from good files (the golden ones), and knows who signed which header.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::OnceLock;

use amulet_protocol::codec;
use amulet_protocol::fork_file::UntrustedForkFile;
use amulet_protocol::genesis::Genesis;
use amulet_protocol::ids::{Did, HeaderHash};
use amulet_protocol::limits::GENESIS_BYTES_MAX;

use crate::Target;

pub(crate) fn targets() -> Vec<Target> {
    vec![Target { name: "fork_file", run: fork_file, seeds: fork_files }]
}

/// The golden files, and what they truly say.
struct Truth {
    genesis: Genesis,
    files: Vec<Vec<u8>>,
    /// Every header that a quorum signed.
    certified: BTreeSet<HeaderHash>,
    /// Whoever signed two of them.
    signed_two: BTreeSet<Did>,
}

fn truth() -> &'static Truth {
    static TRUTH: OnceLock<Truth> = OnceLock::new();
    TRUTH.get_or_init(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance/forks");
        let genesis = std::fs::read(folder.join("genesis.bin")).expect("the golden files are there");
        let genesis =
            codec::decode(&genesis, GENESIS_BYTES_MAX).expect("the golden genesis document is good");
        let mut names: Vec<_> = std::fs::read_dir(&folder)
            .expect("the golden files are there")
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("good-")))
            .collect();
        names.sort();
        let files: Vec<Vec<u8>> =
            names.iter().map(|path| std::fs::read(path).expect("it was listed")).collect();
        let (mut certified, mut signed_two) = (BTreeSet::new(), BTreeSet::new());
        for file in &files {
            let file = UntrustedForkFile::decode(file).expect("good golden files are good");
            certified.extend(file.epochs.iter().map(|end| end.header.header.hash()));
            let fork = file.verify(&genesis).expect("good golden files are good");
            certified.extend(fork.fork().hashes());
            signed_two.extend(fork.signed_both());
        }
        Truth { genesis, files, certified, signed_two }
    })
}

fn fork_files() -> Vec<Vec<u8>> {
    truth().files.clone()
}

fn fork_file(bytes: &[u8]) {
    let Ok(file) = UntrustedForkFile::decode(bytes) else { return };
    assert_eq!(file.encode(), bytes, "a fork file has one encoding");
    match file.verify(&truth().genesis) {
        Err(error) => assert!(!error.rule().is_empty()),
        Ok(fork) => {
            let hashes = fork.fork().hashes();
            assert_ne!(hashes[0], hashes[1], "a header does not exclude itself");
            assert!(hashes.iter().all(|hash| truth().certified.contains(hash)), "nobody can forge a side");
            assert!(fork.convicted().is_subset(fork.signed_both()), "who is convicted signed both");
            assert!(fork.signed_both().is_subset(&truth().signed_two), "nobody else is accused");
            let [lower, upper] = fork.fork().sides().map(|side| &side.certificate.vote);
            let at_once = (lower.height, lower.view) == (upper.height, upper.view);
            assert!(at_once || fork.convicted().is_empty(), "votes in two views convict nobody");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Else what the target checks of accepted files would be checked of none.
    #[test]
    fn there_are_seeds_that_convict_and_seeds_that_do_not() {
        let convicted = |file: &Vec<u8>| {
            let file = UntrustedForkFile::decode(file).expect("good golden files are good");
            file.verify(&truth().genesis).expect("good golden files are good").convicted().len()
        };
        let all: Vec<usize> = truth().files.iter().map(convicted).collect();
        assert!(all.contains(&0) && all.iter().any(|convicted| *convicted > 1), "{all:?}");
    }
}
