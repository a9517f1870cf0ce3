//! `study`: ethics boards, and studies from the registration to the end.

mod file;
mod words;

use super::operator::{Member, NodeLink, OperatorError};
use super::say;
use crate::keys::{self, KeyError};
use amulet_crypto::entropy::SystemEntropy;
use amulet_crypto::sealed_box::AgreementKey;
use amulet_crypto::signing::SigningKey;
use amulet_protocol::calls::{Call, RegisterIdentity};
use amulet_protocol::history::Event;
use amulet_protocol::ids::{ChainId, Did, TxId};
use amulet_protocol::state::StateKey;
use amulet_protocol::study::{
    BoardState, EndStudy, RegisterStudy, ReviewStudy, StudyId, StudyState, VoteBoard, Wording,
};
use clap::{Args, Subcommand};
use std::collections::BTreeSet;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(super) enum StudyCommand {
    /// Show the studies that patients can join; with --of, all that a sponsor or a board has to do with.
    List {
        #[command(flatten)]
        node: NodeArgs,
        /// Sponsor or board.
        #[arg(long)]
        of: Option<Did>,
    },
    /// Register a study of this hospital, which its ethics board then decides on. Nothing of it can be changed.
    Register {
        /// The folder of the hospital's node, which must run.
        #[arg(long)]
        data: PathBuf,
        /// Sign it. Without this the command only says what it would sign.
        #[arg(long)]
        yes: bool,
        /// The study's terms, JSON; docs/operations says what it holds.
        file: PathBuf,
    },
    /// Approve a study, as its ethics board.
    Approve(OneArgs),
    /// Reject a study, as its ethics board; for good.
    Reject(OneArgs),
    /// End a study before its time, as its sponsor or its board; for good.
    End(OneArgs),
    /// Make the key of an ethics board that is no hospital, and register its identity.
    MakeBoard {
        #[command(flatten)]
        node: NodeArgs,
        /// The key's file, which must not exist.
        #[arg(long)]
        key: PathBuf,
    },
    /// Vote that somebody shall be an ethics board under this name.
    NameBoard {
        #[command(flatten)]
        vote: VoteArgs,
        /// Name in English.
        #[arg(long)]
        name_en: String,
        /// Name in Chinese.
        #[arg(long)]
        name_zh: String,
    },
    /// Vote that somebody shall be no ethics board.
    DismissBoard(VoteArgs),
    /// Show an ethics board and the votes on it.
    Board {
        #[command(flatten)]
        node: NodeArgs,
        /// The board.
        board: Did,
    },
}

#[derive(Debug, Args)]
pub(super) struct NodeArgs {
    /// Base URL of a running node's HTTP interface.
    #[arg(long, default_value = "http://127.0.0.1:8101")]
    node: String,
}

#[derive(Debug, Args)]
pub(super) struct VoteArgs {
    /// The folder of the hospital's node, which must run.
    #[arg(long)]
    data: PathBuf,
    /// Sign it. Without this the command only says what it would sign.
    #[arg(long)]
    yes: bool,
    /// The board.
    #[arg(long)]
    board: Did,
}

#[derive(Debug, Args)]
pub(super) struct OneArgs {
    /// The folder of the hospital's node, which must run, if a hospital signs.
    #[arg(long, required_unless_present = "key", conflicts_with = "key")]
    data: Option<PathBuf>,
    /// The key's file, if a board signs that is no hospital.
    #[arg(long)]
    key: Option<PathBuf>,
    #[command(flatten)]
    node: NodeArgs,
    /// Sign it. Without this the command only says what it would sign.
    #[arg(long)]
    yes: bool,
    /// The study, as `study list` shows it.
    #[arg(value_parser = study_id)]
    study: StudyId,
}

/// Why a command about studies failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum StudyError {
    #[error(transparent)]
    Operator(#[from] OperatorError),
    #[error(transparent)]
    File(#[from] file::FileError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("the ledger has no study {0}; see `study list`")]
    NoStudy(StudyId),
}

/// Who signs, and the node they send by.
struct Signer {
    link: NodeLink,
    key: SigningKey,
    chain: ChainId,
}

pub(super) async fn run(command: StudyCommand) -> Result<(), StudyError> {
    match command {
        StudyCommand::List { node, of } => say(list(&NodeLink::new(&node.node), of).await?.trim_end()),
        StudyCommand::Register { data, yes, file } => register(Member::load(&data)?, yes, &file).await?,
        StudyCommand::Approve(args) => review(args, true).await?,
        StudyCommand::Reject(args) => review(args, false).await?,
        StudyCommand::End(args) => end(args).await?,
        StudyCommand::MakeBoard { node, key } => make_board(NodeLink::new(&node.node), &key).await?,
        StudyCommand::NameBoard { vote, name_en, name_zh } => {
            cast(vote, Some(Wording { zh: name_zh, en: name_en })).await?;
        }
        StudyCommand::DismissBoard(vote) => cast(vote, None).await?,
        StudyCommand::Board { node, board } => {
            let state: Option<BoardState> = NodeLink::new(&node.node).state(StateKey::Board(board)).await?;
            say(words::board(board, &state.unwrap_or_default()));
        }
    }
    Ok(())
}

async fn register(member: Member, yes: bool, path: &std::path::Path) -> Result<(), StudyError> {
    let (_, now) = member.link.newest().await?;
    let terms = Box::new(file::load(path)?.terms(now)?);
    say(words::terms(&terms));
    if !yes {
        say("This would be registered, and could not be changed. Add --yes to sign it.");
        return Ok(());
    }
    let receipt = member.send(Call::RegisterStudy(RegisterStudy { terms })).await?;
    say(format_args!("Registered: {}. It waits for its board.", receipt.transaction));
    Ok(())
}

async fn review(args: OneArgs, approve: bool) -> Result<(), StudyError> {
    let (signer, study, yes) = (signer(&args).await?, args.study, args.yes);
    show(&signer.link, study).await?;
    let decision = if approve { "approved" } else { "rejected" };
    if !yes {
        say(format_args!("This would be {decision}, for good. Add --yes to sign it."));
        return Ok(());
    }
    let call = Call::ReviewStudy(ReviewStudy { study, approve });
    signer.link.send(signer.chain, &signer.key, call).await?;
    say(format_args!("On the ledger: {decision}."));
    Ok(())
}

async fn end(args: OneArgs) -> Result<(), StudyError> {
    let (signer, study, yes) = (signer(&args).await?, args.study, args.yes);
    show(&signer.link, study).await?;
    if !yes {
        say("This would end, for good; nothing could be read for it any more. Add --yes to sign it.");
        return Ok(());
    }
    signer.link.send(signer.chain, &signer.key, Call::EndStudy(EndStudy { study })).await?;
    say("On the ledger: ended.");
    Ok(())
}

async fn make_board(link: NodeLink, path: &std::path::Path) -> Result<(), StudyError> {
    let chain = link.chain().await?;
    let key = keys::make_signing_key(path)?;
    // Nothing is ever sealed to a board.
    let agreement = AgreementKey::generate(&mut SystemEntropy).public_key().clone();
    let call = Call::RegisterIdentity(RegisterIdentity { signing: key.public_key().clone(), agreement });
    link.send(chain, &key, call).await?;
    let did = Did::of_key(key.public_key());
    say(format_args!(
        "Registered: {did}. Back up the key; hospitals can now vote for it (`study name-board`)."
    ));
    Ok(())
}

async fn cast(args: VoteArgs, name: Option<Wording>) -> Result<(), StudyError> {
    let (member, board) = (Member::load(&args.data)?, args.board);
    if !args.yes {
        let what = name.as_ref().map_or("no ethics board".to_owned(), |name| {
            format!("the ethics board “{}” “{}”", name.zh, name.en)
        });
        say(format_args!("This hospital would say that {board} shall be {what}. Add --yes to sign it."));
        return Ok(());
    }
    let receipt = member.send(Call::VoteBoard(VoteBoard { board, name })).await?;
    say(words::vote(&receipt));
    Ok(())
}

async fn signer(args: &OneArgs) -> Result<Signer, StudyError> {
    if let Some(path) = &args.key {
        let link = NodeLink::new(&args.node.node);
        let chain = link.chain().await?;
        return Ok(Signer { key: keys::load_signing_key(path)?, link, chain });
    }
    let data = args.data.as_deref().expect("the parser asks for a folder or a key");
    let Member { link, keys, chain } = Member::load(data)?;
    Ok(Signer { link, key: keys.organisation, chain })
}

async fn show(link: &NodeLink, id: StudyId) -> Result<(), StudyError> {
    let state: Option<StudyState> = link.state(StateKey::Study(id)).await?;
    let (_, now) = link.newest().await?;
    say(words::study(id, &state.ok_or(StudyError::NoStudy(id))?, now));
    Ok(())
}

async fn list(link: &NodeLink, of: Option<Did>) -> Result<String, OperatorError> {
    let ids: Vec<StudyId> = match of {
        None => link.state(StateKey::OpenStudies).await?.unwrap_or_default(),
        Some(did) => {
            let entries = link.history(did).await?;
            let named = entries.into_iter().filter_map(|entry| match entry.event {
                Event::StudyRegistered { study, .. } => Some(study),
                _ => None,
            });
            named.collect::<BTreeSet<_>>().into_iter().collect()
        }
    };
    let keys: Vec<StateKey> = ids.iter().map(|id| StateKey::Study(*id)).collect();
    let states = link.states::<StudyState>(&keys).await?;
    let (_, now) = link.newest().await?;
    let found = ids.into_iter().zip(states).filter_map(|(id, state)| Some((id, state?)));
    let shown = found.filter(|(_, state)| of.is_some() || state.is_open(now));
    let lines: Vec<String> = shown.map(|(id, state)| words::study(id, &state, now)).collect();
    Ok(if lines.is_empty() { "No studies.".to_owned() } else { lines.join("\n\n") })
}

fn study_id(text: &str) -> Result<StudyId, String> {
    text.parse().map(|digest| StudyId(TxId(digest))).map_err(|error| format!("not a study's id: {error}"))
}

#[cfg(test)]
mod tests;
