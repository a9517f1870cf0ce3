//! The examples of `docs/spec/encoding.md` and `docs/spec/proofs.md`, written out again.

use super::*;
use amulet_crypto::digest::sm3;
use amulet_protocol::calls::{CardLocator, RevokeCard};
use amulet_protocol::governance::{Acceptance, ApproveMembership, ProposalId, Seat};
use amulet_protocol::ids::{Epoch, HeaderHash, Nonce, RecordId, ReplicaId};
use amulet_protocol::merkle::ListTree;
use amulet_protocol::range::{range_leaf, range_root};
use amulet_protocol::reputation::{LedgerDay, ReportService, Reputation, ServiceLine, Tenths, Voucher};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn example() -> (Actor, SignedTransaction) {
    let actor = Actor::new(10);
    let call = Call::RevokeCard(RevokeCard { locator: CardLocator([1, 2, 3, 4, 5]) });
    let transaction = actor.sign_numbered(ChainId(sm3(b"abc")), Nonce(7), call);
    (actor, transaction)
}

#[test]
fn a_transaction_has_the_bytes_the_id_and_the_signature_of_the_documents() {
    let (actor, transaction) = example();
    let key = "03852d2759d1370f12289746a2f971478d19d03f3cfbe65132100b70668d32d966";
    assert_eq!(hex(&codec::encode(actor.signing.public_key())), key);
    assert_eq!(hex(actor.did.as_bytes()), "46e2cc77bad9b0ad74d46db002b66fca15e7219d");
    assert_eq!(actor.did.to_string(), "did:amulet:zH9qrQdBTTr8oLgV4XqaHDdALwE");
    let bytes = [
        "0100",
        "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0",
        "46e2cc77bad9b0ad74d46db002b66fca15e7219d",
        "0700000000000000",
        "090102030405",
    ];
    assert_eq!(hex(&codec::encode(transaction.transaction())), bytes.concat());
    let id = "e8c9480b6c2e0fa42dc2b439bd77ec7008216c028c51921095ad4962f4c43f2d";
    assert_eq!(transaction.id().to_string(), id);
    let signature = "136dcc0b84395b3999aa1080d57b977771ac7ea214ca41fa17a8470a1c18344e\
                     b393844cafb97e235242afe6770445a12f4f8275b09e57e960a9190f70cc6160";
    assert_eq!(transaction.as_untrusted().signature.to_string(), signature);
}

#[test]
fn state_keys_and_histories_have_the_digests_of_the_documents() {
    let (actor, transaction) = example();
    let key = StateKey::CardOf(actor.did);
    assert_eq!(hex(&codec::encode(&key)), "0846e2cc77bad9b0ad74d46db002b66fca15e7219d");
    let place = "20192bfcfcbc671137584675e80b2dcd41c8899a76f30e868480636953ef110f";
    assert_eq!(key.hash().to_string(), place);
    let (number, height, time) = (1, Height(2), Timestamp(3));
    let entry = HistoryEntry {
        number,
        height,
        time,
        transaction: transaction.id(),
        event: Event::IdentityRegistered,
    };
    let head = HistoryHead::default().push(&entry).unwrap().head;
    let documented = "51dbc370282957b98b2b434798a34fd5e5080b1aff1958c2d470424f072d352a";
    assert_eq!(head.to_string(), documented);
}

#[test]
fn lists_and_ranges_have_the_roots_of_the_documents() {
    let root = |items: &[&str]| ListTree::new(items.iter().map(|item| item.as_bytes().to_vec())).root();
    let none = "e2f443d2797ae206877ec38877137f31b93963be675398abb0cb58d7232db4eb";
    assert_eq!(root(&[]).to_string(), none);
    let three = "572cc656d7c1671af2d681f90d0862922561048377d0cf5119d7e3e1cfd9838c";
    assert_eq!(root(&["a", "b", "c"]).to_string(), three);
    let leaf = range_leaf(HeaderHash(sm3(b"abc")));
    assert_eq!(leaf.to_string(), "8a7811cb0593ae1236b3339ccffa724bb854a2cb0a794b36fecc458005bc2638");
    let alone = "aa1060a6b4e94ab3bb93214f99b1dc052ca17e899c4637266f1e0d20915c1d57";
    assert_eq!(range_root(1, Some(leaf)).to_string(), alone);
}

#[test]
fn reports_of_service_have_the_bytes_of_the_documents() {
    let (actor, _) = example();
    let (answered, all) = (Tenths(9), Tenths::ALL);
    let line = ServiceLine { organisation: actor.did, answered, fresh: all, sound: all };
    let report = ReportService { voucher: Voucher::Record(RecordId(sm3(b"abc"))), lines: vec![line] };
    let bytes = [
        "10",
        "0066c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0",
        "01000000",
        "46e2cc77bad9b0ad74d46db002b66fca15e7219d090a0a",
    ];
    assert_eq!(hex(&codec::encode(&Call::ReportService(report))), bytes.concat());
    let keys = [StateKey::Reputation(actor.did), StateKey::Reporter(actor.did)];
    assert_eq!(hex(&codec::encode(&keys[0])), "1146e2cc77bad9b0ad74d46db002b66fca15e7219d");
    assert_eq!(hex(&codec::encode(&keys[1])), "1246e2cc77bad9b0ad74d46db002b66fca15e7219d");
    let mut reputation = Reputation::unknown(LedgerDay(20_000));
    reputation.note(actor.did, &line);
    let bytes = [
        "8813",
        "204e0000",
        "00",
        "01000000",
        "46e2cc77bad9b0ad74d46db002b66fca15e7219d",
        &"00000000".repeat(9),
        "00010000",
        "00000000",
    ];
    assert_eq!(hex(&codec::encode(&reputation)), bytes.concat());
}

#[test]
fn governance_has_the_bytes_of_the_documents() {
    let (actor, _) = example();
    let approve = ApproveMembership { proposal: ProposalId(TxId(sm3(b"abc"))) };
    let bytes = "0c66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0";
    assert_eq!(hex(&codec::encode(&Call::ApproveMembership(approve))), bytes);
    assert_eq!(hex(&codec::encode(&StateKey::Epoch(Epoch(3)))), "0c0300000000000000");
    let evidence = StateKey::Evidence { epoch: Epoch(3), offender: ReplicaId(2) };
    assert_eq!(hex(&codec::encode(&evidence)), "1003000000000000000200");
    let (organisation, key) = (actor.did, actor.signing.public_key().clone());
    let acceptance = Acceptance { organisation, seat: Some(Seat(2)), key, peer_id: vec![1, 2, 3] };
    let bytes = [
        "46e2cc77bad9b0ad74d46db002b66fca15e7219d",
        "0102000000",
        "03852d2759d1370f12289746a2f971478d19d03f3cfbe65132100b70668d32d966",
        "03000000010203",
    ];
    assert_eq!(hex(&codec::encode(&acceptance)), bytes.concat());
    let candidate = acceptance.sign(&actor.signing, ChainId(sm3(b"abc")));
    let signature = "539131bdd53b17f8f3a4ccb239212bf011cfdc36a073fff771dd23d42696f133\
                     588fc40274f8ac9c146385670bb572ff1fc20f85b6f3ce97c21a75167456cd62";
    assert_eq!(candidate.acceptance.to_string(), signature);
}
