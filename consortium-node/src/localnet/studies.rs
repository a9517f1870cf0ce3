//! The demonstration's ethics board, and a study that patients can join.

use super::LocalnetError;
use super::enrol::{NONCE_LEAD, ask, commit};
use super::setup::{DEMO_FOLDER, Hospital, Setup};
use crate::cli::say;
use crate::keys;
use crate::node::now;
use amulet_crypto::entropy::SystemEntropy;
use amulet_crypto::sealed_box::{AgreementKey, AgreementPublicKey};
use amulet_protocol::calls::{Call, RegisterIdentity};
use amulet_protocol::codec;
use amulet_protocol::consent::{Category, RecordDates};
use amulet_protocol::ids::{ChainId, Did, Nonce, TxId};
use amulet_protocol::light::{LightRequest, LightResponse};
use amulet_protocol::limits::LIGHT_RESPONSE_BYTES_MAX;
use amulet_protocol::state::{Account, StateKey};
use amulet_protocol::study::{RegisterStudy, ReviewStudy, StudyId, StudyTerms, VoteBoard, Wording};
use amulet_wallet::keyfile::sign_call;
use borsh::BorshDeserialize;
use std::num::NonZeroU32;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The board's key, for who wants to try `amulet-node study`.
const BOARD_KEY: &str = "ethics-board.key";
const BOARD_ZH: &str = "区域伦理委员会";
const BOARD_EN: &str = "Regional ethics board";
/// How long the study lasts: a year, in milliseconds.
const STUDY_MS: u64 = 365 * 24 * 3_600_000;
const PARTICIPANTS: NonZeroU32 = NonZeroU32::new(500).expect("not none");
/// Hospitals that name the board: a quorum of the four.
const VOTERS: usize = 3;
const KEY_PUBLISHED_WITHIN: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(200);

/// Has the hospitals name a board, which approves a study of the first.
pub(super) async fn seed(setup: &Setup) -> Result<(), LocalnetError> {
    let path = setup.data.join(DEMO_FOLDER).join(BOARD_KEY);
    // Of a start that was interrupted; whoever had it may have been named already, which harms nobody.
    let _ = std::fs::remove_file(&path);
    let board = keys::make_signing_key(&path)?;
    let (did, chain) = (Did::of_key(board.public_key()), setup.genesis.chain_id());
    let first = &setup.hospitals[0];
    // Nothing is ever sealed to a board.
    let agreement = AgreementKey::generate(&mut SystemEntropy).public_key().clone();
    let identity =
        Call::RegisterIdentity(RegisterIdentity { signing: board.public_key().clone(), agreement });
    commit(first, BOARD_EN, &sign_call(&board, did, chain, Nonce(1), identity)).await?;
    let name = Wording { zh: BOARD_ZH.to_owned(), en: BOARD_EN.to_owned() };
    for hospital in setup.hospitals.iter().take(VOTERS) {
        let vote = VoteBoard { board: did, name: Some(name.clone()) };
        send(hospital, chain, BOARD_EN, Call::VoteBoard(vote)).await?;
    }
    wait_for_staff_key(first).await?;
    let terms = Box::new(terms(did));
    let title = terms.title.en.clone();
    let study = StudyId(send(first, chain, &title, Call::RegisterStudy(RegisterStudy { terms })).await?);
    let review = Call::ReviewStudy(ReviewStudy { study, approve: true });
    commit(first, &title, &sign_call(&board, did, chain, Nonce(2), review)).await?;
    say(format_args!("      A study that patients can join: {title}"));
    Ok(())
}

fn terms(board: Did) -> StudyTerms {
    let wording = |zh: &str, en: &str| Wording { zh: zh.to_owned(), en: en.to_owned() };
    StudyTerms {
        board,
        title: wording("血压、血糖与季节", "Blood pressure, blood sugar and the seasons"),
        aim: wording(
            "我们想知道血压和血糖在一年中如何变化，以及用药是否应随季节调整。参加与否不影响您的诊疗。",
            "We want to learn how blood pressure and blood sugar change over the year, and whether medicines should follow the \
             seasons. Your care is the same whether you take part or not.",
        ),
        department: None,
        categories: vec![Category::Conditions, Category::Medicines, Category::Labs, Category::VitalSigns],
        record_dates: RecordDates::default(),
        ends: now().plus_millis(STUDY_MS),
        participants_max: PARTICIPANTS,
    }
}

/// Sends a call of a hospital beside its node, which numbers its own from the last on.
async fn send(hospital: &Hospital, chain: ChainId, name: &str, call: Call) -> Result<TxId, LocalnetError> {
    let account: Option<Account> = state(hospital, StateKey::Account(hospital.did)).await?;
    let nonce = Nonce(account.unwrap_or_default().highest.0 + NONCE_LEAD);
    let signed = sign_call(&hospital.keys.organisation, hospital.did, chain, nonce, call);
    commit(hospital, name, &signed).await?;
    Ok(signed.id())
}

/// The first hospital's node publishes the key for its staff by itself, once the chain has begun.
async fn wait_for_staff_key(hospital: &Hospital) -> Result<(), LocalnetError> {
    let deadline = Instant::now() + KEY_PUBLISHED_WITHIN;
    while Instant::now() < deadline {
        let key: Option<AgreementPublicKey> = state(hospital, StateKey::StaffKey(hospital.did)).await?;
        if key.is_some() {
            return Ok(());
        }
        sleep(POLL).await;
    }
    let reason = "it did not publish the key for its staff".to_owned();
    Err(LocalnetError::Enrol { name: hospital.name_en.to_owned(), reason })
}

/// A value of the state after the newest block.
async fn state<T: BorshDeserialize>(hospital: &Hospital, key: StateKey) -> Result<Option<T>, LocalnetError> {
    let Some(LightResponse::Header(newest)) = ask(hospital, &LightRequest::Latest).await? else {
        return Ok(None);
    };
    let request = LightRequest::State { height: newest.header.height, keys: vec![key] };
    let Some(LightResponse::State(found)) = ask(hospital, &request).await? else { return Ok(None) };
    let value = found.into_iter().next().and_then(|found| found.value);
    Ok(value.and_then(|bytes| codec::decode(&bytes, LIGHT_RESPONSE_BYTES_MAX).ok()))
}
