//! Codes that are not ours, cut off, revoked, replaced, or of a card that nobody published.

use amulet_app_api::ErrorCode;
use amulet_app_api::access::EmergencyReason;
use amulet_app_api::card::{CardFact, FactKind, MakeCard, RevokeCard};
use amulet_app_api::clinician::{DeclareEmergency, ReadCard};
use amulet_tests::localnet::Localnet;
use amulet_tests::samples::Sample;
use amulet_tests::wallet::{Wallet, clinician, new_patient};

/// What a clinician hears about each.
pub async fn revoked_cut_and_foreign(net: &Localnet) {
    let owner = new_patient(net, "Holder", 1).await;
    net.hospital(1).must_take_in(owner.session.did(), &Sample::wang_fang().bundle);
    let zhao = clinician(net, "dr-zhao").await;
    let fact = |text: &str| vec![CardFact { kind: FactKind::Allergy, text: text.to_owned() }];
    let first = owner.wallet.must(MakeCard { facts: fact("青霉素"), without: vec![] }).await;
    let read = |code: &str| zhao.call(ReadCard { code: code.to_owned() });
    assert!(read(&first.qr_text).await.unwrap().online);
    for (code, expected) in [
        ("", ErrorCode::CodeNotOurs),
        ("https://example.org", ErrorCode::CodeNotOurs),
        ("AMULET1:", ErrorCode::CodeDamaged),
        (&first.qr_text[..first.qr_text.len() / 2], ErrorCode::CodeDamaged),
        (&first.typed_code[..20], ErrorCode::CodeDamaged),
    ] {
        assert_eq!(read(code).await.unwrap_err().code, expected, "{code}");
    }
    // Longer than any code.
    assert_eq!(read(&"A".repeat(1_000_000)).await.unwrap_err().code, ErrorCode::CodeNotOurs);
    too_many_facts(&owner.wallet).await;

    let second = owner.wallet.must(MakeCard { facts: fact("青霉素!"), without: vec![] }).await;
    cannot_be_used(&zhao, &first.qr_text).await;
    owner.wallet.must(RevokeCard {}).await;
    cannot_be_used(&zhao, &second.qr_text).await;
    cannot_be_used(&zhao, &second.typed_code).await;
}

/// A card that was replaced or revoked says so, before and at the declaration, and opens nothing.
async fn cannot_be_used(zhao: &Wallet, code: &str) {
    let read = zhao.fails(ReadCard { code: code.to_owned() }).await;
    assert_eq!(read.code, ErrorCode::CardRevoked, "{read}");
    let reason = EmergencyReason::Unconscious;
    let declared = zhao.fails(DeclareEmergency { code: code.to_owned(), reason, note: String::new() }).await;
    assert_eq!(declared.code, ErrorCode::CardRevoked, "{declared}");
}

async fn too_many_facts(wallet: &Wallet) {
    let fact = |text: String| CardFact { kind: FactKind::Condition, text };
    let long = wallet.fails(MakeCard { facts: vec![fact("很".repeat(21))], without: vec![] }).await;
    assert_eq!((long.code, long.details["limit"].as_str()), (ErrorCode::TooLarge, "60"), "{long}");
    let many = (0..6).map(|_| fact("x".repeat(60))).collect();
    let many = wallet.fails(MakeCard { facts: many, without: vec![] }).await;
    assert_eq!((many.code, many.details["limit"].as_str()), (ErrorCode::TooLarge, "300"), "{many}");
}
