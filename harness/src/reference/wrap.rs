//! Lines of a page.

/// A line as lines of at most 100 characters.
pub fn wrap(line: &str) -> String {
    let mut wrapped = String::new();
    let mut width = 0;
    for word in line.split(' ') {
        let length = word.chars().count();
        if width > 0 && width + 1 + length > 100 {
            wrapped.push('\n');
            width = 0;
        } else if width > 0 {
            wrapped.push(' ');
            width += 1;
        }
        wrapped += word;
        width += length;
    }
    wrapped
}

#[test]
fn lines_are_wrapped_between_words() {
    let line = wrap(&"four ".repeat(41));
    assert!(line.lines().all(|line| line.len() <= 100 && !line.is_empty()), "{line}");
    assert_eq!(line.split_whitespace().count(), 41);
    assert_eq!(wrap(""), "");
}
