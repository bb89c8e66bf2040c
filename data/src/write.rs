//! A month's grid to its row groups: sessions are computed and encoded in parallel and written in order.

use std::{
    collections::BTreeMap,
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use crate::{
    compute::{self, Computation, SessionColumns},
    grid::{Grid, Session},
    input::InputError,
    training_file::{TrainingFile, Value},
};

/// A month that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The records are more than a market's can be.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The kernels refuse rows that cleaning let pass.
    #[error("the rows cannot be computed")]
    Compute(kernels::Error),
    /// Encoding or writing failed.
    #[error("the Parquet cannot be written")]
    Parquet(#[from] parquet::errors::ParquetError),
}

/// Hears how long each piece of work took, from every thread.
pub trait Watch: Sync {
    /// One chunk was computed.
    fn chunk(&self, took: Duration);
    /// One session was computed.
    fn computed(&self, took: Duration);
    /// One session was encoded.
    fn encoded(&self, took: Duration);
}

/// A type of features in which a month can be written. Its function is compiled in this crate, with this crate's
/// optimisation, and not where it is called.
pub trait Precision: Value {
    /// Computes, encodes and appends every session of the grid on `threads` threads; returns the columns by session. The
    /// bytes do not depend on the number of threads.
    ///
    /// # Errors
    /// [`WriteError`] of the first session that fails.
    fn month(
        file: &mut TrainingFile,
        grid: &Grid,
        computation: &Computation,
        threads: usize,
        watch: &dyn Watch,
    ) -> Result<Vec<SessionColumns<Self>>, WriteError>;
}

macro_rules! precision {
    ($($float:ty),*) => {$(
        impl Precision for $float {
            fn month(
                file: &mut TrainingFile,
                grid: &Grid,
                computation: &Computation,
                threads: usize,
                watch: &dyn Watch,
            ) -> Result<Vec<SessionColumns<Self>>, WriteError> {
                month(file, grid, computation, threads, watch)
            }
        }
    )*};
}
precision!(f32, f64);

fn month<F: Value>(
    file: &mut TrainingFile,
    grid: &Grid,
    computation: &Computation,
    threads: usize,
    watch: &dyn Watch,
) -> Result<Vec<SessionColumns<F>>, WriteError> {
    let encoder = file.encoder();
    let one = |number: usize| {
        let begin = Instant::now();
        let columns = compute::session::<F>(grid, number, computation, &|took| watch.chunk(took))
            .map_err(|error| refused(error, grid))?;
        let computed = Instant::now();
        watch.computed(computed - begin);
        let encoded = encoder.encode(grid, number, columns)?;
        watch.encoded(computed.elapsed());
        Ok::<_, WriteError>(encoded)
    };
    let (next, sessions) = (AtomicUsize::new(0), grid.sessions.len());
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..threads.clamp(1, sessions.max(1)) {
            let (sender, next, one) = (sender.clone(), &next, &one);
            scope.spawn(move || {
                // In order, so that the writer seldom waits.
                while let Some(number) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|&number| number < sessions)
                {
                    // Nobody listens after an error.
                    if sender.send((number, one(number))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let (mut columns, mut early) = (Vec::with_capacity(sessions), BTreeMap::new());
        for (number, result) in receiver {
            early.insert(number, result);
            while let Some(result) = early.remove(&columns.len()) {
                let (row_group, session) = result?;
                file.append(row_group)?;
                columns.push(session);
            }
        }
        Ok(columns)
    })
}

/// Prices and volumes can each be possible and their product not; what else the kernels refuse, cleaning has excluded.
fn refused(error: kernels::Error, grid: &Grid) -> WriteError {
    let high = |session: &Session| grid.high[session.rows.clone()].iter().max().copied().unwrap_or_default();
    // The series may be the whole month: the session that weighs most in it is to be looked at.
    let worst = grid.sessions.iter().max_by_key(|session| i128::from(high(session)) * i128::from(session.volume));
    match (error, worst) {
        (kernels::Error::Turnover, Some(session)) => InputError::Turnover {
            date: session.date,
            contract: session.contract.clone(),
            price_ticks: high(session),
            volume: session.volume,
        }
        .into(),
        (error, _) => WriteError::Compute(error),
    }
}
