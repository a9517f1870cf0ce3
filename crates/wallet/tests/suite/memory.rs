//! What is left in the memory of a process when its wallet is locked: no secret that this code knows of.

use crate::setup::{Device, PASSPHRASE, call, genesis, made, service};
use amulet_app_api::security::{ChangePassphrase, Touch};
use amulet_app_api::wallet::{AddDemoPerson, Lock, MyCodes, Unlock};
use amulet_crypto::entropy::SeededEntropy;
use amulet_crypto::kdf::{KeyPath, Language, SeedPhrase};
use amulet_crypto::passphrase::PassphraseParams;
use amulet_wallet::identity::device_key;
use amulet_wallet::keyfile::{self, NewWallet, Role};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::process::{Child, Command, Stdio};
use zeroize::Zeroizing;

/// Set for the process whose memory is looked at.
const CHILD: &str = "AMULET_MEMORY_CHILD";
/// The name of the test that is that process.
const CHILD_TEST: &str = "memory::the_process_that_is_looked_at";
/// What the process says when its wallet is open, and when it is locked.
const OPEN: &str = "amulet-open";
const LOCKED: &str = "amulet-locked";
/// The least part of a secret that is looked for: an eighth of it would still be worth guessing from.
const PART: usize = 16;

/// Bytes that nobody may find, with their name.
type Secret = (&'static str, Zeroizing<Vec<u8>>);

/// Not a test of its own: opens a wallet by a passphrase from its standard input, locks it, and waits.
#[tokio::test]
async fn the_process_that_is_looked_at() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let (genesis, device) = (genesis(1), Device::default());
    let file = std::fs::read(std::env::var_os(CHILD).unwrap()).unwrap();
    let service = service(&genesis, &device, &[("one", "patient", &file)]);
    let id = call(&service, AddDemoPerson { id: "one".to_owned() }).await.unwrap().id;
    // Not through the buffer of `stdin`, which would keep a copy.
    let mut input = File::open("/dev/stdin").unwrap();
    let passphrase = {
        // Wiped where it lies: to move it would leave a copy.
        let mut typed = Box::new(Zeroizing::new([0_u8; PASSPHRASE.len()]));
        input.read_exact(&mut **typed).unwrap();
        std::str::from_utf8(&**typed).unwrap().to_owned()
    };
    call(&service, Unlock { id, passphrase }).await.unwrap();
    call(&service, Touch {}).await.unwrap();
    call(&service, MyCodes {}).await.unwrap();
    // Both seal all that a wallet file holds anew, the second with one seed more.
    let typed = || PASSPHRASE.to_owned();
    call(&service, ChangePassphrase { passphrase: typed(), new: typed() }).await.unwrap();
    let mut entropy = SeededEntropy::new(6);
    let phrase = SeedPhrase::generate(Language::English, &mut entropy);
    drop(keyfile::replace_words(&file, PASSPHRASE, &phrase, &mut entropy).unwrap());
    drop(phrase);
    amulet_crypto::wipe_stack();
    say(OPEN);
    wait(&mut input);
    call(&service, Lock {}).await.unwrap();
    say(LOCKED);
    wait(&mut input);
}

fn say(what: &str) {
    let mut out = std::io::stdout();
    writeln!(out, "{what}").unwrap();
    out.flush().unwrap();
}

fn wait(input: &mut File) {
    input.read_exact(&mut [0]).unwrap();
}

#[test]
fn a_locked_wallet_leaves_no_secret_in_memory() {
    let file = with_former_seeds(&made(&genesis(1), "王芳", Role::Patient, 2).file);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("one.amulet");
    std::fs::write(&path, &file).unwrap();
    let secrets = secrets(&file);
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([CHILD_TEST, "--exact", "--nocapture", "--test-threads=1"])
        .env(CHILD, &path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap());
    let mut input = child.stdin.take().unwrap();
    input.write_all(PASSPHRASE.as_bytes()).unwrap();
    hear(&mut said, OPEN);
    let open = found(&child, &secrets);
    assert!(open.iter().any(|name| name.contains("seed")), "the search finds what is there: {open:?}");
    input.write_all(b"\n").unwrap();
    hear(&mut said, LOCKED);
    let locked = found(&child, &secrets);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(locked, Vec::<String>::new(), "still in memory after locking");
}

/// The wallet of a file, as if its keys had been replaced many times.
fn with_former_seeds(file: &[u8]) -> Vec<u8> {
    let open = keyfile::open(file, PASSPHRASE).unwrap();
    let mut entropy = SeededEntropy::new(5);
    let mut former = || SeedPhrase::generate(Language::English, &mut entropy).to_seed();
    let former: Vec<_> = (0..40).map(|_| former()).collect();
    let new = NewWallet {
        name: "王芳",
        role: Role::Patient,
        phrase: &open.phrase,
        relationships: &open.relationships,
        former: &former,
        chain: open.header.chain,
        created: open.header.created,
    };
    let params = PassphraseParams::floor(&mut entropy);
    keyfile::seal(&new, PASSPHRASE, params, &mut entropy).unwrap().1
}

/// Reads until the process has said this.
fn hear(said: &mut impl BufRead, what: &str) {
    let mut line = String::new();
    while !line.contains(what) {
        line.clear();
        assert!(said.read_line(&mut line).unwrap() > 0, "the process ended before it said {what}");
    }
}

fn secrets(file: &[u8]) -> Vec<Secret> {
    let open = keyfile::open(file, PASSPHRASE).unwrap();
    let seed = open.phrase.to_seed();
    let identity = amulet_wallet::identity::Identity::derive(&seed, open.relationships[0]);
    let former = |number: usize| Zeroizing::new(open.former[number].expose_secret().to_vec());
    let words = open.phrase.words();
    vec![
        ("passphrase", Zeroizing::new(PASSPHRASE.as_bytes().to_vec())),
        ("words", Zeroizing::new(words.join(" ").into_bytes())),
        ("words without spaces", Zeroizing::new(words.concat().into_bytes())),
        ("oldest seed", former(0)),
        ("a former seed", former(20)),
        ("newest former seed", former(39)),
        ("seed", Zeroizing::new(seed.expose_secret().to_vec())),
        ("signing key", Zeroizing::new(identity.signing.expose_secret().to_vec())),
        ("agreement key", Zeroizing::new(identity.agreement.expose_secret().to_vec())),
        ("device key", Zeroizing::new(device_key(&seed).expose_secret().to_vec())),
        (
            "a key of the tree",
            Zeroizing::new(seed.derive_content_key(&KeyPath::new("device", 0)).expose_secret().to_vec()),
        ),
    ]
}

/// The names of the secrets of which a part is in the writable memory of a process.
fn found(process: &Child, secrets: &[Secret]) -> Vec<String> {
    let maps = std::fs::read_to_string(format!("/proc/{}/maps", process.id())).unwrap();
    let mut memory = File::open(format!("/proc/{}/mem", process.id())).unwrap();
    let mut found = Vec::new();
    for line in maps.lines() {
        let mut fields = line.split_whitespace();
        let (range, rights) = (fields.next().unwrap(), fields.next().unwrap());
        if !rights.starts_with("rw") {
            continue;
        }
        let (from, to) = range.split_once('-').unwrap();
        let address = |text: &str| u64::from_str_radix(text, 16).unwrap();
        let (from, to) = (address(from), address(to));
        let mut bytes = Zeroizing::new(vec![0; usize::try_from(to - from).unwrap()]);
        memory.seek(SeekFrom::Start(from)).unwrap();
        // Some regions, as those of the kernel, cannot be read.
        if memory.read_exact(&mut bytes).is_err() {
            continue;
        }
        for (name, secret) in secrets {
            let parts = secret.chunks(PART).filter(|part| part.len() == PART);
            for (place, part) in parts.enumerate() {
                if memmem(&bytes, part) {
                    found.push(format!("{name}, bytes from {}", place * PART));
                }
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

fn memmem(bytes: &[u8], part: &[u8]) -> bool {
    aho_corasick::AhoCorasick::new([part]).unwrap().is_match(bytes)
}
