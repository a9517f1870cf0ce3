//! What holds for every chain of validator sets and every sequence of answers, tried on random ones: the same in each run, and a
//! failure is narrowed down to the fewest changes and answers that show it.

use crate::chain::{Chain, NOW};
use crate::network::{Network, Twist};
use amulet_light_client::verifier::{StepVerdict, Verifier};
use amulet_light_client::{
    LightClient, MemoryStore, NodeInfo, SyncReport, TransportError, TrustParams, TrustThreshold,
    VerifiedHeader,
};
use amulet_protocol::codec::{decode, encode};
use amulet_protocol::ids::Height;
use amulet_protocol::light::{LightResponse, UntrustedStep};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, subsequence};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseResult, TestRng, TestRunner};
use std::cell::Cell;
use std::sync::{Arc, Mutex};

const SEATS: usize = 4;
/// Attempts to narrow a failure down; each makes a chain and signs its blocks.
const SHRINK_ITERS_MAX: u32 = 200;

/// A chain to be made: after how many blocks each change comes and whose keys it replaces, and how many blocks follow.
#[derive(Clone, Debug)]
struct Plan {
    changes: Vec<(u64, Vec<usize>)>,
    after: u64,
}

impl Plan {
    fn make(&self) -> Chain {
        let mut height = 0;
        let mut turn = |(blocks, replaced): &(u64, Vec<usize>)| {
            height += blocks;
            (height, replaced.clone())
        };
        let turns: Vec<_> = self.changes.iter().map(&mut turn).collect();
        Chain::replacing(height + self.after, &turns)
    }
}

/// Chains with up to so many changes of up to four keys.
fn plans(changes: usize) -> impl Strategy<Value = Plan> {
    let change = (1..=3_u64, subsequence((0..SEATS).collect::<Vec<_>>(), 1..=SEATS));
    (vec(change, 1..=changes), 1..=3_u64).prop_map(|(changes, after)| Plan { changes, after })
}

fn for_all<S: Strategy>(cases: u32, strategy: S, test: impl Fn(S::Value) -> TestCaseResult) {
    let config =
        Config { cases, max_shrink_iters: SHRINK_ITERS_MAX, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    if let Err(failed) = TestRunner::new_with_rng(config, rng).run(&strategy, test) {
        panic!("{failed}");
    }
}

fn client(network: &Arc<Network>, params: TrustParams) -> LightClient {
    let genesis = network.chain().lock().unwrap().people.genesis.clone();
    let nodes =
        genesis.organisations.iter().map(|organisation| NodeInfo { organisation: organisation.did() });
    let store = Box::new(Arc::new(MemoryStore::default()));
    LightClient::new(&genesis, nodes.collect(), network.clone(), store, params).unwrap()
}

fn sync(client: &LightClient) -> Option<SyncReport> {
    // Paused, so that whoever is waited for costs no time.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(client.sync(NOW)).ok()
}

#[test]
fn skipping_ends_where_following_and_checking_every_header_end() {
    for_all(12, plans(17), |plan| {
        let chain = plan.make();
        let genesis = &chain.people.genesis;
        let mut auditor =
            Verifier::new(genesis.chain_id(), genesis.validate().unwrap(), TrustParams::default());
        let run = auditor.verify_run(None, chain.run(1, chain.tip().0), NOW).unwrap();
        let network = Arc::new(Network::honest(chain));
        let never = TrustParams::default().with_threshold(TrustThreshold::new(1, 1).unwrap());
        for params in [TrustParams::default(), never] {
            let client = client(&network, params);
            let found = sync(&client).map(|report| report.head.hash());
            prop_assert_eq!(found, run.last().map(VerifiedHeader::hash));
            let known = (client.epoch(), client.validators());
            prop_assert_eq!(known, (auditor.epoch(), auditor.validators().clone()));
        }
        Ok(())
    });
}

/// What becomes of each answer of a node in turn: as it is, or with one bit changed. All that follow are as they are.
type Damages = Vec<Option<(Index, u8)>>;

fn damaging(damages: Damages) -> Twist {
    let damages = Mutex::new(damages.into_iter());
    Box::new(move |_, answer| {
        let Some((place, bit)) = damages.lock().unwrap().next().flatten() else { return Ok(answer) };
        let mut bytes = encode(&answer);
        let place = place.index(bytes.len());
        bytes[place] ^= 1 << bit;
        decode::<LightResponse>(&bytes, bytes.len()).map_err(TransportError::Decode)
    })
}

#[test]
fn answers_with_changed_bytes_never_lead_to_another_header_or_set() {
    let ended_well = Cell::new(0);
    let damage = prop_oneof![3 => Just(None), 1 => (any::<Index>(), 0..8_u8).prop_map(Some)];
    let damages = vec(vec(damage, 0..40), SEATS);
    for_all(60, (plans(13), damages), |(plan, damages)| {
        let network = (0..).zip(damages).fold(Network::honest(plan.make()), |network, (node, damages)| {
            network.with(node, damaging(damages))
        });
        let network = Arc::new(network);
        let client = client(&network, TrustParams::default());
        let Some(report) = sync(&client) else { return Ok(()) };
        ended_well.set(ended_well.get() + 1);
        let chain = network.chain();
        let chain = chain.lock().unwrap();
        prop_assert_eq!(report.head.hash(), chain.hash_at(report.head.height().0));
        for height in 1..=chain.tip().0 + 1 {
            if let Some(known) = client.validators_at(Height(height)) {
                prop_assert_eq!(&*known, &chain.set_at(height), "height {}", height);
            }
        }
        Ok(())
    });
    assert!(ended_well.get() > 10, "{}", ended_well.get());
}

/// What a verifier must say of a step, by counting seats: it knows nothing of signatures, hashes or trees.
struct Model {
    /// Whose keys the newest known set has: each seat's by the number of the epoch since which it is in force.
    epoch: usize,
    keys: Vec<[usize; SEATS]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    Taken,
    TooFar,
    Invalid,
}

impl Model {
    fn new(chain: &Chain, ends: &[u64]) -> Self {
        let starts = std::iter::once(1).chain(ends.iter().map(|end| end + 1));
        let keys_at =
            |height| -> Vec<_> { chain.keys_at(height).iter().map(|key| key.public_key().clone()).collect() };
        let mut seen = Vec::new();
        let mut keys = Vec::new();
        for start in starts {
            let mut seats = [0; SEATS];
            for (seat, key) in keys_at(start).into_iter().enumerate() {
                seats[seat] = seen.iter().position(|other| *other == key).unwrap_or_else(|| {
                    seen.push(key);
                    seen.len() - 1
                });
            }
            keys.push(seats);
        }
        Self { epoch: 0, keys }
    }

    fn say(&mut self, epoch: usize, signers: &[u16], with_set: bool, right_next: bool) -> Expected {
        let known = self.keys[self.epoch];
        let trusted = signers.iter().filter(|seat| known.contains(&self.keys[epoch][usize::from(**seat)]));
        let overlap = trusted.count() * 3 > SEATS;
        match epoch {
            _ if epoch < self.epoch || signers.len() < 3 => Expected::Invalid,
            _ if epoch > self.epoch && !with_set => Expected::Invalid,
            _ if epoch > self.epoch && !overlap => Expected::TooFar,
            _ if !right_next => Expected::Invalid,
            _ => {
                self.epoch = epoch + 1;
                Expected::Taken
            }
        }
    }
}

/// A step that is shown to a verifier: whose signatures are left out, and whether the sets come with it.
#[derive(Clone, Debug)]
struct Shown {
    epoch: Index,
    silent: Vec<u16>,
    with_set: bool,
    right_next: bool,
}

fn shown() -> impl Strategy<Value = Shown> {
    let silent = subsequence((0..SEATS as u16).collect::<Vec<_>>(), 0..=2);
    (any::<Index>(), silent, prop::bool::weighted(0.75), prop::bool::weighted(0.875))
        .prop_map(|(epoch, silent, with_set, right_next)| Shown { epoch, silent, with_set, right_next })
}

#[test]
fn a_verifier_says_of_every_sequence_of_steps_what_a_small_model_says() {
    let said = [0, 1, 2].map(|_| Cell::new(0));
    for_all(60, (plans(9), vec(shown(), 10)), |(plan, all)| {
        let chain = plan.make();
        let ends: Vec<u64> = (1..=chain.tip().0)
            .filter(|height| chain.epoch_at(*height) != chain.epoch_at(height + 1))
            .collect();
        let genesis = &chain.people.genesis;
        let mut verifier =
            Verifier::new(genesis.chain_id(), genesis.validate().unwrap(), TrustParams::default());
        let mut model = Model::new(&chain, &ends);
        for Shown { epoch, silent, with_set, right_next } in all {
            let epoch = epoch.index(ends.len());
            let signers: Vec<u16> = (0..SEATS as u16).filter(|seat| !silent.contains(seat)).collect();
            let UntrustedStep { header, validators, next } = chain.step(epoch);
            let header = chain.people.signed_by(chain.keys_at(ends[epoch]), header.header, &signers);
            let next = if right_next { next } else { validators.clone() };
            let step = UntrustedStep { header, validators: validators.filter(|_| with_set), next };
            let found = match verifier.take(step, None, NOW).unwrap() {
                StepVerdict::Taken(_) => Expected::Taken,
                StepVerdict::NotEnoughOverlap(_) => Expected::TooFar,
                StepVerdict::Invalid(_) => Expected::Invalid,
            };
            let expected = model.say(epoch, &signers, with_set, right_next);
            prop_assert_eq!(found, expected, "epoch {} by {:?}", epoch, signers);
            prop_assert_eq!(verifier.epoch().0 as usize, model.epoch);
            let times = &said[expected as usize];
            times.set(times.get() + 1);
        }
        Ok(())
    });
    assert!(said.iter().all(|times| times.get() > 20), "{said:?}");
}
