//! Wallets on a device: copying, opening, closing, removing.

use crate::setup::{Device, PASSPHRASE, call, genesis, made, refused, service};
use crate::test;
use amulet_app_api::ErrorCode;
use amulet_app_api::reporting::{Reporting, ReportingView, SendReport, SetReporting};
use amulet_app_api::wallet::{
    AddDemoPerson, Language, Lock, MyCodes, Progress, RemoveWallet, SetLanguage, Status, Unlock,
};
use amulet_wallet::keyfile::Role;
use amulet_wallet::store::DeviceStore;

fn unlock(id: &str, passphrase: &str) -> Unlock {
    Unlock { id: id.to_owned(), passphrase: passphrase.to_owned() }
}

#[test]
async fn a_wallet_is_copied_opened_closed_and_removed() {
    let (genesis, device) = (genesis(1), Device::default());
    let wallet = made(&genesis, "王芳", Role::Patient, 2);
    let service = service(&genesis, &device, &[("wang-fang", "patient", &wallet.file)]);
    let before = call(&service, Status {}).await.unwrap();
    assert_eq!((before.wallets.len(), before.hospitals.len(), before.demo_people.len()), (0, 4, 1));

    let entry = call(&service, AddDemoPerson { id: "wang-fang".to_owned() }).await.unwrap();
    assert_eq!(entry.name, "王芳");
    let wrong = refused(&service, unlock(&entry.id, "rain on the tin roof at nigth")).await;
    assert_eq!(wrong.code, ErrorCode::WrongPassphrase);
    assert_eq!(call(&service, Progress {}).await.unwrap(), None, "a failed task is not shown for ever");
    assert_eq!(refused(&service, MyCodes {}).await.code, ErrorCode::Locked);

    let session = call(&service, unlock(&entry.id, PASSPHRASE)).await.unwrap();
    assert_eq!(session.relationships[0].did, wallet.identity().did.to_string());
    let codes = call(&service, MyCodes {}).await.unwrap().codes;
    assert_eq!((codes.len(), &codes[0].text), (1, &session.relationships[0].did));
    assert!(codes[0].qr_svg.starts_with("<svg "));
    assert_eq!(call(&service, Status {}).await.unwrap().session, Some(session));

    call(&service, Lock {}).await.unwrap();
    assert_eq!(refused(&service, MyCodes {}).await.code, ErrorCode::Locked);
    call(&service, RemoveWallet { id: entry.id.clone() }).await.unwrap();
    assert_eq!(device.list().unwrap(), Vec::<String>::new());
    assert_eq!(refused(&service, unlock(&entry.id, PASSPHRASE)).await.code, ErrorCode::NoSuchWallet);
}

#[test]
async fn language_and_wallets_survive_a_restart() {
    let (genesis, device) = (genesis(1), Device::default());
    let wallet = made(&genesis, "Dr Zhao", Role::Clinician, 3);
    let first = service(&genesis, &device, &[("zhao", "clinician", &wallet.file)]);
    call(&first, SetLanguage { language: Language::Zh }).await.unwrap();
    call(&first, AddDemoPerson { id: "zhao".to_owned() }).await.unwrap();
    drop(first);
    let status = call(&service(&genesis, &device, &[]), Status {}).await.unwrap();
    assert_eq!(status.language, Some(Language::Zh));
    assert_eq!(status.wallets[0].name, "Dr Zhao");
    assert_eq!(status.wallets[0].role, amulet_app_api::wallet::Role::Clinician);
    assert_eq!(status.session, None, "a restart does not leave a wallet open");
}

#[test]
async fn a_wallet_reports_nothing_until_it_is_told_to_and_remembers_what_it_was_told() {
    let (genesis, device) = (genesis(1), Device::default());
    let wallet = made(&genesis, "王芳", Role::Patient, 2);
    let first = service(&genesis, &device, &[("wang-fang", "patient", &wallet.file)]);
    let entry = call(&first, AddDemoPerson { id: "wang-fang".to_owned() }).await.unwrap();
    assert_eq!(refused(&first, Reporting {}).await.code, ErrorCode::Locked);
    call(&first, unlock(&entry.id, PASSPHRASE)).await.unwrap();
    assert_eq!(call(&first, Reporting {}).await.unwrap(), ReportingView { on: false });
    assert!(!call(&first, SendReport {}).await.unwrap(), "nobody is even asked");
    call(&first, SetReporting { on: true }).await.unwrap();
    assert_eq!(refused(&first, SendReport {}).await.code, ErrorCode::Unreachable);
    drop(first);
    let again = service(&genesis, &device, &[]);
    call(&again, unlock(&entry.id, PASSPHRASE)).await.unwrap();
    assert_eq!(call(&again, Reporting {}).await.unwrap(), ReportingView { on: true });
    call(&again, SetReporting { on: false }).await.unwrap();
    assert!(!call(&again, SendReport {}).await.unwrap());
}

#[test]
async fn files_of_other_networks_and_damaged_ones_are_neither_shown_nor_touched() {
    let (here, elsewhere, device) = (genesis(1), genesis(2), Device::default());
    let stranger = made(&elsewhere, "stranger", Role::Patient, 4);
    let service = service(&here, &device, &[("stranger", "patient", &stranger.file)]);
    assert_eq!(
        refused(&service, AddDemoPerson { id: "stranger".to_owned() }).await.code,
        ErrorCode::Internal
    );
    let kept = stranger.id.file_name();
    device.write(&kept, &stranger.file).unwrap();
    device.write("0000000000000000.amulet", b"junk").unwrap();
    assert_eq!(call(&service, Status {}).await.unwrap().wallets, vec![]);
    assert_eq!(device.read(&kept).unwrap().unwrap(), stranger.file);
    let id = stranger.id.to_string();
    assert_eq!(refused(&service, RemoveWallet { id }).await.code, ErrorCode::NoSuchWallet);
    assert_eq!(device.list().unwrap().len(), 2);
}

#[test]
async fn a_wallet_changed_on_disk_does_not_open() {
    let (genesis, device) = (genesis(1), Device::default());
    let wallet = made(&genesis, "王芳", Role::Patient, 2);
    let mut changed = wallet.file.clone();
    let last = changed.len() - 1;
    changed[last] ^= 1;
    device.write(&wallet.id.file_name(), &changed).unwrap();
    let service = service(&genesis, &device, &[]);
    let error = refused(&service, unlock(&wallet.id.to_string(), PASSPHRASE)).await;
    assert_eq!(error.code, ErrorCode::Storage);
}
