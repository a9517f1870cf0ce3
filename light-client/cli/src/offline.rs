//! Checks that need no network.

use crate::failure::Failure;
use crate::{say, start};
use amulet_light_client::checkpoint::CheckpointName;
use amulet_protocol::certificate::UntrustedSignedHeader;
use amulet_protocol::codec;
use amulet_protocol::fork_file::{FORK_FILE_BYTES_MAX, UntrustedForkFile};
use amulet_protocol::genesis::Genesis;
use amulet_protocol::header::Header;
use amulet_protocol::limits::{GENESIS_BYTES_MAX, SIGNED_HEADER_BYTES_MAX};
use amulet_protocol::proof_file::{MAGIC, PROOF_FILE_BYTES_MAX, UntrustedProofFile};
use serde_json::json;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Reads a file, but not much more than is accepted of it.
pub fn read(path: &Path, limit: usize) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| Failure::file(path, error))?;
    file.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(|error| Failure::file(path, error))?;
    Ok(bytes)
}

/// The genesis document of a file, checked.
pub fn genesis(path: &Path) -> Result<Genesis, Failure> {
    let bytes = read(path, GENESIS_BYTES_MAX)?;
    let genesis: Genesis =
        codec::decode(&bytes, GENESIS_BYTES_MAX).map_err(|error| Failure::genesis(path, error))?;
    genesis.validate().map_err(|error| Failure::genesis(path, error))?;
    Ok(genesis)
}

/// `verify-proof`.
pub fn verify_proof(
    genesis_path: &Path,
    checkpoint: Option<&str>,
    file: &Path,
    json: bool,
) -> Result<(), Failure> {
    let genesis = genesis(genesis_path)?;
    let checkpoint = checkpoint.map(start::read).transpose()?;
    proof(&genesis, checkpoint.as_ref(), &read(file, PROOF_FILE_BYTES_MAX)?, json)
}

fn proof(
    genesis: &Genesis,
    checkpoint: Option<&CheckpointName>,
    bytes: &[u8],
    json: bool,
) -> Result<(), Failure> {
    let refused = |error| Failure::proof(&error);
    let file = UntrustedProofFile::decode(bytes).map_err(refused)?;
    // Headers that the file's own check covers as well: each end of an epoch was signed by those before.
    let ends: Vec<Header> = file.epochs.iter().map(|end| end.header.header.clone()).collect();
    let verified = file.verify(genesis).map_err(refused)?;
    if let Some(checkpoint) = checkpoint {
        let shown = verified.facts().iter().map(|(header, _)| header);
        if !start::compare(checkpoint, shown.chain([verified.anchor().header()]).chain(&ends))? {
            return Err(Failure::beside_checkpoint());
        }
    }
    let (value, text) = say::proof(&verified);
    say::result(json, &value, &text);
    Ok(())
}

/// `verify-fork`.
pub fn verify_fork(genesis_path: &Path, file: &Path, json: bool) -> Result<(), Failure> {
    let genesis = genesis(genesis_path)?;
    let bytes = read(file, FORK_FILE_BYTES_MAX)?;
    let verified = UntrustedForkFile::decode(&bytes).and_then(|file| file.verify(&genesis));
    let (value, text) = say::fork(&verified.map_err(|error| Failure::fork(&error))?, &genesis);
    say::result(json, &value, &text);
    Ok(())
}

/// `verify-header`.
pub fn verify_header(
    genesis_path: &Path,
    checkpoint: Option<&str>,
    file: &Path,
    json: bool,
) -> Result<(), Failure> {
    let genesis = genesis(genesis_path)?;
    let checkpoint = checkpoint.map(start::read).transpose()?;
    let bytes = read(file, PROOF_FILE_BYTES_MAX)?;
    if bytes.starts_with(&MAGIC) {
        return proof(&genesis, checkpoint.as_ref(), &bytes, json);
    }
    let header: UntrustedSignedHeader =
        codec::decode(&bytes, SIGNED_HEADER_BYTES_MAX).map_err(|error| Failure::header("decode", error))?;
    let validators = genesis.validate().map_err(|error| Failure::genesis(genesis_path, error))?;
    let certified = header
        .verify(genesis.chain_id(), &validators)
        .map_err(|error| Failure::header("certificate", error))?;
    if let Some(checkpoint) = &checkpoint
        && !start::compare(checkpoint, [certified.header()])?
    {
        return Err(Failure::beside_checkpoint());
    }
    let (height, signed) = (certified.header().height, certified.signers().count());
    let of = validators.members().len();
    let time = certified.header().time;
    let value = json!({
        "ok": true, "height": height.0, "hash": certified.hash().to_string(), "time": time.0,
        "signed": signed, "validators": of,
    });
    let text = format!(
        "PROVEN: block {height} of {}, signed by {signed} of {of} validators.\nIts hash is {}.",
        say::moment(time),
        certified.hash()
    );
    say::result(json, &value, &text);
    Ok(())
}
