//! Counts and moments of a training file's columns, taken session by session: what the statistics are compared with.

use super::table::Rows;

/// Finite values of one column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    /// How many.
    pub count: u64,
    /// Smallest.
    pub min: f64,
    /// Largest.
    pub max: f64,
    /// Mean; 0 without values.
    pub mean: f64,
    /// Sum of the squared distances from the mean.
    squares: f64,
}

/// One mode.
#[derive(Clone, Debug)]
pub struct Mode {
    /// Labels 1.
    pub wins: u64,
    /// Its weights.
    pub weights: Moments,
}

/// One feature.
#[derive(Clone, Debug)]
pub struct Feature {
    /// NaNs.
    pub nans: u64,
    /// Infinite values.
    pub infinite: u64,
    /// The others.
    pub values: Moments,
}

/// All columns of some sessions.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Rows.
    pub rows: u64,
    /// Lowest low and highest high.
    extremes: Option<(f64, f64)>,
    /// By mode.
    pub modes: Vec<Mode>,
    /// By feature, flags included.
    pub features: Vec<Feature>,
}

impl Moments {
    fn of(values: impl Iterator<Item = f64> + Clone) -> Self {
        let mut moments = Self { count: 0, min: f64::INFINITY, max: f64::NEG_INFINITY, mean: 0.0, squares: 0.0 };
        for value in values.clone() {
            moments.count += 1;
            (moments.min, moments.max) = (moments.min.min(value), moments.max.max(value));
            moments.mean += value;
        }
        moments.mean /= moments.count.max(1) as f64;
        moments.squares = values.map(|value| (value - moments.mean) * (value - moments.mean)).sum();
        moments
    }

    /// Both together.
    fn and(self, other: Self) -> Self {
        let (a, b) = (self.count as f64, other.count as f64);
        let (count, way) = ((a + b).max(1.0), other.mean - self.mean);
        Self {
            count: self.count + other.count,
            min: self.min.min(other.min),
            max: self.max.max(other.max),
            mean: if a == 0.0 { other.mean } else { self.mean + way * b / count },
            squares: self.squares + other.squares + way * way * a * b / count,
        }
    }

    /// Sample standard deviation; `None` below two values.
    pub fn std(&self) -> Option<f64> {
        (self.count > 1).then(|| (self.squares / (self.count - 1) as f64).sqrt())
    }
}

impl Feature {
    fn of(values: impl Iterator<Item = f64> + Clone) -> Self {
        let count = |wanted: fn(&f64) -> bool| values.clone().filter(wanted).count() as u64;
        let (nans, infinite) = (count(|value| value.is_nan()), count(|value| value.is_infinite()));
        Self { nans, infinite, values: Moments::of(values.filter(|value| value.is_finite())) }
    }
}

impl Tally {
    /// One session.
    pub fn of(rows: &Rows) -> Self {
        let low = rows.bars.prices[2].iter().copied().reduce(f64::min);
        let high = rows.bars.prices[1].iter().copied().reduce(f64::max);
        let weights = |mode: usize| rows.modes[mode].weight.iter().map(|&weight| f64::from(weight));
        let mode = |mode: usize| Mode {
            wins: rows.modes[mode].label.iter().filter(|&&label| label == 1).count() as u64,
            weights: Moments::of(weights(mode).filter(|weight| weight.is_finite())),
        };
        let numbers = rows.values.iter().map(|values| Feature::of(values.iter().copied()));
        let flags = rows.flags.iter().map(|flags| Feature::of(flags.iter().map(|&flag| flag.into())));
        Self {
            rows: rows.bars.time.len() as u64,
            extremes: low.zip(high),
            modes: (0..rows.modes.len()).map(mode).collect(),
            features: numbers.chain(flags).collect(),
        }
    }

    /// Both together.
    pub fn and(self, other: Self) -> Self {
        if self.rows == 0 {
            return other;
        }
        let extremes = match (self.extremes, other.extremes) {
            (Some((low, high)), Some((lower, higher))) => Some((low.min(lower), high.max(higher))),
            (one, another) => one.or(another),
        };
        let mode = |(a, b): (Mode, Mode)| Mode { wins: a.wins + b.wins, weights: a.weights.and(b.weights) };
        let feature = |(a, b): (Feature, Feature)| Feature {
            nans: a.nans + b.nans,
            infinite: a.infinite + b.infinite,
            values: a.values.and(b.values),
        };
        Self {
            rows: self.rows + other.rows,
            extremes,
            modes: self.modes.into_iter().zip(other.modes).map(mode).collect(),
            features: self.features.into_iter().zip(other.features).map(feature).collect(),
        }
    }

    /// Lowest low and highest high in points.
    pub fn prices(&self) -> Option<(f64, f64)> {
        self.extremes
    }
}
