//! A gateway as `amulet-fhir-gateway run` starts it, from a configuration file, and who asks it.

use amulet_fhir_gateway::app::App;
use amulet_fhir_gateway::clients::token_digest;
use amulet_fhir_gateway::config::Config;
use amulet_fhir_gateway::{serve, start};
use amulet_tests::http::blocking;
use amulet_tests::localnet::Localnet;
use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::net::TcpListener;

/// Whether the client and the validators of others are there; says so if not.
pub fn is_client_installed() -> bool {
    let is_installed = conformance("fhir_client.mjs").exists();
    if !is_installed {
        let required = std::env::var("AMULET_REQUIRE_CONFORMANCE").is_ok_and(|value| value == "1");
        assert!(!required, "fhir-kit-client is not installed; run tests/conformance/install.sh");
        eprintln!("skipped: fhir-kit-client is not installed; run tests/conformance/install.sh");
    }
    is_installed
}

/// The token of its one client.
pub const TOKEN: &str = "correct horse battery staple";

/// A gateway that runs.
pub struct Gateway {
    /// Its address, without the path.
    pub address: String,
    base: String,
    _folder: TempDir,
}

impl Gateway {
    /// A gateway for somebody of the demonstration, for treatment and ongoing care.
    pub async fn start(net: &Localnet, person: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let listen = listener.local_addr().unwrap();
        let wallets = folder.path().join("wallets");
        std::fs::create_dir(&wallets).unwrap();
        let wallet = std::fs::read(net.path().join(format!("demo/{person}.amulet"))).unwrap();
        let header = amulet_wallet::keyfile::KeyFileHeader::read(&wallet).unwrap();
        std::fs::write(wallets.join(header.id.file_name()), wallet).unwrap();
        std::fs::write(folder.path().join("passphrase"), format!("{}\n", net.passphrase())).unwrap();
        std::fs::write(folder.path().join("network.json"), net.network()).unwrap();
        let token: String = token_digest(TOKEN).iter().map(|byte| format!("{byte:02x}")).collect();
        let text = format!(
            "network = \"network.json\"\nwallets = \"wallets\"\npassphrase_file = \"passphrase\"\nlisten = \"{listen}\"\n\
             [[client]]\nname = \"ward\"\ntoken_sm3 = \"{token}\"\npurposes = [\"TREAT\", \"COC\"]\n"
        );
        let path = folder.path().join("gateway.toml");
        std::fs::write(&path, text).unwrap();
        let config = Config::load(&path).unwrap();
        let service = start::service(&config).unwrap();
        start::open(&service, &config).await.unwrap();
        let app = Arc::new(App::new(service, config.base.clone(), config.clients));
        tokio::spawn(serve::until(listener, app, std::future::pending()));
        Self { address: format!("http://{listen}"), base: config.base, _folder: folder }
    }

    /// Asks by fhir-kit-client.
    pub async fn ask(&self, steps: &[Value]) -> Vec<Value> {
        let script = conformance("fhir_client.mjs");
        let question = json!({ "base": self.base, "token": TOKEN, "steps": steps });
        blocking(move || {
            let answers = node(&script, &question);
            serde_json::from_slice(&answers).unwrap()
        })
        .await
    }

    /// One `GET` below the base, with the token: status and body.
    pub async fn get(&self, path: &str, headers: &[(&str, &str)]) -> (u16, Value) {
        let bearer = format!("Bearer {TOKEN}");
        let mut all = vec![("authorization", bearer.as_str())];
        all.extend_from_slice(headers);
        self.raw(&format!("{}/{path}", self.base), &all).await
    }

    /// One `GET` as it is.
    pub async fn raw(&self, url: &str, headers: &[(&str, &str)]) -> (u16, Value) {
        let headers: Vec<(String, String)> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let url = url.to_owned();
        blocking(move || {
            let headers: Vec<(&str, &str)> =
                headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let answer = amulet_tests::http::get_with(&url, &headers).unwrap();
            (answer.status, answer.json())
        })
        .await
    }

    /// The validators of others find nothing wrong with these resources.
    pub fn valid(&self, resources: &[Value]) {
        let script = conformance("fhir_validate.mjs");
        let findings: Vec<Vec<String>> = serde_json::from_slice(&node(&script, &json!(resources))).unwrap();
        assert_eq!(findings.concat(), Vec::<String>::new());
    }
}

fn conformance(script: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/conformance/node").join(script)
}

fn node(script: &PathBuf, question: &Value) -> Vec<u8> {
    let mut child =
        Command::new("node").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(question.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    output.stdout
}
