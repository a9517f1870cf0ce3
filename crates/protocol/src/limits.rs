//! Every bound of the protocol, each with its unit and the reason for the number.

/// Bytes of an encoded transaction. A full FHIR history of 4,096 records, each with about 250 bytes of registration,
/// fits into one transaction, so that it is registered whole or not at all.
pub const TRANSACTION_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Bytes of the transactions of one block; two full-size transactions, so that one large sender cannot fill a block.
pub const BLOCK_TRANSACTIONS_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Transactions in one block.
pub const BLOCK_TRANSACTIONS_MAX: usize = 2_000;
/// Bytes of an encoded block: its transactions and room for the header.
pub const BLOCK_BYTES_MAX: usize = BLOCK_TRANSACTIONS_BYTES_MAX + 64 * 1024;
/// Records registered by one transaction.
pub const RECORDS_PER_TRANSACTION_MAX: usize = 4_096;
/// Records that one grant opens.
pub const RECORDS_PER_GRANT_MAX: usize = 10_000;
/// Bytes of the plaintext of one record; with its seal it fits into one answer of a node.
pub const RECORD_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Grants of one patient that open records to come; the keys of every new record go to each of their readers.
pub const STANDING_GRANTS_MAX: usize = 32;
/// Grants for a hospital's staff that one answer names.
pub const STAFF_GRANTS_PER_RESPONSE_MAX: usize = 1_000;
/// Emergencies that one practitioner can declare within a day. Far more than anybody treats; a stolen key is worth no more than this.
pub const DECLARATIONS_PER_DAY_MAX: usize = 48;
/// Emergencies declared within a day at which the practitioner's employer is alarmed, at each that follows too.
pub const DECLARATIONS_PER_DAY_ALARM: usize = 12;
/// Records named by one request, order, refusal or receipt of an erasure.
pub const RECORDS_PER_ERASURE_MAX: usize = 256;
/// How long a hospital has to answer a patient who asks to have records erased: 30 days in milliseconds.
pub const ERASURE_ANSWER_TIME_MS: u64 = 30 * 24 * 3_600_000;
/// How long the holders of an erased record have to confirm: 7 days in milliseconds.
pub const ERASURE_TIME_MS: u64 = 7 * 24 * 3_600_000;
/// How far ahead a hospital can keep a record against its patient's wish: 50 years in milliseconds, more than the 30 years for which
/// the law has records of inpatients kept.
pub const ERASURE_KEPT_TIME_MAX_MS: u64 = 50 * 366 * 24 * 3_600_000;
/// A day, over which declarations are counted, in milliseconds.
pub const DECLARATION_WINDOW_MS: u64 = 24 * 3_600_000;
/// How long the declarer's employer has to review a declaration: 7 days in milliseconds.
pub const EMERGENCY_REVIEW_TIME_MS: u64 = 7 * 24 * 3_600_000;
/// Hospitals that hold one ciphertext.
pub const HOLDERS_MAX: usize = 8;
/// Bytes of a name or department on the ledger.
pub const NAME_BYTES_MAX: usize = 120;
/// Bytes of a sealed note to a patient (200 characters of up to 4 bytes, and the seal).
pub const SEALED_NOTE_BYTES_MAX: usize = 1_024;
/// Bytes of a key sealed to one person.
pub const SEALED_KEY_BYTES_MAX: usize = 256;
/// Bytes of the encrypted key list of a grant: 10,000 keys of 48 bytes, and the seal.
pub const GRANT_ENVELOPE_BYTES_MAX: usize = RECORDS_PER_GRANT_MAX * 48 + 1_024;
/// Categories in one request; there are 16 kinds.
pub const CATEGORIES_MAX: usize = 16;
/// Organisations in a genesis document.
pub const ORGANISATIONS_MAX: usize = 1_000;
/// Bytes of an encoded genesis document.
pub const GENESIS_BYTES_MAX: usize = 1024 * 1024;
/// How far back out-of-order nonces of one sender are remembered; also the transactions one sender can have in flight.
pub const NONCE_WINDOW: u64 = 256;
/// Longest time a patient is given to answer a request: 90 days in milliseconds.
pub const ANSWER_TIME_MAX_MS: u64 = 90 * 24 * 3_600_000;
/// Longest time-bound access: one year in milliseconds.
pub const ACCESS_TIME_MAX_MS: u64 = 366 * 24 * 3_600_000;
/// How long after the end of a grant its reader may take to delete what was read, unless the patient set another date: 30
/// days in milliseconds, so that a clinic's backups have gone round.
pub const DELETION_TIME_MS: u64 = 30 * 24 * 3_600_000;
/// The least time that a reader is left to delete after the end of a grant, whatever date the patient sets: 7 days in milliseconds.
pub const DELETION_NOTICE_MS: u64 = 7 * 24 * 3_600_000;
/// How long after a stated use the vaults give the ciphertexts that it names: one hour in milliseconds. Who reads again states it
/// again, so that uses can be counted and limited.
pub const USE_TIME_MS: u64 = 3_600_000;
/// Changes of one grant by its patient; each is an event that its reader's wallet has to follow. It can always be taken back.
pub const CHANGES_PER_GRANT_MAX: u32 = 256;
/// How long after a grant's last day a patient may let its reader keep what was read: ten years in milliseconds.
pub const KEEPING_TIME_MAX_MS: u64 = 3_660 * 24 * 3_600_000;
/// Shortest and longest emergency access a patient's policy can set: one hour to three days, in milliseconds.
pub const EMERGENCY_TIME_MS: core::ops::RangeInclusive<u64> = 3_600_000..=72 * 3_600_000;
/// How long a proposal can be approved: 30 days in milliseconds, so that every board meets once.
pub const PROPOSAL_TIME_MS: u64 = 30 * 24 * 3_600_000;
/// Bytes of a rule book: 256 rules of 500 bytes. Each access compares the text with the one that was parsed.
pub const RULE_BOOK_BYTES_MAX: usize = 128 * 1024;
/// Rules in a rule book; each is evaluated for each kind of record of an access.
pub const RULES_MAX: usize = 256;
/// Bytes of one rule with its sentences and the comments before it.
pub const RULE_BYTES_MAX: usize = 2_048;
/// How deep brackets nest in one rule. With [`RULE_OPERATORS_MAX`] it bounds how deep a parser descends, whatever its stack.
pub const RULE_NESTING_MAX: usize = 16;
/// Operators in one rule, each of which can be one level more.
pub const RULE_OPERATORS_MAX: usize = 256;
/// Kinds of records in one access: 16 categories of some classes from many hospitals. Each is one question to the rule book.
pub const RECORD_KINDS_PER_ACCESS_MAX: usize = 256;
/// Kinds of records that a node explains at once: a few milliseconds each with many rules.
pub const RULED_KINDS_MAX: usize = 64;
/// Bytes of a study's title: 80 Chinese characters.
pub const STUDY_TITLE_BYTES_MAX: usize = 240;
/// Bytes of a study's aim: 600 Chinese characters, which a patient reads in two minutes.
pub const STUDY_AIM_BYTES_MAX: usize = 1_800;
/// How long a study may last: five years in milliseconds. A longer one asks its board, and its participants, again.
pub const STUDY_TIME_MAX_MS: u64 = 5 * 366 * 24 * 3_600_000;
/// Open studies of the whole consortium: as many state keys as a wallet asks for at once.
pub const STUDIES_OPEN_MAX: usize = STATE_KEYS_PER_REQUEST_MAX;
/// Replacements of one identity's keys: each leaves an entry in the state for good, and nobody loses a device every month for
/// ten years.
pub const KEY_REPLACEMENTS_MAX: u32 = 100;
/// Bytes of the sealed box that carries the seed before: the seed's 64 bytes and what a box adds, rounded up.
pub const FORMER_SEED_BOX_BYTES_MAX: usize = 256;
/// Open proposals of one organisation; with at most 100 organisations in the set, 400 in all.
pub const PROPOSALS_PER_ORGANISATION_MAX: usize = 4;
/// Blocks that a change of the validator set may be planned ahead, so that a decided one does not stand in the way of
/// others for ever.
pub const CHANGE_AHEAD_BLOCKS_MAX: u64 = 10_000;
/// Time between two replacements of one validator's key by its organisation alone: one hour in milliseconds. Each starts
/// an epoch, which costs the others a pause, so one member must not be able to do it with every block.
pub const ROTATION_INTERVAL_MS: u64 = 3_600_000;
/// Proofs kept against one validator of one epoch: it takes one to convict, and a faulty one could make any number.
pub const EVIDENCE_PER_VALIDATOR_MAX: usize = 16;
/// Organisations that one report speaks of; who knows more reports another choice of them the next time. Each line rewrites
/// up to 6 KB of state.
pub const SERVICE_LINES_MAX: usize = 16;
/// Days between two reports of one client: often enough for a half-life of two weeks, and a wallet that shows itself on the
/// ledger once a week says less than one that does so each day.
pub const REPORT_INTERVAL_DAYS: u32 = 7;
/// Hospitals whose clients are heard of one organisation: as many as can validate.
pub const VOICES_MAX: usize = crate::quorum::VALIDATORS_MAX;

/// Addresses of one organisation's nodes: two nodes by TCP and QUIC over IPv4 and IPv6.
pub const ADDRESSES_PER_ORGANISATION_MAX: usize = 8;
/// Bytes of one address: a host name of 150 characters with everything around it.
pub const ADDRESS_BYTES_MAX: usize = 256;
/// How long published addresses count, at most: 90 days, so that clients do not try those of a node that is gone for years.
pub const ADDRESSES_TIME_MAX_MS: u64 = 90 * 24 * 3_600_000;

/// Bytes of a question to a node, except for an upload.
pub const LIGHT_REQUEST_BYTES_MAX: usize = TRANSACTION_BYTES_MAX + 64 * 1024;
/// Bytes of an answer of a node.
pub const LIGHT_RESPONSE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Headers in one answer that follow one another: with certificates of 100 validators each has 7 kB, so that they fill half an answer and the sets
/// that follow on them find room.
pub const HEADER_RUN_MAX: usize = 512;
/// State keys asked for at once.
pub const STATE_KEYS_PER_REQUEST_MAX: usize = 256;
/// Headers proven in one range at once; with a certificate of a hundred signatures each, under 2 MiB.
pub const HEADERS_PER_REQUEST_MAX: usize = 256;
/// Items of one block's list proven at once.
pub const LIST_BATCH_MAX: usize = 256;
/// History entries in one answer.
pub const HISTORY_ENTRIES_PER_RESPONSE_MAX: usize = 1_000;
/// Transactions asked for at once.
pub const TRANSACTIONS_PER_REQUEST_MAX: usize = 64;
/// Ciphertexts asked for at once.
pub const BLOBS_PER_REQUEST_MAX: usize = 128;
/// Bytes of ciphertext in one answer; the rest is asked for again.
pub const BLOBS_BYTES_PER_RESPONSE_MAX: usize = 6 * 1024 * 1024;
/// Bytes of one piece of a large ciphertext.
pub const PIECE_BYTES_MAX: u32 = 1024 * 1024;
/// Bytes of a ciphertext that a wallet may upload: an emergency summary.
pub const UPLOAD_BYTES_MAX: usize = 256 * 1024;
/// How long a signed read request is valid, in milliseconds either side of the node's clock.
pub const READ_REQUEST_AGE_MAX_MS: u64 = 120_000;
/// Bytes of a signed header as a file: a hundred signatures of 66 bytes, and the header.
pub const SIGNED_HEADER_BYTES_MAX: usize = 16 * 1024;
/// Bytes of a validator set as a file: a hundred validators of at most 150 bytes.
pub const VALIDATOR_SET_BYTES_MAX: usize = 16 * 1024;
