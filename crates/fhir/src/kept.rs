//! Duplicates and versions: which entries say the same, and which of two that differ is kept.

use std::collections::BTreeMap;

use crate::entry::{Head, Unreadable, is_usable_id};
use crate::identity::Names;
use crate::intake::have_different_addresses;
use crate::json::Json;
use crate::refusal::RefusalReason;

/// Same meaning, whatever the white space and the order of members. Texts of very different length are not read
/// again, or many small copies beside one large resource would cost a sender nothing and us hours.
fn is_same_content(a: &str, b: &str) -> bool {
    let is_alike = a.len() / 4 <= b.len() && b.len() / 4 <= a.len();
    a == b
        || is_alike
            && matches!((Json::from_valid(a), Json::from_valid(b)), (Ok(a), Ok(b)) if a.is_same_as(&b))
}

/// What becomes of one entry.
pub(crate) enum Verdict {
    Kept(String),
    Refused(RefusalReason),
}

/// What was kept so far, to find duplicates and other versions.
#[derive(Default)]
pub(crate) struct Kept<'a> {
    /// Entry by (type, id).
    by_id: BTreeMap<(String, String), usize>,
    /// Entry by content, for resources without any identity.
    nameless: BTreeMap<&'a str, usize>,
    /// Entries that were kept first and gave way to a newer version.
    pub replaced: BTreeMap<usize, RefusalReason>,
}

impl<'a> Kept<'a> {
    pub(crate) fn judge(
        &mut self,
        heads: &[Result<Head<'a>, Unreadable>],
        index: usize,
        names: &Names,
    ) -> Verdict {
        // The refusal of an unreadable entry is already written; its verdict is not used.
        let Ok(head) = &heads[index] else { return Verdict::Refused(RefusalReason::NotAnObject) };
        if let Err(reason) = names.judge(&head.subjects) {
            return Verdict::Refused(reason);
        }
        if head.own_id.is_none() && head.full_url.is_none() {
            if let Some(first) = self.nameless.get(head.raw) {
                return Verdict::Refused(RefusalReason::Duplicate { first: format!("entry[{first}]") });
            }
            self.nameless.insert(head.raw, index);
        }
        let id =
            head.own_id.clone().or_else(|| id_from_url(head)).unwrap_or_else(|| made_id(index, head.raw));
        let key = (head.resource_type.clone(), id.clone());
        let Some((other, previous)) =
            self.by_id.get(&key).and_then(|at| Some((*at, heads[*at].as_ref().ok()?)))
        else {
            self.by_id.insert(key, index);
            return Verdict::Kept(id);
        };
        if is_same_content(previous.raw, head.raw) {
            Verdict::Refused(RefusalReason::Duplicate { first: previous.label.clone() })
        } else if have_different_addresses(previous, head) {
            // Two servers use the same id for two different things: both stay, the second under an id of its own.
            let id = made_id(index, head.raw);
            self.by_id.insert((head.resource_type.clone(), id.clone()), index);
            Verdict::Kept(id)
        } else {
            let reason = RefusalReason::ConflictingVersion { kept: head.label.clone() };
            if matches!((head.updated, previous.updated), (Some(new), Some(old)) if new > old) {
                self.replaced.insert(other, reason);
                self.by_id.insert(key, index);
                Verdict::Kept(id)
            } else {
                Verdict::Refused(reason)
            }
        }
    }
}

/// The last part of a `fullUrl`: `urn:uuid:…` or `https://host/fhir/Type/id`.
fn id_from_url(head: &Head<'_>) -> Option<String> {
    let url = head.full_url.as_deref()?;
    let last = url.rsplit(['/', ':']).next()?;
    is_usable_id(last).then(|| last.to_owned())
}

/// An id for a resource that has none: its place and a fingerprint of its content, so that the same bundle sent twice
/// gives the same ids. It need not resist forgery: the place alone makes it unique.
fn made_id(index: usize, raw: &str) -> String {
    // FNV-1a, 64 bit.
    let fingerprint = raw.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("entry-{index}-{fingerprint:016x}")
}
