//! SMART Health Links: the patient summary, sealed here, served by a hospital that cannot read it, opened by whoever has the link.

use amulet_app_api::links::{
    HealthLinkView, HealthLinksView, LinkCodeView, LinkOpeningView, LinkStanding as Standing,
    MadeHealthLinkView, MakeHealthLink,
};
use amulet_app_api::wallet::Task;
use amulet_app_api::{ApiError, ErrorCode};
use amulet_crypto::digest::sm3;
use amulet_crypto::entropy::{Entropy, SystemEntropy};
use amulet_health_link::{Flags, LABEL_CHARS_MAX, Link, LinkKey, PASSCODE_CHARS_MAX, PasscodeHash, seal};
use amulet_protocol::ids::{RecordId, Timestamp};
use amulet_protocol::links::{
    LINK_FILE_BYTES_MAX, LINK_ID_BYTES, LinkId, LinkOrder, LinkRequest, LinkStanding, LinkStatus,
    PasscodeCheck, ServeLink,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::cmp::Reverse;
use std::sync::Arc;
use zeroize::Zeroizing;

use super::Service;
use super::error::internal;
use super::session::{Person, Session};
use crate::device_state::StoredLink;
use crate::qr;

/// Characters of a passcode at least: with ten guesses in the life of a link, one in a hundred thousand for six digits.
const PASSCODE_CHARS_MIN: usize = 6;
/// Days that a link lasts at most.
const DAYS_MAX: u64 = 365;
const DAY_MS: u64 = 24 * 3_600_000;
/// What is inside the sealed file.
const FILE_TYPE: &str = "application/fhir+json";

impl Service {
    /// All links, and how they stand.
    pub(super) async fn health_links(&self) -> Result<HealthLinksView, ApiError> {
        let person = self.patient()?;
        self.follow_all(&person).await?;
        let (mut links, mut silent) = (Vec::new(), Vec::new());
        for session in person.sessions() {
            if voucher(session).is_none() {
                continue;
            }
            match self.order_links(session, LinkOrder::List).await {
                Ok(found) => links.extend(found.iter().map(|link| self.link_view(session, link))),
                Err(_) => silent.push(self.hospital_view(&session.identity.hospital)),
            }
        }
        links.sort_by_key(|link| Reverse(link.made_at));
        let can_make = person.sessions().iter().any(|session| voucher(session).is_some());
        Ok(HealthLinksView { links, silent, can_make })
    }

    /// Makes a link to the summary as it is now.
    pub(super) async fn make_health_link(
        &self,
        call: MakeHealthLink,
    ) -> Result<MadeHealthLinkView, ApiError> {
        let person = self.patient()?;
        let passcode = call.passcode.map(Zeroizing::new);
        let label = call.label.trim().to_owned();
        check(&label, call.days, passcode.as_ref().map(|passcode| passcode.as_str()))?;
        let summary = self.summary(&person, call.language).await?;
        let ends = self.now().plus_millis(call.days * DAY_MS);
        let mut last = ApiError::new(ErrorCode::NotFound).with("what", "record");
        for session in person.sessions() {
            let Some(voucher) = voucher(session) else { continue };
            let task = self.task(Task::Sealing);
            let (link, order) = self.new_link(
                session,
                voucher,
                &label,
                ends,
                passcode.as_ref().map(|p| p.as_str()),
                &summary.document.json,
            )?;
            drop(task);
            let id = order.id;
            match self.order_links(session, LinkOrder::Serve(Box::new(order))).await {
                Ok(links) => {
                    self.remember_link(&person, session, id, ends, &label, &link)?;
                    let made = links.iter().find(|known| known.id == id);
                    let made = made.ok_or_else(|| internal("a link that was made is not listed"))?;
                    return Ok(MadeHealthLinkView {
                        link: self.link_view(session, made),
                        listed: summary.listed(),
                        left_out: summary.document.left_out as u64,
                        core: summary.document.core as u64,
                        missing: summary.missing,
                    });
                }
                // Another of the person's hospitals can serve it as well.
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// A link, and the order to serve it.
    fn new_link(
        &self,
        session: &Session,
        voucher: RecordId,
        label: &str,
        ends: Timestamp,
        passcode: Option<&str>,
        summary: &[u8],
    ) -> Result<(Zeroizing<String>, ServeLink), ApiError> {
        let node = self.network.node(&session.identity.hospital);
        let node = node.ok_or_else(|| ApiError::new(ErrorCode::Unreachable))?;
        let mut id = [0; LINK_ID_BYTES];
        SystemEntropy.fill(&mut id);
        let url = format!("{}/shl/{}", node.http.trim_end_matches('/'), URL_SAFE_NO_PAD.encode(id));
        let flags = Flags { passcode: passcode.is_some(), single_file: passcode.is_none(), long_term: false };
        let key = LinkKey::generate(&mut SystemEntropy);
        let file = seal(&key, FILE_TYPE, summary, true, &mut SystemEntropy).map_err(internal)?;
        if file.len() > LINK_FILE_BYTES_MAX {
            let error = ApiError::new(ErrorCode::TooLarge);
            return Err(error.with("size", file.len()).with("limit", LINK_FILE_BYTES_MAX));
        }
        let check = passcode.and_then(|passcode| PasscodeHash::new(passcode, &mut SystemEntropy));
        let passcode = check.map(|hash| hash.parts()).map(|(salt, hash)| PasscodeCheck { salt, hash });
        let label = (!label.is_empty()).then(|| label.to_owned());
        let link = Link::new(url.clone(), key, Some(ends.0 / 1_000), flags, label).map_err(internal)?;
        let single_file = flags.single_file;
        let file = file.into_bytes();
        Ok((link.expose(), ServeLink { id: LinkId(id), url, ends, passcode, single_file, file, voucher }))
    }

    fn remember_link(
        &self,
        person: &Person,
        session: &Session,
        id: LinkId,
        ends: Timestamp,
        label: &str,
        link: &str,
    ) -> Result<(), ApiError> {
        let mut device = person.owner.device();
        let (label, text) = (label.to_owned(), link.to_owned());
        device.links.push(StoredLink { identity: session.did(), id: id.0, ends, label, text });
        self.save_device(&person.owner, &mut device)
    }

    /// Takes a link back.
    pub(super) async fn revoke_health_link(&self, id: &str) -> Result<(), ApiError> {
        let person = self.patient()?;
        self.follow_all(&person).await?;
        let mut silent = None;
        for session in person.sessions() {
            if voucher(session).is_none() {
                continue;
            }
            match self.order_links(session, LinkOrder::List).await {
                Ok(links) => {
                    if let Some(link) = links.iter().find(|link| name(link.id) == id) {
                        self.order_links(session, LinkOrder::Revoke(link.id)).await?;
                        let mut device = person.owner.device();
                        device.links.retain(|known| known.id != link.id.0);
                        return self.save_device(&person.owner, &mut device);
                    }
                }
                Err(error) => silent = Some(error),
            }
        }
        Err(silent.unwrap_or_else(|| ErrorCode::NotFound.into()))
    }

    /// Has the hospital of an identity carry out an order about its links.
    async fn order_links(
        &self,
        session: &Arc<Session>,
        order: LinkOrder,
    ) -> Result<Vec<LinkStatus>, ApiError> {
        let holder = session.identity.hospital;
        let node = self.client.node_of(holder).ok_or_else(|| ApiError::new(ErrorCode::Unreachable))?;
        let (chain, patient, time) = (self.network.chain(), session.did(), self.now());
        let request = LinkRequest { chain, patient, holder, time, order };
        let signed = request.sign(&session.identity.signing);
        self.client.order_links(node, signed).await.map_err(|error| self.light(error))
    }

    fn link_view(&self, session: &Session, link: &LinkStatus) -> HealthLinkView {
        let known = session.owner.device().links.iter().find(|known| known.id == link.id.0).cloned();
        let standing = match link.standing {
            LinkStanding::Open => Standing::Open,
            LinkStanding::Expired => Standing::Expired,
            LinkStanding::Revoked => Standing::Revoked,
            LinkStanding::Guessed => Standing::Guessed,
        };
        let opening =
            |at: Timestamp, recipient: &str| LinkOpeningView { at: at.0, recipient: recipient.to_owned() };
        let code = known.as_ref().filter(|_| standing == Standing::Open).and_then(|known| {
            let qr_svg = qr::svg(&known.text).ok()?;
            Some(LinkCodeView { text: known.text.clone(), qr_svg })
        });
        HealthLinkView {
            id: name(link.id),
            label: known.map(|known| known.label.clone()).unwrap_or_default(),
            hospital: self.hospital_view(&session.identity.hospital),
            made_at: link.made_at.0,
            ends: link.ends.0,
            standing,
            attempts_left: link.attempts_left,
            openings: link.openings.iter().rev().map(|one| opening(one.at, &one.recipient)).collect(),
            openings_total: link.openings_total,
            code,
        }
    }
}

/// A record by which the hospital of an identity knows the person.
fn voucher(session: &Session) -> Option<RecordId> {
    let cache = session.cache();
    let own = cache.records.iter().find(|meta| meta.provider == session.identity.hospital);
    own.map(|meta| meta.entry.id)
}

/// What names a link on the bridge: its identifier is part of its address, which is for whom it is handed to.
fn name(id: LinkId) -> String {
    hex::encode(&sm3(&id.0).as_ref()[..8])
}

fn check(label: &str, days: u64, passcode: Option<&str>) -> Result<(), ApiError> {
    let bad = |field: &str| Err(ApiError::new(ErrorCode::BadRequest).with("field", field));
    if label.chars().count() > LABEL_CHARS_MAX {
        return bad("label");
    }
    if !(1..=DAYS_MAX).contains(&days) {
        return bad("days");
    }
    match passcode.map(|passcode| passcode.chars().count()) {
        Some(found) if !(PASSCODE_CHARS_MIN..=PASSCODE_CHARS_MAX).contains(&found) => bad("passcode"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_link_has_an_end_and_a_passcode_worth_the_name() {
        assert!(check("Lisbon", 7, None).is_ok() && check("", 365, Some("246810")).is_ok());
        let field =
            |label: &str, days, passcode| check(label, days, passcode).unwrap_err().details["field"].clone();
        assert_eq!(field(&"长".repeat(LABEL_CHARS_MAX + 1), 7, None), "label");
        assert_eq!((field("", 0, None), field("", 366, None)), ("days".into(), "days".into()));
        assert_eq!(field("", 7, Some("12345")), "passcode");
        assert_eq!(field("", 7, Some(&"9".repeat(PASSCODE_CHARS_MAX + 1))), "passcode");
    }
}
