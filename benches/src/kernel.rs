//! A kernel as a benchmark takes it: something to run, and a check of what it left behind.

use std::ops::Range;

/// Rows of one call, as `harness` computes them.
pub const CHUNK: usize = 4096;

/// Chunks of a session.
pub fn chunks(rows: usize) -> impl Iterator<Item = Range<usize>> {
    (0..rows).step_by(CHUNK).map(move |start| start..rows.min(start + CHUNK))
}

/// One benchmark over the rows of a tape.
pub struct Kernel {
    /// What is computed.
    pub name: String,
    /// Bytes a row of the columns it reads and of those it writes.
    pub bytes: [usize; 2],
    work: Box<dyn Work>,
}

trait Work {
    fn run(&mut self);
    fn check(&self);
}

struct Parts<S, R, C> {
    state: S,
    run: R,
    check: C,
}

impl<S, R: FnMut(&mut S), C: Fn(&S)> Work for Parts<S, R, C> {
    fn run(&mut self) {
        (self.run)(&mut self.state);
    }

    fn check(&self) {
        (self.check)(&self.state);
    }
}

impl Kernel {
    /// A kernel that `run`s on `state`, which `check` then looks at.
    pub fn new<S: 'static>(
        name: impl Into<String>,
        bytes: [usize; 2],
        state: S,
        run: impl FnMut(&mut S) + 'static,
        check: impl Fn(&S) + 'static,
    ) -> Self {
        Self { name: name.into(), bytes, work: Box::new(Parts { state, run, check }) }
    }

    /// Computes its rows.
    pub fn run(&mut self) {
        self.work.run();
    }

    /// Runs it and compares the result with the reference or the definition.
    ///
    /// # Panics
    /// When a value is wrong.
    pub fn check(&mut self) {
        self.work.run();
        self.work.check();
    }
}
