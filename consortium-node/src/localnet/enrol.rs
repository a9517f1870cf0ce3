//! Enrols the demonstration's people: identities and registrations on the ledger, records through intake.

use super::LocalnetError;
use super::people::{self, CLINICIANS, Clinician, Patient, Person};
use super::setup::{DEMO_FOLDER, Hospital, Setup};
use super::studies;
use crate::cli::say;
use crate::http_client::{self, Request};
use crate::node::now;
use amulet_crypto::entropy::SystemEntropy;
use amulet_crypto::kdf::Language;
use amulet_crypto::passphrase::PassphraseParams;
use amulet_protocol::calls::{Call, RegisterPractitioner};
use amulet_protocol::codec;
use amulet_protocol::ids::{ChainId, Did, Nonce, TxId};
use amulet_protocol::light::{LightRequest, LightResponse};
use amulet_protocol::limits::LIGHT_RESPONSE_BYTES_MAX;
use amulet_protocol::receipt::Outcome;
use amulet_protocol::transaction::SignedTransaction;
use amulet_wallet::keyfile::{self, CreatedWallet, Role};
use std::path::Path;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long a practitioner's registration lasts: two years, in milliseconds.
const REGISTRATION_MS: u64 = 2 * 365 * 24 * 3_600_000;
/// Numbers left to a hospital's node, which sends by itself once the chain has begun.
pub(super) const NONCE_LEAD: u64 = 16;
const COMMITTED_WITHIN: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(100);

/// Makes everybody who is not there yet. The list of people is written last, so that a start that was interrupted
/// begins anew with new people; those of before stay on the ledger and harm nobody.
pub(super) async fn enrol(setup: &Setup, fhir: Option<&Path>) -> Result<(), LocalnetError> {
    if people::load(&setup.data).is_some() {
        say("[2/4] The clinicians and patients of the last start are still enrolled");
        say("[3/4] Their records are in the vaults");
        return Ok(());
    }
    let patients = people::patients(fhir)?;
    let mut enrolled = Vec::new();
    say("[2/4] Enrolling two clinicians and a researcher");
    // Numbers of each hospital's registrations, beside those with which its node sends meanwhile; it counts on from the ledger.
    let mut nonces = vec![NONCE_LEAD; setup.hospitals.len()];
    for clinician in &CLINICIANS {
        nonces[clinician.hospital] += 1;
        enrolled.push(enrol_clinician(setup, clinician, Nonce(nonces[clinician.hospital])).await?);
        say(format_args!("      {}, {}", clinician.name, clinician.department));
    }
    say(format_args!("[3/4] Enrolling {} patients and taking in their records", patients.len()));
    for patient in &patients {
        enrolled.push(enrol_patient(setup, patient).await?);
    }
    studies::seed(setup).await?;
    people::save(&setup.data, &enrolled)
}

async fn enrol_clinician(
    setup: &Setup,
    clinician: &Clinician,
    nonce: Nonce,
) -> Result<Person, LocalnetError> {
    let hospital = &setup.hospitals[clinician.hospital];
    let chain = setup.genesis.chain_id();
    let file = format!("{}.amulet", clinician.id);
    let role = Role::Clinician;
    let made = make_wallet(setup, &[hospital.did], clinician.name, role, clinician.language, &file)?;
    commit(hospital, clinician.name, &keyfile::registration(made.identity(), chain)).await?;
    let call = Call::RegisterPractitioner(RegisterPractitioner {
        practitioner: made.identity().did,
        name: clinician.name.to_owned(),
        department: clinician.department.to_owned(),
        role: clinician.role,
        valid_from: now(),
        valid_until: now().plus_millis(REGISTRATION_MS),
    });
    let registered = keyfile::sign_call(&hospital.keys.organisation, hospital.did, chain, nonce, call);
    commit(hospital, clinician.name, &registered).await?;
    let department_en = clinician.department.split(' ').next().unwrap_or_default();
    Ok(Person {
        id: clinician.id.to_owned(),
        name: clinician.name.to_owned(),
        role: "clinician".to_owned(),
        about_en: format!("{department_en}, {}", hospital.name_en),
        about_zh: format!("{}{}", hospital.name_zh, clinician.department_zh),
        file,
    })
}

async fn enrol_patient(setup: &Setup, patient: &Patient) -> Result<Person, LocalnetError> {
    let chain = setup.genesis.chain_id();
    let file = format!("{}.amulet", patient.id);
    let hospitals: Vec<&Hospital> = patient.care.iter().map(|(place, _)| &setup.hospitals[*place]).collect();
    let dids: Vec<Did> = hospitals.iter().map(|hospital| hospital.did).collect();
    let made = make_wallet(setup, &dids, &patient.name, Role::Patient, patient.language, &file)?;
    for ((hospital, identity), (_, bundle)) in hospitals.iter().zip(&made.identities).zip(&patient.care) {
        commit(hospital, &patient.name, &keyfile::registration(identity, chain)).await?;
        let url = format!("{}/fhir?patient={}", hospital.http, identity.did);
        let request = Request::post(&url, "application/fhir+json", bundle.clone());
        let answer = http_client::send(request.bearer(&hospital.keys.intake_token)).await?;
        let taken: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        say(format_args!(
            "      {}, {}: {} resources in, {} records kept",
            patient.name, hospital.name_en, taken["resources_in"], taken["records_out"]
        ));
    }
    let all = |name: fn(&Hospital) -> &str, between: &str| {
        hospitals.iter().map(|hospital| name(hospital)).collect::<Vec<_>>().join(between)
    };
    Ok(Person {
        id: patient.id.clone(),
        name: patient.name.clone(),
        role: "patient".to_owned(),
        about_en: format!("Patient at {}", all(|hospital| hospital.name_en, " and ")),
        about_zh: format!("{}的患者", all(|hospital| hospital.name_zh, "、")),
        file,
    })
}

fn make_wallet(
    setup: &Setup,
    hospitals: &[Did],
    name: &str,
    role: Role,
    language: Language,
    file: &str,
) -> Result<CreatedWallet, LocalnetError> {
    let chain: ChainId = setup.genesis.chain_id();
    let passphrase = people::passphrase(&setup.data)?;
    let mut entropy = SystemEntropy;
    let params = PassphraseParams::floor(&mut entropy);
    let made =
        keyfile::create(name, role, language, hospitals, chain, now(), &passphrase, params, &mut entropy)
            .map_err(|error| LocalnetError::Enrol { name: name.to_owned(), reason: error.to_string() })?;
    let path = setup.data.join(DEMO_FOLDER).join(file);
    std::fs::write(&path, &made.file).map_err(|source| LocalnetError::File { path, source })?;
    Ok(made)
}

/// Submits a transaction and waits until it is applied.
pub(super) async fn commit(
    hospital: &Hospital,
    name: &str,
    transaction: &SignedTransaction,
) -> Result<(), LocalnetError> {
    let failed = |reason: String| LocalnetError::Enrol { name: name.to_owned(), reason };
    match ask(hospital, &LightRequest::Submit(transaction.as_untrusted().clone())).await? {
        Some(LightResponse::Submitted(_)) => {}
        other => return Err(failed(format!("the hospital answered {other:?}"))),
    }
    let id: TxId = transaction.id();
    let deadline = Instant::now() + COMMITTED_WITHIN;
    loop {
        if let Some(LightResponse::Receipt(proof)) = ask(hospital, &LightRequest::Receipt(id)).await? {
            return match proof.receipt.outcome {
                Outcome::Applied { .. } => Ok(()),
                Outcome::Refused { code } => Err(failed(format!("the ledger refused: {code}"))),
            };
        }
        if Instant::now() > deadline {
            return Err(failed(format!(
                "the hospitals did not agree within {} s",
                COMMITTED_WITHIN.as_secs()
            )));
        }
        sleep(POLL).await;
    }
}

pub(super) async fn ask(
    hospital: &Hospital,
    request: &LightRequest,
) -> Result<Option<LightResponse>, LocalnetError> {
    let url = format!("{}/api/v1/light", hospital.http);
    let request = Request::post(&url, "application/octet-stream", codec::encode(request));
    let answer = http_client::send(request).await?;
    Ok(codec::decode(&answer.body, LIGHT_RESPONSE_BYTES_MAX).ok())
}
