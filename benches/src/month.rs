//! All computed columns of a month on two threads.

use kernels::Profile;

use crate::{
    session::Session,
    tape::{MARKETS, ROWS},
};

/// Sessions of the month.
const SESSIONS: u64 = 23;

/// 23 sessions of a usual market, 621,000 rows, with room for their columns.
pub struct Month {
    sessions: Vec<Session>,
}

impl Month {
    /// Sessions that differ.
    #[must_use]
    pub fn new() -> Self {
        let tape = |seed| &*Box::leak(Box::new(MARKETS[1].walk(seed)));
        Self { sessions: (1..=SESSIONS).map(|seed| Session::new(tape(seed), Profile::Session)).collect() }
    }

    /// Its rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.sessions.len() * ROWS
    }

    /// Computes all columns, each thread taking the next session.
    pub fn run(&mut self, threads: usize) {
        let next = std::sync::Mutex::new(self.sessions.iter_mut());
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    while let Some(session) = next.lock().ok().and_then(|mut next| next.next()) {
                        session.all();
                    }
                });
            }
        });
    }

    /// Asserts the columns of the first and the last session.
    ///
    /// # Panics
    /// When a value is wrong.
    pub fn check(&self) {
        for session in [0, self.sessions.len() - 1] {
            self.sessions[session].check_weights();
            self.sessions[session].check_features();
        }
    }
}

impl Default for Month {
    fn default() -> Self {
        Self::new()
    }
}
