//! `completions` and `man`: every command and flag is in them.

use std::fs;

use crate::month::{harness, names, refusal};

#[test]
fn every_shell_completes_commands_and_flags() {
    let folder = tempfile::tempdir().unwrap();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = harness(folder.path()).args(["completions", shell]).assert().success().get_output().clone();
        let script = String::from_utf8(output.stdout).unwrap();
        for word in ["rollback", "max-memory-gb", "completions", "max-error-rate"] {
            assert!(script.contains(word), "{shell} does not know {word}");
        }
    }
    let (message, code) = refusal(folder.path(), &["completions", "dash"]);
    assert_eq!(code, 2, "{message}");
}

#[test]
fn bash_takes_the_script_and_completes() {
    let folder = tempfile::tempdir().unwrap();
    let script = harness(folder.path()).args(["completions", "bash"]).assert().success().get_output().stdout.clone();
    fs::write(folder.path().join("harness.bash"), script).unwrap();
    let ask = "source harness.bash; COMP_WORDS=(harness months ro); COMP_CWORD=2; _harness harness ro months; echo ${COMPREPLY[@]}";
    let output = std::process::Command::new("bash").current_dir(&folder).args(["-c", ask]).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), "rollback", "{:?}", output.stderr);
}

#[test]
fn every_command_has_its_page() {
    let folder = tempfile::tempdir().unwrap();
    let page = harness(folder.path()).arg("man").assert().success().get_output().stdout.clone();
    let page = String::from_utf8(page).unwrap();
    assert!(page.starts_with(".ie") || page.starts_with(".TH"), "{page}");
    assert!(page.contains("months") && page.contains("Exit codes"));
    harness(folder.path()).args(["man", "--out", "pages/man1"]).assert().success();
    let pages = folder.path().join("pages/man1");
    let found = names(&pages);
    for name in ["harness.1", "harness-run.1", "harness-months-rollback.1", "harness-man.1"] {
        assert!(found.iter().any(|found| found == name), "{name} is missing in {found:?}");
    }
    let rollback = fs::read_to_string(pages.join("harness-months-rollback.1")).unwrap();
    assert!(rollback.contains("harness months rollback") && rollback.contains("version"), "{rollback}");
}
