//! Looks through everything that hospitals have written to their disks.

use aho_corasick::AhoCorasick;
use std::fs;
use std::path::{Path, PathBuf};

/// Each text found in some file below `folder`, with the file.
///
/// # Panics
/// When a file cannot be read.
#[must_use]
pub fn find_in_files(folder: &Path, texts: &[String]) -> Vec<(String, PathBuf)> {
    let searcher = AhoCorasick::new(texts).expect("the texts can be searched for");
    let mut found = Vec::new();
    for path in files_below(folder) {
        let bytes = fs::read(&path).unwrap_or_default();
        let mut seen: Vec<usize> =
            searcher.find_overlapping_iter(&bytes).map(|hit| hit.pattern().as_usize()).collect();
        seen.sort_unstable();
        seen.dedup();
        found.extend(seen.into_iter().map(|text| (texts[text].clone(), path.clone())));
    }
    found
}

/// All files below a folder.
///
/// # Panics
/// When a folder cannot be read.
#[must_use]
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files
}
