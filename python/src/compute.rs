//! Labels and features of bars, session by session on several threads. The bits do not depend on how many.

use std::{
    ops::Range,
    panic,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use arrow_array::{ArrayRef, Float32Array, Int8Array, Int16Array};
use arrow_buffer::{ArrowNativeType, Buffer, ScalarBuffer};
use arrow_schema::DataType;
use data::{
    Month,
    compute::{self, Computation, ModeColumns},
    training_file::{Value, type_of},
};
use kernels::{
    Profile, Tick,
    features::{Carry, FLAG_NAMES, FLAGS, FLOAT_NAMES, FLOATS, Features},
    labels::{Output, Specification},
};

use crate::{
    bars::{Bars, Part},
    wrong::Wrong,
};

/// Rows of one call of a kernel, as in the program: changes nothing in the output.
const CHUNK_ROWS: usize = 4096;

/// How columns are computed.
pub struct How {
    /// What windows do at a session's edge.
    pub profile: Profile,
    /// Price increment.
    pub tick: Tick,
    /// Largest change of close, in ticks, that is not a gap.
    pub gap_ticks: i32,
    /// Month that weights decay to; the last one of the bars where it is not set.
    pub decay_reference: Option<Month>,
    /// How many threads; as many as there are processors where it is not set.
    pub threads: Option<usize>,
}

/// The columns of the labels, as a training file has them.
///
/// # Errors
/// A row that is no bar.
pub fn labels(bars: &Bars, labels: &Arc<Specification>, how: &How) -> Result<Vec<(String, ArrayRef)>, Wrong> {
    let Some(last) = bars.last_month() else { return Ok(Block::new(labels, 0).columns(labels, 0)) };
    let reference = how.decay_reference.unwrap_or(last);
    let computation = Computation {
        profile: how.profile,
        tick: how.tick,
        gap_ticks: how.gap_ticks,
        labels: Arc::clone(labels),
        decay_reference: reference,
        chunk_rows: CHUNK_ROWS,
    };
    let rows = bars.rows();
    let mut block = Block::new(labels, rows);
    let lengths: Vec<usize> = bars.sessions.iter().map(|session| session.rows.len()).collect();
    let slices = transposed(block.cut(labels, rows, &lengths), lengths.len());
    let per_mode = labels.outputs().len();
    each(bars, how, slices, |part, session, slices| {
        let session = &bars.sessions[session];
        let decays = compute::decays(session.first_second, session.rows.len(), session.month, reference);
        let modes = compute::labels(&part.series, part.rows.clone(), &computation, &decays)?;
        for (mode, slices) in modes.iter().zip(slices.chunks_mut(per_mode)) {
            for (slice, &output) in slices.iter_mut().zip(labels.outputs()) {
                slice.fill(mode, output);
            }
        }
        Ok(())
    })?;
    Ok(block.columns(labels, rows))
}

/// The columns of the features, as a training file has them.
///
/// # Errors
/// A row that is no bar.
pub fn features<F: Value>(bars: &Bars, how: &How) -> Result<Vec<(String, ArrayRef)>, Wrong> {
    let rows = bars.rows();
    let lengths: Vec<usize> = bars.sessions.iter().map(|session| session.rows.len()).collect();
    // All columns in one block, and not a block a column: only a large one can lie on huge pages.
    let (mut values, mut flags) = (vec![F::default(); FLOATS * rows], vec![0_i8; FLAGS * rows]);
    let floats =
        transposed(columns(&mut values, rows, FLOATS).map(|column| cut(column, &lengths)).collect(), lengths.len());
    let bits =
        transposed(columns(&mut flags, rows, FLAGS).map(|column| cut(column, &lengths)).collect(), lengths.len());
    each(bars, how, floats.into_iter().zip(bits).collect(), |part, _, (values, flags)| {
        let chunk = CHUNK_ROWS.clamp(1, part.rows.len().max(1));
        let mut features = Features::new(how.profile, how.tick, chunk);
        let mut carry = Carry::at(&part.series, part.rows.start);
        for start in part.rows.clone().step_by(chunk) {
            let rows = start..part.rows.end.min(start + chunk);
            let values = take::<_, FLOATS>(values, rows.len());
            let flags = take::<_, FLAGS>(flags, rows.len());
            features.compute(&part.series, rows, &mut carry, values, flags)?;
        }
        Ok(())
    })?;
    let (values, flags) = (F::buffer(values), Buffer::from_vec(flags));
    let floats = (0..FLOATS).map(|column| F::column(&values, column * rows, rows));
    let bits = (0..FLAGS).map(|column| {
        Arc::new(Int8Array::new(ScalarBuffer::new(flags.clone(), column * rows, rows), None)) as ArrayRef
    });
    let names = FLOAT_NAMES.iter().chain(&FLAG_NAMES).map(|name| (*name).to_owned());
    Ok(names.zip(floats.chain(bits)).collect())
}

/// Does the work of each session with its slices of the output, the earliest sessions first.
fn each<S: Send>(
    bars: &Bars,
    how: &How,
    slices: Vec<S>,
    work: impl Fn(&Part<'_>, usize, &mut S) -> Result<(), kernels::Error> + Sync,
) -> Result<(), Wrong> {
    let breaks = bars.breaks();
    let parts = bars.parts(how.profile, &breaks)?;
    let queue = Mutex::new(parts.into_iter().zip(slices).enumerate());
    let failed: Mutex<Option<(usize, kernels::Error)>> = Mutex::new(None);
    let worker = || {
        loop {
            let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((session, (part, mut slices))) = next else { return };
            if let Err(error) = work(&part, session, &mut slices) {
                let mut first = failed.lock().unwrap_or_else(PoisonError::into_inner);
                if first.as_ref().is_none_or(|(other, _)| session < *other) {
                    *first = Some((session, error));
                }
            }
        }
    };
    let all = how.threads.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from));
    match all.min(bars.sessions.len()) {
        0 | 1 => worker(),
        threads => thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(worker)).collect();
            worker();
            for other in others {
                if let Err(panicked) = other.join() {
                    panic::resume_unwind(panicked);
                }
            }
        }),
    }
    match failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some((session, error)) => {
            Err(Wrong::whole(format!("session of row {}: {error}", bars.sessions[session].rows.start)))
        }
        None => Ok(()),
    }
}

/// A column cut into the rows of each session.
fn cut<'a, T>(mut column: &'a mut [T], lengths: &[usize]) -> Vec<&'a mut [T]> {
    let mut cut = Vec::with_capacity(lengths.len());
    for &length in lengths {
        let (head, rest) = column.split_at_mut(length);
        cut.push(head);
        column = rest;
    }
    cut
}

/// By session what is given by column.
fn transposed<T>(columns: Vec<Vec<T>>, sessions: usize) -> Vec<Vec<T>> {
    let mut by_session: Vec<Vec<T>> = (0..sessions).map(|_| Vec::with_capacity(columns.len())).collect();
    for column in columns {
        for (session, slice) in by_session.iter_mut().zip(column) {
            session.push(slice);
        }
    }
    by_session
}

/// The next `rows` rows of each slice, which moves on behind them.
fn take<'a, T, const N: usize>(slices: &mut [&'a mut [T]], rows: usize) -> [&'a mut [T]; N] {
    let mut slices = slices.iter_mut();
    [(); N].map(|()| slices.next().and_then(|slice| slice.split_off_mut(..rows)).unwrap_or_default())
}

/// The columns of a block of `count` of them.
fn columns<T>(block: &mut [T], rows: usize, count: usize) -> impl Iterator<Item = &mut [T]> {
    cut(block, &vec![rows; count]).into_iter()
}

/// The columns of the labels: those of a type one after the other.
struct Block {
    bytes: Vec<i8>,
    floats: Vec<f32>,
    numbers: Vec<i16>,
}

/// A session's rows of a column.
enum Slice<'a> {
    Bytes(&'a mut [i8]),
    Floats(&'a mut [f32]),
    Numbers(&'a mut [i16]),
}

/// The outputs in the order of the columns.
fn outputs(labels: &Specification) -> impl Iterator<Item = Output> + '_ {
    labels.modes().iter().flat_map(|_| labels.outputs().iter().copied())
}

impl Block {
    fn new(labels: &Specification, rows: usize) -> Self {
        let of = |wanted: DataType| rows * outputs(labels).filter(|&output| type_of(output) == wanted).count();
        let (bytes, floats) = (vec![0; of(DataType::Int8)], vec![0.0; of(DataType::Float32)]);
        Self { bytes, floats, numbers: vec![0; of(DataType::Int16)] }
    }

    /// By column, and in it by session.
    fn cut(&mut self, labels: &Specification, rows: usize, lengths: &[usize]) -> Vec<Vec<Slice<'_>>> {
        let count = outputs(labels).count();
        let [mut bytes, mut floats, mut numbers] = [0; 3];
        outputs(labels).for_each(|output| match type_of(output) {
            DataType::Int8 => bytes += 1,
            DataType::Float32 => floats += 1,
            _ => numbers += 1,
        });
        let mut bytes = columns(&mut self.bytes, rows, bytes);
        let mut floats = columns(&mut self.floats, rows, floats);
        let mut numbers = columns(&mut self.numbers, rows, numbers);
        let mut by_column = Vec::with_capacity(count);
        for output in outputs(labels) {
            by_column.push(match type_of(output) {
                DataType::Int8 => {
                    cut(bytes.next().unwrap_or_default(), lengths).into_iter().map(Slice::Bytes).collect()
                }
                DataType::Float32 => {
                    cut(floats.next().unwrap_or_default(), lengths).into_iter().map(Slice::Floats).collect()
                }
                _ => cut(numbers.next().unwrap_or_default(), lengths).into_iter().map(Slice::Numbers).collect(),
            });
        }
        by_column
    }

    fn columns(self, labels: &Specification, rows: usize) -> Vec<(String, ArrayRef)> {
        let (bytes, floats) = (Buffer::from_vec(self.bytes), Buffer::from_vec(self.floats));
        let numbers = Buffer::from_vec(self.numbers);
        let mut next = [0; 3];
        let mut first = |of_type: usize| {
            next[of_type] += 1;
            (next[of_type] - 1) * rows
        };
        let arrays = outputs(labels).map(|output| -> ArrayRef {
            match type_of(output) {
                DataType::Int8 => Arc::new(Int8Array::new(ScalarBuffer::new(bytes.clone(), first(0), rows), None)),
                DataType::Float32 => {
                    Arc::new(Float32Array::new(ScalarBuffer::new(floats.clone(), first(1), rows), None))
                }
                _ => Arc::new(Int16Array::new(ScalarBuffer::new(numbers.clone(), first(2), rows), None)),
            }
        });
        labels.columns().zip(arrays).collect()
    }
}

impl Slice<'_> {
    fn fill(&mut self, mode: &ModeColumns, output: Output) {
        match (self, output) {
            (Self::Bytes(slice), Output::Label) => copy(slice, &mode.label),
            (Self::Bytes(slice), Output::Exit) => copy(slice, &mode.exit),
            (Self::Floats(slice), Output::Weight) => copy(slice, &mode.weight),
            (Self::Floats(slice), Output::Uniqueness) => copy(slice, &mode.uniqueness),
            (Self::Numbers(slice), Output::Seconds) => copy(slice, &mode.seconds),
            (Self::Numbers(slice), Output::Mae) => copy(slice, &mode.mae),
            (Self::Numbers(slice), Output::Mfe) => copy(slice, &mode.mfe),
            (Self::Numbers(slice), Output::Move) => copy(slice, &mode.moved),
            // A column is made for the type of its output.
            _ => {}
        }
    }
}

fn copy<T: ArrowNativeType>(to: &mut [T], from: &[T]) {
    to.copy_from_slice(from);
}

/// Which rows of the input each session has, and the UTC second it begins at.
pub fn sessions(bars: &Bars) -> Vec<(i64, Range<usize>)> {
    bars.sessions.iter().map(|session| (session.first_second, session.rows.clone())).collect()
}
