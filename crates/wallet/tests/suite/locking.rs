//! What keeps a wallet shut: wrong passphrases cost time, and nobody's wallet stays open.

use crate::setup::{Device, PASSPHRASE, SetClock, call, genesis, made, refused, service_at};
use crate::test;
use amulet_app_api::recovery::{BeginMove, FinishMove, MakeSheets};
use amulet_app_api::security::{AutoLock, ChangePassphrase, SetAutoLock, Touch};
use amulet_app_api::wallet::{
    AddDemoPerson, AddHospital, CreateWallet, Language, Lock, MyCodes, NewWords, RemoveWallet, Status, Unlock,
};
use amulet_app_api::{ApiError, ErrorCode};
use amulet_protocol::genesis::Genesis;
use amulet_wallet::guard::{FREE_TRIES, WAITS_MS};
use amulet_wallet::keyfile::Role;
use amulet_wallet::service::Service;
use amulet_wallet::store::DeviceStore;
use futures::future::join;
use std::sync::Arc;

const MINUTE_MS: u64 = 60_000;
const START: u64 = 1_800_000_000_000;

struct Phone {
    genesis: Genesis,
    device: Device,
    file: Vec<u8>,
    role: &'static str,
    clock: Arc<SetClock>,
    id: String,
}

impl Phone {
    /// A device with one wallet on it.
    async fn of(role: Role) -> (Self, Service) {
        let genesis = genesis(1);
        let file = made(&genesis, "王芳", role, 2).file;
        let role = if role == Role::Patient { "patient" } else { "clinician" };
        let clock = Arc::new(SetClock::default());
        clock.set(START);
        let mut phone = Self { genesis, device: Device::default(), file, role, clock, id: String::new() };
        let service = phone.start();
        phone.id = call(&service, AddDemoPerson { id: "one".to_owned() }).await.unwrap().id;
        (phone, service)
    }

    /// The app, started.
    fn start(&self) -> Service {
        let people = [("one", self.role, &self.file[..])];
        service_at(&self.genesis, &self.device, &people, Arc::clone(&self.clock) as _)
    }

    fn unlock(&self, passphrase: &str) -> Unlock {
        Unlock { id: self.id.clone(), passphrase: passphrase.to_owned() }
    }

    /// Wrong tries until a wait is due.
    async fn exhausted(&self, service: &Service) -> ApiError {
        for _ in 0..=FREE_TRIES {
            let wrong = refused(service, self.unlock("not this one")).await;
            assert_eq!(wrong.code, ErrorCode::WrongPassphrase);
        }
        refused(service, self.unlock("not this one")).await
    }
}

fn wait_of(error: &ApiError) -> u64 {
    assert_eq!(error.code, ErrorCode::TooManyTries, "{error}");
    error.details["wait_ms"].parse().unwrap()
}

#[test]
async fn wrong_passphrases_cost_a_wait_that_a_restart_and_the_clock_do_not_shorten() {
    let (phone, service) = Phone::of(Role::Patient).await;
    let waiting = phone.exhausted(&service).await;
    assert_eq!(wait_of(&waiting), WAITS_MS[0]);
    assert_eq!(wait_of(&refused(&service, phone.unlock(PASSPHRASE)).await), WAITS_MS[0], "nor the right one");
    let service = phone.start();
    phone.clock.set(START + 10_000);
    assert_eq!(wait_of(&refused(&service, phone.unlock(PASSPHRASE)).await), WAITS_MS[0] - 10_000);
    phone.clock.set(START - 24 * 3_600_000);
    assert_eq!(
        wait_of(&refused(&service, phone.unlock(PASSPHRASE)).await),
        WAITS_MS[0],
        "the clock went back"
    );
    phone.clock.set(START - 24 * 3_600_000 + WAITS_MS[0]);
    call(&service, phone.unlock(PASSPHRASE)).await.unwrap();
    call(&service, Lock {}).await.unwrap();
    let again = refused(&service, phone.unlock("not this one")).await;
    assert_eq!(again.code, ErrorCode::WrongPassphrase, "the right one cleared the count");
}

#[test]
async fn every_call_that_takes_the_passphrase_counts_its_wrong_tries() {
    let (phone, service) = Phone::of(Role::Patient).await;
    call(&service, phone.unlock(PASSPHRASE)).await.unwrap();
    let hospital = phone.genesis.organisations[1].did().to_string();
    let new = "a kettle hums behind the door".to_owned();
    for round in 0..=FREE_TRIES {
        let passphrase = "not this one".to_owned();
        let wrong = if round % 2 == 0 {
            refused(&service, AddHospital { hospital: hospital.clone(), passphrase }).await
        } else {
            refused(&service, ChangePassphrase { passphrase, new: new.clone() }).await
        };
        assert_eq!(wrong.code, ErrorCode::WrongPassphrase);
    }
    let passphrase = PASSPHRASE.to_owned();
    assert_eq!(wait_of(&refused(&service, ChangePassphrase { passphrase, new }).await), WAITS_MS[0]);
    call(&service, MyCodes {}).await.expect("what is open stays open");
}

#[test]
async fn a_program_that_is_killed_while_it_judges_has_used_the_try_up() {
    let (phone, service) = Phone::of(Role::Patient).await;
    for _ in 0..=FREE_TRIES {
        // Dropped at its first breath, before the passphrase is tried.
        let mut judged = Box::pin(service.answer(phone.unlock("not this one").into()));
        assert!(futures::poll!(&mut judged).is_pending());
    }
    let service = phone.start();
    assert_eq!(wait_of(&refused(&service, phone.unlock(PASSPHRASE)).await), WAITS_MS[0]);
}

#[test]
async fn a_changed_passphrase_opens_the_wallet_and_the_old_one_does_not() {
    let (phone, service) = Phone::of(Role::Patient).await;
    let session = call(&service, phone.unlock(PASSPHRASE)).await.unwrap();
    let change = |new: &str| ChangePassphrase { passphrase: PASSPHRASE.to_owned(), new: new.to_owned() };
    assert_eq!(refused(&service, change("1234")).await.code, ErrorCode::WeakPassphrase);
    let new = "a kettle hums behind the door";
    call(&service, change(new)).await.unwrap();
    let service = phone.start();
    assert_eq!(refused(&service, phone.unlock(PASSPHRASE)).await.code, ErrorCode::WrongPassphrase);
    assert_eq!(call(&service, phone.unlock(new)).await.unwrap(), session);
}

#[test]
async fn a_wallet_that_nobody_uses_locks_although_its_page_goes_on_asking() {
    for (role, minutes) in [(Role::Patient, 5), (Role::Clinician, 2)] {
        let (phone, service) = Phone::of(role).await;
        call(&service, phone.unlock(PASSPHRASE)).await.unwrap();
        assert_eq!(call(&service, AutoLock {}).await.unwrap().minutes, minutes);
        let limit = u64::from(minutes) * MINUTE_MS;
        phone.clock.set(START + limit - 1);
        call(&service, MyCodes {}).await.unwrap();
        call(&service, Touch {}).await.unwrap();
        phone.clock.set(START + 2 * limit - 2);
        call(&service, MyCodes {}).await.expect("somebody was there");
        phone.clock.set(START + 2 * limit - 1);
        assert_eq!(refused(&service, MyCodes {}).await.code, ErrorCode::Locked, "asking is no use");
        assert_eq!(call(&service, Status {}).await.unwrap().session, None);
    }
}

#[test]
async fn the_chosen_time_is_kept_and_a_damaged_choice_locks_as_usual() {
    let (phone, service) = Phone::of(Role::Patient).await;
    let chosen = call(&service, SetAutoLock { minutes: 15, away: true }).await.unwrap();
    assert_eq!((chosen.minutes, chosen.away), (15, true));
    let odd = refused(&service, SetAutoLock { minutes: 7, away: true }).await;
    assert_eq!(odd.code, ErrorCode::BadRequest);
    assert_eq!(call(&phone.start(), AutoLock {}).await.unwrap(), chosen);
    phone.device.write("auto-lock", b"minutes=100000 away=0").unwrap();
    assert_eq!(call(&phone.start(), AutoLock {}).await.unwrap().minutes, 5);
}

#[test]
async fn erasing_leaves_nothing_of_the_wallet() {
    let (phone, service) = Phone::of(Role::Patient).await;
    phone.exhausted(&service).await;
    assert!(phone.device.list().unwrap().iter().any(|name| name.ends_with(".guard")));
    call(&service, RemoveWallet { id: phone.id.clone() }).await.unwrap();
    assert_eq!(phone.device.list().unwrap(), Vec::<String>::new());
}

#[test]
async fn a_wallet_locked_while_its_passphrase_is_changed_stays_as_it_was() {
    let (phone, service) = Phone::of(Role::Patient).await;
    call(&service, phone.unlock(PASSPHRASE)).await.unwrap();
    let new = "a kettle hums behind the door".to_owned();
    let change = ChangePassphrase { passphrase: PASSPHRASE.to_owned(), new };
    let mut changing = Box::pin(service.answer(change.into()));
    assert!(futures::poll!(&mut changing).is_pending());
    call(&service, Lock {}).await.unwrap();
    assert_eq!(changing.await.unwrap_err().code, ErrorCode::Locked);
    call(&service, phone.unlock(PASSPHRASE)).await.expect("nothing was changed");
}

#[test]
async fn what_is_under_way_when_a_wallet_is_erased_brings_nothing_back() {
    let (phone, service) = Phone::of(Role::Patient).await;
    let erase = || RemoveWallet { id: phone.id.clone() };
    call(&service, phone.unlock(PASSPHRASE)).await.unwrap();
    let names = vec!["Li".to_owned(), "Mei".to_owned()];
    let sheets = MakeSheets { names, threshold: 2, passphrase: PASSPHRASE.to_owned() };
    let mut making = Box::pin(service.answer(sheets.into()));
    assert!(futures::poll!(&mut making).is_pending());
    call(&service, erase()).await.unwrap();
    assert_eq!(making.await.unwrap_err().code, ErrorCode::Locked);
    assert_eq!(phone.device.list().unwrap(), Vec::<String>::new());

    call(&service, AddDemoPerson { id: "one".to_owned() }).await.unwrap();
    call(&service, phone.unlock(PASSPHRASE)).await.unwrap();
    let new = "a kettle hums behind the door".to_owned();
    let change = ChangePassphrase { passphrase: PASSPHRASE.to_owned(), new };
    let (_, erased) = join(service.answer(change.into()), call(&service, erase())).await;
    erased.unwrap();
    assert_eq!(phone.device.list().unwrap(), Vec::<String>::new());

    call(&service, AddDemoPerson { id: "one".to_owned() }).await.unwrap();
    let (_, erased) = join(call(&service, phone.unlock(PASSPHRASE)), call(&service, erase())).await;
    erased.unwrap();
    assert_eq!(phone.device.list().unwrap(), Vec::<String>::new());
    assert_eq!(call(&service, Status {}).await.unwrap().session, None, "nobody's wallet is open");
}

/// What a call for the pending words, and one for the pending move, are answered.
async fn pending(phone: &Phone, service: &Service) -> (ErrorCode, ErrorCode) {
    let create = CreateWallet {
        name: "新人".to_owned(),
        answers: Vec::new(),
        passphrase: PASSPHRASE.to_owned(),
        hospital: phone.genesis.organisations[1].did().to_string(),
    };
    let finish = FinishMove { code: "no code".to_owned(), passphrase: PASSPHRASE.to_owned() };
    (refused(service, create).await.code, refused(service, finish).await.code)
}

#[test]
async fn locking_forgets_words_that_were_shown_and_time_does() {
    let (phone, service) = Phone::of(Role::Patient).await;
    let (there, gone) =
        ((ErrorCode::WordsDiffer, ErrorCode::MoveCode), (ErrorCode::NoPendingWords, ErrorCode::MoveOver));
    for is_idle in [false, true] {
        call(&service, phone.unlock(PASSPHRASE)).await.unwrap();
        call(&service, NewWords { language: Language::En }).await.unwrap();
        call(&service, BeginMove {}).await.unwrap();
        assert_eq!(pending(&phone, &service).await, there);
        if is_idle {
            phone.clock.set(START + 5 * MINUTE_MS);
        } else {
            call(&service, Lock {}).await.unwrap();
        }
        assert_eq!(pending(&phone, &service).await, gone);
    }
    // Whoever makes a first wallet has none open that could be locked.
    call(&service, NewWords { language: Language::En }).await.unwrap();
    call(&service, BeginMove {}).await.unwrap();
    call(&service, Lock {}).await.unwrap();
    assert_eq!(pending(&phone, &service).await, there);
    phone.clock.set(START + 66 * MINUTE_MS);
    assert_eq!(pending(&phone, &service).await, gone);
}
