//! Roll detection measured: what is found in synthetic months against what is in them, and on real volumes.

use std::{path::Path, sync::Mutex};

use data::{
    Instrument, Month, MonthRange,
    contract::Choice,
    grid::{Grid, Rollover},
    input, session,
    synth::{Plan, write_month},
};
use rayon::prelude::*;

/// The grids of a file's months, each found alone.
fn grids(path: &Path) -> Vec<Grid> {
    let instrument = Instrument::default();
    let mut grids = Vec::new();
    input::read(path, &instrument, &mut |columns| {
        grids.push(session::cut_alone(&columns.view(), &instrument, Choice::Volume)?);
        Ok(())
    })
    .unwrap();
    grids
}

fn named(roll: &Rollover) -> String {
    format!("{} {} -> {}", roll.date, roll.from, roll.to)
}

/// Rolls that happened, rolls found on the right session, rolls invented.
fn measure(months: &[Month]) -> (usize, usize, usize) {
    let total = Mutex::new((0, 0, 0));
    months.par_iter().for_each(|&month| {
        let dir = tempfile::tempdir().unwrap();
        let truth = write_month(&Plan::default(), month, dir.path()).unwrap();
        let [grid] = &grids(&dir.path().join(&truth.file))[..] else { panic!("{month}") };
        let found: Vec<String> = grid.rollovers.iter().map(named).collect();
        let happened: Vec<String> =
            truth.rollovers.iter().map(|roll| format!("{} {} -> {}", roll.date, roll.from, roll.to)).collect();
        assert!(grid.rollovers.iter().all(|roll| roll.expected == Some(true)), "{month}: {found:?}");
        // What is hard to believe of a clean month: nothing but the halts that are in it.
        let late = truth.sessions.iter().filter(|session| session.late_open).map(|session| session.date);
        let warned = grid.warnings.iter().map(|warning| warning.split(": nothing trades before").next().unwrap());
        assert!(warned.eq(late.map(|date| date.to_string())), "{month}: {:?}", grid.warnings);
        let right = found.iter().filter(|roll| happened.contains(roll)).count();
        let mut total = total.lock().unwrap();
        *total = (total.0 + happened.len(), total.1 + right, total.2 + found.len() - right);
    });
    total.into_inner().unwrap()
}

fn months(range: &str) -> Vec<Month> {
    range.parse::<MonthRange>().unwrap().iter().collect()
}

#[test]
fn every_roll_of_18_months_is_found_on_its_session_and_none_is_invented() {
    assert_eq!(measure(&months("2013-07..2014-12")), (6, 6, 0));
}

#[test]
#[ignore = "takes minutes: scripts/rolls"]
fn every_roll_of_184_months_is_found_on_its_session_and_none_is_invented() {
    let months = months("2010-07..2025-10");
    let (happened, found, invented) = measure(&months);
    println!("{} synthetic months: {found} of {happened} rolls found, {invented} invented", months.len());
    assert_eq!((months.len(), happened, found, invented), (184, 61, 61, 0));
}

/// Sixteen days around the roll of December 2013, of real volumes; the folder is not part of the repository.
#[test]
#[ignore = "needs real data: scripts/rolls"]
fn the_roll_of_december_2013_is_found_on_real_volumes_and_none_is_invented() {
    let folder = std::env::var("ES_MINUTE").expect("ES_MINUTE: the folder of the sample");
    let grids: Vec<Grid> = ["20131001-20131031", "20131101-20131231"]
        .into_iter()
        .flat_map(|dates| grids(&Path::new(&folder).join(format!("glbx-mdp3-{dates}.ohlcv-1s.dbn.zst"))))
        .collect();
    let sessions: Vec<(String, String)> = grids
        .iter()
        .flat_map(|grid| &grid.sessions)
        .map(|session| (session.date.to_string(), session.contract.clone()))
        .collect();
    let rolls: Vec<String> = grids.iter().flat_map(|grid| &grid.rollovers).map(named).collect();
    println!("real volumes: {rolls:?} of {} sessions", sessions.len());
    // The sample has no session from the 4th to the 17th.
    assert_eq!(rolls, ["2013-12-18 ESZ3 -> ESH4"]);
    let contract = |date: &str| if date < "2013-12-18" { "ESZ3" } else { "ESH4" };
    assert!(sessions.len() > 10 && sessions.iter().all(|(date, front)| front == contract(date)), "{sessions:?}");
}
