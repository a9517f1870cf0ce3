//! A question as it comes in: its address and headers, bounded before anything is done with them.

use crate::outcome::Failure;
use amulet_fhir::rest::{ParameterKind, Query, QueryError, SERVED, Served, served};
use amulet_protocol::ids::Did;

/// Longest address that is read, in bytes.
pub const URL_BYTES_MAX: usize = 4_096;
/// Most parameters of one search.
pub const PARAMETERS_MAX: usize = 40;
/// Resources of one page unless another number is asked for.
pub const COUNT: usize = 50;
/// Most resources of one page; more are not refused, but cut to this.
pub const COUNT_MAX: usize = 200;
/// Longest FHIR id.
const ID_CHARS_MAX: usize = 64;
/// The parameter of our page links.
pub const PAGE: &str = "_page";
/// What stands before the identifier in a DID.
const DID_PREFIX: &str = "did:amulet:";

/// What is asked for.
#[derive(Debug)]
pub enum Question {
    /// The CapabilityStatement.
    Capabilities,
    /// One resource, or one version of it.
    Read {
        /// Its type.
        served: &'static Served,
        /// Whose it is.
        patient: Did,
        /// Its logical id.
        id: String,
        /// Which version.
        version: Option<String>,
    },
    /// A search.
    Search(Search),
}

/// A search.
#[derive(Debug)]
pub struct Search {
    /// The type.
    pub served: &'static Served,
    /// Whose records.
    pub patient: Did,
    /// What must hold.
    pub query: Query,
    /// Resources of a page.
    pub count: usize,
    /// Where the page begins, and what the searched shelf was then.
    pub page: Option<(usize, String)>,
    /// What was understood, for links: names and values.
    pub applied: Vec<(String, String)>,
    /// Parameters that were not understood and ignored.
    pub ignored: Vec<String>,
}

/// The headers that matter.
#[derive(Debug, Clone, Copy, Default)]
pub struct Headers<'h> {
    /// `Accept`.
    pub accept: Option<&'h str>,
    /// `Prefer`.
    pub prefer: Option<&'h str>,
}

/// The part of a DID that is the patient's logical id.
#[must_use]
pub fn patient_id(did: &Did) -> String {
    did.to_string().trim_start_matches(DID_PREFIX).to_owned()
}

/// The patient of a logical id: of the patient, or of anything of theirs.
fn patient_of(id: &str) -> Option<Did> {
    let own = id.split('.').next()?;
    let did: Did = format!("{DID_PREFIX}{own}").parse().ok()?;
    // One identity has one id.
    (patient_id(&did) == own).then_some(did)
}

/// Reads an address below `base_path`.
///
/// # Errors
/// [`Failure`] by variant; nothing of it depends on who is asked about.
pub fn parse(base: &str, path: &str, query: Option<&str>, headers: Headers<'_>) -> Result<Question, Failure> {
    let found = path.len() + query.map_or(0, |query| query.len() + 1);
    if found > URL_BYTES_MAX {
        return Err(Failure::UrlTooLong { found, limit: URL_BYTES_MAX });
    }
    let parameters = parameters(query.unwrap_or_default())?;
    check_format(&parameters, headers.accept)?;
    let nowhere = || Failure::NotFound("there is nothing at this address".to_owned());
    let below =
        path.strip_prefix(path_of(base)).and_then(|below| below.strip_prefix('/')).ok_or_else(nowhere)?;
    let parts: Vec<&str> = below.trim_end_matches('/').split('/').collect();
    match parts.as_slice() {
        ["metadata"] => Ok(Question::Capabilities),
        [kind] => search(base, known(kind)?, parameters, is_strict(headers.prefer)).map(Question::Search),
        [kind, id] => read(known(kind)?, id, None),
        [kind, id, "_history", version] => read(known(kind)?, id, Some(version)),
        _ => Err(nowhere()),
    }
}

/// The path of an address.
fn path_of(base: &str) -> &str {
    let host = base.split_once("://").map_or(base, |(_, host)| host);
    host.find('/').map_or("", |at| &host[at..])
}

fn known(kind: &str) -> Result<&'static Served, Failure> {
    served(kind).ok_or_else(|| {
        let kinds: Vec<&str> = SERVED.iter().map(|served| served.name).collect();
        Failure::NotFound(format!("resources of this type are not served; these are: {}", kinds.join(", ")))
    })
}

fn is_id(id: &str) -> bool {
    (1..=ID_CHARS_MAX).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
}

fn read(served: &'static Served, id: &str, version: Option<&str>) -> Result<Question, Failure> {
    if !is_id(id) || version.is_some_and(|version| !is_id(version)) {
        return Err(Failure::Bad("an id has 1 to 64 letters, digits, dots and hyphens".to_owned()));
    }
    // No id of this server, so nobody's.
    let patient =
        patient_of(id).ok_or_else(|| Failure::NotFound("there is no resource of this id".to_owned()))?;
    Ok(Question::Read { served, patient, id: id.to_owned(), version: version.map(str::to_owned) })
}

fn parameters(query: &str) -> Result<Vec<(String, String)>, Failure> {
    let mut found = Vec::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if found.len() >= PARAMETERS_MAX {
            return Err(Failure::Bad(format!("more than {PARAMETERS_MAX} parameters")));
        }
        found.push((name.into_owned(), value.into_owned()));
    }
    Ok(found)
}

/// Whether JSON is an answer to what is wanted.
fn check_format(parameters: &[(String, String)], accept: Option<&str>) -> Result<(), Failure> {
    const JSON: [&str; 4] = ["json", "application/json", "application/fhir+json", "text/json"];
    let format =
        parameters.iter().find(|(name, _)| name == "_format").map(|(_, value)| value.replace(' ', "+"));
    let wanted = match &format {
        Some(format) => format.as_str(),
        None => accept.unwrap_or("*/*"),
    };
    let takes = wanted.split(',').any(|one| {
        let kind = one.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        JSON.contains(&kind.as_str()) || matches!(kind.as_str(), "*/*" | "application/*")
    });
    if takes { Ok(()) } else { Err(Failure::NotAcceptable) }
}

/// `Prefer: handling=strict`; lenient otherwise (<https://hl7.org/fhir/R4/search.html#errors>).
fn is_strict(prefer: Option<&str>) -> bool {
    let preferences = prefer.unwrap_or_default().split([',', ';']);
    preferences.map(str::trim).any(|one| one.eq_ignore_ascii_case("handling=strict"))
}

fn search(
    base: &str,
    served: &'static Served,
    parameters: Vec<(String, String)>,
    strict: bool,
) -> Result<Search, Failure> {
    let (mut patient, mut query) = (None, Query::default());
    let (mut count, mut page) = (COUNT, None);
    let (mut applied, mut ignored) = (Vec::new(), Vec::new());
    for (name, value) in parameters {
        match name.as_str() {
            // An answer in JSON is what there is.
            "_format" | "_pretty" => continue,
            "_count" => count = count_of(&value)?,
            PAGE => {
                page = Some(page_of(&value)?);
                continue;
            }
            "patient"
                if served.parameter("patient").is_some_and(|known| known.kind == ParameterKind::Patient) =>
            {
                one_patient(&mut patient, reference(base, &value)?)?;
            }
            "_id" => {
                for id in value.split(',') {
                    // Nobody's id is found with nobody.
                    let of = is_id(id).then(|| patient_of(id)).flatten();
                    one_patient(&mut patient, of.ok_or_else(no_patient)?)?;
                }
                query.add(served, &name, &value)?;
            }
            "identifier" if served.name == "Patient" => {
                let value_of = value.rsplit('|').next().unwrap_or_default();
                if let Ok(did) = value_of.parse::<Did>() {
                    one_patient(&mut patient, did)?;
                }
                query.add(served, &name, &value)?;
            }
            _ => match query.add(served, &name, &value) {
                Ok(()) => {}
                Err(QueryError::Unknown { .. }) if !strict => {
                    ignored.push(name);
                    continue;
                }
                Err(error) => return Err(error.into()),
            },
        }
        applied.push((name, value));
    }
    let patient = patient.ok_or_else(no_patient)?;
    Ok(Search { served, patient, query, count, page, applied, ignored })
}

fn no_patient() -> Failure {
    Failure::Bad(
        "a search is of one patient: patient=Patient/ID, _id, or for a Patient identifier=did:amulet:…"
            .to_owned(),
    )
}

fn one_patient(known: &mut Option<Did>, found: Did) -> Result<(), Failure> {
    match known {
        Some(known) if *known != found => Err(Failure::Bad("a search is of one patient".to_owned())),
        _ => {
            *known = Some(found);
            Ok(())
        }
    }
}

/// `ID`, `Patient/ID`, our own address of it, or a DID.
fn reference(base: &str, value: &str) -> Result<Did, Failure> {
    if let Ok(did) = value.parse::<Did>() {
        return Ok(did);
    }
    let below = value.strip_prefix(base).and_then(|below| below.strip_prefix('/')).unwrap_or(value);
    let id = below.strip_prefix("Patient/").unwrap_or(below);
    let is_patient = is_id(id) && !id.contains('.');
    is_patient.then(|| patient_of(id)).flatten().ok_or_else(no_patient)
}

fn count_of(value: &str) -> Result<usize, Failure> {
    let count: usize = value.parse().map_err(|_| Failure::Bad("_count is no number".to_owned()))?;
    Ok(count.min(COUNT_MAX))
}

fn page_of(value: &str) -> Result<(usize, String), Failure> {
    let bad = || Failure::Bad("this is no page link of this server".to_owned());
    let (from, shelf) = value.split_once('-').ok_or_else(bad)?;
    let is_shelf = !shelf.is_empty()
        && shelf.len() <= ID_CHARS_MAX
        && shelf.bytes().all(|byte| byte.is_ascii_hexdigit());
    let from = from.parse().map_err(|_| bad())?;
    if is_shelf { Ok((from, shelf.to_owned())) } else { Err(bad()) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const BASE: &str = "http://127.0.0.1:8180/fhir";

    fn did() -> Did {
        "did:amulet:2CSb3yfEFbvuaJSsB8k6qmpiJRjp".parse().unwrap()
    }

    fn ask(url: &str, headers: Headers<'_>) -> Result<Question, Failure> {
        let (path, query) = url.split_once('?').map_or((url, None), |(path, query)| (path, Some(query)));
        parse(BASE, path, query, headers)
    }

    fn searched(url: &str) -> Result<Search, Failure> {
        match ask(url, Headers::default())? {
            Question::Search(search) => Ok(search),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_patient_is_named_in_the_ways_fhir_has() {
        let id = patient_id(&did());
        for value in [id.clone(), format!("Patient/{id}"), format!("{BASE}/Patient/{id}"), did().to_string()]
        {
            let search = searched(&format!("/fhir/Observation?patient={value}")).unwrap();
            assert_eq!(search.patient, did(), "{value}");
        }
        let by_id = searched(&format!("/fhir/Observation?_id={id}.ab,{id}.cd")).unwrap();
        assert_eq!(by_id.patient, did());
        let patient = searched(&format!("/fhir/Patient?identifier=urn:ietf:rfc:3986|{}", did())).unwrap();
        assert_eq!(patient.patient, did());
        for wrong in [
            "/fhir/Observation",
            "/fhir/Observation?patient=1",
            "/fhir/Observation?patient=Group/1",
            "/fhir/Patient",
        ] {
            assert_eq!(searched(wrong).unwrap_err().status(), 400, "{wrong}");
        }
    }

    #[test]
    fn an_unknown_parameter_is_ignored_and_said_unless_the_client_is_strict() {
        let url = format!("/fhir/Observation?patient={}&colour=red&_sort=date", patient_id(&did()));
        let search = searched(&url).unwrap();
        assert_eq!(search.ignored, ["colour", "_sort"]);
        assert_eq!(search.applied.len(), 1);
        let strict = Headers { prefer: Some("return=minimal, handling=strict"), ..Headers::default() };
        assert_eq!(ask(&url, strict).unwrap_err().status(), 400);
        let modifier = url.replace("colour=red", "code:text=red");
        assert_eq!(searched(&modifier).unwrap_err().status(), 400, "a modifier changes what is meant");
    }

    #[test]
    fn hostile_addresses_are_refused_with_the_status_for_it() {
        let id = patient_id(&did());
        let many = "&code=a".repeat(PARAMETERS_MAX + 1);
        for (url, status) in [
            (format!("/fhir/Observation?{}", "a".repeat(URL_BYTES_MAX)), 414),
            (format!("/fhir/Observation?patient={id}{many}"), 400),
            (format!("/fhir/Observation?patient={id}&_count=-1"), 400),
            (format!("/fhir/Observation?patient={id}&_page=zz"), 400),
            (format!("/fhir/Observation?patient={id}&_page=1-zz"), 400),
            (format!("/fhir/Observation?patient={id}&date=%FF%FE"), 400),
            (format!("/fhir/Observation?_id={id}.a,{}", "x"), 400),
            ("/fhir/Observation/%2e%2e".to_owned(), 400),
            (format!("/fhir/Observation/{}", "a".repeat(65)), 400),
            ("/fhir/Observation/a/b/c/d".to_owned(), 404),
            ("/fhir/Claim".to_owned(), 404),
            ("/fhir/Observation/nobody".to_owned(), 404),
            ("/elsewhere".to_owned(), 404),
            ("/fhirx/metadata".to_owned(), 404),
            ("/fhir".to_owned(), 404),
        ] {
            assert_eq!(ask(&url, Headers::default()).unwrap_err().status(), status, "{url}");
        }
        assert_eq!(
            searched(&format!("/fhir/Observation?patient={id}&_count=999999")).unwrap().count,
            COUNT_MAX
        );
    }

    #[test]
    fn only_json_is_offered() {
        let asked = |url: &str, accept| ask(url, Headers { accept, ..Headers::default() });
        assert!(asked("/fhir/metadata", None).is_ok());
        assert!(
            asked("/fhir/metadata", Some("application/xml;q=0.3, application/fhir+json; fhirVersion=4.0"))
                .is_ok()
        );
        assert!(asked("/fhir/metadata?_format=application/fhir+json", Some("text/html")).is_ok());
        assert_eq!(asked("/fhir/metadata", Some("application/fhir+xml")).unwrap_err().status(), 406);
        assert_eq!(asked("/fhir/metadata?_format=xml", None).unwrap_err().status(), 406);
    }
}
