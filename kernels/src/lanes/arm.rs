//! Vectors of 64-bit ARM.
#![allow(unsafe_code)] // Vector instructions.

use std::arch::aarch64::*;

use super::{BYTES, Lanes, ROWS, SIXTEEN, Square};

/// NEON.
pub(crate) struct Neon;

/// Operations on both halves of sixteen lanes.
macro_rules! on_halves {
    ($($name:ident = $of:ident),*) => {$(
        #[inline(always)]
        fn $name(a: Self::Sixteen, b: Self::Sixteen) -> Self::Sixteen {
            // SAFETY: NEON belongs to 64-bit ARM.
            unsafe { [$of(a[0], b[0]), $of(a[1], b[1])] }
        }
    )*};
}

/// The comparison with a result like its arguments.
#[inline(always)]
fn greater(a: int16x8_t, b: int16x8_t) -> int16x8_t {
    // SAFETY: NEON belongs to 64-bit ARM.
    unsafe { vreinterpretq_s16_u16(vcgtq_s16(a, b)) }
}

impl Lanes for Neon {
    type Sixteen = [int16x8_t; 2];

    #[inline(always)]
    fn load(numbers: &[i16; SIXTEEN]) -> Self::Sixteen {
        let (halves, _) = numbers.as_chunks::<8>();
        // SAFETY: NEON belongs to 64-bit ARM, and each load has the 8 values of its array.
        unsafe { [vld1q_s16(halves[0].as_ptr()), vld1q_s16(halves[1].as_ptr())] }
    }

    #[inline(always)]
    fn store(vector: Self::Sixteen, numbers: &mut [i16; SIXTEEN]) {
        let (halves, _) = numbers.as_chunks_mut::<8>();
        // SAFETY: NEON belongs to 64-bit ARM, and each store has room for 8 values.
        unsafe {
            vst1q_s16(halves[0].as_mut_ptr(), vector[0]);
            vst1q_s16(halves[1].as_mut_ptr(), vector[1]);
        }
    }

    #[inline(always)]
    fn splat(number: i16) -> Self::Sixteen {
        // SAFETY: NEON belongs to 64-bit ARM.
        [unsafe { vdupq_n_s16(number) }; 2]
    }

    on_halves! { add = vaddq_s16, sub = vsubq_s16, min = vminq_s16, greater = greater, and = vandq_s16, or = vorrq_s16 }

    #[inline(always)]
    fn columns(rows: &Square) -> [Self::Sixteen; SIXTEEN] {
        let mut columns = [Self::splat(0); SIXTEEN];
        for half in 0..2 {
            for part in 0..2 {
                let mut eight = [columns[0][0]; 8];
                for row in 0..8 {
                    eight[row] = Self::load(&rows[8 * half + row])[part];
                }
                // Three times the numbers of the first four vectors alternate with those of the others.
                for _ in 0..3 {
                    let before = eight;
                    for pair in 0..4 {
                        // SAFETY: NEON belongs to 64-bit ARM.
                        unsafe {
                            eight[2 * pair] = vzip1q_s16(before[pair], before[pair + 4]);
                            eight[2 * pair + 1] = vzip2q_s16(before[pair], before[pair + 4]);
                        }
                    }
                }
                for column in 0..8 {
                    columns[8 * part + column][half] = eight[column];
                }
            }
        }
        columns
    }

    #[inline(always)]
    fn order(run: &mut [i8; BYTES], newest: &[i8; BYTES], old: &[i8; BYTES]) {
        let (run, newest, old) = (run.as_chunks_mut::<16>().0, newest.as_chunks::<16>().0, old.as_chunks::<16>().0);
        for half in 0..2 {
            // SAFETY: NEON belongs to 64-bit ARM, and loads and the store have 16 values.
            unsafe {
                let newest = vld1q_s8(newest[half].as_ptr());
                let old = vld1q_s8(old[half].as_ptr());
                // All bits are -1.
                let less = vaddq_s8(vld1q_s8(run[half].as_ptr()), vreinterpretq_s8_u8(vcgtq_s8(old, newest)));
                vst1q_s8(run[half].as_mut_ptr(), vsubq_s8(less, vreinterpretq_s8_u8(vcgtq_s8(newest, old))));
            }
        }
    }

    #[inline(always)]
    fn outside(high: &[i16; ROWS], low: &[i16; ROWS], above: i16, below: i16) -> u64 {
        let ((high, _), (low, _)) = (high.as_chunks::<8>(), low.as_chunks::<8>());
        // SAFETY: NEON belongs to 64-bit ARM, and each load has the 8 values of its array.
        unsafe {
            let (above, below) = (vdupq_n_s16(above), vdupq_n_s16(below));
            // Each byte keeps its own bit; three additions of neighbours bring eight of them together.
            let bit = vcreate_u8(0x8040_2010_0804_0201);
            let mut bits = [bit; 8];
            for eight in 0..8 {
                let (high, low) = (vld1q_s16(high[eight].as_ptr()), vld1q_s16(low[eight].as_ptr()));
                let either = vorrq_u16(vcgtq_s16(high, above), vcltq_s16(low, below));
                bits[eight] = vand_u8(vmovn_u16(either), bit);
            }
            let [a, b, c, d, e, f, g, h] = bits;
            let lower = vpadd_u8(vpadd_u8(a, b), vpadd_u8(c, d));
            let upper = vpadd_u8(vpadd_u8(e, f), vpadd_u8(g, h));
            vget_lane_u64::<0>(vreinterpret_u64_u8(vpadd_u8(lower, upper)))
        }
    }
}
