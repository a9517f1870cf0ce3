//! Moving a wallet to a new device: the new one shows a code, the old one answers with the wallet.

use amulet_app_api::recovery::{
    FinishMove, HandOver, HandedOverView, MoveCheckView, MoveCodeView, ReadMoveCode,
};
use amulet_app_api::wallet::SessionView;
use amulet_app_api::{ApiError, ErrorCode};
use amulet_crypto::entropy::SystemEntropy;
use amulet_crypto::sealed_box::AgreementKey;
use amulet_protocol::ids::Timestamp;
use zeroize::Zeroizing;

use super::Service;
use super::error::internal;
use crate::moving::{MoveCode, MoveError};
use crate::qr;

/// How long a new device's code can be answered, in milliseconds.
const MOVE_MS: u64 = 15 * 60_000;

/// A code that this device shows.
pub(super) struct PendingMove {
    code: MoveCode,
    key: AgreementKey,
    until: Timestamp,
}

impl PendingMove {
    /// Whether it can be answered no more.
    pub fn is_over(&self, now: Timestamp) -> bool {
        now >= self.until
    }
}

impl Service {
    /// Makes a key for this once and shows its code.
    pub(super) fn begin_move(&self) -> Result<MoveCodeView, ApiError> {
        let key = AgreementKey::generate(&mut SystemEntropy);
        let code = MoveCode::new(self.network.chain(), &key);
        let until = Timestamp(self.now().0.saturating_add(MOVE_MS));
        let (qr_text, check) = (code.qr_text(), code.check());
        let view =
            MoveCodeView { qr_svg: qr::svg(&qr_text).map_err(internal)?, qr_text, check, until: until.0 };
        self.state().pending_move = Some(PendingMove { code, key, until });
        Ok(view)
    }

    /// The digits of another device's code.
    pub(super) fn read_move_code(&self, call: &ReadMoveCode) -> Result<MoveCheckView, ApiError> {
        self.person()?;
        let code = MoveCode::parse(&call.code, self.network.chain()).map_err(move_error)?;
        Ok(MoveCheckView { check: code.check() })
    }

    /// Seals the open wallet's file to the new device.
    pub(super) async fn hand_over(&self, call: HandOver) -> Result<HandedOverView, ApiError> {
        let passphrase = Zeroizing::new(call.passphrase);
        let code = MoveCode::parse(&call.code, self.network.chain()).map_err(move_error)?;
        let person = self.person()?;
        self.opened_again(&person, &passphrase).await?;
        let file = self.file_bytes(&person.owner)?;
        let qr_text = code.hand_over(&file, &mut SystemEntropy).map_err(move_error)?;
        Ok(HandedOverView { qr_svg: qr::svg(&qr_text).map_err(internal)?, qr_text })
    }

    /// Takes the wallet from what the old device shows. A wrong passphrase can be tried again with the same code.
    pub(super) async fn finish_move(&self, call: FinishMove) -> Result<SessionView, ApiError> {
        let passphrase = Zeroizing::new(call.passphrase);
        let file = {
            let state = self.state();
            let pending = state.pending_move.as_ref().filter(|pending| !pending.is_over(self.now()));
            let pending = pending.ok_or_else(|| ApiError::new(ErrorCode::MoveOver))?;
            pending.code.take(&pending.key, &call.code).map_err(move_error)?
        };
        let session = self.take_wallet(&file, None, &passphrase).await?;
        self.state().pending_move = None;
        Ok(session)
    }
}

fn move_error(error: MoveError) -> ApiError {
    match error {
        MoveError::NotOurs | MoveError::Damaged => ErrorCode::MoveCode.into(),
        MoveError::OtherNetwork => ErrorCode::OtherNetwork.into(),
        MoveError::NotForThisDevice => ErrorCode::MoveOver.into(),
        MoveError::TooLarge { found } => ApiError::new(ErrorCode::TooLarge)
            .with("size", found)
            .with("limit", crate::moving::MOVED_BYTES_MAX),
    }
}
