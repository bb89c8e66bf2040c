//! Sessions stamped an hour early or late. A market has its own hours of much and of little volume, the same every day:
//! a session that fits them an hour away, and not where it is, has the wrong clock.

use crate::{
    fault::{Fault, FaultKind},
    grid::{Grid, Session},
};

/// Seconds over which volume is summed.
const QUARTER: usize = 900;
/// Quarters in an hour.
const HOUR: isize = 4;
/// Sessions and quarters that make a usual day.
const ENOUGH_SESSIONS: usize = 5;
const ENOUGH_QUARTERS: usize = 12;
/// How well a session must fit an hour away, and how much better than where it is; correlations.
const FITS: f64 = 0.8;
const BETTER: f64 = 0.2;

/// Names the sessions that fit the month's usual day an hour away.
pub(super) fn shifted(grid: &Grid) -> Vec<Fault> {
    let mut faults = Vec::new();
    let longest = grid.sessions.iter().map(|session| session.rows.len()).max().unwrap_or_default();
    let whole = |session: &&Session| session.rows.len() == longest && !session.late_open && !session.early_close;
    let sessions: Vec<(&Session, Vec<f64>)> =
        grid.sessions.iter().filter(whole).map(|session| (session, day(grid, session))).collect();
    let quarters = longest / QUARTER;
    if sessions.len() < ENOUGH_SESSIONS || quarters < ENOUGH_QUARTERS {
        return faults;
    }
    let usual: Vec<f64> = (0..quarters)
        .map(|quarter| {
            let mut volumes: Vec<f64> = sessions.iter().map(|(_, day)| day[quarter]).collect();
            volumes.sort_by(f64::total_cmp);
            volumes[volumes.len() / 2]
        })
        .collect();
    for (session, day) in sessions {
        let [here, late, early] = [0, HOUR, -HOUR].map(|shift| correlation(&day, &usual, shift));
        for (fit, word) in [(late, "late"), (early, "early")] {
            if fit > FITS && fit > here + BETTER {
                let date = session.date;
                let found = format!("{date}: its volumes are those of the other sessions, an hour {word}");
                faults.push(Fault { kind: FaultKind::Hours, found });
            }
        }
    }
    faults
}

/// Volume of each quarter of an hour, as a logarithm.
fn day(grid: &Grid, session: &Session) -> Vec<f64> {
    let quarters = grid.volume[session.rows.clone()].chunks_exact(QUARTER);
    quarters.map(|quarter| (1.0 + quarter.iter().map(|&volume| f64::from(volume)).sum::<f64>()).ln()).collect()
}

/// How well a day that is `shift` quarters late follows the usual one.
fn correlation(day: &[f64], usual: &[f64], shift: isize) -> f64 {
    let pairs: Vec<(f64, f64)> = (0..day.len())
        .filter_map(|quarter| Some((day[quarter], *usual.get(quarter.checked_add_signed(-shift)?)?)))
        .collect();
    let count = pairs.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / count;
    let (a, b) = (mean(|pair| pair.0), mean(|pair| pair.1));
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in &pairs {
        ab += (x - a) * (y - b);
        aa += (x - a) * (x - a);
        bb += (y - b) * (y - b);
    }
    if aa > 0.0 && bb > 0.0 { ab / (aa * bb).sqrt() } else { 0.0 }
}
