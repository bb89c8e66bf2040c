//! Parquet and Arrow IPC files of bars: timestamp, open, high, low, close, volume and optionally symbol or instrument_id.

use std::{
    fs::File,
    io::{BufReader, Seek},
};

use arrow_array::{Array, RecordBatch, RecordBatchReader};
use arrow_schema::ArrowError;
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder},
    },
    errors::ParquetError,
    file::metadata::RowGroupMetaData,
};

use super::{
    InputError, Sink,
    batch::{self, Batch},
    guarded, guarded_footer, lengths,
    months::Months,
    table::Table,
};

/// What a batch of rows may fail with.
type Batches<'a> = dyn Iterator<Item = Result<RecordBatch, InputError>> + 'a;

pub(super) fn read_parquet(file: File, months: &mut Months<'_>, sink: &mut Sink<'_>) -> Result<(), InputError> {
    const FORMAT: &str = "Parquet";
    let pages = file.try_clone()?;
    // By Parquet's own types: 2 GiB is the most its text can come to in a batch, which those of Arrow may exceed.
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder = guarded_footer(FORMAT, || ParquetRecordBatchReaderBuilder::try_new_with_options(file, options))?;
    let columns = batch::find(builder.schema(), months)?;
    let named = columns.symbol.is_some_and(|symbol| {
        let name = builder.schema().field(symbol).name();
        let nulls = |group: &RowGroupMetaData| {
            let leaves = group.columns().iter().filter(|leaf| leaf.column_path().parts().first() == Some(name));
            leaves.filter_map(|leaf| leaf.statistics()?.null_count_opt()).sum::<u64>()
        };
        builder.metadata().row_groups().iter().any(|group| nulls(group) != group.num_rows().unsigned_abs())
    });
    let mask = ProjectionMask::roots(builder.parquet_schema(), columns.indices());
    lengths::check_parquet(builder.metadata(), pages, &mask)?;
    let reader = guarded(FORMAT, || builder.with_projection(mask).with_batch_size(1 << 16).build())?;
    let said = |error| match error {
        ArrowError::ParquetError(text) => ParquetError::General(text),
        other => other.into(),
    };
    read(FORMAT, &mut reader.map(|batch| Ok(batch.map_err(said)?)), named, months, sink)
}

/// Reads an Arrow IPC file.
pub(super) fn read_ipc(mut file: File, months: &mut Months<'_>, sink: &mut Sink<'_>) -> Result<(), InputError> {
    lengths::check_arrow(&mut file)?;
    read_arrow(file, arrow_ipc::reader::FileReader::try_new, months, sink)
}

/// Reads an Arrow IPC stream.
pub(super) fn read_ipc_stream(mut file: File, months: &mut Months<'_>, sink: &mut Sink<'_>) -> Result<(), InputError> {
    lengths::check_stream(&mut file)?;
    read_arrow(file, arrow_ipc::reader::StreamReader::try_new, months, sink)
}

/// Reads what `open` makes batches of, all columns or some; twice where there are symbols.
fn read_arrow<R: RecordBatchReader>(
    mut file: File,
    open: impl Fn(BufReader<File>, Option<Vec<usize>>) -> Result<R, ArrowError>,
    months: &mut Months<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), InputError> {
    const FORMAT: &str = "Arrow";
    let mut open = |columns| {
        file.rewind()?;
        let file = BufReader::new(file.try_clone()?);
        guarded(FORMAT, || open(file, columns))
    };
    let schema = open(None)?.schema();
    let mut named = false;
    if let Some(symbol) = batch::find(&schema, months)?.symbol {
        let mut symbols = open(Some(vec![symbol]))?;
        let some = |batch: RecordBatch| batch.column(0).logical_null_count() < batch.num_rows();
        named =
            guarded(FORMAT, || symbols.try_fold(false, |so_far, batch| Ok::<_, InputError>(so_far || some(batch?))))?;
    }
    read(FORMAT, &mut open(None)?.map(|batch| Ok(batch?)), named, months, sink)
}

/// `named` says whether any row has a symbol.
fn read(
    format: &'static str,
    batches: &mut Batches<'_>,
    named: bool,
    months: &mut Months<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), InputError> {
    let mut table = Table::new(months, named)?;
    while let Some(batch) = guarded(format, || batches.next().transpose())? {
        let batch = guarded(format, || Batch::new(&batch, months, named, &mut table.clock))?;
        for row in 0..batch.rows() {
            let bar = batch.bar(row, months.record)?;
            let (symbol, id) = batch.instrument(row);
            table.push(months, &bar, symbol, id, sink)?;
        }
    }
    table.check(months)
}
