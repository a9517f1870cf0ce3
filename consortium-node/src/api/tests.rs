#![allow(clippy::unwrap_used)]

use super::*;
use crate::intake::IntakeParts;
use crate::network::Network;
use crate::testing::{NOW, World, now};
use amulet_crypto::digest::sm3;
use amulet_protocol::codec;
use amulet_protocol::ids::{Height, ReplicaId, View};
use amulet_protocol::light::{IntakeRequest, LightRequest, LightResponse, UntrustedIntakeRequest};
use amulet_protocol::limits::{LIGHT_REQUEST_BYTES_MAX, LIGHT_RESPONSE_BYTES_MAX, READ_REQUEST_AGE_MAX_MS};
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tower::ServiceExt;

const TOKEN: &str = "the hospital's token";
const OTHER_HOSPITAL: &str = "http://127.0.0.1:8102";

/// A node's interface over a world.
pub(super) struct Site {
    pub(super) world: World,
    pub(super) parts: ApiParts,
    consensus: watch::Sender<ConsensusStatus>,
    connected: watch::Sender<usize>,
    _network: Network,
}

pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// What these routes answer.
    pub(super) async fn of(routes: Router, request: Request) -> Self {
        let response = routes.oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec();
        Self { status, headers, body }
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(super) fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap().to_owned()
    }

    fn message(&self) -> String {
        self.json()["error"]["message"].as_str().unwrap().to_owned()
    }
}

impl Site {
    pub(super) fn new() -> Self {
        let world = World::new();
        world.run_consensus();
        let folder = |name: &str, files: &[(&str, &str)]| {
            let folder = world.folder.path().join(name);
            std::fs::create_dir_all(folder.join("assets")).unwrap();
            for (file, text) in files {
                std::fs::write(folder.join(file), text).unwrap();
            }
            Some(folder)
        };
        std::fs::write(world.folder.path().join("secret.txt"), "secret").unwrap();
        std::fs::write(world.folder.path().join("network.json"), "{\"demo\":true}").unwrap();
        let site = super::Site {
            network: "test".into(),
            organisation: world.hospitals[0].did,
            name_en: "Hospital 0".into(),
            name_zh: "第0医院".into(),
            intake_token: Some(TOKEN.into()),
            origins: vec![OTHER_HOSPITAL.into()],
            web: folder("web", &[("index.html", "<p>wallet</p>"), ("assets/app.wasm", "wasm")]),
            demo: folder("demo", &[("people.json", "[]")]),
            network_file: Some(world.folder.path().join("network.json")),
        };
        let network = world.network(&[1, 2, 3]);
        let status = ConsensusStatus { view: View(2), primary: ReplicaId(2), height: Height(1), evidence: 0 };
        let (consensus, consensus_now) = watch::channel(status);
        let (connected, connected_now) = watch::channel(3);
        let intake = IntakeService::new(IntakeParts {
            ledger: world.ledger.clone(),
            vault: world.vault.clone(),
            index: world.index.clone(),
            reviews: world.reviews.clone(),
            network: network.clone(),
            copies: world.copies(&network),
            sender: world.sender(&network, &world.hospitals[0]),
            own: ReplicaId(0),
            now: crate::testing::now,
        });
        let parts = ApiParts {
            site: Arc::new(site),
            ledger: world.ledger.clone(),
            index: world.index.clone(),
            mempool: world.mempool.clone(),
            light: world.light(&network),
            intake,
            scrubber: world.scrubber(&network),
            consensus: consensus_now,
            connected: connected_now,
            now,
        };
        Self { world, parts, consensus, connected, _network: network }
    }

    async fn send(&self, request: Request) -> Answer {
        Answer::of(router(ApiState::new(self.parts.clone()).unwrap()), request).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    async fn post(&self, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Answer {
        let mut request = Request::post(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(body.into()).unwrap()).await
    }

    /// A file from the hospital's own systems.
    async fn file(&self, body: impl Into<Body>) -> Answer {
        let authorization = format!("Bearer {TOKEN}");
        let headers = [("authorization", authorization.as_str()), ("content-type", "application/fhir+json")];
        self.post(&self.fhir(), &headers, body).await
    }

    fn fhir(&self) -> String {
        format!("/fhir?patient={}", self.world.patient.did)
    }

    fn intake_request(&self, body: &[u8]) -> IntakeRequest {
        IntakeRequest {
            chain: self.world.chain(),
            practitioner: self.world.doctor.did,
            hospital: self.world.hospitals[0].did,
            patient: self.world.patient.did,
            body_digest: sm3(body),
            time: NOW,
        }
    }

    async fn signed_file(&self, signed: UntrustedIntakeRequest, body: Vec<u8>) -> Answer {
        let authorization = format!("Amulet {}", STANDARD.encode(codec::encode(&signed)));
        self.post(&self.fhir(), &[("authorization", authorization.as_str())], body).await
    }
}

fn bundle(patients: &[&str]) -> Vec<u8> {
    let patient = |id: &&str| json!({"resource": {"resourceType": "Patient", "id": id}});
    let entries: Vec<Value> = patients.iter().map(patient).collect();
    let observation = json!({"resource": {"resourceType": "Observation", "id": "o", "status": "final",
        "code": {"text": "INR"}}});
    let entries = [entries, vec![observation]].concat();
    serde_json::to_vec(&json!({"resourceType": "Bundle", "type": "collection", "entry": entries})).unwrap()
}

#[tokio::test]
async fn a_light_clients_question_is_answered_in_its_own_bytes() {
    let site = Site::new();
    let question = codec::encode(&LightRequest::Latest);
    let answer = site.post("/api/v1/light", &[], question).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.headers["content-type"], "application/octet-stream");
    let response: LightResponse = codec::decode(&answer.body, LIGHT_RESPONSE_BYTES_MAX).unwrap();
    assert!(matches!(response, LightResponse::Header(header) if header.header.height == Height(1)));
}

#[tokio::test]
async fn no_question_and_too_large_a_question_are_told_apart() {
    let site = Site::new();
    let answer = site.post("/api/v1/light", &[], "not borsh").await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::BAD_REQUEST, "malformed_request"));
    let answer = site.post("/api/v1/light", &[], vec![0; LIGHT_REQUEST_BYTES_MAX + 1]).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "body_too_large"));
    assert!(answer.message().contains(&LIGHT_REQUEST_BYTES_MAX.to_string()), "{}", answer.message());
}

#[tokio::test]
async fn a_bundle_from_the_hospitals_own_systems_is_taken_in_once() {
    let site = Site::new();
    let answer = site.file(bundle(&["p"])).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(
        answer.json(),
        json!({"resources_in": 2, "records_out": 2, "refused": [],
        "classes": {"sensitive": 2}})
    );
    let again = site.file(bundle(&["p"])).await.json();
    assert_eq!((&again["records_out"], again["refused"].as_array().unwrap().len()), (&json!(0), 2));
    assert_eq!(again["refused"][0]["code"], "already_registered");
}

#[tokio::test]
async fn each_bad_file_is_named_for_what_it_is() {
    let site = Site::new();
    let height = site.world.ledger.tip().height;
    let cases: [(Vec<u8>, StatusCode, &str); 8] = [
        (b"".to_vec(), StatusCode::BAD_REQUEST, "file_empty"),
        (b"hello".to_vec(), StatusCode::BAD_REQUEST, "file_not_json"),
        (
            b"<Bundle xmlns='http://hl7.org/fhir'/>".to_vec(),
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "file_is_xml",
        ),
        (vec![0xff, 0xfe, 0x00], StatusCode::BAD_REQUEST, "file_not_utf8"),
        (b"[]".to_vec(), StatusCode::UNPROCESSABLE_ENTITY, "not_a_bundle"),
        (b"<ClinicalDocument/>".to_vec(), StatusCode::UNSUPPORTED_MEDIA_TYPE, "file_is_cda"),
        (bundle(&[]), StatusCode::UNPROCESSABLE_ENTITY, "bundle_no_patient"),
        (bundle(&["p", "q"]), StatusCode::UNPROCESSABLE_ENTITY, "bundle_more_than_one_patient"),
    ];
    for (file, status, code) in cases {
        let answer = site.file(file).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code));
        assert!(answer.message().len() > 20, "a sentence that says what to do: {}", answer.message());
    }
    assert_eq!(site.world.ledger.tip().height, height, "nothing was registered");
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_its_findings_and_as_an_operation_outcome() {
    let site = Site::new();
    let file = br#"{"resourceType":"Patient","id":"p","birthDate":"2199-01-01"}"#.to_vec();
    let answer = site.file(file.clone()).await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, "quality_refused")
    );
    let finding = &answer.json()["error"]["findings"][0];
    assert_eq!(finding["code"], "birth_date_in_future");
    assert_eq!(finding["values"]["date"], json!({"type": "date", "date": "2199-01-01"}));
    let authorization = format!("Bearer {TOKEN}");
    let headers = [("authorization", authorization.as_str()), ("accept", "application/fhir+json")];
    let outcome = site.post(&site.fhir(), &headers, file).await.json();
    assert_eq!(outcome["resourceType"], "OperationOutcome");
    let issue = &outcome["issue"][0];
    assert_eq!((&issue["severity"], &issue["expression"][0]), (&json!("error"), &json!("Patient.birthDate")));
    assert_eq!(issue["details"]["coding"][0]["code"], "birth_date_in_future");
    let other = site.post(&site.fhir(), &headers, "hello").await.json();
    assert_eq!(other["issue"][0]["details"]["coding"][0]["code"], "file_not_json");
}

#[tokio::test]
async fn the_review_queue_is_the_hospitals_own() {
    let site = Site::new();
    let file = br#"{"resourceType":"Patient","id":"p","gender":"F"}"#.to_vec();
    let held = site.file(file).await.json();
    assert_eq!((&held["records_out"], &held["refused"][0]["review"]), (&json!(0), &json!(1)));
    assert_eq!(site.get("/api/v1/review").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(site.get("/api/v1/overdue").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(site.get("/api/v1/review/1").await.status, StatusCode::UNAUTHORIZED);
    let authorization = format!("Bearer {TOKEN}");
    let headers = [("authorization", authorization.as_str())];
    let decide = |body: &'static str| site.post("/api/v1/review/1", &headers, body);
    let without = decide(r#"{"verdict":"reject","who":"Dr. Chen","reason":""}"#).await;
    assert_eq!((without.status, without.code().as_str()), (StatusCode::BAD_REQUEST, "decision_incomplete"));
    let nonsense = decide("{}").await;
    assert_eq!((nonsense.status, nonsense.code().as_str()), (StatusCode::BAD_REQUEST, "decision_malformed"));
    let rejected = decide(r#"{"verdict":"reject","who":"Dr. Chen","reason":"asked"}"#).await;
    assert_eq!((rejected.status, &rejected.json()["decision"]["who"]), (StatusCode::OK, &json!("Dr. Chen")));
    let twice = decide(r#"{"verdict":"approve","who":"Dr. Li","reason":"no"}"#).await;
    assert_eq!((twice.status, twice.code().as_str()), (StatusCode::CONFLICT, "decided_already"));
}

#[tokio::test]
async fn xml_by_its_content_type_is_refused_as_xml() {
    let site = Site::new();
    let authorization = format!("Bearer {TOKEN}");
    let headers =
        [("authorization", authorization.as_str()), ("content-type", "application/fhir+xml; charset=utf-8")];
    let answer = site.post(&site.fhir(), &headers, bundle(&["p"])).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNSUPPORTED_MEDIA_TYPE, "file_is_xml"));
}

#[tokio::test]
async fn fifty_megabytes_are_refused_with_size_and_limit() {
    let site = Site::new();
    let answer = site.file(vec![b' '; 50_000_000]).await;
    assert_eq!((answer.status, answer.code().as_str()), (StatusCode::PAYLOAD_TOO_LARGE, "file_too_large"));
    let message = answer.message();
    assert!(message.contains("50000000") && message.contains("32 MiB"), "{message}");
}

#[tokio::test]
async fn the_patient_must_be_given_well_formed_and_registered() {
    let site = Site::new();
    let authorization = format!("Bearer {TOKEN}");
    let headers = [("authorization", authorization.as_str())];
    let nobody = format!("/fhir?patient={}", amulet_contracts::testing::Actor::new(99).did);
    for (path, status, code) in [
        ("/fhir", StatusCode::BAD_REQUEST, "patient_missing"),
        ("/fhir?patient=", StatusCode::BAD_REQUEST, "patient_missing"),
        ("/fhir?patient=did:web:x", StatusCode::BAD_REQUEST, "patient_malformed"),
        (nobody.as_str(), StatusCode::NOT_FOUND, "patient_unknown"),
    ] {
        let answer = site.post(path, &headers, bundle(&["p"])).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{path}");
    }
}

#[tokio::test]
async fn without_the_right_token_nothing_is_taken_in() {
    let site = Site::new();
    for (headers, code) in [
        (vec![], "unauthenticated"),
        (vec![("authorization", "Basic eDp5")], "unauthenticated"),
        (vec![("authorization", "Bearer wrong")], "wrong_token"),
        (vec![("authorization", "Bearer ")], "unauthenticated"),
    ] {
        for path in [site.fhir(), "/fhir".to_owned()] {
            let answer = site.post(&path, &headers, bundle(&["p"])).await;
            assert_eq!(
                (answer.status, answer.code().as_str()),
                (StatusCode::UNAUTHORIZED, code),
                "{headers:?}"
            );
        }
    }
    let mut closed = (*site.parts.site).clone();
    closed.intake_token = None;
    let parts = ApiParts { site: Arc::new(closed), ..site.parts.clone() };
    let site = Site { parts, ..site };
    assert_eq!(site.file(bundle(&["p"])).await.code(), "wrong_token", "a node without a token takes none");
}

#[tokio::test]
async fn a_practitioner_of_the_hospital_brings_a_file_by_signature() {
    let site = Site::new();
    let file = bundle(&["p"]);
    let signed = site.intake_request(&file).sign(&site.world.doctor.signing);
    let answer = site.signed_file(signed, file).await;
    assert_eq!((answer.status, &answer.json()["records_out"]), (StatusCode::OK, &json!(2)));
}

#[tokio::test]
async fn a_signature_is_good_for_one_file_one_patient_one_hospital_and_two_minutes() {
    let site = Site::new();
    let file = bundle(&["p"]);
    let good = || site.intake_request(&file);
    let doctor = &site.world.doctor.signing;
    let old = amulet_protocol::ids::Timestamp(NOW.0 - READ_REQUEST_AGE_MAX_MS - 1);
    let mut changed = good().sign(doctor);
    changed.request.body_digest = sm3(b"another file");
    let stranger = &site.world.stranger;
    let cases = [
        (
            IntakeRequest { body_digest: sm3(b"x"), ..good() }.sign(doctor),
            StatusCode::BAD_REQUEST,
            "other_file",
        ),
        (IntakeRequest { time: old, ..good() }.sign(doctor), StatusCode::UNAUTHORIZED, "clock"),
        (
            IntakeRequest { hospital: site.world.hospitals[1].did, ..good() }.sign(doctor),
            StatusCode::FORBIDDEN,
            "not_entitled",
        ),
        (
            IntakeRequest { patient: stranger.did, ..good() }.sign(doctor),
            StatusCode::FORBIDDEN,
            "not_entitled",
        ),
        (good().sign(&stranger.signing), StatusCode::FORBIDDEN, "not_entitled"),
        (changed, StatusCode::FORBIDDEN, "not_entitled"),
        (
            IntakeRequest { practitioner: stranger.did, ..good() }.sign(&stranger.signing),
            StatusCode::FORBIDDEN,
            "not_entitled",
        ),
    ];
    for (signed, status, code) in cases {
        let answer = site.signed_file(signed, file.clone()).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code));
    }
    for junk in ["Amulet !!!", "Amulet AAAA"] {
        let answer = site.post(&site.fhir(), &[("authorization", junk)], file.clone()).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::BAD_REQUEST, "signature_malformed"));
    }
}

#[tokio::test]
async fn status_and_blocks_say_what_the_ledger_holds() {
    let site = Site::new();
    let status = site.get("/api/v1/status").await.json();
    assert_eq!((&status["height"], &status["view"], &status["quorum"]), (&json!(1), &json!(2), &json!(3)));
    assert_eq!(status["organisation"]["did"], site.world.hospitals[0].did.to_string());
    let block = site.get("/api/v1/blocks/1").await.json();
    assert_eq!(block["hash"], status["hash"]);
    assert_eq!(block["transactions"][0]["kind"], "register_identity");
    assert_eq!(block["transactions"][3]["kind"], "register_practitioner");
    for (path, status, code) in [
        ("/api/v1/blocks/0", StatusCode::NOT_FOUND, "genesis_block"),
        ("/api/v1/blocks/2", StatusCode::NOT_FOUND, "no_such_block"),
        ("/api/v1/blocks/x", StatusCode::BAD_REQUEST, "height_malformed"),
        ("/api/v1/blocks/99999999999999999999", StatusCode::BAD_REQUEST, "height_malformed"),
    ] {
        let answer = site.get(path).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{path}");
    }
}

#[tokio::test]
async fn health_names_what_is_missing() {
    let site = Site::new();
    assert_eq!(site.get("/health").await.status, StatusCode::OK);
    site.connected.send(2).unwrap();
    assert_eq!(site.get("/health").await.status, StatusCode::OK, "three of four are a quorum");
    site.connected.send(1).unwrap();
    let answer = site.get("/health").await;
    assert_eq!(
        (answer.status, &answer.json()["status"]),
        (StatusCode::SERVICE_UNAVAILABLE, &json!("no_quorum"))
    );
    site.connected.send(3).unwrap();
    let Site { parts, consensus, world, connected, _network } = site;
    let (unused, _) = watch::channel(*parts.consensus.borrow());
    drop(consensus);
    let site = Site { parts, consensus: unused, world, connected, _network };
    let answer = site.get("/health").await;
    assert_eq!(
        (answer.status, &answer.json()["status"]),
        (StatusCode::SERVICE_UNAVAILABLE, &json!("consensus"))
    );
}

#[tokio::test]
async fn metrics_count_requests_by_route_and_intake() {
    let site = Site::new();
    site.file(bundle(&["p"])).await;
    let state = ApiState::new(site.parts.clone()).unwrap();
    let app = router(state);
    for path in ["/api/v1/blocks/1", "/api/v1/blocks/7", "/anything/at/all", "/metrics"] {
        app.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
    }
    let response = app.oneshot(Request::get("/metrics").body(Body::empty()).unwrap()).await.unwrap();
    let text = String::from_utf8(to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap();
    for line in [
        "amulet_ledger_height 2",
        "amulet_consensus_view 2",
        "amulet_network_peers_connected 3",
        "amulet_mempool_transactions 0",
        "amulet_intake_records_total 2",
        "amulet_vault_named_blobs 2",
        "amulet_http_requests_total{route=\"/api/v1/blocks/{height}\",status=\"200\"} 1",
        "amulet_http_requests_total{route=\"/api/v1/blocks/{height}\",status=\"404\"} 1",
        "amulet_http_requests_total{route=\"page\",status=\"200\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
    }
}

#[tokio::test]
async fn the_description_names_every_route() {
    let site = Site::new();
    let description = site.get("/openapi.json").await.json();
    let paths: Vec<&String> = description["paths"].as_object().unwrap().keys().collect();
    let expected = [
        "/api/v1/blocks/{height}",
        "/api/v1/files",
        "/api/v1/light",
        "/api/v1/overdue",
        "/api/v1/review",
        "/api/v1/review/{id}",
        "/api/v1/status",
        "/api/v1/vault/erased",
        "/api/v1/vault/held",
        "/api/v1/vault/read",
        "/api/v1/vault/scrub",
        "/demo/{file}",
        "/fhir",
        "/health",
        "/metrics",
        "/network.json",
        "/openapi.json",
        "/shl/files/{ticket}",
        "/shl/{link}",
    ];
    assert_eq!(paths, expected);
    let light = &description["paths"]["/api/v1/light"]["post"];
    assert!(light["requestBody"]["content"]["application/octet-stream"].is_object(), "{light}");
    assert!(light["responses"]["200"]["content"]["application/octet-stream"].is_object(), "{light}");
}

#[tokio::test]
async fn pages_assets_and_client_routes_are_served_and_nothing_outside_the_folder() {
    let site = Site::new();
    for path in ["/", "/index.html", "/records/some-id"] {
        let answer = site.get(path).await;
        assert_eq!(
            (answer.status, answer.body.as_slice()),
            (StatusCode::OK, &b"<p>wallet</p>"[..]),
            "{path}"
        );
        assert!(answer.headers["content-type"].to_str().unwrap().starts_with("text/html"));
    }
    let wasm = site.get("/assets/app.wasm").await;
    assert_eq!(
        (wasm.status, &wasm.headers["content-type"]),
        (StatusCode::OK, &"application/wasm".parse().unwrap())
    );
    assert_eq!(site.get("/network.json").await.json(), json!({"demo": true}));
    assert_eq!(site.get("/demo/people.json").await.json(), json!([]));
    for path in [
        "/assets/missing.js",
        "/api/v1/nothing",
        "/api/",
        "/demo/missing.amulet",
        "/../secret.txt",
        "/demo/../secret.txt",
        "/demo/..%2fsecret.txt",
        "/demo/%2e%2e/secret.txt",
        "/%2e%2e/secret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/demo//etc/passwd",
    ] {
        let answer = site.get(path).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::NOT_FOUND, "not_found"), "{path}");
    }
}

#[tokio::test]
async fn without_folders_there_are_no_pages_and_no_people() {
    let site = Site::new();
    let bare = super::Site { web: None, demo: None, network_file: None, ..(*site.parts.site).clone() };
    let parts = ApiParts { site: Arc::new(bare), ..site.parts.clone() };
    let site = Site { parts, ..site };
    for path in ["/", "/demo/people.json", "/network.json"] {
        assert_eq!(site.get(path).await.code(), "not_found", "{path}");
    }
}

#[tokio::test]
async fn a_wrong_method_is_said_to_be_one() {
    let site = Site::new();
    for path in ["/api/v1/light", "/fhir"] {
        let answer = site.get(path).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed")
        );
    }
    let answer = site.post("/records", &[], "").await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed")
    );
}

#[tokio::test]
async fn every_answer_tells_the_browser_the_rules() {
    let site = Site::new();
    for path in ["/", "/api/v1/status", "/nothing.js"] {
        let headers = site.get(path).await.headers;
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains(&format!("connect-src 'self' {OTHER_HOSPITAL};")), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(headers["x-content-type-options"], "nosniff");
    }
}

#[tokio::test]
async fn only_known_origins_may_ask_and_only_what_wallets_need() {
    let site = Site::new();
    let ask = |path: &str, origin: &str| {
        let request = Request::builder().method(Method::OPTIONS).uri(path).header("origin", origin);
        request.header("access-control-request-method", "POST").body(Body::empty()).unwrap()
    };
    let allowed = "access-control-allow-origin";
    for path in ["/api/v1/light", "/api/v1/status", "/fhir"] {
        let answer = site.send(ask(path, OTHER_HOSPITAL)).await;
        assert_eq!(answer.headers[allowed], OTHER_HOSPITAL, "{path}");
        let answer = site.send(ask(path, "https://evil.example")).await;
        assert!(!answer.headers.contains_key(allowed), "{path}");
    }
    for path in ["/metrics", "/demo/people.json", "/api/v1/blocks/1"] {
        let answer = site.send(ask(path, OTHER_HOSPITAL)).await;
        assert!(!answer.headers.contains_key(allowed), "{path}");
    }
}

#[tokio::test]
async fn a_health_link_is_asked_by_pages_of_any_origin_and_a_bad_question_is_told_from_an_unknown_link() {
    let site = Site::new();
    let link = format!("/shl/{}", "A".repeat(43));
    for path in [link.as_str(), "/shl/files/x"] {
        let request = Request::builder().method(Method::OPTIONS).uri(path);
        let request = request.header("origin", "https://viewer.example");
        let request = request.header("access-control-request-method", "POST");
        let request = request.header("access-control-request-headers", "content-type");
        let answer = site.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.headers["access-control-allow-origin"], "*", "{path}");
        assert_eq!(answer.headers["access-control-allow-headers"], "content-type", "{path}");
    }
    let ask = |path: String, body: &str| {
        let body = body.to_owned();
        let site = &site;
        async move { site.post(&path, &[("content-type", "application/json")], body).await }
    };
    let unknown = ask(link.clone(), r#"{"recipient":"Clinic"}"#).await;
    assert_eq!(
        (unknown.status.as_u16(), &unknown.headers["cache-control"]),
        (404, &"no-store".parse().unwrap())
    );
    for bad in ["", "[]", "{}", r#"{"recipient":" "}"#, r#"{"recipient":1}"#] {
        assert_eq!(ask(link.clone(), bad).await.status.as_u16(), 400, "{bad}");
    }
    assert_eq!(ask(link.clone(), &"x".repeat(4_097)).await.status.as_u16(), 413);
    for wrong in ["/shl/short".to_owned(), format!("{link}AA"), "/shl/%00".to_owned()] {
        assert_eq!(ask(wrong.clone(), r#"{"recipient":"a"}"#).await.status.as_u16(), 404, "{wrong}");
    }
    assert_eq!(site.get(&link).await.status.as_u16(), 400, "nobody is named");
    assert_eq!(site.get(&format!("{link}?recipient=a")).await.status.as_u16(), 404);
    assert_eq!(site.get("/shl/files/x").await.status.as_u16(), 404);
}

#[test]
fn what_is_no_origin_is_refused_before_it_gets_into_the_policy() {
    for bad in
        ["*", "https://a.example/path", "https://a.example; script-src *", "ftp://a.example", "a.example", ""]
    {
        let origins = [bad.to_owned()];
        assert!(headers::SiteHeaders::new(&origins).is_err(), "{bad}");
    }
    let good = ["https://a.example", "http://127.0.0.1:8101", "http://[::1]:8101"].map(str::to_owned);
    assert!(headers::SiteHeaders::new(&good).is_ok());
}

/// Time stands still but for what is waited for.
#[tokio::test(start_paused = true)]
async fn who_may_bring_nothing_and_never_ends_is_refused_long_before_the_time_for_bundles() {
    let site = Site::new();
    let endless = Body::from_stream(futures::stream::pending::<Result<Vec<u8>, std::io::Error>>());
    let request = Request::builder().method(Method::POST).uri("/fhir").body(endless).unwrap();
    let before = tokio::time::Instant::now();
    let answer = site.send(request).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(before.elapsed() < INTAKE_TIME_MAX / 10);
}

#[tokio::test]
async fn the_hospitals_own_systems_have_the_vault_scrubbed_and_everybody_sees_how_it_went() {
    let site = Site::new();
    let request = |method: Method, token: &str| {
        let builder = Request::builder().method(method).uri("/api/v1/vault/scrub");
        builder.header("authorization", format!("Bearer {token}")).body(Body::empty()).unwrap()
    };
    assert_eq!(site.send(request(Method::POST, "no")).await.code(), "wrong_token");
    let begun = site.send(request(Method::POST, TOKEN)).await;
    assert_eq!(begun.status, StatusCode::ACCEPTED);
    assert_eq!(begun.json()["running"], true);
    let report = loop {
        let report = site.send(request(Method::GET, TOKEN)).await.json();
        if report["running"] == false {
            break report;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(report["ended"], NOW.0);
    let status = Request::builder().uri("/api/v1/status").body(Body::empty()).unwrap();
    assert_eq!(site.send(status).await.json()["vault_scrubbed"], NOW.0);
    let metrics = Request::builder().uri("/metrics").body(Body::empty()).unwrap();
    let metrics = String::from_utf8(site.send(metrics).await.body).unwrap();
    assert!(metrics.contains("amulet_vault_lost_blobs 0"), "{metrics}");
}

#[tokio::test]
async fn a_large_file_goes_in_and_comes_out_as_a_stream_to_who_may_have_it() {
    use amulet_protocol::calls::Call;
    use amulet_protocol::light::{ReadGround, ReadRequest};
    let site = Site::new();
    let (patient, file) = (site.world.patient.did, vec![7; 5 * 1024 * 1024]);
    let upload = |token: &str, length: bool| {
        let uri = format!("/api/v1/files?patient={patient}&id=ct-1&title=CT%20chest");
        let builder = Request::builder().method(Method::POST).uri(uri);
        let builder = builder.header("authorization", format!("Bearer {token}"));
        let builder = if length { builder.header("content-length", file.len()) } else { builder };
        builder.header("content-type", "application/dicom").body(Body::from(file.clone())).unwrap()
    };
    assert_eq!(site.send(upload("no", true)).await.code(), "wrong_token");
    assert_eq!(site.send(upload(TOKEN, false)).await.code(), "length_missing");
    let taken = site.send(upload(TOKEN, true)).await;
    assert_eq!(taken.status, StatusCode::OK, "{:?}", taken.json());
    let size = usize::try_from(taken.json()["ciphertext_bytes"].as_u64().unwrap()).unwrap();
    let block = site.world.ledger.block(site.world.ledger.tip().height).unwrap().unwrap().block;
    let Call::RegisterRecords(call) = &block.transactions[0].transaction.call else { panic!("no records") };
    let blob = call.records[0].blob;

    let held = |token: &str, after: &str| {
        let builder = Request::builder().uri(format!("/api/v1/vault/held{after}"));
        builder.header("authorization", format!("Bearer {token}")).body(Body::empty()).unwrap()
    };
    let listed = site.send(held(TOKEN, "")).await.json();
    assert_eq!((&listed["blobs"], &listed["next"]), (&json!([blob.to_string()]), &Value::Null));
    assert_eq!(site.send(held(TOKEN, &format!("?after={blob}"))).await.json()["blobs"], json!([]));
    assert_eq!(site.send(held(TOKEN, "?after=zz")).await.code(), "digest_malformed");
    assert_eq!(site.send(held("no", "")).await.code(), "wrong_token");

    let ask = |who: &amulet_contracts::testing::Actor, from: usize, blobs: usize| {
        let request = ReadRequest {
            chain: site.world.chain(),
            reader: who.did,
            holder: site.world.hospitals[0].did,
            ground: ReadGround::Own,
            blobs: vec![blob; blobs],
            time: NOW,
        };
        let body = codec::encode(&request.sign(&who.signing));
        let uri = format!("/api/v1/vault/read?from={from}");
        Request::builder().method(Method::POST).uri(uri).body(Body::from(body)).unwrap()
    };
    let whole = site.send(ask(&site.world.patient, 0, 1)).await;
    assert_eq!(whole.status, StatusCode::OK);
    assert_eq!(whole.headers["content-length"], size.to_string());
    assert_eq!(amulet_protocol::record::blob_id(&whole.body), blob);
    let rest = site.send(ask(&site.world.patient, size - 10, 1)).await;
    assert_eq!(rest.body, whole.body[size - 10..]);
    assert_eq!(rest.headers["x-amulet-size"], size.to_string());
    assert_eq!(site.send(ask(&site.world.patient, size, 1)).await.status, StatusCode::NOT_FOUND);
    assert_eq!(site.send(ask(&site.world.patient, 0, 2)).await.status, StatusCode::BAD_REQUEST);
    let refused = site.send(ask(&site.world.doctor, 0, 1)).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::FORBIDDEN, "not_released"));
}
