//! The list of others' failures names tests; each must exist.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

#[test]
fn the_list_names_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let list = fs::read_to_string(root.join("docs/spec/known-failures.md")).unwrap();
    let named: Vec<(&str, &str)> =
        list.split('`').skip(1).step_by(2).filter_map(|quoted| quoted.split_once(".rs: ")).collect();
    assert!(named.len() > 30, "the list is read rightly");
    for (file, test) in named {
        let source = fs::read_to_string(root.join(format!("{file}.rs"))).unwrap_or_default();
        assert!(source.contains(&format!("fn {test}(")), "{file}.rs has no test {test}");
    }
    let failures = list.lines().filter(|line| line.starts_with("| ") && line.contains(" #")).count();
    assert!(failures >= 20, "{failures} failures");
}
