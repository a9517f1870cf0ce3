//! The gateway's configuration, one TOML file, checked.

use crate::clients::{CLIENTS_MAX, Client, PURPOSES};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Bytes of a configuration file.
const CONFIG_BYTES_MAX: u64 = 256 * 1024;
/// Address unless another is named: this machine only.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8180);
/// Longest base address.
const BASE_CHARS_MAX: usize = 200;

/// A configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// The network file.
    pub network: PathBuf,
    /// The folder with the reader's wallet file.
    pub wallets: PathBuf,
    /// Which wallet, if there are several.
    pub wallet: Option<String>,
    /// The file with its passphrase.
    pub passphrase_file: PathBuf,
    /// Where to listen.
    pub listen: SocketAddr,
    /// The address by which clients know this server, without a slash at the end.
    pub base: String,
    /// Who may ask.
    pub clients: Vec<Client>,
}

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Cannot be read.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Larger than a configuration is.
    #[error("{} has {found} bytes, at most {CONFIG_BYTES_MAX} are read", path.display())]
    TooLarge {
        /// Which.
        path: PathBuf,
        /// Bytes.
        found: u64,
    },
    /// Not TOML, or a key that there is not.
    #[error("{}: {message}", path.display())]
    Toml {
        /// Which.
        path: PathBuf,
        /// The parser's words.
        message: String,
    },
    /// Plaintext would leave this machine.
    #[error(
        "listen = {listen}: answers are health data in the clear, so only this machine may ask. Put a server with TLS before \
         it, on this machine; or set behind_tls = true if the network between the two is nobody else's"
    )]
    NotLoopback {
        /// The address.
        listen: SocketAddr,
    },
    /// No `http` or `https` address.
    #[error("base = {base}: this is no address of a FHIR server, such as https://fhir.hospital.example/fhir")]
    Base {
        /// What stands there.
        base: String,
    },
    /// None or too many.
    #[error(
        "{found} clients, from 1 to {CLIENTS_MAX} are accepted; `amulet-fhir-gateway token` makes a token"
    )]
    Clients {
        /// How many.
        found: usize,
    },
    /// Two with the same name or token.
    #[error("client {name}: its name or token is another client's too")]
    Repeated {
        /// Which.
        name: String,
    },
    /// Not the digest of a token.
    #[error("client {name}: token_sm3 is not 64 hexadecimal digits; `amulet-fhir-gateway token` makes them")]
    Token {
        /// Whose.
        name: String,
    },
    /// No purpose, or one that no access has.
    #[error("client {name}: purposes must name at least one of {PURPOSES:?}")]
    Purposes {
        /// Whose.
        name: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    network: PathBuf,
    wallets: PathBuf,
    wallet: Option<String>,
    passphrase_file: PathBuf,
    listen: Option<SocketAddr>,
    base: Option<String>,
    #[serde(default)]
    behind_tls: bool,
    #[serde(default)]
    client: Vec<FileClient>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileClient {
    name: String,
    token_sm3: String,
    purposes: Vec<String>,
}

impl Config {
    /// Reads and checks a configuration. Paths in it are relative to its folder.
    ///
    /// # Errors
    /// [`ConfigError`] by variant.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let failed = |source| ConfigError::File { path: path.to_owned(), source };
        let found = std::fs::metadata(path).map_err(failed)?.len();
        if found > CONFIG_BYTES_MAX {
            return Err(ConfigError::TooLarge { path: path.to_owned(), found });
        }
        let text = std::fs::read_to_string(path).map_err(failed)?;
        let file: File = toml::from_str(&text).map_err(|error| ConfigError::Toml {
            path: path.to_owned(),
            message: error.message().to_owned(),
        })?;
        Self::check(file, path.parent().unwrap_or(Path::new(".")))
    }

    fn check(file: File, folder: &Path) -> Result<Self, ConfigError> {
        let listen = file.listen.unwrap_or(LISTEN);
        if !listen.ip().is_loopback() && !file.behind_tls {
            return Err(ConfigError::NotLoopback { listen });
        }
        let base = file.base.unwrap_or_else(|| format!("http://{listen}/fhir"));
        let base = base.trim_end_matches('/').to_owned();
        let host = base.strip_prefix("http://").or_else(|| base.strip_prefix("https://"));
        let is_base = |host: &str| {
            !host.is_empty()
                && host.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#\"\\<>".contains(&byte))
        };
        if base.len() > BASE_CHARS_MAX || !host.is_some_and(is_base) {
            return Err(ConfigError::Base { base });
        }
        let found = file.client.len();
        if !(1..=CLIENTS_MAX).contains(&found) {
            return Err(ConfigError::Clients { found });
        }
        let clients = file.client.into_iter().map(client).collect::<Result<Vec<Client>, _>>()?;
        let (mut names, mut tokens) = (BTreeSet::new(), BTreeSet::new());
        for client in &clients {
            if !names.insert(&client.name) || !tokens.insert(client.token) {
                return Err(ConfigError::Repeated { name: client.name.clone() });
            }
        }
        Ok(Self {
            network: folder.join(file.network),
            wallets: folder.join(file.wallets),
            wallet: file.wallet,
            passphrase_file: folder.join(file.passphrase_file),
            listen,
            base,
            clients,
        })
    }
}

fn client(file: FileClient) -> Result<Client, ConfigError> {
    let FileClient { name, token_sm3, purposes } = file;
    let mut token = [0; crate::clients::DIGEST_BYTES];
    if hex::decode_to_slice(&token_sm3, &mut token).is_err() {
        return Err(ConfigError::Token { name });
    }
    let known = |purpose: &String| PURPOSES.into_iter().find(|known| known == purpose);
    let known: Option<Vec<&'static str>> = purposes.iter().map(known).collect();
    match known {
        Some(purposes) if !purposes.is_empty() => Ok(Client { name, token, purposes }),
        _ => Err(ConfigError::Purposes { name }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(text: &str) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gateway.toml");
        std::fs::write(&path, text).unwrap();
        Config::load(&path)
    }

    fn with(more: &str) -> String {
        let token = "ab".repeat(32);
        format!(
            "network = \"network.json\"\nwallets = \"w\"\npassphrase_file = \"p\"\n{more}\n\
             [[client]]\nname = \"ward\"\ntoken_sm3 = \"{token}\"\npurposes = [\"TREAT\", \"COC\"]\n"
        )
    }

    #[test]
    fn it_listens_to_this_machine_unless_the_operator_says_otherwise() {
        let config = read(&with("")).unwrap();
        assert!(config.listen.ip().is_loopback());
        assert_eq!(config.base, "http://127.0.0.1:8180/fhir");
        assert_eq!(config.clients[0].purposes, ["TREAT", "COC"]);
        let refused = read(&with("listen = \"0.0.0.0:8180\"")).unwrap_err();
        assert!(matches!(refused, ConfigError::NotLoopback { .. }), "{refused}");
        assert!(read(&with("listen = \"0.0.0.0:8180\"\nbehind_tls = true")).is_ok());
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, word) in [
            (with("colour = 1"), "colour"),
            (with("base = \"ftp://x\""), "base"),
            (with("base = \"http://x/?a\""), "base"),
            (with("").replace("TREAT", "PLAY"), "purposes"),
            (with("").replace("abab", "xyxy"), "token_sm3"),
            (with("").replace("[[client]]", "[[clients]]"), "clients"),
        ] {
            let refused = read(&text).unwrap_err().to_string();
            assert!(refused.contains(word), "{refused}");
        }
        let twice = with("")
            + &with("").split_once("[[client]]").map(|(_, rest)| format!("[[client]]{rest}")).unwrap();
        assert!(matches!(read(&twice), Err(ConfigError::Repeated { .. })));
    }
}
