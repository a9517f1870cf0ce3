//! Canned answers, only with the feature `fixture`: every screen can be looked at without a consortium.
//!
//! Local storage key `amulet.fixture`: `as=patient|clinician|nobody` opens a wallet, `&empty` empties the lists,
//! `&error=<code>` makes slow calls fail.

use super::Backend;
use amulet_app_api::{ApiError, ErrorCode, Request};
use async_trait::async_trait;
use serde_json::{Value, json};
use std::cell::RefCell;

const HOUR: u64 = 3_600_000;
const QR: &str = "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 29 29' shape-rendering='crispEdges'><path fill='#fff' d='M0 0h29v29H0z'/><path d='M2 2h7v7H2zM20 2h7v7h-7zM2 20h7v7H2zM11 2h2v3h-2zM14 4h3v2h-3zM11 8h4v2h-4zM17 9h2v4h-2zM3 11h5v2H3zM10 12h3v5h-3zM15 14h5v3h-5zM22 11h5v3h-5zM21 16h2v4h-2zM12 19h5v2h-5zM18 21h3v4h-3zM24 20h3v3h-3zM12 23h3v4h-3zM22 25h5v2h-5z'/></svg>";

pub struct Fixture {
    who: RefCell<&'static str>,
    empty: bool,
    error: Option<ErrorCode>,
}

impl Fixture {
    pub fn start() -> Self {
        let stored = web_sys::window().and_then(|window| {
            window.local_storage().ok().flatten()?.get_item("amulet.fixture").ok().flatten()
        });
        let search = stored.unwrap_or_default();
        let who = if search.contains("as=patient") {
            "patient"
        } else if search.contains("as=clinician") {
            "clinician"
        } else {
            "nobody"
        };
        let error = search
            .split("error=")
            .nth(1)
            .and_then(|rest| serde_json::from_value(json!(rest.split('&').next())).ok());
        Self { who: RefCell::new(who), empty: search.contains("empty"), error }
    }
}

fn now() -> u64 {
    crate::platform::now()
}

fn hospital(n: usize) -> Value {
    let names = [
        ("City First Hospital", "市第一人民医院"),
        ("County Hospital", "县人民医院"),
        ("Riverside Women and Children's Hospital", "江滨妇幼保健院"),
        ("Harbour Hospital of Traditional Medicine", "海港中医院"),
    ];
    json!({"did": format!("did:amulet:hospital{n}"), "name_en": names[n].0, "name_zh": names[n].1})
}

fn zhao() -> Value {
    json!({"did": "did:amulet:4NfZ8kT2", "name": "赵磊", "department": "急诊科", "hospital": hospital(1)})
}

fn chen() -> Value {
    json!({"did": "did:amulet:9KdQ1mVw", "name": "Chen Yu", "department": "Cardiology", "hospital": hospital(0)})
}

fn checked() -> Value {
    json!({"signed": 4, "agreeing": 4, "total": 4, "checked_at": now() - 70_000, "height": 1284, "block_time": now() - 80_000, "header_hash": "9f2c1be07d4a5c6f8a1b0e3d2c4f5a6978b1c2d3e4f5061728394a5b6c7d8e9f", "unreachable": []})
}

fn proof() -> Value {
    json!({"height": 1271, "at": now() - 2 * HOUR, "signed": 3, "total": 4, "signers": [hospital(0), hospital(1), hospital(3)], "header_hash": "9f2c1be07d4a5c6f8a1b0e3d2c4f5a6978b1c2d3e4f5061728394a5b6c7d8e9f", "transaction": "51e07d4a5c6f8a1b0e3d2c4f5a6978b1c2d3e4f5061728394a5b6c7d8e9f9f2c", "checks": ["witnesses", "certificate", "header_range", "receipt", "history"]})
}

fn line(n: usize) -> Value {
    let kinds = [
        ("Penicillin G", "allergies", "2019-04-02", Some("shock"), "AllergyIntolerance"),
        ("血红蛋白 [质量/体积] 血液", "labs", "2026-11-20", Some("13.2 g/dL"), "Observation"),
        ("Hemoglobin A1c/Hemoglobin.total in Blood", "labs", "2026-11-20", Some("6.1 %"), "Observation"),
        (
            "Warfarin Sodium 3 MG Oral Tablet",
            "medicines",
            "2026-10-03",
            Some("3 mg daily"),
            "MedicationRequest",
        ),
        ("Atrial fibrillation", "conditions", "2026-10-03", None, "Condition"),
        ("Blood pressure panel", "vital_signs", "2026-09-11", Some("128/82 mm[Hg]"), "Observation"),
        ("Influenza, seasonal, injectable", "immunizations", "2025-11-02", None, "Immunization"),
        ("门诊就诊", "visits", "2025-11", None, "Encounter"),
        ("Appendectomy", "procedures", "1999", None, "Procedure"),
    ];
    let (title, category, date, highlight, kind) = kinds[n % kinds.len()];
    json!({"id": format!("{n:08x}"), "title": title, "date": date, "highlight": highlight, "category": category, "class": "sensitive", "resource_type": kind, "hospital": hospital(n % 2)})
}

fn record(n: usize) -> Value {
    json!({"line": line(n), "facts": [{"label": "value", "value": "13.2 g/dL"}, {"label": "reference_range", "value": "11.5 – 15.0 g/dL"}, {"label": "status", "value": "final"}, {"label": "odd_new_label", "value": "shown as it is"}], "narrative": "Hemoglobin 13.2 g/dL, within the normal range.\n血红蛋白在正常范围内。", "source_json": "{\n  \"resourceType\": \"Observation\",\n  \"status\": \"final\"\n}", "proof": proof()})
}

fn request() -> Value {
    json!({"id": "req1", "from": chen(), "categories": ["labs", "medicines", "allergies"], "records_from": "2024-01-01", "records_to": null, "purpose": "treatment", "access_until": now() + 168 * HOUR, "answer_by": now() + 70 * HOUR, "asked_at": now() - HOUR})
}

fn share(id: &str, state: &str) -> Value {
    json!({"id": id, "to": chen(), "counts": [["labs", 42], ["medicines", 7]], "purpose": "second_opinion", "granted_at": now() - 20 * HOUR, "until": now() + 30 * HOUR, "state": state, "uses": 2})
}

fn log_lines() -> Value {
    json!([
        {"number": 9, "at": now() - HOUR, "what": {"kind": "emergency_declared", "reason": "unconscious", "note": "Found on the street, no companion.", "until": now() + 23 * HOUR}, "by": zhao(), "hospital": null, "records": 0},
        {"number": 8, "at": now() - 3 * HOUR, "what": {"kind": "records_read", "purpose": "treatment"}, "by": chen(), "hospital": null, "records": 49},
        {"number": 7, "at": now() - 20 * HOUR, "what": {"kind": "access_granted", "purpose": "second_opinion", "until": now() + 30 * HOUR}, "by": null, "hospital": null, "records": 49},
        {"number": 6, "at": now() - 21 * HOUR, "what": {"kind": "access_requested", "purpose": "second_opinion"}, "by": chen(), "hospital": null, "records": 0},
        {"number": 3, "at": now() - 900 * HOUR, "what": {"kind": "card_made"}, "by": null, "hospital": null, "records": 0},
        {"number": 2, "at": now() - 901 * HOUR, "what": {"kind": "records_registered"}, "by": null, "hospital": hospital(0), "records": 214},
        {"number": 1, "at": now() - 902 * HOUR, "what": {"kind": "identity_registered"}, "by": null, "hospital": null, "records": 0}
    ])
}

fn card() -> Value {
    json!({"qr_svg": QR, "qr_text": "AMULET1:ABCDEF", "typed_code": "8FJ2K QX7PM 3NDVA RT5WZ 9HBCE", "facts": card_facts(), "name": "王芳", "made_at": now() - 900 * HOUR, "access_hours": 24})
}

fn card_facts() -> Value {
    json!([{"kind": "name", "text": "王芳"}, {"kind": "birth_year", "text": "1968"}, {"kind": "blood_group", "text": "A+"}, {"kind": "allergy", "text": "Penicillin: shock 2019"}, {"kind": "medicine", "text": "Warfarin 3 mg"}, {"kind": "contact", "text": "儿子 李伟 138 0013 8000"}])
}

fn emergency() -> Value {
    let entry = |text: &str, detail: &str, critical: bool| json!({"text": text, "detail": detail, "critical": critical, "source": "AllergyIntolerance · 2019-04-02"});
    json!({"declaration": "decl1", "name": "王芳", "sex": "female", "birth_date": "1968-03-12", "made_at": now() - 900 * HOUR, "until": now() + 24 * HOUR - 110_000, "proof": proof(), "sections": [
        {"section": "allergies", "content": {"kind": "entries", "entries": [entry("Penicillin G 青霉素", "anaphylactic shock, 2019", true), entry("Latex", "rash", false)]}},
        {"section": "blood_group", "content": {"kind": "entries", "entries": [entry("A Rh positive", "laboratory, 2024", false)]}},
        {"section": "medicines", "content": {"kind": "entries", "entries": [entry("Warfarin 3 mg", "once daily", true), entry("Metoprolol 50 mg", "twice daily", false)]}},
        {"section": "conditions", "content": {"kind": "left_out"}},
        {"section": "devices", "content": {"kind": "known_none"}},
        {"section": "immunizations", "content": {"kind": "no_information"}},
        {"section": "contacts", "content": {"kind": "entries", "entries": [entry("李伟", "son, 138 0013 8000", false)]}}
    ]})
}

fn accesses() -> Value {
    let access = |id: &str, state: Value, categories: Value| json!({"id": id, "patient": "did:amulet:3wXb7sYkQm", "state": state, "purpose": if id == "decl1" { "emergency" } else { "treatment" }, "categories": categories, "at": now() - 5 * HOUR});
    json!([
        access(
            "a1",
            json!({"kind": "active", "grant": "g1", "until": now() + 30 * HOUR, "records": 49}),
            json!(["labs", "medicines"])
        ),
        access("decl1", json!({"kind": "emergency", "until": now() + 23 * HOUR}), json!([])),
        access("a2", json!({"kind": "waiting", "answer_by": now() + 70 * HOUR}), json!(["imaging"])),
        access("a3", json!({"kind": "revoked"}), json!(["labs"])),
        access("a4", json!({"kind": "declined"}), json!(["billing"]))
    ])
}

impl Fixture {
    fn session(&self) -> Value {
        match *self.who.borrow() {
            "patient" => {
                json!({"wallet": {"id": "w1", "name": "王芳", "role": "patient"}, "did": "did:amulet:3wXb7sYkQm", "hospital": hospital(0), "department": null})
            }
            "clinician" => {
                json!({"wallet": {"id": "w2", "name": "赵磊", "role": "clinician"}, "did": "did:amulet:4NfZ8kT2", "hospital": hospital(1), "department": "急诊科"})
            }
            _ => Value::Null,
        }
    }

    fn status(&self) -> Value {
        json!({"language": null, "session": self.session(), "hospitals": [hospital(0), hospital(1), hospital(2), hospital(3)],
            "wallets": if self.empty { json!([]) } else { json!([{"id": "w3", "name": "李桂英", "role": "patient"}]) },
            "demo_people": [
                {"id": "wang-fang", "name": "王芳", "role": "patient", "about_en": "58, atrial fibrillation, allergic to penicillin", "about_zh": "58 岁，房颤，青霉素过敏"},
                {"id": "zhao-lei", "name": "赵磊", "role": "clinician", "about_en": "Emergency, County Hospital", "about_zh": "县人民医院急诊科"},
                {"id": "chen-yu", "name": "Chen Yu", "role": "clinician", "about_en": "Cardiology, City First Hospital", "about_zh": "市第一人民医院心内科"}]})
    }

    fn timeline(&self) -> Value {
        let records: Vec<Value> = if self.empty {
            Vec::new()
        } else {
            (0..9).map(|n| line([1, 2, 3, 4, 5, 6, 7, 0, 8][n])).collect()
        };
        let categories = if self.empty {
            json!([])
        } else {
            json!([
                ["allergies", 1],
                ["conditions", 1],
                ["medicines", 1],
                ["labs", 2],
                ["vital_signs", 1],
                ["immunizations", 1],
                ["procedures", 1],
                ["visits", 1]
            ])
        };
        json!({"records": records, "categories": categories, "missing": if self.empty { 0 } else { 2 }, "checked": checked()})
    }

    async fn slow(&self) -> Result<(), ApiError> {
        crate::platform::sleep_ms(1500).await;
        self.error.map_or(Ok(()), |code| Err(code.into()))
    }

    async fn open(&self, id: &str, passphrase: &str) -> Result<Value, ApiError> {
        self.slow().await?;
        if passphrase == "wrong" {
            return Err(ErrorCode::WrongPassphrase.into());
        }
        *self.who.borrow_mut() = if id.contains("zhao") || id == "w2" { "clinician" } else { "patient" };
        Ok(self.session())
    }

    fn strength(passphrase: &str) -> Value {
        let score = (passphrase.len() / 5).min(4);
        json!({"score": score, "accepted": score >= 3, "hint": if score < 3 { json!("more_words") } else { Value::Null }})
    }

    async fn answer(&self, asked: Request) -> Result<Value, ApiError> {
        Ok(match asked {
            Request::Status(_) => self.status(),
            Request::NewWords(_) => {
                json!({"words": ["阳", "光", "树", "海", "书", "笔", "云", "山", "河", "月", "星", "风"], "ask": [3, 7, 11]})
            }
            Request::CheckWords(check) if check.text.contains("wrong") => {
                return Err(ApiError::new(ErrorCode::WordUnknown)
                    .with("index", 4)
                    .with("word", "wrong")
                    .with("suggestion", "wrong-ish"));
            }
            Request::CheckWords(_) => json!({"language": "zh"}),
            Request::PassphraseStrength(judge) => Self::strength(&judge.passphrase),
            Request::CreateWallet(_) | Request::RestoreWallet(_) => self.open("w1", "").await?,
            Request::AddDemoPerson(add) => json!({"id": add.id, "name": "王芳", "role": "patient"}),
            Request::Unlock(unlock) => self.open(&unlock.id, &unlock.passphrase).await?,
            Request::Lock(_) => {
                *self.who.borrow_mut() = "nobody";
                Value::Null
            }
            Request::Progress(_) => json!({"task": "waiting_for_hospitals", "done": 2, "total": 4}),
            Request::Sync(_) => checked(),
            Request::Home(_) if self.empty => {
                json!({"checked": null, "requests_waiting": [], "emergencies_unseen": [], "has_card": false, "records": 0, "newest": [], "readers_now": 0})
            }
            Request::Home(_) => {
                json!({"checked": checked(), "requests_waiting": [request()], "emergencies_unseen": [log_lines()[0]], "has_card": true, "records": 214, "newest": [line(1), line(2), line(3)], "readers_now": 2})
            }
            Request::MyCode(_) => json!({"text": "did:amulet:3wXb7sYkQmPq5ZtRv", "qr_svg": QR}),
            Request::Records(_) => self.timeline(),
            Request::Record(_) => record(1),
            Request::CardDraft(_) => {
                json!({"facts": card_facts().as_array().into_iter().flatten().map(|fact| json!({"kind": fact["kind"], "text": fact["text"], "chosen": true})).collect::<Vec<_>>(), "summary": [["allergies", 2], ["blood_group", 1], ["medicines", 5], ["conditions", 4], ["devices", 0], ["immunizations", 9], ["contacts", 1]], "bytes_max": 240})
            }
            Request::MakeCard(_) => {
                self.slow().await?;
                card()
            }
            Request::Card(_) => {
                if self.empty {
                    Value::Null
                } else {
                    card()
                }
            }
            Request::Sharing(_) if self.empty => {
                json!({"waiting": [], "active": [], "ended": [], "checked": checked()})
            }
            Request::Sharing(_) => {
                json!({"waiting": [request()], "active": [share("g1", "active")], "ended": [share("g0", "revoked"), share("g2", "expired")], "checked": checked()})
            }
            Request::Exposure(_) => {
                json!({"request": request(), "records": [line(1), line(2), line(10), line(3), line(0)], "counts": [["allergies", 1], ["medicines", 1], ["labs", 3]]})
            }
            Request::GrantRequest(_) => {
                self.slow().await?;
                share("g1", "active")
            }
            Request::AccessLog(_) => {
                json!({"lines": if self.empty { json!([]) } else { log_lines() }, "complete": true, "checked": checked()})
            }
            Request::LogProof(_) => proof(),
            Request::ReadCard(read) if read.code.contains("bad") => return Err(ErrorCode::CodeNotOurs.into()),
            Request::ReadCard(read) => {
                json!({"facts": card_facts(), "facts_signed": true, "online": !read.code.contains("offline"), "access_hours": 24})
            }
            Request::DeclareEmergency(_) | Request::OpenEmergency(_) => {
                self.slow().await?;
                emergency()
            }
            Request::FindPatient(_) => json!({"did": "did:amulet:3wXb7sYkQmPq5ZtRv", "records": 214}),
            Request::AskAccess(_) => {
                self.slow().await?;
                accesses()[2].clone()
            }
            Request::MyAccesses(_) => {
                json!({"me": zhao(), "accesses": if self.empty { json!([]) } else { accesses() }})
            }
            Request::ReadGrant(_) => {
                self.slow().await?;
                json!({"records": (0..9).map(record).collect::<Vec<_>>(), "missing": 1, "until": now() + 30 * HOUR, "proof": proof()})
            }
            Request::Intake(_) => {
                self.slow().await?;
                json!({"resources_in": 217, "records_out": 214, "refused": [{"resource": "Observation/12", "code": "no_status", "reason": "The observation has no status."}, {"resource": "Patient/2", "code": "second_patient", "reason": "The bundle holds a second patient."}]})
            }
            Request::RemoveWallet(_)
            | Request::SetLanguage(_)
            | Request::RevokeCard(_)
            | Request::DeclineRequest(_)
            | Request::RevokeGrant(_) => Value::Null,
        })
    }
}

#[async_trait(?Send)]
impl Backend for Fixture {
    async fn send(&self, request: Request) -> Result<Value, ApiError> {
        crate::platform::sleep_ms(30).await;
        self.answer(request).await
    }
}
