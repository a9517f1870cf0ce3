//! What happens before the pages are looked at, and which pages there are.

use amulet_app_api::access::{AccessLog, Purpose, Sharing};
use amulet_app_api::card::{Card, CardDraft, CardFact, MakeCard};
use amulet_app_api::clinician::{AskAccess, AskFor, MyAccesses, ReadGrant};
use amulet_app_api::giving::{GiveTerms, GiveTo};
use amulet_app_api::records::{Category, Records};
use amulet_app_api::recovery::BeginMove;
use amulet_app_api::research::Research;
use amulet_tests::e2e::Browser;
use amulet_tests::localnet::Localnet;
use amulet_tests::wallet::{Wallet, clinician};

/// Pages that need no wallet.
pub const FOR_ANYBODY: [&str; 11] = [
    "/",
    "/create",
    "/restore",
    "/restore/sheets",
    "/restore/file",
    "/restore/device",
    "/checkpoint",
    "/checkpoint/compare",
    "/checkpoint/start",
    "/console",
    "/console/blocks/1",
];

/// What the pages show.
pub struct Things {
    record: String,
    request: String,
    grant: String,
    to_zhao: String,
    study: String,
    typed_code: String,
    /// What a new device shows.
    move_code: String,
}

/// A card is made, access is given, read and asked for.
pub async fn happen(net: &Localnet) -> Things {
    let wang = Wallet::over_libp2p(net.network());
    let session = wang.open_demo("wang-fang", net.passphrase()).await;
    let draft = wang.must(CardDraft {}).await.facts.into_iter().filter(|fact| fact.chosen);
    let facts = draft.map(|fact| CardFact { kind: fact.kind, text: fact.text }).collect();
    wang.must(MakeCard { facts, without: vec![] }).await;
    let typed_code = wang.must(Card {}).await.unwrap().typed_code;
    let chen = clinician(net, "dr-chen").await;
    let zhao = clinician(net, "dr-zhao").await;
    let grant = given(&wang, &chen).await;
    let to_zhao = given(&wang, &zhao).await;
    chen.must(ReadGrant { grant: grant.clone() }).await;
    let ask = AskAccess {
        patient: session.did().to_owned(),
        categories: vec![Category::Allergies, Category::Medicines],
        records_from: None,
        records_to: None,
        purpose: Purpose::Treatment,
        access_hours: 24 * 7,
        answer_hours: 24 * 7,
        reader: AskFor::default(),
    };
    chen.must(ask).await;
    let request = wang.must(Sharing {}).await.waiting[0].id.clone();
    let record = wang.must(Records {}).await.records[0].id.clone();
    let study = wang.must(Research {}).await.open[0].name.id.clone();
    wang.must(AccessLog {}).await;
    let move_code = Wallet::over_libp2p(net.network()).must(BeginMove {}).await.qr_text;
    Things { record, request, grant, to_zhao, study, typed_code, move_code }
}

async fn given(wang: &Wallet, to: &Wallet) -> String {
    let code = to.must(MyAccesses {}).await.me.unwrap().did;
    let terms = GiveTerms {
        to: GiveTo::Person { code },
        purpose: Purpose::Treatment,
        categories: vec![Category::Labs, Category::Medicines],
        records_from: None,
        records_to: None,
        without_hospitals: Vec::new(),
        new_records: false,
        hours: 24 * 7,
        uses_max: None,
        erase_days: None,
    };
    wang.give(terms).await.unwrap().shares[0].id.clone()
}

/// Chooses the simple view, and goes to the first page.
pub async fn lives_simply(browser: &Browser) {
    browser.script("location.hash = '/settings'").await;
    browser.choose("simple").await;
    browser.press("nav-home").await;
    browser.see("simple-records").await;
}

/// Takes the choice back.
pub async fn lives_as_before(browser: &Browser) {
    browser.script("location.hash = '/settings'").await;
    browser.choose("simple").await;
    browser.choose("text-normal").await;
}

impl Things {
    /// Name and path of each page of a patient.
    pub fn of_the_patient(&self) -> Vec<(&'static str, String)> {
        let fixed = [
            "/home",
            "/inbox",
            "/records",
            "/records?kind=labs",
            "/labs",
            "/medicines",
            "/sharing",
            "/sharing/give",
            "/sharing/abroad",
            "/research",
            "/preferences",
            "/hospitals",
            "/card",
            "/card/make",
            "/card/print",
            "/log",
            "/log/0/1",
            "/code",
            "/accesses",
            "/checking",
            "/checkpoint",
            "/settings",
            "/settings/security",
            "/settings/passphrase",
            "/settings/keys",
            "/settings/guardians",
            "/settings/backup",
            "/settings/move",
            "/no-such-page",
        ];
        let fixed = fixed.into_iter().map(|path| (path, path.to_owned()));
        let these = [
            ("record", format!("/records/{}", self.record)),
            ("record-story", format!("/records/{}/story", self.record)),
            ("request", format!("/sharing/requests/{}", self.request)),
            ("narrow", format!("/sharing/less/{}", self.grant)),
            ("study", format!("/research/{}", self.study)),
        ];
        fixed.chain(these).collect()
    }

    /// Name and path of each page of a clinician.
    pub fn of_the_clinician(&self) -> Vec<(&'static str, String)> {
        vec![
            ("clinician-inbox", "/inbox".to_owned()),
            ("clinician-scan", "/scan".to_owned()),
            ("clinician-ask", "/ask".to_owned()),
            ("clinician-accesses", "/accesses".to_owned()),
            ("clinician-reading", format!("/accesses/{}", self.to_zhao)),
            ("clinician-intake", "/intake".to_owned()),
            ("clinician-settings", "/settings".to_owned()),
        ]
    }

    /// Names guardians and has their sheets made.
    pub async fn makes_sheets(&self, browser: &Browser, passphrase: &str) {
        browser.script("location.hash = '/settings/guardians'").await;
        browser.press("guardians-make").await;
        for (field, name) in [("guardian-1", "李哥"), ("guardian-2", "Mei"), ("guardian-3", "Notary")] {
            browser.write(field, name).await;
        }
        browser.write("passphrase", passphrase).await;
        browser.press("guardians-split").await;
        browser.see("sheet-1").await;
    }

    /// Begins to hand the wallet over to a new device.
    pub async fn compares_digits(&self, browser: &Browser) {
        browser.script("location.hash = '/settings/move'").await;
        browser.write("move-code", &self.move_code).await;
        browser.press("code-read").await;
        browser.see("move-check").await;
    }

    /// Types the card's code, as far as the declaration.
    pub async fn breaks_the_glass(&self, browser: &Browser) {
        browser.press("nav-scan").await;
        browser.write("typed-code", &self.typed_code).await;
        browser.press("read-code").await;
        browser.see("declare").await;
    }

    /// Declares, and has the summary open.
    pub async fn declares(&self, browser: &Browser) {
        browser.choose("reason-unconscious").await;
        browser.press("declare").await;
        browser.see("summary").await;
    }
}
