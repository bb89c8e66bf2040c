//! Arrows between modules point one way: in no crate do two modules of one folder import each other, directly or through
//! others. A parent and its own children are one thing.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

type Module = Vec<String>;
/// Modules of one folder, and which of its neighbours each imports.
type Folder = BTreeMap<String, BTreeSet<String>>;

#[test]
fn no_modules_import_each_other() {
    let (mut crates, mut all) = (0, Vec::new());
    for (name, folder) in members() {
        let source = folder.join("src");
        if source.join("lib.rs").exists() {
            all.extend(circles(&modules(&source)).into_iter().map(|circle| (name.clone(), circle)));
            crates += 1;
        }
    }
    assert!(all.is_empty(), "these import each other: {all:#?}");
    assert!(crates >= 9, "{crates} crates");
}

/// The crates of the program from the bottom up, and what a crate below the top must not know.
const FLOORS: [&str; 7] = ["kernels", "data", "statistics", "base", "archive", "report", "harness"];
const OF_THE_TOP: [&str; 6] = ["clap", "indicatif", "toml", "hyper", "lettre", "tracing-subscriber"];

#[test]
fn a_crate_knows_only_those_below_it_and_no_command_line_or_settings() {
    let members = members();
    for (floor, name) in FLOORS.iter().enumerate() {
        let known = dependencies(&members[*name]);
        let above: Vec<&&str> = FLOORS[floor..].iter().filter(|other| known.contains(**other)).collect();
        assert!(above.is_empty(), "{name} knows {above:?}");
        let top: Vec<&&str> = OF_THE_TOP.iter().filter(|other| known.contains(**other)).collect();
        assert!(*name == "harness" || top.is_empty(), "{name} knows {top:?}");
        let outside = ["proptests", "benches", "fuzz", "model"].into_iter().filter(|other| known.contains(*other));
        let outside: Vec<&str> = outside.filter(|other| (*name, *other) != ("harness", "proptests")).collect();
        assert!(outside.is_empty(), "{name} knows {outside:?}");
    }
    assert!(dependencies(&members["harness"]).contains("clap"));
}

/// Folder of each crate of the workspace, by the last part of its path.
fn members() -> BTreeMap<String, PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let manifest: toml::Table = fs::read_to_string(root.join("Cargo.toml")).unwrap().parse().unwrap();
    let members = manifest["workspace"]["members"].as_array().unwrap();
    let member = |path: &toml::Value| {
        let path = path.as_str().unwrap();
        (path.rsplit('/').next().unwrap().to_owned(), root.join(path))
    };
    members.iter().map(member).collect()
}

/// What a crate is built from, without its tests.
fn dependencies(folder: &Path) -> BTreeSet<String> {
    let manifest: toml::Table = fs::read_to_string(folder.join("Cargo.toml")).unwrap().parse().unwrap();
    manifest
        .get("dependencies")
        .and_then(toml::Value::as_table)
        .into_iter()
        .flat_map(|table| table.keys().cloned())
        .collect()
}

#[test]
fn a_circle_is_found_also_through_others_and_not_of_parent_and_child() {
    let of = |files: &[(&str, &str)]| {
        let module = |name: &str| name.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect();
        circles(&files.iter().map(|(name, text)| (module(name), (*text).to_owned())).collect())
    };
    let two = [("", "mod a;\nmod b;"), ("a", "use crate::{b::{self, B}, x};"), ("b", "fn f() -> super::a::A {}")];
    assert_eq!(of(&two), [["a", "b"]]);
    let three = [("a", "use crate::b;"), ("b", "use crate::c::d::E;"), ("c", ""), ("c::d", "use super::super::a;")];
    assert_eq!(of(&three), [["a", "b", "c"]]);
    let inside = [("a", "pub use self::b::B;"), ("a::b", "use super::{A, c::C};"), ("a::c", "use crate::a::b;")];
    assert_eq!(of(&inside), [["b", "c"]]);
    let none = [
        ("a", "use self::b::B;"),
        ("a::b", "use super::A;"),
        ("c", "use crate::a;\n// use crate::d;\n#[cfg(test)]\nmod tests {\n    use crate::d;\n}\nconst C: u8 = 1;"),
        ("d", "use crate::c;"),
    ];
    assert_eq!(of(&none), Vec::<Vec<String>>::new());
}

/// Module and text of each file of a crate.
fn modules(source: &Path) -> BTreeMap<Module, String> {
    let mut found = BTreeMap::new();
    let mut folders: Vec<PathBuf> = vec![source.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() {
                folders.push(path);
            } else if name.ends_with(".rs") && !["tests.rs", "main.rs", "build.rs"].contains(&name) {
                let relative = path.strip_prefix(source).unwrap().with_extension("");
                let mut module: Module = relative.iter().map(|part| part.to_str().unwrap().replace('-', "_")).collect();
                if ["lib", "mod"].contains(&module.last().unwrap().as_str()) {
                    module.pop();
                }
                found.insert(module, fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

/// The circles among the modules of each folder, each in order.
fn circles(modules: &BTreeMap<Module, String>) -> Vec<Vec<String>> {
    let mut folders: BTreeMap<Module, Folder> = BTreeMap::new();
    for (module, text) in modules {
        for path in paths(&code(text)) {
            let mut target = absolute(module, &path);
            while !target.is_empty() && !modules.contains_key(&target) {
                target.pop();
            }
            let common = target.iter().zip(module).take_while(|(a, b)| a == b).count();
            if let (Some(to), Some(from)) = (target.get(common), module.get(common)) {
                let folder = folders.entry(module[..common].to_vec()).or_default();
                folder.entry(from.clone()).or_default().insert(to.clone());
            }
        }
    }
    let mut found = Vec::new();
    for folder in folders.values() {
        let mut left: BTreeSet<&String> = folder.keys().collect();
        while let Some(first) = left.pop_first() {
            let forth = reached(folder, first);
            let circle: Vec<String> =
                forth.iter().filter(|other| reached(folder, other).contains(first)).cloned().collect();
            circle.iter().for_each(|one| _ = left.remove(one));
            if circle.len() > 1 {
                found.push(circle);
            }
        }
    }
    found
}

/// Modules that one imports, also through others.
fn reached(folder: &Folder, first: &String) -> BTreeSet<String> {
    let (mut found, mut next) = (BTreeSet::new(), vec![first]);
    while let Some(module) = next.pop() {
        for other in folder.get(module).into_iter().flatten() {
            if found.insert(other.clone()) {
                next.push(other);
            }
        }
    }
    found
}

/// Lines that are neither comments nor tests.
pub fn code(text: &str) -> String {
    let (mut code, mut lines) = (String::new(), text.lines());
    while let Some(line) = lines.next() {
        if line.trim() == "#[cfg(test)]" {
            // What follows, to the bracket that closes it.
            let item = lines.find(|line| !line.trim_start().starts_with("#[")).unwrap_or_default();
            if item.trim_end().ends_with('{') {
                let end = format!("{}}}", &item[..item.len() - item.trim_start().len()]);
                lines.find(|line| *line == end);
            }
            continue;
        }
        code.push_str(line.split("//").next().unwrap());
        code.push('\n');
    }
    code
}

/// Paths that begin in this crate, each tree of a `use` as its branches.
fn paths(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for start in ["crate::", "super::", "self::"] {
        for (at, _) in code.match_indices(start) {
            let before = code[..at].chars().next_back();
            if before.is_none_or(|before| !before.is_alphanumeric() && !":_$".contains(before)) {
                branches("", &code[at..], &mut found);
            }
        }
    }
    found
}

/// The branches of the tree that a text begins with; where it ends.
pub fn branches<'a>(root: &str, text: &'a str, found: &mut Vec<String>) -> &'a str {
    let end = text.find(|c: char| !c.is_alphanumeric() && !":_".contains(c)).unwrap_or(text.len());
    let path = format!("{root}{}", &text[..end]);
    let Some(mut rest) = text[end..].strip_prefix('{').filter(|_| path.ends_with("::")) else {
        found.push(path);
        return &text[end..];
    };
    loop {
        rest = rest.trim_start();
        rest = match rest.strip_prefix('}') {
            Some(after) => return after,
            None if rest.is_empty() => return rest,
            None => branches(&path, rest, found),
        };
        // To the next branch, past `as name`.
        rest = &rest[rest.find([',', '}']).unwrap_or(rest.len())..];
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
}

/// A path from the crate's root on.
fn absolute(module: &[String], path: &str) -> Module {
    let mut absolute = if path.starts_with("crate::") { Vec::new() } else { module.to_vec() };
    for part in path.split("::") {
        match part {
            "crate" | "self" | "" => {}
            "super" => _ = absolute.pop(),
            name => absolute.push(name.to_owned()),
        }
    }
    absolute
}
