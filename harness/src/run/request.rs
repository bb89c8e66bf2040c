//! What a run is asked for.

use std::collections::BTreeMap;

use base::exit::Usage;
use data::{Month, MonthRange};

use super::task::Task;
use crate::settings::Settings;

/// What is to be made.
#[derive(Clone, Debug)]
pub struct RunRequest {
    /// The months that are asked for, of this task and of others: without a setting, weights decay to the last of them.
    pub range: MonthRange,
    /// Those to make.
    pub months: Vec<Month>,
    /// Which part of them is ours.
    pub task: Task,
    /// Also what is published from the same input and settings.
    pub force: bool,
    /// Only say what would be made.
    pub dry_run: bool,
    /// The least score that is published; what is wrong is not published either.
    pub gate: Option<f64>,
    /// Decay references that differ from that of the range.
    pub references: BTreeMap<Month, Month>,
}

impl RunRequest {
    /// All months of a range that are not published yet.
    pub fn of(range: MonthRange) -> Self {
        let months = range.iter().collect();
        let references = BTreeMap::new();
        Self { range, months, task: Task::WHOLE, force: false, dry_run: false, gate: None, references }
    }

    /// The reference month of the whole range, which does not depend on the task.
    ///
    /// # Errors
    /// Months after the reference they are weighted to.
    pub fn reference(&self, settings: &Settings) -> Result<Month, Usage> {
        for (&month, &reference) in &self.references {
            settings.check_reference(reference, &[month])?;
        }
        settings.reference(self.range.last(), &self.range.iter().collect::<Vec<_>>())
    }
}
