//! Hospitals that join and leave while a device runs, or lies in a drawer: whom it asks, and whom it believes.

use crate::chain::{Chain, NOW, START};
use crate::network::{FixedClock, for_newest};
use crate::test;
use amulet_light_client::client::Standing;
use amulet_light_client::store::{Kept, Slot, StoredAddresses};
use amulet_light_client::{
    LightClient, LightError, MemoryStore, NodeIndex, NodeInfo, NodeVerdict, StoreError, SyncPolicy,
    Transport, TransportError, TrustParams,
};
use amulet_protocol::addresses::{AddressesState, NodeAddress};
use amulet_protocol::ids::{Did, Height, Timestamp};
use amulet_protocol::light::{LightRequest, LightResponse};
use amulet_protocol::state::StateKey;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// Machines at addresses. What a client asks depends on nothing but the addresses that it was given and has learnt.
struct World {
    machines: Mutex<BTreeMap<String, Arc<Mutex<Chain>>>>,
    asked: Mutex<Vec<(String, LightRequest)>>,
}

/// One device's way to them.
struct Line {
    world: Arc<World>,
    nodes: Mutex<Vec<(Vec<String>, Vec<String>)>>,
}

#[cfg_attr(target_arch = "wasm32", async_trait::async_trait(?Send))]
#[cfg_attr(not(target_arch = "wasm32"), async_trait::async_trait)]
impl Transport for Line {
    async fn ask(&self, node: NodeIndex, request: &LightRequest) -> Result<LightResponse, TransportError> {
        let addresses = {
            let nodes = self.nodes.lock().unwrap();
            let known = nodes.len();
            let (given, learned) = nodes.get(node.0).ok_or(TransportError::UnknownNode { node, known })?;
            [given.clone(), learned.clone()].concat()
        };
        for address in addresses {
            self.world.asked.lock().unwrap().push((address.clone(), request.clone()));
            if let Some(chain) = self.world.machines.lock().unwrap().get(&address) {
                let chain = chain.lock().unwrap();
                return Ok(chain.answer(request, chain.tip()));
            }
        }
        Err(TransportError::Connect)
    }

    fn learn(&self, node: NodeIndex, addresses: &[NodeAddress]) {
        self.nodes.lock().unwrap()[node.0].1 = addresses.iter().map(ToString::to_string).collect();
    }

    fn join(&self, node: NodeIndex, addresses: &[NodeAddress]) {
        let mut nodes = self.nodes.lock().unwrap();
        let places = nodes.len().max(node.0 + 1);
        nodes.resize(places, Default::default());
        nodes[node.0] = (Vec::new(), addresses.iter().map(ToString::to_string).collect());
    }
}

fn founder(place: usize) -> String {
    format!("https://founder-{place}.example")
}

fn newcomer(place: usize) -> String {
    format!("https://newcomer-{place}.example")
}

impl World {
    /// The founders' machines, all on one chain.
    fn of(chain: &Arc<Mutex<Chain>>) -> Arc<Self> {
        let world = Arc::new(Self { machines: Mutex::default(), asked: Mutex::default() });
        (0..4).for_each(|place| world.put(&founder(place), chain));
        world
    }

    fn put(&self, address: &str, chain: &Arc<Mutex<Chain>>) {
        self.machines.lock().unwrap().insert(address.to_owned(), chain.clone());
    }

    fn remove(&self, address: &str) {
        self.machines.lock().unwrap().remove(address);
    }

    /// Who was asked for the newest header since this was last called, each once.
    fn asked(&self) -> Vec<String> {
        let asked = std::mem::take(&mut *self.asked.lock().unwrap());
        let latest = asked.into_iter().filter(|(_, question)| for_newest(question));
        let mut asked: Vec<String> = latest.map(|(address, _)| address).collect();
        asked.sort();
        asked.dedup();
        asked
    }

    /// A device that was given the founders' addresses.
    fn device(self: &Arc<Self>, chain: &Arc<Mutex<Chain>>, store: &Arc<MemoryStore>) -> LightClient {
        let genesis = chain.lock().unwrap().people.genesis.clone();
        let nodes = genesis.organisations.iter().map(|one| NodeInfo { organisation: one.did() }).collect();
        let lines = (0..4).map(|place| (vec![founder(place)], vec![])).collect();
        let line = Arc::new(Line { world: self.clone(), nodes: Mutex::new(lines) });
        let (store, params) = (Box::new(store.clone()), TrustParams::default());
        LightClient::new(&genesis, nodes, line, store, params).unwrap().with_clock(Arc::new(FixedClock))
    }
}

/// The chain grows to this height; in the next block the organisations publish these addresses.
fn grow(chain: &Arc<Mutex<Chain>>, to: u64, published: &[(Did, &[&str])]) {
    let mut chain = chain.lock().unwrap();
    for (organisation, addresses) in published {
        publish(&mut chain, *organisation, addresses, NOW.plus_millis(1));
    }
    while chain.tip().0 < to {
        let time = Timestamp(START.0 + chain.tip().next().0 * 1_000);
        chain.push(vec![], time);
    }
}

fn publish(chain: &mut Chain, organisation: Did, addresses: &[&str], valid_until: Timestamp) {
    let addresses = addresses.iter().map(|&address| address.to_owned()).collect();
    chain.write(
        StateKey::Addresses(organisation),
        &AddressesState { addresses, published: Height(1), valid_until },
    );
}

fn member(chain: &Arc<Mutex<Chain>>, height: u64, place: usize) -> Did {
    chain.lock().unwrap().set_at(height).members()[place].organisation
}

fn shared(chain: Chain) -> Arc<Mutex<Chain>> {
    Arc::new(Mutex::new(chain))
}

#[test]
async fn one_that_joins_is_asked_from_the_next_sync_on_and_one_that_left_is_not_although_it_answers() {
    let chain = shared(Chain::joined(2, &[(3, vec![3])]));
    let (world, store) = (World::of(&chain), Arc::default());
    world.put(&newcomer(3), &chain);
    let client = world.device(&chain, &store);
    client.sync(NOW).await.unwrap();
    let founders: Vec<String> = (0..4).map(founder).collect();
    assert_eq!(world.asked(), founders);
    let joined = member(&chain, 4, 3);
    grow(&chain, 5, &[(joined, &[&newcomer(3)])]);
    let report = client.sync(NOW).await.unwrap();
    assert_eq!((report.agreeing, world.asked()), (4, founders.clone()), "it is learnt of with this one");
    let report = client.sync(NOW).await.unwrap();
    let now = [founder(0), founder(1), founder(2), newcomer(3)];
    assert_eq!((report.agreeing, world.asked()), (4, now.to_vec()));
    assert_eq!(report.nodes[3].0, NodeIndex(4));
    assert_eq!((client.node_of(joined), client.nodes()[4].organisation), (Some(NodeIndex(4)), joined));
    // Ciphertexts are still where they are.
    let left = chain.lock().unwrap().people.genesis.organisations[3].did();
    assert_eq!(client.node_of(left), Some(NodeIndex(3)));
    assert_eq!(client.asked_nodes(), [0, 1, 2, 4].map(NodeIndex));
    // It is no witness: with it alone beside one member there are too few.
    [0, 1].map(founder).iter().chain([&newcomer(3)]).for_each(|gone| world.remove(gone));
    let alone = client.sync(NOW).await;
    assert!(matches!(alone, Err(LightError::TooFewWitnesses { agreeing: 1, .. })), "{alone:?}");
    assert!(!world.asked().contains(&founder(3)));
}

#[test]
async fn what_is_known_of_a_hospital_stays_when_others_join() {
    let chain = shared(Chain::joined(2, &[(3, vec![3])]));
    let (world, store) = (World::of(&chain), Arc::default());
    world.remove(&founder(1));
    let client = world.device(&chain, &store);
    client.sync(NOW).await.unwrap();
    let before = client.standings();
    assert_eq!(before[1], Standing::Unreachable);
    let joined = member(&chain, 4, 3);
    grow(&chain, 5, &[(joined, &[&newcomer(3)])]);
    client.sync(NOW).await.unwrap();
    assert_eq!(client.standings()[..4], before);
    assert_eq!(client.standings()[4], Standing::Good, "nothing is held against one that is new");
    assert_eq!(client.measured()[4], Default::default());
}

#[test]
async fn a_device_finds_its_way_from_a_drawer_when_all_were_replaced_and_one_old_address_answers() {
    let chain = shared(Chain::joined(2, &[(3, vec![0]), (5, vec![1]), (7, vec![2]), (9, vec![3])]));
    let (world, store) = (World::of(&chain), Arc::new(MemoryStore::default()));
    world.device(&chain, &store).sync(NOW).await.unwrap();
    for place in 0..4 {
        let joined = member(&chain, 12, place);
        grow(&chain, 4 + 2 * place as u64, &[(joined, &[&newcomer(place)])]);
        world.put(&newcomer(place), &chain);
    }
    (0..3).for_each(|place| world.remove(&founder(place)));
    world.asked();
    let client = world.device(&chain, &store);
    let report = client.sync(NOW).await.unwrap();
    // The last founder showed the way, and is none of those that are believed.
    assert_eq!((report.head.height(), report.agreeing, report.total), (Height(10), 4, 4));
    assert!(report.nodes.iter().all(|(node, _)| node.0 >= 4), "{:?}", report.nodes);
    // The next start knows them, also when nobody is left at the old addresses.
    world.remove(&founder(3));
    world.asked();
    let again = world.device(&chain, &store);
    assert_eq!(again.sync(NOW).await.unwrap().agreeing, 4);
    assert_eq!(world.asked(), (0..4).map(newcomer).collect::<Vec<_>>());
    // And so do those on a metered link.
    let metered = world.device(&chain, &store);
    assert_eq!(metered.sync_by(SyncPolicy::Metered, NOW).await.unwrap().agreeing, 2);
}

#[test]
async fn hospitals_that_moved_while_the_device_was_off_are_found_at_their_new_addresses() {
    let chain = shared(Chain::new(2));
    let (world, store) = (World::of(&chain), Arc::new(MemoryStore::default()));
    world.device(&chain, &store).sync(NOW).await.unwrap();
    let moved: Vec<Did> = (0..3).map(|place| member(&chain, 1, place)).collect();
    let to: Vec<String> = (0..3).map(newcomer).collect();
    for (place, organisation) in moved.iter().enumerate() {
        grow(&chain, 3 + place as u64, &[(*organisation, &[&to[place]])]);
        world.remove(&founder(place));
        world.put(&to[place], &chain);
    }
    let client = world.device(&chain, &store);
    let report = client.sync(NOW).await.unwrap();
    assert_eq!((report.head.height(), report.agreeing, client.nodes().len()), (Height(5), 4, 4));
}

#[test]
async fn what_a_branch_says_of_nodes_is_forgotten_when_the_branch_is_not_believed() {
    // Hospital 0 shows a chain on which others took the place of three, and says that a stranger answers for it.
    let chain = shared(Chain::joined(2, &[]));
    let branch = shared(Chain::forked_joined(3, 3, &[(3, vec![1, 2])]));
    let strangers: Vec<Did> = [1, 2].map(|place| member(&branch, 4, place)).into();
    let zero = member(&chain, 1, 0);
    let stranger = "https://stranger.example";
    grow(&branch, 5, &[(zero, &[stranger]), (strangers[0], &[stranger]), (strangers[1], &[&newcomer(2)])]);
    let (world, store) = (World::of(&chain), Arc::new(MemoryStore::default()));
    let client = world.device(&chain, &store);
    client.sync(NOW).await.unwrap();
    world.put(&founder(0), &branch);
    (1..4).for_each(|place| world.remove(&founder(place)));
    let failed = client.sync(NOW).await;
    assert!(matches!(failed, Err(LightError::TooFewWitnesses { agreeing: 1, .. })), "{failed:?}");
    // Now the stranger answers, and all hospitals but the liar.
    world.put(stranger, &branch);
    world.remove(&founder(0));
    (1..4).for_each(|place| world.put(&founder(place), &chain));
    world.asked();
    grow(&chain, 4, &[]);
    assert_eq!(client.sync(NOW).await.unwrap().agreeing, 3);
    assert_eq!(world.asked(), (0..4).map(founder).collect::<Vec<_>>());
    assert_eq!(client.asked_nodes(), [0, 1, 2, 3].map(NodeIndex));
    world.device(&chain, &store).sync(NOW).await.unwrap();
    assert!(!world.asked().iter().any(|asked| asked == stranger), "nor did the store keep it");
}

/// Those whom a branch puts in the place of the hospitals bear witness to it. It does not help the branch that the one true
/// hospital that answers has left, as the branch has it.
#[test]
async fn a_known_hospital_that_a_branch_says_has_left_is_heard() {
    let chain = shared(Chain::joined(7, &[(6, vec![2])]));
    let branch = shared(Chain::forked_joined(4, 3, &[(4, vec![1, 2, 3])]));
    let stranger = "https://stranger.example";
    let at_the_stranger = [stranger];
    let joined = [1, 2, 3].map(|place| (member(&branch, 5, place), &at_the_stranger[..]));
    grow(&branch, 8, &joined);
    let (world, store) = (World::of(&chain), Arc::new(MemoryStore::default()));
    let client = world.device(&chain, &store);
    world.put(&founder(0), &branch);
    world.put(stranger, &branch);
    [2, 3].map(founder).iter().for_each(|gone| world.remove(gone));
    let heard = client.sync(NOW).await;
    let Err(LightError::Disagreement(found)) = heard else { panic!("{heard:?}") };
    assert!([&found.left, &found.right].iter().any(|side| side.nodes.contains(&NodeIndex(1))), "{found:?}");
    assert_eq!((client.trusted(), client.asked_nodes().len()), (None, 4));
    // Without it the branch is believed, which one known liar is enough for.
    world.remove(&founder(1));
    assert_eq!(world.device(&chain, &Arc::default()).sync(NOW).await.unwrap().agreeing, 4);
}

#[test]
async fn addresses_that_no_honest_ledger_holds_and_those_that_ended_are_not_used() {
    let chain = shared(Chain::joined(2, &[(3, vec![2, 3])]));
    let (world, store) = (World::of(&chain), Arc::new(MemoryStore::default()));
    let joined = [2, 3].map(|place| member(&chain, 4, place));
    let many: Vec<String> = (0..5_000).map(|at| format!("https://many-{at:04}.example")).collect();
    let of_others = "/ip4/9.9.9.9/tcp/1/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";
    let mut hostile = vec![of_others, "http://plain.example", "javascript:alert(1)", ""];
    hostile.extend(many.iter().map(String::as_str));
    publish(&mut chain.lock().unwrap(), joined[0], &hostile, NOW.plus_millis(1));
    publish(&mut chain.lock().unwrap(), joined[1], &[&newcomer(3)], NOW);
    grow(&chain, 5, &[]);
    let client = world.device(&chain, &store);
    client.sync(NOW).await.unwrap();
    client.sync(NOW).await.unwrap();
    let asked = world.asked();
    assert!(!asked.iter().any(|asked| [of_others, "http://plain.example", ""].contains(&asked.as_str())));
    let of_many = asked.iter().filter(|asked| asked.starts_with("https://many-")).count();
    assert!(of_many <= 8, "{of_many} addresses of one hospital were tried");
    assert_eq!(client.node_of(joined[1]), None, "its address does not count any more");
}

#[test]
async fn a_store_that_names_other_nodes_does_not_make_them_witnesses() {
    let chain = shared(Chain::joined(2, &[(3, vec![3])]));
    let (world, store) = (World::of(&chain), Arc::new(MemoryStore::default()));
    let joined = member(&chain, 4, 3);
    grow(&chain, 5, &[(joined, &[&newcomer(3)])]);
    world.put(&newcomer(3), &chain);
    world.device(&chain, &store).sync(NOW).await.unwrap();
    let kept = Kept::new(Box::new(store.clone()));
    let mut nodes = kept.nodes().await.unwrap().unwrap();
    let stranger = member(&shared(Chain::joined(2, &[(1, vec![0])])), 2, 0);
    let addresses = vec!["https://stranger.example".to_owned()];
    nodes.published.insert(stranger, StoredAddresses { addresses, valid_until: NOW.plus_millis(1) });
    kept.keep_nodes(&nodes).await.unwrap();
    let client = world.device(&chain, &store);
    client.restore().await;
    assert_eq!(client.node_of(stranger), None);
    assert_eq!(client.asked_nodes(), [0, 1, 2, 4].map(NodeIndex));
    // One that is damaged is said, and read anew.
    store.put(Slot::Nodes, vec![0, 4, 1]);
    let client = world.device(&chain, &store);
    let report = client.sync(NOW).await.unwrap();
    assert_eq!(report.store_trouble, Some(StoreError::Corrupt));
    client.sync(NOW).await.unwrap();
    assert!(world.asked().contains(&newcomer(3)));
}

#[test]
async fn a_clock_that_was_ahead_does_not_keep_a_device_from_finding_who_joined() {
    let chain = shared(Chain::joined(2, &[(3, vec![3])]));
    let (world, store) = (World::of(&chain), Arc::new(MemoryStore::default()));
    let joined = member(&chain, 4, 3);
    grow(&chain, 5, &[]);
    world.device(&chain, &store).sync(NOW).await.unwrap();
    let kept = Kept::new(Box::new(store.clone()));
    let mut nodes = kept.nodes().await.unwrap().unwrap();
    nodes.looked_at = NOW.plus_millis(u64::from(u32::MAX));
    kept.keep_nodes(&nodes).await.unwrap();
    grow(&chain, 7, &[(joined, &[&newcomer(3)])]);
    let client = world.device(&chain, &store);
    client.sync(NOW).await.unwrap();
    assert!(client.node_of(joined).is_some());
}

#[test]
async fn with_nobody_to_take_their_place_those_who_left_bear_witness_as_before() {
    let chain = shared(Chain::joined(2, &[(3, vec![0, 1]), (5, vec![2, 3])]));
    let (world, store) = (World::of(&chain), Arc::default());
    let client = world.device(&chain, &store);
    client.sync(NOW).await.unwrap();
    grow(&chain, 7, &[]);
    for _ in 0..2 {
        let report = client.sync(NOW).await.unwrap();
        assert_eq!((report.agreeing, report.total), (4, 4), "the newcomers published nothing");
    }
    assert!(
        client
            .sync(NOW)
            .await
            .unwrap()
            .nodes
            .iter()
            .all(|(_, said)| matches!(said, NodeVerdict::Agrees { .. }))
    );
}
