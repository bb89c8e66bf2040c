//! is_eth, is_pre_open, is_rth_open, is_morning, is_lunch, is_afternoon, is_rth_close.

use super::FLAGS;
use crate::Error;
use crate::level::kernel;

const fn at(hour: u32, minute: u32) -> u32 {
    (hour * 60 + minute) * 60
}

/// Seconds of the day at which a stretch of the day starts; the last one ends with the session.
const STARTS: [u32; 7] = [at(7, 30), at(8, 30), at(9, 15), at(11, 0), at(13, 0), at(14, 30), at(15, 0)];

/// One flag per stretch of the Central day, exactly one of them 1, from the exchange-local second of the day of each row.
/// Each slice has as many elements as `second`.
///
/// # Errors
/// [`Error::Rows`] when the slices differ in length.
pub fn flags(second: &[u32], out: [&mut [i8]; FLAGS]) -> Result<(), Error> {
    if let Some(flag) = out.iter().find(|flag| flag.len() != second.len()) {
        return Err(Error::Rows { rows: 0..flag.len(), len: second.len() });
    }
    set(second, out);
    Ok(())
}

kernel!(fn set['a]['a](second: &'a [u32], out: [&'a mut [i8]; FLAGS]) {
    let [eth, stretches @ ..] = out;
    let (open, close) = (STARTS[0], STARTS[6]);
    for (flag, &second) in eth.iter_mut().zip(second) {
        *flag = i8::from(second < open || second >= close);
    }
    for (column, bounds) in stretches.into_iter().zip(STARTS.windows(2)) {
        let (start, end) = (bounds[0], bounds[1]);
        for (flag, &second) in column.iter_mut().zip(second) {
            *flag = i8::from(start <= second && second < end);
        }
    }
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_border() {
        // 7:30, 8:30, 9:15, 11:00, 13:00, 14:30 and 15:00.
        let edges = [(27_000, 1), (30_600, 2), (33_300, 3), (39_600, 4), (46_800, 5), (52_200, 6)];
        let mut cases = vec![(0, 0), (86_399, 0), (54_000, 0), (53_999, 6)];
        for (second, stretch) in edges {
            cases.extend([(second, stretch), (second - 1, stretch - 1)]);
        }
        for (second, stretch) in cases {
            let mut out = [[7_i8]; 7];
            flags(&[second], out.each_mut().map(|column| &mut column[..])).unwrap();
            let expected: [[i8; 1]; 7] = std::array::from_fn(|flag| [i8::from(flag == stretch)]);
            assert_eq!(out, expected, "second {second}");
        }
    }
}
