//! Who takes part in the demonstration, and the files their wallets are made from.

use super::LocalnetError;
use super::setup::DEMO_FOLDER;
use amulet_crypto::entropy::SystemEntropy;
use amulet_crypto::kdf::{Language, SeedPhrase};
use amulet_fhir::quality::Given;
use amulet_protocol::consent::PractitionerRole;
use serde::{Deserialize, Serialize};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Bundles loaded from a folder at most; each makes a patient.
const BUNDLES_MAX: usize = 100;
const PASSPHRASE_FILE: &str = "demo-passphrase.txt";
const PASSPHRASE_WORDS: usize = 4;
const PEOPLE_FILE: &str = "people.json";

/// The histories that ship with Amulet: by whose, from which hospital (from 0).
const SAMPLES: [Sample; 2] = [
    Sample {
        id: "wang-fang",
        name: "王芳",
        language: Language::SimplifiedChinese,
        care: &[(0, include_str!("../../../samples/wang-fang.zh.json"))],
    },
    Sample {
        id: "james-miller",
        name: "James Miller",
        language: Language::English,
        care: &[
            (0, include_str!("../../../samples/james-miller.en.json")),
            (2, include_str!("../../../samples/james-miller.second-hospital.en.json")),
        ],
    },
];

struct Sample {
    id: &'static str,
    name: &'static str,
    language: Language,
    care: &'static [(usize, &'static str)],
}

/// A clinician of the demonstration.
pub(super) struct Clinician {
    pub id: &'static str,
    pub name: &'static str,
    pub department: &'static str,
    pub department_zh: &'static str,
    pub role: PractitionerRole,
    pub language: Language,
    /// Which hospital employs them, from 0.
    pub hospital: usize,
}

pub(super) const CLINICIANS: [Clinician; 3] = [
    Clinician {
        id: "dr-zhao",
        name: "Dr Zhao 赵医生",
        department: "Emergency 急诊科",
        department_zh: "急诊科",
        role: PractitionerRole::Attending,
        language: Language::SimplifiedChinese,
        hospital: 1,
    },
    Clinician {
        id: "dr-chen",
        name: "Dr Chen 陈医生",
        department: "Cardiology 心内科",
        department_zh: "心内科",
        role: PractitionerRole::Attending,
        language: Language::English,
        hospital: 0,
    },
    Clinician {
        id: "dr-liu",
        name: "Dr Liu 刘医生",
        department: "Research 临床研究中心",
        department_zh: "临床研究中心",
        role: PractitionerRole::Researcher,
        language: Language::English,
        hospital: 0,
    },
];

/// A patient of the demonstration.
pub(super) struct Patient {
    pub id: String,
    pub name: String,
    pub language: Language,
    /// What each hospital, from 0, has of them; they are another identity at each.
    pub care: Vec<(usize, Vec<u8>)>,
}

/// One line of `people.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Person {
    pub id: String,
    pub name: String,
    pub role: String,
    pub about_en: String,
    pub about_zh: String,
    pub file: String,
}

/// The patients: one for each bundle of the folder, or the built-in ones.
pub(super) fn patients(fhir: Option<&Path>) -> Result<Vec<Patient>, LocalnetError> {
    let Some(folder) = fhir else {
        let built_in = SAMPLES.map(|Sample { id, name, language, care }| Patient {
            id: id.to_owned(),
            name: name.to_owned(),
            language,
            care: care.iter().map(|(hospital, bundle)| (*hospital, bundle.as_bytes().to_vec())).collect(),
        });
        return Ok(built_in.into());
    };
    let failed = |source| LocalnetError::File { path: folder.to_owned(), source };
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            paths.push(path);
        }
    }
    paths.sort();
    paths.truncate(BUNDLES_MAX);
    if paths.is_empty() {
        return Err(LocalnetError::NoBundles(folder.to_owned()));
    }
    paths.into_iter().enumerate().map(|(index, path)| patient_of(&path, index)).collect()
}

fn patient_of(path: &Path, index: usize) -> Result<Patient, LocalnetError> {
    let bundle = fs::read(path).map_err(|source| LocalnetError::File { path: path.to_owned(), source })?;
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let known = amulet_fhir::intake(&bundle, &Given::default()).ok().and_then(|intake| intake.patient.name);
    let name: String = known.unwrap_or(stem).chars().take(40).collect();
    Ok(Patient {
        id: format!("patient-{}", index + 1),
        name,
        language: Language::English,
        care: vec![(0, bundle)],
    })
}

pub(super) fn load(data: &Path) -> Option<Vec<Person>> {
    serde_json::from_slice(&fs::read(data.join(DEMO_FOLDER).join(PEOPLE_FILE)).ok()?).ok()
}

/// Name of the first patient, for the list of what to try.
pub(super) fn first_patient(data: &Path) -> String {
    let people = load(data).unwrap_or_default();
    let patient = people.into_iter().find(|person| person.role == "patient");
    patient.map_or_else(|| "a patient".to_owned(), |patient| patient.name)
}

pub(super) fn save(data: &Path, people: &[Person]) -> Result<(), LocalnetError> {
    let path = data.join(DEMO_FOLDER).join(PEOPLE_FILE);
    let json = serde_json::to_vec_pretty(people).expect("the file's types all have a JSON form");
    fs::write(&path, json).map_err(|source| LocalnetError::File { path, source })
}

/// The passphrase of the demonstration's wallets: random, made once, kept beside them so that it can be shown again. It
/// protects nobody: these people do not exist.
pub(super) fn passphrase(data: &Path) -> Result<Zeroizing<String>, LocalnetError> {
    let path = data.join(PASSPHRASE_FILE);
    if let Ok(text) = fs::read_to_string(&path) {
        return Ok(Zeroizing::new(text.trim().to_owned()));
    }
    let phrase = SeedPhrase::generate(Language::English, &mut SystemEntropy);
    let text = Zeroizing::new(phrase.words()[..PASSPHRASE_WORDS].join(" "));
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|source| LocalnetError::File { path, source })?;
    Ok(text)
}
