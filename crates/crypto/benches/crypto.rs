//! How many operations a second, and how that compares with another implementation in the same run.
//!
//! `cargo bench -p amulet-crypto`; one line for each operation, for people and for scripts.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use amulet_crypto::content::{ContentKey, open_content, seal_content};
use amulet_crypto::digest::sm3;
use amulet_crypto::entropy::SeededEntropy;
use amulet_crypto::signing::{SigningKey, USER_ID, raw};
use libsm::sm2::signature::SigCtx;
use libsm::sm3::hash::Sm3Hash;

/// Long enough to even out the clock, short enough to be run often.
const MEASURED: Duration = Duration::from_secs(1);

/// Runs `work` for about a second; gives runs a second.
fn per_second(mut work: impl FnMut()) -> f64 {
    work();
    let start = Instant::now();
    let mut runs = 0u32;
    while start.elapsed() < MEASURED {
        work();
        runs += 1;
    }
    f64::from(runs) / start.elapsed().as_secs_f64()
}

fn report(what: &str, unit: &str, ours: f64, theirs: Option<f64>) {
    match theirs {
        Some(theirs) => {
            println!("{what:<24} {ours:>12.0} {unit:<6} libsm {theirs:>10.0}  ratio {:>6.2}", ours / theirs);
        }
        None => println!("{what:<24} {ours:>12.0} {unit}"),
    }
}

fn main() {
    let mut entropy = SeededEntropy::new(1);
    let message = [7; 200];
    let key = SigningKey::generate(&mut entropy);
    let signature = raw::sign_with_id(&key, USER_ID, &message).unwrap();

    let libsm = SigCtx::new();
    let libsm_secret = libsm.load_seckey(&*key.expose_secret()).unwrap();
    let libsm_public = libsm.pk_from_sk(&libsm_secret).unwrap();
    let libsm_signature = libsm.sign(&message, &libsm_secret, &libsm_public).unwrap();

    let chain = amulet_crypto::signing::ChainTag([0; 32]);
    let context = amulet_crypto::signing::SigningContext::Transaction;
    let ours = per_second(|| {
        black_box(key.sign(context, &chain, black_box(&message)));
    });
    let theirs = per_second(|| {
        black_box(libsm.sign(black_box(&message), &libsm_secret, &libsm_public).unwrap());
    });
    report("SM2 sign", "/s", ours, Some(theirs));

    let public = key.public_key();
    let ours = per_second(|| raw::verify_with_id(public, USER_ID, black_box(&message), &signature).unwrap());
    let theirs = per_second(|| {
        assert!(libsm.verify(black_box(&message), &libsm_public, &libsm_signature).unwrap());
    });
    report("SM2 verify", "/s", ours, Some(theirs));

    let megabyte = vec![5; 1 << 20];
    let ours = per_second(|| {
        black_box(sm3(black_box(&megabyte)));
    });
    let theirs = per_second(|| {
        black_box(Sm3Hash::new(black_box(&megabyte)).get_hash());
    });
    report("SM3", "MiB/s", ours, Some(theirs));

    let content_key = ContentKey::generate(&mut entropy);
    let seal = per_second(|| {
        black_box(seal_content(&content_key, b"", black_box(&megabyte), &mut entropy).unwrap());
    });
    report("SM4-GCM seal", "MiB/s", seal, None);
    let sealed = seal_content(&content_key, b"", &megabyte, &mut entropy).unwrap();
    let open = per_second(|| {
        black_box(open_content(&content_key, b"", black_box(&sealed)).unwrap());
    });
    report("SM4-GCM open", "MiB/s", open, None);
}
