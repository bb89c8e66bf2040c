//! Arguments that several functions take.

use data::Month;
use kernels::{Profile, Tick};
use pyo3::prelude::*;

use crate::{compute::How, wrong::argument};

/// The profile of a name.
pub fn profile(name: &str) -> PyResult<Profile> {
    match name {
        "session" => Ok(Profile::Session),
        "rolling" => Ok(Profile::Rolling),
        other => Err(argument(format!("profile = {other}: expected session or rolling"))),
    }
}

/// A price increment in points.
pub fn tick(points: f64) -> PyResult<Tick> {
    let nanos = (points * 1e9).round();
    // What is no multiple of 1e-9 is a mistake of somebody, not a tick.
    if !(nanos.is_finite() && (nanos / 1e9 - points).abs() <= points.abs() * 1e-12) {
        return Err(argument(format!("tick = {points}: expected a positive multiple of 1e-9 points, such as 0.25")));
    }
    Tick::from_nanos(nanos as i64).map_err(|error| argument(format!("tick = {points}: {error}")))
}

/// How columns are computed.
pub fn how(profile: &str, tick: f64, gap: f64, decay_reference: Option<&str>, threads: Option<usize>) -> PyResult<How> {
    let (profile, tick) = (self::profile(profile)?, self::tick(tick)?);
    if !(gap >= 0.0 && gap.is_finite()) {
        return Err(argument(format!("gap = {gap}: expected points, 0 or more")));
    }
    if threads == Some(0) {
        return Err(argument("threads = 0: expected 1 or more"));
    }
    let gap_ticks = ((gap * 1e9).round() as i64 / tick.nanos()).try_into().unwrap_or(i32::MAX);
    let month = |text: &str| text.parse::<Month>().map_err(|error| argument(format!("decay_reference: {error}")));
    let decay_reference = decay_reference.map(month).transpose()?;
    Ok(How { profile, tick, gap_ticks, decay_reference, threads })
}
