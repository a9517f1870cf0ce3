//! The named bounds of everything that a peer can make this crate hold, decode or check.

use amulet_protocol::limits::BLOCK_BYTES_MAX;

/// Most heights that may be in flight at once, above the last committed one; `Config::with_depth` says how many are. Bounds
/// the size of view-changes, and the blocks that are held executed and uncommitted.
pub const PIPELINE_DEPTH_MAX: u64 = 16;

/// Heights in flight that suit most networks: enough to keep the processors busy over 40 ms of distance.
pub const PIPELINE_DEPTH_DEFAULT: u64 = 8;

/// Largest block that is ordered, in bytes of its encoding: the largest that the ledger has.
pub const PAYLOAD_BYTES_MAX: usize = BLOCK_BYTES_MAX;

/// Largest encoded message, in bytes: one payload, or a new-view message of 100 validators (67 view-change messages
/// of about 9 KiB), and room for the envelope.
pub const MESSAGE_BYTES_MAX: usize = PAYLOAD_BYTES_MAX + 64 * 1024;

/// Messages of one replica that are kept because they belong to a view or height this replica has not reached.
/// Enough for the votes of the next few heights; what is dropped is sent again after a status message.
pub const FUTURE_MESSAGES_PER_REPLICA: usize = 16;

/// Of those, messages that carry a payload: the next proposal and one more.
pub const FUTURE_PAYLOADS_PER_REPLICA: usize = 2;

/// Payloads of the height in flight that are kept beyond their view, so that a later view can be given them: one for
/// each of the last views in which this replica voted for a different block.
pub const RETAINED_PAYLOADS: usize = 4;

/// Checkpoints that may be open at once; bounds the window, and with it the table of checkpoint votes.
pub const OPEN_CHECKPOINTS_MAX: u64 = 16;

/// Doublings of the view-change timeout after which it stays as it is, whatever the configured maximum.
pub const BACKOFF_DOUBLINGS_MAX: u32 = 16;
