//! File names as Databento gives them.

use jiff::civil::Date;

/// Schemas that are read, the one that is taken first where a month has several: bars need not be made of trades.
pub const SCHEMAS: [&str; 3] = ["ohlcv-1s", "trades", "tbbo"];

/// What a name says: `...-YYYYMMDD[-YYYYMMDD].ohlcv-1s[.SYMBOL][.0000].dbn[.zst]`, the same with another schema, or with
/// `csv`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileName<'a> {
    /// Its first UTC date.
    pub first: Date,
    /// Its last UTC date; the same in a download that was split by day.
    pub last: Date,
    /// Its schema: any, also one that is not read.
    pub schema: &'a str,
    /// Symbol and number of a part, where the download was split by symbol or by size: `.ESZ4`, `.0001`, else empty.
    pub part: &'a str,
}

impl<'a> FileName<'a> {
    /// Reads a name of a schema that is read; `None` for one of another pattern.
    #[must_use]
    pub fn parse(name: &'a str) -> Option<Self> {
        Self::of_any_schema(name).filter(|name| SCHEMAS.contains(&name.schema))
    }

    /// Reads a name; `None` for one of another pattern.
    #[must_use]
    pub fn of_any_schema(name: &'a str) -> Option<Self> {
        let plain = name.strip_suffix(".zst").unwrap_or(name);
        let stem = plain.strip_suffix(".dbn").or_else(|| plain.strip_suffix(".csv"))?;
        let (dates, rest) = stem.split_once('.')?;
        let (schema, part) = rest.split_at(rest.find('.').unwrap_or(rest.len()));
        let is_date = |text: &&str| text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
        let mut parts = dates.rsplit('-');
        let mut date = || parts.next().filter(is_date).and_then(|text| Date::strptime("%Y%m%d", text).ok());
        let last = date()?;
        let first = date().unwrap_or(last);
        (first <= last).then_some(Self { first, last, schema, part })
    }

    /// Whether it is of one day, which may have no record: a Saturday.
    pub(crate) fn is_of_a_day(&self) -> bool {
        self.first == self.last
    }
}

/// First and last date in a name.
#[must_use]
pub fn named_dates(name: &str) -> Option<(Date, Date)> {
    FileName::parse(name).map(|FileName { first, last, .. }| (first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_downloads_split_by_anything() {
        for (name, dates, part) in [
            ("glbx-mdp3-20241001-20241031.ohlcv-1s.dbn.zst", "2024-10-01 2024-10-31", ""),
            ("glbx-mdp3-20241001-20241031.ohlcv-1s.dbn", "2024-10-01 2024-10-31", ""),
            ("glbx-mdp3-20241001.ohlcv-1s.dbn.zst", "2024-10-01 2024-10-01", ""),
            ("glbx-mdp3-20240929-20241005.ohlcv-1s.dbn.zst", "2024-09-29 2024-10-05", ""),
            ("glbx-mdp3-20241001-20241031.ohlcv-1s.ESZ4.dbn.zst", "2024-10-01 2024-10-31", ".ESZ4"),
            ("glbx-mdp3-20241001.ohlcv-1s.ESZ4-ESH5.dbn.zst", "2024-10-01 2024-10-01", ".ESZ4-ESH5"),
            ("glbx-mdp3-20241001.ohlcv-1s.0000.dbn.zst", "2024-10-01 2024-10-01", ".0000"),
            ("glbx-mdp3-20241001-20241031.ohlcv-1s.csv", "2024-10-01 2024-10-31", ""),
            ("glbx-mdp3-20241001.ohlcv-1s.ESZ4.csv.zst", "2024-10-01 2024-10-01", ".ESZ4"),
            ("glbx-mdp3-20241001.trades.dbn.zst", "2024-10-01 2024-10-01", ""),
            ("glbx-mdp3-20241001-20241031.tbbo.ESZ4.dbn.zst", "2024-10-01 2024-10-31", ".ESZ4"),
        ] {
            let found = FileName::parse(name).unwrap();
            assert_eq!((format!("{} {}", found.first, found.last), found.part), (dates.to_owned(), part), "{name}");
        }
        for name in [
            "",
            "glbx-mdp3-20241031-20241001.ohlcv-1s.dbn.zst",
            "glbx-mdp3-20241001-20241031.ohlcv-1m.dbn.zst",
            "glbx-mdp3-20241001-20241031.mbp-1.dbn.zst",
            "ES_2024-10.dbn.zst",
            "ES.2024.dbn",
            "glbx-mdp3-20241001-20241031.ohlcv-1s-old.dbn.zst",
            "glbx-mdp3-20241001-20241031.ohlcv-1s.dbn.zst.part",
            "glbx-mdp3-20241301.ohlcv-1s.dbn.zst",
            "glbx-mdp3-2024100.ohlcv-1s.dbn.zst",
            "glbx-mdp3-+2024100.ohlcv-1s.dbn.zst",
            "glbx-mdp3-20241001.ohlcv-1s.json.zst",
            "manifest.json",
            "condition.json",
            "symbology.json",
        ] {
            assert_eq!(FileName::parse(name), None, "{name}");
        }
    }
}
