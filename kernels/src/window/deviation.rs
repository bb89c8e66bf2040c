//! Sample standard deviations over 30 values.

/// Values of a window.
const WINDOW: usize = 30;

/// Rows computed at once.
const BLOCK: usize = 16;

/// Sample standard deviations of the windows of 30 values: `values` has 29 elements more than `out`.
///
/// Two passes, each from the oldest to the newest value: mean = sum(y)/30, then sqrt(sum((y - mean)*(y - mean))/29). A
/// flat window has deviation 0 only where its mean is exact.
pub fn deviations_30(values: &[f64], out: &mut [f64]) {
    let (blocks, tail) = out.as_chunks_mut::<BLOCK>();
    let done = blocks.len() * BLOCK;
    for (block, out) in blocks.iter_mut().enumerate() {
        *out = deviation_block(&values[block * BLOCK..][..BLOCK + WINDOW - 1]);
    }
    for (row, out) in (done..).zip(tail) {
        [*out] = deviation_block(&values[row..][..WINDOW]);
    }
}

#[inline(always)]
fn deviation_block<const N: usize>(values: &[f64]) -> [f64; N] {
    let mut mean = [0.0; N];
    for values in values.windows(N).take(WINDOW) {
        for lane in 0..N {
            mean[lane] += values[lane];
        }
    }
    let mean = mean.map(|sum| sum / WINDOW as f64);
    let mut squares = [0.0; N];
    for values in values.windows(N).take(WINDOW) {
        for lane in 0..N {
            let distance = values[lane] - mean[lane];
            squares[lane] += distance * distance;
        }
    }
    squares.map(|sum| (sum / (WINDOW - 1) as f64).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        // One 30 among zeros: mean 1, squares 29*1 + 29^2 = 29*30.
        let mut values = [0.0; 60];
        values[29] = 30.0;
        let mut out = [7.0; 31];
        deviations_30(&values, &mut out);
        assert_eq!(out[..30], [30.0_f64.sqrt(); 30]);
        assert_eq!(out[30], 0.0);
    }
}
