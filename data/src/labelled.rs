//! The columns of the labels of one session, chunk by chunk.

use std::{ops::Range, sync::Arc};

use kernels::{
    Error, Profile, Series,
    labels::{Exit, Labeller, MODES, Outcome, Output, Six, Specification, Trades, Uniqueness},
    weights,
};

/// The columns of one mode; those that are no output of the specification are empty.
#[derive(Clone, Debug, Default)]
pub struct ModeColumns {
    /// 1 = win.
    pub label: Vec<i8>,
    /// Training weight.
    pub weight: Vec<f32>,
    /// How the trade ended.
    pub exit: Vec<i8>,
    /// Seconds to the deciding row.
    pub seconds: Vec<i16>,
    /// Worst move in ticks.
    pub mae: Vec<i16>,
    /// Best move in ticks.
    pub mfe: Vec<i16>,
    /// Ticks from entry to exit.
    pub moved: Vec<i16>,
    /// How much of the trade is its own.
    pub uniqueness: Vec<f32>,
    /// What is said of its wins.
    pub wins: Wins,
    /// How many rows have a trade; 0 with the default specification, which does not need it.
    pub trades: u64,
    /// Numbers that do not fit 16 bits: the nearest that does stands for them.
    pub saturated: u64,
}

/// Adverse move and duration of wins.
#[derive(Clone, Debug)]
pub enum Wins {
    /// Of the default specification: what followed each entry.
    Outcomes(Vec<Outcome>),
    /// Of any other: the signal row in the grid, worst move in ticks and rows open of each win.
    Trades(Vec<(usize, i32, u16)>),
}

impl Default for Wins {
    fn default() -> Self {
        Self::Trades(Vec::new())
    }
}

/// Weights decay by so much on these rows of the session.
type Decay = (f64, Range<usize>);

/// The labels of a session, by the path that its specification allows.
pub(crate) enum Labels {
    /// The default columns.
    Six(Box<Six>, [Vec<Outcome>; MODES.len()]),
    /// Any others.
    Any(Box<Any>),
}

impl Labels {
    /// For a session of so many rows.
    pub(crate) fn new(
        specification: &Arc<Specification>,
        (profile, gap_ticks): (Profile, i32),
        chunk_rows: usize,
        rows: usize,
    ) -> Self {
        if **specification == Specification::default() {
            let outcomes = std::array::from_fn(|_| vec![Outcome::LOSS; rows]);
            Self::Six(Box::new(Six::new(profile, gap_ticks, chunk_rows)), outcomes)
        } else {
            Self::Any(Box::new(Any::new(specification, (profile, gap_ticks), chunk_rows, rows)))
        }
    }

    /// Labels a chunk of the session's rows, which are rows `of_series`.
    pub(crate) fn take(
        &mut self,
        series: &Series<'_>,
        of_series: Range<usize>,
        chunk: Range<usize>,
    ) -> Result<(), Error> {
        match self {
            Self::Six(six, outcomes) => {
                six.outcomes(series, of_series, outcomes.each_mut().map(|mode| &mut mode[chunk.clone()]))
            }
            Self::Any(any) => any.take(series, of_series, chunk),
        }
    }

    /// The columns by mode, of a session whose first row is row `start` of the series and row `first` of the grid.
    pub(crate) fn finish(
        self,
        series: &Series<'_>,
        start: usize,
        decays: &[Decay],
        first: usize,
    ) -> Result<Vec<ModeColumns>, Error> {
        match self {
            Self::Six(_, outcomes) => six(series, start, decays, outcomes),
            Self::Any(any) => any.finish(series, start, decays, first),
        }
    }
}

fn six(
    series: &Series<'_>,
    start: usize,
    decays: &[Decay],
    outcomes: [Vec<Outcome>; MODES.len()],
) -> Result<Vec<ModeColumns>, Error> {
    let mut modes = Vec::with_capacity(MODES.len());
    for (mode, outcomes) in MODES.iter().zip(outcomes) {
        let (mut label, mut weight) = (vec![0; outcomes.len()], vec![0.0; outcomes.len()]);
        weights::labels(&outcomes, &mut label)?;
        for (decay, part) in decays {
            let (of, out) = (&outcomes[part.clone()], &mut weight[part.clone()]);
            weights::weights(series, start + part.start..start + part.end, mode, of, *decay, out)?;
        }
        modes.push(ModeColumns { label, weight, wins: Wins::Outcomes(outcomes), ..ModeColumns::default() });
    }
    Ok(modes)
}

/// The labels of any specification.
pub(crate) struct Any {
    specification: Arc<Specification>,
    profile: Profile,
    chunk_rows: usize,
    labeller: Labeller,
    /// Those of the chunk.
    trades: Vec<Trades>,
    /// Those of the session, as far as weights and uniqueness need them.
    session: Vec<Trades>,
    columns: Vec<ModeColumns>,
}

impl Any {
    fn new(
        specification: &Arc<Specification>,
        (profile, gap_ticks): (Profile, i32),
        chunk_rows: usize,
        rows: usize,
    ) -> Self {
        let column = |output: Output| if specification.has(output) { rows } else { 0 };
        let columns = ModeColumns {
            label: vec![0; column(Output::Label)],
            weight: vec![0.0; column(Output::Weight)],
            exit: vec![0; column(Output::Exit)],
            seconds: vec![0; column(Output::Seconds)],
            mae: vec![0; column(Output::Mae)],
            mfe: vec![0; column(Output::Mfe)],
            moved: vec![0; column(Output::Move)],
            uniqueness: vec![0.0; column(Output::Uniqueness)],
            ..ModeColumns::default()
        };
        let modes = specification.modes().len();
        Self {
            specification: Arc::clone(specification),
            profile,
            chunk_rows,
            labeller: Labeller::new(specification, profile, gap_ticks, chunk_rows),
            trades: vec![Trades::default(); modes],
            session: vec![Trades::default(); modes],
            columns: vec![columns; modes],
        }
    }

    fn take(&mut self, series: &Series<'_>, of_series: Range<usize>, chunk: Range<usize>) -> Result<(), Error> {
        self.labeller.trades(series, of_series.clone(), &mut self.trades)?;
        for ((trades, session), columns) in self.trades.iter().zip(&mut self.session).zip(&mut self.columns) {
            if let Some(label) = columns.label.get_mut(chunk.clone()) {
                trades.labels(label)?;
            }
            if let Some(exit) = columns.exit.get_mut(chunk.clone()) {
                exit.copy_from_slice(&trades.exit);
            }
            if let Some(seconds) = columns.seconds.get_mut(chunk.clone()) {
                columns.saturated += trades.seconds(series, of_series.clone(), seconds)?;
            }
            let ticks =
                [(&trades.mae, &mut columns.mae), (&trades.mfe, &mut columns.mfe), (&trades.moved, &mut columns.moved)];
            for (ticks, column) in ticks {
                if let Some(column) = column.get_mut(chunk.clone()) {
                    columns.saturated += Trades::ticks(ticks, column)?;
                }
            }
            columns.trades += trades.held.iter().filter(|&&held| held > 0).count() as u64;
            session.append(trades);
        }
        Ok(())
    }

    fn finish(
        mut self,
        series: &Series<'_>,
        start: usize,
        decays: &[Decay],
        first: usize,
    ) -> Result<Vec<ModeColumns>, Error> {
        for (session, columns) in self.session.iter().zip(&mut self.columns) {
            if !columns.weight.is_empty() {
                for (decay, part) in decays {
                    let rows = start + part.start..start + part.end;
                    session.weights(part.clone(), series, rows, *decay, &mut columns.weight[part.clone()])?;
                }
            }
            let wins = session.exit.iter().enumerate().filter(|(_, exit)| **exit == Exit::Target as i8);
            let mae = |row: usize| session.mae.get(row).copied().unwrap_or_default();
            columns.wins = Wins::Trades(wins.map(|(row, _)| (first + row, mae(row), session.held[row])).collect());
        }
        if self.specification.has(Output::Uniqueness) {
            self.set_uniqueness(series, start)?;
        }
        Ok(self.columns)
    }

    /// Trades of a horizon before and after the session may be open beside its own, where nights are no end (profile
    /// `rolling`).
    fn set_uniqueness(&mut self, series: &Series<'_>, start: usize) -> Result<(), Error> {
        let rows = self.session.first().map_or(0, Trades::len);
        let beside = match self.profile {
            Profile::Session => 0,
            Profile::Rolling => self.specification.horizon(),
        };
        let all = start.saturating_sub(beside)..series.len().min(start + rows + beside);
        let mut held = vec![Vec::with_capacity(all.len()); self.session.len()];
        for (part, own) in [(all.start..start, false), (start..start + rows, true), (start + rows..all.end, false)] {
            if own {
                held.iter_mut().zip(&self.session).for_each(|(held, trades)| held.extend(&trades.held));
                continue;
            }
            for from in part.clone().step_by(self.chunk_rows) {
                let chunk = from..part.end.min(from + self.chunk_rows);
                self.labeller.trades(series, chunk, &mut self.trades)?;
                held.iter_mut().zip(&self.trades).for_each(|(held, trades)| held.extend(&trades.held));
            }
        }
        let mut uniqueness = Uniqueness::new(all.len());
        let at = start - all.start..start - all.start + rows;
        for (held, columns) in held.iter().zip(&mut self.columns) {
            uniqueness.of(held, at.clone(), &mut columns.uniqueness)?;
        }
        Ok(())
    }
}
