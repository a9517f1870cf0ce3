//! Whom a node that is far behind asks for what, and what becomes of the answers. There is no network, clock or thread
//! here: [`Copier::look`] and [`Copier::answered`] say what to ask next, and whoever drives it brings the answers.

use super::TransferError;
use crate::ledger::{
    Anchor, EpochEnd, Ledger, LedgerError, Refused, Restore, Standing, Survey, TakeError, TransferRequest,
    TransferResponse,
};
use amulet_pbft::planted::Bug;
use amulet_protocol::certificate::VoteCheck;
use amulet_protocol::genesis::Genesis;
use amulet_protocol::ids::{Height, ReplicaId};
use redb::Database;
use std::collections::BTreeSet;

/// More blocks than this are not executed one by one when a copy is to be had: a copy has the size of the state and one
/// header for each block, while a block takes as long as it took everybody else.
const BLOCKS_BEHIND_MAX: u64 = 10_000;
/// How often everybody is asked for a piece before the copy is given up until the next look.
const ROUNDS_PER_PIECE: usize = 3;

/// The files of a node that a copy concerns: its ledger's, and that of a copy that is under way or waits to take its place.
pub trait CopyFiles: Send + Sync {
    /// Whether there is a copy.
    fn has_copy(&self) -> bool;
    /// Opens the copy's file, or makes an empty one.
    ///
    /// # Errors
    /// [`LedgerError::Open`].
    fn open_copy(&self) -> Result<Database, LedgerError>;
    /// Removes the copy, which is closed.
    ///
    /// # Errors
    /// [`TransferError::File`].
    fn remove_copy(&self) -> Result<(), TransferError>;
    /// Whether there is a ledger.
    fn has_ledger(&self) -> bool;
    /// Opens the ledger's file.
    ///
    /// # Errors
    /// [`LedgerError::Open`].
    fn open_ledger(&self) -> Result<Database, LedgerError>;
    /// Puts the copy, which is closed, in the ledger's place: either happens in full or not at all.
    ///
    /// # Errors
    /// [`TransferError::File`].
    fn put_in_place(&self) -> Result<(), TransferError>;
}

/// What to do next.
#[derive(Debug)]
pub enum Next {
    /// Nothing, until the next look.
    Rest,
    /// Ask these, at once, and hand all answers in.
    Ask(Vec<(ReplicaId, TransferRequest)>),
    /// Start the node again: the ledger up to this block was copied, and is put in place at the start.
    Copied(Height),
}

/// An answer to a question of [`Next::Ask`]; `None` if none came in time.
pub type Answer = (ReplicaId, Option<TransferResponse>);

/// What a [`Copier`] works with.
pub struct CopierParts {
    /// The ledger that the node runs on.
    pub ledger: Ledger,
    /// What the chain starts from.
    pub genesis: Genesis,
    /// How commit votes are checked.
    pub votes: &'static dyn VoteCheck,
    /// Whom to ask.
    pub others: Vec<ReplicaId>,
    /// The node's files.
    pub files: Box<dyn CopyFiles>,
    /// A deliberate bug.
    #[cfg(feature = "planted")]
    pub planted: Option<Bug>,
}

/// Looks after a node's being near the others.
pub struct Copier {
    parts: CopierParts,
    stage: Stage,
}

enum Stage {
    /// Nothing is under way.
    Resting,
    /// Everybody is asked where they stand.
    Looking,
    /// One after the other is asked for the ends of epochs.
    Following { survey: Survey<'static>, peer: usize },
    /// Everybody is asked for the newest snapshot.
    Choosing { survey: Survey<'static> },
    /// One after the other is asked for pieces.
    Filling(Filling),
}

struct Filling {
    restore: Restore,
    /// Whose turn it is to be asked.
    peer: usize,
    /// Questions since the last piece.
    failures: usize,
    /// Who has said since then that it no longer has the piece.
    without: BTreeSet<ReplicaId>,
}

impl Copier {
    /// One that has not looked yet.
    #[must_use]
    pub fn new(parts: CopierParts) -> Self {
        Self { parts, stage: Stage::Resting }
    }

    fn is_planted(&self, bug: Bug) -> bool {
        #[cfg(feature = "planted")]
        return self.parts.planted == Some(bug);
        #[cfg(not(feature = "planted"))]
        {
            let _ = bug;
            false
        }
    }

    /// Goes on with a copy that was begun, or looks whether one is needed. Whatever was under way is given up.
    ///
    /// # Errors
    /// [`TransferError`]; another look may do better.
    pub fn look(&mut self) -> Result<Next, TransferError> {
        self.stage = Stage::Resting;
        match self.begun()? {
            // A newer copy over the older one.
            Some(_) if self.is_planted(Bug::ResumeOther) => {
                self.stage = Stage::Looking;
                Ok(self.ask_all())
            }
            Some(restore) if restore.height() <= self.parts.ledger.tip().height => {
                drop(restore);
                self.parts.files.remove_copy()?;
                Ok(Next::Rest)
            }
            Some(restore) => self.fill(restore),
            None => {
                self.stage = Stage::Looking;
                Ok(self.ask_all())
            }
        }
    }

    /// Takes the answers to all questions of the last [`Next::Ask`].
    ///
    /// # Errors
    /// [`TransferError`]; another look may do better.
    pub fn answered(&mut self, answers: Vec<Answer>) -> Result<Next, TransferError> {
        match std::mem::replace(&mut self.stage, Stage::Resting) {
            Stage::Resting => Ok(Next::Rest),
            Stage::Looking => {
                if !self.is_far_behind(&standings(answers)) {
                    return Ok(Next::Rest);
                }
                let survey = Survey::new(&self.parts.genesis, self.parts.votes).map_err(LedgerError::from)?;
                #[cfg(feature = "planted")]
                let survey = survey.with_planted(self.parts.planted);
                Ok(self.follow(survey, 0))
            }
            Stage::Following { survey, peer } => Ok(self.on_ends(survey, peer, answers)),
            Stage::Choosing { survey } => self.on_offers(survey, answers),
            Stage::Filling(filling) => self.on_piece(filling, answers),
        }
    }

    /// The copy that was begun before, by this process or one before it.
    fn begun(&self) -> Result<Option<Restore>, TransferError> {
        if !self.parts.files.has_copy() {
            return Ok(None);
        }
        Ok(Restore::resume(self.parts.files.open_copy()?, &self.parts.genesis)?.ok())
    }

    fn ask_all(&self) -> Next {
        let ask = |peer: &ReplicaId| (*peer, TransferRequest::Standing);
        Next::Ask(self.parts.others.iter().map(ask).collect())
    }

    /// Whether so many peers say so that one of them is right.
    fn is_far_behind(&self, standings: &[(ReplicaId, Standing)]) -> bool {
        let own = self.parts.ledger.tip().height;
        let next = own.next();
        let enough = self.parts.ledger.epoch().validators.quorum().one_correct();
        let count = |holds: &dyn Fn(&Standing) -> bool| {
            standings.iter().filter(|(_, standing)| holds(standing)).count()
        };
        let ahead = count(&|standing| standing.snapshot.is_some() && standing.tip > own);
        let far_ahead = count(&|standing| standing.tip.0.saturating_sub(own.0) > BLOCKS_BEHIND_MAX);
        // At the floor itself a ledger that was copied has no transactions.
        let with_next = count(&|standing| standing.tip > own && standing.floor < next);
        far_ahead >= enough || (ahead >= enough && with_next < enough)
    }

    /// Asks the peer at this place for the ends of epochs, or when all were asked, everybody for snapshots.
    fn follow(&mut self, survey: Survey<'static>, peer: usize) -> Next {
        let Some(asked) = self.parts.others.get(peer) else {
            self.stage = Stage::Choosing { survey };
            return self.ask_all();
        };
        let request = TransferRequest::EpochEnds { from: survey.epoch() };
        let next = Next::Ask(vec![(*asked, request)]);
        self.stage = Stage::Following { survey, peer };
        next
    }

    fn on_ends(&mut self, mut survey: Survey<'static>, peer: usize, answers: Vec<Answer>) -> Next {
        let ends: Option<(ReplicaId, Vec<EpochEnd>)> =
            answers.into_iter().find_map(|(from, answer)| match answer {
                Some(TransferResponse::EpochEnds(ends)) => Some((from, ends)),
                _ => None,
            });
        let Some((from, ends)) = ends else { return self.follow(survey, peer + 1) };
        match survey.follow(ends) {
            Ok(true) => self.follow(survey, peer),
            Ok(false) => self.follow(survey, peer + 1),
            Err(error) => {
                tracing::warn!(replica = from.0, %error, "peer showed a false change of the validators");
                self.follow(survey, peer + 1)
            }
        }
    }

    /// Takes the newest block that can be copied, and makes the file for it.
    fn on_offers(
        &mut self,
        mut survey: Survey<'static>,
        answers: Vec<Answer>,
    ) -> Result<Next, TransferError> {
        for (peer, standing) in standings(answers) {
            if let Some(offered) = standing.snapshot
                && let Err(error) = survey.offer(offered)
            {
                tracing::warn!(replica = peer.0, %error, "peer offered a snapshot that nobody certified");
            }
        }
        let own = self.parts.ledger.tip().height;
        let anchor: Anchor =
            survey.anchor().filter(|anchor| anchor.height() > own).ok_or(TransferError::NoAnchor)?;
        tracing::info!(height = anchor.height().0, "copying the ledger from the others");
        let restore = Restore::begin(self.parts.files.open_copy()?, &self.parts.genesis, &anchor)?;
        self.fill(restore)
    }

    fn fill(&mut self, restore: Restore) -> Result<Next, TransferError> {
        #[cfg(feature = "planted")]
        let restore = restore.with_planted(self.parts.planted);
        self.ask_for_piece(Filling { restore, peer: 0, failures: 0, without: BTreeSet::new() })
    }

    /// Asks the next peer for what is missing, or finishes the copy.
    fn ask_for_piece(&mut self, filling: Filling) -> Result<Next, TransferError> {
        let height = filling.restore.height();
        let Some(request) = filling.restore.next()? else {
            filling.restore.finish()?;
            return Ok(Next::Copied(height));
        };
        let others = &self.parts.others;
        let Some(peer) = others.get(filling.peer % others.len().max(1)) else {
            return Err(TransferError::NobodyHasIt { height });
        };
        let next = Next::Ask(vec![(*peer, request)]);
        self.stage = Stage::Filling(filling);
        Ok(next)
    }

    /// Who lies or is silent costs the question.
    fn on_piece(&mut self, mut filling: Filling, answers: Vec<Answer>) -> Result<Next, TransferError> {
        filling.peer += 1;
        let Some((peer, answer)) = answers.into_iter().next() else { return self.ask_for_piece(filling) };
        let is_missing = matches!(answer, Some(TransferResponse::NotHere));
        let taken = match answer {
            Some(answer) => filling.restore.take(answer),
            None => Err(Refused::NoAnswer.into()),
        };
        match taken {
            Ok(()) => {
                filling.failures = 0;
                filling.without.clear();
            }
            Err(TakeError::Ledger(error)) => return Err(error.into()),
            Err(TakeError::Refused(error)) => {
                tracing::debug!(replica = peer.0, %error, "peer gave no piece of the copy");
                filling.failures += 1;
                if is_missing {
                    filling.without.insert(peer);
                }
                if filling.failures >= ROUNDS_PER_PIECE * self.parts.others.len() {
                    return Err(self.give_up(filling)?);
                }
            }
        }
        self.ask_for_piece(filling)
    }

    /// If so many say that they have removed what is missing that one of them is right, the next look begins a newer copy. To
    /// wait for more would be to wait for liars.
    fn give_up(&self, filling: Filling) -> Result<TransferError, TransferError> {
        let Filling { restore, without, .. } = filling;
        let height = restore.height();
        drop(restore);
        if without.len() >= self.parts.ledger.epoch().validators.quorum().one_correct() {
            self.parts.files.remove_copy()?;
        }
        Ok(TransferError::NobodyHasIt { height })
    }
}

fn standings(answers: Vec<Answer>) -> Vec<(ReplicaId, Standing)> {
    let standing = |(peer, answer)| match answer {
        Some(TransferResponse::Standing(standing)) => Some((peer, *standing)),
        _ => None,
    };
    answers.into_iter().filter_map(standing).collect()
}

/// Puts a copy that is whole in the ledger's place, before the ledger is opened. One that is not is left to go on with.
///
/// # Errors
/// [`TransferError`].
pub fn put_copy_in_place(
    files: &dyn CopyFiles,
    genesis: &Genesis,
    votes: &'static dyn VoteCheck,
) -> Result<(), TransferError> {
    if !files.has_copy() {
        return Ok(());
    }
    match Restore::resume(files.open_copy()?, genesis)? {
        Ok(_) => return Ok(()),
        Err(database) if Restore::is_empty(&database)? => {
            drop(database);
            return files.remove_copy();
        }
        Err(database) => drop(database),
    }
    let tip = |database| Ok::<_, LedgerError>(Ledger::over(database, genesis, Box::new(votes))?.tip().height);
    let copied = tip(files.open_copy()?)?;
    if files.has_ledger() && tip(files.open_ledger()?)? >= copied {
        return files.remove_copy();
    }
    files.put_in_place()
}
