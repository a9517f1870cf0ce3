//! A hospital whose disk can be filled: a small file system of its own where the machine lets a test mount one, else a
//! limit on the size of its files. The test's output says which it was.

use crate::consortium::{Consortium, Founding};
use crate::step;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::process::Command;

const INSIDE: &str = "AMULET_TEST_IN_MOUNTS";
/// Own user, process and mount namespaces; all processes in them end with the first.
const UNSHARE: [&str; 6] = ["--map-root-user", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
/// Room for what a node makes at its start, and for little more.
const SIZE: &str = "size=16m";
/// The node's limit on the size of a file, in blocks of 512 bytes: less than its ledger has from the start on.
const FILE_BLOCKS: u32 = 1_024;
const CHUNK_BYTES: usize = 4_096;

/// The disk of one hospital.
pub struct TightDisk {
    index: usize,
    kind: Kind,
}

enum Kind {
    Mounted { filler: PathBuf },
    Limited,
}

/// Runs `test` with a consortium of `size` hospitals, none of them running yet, and the disk of hospital `index`. `name`
/// is the test's full name: it runs once more as a child that may mount.
///
/// # Panics
/// When the test does.
pub fn with_tight_disk(name: &str, size: u16, index: usize, test: impl FnOnce(Consortium, TightDisk)) {
    if std::env::var_os(INSIDE).is_some() {
        let folder = tempfile::Builder::new().prefix("amulet-test-").tempdir().expect("a temporary folder");
        let mounted = folder.path().join(format!("hospital-{}", index + 1));
        fs::create_dir(&mounted).expect("a folder can be made");
        mount(&mounted).expect("mounting worked when it was tried");
        let filler = mounted.join("filler");
        let consortium = found(size, Some(folder.path().to_owned()));
        return test(consortium, TightDisk { index, kind: Kind::Mounted { filler } });
    }
    let mut probe = Command::new("unshare");
    probe.args(UNSHARE).args(["mount", "-t", "tmpfs", "-o", SIZE, "tmpfs", "/mnt"]);
    let allowed = probe.output().is_ok_and(|output| output.status.success());
    if allowed {
        step("a hospital gets a small file system of its own");
        let me = std::env::current_exe().expect("a test program knows where it is");
        let mut child = Command::new("unshare");
        child.args(UNSHARE).arg(me).args([name, "--exact", "--nocapture"]).env(INSIDE, "1");
        let status = child.status().expect("unshare was there a moment ago");
        assert!(status.success(), "{name} failed with a file system of its own ({status})");
    } else {
        step("a hospital gets a limit on the size of its files, for nothing can be mounted here");
        test(found(size, None), TightDisk { index, kind: Kind::Limited });
    }
}

fn found(size: u16, folder: Option<PathBuf>) -> Consortium {
    let founding = Founding { folder, ..Founding::on_loopback(size) };
    let places = founding.places.clone();
    founding.found(|_, other| places[other].libp2p)
}

fn mount(at: &std::path::Path) -> Result<(), String> {
    let output = Command::new("mount").args(["-t", "tmpfs", "-o", SIZE, "tmpfs"]).arg(at).output();
    let output = output.map_err(|error| error.to_string())?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

impl TightDisk {
    /// Leaves `spare` bytes to the hospital, which may be running; where only limits can be had, it is started anew with
    /// one.
    ///
    /// # Panics
    /// When the disk cannot be filled.
    pub fn fill(&self, consortium: &mut Consortium, spare: u64) {
        match &self.kind {
            Kind::Mounted { filler } => {
                let mut file = File::create(filler).expect("there is room for a name");
                while let Ok(()) = file.write_all(&[0xA5; CHUNK_BYTES]) {}
                let filled = file.metadata().expect("an open file has a size").len();
                file.set_len(filled.saturating_sub(spare)).expect("a file can be cut");
                let full = file.write_all(&vec![0xA5; CHUNK_BYTES + usize::try_from(spare).unwrap_or(0)]);
                let full = full.map_err(|error| error.kind());
                assert!(matches!(full, Err(ErrorKind::StorageFull)), "the disk is not full: {full:?}");
                file.set_len(filled.saturating_sub(spare)).expect("a file can be cut");
            }
            Kind::Limited => {
                let was_running = consortium.is_started(self.index);
                if was_running {
                    consortium.kill(self.index);
                }
                // The signal would end the node without a word; ignored, it becomes an error of the write.
                let script = format!("trap '' XFSZ; ulimit -f {FILE_BLOCKS}; exec \"$0\" \"$@\"");
                consortium.set_prefix(self.index, &["sh", "-c", &script]);
                if was_running {
                    consortium.spawn(self.index);
                }
            }
        }
    }

    /// Makes room again.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn free(&self, consortium: &mut Consortium) {
        match &self.kind {
            Kind::Mounted { filler } => fs::remove_file(filler).expect("the filler can be removed"),
            Kind::Limited => consortium.set_prefix(self.index, &[]),
        }
    }
}
