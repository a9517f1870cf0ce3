//! From what went wrong below to the closed list that the interface has sentences for.

use amulet_app_api::wallet::HospitalView;
use amulet_app_api::{ApiError, ErrorCode};
use amulet_crypto::kdf::PhraseError;
use amulet_crypto::passphrase::PassphraseError;
use amulet_light_client::{Forgery, LightError, NodeIndex, NodeVerdict, TransportError};
use amulet_protocol::light::{AccessRefusal, LightRefusal};
use amulet_protocol::links::LinkRefusal;
use amulet_protocol::receipt::RefusalCode;

use crate::card::{FACT_BYTES_MAX, FACTS_BYTES_MAX, FACTS_MAX, FactsError};
use crate::card_code::CardCodeError;
use crate::keyfile::KeyFileError;
use crate::store::StoreError;

/// A bug, with the words for whoever mends it.
pub(crate) fn internal(message: impl std::fmt::Display) -> ApiError {
    ApiError::new(ErrorCode::Internal).with("message", message)
}

pub(crate) fn storage(error: StoreError) -> ApiError {
    ApiError::new(ErrorCode::Storage).with("message", error)
}

pub(crate) fn keyfile(error: KeyFileError) -> ApiError {
    match error {
        KeyFileError::WrongPassphrase => ErrorCode::WrongPassphrase.into(),
        KeyFileError::Name { .. } => ApiError::new(ErrorCode::BadRequest).with("field", "name"),
        // Others have to be shown.
        KeyFileError::WordsUsed => ErrorCode::NoPendingWords.into(),
        KeyFileError::Passphrase(PassphraseError::Empty) => ErrorCode::WrongPassphrase.into(),
        KeyFileError::Passphrase(PassphraseError::TooLong { .. }) => ErrorCode::WrongPassphrase.into(),
        other => ApiError::new(ErrorCode::Storage).with("message", other),
    }
}

pub(crate) fn phrase(error: PhraseError) -> ApiError {
    match error {
        PhraseError::TooLong { .. } => ErrorCode::WordCount.into(),
        PhraseError::WrongCount { found, expected } => {
            ApiError::new(ErrorCode::WordCount).with("found", found).with("expected", expected)
        }
        PhraseError::MixedLanguages => ErrorCode::WordLanguages.into(),
        PhraseError::UnknownWord { index, word, suggestion } => {
            let error = ApiError::new(ErrorCode::WordUnknown).with("index", index).with("word", word);
            suggestion.into_iter().fold(error, |error, suggestion| error.with("suggestion", suggestion))
        }
        PhraseError::Checksum { likely } => {
            let error = ApiError::new(ErrorCode::WordChecksum);
            likely.into_iter().fold(error, |error, index| error.with("index", index))
        }
    }
}

pub(crate) fn card_code(error: CardCodeError) -> ApiError {
    match error {
        CardCodeError::NotOurs => ErrorCode::CodeNotOurs.into(),
        CardCodeError::Damaged => ErrorCode::CodeDamaged.into(),
    }
}

pub(crate) fn facts(error: FactsError) -> ApiError {
    let too_large = |size: usize, limit: usize| {
        ApiError::new(ErrorCode::TooLarge).with("size", size).with("limit", limit)
    };
    match error {
        FactsError::TooMany { found } => too_large(found, FACTS_MAX),
        FactsError::TooLong { found, .. } => too_large(found, FACT_BYTES_MAX),
        FactsError::TooLongTogether { found } => too_large(found, FACTS_BYTES_MAX),
        FactsError::Empty { index } => {
            ApiError::new(ErrorCode::BadRequest).with("field", "facts").with("index", index)
        }
    }
}

/// What the ledger said no to.
pub(crate) fn refusal(code: RefusalCode) -> ApiError {
    match code {
        RefusalCode::CardRevoked => ErrorCode::CardRevoked.into(),
        RefusalCode::UnknownCard => ErrorCode::CardUnknown.into(),
        RefusalCode::NotAPractitioner => ErrorCode::NotAClinician.into(),
        RefusalCode::WrongKey => ErrorCode::KeysReplaced.into(),
        RefusalCode::GrantExpired => grant_ended("expired"),
        RefusalCode::GrantRevoked => grant_ended("revoked"),
        RefusalCode::GrantUsedUp => grant_ended("used_up"),
        RefusalCode::GrantPaused => grant_ended("paused"),
        RefusalCode::UnknownPatient | RefusalCode::UnknownRequest | RefusalCode::UnknownGrant => {
            ErrorCode::NotFound.into()
        }
        other => ApiError::new(ErrorCode::Refused).with("reason", code_text(other)),
    }
}

pub(crate) fn grant_ended(why: &str) -> ApiError {
    ApiError::new(ErrorCode::GrantEnded).with("why", why)
}

fn code_text(code: RefusalCode) -> String {
    match serde_json::to_value(code) {
        Ok(serde_json::Value::String(text)) => text,
        _ => code.to_string(),
    }
}

/// What the light client found; `hospital` gives who runs a node.
pub(crate) fn light(error: LightError, hospital: impl Fn(NodeIndex) -> Option<HospitalView>) -> ApiError {
    let error_text = error.to_string();
    match error {
        LightError::Unreachable { asked } => ApiError::new(ErrorCode::Unreachable).with("asked", asked),
        LightError::TooFewNodes { found, needed } => too_few(found, needed),
        LightError::TooFewWitnesses { agreeing, needed, nodes } => {
            witnesses(agreeing, needed, &nodes, hospital)
        }
        LightError::Disagreement(found) => {
            let sides = found.left.nodes.iter().chain(&found.right.nodes);
            named(ErrorCode::Disagreement.into(), "hospitals", sides.filter_map(|node| hospital(*node)))
        }
        LightError::Forged { node, forgery } => forged(hospital(node), what_of(&forgery)),
        LightError::HistoryShrunk { .. } | LightError::HistoryForked { .. } => forged(None, "history"),
        LightError::Unlinked { .. } => forged(None, "header"),
        LightError::ValidatorsChanged { .. } => forged(None, "certificate"),
        LightError::TrustExpired(expired) => ApiError::new(ErrorCode::Stale)
            .with("age_ms", expired.now.millis_since(expired.checked_at))
            .with("message", error_text),
        LightError::ClockBehind { now, newest } => {
            ApiError::new(ErrorCode::ClockBehind).with("now_ms", now.0).with("newest_ms", newest.0)
        }
        LightError::NotFound { .. } | LightError::NothingYet => ErrorCode::NotFound.into(),
        LightError::Refused { refusal, .. } => light_refusal(refusal),
        LightError::NotCommitted { .. } => ErrorCode::NotCommitted.into(),
        LightError::Store(_) => ApiError::new(ErrorCode::Storage).with("message", error_text),
        _ => internal(error_text),
    }
}

fn witnesses(
    agreeing: usize,
    needed: usize,
    nodes: &[(NodeIndex, NodeVerdict)],
    hospital: impl Fn(NodeIndex) -> Option<HospitalView>,
) -> ApiError {
    let forgeries = nodes.iter().filter_map(|(node, verdict)| match verdict {
        NodeVerdict::Forged(forgery) => Some((*node, forgery)),
        _ => None,
    });
    let forgeries: Vec<_> = forgeries.collect();
    if let Some((_, forgery)) = forgeries.first() {
        return forged(forgeries.iter().filter_map(|(node, _)| hospital(*node)), what_of(forgery));
    }
    if agreeing == 0 && nodes.iter().all(|(_, verdict)| matches!(verdict, NodeVerdict::Unreachable(_))) {
        let error = ApiError::new(ErrorCode::Unreachable).with("asked", nodes.len());
        let is_intercepted = |verdict: &NodeVerdict| {
            matches!(verdict, NodeVerdict::Unreachable(TransportError::Intercepted { .. }))
        };
        let signs_in = nodes.iter().any(|(_, verdict)| is_intercepted(verdict));
        return if signs_in { error.with("why", "sign_in") } else { error };
    }
    too_few(agreeing, needed)
}

fn too_few(answered: usize, needed: usize) -> ApiError {
    ApiError::new(ErrorCode::TooFewWitnesses).with("answered", answered).with("needed", needed)
}

pub(crate) fn forged(by: impl IntoIterator<Item = HospitalView>, what: &str) -> ApiError {
    named(ErrorCode::Forged.into(), "hospital", by).with("what", what)
}

/// Names hospitals in an error: `detail` in English, `detail_zh` in Chinese. Those without a name are named by their DID.
fn named(error: ApiError, detail: &str, hospitals: impl IntoIterator<Item = HospitalView>) -> ApiError {
    let or_did = |name: String, did: &str| if name.is_empty() { did.to_owned() } else { name };
    let names = hospitals
        .into_iter()
        .map(|HospitalView { did, name_en, name_zh }| (or_did(name_en, &did), or_did(name_zh, &did)));
    let (en, zh): (Vec<_>, Vec<_>) = names.unzip();
    if en.is_empty() {
        return error;
    }
    error.with(detail, en.join(", ")).with(&format!("{detail}_zh"), zh.join("、"))
}

fn what_of(forgery: &Forgery) -> &'static str {
    match forgery {
        Forgery::Header(_) | Forgery::HeaderHeight { .. } => "header",
        Forgery::History(_) => "history",
        Forgery::Ciphertext { .. } => "ciphertext",
        _ => "proof",
    }
}

fn light_refusal(refusal_found: LightRefusal) -> ApiError {
    match refusal_found {
        LightRefusal::WouldRefuse(code) => refusal(code),
        LightRefusal::NotAllowed(AccessRefusal::Ended) => grant_ended("expired"),
        LightRefusal::NotAllowed(AccessRefusal::Revoked) => grant_ended("revoked"),
        LightRefusal::NotAllowed(AccessRefusal::Paused) => grant_ended("paused"),
        LightRefusal::Busy => ErrorCode::Unreachable.into(),
        other => ApiError::new(ErrorCode::Refused).with("reason", reason_of(&other)),
    }
}

fn reason_of(refusal: &LightRefusal) -> &'static str {
    match refusal {
        LightRefusal::Malformed => "malformed",
        LightRefusal::BadTransaction => "bad_transaction",
        LightRefusal::Clock { .. } => "clock",
        LightRefusal::NotSigned { .. } => "not_signed",
        LightRefusal::NotAllowed(AccessRefusal::NotCovered) => "not_covered",
        LightRefusal::NotAllowed(_) => "not_allowed",
        LightRefusal::Pruned { .. } => "pruned",
        LightRefusal::NoFork => "no_fork",
        LightRefusal::Link(LinkRefusal::NotAPatient) => "link_not_a_patient",
        LightRefusal::Link(LinkRefusal::TooMany { .. }) => "link_too_many",
        LightRefusal::Link(LinkRefusal::Full) => "link_hospital_full",
        LightRefusal::Link(LinkRefusal::NoSuchLink) => "link_unknown",
        LightRefusal::WouldRefuse(_) | LightRefusal::Busy => "busy",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_recovery_word_is_named_with_its_place() {
        let error = phrase(PhraseError::UnknownWord {
            index: 3,
            word: "roff".to_owned(),
            suggestion: Some("roof".to_owned()),
        });
        assert_eq!(error.code, ErrorCode::WordUnknown);
        assert_eq!(error.details["index"], "3");
        assert_eq!(error.details["word"], "roff");
        assert_eq!(error.details["suggestion"], "roof");
    }

    #[test]
    fn the_ledgers_refusals_keep_their_codes() {
        assert_eq!(refusal(RefusalCode::CardRevoked).code, ErrorCode::CardRevoked);
        let ended = refusal(RefusalCode::GrantRevoked);
        assert_eq!((ended.code, ended.details["why"].as_str()), (ErrorCode::GrantEnded, "revoked"));
        let other = refusal(RefusalCode::BeyondRequest);
        assert_eq!((other.code, other.details["reason"].as_str()), (ErrorCode::Refused, "beyond_request"));
    }

    #[test]
    fn a_lie_is_told_from_silence() {
        let silence = NodeVerdict::Unreachable(TransportError::Connect);
        let nodes = vec![(NodeIndex(0), silence.clone()), (NodeIndex(1), silence.clone())];
        let name = |node: NodeIndex| {
            let (did, name_en, name_zh) =
                (format!("did {node}"), format!("Hospital {node}"), format!("第{node}医院"));
            Some(HospitalView { did, name_en, name_zh })
        };
        let error = LightError::TooFewWitnesses { agreeing: 0, needed: 2, nodes };
        assert_eq!(light(error, name).code, ErrorCode::Unreachable);
        let page = amulet_light_client::Interception::Page;
        let page = NodeVerdict::Unreachable(TransportError::Intercepted { by: page });
        let nodes = vec![(NodeIndex(0), silence.clone()), (NodeIndex(1), page)];
        let error = light(LightError::TooFewWitnesses { agreeing: 0, needed: 2, nodes }, name);
        assert_eq!((error.code, error.details["why"].as_str()), (ErrorCode::Unreachable, "sign_in"));
        let lie = NodeVerdict::Forged(Forgery::Count { asked: 1, found: 2 });
        let nodes = vec![(NodeIndex(0), silence), (NodeIndex(1), lie.clone()), (NodeIndex(2), lie)];
        let error = light(LightError::TooFewWitnesses { agreeing: 1, needed: 2, nodes }, name);
        assert_eq!(error.code, ErrorCode::Forged);
        assert_eq!(error.details["hospital"], "Hospital 1, Hospital 2", "each of them is named");
        assert_eq!(error.details["hospital_zh"], "第1医院、第2医院");
    }

    #[test]
    fn a_device_from_a_drawer_says_how_long_it_lay_there() {
        use amulet_light_client::verifier::TrustExpired;
        use amulet_protocol::ids::Timestamp;

        let (checked_at, now) = (Timestamp(1_000), Timestamp(91_000));
        let error = LightError::TrustExpired(TrustExpired { checked_at, now, period_ms: 60_000 });
        let error = light(error, |_| None);
        assert_eq!((error.code, error.details["age_ms"].as_str()), (ErrorCode::Stale, "90000"));
    }
}
