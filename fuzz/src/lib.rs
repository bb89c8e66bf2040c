//! What each fuzz target does with its bytes. A target passes when it comes back: a wrong number panics here, a wrong
//! error there.
//!
//! `fuzz_targets/` gives these to libFuzzer, `tests/seeds.rs` runs them over the seeds.

mod documents;
mod input;
mod kernels;
pub mod seeds;
mod state;

pub use self::{
    documents::{configuration, environment, job, manifest, statistics, symbol, table},
    input::{bars, column_file, csv, dbn, mapping},
    kernels::kernels,
    state::state,
};
