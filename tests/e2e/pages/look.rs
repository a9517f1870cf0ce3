//! Looking at a page: axe-core's rules, and what it does not know of.

use amulet_tests::e2e::{Browser, Screen, screenshots};
use amulet_tests::localnet::root;
use serde_json::Value;
use std::time::{Duration, Instant};

/// How long a page may take until it shows what it has.
const READY_WITHIN: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(100);
/// Until nothing moves any more.
const SETTLED: Duration = Duration::from_millis(250);

/// How a page is looked at.
pub struct Look {
    /// Its name, that of the folder of pictures.
    pub name: &'static str,
    /// Language of the system.
    pub language: &'static str,
    /// Kind of screen.
    pub screen: Screen,
    /// Whether the system prefers dark colours.
    pub dark: bool,
}

/// axe-core, as it was installed; `None`, said aloud, where it is not.
pub fn axe() -> Option<String> {
    let path = root().join("target/conformance/node/node_modules/axe-core/axe.min.js");
    let axe = std::fs::read_to_string(&path).ok();
    if axe.is_none() {
        let required = std::env::var("AMULET_REQUIRE_CONFORMANCE").is_ok_and(|value| value == "1");
        assert!(!required, "axe-core is not installed and AMULET_REQUIRE_CONFORMANCE=1");
        eprintln!("SKIPPED: axe-core is not installed: run tests/conformance/install.sh");
    }
    axe
}

/// What is wrong with the pages.
pub struct Findings<'a> {
    axe: &'a str,
    found: Vec<String>,
}

impl<'a> Findings<'a> {
    /// Nothing so far.
    pub fn new(axe: &'a str) -> Self {
        Self { axe, found: Vec::new() }
    }

    /// Goes to a page, and looks.
    pub async fn look_at(&mut self, browser: &Browser, look: &Look, name: &str, path: &str) {
        browser.script(&format!("location.hash = '{path}'")).await;
        // The page before must not be taken for this one.
        tokio::time::sleep(POLL).await;
        self.look(browser, look, name).await;
    }

    /// Looks at the page that is open.
    pub async fn look(&mut self, browser: &Browser, look: &Look, name: &str) {
        let place = format!("{}: {name}", look.name);
        if let Err(why) = ready(browser).await {
            self.found.push(format!("{place}: {why}"));
            return;
        }
        self.take_picture(browser, look, name).await;
        for found in axe_findings(browser, self.axe).await {
            self.found.push(format!("{place}: {found}"));
        }
        for found in own_findings(browser, look).await {
            self.found.push(format!("{place}: {found}"));
        }
    }

    async fn take_picture(&self, browser: &Browser, look: &Look, name: &str) {
        let folder = screenshots().join("pages").join(look.name);
        std::fs::create_dir_all(&folder).unwrap();
        let name = name.trim_matches('/').replace('/', "-");
        let name = if name.is_empty() { "welcome" } else { &name };
        let picture = browser.client().screenshot().await.unwrap();
        std::fs::write(folder.join(format!("{name}.png")), picture).unwrap();
    }

    /// Says all that was found.
    pub fn none(self) {
        assert!(self.found.is_empty(), "{} findings:\n{}", self.found.len(), self.found.join("\n"));
    }
}

/// Waits until the page has a heading and nothing is under way; says what it waits for, in vain.
async fn ready(browser: &Browser) -> Result<(), String> {
    let script = "const main = document.querySelector('main');
        if (!main || !main.querySelector('h1')) return 'no heading';
        if (main.querySelector('.waiting, [data-testid=progress]')) return 'still loading';
        return '';";
    let deadline = Instant::now() + READY_WITHIN;
    loop {
        let waits_for = browser.script(script).await;
        match waits_for.as_str() {
            Some("") => break,
            _ if Instant::now() > deadline => return Err(format!("not ready: {waits_for}")),
            _ => tokio::time::sleep(POLL).await,
        }
    }
    tokio::time::sleep(SETTLED).await;
    match browser.error().await {
        Some(error) => Err(format!("an error: {error}")),
        None => Ok(()),
    }
}

/// What axe-core finds: WCAG 2.2 A and AA, and good practice.
async fn axe_findings(browser: &Browser, axe: &str) -> Vec<String> {
    let script = format!(
        "const done = arguments[arguments.length - 1];
         if (!window.axe) {{ {axe} }}
         const runOnly = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
         window.axe.run(document, {{ runOnly, resultTypes: ['violations'] }}).then(
            (result) => done(result.violations.map((v) =>
                `axe ${{v.id}}: ${{v.nodes.slice(0, 3).map((node) => node.target.join(' ')).join(', ')}}`)),
            (error) => done([`axe failed: ${{error}}`]));"
    );
    let found = browser.client().execute_async(&script, vec![]).await.unwrap();
    texts(&found)
}

/// Wider than the screen, also with text at 200 %; and what a finger is to press but is smaller than 44 pixels.
async fn own_findings(browser: &Browser, look: &Look) -> Vec<String> {
    let script = "const found = [];
        const root = document.documentElement;
        const wide = () => root.scrollWidth - window.innerWidth;
        if (wide() > 0) found.push(`${wide()} px wider than the screen`);
        const pressed = 'header a, header button, nav a, main button, main a.button, main a.line, main a.notice, main summary, main select, '
            + 'main input:not([type=radio]):not([type=checkbox]):not([type=file]), main textarea, label.choice, label.tick';
        for (const element of document.querySelectorAll(pressed)) {
            const { width, height } = element.getBoundingClientRect();
            const seen = width > 0 && height > 0 && !element.closest('.visually-hidden, .skip');
            if (seen && (height < 43.5 || width < 43.5)) {
                found.push(`only ${Math.round(width)} x ${Math.round(height)} px to press: ${element.outerHTML.slice(0, 90)}`);
            }
        }
        if (arguments[0]) {
            root.style.fontSize = '200%';
            if (wide() > 0) found.push(`${wide()} px wider than the screen with text at 200 %`);
            root.style.fontSize = '';
        }
        return found;";
    let phone = Value::from(look.screen == Screen::Phone);
    texts(&browser.client().execute(script, vec![phone]).await.unwrap())
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().map(|text| text.as_str().unwrap_or_default().to_owned()).collect()
}
