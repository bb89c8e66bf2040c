//! What a check found, and how much it matters.

use std::collections::BTreeMap;

use data::Month;
use serde::Serialize;

pub use crate::cli::Check;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Something a reader should know; no reason for an exit code.
    Note,
    /// Unusual: look at it before training with it.
    Warning,
    /// Wrong.
    Error,
}

impl Severity {
    /// As it is printed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The month; `null` for a file that does not say.
    pub month: Option<Month>,
    /// The check.
    pub check: Check,
    /// The rule that is broken.
    pub rule: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What was found.
    pub found: String,
    /// What was expected.
    pub expected: String,
}

/// The findings of one month.
#[derive(Debug)]
pub struct Findings {
    month: Option<Month>,
    all: Vec<Finding>,
}

impl Findings {
    /// None yet.
    pub fn new(month: Option<Month>) -> Self {
        Self { month, all: Vec::new() }
    }

    /// Something wrong.
    pub fn error(&mut self, check: Check, rule: &'static str, found: impl Into<String>, expected: impl Into<String>) {
        self.add(check, rule, Severity::Error, found.into(), expected.into());
    }

    /// Something unusual.
    pub fn warning(&mut self, check: Check, rule: &'static str, found: impl Into<String>, expected: impl Into<String>) {
        self.add(check, rule, Severity::Warning, found.into(), expected.into());
    }

    /// Something to know.
    pub fn note(&mut self, check: Check, rule: &'static str, found: impl Into<String>, expected: impl Into<String>) {
        self.add(check, rule, Severity::Note, found.into(), expected.into());
    }

    fn add(&mut self, check: Check, rule: &'static str, severity: Severity, found: String, expected: String) {
        self.all.push(Finding { month: self.month, check, rule, severity, found, expected });
    }

    /// Takes in the rows that break rules, one finding a rule and column.
    pub fn rows(&mut self, broken: &BrokenRows) {
        for ((rule, column), Broken { rows, first, expected, check }) in &broken.0 {
            let of = if column.is_empty() { String::new() } else { format!("{column}: ") };
            let found = if *rows == 1 { first.clone() } else { format!("{first}, and {} more rows", rows - 1) };
            self.error(*check, rule, of + &found, *expected);
        }
    }

    /// All of them.
    pub fn into_inner(self) -> Vec<Finding> {
        self.all
    }
}

/// A rule for each row.
#[derive(Clone, Copy, Debug)]
pub struct RowRule {
    /// The check it belongs to.
    pub check: Check,
    /// Its name.
    pub name: &'static str,
    /// What it asks for.
    pub expected: &'static str,
}

/// Rows that break a rule.
#[derive(Clone, Debug)]
struct Broken {
    check: Check,
    rows: u64,
    first: String,
    expected: &'static str,
}

/// Rows that break rules: by rule and column how many, and the first. A column may be wrong in every row.
#[derive(Clone, Debug, Default)]
pub struct BrokenRows(BTreeMap<(&'static str, String), Broken>);

impl BrokenRows {
    /// One row breaks a rule; `found` is said of the first.
    pub fn add(&mut self, rule: &RowRule, column: &str, found: impl FnOnce() -> String) {
        let key = (rule.name, column.to_owned());
        match self.0.get_mut(&key) {
            Some(broken) => broken.rows += 1,
            None => {
                let RowRule { check, expected, .. } = *rule;
                self.0.insert(key, Broken { check, rows: 1, first: found(), expected });
            }
        }
    }

    /// Takes in those of later rows.
    pub fn append(&mut self, later: Self) {
        for (key, broken) in later.0 {
            match self.0.get_mut(&key) {
                Some(before) => before.rows += broken.rows,
                None => {
                    self.0.insert(key, broken);
                }
            }
        }
    }
}
