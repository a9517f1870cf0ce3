//! Starting from another device's checkpoint.

use crate::chain::{Chain, NOW};
use crate::network::{Network, lying, silent};
use crate::test;
use amulet_crypto::digest::sm3;
use amulet_crypto::kdf::Language;
use amulet_light_client::checkpoint::{self, CheckpointName, CheckpointWordsError, OtherPin};
use amulet_light_client::verifier::{Checkpoint, CheckpointError, Pin, PinTextError};
use amulet_light_client::{Forgery, LightClient, LightError, MemoryStore, NodeIndex, NodeInfo, TrustParams};
use amulet_protocol::ids::{ChainId, Epoch, HeaderHash, Height};
use amulet_protocol::light::{LightRequest, LightResponse};
use std::sync::Arc;

const TURNS: [u64; 3] = [3, 5, 9];

fn pin(chain: &Chain, height: u64) -> Pin {
    Pin::of(&chain.signed_at(height).header)
}

fn checkpoint(chain: &Chain, height: u64) -> Checkpoint {
    let header = chain.signed_at(height).header;
    Checkpoint::from_pinned(&pin(chain, height), header, chain.set_at(height + 1)).unwrap()
}

fn device(network: &Arc<Network>, checkpoint: &Checkpoint) -> Result<LightClient, LightError> {
    let genesis = network.chain().lock().unwrap().people.genesis.clone();
    let nodes =
        genesis.organisations.iter().map(|organisation| NodeInfo { organisation: organisation.did() });
    let store = Box::new(Arc::new(MemoryStore::default()));
    let (nodes, params) = (nodes.collect(), TrustParams::default());
    LightClient::from_checkpoint(&genesis, checkpoint, nodes, network.clone(), store, params)
}

#[test]
async fn a_device_starts_where_another_one_is_and_asks_nothing_about_the_time_before() {
    let network = Arc::new(Network::honest(Chain::turning(12, &TURNS)).with(0, silent()));
    let old = network.client();
    assert_eq!(old.pin(), Err(LightError::NotSynced));
    old.sync(NOW).await.unwrap();
    let shown = old.pin().unwrap();
    let read: Pin = shown.to_string().parse().unwrap();
    assert_eq!(read, shown);
    let fetched = checkpoint::fetch(&*network, 4, &read.into()).await.unwrap();
    let before = network.asked(|question| matches!(question, LightRequest::EpochEnd(_))).len();
    let new = device(&network, &fetched).unwrap();
    assert_eq!(new.epoch(), Epoch(3));
    assert_eq!(new.sync(NOW).await.unwrap().head.height(), Height(12));
    assert_eq!(network.asked(|question| matches!(question, LightRequest::EpochEnd(_))).len(), before);
    // What is below is proven by the range, with the sets of the time.
    let proven = new.header_at(Height(2)).await.unwrap();
    assert_eq!(**proven.header.validator_set(), network.chain().lock().unwrap().set_at(2));
}

#[test]
async fn a_checkpoint_is_followed_from_wherever_it_is() {
    for height in [1, 3, 4, 9, 10] {
        let chain = Chain::turning(12, &TURNS);
        let start = checkpoint(&chain, height);
        assert_eq!(start.epoch(), chain.epoch_at(height + 1), "at {height}");
        let network = Arc::new(Network::honest(chain));
        let device = device(&network, &start).unwrap();
        assert_eq!(device.sync(NOW).await.unwrap().head.height(), Height(12), "from {height}");
    }
}

#[test]
async fn those_who_left_before_the_checkpoint_cannot_mislead_whoever_starts_there() {
    // The genesis set, which left after block 3, certifies another chain from block 2 on.
    let fork = Chain::forked(8, 2);
    let start = checkpoint(&Chain::turning(8, &[3]), 5);
    let device = device(&Arc::new(Network::honest(fork)), &start).unwrap();
    let error = device.sync(NOW).await.unwrap_err();
    assert!(
        matches!(error, LightError::TooFewWitnesses { .. } | LightError::ValidatorsChanged { .. }),
        "{error:?}"
    );
}

#[test]
async fn only_what_was_pinned_is_a_checkpoint() {
    let chain = Chain::turning(8, &[3]);
    let take = |pin: &Pin, header: u64, set: u64| {
        Checkpoint::from_pinned(pin, chain.signed_at(header).header, chain.set_at(set)).unwrap_err()
    };
    let pinned = pin(&chain, 5);
    let (found, expected) = (Height(6), Height(5));
    assert_eq!(take(&pinned, 6, 7), CheckpointError::Height { found, expected });
    let other = Pin { header: HeaderHash(sm3(b"other")), ..pinned };
    let (found, expected) = (chain.hash_at(5), other.header);
    assert_eq!(take(&other, 5, 6), CheckpointError::Header { found, expected });
    let other = Pin { chain: ChainId(sm3(b"other")), ..pinned };
    let (found, expected) = (pinned.chain, other.chain);
    assert_eq!(take(&other, 5, 6), CheckpointError::Chain { found, expected });
    let (found, named) = (chain.set_at(1).hash(), chain.set_at(6).hash());
    assert_eq!(take(&pinned, 5, 1), CheckpointError::OtherSet { found, named });
    // The next set is meant, not the header's own.
    let (found, named) = (chain.set_at(3).hash(), chain.set_at(4).hash());
    assert_eq!(take(&pin(&chain, 3), 3, 3), CheckpointError::OtherSet { found, named });
}

#[test]
async fn a_hospital_that_gives_something_else_is_passed_over() {
    let fork = Chain::forked(6, 2);
    let chain = Chain::new(6);
    let pinned = pin(&chain, 4);
    let (found, expected) = (fork.hash_at(4), pinned.header);
    let network = (0..3).fold(Network::honest(chain), |network, node| {
        let wrong = fork.signed_at(4);
        network.with(
            node,
            lying(move |question, _| match question {
                LightRequest::HeaderAt(_) => Some(LightResponse::Header(Box::new(wrong.clone()))),
                _ => None,
            }),
        )
    });
    assert_eq!(checkpoint::fetch(&network, 4, &pinned.into()).await.unwrap().pin(), pinned);
    let forgery = Forgery::Checkpoint(CheckpointError::Header { found, expected });
    let error = checkpoint::fetch(&network, 3, &pinned.into()).await.unwrap_err();
    assert_eq!(error, LightError::Forged { node: NodeIndex(0), forgery });
    let far = Pin { height: Height(u64::MAX), ..pinned };
    assert!(matches!(
        checkpoint::fetch(&network, 4, &far.into()).await,
        Err(LightError::NotFound { .. } | LightError::Forged { .. })
    ));
}

#[test]
async fn nodes_of_the_checkpoints_validators_may_be_asked_and_no_strangers() {
    let chain = Chain::joined(8, &[(3, vec![0, 1, 2, 3])]);
    let start = checkpoint(&chain, 5);
    let genesis = chain.people.genesis.clone();
    let members: Vec<_> = chain.set_at(6).members().iter().map(|member| member.organisation).collect();
    let network = Arc::new(Network::honest(chain));
    let make = |organisations: &[amulet_protocol::ids::Did]| {
        let nodes = organisations.iter().map(|organisation| NodeInfo { organisation: *organisation });
        let (store, params) = (Box::new(MemoryStore::default()), TrustParams::default());
        LightClient::from_checkpoint(&genesis, &start, nodes.collect(), network.clone(), store, params)
    };
    let report = make(&members).unwrap().sync(NOW).await.unwrap();
    assert_eq!((report.head.height(), report.agreeing), (Height(8), 4));
    let stranger = chain_stranger();
    let refused = LightError::UnknownOrganisation { node: NodeIndex(1), organisation: stranger };
    assert_eq!(make(&[members[0], stranger]).err(), Some(refused));
}

/// Somebody who validates on another chain only.
fn chain_stranger() -> amulet_protocol::ids::Did {
    Chain::joined(2, &[(1, vec![0])]).set_at(2).members()[0].organisation
}

#[test]
async fn the_words_are_read_in_either_language_and_a_wrong_one_is_named() {
    let chain = Chain::new(2);
    let pinned = pin(&chain, 2);
    let english = checkpoint::words(&pinned, Language::English);
    let chinese = checkpoint::words(&pinned, Language::SimplifiedChinese);
    let check = |text: &str| {
        let differs = |OtherPin { word }| CheckpointWordsError::Differs { position: word.unwrap() };
        CheckpointName::words(pinned.height, text)?.check(&pinned).map_err(differs)
    };
    assert_eq!(check(&english.join(" ")), Ok(()));
    assert_eq!(check(&format!("  {} ", english.join(", ").to_uppercase())), Ok(()));
    assert_eq!(check(&chinese.concat()), Ok(()));
    assert_eq!(check(&chinese.join("、")), Ok(()));
    for position in 1..=english.len() {
        let mut wrong = english;
        wrong[position - 1] = if wrong[position - 1] == "zoo" { "zone" } else { "zoo" };
        assert_eq!(check(&wrong.join(" ")), Err(CheckpointWordsError::Differs { position }));
        wrong[position - 1] = "abondon";
        let (word, suggestion) = ("abondon".to_owned(), Some("abandon".to_owned()));
        assert_eq!(
            check(&wrong.join(" ")),
            Err(CheckpointWordsError::UnknownWord { position, word, suggestion })
        );
    }
    assert_eq!(check(&english[1..].join(" ")), Err(CheckpointWordsError::WrongCount { found: 9 }));
    assert_eq!(check(""), Err(CheckpointWordsError::WrongCount { found: 0 }));
    let long = "zoo ".repeat(200);
    assert_eq!(check(&long), Err(CheckpointWordsError::TooLong { found: long.len() }));
    let other = checkpoint::words(&pin(&chain, 1), Language::English).join(" ");
    assert!(matches!(check(&other), Err(CheckpointWordsError::Differs { .. })));
}

#[test]
async fn a_device_starts_from_the_newest_block_although_none_comes_after_it() {
    let network = Arc::new(Network::honest(Chain::new(6)));
    let start = checkpoint(&network.chain().lock().unwrap(), 6);
    let device = device(&network, &start).unwrap();
    let report = device.sync(NOW).await.unwrap();
    assert_eq!((report.head.height(), device.pin().unwrap()), (Height(6), start.pin()));
}

/// The last block of an epoch may be the newest for days: nothing need come after it for a device to start from it, to go on
/// from its store, and to follow what comes in the end.
#[test]
async fn a_device_starts_from_the_end_of_an_epoch_although_no_block_comes_after_it() {
    let network = Arc::new(Network::honest(Chain::turning(5, &[3, 5])));
    let pinned = pin(&network.chain().lock().unwrap(), 5);
    let start = checkpoint::fetch(&*network, 4, &pinned.into()).await.unwrap();
    let genesis = network.chain().lock().unwrap().people.genesis.clone();
    let store = Arc::new(MemoryStore::default());
    let device = |network: &Arc<Network>| {
        let nodes = genesis.organisations.iter().map(|one| NodeInfo { organisation: one.did() }).collect();
        let (store, params) = (Box::new(store.clone()), TrustParams::default());
        LightClient::from_checkpoint(&genesis, &start, nodes, network.clone(), store, params).unwrap()
    };
    let first = device(&network).sync(NOW).await.unwrap();
    assert_eq!((first.head.height(), first.agreeing, first.head.hash()), (Height(5), 4, pinned.header));
    let again = device(&network);
    assert_eq!(
        again.restore().await.map(|head| head.height()),
        Some(Height(5)),
        "{:?}",
        again.store_trouble()
    );
    assert_eq!(again.header_at(Height(4)).await.unwrap().header.signed(), 3);
    assert_eq!((again.sync(NOW).await.unwrap().agreeing, again.epoch()), (4, Epoch(2)));
    let grown = device(&Arc::new(Network::honest(Chain::turning(8, &[3, 5]))));
    let report = grown.sync(NOW).await.unwrap();
    assert_eq!((report.head.height(), report.store_trouble), (Height(8), None));
}

#[test]
async fn the_set_of_the_pinned_block_itself_is_checked_too() {
    let chain = Chain::turning(8, &[3]);
    let other = chain.set_at(4);
    let (found, named) = (other.hash(), chain.set_at(3).hash());
    let start = checkpoint(&chain, 3);
    assert_eq!(
        start.clone().with_own(other.clone()).unwrap_err(),
        CheckpointError::OtherSet { found, named }
    );
    let pinned = start.pin();
    let network = Network::honest(chain).with(
        0,
        lying(move |question, _| {
            let lie = *question == LightRequest::Validators(Height(3));
            lie.then(|| LightResponse::Validators(Box::new(other.clone())))
        }),
    );
    let fetched = checkpoint::fetch(&network, 4, &pinned.into()).await.unwrap();
    assert_eq!(fetched.own().map(amulet_protocol::validators::ValidatorSet::hash), Some(named));
}

#[test]
async fn a_running_client_starts_over_by_words_and_forgets_what_it_followed() {
    let network = Arc::new(Network::honest(Chain::turning(12, &TURNS)));
    let device = network.client();
    device.sync(NOW).await.unwrap();
    let pinned = pin(&network.chain().lock().unwrap(), 10);
    let words = checkpoint::words(&pinned, Language::English).join(" ");
    let name = CheckpointName::words(Height(10), &words).unwrap();
    let fetched = device.fetch_checkpoint(&name).await.unwrap();
    assert_eq!(fetched.pin(), pinned);
    device.restart_from(&fetched).await.unwrap();
    assert_eq!((device.trusted(), device.epoch()), (None, Epoch(3)));
    let before = network.asked(|question| matches!(question, LightRequest::EpochEnd(_))).len();
    assert_eq!(device.sync(NOW).await.unwrap().head.height(), Height(12));
    assert_eq!(network.asked(|question| matches!(question, LightRequest::EpochEnd(_))).len(), before);
    // The same words at another height are those of nothing.
    let name = CheckpointName::words(Height(9), &words).unwrap();
    let error = device.fetch_checkpoint(&name).await.unwrap_err();
    assert!(matches!(error, LightError::CheckpointWords(CheckpointWordsError::Differs { .. })), "{error:?}");
}

#[test]
async fn a_pin_has_one_text() {
    let pinned = pin(&Chain::new(7), 7);
    let text = pinned.to_string();
    assert_eq!(format!(" {text}\n").parse(), Ok(pinned));
    for wrong in [
        "",
        "amulet-checkpoint:1",
        &text[1..],
        &format!("{text}:"),
        &format!("{text}0"),
        &text.replace(":7:", ":07:"),
        &text.replace(":7:", ":+7:"),
        &text.replace("checkpoint:1", "checkpoint:2"),
        &text.replace(":7:", &format!(":{}:", u128::MAX)),
        &text.repeat(9),
    ] {
        assert_eq!(wrong.parse::<Pin>(), Err(PinTextError), "{wrong}");
    }
}

#[test]
async fn a_checkpoint_of_another_chain_is_refused() {
    let network = Arc::new(Network::honest(Chain::new(2)));
    let mut header = network.chain().lock().unwrap().signed_at(2).header;
    let set = network.chain().lock().unwrap().set_at(3);
    let expected = header.chain;
    header.chain = ChainId(sm3(b"other"));
    let found = header.chain;
    let start = Checkpoint::from_pinned(&Pin::of(&header), header, set).unwrap();
    let error = device(&network, &start).err();
    assert_eq!(error, Some(CheckpointError::Chain { found, expected }.into()));
}
