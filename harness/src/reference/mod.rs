//! Reference pages that are made from definitions: a test holds each to what is in `docs`, or writes it.

mod columns;
mod wrap;

use std::path::Path;

pub use self::wrap::wrap;

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
