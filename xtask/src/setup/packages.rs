//! The system packages that the build and the tests need, and which of them are missing.

use std::collections::BTreeSet;

use super::os_release::Family;
use crate::exec;

/// What a package is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Building anything at all.
    Build,
    /// Building and showing the window.
    Window,
    /// The driven browser and the invisible screen.
    Tests,
    /// Driving the window. Not packaged everywhere; its absence costs one test, not all.
    WindowTests,
    /// The WebAssembly toolchain under `AMULET_WASM=debian`.
    WasmToolchain,
}

/// How to notice that something is there although dpkg does not list the package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    /// Any of these programs is on the `PATH` (a browser installed from elsewhere, for example).
    Program(&'static [&'static str]),
    /// `pkg-config` knows the library.
    Library(&'static str),
    /// Only dpkg can tell.
    PackageOnly,
}

/// One thing that must be present.
#[derive(Debug, PartialEq, Eq)]
pub struct Requirement {
    /// Why.
    pub purpose: Purpose,
    debian: &'static str,
    ubuntu: &'static str,
    sign: Sign,
}

impl Requirement {
    /// The package's name on a system of this family.
    pub fn package(&self, family: Family) -> &'static str {
        match family {
            Family::Debian => self.debian,
            Family::Ubuntu => self.ubuntu,
        }
    }
}

const fn need(purpose: Purpose, package: &'static str, sign: Sign) -> Requirement {
    Requirement { purpose, debian: package, ubuntu: package, sign }
}

/// Everything that may come from apt.
pub const REQUIREMENTS: &[Requirement] = &[
    need(Purpose::Build, "build-essential", Sign::Program(&["cc"])),
    need(Purpose::Build, "pkg-config", Sign::Program(&["pkg-config"])),
    need(Purpose::Window, "libwebkit2gtk-4.1-dev", Sign::Library("webkit2gtk-4.1")),
    need(Purpose::Window, "libssl-dev", Sign::Library("openssl")),
    need(Purpose::Window, "libxdo-dev", Sign::PackageOnly),
    need(Purpose::Window, "libayatana-appindicator3-dev", Sign::Library("ayatana-appindicator3-0.1")),
    need(Purpose::Window, "librsvg2-dev", Sign::Library("librsvg-2.0")),
    Requirement {
        purpose: Purpose::Tests,
        debian: "chromium",
        ubuntu: "chromium-browser",
        sign: Sign::Program(&["chromium", "chromium-browser", "google-chrome"]),
    },
    Requirement {
        purpose: Purpose::Tests,
        debian: "chromium-driver",
        ubuntu: "chromium-chromedriver",
        sign: Sign::Program(&["chromedriver"]),
    },
    need(Purpose::Tests, "xvfb", Sign::Program(&["Xvfb"])),
    need(Purpose::Tests, "xauth", Sign::Program(&["xauth"])),
    need(Purpose::Tests, "dbus-x11", Sign::Program(&["dbus-launch"])),
    need(Purpose::Tests, "imagemagick", Sign::Program(&["import"])),
    need(Purpose::Tests, "fonts-noto-cjk", Sign::PackageOnly),
    need(Purpose::Tests, "nodejs", Sign::Program(&["node"])),
    need(Purpose::Tests, "npm", Sign::Program(&["npm"])),
    need(Purpose::Tests, "python3-venv", Sign::PackageOnly),
    need(Purpose::WindowTests, "webkit2gtk-driver", Sign::Program(&["WebKitWebDriver"])),
    need(Purpose::WasmToolchain, "rustc-web", Sign::PackageOnly),
    need(Purpose::WasmToolchain, "cargo-web", Sign::PackageOnly),
    need(Purpose::WasmToolchain, "rust-web-src", Sign::PackageOnly),
    need(Purpose::WasmToolchain, "libstd-rust-web-dev", Sign::PackageOnly),
    need(Purpose::WasmToolchain, "lld-19", Sign::PackageOnly),
];

/// The requirements of these purposes that are not met on this machine.
pub fn missing(purposes: &[Purpose], family: Option<Family>) -> Vec<&'static Requirement> {
    let installed = installed_packages(family);
    missing_given(purposes, family, &installed, &shows_sign)
}

/// Without a family there is no dpkg to ask, so what only dpkg could tell is taken to be there: the compiler or the test
/// that needs it will say so if not, and refusing to try would lock out every other distribution.
fn missing_given(
    purposes: &[Purpose],
    family: Option<Family>,
    installed: &BTreeSet<String>,
    shows_sign: &dyn Fn(Sign) -> bool,
) -> Vec<&'static Requirement> {
    REQUIREMENTS
        .iter()
        .filter(|requirement| purposes.contains(&requirement.purpose))
        .filter(|requirement| match (family, requirement.sign) {
            (Some(family), _) if installed.contains(requirement.package(family)) => false,
            (None, Sign::PackageOnly) => false,
            (_, sign) => !shows_sign(sign),
        })
        .collect()
}

fn shows_sign(sign: Sign) -> bool {
    match sign {
        Sign::Program(names) => names.iter().any(|name| exec::find_program(name).is_some()),
        Sign::Library(name) => exec::probe(exec::command("pkg-config").args(["--exists", name])).is_some(),
        Sign::PackageOnly => false,
    }
}

fn installed_packages(family: Option<Family>) -> BTreeSet<String> {
    let Some(family) = family else { return BTreeSet::new() };
    let names = REQUIREMENTS.iter().map(|requirement| requirement.package(family));
    // dpkg-query exits with 1 as soon as it does not know one of the names, and still lists the others.
    let answer =
        exec::command("dpkg-query").args(["-W", "-f=${Package}\t${db:Status-Status}\n"]).args(names).output();
    answer.map(|output| parse_dpkg(&String::from_utf8_lossy(&output.stdout))).unwrap_or_default()
}

fn parse_dpkg(answer: &str) -> BTreeSet<String> {
    answer.lines().filter_map(|line| line.strip_suffix("\tinstalled")).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(requirements: &[&Requirement], family: Family) -> Vec<&'static str> {
        requirements.iter().map(|requirement| requirement.package(family)).collect()
    }

    #[test]
    fn only_packages_that_are_fully_installed_count() {
        let installed = parse_dpkg("xvfb\tinstalled\nxauth\tconfig-files\nchromium\tunpacked\n");
        assert_eq!(installed, BTreeSet::from(["xvfb".to_owned()]));
    }

    #[test]
    fn the_plan_names_what_is_neither_installed_nor_visible() {
        let installed = BTreeSet::from(["xvfb".to_owned(), "dbus-x11".to_owned()]);
        let has_chrome_and_node = |sign: Sign| matches!(sign, Sign::Program(names) if names.contains(&"google-chrome") || names.contains(&"node"));
        let plan = missing_given(&[Purpose::Tests], Some(Family::Debian), &installed, &has_chrome_and_node);
        assert_eq!(
            names(&plan, Family::Debian),
            ["chromium-driver", "xauth", "imagemagick", "fonts-noto-cjk", "npm", "python3-venv"]
        );
    }

    #[test]
    fn ubuntu_has_its_own_names_for_the_browser() {
        let plan = missing_given(&[Purpose::Tests], Some(Family::Ubuntu), &BTreeSet::new(), &|_| false);
        assert!(names(&plan, Family::Ubuntu).contains(&"chromium-browser"));
        assert!(!names(&plan, Family::Ubuntu).contains(&"chromium"));
    }

    #[test]
    fn on_an_unknown_system_only_visible_absence_counts() {
        let plan = missing_given(&[Purpose::Window], None, &BTreeSet::new(), &|sign| {
            sign != Sign::Library("openssl")
        });
        assert_eq!(names(&plan, Family::Debian), ["libssl-dev"]);
        let plan = missing_given(&[Purpose::WasmToolchain], None, &BTreeSet::new(), &|_| false);
        assert!(plan.is_empty());
    }
}
