//! Seeded randomness that gives the same numbers on every machine.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::Defect;
use crate::Month;

/// What a stream of random numbers is for; streams are independent, so one can change without moving the others.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stream {
    Level,
    Cycle,
    Market,
    Bars,
    Contracts,
    Calendar,
    Defects,
}

/// The random numbers of one stream of one month (or of any other `index`).
pub(super) fn stream(seed: u64, index: i32, stream: Stream) -> ChaCha8Rng {
    let index = u64::from(index.unsigned_abs());
    let mut rng = ChaCha8Rng::seed_from_u64(seed.wrapping_add(index.wrapping_mul(0x9E37_79B9_7F4A_7C15)));
    rng.set_stream(stream as u64);
    rng
}

/// The random numbers of one defect of a month: asking for another as well moves nothing, but for a rare collision.
pub(super) fn of_defect(seed: u64, month: Month, defect: Defect) -> ChaCha8Rng {
    stream(seed, month.index() * 64 + defect as i32, Stream::Defects)
}

/// The exponential, to about one part in a thousand within -3..3. Only products, so that no mathematics library decides about a
/// byte of the output.
pub(super) fn exp(x: f64) -> f64 {
    let mut y = (1.0 + x / 4096.0).max(0.0);
    for _ in 0..12 {
        y *= y;
    }
    y
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_near_the_exponential() {
        for i in -30..=30 {
            let x = f64::from(i) / 10.0;
            assert!((exp(x) / x.exp() - 1.0).abs() < 2e-3, "{x}");
        }
        assert!(exp(-50.0) < 1e-20);
    }
}
