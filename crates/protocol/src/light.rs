//! The questions of a light client and a node's answers: the same bytes over libp2p and over HTTP.
//!
//! Nothing in an answer is to be believed: every type here is untrusted, and the light client checks each against a
//! header that it verified.

use crate::calls::{DeclarationId, GrantId};
use crate::certificate::UntrustedSignedHeader;
use crate::fork::UntrustedFork;
use crate::grant_keys::SealedKeys;
use crate::history::HistoryEntry;
use crate::ids::{BlobId, ChainId, Did, Epoch, HeaderHash, Height, Timestamp, TxId, View};
use crate::links::{LinkRefusal, LinkRequest, LinkStatus, UntrustedLinkRequest};
use crate::merkle::{UntrustedListBatch, UntrustedListProof};
use crate::range::{UntrustedRangeBatch, UntrustedRangeProof};
use crate::receipt::Receipt;
use crate::rules::ExplainedReading;
use crate::state::StateKey;
use crate::state_batch::UntrustedStateBatch;
use crate::state_tree::UntrustedStateProof;
use crate::transaction::UntrustedTransaction;
use crate::validators::ValidatorSet;
use alloc::boxed::Box;
use alloc::vec::Vec;
use amulet_crypto::digest::Digest;
use amulet_crypto::signing::{PublicKey, Signature, SigningContext, SigningKey};
use borsh::{BorshDeserialize, BorshSerialize};

/// A question to a node.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum LightRequest {
    /// The newest certified header.
    Latest,
    /// The certified header at a height.
    HeaderAt(Height),
    /// A proof that the header at `older` is in the range of the header at `newer`.
    RangeProof {
        /// Height to prove.
        older: Height,
        /// Height of the header whose range is used.
        newer: Height,
    },
    /// Values and proofs for keys, against the state after block `height`.
    State {
        /// Block.
        height: Height,
        /// At most [`STATE_KEYS_PER_REQUEST_MAX`](crate::limits::STATE_KEYS_PER_REQUEST_MAX) keys.
        keys: Vec<StateKey>,
    },
    /// Entries of a personal history, from number `from` on, up to those of block `height`.
    History {
        /// Whose.
        did: Did,
        /// First number wanted; numbers start at 1.
        from: u64,
        /// Entries of later blocks are left out.
        height: Height,
    },
    /// Transactions by identity, at most
    /// [`TRANSACTIONS_PER_REQUEST_MAX`](crate::limits::TRANSACTIONS_PER_REQUEST_MAX).
    Transactions(Vec<TxId>),
    /// The receipt of a transaction, with proof; answers [`LightResponse::NotFound`] until it is committed.
    Receipt(TxId),
    /// Take a transaction and pass it on to the validators.
    Submit(UntrustedTransaction),
    /// Ciphertexts, for somebody who may have them.
    Read(UntrustedReadRequest),
    /// Keep a ciphertext for a card.
    Upload(UntrustedUpload),
    /// How an epoch ended; answers [`LightResponse::NotFound`] while it is in force.
    EpochEnd(Epoch),
    /// As [`LightRequest::State`], with one proof for all keys, which must be different.
    StateBatch {
        /// Block.
        height: Height,
        /// At most [`STATE_KEYS_PER_REQUEST_MAX`](crate::limits::STATE_KEYS_PER_REQUEST_MAX) keys.
        keys: Vec<StateKey>,
    },
    /// Several certified headers, with one proof that all are in the range of the header at `newer`.
    Headers {
        /// Ascending, from 1 and below `newer`, at most
        /// [`HEADERS_PER_REQUEST_MAX`](crate::limits::HEADERS_PER_REQUEST_MAX).
        heights: Vec<Height>,
        /// Height of the header whose range is used.
        newer: Height,
    },
    /// Receipts of several transactions of one block, with one proof for all; answers [`LightResponse::NotFound`] unless
    /// every one is in that block.
    Receipts {
        /// The block.
        height: Height,
        /// At most [`LIST_BATCH_MAX`](crate::limits::LIST_BATCH_MAX), all different.
        transactions: Vec<TxId>,
    },
    /// The same with the set that certified the end, for a client that does not know it.
    EpochEndWithSet(Epoch),
    /// The validator set that certifies the block at a height.
    Validators(Height),
    /// A run of headers for somebody who checks one after another.
    HeaderRun {
        /// First height.
        from: Height,
        /// How many, at most [`HEADER_RUN_MAX`](crate::limits::HEADER_RUN_MAX); as many as there are.
        count: u16,
    },
    /// Two certified headers that exclude each other, for a node to check and to act on; answers
    /// [`LightResponse::NotFound`] from a node that does not have the blocks yet that it would compare them with.
    ReportFork(Box<UntrustedFork>),
    /// As [`LightRequest::Latest`], from somebody who has the header with this hash: answers [`LightResponse::Unchanged`] if
    /// that is the newest.
    LatestUnless(HeaderHash),
    /// One proof that the headers at several heights, which the asker has, are in the range of the header at `newer`.
    RangeBatch {
        /// Ascending, from 1 and below `newer`, at most
        /// [`HEADERS_PER_REQUEST_MAX`](crate::limits::HEADERS_PER_REQUEST_MAX).
        heights: Vec<Height>,
        /// Height of the header whose range is used.
        newer: Height,
    },
    /// The grants for the staff of the hospital that is asked, for one of them; the ground is
    /// [`ReadGround::Own`] and no ciphertext is named.
    StaffGrants(UntrustedReadRequest),
    /// The keys of the records that a committed use of such a grant names, for whom it is by; the ground is the use, and no
    /// ciphertext is named.
    StaffKeys(UntrustedReadRequest),
    /// What the rule book in force says of a reading, now, of all that a grant opens.
    ExplainReading {
        /// The grant, which is for the asker.
        grant: GrantId,
        /// Who asks and would read; the ground is [`ReadGround::Own`] and no ciphertext is named.
        by: UntrustedReadRequest,
    },
    /// A piece of one ciphertext, which may be too large to come whole; answers [`LightResponse::NotFound`] where there is no copy, or
    /// no such byte.
    ReadPiece {
        /// Who asks, for one ciphertext.
        request: UntrustedReadRequest,
        /// The first byte wanted.
        from: u64,
        /// How many, at most [`PIECE_BYTES_MAX`](crate::limits::PIECE_BYTES_MAX); fewer come at the end.
        length: u32,
    },
    /// A patient's order about SMART Health Links that the hospital which is asked serves.
    Links(UntrustedLinkRequest),
}

/// A node's answer.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum LightResponse {
    /// To [`LightRequest::Latest`] and [`LightRequest::HeaderAt`].
    Header(Box<UntrustedSignedHeader>),
    /// To [`LightRequest::RangeProof`].
    RangeProof(UntrustedRangeProof),
    /// To [`LightRequest::State`], in the order of the keys.
    State(Vec<UntrustedStateProof>),
    /// To [`LightRequest::History`]; at most
    /// [`HISTORY_ENTRIES_PER_RESPONSE_MAX`](crate::limits::HISTORY_ENTRIES_PER_RESPONSE_MAX), ask again for the rest.
    History(Vec<HistoryEntry>),
    /// To [`LightRequest::Transactions`], in the order asked; a prefix if the answer would grow too large.
    Transactions(Vec<UntrustedTransaction>),
    /// To [`LightRequest::Receipt`].
    Receipt(Box<UntrustedReceiptProof>),
    /// To [`LightRequest::Submit`]: taken; says nothing about its fate.
    Submitted(TxId),
    /// To [`LightRequest::Read`], in the order asked; `None` where this node has no copy; a prefix if the answer would
    /// grow too large.
    Blobs(Vec<Option<Vec<u8>>>),
    /// To [`LightRequest::Upload`].
    Uploaded(BlobId),
    /// The node has no such thing (yet).
    NotFound,
    /// The node refuses.
    Refused(LightRefusal),
    /// To [`LightRequest::EpochEnd`].
    EpochEnd(Box<UntrustedEpochEnd>),
    /// To [`LightRequest::StateBatch`].
    StateBatch(UntrustedStateBatch),
    /// To [`LightRequest::Headers`].
    Headers(Box<UntrustedHeaders>),
    /// To [`LightRequest::Receipts`].
    Receipts(Box<UntrustedReceipts>),
    /// To [`LightRequest::EpochEndWithSet`], with both sets.
    EpochEndWithSet(Box<UntrustedStep>),
    /// To [`LightRequest::Validators`].
    Validators(Box<ValidatorSet>),
    /// To [`LightRequest::HeaderRun`].
    HeaderRun(Box<UntrustedHeaderRun>),
    /// To [`LightRequest::ReportFork`]: it is one.
    ForkFound(ForkFinding),
    /// To [`LightRequest::LatestUnless`]: the newest certified header is the one named. Like any header that is shown, it
    /// may be said by a node that does not have it.
    Unchanged,
    /// To [`LightRequest::RangeBatch`].
    RangeBatch(UntrustedRangeBatch),
    /// To [`LightRequest::StaffGrants`]: those that may run now, newest first, at most
    /// [`STAFF_GRANTS_PER_RESPONSE_MAX`](crate::limits::STAFF_GRANTS_PER_RESPONSE_MAX).
    StaffGrants(Vec<GrantId>),
    /// To [`LightRequest::StaffKeys`]: sealed to the reader, as
    /// [`KeyBinding::Handover`](crate::grant_keys::KeyBinding::Handover).
    StaffKeys(Box<SealedKeys>),
    /// To [`LightRequest::ExplainReading`].
    ReadingExplained(Box<ExplainedReading>),
    /// To [`LightRequest::ReadPiece`]. Nobody has held it against a digest: the seal of each chunk shows what is genuine.
    Piece {
        /// Bytes of the whole ciphertext.
        size: u64,
        /// The piece.
        bytes: Vec<u8>,
    },
    /// To [`LightRequest::Links`]: all links of the patient, newest first, at most
    /// [`LINKS_PER_PATIENT_MAX`](crate::links::LINKS_PER_PATIENT_MAX).
    Links(Vec<LinkStatus>),
}

/// What a node concluded from a fork that it checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum ForkFinding {
    /// So many validators signed both sides in one view: evidence that convicts each goes on the ledger.
    Convicts {
        /// How many.
        validators: u16,
    },
    /// The sides are of different views, which convicts nobody by itself; the node's operator is told.
    Suspects {
        /// How many validators signed both.
        validators: u16,
    },
}

/// Why a node refuses to answer.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize, thiserror::Error)]
pub enum LightRefusal {
    /// The request could not be decoded, or breaks a limit.
    #[error("the request is malformed or too large")]
    Malformed,
    /// The transaction cannot be taken: bad signature, other chain, too large.
    #[error("the transaction was not accepted")]
    BadTransaction,
    /// The transaction is certain to be refused; the code is the ledger's.
    #[error("the ledger would refuse the transaction: {0}")]
    WouldRefuse(crate::receipt::RefusalCode),
    /// The node's queue is full; try again later.
    #[error("the node is busy")]
    Busy,
    /// The signed request is from another time than the node's clock.
    #[error("the request is dated {dated}, the node's clock says {now}")]
    Clock {
        /// Date in the request.
        dated: Timestamp,
        /// The node's clock.
        now: Timestamp,
    },
    /// The signature or the key is wrong.
    #[error("the request is not signed by {did}")]
    NotSigned {
        /// Who is said to ask.
        did: Did,
    },
    /// Nothing on the ledger allows this access now.
    #[error("access is not allowed: {0:?}")]
    NotAllowed(AccessRefusal),
    /// The pruned part of the ledger was asked for.
    #[error("block {height} is not kept here")]
    Pruned {
        /// Height asked for.
        height: Height,
    },
    /// Two headers that were reported as a fork prove none, or are not certified by validators of this chain.
    #[error("the two headers prove no fork")]
    NoFork,
    /// An order about links was not carried out.
    #[error(transparent)]
    Link(LinkRefusal),
}

/// Why a node releases no ciphertext.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum AccessRefusal {
    /// The grant or declaration is unknown or somebody else's.
    Unknown,
    /// The grant or declaration has ended.
    Ended,
    /// The grant was taken back, or the card revoked.
    Revoked,
    /// No committed use of the grant covers this record.
    NotDeclared,
    /// The ciphertext is not part of what was opened.
    NotCovered,
    /// The patient paused the grant.
    Paused,
}

/// On what ground ciphertexts are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum ReadGround {
    /// The reader's own records.
    Own,
    /// A grant, by the transaction that recorded its use.
    Grant {
        /// The grant.
        grant: GrantId,
        /// The committed use.
        used_by: TxId,
    },
    /// An emergency declaration.
    Emergency(DeclarationId),
}

/// A request for ciphertexts.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ReadRequest {
    /// The chain.
    pub chain: ChainId,
    /// Who asks.
    pub reader: Did,
    /// The organisation that is asked, so that the request is worth nothing elsewhere.
    pub holder: Did,
    /// Ground.
    pub ground: ReadGround,
    /// Ciphertexts, at most [`BLOBS_PER_REQUEST_MAX`](crate::limits::BLOBS_PER_REQUEST_MAX).
    pub blobs: Vec<BlobId>,
    /// When it was signed.
    pub time: Timestamp,
}

/// A signed read request as received.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct UntrustedReadRequest {
    /// The request.
    pub request: ReadRequest,
    /// Key said to have signed.
    pub key: PublicKey,
    /// Signature.
    pub signature: Signature,
}

/// A wish to have a ciphertext kept for a card.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Upload {
    /// The chain.
    pub chain: ChainId,
    /// Who uploads.
    pub owner: Did,
    /// The organisation that is asked.
    pub holder: Did,
    /// When it was signed.
    pub time: Timestamp,
    /// The ciphertext, at most [`UPLOAD_BYTES_MAX`](crate::limits::UPLOAD_BYTES_MAX).
    pub ciphertext: Vec<u8>,
}

/// A signed upload as received.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct UntrustedUpload {
    /// The upload.
    pub upload: Upload,
    /// Key said to have signed.
    pub key: PublicKey,
    /// Signature.
    pub signature: Signature,
}

/// A practitioner's wish that their hospital takes a FHIR file in for a patient; goes with the file over HTTP, see
/// [`INTAKE_SCHEME`].
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct IntakeRequest {
    /// The chain.
    pub chain: ChainId,
    /// Who brings the file.
    pub practitioner: Did,
    /// The hospital that is asked: the practitioner's employer.
    pub hospital: Did,
    /// Whose records the file holds.
    pub patient: Did,
    /// SM3 of the file.
    pub body_digest: Digest,
    /// When it was signed.
    pub time: Timestamp,
}

/// A signed intake request as received.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct UntrustedIntakeRequest {
    /// The request.
    pub request: IntakeRequest,
    /// Key said to have signed.
    pub key: PublicKey,
    /// Signature.
    pub signature: Signature,
}

/// Scheme of the `Authorization` header of `POST /fhir?patient=<did>`: `Amulet <base64 of the borsh encoding of an`
/// [`UntrustedIntakeRequest`]`>`.
pub const INTAKE_SCHEME: &str = "Amulet";

/// How one validator set gave way to the next: who knows the old one can check the new one by it.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct UntrustedEpochEnd {
    /// The epoch's last block, certified by its set; it names the hash of the next.
    pub header: UntrustedSignedHeader,
    /// The set that is said to have that hash.
    pub next: ValidatorSet,
}

/// One step along the validator sets of a chain: a header and what is needed to check it without knowing the sets before.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct UntrustedStep {
    /// The certified header.
    pub header: UntrustedSignedHeader,
    /// The set that is said to certify it; `None` to somebody who knows it.
    pub validators: Option<ValidatorSet>,
    /// The set that is said to certify the next block, if the header ends an epoch.
    pub next: Option<ValidatorSet>,
}

impl From<UntrustedEpochEnd> for UntrustedStep {
    fn from(end: UntrustedEpochEnd) -> Self {
        Self { header: end.header, validators: None, next: Some(end.next) }
    }
}

/// Certified headers at heights that follow one another.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct UntrustedHeaderRun {
    /// The headers, ascending.
    pub headers: Vec<UntrustedSignedHeader>,
    /// For each of them that ends an epoch, the set that comes next.
    pub next: Vec<ValidatorSet>,
}

/// A receipt with the proof that it is in a block.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct UntrustedReceiptProof {
    /// The block's certified header.
    pub header: UntrustedSignedHeader,
    /// The receipt.
    pub receipt: Receipt,
    /// Proof under the header's receipts root.
    pub proof: UntrustedListProof,
}

/// Certified headers with one proof that they are in a newer one's range.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct UntrustedHeaders {
    /// In the order of the heights.
    pub headers: Vec<UntrustedSignedHeader>,
    /// Proof under the newer header's range root.
    pub proof: UntrustedRangeBatch,
}

/// Receipts with one proof that they are in a block.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct UntrustedReceipts {
    /// The block's certified header.
    pub header: UntrustedSignedHeader,
    /// In the order in which they stand in the block.
    pub receipts: Vec<Receipt>,
    /// Proof under the header's receipts root.
    pub proof: UntrustedListBatch,
}

/// What a node says of itself; for people, never for decisions.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct NodeStatus {
    /// Newest committed height.
    pub height: Height,
    /// Current view.
    pub view: View,
}

/// Why a signed request was refused by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the request's signature does not verify")]
pub struct RequestSignatureError;

macro_rules! signed_request {
    ($plain:ident, $untrusted:ident, $field:ident, $context:ident) => {
        impl $plain {
            /// Signs the request.
            #[must_use]
            pub fn sign(self, key: &SigningKey) -> $untrusted {
                let bytes = crate::codec::encode(&self);
                let signature = key.sign(SigningContext::$context, &self.chain.tag(), &bytes);
                $untrusted { key: key.public_key().clone(), signature, $field: self }
            }
        }

        impl $untrusted {
            /// Checks the signature against the key the request carries, under the verifier's own chain. Whether the
            /// key speaks for the DID is for the ledger's state to say.
            ///
            /// # Errors
            /// [`RequestSignatureError`].
            pub fn verify(&self, chain: ChainId) -> Result<&$plain, RequestSignatureError> {
                let bytes = crate::codec::encode(&self.$field);
                if self.$field.chain != chain {
                    return Err(RequestSignatureError);
                }
                self.key
                    .verify(SigningContext::$context, &chain.tag(), &bytes, &self.signature)
                    .map_err(|_| RequestSignatureError)?;
                Ok(&self.$field)
            }
        }
    };
}

signed_request!(ReadRequest, UntrustedReadRequest, request, ReadRequest);
signed_request!(Upload, UntrustedUpload, upload, Upload);
signed_request!(LinkRequest, UntrustedLinkRequest, request, LinkRequest);
signed_request!(IntakeRequest, UntrustedIntakeRequest, request, IntakeRequest);
