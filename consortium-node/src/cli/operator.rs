//! What an operator's commands have in common: asking the hospital's own node, and sending in the hospital's name.

use crate::config::{ConfigError, NodeConfig};
use crate::genesis_file::{self, GenesisFileError};
use crate::http_client::{self, HttpError, Request};
use crate::keys::{KeyError, NodeKeys};
use amulet_crypto::signing::SigningKey;
use amulet_protocol::calls::Call;
use amulet_protocol::codec::{self, DecodeError};
use amulet_protocol::history::HistoryEntry;
use amulet_protocol::ids::{ChainId, Did, Height, Nonce, Timestamp, TxId};
use amulet_protocol::light::{LightRefusal, LightRequest, LightResponse};
use amulet_protocol::limits::{LIGHT_RESPONSE_BYTES_MAX, NONCE_WINDOW, STATE_KEYS_PER_REQUEST_MAX};
use amulet_protocol::receipt::{Outcome, Receipt, RefusalCode};
use amulet_protocol::state::{Account, StateKey};
use amulet_protocol::transaction::{TRANSACTION_VERSION, Transaction};
use borsh::BorshDeserialize;
use std::path::Path;
use std::time::Duration;

/// How long a transaction is waited for: a view change, and some blocks.
const DEADLINE: Duration = Duration::from_secs(60);
/// Between two looks for its receipt.
const LOOK_EVERY: Duration = Duration::from_millis(300);
/// How far above the hospital's last number a command numbers its transaction. The node itself counts up from the last,
/// so the two do not take each other's numbers.
const NONCE_LEAD: u64 = NONCE_WINDOW / 2;

/// Why an operator's command failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum OperatorError {
    /// The node does not answer.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The node's answer cannot be read.
    #[error("the node's answer cannot be read ({0}); is the node of another version?")]
    Answer(#[from] DecodeError),
    /// The node answers something else.
    #[error("the node's answer does not belong to the question")]
    OtherAnswer,
    /// The node refuses.
    #[error("the node refuses: {0}")]
    Refused(LightRefusal),
    /// The ledger refused.
    #[error("the ledger refused: {}", explain(*.0))]
    Ledger(RefusalCode),
    /// Not committed in time.
    #[error(
        "transaction {transaction} was not committed within {} seconds; it may still be. Look again in a moment, before you send it once more",
        DEADLINE.as_secs()
    )]
    TimedOut {
        /// Which.
        transaction: TxId,
    },
    /// Configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Keys.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// Genesis document or another file.
    #[error(transparent)]
    File(#[from] GenesisFileError),
    /// The ledger lacks what every ledger has.
    #[error("the node's ledger holds nothing at {0:?}; is the node of another version?")]
    Missing(StateKey),
}

/// A running node that is asked. What it says of its own ledger is believed: it is the operator's own.
pub(super) struct NodeLink {
    base: String,
}

/// A hospital whose keys are in a node's folder, and its running node.
pub(super) struct Member {
    pub(super) link: NodeLink,
    pub(super) keys: NodeKeys,
    pub(super) chain: ChainId,
}

impl NodeLink {
    /// The node whose HTTP interface has this base URL.
    pub(super) fn new(node: &str) -> Self {
        Self { base: node.trim_end_matches('/').to_owned() }
    }

    /// The base URL of the node's HTTP interface, without a slash at its end.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    async fn ask(&self, request: &LightRequest) -> Result<LightResponse, OperatorError> {
        let request = Request::post(
            &format!("{}/api/v1/light", self.base),
            "application/octet-stream",
            codec::encode(request),
        );
        let answer = http_client::send(request).await?;
        match codec::decode(&answer.body, LIGHT_RESPONSE_BYTES_MAX)? {
            LightResponse::Refused(refusal) => Err(OperatorError::Refused(refusal)),
            answer => Ok(answer),
        }
    }

    /// Height and time of the node's newest block.
    pub(super) async fn newest(&self) -> Result<(Height, Timestamp), OperatorError> {
        let mut answer = self.ask(&LightRequest::Latest).await?;
        if answer == LightResponse::NotFound {
            answer = self.ask(&LightRequest::HeaderAt(Height(0))).await?;
        }
        match answer {
            LightResponse::Header(signed) => Ok((signed.header.height, signed.header.time)),
            _ => Err(OperatorError::OtherAnswer),
        }
    }

    /// The value at a key after the newest block.
    pub(super) async fn state<T: BorshDeserialize>(&self, key: StateKey) -> Result<Option<T>, OperatorError> {
        let (height, _) = self.newest().await?;
        match self.ask(&LightRequest::State { height, keys: vec![key] }).await? {
            LightResponse::State(proofs) => {
                let value = proofs.into_iter().next().ok_or(OperatorError::OtherAnswer)?.value;
                Ok(value.map(|bytes| codec::decode(&bytes, LIGHT_RESPONSE_BYTES_MAX)).transpose()?)
            }
            _ => Err(OperatorError::OtherAnswer),
        }
    }

    /// The values at keys, each after the newest block of the moment it was asked for.
    pub(super) async fn states<T: BorshDeserialize>(
        &self,
        keys: &[StateKey],
    ) -> Result<Vec<Option<T>>, OperatorError> {
        let mut values = Vec::new();
        for keys in keys.chunks(STATE_KEYS_PER_REQUEST_MAX) {
            let (height, _) = self.newest().await?;
            let answer = self.ask(&LightRequest::State { height, keys: keys.to_vec() }).await?;
            let LightResponse::State(proofs) = answer else { return Err(OperatorError::OtherAnswer) };
            if proofs.len() != keys.len() {
                return Err(OperatorError::OtherAnswer);
            }
            for value in proofs.into_iter().map(|proof| proof.value) {
                values.push(value.map(|bytes| codec::decode(&bytes, LIGHT_RESPONSE_BYTES_MAX)).transpose()?);
            }
        }
        Ok(values)
    }

    /// All of somebody's history.
    pub(super) async fn history(&self, did: Did) -> Result<Vec<HistoryEntry>, OperatorError> {
        let (height, _) = self.newest().await?;
        let mut entries: Vec<HistoryEntry> = Vec::new();
        loop {
            let from = entries.last().map_or(1, |last| last.number + 1);
            match self.ask(&LightRequest::History { did, from, height }).await? {
                LightResponse::History(more) if more.is_empty() => return Ok(entries),
                LightResponse::History(more) if more.first().is_some_and(|first| first.number == from) => {
                    entries.extend(more);
                }
                _ => return Err(OperatorError::OtherAnswer),
            }
        }
    }

    /// What these transactions ask for; those that the node has no more are left out.
    pub(super) async fn calls(&self, ids: &[TxId]) -> Result<Vec<Call>, OperatorError> {
        let mut calls = Vec::new();
        // One by one: of several the node answers none if it has pruned one.
        for id in ids {
            match self.ask(&LightRequest::Transactions(vec![*id])).await {
                Ok(LightResponse::Transactions(found)) => {
                    calls.extend(found.into_iter().map(|found| found.transaction.call));
                }
                Err(OperatorError::Refused(LightRefusal::Pruned { .. })) => {}
                Ok(_) => return Err(OperatorError::OtherAnswer),
                Err(error) => return Err(error),
            }
        }
        Ok(calls)
    }

    /// The value at a key that every ledger has.
    pub(super) async fn filled<T: BorshDeserialize>(&self, key: StateKey) -> Result<T, OperatorError> {
        self.state(key.clone()).await?.ok_or(OperatorError::Missing(key))
    }

    /// The chain that the node keeps.
    pub(super) async fn chain(&self) -> Result<ChainId, OperatorError> {
        match self.ask(&LightRequest::HeaderAt(Height(0))).await? {
            LightResponse::Header(signed) => Ok(signed.header.chain),
            _ => Err(OperatorError::OtherAnswer),
        }
    }

    /// Sends a call that `key` signs and waits until the ledger has applied it.
    pub(super) async fn send(
        &self,
        chain: ChainId,
        key: &SigningKey,
        call: Call,
    ) -> Result<Receipt, OperatorError> {
        let sender = Did::of_key(key.public_key());
        let account: Account = self.state(StateKey::Account(sender)).await?.unwrap_or_default();
        let nonce = Nonce(account.highest.0 + NONCE_LEAD);
        let version = TRANSACTION_VERSION;
        let signed = Transaction { version, chain, sender, nonce, call }.sign(key);
        self.ask(&LightRequest::Submit(signed.as_untrusted().clone())).await?;
        let looks = DEADLINE.as_millis() / LOOK_EVERY.as_millis();
        for _ in 0..looks {
            match self.ask(&LightRequest::Receipt(signed.id())).await {
                Ok(LightResponse::Receipt(found)) => {
                    return match found.receipt.outcome {
                        Outcome::Applied { .. } => Ok(found.receipt),
                        Outcome::Refused { code } => Err(OperatorError::Ledger(code)),
                    };
                }
                // The node starts again when an epoch begins.
                Ok(LightResponse::NotFound) | Err(OperatorError::Http(HttpError::Unreachable { .. })) => {
                    tokio::time::sleep(LOOK_EVERY).await;
                }
                Ok(_) => return Err(OperatorError::OtherAnswer),
                Err(error) => return Err(error),
            }
        }
        Err(OperatorError::TimedOut { transaction: signed.id() })
    }
}

impl Member {
    /// The hospital of a node's folder, and its node, which must run.
    pub(super) fn load(data: &Path) -> Result<Self, OperatorError> {
        let (config, keys) = (NodeConfig::load(data)?, NodeKeys::load(data)?);
        let (genesis, _) = genesis_file::load_genesis(data)?;
        let link = NodeLink::new(&format!("http://{}", config.http));
        Ok(Self { link, keys, chain: genesis.chain_id() })
    }

    /// The hospital's DID.
    pub(super) fn did(&self) -> Did {
        Did::of_key(self.keys.organisation.public_key())
    }

    /// Sends a call in the hospital's name and waits until the ledger has applied it.
    pub(super) async fn send(&self, call: Call) -> Result<Receipt, OperatorError> {
        self.link.send(self.chain, &self.keys.organisation, call).await
    }
}

/// What an operator can make of a refusal.
fn explain(code: RefusalCode) -> String {
    let words = match code {
        RefusalCode::NotAValidator => "this hospital has no validator, so it has no voice",
        RefusalCode::UnknownSeat => "no validator has this seat; see `validators list`",
        RefusalCode::NotYourSeat => "the seat is another hospital's; use `validators propose-replace`",
        RefusalCode::KeyUsed => "the key is or was a validator's already, and no key comes back",
        RefusalCode::BadPeerId => "the peer identity is empty, too long, or another validator's",
        RefusalCode::NotAccepted => "the new key did not sign for this seat, hospital and chain",
        RefusalCode::BadOrganisation => "the ledger knows this hospital by other names, or as a person",
        RefusalCode::SetSize => "there would be fewer than 4 or more than 100 validators",
        RefusalCode::ChangePending => "another change of this seat is decided and not in force yet",
        RefusalCode::BadHeight => "the height is too far ahead",
        RefusalCode::TooManyProposals => "this hospital has too many open proposals; withdraw one",
        RefusalCode::UnknownProposal => "there is no such proposal; see `validators list`",
        RefusalCode::ProposalClosed => "the proposal was decided or withdrawn",
        RefusalCode::ProposalExpired => "the time to approve the proposal has run out; propose it again",
        RefusalCode::AlreadyApproved => "this hospital approves the proposal already",
        RefusalCode::NotYourProposal => "this hospital neither made nor approved the proposal",
        RefusalCode::RotatedLately => "the key was replaced less than an hour ago",
        RefusalCode::NotYourRecord => "another hospital registered the record, and decides",
        RefusalCode::RecordErased => "the record is erased already",
        RefusalCode::NotAsked => "no patient asked for this, or it was answered; see `erasure list`",
        RefusalCode::BadRules => "this is no rule book; see `rules check`",
        RefusalCode::RulesChanged => "another rule book has come into force since; see `rules show`",
        RefusalCode::EmployedElsewhere => {
            "another hospital registers this practitioner; it has to end that first"
        }
        RefusalCode::UnknownPractitioner => "nobody with this DID is on the ledger; they make a wallet first",
        RefusalCode::BadName => "name and department must not be empty or longer than 120 bytes",
        RefusalCode::NotYourDeclaration => "another hospital employed the clinician then, and reviews it",
        RefusalCode::AlreadyReviewed => "this hospital has stated what its review found already",
        RefusalCode::NotYourGrant => "the grant is not for this hospital's staff",
        RefusalCode::NotEnded => "the grant has not ended: nothing is to be deleted yet",
        RefusalCode::NothingRead => "nothing was read under the grant, so there is nothing to delete",
        RefusalCode::DeletionConfirmed => "this hospital has confirmed the deletion already",
        RefusalCode::UnknownBoard => {
            "nobody has this DID, or it is no ethics board in office; see `study board`"
        }
        RefusalCode::AlreadyVoted => "this hospital's last vote was the same",
        RefusalCode::UnknownStudy => "there is no such study; see `study list`",
        RefusalCode::NotYourStudy => "the study is not this one's to decide on or to end",
        RefusalCode::StudyClosed => "the study was decided on, or has ended",
        RefusalCode::BadText => "title or aim is empty, too long, or not plain text",
        RefusalCode::NotByRules => {
            "the rules let research read not all of these categories; see `rules show`"
        }
        other => return other.to_string(),
    };
    words.to_owned()
}
