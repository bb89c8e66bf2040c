//! The publishing protocol of `harness`, one month of it, as a model for stateright: every order in which its steps can
//! happen is tried.
//!
//! A worker may stop before any step for as long as it likes, or for good; a request may arrive long after its sender has
//! given up, and its answer may be lost. Rights are left out: every worker acts as if it had the right, which is what a
//! pause or a clock that jumps comes to. So what holds here holds without them.
//!
//! What a model cannot show, that the program does what the model does, is for the simulation over the real code
//! (`harness/src/simulation.rs`).

mod job;
mod protocol;
mod store;

pub use job::Job;
pub use protocol::{Action, Guards, Protocol, State};
