//! What a light client believes: certificates, proofs of several things at once, proof files. Each target knows the truth and
//! starts from good proofs of it (the golden files), so it notices not only a panic but anything false that is accepted.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use amulet_crypto::digest::Digest;
use amulet_protocol::certificate::UntrustedSignedHeader;
use amulet_protocol::codec::{self, encode};
use amulet_protocol::genesis::Genesis;
use amulet_protocol::header::Header;
use amulet_protocol::ids::{HeaderHash, Height};
use amulet_protocol::light::UntrustedEpochEnd;
use amulet_protocol::limits::{GENESIS_BYTES_MAX, LIGHT_RESPONSE_BYTES_MAX};
use amulet_protocol::merkle::{ListTree, UntrustedListBatch};
use amulet_protocol::proof_file::{Fact, Statement, UntrustedProofFile};
use amulet_protocol::range::UntrustedRangeBatch;
use amulet_protocol::state::StateKey;
use amulet_protocol::state_batch::UntrustedStateBatch;
use amulet_protocol::verdict::Verdict;
use borsh::BorshDeserialize;

use crate::Target;
use crate::decoders::decode_canonical;

pub(crate) fn targets() -> Vec<Target> {
    let all = vec![
        Target { name: "proof_file", run: proof_file, seeds: proof_files },
        Target { name: "signed_header", run: signed_header, seeds: signed_headers },
        Target { name: "epoch_end", run: epoch_end, seeds: epoch_ends },
        Target { name: "state_batch", run: state_batch, seeds: state_batches },
        Target { name: "list_batch", run: list_batch, seeds: list_batches },
        Target { name: "range_batch", run: range_batch, seeds: range_batches },
    ];
    #[cfg(feature = "wallet")]
    let all = [all, verifier::targets()].concat();
    all
}

/// The golden files, and what they truly say.
struct Truth {
    genesis: Genesis,
    files: Vec<UntrustedProofFile>,
    /// Every header of them, by height; they are of one chain but for those that have no epochs.
    headers: Vec<Header>,
    /// The state at the newest block.
    state: (Digest, BTreeMap<StateKey, Option<Vec<u8>>>),
}

fn read_golden() -> (Genesis, Vec<UntrustedProofFile>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance/proofs");
    let genesis = std::fs::read(folder.join("genesis.bin")).expect("the golden files are there");
    let genesis = codec::decode(&genesis, GENESIS_BYTES_MAX).expect("the golden genesis document is good");
    let mut names: Vec<_> = std::fs::read_dir(&folder)
        .expect("the golden files are there")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("good-")))
        .collect();
    names.sort();
    let read = |path| UntrustedProofFile::decode(&std::fs::read(path).expect("it was listed"));
    let files = names.iter().map(read).collect::<Result<_, _>>().expect("golden files are good");
    (genesis, files)
}

fn truth() -> &'static Truth {
    static TRUTH: OnceLock<Truth> = OnceLock::new();
    TRUTH.get_or_init(|| {
        let (genesis, files) = read_golden();
        let headers = files.iter().flat_map(|file| {
            let ends = file.epochs.iter().map(|end| &end.header.header);
            ends.chain([&file.anchor.header]).chain(&file.older).cloned().collect::<Vec<_>>()
        });
        let headers: Vec<Header> = headers.collect();
        let newest = headers.iter().max_by_key(|header| header.height).expect("there are golden files");
        let mut state = BTreeMap::new();
        for file in &files {
            let proof = file.clone().verify(&genesis).expect("good golden files are good");
            for (header, fact) in proof.facts() {
                if let (true, Fact::State(batch)) = (header == newest, fact) {
                    state.extend(batch.iter().map(|(key, value)| (key.clone(), value.map(<[u8]>::to_vec))));
                }
            }
        }
        let state = (newest.state_root, state);
        Truth { genesis, files, headers, state }
    })
}

fn is_true(header: &Header) -> bool {
    truth().headers.contains(header)
}

fn proof_files() -> Vec<Vec<u8>> {
    truth().files.iter().map(UntrustedProofFile::encode).collect()
}

fn proof_file(bytes: &[u8]) {
    let Ok(file) = UntrustedProofFile::decode(bytes) else { return };
    assert_eq!(file.encode(), bytes, "a proof file has one encoding");
    match file.verify(&truth().genesis) {
        Err(error) => assert!(!error.rule().is_empty()),
        Ok(proof) => {
            assert!(is_true(proof.anchor().header()), "nobody can forge an anchor");
            for (header, fact) in proof.facts() {
                assert!(is_true(header), "nobody can forge a header");
                if let Fact::State(batch) = fact {
                    check_state(header.state_root, batch.iter());
                }
            }
        }
    }
}

/// What is accepted about the state that the golden files tell of must be so.
fn check_state<'a>(root: Digest, found: impl Iterator<Item = (&'a StateKey, Option<&'a [u8]>)>) {
    let (known_root, known) = &truth().state;
    for (key, value) in found.filter(|_| root == *known_root) {
        match known.get(key) {
            Some(truth) => assert_eq!(truth.as_deref(), value, "nobody can lie about {key:?}"),
            None => assert_eq!(value, None, "nobody can invent {key:?}"),
        }
    }
}

fn signed_headers() -> Vec<Vec<u8>> {
    truth().files.iter().map(|file| encode(&file.anchor)).collect()
}

fn signed_header(bytes: &[u8]) {
    let Some(signed) = decode_canonical::<UntrustedSignedHeader>(bytes, LIGHT_RESPONSE_BYTES_MAX) else {
        return;
    };
    let chain = truth().genesis.chain_id();
    let sets = truth().files.iter().flat_map(|file| file.epochs.iter().map(|end| end.next.clone()));
    let mut sets: Vec<_> = sets.take(2).collect();
    sets.extend(truth().genesis.validate());
    for set in sets {
        if let Ok(certified) = signed.clone().verify(chain, &set) {
            assert!(is_true(certified.header()), "nobody can forge a header");
            assert!(certified.signers().count() >= set.quorum().threshold());
        }
    }
}

fn epoch_ends() -> Vec<Vec<u8>> {
    truth().files.iter().flat_map(|file| file.epochs.iter().map(encode)).take(6).collect()
}

fn epoch_end(bytes: &[u8]) {
    if let Some(end) = decode_canonical::<UntrustedEpochEnd>(bytes, LIGHT_RESPONSE_BYTES_MAX) {
        assert!((4..=100).contains(&end.next.members().len()), "a list that is read as a set is one");
    }
}

fn pairs_of<T: BorshDeserialize>(bytes: &[u8]) -> Option<T> {
    codec::decode(bytes, LIGHT_RESPONSE_BYTES_MAX).ok()
}

fn state_batches() -> Vec<Vec<u8>> {
    let statements = truth().files.iter().flat_map(|file| &file.statements);
    let seeds = statements.filter_map(|statement| match statement {
        Statement::State { keys, batch, .. } => Some(encode(&(keys, batch))),
        Statement::History { did, head, .. } => Some(encode(&(vec![StateKey::History(*did)], head))),
        _ => None,
    });
    seeds.collect()
}

fn state_batch(bytes: &[u8]) {
    let Some((keys, batch)) = pairs_of::<(Vec<StateKey>, UntrustedStateBatch)>(bytes) else { return };
    let root = truth().state.0;
    if let Ok(proven) = batch.verify(root, &keys) {
        check_state(root, proven.iter());
        for key in &keys {
            let verdict = proven.verdict::<Vec<u8>>(key);
            assert!(!matches!(verdict, Ok(Verdict::NotCovered)), "what was asked for is covered");
        }
    }
}

/// Leaves of the tree that lists are proven against.
const LEAVES: u8 = 21;

fn leaf(index: u64) -> Vec<u8> {
    vec![7; usize::try_from(index).unwrap_or_default() % 50]
}

fn list() -> &'static ListTree {
    static LIST: OnceLock<ListTree> = OnceLock::new();
    LIST.get_or_init(|| ListTree::new((0..u64::from(LEAVES)).map(leaf)))
}

fn list_batches() -> Vec<Vec<u8>> {
    let choices = [vec![0], vec![3, 4, 20], (0..u32::from(LEAVES)).collect(), vec![1, 9, 10, 16]];
    let proofs = choices.into_iter().map(|indices| list().prove_many(indices).expect("within the list"));
    proofs.map(|proof| encode(&(proof.indices.clone(), proof))).collect()
}

/// A proof, and the leaves that it is said to be of, each by the place of a leaf with the same bytes.
fn list_batch(bytes: &[u8]) {
    let Some((claimed, proof)) = pairs_of::<(Vec<u32>, UntrustedListBatch)>(bytes) else { return };
    let leaves: Vec<Vec<u8>> = claimed.iter().take(300).map(|index| leaf(u64::from(*index))).collect();
    if proof.verify(list().root(), &leaves).is_ok() {
        let truly: Vec<Vec<u8>> = proof.indices.iter().map(|index| leaf(u64::from(*index))).collect();
        assert_eq!(leaves, truly, "nobody can forge a leaf");
    }
}

fn range_batches() -> Vec<Vec<u8>> {
    let files = truth().files.iter().filter(|file| !file.older.is_empty());
    let seeds = files.map(|file| {
        let heights = file.older.iter().map(|header| header.height).collect();
        let proof = UntrustedRangeBatch { heights, hashes: file.range.clone() };
        let hashes: Vec<HeaderHash> = file.older.iter().map(Header::hash).collect();
        encode(&(proof, hashes))
    });
    seeds.collect()
}

fn range_batch(bytes: &[u8]) {
    let Some((proof, hashes)) = pairs_of::<(UntrustedRangeBatch, Vec<HeaderHash>)>(bytes) else { return };
    for newer in &truth().headers {
        if proof.verify(newer.height, newer.range_root, &hashes).is_ok() {
            let known = |(height, hash): (&Height, &HeaderHash)| {
                truth().headers.iter().any(|header| header.height == *height && header.hash() == *hash)
            };
            assert!(proof.heights.iter().zip(&hashes).all(known), "nobody can forge an older header");
        }
    }
}

#[cfg(feature = "wallet")]
mod verifier {
    use super::{is_true, truth};
    use crate::Target;
    use amulet_light_client::TrustParams;
    use amulet_light_client::verifier::{StepVerdict, Verdict, Verifier};
    use amulet_protocol::certificate::UntrustedSignedHeader;
    use amulet_protocol::codec::{self, encode};
    use amulet_protocol::ids::Timestamp;
    use amulet_protocol::light::UntrustedStep;
    use amulet_protocol::limits::LIGHT_RESPONSE_BYTES_MAX;

    type Input = (Vec<UntrustedStep>, UntrustedSignedHeader);

    pub(super) fn targets() -> Vec<Target> {
        vec![Target { name: "light_verifier", run: light_verifier, seeds: inputs }]
    }

    /// Epochs one by one, and headers that come with their own validators, as when epochs are skipped.
    fn inputs() -> Vec<Vec<u8>> {
        let files = truth().files.iter().take(6);
        let inputs = files.flat_map(|file| {
            let steps: Vec<UntrustedStep> = file.epochs.iter().cloned().map(UntrustedStep::from).collect();
            let mut given = steps.clone();
            for (step, before) in given.iter_mut().skip(1).zip(&file.epochs) {
                step.validators = Some(before.next.clone());
            }
            [encode(&(steps, &file.anchor)), encode(&(given, &file.anchor))]
        });
        inputs.collect()
    }

    /// Takes steps and judges a header as the client does: it may believe only what is so.
    fn light_verifier(bytes: &[u8]) {
        let Ok((steps, signed)) = codec::decode::<Input>(bytes, LIGHT_RESPONSE_BYTES_MAX) else { return };
        let Ok(validators) = truth().genesis.validate() else { return };
        let mut verifier = Verifier::new(truth().genesis.chain_id(), validators, TrustParams::default());
        let now = Timestamp(1_700_003_600_000);
        for step in steps.into_iter().take(4) {
            let epoch = verifier.epoch();
            match verifier.take(step, None, now) {
                Ok(StepVerdict::Taken(header)) => {
                    assert!(is_true(header.header()), "nobody can forge a step")
                }
                _ => assert_eq!(verifier.epoch(), epoch, "what is refused changes nothing"),
            }
        }
        if let Verdict::Verified(header) = verifier.verify_adjacent(signed, now) {
            assert!(is_true(header.header()), "nobody can forge a header");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Else what the targets check of accepted proofs would be checked of none.
    #[test]
    fn the_seeds_are_accepted() {
        let (root, known) = &truth().state;
        assert!(known.values().filter(|value| value.is_some()).count() > 5);
        let accepts = |seed: &Vec<u8>| {
            let (keys, batch) =
                pairs_of::<(Vec<StateKey>, UntrustedStateBatch)>(seed).expect("a seed is decodable");
            batch.verify(*root, &keys).is_ok()
        };
        assert!(state_batches().iter().filter(|seed| accepts(seed)).count() > 3);
        for seed in range_batches() {
            let (proof, hashes) =
                pairs_of::<(UntrustedRangeBatch, Vec<HeaderHash>)>(&seed).expect("a seed is decodable");
            let accepts = |newer: &Header| proof.verify(newer.height, newer.range_root, &hashes).is_ok();
            assert!(truth().headers.iter().any(accepts));
        }
        for seed in list_batches() {
            let (claimed, proof) =
                pairs_of::<(Vec<u32>, UntrustedListBatch)>(&seed).expect("a seed is decodable");
            let leaves: Vec<Vec<u8>> = claimed.iter().map(|index| leaf(u64::from(*index))).collect();
            assert_eq!(proof.verify(list().root(), &leaves), Ok(()));
        }
    }
}
