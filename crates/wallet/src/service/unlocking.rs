//! The passphrase: tried so often and no more, and changed.

use amulet_app_api::security::ChangePassphrase;
use amulet_app_api::wallet::Task;
use amulet_app_api::{ApiError, ErrorCode};
use amulet_crypto::entropy::SystemEntropy;
use amulet_crypto::passphrase::{self, PassphraseError, PassphraseParams};
use amulet_light_client::platform;
use zeroize::Zeroizing;

use super::Service;
use super::error::{keyfile as keyfile_error, storage};
use super::session::Owner;
use super::wallets::{BREATH, check_passphrase};
use crate::guard::{Guard, Waiting};
use crate::keyfile::{self, KeyFileError, KeyFileId};

/// How long the derivation of a key from the passphrase is to take on the device, in milliseconds.
const DERIVATION_MS: u64 = 500;

impl Service {
    /// Lets `open` try a passphrase on a wallet's file, unless it was tried too often. Whatever asks for the passphrase of a
    /// wallet comes through here.
    ///
    /// # Errors
    /// [`ErrorCode::TooManyTries`] with `wait_ms`, else those of `open`.
    pub(super) async fn try_passphrase<T>(
        &self,
        id: KeyFileId,
        open: impl FnOnce() -> Result<T, KeyFileError>,
    ) -> Result<T, ApiError> {
        let before = self.count_try(id)?;
        let _task = self.task(Task::Unlocking);
        platform::sleep(BREATH).await;
        let opened = open();
        // Keys were derived and moved there.
        amulet_crypto::wipe_stack();
        // Only a wrong passphrase is a guess; a right one clears what was counted.
        let after = match &opened {
            Ok(_) => Some(Guard::default()),
            Err(error) if is_guess(error) => None,
            Err(_) => Some(before),
        };
        if let Some(after) = after {
            let _alone = self.state();
            after.save(self.store.as_ref(), id).map_err(storage)?;
        }
        opened.map_err(keyfile_error)
    }

    /// Counts a try before it is judged: a program that is stopped meanwhile has used it up. Gives what was counted before.
    fn count_try(&self, id: KeyFileId) -> Result<Guard, ApiError> {
        // Two tries at once must not both be the first.
        let _alone = self.state();
        let (store, now) = (self.store.as_ref(), self.now());
        let mut guard = Guard::load(store, id, now).map_err(storage)?;
        let tried = guard.try_at(now);
        let kept = *tried.as_ref().unwrap_or(&guard);
        kept.save(store, id).map_err(storage)?;
        match tried {
            Ok(_) => Ok(guard),
            Err(Waiting { failures, wait_ms }) => {
                Err(ApiError::new(ErrorCode::TooManyTries).with("wait_ms", wait_ms).with("found", failures))
            }
        }
    }

    /// Argon2id's cost for this device: what takes about half a second, and never less than the floor.
    pub(super) fn passphrase_params(&self) -> PassphraseParams {
        if cfg!(target_arch = "wasm32") {
            // A page has one thread and little memory: the floor takes longer than half a second there.
            return PassphraseParams::floor(&mut SystemEntropy);
        }
        PassphraseParams::tuned(DERIVATION_MS, &mut SystemEntropy, |params| {
            let begun = self.now();
            // What cannot be derived is as good as too slow.
            let derived = passphrase::derive_key("how long does this device take", params);
            derived.map_or(u64::MAX, |_| self.now().millis_since(begun))
        })
    }

    /// Seals the open wallet's file under another passphrase.
    pub(super) async fn change_passphrase(&self, call: ChangePassphrase) -> Result<(), ApiError> {
        let (old, new) = (Zeroizing::new(call.passphrase), Zeroizing::new(call.new));
        check_passphrase(&new)?;
        let person = self.person()?;
        let _alone = self.files.lock().await;
        let bytes = self.file_bytes(&person.owner)?;
        let params = self.passphrase_params();
        let change = || keyfile::change_passphrase(&bytes, &old, &new, params, &mut SystemEntropy);
        let changed = self.try_passphrase(person.owner.id, change).await?;
        let state = self.state();
        state.opened_by(&person.owner)?;
        self.store.write(&person.owner.id.file_name(), &changed).map_err(storage)
    }

    /// The bytes of an open wallet's file.
    pub(super) fn file_bytes(&self, owner: &Owner) -> Result<Vec<u8>, ApiError> {
        let bytes = self.store.read(&owner.id.file_name()).map_err(storage)?;
        bytes.ok_or_else(|| ErrorCode::NoSuchWallet.into())
    }
}

/// Whether an error is what a wrong guess gives. A device without enough memory has judged nothing.
fn is_guess(error: &KeyFileError) -> bool {
    use PassphraseError::{Empty, TooLong};
    matches!(error, KeyFileError::WrongPassphrase | KeyFileError::Passphrase(Empty | TooLong { .. }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_passphrase_that_was_judged_is_a_guess() {
        let too_little = KeyFileError::Passphrase(PassphraseError::OutOfMemory);
        assert!(!is_guess(&too_little) && !is_guess(&KeyFileError::Damaged));
        assert!(is_guess(&KeyFileError::WrongPassphrase));
        assert!(is_guess(&KeyFileError::Passphrase(PassphraseError::Empty)));
    }
}
