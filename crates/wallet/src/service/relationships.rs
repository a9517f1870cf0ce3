//! Another hospital: an identity of its own, so that nobody who reads the ledger can join the two.

use amulet_app_api::wallet::{AddHospital, SessionView};
use amulet_app_api::{ApiError, ErrorCode};
use amulet_crypto::entropy::SystemEntropy;
use std::sync::Arc;
use zeroize::Zeroizing;

use super::Service;
use super::error::storage;
use crate::identity::{Identity, Relationship};
use crate::keyfile;

impl Service {
    /// Registers an identity for a hospital and adds it to the wallet. The file is written only once the ledger has the identity, and
    /// a second try finds it there, so that an interruption loses nothing.
    pub(super) async fn add_hospital(&self, call: AddHospital) -> Result<SessionView, ApiError> {
        let passphrase = Zeroizing::new(call.passphrase);
        let person = self.patient()?;
        let hospital = self.hospital_of(&call.hospital)?;
        let relationship = Relationship::made_under(hospital, person.owner.seeds.former().len());
        if person.sessions().iter().any(|session| session.relationship.hospital == hospital) {
            return Err(ApiError::new(ErrorCode::BadRequest).with("field", "hospital"));
        }
        let name = self.file_of(&person.owner.id.to_string())?;
        let bytes = self.store.read(&name).map_err(storage)?;
        let bytes = bytes.ok_or_else(|| ApiError::new(ErrorCode::NoSuchWallet))?;
        let extend = || keyfile::add_relationship(&bytes, &passphrase, hospital, &mut SystemEntropy);
        let extended = self.try_passphrase(person.owner.id, extend).await?;
        self.register(&Identity::of(&person.owner.seeds, relationship)).await?;
        self.store.write(&name, &extended).map_err(storage)?;
        let extended = Arc::new(person.with(relationship));
        {
            let mut state = self.state();
            // Whoever locked the wallet meanwhile must not find it open again.
            if !state.person.as_ref().is_some_and(|open| Arc::ptr_eq(open, &person)) {
                return Err(ErrorCode::Locked.into());
            }
            state.person = Some(Arc::clone(&extended));
        }
        self.session_view(&extended).await
    }
}
