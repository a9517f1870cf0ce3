//! The wallet as a file that its owner keeps, and back.

use amulet_app_api::files::SavedFileView;
use amulet_app_api::recovery::RestoreBackup;
use amulet_app_api::wallet::{SessionView, Task};
use amulet_app_api::{ApiError, ErrorCode};
use amulet_light_client::platform;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::Service;
use super::error::{keyfile as keyfile_error, storage};
use super::summary_file::seconds;
use super::wallets::BREATH;
use crate::backup::{BACKUP_BYTES_MAX, BACKUP_SUFFIX, Backup};
use crate::keyfile::{self, KeyFileError, KeyFileHeader};
use crate::{dates, device_state};

impl Service {
    /// Hands out the open wallet as it lies on this device: sealed.
    pub(super) async fn save_backup(&self) -> Result<SavedFileView, ApiError> {
        let id = self.person()?.owner.id;
        let keys = self.store.read(&id.file_name()).map_err(storage)?;
        let keys = keys.ok_or_else(|| ApiError::new(ErrorCode::NoSuchWallet))?;
        let device = match self.store.read(&device_state::file_name(id)) {
            Err(error) if error.is_unreadable() => None,
            read => read.map_err(storage)?,
        };
        let day = dates::day_at(seconds(self.now().0)).map(dates::text_of).unwrap_or_default();
        self.hand_out(format!("amulet-{day}{BACKUP_SUFFIX}"), Backup { keys, device }.encode()).await
    }

    /// Puts a wallet from a backup file onto this device. Nothing is written before the passphrase has opened it.
    pub(super) async fn restore_backup(&self, call: RestoreBackup) -> Result<SessionView, ApiError> {
        let (passphrase, file) = (Zeroizing::new(call.passphrase), call.file);
        let chars_max = BACKUP_BYTES_MAX.div_ceil(3) * 4;
        if file.len() > chars_max {
            return Err(ApiError::new(ErrorCode::TooLarge).with("size", file.len()).with("limit", chars_max));
        }
        let backup = STANDARD.decode(&file).ok().and_then(|bytes| Backup::decode(&bytes));
        let backup = backup.ok_or_else(|| ApiError::new(ErrorCode::BackupNotOurs))?;
        self.take_wallet(&backup.keys, backup.device.as_deref(), &passphrase).await
    }

    /// Keeps a wallet that comes from elsewhere, once its passphrase has opened it, and opens it.
    pub(super) async fn take_wallet(
        &self,
        keys: &[u8],
        device: Option<&[u8]>,
        passphrase: &str,
    ) -> Result<SessionView, ApiError> {
        let header = KeyFileHeader::read(keys).map_err(|error| match error {
            KeyFileError::Version { .. } => keyfile_error(error),
            _ => ErrorCode::BackupNotOurs.into(),
        })?;
        if header.chain != self.network.chain() {
            return Err(ErrorCode::OtherNetwork.into());
        }
        let name = header.id.file_name();
        let alone = self.files.lock().await;
        if self.store.read(&name).map_err(storage)?.is_some() {
            return Err(ErrorCode::WalletExists.into());
        }
        {
            let _task = self.task(Task::Unlocking);
            platform::sleep(BREATH).await;
            let opened = keyfile::open(keys, passphrase);
            amulet_crypto::wipe_stack();
            opened.map_err(keyfile_error)?;
        }
        // The wallet last: without it what stands beside it is nothing.
        if let Some(device) = device {
            self.store.write(&device_state::file_name(header.id), device).map_err(storage)?;
        }
        self.store.write(&name, keys).map_err(storage)?;
        let person = self.open_wallet(keys, passphrase).await?;
        drop(alone);
        self.session_view(&person).await
    }
}
