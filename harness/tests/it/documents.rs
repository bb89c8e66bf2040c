//! Documents and the tree are what they say: metrics, scripts, the length of files and lines.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use crate::{
    monitor::Monitor,
    month::{names, run, store_whole},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every metric and its help, of what `monitor` serves and of what a run writes.
#[test]
fn every_metric_is_in_the_reference_page() {
    let folder = store_whole();
    run(folder.path(), &["--metrics-file", "run.prom"]);
    let written = fs::read_to_string(folder.path().join("run.prom")).unwrap();
    let served = Monitor::start(folder.path()).get("/metrics").2;
    let mut metrics = BTreeMap::new();
    for line in written.lines().chain(served.lines()) {
        if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|line| line.split_once(' ')) {
            metrics.insert(name.to_owned(), help.to_owned());
        }
    }
    assert!(metrics.len() > 20, "{metrics:?}");
    // Only there once `scripts/guide` has left its verdict beside the program.
    let verdict = "1 when the guide's script has passed with this program, 0 when it has failed.";
    metrics.entry("harness_documentation_passed".into()).or_insert_with(|| verdict.into());
    let mut page = String::from(
        "# Metrics\n\nWhat `harness monitor` serves at `/metrics`, and `harness run --metrics-file` writes of its own run. \n\
         A test holds this page to both.\n",
    )
    .replace(" \n", "\n");
    for (name, help) in &metrics {
        page += &format!("\n### `{name}`\n\n{help}\n");
    }
    let path = root().join("docs/metrics.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let how = "write it with: UPDATE_DOCS=1 cargo test --release --workspace reference";
    assert!(fs::read_to_string(&path).unwrap_or_default() == page, "docs/metrics.md differs; {how}");
}

/// `justfile` is the index of the scripts: each is in it, and what is in it exists.
#[test]
fn every_script_is_in_the_justfile() {
    let recipes = fs::read_to_string(root().join("justfile")).unwrap();
    let called: BTreeSet<&str> = recipes.split_whitespace().filter(|word| word.starts_with("scripts/")).collect();
    let scripts: BTreeSet<String> = names(&root().join("scripts"))
        .into_iter()
        .filter(|name| !name.contains('.') && root().join("scripts").join(name).is_file())
        .map(|name| format!("scripts/{name}"))
        .collect();
    assert!(scripts.len() > 10, "{scripts:?}");
    assert_eq!(called, scripts.iter().map(String::as_str).collect());
}

/// The pages with commands are those that `scripts/guide` runs, and its verdict stands for all of them.
#[test]
fn every_page_with_commands_is_run() {
    let read = |name: &str| fs::read_to_string(root().join(name)).unwrap();
    let pages = names(&root().join("docs")).into_iter().filter(|name| name.ends_with(".md"));
    let pages: Vec<String> =
        pages.map(|name| format!("docs/{name}")).filter(|page| read(page).contains("```sh\n")).collect();
    assert!(pages.len() > 2, "{pages:?}");
    let (script, build) = (read("scripts/guide"), read("harness/build.rs"));
    let all = script.lines().find_map(|line| line.strip_prefix("all=(")).unwrap().split(')').next().unwrap();
    assert_eq!(all, format!("GUIDE.md {}", pages.join(" ")));
    for page in all.split(' ') {
        assert!(build.contains(&format!("\"{page}\",\n")), "{page}");
    }
}

/// Every link in a page leads to a file that is there, and to a heading of it.
#[test]
fn links_of_pages_lead_somewhere() {
    let mut pages = Vec::new();
    files(&root(), ".md", &mut pages);
    let mut lost = Vec::new();
    let mut checked = 0;
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") || link.contains(char::is_whitespace) || link.is_empty() {
                continue;
            }
            let (path, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() { page.clone() } else { page.parent().unwrap().join(path) };
            let anchors =
                || fs::read_to_string(&target).unwrap_or_default().lines().any(|line| anchor(line) == heading);
            checked += 1;
            if !target.exists() || !heading.is_empty() && !anchors() {
                lost.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(checked > 100 && lost.is_empty(), "{checked} checked: {lost:#?}");
}

/// The anchor of a heading.
fn anchor(line: &str) -> String {
    let title = line.trim_start_matches('#').trim();
    let kept = title.chars().filter(|c| c.is_alphanumeric() || "-_ ".contains(*c));
    if line.starts_with('#') { kept.collect::<String>().to_lowercase().replace(' ', "-") } else { String::new() }
}

/// Every file below a folder that ends so, without what is built.
fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for name in names(folder) {
        let path = folder.join(&name);
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            files(&path, ending, found);
        } else if name.ends_with(ending) {
            found.push(path);
        }
    }
}

#[test]
fn a_file_of_code_has_at_most_450_lines() {
    let mut all = Vec::new();
    files(&root(), ".rs", &mut all);
    all.retain(|path| path.components().any(|part| part.as_os_str() == "src"));
    assert!(all.len() > 200, "{}", all.len());
    let long: Vec<(usize, PathBuf)> = all
        .into_iter()
        .map(|path| (fs::read_to_string(&path).unwrap().lines().count(), path))
        .filter(|(lines, _)| *lines > 450)
        .collect();
    assert!(long.is_empty(), "{long:?}");
}

#[test]
fn the_folder_of_a_crate_of_the_program_has_at_most_30_entries() {
    for source in
        ["harness/src", "harness/archive/src", "harness/base/src", "harness/report/src", "harness/statistics/src"]
    {
        let entries = names(&root().join(source));
        assert!((2..=30).contains(&entries.len()), "{} entries in {source}", entries.len());
    }
}

/// Tables, code and links that are longer than a line cannot be wrapped.
#[test]
fn lines_of_markdown_have_at_most_100_characters() {
    let mut pages = Vec::new();
    files(&root(), ".md", &mut pages);
    assert!(pages.len() > 10, "{pages:?}");
    let mut long = Vec::new();
    for page in pages {
        let mut code = false;
        for (number, line) in fs::read_to_string(&page).unwrap().lines().enumerate() {
            code ^= line.trim_start().starts_with("```");
            let breakable = line.trim_start().split_once(' ').is_some_and(|(_, rest)| rest.contains(' '));
            if !code && !line.starts_with('|') && breakable && line.chars().count() > 100 {
                long.push(format!("{}:{}", page.display(), number + 1));
            }
        }
    }
    assert!(long.is_empty(), "{long:#?}");
}
