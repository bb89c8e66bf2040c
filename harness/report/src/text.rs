//! Text and numbers as they stand in the page.

use data::Month;
use jiff::Timestamp;
use maud::html;

use statistics::score::{Band, Priority};

/// What stands where there is no value.
pub const NOTHING: &str = "\u{2013}";

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Text without control characters, which are not allowed in HTML.
pub fn clean(text: &str) -> String {
    let control = |character: char| character.is_control() && !matches!(character, '\n' | '\t');
    text.chars().map(|character| if control(character) { '\u{fffd}' } else { character }).collect()
}

/// Text that cannot be taken for markup, in an element or in an attribute in double quotes.
pub fn escape(text: &str) -> String {
    html! { (clean(text)) }.into_string()
}

/// Text that Markdown takes as it is.
pub fn markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\r' => escaped.push(' '),
            '<' => escaped.push_str("&lt;"),
            '&' => escaped.push_str("&amp;"),
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' => escaped.extend(['\\', character]),
            other => escaped.push(other),
        }
    }
    escaped
}

/// `first_row_utc` for `First row (UTC)`.
pub fn key(name: &str) -> String {
    let words = name.split(|character: char| !character.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("_")
}

/// A time to the minute, in UTC.
pub fn time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// `December 2025`.
pub fn month(month: Month) -> String {
    let name = MONTHS.get(usize::from(month.month().unsigned_abs()).wrapping_sub(1)).copied().unwrap_or_default();
    format!("{name} {}", month.year())
}

/// `1,061,492`.
pub fn count(value: u64) -> String {
    grouped(&value.to_string())
}

/// A number with `decimals` decimals and grouped thousands; never `-0`.
pub fn fixed(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return NOTHING.to_owned();
    }
    let text = format!("{:.decimals$}", value.abs());
    let negative = value < 0.0 && text.bytes().any(|digit| matches!(digit, b'1'..=b'9'));
    let (whole, fraction) = text.split_at(text.find('.').unwrap_or(text.len()));
    format!("{}{}{fraction}", if negative { "\u{2212}" } else { "" }, grouped(whole))
}

/// A share from 0 to 1 as `12.3 %`.
pub fn percent(share: f64, decimals: usize) -> String {
    if share.is_finite() { format!("{} %", fixed(100.0 * share, decimals)) } else { NOTHING.to_owned() }
}

/// About five significant digits, whatever the size.
pub fn significant(value: f64) -> String {
    let size = value.abs();
    match size {
        _ if !value.is_finite() => NOTHING.to_owned(),
        0.0 => "0".to_owned(),
        1e12.. => exponent(value),
        1e4.. => shortened(fixed(value, 1)),
        1e3.. => shortened(fixed(value, 2)),
        10.0.. => shortened(fixed(value, 3)),
        0.01.. => shortened(fixed(value, 4)),
        1e-4.. => shortened(fixed(value, 6)),
        _ => exponent(value),
    }
}

/// `12.3 MB`, by thousands.
pub fn bytes(value: u64) -> String {
    match value {
        0..1_000 => format!("{value} B"),
        1_000..1_000_000 => format!("{:.1} kB", value as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", value as f64 / 1e6),
        _ => format!("{:.2} GB", value as f64 / 1e9),
    }
}

/// `12.3 ms`, of nanoseconds.
pub fn duration(nanos: u64) -> String {
    match nanos {
        0..1_000 => format!("{nanos} ns"),
        1_000..1_000_000 => format!("{:.1} \u{b5}s", nanos as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} ms", nanos as f64 / 1e6),
        _ => format!("{:.2} s", nanos as f64 / 1e9),
    }
}

/// `07:30:00`, of the seconds of a day.
pub fn time_of_day(seconds: u64) -> String {
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// A band of the score in a word.
pub fn band(band: Band) -> &'static str {
    match band {
        Band::Low => "low",
        Band::Medium => "medium",
        Band::High => "high",
    }
}

/// A priority in a word.
pub fn priority(priority: Priority) -> &'static str {
    match priority {
        Priority::Low => "low",
        Priority::Medium => "medium",
        Priority::High => "high",
    }
}

/// `low vol long` for `low_vol_long`.
pub fn words(name: &str) -> String {
    name.replace('_', " ")
}

fn exponent(value: f64) -> String {
    format!("{value:.2e}").replace('-', "\u{2212}")
}

/// Without the zeros a fixed number of decimals ends in.
fn shortened(text: String) -> String {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn grouped(digits: &str) -> String {
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_escaped() {
        assert_eq!(escape("<a href='x'>\"&\"</a>"), "&lt;a href='x'&gt;&quot;&amp;&quot;&lt;/a&gt;");
        assert_eq!(escape("1 \u{0}\u{1b}\n\u{e9}"), "1 \u{fffd}\u{fffd}\n\u{e9}");
    }

    #[test]
    fn names_as_keys_and_text_as_markdown() {
        assert_eq!(
            ["First row (UTC)", "p50", "MAE of wins, ticks: p95"].map(key),
            ["first_row_utc", "p50", "mae_of_wins_ticks_p95"]
        );
        assert_eq!(markdown("a_b|<i>\n"), "a\\_b\\|&lt;i> ");
    }

    #[test]
    fn numbers() {
        assert_eq!([0, 999, 1_000, 1_061_492].map(count), ["0", "999", "1,000", "1,061,492"]);
        assert_eq!([-0.04, -1234.56, f64::NAN].map(|value| fixed(value, 1)), ["0.0", "\u{2212}1,234.6", NOTHING]);
        assert_eq!(percent(0.153_33, 1), "15.3 %");
        let values = [0.0, 6850.25, 35_000.0, 1.5, 0.25, 0.000_123_4, -0.000_012_34, f64::INFINITY];
        let texts = ["0", "6,850.25", "35,000", "1.5", "0.25", "0.000123", "\u{2212}1.23e\u{2212}5", NOTHING];
        assert_eq!(values.map(significant), texts);
        assert_eq!([7, 9_952_542, 2_500_000_000].map(bytes), ["7 B", "10.0 MB", "2.50 GB"]);
        let times = [999, 414_500, 20_447_200, 3_210_000_000].map(duration);
        assert_eq!(times, ["999 ns", "414.5 \u{b5}s", "20.4 ms", "3.21 s"]);
        assert_eq!([0, 27_000, 54_001, 86_400].map(time_of_day), ["00:00:00", "07:30:00", "15:00:01", "24:00:00"]);
        assert_eq!(month("2025-12".parse().unwrap()), "December 2025");
    }
}
