//! Every way to say no, each with its status and an OperationOutcome in words.

use amulet_app_api::clinician::ClosedByRulesView;
use amulet_app_api::{ApiError, ErrorCode};
use amulet_fhir::rest::QueryError;
use amulet_protocol::grant::Standing;
use serde_json::{Value, json};

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No token, or none that is known.
    #[error("a token of this gateway is needed: Authorization: Bearer …")]
    Unauthenticated,
    /// The question is malformed or not supported.
    #[error("{0}")]
    Bad(String),
    /// No such address, type or resource.
    #[error("{0}")]
    NotFound(String),
    /// A page of a search whose records have changed since.
    #[error("what was searched has changed since the first page; search again")]
    Gone,
    /// Only reading is offered.
    #[error("only GET is answered; nothing can be written here")]
    Method,
    /// Another format than JSON is wanted.
    #[error("answers are application/fhir+json; nothing else is offered")]
    NotAcceptable,
    /// The address is too long.
    #[error("the address has {found} bytes, at most {limit} are read")]
    UrlTooLong {
        /// Bytes.
        found: usize,
        /// The most.
        limit: usize,
    },
    /// The patient, the ledger or the rules do not allow it.
    #[error("{0}")]
    Forbidden(String),
    /// Too many questions at once.
    #[error("too many questions at once; ask again shortly")]
    Busy,
    /// It took too long.
    #[error("the hospitals did not agree in time; ask again shortly")]
    TimedOut,
    /// The consortium cannot be asked or checked just now.
    #[error(
        "the hospitals cannot be asked or their answers not be checked just now ({0}); ask again shortly"
    )]
    Unavailable(String),
    /// A hospital's answer failed a check.
    #[error("a hospital's answer failed a check and is not shown ({0})")]
    Forged(String),
    /// A fault of the gateway.
    #[error("the gateway failed; its log says more")]
    Internal,
}

/// What is said to a reader who has no grant of a patient, whether there is such a patient or not.
const NO_GRANT: &str = "no patient of this identity has a grant in force for this reader";

impl Failure {
    /// No grant of this patient at all, or nobody of this identity.
    #[must_use]
    pub fn no_grant() -> Self {
        Self::Forbidden(NO_GRANT.to_owned())
    }

    /// The reader has grants of the patient, and none gives anything now.
    #[must_use]
    pub fn ended(standings: &[Standing]) -> Self {
        // What can still change for the better is said first.
        let words = [
            (Standing::Paused, "the patient has paused the grant"),
            (Standing::NotYet, "the grant has not begun"),
            (Standing::UsedUp, "the grant was used as often as the patient allowed"),
            (Standing::Revoked, "the patient has taken the grant back"),
            (Standing::Expired, "the grant has expired"),
        ];
        let said = words.into_iter().find(|(standing, _)| standings.contains(standing));
        said.map_or_else(Self::no_grant, |(_, words)| Self::Forbidden(words.to_owned()))
    }

    /// The grants are for something else than what was asked for.
    #[must_use]
    pub fn other_purpose(asked: &str) -> Self {
        Self::Forbidden(format!("no grant of this patient in force is for the purpose {asked}"))
    }

    /// The rules close everything that the grant opens.
    #[must_use]
    pub fn closed(kinds: &[ClosedByRulesView]) -> Self {
        let rules = kinds.iter().flat_map(|kind| &kind.rules).map(|rule| rule.en.as_str());
        let mut rules: Vec<&str> = rules.collect();
        rules.sort_unstable();
        rules.dedup();
        let said = if rules.is_empty() { "no rule permits it".to_owned() } else { rules.join(" ") };
        Self::Forbidden(format!(
            "the consortium's rules do not let this reader have these records now: {said}"
        ))
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Unauthenticated => 401,
            Self::Bad(_) => 400,
            Self::NotFound(_) => 404,
            Self::Gone => 410,
            Self::Method => 405,
            Self::NotAcceptable => 406,
            Self::UrlTooLong { .. } => 414,
            Self::Forbidden(_) => 403,
            Self::Busy | Self::Unavailable(_) => 503,
            Self::TimedOut => 504,
            Self::Forged(_) => 502,
            Self::Internal => 500,
        }
    }

    /// The code of R4's `issue-type`.
    fn code(&self) -> &'static str {
        match self {
            Self::Unauthenticated => "login",
            Self::Bad(_) => "invalid",
            Self::NotFound(_) => "not-found",
            Self::Gone => "conflict",
            Self::Method | Self::NotAcceptable => "not-supported",
            Self::UrlTooLong { .. } => "too-long",
            Self::Forbidden(_) => "forbidden",
            Self::Busy => "throttled",
            Self::Unavailable(_) => "transient",
            Self::TimedOut => "timeout",
            Self::Forged(_) => "security",
            Self::Internal => "exception",
        }
    }

    /// The OperationOutcome.
    #[must_use]
    pub fn outcome(&self) -> Value {
        outcome(&[issue("error", self.code(), &self.to_string())])
    }
}

/// One issue.
#[must_use]
pub fn issue(severity: &str, code: &str, text: &str) -> Value {
    json!({ "severity": severity, "code": code, "diagnostics": text })
}

/// An OperationOutcome of at least one issue.
#[must_use]
pub fn outcome(issues: &[Value]) -> Value {
    json!({ "resourceType": "OperationOutcome", "issue": issues })
}

impl From<QueryError> for Failure {
    fn from(error: QueryError) -> Self {
        Self::Bad(error.to_string())
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        let why = || error.details.get("why").map(String::as_str);
        match error.code {
            ErrorCode::GrantEnded => Self::ended(&[match why() {
                Some("revoked") => Standing::Revoked,
                Some("used_up") => Standing::UsedUp,
                Some("paused") => Standing::Paused,
                _ => Standing::Expired,
            }]),
            ErrorCode::NotFound => Self::no_grant(),
            ErrorCode::NotAClinician => {
                Self::Forbidden("the reader is not registered as practising now".to_owned())
            }
            ErrorCode::Refused => {
                let reason = error.details.get("reason").map_or("not allowed", String::as_str);
                Self::Forbidden(format!("the ledger refuses this reading: {reason}"))
            }
            ErrorCode::Unreachable
            | ErrorCode::TooFewWitnesses
            | ErrorCode::NotCommitted
            | ErrorCode::RecordUnavailable
            | ErrorCode::Stale
            | ErrorCode::ClockBehind => Self::Unavailable(format!("{:?}", error.code)),
            ErrorCode::Forged | ErrorCode::Disagreement => Self::Forged(format!("{:?}", error.code)),
            _ => {
                tracing::error!(%error, "reading failed");
                Self::Internal
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_has_its_status_and_its_words() {
        let of = |error: ApiError| {
            let failure = Failure::from(error);
            (failure.status(), failure.to_string())
        };
        let revoked = of(ApiError::new(ErrorCode::GrantEnded).with("why", "revoked"));
        assert_eq!(revoked, (403, "the patient has taken the grant back".to_owned()));
        assert_eq!(of(ErrorCode::NotFound.into()), (403, NO_GRANT.to_owned()));
        assert_eq!(of(ErrorCode::Unreachable.into()).0, 503);
        assert_eq!(of(ErrorCode::Forged.into()).0, 502);
        assert_eq!(of(ApiError::new(ErrorCode::Internal).with("message", "secret")).1.find("secret"), None);
    }

    #[test]
    fn nobody_and_no_grant_are_the_same_words() {
        assert_eq!(Failure::ended(&[]), Failure::no_grant());
        assert_eq!(
            Failure::ended(&[Standing::Revoked, Standing::Paused]).to_string(),
            "the patient has paused the grant"
        );
    }
}
