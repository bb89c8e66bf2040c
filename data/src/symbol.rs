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
        /// 10 when one digit of the year is given, 100 when two.
        modulus: i16,
    },
    /// A calendar spread or other combination of contracts of the root: `ESZ3-ESH4`.
    Spread,
    /// Another root.
    Other,
    /// An id without a symbol.
    Unmapped,
}

/// Reads a symbol for a root.
#[must_use]
pub fn classify(symbol: &str, root: &str) -> Kind {
    if let Some(outright) = outright(symbol, root) {
        return outright;
    }
    let mut legs = symbol.split(['-', ':', ' ']).filter(|part| !part.is_empty());
    let combined = symbol.contains(['-', ':', ' ']);
    if combined && legs.any(|leg| leg == root || outright(leg, root).is_some()) { Kind::Spread } else { Kind::Other }
}

/// The root of an outright or of the first leg of a combination: `GC` of `GCZ3` and of `GCZ3-GCG4`.
#[must_use]
pub fn root(symbol: &str) -> Option<&str> {
    let leg = symbol.split(['-', ':', ' ']).next()?;
    let root = leg.trim_end_matches(|digit: char| digit.is_ascii_digit());
    let (root, _) = root.split_at_checked(root.len().checked_sub(1)?)?;
    (!root.is_empty() && outright(leg, root).is_some()).then_some(root)
}

fn outright(symbol: &str, root: &str) -> Option<Kind> {
    let mut rest = symbol.strip_prefix(root)?.chars();
    let month = i8::try_from("FGHJKMNQUVXZ".find(rest.next()?)?).ok()? + 1;
    let digits = rest.as_str();
    let modulus = match digits.len() {
        1 => 10,
        2 => 100,
        _ => return None,
    };
    if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    Some(Kind::Outright { month, year: digits.parse().ok()?, modulus })
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
            ("GCZ3", Some("GC")),
            ("6EH14", Some("6E")),
            ("GCZ3-GCG4", Some("GC")),
            ("ES", None),
            ("ES.c.0", None),
            ("Z3", None),
            ("", None),
            ("\u{e9}3", None),
        ] {
            assert_eq!(root(symbol), expected, "{symbol}");
        }
    }

    #[test]
    fn spreads_and_other_roots_are_told_from_outrights() {
        assert!(matches!(classify("ESZ3", "ES"), Kind::Outright { month: 12, year: 3, modulus: 10 }));
        assert_eq!(classify("ESZ3-ESH4", "ES"), Kind::Spread);
        assert_eq!(classify("ES:BF Z3-H4-M4", "ES"), Kind::Spread);
        for other in ["NQZ3", "MESZ3", "ESZ", "ESZ123", "ESA3", "ESz3", "ES", "", "NQZ3-NQH4", "ESZ+3"] {
            assert_eq!(classify(other, "ES"), Kind::Other, "{other}");
        }
    }
}
