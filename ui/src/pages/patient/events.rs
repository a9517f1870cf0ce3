//! A line of the access log in words.

use crate::components::icon::Icon;
use crate::components::people::{grantee, who};
use crate::i18n::{Arg, Translator, tr, words};
use crate::route::Route;
use amulet_app_api::access::{LineId, LogEvent, LogLineView};

/// Where a line's own page is.
pub fn route(line: &LogLineView) -> Route {
    let LineId { identity, number } = line.line;
    Route::LogLine { identity, number }
}

/// Whether a line tells of an emergency access, which stands out.
pub fn is_emergency(line: &LogLineView) -> bool {
    matches!(line.what, LogEvent::EmergencyDeclared { .. })
}

/// Who acted: a practitioner, a hospital, or the person.
pub fn actor(t: Translator, line: &LogLineView) -> String {
    match (&line.by, &line.hospital) {
        (Some(person), _) => who(t, person),
        (None, Some(hospital)) => t.hospital(hospital),
        (None, None) => tr!(t, "you"),
    }
}

/// What happened, in a few words.
pub fn headline(t: Translator, line: &LogLineView) -> String {
    t.text(words::log_event(&line.what), &[("n", Arg::from(line.records))])
}

/// The rest: whose access, why, until when.
pub fn details(t: Translator, line: &LogLineView) -> Option<String> {
    let about = line.about.as_ref().map(|reader| tr!(t, "log-about", who = grantee(t, reader)));
    match (about, particulars(t, line)) {
        (Some(about), Some(particulars)) => Some(tr!(t, "sentences", first = about, second = particulars)),
        (about, particulars) => about.or(particulars),
    }
}

fn particulars(t: Translator, line: &LogLineView) -> Option<String> {
    match &line.what {
        LogEvent::EmergencyReviewed { justified } => {
            Some(t.text(if *justified { "log-review-justified" } else { "log-review-not-justified" }, &[]))
        }
        LogEvent::EmergencyDeclared { reason, note, until, .. } => {
            let reason = tr!(
                t,
                "log-reason",
                reason = t.text(words::reason(reason), &[]),
                until = t.date_time(*until)
            );
            Some(match note {
                Some(note) => format!("{reason} {}", tr!(t, "log-note", note = note.clone())),
                None => reason,
            })
        }
        LogEvent::AccessGranted { purpose, until } | LogEvent::OpenedToMe { purpose, until } => Some(tr!(
            t,
            "log-purpose-until",
            purpose = t.text(words::purpose(purpose), &[]),
            until = t.date_time(*until)
        )),
        LogEvent::AccessRequested { purpose } | LogEvent::RecordsRead { purpose } => {
            Some(tr!(t, "log-purpose", purpose = t.text(words::purpose(purpose), &[])))
        }
        LogEvent::IdentityRegistered
        | LogEvent::RecordsRegistered
        | LogEvent::CardMade
        | LogEvent::CardRevoked
        | LogEvent::AccessDeclined
        | LogEvent::AccessRevoked
        | LogEvent::AccessNarrowed
        | LogEvent::EmergencyDisputed
        | LogEvent::RecordsOpened
        | LogEvent::AccessPaused
        | LogEvent::AccessResumed
        | LogEvent::OpenedToMeChanged
        | LogEvent::OpenedToMeRevoked
        | LogEvent::ReadByMe
        | LogEvent::DeletedByMe
        | LogEvent::ErasureAsked
        | LogEvent::ErasureConfirmed
        | LogEvent::KeysReplaced
        | LogEvent::DeletionConfirmed => None,
        LogEvent::ErasureOrdered { ground, confirm_by } => {
            let ground = t.text(words::erasure_ground(ground), &[]);
            let by = tr!(t, "log-erasure-confirm-by", by = t.day(*confirm_by));
            Some(tr!(t, "sentences", first = ground, second = by))
        }
        LogEvent::ErasureRefused { reason, until } => {
            let reason = t.text(words::keep_reason(reason), &[]);
            Some(tr!(
                t,
                "sentences",
                first = reason,
                second = tr!(t, "log-erasure-until", until = t.day(*until))
            ))
        }
        LogEvent::AccessExtended { until } => Some(tr!(t, "log-until", until = t.date_time(*until))),
    }
}

/// The icon of a kind of event.
pub fn icon(event: &LogEvent) -> Icon {
    match event {
        LogEvent::IdentityRegistered => Icon::Person,
        LogEvent::RecordsRegistered | LogEvent::RecordsOpened => Icon::Inbox,
        LogEvent::CardMade | LogEvent::CardRevoked => Icon::Card,
        LogEvent::EmergencyDeclared { .. } => Icon::Emergency,
        LogEvent::EmergencyDisputed => Icon::Cross,
        LogEvent::EmergencyReviewed { .. } => Icon::Check,
        LogEvent::AccessRequested { .. } => Icon::Ask,
        LogEvent::AccessGranted { .. } | LogEvent::AccessResumed => Icon::Key,
        LogEvent::AccessExtended { .. } | LogEvent::AccessNarrowed | LogEvent::AccessPaused => Icon::Clock,
        LogEvent::AccessDeclined | LogEvent::AccessRevoked => Icon::Cross,
        LogEvent::DeletionConfirmed => Icon::Check,
        LogEvent::RecordsRead { .. } | LogEvent::ReadByMe => Icon::Records,
        LogEvent::OpenedToMe { .. } => Icon::Key,
        LogEvent::OpenedToMeChanged => Icon::Clock,
        LogEvent::OpenedToMeRevoked => Icon::Cross,
        LogEvent::DeletedByMe => Icon::Check,
        LogEvent::ErasureAsked => Icon::Ask,
        LogEvent::ErasureOrdered { .. } | LogEvent::ErasureRefused { .. } => Icon::Cross,
        LogEvent::ErasureConfirmed => Icon::Check,
        LogEvent::KeysReplaced => Icon::Key,
    }
}
