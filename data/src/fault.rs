//! What no market does and an exchange does not send: findings that make a month wrong, whatever its score.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Kinds of findings that make a month wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Prices far above or below those of the months around.
    MonthLevel,
    /// Prices of a session far above or below those of the month's others.
    SessionLevel,
    /// Records of two contracts under one symbol.
    TwoContracts,
    /// Ids without a symbol that trade more than the front contract.
    Unmapped,
    /// A session an hour early or late.
    Hours,
    /// Records that no exchange sends and an error of transfer makes.
    Transfer,
}

/// One such finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Fault {
    /// What kind of fault it is.
    pub kind: FaultKind,
    /// What was found, in a sentence.
    pub found: String,
}

impl FaultKind {
    /// Its name, as in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::MonthLevel => "month_level",
            Self::SessionLevel => "session_level",
            Self::TwoContracts => "two_contracts",
            Self::Unmapped => "unmapped",
            Self::Hours => "hours",
            Self::Transfer => "transfer",
        }
    }
}
