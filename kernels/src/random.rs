//! Tapes for the tests: random walks from a small generator of our own.

use crate::{Columns, Series};

/// Owned columns of a series.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tape {
    pub(crate) open: Vec<i32>,
    pub(crate) high: Vec<i32>,
    pub(crate) low: Vec<i32>,
    pub(crate) close: Vec<i32>,
    pub(crate) volume: Vec<u32>,
    pub(crate) second: Vec<u32>,
}

impl Tape {
    /// A walk of steps up to `step` ticks, with still stretches, volume 0 and now and then a jump.
    pub(crate) fn walk(seed: u64, rows: usize, step: i32) -> Self {
        let mut state = seed;
        // Knuth's MMIX generator; the upper bits are the good ones.
        let mut below = |n: i32| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 33) % n as u64) as i32
        };
        let mut tape = Self::default();
        let mut price = 20_000;
        for row in 0..rows {
            if below(400) == 0 {
                price += below(2 * 20 * step + 1) - 20 * step;
            }
            let still = (row / 500) % 3 == 1 || below(8) == 0;
            let reach = if still { 0 } else { step };
            let open = price + below(reach + 1) - below(reach + 1);
            let close = open + below(reach + 1) - below(reach + 1);
            let high = open.max(close) + below(reach + 1);
            let low = open.min(close) - below(reach + 1);
            price = close;
            tape.push([open, high, low, close], if still { 0 } else { below(500) as u32 });
        }
        tape
    }

    /// One more second, from 08:30 on.
    pub(crate) fn push(&mut self, [open, high, low, close]: [i32; 4], volume: u32) {
        self.second.push(30_600 + self.open.len() as u32);
        self.open.push(open);
        self.high.push(high);
        self.low.push(low);
        self.close.push(close);
        self.volume.push(volume);
    }

    pub(crate) fn series(&self) -> Series<'_> {
        let Self { open, high, low, close, volume, second } = self;
        Series::new(Columns { open, high, low, close, volume, second }).unwrap()
    }

    /// The same as the scalar reference reads it.
    pub(crate) fn columns(&self) -> proptests::Tape {
        let mut tape = proptests::Tape::default();
        for row in 0..self.open.len() {
            let prices = [&self.open, &self.high, &self.low, &self.close].map(|column| column[row].into());
            tape.push(prices, self.volume[row].into(), self.second[row]);
        }
        tape
    }
}
