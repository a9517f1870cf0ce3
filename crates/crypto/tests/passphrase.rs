//! A passphrase opens what it sealed; cost is bounded from below and from above, however it is loaded.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)]

use amulet_crypto::content::ContentError;
use amulet_crypto::entropy::SeededEntropy;
use amulet_crypto::passphrase::{
    MAX_LANES, MAX_MEMORY_KIB, MAX_PASSES, MAX_PASSPHRASE_BYTES, MIN_MEMORY_KIB, MIN_PASSES, PassphraseError,
    PassphraseParams, derive_key,
};

fn params(salt: u8) -> PassphraseParams {
    PassphraseParams::new(MIN_MEMORY_KIB, MIN_PASSES, 1, [salt; 16]).unwrap()
}

fn sealed(passphrase: &str) -> Vec<u8> {
    derive_key(passphrase, &params(1)).unwrap().seal(b"wallet", b"seed", &mut SeededEntropy::new(1)).unwrap()
}

#[test]
fn the_right_passphrase_opens() {
    // The second is how another keyboard spells the same: full-width letters, a combining accent.
    let sealed = sealed("caf\u{e9} 电池 A");
    let key = derive_key("cafe\u{301} 电池 Ａ", &params(1)).unwrap();
    assert_eq!(**key.open(b"wallet", &sealed).unwrap(), *b"seed");
    assert_eq!(key.open(b"other", &sealed), Err(PassphraseError::Damaged(ContentError::NotAuthentic)));
    assert_eq!(format!("{key:?}"), "WrappingKey(…)");
}

#[test]
fn a_wrong_passphrase_and_damage_are_told_apart() {
    let sealed = sealed("right");
    let open = |passphrase: &str, salt: u8, bytes: &[u8]| {
        derive_key(passphrase, &params(salt)).unwrap().open(b"wallet", bytes).map(|_| ())
    };
    assert_eq!(open("Right", 1, &sealed), Err(PassphraseError::WrongPassphrase));
    assert_eq!(open("right ", 1, &sealed), Err(PassphraseError::WrongPassphrase));
    assert_eq!(open("right", 2, &sealed), Err(PassphraseError::WrongPassphrase));
    let mut damaged = sealed.clone();
    *damaged.last_mut().unwrap() ^= 1;
    assert_eq!(open("right", 1, &damaged), Err(PassphraseError::Damaged(ContentError::NotAuthentic)));
    let cut = Err(PassphraseError::Damaged(ContentError::TooShort { found: 3 }));
    assert_eq!(open("right", 1, &sealed[..3]), cut);
}

#[test]
fn empty_and_endless_passphrases_are_refused() {
    assert_eq!(derive_key("", &params(1)).err(), Some(PassphraseError::Empty));
    let found = MAX_PASSPHRASE_BYTES + 1;
    assert_eq!(derive_key(&"a".repeat(found), &params(1)).err(), Some(PassphraseError::TooLong { found }));
}

#[test]
fn cost_is_bounded_when_made_and_when_loaded() {
    let good = params(1);
    let text = serde_json::to_string(&good).unwrap();
    assert_eq!(serde_json::from_str::<PassphraseParams>(&text).unwrap(), good);
    let bytes = borsh::to_vec(&good).unwrap();
    assert_eq!(borsh::from_slice::<PassphraseParams>(&bytes).unwrap(), good);

    let below = [
        (MIN_MEMORY_KIB - 1, MIN_PASSES, 1),
        (MIN_MEMORY_KIB, MIN_PASSES - 1, 1),
        (MIN_MEMORY_KIB, MIN_PASSES, 0),
    ];
    let above = [
        (MAX_MEMORY_KIB + 1, MIN_PASSES, 1),
        (MIN_MEMORY_KIB, MAX_PASSES + 1, 1),
        (MIN_MEMORY_KIB, MIN_PASSES, MAX_LANES + 1),
        (u32::MAX, u32::MAX, u32::MAX),
    ];
    for (memory_kib, passes, lanes) in below {
        let error = PassphraseError::BelowFloor { memory_kib, passes, lanes };
        refused(memory_kib, passes, lanes, error);
    }
    for (memory_kib, passes, lanes) in above {
        let error = PassphraseError::AboveCeiling { memory_kib, passes, lanes };
        refused(memory_kib, passes, lanes, error);
    }
}

fn refused(memory_kib: u32, passes: u32, lanes: u32, error: PassphraseError) {
    assert_eq!(PassphraseParams::new(memory_kib, passes, lanes, [1; 16]), Err(error));
    let mut bytes: Vec<u8> =
        [memory_kib, passes, lanes].iter().flat_map(|number| number.to_le_bytes()).collect();
    bytes.extend([1; 16]);
    assert_eq!(borsh::from_slice::<PassphraseParams>(&bytes).unwrap_err().to_string(), error.to_string());
    let json = format!(
        r#"{{"memory_kib":{memory_kib},"passes":{passes},"lanes":{lanes},"salt":"{}"}}"#,
        "01".repeat(16)
    );
    let refusal = serde_json::from_str::<PassphraseParams>(&json).unwrap_err().to_string();
    assert!(refusal.starts_with(&error.to_string()), "{refusal}");
}

#[test]
fn the_cost_follows_the_device_between_the_floor_and_the_ceiling() {
    let tuned = |ms_at_floor: u64| {
        let per_mib_pass = |params: &PassphraseParams| {
            u64::from(params.memory_kib() / MIN_MEMORY_KIB) * u64::from(params.passes()) * ms_at_floor
                / u64::from(MIN_PASSES)
        };
        let params = PassphraseParams::tuned(500, &mut SeededEntropy::new(1), per_mib_pass);
        (params.memory_kib() / 1024, params.passes())
    };
    assert_eq!(tuned(2_000), (64, 3), "a slow device keeps to the floor");
    assert_eq!(tuned(200), (128, 3), "400 ms, and another pass would be too long");
    assert_eq!(tuned(100), (256, 3));
    assert_eq!(tuned(30), (256, 12), "passes take up what is left");
    assert_eq!(tuned(1), (256, 16), "a very fast one keeps below the ceiling");
    assert_eq!(tuned(0), (64, 3), "a clock that stands still says nothing");
}
