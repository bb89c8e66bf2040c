//! `selftest`: every fault is met as it should be.

use crate::month::outcome;

fn faults(kind: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let (trials, code) = outcome(folder.path(), &["selftest", kind]);
    assert_eq!(code, 0, "{trials:#}");
    let trials = trials.as_array().unwrap();
    assert!(trials.iter().all(|trial| trial["passed"] == true), "{trials:#?}");
    trials.iter().map(|trial| trial["fault"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn damaged_files_are_refused() {
    assert!(faults("corruption").len() > 5);
}

#[test]
fn limits_of_memory_are_kept() {
    assert_eq!(faults("memory").len(), 3);
}

#[test]
fn a_bad_network_changes_nothing() {
    assert_eq!(faults("network").len(), 5);
}
