//! A browser as a person uses it: looks for things by their `data-testid`, waits until they are there, and stops at the
//! first error the page shows.

use super::{Driver, screenshots};
use crate::localnet::built;
use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Argon2 in unoptimised wasm beside four nodes takes its time.
const PATIENCE: Duration = Duration::from_secs(90);
const POLL: Duration = Duration::from_millis(150);
/// Sharp enough for a guide, small enough to keep.
const PIXEL_RATIO: f64 = 1.5;
const PICTURE_WITHIN: Duration = Duration::from_secs(10);

/// How a browser is set up.
#[derive(Debug, Default)]
pub struct Setup<'a> {
    /// What its camera sees; no camera without it.
    pub film: Option<&'a Path>,
    /// Language of the system, `en` without it.
    pub language: Option<&'a str>,
    /// How large its screen is.
    pub screen: Screen,
    /// Whether the system prefers dark colours.
    pub dark: bool,
}

/// Kinds of screens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Screen {
    /// A phone, held upright.
    #[default]
    Phone,
    /// A tablet, held upright.
    Tablet,
    /// A window on a desk.
    Desktop,
}

impl Screen {
    /// Width and height in CSS pixels.
    #[must_use]
    pub fn size(self) -> (u32, u32) {
        match self {
            Self::Phone => (390, 844),
            Self::Tablet => (820, 1_180),
            Self::Desktop => (1_280, 900),
        }
    }
}

/// The app's program.
///
/// # Panics
/// When it was not built.
#[must_use]
pub fn window_program() -> PathBuf {
    let named = std::env::var_os("AMULET_APP_BIN").map(PathBuf::from);
    let program = named.unwrap_or_else(|| built("amulet"));
    assert!(program.exists(), "no program at {}: build the app first", program.display());
    program
}

/// An open browser or window.
pub struct Browser {
    client: Client,
    name: String,
    shots: std::sync::atomic::AtomicU32,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Opens Chromium like a phone, in a new profile.
    ///
    /// # Panics
    /// When it does not open.
    pub async fn chromium(driver: &Driver, name: &str, setup: &Setup<'_>) -> Self {
        let profile = tempfile::tempdir().expect("a temporary folder");
        let language = setup.language.unwrap_or("en");
        let mut arguments = vec![
            "--headless=new".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-quic".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--no-first-run".to_owned(),
            "--disable-background-networking".to_owned(),
            "--disable-component-update".to_owned(),
            "--disable-sync".to_owned(),
            format!("--lang={language}"),
            format!("--user-data-dir={}", profile.path().display()),
        ];
        let (width, height) = setup.screen.size();
        if setup.dark {
            arguments.push("--blink-settings=preferredColorScheme=0".to_owned());
        }
        if let Some(film) = setup.film {
            arguments.push("--use-fake-device-for-media-stream".to_owned());
            arguments.push("--use-fake-ui-for-media-stream".to_owned());
            arguments.push(format!("--use-file-for-fake-video-capture={}", film.display()));
        }
        let options = json!({
            "args": arguments,
            "prefs": { "intl.accept_languages": language },
            "mobileEmulation": { "deviceMetrics": { "width": width, "height": height, "pixelRatio": PIXEL_RATIO } },
        });
        let capabilities = json!({ "goog:chromeOptions": options });
        Self::open(driver, name, profile, capabilities).await
    }

    /// Opens the app's real window.
    ///
    /// # Panics
    /// When it does not open.
    pub async fn window(driver: &Driver, name: &str) -> Self {
        let profile = tempfile::tempdir().expect("a temporary folder");
        let program = window_program();
        let capabilities = json!({ "tauri:options": { "application": program } });
        Self::open(driver, name, profile, capabilities).await
    }

    async fn open(driver: &Driver, name: &str, profile: tempfile::TempDir, capabilities: Value) -> Self {
        let capabilities: Capabilities =
            serde_json::from_value(capabilities).expect("capabilities are an object");
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(capabilities);
        let client = builder.connect(&driver.url).await;
        let client = client.unwrap_or_else(|error| panic!("{name} does not open: {error}"));
        Self { client, name: name.to_owned(), shots: 1.into(), _profile: profile }
    }

    /// The client, for what is not here.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Goes to an address.
    ///
    /// # Panics
    /// When it cannot.
    pub async fn go(&self, url: &str) {
        self.client.goto(url).await.expect("the page loads");
    }

    /// Closes the browser.
    ///
    /// # Panics
    /// When it is gone already.
    pub async fn close(self) {
        self.client.close().await.expect("the browser closes");
    }

    /// Waits until something is on the page.
    ///
    /// # Panics
    /// When it does not appear, or the page shows an error instead.
    pub async fn see(&self, id: &str) -> Element {
        self.find(&format!("[data-testid='{id}']"), id != "error").await
    }

    /// Waits until the first of these is on the page.
    ///
    /// # Panics
    /// When it does not appear.
    pub async fn see_css(&self, css: &str) -> Element {
        self.find(css, true).await
    }

    async fn find(&self, css: &str, stop_at_errors: bool) -> Element {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Ok(element) = self.client.find(Locator::Css(css)).await
                && element.is_displayed().await.unwrap_or(false)
            {
                return element;
            }
            if stop_at_errors && let Some(error) = self.error().await {
                self.fail(&format!("an error instead of {css}: {error}")).await;
            }
            if Instant::now() > deadline {
                self.fail(&format!("waited {PATIENCE:?} in vain for {css}")).await;
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// Whether something is on the page now.
    pub async fn has(&self, id: &str) -> bool {
        self.client.find(Locator::Css(&format!("[data-testid='{id}']"))).await.is_ok()
    }

    /// Waits until something is no longer on the page.
    ///
    /// # Panics
    /// When it stays.
    pub async fn gone(&self, id: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.has(id).await {
            if Instant::now() > deadline {
                self.fail(&format!("{id} stays")).await;
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// The text of the error the page shows, if it shows one.
    pub async fn error(&self) -> Option<String> {
        let element = self.client.find(Locator::Css("[data-testid='error']")).await.ok()?;
        element.text().await.ok()
    }

    /// Waits for an error and gives its code.
    ///
    /// # Panics
    /// When none appears.
    pub async fn error_code(&self) -> String {
        let element = self.see("error").await;
        element.attr("data-code").await.ok().flatten().unwrap_or_default()
    }

    /// Presses something, once it can be pressed: nothing may cover it.
    ///
    /// # Panics
    /// When it never can.
    pub async fn press(&self, id: &str) {
        self.press_by(&Locator::Css(&format!("[data-testid='{id}']")), id).await;
    }

    /// Presses the first of these, once it can be pressed.
    ///
    /// # Panics
    /// When it never can.
    pub async fn press_css(&self, css: &str) {
        self.press_by(&Locator::Css(css), css).await;
    }

    /// Chooses one of several or ticks a box, by its whole line as a finger does.
    ///
    /// # Panics
    /// When it cannot be pressed.
    pub async fn choose(&self, id: &str) {
        let path = format!("//*[@data-testid='{id}']/ancestor::label[1]");
        self.press_by(&Locator::XPath(&path), id).await;
    }

    /// Unticks or ticks the first box inside something.
    ///
    /// # Panics
    /// When there is none.
    pub async fn press_first_tick(&self, inside: &str) {
        let path = format!("//*[@data-testid='{inside}']//label[1]");
        self.press_by(&Locator::XPath(&path), inside).await;
    }

    async fn press_by(&self, locator: &Locator<'_>, id: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let pressed = self.try_press(*locator).await;
            match pressed {
                Ok(true) => return,
                Ok(false) | Err(_) if Instant::now() < deadline => {}
                other => self.fail(&format!("{id} cannot be pressed: {other:?}")).await,
            }
            if let (Some(error), Err(_)) = (self.error().await, &pressed) {
                self.fail(&format!("an error instead of {id}: {error}")).await;
            }
            tokio::time::sleep(POLL).await;
        }
    }

    async fn try_press(&self, locator: Locator<'_>) -> Result<bool, CmdError> {
        let element = self.client.find(locator).await?;
        if !element.is_displayed().await? || !element.is_enabled().await? {
            return Ok(false);
        }
        // As a thumb does: what is to be pressed is brought to the middle, away from the bars at top and bottom.
        let middle = "arguments[0].scrollIntoView({ block: 'center', behavior: 'instant' })";
        let target = serde_json::to_value(&element).unwrap_or_default();
        self.client.execute(middle, vec![target]).await?;
        element.click().await?;
        Ok(true)
    }

    /// Types into a field, replacing what is there.
    ///
    /// # Panics
    /// When it cannot.
    pub async fn write(&self, id: &str, text: &str) {
        let field = self.see(id).await;
        field.clear().await.expect("the field can be cleared");
        field.send_keys(text).await.expect("the field can be typed into");
    }

    /// The text of something.
    ///
    /// # Panics
    /// When it has none.
    pub async fn text(&self, id: &str) -> String {
        self.see(id).await.text().await.expect("it has a text")
    }

    /// Everything that the page says.
    ///
    /// # Panics
    /// When it says nothing.
    pub async fn all_text(&self) -> String {
        let body = self.client.find(Locator::Css("body")).await.expect("a page has a body");
        body.text().await.expect("the page says something")
    }

    /// How many of something there are.
    ///
    /// # Panics
    /// When the page cannot be searched.
    pub async fn count(&self, id: &str) -> usize {
        let css = format!("[data-testid='{id}']");
        self.client.find_all(Locator::Css(&css)).await.expect("the page can be searched").len()
    }

    /// Runs a script in the page.
    ///
    /// # Panics
    /// When it fails.
    pub async fn script(&self, script: &str) -> Value {
        self.client.execute(script, vec![]).await.expect("the script runs")
    }

    /// Takes a picture of the screen, and checks that nothing sticks out at the side of a phone.
    ///
    /// # Panics
    /// When the page is wider than the screen.
    pub async fn shot(&self, what: &str) {
        let number = self.shots.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.save(&format!("{}-{number:02}-{what}.png", self.name)).await;
        let wide = self.script("return document.documentElement.scrollWidth - window.innerWidth").await;
        assert!(wide.as_i64().unwrap_or_default() <= 0, "{what} is {wide} pixels wider than the screen");
    }

    async fn save(&self, name: &str) {
        // A picture is no reason to wait for ever.
        let taken = tokio::time::timeout(PICTURE_WITHIN, self.client.screenshot()).await;
        if let Ok(Ok(picture)) = taken {
            let path = screenshots().join(name);
            std::fs::write(&path, picture).expect("the picture can be written");
        }
    }

    async fn fail(&self, why: &str) -> ! {
        self.save(&format!("{}-failed.png", self.name)).await;
        let text = self.all_text().await;
        panic!("{}: {why}\n--- the page says:\n{text}", self.name);
    }
}
