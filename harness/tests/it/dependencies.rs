//! `docs/dependencies.md` says of every direct dependency why it is here.

use std::{collections::BTreeSet, fs, path::Path};

#[test]
fn every_direct_dependency_has_a_row_and_no_row_is_of_another() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let read = |name: &str| fs::read_to_string(root.join(name)).unwrap();
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let dependencies = manifest["workspace"]["dependencies"].as_table().unwrap();
    let ours = |value: &toml::Value| value.get("path").is_some();
    let expected: BTreeSet<String> =
        dependencies.iter().filter(|(_, value)| !ours(value)).map(|(name, _)| name.clone()).collect();
    let table = read("docs/dependencies.md");
    let rows = table.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    let found: BTreeSet<String> = rows.skip(1).map(str::to_owned).collect();
    assert!(expected.len() > 60);
    assert_eq!(found, expected);
}
