//! Reading QR codes: from the camera, from a picture, and what kind of code was read.

pub mod camera;
pub mod decode;
pub mod picture;
pub mod pixels;

/// What every card code begins with.
const CARD_PREFIXES: [&str; 2] = ["AMULET1:", "AMULET2:"];

/// What every person's code begins with.
const PERSON_PREFIX: &str = "did:amulet:";

/// The kinds of codes Amulet makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeKind {
    /// An emergency card.
    Card,
    /// A person's code.
    Person,
    /// Neither; perhaps a typed card code, which the wallet judges.
    Unknown,
}

impl CodeKind {
    /// Tells the kinds apart by their beginning; the wallet checks the rest.
    pub fn of(code: &str) -> Self {
        let code = code.trim();
        if CARD_PREFIXES.iter().any(|prefix| code.starts_with(prefix)) {
            Self::Card
        } else if code.starts_with(PERSON_PREFIX) {
            Self::Person
        } else {
            Self::Unknown
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_tells_the_kind() {
        assert_eq!(CodeKind::of("AMULET1:8FJ2"), CodeKind::Card);
        assert_eq!(CodeKind::of("AMULET2:8FJ2"), CodeKind::Card);
        assert_eq!(CodeKind::of(" did:amulet:4xk\n"), CodeKind::Person);
        assert_eq!(CodeKind::of("https://example.org"), CodeKind::Unknown);
    }
}
