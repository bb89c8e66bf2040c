//! Tapes the benchmarks run on.
#![deny(missing_docs)]

/// One session of 27,000 rows: name and rows as the reference holds them.
pub struct Market {
    /// `calm`, `normal` or `violent`.
    pub name: &'static str,
    /// The rows.
    pub tape: proptests::Tape,
}

/// Rows of a session.
pub const ROWS: usize = 27_000;

/// The three markets: a tick now and then, the moves of a usual day, and those of a crash.
#[must_use]
pub fn markets() -> [Market; 3] {
    [("calm", 1, 1), ("normal", 2, 3), ("violent", 12, 25)]
        .map(|(name, step, span)| Market { name, tape: tape(step, span) })
}

/// A random walk with one quiet second in eight.
fn tape(step: i64, span: i64) -> proptests::Tape {
    let mut state = 1_u64;
    let mut below = |limit: i64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 33) as i64) % limit
    };
    let mut tape = proptests::Tape::default();
    let mut price = 20_000;
    for second in 27_000..27_000 + ROWS as u32 {
        if below(8) == 0 {
            tape.push([price; 4], 0, second);
            continue;
        }
        let open = price + below(2 * step + 1) - step;
        let close = open + below(2 * span + 1) - span;
        let (high, low) = (open.max(close) + below(span + 1), open.min(close) - below(span + 1));
        tape.push([open, high, low, close], 1 + below(400), second);
        price = close;
    }
    tape
}
