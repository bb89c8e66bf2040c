//! Exact figures of one column.
//!
//! Percentile, everywhere in the statistics: nearest rank. The p-th percentile of n values is the ceil(p*n/100)-th
//! smallest of them (the smallest for p = 0), so it is always one of the values.

/// Buckets of [`Column::percentiles`]: enough that few of a column's values share one, few enough for the cache.
const BUCKETS: usize = 1 << 15;

/// Values looked over at once for those of a bucket that is wanted.
const NOTED: usize = 1 << 10;

/// Partial sums, so that additions need not wait for each other. Their number is part of the result's last bits.
const LANES: usize = 8;

/// Values that are looked at together for one that is not finite.
const BLOCK: usize = 1 << 8;

/// The finite values of a column, and how many others there were.
#[derive(Clone, Debug, Default)]
pub struct Column<F> {
    values: Vec<F>,
    nans: usize,
    infinities: usize,
}

/// Mean, spread and ends of a column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Arithmetic mean.
    pub mean: f64,
    /// Sample standard deviation; `None` for a single value.
    pub std: Option<f64>,
}

impl<F: Copy + PartialOrd + Into<f64>> Column<F> {
    /// A column that comes in parts, in order.
    pub fn new<'a>(parts: impl Iterator<Item = &'a [F]> + Clone) -> Self
    where
        F: 'a,
    {
        let rows = parts.clone().map(<[F]>::len).sum();
        let (mut values, mut nans) = (Vec::with_capacity(rows), 0);
        let finite = |value: F| value.into().is_finite();
        for block in parts.flat_map(|part| part.chunks(BLOCK)) {
            // Without an early end, so that whole vectors are compared; what is not finite stands together.
            if block.iter().fold(true, |all, &value| all & finite(value)) {
                values.extend_from_slice(block);
            } else {
                values.extend(block.iter().copied().filter(|&value| finite(value)));
                nans += block.iter().filter(|&&value| value.into().is_nan()).count();
            }
        }
        let infinities = rows - values.len() - nans;
        Self { values, nans, infinities }
    }

    /// Finite values.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Values that are NaN.
    pub fn nans(&self) -> usize {
        self.nans
    }

    /// Values that are infinite.
    pub fn infinities(&self) -> usize {
        self.infinities
    }

    /// Mean, spread and ends; `None` without a finite value.
    pub fn moments(&self) -> Option<Moments> {
        let first = *self.values.first()?;
        let count = self.values.len() as f64;
        // Without NaNs a plain comparison will do, and that is one instruction.
        let min = self.fold(first, |value| value, |a, b| if b < a { b } else { a }).into();
        let max = self.fold(first, |value| value, |a, b| if b > a { b } else { a }).into();
        // A mean lies between the ends; the rounding of the sum must not move it out.
        let mean = (self.fold(0.0, F::into, |a, b| a + b) / count).clamp(min, max);
        let squares = self.fold(0.0, |value| (value.into() - mean) * (value.into() - mean), |a, b| a + b);
        let std = (self.values.len() > 1).then(|| (squares / (count - 1.0)).sqrt());
        Some(Moments { min, max, mean, std })
    }

    /// The percentiles `wanted`, in its order; those of no value are the ends of `moments`.
    pub fn percentiles<const N: usize>(&self, moments: &Moments, wanted: [u32; N]) -> [f64; N] {
        let count = self.values.len();
        if count == 0 || moments.min >= moments.max {
            return [moments.min; N];
        }
        let ranks = wanted.map(|percent| rank(u64::from(percent), count as u64) as usize);
        // A flag. Zeros of both signs are more than two values.
        let [min, max] = [moments.min, moments.max].map(f64::to_bits);
        if self.values.iter().all(|&value| [min, max].contains(&value.into().to_bits())) {
            let smallest = self.values.iter().filter(|&&value| value.into().to_bits() == min).count();
            return ranks.map(|rank| if rank <= smallest { moments.min } else { moments.max });
        }
        let Some(buckets) = Buckets::new(moments) else {
            let mut sorted: Vec<f64> = self.values.iter().map(|&value| value.into()).collect();
            sorted.sort_unstable_by(f64::total_cmp);
            return ranks.map(|rank| sorted[rank - 1]);
        };
        let numbers: Vec<u16> = self.values.iter().map(|&value| buckets.number(value.into())).collect();
        // Neighbours are often equal: two tables, so that a count need not wait for the one before it.
        let mut counts = [vec![0_u32; BUCKETS], vec![0_u32; BUCKETS]];
        for pair in numbers.chunks(2) {
            for (counts, &number) in counts.iter_mut().zip(pair) {
                counts[usize::from(number)] += 1;
            }
        }
        let [counts, odd] = counts;
        let counts: Vec<u32> = counts.iter().zip(odd).map(|(even, odd)| even + odd).collect();
        let places = ranks.map(|rank| Place::find(&counts, rank));

        // The values of each bucket that holds a percentile, gathered in one more pass.
        let mut held = vec![u8::MAX; BUCKETS];
        let mut members: Vec<Members> = Vec::new();
        for place in places {
            if held[place.bucket] == u8::MAX {
                held[place.bucket] = members.len() as u8;
                members.push(Members::default());
            }
        }
        // Where a value counts depends on chance, a branch on it is as often wrong as right: places are noted without one.
        let mut noted = [0_u16; NOTED];
        for (numbers, values) in numbers.chunks(NOTED).zip(self.values.chunks(NOTED)) {
            let mut hits = 0;
            for (place, &number) in numbers.iter().enumerate() {
                noted[hits] = place as u16;
                hits += usize::from(held[usize::from(number)] != u8::MAX);
            }
            for &place in &noted[..hits] {
                let place = usize::from(place);
                members[usize::from(held[usize::from(numbers[place])])].push(values[place].into());
            }
        }
        places.map(|place| members[usize::from(held[place.bucket])].smallest(place.offset))
    }

    /// Finite values below `low` or above `high`.
    pub fn outside(&self, low: f64, high: f64) -> usize {
        self.values.iter().map(|&value| value.into()).map(|value: f64| usize::from(value < low || value > high)).sum()
    }

    /// Joins a term of each value, in an order that depends on nothing but their number.
    fn fold<T: Copy>(&self, start: T, term: impl Fn(F) -> T, join: impl Fn(T, T) -> T) -> T {
        let mut lanes = [start; LANES];
        let mut chunks = self.values.chunks_exact(LANES);
        for chunk in &mut chunks {
            for (lane, &value) in lanes.iter_mut().zip(chunk) {
                *lane = join(*lane, term(value));
            }
        }
        let rest = chunks.remainder().iter().map(|&value| term(value));
        lanes.into_iter().chain(rest).fold(start, join)
    }
}

/// Equal steps from a column's smallest value to its largest. A larger value never has a smaller bucket: subtraction,
/// multiplication and rounding all keep the order, that to single precision included.
struct Buckets {
    min: f32,
    scale: f32,
}

impl Buckets {
    /// `None` where the ends are too far apart or too close to divide.
    fn new(moments: &Moments) -> Option<Self> {
        let min = moments.min as f32;
        let range = moments.max as f32 - min;
        let scale = (BUCKETS - 1) as f32 / range;
        (range.is_finite() && scale.is_finite()).then_some(Self { min, scale })
    }

    fn number(&self, value: f64) -> u16 {
        /// Added to a small number, it leaves that number, rounded, in the lowest bits.
        const ROUND: f32 = (1_u32 << 23) as f32;
        ((value as f32 - self.min) * self.scale + ROUND).to_bits() as u16 % BUCKETS as u16
    }
}

/// The values of one bucket. Often they are one and the same.
#[derive(Default)]
struct Members {
    first: f64,
    equal: usize,
    others: Vec<f64>,
}

impl Members {
    fn push(&mut self, value: f64) {
        if self.equal == 0 {
            self.first = value;
        }
        if value == self.first {
            self.equal += 1;
        } else {
            self.others.push(value);
        }
    }

    /// The value with `offset` before it in order.
    fn smallest(&mut self, offset: usize) -> f64 {
        if self.others.is_empty() {
            return self.first;
        }
        self.others.extend(std::iter::repeat_n(self.first, std::mem::take(&mut self.equal)));
        *self.others.select_nth_unstable_by(offset, f64::total_cmp).1
    }
}

/// Where the value of a rank is: the `offset`-th smallest of its bucket, from 0.
#[derive(Clone, Copy)]
struct Place {
    bucket: usize,
    offset: usize,
}

impl Place {
    /// `rank` from 1, at most the sum of `counts`.
    fn find(counts: &[u32], rank: usize) -> Self {
        let mut offset = rank - 1;
        for (bucket, &count) in counts.iter().enumerate() {
            if offset < count as usize {
                return Self { bucket, offset };
            }
            offset -= count as usize;
        }
        Self { bucket: 0, offset: 0 }
    }
}

/// The rank of a percentile among `count` values, from 1.
pub fn rank(percent: u64, count: u64) -> u64 {
    (percent * count).div_ceil(100).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(values: &[f32]) -> Column<f32> {
        Column::new(values.chunks(3))
    }

    #[test]
    fn moments_by_hand() {
        let values = [2.0, 4.0, f32::NAN, 4.0, 4.0, f32::INFINITY, 5.0, 5.0, 7.0, 9.0, f32::NAN];
        let column = column(&values);
        assert_eq!((column.len(), column.nans(), column.infinities()), (8, 2, 1));
        let moments = column.moments().unwrap();
        assert_eq!((moments.min, moments.max, moments.mean), (2.0, 9.0, 5.0));
        // Squares 9+1+1+1+0+0+4+16 = 32 over n-1 = 7.
        assert!((moments.std.unwrap() - (32.0_f64 / 7.0).sqrt()).abs() < 1e-15);
    }

    #[test]
    fn without_values_there_are_no_moments_and_of_one_value_no_spread() {
        assert_eq!(column(&[f32::NAN; 4]).moments(), None);
        assert_eq!(column(&[]).moments(), None);
        let one = column(&[3.5]);
        let moments = one.moments().unwrap();
        assert_eq!(moments, Moments { min: 3.5, max: 3.5, mean: 3.5, std: None });
        assert_eq!(one.percentiles(&moments, [0, 50, 100]), [3.5; 3]);
    }

    #[test]
    fn a_constant_column_has_no_spread_whatever_the_rounding_of_its_sum() {
        let moments = column(&[0.1; 1001]).moments().unwrap();
        assert_eq!((moments.mean, moments.std), (f64::from(0.1_f32), Some(0.0)));
    }

    #[test]
    fn nearest_rank_by_hand() {
        let percentiles = |values: &[f32]| {
            let column = column(values);
            column.percentiles(&column.moments().unwrap(), [0, 5, 30, 40, 50, 100])
        };
        // The textbook example: ranks 1, 1, 2, 2, 3, 5 of 15 20 35 40 50.
        assert_eq!(percentiles(&[35.0, 20.0, 15.0, 50.0, 40.0]), [15.0, 15.0, 20.0, 20.0, 35.0, 50.0]);
        // Ranks 1, 1, 3, 4, 5, 10.
        assert_eq!(percentiles(&[3., 6., 7., 8., 8., 10., 13., 15., 16., 20.]), [3., 3., 7., 8., 8., 20.]);
    }

    #[test]
    fn percentiles_are_those_of_the_sorted_column() {
        // Most values in one bucket, a few far away, ties, both signs.
        let mut state = 7_u32;
        let values: Vec<f64> = (0..10_007)
            .map(|row| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let small = f64::from(state >> 20) / 4096.0 - 0.5;
                if row % 1000 == 999 { small * 1e9 } else { small }
            })
            .collect();
        let column = Column::new(values.chunks(100));
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        let wanted = [1, 25, 50, 75, 90, 95, 99];
        let found = column.percentiles(&column.moments().unwrap(), wanted);
        assert_eq!(found, wanted.map(|percent| sorted[(percent as usize * 10_007).div_ceil(100) - 1]));
    }

    #[test]
    fn percentiles_of_a_flag_count_its_smaller_value() {
        let values: Vec<f32> = (0..1000).map(|row| if row % 4 == 3 { 1.0 } else { 0.0 }).collect();
        let column = column(&values);
        let found = column.percentiles(&column.moments().unwrap(), [1, 50, 75, 76, 99]);
        assert_eq!(found, [0.0, 0.0, 0.0, 1.0, 1.0]);
    }

    #[test]
    fn outside_excludes_the_limits() {
        assert_eq!(column(&[-2.0, -1.0, 0.0, 3.0, 3.5]).outside(-1.0, 3.0), 2);
    }
}
