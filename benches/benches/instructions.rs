//! Instructions of every kernel over one session, counted by callgrind: `benches/instructions.sh` runs and compares.
#![allow(missing_docs)]

use benches::{kernel::Kernel, kernels, tape::MARKETS};
use gungraun::{LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};
use kernels::Level;

/// Everything the C library chooses its memcpy and memset by is switched off: counts then hold for any processor, at
/// most a few per cent above those of its best choice.
const PLAIN: &str =
    "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW,-AVX2,-AVX2_Usable,-AVX_Fast_Unaligned_Load,-ERMS,-FSRM";

/// All kernels over the usual market.
fn all() -> Vec<Kernel> {
    kernels(Box::leak(Box::new(MARKETS[1].walk(1))))
}

fn names() -> impl Iterator<Item = String> {
    all().into_iter().map(|kernel| kernel.name)
}

/// The kernel of that name, run once: its scratch space is filled, and no count contains the first touch.
fn prepare(name: String) -> Kernel {
    // Valgrind knows no AVX-512: the same level for every processor.
    Level::Avx2.force().expect("the baseline was counted with AVX2");
    let found = all().into_iter().find(|kernel| kernel.name == name);
    let mut kernel = found.unwrap_or_else(|| panic!("no kernel is called {name}"));
    kernel.run();
    kernel
}

#[library_benchmark]
#[benches::of(iter = names(), setup = prepare)]
fn session(mut kernel: Kernel) -> Kernel {
    kernel.run();
    kernel
}

library_benchmark_group!(name = kernels_group, benchmarks = session);
main!(
    config = LibraryBenchmarkConfig::default().env("GLIBC_TUNABLES", PLAIN);
    library_benchmark_groups = kernels_group
);
