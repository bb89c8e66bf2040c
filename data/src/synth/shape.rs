//! The shape of a trading day by Central time of day: volatility, activity and trade size.

/// Seconds of a day.
const DAY: usize = 86_400;

/// (hour of day, value) knots, joined by straight lines.
type Knots = &'static [(f64, f64)];

/// Volatility relative to the session's average.
const VOLATILITY: Knots = &[
    (0.0, 0.26),
    (2.0, 0.42),
    (3.0, 0.46),
    (5.0, 0.36),
    (7.0, 0.42),
    (7.5, 0.74),
    (7.7, 0.62),
    (8.48, 0.62),
    (8.5, 1.75),
    (8.8, 1.40),
    (9.5, 1.15),
    (10.5, 0.92),
    (11.5, 0.80),
    (12.5, 0.76),
    (13.5, 0.86),
    (14.5, 1.05),
    (15.0, 1.15),
    (15.02, 0.45),
    (16.0, 0.30),
    (17.0, 0.40),
    (18.0, 0.30),
    (21.0, 0.27),
    (24.0, 0.26),
];

/// Bursts of trading a second: a second has a record with probability 1 - exp(-rate).
const RATE: Knots = &[
    (0.0, 0.24),
    (2.0, 0.55),
    (3.0, 0.62),
    (5.0, 0.41),
    (7.0, 0.56),
    (7.5, 1.60),
    (7.7, 1.30),
    (8.48, 1.40),
    (8.5, 6.0),
    (8.8, 4.1),
    (9.5, 3.1),
    (10.5, 2.4),
    (11.5, 1.8),
    (12.5, 1.65),
    (13.5, 2.15),
    (14.5, 3.1),
    (15.0, 5.0),
    (15.02, 1.1),
    (16.0, 0.42),
    (17.0, 0.85),
    (18.0, 0.41),
    (21.0, 0.27),
    (24.0, 0.24),
];

/// Average number of contracts in a burst.
const SIZE: Knots = &[
    (0.0, 3.5),
    (2.0, 4.5),
    (7.0, 5.0),
    (7.5, 8.0),
    (8.48, 9.0),
    (8.5, 19.0),
    (11.5, 13.0),
    (14.5, 15.0),
    (15.0, 24.0),
    (15.02, 9.0),
    (16.0, 5.0),
    (17.0, 4.0),
    (24.0, 3.5),
];

/// The three shapes at one second of the day.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    pub volatility: f64,
    pub rate: f64,
    pub size: f64,
}

/// The three shapes, one value for each second of the day.
#[derive(Debug)]
pub(super) struct Shape(Vec<Moment>);

impl Shape {
    pub fn new() -> Self {
        let (volatility, rate, size) = (curve(VOLATILITY), curve(RATE), curve(SIZE));
        Self((0..DAY).map(|s| Moment { volatility: volatility[s], rate: rate[s], size: size[s] }).collect())
    }

    /// The shapes at a local time given in seconds, of any day.
    pub fn at(&self, local: i64) -> Moment {
        self.0[local.rem_euclid(DAY as i64) as usize]
    }
}

/// A value for each second of the day.
fn curve(knots: Knots) -> Vec<f64> {
    let mut values = Vec::with_capacity(DAY);
    for pair in knots.windows(2) {
        let ((from, a), (to, b)) = (pair[0], pair[1]);
        while values.len() < DAY && (values.len() as f64) < to * 3600.0 {
            let hour = values.len() as f64 / 3600.0;
            values.push(a + (b - a) * (hour - from) / (to - from));
        }
    }
    values
}
