//! A hospital's vault as its operator reaches it: the ciphertexts in their store, and the list of those that should be there from the
//! running node or, if none runs, from its files.

use crate::cli::Failure;
use crate::config::NodeConfig;
use crate::consensus::LEDGER_FILE;
use crate::genesis_file;
use crate::http_client::{self, HttpError, Request};
use crate::keys::NodeKeys;
use crate::ledger::Ledger;
use crate::vault::{ErasedView, HeldView, Vault, VaultIndex};
use amulet_protocol::genesis::Genesis;
use amulet_protocol::ids::{BlobId, ChainId, Did};
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The vault of a node's folder.
pub(super) struct Own {
    pub vault: Vault,
    pub chain: ChainId,
    data: PathBuf,
    url: String,
    keys: NodeKeys,
    genesis: Genesis,
}

/// What should be in a vault.
pub(super) struct Expected {
    /// Height of the ledger by which it is said.
    pub height: u64,
    /// The ciphertexts.
    pub blobs: Vec<BlobId>,
    /// What is erased, and is not to come back.
    pub erased: BTreeSet<BlobId>,
}

impl Own {
    pub async fn open(data: &Path) -> Result<Self, Failure> {
        let config = NodeConfig::load(data)?;
        let (genesis, _) = genesis_file::load_genesis(data)?;
        let vault = Vault::configured(data, &config.vault)?;
        vault.probe().await?;
        Ok(Self {
            vault,
            chain: genesis.chain_id(),
            data: data.to_owned(),
            url: format!("http://{}/api/v1/vault", config.http),
            keys: NodeKeys::load(data)?,
            genesis,
        })
    }

    /// What the ledger says should be here.
    pub async fn expected(&self) -> Result<Expected, Failure> {
        let mut expected = Expected { height: 0, blobs: Vec::new(), erased: BTreeSet::new() };
        let mut files = None;
        let mut after: Option<String> = None;
        loop {
            let step: HeldView = match &files {
                None => match self.ask("held", after.as_deref()).await {
                    Ok(step) => step,
                    Err(HttpError::Unreachable { .. }) if after.is_none() => {
                        files = Some(self.open_files()?);
                        continue;
                    }
                    Err(error) => return Err(error.into()),
                },
                Some((index, ledger)) => {
                    let organisation = Did::of_key(self.keys.organisation.public_key());
                    let after = after.as_deref().map(blob).transpose()?;
                    HeldView::read(index, ledger, organisation, after)?
                }
            };
            expected.height = step.height;
            for text in &step.blobs {
                expected.blobs.push(blob(text)?);
            }
            match step.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        self.add_erased(files.as_ref(), &mut expected).await?;
        Ok(expected)
    }

    async fn add_erased(
        &self,
        files: Option<&(VaultIndex, Ledger)>,
        expected: &mut Expected,
    ) -> Result<(), Failure> {
        let mut after: Option<String> = None;
        loop {
            let step: ErasedView = match files {
                None => self.ask("erased", after.as_deref()).await?,
                Some((index, ledger)) => {
                    ErasedView::read(index, ledger, after.as_deref().map(blob).transpose()?)?
                }
            };
            for text in &step.blobs {
                expected.erased.insert(blob(text)?);
            }
            match step.next {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    }

    async fn ask<T: DeserializeOwned>(&self, what: &str, after: Option<&str>) -> Result<T, HttpError> {
        let after = after.map_or(String::new(), |after| format!("?after={after}"));
        let url = format!("{}/{what}{after}", self.url);
        let answer = http_client::send(Request::get(&url).bearer(&self.keys.intake_token)).await?;
        serde_json::from_slice(&answer.body)
            .map_err(|error| HttpError::Unreachable { url, reason: error.to_string() })
    }

    fn open_files(&self) -> Result<(VaultIndex, Ledger), Failure> {
        let ledger = Ledger::open(&self.data.join(LEDGER_FILE), &self.genesis)?;
        Ok((VaultIndex::open(&self.data.join("vault.redb"), self.chain)?, ledger))
    }
}

fn blob(text: &str) -> Result<BlobId, Failure> {
    Ok(BlobId(text.parse().map_err(|_| format!("{text:?} is no digest; is the node of another version?"))?))
}
