//! Which records go into which section, which say the same, and what comes with them.

use std::collections::{BTreeMap, BTreeSet};

use super::references::{Target, each_reference, json_text, target_of};
use super::sections::{is_supporting, most_of_one_code, section_of};
use super::{Item, Pool, SectionKind};
use crate::json::Json;
use crate::limits::{MAX_IPS_BYTES, MAX_IPS_ENTRIES, MAX_IPS_SECTION_ENTRIES};
use crate::summary::absence::{Absence, of_concept};
use crate::text;
use crate::title::date_of;

/// Places in [`Pool::items`].
pub(super) struct Choice {
    /// The Patient, where a hospital registered one.
    pub patient: Option<usize>,
    /// What each section lists, newest first.
    pub sections: BTreeMap<SectionKind, Vec<usize>>,
    /// Sections of which somebody said that there is nothing to list.
    pub none_known: BTreeSet<SectionKind>,
    /// Everything that is in the document, in its order: the sections' entries, then what they refer to.
    pub entries: Vec<usize>,
    /// A record that says the same as another one of the document, and that one.
    pub same_as: BTreeMap<usize, usize>,
    pub left_out: usize,
}

impl Choice {
    /// The record of the document that stands for this one.
    pub fn standing_for(&self, place: usize) -> usize {
        self.same_as.get(&place).copied().unwrap_or(place)
    }
}

/// How much room is left in the document.
struct Room {
    entries: usize,
    bytes: usize,
}

impl Room {
    fn take(&mut self, item: &Item<'_>) -> bool {
        let bytes = item.from.content.len();
        let fits = self.entries > 0 && bytes <= self.bytes;
        if fits {
            self.entries -= 1;
            self.bytes -= bytes;
        }
        fits
    }
}

pub(super) fn choose(pool: &Pool<'_>) -> Choice {
    let mut choice = Choice {
        patient: None,
        sections: BTreeMap::new(),
        none_known: BTreeSet::new(),
        entries: Vec::new(),
        same_as: BTreeMap::new(),
        left_out: pool.left_out,
    };
    let mut room = Room { entries: MAX_IPS_ENTRIES, bytes: MAX_IPS_BYTES };
    one_patient(pool, &mut choice, &mut room);
    for kind in SectionKind::ALL {
        let mut candidates: Vec<usize> = (0..pool.items.len())
            .filter(|place| {
                section_of(pool.items[*place].from.resource_type, &pool.items[*place].json) == Some(kind)
            })
            .collect();
        // Those without a date last; the pool's own order (newest registration first) settles the rest.
        candidates.sort_by_key(|place| {
            std::cmp::Reverse(date_of(&pool.items[*place].json).and_then(|date| date.unix_seconds))
        });
        absences(pool, kind, &mut candidates, &mut choice);
        repeated(pool, &mut candidates, &mut choice.same_as);
        let listed = within_bounds(pool, kind, candidates, &mut room, &mut choice.left_out);
        choice.entries.extend(&listed);
        if !listed.is_empty() {
            choice.sections.insert(kind, listed);
        }
    }
    empty_sections_of_documents(pool, &mut choice);
    supporting(pool, &mut choice, &mut room);
    choice
}

/// The Patient that was registered last stands for all of them.
fn one_patient(pool: &Pool<'_>, choice: &mut Choice, room: &mut Room) {
    let mut patients =
        (0..pool.items.len()).filter(|place| pool.items[*place].from.resource_type == "Patient");
    choice.patient = patients.next().filter(|place| room.take(&pool.items[*place]));
    if let Some(first) = choice.patient {
        choice.same_as.extend(patients.map(|other| (other, first)));
    }
}

/// What says "none known" goes where something is listed, and what says that nothing is known always goes.
fn absences(pool: &Pool<'_>, kind: SectionKind, candidates: &mut Vec<usize>, choice: &mut Choice) {
    let absence = |place: &usize| {
        let json = &pool.items[*place].json;
        let places = ["code", "vaccineCode", "medicationCodeableConcept", "type"];
        places.iter().find_map(|key| of_concept(json.get(key)))
    };
    let is_listed = candidates.iter().any(|place| absence(place).is_none());
    let says_none = candidates.iter().any(|place| absence(place) == Some(Absence::Whole));
    candidates.retain(|place| matches!(absence(place), None | Some(Absence::Part)));
    if says_none && !is_listed {
        choice.none_known.insert(kind);
    }
}

/// A document's section that is empty because there is nothing (`emptyReason` `nilknown`).
fn empty_sections_of_documents(pool: &Pool<'_>, choice: &mut Choice) {
    for item in pool.items.iter().filter(|item| item.from.resource_type == "Composition") {
        for section in item.json.get("section").items() {
            let is_nil = text::has_code(section.get("emptyReason"), &["nilknown"]);
            let of_kind = |kind: &SectionKind| text::has_code(section.get("code"), &[kind.loinc()]);
            let kind = SectionKind::ALL.into_iter().find(of_kind);
            choice.none_known.extend(kind.filter(|kind| is_nil && !choice.sections.contains_key(kind)));
        }
    }
}

/// Among so many records of one thing, date and status it is looked which one says all that another says.
const ALIKE_COMPARED_MAX: usize = 64;

/// One of the records that are about the same.
struct Alike<'a> {
    place: usize,
    /// What it says, but for names and numbers that each hospital gives in its own way.
    says: BTreeSet<String>,
    /// Which hospitals it stands for.
    hospitals: BTreeSet<&'a str>,
}

/// Takes out what says nothing that another hospital's record of the same thing, date and status does not say as well. Anything
/// more, be it a reaction or a degree, and both stay: a summary repeats rather than forgets. What one hospital registered twice is
/// two things until it says otherwise.
fn repeated(pool: &Pool<'_>, candidates: &mut Vec<usize>, same_as: &mut BTreeMap<usize, usize>) {
    let mut groups: BTreeMap<Vec<String>, Vec<Alike<'_>>> = BTreeMap::new();
    for place in candidates.iter().copied() {
        let item = &pool.items[place];
        let mut new =
            Alike { place, says: says(&item.json), hospitals: BTreeSet::from([item.from.hospital]) };
        let kept = groups.entry(key_of(item)).or_default();
        let within = kept.len().min(ALIKE_COMPARED_MAX);
        let apart = |one: &Alike<'_>, other: &Alike<'_>| one.hospitals.is_disjoint(&other.hospitals);
        if let Some(richer) =
            kept[..within].iter_mut().find(|old| apart(old, &new) && new.says.is_subset(&old.says))
        {
            richer.hospitals.append(&mut new.hospitals);
            same_as.insert(place, richer.place);
        } else if let Some(poorer) =
            kept[..within].iter_mut().find(|old| apart(old, &new) && old.says.is_subset(&new.says))
        {
            new.hospitals.append(&mut poorer.hospitals);
            let old = std::mem::replace(poorer, new).place;
            same_as.insert(old, place);
        } else {
            kept.push(new);
        }
    }
    // What a poorer one stood for, the richer one stands for now.
    for place in candidates.iter().rev() {
        let mut last = *place;
        while let Some(next) = same_as.get(&last) {
            last = *next;
        }
        if last != *place {
            same_as.insert(*place, last);
        }
    }
    candidates.retain(|place| !same_as.contains_key(place));
}

/// What two records have in common that may say the same: what it is about, when, and how it stands. Where there is no code to
/// compare, that is every word.
fn key_of(item: &Item<'_>) -> Vec<String> {
    let json = &item.json;
    let kind = item.from.resource_type.to_owned();
    let Some(code) = code_key(json) else { return vec![kind, json_text(json)] };
    let mut key = vec![kind, code, date_of(json).map(|date| date.text).unwrap_or_default()];
    for coded in ["status", "clinicalStatus", "verificationStatus"] {
        key.push(text::codes(json.get(coded)).collect::<Vec<_>>().join(" "));
    }
    key
}

/// Each member of a record as text, but for what names it, whom it is about, who wrote it down, and its code, which were compared.
fn says(json: &Json<'_>) -> BTreeSet<String> {
    const NAMES: &[&str] = &[
        "id",
        "meta",
        "text",
        "implicitRules",
        "language",
        "identifier",
        "subject",
        "patient",
        "encounter",
        "recorder",
        "recordedDate",
        "asserter",
        "performer",
        "issued",
        "status",
        "clinicalStatus",
        "verificationStatus",
        "code",
        "vaccineCode",
        "medicationCodeableConcept",
    ];
    let Json::Object(members) = json else { return BTreeSet::new() };
    let others = members.iter().filter(|(name, _)| !NAMES.contains(&&**name));
    others.map(|(name, value)| format!("{name}={}", json_text(value))).collect()
}

/// The codings of what it is about, else its words.
fn code_key(json: &Json<'_>) -> Option<String> {
    let places = ["code", "vaccineCode", "medicationCodeableConcept", "type"];
    let concept = places.iter().map(|key| json.get(key)).find(|concept| !concept.is_null())?;
    let codings = concept.items().iter().flat_map(|item| item.get("coding").items());
    let mut codes: Vec<String> = codings
        .filter_map(|coding| {
            Some(format!("{}|{}", coding.text_at("system").unwrap_or_default(), coding.text_at("code")?))
        })
        .collect();
    codes.sort();
    if codes.is_empty() {
        text::concept(concept).map(|words| words.to_lowercase())
    } else {
        Some(codes.join(" "))
    }
}

fn within_bounds(
    pool: &Pool<'_>,
    kind: SectionKind,
    candidates: Vec<usize>,
    room: &mut Room,
    left_out: &mut usize,
) -> Vec<usize> {
    let mut of_code: BTreeMap<Option<String>, usize> = BTreeMap::new();
    let mut listed = Vec::new();
    for place in candidates {
        let item = &pool.items[place];
        let alike = of_code.entry(code_key(&item.json)).or_default();
        *alike += 1;
        let fits =
            *alike <= most_of_one_code(kind) && listed.len() < MAX_IPS_SECTION_ENTRIES && room.take(item);
        if fits {
            listed.push(place);
        } else {
            *left_out += 1;
        }
    }
    listed
}

/// Adds what the entries refer to, and what that refers to, as far as there is room.
fn supporting(pool: &Pool<'_>, choice: &mut Choice, room: &mut Room) {
    let mut present: BTreeSet<usize> = choice.entries.iter().copied().chain(choice.patient).collect();
    let mut queue: Vec<usize> = choice.patient.into_iter().chain(choice.entries.iter().copied()).collect();
    let mut next = 0;
    while let Some(place) = queue.get(next).copied() {
        next += 1;
        let item = &pool.items[place];
        each_reference(&item.json, &mut |reference| {
            let Target::Record(found) = target_of(pool, item.from.hospital, reference) else { return };
            let found = choice.standing_for(found);
            let target = &pool.items[found];
            let is_wanted = is_supporting(target.from.resource_type)
                && !text::has_code(target.json.get("status"), &["entered-in-error"]);
            if is_wanted && !present.contains(&found) && room.take(target) {
                present.insert(found);
                queue.push(found);
                choice.entries.push(found);
            }
        });
    }
}
