#![allow(clippy::unwrap_used)]

use super::*;
use crate::ledger::{Ledger, Pruned};
use crate::network::Command;
use crate::testing::World;
use amulet_contracts::testing::genesis;
use tempfile::TempDir;

/// A newcomer among peers whose first blocks are gone.
struct Newcomer {
    folder: TempDir,
    genesis: Genesis,
    world: World,
}

/// What a peer makes of an honest answer; `None` for silence.
type Habit = fn(TransferResponse) -> Option<TransferResponse>;

fn honest(answer: TransferResponse) -> Option<TransferResponse> {
    Some(answer)
}

/// Says truly how far it is, and lies in each piece.
fn liar(answer: TransferResponse) -> Option<TransferResponse> {
    Some(match answer {
        TransferResponse::Headers(mut headers) => {
            headers[0].time.0 += 1;
            TransferResponse::Headers(headers)
        }
        TransferResponse::State(mut chunk) => {
            chunk.rows.remove(0);
            TransferResponse::State(chunk)
        }
        TransferResponse::Histories(mut chunks) => {
            chunks[0].entries.clear();
            TransferResponse::Histories(chunks)
        }
        other => other,
    })
}

/// Says truly how far it is, and nothing else.
fn silent(answer: TransferResponse) -> Option<TransferResponse> {
    matches!(answer, TransferResponse::Standing(_)).then_some(answer)
}

impl Newcomer {
    fn new() -> Self {
        Self::among(World::new())
    }

    fn among(world: World) -> Self {
        let genesis = genesis(&world.hospitals);
        for _ in 0..100 {
            world.commit(Vec::new());
        }
        while world.ledger.prune(64).unwrap() == Pruned::More {}
        Self { folder: TempDir::new().unwrap(), genesis, world }
    }

    fn open(&self) -> Ledger {
        install(self.folder.path(), &self.genesis).unwrap();
        Ledger::open(&self.folder.path().join(LEDGER_FILE), &self.genesis).unwrap()
    }

    fn transfer<const PEERS: usize>(&self, ledger: Ledger, habits: [Habit; PEERS]) -> Transfer {
        let (network, mut commands, _outlets, _inboxes) = Network::channels();
        let answers = self.world.ledger.clone();
        tokio::spawn(async move {
            while let Some(command) = commands.recv().await {
                let Command::Ask { to, request, reply } = command else { continue };
                let PeerRequest::Transfer(request) = *request else { continue };
                let answer = habits[usize::from(to.0) - 1](answers.transfer(&request).unwrap());
                if let Some(answer) = answer {
                    let _ = reply.send(PeerResponse::Transfer(answer));
                }
            }
        });
        let parts = CopierParts {
            ledger,
            genesis: self.genesis.clone(),
            votes: &Sm2Votes,
            others: (1..=u16::try_from(PEERS).unwrap()).map(ReplicaId).collect(),
            files: Box::new(FolderFiles::new(self.folder.path())),
            #[cfg(feature = "planted")]
            planted: None,
        };
        Transfer::new(parts, network)
    }
}

#[tokio::test]
async fn a_newcomer_gets_its_copy_past_a_liar_and_a_silent_peer() {
    let newcomer = Newcomer::new();
    let mut transfer = newcomer.transfer(newcomer.open(), [liar, silent, honest]);
    assert!(transfer.look().await.unwrap());
    drop(transfer);
    let ledger = newcomer.open();
    let tip = newcomer.world.ledger.tip().height;
    assert_eq!(ledger.tip().height, Height(tip.0 / 16 * 16));
    assert!(!newcomer.folder.path().join(COPY_FILE).exists());
    let mut transfer = newcomer.transfer(ledger, [liar, silent, honest]);
    assert!(!transfer.look().await.unwrap(), "what is left is to be had block by block");
}

#[tokio::test]
async fn without_anybody_who_gives_the_pieces_the_copy_waits_and_the_old_ledger_stays() {
    let newcomer = Newcomer::new();
    let mut transfer = newcomer.transfer(newcomer.open(), [liar, silent, liar]);
    let error = transfer.look().await.unwrap_err();
    assert!(matches!(error, TransferError::NobodyHasIt { .. }), "{error}");
    drop(transfer);
    let ledger = newcomer.open();
    assert_eq!(ledger.tip().height, Height(0));
    assert!(newcomer.folder.path().join(COPY_FILE).exists(), "what was begun is gone on with");
    let mut transfer = newcomer.transfer(ledger, [honest, silent, liar]);
    assert!(transfer.look().await.unwrap());
}

#[tokio::test]
async fn one_peer_alone_talks_nobody_into_a_copy() {
    let newcomer = Newcomer::new();
    let boast = |answer| match answer {
        TransferResponse::Standing(mut standing) => {
            standing.tip = Height(u64::MAX);
            standing.floor = standing.tip;
            Some(TransferResponse::Standing(standing))
        }
        other => Some(other),
    };
    let mut transfer = newcomer.transfer(newcomer.open(), [boast, |_| None, |_| None]);
    assert!(!transfer.look().await.unwrap());
    assert!(!newcomer.folder.path().join(COPY_FILE).exists());
}

/// Three peers that copied their ledgers at one block say that they begin there, and have its transactions no more than what lies
/// below. Who lacks that block waited for it for ever.
#[tokio::test]
async fn who_lacks_the_block_at_which_everybody_begins_copies_too() {
    let newcomer = Newcomer::new();
    let begins_with_next = |answer| match answer {
        TransferResponse::Standing(mut standing) => {
            standing.floor = Height(1);
            Some(TransferResponse::Standing(standing))
        }
        other => Some(other),
    };
    let mut transfer = newcomer.transfer(newcomer.open(), [begins_with_next; 3]);
    assert!(transfer.look().await.unwrap());
}

/// Of six peers two are silent and one is cut off; the other three, of whom one must be honest, have removed what a copy that was
/// begun still lacks. It was never given up, and the node never came back.
#[tokio::test]
async fn a_copy_that_one_honest_peer_no_longer_has_is_begun_anew() {
    let newcomer = Newcomer::among(World::of(7));
    let gone: Habit = |answer| match answer {
        TransferResponse::State(_) => Some(TransferResponse::NotHere),
        other => Some(other),
    };
    let habits = [gone, silent, gone, silent, gone, |_| None];
    let mut transfer = newcomer.transfer(newcomer.open(), habits);
    assert!(transfer.look().await.is_err());
    drop(transfer);
    assert!(!newcomer.folder.path().join(COPY_FILE).exists());
    let habits = [honest, silent, honest, silent, honest, |_| None];
    let mut transfer = newcomer.transfer(newcomer.open(), habits);
    assert!(transfer.look().await.unwrap());
}
