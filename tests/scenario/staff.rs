//! Step 9: access for a hospital's staff, given unasked, with records to come; and asked for by one of them.

use crate::World;
use amulet_app_api::access::{GrantRequest, GranteeView, Purpose, RevokeGrant, ShareState, Sharing};
use amulet_app_api::clinician::{AskAccess, AskFor, MyAccessState, MyAccesses, ReadGrant};
use amulet_app_api::giving::{GiveAccess, GiveTerms, GiveTo, PreviewGiving, Recipients};
use amulet_app_api::records::{Category, Records};
use amulet_app_api::{ApiError, ErrorCode};
use amulet_tests::samples::Sample;
use amulet_tests::wait;
use amulet_tests::wallet::{Newcomer, Wallet, clinician, ids, new_patient};
use std::collections::BTreeSet;
use std::time::Duration;

/// A bundle with one result of another day.
const LATER_RESULT: &str = r#"{"resourceType":"Bundle","type":"collection","entry":[
    {"resource":{"resourceType":"Patient","id":"later-patient","name":[{"text":"王芳"}]}},{"resource":{
    "resourceType":"Observation","id":"later-potassium","status":"final",
    "subject":{"reference":"Patient/later-patient"},
    "category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory"}]}],
    "code":{"coding":[{"system":"http://loinc.org","code":"2823-3"}],"text":"Potassium"},
    "effectiveDateTime":"2026-01-15",
    "valueQuantity":{"value":4.1,"unit":"mmol/L","system":"http://unitsofmeasure.org","code":"mmol/L"}}}]}"#;

/// A new block reaches all hospitals.
const HEARD_WITHIN: Duration = Duration::from_secs(20);

/// The patient opens laboratory results, also those to come, to everybody at the first hospital.
pub async fn given_to_a_hospital(world: &World, patient: &Newcomer) {
    let hospital = world.organisation(1).to_string();
    let recipients = patient.wallet.must(Recipients {}).await.hospitals;
    assert!(recipients.iter().any(|known| known.did == hospital), "{recipients:?}");
    let terms = GiveTerms {
        to: GiveTo::Staff { hospital: hospital.clone(), department: None, role: None },
        purpose: Purpose::OngoingCare,
        categories: vec![Category::Labs],
        records_from: None,
        records_to: None,
        without_hospitals: vec![],
        new_records: true,
        hours: 48,
        uses_max: None,
        erase_days: None,
    };
    let before: BTreeSet<_> = labs(patient).await;
    let preview = patient.wallet.must(PreviewGiving { terms: terms.clone() }).await;
    let previewed: BTreeSet<_> = preview.records.iter().map(|line| line.id.clone()).collect();
    assert_eq!((&previewed, preview.standing.as_slice()), (&before, [Category::Labs].as_slice()));
    assert!(matches!(&preview.to, GranteeView::Staff(staff) if staff.hospital.did == hospital));
    let share = patient.wallet.give(terms).await.unwrap().shares.remove(0);
    assert_eq!((share.state, share.standing.as_slice()), (ShareState::Active, [Category::Labs].as_slice()));

    let [chen, zhao] = [clinician(&world.net, "dr-chen").await, clinician(&world.net, "dr-zhao").await];
    assert_eq!(read(&chen, &share.id).await, Ok(before.clone()));
    let stranger = read(&zhao, &share.id).await.unwrap_err();
    assert_eq!(stranger.code, ErrorCode::NotFound, "of another hospital");
    assert!(!has(&zhao, &share.id).await);

    // Another hospital registers it: its key reaches the first one's staff with no action of the patient.
    world.net.hospital(3).must_take_in(patient.session.did(), LATER_RESULT.as_bytes());
    let after = more_labs(patient, before.len()).await;
    assert!(has(&chen, &share.id).await);
    assert_eq!(read(&chen, &share.id).await, Ok(after));

    patient.wallet.must(RevokeGrant { grant: share.id.clone() }).await;
    let ended = read(&chen, &share.id).await.unwrap_err();
    assert_eq!((ended.code, ended.details["why"].as_str()), (ErrorCode::GrantEnded, "revoked"));
    assert!(!has(&chen, &share.id).await);
}

/// What the patient signs is what was shown: a record that is registered between the preview and the signature stays closed.
pub async fn signs_only_what_was_shown(world: &World) {
    let person = new_patient(&world.net, "何静", 1).await;
    let wallet = &person.wallet;
    world.net.hospital(1).must_take_in(person.session.did(), &Sample::wang_fang().bundle);
    let before = labs(&person).await;
    let chen = clinician(&world.net, "dr-chen").await;
    let me = chen.must(MyAccesses {}).await.me.expect("a clinician").did;
    let ask = AskAccess {
        patient: person.session.did().to_owned(),
        categories: vec![Category::Labs],
        purpose: Purpose::Treatment,
        access_hours: 24,
        answer_hours: 24,
        records_from: None,
        records_to: None,
        reader: AskFor::Myself,
    };
    let request = chen.must(ask).await.id;
    let terms = GiveTerms {
        to: GiveTo::Person { code: me },
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
    let asked = wallet.shown(&request).await;
    let given = ids(wallet.must(PreviewGiving { terms: terms.clone() }).await.records);
    world.net.hospital(3).must_take_in(person.session.did(), LATER_RESULT.as_bytes());
    more_labs(&person, before.len()).await;

    let grant =
        GrantRequest { request, records: asked, new_records: false, only_asker: true, uses_max: None };
    let share = wallet.must(grant).await;
    assert_eq!(read(&chen, &share.id).await, Ok(before.clone()));
    let share = wallet.must(GiveAccess { terms, records: given }).await.shares.remove(0);
    assert_eq!(read(&chen, &share.id).await, Ok(before));
}

/// A clinician asks for the whole department; the patient lets the clinician alone read.
pub async fn asked_for_colleagues(world: &World, patient: &Newcomer) {
    let chen = clinician(&world.net, "dr-chen").await;
    let ask = AskAccess {
        patient: patient.session.did().to_owned(),
        categories: vec![Category::Labs],
        purpose: Purpose::Treatment,
        access_hours: 24,
        answer_hours: 24,
        records_from: None,
        records_to: None,
        reader: AskFor::MyDepartment,
    };
    let asked = chen.must(ask).await;
    let waiting = patient.wallet.must(Sharing {}).await.waiting;
    let request = waiting.iter().find(|request| request.id == asked.id).expect("it waits");
    let staff = request.staff.as_ref().expect("it is for colleagues too");
    assert!(staff.department.as_ref().is_some_and(|department| department.starts_with("Cardiology")));
    let records = patient.wallet.shown(&asked.id).await;
    let grant =
        GrantRequest { request: asked.id, records, new_records: false, only_asker: true, uses_max: None };
    let share = patient.wallet.must(grant).await;
    assert!(matches!(&share.to, GranteeView::Person(person) if person.name.starts_with("Dr Chen")));
    assert_eq!(read(&chen, &share.id).await, Ok(labs(patient).await));
    patient.wallet.must(RevokeGrant { grant: share.id }).await;
}

async fn labs(patient: &Newcomer) -> BTreeSet<String> {
    let records = patient.wallet.must(Records {}).await.records;
    records.into_iter().filter(|line| line.category == Category::Labs).map(|line| line.id).collect()
}

/// The same, once there is one more: the hospitals that the wallet asks hear of a record a moment after the one that took it in.
async fn more_labs(patient: &Newcomer, before: usize) -> BTreeSet<String> {
    wait::until_async("the new record", HEARD_WITHIN, || async {
        Some(labs(patient).await).filter(|labs| labs.len() == before + 1)
    })
    .await
}

/// Whether a grant stands among those that a clinician can read under now.
async fn has(clinician: &Wallet, grant: &str) -> bool {
    let accesses = clinician.must(MyAccesses {}).await.accesses;
    accesses
        .iter()
        .any(|access| matches!(&access.state, MyAccessState::Active { grant: id, .. } if id == grant))
}

async fn read(clinician: &Wallet, grant: &str) -> Result<BTreeSet<String>, ApiError> {
    let view = clinician.call(ReadGrant { grant: grant.to_owned() }).await?;
    assert_eq!(view.missing, 0);
    Ok(view.records.into_iter().map(|record| record.line.id).collect())
}
