//! The closes and wins of a month, thinned out for charts.

use std::{fs::File, path::Path};

use base::error::{Class, Context, Met};
use parquet::{
    basic::{LogicalType, TimeUnit, TimestampType},
    column::reader::get_typed_column_reader,
    data_type::{DataType, DoubleType, Int32Type, Int64Type},
    file::reader::{FileReader, RowGroupReader, SerializedFileReader},
};

use statistics::Statistics;

/// Points of all sessions together, about.
const POINTS: u64 = 1500;

/// Stretches of time that wins are counted in, of all sessions together, about.
const STRETCHES: u64 = 240;

/// One session.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SessionPrices {
    /// (row within the session, close), in order: the lowest and the highest of every bucket of rows.
    pub points: Vec<(u64, f64)>,
    /// Wins in stretches of equal length, in order.
    pub wins: Vec<Stretch>,
}

/// Rows in a row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stretch {
    /// The first, within the session.
    pub first: u64,
    /// How many.
    pub rows: u64,
    /// How many of them are labelled 1, by mode in the order of the columns.
    pub wins: Vec<u64>,
}

/// One entry a session, in order, from the Parquet file of the month. Rows of other months are passed over.
pub fn read(statistics: &Statistics, parquet: &Path) -> base::Result<Vec<SessionPrices>> {
    let sessions = &statistics.sessions;
    let total = statistics.rows().max(1);
    let mut thinned: Vec<Buckets> = sessions
        .iter()
        .map(|session| {
            let buckets = (POINTS / 2 * session.rows).div_ceil(total).max(1);
            let stretches = (STRETCHES * session.rows).div_ceil(total).max(1);
            Buckets::new(session.rows.div_ceil(buckets).max(1), session.rows.div_ceil(stretches).max(1))
        })
        .collect();
    let ends: Vec<(i64, i64)> =
        sessions.iter().map(|session| (session.open.as_second(), session.close.as_second())).collect();
    if ends.is_empty() {
        return Ok(Vec::new());
    }
    let mut current = 0;
    let mut visit = |second: i64, close: f64, won: &[bool]| {
        while current + 1 < ends.len() && second > ends[current].1 {
            current += 1;
        }
        let (first, last) = ends[current];
        if (first..=last).contains(&second) {
            let row = (second - first).unsigned_abs();
            thinned[current].count(row, won);
            if close.is_finite() {
                thinned[current].push(row, close);
            }
        }
    };
    scan(parquet, statistics, &mut visit).with_context(|| parquet.display().to_string())?;
    Ok(thinned.into_iter().map(Buckets::finish).collect())
}

/// Calls `visit` with the timestamp in seconds, the close and the labels of every row.
fn scan(path: &Path, statistics: &Statistics, visit: &mut impl FnMut(i64, f64, &[bool])) -> base::Result<()> {
    let reader = SerializedFileReader::new(File::open(path)?).met_as(Class::Published)?;
    let schema = reader.metadata().file_metadata().schema_descr_ptr();
    let column = |name: &str| {
        let position = schema.columns().iter().position(|column| column.name() == name);
        position.ok_or_else(|| unlike(format!("no column '{name}'")))
    };
    let (timestamp, close) = (column("timestamp")?, column("close")?);
    let a_second = match schema.column(timestamp).logical_type_ref() {
        Some(LogicalType::Timestamp(TimestampType { unit: TimeUnit::MICROS, .. })) => 1_000_000,
        _ => 1_000_000_000,
    };
    let specification = statistics.labels().specification;
    let labels = specification.modes().iter().map(|mode| column(&format!("label_{}", mode.name)));
    let labels = labels.collect::<base::Result<Vec<_>>>()?;
    for number in 0..reader.num_row_groups() {
        let group = reader.get_row_group(number).met_as(Class::Published)?;
        let times = values::<Int64Type>(group.as_ref(), timestamp)?;
        let closes = values::<DoubleType>(group.as_ref(), close)?;
        let labels = labels.iter().map(|&label| values::<Int32Type>(group.as_ref(), label));
        let labels = labels.collect::<base::Result<Vec<_>>>()?;
        let mut won = vec![false; labels.len()];
        for (row, (time, close)) in times.into_iter().zip(closes).enumerate() {
            for (won, labels) in won.iter_mut().zip(&labels) {
                *won = labels.get(row) == Some(&1);
            }
            visit(time.div_euclid(a_second), close, &won);
        }
    }
    Ok(())
}

/// A published file that is none of ours.
fn unlike(said: String) -> base::Error {
    base::Error::new(Class::Published, said)
}

fn values<T: DataType>(group: &dyn RowGroupReader, column: usize) -> base::Result<Vec<T::T>> {
    let rows = usize::try_from(group.metadata().num_rows()).met_as(Class::Published)?;
    let descriptor = group.metadata().column(column).column_descr();
    let (name, physical) = (descriptor.name(), descriptor.physical_type());
    if physical != T::get_physical_type() {
        return Err(unlike(format!("column '{name}' is {physical}")));
    }
    if descriptor.max_def_level() != 0 {
        return Err(unlike(format!("column '{name}' may have nulls")));
    }
    let mut reader = get_typed_column_reader::<T>(group.get_column_reader(column).met_as(Class::Published)?);
    let mut values = Vec::with_capacity(rows);
    while values.len() < rows {
        let (_, read, _) =
            reader.read_records(rows - values.len(), None, None, &mut values).met_as(Class::Published)?;
        if read == 0 {
            return Err(unlike(format!("column '{name}' ends early")));
        }
    }
    Ok(values)
}

/// Keeps the lowest and the highest value of every `rows` rows.
struct Buckets {
    rows: u64,
    bucket: u64,
    low: Option<(u64, f64)>,
    high: Option<(u64, f64)>,
    points: Vec<(u64, f64)>,
    stretch: u64,
    wins: Vec<Stretch>,
}

impl Buckets {
    fn new(rows: u64, stretch: u64) -> Self {
        Self { rows, bucket: 0, low: None, high: None, points: Vec::new(), stretch, wins: Vec::new() }
    }

    fn count(&mut self, row: u64, won: &[bool]) {
        let first = row - row % self.stretch;
        if self.wins.last().is_none_or(|last| last.first != first) {
            self.wins.push(Stretch { first, rows: 0, wins: vec![0; won.len()] });
        }
        if let Some(last) = self.wins.last_mut() {
            last.rows += 1;
            last.wins.iter_mut().zip(won).for_each(|(wins, &won)| *wins += u64::from(won));
        }
    }

    fn push(&mut self, row: u64, value: f64) {
        if row / self.rows != self.bucket {
            self.close();
            self.bucket = row / self.rows;
        }
        if self.low.is_none_or(|(_, low)| value < low) {
            self.low = Some((row, value));
        }
        if self.high.is_none_or(|(_, high)| value > high) {
            self.high = Some((row, value));
        }
    }

    fn close(&mut self) {
        if let (Some(low), Some(high)) = (self.low.take(), self.high.take()) {
            let (first, second) = if low.0 <= high.0 { (low, high) } else { (high, low) };
            self.points.push(first);
            if second != first {
                self.points.push(second);
            }
        }
    }

    fn finish(mut self) -> SessionPrices {
        self.close();
        SessionPrices { points: self.points, wins: self.wins }
    }
}

#[cfg(test)]
mod tests {
    use data::training_file::TrainingFile;
    use kernels::Tick;

    use super::*;
    use statistics::fixtures as tests;

    #[test]
    fn closes_come_from_the_training_file() {
        let (grid, statistics) = (tests::grid(), tests::statistics());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("month.parquet");
        let tick = Tick::from_nanos(250_000_000).unwrap();
        let mut file = TrainingFile::create::<f32>(&path, tick, &Default::default(), Default::default(), &[]).unwrap();
        for (number, mut columns) in tests::columns(&grid).into_iter().enumerate() {
            if number == 1 {
                columns.modes[2].label[3] = 1;
                columns.modes[2].label[7] = 1;
            }
            let (row_group, _) = file.encoder().encode(&grid, number, columns).unwrap();
            file.append(row_group).unwrap();
        }
        file.finish().unwrap();

        // So few rows that every one is kept.
        let points = |high: u64| (0..10).map(|row| (row, if row == high { 1601.25 } else { 1600.0 })).collect();
        let wins = |wins: &[u64]| {
            let stretch =
                |row: u64| Stretch { first: row, rows: 1, wins: vec![0, 0, u64::from(wins.contains(&row)), 0, 0, 0] };
            (0..10).map(stretch).collect::<Vec<_>>()
        };
        let session = |points, wins| SessionPrices { points, wins };
        let expected = [session(points(10), wins(&[])), session(points(5), wins(&[3, 7]))];
        assert_eq!(read(&statistics, &path).unwrap(), expected);

        // A file with another month before this one.
        let later = Statistics { sessions: statistics.sessions[1..].to_vec(), ..statistics.clone() };
        assert_eq!(read(&later, &path).unwrap(), expected[1..]);

        let error = read(&statistics, &folder.path().join("absent.parquet")).unwrap_err();
        assert!(error.to_string().contains("absent.parquet"), "{error:#}");
    }

    #[test]
    fn buckets_keep_both_extremes_in_order_of_time() {
        let mut buckets = Buckets::new(4, 4);
        for (row, value) in [5.0, 9.0, 2.0, 3.0, 1.0, 1.0, 1.0, 1.0, 4.0].into_iter().enumerate() {
            buckets.push(row as u64, value);
        }
        for row in 0..6 {
            buckets.count(row, &[row == 5, false, false, false, false, row > 2]);
        }
        let wins = [
            Stretch { first: 0, rows: 4, wins: vec![0, 0, 0, 0, 0, 1] },
            Stretch { first: 4, rows: 2, wins: vec![1, 0, 0, 0, 0, 2] },
        ];
        assert_eq!(buckets.wins, wins);
        assert_eq!(buckets.finish().points, [(1, 9.0), (2, 2.0), (4, 1.0), (8, 4.0)]);
    }
}
