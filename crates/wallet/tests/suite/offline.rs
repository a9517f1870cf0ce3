//! What works without a network, and what says that it does not.

use crate::setup::{Device, PASSPHRASE, call, genesis, made, refused, service};
use crate::test;
use amulet_app_api::ErrorCode;
#[cfg(not(target_arch = "wasm32"))]
use amulet_app_api::Request;
use amulet_app_api::access::{AccessLog, EmergencyReason, Sharing};
use amulet_app_api::card::FactKind;
use amulet_app_api::card::SaveCardPicture;
use amulet_app_api::checking::{Checking, MemoryTrouble};
use amulet_app_api::clinician::{DeclareEmergency, FindPatient, Intake, ReadCard};
use amulet_app_api::records::Records;
use amulet_app_api::wallet::{AddDemoPerson, Home, Sync, Unlock};
use amulet_protocol::calls::CardLocator;
use amulet_protocol::genesis::Genesis;
use amulet_wallet::card::{CardSecret, Fact};
use amulet_wallet::card_code::CardCode;
use amulet_wallet::keyfile::Role;
use amulet_wallet::service::Service;
use amulet_wallet::store::DeviceStore;

async fn opened(genesis: &Genesis, role: Role) -> Service {
    let wallet = made(genesis, "somebody", role, 5);
    let service = service(genesis, &Device::default(), &[("x", "patient", &wallet.file)]);
    let entry = call(&service, AddDemoPerson { id: "x".to_owned() }).await.unwrap();
    call(&service, Unlock { id: entry.id, passphrase: PASSPHRASE.to_owned() }).await.unwrap();
    service
}

fn card(genesis: &Genesis) -> CardCode {
    let wallet = made(genesis, "王芳", Role::Patient, 6);
    let facts = vec![Fact {
        kind: amulet_wallet::card::FactKind::Allergy,
        text: "青霉素：过敏性休克".to_owned(),
    }];
    CardCode::new(
        CardLocator([1; 5]),
        CardSecret::from_bytes(&[2; 12]),
        facts,
        &wallet.identity().signing,
        genesis.chain_id(),
    )
}

#[test]
async fn a_card_shows_its_facts_without_a_network_or_a_wallet() {
    let genesis = genesis(1);
    let service = service(&genesis, &Device::default(), &[]);
    let card = card(&genesis);
    let read = |code: String| call(&service, ReadCard { code });
    let shown = read(card.qr_text().unwrap()).await.unwrap();
    assert_eq!((shown.online, shown.facts_signed, shown.access_hours), (false, true, None));
    assert_eq!(
        (shown.facts[0].kind, shown.facts[0].text.as_str()),
        (FactKind::Allergy, "青霉素：过敏性休克")
    );
    let typed = read(card.typed()).await.unwrap();
    assert!(typed.facts.is_empty() && !typed.facts_signed);
    let mut cut = card.qr_text().unwrap();
    cut.truncate(cut.len() - 3);
    assert_eq!(refused(&service, ReadCard { code: cut }).await.code, ErrorCode::CodeDamaged);
    let other = ReadCard { code: "https://example.org".to_owned() };
    assert_eq!(refused(&service, other).await.code, ErrorCode::CodeNotOurs);
}

#[test]
async fn facts_signed_for_another_network_do_not_pass_as_signed() {
    let code = card(&genesis(2)).qr_text().unwrap();
    let shown = call(&service(&genesis(1), &Device::default(), &[]), ReadCard { code }).await.unwrap();
    assert!(!shown.facts_signed);
}

#[test]
async fn pages_that_need_a_proof_say_that_no_hospital_answers() {
    let genesis = genesis(1);
    let patient = opened(&genesis, Role::Patient).await;
    assert_eq!(refused(&patient, Sync { all: true }).await.code, ErrorCode::Unreachable);
    assert_eq!(refused(&patient, Home {}).await.code, ErrorCode::Unreachable);
    assert_eq!(refused(&patient, Records {}).await.code, ErrorCode::Unreachable);
    assert_eq!(refused(&patient, Sharing {}).await.code, ErrorCode::Unreachable);
    assert_eq!(refused(&patient, AccessLog {}).await.code, ErrorCode::Unreachable);
}

#[test]
async fn only_a_picture_is_saved_under_the_cards_name() {
    let genesis = genesis(1);
    let patient = opened(&genesis, Role::Patient).await;
    for (png, code) in [
        (String::new(), ErrorCode::BadRequest),
        ("not base64!".to_owned(), ErrorCode::BadRequest),
        ("PHNjcmlwdD4=".to_owned(), ErrorCode::BadRequest),
        ("A".repeat(8 * 1024 * 1024 + 1), ErrorCode::TooLarge),
    ] {
        assert_eq!(refused(&patient, SaveCardPicture { png }).await.code, code);
    }
    let picture = SaveCardPicture { png: "iVBORw0KGgoAAAAN".to_owned() };
    call(&patient, picture).await.expect("what begins as a PNG is saved");
}

#[test]
async fn nobody_acts_in_anothers_role_and_nothing_opens_before_a_declaration_is_committed() {
    let genesis = genesis(1);
    let declare = || DeclareEmergency {
        code: card(&genesis).qr_text().unwrap(),
        reason: EmergencyReason::Unconscious,
        note: String::new(),
    };
    let patient = opened(&genesis, Role::Patient).await;
    assert_eq!(refused(&patient, declare()).await.code, ErrorCode::NotAClinician);
    assert_eq!(refused(&patient, FindPatient { code: String::new() }).await.code, ErrorCode::NotAClinician);
    let clinician = opened(&genesis, Role::Clinician).await;
    assert_eq!(refused(&clinician, Records {}).await.code, ErrorCode::BadRequest);
    assert_eq!(refused(&clinician, declare()).await.code, ErrorCode::Unreachable);
}

#[test]
async fn a_file_too_large_is_refused_before_it_is_sent() {
    let genesis = genesis(1);
    let clinician = opened(&genesis, Role::Clinician).await;
    let patient = made(&genesis, "p", Role::Patient, 9).identity().did.to_string();
    let intake = |text: String| Intake { patient: patient.clone(), file_name: "f.json".to_owned(), text };
    let too_large = refused(&clinician, intake(" ".repeat(32 * 1024 * 1024 + 1))).await;
    assert_eq!(too_large.code, ErrorCode::TooLarge);
    assert_eq!(refused(&clinician, intake("{}".to_owned())).await.code, ErrorCode::Unreachable);
}

#[cfg(not(target_arch = "wasm32"))]
#[test]
async fn the_service_answers_from_any_thread() {
    fn sent<T: Send>(value: T) -> T {
        value
    }
    let genesis = genesis(1);
    let service = service(&genesis, &Device::default(), &[]);
    let request: Request = serde_json::from_str(r#"{"call":"status","with":{}}"#).unwrap();
    assert!(sent(service.answer(request)).await.is_ok());
}

#[test]
async fn what_goes_on_in_the_background_is_shown_and_can_be_paused() {
    use amulet_app_api::checking::{Background, SetBackground};
    let service = service(&genesis(1), &Device::default(), &[]);
    let view = call(&service, Background {}).await.unwrap();
    assert!(!view.paused && !view.metered);
    assert_eq!((view.succeeded, view.failures, view.traffic.len()), (None, 0, 4));
    // Nobody answers here: after one round it waits for the next.
    let round = futures::future::select(
        Box::pin(service.keep_checking()),
        Box::pin(async {
            while call(&service, Background {}).await.unwrap().failures == 0 {
                yield_once().await;
            }
        }),
    );
    drop(round.await);
    let view = call(&service, Background {}).await.unwrap();
    assert_eq!((view.failures, view.under_way, view.succeeded), (1, None, None));
    assert!(view.next.is_some());
    assert!(view.traffic.iter().all(|hospital| hospital.questions == 1 && hospital.received == 0));
    let view = call(&service, SetBackground { paused: true, metered: true }).await.unwrap();
    assert!(view.paused && view.metered && view.next.is_none());
}

#[test]
async fn who_paused_or_spared_the_background_checks_finds_them_so_after_a_restart() {
    use amulet_app_api::checking::{Background, SetBackground};
    use amulet_wallet::store::DeviceStore;
    let (genesis, device) = (genesis(1), Device::default());
    for (paused, metered) in [(true, false), (true, true), (false, true), (false, false)] {
        call(&service(&genesis, &device, &[]), SetBackground { paused, metered }).await.unwrap();
        let again = service(&genesis, &device, &[]);
        let view = call(&again, Background {}).await.unwrap();
        assert_eq!((view.paused, view.metered, view.next.is_none()), (paused, metered, paused));
        // Nobody is asked although a first check would be due.
        let mut checking = Box::pin(again.keep_checking());
        assert!(futures::poll!(&mut checking).is_pending());
        let view = call(&again, Background {}).await.unwrap();
        assert_eq!(view.traffic.iter().all(|one| one.questions == 0), paused);
    }
    for damaged in [&b""[..], b"paused=1", b"paused=1 metered=2", b"\xFF", b"paused=1 metered=0 "] {
        device.write("background", damaged).unwrap();
        let view = call(&service(&genesis, &device, &[]), Background {}).await.unwrap();
        assert!(!view.paused && !view.metered, "a damaged file does not stop the checks");
    }
}

/// Lets other futures of the same task go on.
async fn yield_once() {
    let mut yielded = false;
    futures::future::poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return std::task::Poll::Ready(());
        }
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

#[test]
async fn a_damaged_checkpoint_is_said_and_the_app_starts_all_the_same() {
    let genesis = genesis(1);
    let (device, chain) = (Device::default(), genesis.chain_id().to_string());
    device.write(&format!("checkpoint-{}", &chain[..16]), b"half of it").unwrap();
    let started = service(&genesis, &device, &[]);
    let memory = call(&started, Checking {}).await.unwrap().memory;
    assert_eq!(memory, Some(MemoryTrouble::StartLost));
}
