//! Lines of a text, and their fields.

use std::io::Read;

use memchr::memchr;

use super::super::{InputError, read_up_to};

/// Bytes held at a time.
const BUFFER: usize = 1 << 20;
/// Bytes of the longest line.
const LONGEST: usize = 1 << 16;

/// A text line by line.
pub(super) struct Lines<R> {
    reader: R,
    buffer: Vec<u8>,
    at: usize,
    filled: usize,
    number: u64,
    record: u64,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, buffer: vec![0; BUFFER], at: 0, filled: 0, number: 0, record: 0 }
    }

    /// The next line that is not empty, with its number from 1 and without its end.
    ///
    /// # Errors
    /// Among others that a line has no end: a text that was cut off must not pass for a whole one.
    pub(super) fn next(&mut self) -> Result<Option<(u64, &[u8])>, InputError> {
        loop {
            let end = match memchr(b'\n', &self.buffer[self.at..self.filled]) {
                Some(length) => self.at + length,
                None => match self.fill()? {
                    Some(end) => end,
                    None => return Ok(None),
                },
            };
            let line = self.at..end;
            (self.at, self.number) = (end + 1, self.number + 1);
            let line = if self.buffer[line.clone()].ends_with(b"\r") { line.start..line.end - 1 } else { line };
            if !line.is_empty() {
                self.record += 1;
                return Ok(Some((self.number, &self.buffer[line])));
            }
        }
    }

    /// Reads on; where the line ends, or `None` where there is no more.
    fn fill(&mut self) -> Result<Option<usize>, InputError> {
        self.buffer.copy_within(self.at..self.filled, 0);
        (self.at, self.filled) = (0, self.filled - self.at);
        let read = read_up_to(&mut self.reader, &mut self.buffer[self.filled..]);
        let record = self.record.saturating_sub(1);
        let read = read.map_err(|source| InputError::Compression { record, source })?;
        let left = self.filled;
        self.filled += read;
        match memchr(b'\n', &self.buffer[left..self.filled]) {
            Some(length) => Ok(Some(left + length)),
            None if self.filled >= LONGEST => Err(InputError::Limit { what: "bytes in a line", limit: LONGEST as u64 }),
            None if self.filled == 0 => Ok(None),
            None => Err(InputError::Unended { line: self.number + 1 }),
        }
    }
}

/// Where the fields of a line are, without the quotes around them.
///
/// # Errors
/// The number of the field, from 0, whose quotes do not fit.
pub(super) fn split(line: &[u8], delimiter: u8, fields: &mut Vec<(usize, usize)>) -> Result<(), usize> {
    fields.clear();
    if memchr(b'"', line).is_some() {
        return split_quoted(line, delimiter, fields);
    }
    let mut start = 0;
    // Fields are short: a search for each costs more than a look at every byte.
    for (end, byte) in line.iter().enumerate() {
        if *byte == delimiter {
            fields.push((start, end));
            start = end + 1;
        }
    }
    fields.push((start, line.len()));
    Ok(())
}

fn split_quoted(line: &[u8], delimiter: u8, fields: &mut Vec<(usize, usize)>) -> Result<(), usize> {
    let mut start = 0;
    loop {
        let quoted = line.get(start) == Some(&b'"');
        let end = if quoted {
            let mut at = start + 1;
            loop {
                let quote = line.get(at..).and_then(|rest| memchr(b'"', rest)).ok_or(fields.len())?;
                at += quote + 1;
                // Two quotes are one of the text.
                match line.get(at) {
                    Some(b'"') => at += 1,
                    None => break,
                    Some(next) if *next == delimiter => break,
                    Some(_) => return Err(fields.len()),
                }
            }
            at
        } else {
            line.get(start..).and_then(|rest| memchr(delimiter, rest)).map_or(line.len(), |length| start + length)
        };
        fields.push(if quoted { (start + 1, end - 1) } else { (start, end) });
        if end == line.len() {
            return Ok(());
        }
        start = end + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(line: &str) -> Result<Vec<&str>, usize> {
        let mut fields = Vec::new();
        split(line.as_bytes(), b',', &mut fields)?;
        Ok(fields.into_iter().map(|(from, to)| &line[from..to]).collect())
    }

    #[test]
    fn fields_are_what_lies_between_delimiters_and_inside_of_quotes() {
        assert_eq!(fields("a,,b").unwrap(), ["a", "", "b"]);
        assert_eq!(fields(r#""a,b",c"#).unwrap(), ["a,b", "c"]);
        assert_eq!(fields(r#"a,"","say ""no""""#).unwrap(), ["a", "", r#"say ""no"""#]);
        assert_eq!(fields(r#"a,b","#).unwrap(), ["a", "b\"", ""]);
        assert_eq!(fields(r#"a,"b"#), Err(1));
        assert_eq!(fields(r#""a"b,c"#), Err(0));
    }

    #[test]
    fn lines_of_any_end_are_counted_and_the_last_must_have_one() {
        let mut lines = Lines::new(&b"a\r\n\nb\nc"[..]);
        assert_eq!(lines.next().unwrap(), Some((1, &b"a"[..])));
        assert_eq!(lines.next().unwrap(), Some((3, &b"b"[..])));
        assert!(matches!(lines.next(), Err(InputError::Unended { line: 4 })));
        let long = [vec![b'x'; 3 * BUFFER], b"\n".to_vec()].concat();
        assert!(matches!(Lines::new(&long[..]).next(), Err(InputError::Limit { .. })));
        // Across the end of the buffer.
        let many = b"0123456789,abc\n".repeat(BUFFER / 7);
        let mut lines = Lines::new(&many[..]);
        let mut seen = 0;
        while let Some((number, line)) = lines.next().unwrap() {
            seen += 1;
            assert_eq!((number, line), (seen, &b"0123456789,abc"[..]));
        }
        assert_eq!(seen as usize, BUFFER / 7);
    }
}
