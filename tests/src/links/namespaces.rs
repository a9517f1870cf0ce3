//! A network namespace for each hospital, and a router between them.
//!
//! All of it lives in namespaces that end with the test's process; nothing on the machine outside is touched, and no
//! privilege is needed where users may make namespaces of their own.

use crate::consortium::Place;
use std::ffi::OsString;
use std::fs;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const INSIDE: &str = "AMULET_TEST_IN_NAMESPACES";
/// Own user, network, process and mount namespaces; all processes in them end with the first.
const UNSHARE: [&str; 6] = ["--map-root-user", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"];
const HTTP_PORT: u16 = 8101;
const LIBP2P_PORT: u16 = 9101;
const MADE_WITHIN: Duration = Duration::from_secs(10);

/// Whether this process is the child that [`run_inside`] starts.
pub(super) fn is_inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

/// Whether namespaces and everything used in them can be had.
///
/// # Errors
/// Why not, in the system's words.
pub(super) fn probe() -> Result<(), String> {
    let script = "ip link set lo up && ip link add probe0 type veth peer name probe1 && \
                  echo 1 > /proc/sys/net/ipv4/ip_forward && ip rule add from 10.77.1.2 to 10.77.2.2 blackhole && \
                  unshare --net true && nsenter --target $$ --net true";
    run("unshare", &[&UNSHARE[..], &["sh", "-c", script]].concat())
}

/// Runs the test of this name once more, in namespaces of its own.
///
/// # Panics
/// When it fails there.
pub(super) fn run_inside(name: &str) {
    let me = std::env::current_exe().expect("a test program knows where it is");
    let mut child = Command::new("unshare");
    child.args(UNSHARE).arg(me).args([name, "--exact", "--nocapture"]).env(INSIDE, "1");
    let status = child.status().expect("unshare was there a moment ago");
    assert!(status.success(), "{name} failed in its namespaces ({status})");
}

/// The namespaces, the test's own being the router.
pub(super) struct Namespaces {
    holders: Vec<Child>,
}

impl Namespaces {
    pub(super) fn new(size: u16) -> Result<Self, String> {
        run("ip", &["link", "set", "lo", "up"])?;
        fs::write("/proc/sys/net/ipv4/ip_forward", "1").map_err(|error| error.to_string())?;
        let holders = (0..size).map(|index| hold(usize::from(index))).collect::<Result<_, _>>()?;
        Ok(Self { holders })
    }

    pub(super) fn places(&self) -> Vec<Place> {
        let place = |(index, holder): (usize, &Child)| {
            let pid = holder.id().to_string();
            let prefix: Vec<OsString> = ["nsenter", "--target", &pid, "--net"].map(OsString::from).into();
            let ip = address(index);
            Place {
                http: SocketAddrV4::new(ip, HTTP_PORT),
                libp2p: SocketAddrV4::new(ip, LIBP2P_PORT),
                prefix,
            }
        };
        self.holders.iter().enumerate().map(place).collect()
    }

    pub(super) fn cut(&self, from: usize, to: usize) {
        if !self.is_cut(from, to) {
            self.rule("add", from, to);
        }
    }

    pub(super) fn heal(&self, from: usize, to: usize) {
        if self.is_cut(from, to) {
            self.rule("del", from, to);
        }
    }

    fn rule(&self, what: &str, from: usize, to: usize) {
        let (from, to) = (address(from).to_string(), address(to).to_string());
        run("ip", &["rule", what, "from", &from, "to", &to, "blackhole"])
            .expect("rules worked when it was tried");
    }

    fn is_cut(&self, from: usize, to: usize) -> bool {
        let rules = Command::new("ip").args(["rule", "show"]).output().expect("ip worked when it was tried");
        let rule = format!("from {} to {} blackhole", address(from), address(to));
        String::from_utf8_lossy(&rules.stdout).contains(&rule)
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        for holder in &mut self.holders {
            // One that is gone already needs neither.
            let _ = holder.kill();
            let _ = holder.wait();
        }
    }
}

fn address(index: usize) -> Ipv4Addr {
    Ipv4Addr::new(10, 77, u8::try_from(index + 1).expect("at most 100 hospitals"), 2)
}

fn link(index: usize) -> String {
    format!("hospital{}", index + 1)
}

/// A process that does nothing but hold a hospital's namespace, joined to the router by a link of its own.
fn hold(index: usize) -> Result<Child, String> {
    let mut command = Command::new("unshare");
    let holder = command.args(["--net", "sleep", "infinity"]).stdin(Stdio::null()).spawn();
    let holder = holder.map_err(|error| error.to_string())?;
    let pid = holder.id().to_string();
    wait_for_namespace(&pid)?;
    let (link, net) = (link(index), format!("10.77.{}", index + 1));
    run("ip", &["link", "add", &link, "type", "veth", "peer", "name", "eth0", "netns", &pid])?;
    run("ip", &["addr", "add", &format!("{net}.1/30"), "dev", &link])?;
    run("ip", &["link", "set", &link, "up"])?;
    let script = format!(
        "ip link set lo up && ip addr add {net}.2/30 dev eth0 && ip link set eth0 up && ip route add default via {net}.1"
    );
    run("nsenter", &["--target", &pid, "--net", "sh", "-c", &script])?;
    Ok(holder)
}

fn wait_for_namespace(pid: &str) -> Result<(), String> {
    let deadline = Instant::now() + MADE_WITHIN;
    let of = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/net")).ok();
    while of(pid).is_none_or(|theirs| Some(theirs) == of("self")) {
        if Instant::now() > deadline {
            return Err("a namespace did not come to be".into());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let output =
        Command::new(program).args(arguments).output().map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{program} {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim()))
}
