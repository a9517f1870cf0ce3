//! What the rules would say to a reader, before they sign that they read.

use super::{Release, failed, refused};
use amulet_protocol::calls::GrantId;
use amulet_protocol::grant::GrantState;
use amulet_protocol::ids::Timestamp;
use amulet_protocol::light::{AccessRefusal, LightRefusal, ReadGround, UntrustedReadRequest};
use amulet_protocol::rules::ExplainedReading;
use amulet_protocol::state::{Practitioner, StateKey};

impl Release {
    /// What the rule book says of a reading now, by the asker, of all that a grant to them opens. Blocks on the disk, and takes longer
    /// the more rules there are.
    ///
    /// # Errors
    /// As [`Release::authorize`]; [`LightRefusal::Malformed`] for a request that names ciphertexts or another ground;
    /// [`AccessRefusal::Unknown`] for a grant that is not for the asker.
    pub fn explain(
        &self,
        now: Timestamp,
        id: GrantId,
        untrusted: &UntrustedReadRequest,
    ) -> Result<ExplainedReading, LightRefusal> {
        let request = &untrusted.request;
        if request.ground != ReadGround::Own || !request.blobs.is_empty() {
            return Err(LightRefusal::Malformed);
        }
        self.authorize(now, untrusted)?;
        let now = now.max(self.ledger.tip().time);
        let grant: Option<GrantState> = self.state(&StateKey::Grant(id))?;
        let registration: Option<Practitioner> = self.state(&StateKey::Practitioner(request.reader))?;
        let own = |grant: &GrantState| {
            grant.grantee.includes(request.reader, registration.as_ref(), grant.purpose, now)
        };
        let unknown = || refused(AccessRefusal::Unknown);
        grant.filter(own).ok_or_else(unknown)?;
        let moment = self.ledger.moment().map_err(failed)?;
        moment.explain_reading(id, request.reader, now).map_err(failed)?.ok_or_else(unknown)
    }
}
