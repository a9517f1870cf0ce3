//! OpenSSL 3's command line as a peer. It has SM2, SM3, HMAC and HKDF; authenticated encryption it has not.
#![allow(clippy::unwrap_used)]

mod der;

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{bytes, text};

/// Whether there is an `openssl` that knows SM2.
pub fn has_sm2() -> bool {
    Command::new("openssl")
        .args(["list", "-public-key-algorithms"])
        .output()
        .is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("SM2"))
}

/// Runs a command with the given input; the output if it succeeded.
fn run(arguments: &[&str], input: &[u8]) -> Option<Vec<u8>> {
    let mut child = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // A command that fails early may not read its input.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    output.status.success().then_some(output.stdout)
}

struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn put(&self, name: &str, content: &[u8]) -> String {
        let path = self.0.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

pub fn answer(item: &Value) -> Value {
    match text(item, "op") {
        "sm3" => {
            let digest = run(&["dgst", "-sm3", "-binary"], &bytes(item, "message")).unwrap();
            json!({ "digest": hex::encode(digest) })
        }
        "hmac_sm3" => {
            let key = format!("hexkey:{}", text(item, "key"));
            let arguments = ["mac", "-digest", "SM3", "-macopt", &key, "-binary", "-in", "-", "HMAC"];
            json!({ "digest": hex::encode(run(&arguments, &bytes(item, "message")).unwrap()) })
        }
        "hkdf_sm3" => hkdf(item),
        "sm2_sign" => sign(item),
        "sm2_verify" => verify(item),
        "sm2_encrypt" => encrypt(item),
        "sm2_decrypt" => decrypt(item),
        _ => json!({ "unsupported": true }),
    }
}

fn hkdf(item: &Value) -> Value {
    let option = |name: &str, field: &str| format!("{name}:{}", text(item, field));
    let (key, salt, info) = (option("hexkey", "ikm"), option("hexsalt", "salt"), option("hexinfo", "info"));
    let length = item["length"].to_string();
    let arguments = [
        "kdf",
        "-keylen",
        &length,
        "-kdfopt",
        "digest:SM3",
        "-kdfopt",
        &key,
        "-kdfopt",
        &salt,
        "-kdfopt",
        &info,
        "-binary",
        "HKDF",
    ];
    json!({ "output": hex::encode(run(&arguments, &[]).unwrap()) })
}

fn sign(item: &Value) -> Value {
    let files = Files::new();
    let key = files.put("key", &der::secret_key(&bytes(item, "secret"), &bytes(item, "public")));
    let message = files.put("message", &bytes(item, "message"));
    let id = format!("distid:{}", text(item, "user_id"));
    let arguments = [
        "pkeyutl", "-sign", "-inkey", &key, "-keyform", "DER", "-in", &message, "-rawin", "-digest", "sm3",
        "-pkeyopt", &id,
    ];
    let [r, s] = der::integers(&run(&arguments, &[]).unwrap());
    json!({ "signature": hex::encode([r, s].concat()) })
}

fn verify(item: &Value) -> Value {
    let files = Files::new();
    let key = files.put("key", &der::public_key(&bytes(item, "public")));
    let message = files.put("message", &bytes(item, "message"));
    let signature = bytes(item, "signature");
    let signature = files.put("signature", &der::signature(&signature[..32], &signature[32..]));
    let id = format!("distid:{}", text(item, "user_id"));
    let arguments = [
        "pkeyutl", "-verify", "-pubin", "-inkey", &key, "-keyform", "DER", "-in", &message, "-sigfile",
        &signature, "-rawin", "-digest", "sm3", "-pkeyopt", &id,
    ];
    match run(&arguments, &[]) {
        Some(_) => json!({ "valid": true }),
        None => json!({ "refused": true }),
    }
}

fn encrypt(item: &Value) -> Value {
    let files = Files::new();
    let key = files.put("key", &der::public_key(&bytes(item, "public")));
    let plaintext = files.put("plaintext", &bytes(item, "plaintext"));
    let arguments = ["pkeyutl", "-encrypt", "-pubin", "-inkey", &key, "-keyform", "DER", "-in", &plaintext];
    json!({ "ciphertext": hex::encode(der::flat_ciphertext(&run(&arguments, &[]).unwrap())) })
}

fn decrypt(item: &Value) -> Value {
    let files = Files::new();
    let key = files.put("key", &der::secret_key(&bytes(item, "secret"), &bytes(item, "public")));
    let ciphertext = files.put("ciphertext", &der::ciphertext(&bytes(item, "ciphertext")));
    let arguments = ["pkeyutl", "-decrypt", "-inkey", &key, "-keyform", "DER", "-in", &ciphertext];
    match run(&arguments, &[]) {
        Some(plaintext) => json!({ "plaintext": hex::encode(plaintext) }),
        None => json!({ "refused": true }),
    }
}
