//! Where things are: two environment variables, else the system's own places.

use std::ffi::OsString;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use tauri::{AppHandle, Manager};

/// Names the network file.
pub const NETWORK_VARIABLE: &str = "AMULET_NETWORK";
/// Names the folder for this device's files.
pub const DATA_VARIABLE: &str = "AMULET_DATA";
/// Name of the network file in the system's folder for settings.
const NETWORK_FILE: &str = "network.json";

/// Folder of the demonstration's people, beside the network file.
const DEMO_FOLDER: &str = "demo";

/// Where things are.
pub struct Settings {
    /// The network file.
    pub network: PathBuf,
    /// The folder for this device's files.
    pub data: PathBuf,
    /// The folder for files that a person saves; `None` if the system names none.
    pub downloads: Option<PathBuf>,
}

impl Settings {
    /// From the environment, else the system.
    ///
    /// # Errors
    /// When the system names no folder for settings or data.
    pub fn find(app: &AppHandle) -> tauri::Result<Self> {
        let network = match path_in(std::env::var_os(NETWORK_VARIABLE)) {
            Some(path) => path,
            None => app.path().app_config_dir()?.join(NETWORK_FILE),
        };
        let data = match path_in(std::env::var_os(DATA_VARIABLE)) {
            Some(path) => path,
            None => app.path().app_data_dir()?,
        };
        let paths = app.path();
        let downloads = paths.download_dir().or_else(|_| paths.document_dir()).or_else(|_| paths.home_dir());
        Ok(Self { network, data, downloads: downloads.ok() })
    }

    /// Where the demonstration's people are, if this is a demonstration.
    pub fn demo(&self) -> PathBuf {
        self.network.parent().unwrap_or(Path::new(".")).join(DEMO_FOLDER)
    }
}

/// The name by which a second start finds the first: one for each folder for the device's files, so that another folder can
/// have a window of its own.
pub fn instance(identifier: &str) -> String {
    instance_of(identifier, path_in(std::env::var_os(DATA_VARIABLE)))
}

fn instance_of(identifier: &str, data: Option<PathBuf>) -> String {
    let Some(data) = data else { return identifier.to_owned() };
    let mut hasher = DefaultHasher::new();
    std::path::absolute(&data).unwrap_or(data).hash(&mut hasher);
    // The bus takes no name whose part begins with a digit.
    format!("{identifier}.d{:016x}", hasher.finish())
}

/// A variable that is set to nothing is as good as not set.
fn path_in(value: Option<OsString>) -> Option<PathBuf> {
    value.filter(|value| !value.is_empty()).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_variable_is_not_a_path() {
        assert_eq!(path_in(Some(OsString::new())), None);
        assert_eq!(path_in(None), None);
        assert_eq!(path_in(Some("/x".into())), Some(PathBuf::from("/x")));
    }

    #[test]
    fn each_folder_has_one_window() {
        let of = |data: &str| instance_of("org.amulet.wallet", Some(PathBuf::from(data)));
        assert_eq!(of("/x/one"), of("/x/one/"));
        assert_ne!(of("/x/one"), of("/x/two"));
        assert_eq!(instance_of("org.amulet.wallet", None), "org.amulet.wallet");
    }
}
