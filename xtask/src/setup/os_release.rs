//! Which Linux distribution this is, from `/etc/os-release` (format: os-release(5)).

/// The distributions that setup can install packages on, by where their package names come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Debian and what is built from it.
    Debian,
    /// Ubuntu and what is built from it.
    Ubuntu,
}

/// What setup may expect of this system.
#[derive(Debug, PartialEq, Eq)]
pub enum Support {
    /// Packages come from apt under this family's names.
    Known(Family),
    /// The right family, but before WebKitGTK 4.1.
    TooOld,
    /// Another distribution or operating system.
    Unknown,
}

/// The fields of os-release that matter here.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct OsRelease {
    id: String,
    id_like: Vec<String>,
    version: Option<u32>,
    /// A name to show to a person.
    pub name: String,
}

/// First Debian release with WebKitGTK 4.1.
const FIRST_DEBIAN: u32 = 12;
/// First Ubuntu release with WebKitGTK 4.1 (22.04).
const FIRST_UBUNTU: u32 = 22;

impl OsRelease {
    /// Reads this system's file; a system without one is an unknown one.
    pub fn of_this_system() -> Self {
        let text = std::fs::read_to_string("/etc/os-release")
            .or_else(|_| std::fs::read_to_string("/usr/lib/os-release"))
            .unwrap_or_default();
        let mut release = Self::parse(&text);
        if release.name.is_empty() {
            release.name = format!("a system without /etc/os-release ({})", std::env::consts::OS);
        }
        release
    }

    fn parse(text: &str) -> Self {
        let mut release = Self::default();
        for line in text.lines() {
            let Some((key, value)) = line.trim().split_once('=') else { continue };
            let value = value.trim_matches(|character| character == '"' || character == '\'');
            match key {
                "ID" => release.id = value.to_owned(),
                "ID_LIKE" => release.id_like = value.split_whitespace().map(str::to_owned).collect(),
                "VERSION_ID" => {
                    release.version = value.split('.').next().and_then(|major| major.parse().ok())
                }
                "PRETTY_NAME" => release.name = value.to_owned(),
                "NAME" if release.name.is_empty() => release.name = value.to_owned(),
                _ => {}
            }
        }
        release
    }

    /// Whether setup can install packages here. A release without a number (Debian testing) counts as new, and so does a
    /// derivative, whose numbers mean something else: if it is too old, apt will name the package that is missing.
    pub fn support(&self) -> Support {
        let is_like = |name: &str| self.id_like.iter().any(|like| like == name);
        let is_before = |first: u32| self.version.is_some_and(|version| version < first);
        match self.id.as_str() {
            "debian" if is_before(FIRST_DEBIAN) => Support::TooOld,
            "ubuntu" if is_before(FIRST_UBUNTU) => Support::TooOld,
            "debian" => Support::Known(Family::Debian),
            "ubuntu" => Support::Known(Family::Ubuntu),
            _ if is_like("ubuntu") => Support::Known(Family::Ubuntu),
            _ if is_like("debian") => Support::Known(Family::Debian),
            _ => Support::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn support(text: &str) -> Support {
        OsRelease::parse(text).support()
    }

    #[test]
    fn supported_releases_are_recognised() {
        let debian = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nID=debian\n";
        assert_eq!(support(debian), Support::Known(Family::Debian));
        assert_eq!(OsRelease::parse(debian).name, "Debian GNU/Linux 12 (bookworm)");
        assert_eq!(support("ID=ubuntu\nVERSION_ID='22.04'\nID_LIKE=debian"), Support::Known(Family::Ubuntu));
        assert_eq!(
            support("PRETTY_NAME=\"Debian GNU/Linux forky/sid\"\nID=debian"),
            Support::Known(Family::Debian)
        );
    }

    #[test]
    fn releases_before_webkitgtk_4_1_are_too_old() {
        assert_eq!(support("ID=debian\nVERSION_ID=\"11\""), Support::TooOld);
        assert_eq!(support("ID=ubuntu\nVERSION_ID=\"20.04\""), Support::TooOld);
    }

    #[test]
    fn derivatives_follow_their_parent_whatever_their_number() {
        assert_eq!(
            support("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\nVERSION_ID=\"21\""),
            Support::Known(Family::Ubuntu)
        );
        assert_eq!(support("ID=devuan\nID_LIKE=debian\nVERSION_ID=\"5\""), Support::Known(Family::Debian));
    }

    #[test]
    fn others_are_unknown() {
        assert_eq!(support("ID=fedora\nVERSION_ID=41\nID_LIKE=\"\""), Support::Unknown);
        assert_eq!(support(""), Support::Unknown);
    }
}
