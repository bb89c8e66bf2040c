//! A folder of files as one input: a job folder, or a table that its writer laid out as many files.

use std::{
    cmp::Ordering,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use jiff::civil::Date;
use xxhash_rust::xxh3::Xxh3;

use super::{FileName, checksum, partition::Partition};

/// Folders within folders.
const DEPTH: usize = 16;
/// Files of one input.
const MOST: usize = 1 << 17;
/// What a batch download leaves beside the files of bars.
const BESIDE: [&str; 4] = ["manifest.json", "metadata.json", "condition.json", "symbology.json"];

/// One file of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    /// Where it is.
    pub(super) path: PathBuf,
    /// What its folders say of its rows.
    pub(super) partition: Partition,
}

impl Member {
    /// Its name without its folder.
    fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Whether its name says that it is of one day, which may have no record: a Saturday.
    pub(super) fn is_of_a_day(&self) -> bool {
        FileName::parse(&self.name()).is_some_and(|named| named.is_of_a_day())
    }
}

/// The files of an input in order of their paths, numbers by their value. What begins with `_` or a dot is none of them, as
/// Spark has it, and neither is what lies beside a batch download.
///
/// # Errors
/// A folder cannot be read, or is none of files.
pub(super) fn members(input: &Path) -> io::Result<Vec<Member>> {
    if !input.is_dir() {
        return Ok(vec![Member { path: input.to_owned(), partition: Partition::default() }]);
    }
    let mut paths = Vec::new();
    collect(input, 0, &mut paths)?;
    paths.sort_by(|a, b| by_number(&a.to_string_lossy(), &b.to_string_lossy()));
    let member = |path: PathBuf| {
        let partition = Partition::of(path.strip_prefix(input).unwrap_or(&path));
        Member { path, partition }
    };
    Ok(paths.into_iter().map(member).collect())
}

fn collect(folder: &Path, depth: usize, paths: &mut Vec<PathBuf>) -> io::Result<()> {
    if depth > DEPTH || paths.len() > MOST {
        let found = format!("{}: more than {DEPTH} folders in each other, or {MOST} files", folder.display());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, found));
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(['_', '.']) || BESIDE.contains(&&*name) {
            continue;
        }
        if path.is_dir() { collect(&path, depth + 1, paths)? } else { paths.push(path) }
    }
    Ok(())
}

/// The order of two texts in which `month=2` comes before `month=10`.
fn by_number(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let (in_a, in_b) = (digits(a), digits(b));
        if in_a > 0 && in_b > 0 {
            let (left, right) = (a[..in_a].trim_start_matches('0'), b[..in_b].trim_start_matches('0'));
            let order = (left.len(), left, in_a).cmp(&(right.len(), right, in_b));
            if order != Ordering::Equal {
                return order;
            }
            (a, b) = (&a[in_a..], &b[in_b..]);
            continue;
        }
        let (mut letters, mut others) = (a.chars(), b.chars());
        match (letters.next(), others.next()) {
            (None, None) => return Ordering::Equal,
            (left, right) if left != right => return left.cmp(&right),
            _ => (a, b) = (letters.as_str(), others.as_str()),
        }
    }
}

/// First and last date of all names, where every one has dates.
pub(super) fn dates(members: &[Member]) -> Option<(Date, Date)> {
    let dates = |member: &Member| FileName::parse(&member.name()).map(|named| (named.first, named.last));
    let all: Option<Vec<(Date, Date)>> = members.iter().map(dates).collect();
    all?.into_iter().reduce(|(first, last), (from, to)| (first.min(from), last.max(to)))
}

/// Size and checksum of an input: of a folder the sum of its files' sizes, and the XXH3-64 of their paths, sizes and
/// checksums.
///
/// # Errors
/// Reading failed.
pub fn identify(input: &Path) -> io::Result<(u64, String)> {
    let members = members(input)?;
    if !input.is_dir() {
        return checksum(&mut File::open(input)?);
    }
    let (mut hash, mut sum) = (Xxh3::new(), 0);
    for Member { path, .. } in members {
        let (bytes, checksum) = checksum(&mut File::open(&path)?)?;
        let within = path.strip_prefix(input).unwrap_or(&path);
        hash.update(format!("{}\0{bytes} {checksum}\n", within.display()).as_bytes());
        sum += bytes;
    }
    Ok((sum, format!("{:016x}", hash.digest())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_a_folder_are_those_of_bars_in_order_of_number() {
        let root = tempfile::tempdir().unwrap();
        for name in [
            "year=2024/month=10/part-0.parquet",
            "year=2024/month=9/part-10.parquet",
            "year=2024/month=9/part-9.parquet",
            "year=2024/month=9/.part-9.parquet.crc",
            "_SUCCESS",
            "_temporary/0/part-0.parquet",
            "manifest.json",
            "symbology.json",
        ] {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        }
        let found: Vec<String> = members(root.path())
            .unwrap()
            .iter()
            .map(|member| member.path.strip_prefix(root.path()).unwrap().display().to_string())
            .collect();
        let expected = ["month=9/part-9", "month=9/part-10", "month=10/part-0"];
        assert_eq!(found, expected.map(|name| format!("year=2024/{name}.parquet")));
        let before = identify(root.path()).unwrap();
        fs::write(root.path().join("_SUCCESS"), "again").unwrap();
        assert_eq!(identify(root.path()).unwrap(), before);
        fs::rename(root.path().join("year=2024/month=10"), root.path().join("year=2024/month=11")).unwrap();
        assert_ne!(identify(root.path()).unwrap(), before);
    }

    #[test]
    fn numbers_are_ordered_by_their_value() {
        for (a, b) in [("a2", "a10"), ("a", "a1"), ("a09", "b1"), ("1.9", "1.10"), ("2", "02"), ("x1y2", "x1y10")] {
            assert_eq!((by_number(a, b), by_number(b, a), by_number(a, a)), {
                use Ordering::{Equal, Greater, Less};
                (Less, Greater, Equal)
            });
        }
    }
}
