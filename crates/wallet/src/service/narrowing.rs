//! What a running grant opens, record by record, so that the patient can take some of it out.

use amulet_app_api::ApiError;
use amulet_app_api::access::ShareRecordsView;

use super::Service;

impl Service {
    /// The records that a grant of this patient opens, newest first.
    pub(super) async fn share_records(&self, grant: &str) -> Result<ShareRecordsView, ApiError> {
        let (session, id, state) = self.own_grant(grant).await?;
        let loaded = self.load_records(&session).await?;
        let opened = loaded.iter().filter(|record| state.records.contains(&record.meta.entry.id));
        let records: Vec<_> = opened.map(|record| record.line.clone()).collect();
        let hidden = (state.records.len() - records.len()) as u64;
        Ok(ShareRecordsView { share: self.share_view(&session, id, &state).await?, records, hidden })
    }
}
