//! Links that other programs hand to this one: `amulet:inbox`, `amulet:card`, `amulet:scan`, `amulet:code/<DID>`.
//!
//! Whoever makes a link is a stranger, so it names a page and no more. It is read here, once, into a closed list; the page gets
//! that and never the text.

use amulet_app_api::desktop::LinkView;
use amulet_protocol::ids::Did;
use std::sync::{Mutex, PoisonError};

/// What every link begins with. The system knows it from `tauri.conf.json`.
const SCHEME: &str = "amulet:";
/// The longest link that is looked at, in bytes; the longest that means something has about 70.
const LINK_BYTES_MAX: usize = 200;
const CODE: &str = "code/";

/// The link that was handed over last and that no page has taken yet.
#[derive(Default)]
pub struct OpenedLinks {
    last: Mutex<Option<LinkView>>,
}

impl OpenedLinks {
    /// Keeps where a link leads; an earlier one that nobody took is forgotten.
    pub fn put(&self, link: LinkView) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(link);
    }

    /// Takes it.
    pub fn take(&self) -> Option<LinkView> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Where a link leads.
pub fn read(link: &str) -> LinkView {
    let is_short = link.len() <= LINK_BYTES_MAX;
    let Some(place) = link.strip_prefix(SCHEME).filter(|_| is_short) else { return LinkView::Unknown };
    match place {
        "inbox" => LinkView::Inbox,
        "card" => LinkView::Card,
        "scan" => LinkView::Scan,
        _ => place.strip_prefix(CODE).and_then(patient).unwrap_or(LinkView::Unknown),
    }
}

/// Only a DID written as the wallet writes it, with nothing around it.
fn patient(code: &str) -> Option<LinkView> {
    let did = code.parse::<Did>().ok()?.to_string();
    (did == code).then_some(LinkView::Code { did })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const DID: &str = "did:amulet:2CSb3yfEFbvuaJSsB8k6qmpiJRjp";

    #[test]
    fn four_links_mean_something() {
        assert_eq!(read("amulet:inbox"), LinkView::Inbox);
        assert_eq!(read("amulet:card"), LinkView::Card);
        assert_eq!(read("amulet:scan"), LinkView::Scan);
        assert_eq!(read(&format!("amulet:code/{DID}")), LinkView::Code { did: DID.to_owned() });
    }

    #[test]
    fn everything_else_leads_nowhere() {
        let long = format!("amulet:inbox{}", " ".repeat(LINK_BYTES_MAX));
        let huge = "amulet:code/".to_owned() + &"1".repeat(10_000_000);
        let others = [
            "",
            "amulet:",
            "amulet",
            "inbox",
            "AMULET:inbox",
            "amulet:INBOX",
            "amulet:inbox/",
            "amulet:inbox?x=1",
            "amulet:inbox#x",
            "amulet:inbox\0",
            "amulet://inbox",
            "amulet:/inbox",
            "amulet:unlock",
            "amulet:../card",
            "amulet:code",
            "amulet:code/",
            "amulet:code/did:amulet:",
            "amulet:code/did:web:example.org",
            "amulet:code/%64id",
            "amulet:code/<script>alert(1)</script>",
            "AMULET1:8FJ2",
            "https://example.org/amulet:inbox",
            "amulet:收件箱",
            &long,
            &huge,
        ];
        for link in others {
            assert_eq!(read(link), LinkView::Unknown, "{:.80}", link);
        }
        for more in [" ", "\n", "/", "?approve=1", "0", "\u{200b}"] {
            assert_eq!(read(&format!("amulet:code/{DID}{more}")), LinkView::Unknown, "{more:?}");
        }
    }

    #[test]
    fn a_link_is_taken_once_and_the_last_counts() {
        let links = OpenedLinks::default();
        links.put(LinkView::Card);
        links.put(LinkView::Inbox);
        assert_eq!((links.take(), links.take()), (Some(LinkView::Inbox), None));
    }

    #[test]
    fn the_system_is_told_of_this_scheme_and_no_other() {
        let config: serde_json::Value = serde_json::from_str(include_str!("../../tauri.conf.json")).unwrap();
        let schemes = &config["plugins"]["deep-link"]["desktop"]["schemes"];
        assert_eq!(schemes, &serde_json::json!([SCHEME.trim_end_matches(':')]));
    }
}
