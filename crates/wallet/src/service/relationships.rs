//! Another hospital: an identity of its own, so that nobody who reads the ledger can join the two.

use amulet_app_api::wallet::{AddHospital, SessionView};
use amulet_app_api::{ApiError, ErrorCode};
use amulet_crypto::entropy::SystemEntropy;
use std::sync::Arc;
use zeroize::Zeroizing;

use super::Service;
use super::error::storage;
use super::replacing::is_replaced_everywhere;
use crate::identity::{Identity, Relationship};
use crate::keyfile;

impl Service {
    /// Registers an identity for a hospital and adds it to the wallet. The file is changed only once the ledger has the identity, and
    /// a second try finds it there, so that an interruption loses nothing.
    pub(super) async fn add_hospital(&self, call: AddHospital) -> Result<SessionView, ApiError> {
        let passphrase = Zeroizing::new(call.passphrase);
        let person = self.patient()?;
        let owner = &person.owner;
        let hospital = self.hospital_of(&call.hospital)?;
        let relationship = Relationship::made_under(hospital, owner.seeds.former().len());
        if person.sessions().iter().any(|session| session.relationship.hospital == hospital) {
            return Err(ApiError::new(ErrorCode::BadRequest).with("field", "hospital"));
        }
        // The words that took the place of these would never bring the new identity back.
        if is_replaced_everywhere(&person) {
            return Err(ErrorCode::KeysReplaced.into());
        }
        self.opened_again(&person, &passphrase).await?;
        self.register(&Identity::of(&owner.seeds, relationship)).await?;
        // Read only now: hospitals take their time, and the file may have changed meanwhile.
        let _alone = self.files.lock().await;
        let bytes = self.file_bytes(owner)?;
        let extend = || keyfile::add_relationship(&bytes, &passphrase, hospital, &mut SystemEntropy);
        let extended = self.try_passphrase(owner.id, extend).await?;
        let person = {
            let mut state = self.state();
            let person = Arc::new(state.opened_by(owner)?.with(relationship));
            self.store.write(&owner.id.file_name(), &extended).map_err(storage)?;
            state.person = Some(Arc::clone(&person));
            person
        };
        self.session_view(&person).await
    }
}
