//! Reference pages that are made from definitions: a test holds each to what is in `docs`, or writes it.

mod columns;

use std::path::Path;

/// Compares a page with `docs/<name>`; with `UPDATE_DOCS=1` in the environment it writes the page.
///
/// # Panics
/// The page differs, or cannot be written.
pub fn hold(name: &str, page: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, page).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    let how = "write it with: UPDATE_DOCS=1 cargo test --release --workspace reference";
    assert!(found == page, "docs/{name} is not what the definitions say; {how}");
}

/// A line as lines of at most 100 characters.
pub fn wrap(line: &str) -> String {
    let mut wrapped = String::new();
    let mut width = 0;
    for word in line.split(' ') {
        let length = word.chars().count();
        if width > 0 && width + 1 + length > 100 {
            wrapped.push('\n');
            width = 0;
        } else if width > 0 {
            wrapped.push(' ');
            width += 1;
        }
        wrapped += word;
        width += length;
    }
    wrapped
}

#[test]
fn lines_are_wrapped_between_words() {
    let line = wrap(&"four ".repeat(41));
    assert!(line.lines().all(|line| line.len() <= 100 && !line.is_empty()), "{line}");
    assert_eq!(line.split_whitespace().count(), 41);
    assert_eq!(wrap(""), "");
}
