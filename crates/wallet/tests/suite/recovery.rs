//! Ways back to a wallet beside its words, as far as they need no hospital: sheets made and tried, a backup file, a new device.

use crate::setup::{Device, PASSPHRASE, SetClock, call, genesis, made, refused, service_at};
use crate::test;
use amulet_app_api::ErrorCode;
use amulet_app_api::preferences::{Preferences, PreferencesView, SetPreferences};
use amulet_app_api::records::Category;
use amulet_app_api::recovery::{
    BeginMove, FinishMove, Guardians, HandOver, MakeSheets, ReadMoveCode, ReadSheets, RestoreBackup,
    SaveBackup, SheetsView, TrySheets,
};
use amulet_app_api::wallet::{AddDemoPerson, Lock, RemoveWallet, Status, Unlock};
use amulet_wallet::keyfile::Role;
use amulet_wallet::service::Service;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::sync::Arc;

const START: u64 = 1_800_000_000_000;
const MINUTE_MS: u64 = 60_000;

/// A device with one open wallet, and a clock that stands still.
async fn open(seed: u64) -> (Device, Service, Arc<SetClock>) {
    let genesis = genesis(1);
    let (device, clock) = (Device::default(), Arc::new(SetClock::default()));
    clock.set(START);
    let file = made(&genesis, "王芳", Role::Patient, seed).file;
    let service = service_at(&genesis, &device, &[("one", "patient", &file)], Arc::clone(&clock) as _);
    let entry = call(&service, AddDemoPerson { id: "one".to_owned() }).await.unwrap();
    call(&service, Unlock { id: entry.id, passphrase: PASSPHRASE.to_owned() }).await.unwrap();
    (device, service, clock)
}

/// Another device of the same network, with nothing on it.
fn new_device(network: u64) -> (Service, Arc<SetClock>) {
    let clock = Arc::new(SetClock::default());
    clock.set(START);
    (service_at(&genesis(network), &Device::default(), &[], Arc::clone(&clock) as _), clock)
}

fn sheets_for(names: &[&str], threshold: u8, passphrase: &str) -> MakeSheets {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    MakeSheets { names, threshold, passphrase: passphrase.to_owned() }
}

fn texts(view: &SheetsView, which: &[usize]) -> Vec<String> {
    which.iter().map(|place| view.sheets[*place].words.join(" ")).collect()
}

#[test]
async fn sheets_count_once_they_were_tried_out() {
    let (_, service, _) = open(2).await;
    assert_eq!(call(&service, Guardians {}).await.unwrap().sheets, None);
    let wrong = refused(&service, sheets_for(&["Li", "Mei"], 2, "not this one")).await;
    assert_eq!(wrong.code, ErrorCode::WrongPassphrase);
    for (names, threshold) in [(&["Li"][..], 1), (&["Li", "Li"], 2), (&["Li", " "], 2), (&["Li", "Mei"], 3)] {
        let refused = refused(&service, sheets_for(names, threshold, PASSPHRASE)).await;
        assert_eq!(refused.code, ErrorCode::BadRequest, "{names:?} {threshold}");
    }
    let made = call(&service, sheets_for(&["Li", "Mei", "医院"], 2, PASSPHRASE)).await.unwrap();
    assert_eq!((made.sheets.len(), made.sheets[2].name.as_str()), (3, "医院"));
    let known = call(&service, Guardians {}).await.unwrap().sheets.unwrap();
    assert_eq!((known.tried, known.worthless, known.made), (None, false, START));

    let few = refused(&service, TrySheets { texts: texts(&made, &[0, 0]) }).await;
    assert_eq!((few.code, few.details["needed"].as_str()), (ErrorCode::SheetsTooFew, "2"));
    let read = call(&service, ReadSheets { texts: texts(&made, &[2]) }).await.unwrap();
    assert_eq!((read.numbers, read.threshold), (vec![3], 2));
    let tried = call(
        &service,
        TrySheets { texts: vec![texts(&made, &[2]).remove(0), made.sheets[0].qr_text.clone()] },
    );
    assert_eq!(tried.await.unwrap().sheets.unwrap().tried, Some(START));

    // Those of another wallet, and of an earlier splitting, do not count.
    let (_, other, _) = open(3).await;
    let others = call(&other, sheets_for(&["Li", "Mei"], 2, PASSPHRASE)).await.unwrap();
    let elsewhere = refused(&service, TrySheets { texts: texts(&others, &[0, 1]) }).await;
    assert_eq!(elsewhere.code, ErrorCode::SheetsElsewhere);
    let mixed = [texts(&made, &[0]), texts(&others, &[1])].concat();
    assert_eq!(refused(&service, ReadSheets { texts: mixed }).await.code, ErrorCode::SheetsMixed);
    let newer = call(&service, sheets_for(&["Li", "Mei"], 2, PASSPHRASE)).await.unwrap();
    assert_eq!(
        refused(&service, TrySheets { texts: texts(&made, &[0, 1]) }).await.code,
        ErrorCode::SheetsMixed
    );
    call(&service, TrySheets { texts: texts(&newer, &[0, 1]) }).await.unwrap();
    call(&service, Lock {}).await.unwrap();
    assert_eq!(refused(&service, Guardians {}).await.code, ErrorCode::Locked);
}

#[test]
async fn a_backup_brings_back_what_the_device_knew() {
    let (device, service, _) = open(2).await;
    let preferences = PreferencesView { never: vec![Category::Labs], ask: vec![] };
    call(&service, SetPreferences { preferences: preferences.clone() }).await.unwrap();
    let saved = call(&service, SaveBackup {}).await.unwrap();
    assert_eq!(saved.name, "amulet-2027-01-15.amuletbackup");
    let file = STANDARD.encode(device.1.lock().unwrap().as_slice());
    let restore = |passphrase: &str| RestoreBackup { file: file.clone(), passphrase: passphrase.to_owned() };
    assert_eq!(refused(&service, restore(PASSPHRASE)).await.code, ErrorCode::WalletExists);

    let (new, _) = new_device(1);
    assert_eq!(refused(&new, restore("not this one")).await.code, ErrorCode::WrongPassphrase);
    assert!(call(&new, Status {}).await.unwrap().wallets.is_empty(), "nothing is left of a wrong try");
    let session = call(&new, restore(PASSPHRASE)).await.unwrap();
    assert_eq!(session.wallet.name, "王芳");
    assert_eq!(call(&new, Preferences {}).await.unwrap(), preferences);
    call(&new, RemoveWallet { id: session.wallet.id }).await.unwrap();
    call(&new, restore(PASSPHRASE)).await.expect("what was removed can be brought back");

    let (elsewhere, _) = new_device(5);
    assert_eq!(refused(&elsewhere, restore(PASSPHRASE)).await.code, ErrorCode::OtherNetwork);
    for file in
        [String::new(), "not base64".to_owned(), STANDARD.encode(b"{}"), file[..file.len() - 8].to_owned()]
    {
        let refused = refused(&new, RestoreBackup { file, passphrase: PASSPHRASE.to_owned() }).await;
        assert_eq!(refused.code, ErrorCode::BackupNotOurs);
    }
}

#[test]
async fn a_wallet_moves_to_the_device_whose_code_was_scanned() {
    let (_, old, _) = open(2).await;
    let (new, clock) = new_device(1);
    let shown = call(&new, BeginMove {}).await.unwrap();
    let seen = call(&old, ReadMoveCode { code: shown.qr_text.clone() }).await.unwrap();
    assert_eq!(seen.check, shown.check);
    let hand_over =
        |passphrase: &str| HandOver { code: shown.qr_text.clone(), passphrase: passphrase.to_owned() };
    assert_eq!(refused(&old, hand_over("not this one")).await.code, ErrorCode::WrongPassphrase);
    let handed = call(&old, hand_over(PASSPHRASE)).await.unwrap();
    let finish = |code: &str, passphrase: &str| FinishMove {
        code: code.to_owned(),
        passphrase: passphrase.to_owned(),
    };

    let (bystander, _) = new_device(1);
    call(&bystander, BeginMove {}).await.unwrap();
    let filmed = refused(&bystander, finish(&handed.qr_text, PASSPHRASE)).await;
    assert_eq!(filmed.code, ErrorCode::MoveOver);
    let own = refused(&new, finish(&shown.qr_text, PASSPHRASE)).await;
    assert_eq!(own.code, ErrorCode::MoveCode, "the new device's own code");
    let wrong = refused(&new, finish(&handed.qr_text, "not this one")).await;
    assert_eq!(wrong.code, ErrorCode::WrongPassphrase);
    let session = call(&new, finish(&handed.qr_text, PASSPHRASE)).await.unwrap();
    assert_eq!(session.wallet.name, "王芳");
    assert_eq!(
        refused(&new, finish(&handed.qr_text, PASSPHRASE)).await.code,
        ErrorCode::MoveOver,
        "used once"
    );

    let late = call(&new, BeginMove {}).await.unwrap();
    let handed =
        call(&old, HandOver { code: late.qr_text, passphrase: PASSPHRASE.to_owned() }).await.unwrap();
    clock.set(late.until);
    assert_eq!(refused(&new, finish(&handed.qr_text, PASSPHRASE)).await.code, ErrorCode::MoveOver);
    let (elsewhere, _) = new_device(5);
    let foreign = call(&elsewhere, BeginMove {}).await.unwrap();
    let code = foreign.qr_text;
    assert_eq!(refused(&old, ReadMoveCode { code }).await.code, ErrorCode::OtherNetwork);
    assert!(late.until - START <= 15 * MINUTE_MS);
}
