//! One training file, whether an object of the store or a file: opened, read once, held to every rule asked for.

use archive::manifest::MadeFrom;
use data::{Month, input::InputError};
use rayon::prelude::*;

use super::{
    data::{Anew, Sample},
    finding::{BrokenRows, Check, Findings},
    making::{self, Making},
    output,
    table::Table,
    tally::Tally,
    tape::Tape,
};
use statistics::feature_ranges::Overrides;

/// What is known of a file besides its bytes.
pub struct Request<'a> {
    /// What to look at.
    pub checks: &'a [Check],
    /// What `data` computes anew.
    pub sample: Sample,
    /// Ranges of features that replace the usual ones.
    pub overrides: &'a Overrides,
    /// The month it must hold; a file of the user's may hold any.
    pub month: Option<Month>,
    /// What it must say it was made from.
    pub made_from: Option<&'a MadeFrom>,
    /// What to hold it to when it says nothing.
    pub making: &'a Making,
}

/// What reading it came to.
pub struct Read {
    /// Its bars.
    pub tape: Tape,
    /// Counts and moments of its columns.
    pub tally: Tally,
    /// The settings it was held to.
    pub making: Making,
    /// Rows computed anew.
    pub compared: u64,
}

impl Request<'_> {
    /// Whether a check is asked for.
    pub fn wants(&self, check: Check) -> bool {
        self.checks.contains(&check)
    }

    /// Reads a file; `None` when its rows cannot be read, for a reason that is among the findings.
    pub fn read(&self, table: &Table, findings: &mut Findings) -> Option<Read> {
        let making = self.making(table, findings);
        if !output::layout(table, &making, findings) {
            return None;
        }
        match self.rows(table, making, findings) {
            Ok(read) => Some(read),
            Err(error) => {
                findings.error(Check::Output, "readable", error.to_string(), "row groups that decode");
                None
            }
        }
    }

    /// The settings of its metadata, which must be whole.
    fn making(&self, table: &Table, findings: &mut Findings) -> Making {
        let found = making::of_metadata(table.pairs());
        // Fronts follow from raw records alone: the file does not name them.
        let expected = self.made_from.map(|made_from| MadeFrom { fronts: None, ..made_from.clone() });
        if let (Ok(found), Some(expected)) = (&found, &expected)
            && found != expected
        {
            let text = |made_from: &MadeFrom| serde_json::json!(made_from).to_string();
            findings.error(Check::Output, "metadata", text(found), format!("{}, as the manifest", text(expected)));
        }
        match found.and_then(|made_from| Making::new(&made_from)) {
            Ok(making) => making,
            Err(error) => {
                let expected =
                    "harness.version, profile, instrument, contract, features_dtype, decay_reference, inputs";
                findings.error(Check::Output, "metadata", error, expected);
                self.making.clone()
            }
        }
    }

    fn rows(&self, table: &Table, making: Making, findings: &mut Findings) -> Result<Read, InputError> {
        let tape = Tape::read(table, &making)?;
        let wants = |check| self.wants(check);
        if wants(Check::Output) {
            output::sessions(&tape, &making, findings);
            if let Some(month) = self.month {
                output::months(&tape, month, &making, findings);
            }
        }
        let (mut tally, mut compared, mut broken) = (Tally::default(), 0, BrokenRows::default());
        if wants(Check::Output) || wants(Check::Data) || wants(Check::Statistics) {
            let anew = wants(Check::Data).then(|| Anew::new(&tape, &making, self.sample));
            let session = |number: usize| -> Result<(Tally, u64, BrokenRows), InputError> {
                let rows = table.whole(number, &making.labels.specification)?;
                let mut broken =
                    if wants(Check::Output) { output::rows(&rows, &making) } else { BrokenRows::default() };
                let mut compared = 0;
                if let Some(anew) = &anew {
                    let (rows, differing) = anew.session(number, &rows);
                    compared = rows;
                    broken.append(differing);
                }
                Ok((Tally::of(&rows), compared, broken))
            };
            let sessions: Vec<_> =
                (0..table.groups()).into_par_iter().map(session).collect::<Result<_, InputError>>()?;
            for (session, rows, differing) in sessions {
                tally = tally.and(session);
                compared += rows;
                broken.append(differing);
            }
        }
        findings.rows(&broken);
        if wants(Check::Output) {
            output::columns(&tally, &making, self.overrides, findings);
        }
        Ok(Read { tape, tally, making, compared })
    }
}
