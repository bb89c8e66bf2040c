//! Sample standard deviations over 30 values.
//!
//! Squared distances from the mean add up over parts of a window, plus what the parts' sums lie apart (Chan, Golub and
//! LeVeque 1979). 30 = 5 * 6 and 6 = 3 * 2, so windows share pairs and sixes, and no term cancels: a fifth of the
//! arithmetic of two passes, and as exact.

/// Values of a window.
const WINDOW: usize = 30;
/// Values before the newest.
const LEAD: usize = WINDOW - 1;
/// Windows computed at once.
const BLOCK: usize = 64;
/// Sixes of a block, and pairs.
const SIXES: usize = BLOCK + 24;
const PAIRS: usize = SIXES + 4;

/// Sample standard deviations of the windows of 30 values: `values` has 29 elements more than `out`. A flat window has
/// deviation 0.
///
/// Fixed order, oldest first. Pairs: p = a + b. Sixes: s = (p0 + p1) + p2, and six times their squared distances
/// q = 3*(((a0-b0)^2 + (a1-b1)^2) + (a2-b2)^2) + (((p0-p1)^2 + (p1-p2)^2) + (p0-p2)^2). Of five sixes, with d0, d1, d3
/// and d4 the distances of their sums from the third: six times the squared distances is
/// ((((q0 + q1) + q2) + q3) + q4) + ((((d0^2 + d1^2) + d3^2) + d4^2) - (((d0 + d1) + d3) + d4)^2 * 0.2), times 1/174,
/// and the root.
pub fn deviations_30(values: &[f64], out: &mut [f64]) {
    let (blocks, tail) = out.as_chunks_mut::<BLOCK>();
    let done = blocks.len() * BLOCK;
    for (block, out) in blocks.iter_mut().enumerate() {
        let mut padded = [0.0; BLOCK + LEAD];
        padded.copy_from_slice(&values[block * BLOCK..][..BLOCK + LEAD]);
        *out = deviations(&padded);
    }
    if !tail.is_empty() {
        let mut padded = [0.0; BLOCK + LEAD];
        padded[..tail.len() + LEAD].copy_from_slice(&values[done..][..tail.len() + LEAD]);
        tail.copy_from_slice(&deviations(&padded)[..tail.len()]);
    }
}

fn deviations(values: &[f64; BLOCK + LEAD]) -> [f64; BLOCK] {
    let (mut pair, mut apart) = ([0.0; PAIRS], [0.0; PAIRS]);
    for k in 0..PAIRS {
        let (a, b) = (values[k], values[k + 1]);
        pair[k] = a + b;
        apart[k] = (a - b) * (a - b);
    }
    let (mut sum, mut squares) = ([0.0; SIXES], [0.0; SIXES]);
    for k in 0..SIXES {
        let [p0, p1, p2] = [pair[k], pair[k + 2], pair[k + 4]];
        sum[k] = p0 + p1 + p2;
        let within = apart[k] + apart[k + 2] + apart[k + 4];
        let between = (p0 - p1) * (p0 - p1) + (p1 - p2) * (p1 - p2) + (p0 - p2) * (p0 - p2);
        squares[k] = 3.0 * within + between;
    }
    let mut out = [0.0; BLOCK];
    for k in 0..BLOCK {
        let within = squares[k] + squares[k + 6] + squares[k + 12] + squares[k + 18] + squares[k + 24];
        let third = sum[k + 12];
        let [d0, d1, d3, d4] = [sum[k] - third, sum[k + 6] - third, sum[k + 18] - third, sum[k + 24] - third];
        let all = d0 + d1 + d3 + d4;
        let between = (d0 * d0 + d1 * d1 + d3 * d3 + d4 * d4) - all * all * 0.2;
        out[k] = ((within + between) * (1.0 / 174.0)).sqrt();
    }
    out
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
        assert!(out[..30].iter().all(|deviation| (deviation - 30.0_f64.sqrt()).abs() < 1e-14));
        assert_eq!(out[30], 0.0);
    }

    #[test]
    fn flat() {
        let mut out = [7.0; 71];
        deviations_30(&[1.0 / 3.0; 100], &mut out);
        assert_eq!(out, [0.0; 71]);
    }

    #[test]
    fn small_beside_the_mean() {
        // k*1e-9 + 1: the deviation of 0..=29 is sqrt(30*31/12).
        let values: Vec<f64> = (0..200).map(|k| 1.0 + f64::from(k) * 2.0_f64.powi(-30)).collect();
        let mut out = [0.0; 171];
        deviations_30(&values, &mut out);
        let expected = (30.0_f64 * 31.0 / 12.0).sqrt() * 2.0_f64.powi(-30);
        assert!(out.iter().all(|deviation| (deviation / expected - 1.0).abs() < 1e-14), "{out:?}");
    }
}
