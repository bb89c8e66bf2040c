//! Which task of an array job this is: by the flags, or by what its engine sets in the environment.

use std::fmt;

use base::exit::Usage;

use crate::cli::RunArgs;

/// A task, from 0, of so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task {
    /// Its number.
    pub index: usize,
    /// How many there are.
    pub count: usize,
}

/// Variables of an engine that starts the same command many times.
struct Engine {
    index: &'static str,
    count: Option<&'static str>,
    /// Of the tasks that were submitted: the lowest number, and the distance from one to the next.
    numbering: Option<(&'static str, &'static str)>,
}

const ENGINES: [Engine; 3] = [
    Engine { index: "AWS_BATCH_JOB_ARRAY_INDEX", count: Some("AWS_BATCH_JOB_ARRAY_SIZE"), numbering: None },
    // An indexed Job of Kubernetes.
    Engine { index: "JOB_COMPLETION_INDEX", count: None, numbering: None },
    Engine {
        index: "SLURM_ARRAY_TASK_ID",
        count: Some("SLURM_ARRAY_TASK_COUNT"),
        numbering: Some(("SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_STEP")),
    },
];

/// What makes a run in an array job do as if it were alone.
const ALONE: &str = "for the whole range give --task-index 0 --task-count 1";

impl Task {
    /// The only one.
    pub const WHOLE: Self = Self { index: 0, count: 1 };

    /// The task of a run. A single month is dealt by flags alone: who gives it in an array job has dealt already.
    ///
    /// # Errors
    /// [`Usage`], when the number or the count is missing or they do not fit.
    pub fn of(args: &RunArgs) -> Result<Self, Usage> {
        let from_engine = args.months.is_some();
        Self::among(args.task_index, args.task_count, |name| std::env::var(name).ok().filter(|_| from_engine))
    }

    fn among(
        index: Option<usize>,
        count: Option<usize>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Usage> {
        if let (Some(index), Some(count)) = (index, count) {
            return Self { index, count }.checked(&format!("--task-index {index}"), "--task-count");
        }
        let variable = |name: &'static str| variable(name).filter(|value| !value.is_empty());
        let found: Vec<&Engine> = ENGINES.iter().filter(|engine| variable(engine.index).is_some()).collect();
        let (engine, text) = match (&found[..], count) {
            ([], None) => return Ok(Self::WHOLE),
            ([], Some(count)) => {
                let names = ENGINES.map(|engine| engine.index).join(", ");
                return Err(Usage(format!("--task-count {count}: give --task-index too; none of {names} is set")));
            }
            ([engine], _) => (*engine, variable(engine.index).unwrap_or_default()),
            ([one, other, ..], _) => {
                let both = format!("{} and {} are both set", one.index, other.index);
                return Err(Usage(format!("{both}: give --task-index and --task-count; {ALONE}")));
            }
        };
        let number = |name: &str, text: &str| -> Result<usize, Usage> {
            text.trim().parse().map_err(|_| Usage(format!("{name}={text}: expected a number from 0; {ALONE}")))
        };
        let given = |name| variable(name).map(|text| number(name, &text)).transpose();
        let id = number(engine.index, &text)?;
        let said = format!("{}={text}", engine.index);
        // Numbers are as they are where the whole count is given: a task that is submitted again alone keeps its own.
        if let Some(count) = count {
            return Self { index: id, count }.checked(&said, "--task-count");
        }
        let Some(name) = engine.count else {
            return Err(Usage(format!(
                "{said}: its engine does not say how many tasks there are: give --task-count; {ALONE}"
            )));
        };
        let Some(count) = given(name)? else {
            return Err(Usage(format!("{said}: {name} is not set: give --task-count; {ALONE}")));
        };
        let (mut first, mut step) = (0, 1);
        if let Some((least, distance)) = engine.numbering {
            (first, step) = (given(least)?.unwrap_or(0), given(distance)?.unwrap_or(1).max(1));
        }
        match id.checked_sub(first).filter(|above| above.is_multiple_of(step)) {
            Some(above) => Self { index: above / step, count }.checked(&said, name),
            None => Err(Usage(format!("{said}: expected {first} plus a multiple of {step}; {ALONE}"))),
        }
    }

    fn checked(self, index: &str, count: &str) -> Result<Self, Usage> {
        let Self { index: number, count: tasks } = self;
        if number < tasks {
            return Ok(self);
        }
        Err(Usage(match tasks {
            0 => format!("{count} 0: expected at least one task"),
            _ => format!("{index}: expected 0 to {} (below {count}), without gaps", tasks - 1),
        }))
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {} of {} (the first is 0)", self.index, self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Variables<'a> = &'a [(&'a str, &'a str)];

    fn task(index: Option<usize>, count: Option<usize>, variables: Variables) -> Result<(usize, usize), String> {
        let variable =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).into());
        let task = Task::among(index, count, variable).map_err(|Usage(sentence)| sentence)?;
        Ok((task.index, task.count))
    }

    const BATCH: Variables = &[("AWS_BATCH_JOB_ARRAY_INDEX", "3"), ("AWS_BATCH_JOB_ARRAY_SIZE", "16")];
    const KUBERNETES: Variables = &[("JOB_COMPLETION_INDEX", "3")];

    fn slurm<'a>(id: &'a str, count: &'a str, min: &'a str, step: &'a str) -> [(&'a str, &'a str); 4] {
        [
            ("SLURM_ARRAY_TASK_ID", id),
            ("SLURM_ARRAY_TASK_COUNT", count),
            ("SLURM_ARRAY_TASK_MIN", min),
            ("SLURM_ARRAY_TASK_STEP", step),
        ]
    }

    #[test]
    fn each_engine_says_which_task_it_is() {
        assert_eq!(task(None, None, &[]), Ok((0, 1)));
        assert_eq!(task(None, None, BATCH), Ok((3, 16)));
        assert_eq!(task(None, Some(8), KUBERNETES), Ok((3, 8)));
        assert_eq!(task(None, None, &slurm("3", "16", "0", "1")), Ok((3, 16)));
        assert_eq!(task(None, None, &[("JOB_COMPLETION_INDEX", "")]), Ok((0, 1)));
    }

    #[test]
    fn tasks_of_slurm_need_not_be_numbered_from_0() {
        assert_eq!(task(None, None, &slurm("16", "16", "1", "1")), Ok((15, 16)));
        assert_eq!(task(None, None, &slurm("8", "3", "0", "4")), Ok((2, 3)));
        // Submitted again alone: the whole range, or its own part of the count that is given.
        assert_eq!(task(None, None, &slurm("3", "1", "3", "1")), Ok((0, 1)));
        assert_eq!(task(None, Some(16), &slurm("3", "1", "3", "1")), Ok((3, 16)));
    }

    #[test]
    fn flags_win_over_the_engine() {
        assert_eq!(task(Some(1), Some(2), BATCH), Ok((1, 2)));
        assert_eq!(task(None, Some(4), BATCH), Ok((3, 4)));
        assert_eq!(task(Some(0), Some(1), KUBERNETES), Ok((0, 1)));
    }

    #[test]
    fn what_does_not_fit_is_refused_with_what_to_do() {
        let refused = |index, count, variables: Variables, words: &[&str]| {
            let sentence = task(index, count, variables).unwrap_err();
            assert!(words.iter().all(|word| sentence.contains(word)), "{words:?} in: {sentence}");
        };
        refused(Some(2), Some(2), &[], &["--task-index 2", "expected 0 to 1"]);
        refused(Some(0), Some(0), &[], &["--task-count 0"]);
        refused(None, Some(3), KUBERNETES, &["JOB_COMPLETION_INDEX=3", "expected 0 to 2"]);
        refused(
            None,
            None,
            KUBERNETES,
            &["JOB_COMPLETION_INDEX=3", "give --task-count", "--task-index 0 --task-count 1"],
        );
        refused(None, Some(3), &[], &["--task-index", "SLURM_ARRAY_TASK_ID"]);
        refused(None, None, &BATCH[..1], &["AWS_BATCH_JOB_ARRAY_SIZE", "--task-count"]);
        refused(None, None, &[("JOB_COMPLETION_INDEX", "three")], &["JOB_COMPLETION_INDEX=three", "a number"]);
        refused(None, None, &[BATCH, KUBERNETES].concat(), &["AWS_BATCH_JOB_ARRAY_INDEX and JOB_COMPLETION_INDEX"]);
        // A list with gaps, and a number between two of the tasks.
        refused(None, None, &slurm("9", "3", "1", "1"), &["SLURM_ARRAY_TASK_ID=9", "without gaps"]);
        refused(None, None, &slurm("5", "3", "0", "4"), &["SLURM_ARRAY_TASK_ID=5", "4"]);
    }
}
