//! What a month is: one answer for every command, page and metric.

use serde::Serialize;

use super::holdings::Held;

/// What a month is: what a reader of the store meets, and where there is nothing to read, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Readers see it. Its last run may have failed, or what that made may be withheld.
    Published,
    /// A run is at work on it, whether it is published or not.
    Running,
    /// It is published, and its manifest cannot be read.
    Damaged,
    /// Not published, as its score is under the threshold of a gate.
    Withheld,
    /// Taken out; its versions are in the history.
    Removed,
    /// Not published, and its last run failed.
    Failed,
    /// Not published and not tried, and there are raw files.
    Pending,
    /// Between others, with nothing.
    Gap,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Published,
        Self::Running,
        Self::Damaged,
        Self::Withheld,
        Self::Removed,
        Self::Failed,
        Self::Pending,
        Self::Gap,
    ];

    /// What a month is by what is held of it, whether a run is `running` on it, and whether it has `raw` files. Only who
    /// reads its manifest can tell that it is [`State::Damaged`].
    pub fn of(held: &Held, running: bool, raw: bool) -> Self {
        match held {
            _ if running => Self::Running,
            Held { published: true, .. } => Self::Published,
            Held { withheld: true, .. } => Self::Withheld,
            Held { removed: true, .. } => Self::Removed,
            Held { failed: true, .. } => Self::Failed,
            _ if raw => Self::Pending,
            _ => Self::Gap,
        }
    }

    /// In a word.
    pub fn text(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Running => "running",
            Self::Damaged => "damaged",
            Self::Withheld => "withheld",
            Self::Removed => "removed",
            Self::Failed => "failed",
            Self::Pending => "pending",
            Self::Gap => "gap",
        }
    }
}
