//! `docs/json.md`: every key that a command writes with `--json`. The page is made from the types that are written and from
//! the tables of the reports; what the commands write is held to the same.

mod types;
#[path = "../../../src/reference/wrap.rs"]
mod wrap;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use archive::store::{Access, Store};
use report::{
    archive::Archive,
    document::Document,
    kinds::{self, Kind},
    success,
};
use serde_json::Value;

use self::types::{Shape, Type, Types, parts};
use crate::month::{FILE, MONTH, damage, harness, run, store};

/// What each command writes: one of these types. What `report` writes follows from its tables.
const COMMANDS: [(&str, &[&str]); 30] = [
    ("synth", &["truth::Truth"]),
    ("demo", &["Vec<outcome::MonthResult>"]),
    ("run", &["Vec<outcome::MonthResult>"]),
    ("inspect", &["inspect::Found"]),
    ("process", &["statistics::Statistics", "Vec<statistics::Statistics>"]),
    ("parity", &["parity::Parity"]),
    ("study barriers", &["study::Found"]),
    ("validate", &["validate::Outcome"]),
    ("quality", &["quality::Archive"]),
    ("bench", &["bench::Result", "archive::Archive"]),
    ("tune", &["Vec<tune::Trial>"]),
    ("doctor", &["Vec<doctor::Check>"]),
    ("status", &["snapshot::Snapshot"]),
    ("alerts check", &["alerts::Checked"]),
    ("alerts test", &["Vec<alerts::Told>"]),
    ("selftest", &["Vec<selftest::Trial>"]),
    ("months list", &["list::List"]),
    ("months history", &["history::History"]),
    ("months rollback", &["rollback::Rollback"]),
    ("months remove", &["Vec<remove::Line>"]),
    ("months reprocess", &["Vec<outcome::MonthResult>"]),
    ("report", &[]),
    ("backup create", &["create::Created"]),
    ("backup verify", &["verify::Findings"]),
    ("backup restore", &["Vec<restore::Line>"]),
    ("table sync", &["writer::Synced"]),
    ("table verify", &["compare::Found"]),
    ("clean", &["clean::Report"]),
    ("config show", &["BTreeMap<String, settings::Setting>"]),
    ("presets", &["Vec<presets::Line>"]),
];

/// The name of a Rust type, what the page calls it, and whether a JSON value is one.
type Leaf = (&'static str, &'static str, fn(&Value) -> bool);

/// Types without keys, and what is written of them.
const LEAVES: [Leaf; 20] = [
    ("String", "text", Value::is_string),
    ("str", "text", Value::is_string),
    ("Time", "text", Value::is_string),
    ("Month", "month", Value::is_string),
    ("Date", "date", Value::is_string),
    ("Timestamp", "time", Value::is_string),
    ("u8", "integer", Value::is_u64),
    ("u16", "integer", Value::is_u64),
    ("u32", "integer", Value::is_u64),
    ("u64", "integer", Value::is_u64),
    ("usize", "integer", Value::is_u64),
    ("i32", "integer", Value::is_i64),
    ("i64", "integer", Value::is_i64),
    ("f64", "number", Value::is_number),
    ("bool", "true or false", Value::is_boolean),
    ("Value", "what the settings hold", |_| true),
    ("serde_json::Value", "what the settings hold", |_| true),
    ("Map", "object of texts", Value::is_object),
    ("serde_json::Map", "object of texts", Value::is_object),
    ("Choice", "text", Value::is_string),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn types() -> Types {
    let folders = ["data", "harness/archive", "harness/statistics", "harness"];
    Types::read(&folders.map(|folder| root().join(folder).join("src")))
}

fn leaf(outer: &str) -> Option<&'static Leaf> {
    LEAVES.iter().find(|(name, ..)| *name == outer)
}

/// What a type is in words, with a link where it has keys; the types it names go into `next`.
fn words<'a>(types: &'a Types, kind: &str, user: Option<&Type>, next: &mut Vec<&'a Type>) -> String {
    let (outer, inner) = parts(kind);
    let mut of = |number: usize| words(types, inner[number], user, next);
    match (outer, inner.len()) {
        ("Option", _) => format!("{} or null", of(0)),
        ("Vec" | "BTreeSet", _) => format!("list of {}", of(0)),
        ("BTreeMap", _) => format!("{} by {}", of(1), of(0)),
        ("(", 2) => format!("list of two: {}, {}", of(0), of(1)),
        ("(", 3) => format!("list of three: {}, {}, {}", of(0), of(1), of(2)),
        _ => match (leaf(outer), types.named(outer, user)) {
            (Some((_, words, _)), _) => (*words).to_owned(),
            (None, Some(found)) => match &found.shape {
                Shape::Text => "text".to_owned(),
                Shape::Words(all) => all.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
                Shape::As(kind) => words(types, kind, Some(found), next),
                Shape::Either(kinds) => {
                    let all: Vec<String> = kinds.iter().map(|kind| words(types, kind, Some(found), next)).collect();
                    all.join(" or ")
                }
                Shape::Object(_) => {
                    next.push(found);
                    let anchor: String = found.name.chars().filter(|c| c.is_alphanumeric() || *c == '_').collect();
                    format!("[{}](#{})", found.name, anchor.to_lowercase())
                }
            },
            (None, None) => panic!("{outer}: say what is written of it in LEAVES"),
        },
    }
}

/// What of a value is not of a type, by its path.
fn differences(types: &Types, value: &Value, kind: &str, user: Option<&Type>, path: &str, found: &mut Vec<String>) {
    let (outer, inner) = parts(kind);
    match outer {
        "Option" if value.is_null() => {}
        "Option" => differences(types, value, inner[0], user, path, found),
        "Vec" | "BTreeSet" => match value.as_array() {
            Some(items) => {
                items.iter().for_each(|item| differences(types, item, inner[0], user, &format!("{path}[]"), found));
            }
            None => found.push(format!("{path}: no list")),
        },
        "BTreeMap" => match value.as_object() {
            Some(entries) => {
                entries
                    .values()
                    .for_each(|value| differences(types, value, inner[1], user, &format!("{path}.*"), found));
            }
            None => found.push(format!("{path}: no object")),
        },
        "(" => {
            let items = value.as_array().cloned().unwrap_or_default();
            if items.len() != inner.len() {
                found.push(format!("{path}: no list of {}", inner.len()));
            }
            items.iter().zip(inner).for_each(|(item, kind)| differences(types, item, kind, user, path, found));
        }
        _ => match (leaf(outer), types.named(outer, user)) {
            (Some((_, words, is)), _) if !is(value) => found.push(format!("{path}: {value} is no {words}")),
            (Some(_), _) => {}
            (None, Some(of)) => of_type(types, value, of, path, found),
            (None, None) => found.push(format!("{path}: {outer}")),
        },
    }
}

fn of_type(types: &Types, value: &Value, of: &Type, path: &str, found: &mut Vec<String>) {
    match &of.shape {
        Shape::Text if !value.is_string() => found.push(format!("{path}: {value} is no text")),
        Shape::Text => {}
        Shape::Words(words) if !words.iter().any(|word| value == word.as_str()) => {
            found.push(format!("{path}: {value} is none of {words:?}"));
        }
        Shape::Words(_) => {}
        Shape::As(kind) => differences(types, value, kind, Some(of), path, found),
        Shape::Either(kinds) => {
            let each = kinds.iter().map(|kind| {
                let mut found = Vec::new();
                differences(types, value, kind, Some(of), path, &mut found);
                found
            });
            found.extend(each.min_by_key(Vec::len).unwrap());
        }
        Shape::Object(_) => {
            let keys = keys(types, of);
            let Some(entries) = value.as_object() else { return found.push(format!("{path}: no object")) };
            for (key, value) in entries {
                match keys.iter().find(|(_, field)| field.key == *key) {
                    Some((of, field)) => {
                        differences(types, value, &field.kind, Some(of), &format!("{path}.{key}"), found);
                    }
                    None => found.push(format!("{path}.{key}: not in docs/json.md")),
                }
            }
            let missing = keys.iter().filter(|(_, field)| !field.optional && !entries.contains_key(&field.key));
            found.extend(missing.map(|(_, field)| format!("{path}.{}: not written", field.key)));
        }
    }
}

/// The keys of an object, those of what is flattened into it among them, each with the type that defines it.
fn keys<'a>(types: &'a Types, of: &'a Type) -> Vec<(&'a Type, &'a types::Field)> {
    let Shape::Object(fields) = &of.shape else { return Vec::new() };
    let each = fields.iter().flat_map(|field| match field.flat {
        true => keys(types, types.named(&field.kind, Some(of)).unwrap()),
        false => vec![(of, field)],
    });
    each.collect()
}

/// The reports on an archive, by the name of their kind.
fn documents(archive: &Archive) -> Vec<(&'static str, Document)> {
    let kinds = [Kind::Daily, Kind::Weekly, Kind::Final, Kind::Quality, Kind::Performance, Kind::Success];
    let mut documents: Vec<Document> = kinds.map(|kind| kinds::document(kind, archive, false)).into();
    for document in documents.iter_mut().filter(|document| ["final", "success"].contains(&document.kind)) {
        document.sections.insert(0, success::section(&[]));
    }
    let (_, statistics) = archive.published().next_back().unwrap();
    documents.insert(2, report::month::document(statistics, None));
    documents.into_iter().map(|document| (document.kind, document)).collect()
}

/// Facts, notes and columns of a report, by their paths.
fn of_report(document: &Document) -> BTreeSet<String> {
    let facts = document.facts.iter().map(|(name, _)| format!("facts.{}", report::text::key(name)));
    let notes = document.sections.iter().map(|section| format!("notes.{}", section.id));
    let tables = document.sections.iter().flat_map(|section| &section.tables).flat_map(|named| {
        named.table.names().into_iter().map(move |name| format!("tables.{}[].{}", named.key, report::text::key(&name)))
    });
    facts.chain(notes).chain(tables).collect()
}

fn page(types: &Types, archive: &Archive) -> String {
    let mut page = String::from(
        "# JSON\n\nWhat each command writes with `--json`, key by key. A test holds this page to the types that are \
         written, and what the commands write to this page. Times are UTC as in RFC 3339, months `2013-10`, dates \
         `2013-10-07`. Shares are from 0 to 1. Keys may be added; none is renamed or taken away without a line in the \
         changelog.\n\n## Commands\n\n",
    );
    let mut next = Vec::new();
    for (command, kinds) in COMMANDS {
        let mut each: Vec<String> = kinds.iter().map(|kind| words(types, kind, None, &mut next)).collect();
        if each.is_empty() {
            each.push("[a report](#reports)".to_owned());
        }
        page += &format!("- `{command}`: {}\n", each.join(", or "));
    }
    page += "\n## Objects\n";
    let mut written = BTreeSet::new();
    while !next.is_empty() {
        let of = next.remove(0);
        if !written.insert(&of.name) {
            continue;
        }
        page += &format!("\n### `{}`\n\n", of.name);
        if !of.doc.is_empty() {
            page += &format!("{}\n\n", of.doc);
        }
        for (definer, field) in keys(types, of) {
            let words = words(types, &field.kind, Some(definer), &mut next);
            let left_out = if field.optional { "; left out where there is none" } else { "" };
            assert!(!field.doc.is_empty(), "{}.{} has no doc comment", definer.name, field.key);
            page += &format!("- `{}` ({words}{left_out}): {}\n", field.key, field.doc);
        }
    }
    page += "\n## Reports\n\n`schema_version`, `kind`, `title`, `generated` (time), `score` (number or null; of a month), \
             `errors` (list of text), and by kind `facts` (an object of these keys), `notes` (lists of sentences by section) \
             and `tables` (lists of objects by table). A value is a number, text, true, false or null.\n";
    for (kind, document) in documents(archive) {
        page += &format!("\n### `report {kind}`\n\n");
        let facts: Vec<String> =
            document.facts.iter().map(|(name, _)| format!("`{}`", report::text::key(name))).collect();
        page += &format!("- `facts`: {}\n", facts.join(", "));
        for named in document.sections.iter().flat_map(|section| &section.tables) {
            let columns: Vec<String> =
                named.table.names().iter().map(|name| format!("`{}`", report::text::key(name))).collect();
            page += &format!("- `tables.{}`: {}\n", named.key, columns.join(", "));
        }
        let sections: Vec<String> = document.sections.iter().map(|section| format!("`{}`", section.id)).collect();
        page += &format!("- `notes`: {}\n", sections.join(", "));
    }
    page.lines().map(wrap::wrap).collect::<Vec<_>>().join("\n") + "\n"
}

/// What a command printed, whatever it came to.
fn printed(folder: &Path, arguments: &[&str]) -> Value {
    let output = harness(folder).args(arguments).arg("--json").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{arguments:?}: {said}"))
}

/// A store with a month in two versions of which a third is withheld, and one that failed.
fn full_store() -> tempfile::TempDir {
    let folder = store();
    run(folder.path(), &[]);
    run(folder.path(), &["--profile", "rolling"]);
    let raw = folder.path().join("store/raw-data/databento");
    let damaged = raw.join(FILE.replace("201309", "201310").replace("20131030", "20131031"));
    fs::copy(raw.join(FILE), &damaged).unwrap();
    damage(&damaged);
    printed(folder.path(), &["run", "--months", "2013-09..2013-10", "--force", "--gate", "--threshold", "1"]);
    folder
}

#[test]
fn every_key_that_is_written_is_in_the_reference_page() {
    let (types, folder) = (types(), full_store());
    let at = folder.path();
    let opened = Store::open(
        at.join("store").to_str().unwrap(),
        Access { timeout: std::time::Duration::from_secs(1), retries: 0 },
    );
    let archive = Archive::read(&opened.unwrap(), &[], None).unwrap();
    let page = page(&types, &archive);
    let path = root().join("docs/json.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let how = "write it with: UPDATE_DOCS=1 cargo test --release --workspace reference";
    assert!(fs::read_to_string(&path).unwrap_or_default() == page, "docs/json.md differs; {how}");

    fs::write(at.join("harness.toml"), "[[alerts.channels]]\nname = \"log\"\nfile = \"alerts.log\"\n").unwrap();
    let raw = format!("store/raw-data/databento/{FILE}");
    let parquet = crate::month::current(at, "data");
    // A row of a session that the month has, with another close and of another contract.
    let row = r#"{"timestamp":"2013-09-03T12:31:00Z","contract":"ESH9","provisional":false,"close":1,"vwap":null}"#;
    fs::write(at.join("log.jsonl"), row).unwrap();
    let runs: Vec<(&str, Vec<&str>)> = vec![
        ("synth", vec!["--months", "2013-09..2013-09", "--out", "made", "--defects", "off-tick,missing-day"]),
        ("demo", vec!["--month", "2013-09"]),
        ("inspect", vec![&raw]),
        ("inspect", vec![parquet.to_str().unwrap()]),
        ("process", vec![&raw, "out.parquet"]),
        ("parity", vec!["log.jsonl", "--month", "2013-09"]),
        ("study barriers", vec![&raw, "--stops", "6..7", "--targets", "12"]),
        ("validate", vec!["--all"]),
        ("quality", vec![]),
        ("bench", vec!["--month", "2013-09", "--repeat", "1"]),
        ("bench", vec!["--months", "2013-09..2013-09", "--dir", "bench"]),
        ("doctor", vec![]),
        ("status", vec![]),
        ("alerts check", vec![]),
        ("alerts test", vec![]),
        ("selftest", vec!["memory"]),
        ("months list", vec![]),
        ("backup create", vec!["backup", "--raw-files"]),
        ("backup verify", vec!["backup", "--against-store"]),
        ("backup restore", vec!["backup", "--store", "restored"]),
        ("months history", vec!["2013-09"]),
        ("months rollback", vec!["2013-09"]),
        ("backup verify", vec!["backup", "--against-store"]),
        ("months reprocess", vec!["2013-09..2013-10"]),
        ("months remove", vec!["2013-09"]),
        ("months history", vec!["2013-09"]),
        ("table sync", vec![]),
        ("table verify", vec![]),
        ("clean", vec!["--dry-run", "--older-than", "0s"]),
        ("config show", vec![]),
        ("presets", vec![]),
    ];
    let mut found = Vec::new();
    for (kind, document) in documents(&archive) {
        let json = printed(at, &["report", kind]);
        let known = of_report(&document);
        let top = ["schema_version", "kind", "title", "generated", "score", "facts", "errors", "notes", "tables"];
        let other = json.as_object().unwrap().keys().filter(|key| !top.contains(&key.as_str()));
        found.extend(other.map(|key| format!("report {kind}: {key}")));
        let of = |part: &str| json[part].as_object().unwrap().clone();
        let mut paths: Vec<String> = of("facts").keys().map(|key| format!("facts.{key}")).collect();
        paths.extend(of("notes").keys().map(|key| format!("notes.{key}")));
        for (table, rows) in of("tables") {
            let rows = rows.as_array().unwrap().iter().flat_map(|row| row.as_object().unwrap().keys());
            paths.extend(rows.map(|key| format!("tables.{table}[].{key}")));
        }
        assert!(paths.len() > 5, "{kind}: {paths:?}");
        found.extend(
            paths.into_iter().filter(|path| !known.contains(path)).map(|path| format!("report {kind}: {path}")),
        );
    }
    for (command, arguments) in runs {
        let all: Vec<&str> = command.split(' ').chain(arguments).collect();
        let json = printed(at, &all);
        let (_, kinds) = COMMANDS.iter().find(|(name, _)| *name == command).unwrap();
        let each = kinds.iter().map(|kind| {
            let mut found = Vec::new();
            differences(&types, &json, kind, None, command, &mut found);
            found
        });
        found.extend(each.min_by_key(Vec::len).unwrap());
    }
    assert!(found.is_empty(), "{found:#?}");
    assert!(fs::metadata(at.join("store").join(MONTH)).is_ok());
}

#[test]
fn every_command_that_writes_json_is_in_the_reference_page() {
    let commands = fs::read_to_string(root().join("docs/commands.md")).unwrap();
    let mut found = BTreeSet::new();
    for section in commands.split("\n## `harness ").skip(1) {
        if section.contains("\n- `--json`") {
            found.insert(section.split('`').next().unwrap().to_owned());
        }
    }
    assert_eq!(found, COMMANDS.iter().map(|(name, _)| (*name).to_owned()).collect());
}

#[test]
fn a_key_that_is_not_in_the_page_is_found() {
    let types = types();
    let of = |json: &str| {
        let mut found = Vec::new();
        let value = serde_json::from_str(json).unwrap();
        differences(&types, &value, "Vec<doctor::Check>", None, "doctor", &mut found);
        found
    };
    let whole = r#"{"name": "a", "state": "ok", "found": "b", "advice": ""}"#;
    assert_eq!(of(&format!("[{whole}]")), Vec::<String>::new());
    assert_eq!(
        of(&format!("[{}]", whole.replace("advice", "advise"))),
        ["doctor[].advise: not in docs/json.md", "doctor[].advice: not written"]
    );
    assert_eq!(of(&format!("[{}]", whole.replace("\"ok\"", "\"fine\""))).len(), 1);
    assert_eq!(of(&format!("[{}]", whole.replace("\"b\"", "1"))), ["doctor[].found: 1 is no text"]);
}
