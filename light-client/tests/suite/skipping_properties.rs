//! What holds for every chain of validator sets and every sequence of answers, tried on random ones. The seed is the number
//! of the case, which a failure names.

use crate::chain::{Chain, NOW};
use crate::network::Network;
use crate::test;
use amulet_crypto::entropy::{Entropy, SeededEntropy};
use amulet_light_client::verifier::{StepVerdict, Verifier};
use amulet_light_client::{
    LightClient, MemoryStore, NodeInfo, TransportError, TrustParams, TrustThreshold, VerifiedHeader,
};
use amulet_protocol::codec::{decode, encode};
use amulet_protocol::ids::Height;
use amulet_protocol::light::{LightResponse, UntrustedStep};
use std::sync::{Arc, Mutex};

const SEATS: usize = 4;

struct Dice(SeededEntropy);

impl Dice {
    fn new(case: u64) -> Self {
        Self(SeededEntropy::new(0x5eed_0000 + case))
    }

    /// A number below `bound`.
    fn below(&mut self, bound: usize) -> usize {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        u32::from_be_bytes(bytes) as usize % bound
    }

    /// Some of the seats, each with a chance of one in two.
    fn seats(&mut self) -> Vec<usize> {
        (0..SEATS).filter(|_| self.below(2) == 0).collect()
    }

    /// A chain with up to so many changes of up to four keys.
    fn chain(&mut self, changes: usize) -> Chain {
        let mut height = 0;
        let mut turns = Vec::new();
        for _ in 0..=self.below(changes) {
            height += 1 + self.below(3) as u64;
            let mut replaced = self.seats();
            if replaced.is_empty() {
                replaced.push(self.below(SEATS));
            }
            turns.push((height, replaced));
        }
        Chain::replacing(height + 1 + self.below(3) as u64, &turns)
    }
}

fn client(network: &Arc<Network>, params: TrustParams) -> LightClient {
    let genesis = network.chain().lock().unwrap().people.genesis.clone();
    let nodes =
        genesis.organisations.iter().map(|organisation| NodeInfo { organisation: organisation.did() });
    let store = Box::new(Arc::new(MemoryStore::default()));
    LightClient::new(&genesis, nodes.collect(), network.clone(), store, params).unwrap()
}

#[test]
async fn skipping_ends_where_following_and_checking_every_header_end() {
    for case in 0..12 {
        let chain = Dice::new(case).chain(16);
        let genesis = &chain.people.genesis;
        let mut auditor =
            Verifier::new(genesis.chain_id(), genesis.validate().unwrap(), TrustParams::default());
        let run = auditor.verify_run(None, chain.run(1, chain.tip().0), NOW).unwrap();
        let network = Arc::new(Network::honest(chain));
        let never = TrustParams::default().with_threshold(TrustThreshold::new(1, 1).unwrap());
        for params in [TrustParams::default(), never] {
            let client = client(&network, params);
            let report = client.sync(NOW).await.unwrap();
            assert_eq!(Some(report.head.hash()), run.last().map(VerifiedHeader::hash), "case {case}");
            let known = (client.epoch(), client.validators());
            assert_eq!(known, (auditor.epoch(), auditor.validators().clone()), "case {case}");
        }
    }
}

#[test]
async fn answers_with_changed_bytes_never_lead_to_another_header_or_set() {
    let mut ended_well = 0;
    for case in 0..60 {
        let network = Network::honest(Dice::new(case % 4).chain(12));
        let network = (0..SEATS).fold(network, |network, node| {
            let dice = Mutex::new(Dice::new(1_000 * (1 + node as u64) + case));
            network.with(
                node,
                Box::new(move |_, answer| {
                    let mut dice = dice.lock().unwrap();
                    if dice.below(4) > 0 {
                        return Ok(answer);
                    }
                    let mut bytes = encode(&answer);
                    let position = dice.below(bytes.len());
                    bytes[position] ^= 1 << dice.below(8);
                    decode::<LightResponse>(&bytes, bytes.len()).map_err(TransportError::Decode)
                }),
            )
        });
        let network = Arc::new(network);
        let client = client(&network, TrustParams::default());
        let Ok(report) = client.sync(NOW).await else { continue };
        ended_well += 1;
        let chain = network.chain();
        let chain = chain.lock().unwrap();
        assert_eq!(report.head.hash(), chain.hash_at(report.head.height().0), "case {case}");
        for height in 1..=chain.tip().0 + 1 {
            if let Some(known) = client.validators_at(Height(height)) {
                assert_eq!(*known, chain.set_at(height), "case {case}, height {height}");
            }
        }
    }
    assert!(ended_well > 10, "{ended_well}");
}

/// What a verifier must say of a step, by counting seats: it knows nothing of signatures, hashes or trees.
struct Model {
    /// Whose keys the newest known set has: each seat's by the number of the epoch since which it is in force.
    epoch: usize,
    keys: Vec<[usize; SEATS]>,
}

#[derive(Debug, PartialEq, Eq)]
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

#[test]
async fn a_verifier_says_of_every_sequence_of_steps_what_a_small_model_says() {
    let mut said = [0; 3];
    for case in 0..60 {
        let mut dice = Dice::new(100_000 + case);
        let chain = dice.chain(8);
        let ends: Vec<u64> = (1..=chain.tip().0)
            .filter(|height| chain.epoch_at(*height) != chain.epoch_at(height + 1))
            .collect();
        let genesis = &chain.people.genesis;
        let mut verifier =
            Verifier::new(genesis.chain_id(), genesis.validate().unwrap(), TrustParams::default());
        let mut model = Model::new(&chain, &ends);
        for answer in 0..10 {
            let epoch = dice.below(ends.len());
            let mut signers: Vec<u16> = (0..SEATS as u16).collect();
            for _ in 0..dice.below(3) {
                signers.remove(dice.below(signers.len()));
            }
            let (with_set, right_next) = (dice.below(4) > 0, dice.below(8) > 0);
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
            assert_eq!(found, expected, "case {case}, answer {answer}: epoch {epoch} by {signers:?}");
            assert_eq!(verifier.epoch().0 as usize, model.epoch, "case {case}, answer {answer}");
            said[expected as usize] += 1;
        }
    }
    assert!(said.iter().all(|times| *times > 20), "{said:?}");
}
