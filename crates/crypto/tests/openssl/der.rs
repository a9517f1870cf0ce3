//! The few DER structures that OpenSSL wants and gives (GM/T 0009-2012 section 7, RFC 5915, RFC 5480).

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;

/// id-ecPublicKey, 1.2.840.10045.2.1, with its tag.
const EC_PUBLIC_KEY: [u8; 9] = [0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// sm2p256v1, 1.2.156.10197.1.301, with its tag.
const SM2_CURVE: [u8; 10] = [0x06, 0x08, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x82, 0x2d];

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match u16::try_from(content.len()).unwrap() {
        length @ 0..=0x7f => out.push(length as u8),
        length @ 0x80..=0xff => out.extend([0x81, length as u8]),
        length => {
            out.push(0x82);
            out.extend(length.to_be_bytes());
        }
    }
    out.extend_from_slice(content);
    out
}

fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    element(SEQUENCE, &parts.concat())
}

fn integer(number: &[u8]) -> Vec<u8> {
    let start = number.iter().position(|&byte| byte != 0).unwrap_or(number.len() - 1);
    let number = &number[start..];
    if number[0] >= 0x80 { element(INTEGER, &[&[0], number].concat()) } else { element(INTEGER, number) }
}

fn bit_string(content: &[u8]) -> Vec<u8> {
    element(BIT_STRING, &[&[0], content].concat())
}

/// An `ECPrivateKey`.
pub fn secret_key(secret: &[u8], public: &[u8]) -> Vec<u8> {
    sequence(&[
        integer(&[1]),
        element(OCTET_STRING, secret),
        element(0xa0, &SM2_CURVE),
        element(0xa1, &bit_string(public)),
    ])
}

/// A `SubjectPublicKeyInfo`.
pub fn public_key(public: &[u8]) -> Vec<u8> {
    sequence(&[sequence(&[EC_PUBLIC_KEY.to_vec(), SM2_CURVE.to_vec()]), bit_string(public)])
}

/// An `SM2Signature`.
pub fn signature(r: &[u8], s: &[u8]) -> Vec<u8> {
    sequence(&[integer(r), integer(s)])
}

/// An `SM2Cipher` from `04 x y || C3 || C2`.
pub fn ciphertext(flat: &[u8]) -> Vec<u8> {
    sequence(&[
        integer(&flat[1..33]),
        integer(&flat[33..65]),
        element(OCTET_STRING, &flat[65..97]),
        element(OCTET_STRING, &flat[97..]),
    ])
}

/// `04 x y || C3 || C2` from an `SM2Cipher`.
pub fn flat_ciphertext(der: &[u8]) -> Vec<u8> {
    let parts = elements(der);
    let [x, y, c3, c2] = parts.as_slice() else { panic!("an SM2Cipher has four parts") };
    [&[4][..], &number(x), &number(y), c3, c2].concat()
}

/// The two integers of a sequence, 32 bytes each.
pub fn integers(der: &[u8]) -> [[u8; 32]; 2] {
    let parts = elements(der);
    [number(&parts[0]), number(&parts[1])]
}

fn number(content: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    let content = content.strip_prefix(&[0]).unwrap_or(content);
    out[32 - content.len()..].copy_from_slice(content);
    out
}

/// The contents of a sequence's elements.
fn elements(der: &[u8]) -> Vec<Vec<u8>> {
    let (mut content, rest) = take(der);
    assert!(rest.is_empty());
    let mut out = Vec::new();
    while !content.is_empty() {
        let (element, rest) = take(content);
        out.push(element.to_vec());
        content = rest;
    }
    out
}

fn take(der: &[u8]) -> (&[u8], &[u8]) {
    let (start, length) = match der[1] {
        length @ 0..=0x7f => (2, usize::from(length)),
        0x81 => (3, usize::from(der[2])),
        _ => (4, usize::from(u16::from_be_bytes([der[2], der[3]]))),
    };
    der[start..].split_at(length)
}
