//! Fork files: good ones of every way in which two headers exclude each other, and bad ones, each a good one in which a single
//! thing was changed.

use super::Golden;
use super::good::{TIP, TURNS, chain};
use crate::chain::{Chain, NOW};
use crate::network::Network;
use amulet_crypto::digest::{Digest, sm3};
use amulet_crypto::signing::SigningContext;
use amulet_protocol::certificate::UntrustedSignedHeader;
use amulet_protocol::fork::UntrustedFork;
use amulet_protocol::fork_file::{FORK_MAGIC, UntrustedForkFile};
use amulet_protocol::genesis::Genesis;
use amulet_protocol::header::Header;
use amulet_protocol::ids::{ChainId, Epoch, HeaderHash, Height, ReplicaId};
use amulet_protocol::proof_file::MAGIC;
use std::sync::Arc;

/// Those who sign the rivals: of the three who signed the true block, two.
const SIGNERS: [u16; 3] = [1, 2, 3];

/// The chain, and the good files made from it.
pub struct Forks {
    chain: Chain,
    good: Vec<(&'static str, UntrustedForkFile)>,
}

/// Another block at a height, certified by validators of the block at `by`.
fn rival(
    chain: &Chain,
    height: u64,
    by: u64,
    signers: &[u16],
    change: fn(&mut Header),
) -> UntrustedSignedHeader {
    let mut header = chain.signed_at(height).header;
    header.validators_hash = chain.set_at(by).hash();
    header.view = chain.epoch_at(by).first_view();
    header.transactions_root = sm3(b"another block");
    change(&mut header);
    chain.people.signed_by(chain.keys_at(by), header, signers)
}

fn file_of(chain: &Chain, lower: UntrustedSignedHeader, upper: UntrustedSignedHeader) -> UntrustedForkFile {
    let fork = UntrustedFork { lower, upper };
    let Epoch(ends) = UntrustedForkFile::epochs_needed(&fork);
    let epochs = (0..usize::try_from(ends).unwrap()).map(|epoch| chain.epoch_end(epoch));
    UntrustedForkFile { chain: chain.people.genesis.chain_id(), epochs: epochs.collect(), fork }
}

/// The file of a device that heard both sides.
async fn exported() -> UntrustedForkFile {
    let network = Network::honest(Chain::turning(TIP, &TURNS));
    let client = Arc::new(network.on_chain(1, Chain::forked_turning(TIP, TIP - 2, &TURNS))).client();
    client.sync(NOW).await.unwrap_err();
    client.export_fork(&client.forks()[0].fork).await.unwrap()
}

impl Forks {
    pub async fn make() -> Self {
        let chain = chain();
        let true_at = |height| chain.signed_at(height);
        let against = |height, by, change| {
            file_of(&chain, true_at(height), rival(&chain, height, by, &SIGNERS, change))
        };
        let mut good = vec![
            ("one-view", against(TIP, TIP, |_| {})),
            ("first-epoch", against(5, 5, |_| {})),
            ("two-views", against(TIP, TIP, |header| header.view.0 += 1)),
            ("two-epochs", against(TURNS[0], TURNS[0] + 1, |_| {})),
            ("validators-who-left", against(TIP - 2, 3, |_| {})),
            ("exported", exported().await),
        ];
        let all = [0, 1, 2, 3];
        let by_all = chain.people.signed_by(chain.keys_at(TIP), true_at(TIP).header, &all);
        let both = file_of(&chain, by_all, rival(&chain, TIP, TIP, &all, |_| {}));
        good.push(("signed-by-all", both));
        let follower = |change| rival(&chain, TIP, TIP, &SIGNERS, change);
        let unnamed = follower(|header| header.previous = HeaderHash(Digest::ZERO));
        good.push(("does-not-name-the-block-before", file_of(&chain, true_at(TIP - 1), unnamed)));
        let not_later = follower(|header| header.time.0 -= 1_000);
        good.push(("not-later-than-the-block-before", file_of(&chain, true_at(TIP - 1), not_later)));
        let UntrustedFork { lower, upper } = good[0].1.fork.clone();
        good.push(("sides-exchanged", file_of(&chain, upper, lower)));
        Self { chain, good }
    }

    pub fn genesis(&self) -> Genesis {
        self.chain.people.genesis.clone()
    }

    fn file(&self, name: &str) -> UntrustedForkFile {
        self.good.iter().find(|(found, _)| *found == name).unwrap().1.clone()
    }

    pub fn files(&self) -> Vec<Golden> {
        let mut files: Vec<Golden> =
            self.good.iter().map(|(name, file)| Golden::good(name, file.encode())).collect();
        self.form(&mut files);
        self.sides(&mut files);
        self.epochs(&mut files);
        self.certificates(&mut files);
        files
    }

    fn form(&self, files: &mut Vec<Golden>) {
        let mut bytes = |name: &str, breaks, change: &dyn Fn(&mut Vec<u8>)| {
            let mut bytes = self.file("first-epoch").encode();
            change(&mut bytes);
            files.push(Golden::bad(name, breaks, bytes));
        };
        bytes("a-proof-file", "magic", &|bytes| bytes[..MAGIC.len()].copy_from_slice(&MAGIC));
        bytes("only-the-magic", "magic", &|bytes| bytes.truncate(FORK_MAGIC.len() + 1));
        bytes("newer-version", "version", &|bytes| bytes[FORK_MAGIC.len()] = 2);
        bytes("cut-off", "decode", &|bytes| bytes.truncate(bytes.len() - 1));
        bytes("trailing-byte", "decode", &|bytes| bytes.push(0));
    }

    /// A good file with a change.
    fn change(
        &self,
        files: &mut Vec<Golden>,
        name: &str,
        breaks: &'static str,
        base: &str,
        change: impl FnOnce(&mut UntrustedForkFile),
    ) {
        let mut file = self.file(base);
        change(&mut file);
        files.push(Golden::bad(name, breaks, file.encode()));
    }

    fn sides(&self, files: &mut Vec<Golden>) {
        let another = ChainId(sm3(b"another"));
        let chain = &self.chain;
        self.change(files, "another-chain", "chain", "first-epoch", |file| file.chain = another);
        for (name, at) in [("lower", 0), ("upper", 1)] {
            let name = format!("{name}-of-another-chain");
            self.change(files, &name, "fork-chain", "first-epoch", |file| {
                let sides = [&mut file.fork.lower, &mut file.fork.upper];
                sides.into_iter().nth(at).unwrap().header.chain = another;
            });
        }
        let compatible = "fork-compatible";
        self.change(files, "one-header-twice", compatible, "first-epoch", |file| {
            file.fork.upper = file.fork.lower.clone();
        });
        self.change(files, "one-header-two-certificates", compatible, "first-epoch", |file| {
            let header = file.fork.lower.header.clone();
            file.fork.upper = chain.people.signed_by(chain.keys_at(5), header, &SIGNERS);
        });
        self.change(files, "the-block-after", compatible, "one-view", |file| {
            file.fork = UntrustedFork { lower: chain.signed_at(TIP - 1), upper: chain.signed_at(TIP) };
        });
        self.change(files, "two-blocks-apart", compatible, "one-view", |file| {
            file.fork.lower = chain.signed_at(TIP - 2);
        });
        self.change(files, "upper-below-lower", compatible, "does-not-name-the-block-before", |file| {
            std::mem::swap(&mut file.fork.lower, &mut file.fork.upper);
        });
    }

    fn epochs(&self, files: &mut Vec<Golden>) {
        let (chain, needed) = (&self.chain, "fork-epochs");
        self.change(files, "epoch-left-out", needed, "one-view", |file| drop(file.epochs.pop()));
        self.change(files, "epoch-too-many", needed, "first-epoch", |file| {
            file.epochs.push(chain.epoch_end(0));
        });
        self.change(files, "epoch-that-never-was", needed, "one-view", |file| {
            file.fork.upper.certificate.vote.view = Epoch(9).first_view();
        });
        self.change(files, "epochs-out-of-order", "epoch-validator-set", "one-view", |file| {
            file.epochs.swap(0, 1);
        });
        self.change(files, "epoch-too-few", "epoch-too-few", "one-view", |file| {
            file.epochs[0].header.certificate.signatures.truncate(2);
        });
        self.change(files, "epoch-signature", "epoch-signature", "one-view", |file| {
            let signatures = &mut file.epochs[1].header.certificate.signatures;
            signatures[2].1 = signatures[1].1;
        });
        self.change(files, "epoch-other-set", "epoch-set", "one-view", |file| {
            file.epochs[0].next = file.epochs[1].next.clone();
        });
        self.change(files, "epoch-goes-on", "epoch-goes-on", "one-view", |file| {
            file.epochs[0].header = chain.signed_at(TURNS[0] - 2);
        });
    }

    fn certificates(&self, files: &mut Vec<Golden>) {
        type Change = fn(&mut UntrustedSignedHeader);
        let changes: [(&str, Change); 9] = [
            ("version", |side| side.header.version = 2),
            ("header-changed", |side| side.header.time.0 += 1),
            ("vote-for-another-height", |side| side.certificate.vote.height.0 += 1),
            ("vote-in-another-view", |side| side.certificate.vote.view.0 += 1),
            ("two-signatures", |side| side.certificate.signatures.truncate(2)),
            ("no-signature", |side| side.certificate.signatures.clear()),
            ("signer-twice", |side| side.certificate.signatures[1] = side.certificate.signatures[0]),
            ("unknown-signer", |side| side.certificate.signatures[2].0 = ReplicaId(4)),
            ("signatures-exchanged", |side| {
                let [first, second, ..] = &mut side.certificate.signatures[..] else { panic!("no quorum") };
                std::mem::swap(&mut first.1, &mut second.1);
            }),
        ];
        let breaks = "fork-certificate";
        for (name, change) in changes {
            let upper = format!("upper-{name}");
            self.change(files, &upper, breaks, "one-view", |file| change(&mut file.fork.upper));
        }
        self.change(files, "lower-two-signatures", breaks, "one-view", |file| {
            file.fork.lower.certificate.signatures.truncate(2);
        });
        let key = &self.chain.keys_at(TIP)[1];
        let tag = self.genesis().chain_id().tag();
        self.change(files, "upper-signed-as-a-prepare", breaks, "one-view", |file| {
            let certificate = &mut file.fork.upper.certificate;
            certificate.signatures[0].1 =
                key.sign(SigningContext::Prepare, &tag, &certificate.vote.signed_bytes());
        });
        // By those of the first epoch, in a view of the last.
        let stolen = rival(&self.chain, TIP, 3, &SIGNERS, |header| {
            header.view = Epoch(TURNS.len() as u64).first_view();
        });
        self.change(files, "upper-of-another-set", breaks, "one-view", |file| file.fork.upper = stolen);
        let first = rival(&self.chain, 5, 5, &SIGNERS, |header| header.validators_hash = sm3(b"nobody"));
        self.change(files, "upper-names-another-set", breaks, "first-epoch", |file| file.fork.upper = first);
        assert_eq!(self.chain.tip(), Height(TIP));
    }
}
