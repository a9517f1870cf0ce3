//! What liars answer to who copies their ledger.

use super::LiarMind;
use crate::schedule::Behaviour;
use amulet_node::ledger::{Standing, TransferRequest, TransferResponse};
use amulet_protocol::certificate::UntrustedSignedHeader;
use amulet_protocol::ids::Height;

/// Pieces that one who stops half-way gives before.
const PIECES_BEFORE: u64 = 6;
/// Headers in an answer without end.
const HEADERS_WITHOUT_END: usize = 1_100;

/// What a liar remembers of copies.
#[derive(Default)]
pub(super) struct CopyLies {
    /// The first snapshot that it had.
    first: Option<UntrustedSignedHeader>,
    pieces: u64,
}

impl LiarMind {
    /// What it answers in place of the truth; `None` for nothing.
    pub fn bend_piece(
        &mut self,
        request: &TransferRequest,
        mut answer: TransferResponse,
    ) -> Option<TransferResponse> {
        let is_piece = !matches!(request, TransferRequest::Standing | TransferRequest::EpochEnds { .. });
        self.copies.pieces += u64::from(is_piece);
        if self.has(Behaviour::Silent) || (self.has(Behaviour::StopHalfway) && self.stops(is_piece)) {
            return None;
        }
        if self.has(Behaviour::StaleSnapshots) {
            self.offer_first(&mut answer);
        }
        if self.has(Behaviour::WrongSurvey) && self.rng.chance(700) {
            self.misinform(&mut answer);
        }
        if self.has(Behaviour::EndlessAnswers) && self.rng.chance(700) {
            swell(&mut answer);
        }
        if self.has(Behaviour::WrongPieces) && self.rng.chance(700) {
            self.spoil(&mut answer);
        }
        Some(answer)
    }

    /// Silent after some pieces, until somebody begins anew.
    fn stops(&mut self, is_piece: bool) -> bool {
        if !is_piece {
            self.copies.pieces = 0;
        }
        self.copies.pieces > PIECES_BEFORE
    }

    fn offer_first(&mut self, answer: &mut TransferResponse) {
        if let TransferResponse::Standing(standing) = answer {
            self.copies.first = self.copies.first.take().or_else(|| standing.snapshot.clone());
            standing.snapshot.clone_from(&self.copies.first);
        }
    }

    /// A standing that nobody has, a snapshot that nobody signed, or validators that nobody chose.
    fn misinform(&mut self, answer: &mut TransferResponse) {
        match answer {
            TransferResponse::Standing(standing) => self.boast_of(standing),
            TransferResponse::EpochEnds(ends) => match self.rng.range(0, 3) {
                0 => ends.iter_mut().for_each(|end| end.signed.certificate.signatures.clear()),
                1 => ends.reverse(),
                _ => ends.clear(),
            },
            _ => {}
        }
    }

    fn boast_of(&mut self, standing: &mut Standing) {
        match self.rng.range(0, 4) {
            0 => (standing.tip, standing.floor) = (Height(u64::MAX), Height(u64::MAX)),
            1 => standing.floor = Height(0),
            2 => (standing.tip, standing.snapshot) = (Height(0), None),
            _ => {}
        }
        if let Some(snapshot) = &mut standing.snapshot {
            match self.rng.range(0, 3) {
                0 => snapshot.header.time.0 += 1,
                1 => snapshot.header.height.0 += 16,
                _ => snapshot.certificate.signatures.truncate(1),
            }
            // The liar's own word for what nobody else signed.
            snapshot.certificate.vote.height = snapshot.header.height;
            snapshot.certificate.vote.header_hash = snapshot.header.hash();
        }
    }

    fn spoil(&mut self, answer: &mut TransferResponse) {
        let which = self.rng.range(0, 4);
        match answer {
            TransferResponse::Headers(headers) => match which {
                0 => headers.reverse(),
                1 => headers.clear(),
                _ => headers.iter_mut().for_each(|header| header.time.0 += 1),
            },
            TransferResponse::State(chunk) => match which {
                0 => drop(chunk.rows.pop()),
                1 => chunk.is_last = !chunk.is_last,
                2 => chunk.rows.iter_mut().for_each(|(_, value)| value.push(0)),
                _ => chunk.rows = chunk.rows.split_off(chunk.rows.len() / 2),
            },
            TransferResponse::Histories(chunks) => match which {
                0 => chunks.iter_mut().for_each(|chunk| chunk.entries.clear()),
                _ => {
                    let entries = chunks.iter_mut().flat_map(|chunk| &mut chunk.entries);
                    entries.for_each(|entry| entry.height.0 += 1);
                }
            },
            _ => {}
        }
    }
}

/// The same again and again.
fn swell(answer: &mut TransferResponse) {
    match answer {
        TransferResponse::Headers(headers) => {
            let again: Vec<_> = headers.iter().cycle().take(HEADERS_WITHOUT_END).cloned().collect();
            *headers = again;
        }
        TransferResponse::EpochEnds(ends) => {
            let again: Vec<_> = ends.iter().cycle().take(64).cloned().collect();
            *ends = again;
        }
        TransferResponse::State(chunk) => {
            let again = chunk.rows.clone();
            chunk.rows.extend(again);
        }
        TransferResponse::Histories(chunks) => {
            let again = chunks.clone();
            chunks.extend(again);
        }
        _ => {}
    }
}
