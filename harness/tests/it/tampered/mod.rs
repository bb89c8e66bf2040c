//! Published objects with something changed in them, and a manifest that agrees: what no checksum shows.
#![allow(dead_code)]

pub mod rewrite;

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

/// A month as it was.
pub struct Whole(Vec<(PathBuf, Vec<u8>)>);

impl Whole {
    /// Puts everything back.
    pub fn restore(self) {
        for (path, bytes) in self.0 {
            fs::write(path, bytes).unwrap();
        }
    }
}

/// One feature of each kind of window.
pub fn floats() -> [&'static str; 2] {
    ["volume_exhaustion", "volatility_breakout"]
}

/// Changes the Parquet of the synthetic month.
pub fn change_table(folder: &Path, change: &dyn Fn(&mut rewrite::Table)) -> Whole {
    let rows = |path: &Path| Some(rewrite::file(path, change));
    change_object(folder, "data", &rows)
}

/// Changes the statistics of the synthetic month.
pub fn change_statistics(folder: &Path, change: &dyn Fn(&mut Value)) -> Whole {
    let rewritten = |path: &Path| {
        let mut json: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        change(&mut json);
        fs::write(path, serde_json::to_vec_pretty(&json).unwrap()).unwrap();
        None
    };
    change_object(folder, "statistics", &rewritten)
}

fn change_object(folder: &Path, part: &str, change: &dyn Fn(&Path) -> Option<u64>) -> Whole {
    let store = folder.join("store");
    let manifest = store.join("processed-data/monthly/2013/09/manifest.json");
    let before = fs::read(&manifest).unwrap();
    let mut json: Value = serde_json::from_slice(&before).unwrap();
    let item = &mut json["current"][part];
    let path = store.join(item["key"].as_str().unwrap());
    let whole = Whole(vec![(path.clone(), fs::read(&path).unwrap()), (manifest.clone(), before)]);
    change(&path);
    let bytes = fs::read(&path).unwrap();
    item["bytes"] = bytes.len().into();
    item["checksum"] = format!("{:016x}", xxhash_rust::xxh3::xxh3_64(&bytes)).into();
    fs::write(&manifest, serde_json::to_vec(&json).unwrap()).unwrap();
    whole
}
