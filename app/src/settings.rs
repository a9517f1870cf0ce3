//! Where things are: two environment variables, else the system's own places.

use std::ffi::OsString;
use std::path::PathBuf;
use tauri::{AppHandle, Manager};

/// Names the network file.
pub const NETWORK_VARIABLE: &str = "AMULET_NETWORK";
/// Names the folder for this device's files.
pub const DATA_VARIABLE: &str = "AMULET_DATA";
/// Name of the network file in the system's folder for settings.
const NETWORK_FILE: &str = "network.json";

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
}
