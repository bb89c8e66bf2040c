//! Numbers and times as text.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::super::table::units;

/// Units of 1e-9 in one.
const ONE: i64 = 1_000_000_000;
/// The price where there is none.
const ABSENT: i64 = i64::MAX;

/// Whether a text stands for nothing.
pub(super) fn is_absent(text: &[u8]) -> bool {
    text.is_empty()
        || [&b"nan"[..], b"null", b"none", b"na", b"undef_price"].iter().any(|none| text.eq_ignore_ascii_case(none))
}

/// A whole number.
pub(super) fn whole(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || digits.len() > 19 {
        return None;
    }
    let (mut value, mut rest) = (0, digits);
    while let Some((eight, after)) = rest.split_first_chunk() {
        (value, rest) = (value * 100_000_000 + eight_digits(*eight)?, after);
    }
    for byte in rest {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        // 19 digits fit into 64 bits.
        value = value * 10 + u64::from(digit);
    }
    let value = i64::try_from(value).ok()?;
    Some(if negative { -value } else { value })
}

/// The number of eight digits, two and two added up at once: Mula's way, as in Lemire, "Quickly parsing eight digits", 2018.
fn eight_digits(text: [u8; 8]) -> Option<u64> {
    let text = u64::from_le_bytes(text);
    // A digit has the upper half 3, also when 6 is added.
    let upper = |bytes: u64| bytes & 0xf0f0_f0f0_f0f0_f0f0 == 0x3030_3030_3030_3030;
    if !upper(text) || !upper(text.wrapping_add(0x0606_0606_0606_0606)) {
        return None;
    }
    let ones = text & 0x0f0f_0f0f_0f0f_0f0f;
    let twos = (ones.wrapping_mul(2561) >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (twos.wrapping_mul(6_553_601) >> 16) & 0x0000_ffff_0000_ffff;
    Some(fours.wrapping_mul(42_949_672_960_001) >> 32)
}

/// A volume: a whole number from 0, which may be written as a float; nothing is 0.
pub(super) fn volume(text: &[u8]) -> Option<u64> {
    if let Some(value) = whole(text) {
        return u64::try_from(value).ok();
    }
    if is_absent(text) {
        return Some(0);
    }
    let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    (value.fract() == 0.0 && (0.0..1.8e19).contains(&value)).then_some(value as u64)
}

/// What the prices of a text count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Prices {
    /// Units of 1e-9 points of one.
    pub(super) unit: i64,
    /// Units of 1e-9 points of a tick.
    pub(super) tick: i64,
}

impl Prices {
    /// Units of 1e-9 points; `None` for what is no price.
    pub(super) fn read(self, text: &[u8]) -> Option<i64> {
        if self.unit == 1
            && let Some(value) = whole(text)
        {
            return Some(value);
        }
        if is_absent(text) {
            return Some(ABSENT);
        }
        if let Some(exact) = decimal(text) {
            if self.unit == ONE {
                return Some(exact);
            }
            let nanos = i128::from(exact) * i128::from(self.unit);
            let (value, rest) = (nanos / i128::from(ONE), nanos % i128::from(ONE));
            return if rest == 0 { i64::try_from(value).ok() } else { None };
        }
        // More digits than a price has: a float as it was computed.
        let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
        value.is_finite().then(|| units(value * (self.unit as f64 / ONE as f64), false, self.tick))
    }
}

/// A decimal number of at most nine places in units of 1e-9; `None` for anything else.
fn decimal(text: &[u8]) -> Option<i64> {
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let mut value: u64 = 0;
    let mut places = None;
    if text.is_empty() || text.len() > 19 {
        return None;
    }
    for &byte in text {
        let digit = byte.wrapping_sub(b'0');
        match (digit, &mut places) {
            (0..=9, places) => {
                value = value * 10 + u64::from(digit);
                if let Some(places) = places {
                    *places += 1;
                }
            }
            (_, places @ None) if byte == b'.' => *places = Some(0_usize),
            _ => return None,
        }
    }
    if text == b"." {
        return None;
    }
    let scale = 9_usize.checked_sub(places.unwrap_or(0))?;
    let value = i64::try_from(value).ok()?.checked_mul(10_i64.pow(scale as u32))?;
    Some(if negative { -value } else { value })
}

/// Reads times as `2024-10-01T13:30:00.000000000Z`, in the usual variations.
#[derive(Default)]
pub(super) struct Times {
    /// The last date and its first second.
    date: Option<([u8; 10], i64)>,
}

impl Times {
    /// Nanoseconds since 1970 and whether the text says of which zone, so that they are of UTC.
    pub(super) fn read(&mut self, text: &[u8]) -> Option<(i64, bool)> {
        let (date, rest) = text.split_first_chunk::<10>()?;
        let midnight = self.midnight(date)?;
        let [b'T' | b't' | b' ', rest @ ..] = rest else { return None };
        let (hour, rest) = two(rest)?;
        let (minute, rest) = two(rest.strip_prefix(b":")?)?;
        let (second, rest) = match rest.strip_prefix(b":") {
            Some(rest) => two(rest)?,
            None => (0, rest),
        };
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let (fraction, zone) = match rest.strip_prefix(b".") {
            Some(rest) => fraction(rest)?,
            None => (0, rest),
        };
        let offset = offset(zone)?;
        let second = midnight + hour * 3600 + minute * 60 + second - offset.unwrap_or(0);
        Some((second.checked_mul(ONE)?.checked_add(fraction)?, offset.is_some()))
    }

    /// The first second of a date.
    fn midnight(&mut self, text: &[u8; 10]) -> Option<i64> {
        if let Some((known, midnight)) = &self.date
            && known == text
        {
            return Some(*midnight);
        }
        let date: Date = std::str::from_utf8(text).ok()?.parse().ok()?;
        let time: Timestamp =
            TimeZone::UTC.to_ambiguous_timestamp(date.to_datetime(jiff::civil::Time::midnight())).unambiguous().ok()?;
        self.date = Some((*text, time.as_second()));
        Some(time.as_second())
    }
}

/// A number of two digits, and what follows.
fn two(text: &[u8]) -> Option<(i64, &[u8])> {
    let (digits, rest) = text.split_first_chunk::<2>()?;
    digits
        .iter()
        .all(u8::is_ascii_digit)
        .then(|| (i64::from(digits[0] - b'0') * 10 + i64::from(digits[1] - b'0'), rest))
}

/// Nanoseconds of the digits behind a point, and what follows.
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let value = whole(&text[..digits.min(9)])?;
    // Beyond nanoseconds nothing is told apart.
    let rest = text[digits.min(9)..digits].iter().all(|digit| *digit == b'0');
    rest.then(|| (value * 10_i64.pow(9 - digits.min(9) as u32), &text[digits..]))
}

/// Seconds ahead of UTC; nothing where there is no zone.
fn offset(text: &[u8]) -> Option<Option<i64>> {
    let (sign, rest) = match text {
        b"" => return Some(None),
        b"Z" | b"z" | b" UTC" | b" Z" => return Some(Some(0)),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let (hours, rest) = two(rest)?;
    let minutes = match rest.strip_prefix(b":").unwrap_or(rest) {
        b"" => 0,
        rest => two(rest).filter(|(minutes, rest)| rest.is_empty() && *minutes < 60)?.0,
    };
    (hours < 24).then(|| Some(sign * (hours * 3600 + minutes * 60)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_digits_and_nothing_else() {
        for length in 0..=20 {
            for first in ["0123456789012345678", "9223372036854775807", "9999999999999999999", "1000000000000000000"] {
                let text = &format!("{first}1")[..length];
                let expected = text.parse::<i64>().ok().filter(|_| length < 20);
                assert_eq!(whole(text.as_bytes()), expected, "{text}");
                assert_eq!(whole(format!("-{text}").as_bytes()), expected.map(|value| -value), "-{text}");
                for at in 0..length {
                    for other in [b'/', b':', b' ', b'-', b'.', b'p', 0, 0xb0, 0xfa] {
                        let mut text = text.as_bytes().to_vec();
                        text[at] = other;
                        let minus = at == 0 && other == b'-';
                        assert!(minus || whole(&text).is_none(), "{text:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn prices_are_exact_in_every_unit() {
        let of = |unit| Prices { unit, tick: 250_000_000 };
        let (points, cents, ticks, fixed) = (of(ONE), of(10_000_000), of(250_000_000), of(1));
        for (prices, text, nanos) in [
            (points, "5810.25", Some(5_810_250_000_000)),
            (points, "5810.250000000", Some(5_810_250_000_000)),
            (points, "5810", Some(5_810_000_000_000)),
            (points, "-37.63", Some(-37_630_000_000)),
            (points, "5810.2500000000001", Some(5_810_250_000_000)),
            (points, "1e3", Some(1_000_000_000_000)),
            (points, "5810,25", None),
            (points, "", Some(ABSENT)),
            (points, "NaN", Some(ABSENT)),
            (points, "inf", None),
            (points, ".", None),
            (points, "-", None),
            (points, "1.2.3", None),
            (cents, "581025", Some(5_810_250_000_000)),
            (cents, "581025.5", Some(5_810_255_000_000)),
            (ticks, "23241", Some(5_810_250_000_000)),
            (ticks, "23241.0", Some(5_810_250_000_000)),
            (fixed, "5810250000000", Some(5_810_250_000_000)),
            (fixed, "9223372036854775807", Some(ABSENT)),
            (fixed, "9223372036854775808", None),
            (fixed, "5810.25", None),
            (fixed, "5810.0", Some(5810)),
        ] {
            let found = prices.read(text.as_bytes());
            // Beyond 64 bits a float is as near as it comes, and never a price.
            assert!(found == nanos || nanos.is_none() && found == Some(ABSENT), "{text}: {found:?}");
        }
    }

    #[test]
    fn times_in_their_variations() {
        const OPEN: i64 = 1_727_789_400_000_000_000;
        for (text, nanos) in [
            ("2024-10-01T13:30:00.000000000Z", Some((OPEN, true))),
            ("2024-10-01 13:30:00+00:00", Some((OPEN, true))),
            ("2024-10-01 08:30:00-05:00", Some((OPEN, true))),
            ("2024-10-01T08:30:00-0500", Some((OPEN, true))),
            ("2024-10-01 13:30:00 UTC", Some((OPEN, true))),
            ("2024-10-01 13:30:00.5", Some((OPEN + 500_000_000, false))),
            ("2024-10-01 13:30", Some((OPEN, false))),
            ("2024-10-01 13:30:00.0000000000", Some((OPEN, false))),
            ("2024-10-01", None),
            ("2024-13-01 13:30:00", None),
            ("2024-10-01 24:30:00", None),
            ("2024-10-01 13:30:00.", None),
            ("2024-10-01 13:30:00 CST", None),
            ("2024-10-01 13:30:00+1", None),
            ("10/01/2024 13:30:00", None),
            ("", None),
        ] {
            assert_eq!(Times::default().read(text.as_bytes()), nanos, "{text}");
        }
    }

    #[test]
    fn volumes_are_whole_and_nothing_is_none() {
        for (text, expected) in [
            ("12", Some(12)),
            ("12.0", Some(12)),
            ("", Some(0)),
            ("nan", Some(0)),
            ("1.5", None),
            ("-1", None),
            ("x", None),
        ] {
            assert_eq!(volume(text.as_bytes()), expected, "{text}");
        }
        assert_eq!(whole(b"-9223372036854775807"), Some(-i64::MAX));
        assert_eq!([whole(b""), whole(b"12a"), whole(b"99999999999999999999")], [None; 3]);
    }
}
