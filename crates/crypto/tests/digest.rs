//! Hashing keeps meanings apart.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used)]

use amulet_crypto::HexError;
use amulet_crypto::digest::{Digest, Sm3Hasher, Tag, constant_time_eq, hmac_sm3, sm3, tagged};

const ONE: Tag = Tag::new("amulet/v1/one");
const TWO: Tag = Tag::new("amulet/v1/two");

#[test]
fn tags_and_part_borders_count() {
    let base = tagged(ONE, &[b"ab", b"c"]);
    let others = [
        tagged(TWO, &[b"ab", b"c"]),
        tagged(ONE, &[b"a", b"bc"]),
        tagged(ONE, &[b"abc"]),
        tagged(ONE, &[b"ab", b"c", b""]),
        tagged(ONE, &[]),
        sm3(b"abc"),
    ];
    assert!(others.iter().all(|other| *other != base));
    assert_eq!(tagged(ONE, &[b"ab", b"c"]), base);
}

/// Pins the construction as `docs/spec/crypto.md` writes it.
#[test]
fn tagged_is_as_specified() {
    let tag = sm3(b"amulet/v1/one");
    let input =
        [tag.as_ref(), tag.as_ref(), &[0, 0, 0, 0, 0, 0, 0, 2], b"ab", &[0, 0, 0, 0, 0, 0, 0, 1], b"c"]
            .concat();
    assert_eq!(tagged(ONE, &[b"ab", b"c"]), sm3(&input));
}

/// HMAC as RFC 2104 defines it, written out, for keys shorter, as long as and longer than SM3's block.
#[test]
fn hmac_is_the_nested_hash() {
    for length in [0, 1, 63, 64, 65, 200] {
        let key = vec![0x0b; length];
        let mut block = [0; 64];
        if length > 64 {
            block[..32].copy_from_slice(sm3(&key).as_ref());
        } else {
            block[..length].copy_from_slice(&key);
        }
        let inner = sm3(&[&block.map(|byte| byte ^ 0x36)[..], b"message"].concat());
        let outer = sm3(&[&block.map(|byte| byte ^ 0x5c)[..], inner.as_ref()].concat());
        assert_eq!(hmac_sm3(&key, b"message"), outer);
    }
}

#[test]
fn the_incremental_hasher_is_the_same_hash() {
    use amulet_crypto::digest::IncrementalDigest;
    let mut hasher = Sm3Hasher::new();
    hasher.update(b"a");
    hasher.update(b"bc");
    assert_eq!(Digest::from_bytes(hasher.finalize().into()), sm3(b"abc"));
}

#[test]
fn a_digest_has_one_spelling() {
    let digest = sm3(b"abc");
    let text = digest.to_string();
    assert_eq!(text.parse::<Digest>(), Ok(digest));
    assert_eq!(text.to_uppercase().parse::<Digest>(), Err(HexError::Character { position: 2 }));
    assert_eq!(text[1..].parse::<Digest>(), Err(HexError::Length { found: 63, expected: 64 }));
    assert_eq!(serde_json::to_string(&digest).unwrap(), format!("\"{text}\""));
    assert_eq!(serde_json::from_str::<Digest>(&format!("\"{text}\"")).unwrap(), digest);
    assert_eq!(format!("{digest:?}"), "Digest(66c7f0f4…)");
    assert_eq!(borsh::to_vec(&digest).unwrap(), digest.to_bytes());
}

#[test]
fn comparison_sees_every_difference() {
    assert!(constant_time_eq(b"abc", b"abc"));
    assert!(!constant_time_eq(b"abc", b"abd"));
    assert!(!constant_time_eq(b"abc", b"ab"));
}
