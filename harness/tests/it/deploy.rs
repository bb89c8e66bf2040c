//! What lies in `deploy`: commands that there are, and figures that there are.

use std::{collections::BTreeSet, fs, path::Path};

use crate::month::{harness, names};

/// The text of every file.
fn files() -> Vec<(String, String)> {
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy");
    let mut found = vec![("crontab".to_owned(), fs::read_to_string(deploy.join("crontab")).unwrap())];
    for folder in ["systemd", "prometheus", "grafana"] {
        for name in names(&deploy.join(folder)) {
            found.push((name.clone(), fs::read_to_string(deploy.join(folder).join(name)).unwrap()));
        }
    }
    found
}

#[test]
fn commands_of_units_and_crontab_are_understood() {
    let folder = tempfile::tempdir().unwrap();
    let mut commands = 0;
    for (name, text) in files().iter().filter(|(name, _)| name.ends_with(".service") || name == "crontab") {
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            // In the crontab the name is that of the folder of settings as well.
            let named = if name == "crontab" { "&& harness " } else { "harness " };
            let Some((_, command)) = line.split_once(named).filter(|_| line.contains("ExecStart") || name == "crontab")
            else {
                continue;
            };
            // The range is the shell's to fill in.
            let words = command.replace("$(date -d \"$(date +\\%Y-\\%m-01) -1 day\" +\\%Y-\\%m)", "2013-12");
            let words = words.replace("$$(date -d \"$$(date +%%Y-%%m-01) -1 day\" +%%Y-%%m)", "2013-12");
            let words = words.replace("$FIRST", "2013-09");
            let words = words.split_whitespace().map(|word| word.trim_matches(['"', '\'']));
            let words: Vec<&str> = words.take_while(|word| !word.contains('>')).collect();
            harness(folder.path()).args(&words).arg("--help").assert().success();
            commands += 1;
        }
    }
    assert_eq!(commands, 7);
}

#[test]
fn commands_of_array_jobs_are_understood() {
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy");
    let read = |name: &str| fs::read_to_string(deploy.join(name)).unwrap();
    let line = |text: &str, start: &str| {
        text.lines().find_map(|line| line.trim().strip_prefix(start)).unwrap().trim_end_matches(']').to_owned()
    };
    let words = |text: &str, apart: &[char]| -> Vec<String> {
        let words = text.split(apart).map(|word| word.trim().trim_matches('"'));
        words
            .map(|word| {
                if word.starts_with('$') || word == "Ref::months" { "2013-09..2013-12" } else { word }.to_owned()
            })
            .collect()
    };
    let definition: serde_json::Value = serde_json::from_str(&read("aws-batch/job-definition.json")).unwrap();
    let command = definition["containerProperties"]["command"].as_array().unwrap();
    let batch: Vec<&str> = command.iter().map(|word| word.as_str().unwrap()).collect();
    assert_eq!(batch[0], "harness");
    let commands = [
        words(&line(&read("kubernetes/job.yaml"), "args: ["), &[',']),
        words(&line(&read("slurm/harness.sbatch").replace("${SLURM_CPUS_PER_TASK:-1}", "1"), "harness "), &[' ']),
        words(&batch[1..].join(" "), &[' ']),
    ];
    let folder = tempfile::tempdir().unwrap();
    for command in &commands {
        assert!(command.len() > 6, "{command:?}");
        harness(folder.path()).args(command).arg("--help").assert().success();
    }
}

#[test]
fn rules_and_dashboard_name_figures_that_are_served() {
    let sources = [
        include_str!("../../src/watch/metrics.rs"),
        include_str!("../../src/monitor/mod.rs"),
        include_str!("../../src/rules.rs"),
    ];
    let served = sources.concat();
    let mut named = BTreeSet::new();
    for (_, text) in files().iter().filter(|(name, _)| name.ends_with(".yml") || name.ends_with(".json")) {
        for (at, _) in text.match_indices("harness_") {
            named.insert(text[at..].split(|c: char| !c.is_ascii_lowercase() && c != '_').next().unwrap().to_owned());
        }
    }
    assert!(named.len() > 8, "{named:?}");
    for name in &named {
        assert!(served.contains(&format!("\"{name}\"")), "{name} is not served");
    }
    let dashboard = files().into_iter().find(|(name, _)| name == "dashboard.json").unwrap().1;
    let dashboard: serde_json::Value = serde_json::from_str(&dashboard).unwrap();
    assert!(dashboard["panels"].as_array().unwrap().len() > 8);
}
