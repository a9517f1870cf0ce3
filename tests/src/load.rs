//! A steady load: clients that send transactions to hospitals at random and hold each for done only when they have seen
//! its receipt, proven under a certificate.

use crate::choices::Choices;
use crate::hospital::Hospital;
use amulet_crypto::digest::sm3;
use amulet_crypto::entropy::SeededEntropy;
use amulet_crypto::sealed_box::AgreementKey;
use amulet_crypto::signing::SigningKey;
use amulet_protocol::calls::{Call, CardLocator, LOCATOR_BYTES, PublishCard, RegisterIdentity};
use amulet_protocol::genesis::Genesis;
use amulet_protocol::ids::{BlobId, ChainId, Did, HeaderHash, Height, Nonce, TxId};
use amulet_protocol::light::{LightRequest, LightResponse, UntrustedReceiptProof};
use amulet_protocol::receipt::{Outcome, Receipt};
use amulet_protocol::transaction::{SignedTransaction, TRANSACTION_VERSION, Transaction};
use amulet_protocol::validators::ValidatorSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A client's transactions on their way at once; enough that one that waits for a dead hospital does not stop the load.
const ON_THEIR_WAY: usize = 4;
/// After that long without a receipt a client hands its transaction in again, to every hospital, as wallets do.
const AGAIN_AFTER: Duration = Duration::from_millis(1_200);
/// A hospital that is cut off does not answer; nobody waits long for it.
const ANSWER_WITHIN: Duration = Duration::from_millis(1_500);
/// How long an emergency access by a card of the load lasts; any permitted time does.
const ACCESS_MS: u64 = 24 * 3_600_000;

/// A transaction that a client holds for done: what it saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    /// The transaction.
    pub transaction: TxId,
    /// Who sent it.
    pub sender: Did,
    /// Height of its block.
    pub height: Height,
    /// Hash of that block's header, which a quorum has signed.
    pub header: HeaderHash,
    /// Its receipt, proven under that header.
    pub receipt: Receipt,
}

/// What clients check against.
#[derive(Clone)]
pub struct Pinned {
    /// The chain.
    pub chain: ChainId,
    /// Its validators.
    pub validators: ValidatorSet,
}

impl Pinned {
    /// What the genesis document of a consortium says.
    ///
    /// # Panics
    /// When it is not valid.
    #[must_use]
    pub fn of(genesis: &Genesis) -> Self {
        Self {
            chain: genesis.chain_id(),
            validators: genesis.validate().expect("the genesis document is valid"),
        }
    }

    /// The acknowledgement that a receipt with its proof is.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn check(
        &self,
        transaction: TxId,
        sender: Did,
        proof: UntrustedReceiptProof,
    ) -> Result<Acknowledged, String> {
        if proof.receipt.transaction != transaction {
            return Err(format!("asked for {transaction}, got the receipt of {}", proof.receipt.transaction));
        }
        let (height, header, root) =
            (proof.header.header.height, proof.header.header.hash(), proof.header.header.receipts_root);
        proof
            .header
            .verify(self.chain, &self.validators)
            .map_err(|error| format!("{transaction}: {error}"))?;
        proof.proof.verify(root, &proof.receipt.leaf()).map_err(|error| format!("{transaction}: {error}"))?;
        Ok(Acknowledged { transaction, sender, height, header, receipt: proof.receipt })
    }
}

/// How to load a consortium.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// Clients, each with its own keys.
    pub clients: u64,
    /// Pause of a client between two rounds of sending and looking.
    pub pause: Duration,
    /// Keys and choices follow from it.
    pub seed: u64,
}

impl Default for LoadOptions {
    /// Light on two cores, yet blocks follow each other without a break.
    fn default() -> Self {
        Self { clients: 3, pause: Duration::from_millis(60), seed: 1 }
    }
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    acknowledged: Mutex<Vec<Acknowledged>>,
    /// The greatest height of those.
    newest: AtomicU64,
    /// What no hospital may ever answer.
    wrong: Mutex<Vec<String>>,
}

/// A running load; it stops when it is dropped.
pub struct Load {
    shared: Arc<Shared>,
    clients: Vec<JoinHandle<()>>,
    people: Vec<Did>,
}

impl Load {
    /// Starts the clients.
    #[must_use]
    pub fn start(hospitals: &[Hospital], pinned: &Pinned, options: &LoadOptions) -> Self {
        let shared = Arc::<Shared>::default();
        let clients = (0..options.clients).map(|number| {
            Client::new(options.seed.wrapping_mul(1_000).wrapping_add(number), hospitals, pinned, &shared)
        });
        let clients: Vec<Client> = clients.collect();
        let people = clients.iter().map(|client| client.did).collect();
        let pause = options.pause;
        let clients =
            clients.into_iter().map(|client| std::thread::spawn(move || client.run(pause))).collect();
        Self { shared, clients, people }
    }

    /// How many transactions were acknowledged so far.
    #[must_use]
    pub fn count(&self) -> usize {
        lock(&self.shared.acknowledged).len()
    }

    /// Those acknowledged since the first `from`.
    #[must_use]
    pub fn since(&self, from: usize) -> Vec<Acknowledged> {
        lock(&self.shared.acknowledged)[from..].to_vec()
    }

    /// Answers that prove a hospital wrong, such as a receipt whose proof does not verify.
    #[must_use]
    pub fn wrong(&self) -> Vec<String> {
        lock(&self.shared.wrong).clone()
    }

    /// The clients' DIDs.
    #[must_use]
    pub fn people(&self) -> &[Did] {
        &self.people
    }

    /// Waits until a transaction in a block above `height` is acknowledged; gives how long that took, or nothing when
    /// `limit` is over.
    #[must_use]
    pub fn wait_above(&self, height: u64, limit: Duration) -> Option<Duration> {
        let start = Instant::now();
        while self.shared.newest.load(Ordering::Relaxed) <= height {
            if start.elapsed() > limit {
                return None;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Some(start.elapsed())
    }

    /// Stops the clients.
    ///
    /// # Panics
    /// When a client did.
    pub fn halt(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        for client in self.clients.drain(..) {
            client.join().expect("a client does not panic");
        }
    }

    /// Stops the clients and gives what they hold for done, the oldest first.
    ///
    /// # Panics
    /// When a client did.
    #[must_use]
    pub fn stop(mut self) -> Vec<Acknowledged> {
        self.halt();
        self.since(0)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Waiting {
    transaction: SignedTransaction,
    handed_in: Instant,
}

struct Client {
    did: Did,
    key: SigningKey,
    agreement: AgreementKey,
    holder: Did,
    nonce: u64,
    choices: Choices,
    hospitals: Vec<Hospital>,
    pinned: Pinned,
    waiting: Vec<Waiting>,
    shared: Arc<Shared>,
}

impl Client {
    fn new(seed: u64, hospitals: &[Hospital], pinned: &Pinned, shared: &Arc<Shared>) -> Self {
        let mut entropy = SeededEntropy::new(seed);
        let key = SigningKey::generate(&mut entropy);
        let validators = pinned.validators.members();
        let holder = validators.first().expect("a set has members").organisation;
        Self {
            did: Did::of_key(key.public_key()),
            key,
            agreement: AgreementKey::generate(&mut entropy),
            holder,
            nonce: 0,
            choices: Choices::new(!seed),
            hospitals: hospitals.to_vec(),
            pinned: pinned.clone(),
            waiting: Vec::new(),
            shared: shared.clone(),
        }
    }

    fn run(mut self, pause: Duration) {
        while !self.shared.stop.load(Ordering::Relaxed) {
            self.send_next();
            self.look();
            std::thread::sleep(pause);
        }
    }

    /// Everything else waits for the registration, or it would be refused.
    fn send_next(&mut self) {
        let registering = self.nonce == 1 && !self.waiting.is_empty();
        if registering || self.waiting.len() >= ON_THEIR_WAY {
            return;
        }
        self.nonce += 1;
        let call = if self.nonce == 1 { self.registration() } else { self.card() };
        let (version, chain) = (TRANSACTION_VERSION, self.pinned.chain);
        let transaction = Transaction { version, chain, sender: self.did, nonce: Nonce(self.nonce), call };
        let transaction = transaction.sign(&self.key);
        let first = self.choices.index(self.hospitals.len());
        self.hand_in(first, &transaction);
        self.waiting.push(Waiting { transaction, handed_in: Instant::now() });
    }

    fn registration(&self) -> Call {
        let (signing, agreement) = (self.key.public_key().clone(), self.agreement.public_key().clone());
        Call::RegisterIdentity(RegisterIdentity { signing, agreement })
    }

    /// A new card: it always applies, and leaves a line in the personal history, where a second execution would show.
    fn card(&self) -> Call {
        let name = sm3(&[self.did.as_bytes().as_slice(), &self.nonce.to_le_bytes()].concat());
        let locator: [u8; LOCATOR_BYTES] = *name.to_bytes().first_chunk().expect("a digest is longer");
        let (locator, blob) = (CardLocator(locator), BlobId(name));
        Call::PublishCard(PublishCard { locator, blob, holders: vec![self.holder], access_ms: ACCESS_MS })
    }

    fn hand_in(&self, to: usize, transaction: &SignedTransaction) {
        let request = LightRequest::Submit(transaction.as_untrusted().clone());
        // A refusal can mean that it is committed already, or that this hospital is behind; the receipt will tell.
        let _ = self.hospitals[to].ask_within(ANSWER_WITHIN, &request);
    }

    fn look(&mut self) {
        for mut waiting in std::mem::take(&mut self.waiting) {
            let at = self.choices.index(self.hospitals.len());
            let id = waiting.transaction.id();
            let answer = self.hospitals[at].ask_within(ANSWER_WITHIN, &LightRequest::Receipt(id));
            if let Some(LightResponse::Receipt(proof)) = answer {
                self.settle(id, *proof, at);
                continue;
            }
            if waiting.handed_in.elapsed() > AGAIN_AFTER {
                waiting.handed_in = Instant::now();
                (0..self.hospitals.len()).for_each(|to| self.hand_in(to, &waiting.transaction));
            }
            self.waiting.push(waiting);
        }
    }

    fn settle(&self, id: TxId, proof: UntrustedReceiptProof, at: usize) {
        match self.pinned.check(id, self.did, proof) {
            Ok(seen) => {
                if let Outcome::Refused { code } = &seen.receipt.outcome {
                    lock(&self.shared.wrong).push(format!("the ledger refused {id}: {code}"));
                }
                self.shared.newest.fetch_max(seen.height.0, Ordering::Relaxed);
                lock(&self.shared.acknowledged).push(seen);
            }
            Err(wrong) => lock(&self.shared.wrong).push(format!("hospital {}: {wrong}", at + 1)),
        }
    }
}
