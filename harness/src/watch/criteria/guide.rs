//! Whether the guide is true of this program: `scripts/guide` types it, and leaves its verdict beside the program it typed
//! it with. The verdict names the sources that program was built from, so it stands for a program of the same sources only.

use std::{env, fs};

/// Name of the verdict, beside the program: the sources, then `passed` or what failed.
const VERDICT: &str = "guide.verdict";
/// What this program was built from; see build.rs.
pub const SOURCES: &str = env!("HARNESS_SOURCES");

/// Whether the script has passed with these sources, and in a few words; none where it was not run with them.
pub fn verdict() -> Option<(bool, String)> {
    let beside = env::current_exe().ok()?.with_file_name(VERDICT);
    read(&fs::read_to_string(beside).ok()?)
}

fn read(text: &str) -> Option<(bool, String)> {
    let (sources, said) = text.trim().split_once(' ')?;
    (sources == SOURCES).then(|| match said {
        "passed" => (true, "scripts/guide has passed with these sources".to_owned()),
        said => (false, format!("scripts/guide has failed with these sources, {said}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_stands_for_its_sources_alone() {
        assert_eq!(SOURCES.len(), 16, "{SOURCES}");
        assert!(read(&format!("{SOURCES} passed\n")).unwrap().0);
        let (passed, said) = read(&format!("{SOURCES} GUIDE.md:77: failed with code 1\n")).unwrap();
        assert!(!passed && said.contains("GUIDE.md:77"), "{said}");
        assert_eq!(read("0123456789abcdef passed\n"), None);
        assert_eq!(read(SOURCES), None);
    }
}
