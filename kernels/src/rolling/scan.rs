//! Running results from the first value on, and from the last one on.

/// Values whose running results are made in steps of 1, 2 and 4: one result depends on the one eight values before.
const SCAN: usize = 8;

/// `out[k] = start op values[0] op .. op values[k]`, in another order of the operations.
#[inline(always)]
pub(super) fn prefix<T: Copy>(values: &[T], out: &mut [T], start: T, op: impl Fn(T, T) -> T) {
    let ((eights, rest), (outs, out_rest)) = (values.as_chunks::<SCAN>(), out.as_chunks_mut::<SCAN>());
    let mut carry = start;
    for (&eight, out) in eights.iter().zip(outs) {
        let mut running = eight;
        for step in [1, 2, 4] {
            let before = running;
            for lane in step..SCAN {
                running[lane] = op(running[lane], before[lane - step]);
            }
        }
        for lane in 0..SCAN {
            out[lane] = op(carry, running[lane]);
        }
        carry = op(carry, running[SCAN - 1]);
    }
    for (out, &value) in out_rest.iter_mut().zip(rest) {
        carry = op(carry, value);
        *out = carry;
    }
}

/// `out[k] = values[k] op .. op values[last] op start`, likewise.
#[inline(always)]
pub(super) fn suffix<T: Copy>(values: &[T], out: &mut [T], start: T, op: impl Fn(T, T) -> T) {
    let ((rest, eights), (out_rest, outs)) = (values.as_rchunks::<SCAN>(), out.as_rchunks_mut::<SCAN>());
    let mut carry = start;
    for (&eight, out) in eights.iter().zip(outs).rev() {
        let mut running = eight;
        for step in [1, 2, 4] {
            let before = running;
            for lane in 0..SCAN - step {
                running[lane] = op(running[lane], before[lane + step]);
            }
        }
        for lane in 0..SCAN {
            out[lane] = op(carry, running[lane]);
        }
        carry = op(carry, running[0]);
    }
    for (out, &value) in out_rest.iter_mut().zip(rest).rev() {
        carry = op(carry, value);
        *out = carry;
    }
}
