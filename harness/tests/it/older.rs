//! A store that an earlier version of the program has published: names without an attempt, manifests without a generation.

use std::{fs, path::Path};

use serde_json::Value;

use crate::month::{MONTH, forget, harness, json, keys, manifest, named, run, two_versions, versions};

/// The name that the object had then.
fn older(key: &str) -> String {
    let end = if key.ends_with(".parquet") { ".parquet" } else { "_statistics.json" };
    let (stem, attempt) = key.strip_suffix(end).unwrap().rsplit_once('_').unwrap();
    assert!(attempt.contains('-'), "{key}");
    format!("{stem}{end}")
}

/// Makes of a store what it would have been then.
fn age(store: &Path) {
    let path = store.join(MONTH).join("manifest.json");
    let mut manifest: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    manifest.as_object_mut().unwrap().remove("generation").unwrap();
    let rename = |version: &mut Value| {
        for part in ["data", "statistics"] {
            let key = version[part]["key"].as_str().unwrap().to_owned();
            fs::rename(store.join(&key), store.join(older(&key))).unwrap();
            version[part]["key"] = older(&key).into();
        }
    };
    rename(&mut manifest["current"]);
    manifest["history"].as_array_mut().unwrap().iter_mut().for_each(rename);
    fs::write(path, serde_json::to_vec_pretty(&manifest).unwrap()).unwrap();
}

#[test]
fn a_store_of_an_earlier_version_is_read_and_published_to() {
    let (folder, first, second) = two_versions();
    let (path, store) = (folder.path(), folder.path().join("store"));
    age(&store);
    let before = keys(path);
    assert_eq!(before, named(&store, "2013/09"));

    // It is read, held to be whole, and left as it is.
    let history = |expected: [&str; 2]| {
        let history = json(harness(path).args(["months", "history", "2013-09", "--verify", "--json"]));
        let found = history["versions"].as_array().unwrap();
        assert!(found.iter().all(|version| version["objects"] == "intact"), "{history}");
        assert_eq!(versions(&history["versions"]), expected);
    };
    history([&second, &first]);
    harness(path).args(["validate", "output", "--month", "2013-09"]).assert().success();
    assert_eq!(run(path, &["--profile", "rolling"])["outcome"], "unchanged");
    harness(path).args(["clean", "--older-than", "0s", "--temp-dir", "elsewhere"]).assert().success();
    assert_eq!(keys(path), before);
    harness(path).args(["backup", "create", "backup"]).assert().success();
    harness(path).args(["backup", "verify", "backup", "--against-store"]).assert().success();

    // It goes on: an older version becomes current, is published over, is taken out, and comes back from the backup.
    harness(path).args(["months", "rollback", "2013-09"]).assert().success();
    history([&first, &second]);
    assert_eq!(manifest(path)["generation"], 1);
    assert_eq!(run(path, &["--profile", "rolling", "--force"])["outcome"], "published");
    history([&second, &first]);
    harness(path).args(["months", "remove", "2013-09"]).assert().success();
    harness(path).args(["backup", "restore", "backup"]).assert().success();
    history([&second, &first]);
    forget(path);
    assert_eq!(keys(path), named(&store, "2013/09"));
}
