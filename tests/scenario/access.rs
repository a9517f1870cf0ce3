//! Step 5: access that is asked for, seen exactly, granted, used, taken back, and then gone.

use crate::World;
use amulet_app_api::ErrorCode;
use amulet_app_api::access::{
    DeclineRequest, DeletionView, Exposure, ExtendGrant, GrantRequest, NarrowGrant, PauseGrant, Purpose,
    ResumeGrant, RevokeGrant, ShareState, ShareView, Sharing,
};
use amulet_app_api::clinician::{
    AskAccess, AskFor, ConfirmDeletion, FindPatient, MyAccessState, MyAccesses, ReadGrant,
};
use amulet_app_api::desktop::SetNotices;
use amulet_app_api::inbox::{INBOX_ITEMS_MAX, Inbox, InboxNews, InboxView, ReadInbox};
use amulet_app_api::records::{Category, Records};
use amulet_protocol::calls::GrantId;
use amulet_protocol::ids::TxId;
use amulet_protocol::light::{AccessRefusal, LightRefusal, LightResponse, ReadGround};
use amulet_tests::hospital::did;
use amulet_tests::wallet::{Newcomer, Wallet, clinician};
use amulet_tests::{chain, people};
use amulet_wallet::service::NoticeKind;
use std::collections::BTreeSet;

fn request(patient: &Newcomer, categories: &[Category]) -> AskAccess {
    AskAccess {
        patient: patient.session.did().to_owned(),
        categories: categories.to_vec(),
        purpose: Purpose::Treatment,
        access_hours: 24,
        answer_hours: 24,
        records_from: None,
        records_to: None,
        reader: AskFor::Myself,
    }
}

/// The whole life of one grant.
pub async fn asked_granted_read_revoked(world: &World, patient: &Newcomer) {
    let chen = clinician(&world.net, "dr-chen").await;
    let all = patient.wallet.must(Records {}).await.records;
    let found = chen.must(FindPatient { code: patient.session.did().to_owned() }).await;
    assert_eq!(found.records, all.len() as u64);
    let asked = chen.must(request(patient, &[Category::Allergies, Category::Medicines])).await;
    assert!(matches!(asked.state, MyAccessState::Waiting { .. }));

    let sharing = patient.wallet.must(Sharing {}).await;
    assert_eq!((sharing.waiting.len(), sharing.active.len()), (1, 0));
    let waiting = &sharing.waiting[0];
    assert_eq!(waiting.id, asked.id);
    assert!(waiting.from.name.starts_with("Dr Chen"), "{waiting:?}");
    is_in_the_inbox(patient, &asked.id).await;
    let exposed = patient.wallet.must(Exposure { request: waiting.id.clone() }).await;
    let wanted = |category| [Category::Allergies, Category::Medicines].contains(&category);
    let expected: BTreeSet<_> =
        all.iter().filter(|line| wanted(line.category)).map(|line| line.id.clone()).collect();
    let exactly: BTreeSet<_> = exposed.records.iter().map(|line| line.id.clone()).collect();
    assert_eq!(exactly, expected, "exactly the records asked for");

    let left_out = exposed.records.last().expect("there are some").id.clone();
    let records = expected.iter().filter(|id| **id != left_out).cloned().collect();
    let grant = GrantRequest {
        request: waiting.id.clone(),
        records,
        uses_max: Some(2),
        new_records: false,
        only_asker: false,
    };
    let share = patient.wallet.must(grant).await;
    assert_eq!(share.state, ShareState::Active);
    let granted: BTreeSet<_> = expected.into_iter().filter(|id| *id != left_out).collect();
    assert_eq!(share.counts.iter().map(|(_, count)| count).sum::<u64>(), granted.len() as u64);
    unused_it_opens_nothing(world, patient, &share.id);
    let used = is_read(&chen, &share.id, &granted).await;
    is_held_and_lasts_longer(patient, &chen, &share).await;
    is_taken_back(world, patient, &chen, &share.id, used).await;
    is_deleted(patient, &chen, &asked.id).await;
}

async fn is_read(chen: &Wallet, grant: &str, granted: &BTreeSet<String>) -> TxId {
    let accesses = chen.must(MyAccesses {}).await.accesses;
    let active = accesses
        .iter()
        .any(|access| matches!(&access.state, MyAccessState::Active { grant: id, .. } if id == grant));
    assert!(active, "{accesses:?}");
    let read = chen.must(ReadGrant { grant: grant.to_owned() }).await;
    let ids: BTreeSet<_> = read.records.iter().map(|record| record.line.id.clone()).collect();
    assert_eq!((&ids, read.missing), (granted, 0));
    assert!(read.records.iter().any(|record| record.source_json.contains("青霉素")));
    let proof = read.proof.expect("something was read");
    assert!(proof.signed >= 3);
    TxId(proof.transaction.parse().expect("a transaction is named by its digest"))
}

/// Even with a grant no hospital hands out anything before the reading is on the ledger.
fn unused_it_opens_nothing(world: &World, patient: &Newcomer, grant: &str) {
    let never = TxId(amulet_crypto::digest::sm3(b"never used"));
    for n in 1..=4 {
        let answer = ask_under_grant(world, patient, n, grant, never);
        let expected = LightResponse::Refused(LightRefusal::NotAllowed(AccessRefusal::NotDeclared));
        assert_eq!(answer, expected, "hospital {n}");
    }
}

fn ask_under_grant(world: &World, patient: &Newcomer, n: usize, grant: &str, used_by: TxId) -> LightResponse {
    let chen = people::keys_of(&world.net, "dr-chen");
    world.net.same_head(std::time::Duration::from_secs(20));
    let entries = chain::records(world.net.hospital(n), &world.genesis, did(patient.session.did()));
    let grant = GrantId(TxId(grant.parse().expect("a grant is named by its digest")));
    let ground = ReadGround::Grant { grant, used_by };
    let (hospital, holder) = (world.net.hospital(n), world.organisation(n));
    people::read(hospital, holder, world.genesis.chain_id(), &chen, ground, vec![entries[0].blob])
}

/// A paused grant opens nothing, and a longer one lasts longer.
async fn is_held_and_lasts_longer(patient: &Newcomer, chen: &Wallet, share: &ShareView) {
    let grant = share.id.clone();
    patient.wallet.must(PauseGrant { grant: grant.clone() }).await;
    assert_eq!(patient.wallet.must(Sharing {}).await.active[0].state, ShareState::Paused);
    let error = chen.fails(ReadGrant { grant: grant.clone() }).await;
    assert_eq!((error.code, error.details["why"].as_str()), (ErrorCode::GrantEnded, "paused"));
    patient.wallet.must(ResumeGrant { grant: grant.clone() }).await;
    let until = share.until + 3_600_000;
    let shorter = ExtendGrant { grant: grant.clone(), until: share.until - 1 };
    let error = patient.wallet.fails(shorter).await;
    assert_eq!(error.details["reason"], "not_longer");
    patient.wallet.must(ExtendGrant { grant: grant.clone(), until }).await;
    let share = patient.wallet.must(Sharing {}).await.active.remove(0);
    assert_eq!((share.state, share.until, share.uses_max), (ShareState::Active, until, Some(2)));
    let nothing = NarrowGrant { grant, until: Some(until + 1), ..NarrowGrant::default() };
    assert_eq!(patient.wallet.fails(nothing).await.details["reason"], "not_narrower");
}

/// The reader owes a deletion receipt, gives it once, and the patient sees it.
async fn is_deleted(patient: &Newcomer, chen: &Wallet, request: &str) {
    let accesses = chen.must(MyAccesses {}).await.accesses;
    receipt_is_asked_for(chen).await;
    let owed = accesses.iter().find(|access| access.id == request).expect("it is listed").deletion;
    let DeletionView::Owed { by } = owed else { panic!("{owed:?}") };
    assert_eq!(patient.wallet.must(Sharing {}).await.ended[0].deletion, DeletionView::Owed { by });
    chen.must(ConfirmDeletion { request: request.to_owned() }).await;
    let seen = patient.wallet.must(Sharing {}).await.ended[0].deletion;
    assert!(matches!(seen, DeletionView::Confirmed { .. }), "{seen:?}");
    let error = chen.fails(ConfirmDeletion { request: request.to_owned() }).await;
    assert_eq!(error.details["reason"], "deletion_confirmed");
}

async fn is_taken_back(world: &World, patient: &Newcomer, chen: &Wallet, grant: &str, used: TxId) {
    patient.wallet.must(RevokeGrant { grant: grant.to_owned() }).await;
    let sharing = patient.wallet.must(Sharing {}).await;
    assert!(sharing.active.is_empty());
    assert_eq!((sharing.ended[0].state, sharing.ended[0].uses), (ShareState::Revoked, 1));
    let error = chen.fails(ReadGrant { grant: grant.to_owned() }).await;
    assert_eq!(error.code, ErrorCode::GrantEnded);
    assert_eq!(error.details["why"], "revoked");
    let height = world.net.same_head(std::time::Duration::from_secs(20));
    assert!(height > 0);
    for n in 1..=4 {
        let answer = ask_under_grant(world, patient, n, grant, used);
        let expected = LightResponse::Refused(LightRefusal::NotAllowed(AccessRefusal::Revoked));
        assert_eq!(answer, expected, "hospital {n} after the grant was taken back");
    }
    let accesses = chen.must(MyAccesses {}).await.accesses;
    assert!(accesses.iter().any(|access| access.state == MyAccessState::Revoked), "{accesses:?}");
}

/// The patient's inbox has the emergency of the step before and the request; what was opened is not new again, by the other's
/// inbox neither.
async fn is_in_the_inbox(patient: &Newcomer, request: &str) {
    let inbox = patient.wallet.must(Inbox {}).await;
    let told = patient.wallet.take_notices();
    assert!(told.contains(&NoticeKind::Request) && told.contains(&NoticeKind::Emergency), "{told:?}");
    let newest = &inbox.items.first().expect("the request is there").what;
    assert!(
        matches!(newest, InboxNews::RequestWaiting { request: waiting } if waiting.id == request),
        "{inbox:?}"
    );
    let emergencies = |inbox: &InboxView| {
        inbox.items.iter().filter(|item| matches!(item.what, InboxNews::EmergencyAccess { .. })).count()
    };
    assert!(emergencies(&inbox) > 0, "{inbox:?}");
    assert_eq!(inbox.unread, inbox.items.len() as u64);
    let opened = vec![inbox.items[0].key.clone(), "no such item".to_owned()];
    let read = patient.wallet.must(ReadInbox { keys: opened }).await;
    assert_eq!((read.unread, read.items[0].unread), (inbox.unread - 1, false));
    assert_eq!(patient.wallet.must(Inbox {}).await, read);
    assert!(patient.wallet.take_notices().is_empty(), "told twice");
    let error = patient.wallet.fails(ReadInbox { keys: vec![String::new(); INBOX_ITEMS_MAX + 1] }).await;
    assert_eq!(error.code, ErrorCode::TooLarge);
}

/// The clinician's inbox asks for the receipt that is owed.
async fn receipt_is_asked_for(chen: &Wallet) {
    assert!(!chen.must(SetNotices { on: false }).await.on);
    let inbox = chen.must(Inbox {}).await;
    assert!(chen.take_notices().is_empty(), "told although nobody wants it");
    let due =
        inbox.items.iter().any(|item| matches!(item.what, InboxNews::ReceiptDue { overdue: false, .. }));
    assert!(due, "{inbox:?}");
}

/// A request that is turned down opens nothing.
pub async fn asked_and_declined(world: &World, patient: &Newcomer) {
    let chen = clinician(&world.net, "dr-chen").await;
    let asked = chen.must(request(patient, &[Category::Labs])).await;
    patient.wallet.must(DeclineRequest { request: asked.id.clone() }).await;
    let accesses = chen.must(MyAccesses {}).await.accesses;
    let state = accesses.into_iter().find(|access| access.id == asked.id).map(|access| access.state);
    assert_eq!(state, Some(MyAccessState::Declined));
    let error = patient
        .wallet
        .fails(GrantRequest {
            request: asked.id,
            records: vec![],
            uses_max: None,
            new_records: false,
            only_asker: false,
        })
        .await;
    assert!(matches!(error.code, ErrorCode::Refused | ErrorCode::NotFound), "{error}");
}
