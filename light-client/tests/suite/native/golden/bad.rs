//! Bad files: each is a good one in which a single thing was changed, and must be refused for just that.

use super::Golden;
use super::good::{Good, TIP, TURNS};
use crate::chain::{Chain, block_key};
use amulet_crypto::digest::{Digest, sm3};
use amulet_crypto::signing::{SIGNATURE_BYTES, Signature, SigningContext};
use amulet_protocol::certificate::UntrustedSignedHeader;
use amulet_protocol::codec::encode;
use amulet_protocol::header::Header;
use amulet_protocol::history::HistoryEntry;
use amulet_protocol::ids::{ChainId, Height, ReplicaId, Timestamp, View};
use amulet_protocol::merkle::UntrustedListBatch;
use amulet_protocol::proof_file::{MAGIC, PROOF_STATEMENTS_MAX, Statement, UntrustedProofFile};
use amulet_protocol::receipt::Receipt;
use amulet_protocol::state::StateKey;
use amulet_protocol::state_batch::{StateNode, UntrustedStateBatch};

struct Maker<'a> {
    good: &'a Good,
    files: Vec<Golden>,
}

impl Maker<'_> {
    /// A good file with a change.
    fn change(
        &mut self,
        name: &str,
        breaks: &'static str,
        base: &str,
        change: impl FnOnce(&mut UntrustedProofFile),
    ) {
        let mut file = self.good.file(base);
        change(&mut file);
        self.files.push(Golden::bad(name, breaks, file.encode()));
    }

    /// The bytes of a good file with a change.
    fn bytes(&mut self, name: &str, breaks: &'static str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = self.good.file("log-line").encode();
        change(&mut bytes);
        self.files.push(Golden::bad(name, breaks, bytes));
    }

    fn state(
        &mut self,
        name: &str,
        breaks: &'static str,
        change: impl FnOnce(&mut Vec<StateKey>, &mut UntrustedStateBatch),
    ) {
        self.change(name, breaks, "state-batch", |file| match &mut file.statements[0] {
            Statement::State { keys, batch, .. } => change(keys, batch),
            _ => panic!("not a state"),
        });
    }

    fn receipts(
        &mut self,
        name: &str,
        breaks: &'static str,
        change: impl FnOnce(&mut Vec<Receipt>, &mut UntrustedListBatch),
    ) {
        self.change(name, breaks, "receipts-batch", |file| match file.statements.last_mut() {
            Some(Statement::Receipts { receipts, proof, .. }) => change(receipts, proof),
            _ => panic!("not receipts"),
        });
    }

    fn history(&mut self, name: &str, breaks: &'static str, change: impl FnOnce(&mut Vec<HistoryEntry>)) {
        self.change(name, breaks, "history", |file| match &mut file.statements[0] {
            Statement::History { entries, .. } => change(entries),
            _ => panic!("not a history"),
        });
    }
}

/// All of them.
pub fn files(good: &Good) -> Vec<Golden> {
    let mut make = Maker { good, files: Vec::new() };
    form(&mut make);
    anchor(&mut make);
    epochs(&mut make);
    range(&mut make);
    state(&mut make);
    receipts(&mut make);
    history(&mut make);
    make.files
}

fn form(make: &mut Maker<'_>) {
    make.bytes("other-kind-of-file", "magic", |bytes| bytes[0] ^= 1);
    make.bytes("only-the-magic", "magic", |bytes| bytes.truncate(MAGIC.len() + 1));
    make.bytes("newer-version", "version", |bytes| bytes[MAGIC.len()] = 2);
    make.bytes("cut-off", "decode", |bytes| {
        bytes.pop();
    });
    make.bytes("trailing-byte", "decode", |bytes| bytes.push(0));
    let key = encode(&make.good.chain.set_at(TIP).members()[0].key);
    make.bytes("key-off-the-curve", "decode", |bytes| {
        let at = bytes.windows(key.len()).position(|window| window == key).unwrap();
        bytes[at + 1..at + key.len()].fill(0xff);
    });
    make.bytes("key-uncompressed", "decode", |bytes| {
        let at = bytes.windows(key.len()).position(|window| window == key).unwrap();
        bytes[at] = 4;
    });
    // A set of three cannot be made by this code's types, so the number is changed in the bytes.
    make.bytes("three-validators", "decode", |bytes| {
        let at = bytes.windows(key.len()).position(|window| window == key).unwrap();
        // Before the first member's key stands its organisation (20 bytes), before that the number of members.
        bytes[at - 24] = 3;
    });
    make.change("no-statement", "statements", "header-newest", |file| file.statements.clear());
    make.change("too-many-statements", "statements", "header-newest", |file| {
        file.statements = vec![file.statements[0].clone(); PROOF_STATEMENTS_MAX + 1];
    });
    make.change("another-chain", "chain", "header-newest", |file| file.chain = ChainId(sm3(b"another")));
}

fn anchor(make: &mut Maker<'_>) {
    let base = "header-older";
    type Change = fn(&mut UntrustedSignedHeader);
    let bad: [(&str, &'static str, Change); 12] = [
        ("version", "anchor-version", |anchor| anchor.header.version = 2),
        ("chain", "anchor-chain", |anchor| anchor.header.chain = ChainId(sm3(b"another"))),
        ("vote-for-another-height", "anchor-height", |anchor| anchor.certificate.vote.height.0 += 1),
        ("header-changed", "anchor-header-hash", |anchor| anchor.header.time.0 += 1),
        ("two-signatures", "anchor-too-few", |anchor| anchor.certificate.signatures.truncate(2)),
        ("no-signature", "anchor-too-few", |anchor| anchor.certificate.signatures.clear()),
        ("signers-out-of-order", "anchor-signer-order", |anchor| anchor.certificate.signatures.swap(0, 1)),
        ("signer-twice", "anchor-signer-order", |anchor| {
            anchor.certificate.signatures[1] = anchor.certificate.signatures[0];
        }),
        ("unknown-signer", "anchor-unknown-signer", |anchor| {
            anchor.certificate.signatures[2].0 = ReplicaId(4);
        }),
        ("signatures-exchanged", "anchor-signature", |anchor| {
            let [first, second, ..] = &mut anchor.certificate.signatures[..] else { panic!("no quorum") };
            std::mem::swap(&mut first.1, &mut second.1);
        }),
        ("signed-in-another-view", "anchor-signature", |anchor| anchor.certificate.vote.view = View(9)),
        ("one-bad-signature-too-many", "anchor-signature", |anchor| {
            let extra = anchor.certificate.signatures[0].1;
            anchor.certificate.signatures.push((ReplicaId(3), extra));
        }),
    ];
    for (name, breaks, change) in bad {
        make.change(&format!("anchor-{name}"), breaks, base, |file| change(&mut file.anchor));
    }
    for (name, bytes) in [("zero", [0; SIGNATURE_BYTES]), ("all-ones", [0xff; SIGNATURE_BYTES])] {
        make.change(&format!("anchor-signature-{name}"), "anchor-signature", base, |file| {
            file.anchor.certificate.signatures[1].1 = Signature::from_bytes(bytes);
        });
    }
    let key = &make.good.chain.keys_at(TIP)[1];
    let vote = make.good.file(base).anchor.certificate.vote.signed_bytes();
    let chain = make.good.genesis().chain_id().tag();
    let other = ChainId(sm3(b"another")).tag();
    let resigned = [
        ("as-a-prepare", key.sign(SigningContext::Prepare, &chain, &vote)),
        ("on-another-chain", key.sign(SigningContext::Commit, &other, &vote)),
    ];
    for (name, signature) in resigned {
        make.change(&format!("anchor-signed-{name}"), "anchor-signature", base, |file| {
            file.anchor.certificate.signatures[1].1 = signature;
        });
    }
    let below = certified(&make.good.chain, TIP, 3, |_| {});
    make.change("anchor-below-its-epoch", "anchor-epoch", "header-newest", |file| {
        file.statements = vec![Statement::Header { height: Height(3) }];
        file.anchor = below;
    });
}

/// The header at a height, changed to be certified by the set of another, and signed by that set.
fn certified(chain: &Chain, by: u64, height: u64, change: impl FnOnce(&mut Header)) -> UntrustedSignedHeader {
    let mut header = chain.signed_at(height).header;
    header.validators_hash = chain.set_at(by).hash();
    change(&mut header);
    chain.people.signed_by(chain.keys_at(by), header, &[0, 1, 2])
}

fn epochs(make: &mut Maker<'_>) {
    let base = "header-newest";
    let chain = &make.good.chain;
    let within = chain.signed_at(TURNS[0] - 2);
    let early = certified(chain, TURNS[0] + 1, 2, |header| {
        header.next_validators_hash = chain.set_at(TIP).hash();
    });
    make.change("epoch-left-out", "epoch-validator-set", base, |file| {
        file.epochs.remove(0);
    });
    make.change("last-epoch-left-out", "anchor-validator-set", base, |file| {
        file.epochs.pop();
    });
    make.change("epochs-out-of-order", "epoch-validator-set", base, |file| file.epochs.swap(0, 1));
    make.change("epoch-twice", "epoch-validator-set", base, |file| {
        file.epochs.insert(1, file.epochs[0].clone());
    });
    make.change("epoch-signature", "epoch-signature", base, |file| {
        let signatures = &mut file.epochs[1].header.certificate.signatures;
        signatures[2].1 = signatures[1].1;
    });
    make.change("epoch-too-few", "epoch-too-few", base, |file| {
        file.epochs[0].header.certificate.signatures.truncate(2);
    });
    make.change("epoch-header-changed", "epoch-header-hash", base, |file| {
        file.epochs[0].header.header.next_validators_hash = sm3(b"another set");
    });
    make.change("epoch-goes-on", "epoch-goes-on", base, |file| file.epochs[0].header = within);
    make.change("epoch-other-set", "epoch-set", base, |file| {
        file.epochs[0].next = file.epochs[1].next.clone()
    });
    make.change("epoch-ends-before-it-began", "epoch-first", base, |file| file.epochs[1].header = early);
}

fn range(make: &mut Maker<'_>) {
    let base = "headers-batch";
    make.change("older-header-changed", "range-root", base, |file| file.older[2].time = Timestamp(1));
    make.change("older-headers-exchanged", "range-order", base, |file| file.older.swap(1, 2));
    make.change("older-header-twice", "range-order", base, |file| file.older[1] = file.older[0].clone());
    make.change("anchor-among-the-older", "range-beyond", base, |file| {
        file.older.push(file.anchor.header.clone());
    });
    make.change("range-hash-changed", "range-root", base, |file| file.range[0] = Digest::ZERO);
    make.change("range-hash-missing", "range-too-short", base, |file| {
        file.range.pop();
    });
    make.change("range-hash-too-many", "range-unused", base, |file| file.range.push(Digest::ZERO));
    make.change("range-of-nothing", "range-nothing", "header-newest", |file| file.range.push(Digest::ZERO));
    make.change("header-that-nothing-is-about", "unused-header", base, |file| {
        file.statements.remove(2);
    });
    make.change("statement-without-header", "no-header", base, |file| {
        file.statements.push(Statement::Header { height: Height(2) });
    });
    make.change("state-of-another-block", "state-root", "state-of-an-older-block", |file| {
        if let Statement::State { height, .. } = &mut file.statements[0] {
            *height = Height(TIP);
        }
        file.older.clear();
        file.range.clear();
    });
}

fn state(make: &mut Maker<'_>) {
    make.state("state-denied", "state-claim", |_, batch| batch.values[0] = None);
    make.state("state-value-changed", "state-root", |_, batch| batch.values[0] = Some(encode(&3u64)));
    make.state("state-invented", "state-claim", |keys, batch| {
        let absent = keys.iter().position(|key| *key == block_key(40)).unwrap();
        batch.values[absent] = Some(encode(&40u64));
    });
    make.state("state-values-exchanged", "state-root", |_, batch| batch.values.swap(0, 1));
    make.state("state-value-left-out", "state-count", |_, batch| {
        batch.values.pop();
    });
    make.state("state-key-twice", "state-duplicate", |keys, _| keys[1] = keys[0].clone());
    make.state("state-no-keys", "state-keys", |keys, batch| {
        keys.clear();
        batch.values.clear();
    });
    make.state("state-nodes-cut-off", "state-too-short", |_, batch| {
        batch.nodes.pop();
    });
    make.state("state-node-too-many", "state-superfluous", |_, batch| batch.nodes.push(StateNode::Empty));
    make.state("state-beside-opened", "state-superfluous", |_, batch| {
        let at = batch.nodes.iter().position(|node| matches!(node, StateNode::Beside(_))).unwrap();
        batch.nodes[at] = StateNode::Branch;
    });
    make.state("state-beside-changed", "state-root", |_, batch| {
        let at = batch.nodes.iter().position(|node| matches!(node, StateNode::Beside(_))).unwrap();
        batch.nodes[at] = StateNode::Beside(Digest::ZERO);
    });
    make.state("state-empty-as-beside", "state-superfluous", |_, batch| {
        let at = batch.nodes.iter().position(|node| matches!(node, StateNode::Beside(_))).unwrap();
        batch.nodes[at] = StateNode::Beside(Digest::from_bytes(*b"SPARSE_MERKLE_PLACEHOLDER_HASH__"));
    });
    make.state("state-not-covered", "state-not-covered", |_, batch| {
        batch.nodes =
            vec![StateNode::Branch, StateNode::Beside(sm3(b"left")), StateNode::Beside(sm3(b"right"))];
    });
    make.state("state-leaf-out-of-place", "state-place", |keys, batch| {
        let at = batch.nodes.iter().position(|node| matches!(node, StateNode::Other { .. })).unwrap();
        // Under the other half of the tree than every key below the leaf.
        let StateNode::Other { place, .. } = &mut batch.nodes[at] else { panic!("found above") };
        let mut moved = place.to_bytes();
        moved[0] ^= 0x80;
        *place = Digest::from_bytes(moved);
        assert!(keys.iter().all(|key| key.hash() != *place));
    });
    make.change("state-denied-by-its-own-leaf", "state-claim", "state-present", |file| {
        let Statement::State { keys, batch, .. } = &mut file.statements[0] else { panic!("not a state") };
        let value_hash = sm3(batch.values[0].as_ref().unwrap());
        let own = StateNode::Other { place: keys[0].hash(), value_hash };
        batch.values[0] = None;
        let at = batch.nodes.iter().position(|node| *node == StateNode::Asked).unwrap();
        batch.nodes[at] = own;
    });
    make.change("state-too-deep", "state-too-deep", "state-absent", |file| {
        let Statement::State { keys, batch, .. } = &mut file.statements[0] else { panic!("not a state") };
        let place = keys[0].hash().to_bytes();
        batch.nodes.clear();
        for depth in 0..256 {
            batch.nodes.push(StateNode::Branch);
            if place[depth / 8] >> (7 - depth % 8) & 1 == 1 {
                batch.nodes.push(StateNode::Beside(sm3(b"left")));
            }
        }
        batch.nodes.push(StateNode::Branch);
    });
}

fn receipts(make: &mut Maker<'_>) {
    let other = make.good.transaction(1);
    make.receipts("receipt-changed", "receipts-root", |receipts, _| receipts[0].transaction = other);
    make.receipts("receipts-exchanged", "receipts-root", |receipts, _| receipts.swap(0, 1));
    make.receipts("receipt-left-out", "receipts-count", |receipts, _| {
        receipts.pop();
    });
    make.receipts("receipt-at-another-place", "receipts-root", |_, proof| proof.indices[2] = 4);
    make.receipts("receipts-out-of-order", "receipts-order", |receipts, proof| {
        receipts.swap(0, 1);
        proof.indices.swap(0, 1);
    });
    make.receipts("receipt-twice", "receipts-order", |receipts, proof| {
        receipts[1] = receipts[0].clone();
        proof.indices[1] = proof.indices[0];
    });
    make.receipts("receipt-beyond-the-list", "receipts-beyond", |_, proof| proof.indices[2] = 6);
    make.receipts("receipts-of-a-longer-list", "receipts-leaves", |_, proof| proof.leaves = 2_001);
    make.receipts("receipts-list-of-another-size", "receipts-too-short", |_, proof| proof.leaves = 8);
    make.receipts("receipts-hash-missing", "receipts-too-short", |_, proof| {
        proof.hashes.pop();
    });
    make.receipts("receipts-hash-too-many", "receipts-unused", |_, proof| proof.hashes.push(Digest::ZERO));
    make.receipts("receipts-none", "receipts-nothing", |receipts, proof| {
        receipts.clear();
        proof.indices.clear();
    });
}

fn history(make: &mut Maker<'_>) {
    make.history("history-newest-kept-back", "history-count", |entries| {
        entries.pop();
    });
    make.history("history-gap", "history-number", |entries| {
        entries.remove(4);
    });
    make.history("history-gap-renumbered", "history-count", |entries| {
        entries.remove(4);
        for (number, entry) in (1..).zip(entries) {
            entry.number = number;
        }
    });
    make.history("history-reordered", "history-number", |entries| entries.swap(3, 4));
    make.history("history-reordered-renumbered", "history-head", |entries| {
        entries.swap(3, 4);
        for (number, entry) in (1..).zip(entries) {
            entry.number = number;
        }
    });
    make.history("history-repeated", "history-number", |entries| entries.insert(4, entries[3].clone()));
    make.history("history-changed", "history-head", |entries| entries[2].time = Timestamp(1));
    make.history("history-added", "history-count", |entries| {
        let mut more = entries[0].clone();
        more.number = entries.len() as u64 + 1;
        entries.push(more);
    });
    make.history("history-none", "history-count", Vec::clear);
    let nobody = make.good.genesis().organisations[2].did();
    make.change("history-of-somebody-else", "state-not-covered", "history", |file| {
        if let Statement::History { did, .. } = &mut file.statements[0] {
            *did = nobody;
        }
    });
}
