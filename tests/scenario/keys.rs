//! A lost phone: the keys are replaced from another device, and whoever has the phone, or the old words, is nobody any more.

use crate::World;
use amulet_app_api::ErrorCode;
use amulet_app_api::access::{AccessLog, EmergencyReason, LogEvent, Purpose};
use amulet_app_api::card::{Card, CardView, MakeCard};
use amulet_app_api::clinician::{DeclareEmergency, MyAccesses, OpenEmergency, ReadCard, ReadGrant};
use amulet_app_api::giving::{GiveTerms, GiveTo};
use amulet_app_api::inbox::{Inbox, InboxNews};
use amulet_app_api::keys::{Keys, ReplaceKeys};
use amulet_app_api::records::{Category, Record, Records};
use amulet_app_api::recovery::{Guardians, MakeSheets, RestoreFromSheets, TrySheets};
use amulet_app_api::security::ChangePassphrase;
use amulet_app_api::wallet::{
    AddHospital, Home, Language, Lock, NewWords, Progress, RestoreWallet, SessionView, Status, Sync, Task,
    Unlock, WordsView,
};
use amulet_crypto::entropy::SystemEntropy;
use amulet_crypto::kdf::{Language as Phrases, Seed, SeedPhrase};
use amulet_crypto::passphrase::PassphraseParams;
use amulet_light_client::{Clock, SystemClock};
use amulet_tests::samples::Sample;
use amulet_tests::wallet::{Newcomer, PASSPHRASE, Wallet, clinician, new_patient};
use amulet_wallet::identity::Relationship;
use amulet_wallet::keyfile::{self, NewWallet, Role};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// New words, shown on a device, with the answers to what is asked.
async fn words_on(wallet: &Wallet) -> (WordsView, Vec<String>) {
    let shown = wallet.must(NewWords { language: Language::Zh }).await;
    let answers = shown.ask.iter().map(|position| shown.words[position - 1].clone()).collect();
    (shown, answers)
}

fn restore(world: &World, words: &[String], hospital: usize) -> RestoreWallet {
    RestoreWallet {
        name: "周宁".to_owned(),
        words: words.join(" "),
        passphrase: PASSPHRASE.to_owned(),
        hospital: world.organisation(hospital).to_string(),
    }
}

async fn device_from(world: &World, words: &[String], hospital: usize) -> (Wallet, SessionView) {
    let wallet = Wallet::over_libp2p(world.net.network());
    let session = wallet.must(restore(world, words, hospital)).await;
    (wallet, session)
}

async fn labs_for(wallet: &Wallet, reader: &str) -> Result<String, ErrorCode> {
    let terms = GiveTerms {
        to: GiveTo::Person { code: reader.to_owned() },
        purpose: Purpose::Treatment,
        categories: vec![Category::Labs],
        records_from: None,
        records_to: None,
        without_hospitals: Vec::new(),
        new_records: false,
        hours: 24,
        uses_max: None,
        erase_days: None,
    };
    let given = wallet.give(terms).await.map_err(|error| error.code)?;
    Ok(given.shares[0].id.clone())
}

/// Two devices with one wallet; one of them is lost.
pub async fn are_replaced_after_a_loss(world: &World) {
    let Newcomer { wallet: lost, words: old, session } = new_patient(&world.net, "周宁", 1).await;
    let sample = Sample::wang_fang();
    world.net.hospital(1).must_take_in(session.did(), &sample.bundle);
    lost.must(Sync { all: true }).await;
    assert_eq!(lost.must(Records {}).await.records.len(), sample.records.len());
    let card = lost.must(MakeCard { facts: vec![], without: vec![] }).await;
    let (home, same) = device_from(world, &old, 1).await;
    assert_eq!(same.did(), session.did());

    let sheets = sheets_bring_back(world, &home, &session).await;
    let (shown, answers) = words_on(&home).await;
    let wrong = ReplaceKeys { answers: answers.clone(), passphrase: "not the passphrase at all".to_owned() };
    assert_eq!(home.fails(wrong).await.code, ErrorCode::WrongPassphrase);
    assert_eq!(home.must(Keys {}).await.replaced, 0, "nothing was changed");
    let replaced = home.must(ReplaceKeys { answers, passphrase: PASSPHRASE.to_owned() }).await;
    assert_eq!((replaced.replaced, replaced.waiting.len(), replaced.elsewhere), (1, 0, false));
    assert!(replaced.at.is_some());
    let log = home.must(AccessLog {}).await;
    assert!(matches!(log.lines[0].what, LogEvent::KeysReplaced), "{:?}", log.lines[0]);

    assert!(home.must(Guardians {}).await.sheets.is_some_and(|sheets| sheets.worthless));
    let thieves = Wallet::over_libp2p(world.net.network());
    assert_eq!(thieves.fails(from_sheets(world, &sheets)).await.code, ErrorCode::WordsReplaced);
    everything_is_still_there(world, &home, &sample, &card).await;
    the_lost_device_is_nobody(world, &lost, &old).await;
    let both = home.must(add(world, 4)).await;
    old_words_make_decoys(world, &old).await;
    comes_back_from_the_new_words(world, &shown.words, &both, &sample).await;
    twice(world, &home, &both, &sample).await;
}

/// Any two of three sheets are the wallet; the English and Chinese words' language is found out by the ledger.
async fn sheets_bring_back(world: &World, home: &Wallet, session: &SessionView) -> Vec<String> {
    let names = ["哥哥", "Mei", "仁和医院"].map(str::to_owned).to_vec();
    let made = home.must(MakeSheets { names, threshold: 2, passphrase: PASSPHRASE.to_owned() }).await;
    let texts = vec![made.sheets[2].qr_text.clone(), made.sheets[0].words.join(" ")];
    assert!(
        home.must(TrySheets { texts: texts.clone() })
            .await
            .sheets
            .is_some_and(|sheets| sheets.tried.is_some())
    );
    let new = Wallet::over_libp2p(world.net.network());
    let one = from_sheets(world, &texts[..1]);
    assert_eq!(new.fails(one).await.code, ErrorCode::SheetsTooFew);
    assert_eq!(new.must(from_sheets(world, &texts)).await.did(), session.did());
    texts
}

fn from_sheets(world: &World, texts: &[String]) -> RestoreFromSheets {
    RestoreFromSheets {
        name: "周宁".to_owned(),
        texts: texts.to_vec(),
        passphrase: PASSPHRASE.to_owned(),
        hospital: world.organisation(1).to_string(),
    }
}

/// Records of before and of after, the card, and the right to give access.
async fn everything_is_still_there(world: &World, home: &Wallet, sample: &Sample, card: &CardView) {
    let records = home.must(Records {}).await;
    assert_eq!((records.records.len(), records.missing), (sample.records.len(), 0));
    home.must(Record { id: records.records[0].id.clone() }).await;
    let shown = home.must(Card {}).await.expect("the card is in force");
    assert_eq!(shown.typed_code, card.typed_code, "its secret is that of before");
    let chen = clinician(&world.net, "dr-chen").await;
    let me = chen.must(MyAccesses {}).await.me.expect("a clinician").did;
    let grant = labs_for(home, &me).await.unwrap();
    assert!(!chen.must(ReadGrant { grant }).await.records.is_empty());
    // The printed card opens what it did: a person in danger has no other.
    let zhao = clinician(&world.net, "dr-zhao").await;
    let code = card.qr_text.clone();
    let preview = zhao.must(ReadCard { code: code.clone() }).await;
    assert!(preview.online && !preview.facts_signed, "what the lost keys signed is nobody's word any more");
    let declare = DeclareEmergency { code, reason: EmergencyReason::Unconscious, note: String::new() };
    let declared = zhao.must(declare).await;
    zhao.must(OpenEmergency { declaration: declared.declaration }).await;
}

fn add(world: &World, hospital: usize) -> AddHospital {
    AddHospital { hospital: world.organisation(hospital).to_string(), passphrase: PASSPHRASE.to_owned() }
}

/// A device with an open wallet made of these words, for identities of the first seed at these hospitals.
async fn device_of(
    world: &World,
    phrase: &SeedPhrase,
    former: &[Seed],
    hospitals: &[usize],
) -> (Wallet, SessionView) {
    let mut entropy = SystemEntropy;
    let relationships: Vec<_> =
        hospitals.iter().map(|number| Relationship::first(world.organisation(*number))).collect();
    let new = NewWallet {
        name: "周宁",
        role: Role::Patient,
        phrase,
        relationships: &relationships,
        former,
        chain: world.genesis.chain_id(),
        created: SystemClock.now(),
    };
    let params = PassphraseParams::floor(&mut entropy);
    let (id, file) = keyfile::seal(&new, PASSPHRASE, params, &mut entropy).unwrap();
    let device = Wallet::with_files(world.net.network(), &[(id.file_name(), file)]);
    let session = device.must(unlock(&id.to_string(), PASSPHRASE)).await;
    (device, session)
}

fn unlock(id: &str, passphrase: &str) -> Unlock {
    Unlock { id: id.to_owned(), passphrase: passphrase.to_owned() }
}

/// Whoever has the old words registers identities in the person's name, where they have none and where they have a newer one, and
/// replaces the keys of one of them. What was taken from the thief, and what the ledger refuses, does not keep that back.
async fn old_words_make_decoys(world: &World, old: &[String]) {
    let phrase = SeedPhrase::parse(&old.join(" ")).unwrap();
    let (thief, _) = device_of(world, &phrase, &[], &[1, 3]).await;
    thief.must(add(world, 2)).await;
    let (_, answers) = words_on(&thief).await;
    let replaced = thief.must(ReplaceKeys { answers, passphrase: PASSPHRASE.to_owned() }).await;
    assert_eq!((replaced.replaced, replaced.elsewhere, replaced.powerless), (1, true, false));
    let waiting: Vec<_> = replaced.waiting.iter().map(|hospital| hospital.did.clone()).collect();
    assert_eq!(waiting, [world.organisation(3).to_string()], "nobody was ever registered there");
    let (thief, _) = device_of(world, &phrase, &[], &[2]).await;
    thief.must(add(world, 3)).await;
    thief.must(add(world, 4)).await;
}

/// A device that stopped after it had written the new words and before it told the hospitals goes on by itself.
pub async fn go_on_after_an_interruption(world: &World) {
    let Newcomer { wallet: other, words, session } = new_patient(&world.net, "周宁", 2).await;
    let mut entropy = SystemEntropy;
    let old = SeedPhrase::parse(&words.join(" ")).unwrap();
    let new = SeedPhrase::generate(Phrases::English, &mut entropy);
    let (device, stopped) = device_of(world, &new, &[old.to_seed()], &[2]).await;
    assert_eq!(stopped.did(), session.did());
    let waiting = device.must(Keys {}).await;
    assert_eq!((waiting.waiting.len(), waiting.at, waiting.elsewhere), (1, None, false));
    other.must(Sync { all: true }).await;
    assert!(!other.must(Keys {}).await.elsewhere, "the old keys still count");
    device.must(Sync { all: true }).await;
    let done = device.must(Keys {}).await;
    assert_eq!((done.replaced, done.waiting.len()), (1, 0));
    other.must(Sync { all: true }).await;
    assert!(other.must(Keys {}).await.elsewhere);
}

/// Once the new words are in the wallet's file, nothing may look as if they did not count: a lost connection is shown as
/// waiting, and the rest follows by itself.
pub async fn wait_for_the_connection(world: &World) {
    let Newcomer { words, .. } = new_patient(&world.net, "周宁", 3).await;
    let (device, refuse) = Wallet::without_submissions(world.net.network());
    let session = device.must(restore(world, &words, 3)).await;
    locked_meanwhile(&device, &session).await;
    let (shown, answers) = words_on(&device).await;
    let cut = device.must(ReplaceKeys { answers, passphrase: PASSPHRASE.to_owned() }).await;
    assert_eq!((cut.replaced, cut.waiting.len(), cut.at), (1, 1, None));
    refuse.store(false, Ordering::Relaxed);
    device.must(Sync { all: true }).await;
    let done = device.must(Keys {}).await;
    assert_eq!((done.replaced, done.waiting.len()), (1, 0));
    changes_undo_nothing(world, &shown.words).await;
}

/// Waits until the wallet is at a task.
async fn at(device: &Wallet, task: Task) {
    while device.must(Progress {}).await.is_none_or(|progress| progress.task != task) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A wallet that is locked while its keys are about to be replaced stays locked, and as it was.
async fn locked_meanwhile(device: &Wallet, session: &SessionView) {
    let (_, answers) = words_on(device).await;
    let replace = device.call(ReplaceKeys { answers, passphrase: PASSPHRASE.to_owned() });
    let lock = async {
        at(device, Task::Unlocking).await;
        device.must(Lock {}).await;
    };
    let (replaced, ()) = futures::join!(replace, lock);
    assert_eq!(replaced.unwrap_err().code, ErrorCode::Locked);
    assert_eq!(device.must(Status {}).await.session, None);
    device.must(unlock(&session.wallet.id, PASSPHRASE)).await;
    assert_eq!(device.must(Keys {}).await.replaced, 0);
}

/// A hospital is added and the passphrase changed at once; what was done stays done.
async fn changes_undo_nothing(world: &World, words: &[String]) {
    let (device, session) = device_from(world, words, 3).await;
    let new = "a kettle hums behind the door";
    let change = ChangePassphrase { passphrase: PASSPHRASE.to_owned(), new: new.to_owned() };
    let add = device.call(add(world, 1));
    let change = async {
        at(&device, Task::WaitingForHospitals).await;
        device.must(change).await;
    };
    let (added, ()) = futures::join!(add, change);
    device.must(Lock {}).await;
    let again = device.must(unlock(&session.wallet.id, new)).await;
    match added {
        Ok(both) => assert_eq!(again, both),
        // The passphrase was no longer that one when the file came to be changed.
        Err(error) => assert_eq!((error.code, again), (ErrorCode::WrongPassphrase, session)),
    }
}

async fn the_lost_device_is_nobody(world: &World, lost: &Wallet, old: &[String]) {
    lost.must(Sync { all: true }).await;
    assert!(lost.must(Home {}).await.keys_elsewhere);
    let keys = lost.must(Keys {}).await;
    assert!(keys.elsewhere && keys.powerless);
    let inbox = lost.must(Inbox {}).await;
    assert!(inbox.items.iter().any(|item| item.what == InboxNews::KeysReplaced), "{inbox:?}");
    assert_eq!(lost.fails(add(world, 2)).await.code, ErrorCode::KeysReplaced);
    let chen = clinician(&world.net, "dr-chen").await;
    let me = chen.must(MyAccesses {}).await.me.expect("a clinician").did;
    assert_eq!(labs_for(lost, &me).await, Err(ErrorCode::KeysReplaced));
    let (_, answers) = words_on(lost).await;
    let again = lost.fails(ReplaceKeys { answers, passphrase: PASSPHRASE.to_owned() }).await;
    assert_eq!(again.code, ErrorCode::KeysReplaced);
    let thief = Wallet::over_libp2p(world.net.network());
    assert_eq!(thief.fails(restore(world, old, 1)).await.code, ErrorCode::WordsReplaced);
}

/// The new words alone bring back who the person is, what was sealed before and after, and hospitals of before and after.
async fn comes_back_from_the_new_words(world: &World, new: &[String], both: &SessionView, sample: &Sample) {
    for named in [1, 4] {
        let (again, session) = device_from(world, new, named).await;
        let mut dids: Vec<_> = session.relationships.iter().map(|one| one.did.clone()).collect();
        assert_eq!(dids.len(), 2);
        dids.sort();
        let mut known: Vec<_> = both.relationships.iter().map(|one| one.did.clone()).collect();
        known.sort();
        assert_eq!(dids, known);
        assert_eq!(session.relationships[0].hospital.did, world.organisation(named).to_string());
        let records = again.must(Records {}).await;
        assert_eq!((records.records.len(), records.missing), (sample.records.len(), 0));
        assert!(again.must(Card {}).await.is_some());
    }
}

/// A second replacement, and a hospital that both seeds know.
async fn twice(world: &World, home: &Wallet, both: &SessionView, sample: &Sample) {
    let (shown, answers) = words_on(home).await;
    let replaced = home.must(ReplaceKeys { answers, passphrase: PASSPHRASE.to_owned() }).await;
    assert_eq!((replaced.replaced, replaced.waiting.len()), (2, 0));
    let elsewhere = Sample::james_miller_elsewhere();
    world.net.hospital(4).must_take_in(&both.relationships[1].did, &elsewhere.bundle);
    let (again, session) = device_from(world, &shown.words, 4).await;
    assert_eq!(session.relationships.len(), 2);
    let records = again.must(Records {}).await;
    assert_eq!((records.records.len(), records.missing), (sample.records.len() + elsewhere.records.len(), 0));
}
