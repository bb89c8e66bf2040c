//! The types that are written as JSON, as the sources define them: keys, types and doc comments.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use crate::structure::{branches, code};

/// A type that serde writes.
pub struct Type {
    /// Its last module and its name: `survey::Line`.
    pub name: String,
    /// Its doc comment.
    pub doc: String,
    /// What is written.
    pub shape: Shape,
    file: PathBuf,
}

/// What is written of a type.
pub enum Shape {
    /// An object.
    Object(Vec<Field>),
    /// One of these words.
    Words(Vec<String>),
    /// One of these types.
    Either(Vec<String>),
    /// Text.
    Text,
    /// Another type in its place.
    As(String),
}

/// A key of an object.
pub struct Field {
    pub key: String,
    pub doc: String,
    /// Its type as it is written in the source.
    pub kind: String,
    /// Its keys are those of the object it is in.
    pub flat: bool,
    /// Left out where there is nothing to say.
    pub optional: bool,
}

/// All types, by their names without modules.
pub struct Types {
    all: BTreeMap<String, Vec<Type>>,
    /// Paths that each file imports.
    imports: BTreeMap<PathBuf, Vec<Vec<String>>>,
}

/// What stands before an item or a field.
#[derive(Default)]
struct Before {
    doc: Vec<String>,
    attributes: String,
}

impl Before {
    /// Takes in a line that is no item; whether it was one of these.
    fn takes(&mut self, line: &str) -> bool {
        if let Some(doc) = line.strip_prefix("///") {
            self.doc.push(doc.trim().to_owned());
        } else if line.starts_with("#[") {
            self.attributes += line;
        } else {
            return false;
        }
        true
    }

    /// The value of one of serde's attributes.
    fn value(&self, name: &str) -> Option<&str> {
        self.attributes.split_once(&format!("{name} = \""))?.1.split('"').next()
    }

    /// Whether serde has a word alone.
    fn has(&self, word: &str) -> bool {
        let serde = self.attributes.split("#[serde(").skip(1).filter_map(|rest| rest.split(")]").next());
        serde.flat_map(|list| list.split(',')).any(|part| part.trim() == word)
    }
}

impl Types {
    /// Those of these folders.
    pub fn read(folders: &[PathBuf]) -> Self {
        let mut types = Self { all: BTreeMap::new(), imports: BTreeMap::new() };
        folders.iter().for_each(|folder| types.folder(folder));
        types
    }

    fn folder(&mut self, folder: &Path) {
        for name in crate::month::names(folder) {
            let path = folder.join(&name);
            if path.is_dir() {
                self.folder(&path);
            } else if name.ends_with(".rs") {
                self.file(&path);
            }
        }
    }

    fn file(&mut self, path: &Path) {
        let text = fs::read_to_string(path).unwrap();
        let (mut imports, code) = (Vec::new(), code(&text));
        for (at, _) in code.match_indices("use ") {
            branches("", &code[at + 4..], &mut imports);
        }
        let imports = imports.iter().map(|path| path.split("::").map(str::to_owned).collect()).collect();
        self.imports.insert(path.to_owned(), imports);
        let (mut before, mut lines) = (Before::default(), text.lines());
        while let Some(line) = lines.next() {
            if before.takes(line) {
                continue;
            }
            let before = std::mem::take(&mut before);
            let item = line.strip_prefix("pub ").unwrap_or(line);
            let Some((keyword, rest)) = item.split_once(' ').filter(|(word, _)| ["struct", "enum"].contains(word))
            else {
                continue;
            };
            if !before.attributes.contains("Serialize") {
                continue;
            }
            let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
            let body: Vec<&str> = if line.ends_with('{') {
                lines.by_ref().take_while(|line| *line != "}").map(str::trim).collect()
            } else {
                Vec::new()
            };
            let shape = match keyword {
                _ if before.value("into").is_some() => Shape::Text,
                "struct" if before.has("transparent") => {
                    let inner = body.iter().find_map(|line| line.trim_end_matches(',').split_once(": "));
                    let tuple = || rest[end..].trim_start_matches('(').trim_end_matches(");");
                    Shape::As(inner.map_or_else(tuple, |(_, kind)| kind).to_owned())
                }
                "struct" => Shape::Object(fields(&body)),
                _ if before.has("untagged") => Shape::Either(variants(&body).filter_map(|(_, of)| of).collect()),
                _ => Shape::Words(variants(&body).map(|(name, _)| cased(&name, before.value("rename_all"))).collect()),
            };
            let (name, doc) = (rest[..end].to_owned(), before.doc.join(" "));
            let of_name = Type { name: format!("{}::{name}", module(path)), doc, shape, file: path.to_owned() };
            self.all.entry(name).or_default().push(of_name);
        }
    }

    /// The type that a name stands for in the file of another; `None` for those of other crates.
    pub fn named(&self, name: &str, user: Option<&Type>) -> Option<&Type> {
        let mut parts = name.rsplit("::");
        let last = parts.next().unwrap();
        let of_name = self.all.get(last)?;
        let in_module = |module: &str| of_name.iter().find(|found| found.name == format!("{module}::{last}"));
        if let Some(module) = parts.next() {
            return in_module(module);
        }
        let Some(user) = user else { return of_name.first() };
        if let Some(same) = of_name.iter().find(|found| found.file == user.file) {
            return Some(same);
        }
        // Where the module imports it itself, there.
        let import = |file: &PathBuf| {
            let path = self.imports[file].iter().find(|path| path.last().is_some_and(|name| name == last))?;
            // `super` is the folder, or that of a `mod.rs`.
            let above = if file.ends_with("mod.rs") { 2 } else { 1 };
            let above = || module(file.ancestors().nth(above).unwrap());
            path.iter().rev().nth(1).map(|name| if name == "super" { above() } else { name.clone() })
        };
        let mut module = import(&user.file);
        while let Some(name) = module.take() {
            if let Some(found) = in_module(&name) {
                return Some(found);
            }
            module = self.imports.keys().find(|file| self::module(file) == name).and_then(import);
        }
        let found = of_name.first().filter(|_| of_name.len() == 1);
        Some(found.unwrap_or_else(|| panic!("{}: which {last}?", user.file.display())))
    }
}

/// Name of the module of a file.
fn module(file: &Path) -> String {
    let path = file.with_extension("");
    let mut parts = path.iter().rev().map(|part| part.to_str().unwrap());
    parts.find(|part| !["mod", "lib", "src"].contains(part)).unwrap().to_owned()
}

fn fields(body: &[&str]) -> Vec<Field> {
    let (mut fields, mut before) = (Vec::new(), Before::default());
    for line in body {
        if before.takes(line) {
            continue;
        }
        let before = std::mem::take(&mut before);
        let Some((name, kind)) = line.trim_end_matches(',').split_once(": ") else { continue };
        let name = name.rsplit(' ').next().unwrap();
        if before.has("skip") {
            continue;
        }
        fields.push(Field {
            key: before.value("rename").unwrap_or(name).to_owned(),
            doc: before.doc.join(" "),
            kind: kind.to_owned(),
            flat: before.has("flatten"),
            optional: before.attributes.contains("skip_serializing_if"),
        });
    }
    fields
}

/// Names of an enum's variants, and the type that each holds.
fn variants(body: &[&str]) -> impl Iterator<Item = (String, Option<String>)> {
    let lines = body.iter().filter(|line| line.starts_with(char::is_uppercase));
    lines.map(|line| {
        let line = line.trim_end_matches(',');
        match line.split_once('(') {
            Some((name, of)) => (name.to_owned(), Some(of.trim_end_matches(')').to_owned())),
            None => (line.to_owned(), None),
        }
    })
}

/// A variant's name as serde writes it.
fn cased(name: &str, case: Option<&str>) -> String {
    let mut written = String::new();
    for (at, letter) in name.char_indices() {
        match case {
            Some("snake_case") if at > 0 && letter.is_uppercase() => written.push('_'),
            Some("kebab-case") if at > 0 && letter.is_uppercase() => written.push('-'),
            _ => {}
        }
        written.push(if case.is_some() { letter.to_ascii_lowercase() } else { letter });
    }
    written
}

/// A type and what it holds: `Option` and `[Month]` of `Option<Month>`.
pub fn parts(kind: &str) -> (&str, Vec<&str>) {
    let kind = kind.trim().trim_start_matches('&').trim_start_matches("'static ").trim_start_matches("'a ");
    if let Some(items) = kind.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        return ("(", list(items));
    }
    if let Some(item) = kind.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return ("Vec", vec![item.split(';').next().unwrap().trim()]);
    }
    match kind.split_once('<') {
        Some((outer, rest)) => (outer, list(rest.strip_suffix('>').unwrap())),
        None => (kind, Vec::new()),
    }
}

fn list(items: &str) -> Vec<&str> {
    let (mut found, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, letter) in items.char_indices() {
        match letter {
            '<' | '(' | '[' => depth += 1,
            '>' | ')' | ']' => depth -= 1,
            ',' if depth == 0 => {
                found.push(items[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    found.push(items[start..].trim());
    found.retain(|item| !item.starts_with('\''));
    found
}
