//! How values of settings are written.

/// One of a few values by its name, none where the text is empty; the names where it is none of them.
pub(super) fn optional<T: Copy, const N: usize>(text: &str, values: [(&str, T); N]) -> Result<Option<T>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let found = values.iter().find(|(name, _)| *name == text);
    found.map(|(_, value)| Some(*value)).ok_or_else(|| values.map(|(name, _)| name).join(", "))
}

/// Decimal points as units of 1e-9 points, exactly.
pub(super) fn nanos(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 9 || fraction.len() > 9 || !digits(whole) || !digits(fraction) {
        return None;
    }
    let whole: i64 = whole.parse().ok()?;
    let fraction: i64 = format!("{fraction:0<9}").parse().ok()?;
    Some(whole * 1_000_000_000 + fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_read_exactly() {
        assert_eq!(nanos("0.25"), Some(250_000_000));
        assert_eq!(nanos("0.1"), Some(100_000_000));
        assert_eq!(nanos("20"), Some(20_000_000_000));
        for wrong in ["", ".5", "-1", "1e3", "0.1234567891", "a"] {
            assert_eq!(nanos(wrong), None, "{wrong}");
        }
    }
}
