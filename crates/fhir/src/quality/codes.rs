//! Code systems known by address and OID, and what the form of their codes allows. No terminology is bundled: whether a
//! code means anything is for the system's owner to say; whether it can be one shows in its form and check digit.

/// How codes of a system look.
#[derive(Clone, Copy)]
enum Form {
    Snomed,
    Loinc,
    Digits { most: usize },
    Icd10,
    Icd11,
    Atc,
    Ucum,
    ChineseDrugApproval,
    Alphanumeric { least: usize, most: usize },
}

struct System {
    name: &'static str,
    /// Addresses and OIDs, in small letters; of an address ending in `*` the beginning counts.
    addresses: &'static [&'static str],
    form: Form,
}

const SYSTEMS: &[System] = &[
    System {
        name: "SNOMED CT",
        addresses: &["http://snomed.info/sct", "urn:oid:2.16.840.1.113883.6.96"],
        form: Form::Snomed,
    },
    System {
        name: "LOINC",
        addresses: &["http://loinc.org", "https://loinc.org", "urn:oid:2.16.840.1.113883.6.1"],
        form: Form::Loinc,
    },
    System {
        name: "RxNorm",
        addresses: &["http://www.nlm.nih.gov/research/umls/rxnorm", "urn:oid:2.16.840.1.113883.6.88"],
        form: Form::Digits { most: 8 },
    },
    System {
        name: "CVX",
        addresses: &["http://hl7.org/fhir/sid/cvx", "urn:oid:2.16.840.1.113883.12.292"],
        form: Form::Digits { most: 4 },
    },
    System {
        name: "ATC",
        addresses: &[
            "http://www.whocc.no/atc",
            "https://www.whocc.no/atc",
            "http://fhir.de/codesystem/bfarm/atc",
            "urn:oid:2.16.840.1.113883.6.73",
        ],
        form: Form::Atc,
    },
    // Before ICD-10, whose addresses begin alike.
    System {
        name: "ICD-10-PCS",
        addresses: &[
            "http://hl7.org/fhir/sid/icd-10-pcs",
            "http://www.cms.gov/medicare/coding/icd10",
            "urn:oid:2.16.840.1.113883.6.4",
        ],
        form: Form::Alphanumeric { least: 7, most: 7 },
    },
    System {
        name: "ICD-10",
        addresses: &[
            "http://hl7.org/fhir/sid/icd-10*",
            "http://fhir.de/codesystem/bfarm/icd-10-gm",
            "http://fhir.de/codesystem/dimdi/icd-10-gm",
            "urn:oid:2.16.840.1.113883.6.3",
            "urn:oid:2.16.840.1.113883.6.90",
            "urn:oid:2.16.156.10011.2.3.3.11",
        ],
        form: Form::Icd10,
    },
    System {
        name: "ICD-11",
        addresses: &[
            "http://id.who.int/icd/release/11/*",
            "http://id.who.int/icd11/mms",
            "http://hl7.org/fhir/sid/icd-11*",
            "urn:oid:2.16.840.1.113883.6.347",
        ],
        form: Form::Icd11,
    },
    System {
        name: "UCUM",
        addresses: &["http://unitsofmeasure.org", "urn:oid:2.16.840.1.113883.6.8"],
        form: Form::Ucum,
    },
    System {
        name: "国药准字 (NMPA)",
        addresses: &["http://www.nmpa.gov.cn*", "https://www.nmpa.gov.cn*", "http://nmpa.gov.cn*"],
        form: Form::ChineseDrugApproval,
    },
    System {
        name: "国家医保编码 (NHSA)",
        addresses: &["http://www.nhsa.gov.cn*", "https://www.nhsa.gov.cn*", "http://code.nhsa.gov.cn*"],
        form: Form::Alphanumeric { least: 5, most: 30 },
    },
];

fn system_of(address: &str) -> Option<&'static System> {
    let address = address.trim_end_matches('/');
    SYSTEMS.iter().find(|system| {
        system.addresses.iter().any(|known| match known.strip_suffix('*') {
            Some(start) => address.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start)),
            None => address.eq_ignore_ascii_case(known),
        })
    })
}

/// Whether an address is LOINC's.
pub(crate) fn is_loinc(address: &str) -> bool {
    system_of(address).is_some_and(|system| matches!(system.form, Form::Loinc))
}

/// Whether an address is that of ICD-10 in any edition.
pub(crate) fn is_icd10_system(address: &str) -> bool {
    system_of(address).is_some_and(|system| matches!(system.form, Form::Icd10))
}

/// Whether an address is that of ICD-11.
pub(crate) fn is_icd11_system(address: &str) -> bool {
    system_of(address).is_some_and(|system| matches!(system.form, Form::Icd11))
}

/// The name of a known system of which this can't be a code.
pub(super) fn malformed(address: &str, code: &str) -> Option<&'static str> {
    let system = system_of(address)?;
    let is_good = match system.form {
        Form::Snomed => is_snomed(code),
        Form::Loinc => is_loinc_code(code),
        Form::Digits { most } => (1..=most).contains(&code.len()) && all(code, u8::is_ascii_digit),
        Form::Icd10 => is_icd10(code),
        Form::Icd11 => is_icd11(code),
        Form::Atc => is_atc(code),
        Form::Ucum => !code.is_empty() && all(code, u8::is_ascii_graphic),
        Form::ChineseDrugApproval => is_drug_approval(code),
        Form::Alphanumeric { least, most } => {
            (least..=most).contains(&code.len()) && all(code, u8::is_ascii_alphanumeric)
        }
    };
    (!is_good).then_some(system.name)
}

fn all(code: &str, test: fn(&u8) -> bool) -> bool {
    code.as_bytes().iter().all(test)
}

const VERHOEFF: [[u8; 10]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    [1, 2, 3, 4, 0, 6, 7, 8, 9, 5],
    [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
    [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
    [4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
    [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
    [6, 5, 9, 8, 7, 1, 0, 4, 3, 2],
    [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
    [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
    [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
];
const PERMUTATIONS: [[u8; 10]; 8] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    [1, 5, 7, 6, 2, 8, 3, 0, 9, 4],
    [5, 8, 0, 3, 7, 9, 6, 1, 4, 2],
    [8, 9, 1, 6, 0, 4, 3, 5, 2, 7],
    [9, 4, 5, 3, 1, 2, 6, 8, 7, 0],
    [4, 2, 8, 6, 5, 7, 3, 9, 0, 1],
    [2, 7, 9, 3, 8, 0, 6, 4, 1, 5],
    [7, 0, 4, 6, 9, 1, 3, 2, 5, 8],
];

/// SNOMED CT identifiers: 6 to 18 digits, the last by Verhoeff's dihedral check. Expressions of several codes are not judged.
fn is_snomed(code: &str) -> bool {
    if !all(code, u8::is_ascii_digit) {
        return code.contains([':', '+', '|', '=']);
    }
    let check = code.bytes().rev().enumerate().fold(0_u8, |check, (place, digit)| {
        let permuted = PERMUTATIONS[place % 8][usize::from(digit - b'0')];
        VERHOEFF[usize::from(check)][usize::from(permuted)]
    });
    (6..=18).contains(&code.len()) && check == 0
}

/// LOINC: up to seven digits, a hyphen and a check digit by mod 10. Parts, answers and lists (`LP…`, `LA…`, `LL…`, `LG…`)
/// have the same form behind their letters, with a check digit that is not judged.
fn is_loinc_code(code: &str) -> bool {
    let number = code.trim_start_matches(|c: char| c.is_ascii_uppercase());
    if code.len() - number.len() > 4 {
        return false;
    }
    let Some((digits, check)) = number.split_once('-') else { return false };
    if !(1..=8).contains(&digits.len()) || check.len() != 1 || !all(digits, u8::is_ascii_digit) {
        return false;
    }
    if number.len() < code.len() {
        return check.bytes().all(|b| b.is_ascii_digit());
    }
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(digit - b'0');
            if place % 2 == 0 { digit * 2 / 10 + digit * 2 % 10 } else { digit }
        })
        .sum();
    check.parse::<u32>().is_ok_and(|check| (sum + check).is_multiple_of(10))
}

/// ICD-10 of any edition: a letter, a digit, a digit or letter, then subdivisions; the Chinese edition adds `x` and digits.
fn is_icd10(code: &str) -> bool {
    let bytes = code.as_bytes();
    let range = code.split_once('-').filter(|(from, to)| from.len() == 3 && to.len() == 3);
    if let Some((from, to)) = range {
        return is_icd10(from) && is_icd10(to);
    }
    let rest = code.get(3..).unwrap_or_default();
    (3..=16).contains(&code.chars().count())
        && bytes[0].is_ascii_uppercase()
        && bytes[1].is_ascii_digit()
        && bytes[2].is_ascii_alphanumeric()
        && rest
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '*' | '†' | '!' | '-' | '/'))
}

/// ICD-11 for mortality and morbidity: stem codes, extensions after `&`, clusters with `/`; or the entity's number.
fn is_icd11(code: &str) -> bool {
    let is_stem = |stem: &str| {
        let head = stem.split('.').next().unwrap_or_default();
        let bytes = head.as_bytes();
        let is_letter = |b: u8| (b.is_ascii_uppercase() && b != b'I' && b != b'O') || b.is_ascii_digit();
        (4..=5).contains(&head.len()) && bytes.iter().all(|b| is_letter(*b)) && !stem.ends_with('.')
    };
    let is_chapter_or_entity = all(code, u8::is_ascii_digit) && !code.is_empty();
    is_chapter_or_entity || (!code.is_empty() && code.split(['&', '/']).all(is_stem))
}

/// ATC: anatomical group down to the substance, in one, three, four, five or seven signs.
fn is_atc(code: &str) -> bool {
    matches!(code.len(), 1 | 3 | 4 | 5 | 7)
        && code.bytes().enumerate().all(|(place, b)| match place {
            0 | 3 | 4 => b.is_ascii_uppercase(),
            _ => b.is_ascii_digit(),
        })
}

/// 国药准字: one letter for the kind of medicine and eight digits.
fn is_drug_approval(code: &str) -> bool {
    let code = code.strip_prefix("国药准字").unwrap_or(code).trim();
    code.len() == 9
        && code.starts_with(['H', 'Z', 'S', 'J', 'B', 'T', 'F'])
        && code.bytes().skip(1).all(|b| b.is_ascii_digit() || b.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_codes_of_every_system_pass_by_address_and_oid() {
        for (system, code) in [
            ("http://snomed.info/sct", "73211009"),
            ("http://snomed.info/sct", "22298006"),
            ("urn:oid:2.16.840.1.113883.6.96", "716186003"),
            ("http://snomed.info/sct", "900000000000207008"),
            ("http://snomed.info/sct", "71388002:405815000=122456005"),
            ("http://loinc.org", "4548-4"),
            ("urn:oid:2.16.840.1.113883.6.1", "85354-9"),
            ("http://loinc.org", "LP29684-5"),
            ("http://www.nlm.nih.gov/research/umls/rxnorm", "313782"),
            ("http://www.whocc.no/atc", "C09AA05"),
            ("http://hl7.org/fhir/sid/icd-10-cm", "E11.9"),
            ("http://hl7.org/fhir/sid/icd-10", "I48"),
            ("http://hl7.org/fhir/sid/icd-10-cn", "E11.900x001"),
            ("http://hl7.org/fhir/sid/icd-10-cm", "S72.001A"),
            ("http://id.who.int/icd/release/11/mms", "5A11"),
            ("http://id.who.int/icd/release/11/2024-01/mms", "CA22.0&XN8P1/1B20"),
            ("http://unitsofmeasure.org", "mm[Hg]"),
            ("https://www.nmpa.gov.cn/drug", "国药准字H20013088"),
            ("http://example.org/own", "whatever it is"),
        ] {
            assert_eq!(malformed(system, code), None, "{system} {code}");
        }
    }

    #[test]
    fn wrong_check_digits_and_forms_are_named() {
        for (system, code, name) in [
            ("http://snomed.info/sct", "73211008", "SNOMED CT"),
            ("http://snomed.info/sct", "diabetes", "SNOMED CT"),
            ("http://snomed.info/sct", "", "SNOMED CT"),
            ("http://loinc.org", "4548-5", "LOINC"),
            ("http://loinc.org", "4548", "LOINC"),
            ("http://loinc.org", "é-1", "LOINC"),
            ("http://www.nlm.nih.gov/research/umls/rxnorm", "aspirin", "RxNorm"),
            ("http://www.whocc.no/atc", "C9AA05", "ATC"),
            ("urn:oid:2.16.840.1.113883.6.3", "11.9", "ICD-10"),
            ("http://hl7.org/fhir/sid/icd-10", "糖尿病", "ICD-10"),
            ("http://id.who.int/icd/release/11/mms", "5I1", "ICD-11"),
            ("http://unitsofmeasure.org", "mm Hg", "UCUM"),
            ("https://www.nmpa.gov.cn", "H2001", "国药准字 (NMPA)"),
        ] {
            assert_eq!(malformed(system, code), Some(name), "{system} {code}");
        }
    }
}
