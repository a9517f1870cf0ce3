//! The named bounds of everything that a peer can make this crate hold, decode or check.

use amulet_protocol::limits::BLOCK_BYTES_MAX;

/// Most heights that may be in flight at once, above the last committed one; `Config::with_depth` says how many are. Bounds
/// the size of view-changes, and the blocks that are held executed and uncommitted.
pub const PIPELINE_DEPTH_MAX: u64 = 16;

/// Heights in flight that suit most networks: enough to keep the processors busy over 40 ms of distance.
pub const PIPELINE_DEPTH_DEFAULT: u64 = 8;

/// Largest block that is ordered, in bytes of its encoding: the largest that the ledger has.
pub const PAYLOAD_BYTES_MAX: usize = BLOCK_BYTES_MAX;

/// Bytes of a proposal with its signer and signature: a pre-prepare without its payload.
const PRE_PREPARE_BYTES: usize = 2 + (8 + 8 + 3 * 32) + 64;

/// Bytes of a quorum's signatures with their signers: a quorum of 100 validators is 67.
const QUORUM_BYTES: usize = 4 + 67 * (2 + 64);

/// Bytes of a view-change of 100 validators that shows a base and `PIPELINE_DEPTH_MAX` prepared certificates.
const VIEW_CHANGE_BYTES_MAX: usize = 2
    + 8
    + (1 + 48 + QUORUM_BYTES)
    + (4 + PIPELINE_DEPTH_MAX as usize * (PRE_PREPARE_BYTES + QUORUM_BYTES))
    + 64;

/// Largest encoded message, in bytes: a new-view of 100 validators at full depth, which is 67 of the largest view-changes
/// and the proposals that follow from them, 5 MiB in all; larger than a pre-prepare with the largest payload.
pub const MESSAGE_BYTES_MAX: usize =
    67 * VIEW_CHANGE_BYTES_MAX + PIPELINE_DEPTH_MAX as usize * PRE_PREPARE_BYTES + 64 * 1024;

const _: () = assert!(MESSAGE_BYTES_MAX >= PAYLOAD_BYTES_MAX + 1024, "a pre-prepare with its block fits");

/// Messages of one replica that are kept because they belong to a view or height this replica has not reached: the votes
/// of twice the largest depth. What is dropped is sent again after a status message.
pub const FUTURE_MESSAGES_PER_REPLICA: usize = 4 * PIPELINE_DEPTH_MAX as usize;

/// Of those, messages that carry a payload.
pub const FUTURE_PAYLOADS_PER_REPLICA: usize = 2;

/// Payloads of each height in flight that are kept beyond their view, so that a later view can be given them: one for
/// each of the last views in which this replica voted for a different block.
pub const RETAINED_PAYLOADS: usize = 4;

/// Payloads that a primary sends again in answer to one status message, the lowest first.
pub const PAYLOADS_PER_ANSWER: usize = 2;

/// Replicas that answer one status message with the new-view that its sender lacks. Any of them may be faulty; others take
/// their turn with the next heartbeat.
pub const NEW_VIEW_ANSWERS: u64 = 4;

/// Checkpoints that may be open at once; bounds the window, and with it the table of checkpoint votes.
pub const OPEN_CHECKPOINTS_MAX: u64 = 16;

/// Doublings of the view-change timeout after which it stays as it is, whatever the configured maximum.
pub const BACKOFF_DOUBLINGS_MAX: u32 = 16;
