//! Reading under a grant that the patient narrows in the same moment, or of whose records some are erased.

use amulet_app_api::clinician::GrantedRecordsView;
use amulet_app_api::{ApiError, ErrorCode};

use super::Service;
use super::reading::Reading;

impl Service {
    /// Reads all records of a grant, for people.
    pub(super) async fn read_grant(&self, grant: &str) -> Result<GrantedRecordsView, ApiError> {
        let (reading, narrowed) = self.read_what_is_left(grant).await?;
        Ok(GrantedRecordsView { narrowed, ..self.reading_view(&reading) })
    }

    /// Reads all records of a grant. A use that names a record which the patient has just closed is refused whole: what is left
    /// is then read, once more, and said to be less. So it is with a record that is erased, which is rare: only then it is looked up
    /// which are.
    pub(super) async fn read_what_is_left(&self, grant: &str) -> Result<(Reading, bool), ApiError> {
        match self.read_as_it_stands(grant, false).await {
            Err(error) if names_erased(&error) => Ok((self.read_as_it_stands(grant, true).await?, false)),
            Err(error) if names_too_many(&error) => Ok((self.read_as_it_stands(grant, false).await?, true)),
            outcome => Ok((outcome?, false)),
        }
    }
}

/// Whether a reading was refused because it named a record that is erased.
fn names_erased(error: &ApiError) -> bool {
    error.code == ErrorCode::Refused
        && error.details.get("reason").is_some_and(|reason| reason == "record_erased")
}

/// Whether a reading was refused because it named a record that the grant does not open any more.
fn names_too_many(error: &ApiError) -> bool {
    let reason = error.details.get("reason").map(String::as_str);
    error.code == ErrorCode::Refused && matches!(reason, Some("not_granted" | "not_covered"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::error::light;
    use amulet_light_client::{LightError, NodeIndex};
    use amulet_protocol::light::{AccessRefusal, LightRefusal};

    #[test]
    fn only_a_reading_that_names_too_many_is_tried_again() {
        let refused = |refusal| light(LightError::Refused { node: NodeIndex(0), refusal }, |_| None);
        assert!(names_too_many(&refused(LightRefusal::NotAllowed(AccessRefusal::NotCovered))));
        for other in [AccessRefusal::Revoked, AccessRefusal::Paused, AccessRefusal::Unknown] {
            assert!(!names_too_many(&refused(LightRefusal::NotAllowed(other))), "{other:?}");
        }
        let used = crate::service::error::refusal(amulet_protocol::receipt::RefusalCode::NotGranted);
        assert!(names_too_many(&used));
        let erased = crate::service::error::refusal(amulet_protocol::receipt::RefusalCode::RecordErased);
        assert!(names_erased(&erased) && !names_too_many(&erased) && !names_erased(&used));
    }
}
