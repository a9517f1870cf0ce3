//! Guardians: the recovery words split among people who keep a sheet each, tried out, and put together again.

use amulet_app_api::recovery::{
    GuardiansView, MakeSheets, ReadSheets, RestoreFromSheets, SheetSetView, SheetView, SheetsReadView,
    SheetsView, TrySheets,
};
use amulet_app_api::wallet::SessionView;
use amulet_app_api::{ApiError, ErrorCode};
use amulet_crypto::entropy::SystemEntropy;
use amulet_crypto::kdf::{CombineError, GuardianShare, Language, MAX_SHARE_BYTES, SeedPhrase, ShareError};
use amulet_protocol::limits::NAME_BYTES_MAX;
use std::collections::BTreeSet;
use zeroize::Zeroizing;

use super::Service;
use super::error::internal;
use super::session::Person;
use super::wallets::check_passphrase;
use crate::device_state::StoredSheets;
use crate::keyfile::{self, OpenWallet};
use crate::{qr, sheets};

/// Guardians that can be named: more than seven nobody keeps in touch with.
const GUARDIANS_MAX: u8 = 7;
/// Guardians without whom a split would be no split.
const GUARDIANS_MIN: usize = 2;
/// Texts read at once: every sheet, and again.
const TEXTS_MAX: usize = 16;

impl Service {
    /// Who the open wallet's guardians are.
    pub(super) fn guardians(&self) -> Result<GuardiansView, ApiError> {
        let person = self.person()?;
        let newest = newest_seed(&person);
        let sheets = person.owner.device().sheets.clone().map(|sheets| SheetSetView {
            names: sheets.names,
            threshold: sheets.threshold,
            made: sheets.made.0,
            tried: sheets.tried.map(|tried| tried.0),
            worthless: sheets.seed != newest,
        });
        Ok(GuardiansView { sheets, guardians_max: GUARDIANS_MAX })
    }

    /// Splits the words. What is shown is kept nowhere; only who has a sheet is remembered.
    pub(super) async fn make_sheets(&self, call: MakeSheets) -> Result<SheetsView, ApiError> {
        let passphrase = Zeroizing::new(call.passphrase);
        let names: Vec<String> = call.names.iter().map(|name| name.trim().to_owned()).collect();
        check_names(&names)?;
        let guardians = u8::try_from(names.len()).unwrap_or(u8::MAX);
        let person = self.person()?;
        let wallet = self.opened_again(&person, &passphrase).await?;
        let shares = wallet.phrase.split(call.threshold, guardians, &mut SystemEntropy);
        let shares = shares.map_err(|_| ApiError::new(ErrorCode::BadRequest).with("field", "threshold"))?;
        let set = shares.first().map(|share| share.set().number()).unwrap_or_default();
        let sheet = |(share, name): (&GuardianShare, &String)| {
            let qr_text = sheets::qr_text(share);
            Ok(SheetView {
                number: share.number(),
                name: name.clone(),
                words: share.words().into_iter().map(str::to_owned).collect(),
                numbers: share.numbers().to_vec(),
                qr_svg: qr::svg(&qr_text).map_err(internal)?,
                qr_text,
            })
        };
        let shown = shares.iter().zip(&names).map(sheet).collect::<Result<Vec<_>, ApiError>>()?;
        let seed = newest_seed(&person);
        let made =
            StoredSheets { set, threshold: call.threshold, names, made: self.now(), tried: None, seed };
        self.remember(&person, made)?;
        Ok(SheetsView { threshold: call.threshold, owner: person.owner.name.clone(), sheets: shown })
    }

    /// Opens the open wallet's file once more, for what only whoever knows the passphrase may do.
    pub(super) async fn opened_again(
        &self,
        person: &Person,
        passphrase: &str,
    ) -> Result<OpenWallet, ApiError> {
        let bytes = self.file_bytes(&person.owner)?;
        self.try_passphrase(person.owner.id, || keyfile::open(&bytes, passphrase)).await
    }

    fn remember(&self, person: &Person, sheets: StoredSheets) -> Result<(), ApiError> {
        let mut device = person.owner.device();
        device.sheets = Some(sheets);
        self.save_device(&person.owner, &mut device)
    }

    /// Tries out whether sheets give the open wallet's words.
    pub(super) fn try_sheets(&self, call: TrySheets) -> Result<GuardiansView, ApiError> {
        let texts = Zeroizing::new(call.texts);
        let person = self.person()?;
        let shares = read(&texts)?;
        let newest = person.owner.seeds.newest().expose_secret();
        let mut is_ours = false;
        for language in LANGUAGES {
            let phrase = SeedPhrase::combine(&shares, language).map_err(combine_error)?;
            is_ours |= *phrase.to_seed().expose_secret() == *newest;
        }
        if !is_ours {
            return Err(ErrorCode::SheetsElsewhere.into());
        }
        let set = shares.first().map(|share| share.set().number());
        let known = person.owner.device().sheets.clone();
        // Sheets of an earlier splitting work too, but say nothing of those made last.
        let Some(known) = known.filter(|known| Some(known.set) == set) else {
            return Err(ErrorCode::SheetsMixed.into());
        };
        self.remember(&person, StoredSheets { tried: Some(self.now()), ..known })?;
        self.guardians()
    }

    /// Restores a wallet from sheets. They do not say in which language the words were: it is the one whose identities there are.
    pub(super) async fn restore_from_sheets(&self, call: RestoreFromSheets) -> Result<SessionView, ApiError> {
        let (passphrase, texts) = (Zeroizing::new(call.passphrase), Zeroizing::new(call.texts));
        check_passphrase(&passphrase)?;
        let hospital = self.hospital_of(&call.hospital)?;
        let shares = read(&texts)?;
        self.sync(false).await?;
        let mut not_found = ApiError::new(ErrorCode::NotFound).with("what", "identity");
        for language in LANGUAGES {
            let phrase = SeedPhrase::combine(&shares, language).map_err(combine_error)?;
            match self.identities_of(phrase.to_seed(), hospital).await {
                Ok(found) => return self.restore_found(&call.name, &phrase, found, &passphrase).await,
                Err(error) if error.code == ErrorCode::NotFound => not_found = error,
                Err(error) => return Err(error),
            }
        }
        Err(not_found)
    }
}

/// Reads sheets, and how many more are needed.
pub(super) fn read_sheets(call: ReadSheets) -> Result<SheetsReadView, ApiError> {
    let texts = Zeroizing::new(call.texts);
    let shares = read(&texts)?;
    let threshold = shares.first().map(GuardianShare::threshold).unwrap_or_default();
    match SeedPhrase::combine(&shares, Language::English) {
        Ok(_) | Err(CombineError::TooFew { .. }) => {}
        Err(error) => return Err(combine_error(error)),
    }
    let numbers: BTreeSet<u8> = shares.iter().map(GuardianShare::number).collect();
    Ok(SheetsReadView { numbers: numbers.into_iter().collect(), threshold })
}

const LANGUAGES: [Language; 2] = [Language::SimplifiedChinese, Language::English];

fn newest_seed(person: &Person) -> u32 {
    u32::try_from(person.owner.seeds.former().len()).unwrap_or(u32::MAX)
}

fn check_names(names: &[String]) -> Result<(), ApiError> {
    let counted = (GUARDIANS_MIN..=usize::from(GUARDIANS_MAX)).contains(&names.len());
    let named = names.iter().all(|name| !name.is_empty() && name.len() <= NAME_BYTES_MAX);
    let different = names.iter().collect::<BTreeSet<_>>().len() == names.len();
    if counted && named && different {
        Ok(())
    } else {
        Err(ApiError::new(ErrorCode::BadRequest).with("field", "names"))
    }
}

fn read(texts: &[String]) -> Result<Vec<GuardianShare>, ApiError> {
    if texts.is_empty() || texts.len() > TEXTS_MAX || texts.iter().any(|text| text.len() > MAX_SHARE_BYTES) {
        return Err(ApiError::new(ErrorCode::BadRequest).with("field", "texts"));
    }
    texts.iter().map(|text| sheets::parse(text).map_err(share_error)).collect()
}

fn share_error(error: ShareError) -> ApiError {
    match error {
        ShareError::TooLong { .. } => ErrorCode::SheetWordCount.into(),
        ShareError::WrongCount { found } => ApiError::new(ErrorCode::SheetWordCount)
            .with("found", found)
            .with("expected", amulet_crypto::kdf::SHARE_WORDS),
        ShareError::UnknownWord { index, word, suggestion } => {
            let error = ApiError::new(ErrorCode::SheetWord).with("index", index).with("word", word);
            suggestion.into_iter().fold(error, |error, suggestion| error.with("suggestion", suggestion))
        }
        ShareError::Checksum => ErrorCode::SheetChecksum.into(),
        ShareError::OtherForm => ErrorCode::SheetOther.into(),
    }
}

fn combine_error(error: CombineError) -> ApiError {
    match error {
        CombineError::TooFew { have, needed } => {
            ApiError::new(ErrorCode::SheetsTooFew).with("found", have).with("needed", needed)
        }
        CombineError::Mixed { .. } => ErrorCode::SheetsMixed.into(),
        CombineError::Contradiction => ErrorCode::SheetsContradict.into(),
    }
}
