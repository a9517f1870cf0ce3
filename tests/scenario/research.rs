//! Step 10: what the patient has settled beforehand; a study that is joined and left.

use crate::World;
use amulet_app_api::access::{GranteeView, Purpose, RevokeGrant, ShareState, Sharing};
use amulet_app_api::clinician::ReadGrant;
use amulet_app_api::giving::{GiveAccess, GiveTerms, GiveTo, PreviewGiving, Recipients};
use amulet_app_api::preferences::{Preferences, PreferencesView, SetPreferences};
use amulet_app_api::records::Category;
use amulet_app_api::research::{JoinStudy, PreviewStudy, Research};
use amulet_app_api::{ApiError, ErrorCode};
use amulet_tests::wallet::{Newcomer, clinician, new_patient};
use std::collections::BTreeSet;

/// What is given to nobody cannot be signed away, and what is asked about is never opened for later.
pub async fn settled_beforehand(world: &World, patient: &Newcomer) {
    let never = vec![Category::Medicines];
    let preferences =
        PreferencesView { never: never.clone(), ask: vec![Category::Labs, Category::Medicines] };
    let kept = patient.wallet.must(SetPreferences { preferences }).await;
    let settled = PreferencesView { never, ask: vec![Category::Labs] };
    assert_eq!(kept, settled, "what is never given is not asked about");
    assert_eq!(patient.wallet.must(Recipients {}).await.preferences, settled);
    let terms = |categories: Vec<Category>| GiveTerms {
        to: GiveTo::Staff { hospital: world.organisation(1).to_string(), department: None, role: None },
        purpose: Purpose::OngoingCare,
        categories,
        records_from: None,
        records_to: None,
        without_hospitals: vec![],
        new_records: true,
        hours: 48,
        uses_max: None,
        erase_days: None,
    };
    let forbidden = terms(vec![Category::Labs, Category::Medicines]);
    let previewed = patient.wallet.fails(PreviewGiving { terms: forbidden.clone() }).await;
    let given = patient.wallet.fails(GiveAccess { terms: forbidden, records: vec![] }).await;
    for refused in [previewed, given] {
        assert_eq!(reason(&refused), (ErrorCode::Refused, "preference"));
    }
    let allowed = terms(vec![Category::Labs, Category::Conditions]);
    let preview = patient.wallet.must(PreviewGiving { terms: allowed }).await;
    assert_eq!(preview.standing, [Category::Conditions], "laboratory results to come are asked about");
    assert!(preview.records.iter().any(|line| line.category == Category::Labs));
}

/// The demonstration's study is shown by its own fields, opens no more than was settled, and is left again.
pub async fn joined_and_left(world: &World, patient: &Newcomer) {
    let view = patient.wallet.must(Research {}).await;
    let [study] = view.open.as_slice() else { panic!("{:?}", view.open) };
    assert_eq!((study.board.name_en.as_str(), study.participants), ("Regional ethics board", 0));
    assert!(view.joined.is_empty());
    let id = study.name.id.clone();
    let preview = patient.wallet.must(PreviewStudy { study: id.clone() }).await;
    assert_eq!(
        (preview.withheld.as_slice(), preview.ask.as_slice()),
        ([Category::Medicines].as_slice(), [Category::Labs].as_slice())
    );
    assert!(!preview.records.is_empty());
    assert!(preview.records.iter().all(|line| study.categories.contains(&line.category)));
    assert!(preview.records.iter().all(|line| line.category != Category::Medicines));
    assert_eq!(preview.standing, [Category::Conditions, Category::VitalSigns]);
    let chosen = preview.records.iter().filter(|line| line.category != Category::Labs);
    let records: Vec<String> = chosen.map(|line| line.id.clone()).collect();
    assert!(!records.is_empty() && preview.missing == 0);
    let join = JoinStudy { study: id.clone(), records: records.clone(), new_records: true };
    let share = patient.wallet.must(join.clone()).await.shares.remove(0);
    assert_eq!(
        (share.state, share.purpose, &share.standing),
        (ShareState::Active, Purpose::Research, &preview.standing)
    );
    assert_eq!(share.counts.iter().map(|(_, n)| *n).sum::<u64>() as usize, records.len());
    assert!(matches!(&share.to, GranteeView::Study(name) if name.id == id));
    let again = patient.wallet.fails(join).await;
    assert_eq!(reason(&again), (ErrorCode::Refused, "already_enrolled"));
    let view = patient.wallet.must(Research {}).await;
    assert!(view.open.is_empty() && view.joined[0].shares[0].id == share.id);
    assert_eq!(view.joined[0].study.participants, 1);
    assert!(patient.wallet.must(Sharing {}).await.active.iter().any(|active| active.id == share.id));

    let [liu, chen] = [clinician(&world.net, "dr-liu").await, clinician(&world.net, "dr-chen").await];
    let read = liu.must(ReadGrant { grant: share.id.clone() }).await;
    let titles = |lines: Vec<String>| lines.into_iter().collect::<BTreeSet<_>>();
    let opened = preview.records.iter().filter(|line| records.contains(&line.id));
    let expected = titles(opened.map(|line| line.title.clone()).collect());
    assert_eq!(titles(read.records.into_iter().map(|record| record.line.title).collect()), expected);
    let stranger = chen.fails(ReadGrant { grant: share.id.clone() }).await;
    assert_eq!(stranger.code, ErrorCode::NotFound, "a cardiologist of the same hospital is no researcher");

    patient.wallet.must(RevokeGrant { grant: share.id.clone() }).await;
    let ended = liu.fails(ReadGrant { grant: share.id.clone() }).await;
    assert_eq!((ended.code, ended.details["why"].as_str()), (ErrorCode::GrantEnded, "revoked"));
    let view = patient.wallet.must(Research {}).await;
    assert!(view.joined.is_empty() && view.open[0].participants == 0);
    patient.wallet.must(SetPreferences { preferences: PreferencesView::default() }).await;
    assert_eq!(patient.wallet.must(Preferences {}).await, PreferencesView::default());
}

/// A relative's grant to the patient is no share of the patient's.
pub async fn anothers_grant_is_not_ones_own(world: &World, patient: &Newcomer) {
    let relative = new_patient(&world.net, "王建国", 1).await;
    let shares = async || {
        let view = patient.wallet.must(Sharing {}).await;
        view.active.len() + view.ended.len()
    };
    let before = shares().await;
    let terms = GiveTerms {
        to: GiveTo::Person { code: patient.session.did().to_owned() },
        purpose: Purpose::FamilyCarer,
        categories: vec![Category::Labs],
        records_from: None,
        records_to: None,
        without_hospitals: vec![],
        new_records: true,
        hours: 48,
        uses_max: None,
        erase_days: None,
    };
    relative.wallet.give(terms).await.unwrap();
    assert_eq!(relative.wallet.must(Sharing {}).await.active.len(), 1);
    assert_eq!(shares().await, before);
}

fn reason(error: &ApiError) -> (ErrorCode, &str) {
    (error.code, error.details.get("reason").map(String::as_str).unwrap_or_default())
}
