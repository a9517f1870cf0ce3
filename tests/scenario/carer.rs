//! Step: a daughter reads for her mother, with the wallet of a patient.

use crate::World;
use amulet_app_api::ErrorCode;
use amulet_app_api::access::{AccessLog, LogEvent, Purpose, RevokeGrant, Sharing};
use amulet_app_api::clinician::{ConfirmDeletion, MyAccessState, MyAccesses, ReadGrant};
use amulet_app_api::giving::{GiveTerms, GiveTo};
use amulet_app_api::records::Category;
use amulet_tests::wallet::{Newcomer, Wallet};

/// The patient opens laboratory results to a relative, who reads them, loses them, and confirms the deletion.
pub async fn reads_for_a_relative(world: &World, patient: &Newcomer) {
    let daughter = Wallet::over_libp2p(world.net.network()).create("林小雨", 2).await;
    assert!(daughter.wallet.must(MyAccesses {}).await.accesses.is_empty());
    let terms = GiveTerms {
        to: GiveTo::Person { code: daughter.session.did().to_owned() },
        purpose: Purpose::FamilyCarer,
        categories: vec![Category::Labs],
        records_from: None,
        records_to: None,
        without_hospitals: vec![],
        new_records: false,
        hours: 24,
        uses_max: None,
        erase_days: None,
    };
    let share = patient.wallet.give(terms).await.unwrap().shares.remove(0);
    let opened = daughter.wallet.must(MyAccesses {}).await;
    assert!(opened.me.is_none(), "she does not practise");
    let [access] = opened.accesses.as_slice() else { panic!("{:?}", opened.accesses) };
    let MyAccessState::Active { grant, records, .. } = &access.state else { panic!("{access:?}") };
    assert_eq!((&access.patient, grant), (&patient.session.relationships[0].did, &share.id));
    let read = daughter.wallet.must(ReadGrant { grant: grant.clone() }).await;
    assert_eq!((read.records.len() as u64, read.missing), (*records, 0));
    patient.wallet.must(RevokeGrant { grant: grant.clone() }).await;
    let ended = daughter.wallet.fails(ReadGrant { grant: grant.clone() }).await;
    assert_eq!((ended.code, ended.details["why"].as_str()), (ErrorCode::GrantEnded, "revoked"));
    daughter.wallet.must(ConfirmDeletion { request: grant.clone() }).await;

    let sharing = daughter.wallet.must(Sharing {}).await;
    assert!(sharing.active.is_empty() && sharing.ended.is_empty(), "she gave nothing herself");
    let log = daughter.wallet.must(AccessLog {}).await;
    let said: Vec<&LogEvent> = log.lines.iter().rev().map(|line| &line.what).collect();
    assert!(
        matches!(
            said.as_slice(),
            [
                LogEvent::IdentityRegistered,
                LogEvent::OpenedToMe { purpose: Purpose::FamilyCarer, .. },
                LogEvent::ReadByMe,
                LogEvent::OpenedToMeRevoked,
                LogEvent::DeletedByMe
            ]
        ),
        "{said:?}"
    );
}
