//! What a symbol names: an outright of the root, a spread of it, or something else.

use crate::month::Month;

/// The kind of instrument behind a symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Root, month code, year digits: `ESZ3`, `ESZ13`.
    Outright {
        /// Delivery month, 1..=12.
        month: i8,
        /// The year as far as the symbol gives it.
        year: i16,
        /// 10 when one digit of the year is given, 100 when two, 10,000 when all four.
        modulus: i16,
    },
    /// A calendar spread or other combination of contracts of the root: `ESZ3-ESH4`.
    Spread,
    /// Another root.
    Other,
    /// An id without a symbol.
    Unmapped,
}

/// What vendors append to a symbol: exchanges, and the yellow keys of a terminal.
const SUFFIXES: [&str; 12] =
    [" INDEX", " COMDTY", " CURNCY", ".GLBX", ".XCME", ".XCBT", ".XNYM", ".XCEC", ".CME", ".CBOT", ".NYMEX", ".COMEX"];
/// Codes of the delivery months, January first.
const MONTHS: &str = "FGHJKMNQUVXZ";

/// Reads a symbol for a root, in any of the ways in which vendors write one.
#[must_use]
pub fn classify(symbol: &str, root: &str) -> Kind {
    let symbol = &plain(symbol);
    if let Some(outright) = outright(symbol, root) {
        return outright;
    }
    let mut legs = symbol.split(['-', ':', ' ']).filter(|part| !part.is_empty());
    // A blank alone is no combination: `ESZ4 P5000` is an option, and others append what they like.
    if symbol.contains(['-', ':']) && legs.any(|leg| leg == root || outright(&plain(leg), root).is_some()) {
        Kind::Spread
    } else {
        Kind::Other
    }
}

/// What an outright is called here, however its symbol is written: root, month code, and the digits of the year it gives.
/// `None` for anything else.
#[must_use]
pub fn name(kind: Kind, root: &str) -> Option<String> {
    let Kind::Outright { month, year, modulus } = kind else { return None };
    let code = MONTHS.chars().nth(usize::try_from(month).ok()?.checked_sub(1)?)?;
    let digits = usize::try_from(modulus.ilog10()).ok()?;
    Some(format!("{root}{code}{year:0digits$}"))
}

/// The root of an outright, of the first leg of a combination or of a series: `GC` of `GCZ3`, of `GCZ3-GCG4` and of `GC.v.0`.
#[must_use]
pub fn root(symbol: &str) -> Option<String> {
    if let Some(root) = series_root(symbol) {
        return Some(root.to_owned());
    }
    let symbol = plain(symbol);
    let legs = [symbol.split(['-', ':']).next()?, symbol.as_str()].map(plain);
    legs.iter().find_map(|leg| {
        let root = match leg.split_once(' ') {
            Some((root, _)) => root,
            None => {
                let root = leg.trim_end_matches(|digit: char| digit.is_ascii_digit());
                root.split_at_checked(root.len().checked_sub(1)?)?.0
            }
        };
        let is_root = !root.is_empty() && root.bytes().all(|byte| byte.is_ascii_alphanumeric());
        (is_root && outright(leg, root).is_some()).then(|| root.to_owned())
    })
}

/// The root of a continuous series: `ES` of `ES.v.0`, which goes by volume, `ES.n.0`, by open interest, and `ES.c.0`, by
/// the calendar, and of `ES1!`.
#[must_use]
pub fn series_root(symbol: &str) -> Option<&str> {
    let symbol = symbol.trim();
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    let root = if let Some(ranked) = symbol.strip_suffix('!') {
        let root = ranked.trim_end_matches(|digit: char| digit.is_ascii_digit());
        Some(root).filter(|root| root.len() < ranked.len())
    } else {
        let mut parts = symbol.split('.');
        let (root, rule, rank) = (parts.next()?, parts.next()?, parts.next()?);
        (matches!(rule, "c" | "n" | "v") && digits(rank) && parts.next().is_none()).then_some(root)
    };
    root.filter(|root| !root.is_empty())
}

/// A symbol in capitals without blanks around it, leading signs and what vendors append. What is plain stays as it is.
fn plain(symbol: &str) -> String {
    let symbol = symbol.trim_end().trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '@' | '/'));
    let symbol = symbol.to_ascii_uppercase();
    let mut bare = symbol.as_str();
    while let Some(rest) = SUFFIXES.iter().find_map(|suffix| bare.strip_suffix(suffix)) {
        bare = rest.trim_end();
    }
    bare.to_owned()
}

/// Of a plain symbol: `ESZ4`, `ESZ24`, `ESZ2024`, `ES 12-24`.
fn outright(symbol: &str, root: &str) -> Option<Kind> {
    let rest = symbol.strip_prefix(root)?;
    let (month, digits) = match rest.strip_prefix(' ') {
        Some(dated) => {
            let (month, digits) = dated.split_once('-')?;
            let month = (month.len() == 2).then(|| month.parse().ok()).flatten()?;
            (month, Some(digits).filter(|digits| digits.len() != 1)?)
        }
        None => {
            let mut rest = rest.chars();
            (i8::try_from(MONTHS.find(rest.next()?)?).ok()? + 1, rest.as_str())
        }
    };
    let modulus = match digits.len() {
        1 => 10,
        2 => 100,
        4 => 10_000,
        _ => return None,
    };
    let numeric = digits.bytes().all(|digit| digit.is_ascii_digit()) && (1..=12).contains(&month);
    numeric.then(|| Some(Kind::Outright { month, year: digits.parse().ok()?, modulus })).flatten()
}

/// Months after the one it is named for in which a contract may still trade: quarterly rate futures are named for the month
/// in which their quarter begins, metals trade in their delivery month.
const MOST_PAST: i32 = 6;

/// The delivery month of an outright seen trading in `data`: the nearest, at most six months past. `None` for anything
/// else.
#[must_use]
pub fn expiry(kind: Kind, data: Month) -> Option<Month> {
    let Kind::Outright { month, year, modulus } = kind else { return None };
    let period = 12 * i32::from(modulus);
    let named = 12 * i32::from(year) + i32::from(month) - 1;
    let earliest = data.index() - MOST_PAST;
    let index = earliest + (named - earliest).rem_euclid(period);
    Month::new(i16::try_from(index.div_euclid(12)).ok()?, month)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expiry_of(symbol: &str, data: &str) -> Option<String> {
        expiry(classify(symbol, "ES"), data.parse().unwrap()).map(|month| month.to_string())
    }

    #[test]
    fn the_year_digit_is_resolved_by_the_date_of_the_data() {
        assert_eq!(expiry_of("ESZ3", "2013-10").unwrap(), "2013-12");
        assert_eq!(expiry_of("ESZ3", "2023-10").unwrap(), "2023-12");
        assert_eq!(expiry_of("ESH4", "2013-12").unwrap(), "2014-03");
        assert_eq!(expiry_of("ESH0", "2019-12").unwrap(), "2020-03");
        assert_eq!(expiry_of("ESZ3", "2013-12").unwrap(), "2013-12");
        assert_eq!(expiry_of("ESZ13", "2013-10").unwrap(), "2013-12");
        // What has just expired still trades, or is settled.
        assert_eq!(expiry_of("ESH4", "2024-05").unwrap(), "2024-03");
        assert_eq!(expiry_of("ESH4", "2024-09").unwrap(), "2024-03");
        assert_eq!(expiry_of("ESH4", "2024-10").unwrap(), "2034-03");
        assert_eq!(expiry_of("ESZ9", "2020-01").unwrap(), "2019-12");
        assert_eq!(expiry_of("ESZ99", "2000-03").unwrap(), "1999-12");
        assert_eq!(expiry_of("ESH24", "2024-10").unwrap(), "2124-03");
    }

    #[test]
    fn the_root_of_an_outright_or_a_first_leg() {
        for (symbol, expected) in [
            ("@\nSZ3", Some("S")),
            ("GCZ3", Some("GC")),
            ("6EH14", Some("6E")),
            ("GCZ3-GCG4", Some("GC")),
            ("X-GCG4", None),
            ("ES", None),
            ("ES.c.0", Some("ES")),
            ("6E.v.10", Some("6E")),
            ("ES.x.0", None),
            ("ES.c.", None),
            ("ES.c.0.1", None),
            (".c.0", None),
            ("Z3", None),
            ("", None),
            ("\u{e9}3", None),
        ] {
            assert_eq!(root(symbol).as_deref(), expected, "{symbol}");
        }
    }

    #[test]
    fn spreads_and_other_roots_are_told_from_outrights() {
        assert!(matches!(classify("ESZ3", "ES"), Kind::Outright { month: 12, year: 3, modulus: 10 }));
        assert_eq!(classify("ESZ3-ESH4", "ES"), Kind::Spread);
        assert_eq!(classify("ES:BF Z3-H4-M4", "ES"), Kind::Spread);
        for other in ["NQZ3", "MESZ3", "ESZ", "ESZ123", "ESA3", "ES", "", "NQZ3-NQH4", "ESZ+3"] {
            assert_eq!(classify(other, "ES"), Kind::Other, "{other}");
        }
    }

    #[test]
    fn every_way_to_write_an_outright() {
        for (symbol, expected) in [
            ("ESZ4", Some("ESZ4")),
            ("ESZ24", Some("ESZ24")),
            ("ESZ2024", Some("ESZ2024")),
            ("esz4", Some("ESZ4")),
            ("  ESZ4 ", Some("ESZ4")),
            ("ESZ4.XCME", Some("ESZ4")),
            ("ESZ4.GLBX", Some("ESZ4")),
            ("ESZ4.CME", Some("ESZ4")),
            ("ESZ4 Index", Some("ESZ4")),
            ("ES 12-24", Some("ESZ24")),
            ("ES 03-2025", Some("ESH2025")),
            ("@ESZ24", Some("ESZ24")),
            ("/ESZ24", Some("ESZ24")),
            // What is refused, with the symbol in the message.
            ("ES", None),
            ("@ES", None),
            ("ES1!", None),
            ("ES.v.0", None),
            ("ES.FUT", None),
            ("ESZ4.XEUR", None),
            ("ES 13-24", None),
            ("ES 12-4", None),
            ("ES 1-24", None),
            ("ES Z4", None),
            ("ESZ4 P5000", None),
            ("NQ 12-24", None),
            ("ESZ4-ESH5", None),
            ("ESZ4.XCME-ESH5.XCME", None),
        ] {
            let kind = classify(symbol, "ES");
            assert_eq!(name(kind, "ES").as_deref(), expected, "{symbol}");
            if let Some(name) = expected {
                let data = "2024-10".parse().unwrap();
                assert_eq!(expiry(kind, data), expiry(classify(name, "ES"), data), "{symbol}");
                assert_eq!(root(symbol).as_deref(), Some("ES"), "{symbol}");
            }
        }
        assert_eq!(expiry_of("ES 12-24", "2024-10").unwrap(), "2024-12");
        assert_eq!(expiry_of("ESZ2024", "2024-10").unwrap(), "2024-12");
        // All four digits of the year are not resolved by the date of the data.
        assert_eq!(expiry_of("ESZ2014", "2024-10"), None);
        for (symbol, expected) in [
            ("ES.v.0", Some("ES")),
            ("ES1!", Some("ES")),
            ("6E2!", Some("6E")),
            ("ES!", None),
            ("1!", None),
            ("ESZ4", None),
        ] {
            assert_eq!(series_root(symbol), expected, "{symbol}");
        }
        assert_eq!(classify("ESZ4.XCME-ESH5.XCME", "ES"), Kind::Spread);
        assert_eq!(classify("ESZ4 P5000", "ES"), Kind::Other);
        assert_eq!(root("gcz4.XCEC").as_deref(), Some("GC"));
        assert_eq!(root("GC 12-24").as_deref(), Some("GC"));
    }
}
