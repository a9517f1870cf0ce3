//! Giving access unasked.

use amulet_app_api::access::ShareView;
use amulet_app_api::giving::{
    GiveAccess, GiveTerms, GiveTo, GivenView, GivingPreviewView, NotGivenView, RecipientsView,
};
use amulet_app_api::wallet::{HospitalView, Task};
use amulet_app_api::{ApiError, ErrorCode};
use amulet_crypto::sealed_box::AgreementPublicKey;
use amulet_protocol::calls::{Call, GrantAccess, GrantId};
use amulet_protocol::consent::{Category, DataClass, Purpose, RecordDates};
use amulet_protocol::grant::{GrantState, Term};
use amulet_protocol::grantee::{Grantee, Staff};
use amulet_protocol::ids::Did;
use amulet_protocol::limits::{ACCESS_TIME_MAX_MS, RECORDS_PER_GRANT_MAX};
use amulet_protocol::state::{Identity, StateKey};
use std::collections::BTreeSet;
use std::sync::Arc;

use super::Service;
use super::accesses::parse_did;
use super::error::internal;
use super::preferences::Settled;
use super::records::counts;
use super::session::{OpenRecord, Person, Session};
use super::shares::use_limit;
use super::sharing::{covers, unopened};
use crate::{convert, dates};

const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;

/// What one of the person's identities gives.
pub(super) struct Gift {
    pub session: Arc<Session>,
    pub records: Vec<Arc<OpenRecord>>,
    pub standing: Vec<Category>,
}

impl Service {
    /// Hospitals to whose staff access can be given.
    pub(super) async fn recipients(&self) -> Result<RecipientsView, ApiError> {
        self.patient()?;
        self.fresh().await?;
        let organisations: BTreeSet<Did> =
            self.client.nodes().into_iter().map(|node| node.organisation).collect();
        let keys: Vec<StateKey> = organisations.iter().map(|did| StateKey::StaffKey(*did)).collect();
        let published = self.states_of::<AgreementPublicKey>(&keys).await?;
        let reachable = organisations.iter().zip(published).filter(|(_, key)| key.is_some());
        Ok(RecipientsView {
            hospitals: reachable.map(|(did, _)| self.hospital_view(did)).collect(),
            preferences: self.preferences()?,
        })
    }

    /// What terms would open.
    pub(super) async fn preview_giving(&self, terms: &GiveTerms) -> Result<GivingPreviewView, ApiError> {
        let person = self.patient()?;
        let (grantee, gifts) = self.gifts(&person, terms, None).await?;
        let categories: Vec<Category> =
            terms.categories.iter().map(|category| convert::ledger_category(*category)).collect();
        let records: Vec<_> =
            gifts.iter().flat_map(|gift| gift.records.iter().map(|record| record.line.clone())).collect();
        let standing: BTreeSet<Category> =
            gifts.iter().flat_map(|gift| gift.standing.iter().copied()).collect();
        Ok(GivingPreviewView {
            to: self.grantee_view(person.first(), &grantee).await?,
            counts: counts(records.iter().map(|record| record.category)),
            records,
            standing: standing.into_iter().map(convert::category).collect(),
            relationships: self.relationships_of(&gifts),
            missing: gifts.iter().map(|gift| unopened(&gift.session, &categories)).sum(),
        })
    }

    /// The hospitals whose records gifts are of.
    pub(super) fn relationships_of(&self, gifts: &[Gift]) -> Vec<HospitalView> {
        gifts.iter().map(|gift| self.hospital_view(&gift.session.identity.hospital)).collect()
    }

    /// Signs grants that nobody asked for.
    pub(super) async fn give_access(&self, call: &GiveAccess) -> Result<GivenView, ApiError> {
        let person = self.patient()?;
        let terms = &call.terms;
        let (grantee, gifts) = self.gifts(&person, terms, Some(&call.records)).await?;
        let purpose = convert::ledger_purpose(terms.purpose);
        self.give_all(&grantee, purpose, gifts, || self.term_of(terms)).await
    }

    /// Signs a grant for each gift, one after another. What was given before one fails is told.
    pub(super) async fn give_all(
        &self,
        to: &Grantee,
        purpose: Purpose,
        gifts: Vec<Gift>,
        term: impl Fn() -> Result<Term, ApiError>,
    ) -> Result<GivenView, ApiError> {
        let mut shares = Vec::new();
        for gift in gifts {
            let relationship = self.hospital_view(&gift.session.identity.hospital);
            match self.give(to, purpose, gift, term()?).await {
                Ok(share) => shares.push(share),
                Err(error) if shares.is_empty() => return Err(error),
                Err(error) => {
                    return Ok(GivenView { shares, failed: Some(NotGivenView { relationship, error }) });
                }
            }
        }
        Ok(GivenView { shares, failed: None })
    }

    async fn give(
        &self,
        to: &Grantee,
        purpose: Purpose,
        gift: Gift,
        term: Term,
    ) -> Result<ShareView, ApiError> {
        let Gift { session, mut records, standing } = gift;
        records.sort_by_key(|record| record.meta.entry.id);
        let task = self.task(Task::Sealing);
        let keys = self.seal_keys(&session, to, purpose, None, &records).await?;
        drop(task);
        let call = GrantAccess {
            request: None,
            grantee: to.clone(),
            purpose,
            records: records.iter().map(|record| record.meta.entry.id).collect(),
            standing,
            valid_from: None,
            term,
            keys,
        };
        let (id, _) = self.submit(&session, Call::GrantAccess(call)).await?;
        self.follow(&session).await?;
        let granted: Option<GrantState> = self.state_of(StateKey::Grant(GrantId(id))).await?;
        let granted = granted.ok_or_else(|| internal("a committed grant is not in the state"))?;
        self.share_view(&session, GrantId(id), &granted).await
    }

    fn term_of(&self, terms: &GiveTerms) -> Result<Term, ApiError> {
        let longest = terms.hours.checked_mul(HOUR_MS).filter(|ms| (1..=ACCESS_TIME_MAX_MS).contains(ms));
        let valid_until = self.now().plus_millis(longest.ok_or_else(|| bad("hours"))?);
        let days = |days: u64| days.checked_mul(DAY_MS).map(|ms| valid_until.plus_millis(ms));
        let erase_by =
            terms.erase_days.map(|count| days(count).ok_or_else(|| bad("erase_days"))).transpose()?;
        let term = Term { valid_until, uses_max: use_limit(terms.uses_max)?, erase_by };
        if term.erases_in_time() { Ok(term) } else { Err(bad("erase_days")) }
    }

    /// To whom, and what each identity gives: all that the terms open, or what is `chosen` of it.
    async fn gifts(
        &self,
        person: &Person,
        terms: &GiveTerms,
        chosen: Option<&[String]>,
    ) -> Result<(Grantee, Vec<Gift>), ApiError> {
        let grantee = self.recipient(&terms.to).await?;
        let categories: BTreeSet<Category> =
            terms.categories.iter().map(|category| convert::ledger_category(*category)).collect();
        let settled = Settled::of(&person.owner);
        if categories.is_empty() {
            return Err(bad("categories"));
        }
        if !settled.withheld(categories.iter()).is_empty() {
            return Err(ApiError::new(ErrorCode::Refused).with("reason", "preference"));
        }
        let day = |text: &Option<String>, field: &str| {
            text.as_ref().map(|text| dates::day_of(text).ok_or_else(|| bad(field))).transpose()
        };
        let dates = RecordDates {
            from: day(&terms.records_from, "records_from")?,
            to: day(&terms.records_to, "records_to")?,
        };
        let standing = if terms.new_records { settled.standing(categories.iter()) } else { Vec::new() };
        let mut gifts = Vec::new();
        for session in person.sessions() {
            if terms.without_hospitals.contains(&session.identity.hospital.to_string()) {
                continue;
            }
            let mut records = self.load_records(session).await?;
            records.retain(|record| {
                let entry = &record.meta.entry;
                categories.contains(&entry.category)
                    && entry.class != DataClass::Core
                    && covers(dates, record.moment)
                    && chosen.is_none_or(|chosen| chosen.contains(&record.line.id))
            });
            if records.len() > RECORDS_PER_GRANT_MAX {
                return Err(bad("categories"));
            }
            if !records.is_empty() || !standing.is_empty() {
                gifts.push(Gift { session: Arc::clone(session), records, standing: standing.clone() });
            }
        }
        if gifts.is_empty() { Err(bad("records")) } else { Ok((grantee, gifts)) }
    }

    /// To whom, as the ledger knows them now.
    async fn recipient(&self, to: &GiveTo) -> Result<Grantee, ApiError> {
        self.fresh().await?;
        match to {
            GiveTo::Person { code } => {
                let did = parse_did(code)?;
                let identity: Option<Identity> = self.state_of(StateKey::Identity(did)).await?;
                identity.ok_or_else(|| ApiError::new(ErrorCode::NotFound))?;
                Ok(Grantee::Person(did))
            }
            GiveTo::Staff { hospital, department, role } => {
                let staff = Staff {
                    organisation: parse_did(hospital)?,
                    department: department.clone(),
                    role: role.map(convert::ledger_practitioner_role),
                };
                if staff.is_well_formed() { Ok(Grantee::Staff(staff)) } else { Err(bad("department")) }
            }
        }
    }
}

fn bad(field: &str) -> ApiError {
    ApiError::new(ErrorCode::BadRequest).with("field", field)
}
