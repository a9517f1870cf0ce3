//! Steps 3 and 4: the emergency card, and what it takes to read what is behind it.

use crate::World;
use amulet_app_api::ErrorCode;
use amulet_app_api::access::EmergencyReason;
use amulet_app_api::card::{Card, CardDraft, CardFact, CardView, FactKind, MakeCard, SummarySection};
use amulet_app_api::clinician::{DeclareEmergency, EmergencyView, OpenEmergency, ReadCard, SectionContent};
use amulet_protocol::calls::{Call, CardLocator};
use amulet_protocol::consent::EmergencyReason as LedgerReason;
use amulet_protocol::ids::{BlobId, Nonce, TxId};
use amulet_protocol::light::{LightRefusal, LightResponse, ReadGround};
use amulet_tests::hospital::did;
use amulet_tests::wallet::{Newcomer, Wallet, clinician};
use amulet_tests::{chain, people};
use amulet_wallet::identity::Identity;
use amulet_wallet::keyfile::sign_call;

const NOTE: &str = "found on the platform, no answer to questions";

/// The patient chooses what the card shows.
pub async fn make(patient: &Newcomer) -> CardView {
    let wallet = &patient.wallet;
    assert_eq!(wallet.must(Card {}).await, None);
    let draft = wallet.must(CardDraft {}).await;
    let penicillin =
        draft.facts.iter().find(|fact| fact.kind == FactKind::Allergy && fact.text.contains("青霉素"));
    assert!(penicillin.expect("the card offers the dangerous allergy").chosen, "and suggests it");
    let count = |section| draft.summary.iter().find(|(known, _)| *known == section).map(|(_, count)| *count);
    assert_eq!(count(SummarySection::Allergies), Some(2));
    let mut facts: Vec<CardFact> = draft
        .facts
        .iter()
        .filter(|fact| fact.chosen)
        .map(|fact| CardFact { kind: fact.kind, text: fact.text.clone() })
        .collect();
    facts.push(CardFact { kind: FactKind::Contact, text: "138-5550-0199".to_owned() });
    let card = wallet.must(MakeCard { facts: facts.clone(), without: vec![] }).await;
    assert_eq!(card.facts, facts);
    assert!(card.qr_text.starts_with("AMULET1:"));
    assert!(card.qr_svg.starts_with("<svg"));
    let groups: Vec<_> = card.typed_code.split('-').map(str::len).collect();
    assert_eq!(groups, [5; 6]);
    assert_eq!(wallet.must(Card {}).await.as_ref(), Some(&card));
    card
}

/// Dr Zhao reads the card; before the declaration nothing behind it opens for anybody. Gives the note that was written.
pub async fn scanned(world: &World, patient: &Newcomer, card: &CardView) -> &'static str {
    let zhao = clinician(&world.net, "dr-zhao").await;
    let preview = zhao.must(ReadCard { code: card.qr_text.clone() }).await;
    assert_eq!(preview.facts, card.facts);
    assert!(preview.facts_signed && preview.online);
    let typed = zhao.must(ReadCard { code: card.typed_code.to_lowercase() }).await;
    assert!(typed.facts.is_empty() && typed.online);
    assert_eq!(typed.access_hours, preview.access_hours);
    bad_codes_are_named(&zhao, card).await;

    let patient_did = did(patient.session.did());
    world.net.same_head(std::time::Duration::from_secs(20));
    let (locator, behind) =
        chain::card(world.net.hospital(1), &world.genesis, patient_did).expect("a card in force");
    nothing_opens_before(world, locator, behind.blob);
    let before = world.net.hospital(1).head().expect("a head").0;
    let summary = declare(&zhao, card).await;
    allergies_come_first(&summary);
    assert!(summary.proof.height > before);
    committed_before_read(world, &summary, behind.blob, locator);
    let again = zhao.must(OpenEmergency { declaration: summary.declaration.clone() }).await;
    assert_eq!(again.sections, summary.sections);
    NOTE
}

async fn bad_codes_are_named(zhao: &Wallet, card: &CardView) {
    let error = |code: String| async move { zhao.fails(ReadCard { code }).await.code };
    assert_eq!(error("https://example.org/menu".to_owned()).await, ErrorCode::CodeNotOurs);
    let cut = card.qr_text[..card.qr_text.len() - 9].to_owned();
    assert_eq!(error(cut).await, ErrorCode::CodeDamaged);
    let mistyped = card.typed_code.replacen(|c: char| c.is_ascii_digit(), "Z", 1);
    assert_eq!(error(mistyped).await, ErrorCode::CodeDamaged);
}

/// A genuine clinician with the genuine card gets no byte of the summary from any hospital without a committed declaration.
fn nothing_opens_before(world: &World, locator: CardLocator, blob: BlobId) {
    let zhao = people::keys_of(&world.net, "dr-zhao");
    let call = Call::DeclareEmergency(amulet_protocol::calls::DeclareEmergency {
        locator,
        reason: LedgerReason::Unconscious,
        note: None,
    });
    // Signed, but never sent.
    let unsent = sign_call(&zhao.signing, zhao.did, world.genesis.chain_id(), Nonce(200), call).id();
    let invented = TxId(amulet_crypto::digest::sm3(b"no declaration"));
    let grounds = [ReadGround::Own, people::emergency(invented), people::emergency(unsent)];
    for n in 1..=4 {
        for ground in grounds {
            let answer = ask(world, n, &zhao, ground, blob);
            let refused = matches!(answer, LightResponse::Refused(LightRefusal::NotAllowed(_)));
            assert!(refused, "hospital {n} on {ground:?}: {answer:?}");
        }
    }
}

fn ask(world: &World, n: usize, reader: &Identity, ground: ReadGround, blob: BlobId) -> LightResponse {
    let (hospital, holder) = (world.net.hospital(n), world.organisation(n));
    people::read(hospital, holder, world.genesis.chain_id(), reader, ground, vec![blob])
}

async fn declare(zhao: &Wallet, card: &CardView) -> EmergencyView {
    let request =
        |reason, note: &str| DeclareEmergency { code: card.qr_text.clone(), reason, note: note.to_owned() };
    // "Another reason" has to be given.
    zhao.fails(request(EmergencyReason::Other, "")).await;
    zhao.must(request(EmergencyReason::Unconscious, NOTE)).await
}

fn allergies_come_first(summary: &EmergencyView) {
    let first = &summary.sections[0];
    assert_eq!(first.section, SummarySection::Allergies);
    let SectionContent::Entries { entries } = &first.content else { panic!("{first:?}") };
    assert_eq!(entries.len(), 2);
    assert!(entries[0].critical && entries[0].text.contains("青霉素"), "{entries:?}");
    assert_eq!(summary.birth_date.as_deref(), Some("1968-03-14"));
}

/// The declaration is in a certified block of every hospital, and it opens the summary for its author alone.
fn committed_before_read(world: &World, summary: &EmergencyView, blob: BlobId, locator: CardLocator) {
    let declaration = TxId(summary.declaration.parse().expect("a declaration is named by its digest"));
    assert_eq!(summary.proof.transaction, summary.declaration);
    for hospital in world.net.hospitals() {
        let limit = std::time::Duration::from_secs(10);
        let proof = amulet_tests::wait::until("the declaration", limit, || hospital.receipt(declaration));
        assert_eq!(proof.header.header.height.0, summary.proof.height);
        assert_eq!(proof.header.header.hash().to_string(), summary.proof.header_hash);
    }
    world.net.same_head(std::time::Duration::from_secs(20));
    let (_, state) =
        chain::card(world.net.hospital(2), &world.genesis, owner_of(world, locator)).expect("a card");
    let ground = people::emergency(declaration);
    let holder = world.genesis.organisations.iter().position(|o| o.did() == state.holders[0]).unwrap() + 1;
    let zhao = people::keys_of(&world.net, "dr-zhao");
    assert!(
        matches!(ask(world, holder, &zhao, ground, blob), LightResponse::Blobs(blobs) if blobs[0].is_some())
    );
    let chen = people::keys_of(&world.net, "dr-chen");
    let answer = ask(world, holder, &chen, ground, blob);
    assert!(matches!(answer, LightResponse::Refused(LightRefusal::NotAllowed(_))), "{answer:?}");
}

fn owner_of(world: &World, locator: CardLocator) -> amulet_protocol::ids::Did {
    let key = amulet_protocol::state::StateKey::Card(locator);
    world.net.same_head(std::time::Duration::from_secs(20));
    let card: Option<amulet_protocol::state::CardState> =
        chain::state(world.net.hospital(1), &world.genesis, &key);
    card.expect("the card is on the ledger").patient
}
