//! Answers: from a question, a token and a clock to a status, headers and bytes.

use crate::bundle::Page;
use crate::capability::statement;
use crate::clients::{Client, authenticated};
use crate::opened::Opened;
use crate::outcome::{Failure, issue, outcome};
use crate::request::{Headers, Question, Search, parse};
use amulet_fhir::rest::{Item, Served, Source};
use amulet_protocol::ids::Did;
use amulet_wallet::service::Service;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

/// Questions that are answered at once; more are told to come again.
pub const QUESTIONS_AT_ONCE: usize = 32;
/// How long an answer may take. A reading that is on its way goes on, and the next question finds it.
pub const ANSWER_TIME_MAX: Duration = Duration::from_secs(90);
/// The header by which a client says what it asks for, as code of HL7's `v3-ActReason`.
pub const PURPOSE_HEADER: &str = "purpose-of-use";

/// The gateway.
pub struct App {
    base: String,
    clients: Vec<Client>,
    opened: Opened,
    slots: Arc<Semaphore>,
}

/// A question with the headers that matter.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Method.
    pub method: String,
    /// Path.
    pub path: String,
    /// What stands behind the `?`.
    pub query: Option<String>,
    /// `Authorization`.
    pub authorization: Option<String>,
    /// `Accept`.
    pub accept: Option<String>,
    /// `Prefer`.
    pub prefer: Option<String>,
    /// [`PURPOSE_HEADER`].
    pub purpose: Option<String>,
    /// `If-None-Match`.
    pub if_none_match: Option<String>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The version, for `ETag`.
    pub version: Option<String>,
    /// JSON; empty for 304.
    pub body: Zeroizing<Vec<u8>>,
}

impl Answer {
    fn of(status: u16, value: &Value) -> Self {
        Self { status, version: None, body: Zeroizing::new(value.to_string().into_bytes()) }
    }
}

impl App {
    /// A gateway for a wallet that is open.
    #[must_use]
    pub fn new(service: Service, base: String, clients: Vec<Client>) -> Self {
        let slots = Arc::new(Semaphore::new(QUESTIONS_AT_ONCE));
        Self { base, clients, opened: Opened::new(service), slots }
    }

    /// Answers. Every failure is an OperationOutcome.
    pub async fn answer(self: &Arc<Self>, asked: Asked) -> Answer {
        let result = match Arc::clone(&self.slots).try_acquire_owned() {
            Err(_) => Err(Failure::Busy),
            Ok(slot) => {
                let app = Arc::clone(self);
                // On its own: a client that hangs up must not cut off a reading that was stated already.
                let work = tokio::spawn(async move {
                    let answer = app.found(&asked).await;
                    drop(slot);
                    answer
                });
                match tokio::time::timeout(ANSWER_TIME_MAX, work).await {
                    Err(_) => Err(Failure::TimedOut),
                    Ok(Err(_)) => Err(Failure::Internal),
                    Ok(Ok(result)) => result,
                }
            }
        };
        result.unwrap_or_else(|failure| Answer::of(failure.status(), &failure.outcome()))
    }

    /// Forgets readings that are too old.
    pub fn forget_old(&self) {
        self.opened.forget_old();
    }

    async fn found(&self, asked: &Asked) -> Result<Answer, Failure> {
        if asked.method != "GET" {
            return Err(Failure::Method);
        }
        let headers = Headers { accept: asked.accept.as_deref(), prefer: asked.prefer.as_deref() };
        let question = parse(&self.base, &asked.path, asked.query.as_deref(), headers);
        if let Ok(Question::Capabilities) = question {
            return Ok(Answer::of(200, &statement(&self.base)));
        }
        let client =
            authenticated(&self.clients, asked.authorization.as_deref()).ok_or(Failure::Unauthenticated)?;
        let purpose = purpose(client, asked.purpose.as_deref())?;
        let (kind, answer) = match question? {
            Question::Capabilities => return Err(Failure::Internal),
            Question::Read { served, patient, id, version } => {
                let answer = self.read(served, patient, purpose, &id, version.as_deref()).await;
                (served.name, answer.map(|answer| not_modified(answer, asked)))
            }
            Question::Search(search) => (search.served.name, self.search(&search, purpose).await),
        };
        let status = answer.as_ref().map_or_else(Failure::status, |answer| answer.status);
        tracing::info!(client = %client.name, kind, purpose, status, "answered");
        answer
    }

    async fn read(
        &self,
        served: &Served,
        patient: Did,
        purpose: &'static str,
        id: &str,
        version: Option<&str>,
    ) -> Result<Answer, Failure> {
        let wanted = |item: &&Item| {
            let is_version =
                version.map_or(item.is_newest, |version| item.version.as_deref() == Some(version));
            item.resource_type == served.name && item.id == id && is_version
        };
        let answer =
            |item: &Item| Answer { status: 200, version: item.version.clone(), body: item.json.clone() };
        let (found, issues) = match served.source {
            Source::Ledger => {
                (self.opened.of_ledger(patient, served.name).await?.iter().find(wanted).map(answer), vec![])
            }
            Source::Records => {
                let open = self.opened.shelf(patient, purpose).await?;
                (open.shelf.items().iter().find(wanted).map(answer), open.issues.clone())
            }
        };
        if let Some(found) = found {
            return Ok(found);
        }
        let none = issue("error", "not-found", "nothing that the grant opens has this id");
        Ok(Answer::of(404, &outcome(&[vec![none], issues].concat())))
    }

    async fn search(&self, search: &Search, purpose: &'static str) -> Result<Answer, Failure> {
        let ignored = search.ignored.iter().map(|name| {
            let known: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
            issue(
                "warning",
                "not-supported",
                &format!("{} is not searched by {known}; it was ignored", search.served.name),
            )
        });
        let mut issues: Vec<Value> = ignored.collect();
        match search.served.source {
            Source::Ledger => {
                let items = self.opened.of_ledger(search.patient, search.served.name).await?;
                // Entries are only ever added.
                self.page(search, &items, &format!("{:x}", items.len()), &issues)
            }
            Source::Records => {
                let open = self.opened.shelf(search.patient, purpose).await?;
                issues.extend(open.issues.iter().cloned());
                self.page(search, open.shelf.items(), &open.name, &issues)
            }
        }
    }

    fn page(
        &self,
        search: &Search,
        items: &[Item],
        shelf: &str,
        issues: &[Value],
    ) -> Result<Answer, Failure> {
        if search.page.as_ref().is_some_and(|(_, then)| then != shelf) {
            return Err(Failure::Gone);
        }
        let is_wanted = |item: &&Item| {
            item.resource_type == search.served.name && item.is_newest && search.query.matches(item)
        };
        let found: Vec<&Item> = items.iter().filter(is_wanted).collect();
        let page = Page { base: &self.base, search, found: &found, shelf, issues };
        Ok(Answer { status: 200, version: None, body: page.json() })
    }
}

/// What the client asks for: what it says, if it may, else its first purpose.
fn purpose(client: &Client, said: Option<&str>) -> Result<&'static str, Failure> {
    let Some(said) = said else { return client.purposes.first().copied().ok_or(Failure::Internal) };
    let known = client.purposes.iter().find(|purpose| **purpose == said.trim());
    known.copied().ok_or_else(|| Failure::Forbidden("this client may not ask for this purpose".to_owned()))
}

/// 304 where the client has this version.
fn not_modified(answer: Answer, asked: &Asked) -> Answer {
    let has = |version: &String| {
        let tags = asked.if_none_match.as_deref().unwrap_or_default().split(',').map(str::trim);
        tags.into_iter().any(|tag| tag.trim_start_matches("W/") == format!("\"{version}\""))
    };
    match &answer.version {
        Some(version) if has(version) => Answer { status: 304, body: Zeroizing::default(), ..answer },
        _ => answer,
    }
}
