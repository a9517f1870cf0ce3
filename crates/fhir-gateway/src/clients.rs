//! The systems that may ask, each by a token of which only the digest is kept.

use amulet_crypto::digest::{constant_time_eq, sm3};
use zeroize::Zeroizing;

/// Most clients of one gateway: the systems of one hospital.
pub const CLIENTS_MAX: usize = 64;
/// Random bytes of a token, which is their hexadecimal text. So many cannot be guessed, and need no salt.
pub const TOKEN_BYTES: usize = 32;
/// Longest token that is looked at.
const TOKEN_CHARS_MAX: usize = 256;
/// Bytes of a digest.
pub const DIGEST_BYTES: usize = 32;

/// The purposes of grants that a gateway reads under, as codes of HL7's `v3-ActReason`. Emergencies are declared by a person, and
/// studies read otherwise.
pub const PURPOSES: [&str; 4] = ["TREAT", "COC", "FAMRQT", "CLMATTCH"];

/// A system of the hospital.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Its name, for the log.
    pub name: String,
    /// SM3 of its token.
    pub token: [u8; DIGEST_BYTES],
    /// What it may ask for, of [`PURPOSES`]; the first when it says nothing.
    pub purposes: Vec<&'static str>,
}

/// What is kept of a token.
#[must_use]
pub fn token_digest(token: &str) -> [u8; DIGEST_BYTES] {
    *sm3(token.as_bytes()).as_bytes()
}

/// The client whose token an `Authorization` header bears. Every client is compared, and digests are, so that neither place nor
/// length nor a likeness shows in the time it takes.
#[must_use]
pub fn authenticated<'c>(clients: &'c [Client], authorization: Option<&str>) -> Option<&'c Client> {
    let (scheme, token) = authorization?.trim().split_once(' ')?;
    let token = Zeroizing::new(token.trim().to_owned());
    if !scheme.eq_ignore_ascii_case("Bearer") || token.len() > TOKEN_CHARS_MAX {
        return None;
    }
    let given = token_digest(&token);
    let mut found = None;
    for client in clients {
        if constant_time_eq(&client.token, &given) {
            found = Some(client);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_of_a_client_opens() {
        let client = |name: &str, token: &str| Client {
            name: name.to_owned(),
            token: token_digest(token),
            purposes: vec!["TREAT"],
        };
        let clients = [client("ward", "one"), client("lab", "two")];
        let named = |header: &str| authenticated(&clients, Some(header)).map(|client| client.name.as_str());
        assert_eq!(named("Bearer two"), Some("lab"));
        assert_eq!(named("bearer  one "), Some("ward"));
        for wrong in ["Bearer tw", "Bearer twoo", "Bearer ", "Basic two", "two", "", "Bearer one two"] {
            assert_eq!(named(wrong), None, "{wrong:?}");
        }
        assert_eq!(authenticated(&clients, None), None);
        let digest = hex::encode(token_digest("two"));
        assert_eq!(named(&format!("Bearer {digest}")), None, "what is in the configuration opens nothing");
    }
}
