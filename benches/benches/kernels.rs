//! Every kernel on every tape, time per row on one thread. Each first asserts its result.
#![allow(missing_docs)]

use benches::{kernels, labels, month::Month, tape::tapes};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

fn sessions(criterion: &mut Criterion) {
    for tape in tapes() {
        for mut kernel in kernels(tape).into_iter().chain(labels::kernels(tape)) {
            kernel.check();
            let mut group = criterion.benchmark_group(&kernel.name);
            group.throughput(Throughput::Elements(tape.series().len() as u64));
            group.bench_function(tape.name, |bencher| bencher.iter(|| kernel.run()));
        }
    }
}

fn month(criterion: &mut Criterion) {
    let mut month = Month::new();
    let mut group = criterion.benchmark_group("all columns, 621,000 rows");
    group.throughput(Throughput::Elements(month.rows() as u64));
    group.sample_size(10);
    for threads in [1, 2] {
        month.run(threads);
        month.check();
        group.bench_function(BenchmarkId::new("threads", threads), |bencher| bencher.iter(|| month.run(threads)));
    }
}

criterion_group!(all, sessions, month);
criterion_main!(all);
