//! The first line of a text, and the fields of the lines after it.

use super::{
    super::{InputError, months::Months, names::Names},
    lines::split,
};

/// The names of a text's columns.
pub(super) struct Header {
    columns: Vec<String>,
    delimiter: u8,
    /// Where the columns are.
    pub(super) names: Names,
}

impl Header {
    /// Reads the first line; what stands between the names is what stands between all fields.
    pub(super) fn read(line: &[u8], months: &Months<'_>) -> Result<Self, InputError> {
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        let delimiter = line.iter().copied().find(|byte| b",;\t|".contains(byte)).unwrap_or(b',');
        let mut places = Vec::new();
        let quotes = |_| InputError::Line {
            line: 1,
            column: "the header".into(),
            found: "a quote that is not closed".into(),
            expected: "names of columns",
        };
        split(line, delimiter, &mut places).map_err(quotes)?;
        let name = |(from, to): (usize, usize)| String::from_utf8_lossy(&line[from..to]).trim().to_owned();
        let columns: Vec<String> = places.into_iter().map(name).collect();
        let names: Vec<&str> = columns.iter().map(String::as_str).collect();
        let names = Names::find(&names, &months.instrument.form, &months.partition)?;
        Ok(Self { columns, delimiter, names })
    }

    /// The fields of a line, as many as there are names.
    pub(super) fn fields<'l>(
        &'l self,
        number: u64,
        line: &'l [u8],
        places: &'l mut Vec<(usize, usize)>,
    ) -> Result<Fields<'l>, InputError> {
        let split = split(line, self.delimiter, places);
        let fields = Fields { header: self, number, line, places };
        if let Err(at) = split {
            let column = self.columns.get(at).cloned().unwrap_or_default();
            let found = "a quote that is not closed, or text behind it".into();
            return Err(InputError::Line { line: number, column, found, expected: "a field on one line" });
        }
        if fields.places.len() != self.columns.len() {
            return Err(InputError::Line {
                line: number,
                column: self.columns[fields.places.len().min(self.columns.len()) - 1].clone(),
                found: format!("{} fields", fields.places.len()),
                expected: "as many as the header has names: the file is damaged, or has several headers",
            });
        }
        Ok(fields)
    }
}

/// The fields of a line.
pub(super) struct Fields<'l> {
    header: &'l Header,
    number: u64,
    line: &'l [u8],
    places: &'l [(usize, usize)],
}

impl<'l> Fields<'l> {
    /// A field without the blanks around it.
    pub(super) fn text(&self, at: usize) -> &'l [u8] {
        let (from, to) = self.places[at];
        self.line[from..to].trim_ascii()
    }

    /// A field that is text.
    pub(super) fn utf8(&self, at: usize) -> Result<&'l str, InputError> {
        std::str::from_utf8(self.text(at)).map_err(|_| self.wrong(at, "text in UTF-8"))
    }

    /// The error of a field that is something else.
    pub(super) fn wrong(&self, at: usize, expected: &'static str) -> InputError {
        let found = match self.text(at) {
            b"" => "nothing".to_owned(),
            text => String::from_utf8_lossy(&text[..text.len().min(64)]).escape_debug().to_string(),
        };
        InputError::Line { line: self.number, column: self.header.columns[at].clone(), found, expected }
    }
}
