//! What makes a month wrong, as its statistics hold it.

use data::fault::{Fault, FaultKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Something that makes a month wrong, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Wrong {
    /// What kind of fault it is.
    pub kind: FaultKind,
    /// What was found.
    pub found: String,
    /// What to do about it.
    pub advice: String,
}

impl Wrong {
    /// It in a sentence.
    pub fn sentence(&self) -> String {
        format!("wrong: {}; {}", self.found, self.advice)
    }
}

impl From<Fault> for Wrong {
    fn from(Fault { kind, found }: Fault) -> Self {
        let advice = match kind {
            FaultKind::MonthLevel => {
                "compare the raw file with those of the months around: download it again, or set root and tick_size"
            }
            FaultKind::SessionLevel => "look at the session in the raw file, and download the file again",
            FaultKind::TwoContracts => {
                "its symbols do not fit its records: download the raw file again, and look at the sessions"
            }
            FaultKind::Unmapped => "download the raw file again, with symbols for all of its ids",
            FaultKind::Hours => "look at the session's times in the raw file, and download the file again",
            FaultKind::Transfer => "download the raw file again, and compare its checksum with the vendor's",
        };
        Self { kind, found, advice: advice.to_owned() }
    }
}
