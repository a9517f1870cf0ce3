//! The patient's emergency card: what it could show, making, showing and revoking it.

use amulet_app_api::card::{CardDraftView, CardView, DraftFactView, MakeCard, SummarySection};
use amulet_app_api::wallet::Task;
use amulet_app_api::{ApiError, ErrorCode};
use amulet_crypto::entropy::{Entropy, SystemEntropy};
use amulet_fhir::summary::{EmergencySummary, OfflineFactKind, RecordRef, offline_facts, summarize};
use amulet_protocol::calls::{Call, CardLocator, LOCATOR_BYTES, PublishCard, RevokeCard};
use amulet_protocol::consent::DataClass;
use amulet_protocol::ids::Did;
use amulet_protocol::light::{ReadGround, Upload};
use amulet_protocol::limits::HOLDERS_MAX;
use amulet_protocol::state::{CardState, StateKey};
use std::sync::Arc;

use super::Service;
use super::blobs::Wanted;
use super::error::{facts as facts_error, internal};
use super::ledger::is_offline;
use super::session::{OpenRecord, Person, Session};
use super::versions::{Version, outdated};
use crate::card::{
    CardSummary, FACT_BYTES_MAX, FACTS_BYTES_MAX, Fact, FactKind, SUMMARY_VERSION, check_facts,
};
use crate::card_code::CardCode;
use crate::device_state::StoredCard;
use crate::{convert, identity, qr};

/// How long an emergency access lasts: a day, as the design has it, in milliseconds.
const ACCESS_MS: u64 = 24 * 3_600_000;
/// Hospitals that must keep the summary, so that one that fails does not make the card useless.
const COPIES_MIN: usize = 2;
/// Milliseconds in an hour.
const HOUR_MS: u64 = 3_600_000;
/// Locators tried; two patients drawing the same of 2^40 is next to impossible.
const LOCATOR_TRIES: usize = 3;

impl Service {
    /// What the card could show, taken from the records.
    pub(super) async fn card_draft(&self) -> Result<CardDraftView, ApiError> {
        let person = self.patient()?;
        let loaded = self.load_all(&person).await?;
        let summary = summary_of(&loaded.records);
        Ok(CardDraftView {
            facts: draft_facts(&person.owner.name, &summary),
            summary: section_counts(&summary),
            bytes_max: FACTS_BYTES_MAX as u64,
        })
    }

    /// Makes the card, or replaces the one in force. A person has one, whichever of their identities it is on the ledger for.
    pub(super) async fn make_card(&self, call: MakeCard) -> Result<CardView, ApiError> {
        let person = self.patient()?;
        let facts: Vec<Fact> = call
            .facts
            .iter()
            .map(|fact| Fact { kind: convert::card_fact_kind(fact.kind), text: fact.text.trim().to_owned() })
            .collect();
        check_facts(&facts).map_err(facts_error)?;
        let loaded = self.load_all(&person).await?;
        let in_force = self.cards_in_force(&person).await?;
        let session = in_force.first().map_or(person.first(), |(session, _)| session);
        let mut summary = CardSummary {
            version: SUMMARY_VERSION,
            made_at: self.now(),
            name: person.owner.name.clone(),
            facts,
            left_out: Vec::new(),
            summary: summary_of(&loaded.records),
        };
        summary.leave_out(call.without.into_iter().map(convert::part).collect());
        let mut tried = 0;
        let locator = loop {
            tried += 1;
            match self.publish_card(session, &summary).await {
                Err(error) if is_taken(&error) && tried < LOCATOR_TRIES => {}
                outcome => break outcome?,
            }
        };
        let state = self
            .card_state(locator)
            .await?
            .ok_or_else(|| internal("a committed card is not in the state"))?;
        let card = stored(session.owner.seeds.former().len(), locator, &state, summary.facts);
        self.remember_card(&person, Some(card.clone()))?;
        self.card_view(session, &card)
    }

    /// Seals the summary under a new locator, has hospitals keep it, and publishes it.
    async fn publish_card(&self, session: &Session, summary: &CardSummary) -> Result<CardLocator, ApiError> {
        let mut bytes = [0; LOCATOR_BYTES];
        SystemEntropy.fill(&mut bytes);
        let locator = CardLocator(bytes);
        let secret = identity::card_secret(session.owner.seeds.newest(), session.relationship, locator);
        let key = secret.summary_key(locator, self.network.chain());
        let ciphertext = summary
            .seal(&key, locator, &mut SystemEntropy)
            .map_err(|error| ApiError::new(ErrorCode::TooLarge).with("message", error))?;
        let blob = amulet_protocol::record::blob_id(&ciphertext);
        let holders = self.upload(session, &ciphertext).await?;
        let call = PublishCard { locator, blob, holders, access_ms: ACCESS_MS };
        self.submit(session, Call::PublishCard(call)).await?;
        Ok(locator)
    }

    /// Has hospitals keep a ciphertext, the patient's own first; gives those that do.
    async fn upload(&self, session: &Session, ciphertext: &[u8]) -> Result<Vec<Did>, ApiError> {
        let task = self.task(Task::Sealing);
        let nodes = self.client.nodes();
        let mut order: Vec<Did> =
            self.client.asked_nodes().into_iter().map(|node| nodes[node.0].organisation).collect();
        order.sort_by_key(|organisation| *organisation != session.identity.hospital);
        let mut silent = self.silent_hospitals();
        silent.retain(|organisation| order.contains(organisation));
        if order.len() - silent.len() >= COPIES_MIN {
            order.retain(|organisation| !silent.contains(organisation));
        }
        order.truncate(HOLDERS_MAX);
        let mut holders = Vec::new();
        let mut failed = None;
        for (done, holder) in order.iter().enumerate() {
            task.step(Task::Sealing, done, order.len());
            let Some(node) = self.client.node_of(*holder) else { continue };
            let upload = Upload {
                chain: self.network.chain(),
                owner: session.did(),
                holder: *holder,
                time: self.now(),
                ciphertext: ciphertext.to_vec(),
            };
            match self.client.upload(node, upload.sign(&session.identity.signing)).await {
                Ok(_) => holders.push(*holder),
                Err(error) => failed = Some(error),
            }
        }
        match failed {
            Some(error) if holders.len() < COPIES_MIN => Err(self.light(error)),
            _ => Ok(holders),
        }
    }

    /// The card in force.
    pub(super) async fn card(&self) -> Result<Option<CardView>, ApiError> {
        let person = self.patient()?;
        let known = person.owner.device().card.clone();
        let known = known.and_then(|card| Some((Arc::clone(person.session_of(card.owner)?), card)));
        let in_force = match (self.cards_in_force(&person).await, &known) {
            (Ok(found), _) => found.into_iter().next(),
            // Without a network the card still has to be shown: that is what it is for.
            (Err(error), Some((session, card))) if is_offline(&error) => {
                Some((Arc::clone(session), card.locator))
            }
            (Err(error), _) => return Err(error),
        };
        let Some((session, locator)) = in_force else {
            self.remember_card(&person, None)?;
            return Ok(None);
        };
        let card = match known {
            Some((_, card)) if card.locator == locator => card,
            _ => {
                let card = self.fetch_card(&session, locator).await?;
                self.remember_card(&person, Some(card.clone()))?;
                card
            }
        };
        self.card_view(&session, &card).map(Some)
    }

    /// The cards that the ledger has for this person's identities. There is one at most, unless two devices made theirs at once.
    pub(super) async fn cards_in_force(
        &self,
        person: &Person,
    ) -> Result<Vec<(Arc<Session>, CardLocator)>, ApiError> {
        self.fresh().await?;
        let sessions = person.sessions();
        let keys: Vec<StateKey> = sessions.iter().map(|session| StateKey::CardOf(session.did())).collect();
        let found = self.states_of::<CardLocator>(&keys).await?;
        let sessions = sessions.iter().map(Arc::clone);
        Ok(sessions.zip(found).filter_map(|(session, locator)| Some((session, locator?))).collect())
    }

    pub(super) async fn card_state(&self, locator: CardLocator) -> Result<Option<CardState>, ApiError> {
        self.state_of(StateKey::Card(locator)).await
    }

    /// The card of a wallet that was restored: its facts are in its summary, its secret comes from the seed.
    async fn fetch_card(&self, session: &Session, locator: CardLocator) -> Result<StoredCard, ApiError> {
        let state = self.card_state(locator).await?.ok_or_else(|| ApiError::new(ErrorCode::CardUnknown))?;
        let task = self.task(Task::Fetching);
        let wanted = [Wanted { blob: state.blob, holders: state.holders.clone() }];
        let mut found = None;
        let fetched =
            self.fetch_blobs(session, ReadGround::Own, &wanted, &task, |_, blob| found = Some(blob)).await;
        let ciphertext = found.ok_or_else(|| self.nothing_delivered(fetched.refused))?;
        // A card that was made before the keys were replaced has a secret of that time.
        let chain = self.network.chain();
        let seeds = &session.owner.seeds;
        let opened = (0..=seeds.former().len()).rev().find_map(|number| {
            let secret = identity::card_secret(seeds.after(number), session.relationship, locator);
            let key = secret.summary_key(locator, chain);
            let summary = CardSummary::open(&ciphertext, &key, locator, state.blob).ok()?;
            Some((number, summary))
        });
        let (number, summary) = opened.ok_or_else(|| internal("no seed of this wallet opens its card"))?;
        Ok(stored(number, locator, &state, summary.facts))
    }

    fn remember_card(&self, person: &Person, card: Option<StoredCard>) -> Result<(), ApiError> {
        let mut device = person.owner.device();
        if device.card == card {
            return Ok(());
        }
        device.card = card;
        self.save_device(&person.owner, &mut device)
    }

    fn card_view(&self, session: &Session, card: &StoredCard) -> Result<CardView, ApiError> {
        let seed = session.owner.seeds.after(usize::try_from(card.seed).unwrap_or(usize::MAX));
        let secret = identity::card_secret(seed, session.relationship, card.locator);
        let chain = self.network.chain();
        let code = CardCode::new(card.locator, secret, card.facts.clone(), &session.identity.signing, chain);
        let qr_text = code.qr_text().ok_or_else(|| internal("a new code has an offline part"))?;
        Ok(CardView {
            qr_svg: qr::svg(&qr_text).map_err(internal)?,
            qr_text,
            far_svg: qr::svg(&code.far_text()).map_err(internal)?,
            typed_code: code.typed(),
            facts: convert::facts(&card.facts),
            name: session.owner.name.clone(),
            made_at: card.made_at.0,
            access_hours: card.access_ms / HOUR_MS,
        })
    }

    /// Makes the card in force worthless.
    pub(super) async fn revoke_card(&self) -> Result<(), ApiError> {
        let person = self.patient()?;
        let in_force = self.cards_in_force(&person).await?;
        if in_force.is_empty() {
            return Err(ErrorCode::CardUnknown.into());
        }
        for (session, locator) in in_force {
            self.submit(&session, Call::RevokeCard(RevokeCard { locator })).await?;
        }
        self.remember_card(&person, None)
    }
}

/// A card whose secret is of the seed that `seed` others came before.
fn stored(seed: usize, locator: CardLocator, state: &CardState, facts: Vec<Fact>) -> StoredCard {
    StoredCard {
        owner: state.patient,
        locator,
        seed: u32::try_from(seed).unwrap_or(u32::MAX),
        facts,
        made_at: state.published_at,
        access_ms: state.access_ms,
    }
}

fn is_taken(error: &ApiError) -> bool {
    error.details.get("reason").is_some_and(|reason| reason == "locator_taken")
}

/// The summary leaves the hospital and is opened by whoever declares an emergency: what is of class core stays out of it.
fn summary_of(records: &[Arc<OpenRecord>]) -> EmergencySummary {
    let version = |record: &Arc<OpenRecord>| Version {
        id: record.meta.entry.id,
        hospital: record.meta.provider,
        replaces: record.plain.replaces,
    };
    let outdated = outdated(&records.iter().map(version).collect::<Vec<_>>());
    let shown: Vec<(String, &Arc<OpenRecord>)> = records
        .iter()
        .filter(|record| record.meta.entry.class != DataClass::Core)
        .filter(|record| !outdated.contains(&record.meta.entry.id))
        .map(|record| (record.meta.provider.to_string(), record))
        .collect();
    summarize(shown.iter().map(|(hospital, record)| {
        let plain = &record.plain;
        let of = RecordRef { hospital, resource_type: &plain.resource_type, id: &plain.resource_id };
        (of, plain.content.as_slice())
    }))
}

fn section_counts(summary: &EmergencySummary) -> Vec<(SummarySection, u64)> {
    vec![
        (SummarySection::Allergies, summary.allergies.entries.len() as u64),
        (SummarySection::BloodGroup, u64::from(summary.blood_group.is_some())),
        (SummarySection::Medicines, summary.medicines.entries.len() as u64),
        (SummarySection::Conditions, summary.conditions.entries.len() as u64),
        (SummarySection::Devices, summary.devices.entries.len() as u64),
        (SummarySection::Immunizations, summary.immunizations.entries.len() as u64),
        (SummarySection::Contacts, summary.contacts.len() as u64),
    ]
}

/// Facts for the card: those that decide an emergency chosen, as far as they fit, the others offered.
fn draft_facts(name: &str, summary: &EmergencySummary) -> Vec<DraftFactView> {
    let mut drafts: Vec<(FactKind, String, bool)> = vec![(FactKind::Name, name.to_owned(), true)];
    for fact in offline_facts(summary) {
        let kind = match fact.kind {
            OfflineFactKind::BloodGroup => FactKind::BloodGroup,
            OfflineFactKind::Allergy | OfflineFactKind::NoKnownAllergies => FactKind::Allergy,
            OfflineFactKind::Contact => FactKind::Contact,
        };
        drafts.push((kind, fact.text, true));
    }
    let birth_year = summary.person.as_ref().and_then(|person| person.birth_date.as_ref());
    drafts.extend(
        birth_year.and_then(|date| date.get(..4)).map(|year| (FactKind::BirthYear, year.to_owned(), false)),
    );
    let offer = |kind, text: &str| (kind, text.to_owned(), false);
    drafts
        .extend(summary.allergies.entries.iter().skip(3).map(|entry| offer(FactKind::Allergy, &entry.name)));
    drafts
        .extend(summary.medicines.entries.iter().take(6).map(|entry| offer(FactKind::Medicine, &entry.name)));
    drafts.extend(
        summary.conditions.entries.iter().take(6).map(|entry| offer(FactKind::Condition, &entry.name)),
    );
    drafts.extend(summary.devices.entries.iter().take(4).map(|entry| offer(FactKind::Device, &entry.name)));
    let mut room = FACTS_BYTES_MAX;
    drafts
        .into_iter()
        .map(|(kind, text, chosen)| {
            let text = shorten(&text);
            let chosen = chosen && text.len() <= room;
            if chosen {
                room -= text.len();
            }
            DraftFactView { kind: convert::fact_kind(kind), text, chosen }
        })
        .collect()
}

/// Cut to what fits on a card, at a whole character.
fn shorten(text: &str) -> String {
    const MORE: &str = "…";
    if text.len() <= FACT_BYTES_MAX {
        return text.to_owned();
    }
    let end = (0..=FACT_BYTES_MAX - MORE.len()).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}{MORE}", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_cut_at_whole_characters() {
        assert_eq!(shorten("A+"), "A+");
        let long = "青霉素过敏".repeat(9);
        let short = shorten(&long);
        assert!(short.len() <= FACT_BYTES_MAX && short.ends_with('…') && long.starts_with(&short[..57]));
    }

    #[test]
    fn what_is_chosen_to_begin_with_fits_into_the_code() {
        let allergy = |n: usize| {
            format!(
                r#"{{"resourceType":"AllergyIntolerance","id":"{n}","code":{{"text":"{n} {}"}}}}"#,
                "very long name of a substance ".repeat(4)
            )
        };
        let contents: Vec<(String, String)> = (0..9).map(|n| (n.to_string(), allergy(n))).collect();
        let summary = summarize(contents.iter().map(|(id, content)| {
            (RecordRef { hospital: "h", resource_type: "AllergyIntolerance", id }, content.as_bytes())
        }));
        let drafts = draft_facts("王芳", &summary);
        let chosen = drafts.iter().filter(|draft| draft.chosen);
        let bytes: usize = chosen.clone().map(|draft| draft.text.len()).sum();
        assert!(bytes <= FACTS_BYTES_MAX);
        assert_eq!(chosen.count(), 4, "the name and the three worst allergies");
        assert!(drafts.len() > 4, "the other allergies are offered");
    }
}
