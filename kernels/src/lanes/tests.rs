use super::*;
use crate::level::{Level, kernel};

/// The definition, and what processors without vectors of ours do.
fn expected(high: &[i16; ROWS], low: &[i16; ROWS], above: i16, below: i16) -> u64 {
    let bits = (0..ROWS).map(|row| u64::from(high[row] > above || low[row] < below) << row).sum();
    assert_eq!(Plain::outside(high, low, above, below), bits);
    bits
}

kernel!(avx512 fn outside['a]['a](columns: &'a [[i16; ROWS]; 2], limits: [i16; 2], word: &'a mut u64) {
    *word = L::outside(&columns[0], &columns[1], limits[0], limits[1]);
});

kernel!(avx512 fn columns['a]['a](rows: &'a Square, columns: &'a mut Square) {
    for (vector, column) in L::columns(rows).into_iter().zip(columns) {
        L::store(vector, column);
    }
});

kernel!(avx512 fn operations['a]['a](numbers: &'a [[i16; SIXTEEN]; 2], results: &'a mut [[i16; SIXTEEN]; 7]) {
    let [a, b] = [L::load(&numbers[0]), L::load(&numbers[1])];
    let of = [L::add(a, b), L::sub(a, b), L::min(a, b), L::greater(a, b), L::and(a, b), L::or(a, b), L::splat(7)];
    for (vector, result) in of.into_iter().zip(results) {
        L::store(vector, result);
    }
});

#[test]
fn columns_and_operations_at_every_level() {
    let _forcing = crate::level::tests::FORCING.lock();
    let rows: Square = std::array::from_fn(|row| std::array::from_fn(|column| (16 * row + column) as i16));
    let expected: Square = std::array::from_fn(|row| std::array::from_fn(|column| rows[column][row]));
    let a = [-7, i16::MIN, i16::MAX, 0, 5, 6, 7, 8, 5, 5, -1, 1, 2, 3, 4, i16::MAX - 1];
    let b = [7, i16::MAX, i16::MIN, 0, 6, 5, -7, 8, 1, 255, -1, i16::MIN, -2, 3, -4, i16::MAX];
    let both = |of: fn(i16, i16) -> i16| std::array::from_fn(|lane| of(a[lane], b[lane]));
    let results = [
        both(i16::wrapping_add),
        both(i16::wrapping_sub),
        both(i16::min),
        both(|a, b| if a > b { -1 } else { 0 }),
        both(|a, b| a & b),
        both(|a, b| a | b),
        [7; SIXTEEN],
    ];
    assert_eq!(Plain::columns(&rows), expected);
    assert_eq!([Plain::greater(a, b), Plain::sub(a, b)], [results[3], results[1]]);
    for level in Level::available() {
        level.force().unwrap();
        let (mut found, mut operated) = (rows, [[9; SIXTEEN]; 7]);
        columns(&rows, &mut found);
        operations(&[a, b], &mut operated);
        assert_eq!((found, operated), (expected, results), "{level}");
    }
}

kernel!(avx512 fn ordered['a]['a](numbers: &'a [[i8; BYTES]; 2], run: &'a mut [i8; BYTES]) {
    L::order(run, &numbers[0], &numbers[1]);
});

#[test]
fn order_of_bytes_at_every_level() {
    let _forcing = crate::level::tests::FORCING.lock();
    let numbers = [0, 1].map(|shift| std::array::from_fn(|k| [i8::MIN, -1, 0, 1, 7, i8::MAX][(k >> shift) % 6]));
    let expected = std::array::from_fn(|k| 3 + numbers[0][k].cmp(&numbers[1][k]) as i8);
    for level in Level::available() {
        level.force().unwrap();
        let mut run = [3; BYTES];
        ordered(&numbers, &mut run);
        assert_eq!(run, expected, "{level}");
    }
}

#[test]
fn bits_of_comparisons_at_every_level() {
    let _forcing = crate::level::tests::FORCING.lock();
    let mut state = 1_u64;
    let mut any = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 48) as i16
    };
    for round in 0..2_000 {
        let mask = if round % 2 == 0 { 7 } else { -1 };
        let columns = [(); 2].map(|()| [(); ROWS].map(|()| any() & mask));
        let limits = match round % 4 {
            0 => [any() & 7, any() & 7],
            1 => [any(), any()],
            2 => [i16::MAX, i16::MIN],
            _ => [i16::MIN, i16::MAX],
        };
        let bits = expected(&columns[0], &columns[1], limits[0], limits[1]);
        for level in Level::available() {
            level.force().unwrap();
            let mut word = 0;
            outside(&columns, limits, &mut word);
            assert_eq!(word, bits, "{level}, limits {limits:?}");
        }
    }
}
