//! Studies and boards for an operator's eyes.

use amulet_protocol::consent::RecordDates;
use amulet_protocol::history::Event;
use amulet_protocol::ids::{Did, Timestamp};
use amulet_protocol::receipt::{Outcome, Receipt};
use amulet_protocol::study::{BoardState, StudyId, StudyStage, StudyState, StudyTerms};
use amulet_wallet::dates;
use std::fmt::Write;

const DAY_MS: u64 = 86_400_000;

/// All that a board decides on.
pub(super) fn terms(terms: &StudyTerms) -> String {
    let mut text = format!("{}\n{}\n{}\n{}\n", terms.title.zh, terms.title.en, terms.aim.zh, terms.aim.en);
    let categories: Vec<String> = terms.categories.iter().map(|category| format!("{category:?}")).collect();
    let RecordDates { from, to } = terms.record_dates;
    let date = |day: Option<_>| day.map_or("…".to_owned(), dates::text_of);
    let _ = write!(
        text,
        "board {}; reads {} of {} to {}, by researchers{}; at most {} participants",
        terms.board,
        categories.join(", "),
        date(from),
        date(to),
        terms.department.as_ref().map_or(String::new(), |department| format!(" of {department}")),
        terms.participants_max
    );
    text
}

/// A study and how far it is.
pub(super) fn study(id: StudyId, study: &StudyState, now: Timestamp) -> String {
    let stage = match study.stage {
        StudyStage::Waiting => "waits for its board".to_owned(),
        StudyStage::Rejected { .. } => "rejected".to_owned(),
        StudyStage::Ended { .. } => "ended before its time".to_owned(),
        StudyStage::Approved { .. } if !study.is_open(now) => "over".to_owned(),
        StudyStage::Approved { .. } => {
            let left = study.terms.ends.millis_since(now).div_ceil(DAY_MS);
            format!("open for {left} d more, at most")
        }
    };
    let StudyState { sponsor, participants, .. } = study;
    format!("{id}\n{}\nsponsor {sponsor}; {participants} take part; {stage}", terms(&study.terms))
}

/// A board and its votes.
pub(super) fn board(did: Did, state: &BoardState) -> String {
    let office = match &state.office {
        Some(office) => format!("in office as “{}” “{}”", office.name.zh, office.name.en),
        None => "no ethics board".to_owned(),
    };
    let votes = state.votes.iter().map(|vote| {
        let name =
            vote.name.as_ref().map_or("none".to_owned(), |name| format!("“{}” “{}”", name.zh, name.en));
        format!("\nseat {}: {name}", vote.seat.0)
    });
    format!("{did}: {office}{}", votes.collect::<String>())
}

/// What became of a vote.
pub(super) fn vote(receipt: &Receipt) -> &'static str {
    let Outcome::Applied { events } = &receipt.outcome else { return "" };
    let decided = events.iter().find_map(|(_, _, event)| match event {
        Event::BoardNamed { .. } => Some("Voted. The board is in office."),
        Event::BoardDismissed { .. } => Some("Voted. It is no board any more."),
        _ => None,
    });
    decided.unwrap_or("Voted. It needs more hospitals that say the same; see `study board`.")
}
