//! System notices: what of the inbox is new and needs the person, in words so general that bystanders may read them.

use amulet_app_api::ApiError;
use amulet_app_api::desktop::{NoticesView, SetNotices};
use amulet_app_api::inbox::InboxNews;
use std::collections::BTreeSet;

use super::Service;
use super::error::storage;
use super::inbox::Items;
use super::session::Person;

/// File with what was chosen, for all wallets of the device.
const NOTICES_FILE: &str = "notices";
const ON: &[u8] = b"on";
const OFF: &[u8] = b"off";

/// All that a system notice says of an item. It has no place for a name, a hospital or anything of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoticeKind {
    /// Keys were replaced elsewhere.
    Keys,
    /// The emergency summary was opened.
    Emergency,
    /// Hospitals contradict each other.
    Disagreement,
    /// Somebody waits for an answer.
    Request,
    /// Somebody else is late.
    Overdue,
    /// This person, or their hospital, owes something.
    Due,
    /// An access ends soon.
    Ending,
}

impl NoticeKind {
    /// What is said of an item; `None` where it needs nobody to come.
    fn of(news: &InboxNews) -> Option<Self> {
        Some(match news {
            InboxNews::KeysReplaced => Self::Keys,
            InboxNews::EmergencyAccess { .. } => Self::Emergency,
            InboxNews::HospitalsDisagree => Self::Disagreement,
            InboxNews::RequestWaiting { .. } => Self::Request,
            InboxNews::DeletionOverdue { .. } | InboxNews::ErasureOverdue { .. } => Self::Overdue,
            InboxNews::ReceiptDue { .. } | InboxNews::ReviewDue { .. } => Self::Due,
            InboxNews::AccessEnding { .. } | InboxNews::MyAccessEnding { .. } => Self::Ending,
            InboxNews::AccessEnded { .. } => return None,
        })
    }
}

impl Service {
    /// What a system notice is to tell now, the gravest first. Each item is told once, and none where the person wants no notices.
    pub fn take_notices(&self) -> BTreeSet<NoticeKind> {
        let kinds = std::mem::take(&mut self.state().notices);
        if self.notices().on { kinds } else { BTreeSet::new() }
    }

    /// Whether this device shows system notices. What cannot be read shows them: nobody is to be left unwarned by a damaged file.
    pub(super) fn notices(&self) -> NoticesView {
        let kept = self.store.read(NOTICES_FILE).ok().flatten();
        NoticesView { on: kept.as_deref() != Some(OFF) }
    }

    /// Shows system notices on this device, or none.
    pub(super) fn set_notices(&self, call: &SetNotices) -> Result<NoticesView, ApiError> {
        self.store.write(NOTICES_FILE, if call.on { ON } else { OFF }).map_err(storage)?;
        Ok(self.notices())
    }

    /// Notes what the inbox holds that it did not hold before.
    pub(super) fn note_news(&self, person: &Person, found: &Items) {
        let mut device = person.owner.device();
        let (noted, kinds) = news(found, &device.inbox_noted, &device.inbox_read);
        if noted != device.inbox_noted {
            device.inbox_noted = noted;
            // What could not be kept is told again after a restart, which is better than not at all.
            let _ = self.save_device(&person.owner, &mut device);
        }
        drop(device);
        self.state().notices.extend(kinds);
    }
}

/// What is noted from now on, and what is said of items that neither were noted before nor were read.
fn news(
    found: &Items,
    noted: &BTreeSet<[u8; 32]>,
    read: &BTreeSet<[u8; 32]>,
) -> (BTreeSet<[u8; 32]>, BTreeSet<NoticeKind>) {
    let new = found.items.iter().filter(|item| {
        let key = item.key.as_bytes();
        !noted.contains(key) && !read.contains(key)
    });
    let kinds = new.filter_map(|item| NoticeKind::of(&item.what)).collect();
    (found.marked(noted, |_| true), kinds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::inbox::item;
    use amulet_protocol::ids::Timestamp;

    fn found(news: Vec<InboxNews>) -> Items {
        let items = news.into_iter().zip(1..);
        let items = items.map(|(what, n)| item("test", &[n], Timestamp(1), Timestamp(1), what)).collect();
        Items { items, whole: true }
    }

    #[test]
    fn an_item_is_told_once_and_not_when_it_was_read() {
        let found = found(vec![InboxNews::HospitalsDisagree, InboxNews::ReviewDue { by: 1, overdue: true }]);
        let nothing = BTreeSet::new();
        let (noted, kinds) = news(&found, &nothing, &nothing);
        assert_eq!(kinds, BTreeSet::from([NoticeKind::Disagreement, NoticeKind::Due]));
        assert_eq!(news(&found, &noted, &nothing), (noted.clone(), nothing_to_tell()));
        let read = BTreeSet::from([*found.items[0].key.as_bytes()]);
        assert_eq!(news(&found, &nothing, &read).1, BTreeSet::from([NoticeKind::Due]));
    }

    #[test]
    fn what_left_the_inbox_is_not_remembered() {
        let earlier = BTreeSet::from([[7; 32]]);
        let (noted, kinds) = news(&found(Vec::new()), &earlier, &BTreeSet::new());
        assert_eq!((noted.len(), kinds), (0, nothing_to_tell()));
    }

    fn nothing_to_tell() -> BTreeSet<NoticeKind> {
        BTreeSet::new()
    }
}
