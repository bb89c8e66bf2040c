//! Input files to columns, in bytes of text or in records a second. Each is first read and compared with the DBN of its month.
#![allow(missing_docs)]

use benches::input::{Files, Size};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn read(criterion: &mut Criterion) {
    let files = Files::new();
    let mut group = criterion.benchmark_group("input");
    group.sample_size(10);
    for file in files.all() {
        group.throughput(match file.size {
            Size::Text(bytes) => Throughput::Bytes(bytes),
            Size::Records(records) => Throughput::Elements(records),
        });
        group.bench_function(file.name, |bencher| bencher.iter(|| file.run()));
    }
}

criterion_group!(all, read);
criterion_main!(all);
