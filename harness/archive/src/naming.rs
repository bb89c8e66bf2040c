//! Names of a version's objects. Each is made under a name of its own, which says for which generation of the manifest: an
//! object that is of the manifest's generation or an earlier one, and not named, is never named again.

use std::fmt::{self, Display, Formatter};

use data::Month;

/// One attempt at making the next generation of a manifest: no two have the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Of the manifest it is to commit.
    pub generation: u64,
    number: u32,
}

impl Attempt {
    /// At what follows a generation.
    pub fn after(generation: u64) -> Self {
        Self { generation: generation + 1, number: fastrand::u32(..) }
    }
}

impl Display for Attempt {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{:08x}", self.generation, self.number)
    }
}

/// The folder of a month's statistics, in that of its Parquet.
const STATISTICS: &str = "statistics/";
const PARQUET: &str = ".parquet";
const JSON: &str = "_statistics.json";

/// How the names of a month's objects begin.
pub fn stem(month: Month) -> String {
    format!("monthly_{month}_")
}

/// Keys in a folder of a version's Parquet and statistics as an attempt makes them.
pub fn keys(folder: &str, month: Month, version: &str, attempt: Attempt) -> [String; 2] {
    let stem = stem(month);
    [("", PARQUET), (STATISTICS, JSON)].map(|(within, end)| format!("{folder}/{within}{stem}{version}_{attempt}{end}"))
}

/// Whether keys are those of a version's Parquet and statistics in a folder, by whichever attempts.
pub fn are_of(keys: [&str; 2], folder: &str, month: Month, version: &str) -> bool {
    let stem = stem(month);
    let of = |key: &str, within: &str, end: &str| {
        let rest = key.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/')?.strip_prefix(within));
        let rest = rest.and_then(|rest| rest.strip_prefix(&*stem)?.strip_prefix(version)?.strip_suffix(end));
        // Without one: of a program before there were any.
        rest.is_some_and(|rest| rest.is_empty() || rest.strip_prefix('_').and_then(generation).is_some())
    };
    !version.contains('/') && of(keys[0], "", PARQUET) && of(keys[1], STATISTICS, JSON)
}

fn generation(attempt: &str) -> Option<u64> {
    let (generation, number) = attempt.split_once('-')?;
    let hexadecimal = number.len() == 8 && number.bytes().all(|digit| digit.is_ascii_hexdigit());
    let decimal = generation.bytes().all(|digit| digit.is_ascii_digit());
    generation.parse().ok().filter(|_| hexadecimal && decimal)
}

/// What the name of an object says, whether or not all of it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name<'a> {
    /// Its version.
    pub version: &'a str,
    /// The generation it was made for; 0 where that is not said.
    pub generation: u64,
    /// Whether it is what is there of an upload to a directory.
    pub begun: bool,
}

impl<'a> Name<'a> {
    /// Of an object of a month; `None` for what is not ours.
    pub fn of(month: Month, key: &'a str) -> Option<Self> {
        let name = key.rsplit('/').next()?.strip_prefix(&*stem(month))?;
        let (whole, begun) = name.split_once('#').map_or((name, false), |(whole, _)| (whole, true));
        let rest = whole.strip_suffix(PARQUET).or_else(|| whole.strip_suffix(JSON)).unwrap_or(whole);
        let (version, attempt) = rest.split_once('_').unwrap_or((rest, ""));
        Some(Self { version, generation: generation(attempt).unwrap_or(0), begun })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_their_version_and_generation_and_are_refused_elsewhere() {
        let month: Month = "2013-09".parse().unwrap();
        let attempt = Attempt::after(6);
        assert_ne!(attempt, Attempt::after(6));
        let [data, statistics] = keys("f/09", month, "0123456789abcdef", attempt);
        for key in [&data, &statistics] {
            let name = Name { version: "0123456789abcdef", generation: 7, begun: false };
            assert_eq!(Name::of(month, key), Some(name));
            assert_eq!(Name::of(month, &format!("{key}#1")), Some(Name { begun: true, ..name }));
        }
        assert_eq!(Name::of(month, "f/notes.txt"), None);
        assert_eq!(Name::of(month, "f/monthly_2013-09_x.parquet").unwrap().generation, 0);
        let ours = |data: &str, statistics: &str| are_of([data, statistics], "f/09", month, "0123456789abcdef");
        assert!(ours(&data, &statistics));
        let old = [
            "f/09/monthly_2013-09_0123456789abcdef.parquet",
            "f/09/statistics/monthly_2013-09_0123456789abcdef_statistics.json",
        ];
        assert!(ours(old[0], old[1]) && ours(old[0], &statistics));
        for wrong in [
            "f/09/monthly_2013-09_0123456789abcdef_x.parquet",
            "f/10/monthly_2013-09_0123456789abcdef.parquet",
            "../x",
            &statistics,
        ] {
            assert!(!ours(wrong, &statistics), "{wrong}");
        }
        assert!(!are_of([&data, &statistics], "f/09", month, "0123"));
    }
}
