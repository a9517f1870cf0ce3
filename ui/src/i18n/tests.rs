#![allow(clippy::unwrap_used)]
use super::words;
use super::{Arg, CHINESE, ENGLISH, lookup, with_bundle};
use crate::components::error::reason_key;
use amulet_app_api::wallet::Language;
use amulet_protocol::codec;
use amulet_protocol::receipt::RefusalCode;
use std::collections::BTreeSet;
use std::path::Path;

const LANGUAGES: [Language; 2] = [Language::En, Language::Zh];

/// `key` and `key.attribute` of every message in a file.
fn keys(source: &str) -> BTreeSet<String> {
    let mut message = String::new();
    let mut found = BTreeSet::new();
    for line in source.lines() {
        let Some((name, _)) = line.split_once('=') else { continue };
        if let Some(attribute) = line.strip_prefix("    .") {
            let name = attribute.split([' ', '=']).next().unwrap();
            assert!(found.insert(format!("{message}.{name}")), "{message}.{name} is there twice");
        } else if line.starts_with(|first: char| first.is_ascii_lowercase()) {
            message = name.trim().to_owned();
            assert!(found.insert(message.clone()), "{message} is there twice");
        }
    }
    found
}

#[test]
fn both_languages_say_the_same_things() {
    let (english, chinese) = (keys(ENGLISH), keys(CHINESE));
    assert_eq!(english.difference(&chinese).collect::<Vec<_>>(), Vec::<&String>::new(), "missing in Chinese");
    assert_eq!(chinese.difference(&english).collect::<Vec<_>>(), Vec::<&String>::new(), "missing in English");
}

#[test]
fn both_files_are_read_without_a_complaint() {
    for source in [ENGLISH, CHINESE] {
        if let Err((_, errors)) = fluent_bundle::FluentResource::try_new(source.to_owned()) {
            panic!("{errors:?}");
        }
    }
}

#[test]
fn every_closed_list_has_its_words() {
    let lists = [
        words::CATEGORIES,
        words::CLASSES,
        words::LOG_EVENTS,
        words::STORY_STEPS,
        words::STANDINGS,
        words::MEDICINE_STANDINGS,
        words::ERASURE_GROUNDS,
        words::KEEP_REASONS,
        words::PROOF_CHECKS,
        words::PURPOSES,
        words::ASK_FORS,
        words::PRACTITIONER_ROLES,
        words::REASONS,
        words::LINK_STANDINGS,
        words::HINTS,
        words::HOSPITAL_ANSWERS,
        words::MEMORY_TROUBLES,
        words::TOLD_ANSWERS,
        words::TASKS,
        words::FACT_KINDS,
        words::SECTIONS,
        words::SHARE_STATES,
        words::ACCESS_STATES,
        words::ROLES,
    ];
    for key in lists.into_iter().flatten() {
        for language in LANGUAGES {
            assert!(with_bundle(language, |bundle| bundle.has_message(key)), "{key} in {language:?}");
        }
    }
}

#[test]
fn every_error_says_what_happened_what_it_means_and_what_to_do() {
    let details: Vec<(&str, Arg)> =
        crate::components::error::DETAILS.iter().map(|name| (*name, Arg::from("7"))).collect();
    for key in words::ERRORS {
        for language in LANGUAGES {
            for attribute in [None, Some("means"), Some("next")] {
                let text = lookup(language, key, attribute, &details);
                assert!(!text.starts_with('['), "{key} {attribute:?} in {language:?}");
                assert!(
                    !text.contains('{'),
                    "{key} {attribute:?} in {language:?} names an unknown detail: {text}"
                );
            }
        }
    }
}

/// Refusals of calls that no page makes: those of organisations and validators, and those that have an error of their own.
const MET_BY_NO_PAGE: [RefusalCode; 53] = [
    RefusalCode::NotAnOrganisation,
    RefusalCode::NotAPractitioner,
    RefusalCode::UnknownPatient,
    RefusalCode::BadValidity,
    RefusalCode::BadName,
    RefusalCode::RecordExists,
    RefusalCode::UnknownRequest,
    RefusalCode::UnknownGrant,
    RefusalCode::GrantExpired,
    RefusalCode::GrantRevoked,
    RefusalCode::GrantPaused,
    RefusalCode::GrantUsedUp,
    RefusalCode::UnknownCard,
    RefusalCode::CardRevoked,
    RefusalCode::EmployedElsewhere,
    RefusalCode::NotAValidator,
    RefusalCode::UnknownSeat,
    RefusalCode::NotYourSeat,
    RefusalCode::KeyUsed,
    RefusalCode::BadPeerId,
    RefusalCode::NotAccepted,
    RefusalCode::BadOrganisation,
    RefusalCode::SetSize,
    RefusalCode::ChangePending,
    RefusalCode::BadHeight,
    RefusalCode::TooManyProposals,
    RefusalCode::UnknownProposal,
    RefusalCode::ProposalClosed,
    RefusalCode::ProposalExpired,
    RefusalCode::AlreadyApproved,
    RefusalCode::NotYourProposal,
    RefusalCode::RotatedLately,
    RefusalCode::UnknownEpoch,
    RefusalCode::BadEvidence,
    RefusalCode::EvidenceKnown,
    RefusalCode::BadAddress,
    RefusalCode::FlowsDiffer,
    RefusalCode::BadRules,
    RefusalCode::RulesChanged,
    RefusalCode::UnknownDeclaration,
    RefusalCode::NotYourDeclaration,
    RefusalCode::AlreadyReviewed,
    RefusalCode::BadText,
    RefusalCode::UnknownBoard,
    RefusalCode::AlreadyVoted,
    RefusalCode::NotYourStudy,
    RefusalCode::TooManyStudies,
    RefusalCode::NotYourRecord,
    RefusalCode::NotAsked,
    RefusalCode::NotToErase,
    RefusalCode::ErasureConfirmed,
    RefusalCode::KeyTaken,
    RefusalCode::NotPossessed,
];

/// What a node says no with before a contract does.
const OF_NODES: [&str; 13] = [
    "malformed",
    "bad_transaction",
    "clock",
    "not_signed",
    "not_allowed",
    "not_covered",
    "pruned",
    "no_fork",
    "link_not_a_patient",
    "link_too_many",
    "link_hospital_full",
    "link_unknown",
    "busy",
];

#[test]
fn every_refusal_that_a_page_can_meet_has_its_words() {
    let all = (0..=u8::MAX).map_while(|code| codec::decode::<RefusalCode>(&[code], 1).ok());
    let met = all.filter(|code| !MET_BY_NO_PAGE.contains(code));
    let met: Vec<String> =
        met.map(|code| serde_json::to_value(code).unwrap().as_str().unwrap().to_owned()).collect();
    assert!(met.len() > 20, "{met:?}");
    for code in met.iter().map(String::as_str).chain(OF_NODES) {
        let key = reason_key(code);
        for language in LANGUAGES {
            assert!(with_bundle(language, |bundle| bundle.has_message(&key)), "{key} in {language:?}");
        }
    }
}

#[test]
fn every_check_is_explained() {
    for key in words::PROOF_CHECKS {
        for language in LANGUAGES {
            assert!(!lookup(language, key, Some("more"), &[]).starts_with('['), "{key}.more in {language:?}");
        }
    }
}

/// Reads the sources: a key that the code asks for must exist, and a message nobody asks for is removed.
#[test]
fn the_code_asks_for_what_exists_and_for_all_of_it() {
    let mut sources = String::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut sources);
    let known: BTreeSet<String> = keys(ENGLISH).into_iter().filter(|key| !key.contains('.')).collect();
    for (position, marker) in sources.match_indices("tr!(") {
        if sources[..position].ends_with(|before: char| before.is_alphanumeric() || before == '_') {
            continue;
        }
        let call = &sources[position + marker.len()..];
        let Some(key) = call.split(')').next().and_then(|call| call.split('"').nth(1)) else { continue };
        assert!(known.contains(key), "the code asks for {key}");
    }
    let from_outside = |key: &str| {
        ["label-", "refusal-", "refused-why-", "resource-", "sex-", "value-"]
            .iter()
            .any(|prefix| key.starts_with(prefix))
    };
    let unasked: Vec<&String> =
        known.iter().filter(|key| !from_outside(key) && !sources.contains(&format!("\"{key}\""))).collect();
    assert_eq!(unasked, Vec::<&String>::new(), "nobody asks for these");
}

fn collect(folder: &Path, into: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, into);
        } else if path.file_name().is_some_and(|name| name != "tests.rs") {
            into.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}
