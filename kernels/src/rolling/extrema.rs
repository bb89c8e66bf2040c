//! Largest or smallest value of each window, after van Herk (1992) and Gil and Werman (1993): a window is the end of one
//! block of rows and the start of the next.

use super::float::{DIRECT, LANES};
use super::scan::{prefix, suffix};

/// `op` over each window; `out` begins with the first full one.
#[inline(always)]
pub(super) fn extreme<T: Copy>(values: &[T], window: usize, out: &mut [T], op: impl Fn(T, T) -> T + Copy) {
    if window <= DIRECT {
        for (block, out) in out.chunks_mut(LANES).enumerate() {
            let rows = &values[block * LANES..];
            for (lane, out) in out.iter_mut().enumerate() {
                *out = rows[lane];
            }
            for k in 1..window {
                for (out, &value) in out.iter_mut().zip(&rows[k..]) {
                    *out = op(*out, value);
                }
            }
        }
        return;
    }
    let (mut ends, mut starts) = (vec![values[0]; window], vec![values[0]; window]);
    for start in (0..out.len()).step_by(window) {
        let border = start + window;
        suffix(&values[start..border], &mut ends, values[border - 1], op);
        out[start] = ends[0];
        let next = &values[border..values.len().min(border + window - 1)];
        if let Some(&first) = next.first() {
            prefix(next, &mut starts[..next.len()], first, op);
            for (out, (&end, &start)) in out[start + 1..].iter_mut().zip(ends[1..].iter().zip(&starts[..next.len()])) {
                *out = op(end, start);
            }
        }
    }
}
