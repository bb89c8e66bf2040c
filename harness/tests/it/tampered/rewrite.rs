//! A training file read whole, changed, and written again.
#![allow(dead_code)]

use std::{fs::File, path::Path, sync::Arc};

use arrow_array::{
    ArrayRef, Float32Array, Float64Array, Int8Array, Int64Array, PrimitiveArray, RecordBatch, TimestampNanosecondArray,
    types::ArrowPrimitiveType,
};
use arrow_schema::{DataType, Field, Schema};
use parquet::{
    arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder},
    file::{metadata::KeyValue, properties::WriterProperties},
};

enum Column {
    Time(Vec<Vec<i64>>),
    Float64(Vec<Vec<f64>>),
    Float32(Vec<Vec<f32>>),
    Int64(Vec<Vec<i64>>),
    Int8(Vec<Vec<i8>>),
}

/// All columns of a file, by row group.
pub struct Table {
    columns: Vec<(String, Column)>,
    metadata: Vec<KeyValue>,
}

/// Reads, changes and writes a file; how many rows it has then.
pub fn file(path: &Path, change: &dyn Fn(&mut Table)) -> u64 {
    let mut table = Table::read(path);
    change(&mut table);
    table.write(path)
}

fn groups<T: ArrowPrimitiveType>(batches: &[RecordBatch], column: usize) -> Vec<Vec<T::Native>> {
    let values = |batch: &RecordBatch| {
        batch.column(column).as_any().downcast_ref::<PrimitiveArray<T>>().unwrap().values().to_vec()
    };
    batches.iter().map(values).collect()
}

impl Table {
    fn read(path: &Path) -> Self {
        use arrow_array::types::{Float32Type, Float64Type, Int8Type, Int64Type, TimestampNanosecondType};
        let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
        let metadata = builder.metadata().file_metadata().key_value_metadata().cloned().unwrap();
        let metadata = metadata.into_iter().filter(|pair| pair.key.starts_with("harness.")).collect();
        let count = builder.metadata().num_row_groups();
        let batches: Vec<RecordBatch> = (0..count)
            .map(|group| {
                let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
                let mut reader = builder.with_row_groups(vec![group]).with_batch_size(100_000).build().unwrap();
                reader.next().unwrap().unwrap()
            })
            .collect();
        let column = |number: usize| match batches[0].column(number).data_type() {
            DataType::Float64 => Column::Float64(groups::<Float64Type>(&batches, number)),
            DataType::Float32 => Column::Float32(groups::<Float32Type>(&batches, number)),
            DataType::Int64 => Column::Int64(groups::<Int64Type>(&batches, number)),
            DataType::Int8 => Column::Int8(groups::<Int8Type>(&batches, number)),
            _ => Column::Time(groups::<TimestampNanosecondType>(&batches, number)),
        };
        let names = batches[0].schema().fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>();
        let columns = names.into_iter().enumerate().map(|(number, name)| (name, column(number))).collect();
        Self { columns, metadata }
    }

    fn write(&self, path: &Path) -> u64 {
        let array = |column: &Column, group: usize| -> ArrayRef {
            match column {
                Column::Time(values) => {
                    Arc::new(TimestampNanosecondArray::from(values[group].clone()).with_timezone("UTC"))
                }
                Column::Float64(values) => Arc::new(Float64Array::from(values[group].clone())),
                Column::Float32(values) => Arc::new(Float32Array::from(values[group].clone())),
                Column::Int64(values) => Arc::new(Int64Array::from(values[group].clone())),
                Column::Int8(values) => Arc::new(Int8Array::from(values[group].clone())),
            }
        };
        let field = |(name, column): &(String, Column)| Field::new(name, array(column, 0).data_type().clone(), false);
        let schema = Arc::new(Schema::new(self.columns.iter().map(field).collect::<Vec<_>>()));
        let properties = WriterProperties::builder().set_key_value_metadata(Some(self.metadata.clone())).build();
        let mut writer =
            ArrowWriter::try_new(File::create(path).unwrap(), Arc::clone(&schema), Some(properties)).unwrap();
        for group in 0..self.groups() {
            let arrays = self.columns.iter().map(|(_, column)| array(column, group)).collect();
            writer.write(&RecordBatch::try_new(Arc::clone(&schema), arrays).unwrap()).unwrap();
            writer.flush().unwrap();
        }
        u64::try_from(writer.close().unwrap().file_metadata().num_rows()).unwrap()
    }

    fn groups(&self) -> usize {
        let Column::Time(times) = &self.columns[0].1 else { panic!("no timestamps first") };
        times.len()
    }

    fn column(&mut self, name: &str) -> &mut Column {
        &mut self.columns.iter_mut().find(|(known, _)| known == name).unwrap().1
    }

    pub fn times(&mut self) -> &mut Vec<Vec<i64>> {
        let Column::Time(values) = self.column("timestamp") else { panic!("timestamp") };
        values
    }

    pub fn volumes(&mut self) -> &mut Vec<Vec<i64>> {
        let Column::Int64(values) = self.column("volume") else { panic!("volume") };
        values
    }

    pub fn labels(&mut self, name: &str) -> &mut Vec<Vec<i8>> {
        let Column::Int8(values) = self.column(name) else { panic!("{name}") };
        values
    }

    pub fn floats32(&mut self, name: &str) -> &mut Vec<Vec<f32>> {
        let Column::Float32(values) = self.column(name) else { panic!("{name}") };
        values
    }

    pub fn floats64(&mut self, name: &str) -> &mut Vec<Vec<f64>> {
        let Column::Float64(values) = self.column(name) else { panic!("{name}") };
        values
    }

    pub fn drop_row_group(&mut self, group: usize) {
        for (_, column) in &mut self.columns {
            match column {
                Column::Time(values) | Column::Int64(values) => drop(values.remove(group)),
                Column::Float64(values) => drop(values.remove(group)),
                Column::Float32(values) => drop(values.remove(group)),
                Column::Int8(values) => drop(values.remove(group)),
            }
        }
    }

    pub fn rename(&mut self, from: &str, to: &str) {
        self.columns.iter_mut().find(|(known, _)| known == from).unwrap().0 = to.to_owned();
    }

    pub fn metadata(&mut self, key: &str, value: &str) {
        self.metadata.iter_mut().find(|pair| pair.key == key).unwrap().value = Some(value.to_owned());
    }
}
