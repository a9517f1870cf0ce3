//! The process that speaks WebDriver.

use crate::{http, wait};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const UP_WITHIN: Duration = Duration::from_secs(30);

/// A running driver; dropping it ends it and the browsers it started.
pub struct Driver {
    process: Child,
    /// Where it listens.
    pub url: String,
}

impl Driver {
    /// Chromium's driver, from `PATH`.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn chromium() -> Self {
        let port = free_port();
        let mut command = Command::new("chromedriver");
        command.arg(format!("--port={port}"));
        Self::start(command, port)
    }

    /// Tauri's driver before WebKit's, for the window.
    ///
    /// # Panics
    /// When it does not start.
    #[must_use]
    pub fn window(environment: &[(&str, &std::ffi::OsStr)]) -> Self {
        let driver = std::env::var_os("AMULET_TAURI_DRIVER").unwrap_or_else(|| "tauri-driver".into());
        let (port, native) = (free_port(), free_port());
        let mut command = Command::new(driver);
        command.args(["--port", &port.to_string(), "--native-port", &native.to_string()]);
        if let Some(webkit) = std::env::var_os("AMULET_WEBKIT_DRIVER") {
            command.arg("--native-driver").arg(webkit);
        }
        command.envs(environment.iter().copied());
        Self::start(command, port)
    }

    fn start(mut command: Command, port: u16) -> Self {
        let program = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let process = command.spawn().unwrap_or_else(|error| panic!("{program} does not start: {error}"));
        let url = format!("http://127.0.0.1:{port}");
        let mut driver = Self { process, url };
        let status = format!("{}/status", driver.url);
        wait::until(&program, UP_WITHIN, || {
            if let Ok(Some(status)) = driver.process.try_wait() {
                panic!("{program} stopped at once: {status}");
            }
            http::get(&status).ok()
        });
        driver
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // An orderly end, so that the driver ends what it started.
        let _ = Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status();
        for _ in 0..50 {
            if !matches!(self.process.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("a listener has an address").port()
}
